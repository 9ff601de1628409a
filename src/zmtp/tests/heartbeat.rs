//! RFC 37, "Connection Heartbeating".

use std::time::{Duration, Instant};

use crate::zmtp::HeartbeatAction::{Expired, Nothing, SendPing};
use crate::zmtp::{Heartbeat, HeartbeatConfig};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn heartbeat(interval: u64, timeout: u64, now: Instant) -> Heartbeat {
    let config = HeartbeatConfig { interval: Some(ms(interval)), timeout: Some(ms(timeout)) };
    Heartbeat::new(config, now)
}

#[test]
fn without_an_interval_nothing_is_ever_due() {
    let now = Instant::now();
    for interval in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
        let mut heartbeat = Heartbeat::new(HeartbeatConfig { interval, timeout: None }, now);
        assert_eq!(heartbeat.next_deadline(), None);
        assert_eq!(heartbeat.poll(now + ms(1_000_000)), Nothing);
    }
}

#[test]
fn a_ping_is_due_at_every_interval() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 1000, start);
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(100)));
    assert_eq!(heartbeat.poll(start + ms(99)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    assert_eq!(heartbeat.poll(start + ms(100)), Nothing);
    heartbeat.on_activity(start + ms(150));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(200)));
    assert_eq!(heartbeat.poll(start + ms(200)), SendPing);
    // After a long delay one PING is due, not one for each missed interval.
    heartbeat.on_activity(start + ms(950));
    assert_eq!(heartbeat.poll(start + ms(950)), SendPing);
    assert_eq!(heartbeat.poll(start + ms(950)), Nothing);
}

#[test]
fn the_timeout_runs_from_the_first_ping_without_an_answer() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 250, start);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    assert_eq!(heartbeat.poll(start + ms(200)), SendPing);
    assert_eq!(heartbeat.poll(start + ms(300)), SendPing);
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(350)));
    assert_eq!(heartbeat.poll(start + ms(349)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(350)), Expired);
}

#[test]
fn anything_that_comes_ends_the_timeout() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 50, start);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    heartbeat.on_activity(start + ms(149));
    assert_eq!(heartbeat.poll(start + ms(199)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(200)), SendPing);
    assert_eq!(heartbeat.poll(start + ms(250)), Expired);
}

#[test]
fn the_timeout_is_the_interval_unless_set() {
    let start = Instant::now();
    for timeout in [None, Some(Duration::ZERO)] {
        let config = HeartbeatConfig { interval: Some(ms(100)), timeout };
        let mut heartbeat = Heartbeat::new(config, start);
        assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
        assert_eq!(heartbeat.poll(start + ms(199)), Nothing);
        assert_eq!(heartbeat.poll(start + ms(200)), Expired);
    }
}

#[test]
fn the_ttl_of_the_peer_runs_from_whatever_was_heard_last() {
    let start = Instant::now();
    let mut heartbeat = Heartbeat::new(HeartbeatConfig::default(), start);
    heartbeat.on_peer_ttl(ms(100), start + ms(10));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(110)));
    heartbeat.on_activity(start + ms(60));
    assert_eq!(heartbeat.poll(start + ms(159)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(160)), Expired);
}

#[test]
fn a_ttl_of_zero_takes_the_last_one_back() {
    let start = Instant::now();
    let mut heartbeat = Heartbeat::new(HeartbeatConfig::default(), start);
    heartbeat.on_peer_ttl(ms(100), start);
    heartbeat.on_peer_ttl(Duration::ZERO, start);
    assert_eq!(heartbeat.next_deadline(), None);
    assert_eq!(heartbeat.poll(start + ms(1_000_000)), Nothing);
}

#[test]
fn a_process_that_was_stopped_gives_each_peer_its_time_once_more() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 40, start);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    // Stopped for a minute: the silence is our own.
    let again = start + ms(60_000);
    assert_eq!(heartbeat.poll(again), SendPing);
    assert_eq!(heartbeat.poll(again + ms(39)), Nothing);
    assert_eq!(heartbeat.poll(again + ms(40)), Expired);
}

#[test]
fn a_silence_is_forgiven_once_however_late_it_is_noticed() {
    let start = Instant::now();
    let mut heartbeat = Heartbeat::new(HeartbeatConfig::default(), start);
    heartbeat.on_peer_ttl(ms(100), start);
    assert_eq!(heartbeat.poll(start + ms(200)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(400)), Expired);
}
