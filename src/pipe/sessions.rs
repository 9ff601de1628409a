//! [`Sessions`]: who a peer was, in each of its last sessions.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::peer::PeerInfo;

/// How many are remembered. One that is dialled may be another one each time, and what
/// each of them sent may be unread.
const REMEMBERED: usize = 16;

/// What a peer said of itself, and a policy of it, by session.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    known: VecDeque<(u32, Arc<PeerInfo>)>,
}

impl Sessions {
    /// A session begins; gives its number. As long as the peer stays the same it is the
    /// same one.
    pub(super) fn begin(&mut self, info: PeerInfo) -> u32 {
        let number = match self.known.back() {
            Some((number, last)) if **last == info => return *number,
            Some((number, _)) => number.wrapping_add(1),
            None => 0,
        };
        if self.known.len() == REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back((number, Arc::new(info)));
        number
    }

    /// Who the peer was. Of a session that is forgotten nothing is known: better than to
    /// take one for another.
    pub(super) fn info(&self, number: u32) -> Arc<PeerInfo> {
        let found = self.known.iter().find(|(known, _)| *known == number);
        found.map(|(_, info)| Arc::clone(info)).unwrap_or_default()
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
            assert_eq!(sessions.begin(info.clone()), number as u32);
            assert_eq!(sessions.begin(info), number as u32, "it is the same one");
        }
        assert_eq!(*sessions.info(0), PeerInfo::default());
        for number in 1..=REMEMBERED {
            assert_eq!(*sessions.info(number as u32), alice(number));
        }
    }
}
