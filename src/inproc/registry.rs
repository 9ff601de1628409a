//! [`Registry`]: the names of `inproc://` endpoints, and the pipe pairs they
//! stand for. No octets and no task: see [`InprocEnd`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use crate::endpoint::Endpoint;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::options::SocketOptions;
use crate::peer::{DropCause, PeerInfo};
use crate::pipe::{EndpointKey, InprocEnd, SocketSide, Unwelcome, sum_of_marks};
use crate::socket_type::SocketType;

/// The names bound or waited for in one context.
#[derive(Default)]
pub(crate) struct Registry(Mutex<HashMap<String, Slot>>);

enum Slot {
    Bound(Party),
    /// Connected before anybody has bound the name.
    Awaited(Vec<(Party, Arc<InprocEnd>, Arc<InprocEnd>)>),
}

/// One side of a connection: a socket and the bind or connect it made.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) side: Arc<dyn SocketSide>,
    pub(crate) socket_type: SocketType,
    pub(crate) options: Arc<SocketOptions>,
    pub(crate) endpoint: Endpoint,
    pub(crate) owner: EndpointKey,
}

/// Why a name cannot be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum InprocRefusal {
    #[error("a {theirs} socket is bound there")]
    Incompatible { theirs: SocketType },
    #[error("the socket takes no further peer")]
    Unwelcome(Unwelcome),
    #[error("the socket that is bound there is closing")]
    Leaving,
}

impl Party {
    fn info(&self) -> PeerInfo {
        PeerInfo {
            socket_type: Some(self.socket_type),
            routing_id: self.options.routing_id.clone(),
            address: self.endpoint.to_string(),
            metadata: self.options.metadata.clone(),
        }
    }

    fn ready(&self, peer: PeerInfo) {
        self.side.emit(MonitorEvent::Ready { endpoint: self.endpoint.clone(), peer });
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Binds a name, and joins those who connected before. False if the name is
    /// bound already.
    pub(crate) fn bind(&self, name: &str, binder: &Party) -> bool {
        let awaiting = {
            let mut names = self.lock();
            if matches!(names.get(name), Some(Slot::Bound(_))) {
                return false;
            }
            names.insert(name.to_owned(), Slot::Bound(binder.clone()))
        };
        binder.side.emit(MonitorEvent::Listening { endpoint: binder.endpoint.clone() });
        if let Some(Slot::Awaited(parties)) = awaiting {
            for (connector, near, far) in parties {
                // A connector that does not fit is told by an event.
                let _ = join(&connector, binder, &near, &far);
            }
        }
        true
    }

    /// Connects to a name, whether or not somebody has bound it.
    pub(crate) fn connect(&self, name: &str, connector: &Party) -> Result<(), InprocRefusal> {
        let (near, far) = InprocEnd::pair(&connector.side, connector.options.send_hwm);
        if !connector.options.immediate {
            let attached = connector.side.attach(near.as_pipe(), connector.owner);
            attached.map_err(InprocRefusal::Unwelcome)?;
        }
        let binder = {
            let mut names = self.lock();
            let slot = names.entry(name.to_owned()).or_insert_with(|| Slot::Awaited(Vec::new()));
            match slot {
                Slot::Bound(binder) => binder.clone(),
                Slot::Awaited(parties) => {
                    parties.push((connector.clone(), near, far));
                    return Ok(());
                }
            }
        };
        join(connector, &binder, &near, &far)
    }

    /// Forgets a bind, or a connect that nobody has answered; what waited in
    /// the latter is lost.
    pub(crate) fn release(&self, name: &str, owner: EndpointKey) {
        let mut released = Vec::new();
        {
            let mut names = self.lock();
            match names.get_mut(name) {
                Some(Slot::Bound(binder)) if binder.owner == owner => {
                    names.remove(name);
                }
                Some(Slot::Awaited(parties)) => {
                    let (ours, others) =
                        std::mem::take(parties).into_iter().partition(|it| it.0.owner == owner);
                    *parties = others;
                    released = ours;
                    if parties.is_empty() {
                        names.remove(name);
                    }
                }
                _ => {}
            }
        }
        for (connector, near, far) in released {
            let left = near.abandon() + far.abandon();
            if left > 0 {
                connector.side.lost(DropCause::LingerExpired, left);
            }
            connector.side.detach(near.key());
        }
    }
}

/// Makes a pair of ends one pipe between two sockets.
fn join(
    connector: &Party,
    binder: &Party,
    near: &Arc<InprocEnd>,
    far: &Arc<InprocEnd>,
) -> Result<(), InprocRefusal> {
    let Err(refusal) = try_join(connector, binder, near, far) else {
        // An end that was given up meanwhile may have been detached before it
        // was attached.
        if near.has_ended() || far.has_ended() {
            connector.side.detach(near.key());
            binder.side.detach(far.key());
        }
        return Ok(());
    };
    let reason = match refusal {
        InprocRefusal::Incompatible { .. } => {
            DisconnectReason::TurnedAway("the socket types do not fit")
        }
        InprocRefusal::Unwelcome(Unwelcome::AlreadyPaired) => {
            DisconnectReason::TurnedAway("PAIR has its peer already")
        }
        InprocRefusal::Unwelcome(Unwelcome::DuplicateRoutingId) => {
            DisconnectReason::TurnedAway("another peer has this routing id")
        }
        InprocRefusal::Unwelcome(Unwelcome::Closing) | InprocRefusal::Leaving => {
            DisconnectReason::PeerClosed
        }
    };
    for party in [connector, binder] {
        let (endpoint, reason) = (party.endpoint.clone(), reason.clone());
        party.side.emit(MonitorEvent::HandshakeFailed { endpoint, reason });
    }
    let left = near.abandon() + far.abandon();
    if left > 0 {
        connector.side.lost(DropCause::PeerLeft, left);
    }
    connector.side.detach(near.key());
    binder.side.detach(far.key());
    Err(refusal)
}

fn try_join(
    connector: &Party,
    binder: &Party,
    near: &Arc<InprocEnd>,
    far: &Arc<InprocEnd>,
) -> Result<(), InprocRefusal> {
    if !connector.socket_type.is_compatible(binder.socket_type) {
        return Err(InprocRefusal::Incompatible { theirs: binder.socket_type });
    }
    let (ours, theirs) = (&connector.options, &binder.options);
    far.settle(
        &binder.side,
        sum_of_marks(ours.send_hwm, theirs.recv_hwm),
        sum_of_marks(theirs.send_hwm, ours.recv_hwm),
        ours.conflate || theirs.conflate,
    );
    let unwelcome = InprocRefusal::Unwelcome;
    if ours.immediate {
        connector.side.attach(near.as_pipe(), connector.owner).map_err(unwelcome)?;
    }
    binder.side.attach(far.as_pipe(), binder.owner).map_err(|theirs| match theirs {
        Unwelcome::Closing => InprocRefusal::Leaving,
        theirs => InprocRefusal::Unwelcome(theirs),
    })?;
    if near.is_closed() {
        // The connector has left in this very moment.
        return Err(unwelcome(Unwelcome::Closing));
    }
    near.set_up();
    far.set_up();
    binder.side.up(far.key(), &connector.info()).map_err(unwelcome)?;
    connector.side.up(near.key(), &binder.info()).map_err(unwelcome)?;
    // What was sent before the name was bound, and may have found no reader.
    far.on_incoming();
    near.on_incoming();
    binder.ready(connector.info());
    connector.ready(binder.info());
    Ok(())
}
