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

/// Polls for a PING, which the kernel takes at once.
fn ping(heartbeat: &mut Heartbeat, now: Instant) {
    assert_eq!(heartbeat.poll(now), SendPing);
    heartbeat.on_ping_written(now);
}

#[test]
fn a_ping_is_due_at_every_interval() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 1000, start);
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(100)));
    assert_eq!(heartbeat.poll(start + ms(99)), Nothing);
    ping(&mut heartbeat, start + ms(100));
    assert_eq!(heartbeat.poll(start + ms(100)), Nothing);
    heartbeat.on_activity(start + ms(150));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(200)));
    ping(&mut heartbeat, start + ms(200));
    // After a long delay one PING is due, not one for each missed interval.
    heartbeat.on_activity(start + ms(950));
    ping(&mut heartbeat, start + ms(950));
    assert_eq!(heartbeat.poll(start + ms(950)), Nothing);
}

#[test]
fn the_timeout_runs_from_the_first_ping_without_an_answer() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 250, start);
    ping(&mut heartbeat, start + ms(100));
    ping(&mut heartbeat, start + ms(200));
    ping(&mut heartbeat, start + ms(300));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(350)));
    assert_eq!(heartbeat.poll(start + ms(349)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(350)), Expired);
}

#[test]
fn anything_that_comes_ends_the_timeout() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 50, start);
    ping(&mut heartbeat, start + ms(100));
    heartbeat.on_activity(start + ms(149));
    assert_eq!(heartbeat.poll(start + ms(199)), Nothing);
    ping(&mut heartbeat, start + ms(200));
    assert_eq!(heartbeat.poll(start + ms(250)), Expired);
}

#[test]
fn the_timeout_is_the_interval_unless_set() {
    let start = Instant::now();
    for timeout in [None, Some(Duration::ZERO)] {
        let config = HeartbeatConfig { interval: Some(ms(100)), timeout };
        let mut heartbeat = Heartbeat::new(config, start);
        ping(&mut heartbeat, start + ms(100));
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
    ping(&mut heartbeat, start + ms(100));
    // Stopped for a minute: the silence is our own.
    let again = start + ms(60_000);
    ping(&mut heartbeat, again);
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

#[test]
fn the_timeout_does_not_run_while_the_ping_waits_to_be_taken() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 50, start);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    assert_eq!(heartbeat.next_deadline(), None);
    assert_eq!(heartbeat.poll(start + ms(5000)), Nothing);
    heartbeat.on_ping_written(start + ms(5000));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(5050)));
    assert_eq!(heartbeat.poll(start + ms(5049)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(5050)), Expired);
}

#[test]
fn one_ping_waits_to_be_taken_at_a_time() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 50, start);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    assert_eq!(heartbeat.poll(start + ms(250)), Nothing);
    heartbeat.on_ping_written(start + ms(250));
    heartbeat.on_activity(start + ms(260));
    // The next interval runs from there.
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(350)));
    ping(&mut heartbeat, start + ms(350));
}

#[test]
fn a_ping_that_nobody_asked_for_starts_nothing() {
    let start = Instant::now();
    let mut heartbeat = Heartbeat::new(HeartbeatConfig::default(), start);
    heartbeat.on_ping_written(start);
    heartbeat.on_blocked(start);
    assert_eq!(heartbeat.next_deadline(), None);
    assert_eq!(heartbeat.poll(start + ms(1_000_000)), Nothing);
}

#[test]
fn each_octet_taken_of_a_blocked_write_restarts_the_timeout() {
    let start = Instant::now();
    // The PING is out, then a large message fills the line.
    let mut heartbeat = heartbeat(100, 150, start);
    ping(&mut heartbeat, start + ms(100));
    heartbeat.on_blocked(start + ms(110));
    heartbeat.on_progress(start + ms(200));
    heartbeat.on_blocked(start + ms(200));
    assert_eq!(heartbeat.poll(start + ms(250)), SendPing);
    heartbeat.on_progress(start + ms(300));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(450)));
    assert_eq!(heartbeat.poll(start + ms(449)), Nothing);
    // It is the last octet that counts, also when the write is blocked no more.
    heartbeat.on_unblocked();
    heartbeat.on_ping_written(start + ms(400));
    assert_eq!(heartbeat.poll(start + ms(449)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(450)), Expired);
}

