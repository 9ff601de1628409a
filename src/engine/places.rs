//! [`Places`]: how many connections one listener has, and how many it may have.

use std::collections::HashMap;
use std::sync::Arc;

use crate::mark::Mark;
use crate::options::SocketOptions;
use crate::peer::Unwelcome;
use crate::sync::{Lock, Rank};
use crate::transport::Origin;

/// The places of one listener. To look for one and to take it is one step, so
/// there are never more connections than places, whoever comes at the same time.
pub(super) struct Places {
    limit: Mark,
    limit_of_address: Mark,
    taken: Lock<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_origin: HashMap<Origin, usize>,
}

impl Places {
    /// Nothing where there is no limit, so that nobody counts.
    pub(super) fn new(options: &SocketOptions) -> Option<Arc<Self>> {
        let taken = Lock::new(Rank::Leaf, Taken::default());
        let (limit, limit_of_address) =
            (options.limits.connections, options.limits.connections_per_address);
        options.limits.has_places().then(|| Arc::new(Self { limit, limit_of_address, taken }))
    }

    /// Takes a place for a connection from there; it is free again when the place
    /// is dropped.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn take(self: &Arc<Self>, origin: Origin) -> Result<Place, Unwelcome> {
        let mut taken = self.taken.lock();
        if !self.limit.admits(taken.all) {
            return Err(Unwelcome::TooManyConnections { limit: self.limit.limit() });
        }
        let of_address = taken.by_origin.get(&origin).copied().unwrap_or_default();
        if !self.limit_of_address.admits(of_address) {
            let limit = self.limit_of_address.limit();
            return Err(Unwelcome::TooManyConnectionsOfAddress { limit });
        }
        taken.all += 1;
        taken.by_origin.insert(origin, of_address + 1);
        Ok(Place { of: Arc::clone(self), origin })
    }

    fn free(&self, origin: Origin) {
        let mut taken = self.taken.lock();
        taken.all -= 1;
        if let Some(count) = taken.by_origin.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                taken.by_origin.remove(&origin);
            }
        }
    }
}

/// The place of one connection.
pub(super) struct Place {
    of: Arc<Places>,
    origin: Origin,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.free(self.origin);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn places(limit: usize, of_address: usize) -> Arc<Places> {
        let options = SocketOptions::new();
        let options = options.max_connections(limit).max_connections_per_address(of_address);
        Places::new(&options).expect("there is a limit")
    }

    fn address(last: u8) -> Origin {
        Origin::Tcp(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)))
    }

    fn refused(places: &Arc<Places>, origin: Origin) -> Option<Unwelcome> {
        places.take(origin).err()
    }

    #[test]
    fn there_are_so_many_places_and_one_that_is_left_is_free() {
        let places = places(2, 0);
        let first = places.take(address(1));
        let _second = places.take(Origin::Local);
        let full = Some(Unwelcome::TooManyConnections { limit: 2 });
        assert_eq!(refused(&places, address(2)), full);
        drop(first);
        let _third = places.take(address(2));
        assert_eq!(refused(&places, address(1)), full);
    }

    #[test]
    fn each_address_has_its_own_share() {
        let places = places(0, 1);
        let full = Some(Unwelcome::TooManyConnectionsOfAddress { limit: 1 });
        for origin in [address(1), address(2), Origin::Local] {
            let place = places.take(origin);
            assert_eq!(refused(&places, origin), full);
            drop(place);
            std::mem::forget(places.take(origin));
            assert_eq!(refused(&places, origin), full);
        }
    }

    #[test]
    fn nothing_is_kept_of_who_has_left() {
        let places = places(2, 1);
        drop([places.take(address(1)), places.take(address(2))]);
        let taken = places.taken.lock();
        assert!(taken.all == 0 && taken.by_origin.is_empty());
    }

    #[test]
    fn without_a_limit_nobody_counts() {
        assert!(Places::new(&SocketOptions::new()).is_none());
    }
}
