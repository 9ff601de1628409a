//! [`RoutingTable`]: which routing id stands for which pipe (RFC 28, ROUTER).

use std::collections::HashMap;
use std::sync::Arc;

use crate::pipe::{Outlet, PeerKey, Pipe};
use crate::routing::{PeerMap, random_start};
use crate::routing_id::RoutingId;

/// The peers of a socket that names them.
///
/// ```text
///   attach        claim          detach, or the id       drained
///  ───────► anonymous ───► named ──────────────────► former ───────► forgotten
///                            ▲    is taken over        │
///                            └─────────────────────────┘
///                              claim (an endpoint that
///                              was redialled)
/// ```
/// A named peer is sent to by its id. What a former one sent is still delivered
/// under the id it had.
pub(crate) struct RoutingTable {
    /// The named peers. Peers choose their ids, hence a hasher with a secret.
    routes: HashMap<RoutingId, Route>,
    /// Every peer that may still have something to say.
    peers: PeerMap<Peer>,
    next_automatic: u32,
}

struct Route {
    key: PeerKey,
    outlet: Arc<dyn Outlet>,
}

struct Peer {
    /// What it is or was named.
    id: Option<RoutingId>,
    /// `None` once it has left.
    outlet: Option<Arc<dyn Outlet>>,
}

/// Another peer has the routing id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IdTaken;

impl RoutingTable {
    pub(crate) fn new() -> Self {
        Self { routes: HashMap::new(), peers: PeerMap::default(), next_automatic: random_start() }
    }

    /// Adds a peer that has no name yet.
    pub(crate) fn attach(&mut self, pipe: &Pipe) {
        let outlet = Some(Arc::clone(&pipe.outlet));
        self.peers.insert(pipe.key, Peer { id: None, outlet });
    }

    /// Names a peer: as it wishes, or automatically. One that is named keeps
    /// its name, whatever it wishes after a reconnect. With `take_over`, the
    /// outlet of the peer that had the id before is returned.
    ///
    /// # Errors
    /// When another peer has the id and it is not to be taken over.
    pub(crate) fn claim(
        &mut self,
        key: PeerKey,
        wish: Option<&RoutingId>,
        take_over: bool,
    ) -> Result<Option<Arc<dyn Outlet>>, IdTaken> {
        if self.is_named(key) {
            return Ok(None);
        }
        let id = wish.cloned().unwrap_or_else(|| self.automatic());
        // RFC 28: SHALL identify each double queue using a unique "identity"
        // binary string.
        if self.routes.contains_key(&id) && !take_over {
            return Err(IdTaken);
        }
        // A peer that left between attach and up has no outlet any more.
        let Some(peer) = self.peers.get_mut(&key) else { return Ok(None) };
        let Some(outlet) = peer.outlet.clone() else { return Ok(None) };
        peer.id = Some(id.clone());
        let former = self.routes.insert(id, Route { key, outlet });
        Ok(former.map(|route| route.outlet))
    }

    /// Nothing is sent to the peer any more; what it sent keeps its name.
    pub(crate) fn detach(&mut self, key: PeerKey) {
        self.unroute(key);
        let Some(peer) = self.peers.get_mut(&key) else { return };
        peer.outlet = None;
        if peer.id.is_none() {
            self.peers.remove(&key);
        }
    }

    /// Forgets a peer that has nothing more to say.
    pub(crate) fn forget(&mut self, key: PeerKey) {
        self.unroute(key);
        self.peers.remove(&key);
    }

    /// Where messages to `id` go.
    pub(crate) fn route(&self, id: &RoutingId) -> Option<&Arc<dyn Outlet>> {
        Some(&self.routes.get(id)?.outlet)
    }

    /// The outlet of an attached peer, named or not.
    pub(crate) fn outlet(&self, key: PeerKey) -> Option<&Arc<dyn Outlet>> {
        self.peers.get(&key)?.outlet.as_ref()
    }

    /// The name of what a peer sent.
    pub(crate) fn id(&self, key: PeerKey) -> Option<&RoutingId> {
        self.peers.get(&key)?.id.as_ref()
    }

    fn is_named(&self, key: PeerKey) -> bool {
        let route = self.id(key).and_then(|id| self.routes.get(id));
        route.is_some_and(|route| route.key == key)
    }

    fn unroute(&mut self, key: PeerKey) {
        if !self.is_named(key) {
            return;
        }
        if let Some(id) = self.peers.get(&key).and_then(|peer| peer.id.as_ref()) {
            self.routes.remove(id);
        }
    }

    /// An id that nobody has. There are more numbers than peers can be.
    fn automatic(&mut self) -> RoutingId {
        loop {
            let id = RoutingId::automatic(self.next_automatic);
            self.next_automatic = self.next_automatic.wrapping_add(1);
            if !self.routes.contains_key(&id) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::testing::FakePeer;

    fn id(octets: &'static str) -> RoutingId {
        RoutingId::new(octets.as_bytes()).unwrap()
    }

    fn attached(table: &mut RoutingTable) -> Arc<FakePeer> {
        let peer = FakePeer::accepted(10);
        table.attach(&peer.pipe());
        peer
    }

    #[test]
    fn automatic_ids_count_up_and_skip_those_in_use() {
        let mut table = RoutingTable::new();
        table.next_automatic = u32::MAX;
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(a.key, None, false).is_ok());
        assert_eq!(table.id(a.key), Some(&RoutingId::automatic(u32::MAX)));
        table.next_automatic = u32::MAX;
        assert!(table.claim(b.key, None, false).is_ok());
        assert_eq!(table.id(b.key), Some(&RoutingId::automatic(0)));
        assert_eq!(table.id(b.key).map(|id| id.as_bytes().len()), Some(5));
    }

    #[test]
    fn name_is_kept_across_reconnects() {
        let mut table = RoutingTable::new();
        let a = attached(&mut table);
        assert!(table.claim(a.key, Some(&id("first")), false).is_ok());
        assert!(table.claim(a.key, Some(&id("second")), false).is_ok());
        assert!(table.route(&id("first")).is_some());
        assert!(table.route(&id("second")).is_none());
    }

    #[test]
    fn taken_id_is_refused_until_its_peer_leaves() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(a.key, Some(&id("x")), false).is_ok());
        assert!(table.claim(b.key, Some(&id("x")), false).is_err());
        assert_eq!(table.id(b.key), None);
        table.detach(a.key);
        assert!(table.claim(b.key, Some(&id("x")), false).is_ok());
        assert_eq!((table.id(a.key), table.id(b.key)), (Some(&id("x")), Some(&id("x"))));
        table.forget(a.key);
        assert_eq!(table.id(a.key), None);
        assert!(table.route(&id("x")).is_some());
    }

    #[test]
    fn late_departure_of_the_former_leaves_the_new_one() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(a.key, Some(&id("x")), true).is_ok());
        assert!(matches!(table.claim(b.key, Some(&id("x")), true), Ok(Some(_))));
        table.detach(a.key);
        table.forget(a.key);
        assert!(table.route(&id("x")).is_some());
    }

    #[test]
    fn nothing_is_kept_of_a_peer_that_was_never_named() {
        let mut table = RoutingTable::new();
        let a = attached(&mut table);
        table.detach(a.key);
        assert!(table.peers.is_empty());
        assert!(matches!(table.claim(a.key, Some(&id("x")), false), Ok(None)));
        assert!(table.routes.is_empty());
    }
}
