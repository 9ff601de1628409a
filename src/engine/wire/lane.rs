//! [`Lane`]: what goes to a peer beside its messages.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::peer::Subscription;

/// Below this many changes it is not worth looking for outdated ones.
const COMPACT_FROM: usize = 1024;

/// Subscriptions, a PING and the newest PONG, for the session that is up.
///
/// No high-water mark applies, yet it is bounded: by the topics that are
/// subscribed to, and by one PONG, so that a peer cannot make us queue replies
/// by not reading them. Trees and no tables, since a table that grows moves all
/// it has at once, and a million topics may wait here.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// In the order they were made.
    changes: BTreeMap<u64, Subscription>,
    /// Once there are many: the number of the last change to each topic.
    latest: BTreeMap<Bytes, u64>,
    next: u64,
    ping: Option<Duration>,
    pong: Option<Bytes>,
}

impl Lane {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.ping.is_none() && self.pong.is_none()
    }

    pub(super) fn has_subscriptions(&self) -> bool {
        !self.changes.is_empty()
    }

    /// How many subscriptions and cancellations wait.
    pub(super) fn subscriptions(&self) -> usize {
        self.changes.len()
    }

    pub(super) fn subscription(&mut self, change: Subscription) {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        if self.changes.len() == COMPACT_FROM && self.latest.is_empty() {
            self.note_all();
        }
        if self.changes.len() >= COMPACT_FROM {
            self.note(change.topic().clone(), number);
        }
        self.changes.insert(number, change);
    }

    /// Notes that a change is the last to its topic; one before it is outdated.
    fn note(&mut self, topic: Bytes, number: u64) {
        if let Some(outdated) = self.latest.insert(topic, number) {
            self.changes.remove(&outdated);
        }
    }

    fn note_all(&mut self) {
        let topics: Vec<_> =
            self.changes.iter().map(|(number, change)| (*number, change.topic().clone())).collect();
        for (number, topic) in topics {
            self.note(topic, number);
        }
    }

    /// Owes the peer a PONG; one that is owed already is superseded.
    pub(super) fn pong(&mut self, context: Bytes) {
        self.pong = Some(context);
    }

    pub(super) fn ping(&mut self, ttl: Duration) {
        self.ping = Some(ttl);
    }

    /// Takes the change that was made first.
    pub(super) fn take_subscription(&mut self) -> Option<Subscription> {
        let (number, change) = self.changes.pop_first()?;
        if self.latest.get(change.topic()) == Some(&number) {
            self.latest.remove(change.topic());
        }
        if self.changes.is_empty() {
            // A tree that was emptied keeps half a kilobyte.
            self.changes = BTreeMap::new();
            self.latest = BTreeMap::new();
        }
        Some(change)
    }

    pub(super) fn take_ping(&mut self) -> Option<Duration> {
        self.ping.take()
    }

    pub(super) fn take_pong(&mut self) -> Option<Bytes> {
        self.pong.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(lane: &mut Lane) -> Vec<Subscription> {
        std::iter::from_fn(|| lane.take_subscription()).collect()
    }

    #[test]
    fn only_the_last_change_to_each_topic_is_kept() {
        let mut lane = Lane::default();
        for round in 0..10_000 {
            let topic = Bytes::from(format!("{}", round % 3));
            lane.subscription(match round % 2 {
                0 => Subscription::Subscribe(topic),
                _ => Subscription::Cancel(topic),
            });
            assert!(lane.changes.len() <= COMPACT_FROM);
        }
        let left = drain(&mut lane);
        assert_eq!(
            left[left.len() - 3..],
            [
                Subscription::Cancel(Bytes::from("1")),    // 9997
                Subscription::Subscribe(Bytes::from("2")), // 9998
                Subscription::Cancel(Bytes::from("0")),    // 9999
            ]
        );
        assert!(lane.is_empty() && lane.latest.is_empty());
    }

    #[test]
    fn few_changes_go_out_as_they_were_made() {
        let mut lane = Lane::default();
        for _ in 0..2 {
            lane.subscription(Subscription::Subscribe(Bytes::from("a")));
        }
        assert_eq!(drain(&mut lane), vec![Subscription::Subscribe(Bytes::from("a")); 2]);
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
