//! Ready-made policies: lists of who may come in, by key, by name and password, by
//! address.
//!
//! Each is a handle that is cheap to clone. What it holds is shared by its clones
//! and may change while sockets run: a peer is judged by what the list holds when
//! it is asked, and who is in already stays in. What is wrong with a peer is said
//! in the reason of the denial, which the peer is not told.

mod address_list;
#[cfg(feature = "curve")]
mod certificate_dir;
#[cfg(feature = "curve")]
mod key_list;
mod network;
#[cfg(feature = "plain")]
mod user_list;

use std::sync::Arc;

pub use address_list::AddressList;
#[cfg(feature = "curve")]
pub use certificate_dir::CertificateDir;
#[cfg(feature = "curve")]
pub use key_list::KeyList;
pub use network::{Network, NetworkError};
#[cfg(feature = "plain")]
pub use user_list::UserList;

#[cfg(any(feature = "curve", feature = "plain"))]
use super::{Candidate, Mechanism, Verdict};
use crate::sync::{Rank, SharedLock};

/// What the clones of a list have in common.
///
/// In an `Arc` of its own, so that whoever judges holds no lock, and none is held
/// while what a list had before is dropped.
struct Shared<T>(Arc<SharedLock<Arc<T>>>);

impl<T> Shared<T> {
    fn new(value: T) -> Self {
        Self(Arc::new(SharedLock::new(Rank::Leaf, Arc::new(value))))
    }

    /// What it holds now; later changes are not in it.
    fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read())
    }

    /// Holds something else, all of it at once.
    fn replace(&self, value: Arc<T>) {
        let before = std::mem::replace(&mut *self.0.write(), value);
        drop(before);
    }
}

impl<T: Clone> Shared<T> {
    /// Changes a part. What `change` takes out it returns, to be dropped when
    /// the lock is no longer held.
    fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(Arc::make_mut(&mut *self.0.write()))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Of a list that is asked about a peer which has nothing that is in such a list.
#[cfg(any(feature = "curve", feature = "plain"))]
fn no_such_credentials(candidate: &Candidate, wanted: Mechanism) -> Verdict {
    let presented = candidate.mechanism();
    Verdict::deny(format!("it comes with {presented}, and only {wanted} is on the list"))
}
