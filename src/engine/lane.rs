//! [`Lane`]: what goes to a peer beside its messages.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use crate::peer::Subscription;

/// Below this many subscriptions it is not worth looking for outdated ones.
const COMPACT_FROM: usize = 1024;

/// Subscriptions, a PING and the newest PONG, for the session that is up.
///
/// No high-water mark applies, yet it is bounded: by the topics that are
/// subscribed to, and by one PONG, so that a peer cannot make us queue replies
/// by not reading them.
#[derive(Debug, Default)]
pub(super) struct Lane {
    subscriptions: Vec<Subscription>,
    /// Length at which to look for outdated entries the next time.
    compact_at: usize,
    ping: Option<Duration>,
    pong: Option<Bytes>,
}

impl Lane {
    pub(super) fn has_subscriptions(&self) -> bool {
        !self.subscriptions.is_empty()
    }

    pub(super) fn subscription(&mut self, change: Subscription) {
        self.subscriptions.push(change);
        if self.subscriptions.len() >= self.compact_at.max(COMPACT_FROM) {
            self.compact();
            self.compact_at = 2 * self.subscriptions.len();
        }
    }

    /// Owes the peer a PONG; one that is owed already is superseded.
    pub(super) fn pong(&mut self, context: Bytes) {
        self.pong = Some(context);
    }

    pub(super) fn ping(&mut self, ttl: Duration) {
        self.ping = Some(ttl);
    }

    pub(super) fn take_subscriptions(&mut self) -> Vec<Subscription> {
        self.compact_at = 0;
        std::mem::take(&mut self.subscriptions)
    }

    pub(super) fn take_ping(&mut self) -> Option<Duration> {
        self.ping.take()
    }

    pub(super) fn take_pong(&mut self) -> Option<Bytes> {
        self.pong.take()
    }

    /// Keeps the last operation of each topic, in the order of those.
    fn compact(&mut self) {
        let mut last = HashMap::with_capacity(self.subscriptions.len());
        for (index, change) in self.subscriptions.iter().enumerate() {
            last.insert(change.topic().clone(), index);
        }
        let mut index = 0;
        self.subscriptions.retain(|change| {
            index += 1;
            last.get(change.topic()) == Some(&(index - 1))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_operation_of_each_topic_is_kept() {
        let mut lane = Lane::default();
        for round in 0..10_000 {
            let topic = Bytes::from(format!("{}", round % 3));
            lane.subscription(match round % 2 {
                0 => Subscription::Subscribe(topic),
                _ => Subscription::Cancel(topic),
            });
            assert!(lane.subscriptions.len() <= COMPACT_FROM);
        }
        lane.compact();
        let left = lane.take_subscriptions();
        assert_eq!(
            left,
            [
                Subscription::Cancel(Bytes::from("1")),    // 9997
                Subscription::Subscribe(Bytes::from("2")), // 9998
                Subscription::Cancel(Bytes::from("0")),    // 9999
            ]
        );
    }

    #[test]
    fn one_pong_is_owed_at_most() {
        let mut lane = Lane::default();
        lane.pong(Bytes::from("1"));
        lane.pong(Bytes::from("2"));
        assert_eq!(lane.take_pong(), Some(Bytes::from("2")));
        assert_eq!(lane.take_pong(), None);
    }
}
