//! What those may know who look after a simulated network: the keys of its sessions.

use std::cell::RefCell;

use super::boxes::{Keyed, SharedKey};
use super::session::{Opener, Side};
use crate::zmtp::seal::Open;

thread_local! {
    /// The sessions of this thread, each known by both its sides.
    static SESSIONS: RefCell<Vec<[Keyed; 2]>> = const { RefCell::new(Vec::new()) };
}

/// A session begins.
pub(super) fn note(session: &SharedKey) {
    let keys = [Side::Client, Side::Server].map(|side| session.keyed(side.nonce()));
    SESSIONS.with_borrow_mut(|sessions| sessions.push(keys));
}

/// Forgets all sessions.
pub(crate) fn forget() {
    SESSIONS.with_borrow_mut(Vec::clear);
}

/// What is in a sealed frame: flags and body, if it was sealed in a session of this
/// thread.
pub(crate) fn open(sealed: &[u8]) -> Option<(u8, Vec<u8>)> {
    // Whatever its number, which the real one sees to.
    let number = u64::from_be_bytes(sealed.get(8..16)?.try_into().ok()?);
    SESSIONS.with_borrow(|sessions| {
        // The newest first.
        sessions.iter().rev().flatten().find_map(|key| {
            let mut opened = sealed.to_vec();
            let mut opener = Opener::new(key.clone(), number.wrapping_sub(1));
            let (flags, body) = opener.open(&mut opened).ok()?;
            Some((flags, opened[body].to_vec()))
        })
    })
}
