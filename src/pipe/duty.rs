//! [`Duty`]: who reads next from a peer. Decided here and nowhere else.
//!
//! Std only, so that `tests/loom` can include this file as it is.

use crate::sync::atomic::{AtomicU8, Ordering};

/// Who reads next from one peer: a receiver, the connection's task, or nobody
/// until something happens.
///
/// ```text
///               event: List                take
///    ┌───────┐ ─────────────► ┌────────┐ ──────────► ┌──────┐ ──┐ event
///    │ Armed │                │ Listed │             │ Held │   │
///    └───────┘ ◄────────────┐ └────────┘ ◄────────┐  └──────┘ ◄─┘ (Held, again)
///        ▲                  │   │    ▲            │      │
///        │             retire   │    │            │      │
///        │                  │   │    └─ give_back: more, or Held again
///        │                  │   │ hand_over       │      │
///        │                  │   ▼                 │      │
///        │                 ┌───────┐  take        │      │
///        │                 │ Ahead │ ─────────────│─────►│
///        │                 └───────┘              │      │
///        └──────────────── give_back: nothing ────┴──────┘
/// ```
/// - `Armed`: nobody. All that came was taken; the transport, or whatever else
///   brings something, reports it with [`event`](Self::event).
/// - `Listed`: a receiver. The peer is in the socket's list of those that have
///   something to read.
/// - `Held`: the receiver that took it from the list, and nobody else until it
///   gives it back. What happens meanwhile is noted, since it may have been
///   missed.
/// - `Ahead`: the connection's task, since no receiver came for a while; it reads
///   ahead of them, up to the marks. The peer is still in the list, and the next
///   receiver that comes takes it from there.
/// - `Task`, not drawn: always the connection's task, where no receiver ever
///   reads (PUB, XPUB, PUSH, conflating sockets).
#[derive(Debug)]
pub(crate) struct Duty(AtomicU8);

const ARMED: u8 = 0;
const LISTED: u8 = 1;
const HELD: u8 = 2;
const HELD_AGAIN: u8 = 3;
const AHEAD: u8 = 4;
const TASK: u8 = 5;

/// Who is to be told of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Receivers: put the peer into their list.
    Receivers,
    /// The connection's task: ring for it.
    Task,
    /// Nobody: whoever has the duty looks after this.
    Nobody,
}

impl Duty {
    /// A peer that receivers read from.
    pub(crate) fn of_receivers() -> Self {
        Self(AtomicU8::new(ARMED))
    }

    /// A peer that nobody but its task reads from.
    pub(crate) fn of_task() -> Self {
        Self(AtomicU8::new(TASK))
    }

    /// There may be something to read: octets came, messages were read ahead, a
    /// session began or ended.
    pub(crate) fn event(&self) -> Who {
        let former = self.change(|state| match state {
            ARMED => Some(LISTED),
            HELD => Some(HELD_AGAIN),
            _ => None,
        });
        match former {
            ARMED => Who::Receivers,
            AHEAD | TASK => Who::Task,
            _ => Who::Nobody,
        }
    }

    /// The task has read something ahead. True if the peer is to be put into the
    /// list of receivers.
    #[must_use]
    pub(crate) fn found(&self) -> bool {
        let former = self.change(|state| match state {
            ARMED => Some(LISTED),
            HELD => Some(HELD_AGAIN),
            _ => None,
        });
        former == ARMED
    }

    /// A receiver takes the peer from the list, and reads.
    pub(crate) fn take(&self) {
        self.change(|state| matches!(state, LISTED | AHEAD).then_some(HELD));
    }

    /// The receiver has read. With `more` to be had, or if something happened
    /// meanwhile, the peer goes back to the list: true.
    #[must_use]
    pub(crate) fn give_back(&self, more: bool) -> bool {
        let former = self.change(|state| match state {
            HELD if more => Some(LISTED),
            HELD => Some(ARMED),
            HELD_AGAIN => Some(LISTED),
            _ => None,
        });
        former == HELD_AGAIN || (former == HELD && more)
    }

    /// No receiver came: the task reads ahead of them. True if that is news to
    /// the task.
    #[must_use]
    pub(crate) fn hand_over(&self) -> bool {
        self.change(|state| (state == LISTED).then_some(AHEAD)) == LISTED
    }

    /// Whoever took it from the list found that there is nothing to read any
    /// more, and that nothing will come. False if it was not in the list.
    #[must_use]
    pub(crate) fn retire(&self) -> bool {
        let former = self.change(|state| matches!(state, LISTED | AHEAD).then_some(ARMED));
        matches!(former, LISTED | AHEAD)
    }

    /// Whether it is in the list, for a receiver only.
    pub(crate) fn is_listed(&self) -> bool {
        self.0.load(Ordering::Acquire) == LISTED
    }

    /// Whether a receiver is reading.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.0.load(Ordering::Acquire), HELD | HELD_AGAIN)
    }

    /// Whether the task reads ahead of the receivers.
    pub(crate) fn is_ahead(&self) -> bool {
        self.0.load(Ordering::Acquire) == AHEAD
    }

    /// Whether a receiver reads or is to read, so that octets may wait unread.
    pub(crate) fn is_of_receiver(&self) -> bool {
        matches!(self.0.load(Ordering::Acquire), LISTED | HELD | HELD_AGAIN)
    }

    /// Goes to the state that `next` gives, if any; says which it was before.
    fn change(&self, next: impl Fn(u8) -> Option<u8>) -> u8 {
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) {
            Ok(former) | Err(former) => former,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_lists_a_peer_once() {
        let duty = Duty::of_receivers();
        assert_eq!(duty.event(), Who::Receivers);
        assert_eq!(duty.event(), Who::Nobody);
        assert!(duty.is_listed());
    }

    #[test]
    fn what_happens_while_a_receiver_reads_is_looked_at_again() {
        let duty = Duty::of_receivers();
        assert_eq!(duty.event(), Who::Receivers);
        duty.take();
        assert_eq!(duty.event(), Who::Nobody);
        assert!(duty.give_back(false));
        duty.take();
        assert!(!duty.give_back(false));
        assert_eq!(duty.event(), Who::Receivers);
    }

    #[test]
    fn the_task_reads_ahead_until_a_receiver_comes() {
        let duty = Duty::of_receivers();
        assert!(!duty.hand_over());
        assert_eq!(duty.event(), Who::Receivers);
        assert!(duty.hand_over());
        assert!(!duty.hand_over());
        assert_eq!(duty.event(), Who::Task);
        duty.take();
        assert!(duty.give_back(true));
        assert!(duty.is_listed());
    }

    #[test]
    fn a_peer_that_no_receiver_reads_is_its_tasks() {
        let duty = Duty::of_task();
        assert_eq!(duty.event(), Who::Task);
        assert!(!duty.hand_over() && !duty.retire() && !duty.give_back(true));
        assert_eq!(duty.event(), Who::Task);
    }

    #[test]
    fn a_peer_that_has_left_is_taken_off_the_list() {
        let duty = Duty::of_receivers();
        assert!(!duty.retire());
        assert_eq!(duty.event(), Who::Receivers);
        assert!(duty.retire());
        assert_eq!(duty.event(), Who::Receivers);
        duty.take();
        assert!(!duty.retire());
    }
}
