//! A process that has no descriptors left.

use std::time::Duration;

use ferromq::{DisconnectReason, Monitor, MonitorEvent, PullSocket, PushSocket};
use tokio::net::TcpStream;

use crate::child::{Clock, alone};
use crate::victim::{PROBES, probe, within};

/// How many accepts fail while nothing else is done for a second.
async fn failures_in_a_second(monitor: &mut Monitor) -> usize {
    let mut failures = 0;
    let second = tokio::time::sleep(Duration::from_secs(1));
    tokio::pin!(second);
    loop {
        tokio::select! {
            () = &mut second => return failures,
            event = monitor.recv() => {
                failures += usize::from(matches!(event, Some(MonitorEvent::AcceptFailed { .. })));
            }
        }
    }
}

#[test]
fn without_descriptors_a_listener_waits_and_recovers() {
    let name = "exhaustion::without_descriptors_a_listener_waits_and_recovers";
    alone(name, "ulimit -n 64;", async {
        let mut clock = Clock::new();
        let pull = PullSocket::new();
        let mut monitor = pull.monitor();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        let push = PushSocket::new();
        push.connect(&endpoint).unwrap();
        within(push.send("before")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "before".into());

        let address = ("127.0.0.1", endpoint.port().unwrap());
        let mut hogs = Vec::new();
        while let Ok(hog) = TcpStream::connect(address).await {
            hogs.push(hog);
        }
        loop {
            match within(monitor.recv()).await.unwrap() {
                MonitorEvent::AcceptFailed { retry_in, .. } => {
                    assert!(retry_in >= Duration::from_millis(10));
                    assert!(retry_in <= Duration::from_secs(1));
                    break;
                }
                _ => continue,
            }
        }
        let before = clock.ticks();
        // From 10 ms, doubled: about six in the first second.
        let failures = failures_in_a_second(&mut monitor).await;
        assert!((1..=10).contains(&failures), "{failures}");
        let used = clock.ticks() - before;
        assert!(used < 20, "{used} hundredths of a second");
        // Who is there already is served.
        for number in 0..PROBES {
            within(push.send(format!("{number}"))).await.unwrap();
            assert_eq!(within(pull.recv()).await.unwrap(), format!("{number}").into());
        }
        drop(hogs);
        assert!(probe(&pull, &endpoint).await.is_empty());
    });
}

#[test]
fn without_descriptors_an_endpoint_is_dialled_again_until_it_is_reached() {
    let name = "exhaustion::without_descriptors_an_endpoint_is_dialled_again_until_it_is_reached";
    alone(name, "ulimit -n 64;", async {
        let (mut clock, pull, push) = (Clock::new(), PullSocket::new(), PushSocket::new());
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut monitor = push.monitor();
        let mut hogs = Vec::new();
        while let Ok(hog) = std::fs::File::open("/dev/null") {
            hogs.push(hog);
        }
        push.connect(&endpoint).unwrap();
        within(push.send("arrives")).await.unwrap();
        let before = clock.ticks();
        for _ in 0..5 {
            match within(monitor.recv()).await.unwrap() {
                MonitorEvent::Retrying { reason, delay, .. } => {
                    assert!(matches!(reason, DisconnectReason::Transport(_)), "{reason}");
                    assert!(delay >= Duration::from_millis(100), "{delay:?}");
                }
                other => panic!("{other:?}"),
            }
        }
        let used = clock.ticks() - before;
        assert!(used < 20, "{used} hundredths of a second");
        drop(hogs);
        assert_eq!(within(pull.recv()).await.unwrap(), "arrives".into());
    });
}
