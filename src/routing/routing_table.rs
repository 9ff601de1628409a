//! [`RoutingTable`]: which routing id stands for which peer (RFC 28, ROUTER).

use std::collections::HashMap;
use std::sync::Arc;

use crate::pipe::Peer;
use crate::routing::random_start;
use crate::routing_id::RoutingId;

/// The peers of a socket that names them.
///
/// ```text
///   attach        claim          detach, or the id
///  ───────► anonymous ───► named ──────────────────► former
///                          │  ▲    is taken over        │
///                          └──┴─────────────────────────┘
///                           claim (an endpoint that was redialled)
/// ```
/// A named peer is sent to by its id. What a former one sent is still delivered
/// under the id it had, which the peer itself knows.
pub(crate) struct RoutingTable {
    /// The named peers. Peers choose their ids, hence a hasher with a secret.
    routes: HashMap<RoutingId, Route>,
    next_automatic: u32,
}

struct Route {
    peer: Arc<Peer>,
    origin: Origin,
}

/// Whose idea an id was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Peer,
    Table,
}

/// Another peer has the routing id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IdTaken;

impl RoutingTable {
    pub(crate) fn new() -> Self {
        Self { routes: HashMap::new(), next_automatic: random_start() }
    }

    /// Adds a peer that has no name yet.
    pub(crate) fn attach(&mut self, peer: &Peer) {
        // Nothing is kept of it but that it is here.
        peer.place.set(Some(0));
    }

    /// Names a peer as it wishes, or automatically, which is what it keeps as
    /// long as it wishes for nothing. Whatever it was called before leads nowhere
    /// from now on. With `take_over`, the peer that had the id is returned.
    ///
    /// # Errors
    /// When another peer has the id and it is not to be taken over.
    pub(crate) fn claim(
        &mut self,
        peer: &Arc<Peer>,
        wish: Option<&RoutingId>,
        take_over: bool,
    ) -> Result<Option<Arc<Peer>>, IdTaken> {
        // One that left between attach and up gets no name any more.
        if !self.is_attached(peer) || (wish.is_none() && self.is_automatic(peer)) {
            return Ok(None);
        }
        let (id, origin) = match wish {
            Some(id) => (id.clone(), Origin::Peer),
            None => (self.automatic(), Origin::Table),
        };
        let is_taken = self.route(id.as_bytes()).is_some_and(|other| !Arc::ptr_eq(other, peer));
        // RFC 28: SHALL identify each double queue using a unique "identity"
        // binary string.
        if is_taken && !take_over {
            return Err(IdTaken);
        }
        self.unroute(peer);
        peer.set_name(id.clone());
        let former = self.routes.insert(id, Route { peer: Arc::clone(peer), origin });
        Ok(former.map(|route| route.peer))
    }

    /// Nothing is sent to the peer any more; what it sent keeps its name.
    pub(crate) fn detach(&mut self, peer: &Arc<Peer>) {
        self.unroute(peer);
        peer.place.set(None);
    }

    /// Where messages to `id` go. Octets that cannot be an id lead nowhere.
    #[inline]
    pub(crate) fn route(&self, id: &[u8]) -> Option<&Arc<Peer>> {
        Some(&self.routes.get(id)?.peer)
    }

    /// Whether the peer is here, named or not.
    pub(crate) fn is_attached(&self, peer: &Peer) -> bool {
        peer.place.get().is_some()
    }

    /// Whether the peer has a name that the table gave to it.
    fn is_automatic(&self, peer: &Arc<Peer>) -> bool {
        let name = peer.name();
        let route = name.as_ref().and_then(|name| self.routes.get(name));
        route.is_some_and(|it| it.origin == Origin::Table && Arc::ptr_eq(&it.peer, peer))
    }

    fn unroute(&mut self, peer: &Arc<Peer>) {
        let Some(name) = peer.name() else { return };
        if self.route(name.as_bytes()).is_some_and(|other| Arc::ptr_eq(other, peer)) {
            self.routes.remove(&name);
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

    fn attached(table: &mut RoutingTable) -> FakePeer {
        let peer = FakePeer::accepted(10);
        table.attach(&peer);
        peer
    }

    /// Whether messages to `id` go to the peer.
    fn leads_to(table: &RoutingTable, id: &RoutingId, peer: &FakePeer) -> bool {
        table.route(id.as_ref()).is_some_and(|it| Arc::ptr_eq(it, peer))
    }

    #[test]
    fn automatic_ids_count_up_and_skip_those_in_use() {
        let mut table = RoutingTable::new();
        table.next_automatic = u32::MAX;
        let [a, b, c] = [(); 3].map(|()| attached(&mut table));
        assert!(table.claim(&a, None, false).is_ok());
        assert_eq!(a.name(), Some(RoutingId::automatic(u32::MAX)));
        table.next_automatic = u32::MAX;
        assert!(table.claim(&b, None, false).is_ok());
        assert_eq!(b.name(), Some(RoutingId::automatic(0)));
        assert_eq!(b.name().map(|id| id.as_bytes().len()), Some(5));
        // One that a peer chose is in use as well.
        let [chosen, next] = [1, 2].map(RoutingId::automatic);
        assert!(table.claim(&c, Some(&chosen), false).is_ok());
        let d = attached(&mut table);
        assert!(table.claim(&d, None, false).is_ok());
        assert_eq!(d.name(), Some(next));
    }

    #[test]
    fn an_automatic_id_is_taken_like_any_other() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(&a, None, false).is_ok());
        let name = a.name().unwrap();
        assert!(matches!(table.claim(&b, Some(&name), false), Err(IdTaken)));
        assert!(leads_to(&table, &name, &a));
    }

