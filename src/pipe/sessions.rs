//! [`Sessions`]: who a peer was, in each of its last sessions.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::peer::PeerInfo;
use crate::routing_id::RoutingId;

/// How many are remembered. One that is dialled may be another one each time, and what
/// each of them sent may be unread.
const REMEMBERED: usize = 16;

/// What a peer said of itself, and a policy of it, by session.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    known: VecDeque<Session>,
    /// Whether the last one is of somebody else than the one before.
    is_another: bool,
}

#[derive(Debug)]
struct Session {
    number: u32,
    info: Arc<PeerInfo>,
    /// What a ROUTER called it.
    name: Option<RoutingId>,
}

impl Session {
    /// Whether it is of the same peer, as far as messages may be meant for one: by the id
    /// that it gave itself, and by the user that it was let in as.
    fn is_of(&self, info: &PeerInfo) -> bool {
        self.info.routing_id == info.routing_id && self.info.user_id == info.user_id
    }
}

impl Sessions {
    /// A session begins; whether there was another one before. As long as the peer stays
    /// the same it is the same one.
    pub(super) fn begin(&mut self, info: PeerInfo) -> bool {
        let last = self.known.back();
        self.is_another = last.is_some_and(|last| !last.is_of(&info));
        let (number, name) = match last {
            Some(last) if *last.info == info => return false,
            Some(last) => (last.number.wrapping_add(1), last.name.clone()),
            None => (0, None),
        };
        if self.known.len() == REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back(Session { number, info: Arc::new(info), name });
        number > 0
    }

    /// The last one has this name from now on.
    pub(super) fn rename(&mut self, name: RoutingId) {
        if let Some(last) = self.known.back_mut() {
            last.name = Some(name);
        }
    }

    pub(super) fn is_another(&self) -> bool {
        self.is_another
    }

    /// The number of the last one.
    pub(super) fn last(&self) -> u32 {
        self.known.back().map_or(0, |last| last.number)
    }

    fn find(&self, number: u32) -> Option<&Session> {
        self.known.iter().find(|session| session.number == number)
    }

    /// Whether who is there now is who was there then.
    pub(super) fn is_still(&self, number: u32) -> bool {
        let then = self.find(number).zip(self.known.back());
        then.is_some_and(|(then, last)| then.is_of(&last.info))
    }

    /// Who the peer was. Of a session that is forgotten nothing is known: better than to
    /// take one for another.
    pub(super) fn info(&self, number: u32) -> Arc<PeerInfo> {
        self.find(number).map(|session| Arc::clone(&session.info)).unwrap_or_default()
    }

    /// What a ROUTER called it.
    pub(super) fn name(&self, number: u32) -> Option<RoutingId> {
        self.find(number)?.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice(address: usize) -> PeerInfo {
        let address = address.to_string();
        PeerInfo { user_id: Some("alice".into()), address, ..PeerInfo::default() }
    }

    #[test]
    fn each_is_known_by_its_number_until_it_is_forgotten() {
        let mut sessions = Sessions::default();
        for number in 0..=REMEMBERED {
            let info = alice(number);
            assert_eq!(sessions.begin(info.clone()), number > 0);
            assert!(!sessions.begin(info) && !sessions.is_another(), "it is the same one");
            assert_eq!(sessions.last(), number as u32);
        }
        assert_eq!(*sessions.info(0), PeerInfo::default());
        assert!(!sessions.is_still(0), "nothing is known of it");
        for number in 1..=REMEMBERED {
            assert_eq!(*sessions.info(number as u32), alice(number));
            assert!(sessions.is_still(number as u32), "from wherever she comes");
        }
    }

    #[test]
    fn another_is_one_with_another_id_or_user() {
        let mut sessions = Sessions::default();
        let id = |name: &str| RoutingId::new(name.to_owned()).unwrap();
        let named = |name: &str| PeerInfo { routing_id: Some(id(name)), ..PeerInfo::default() };
        sessions.begin(named("alice"));
        sessions.rename(id("alice"));
        assert!(!sessions.is_another());
        for (number, info) in [(1, named("bob")), (2, alice(0)), (3, named("alice"))] {
            assert!(sessions.begin(info) && sessions.is_another());
            assert_eq!((sessions.last(), sessions.is_still(number)), (number, true));
            assert_eq!(sessions.name(number), Some(id("alice")), "until it is renamed");
        }
        sessions.rename(id("other"));
        assert_eq!([1, 3].map(|it| sessions.name(it)), [id("alice"), id("other")].map(Some));
        assert_eq!([0, 1, 2].map(|it| sessions.is_still(it)), [true, false, false]);
    }
}
