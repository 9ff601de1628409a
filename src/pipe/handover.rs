//! [`Handover`]: who writes to a peer.
//!
//! Std only, so that `tests/loom` can include this file as it is.

/// Who writes what waits for one peer: a caller of `send`, the connection's
/// task, or nobody since nothing waits. Kept, and changed, under the lock of what
/// waits.
///
/// ```text
///             push: flush it              claim
///   ┌──────┐ ───────────────► ┌─────┐ ──────────────► ┌──────┐
///   │ Idle │                  │ Due │                 │ Busy │
///   └──────┘                  └─────┘ ◄────────────── └──────┘
///      ▲                         ▲      rest: Later      │
///      └─────────────────────────│──── rest: Done ───────┤
///                                │                       │ rest: Blocked
///                           claim by the task      ┌─────────┐
///                                └ ─ ─ ─ ─ ─ ─ ─ ─ │ Blocked │
///                                                  └─────────┘
/// ```
/// - `Idle`: nobody; nothing waits.
/// - `Due`: whoever was told so: the caller that pushed, who writes or rings for
///   the task, or the task.
/// - `Busy`: one that writes. It looks for more before it rests.
/// - `Blocked`: the task, as soon as the transport takes more.
///
/// While anything waits the state is not `Idle`; so each push either tells
/// somebody or finds that somebody will look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Handover {
    #[default]
    Idle,
    Due,
    Busy,
    Blocked,
}

/// Who wants to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A caller, who does not wait for the transport.
    Caller,
    /// The connection's task.
    Task,
}

/// How a turn of writing went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing waits any more.
    Done,
    /// There is more, and others get their turn first.
    Later,
    /// The transport takes no more for now.
    Blocked,
}

impl Handover {
    /// Something waits. True if somebody must be told of it.
    #[inline]
    pub(crate) fn push(&mut self) -> bool {
        let is_news = *self == Self::Idle;
        if is_news {
            *self = Self::Due;
        }
        is_news
    }

    /// Whether it may write now.
    pub(crate) fn claim(&mut self, by: By) -> bool {
        let may = match (*self, by) {
            (Self::Due, _) | (Self::Blocked, By::Task) => true,
            (Self::Idle | Self::Busy, _) | (Self::Blocked, By::Caller) => false,
        };
        if may {
            *self = Self::Busy;
        }
        may
    }

    /// Whoever wrote rests. `is_empty` says whether nothing waits, which may have
    /// changed since it looked. True if the task must be told.
    pub(crate) fn rest(&mut self, how: Rest, is_empty: bool) -> bool {
        *self = match how {
            Rest::Blocked => Self::Blocked,
            Rest::Done if is_empty => Self::Idle,
            Rest::Done | Rest::Later => Self::Due,
        };
        *self != Self::Idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_push_of_a_burst_tells_somebody() {
        let mut handover = Handover::default();
        assert!(handover.push());
        assert!(!handover.push());
        assert!(handover.claim(By::Task));
        assert!(!handover.push());
    }

    #[test]
    fn one_of_them_writes() {
        let mut handover = Handover::default();
        assert!(!handover.claim(By::Caller) && !handover.claim(By::Task));
        handover.push();
        assert!(handover.claim(By::Caller));
        assert!(!handover.claim(By::Caller) && !handover.claim(By::Task));
    }

    #[test]
    fn what_comes_while_one_writes_is_not_left() {
        let mut handover = Handover::default();
        handover.push();
        assert!(handover.claim(By::Caller));
        // Nobody is told, since the one who writes will look.
        assert!(!handover.push());
        assert!(handover.rest(Rest::Done, false));
        assert_eq!(handover, Handover::Due);
        assert!(handover.claim(By::Task));
        assert!(!handover.rest(Rest::Done, true));
        assert!(handover.push());
    }

    #[test]
    fn the_task_alone_waits_for_the_transport() {
        let mut handover = Handover::default();
        handover.push();
        assert!(handover.claim(By::Caller));
        assert!(handover.rest(Rest::Blocked, true));
        assert!(!handover.push());
        assert!(!handover.claim(By::Caller));
        assert!(handover.claim(By::Task));
    }
}
