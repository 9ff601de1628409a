//! Waiting for what a monitor tells, in place of sleeping.

use ferromq::{DisconnectReason, Monitor, MonitorEvent, PeerInfo};

use super::within;

/// The events of one socket. Make it before what it shall see.
pub struct Events(Monitor);

impl From<Monitor> for Events {
    fn from(monitor: Monitor) -> Self {
        Self(monitor)
    }
}

impl Events {
    /// The next event.
    pub async fn next(&mut self) -> MonitorEvent {
        within(self.0.recv()).await.expect("the socket lives")
    }

    /// The first event from here on for which `pick` has something.
    pub async fn find<T>(&mut self, mut pick: impl FnMut(MonitorEvent) -> Option<T>) -> T {
        within(async {
            loop {
                if let Some(found) = pick(self.next().await) {
                    return found;
                }
            }
        })
        .await
    }

    /// Waits for a finished handshake.
    pub async fn ready(&mut self) -> PeerInfo {
        self.find(|event| match event {
            MonitorEvent::Ready { peer, .. } => Some(peer),
            _ => None,
        })
        .await
    }

    /// Waits for so many finished handshakes.
    pub async fn all_ready(&mut self, count: usize) {
        for _ in 0..count {
            self.ready().await;
        }
    }

    /// Waits until a connection has ended.
    pub async fn disconnected(&mut self) -> DisconnectReason {
        self.find(|event| match event {
            MonitorEvent::Disconnected { reason, .. } => Some(reason),
            _ => None,
        })
        .await
    }

    /// Waits until a handshake has failed.
    pub async fn handshake_failed(&mut self) -> DisconnectReason {
        self.find(|event| match event {
            MonitorEvent::HandshakeFailed { reason, .. } => Some(reason),
            _ => None,
        })
        .await
    }

    /// Waits until an endpoint is to be dialled again.
    pub async fn retrying(&mut self) -> (DisconnectReason, std::time::Duration) {
        self.find(|event| match event {
            MonitorEvent::Retrying { reason, delay, .. } => Some((reason, delay)),
            _ => None,
        })
        .await
    }

    /// The names of the next events, each with its reason if it has one.
    pub async fn names(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(name(&self.next().await));
        }
        names
    }
}

/// An event in short.
pub fn name(event: &MonitorEvent) -> String {
    use MonitorEvent::*;
    match event {
        Listening { .. } => "listening".into(),
        Accepted { .. } => "accepted".into(),
        Connected { .. } => "connected".into(),
        Ready { .. } => "ready".into(),
        HandshakeFailed { reason, .. } => format!("handshake failed: {}", short(reason)),
        Disconnected { reason, .. } => format!("disconnected: {}", short(reason)),
        Retrying { reason, .. } => format!("retrying: {}", short(reason)),
        Closed { .. } => "closed".into(),
        other => format!("{other:?}"),
    }
}

fn short(reason: &DisconnectReason) -> &'static str {
    match reason {
        DisconnectReason::Transport(_) => "transport",
        DisconnectReason::PeerClosed => "peer closed",
        DisconnectReason::ByUs => "by us",
        DisconnectReason::Fault(_) => "fault",
        DisconnectReason::TurnedAway(_) => "turned away",
        DisconnectReason::HandshakeTimeout => "handshake timeout",
        DisconnectReason::HeartbeatTimeout => "heartbeat timeout",
        DisconnectReason::ConnectTimeout => "connect timeout",
        _ => "other",
    }
}