    #[test]
    fn the_name_is_that_of_the_last_handshake() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(&a, Some(&id("first")), false).is_ok());
        assert!(table.claim(&a, Some(&id("first")), false).is_ok());
        assert!(leads_to(&table, &id("first"), &a));
        assert!(matches!(table.claim(&a, Some(&id("second")), false), Ok(None)));
        assert!(leads_to(&table, &id("second"), &a));
        assert!(table.route(b"first").is_none());
        // Free for others.
        assert!(table.claim(&b, Some(&id("first")), false).is_ok());
        // And none at all is a name of the table's.
        assert!(table.claim(&a, None, false).is_ok());
        assert!(leads_to(&table, &a.name().unwrap(), &a));
        assert!(table.route(b"second").is_none());
    }

    #[test]
    fn an_automatic_id_is_kept_until_the_peer_names_itself() {
        let mut table = RoutingTable::new();
        let a = attached(&mut table);
        assert!(table.claim(&a, None, false).is_ok());
        let automatic = a.name().unwrap();
        assert!(table.claim(&a, None, false).is_ok());
        assert_eq!(a.name(), Some(automatic.clone()));
        // Once it names itself by it, it is its own.
        for wish in [Some(&automatic), None] {
            assert!(leads_to(&table, &automatic, &a));
            assert!(table.claim(&a, wish, false).is_ok());
        }
        assert_ne!(a.name(), Some(automatic));
        assert_eq!(table.routes.len(), 1);
    }

    #[test]
    fn one_that_is_refused_keeps_the_name_it_had() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(&a, Some(&id("a")), false).is_ok());
        assert!(table.claim(&b, Some(&id("b")), false).is_ok());
        assert!(matches!(table.claim(&b, Some(&id("a")), false), Err(IdTaken)));
        assert!(leads_to(&table, &id("b"), &b));
    }

    #[test]
    fn taken_id_is_refused_until_its_peer_leaves() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(&a, Some(&id("x")), false).is_ok());
        assert!(table.claim(&b, Some(&id("x")), false).is_err());
        assert_eq!(b.name(), None);
        table.detach(&a);
        assert!(table.claim(&b, Some(&id("x")), false).is_ok());
        assert_eq!((a.name(), b.name()), (Some(id("x")), Some(id("x"))));
        table.detach(&a);
        assert!(leads_to(&table, &id("x"), &b));
    }

    #[test]
    fn late_departure_of_the_former_leaves_the_new_one() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(&a, Some(&id("x")), true).is_ok());
        assert!(matches!(table.claim(&b, Some(&id("x")), true), Ok(Some(_))));
        table.detach(&a);
        assert!(leads_to(&table, &id("x"), &b));
    }

    #[test]
    fn one_that_was_robbed_of_an_automatic_id_gets_another() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        assert!(table.claim(&a, None, true).is_ok());
        let automatic = a.name().unwrap();
        assert!(matches!(table.claim(&b, Some(&automatic), true), Ok(Some(_))));
        assert!(matches!(table.claim(&a, None, true), Ok(None)));
        assert_ne!(a.name(), Some(automatic.clone()));
        assert!(leads_to(&table, &automatic, &b));
    }

    #[test]
    fn nothing_is_kept_of_a_peer_that_has_left() {
        let mut table = RoutingTable::new();
        let [a, b] = [(); 2].map(|()| attached(&mut table));
        table.detach(&a);
        assert!(matches!(table.claim(&a, Some(&id("x")), false), Ok(None)));
        assert!(table.claim(&b, Some(&id("y")), false).is_ok());
        table.detach(&b);
        assert!(table.routes.is_empty());
    }

    #[test]
    fn octets_that_cannot_be_an_id_lead_nowhere() {
        let mut table = RoutingTable::new();
        let a = attached(&mut table);
        assert!(table.claim(&a, Some(&id("x")), false).is_ok());
        assert!(table.route(b"").is_none() && table.route(&[b'x'; 256]).is_none());
    }
}
