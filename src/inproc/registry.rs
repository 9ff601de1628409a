//! [`Registry`]: the names of `inproc://` endpoints, and who meets at them.

use std::collections::HashMap;
use std::sync::Arc;

use super::joint::{Joint, Party};
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::{DropCause, Unwelcome};
use crate::pipe::{EndpointKey, Link, Peer, Who};
use crate::sync::{Lock, Rank};

/// The names bound or waited for in one context.
pub(crate) struct Registry(Lock<HashMap<String, Slot>>);

enum Slot {
    Bound(Link),
    /// Connected before anybody has bound the name. Whoever takes one out of
    /// here joins it with somebody or gives it up.
    Awaited(Vec<Connector>),
}

/// A connect, and the pipe that it made.
struct Connector {
    link: Link,
    peer: Arc<Peer>,
    joint: Arc<Joint>,
}

impl Default for Registry {
    fn default() -> Self {
        Self(Lock::new(Rank::Names, HashMap::new()))
    }
}

impl Registry {
    /// Binds a name, and joins those who connected before. False if the name is
    /// bound already.
    pub(crate) fn bind(&self, name: &str, binder: &Link) -> bool {
        let awaiting = {
            let mut names = self.0.lock();
            if matches!(names.get(name), Some(Slot::Bound(_))) {
                return false;
            }
            names.insert(name.to_owned(), Slot::Bound(binder.clone()))
        };
        binder.emit(MonitorEvent::Listening { endpoint: binder.endpoint.clone() });
        if let Some(Slot::Awaited(connectors)) = awaiting {
            for connector in connectors {
                // One that does not fit is told by an event.
                let _ = self.introduce(name, connector);
            }
        }
        true
    }

    /// Connects to a name, whether or not somebody has bound it.
    ///
    /// # Errors
    /// When one of the two sockets does not want the other; as [`Unwelcome::Closing`]
    /// when the one that connects is closing.
    pub(crate) fn connect(&self, name: &str, link: &Link) -> Result<(), Unwelcome> {
        let (joint, peer) = Joint::connecting(link);
        if !link.options.immediate {
            link.side.attach(&peer)?;
        }
        self.introduce(name, Connector { link: link.clone(), peer, joint })
    }

    /// Whether somebody has bound the name.
    pub(crate) fn is_bound(&self, name: &str) -> bool {
        matches!(self.0.lock().get(name), Some(Slot::Bound(_)))
    }

    /// Joins a connector with whoever has bound the name, or lets it wait.
    fn introduce(&self, name: &str, mut connector: Connector) -> Result<(), Unwelcome> {
        loop {
            let Some((waiting, binder)) = self.find(name, connector) else { return Ok(()) };
            connector = match waiting.join(&binder) {
                Joined::Yes => return Ok(()),
                Joined::No(why) => return Err(why),
                // It has just taken its bind back: whoever comes next is meant.
                Joined::BinderLeft(waiting) => waiting,
            };
            self.unbind(name, binder.owner);
        }
    }

    /// Who has bound the name; otherwise the connector waits for that.
    fn find(&self, name: &str, connector: Connector) -> Option<(Connector, Link)> {
        let mut names = self.0.lock();
        let slot = names.entry(name.to_owned()).or_insert_with(|| Slot::Awaited(Vec::new()));
        match slot {
            Slot::Bound(binder) => Some((connector, binder.clone())),
            Slot::Awaited(connectors) => {
                connectors.push(connector);
                None
            }
        }
    }

    /// Forgets a bind, or a connect that nobody has answered; what waited in
    /// the latter is lost.
    pub(crate) fn release(&self, name: &str, owner: EndpointKey) {
        self.unbind(name, owner);
        for connector in self.take_awaiting(name, owner) {
            connector.give_up();
        }
    }

    fn unbind(&self, name: &str, owner: EndpointKey) {
        let slot = {
            let mut names = self.0.lock();
            match names.get(name) {
                Some(Slot::Bound(binder)) if binder.owner == owner => names.remove(name),
                _ => None,
            }
        };
        if let Some(Slot::Bound(binder)) = slot {
            binder.emit(MonitorEvent::Closed { endpoint: binder.endpoint.clone() });
        }
    }

    fn take_awaiting(&self, name: &str, owner: EndpointKey) -> Vec<Connector> {
        let mut names = self.0.lock();
        let Some(Slot::Awaited(connectors)) = names.get_mut(name) else { return Vec::new() };
        let all = std::mem::take(connectors);
        let (ours, others): (Vec<_>, _) = all.into_iter().partition(|it| it.link.owner == owner);
        *connectors = others;
        if connectors.is_empty() {
            names.remove(name);
        }
        ours
    }
}

