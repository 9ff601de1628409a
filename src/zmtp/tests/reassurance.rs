//! The PONGs that nobody asked for.

use std::time::{Duration, Instant};

use crate::zmtp::Reassurance;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// How many PONGs go out in each of `steps` milliseconds after `from`.
fn pongs(reassurance: &mut Reassurance, from: Instant, steps: u64) -> usize {
    (1..=steps).filter(|step| reassurance.poll(from + ms(*step))).count()
}

#[test]
fn without_being_held_back_nobody_gets_any() {
    let start = Instant::now();
    let mut reassurance = Reassurance::new(true);
    reassurance.on_ping(start);
    assert_eq!(reassurance.next_deadline(), None);
    assert!(!reassurance.poll(start + ms(1_000_000)));
}

#[test]
fn a_peer_that_is_held_back_gets_one_every_100_ms() {
    let start = Instant::now();
    let mut reassurance = Reassurance::new(true);
    assert_eq!(reassurance.held_back(start), Some(start + ms(100)));
    assert!(!reassurance.poll(start + ms(99)));
    assert!(reassurance.poll(start + ms(100)));
    assert!(!reassurance.poll(start + ms(100)));
    assert_eq!(reassurance.next_deadline(), Some(start + ms(200)));
    assert_eq!(pongs(&mut reassurance, start + ms(100), 1000), 10);
    // Not one for each period that was missed.
    assert!(reassurance.poll(start + ms(60_000)));
    assert!(!reassurance.poll(start + ms(60_000)));
    reassurance.released();
    assert_eq!(reassurance.next_deadline(), None);
    assert!(!reassurance.poll(start + ms(1_000_000)));
}

#[test]
fn a_peer_that_asks_more_often_gets_two_for_each_ping() {
    let start = Instant::now();
    let mut reassurance = Reassurance::new(true);
    for at in [0, 500, 580, 1000] {
        reassurance.on_ping(start + ms(at));
    }
    let held = start + ms(1000);
    assert_eq!(reassurance.held_back(held), Some(held + ms(40)));
    assert_eq!(pongs(&mut reassurance, held, 400), 10);
}

#[test]
fn a_flood_of_pings_makes_them_no_more_than_100_a_second() {
    let start = Instant::now();
    let mut reassurance = Reassurance::new(true);
    for at in 0..1000 {
        reassurance.on_ping(start + Duration::from_micros(at));
    }
    assert_eq!(reassurance.held_back(start), Some(start + ms(10)));
    assert_eq!(pongs(&mut reassurance, start, 1000), 100);
}

#[test]
fn pings_that_came_in_one_read_show_no_rhythm() {
    let start = Instant::now();
    let mut reassurance = Reassurance::new(true);
    for _ in 0..10 {
        reassurance.on_ping(start);
    }
    assert_eq!(reassurance.held_back(start), Some(start + ms(100)));
}

#[test]
fn a_peer_of_3_0_gets_none_before_it_has_sent_a_ping() {
    let start = Instant::now();
    let mut reassurance = Reassurance::new(false);
    assert_eq!(reassurance.held_back(start), None);
    assert_eq!(pongs(&mut reassurance, start, 1000), 0);
    reassurance.released();
    let asked = start + ms(1000);
    reassurance.on_ping(asked);
    assert_eq!(reassurance.held_back(asked), Some(asked + ms(100)));
    assert_eq!(pongs(&mut reassurance, asked, 1000), 10);
}

#[test]
fn the_beat_goes_on_over_short_releases() {
    let start = Instant::now();
    let mut reassurance = Reassurance::new(true);
    let mut count = 0;
    for step in 0..=1000 {
        let now = start + ms(step);
        reassurance.held_back(now);
        count += usize::from(reassurance.poll(now));
        reassurance.released();
    }
    assert_eq!(count, 10);
}