#[test]
fn writes_that_do_not_block_prove_nothing() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(1000, 50, start);
    ping(&mut heartbeat, start + ms(1000));
    heartbeat.on_progress(start + ms(1020));
    heartbeat.on_unblocked();
    heartbeat.on_progress(start + ms(1040));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(1050)));
    assert_eq!(heartbeat.poll(start + ms(1050)), Expired);
}

#[test]
fn a_peer_that_takes_nothing_is_given_up_though_the_ping_never_goes_out() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 250, start);
    heartbeat.on_blocked(start + ms(10));
    // A write that is blocked means nothing before a PING is due.
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(100)));
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    heartbeat.on_blocked(start + ms(200));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(350)));
    assert_eq!(heartbeat.poll(start + ms(349)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(350)), Expired);
}

#[test]
fn a_peer_that_takes_an_octet_or_says_something_is_kept_while_the_ping_waits() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 250, start);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    heartbeat.on_blocked(start + ms(110));
    heartbeat.on_progress(start + ms(300));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(550)));
    heartbeat.on_activity(start + ms(500));
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(750)));
    assert_eq!(heartbeat.poll(start + ms(749)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(750)), Expired);
}

/// 60 MB over a line of 10 MB/s, as a write sees it.
#[test]
fn a_message_that_takes_longer_than_the_heartbeats_arrives() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(500, 1000, start);
    heartbeat.on_blocked(start);
    let mut pings = 0;
    for step in 0..6000 {
        let now = start + ms(step);
        heartbeat.on_progress(now);
        heartbeat.on_blocked(now);
        match heartbeat.poll(now) {
            SendPing => pings += 1,
            action => assert_eq!(action, Nothing, "{step}"),
        }
    }
    assert_eq!(pings, 1);
    // The last of it is in the buffers, then the PING; both are on their way.
    heartbeat.on_unblocked();
    heartbeat.on_ping_written(start + ms(6000));
    assert_eq!(heartbeat.poll(start + ms(6999)), SendPing);
    assert_eq!(heartbeat.poll(start + ms(7000)), Expired);
}

#[test]
fn neither_clock_runs_while_we_hold_the_peer_back() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 50, start);
    heartbeat.on_peer_ttl(ms(300), start);
    ping(&mut heartbeat, start + ms(100));
    heartbeat.on_blocked(start + ms(100));
    heartbeat.on_held_back();
    // PINGs go on: the peer may have been asked to give us up otherwise.
    assert_eq!(heartbeat.next_deadline(), Some(start + ms(200)));
    ping(&mut heartbeat, start + ms(200));
    assert_eq!(heartbeat.poll(start + ms(299)), Nothing);
    assert_eq!(heartbeat.poll(start + ms(1_000_000)), SendPing);
}

#[test]
fn both_clocks_start_anew_when_the_peer_is_released() {
    let start = Instant::now();
    let mut timeout = heartbeat(100, 50, start);
    ping(&mut timeout, start + ms(100));
    timeout.on_held_back();
    timeout.on_released(start + ms(190));
    assert_eq!(timeout.next_deadline(), Some(start + ms(200)));
    ping(&mut timeout, start + ms(200));
    assert_eq!(timeout.poll(start + ms(250)), Expired);

    let mut ttl = Heartbeat::new(HeartbeatConfig::default(), start);
    ttl.on_peer_ttl(ms(100), start);
    ttl.on_held_back();
    ttl.on_released(start + ms(5000));
    assert_eq!(ttl.next_deadline(), Some(start + ms(5100)));
    assert_eq!(ttl.poll(start + ms(5100)), Expired);
}

#[test]
fn a_blocked_write_is_forgiven_once_too() {
    let start = Instant::now();
    let mut heartbeat = heartbeat(100, 40, start);
    assert_eq!(heartbeat.poll(start + ms(100)), SendPing);
    heartbeat.on_blocked(start + ms(100));
    let again = start + ms(60_000);
    assert_eq!(heartbeat.poll(again), Nothing);
    assert_eq!(heartbeat.poll(again + ms(39)), Nothing);
    // An octet taken is a new chance, also to be forgiven.
    heartbeat.on_progress(again + ms(39));
    let once_more = again + ms(60_000);
    assert_eq!(heartbeat.poll(once_more), Nothing);
    assert_eq!(heartbeat.poll(once_more + ms(40)), Expired);
}