/// What came of joining a connector with a binder.
enum Joined {
    Yes,
    /// They do not fit, or one of them does not want the other.
    No(Unwelcome),
    /// The binder is not there any more.
    BinderLeft(Connector),
}

impl Connector {
    /// Makes its pipe one between two sockets.
    fn join(self, binder: &Link) -> Joined {
        if self.joint.has_left() {
            self.give_up();
            return Joined::Yes;
        }
        let (ours, theirs) = (self.link.socket_type, binder.socket_type);
        let is_attached = !self.link.options.immediate;
        if !ours.is_compatible(theirs) {
            return self.part(binder, None, is_attached, Unwelcome::Incompatible { ours, theirs });
        }
        let far = self.joint.binding(&self.link, binder);
        match binder.side.attach(&far) {
            Ok(()) => {}
            Err(Unwelcome::Closing) => return Joined::BinderLeft(self),
            Err(why) => return self.part(binder, None, is_attached, why),
        }
        if !is_attached {
            if let Err(why) = self.link.side.attach(&self.peer) {
                return self.part(binder, Some(&far), false, why);
            }
        }
        far.begin_session(self.link.info());
        self.peer.begin_session(binder.info());
        let up = binder.side.up(&far, &self.link.info());
        match up.and_then(|()| self.link.side.up(&self.peer, &binder.info())) {
            Ok(()) => {}
            Err(why) => return self.part(binder, Some(&far), true, why),
        }
        for link in [binder, &self.link] {
            // A subscriber goes on to say what it wants.
            while !link.traits.takes_at_once && link.side.tidy() {}
        }
        self.joint.open(binder, &far);
        for (link, peer) in [(binder, &self.link), (&self.link, binder)] {
            let (endpoint, peer) = (link.endpoint.clone(), peer.info());
            link.emit(MonitorEvent::Ready { endpoint, peer });
        }
        self.joint.meet();
        Joined::Yes
    }

    /// They do not come together, for the reason that the connector has.
    fn part(
        &self,
        binder: &Link,
        far: Option<&Arc<Peer>>,
        is_attached: bool,
        why: Unwelcome,
    ) -> Joined {
        let [sent, answered] = self.joint.give_up();
        lost(&self.link, &self.peer, DropCause::PeerLeft, sent);
        if is_attached {
            detach(&self.link, &self.peer);
        }
        if let Some(far) = far {
            lost(binder, far, DropCause::PeerLeft, answered);
            detach(binder, far);
        }
        let [here, there] = match why {
            Unwelcome::Closing => [DisconnectReason::ByUs, DisconnectReason::PeerClosed],
            why => [why, from_there(why)].map(DisconnectReason::TurnedAway),
        };
        for (link, far, reason) in [(&self.link, binder, here), (binder, &self.link, there)] {
            let (endpoint, address) = (link.endpoint.clone(), far.endpoint.to_string());
            link.emit(MonitorEvent::HandshakeFailed { endpoint, address, reason });
        }
        Joined::No(why)
    }

    /// Nobody has bound the name, and nobody needs to any more.
    fn give_up(&self) {
        let [sent, _] = self.joint.give_up();
        lost(&self.link, &self.peer, DropCause::LingerExpired, sent);
        self.joint.count_losses(Party::Connector);
        if !self.link.options.immediate {
            detach(&self.link, &self.peer);
        }
        let endpoint = self.link.endpoint.clone();
        let (address, reason) = (String::new(), DisconnectReason::ByUs);
        self.link.emit(MonitorEvent::HandshakeFailed { endpoint, address, reason });
    }
}

/// Takes an end that will never be up out of its socket.
fn detach(link: &Link, peer: &Arc<Peer>) {
    if peer.duty.event() == Who::Receivers {
        link.side.readable(peer);
    }
    link.side.detach(peer);
}

fn lost(link: &Link, peer: &Arc<Peer>, cause: DropCause, count: usize) {
    if count > 0 {
        link.side.lost(peer, cause, count);
    }
}

/// The same, as the other of the two has to say it.
fn from_there(why: Unwelcome) -> Unwelcome {
    match why {
        Unwelcome::Incompatible { ours, theirs } => {
            Unwelcome::Incompatible { ours: theirs, theirs: ours }
        }
        why => why,
    }
}
