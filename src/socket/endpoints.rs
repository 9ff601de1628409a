//! Binding, connecting, and taking both back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::core::Core;
use crate::endpoint::{Endpoint, EndpointError};
use crate::engine::{self, Dialling, Listening};
use crate::error::{BindError, ConnectError, ReleaseError};
use crate::options::Linger;
use crate::peer::{DropCause, Unwelcome};
use crate::pipe::{EndpointKey, Link, SocketSide};
use crate::tasks::{TaskGuard, Tasks};
use crate::transport::{self, BindFailure, Listener};

/// One bind or connect.
pub(super) struct Entry {
    /// As it was given to the call.
    given: Endpoint,
    /// As it was resolved by a bind.
    endpoint: Endpoint,
    owner: EndpointKey,
    kind: Kind,
}

enum Kind {
    Listening(Listening),
    Dialled(Dialling),
    /// No task serves it: the guards count it for whoever waits for all.
    InprocBound(#[allow(dead_code)] [TaskGuard; 2]),
    InprocConnected(#[allow(dead_code)] [TaskGuard; 2]),
}

impl Entry {
    /// Whether it ended with the runtime that served it: then another takes its
    /// place.
    pub(super) fn is_over(&self) -> bool {
        match &self.kind {
            Kind::Listening(listening) => listening.is_over(),
            Kind::Dialled(dialling) => dialling.is_over(),
            Kind::InprocBound(_) | Kind::InprocConnected(_) => false,
        }
    }
}

impl Kind {
    fn is_bind(&self) -> bool {
        matches!(self, Self::Listening(_) | Self::InprocBound(_))
    }
}

/// What a socket could not deliver before it was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// Messages that `send` had accepted and that were given up: linger ran
    /// out, their peer left, or the connection broke in the middle of one.
    pub undelivered: u64,
}

impl Core {
    pub(crate) async fn bind(
        &self,
        endpoint: Result<Endpoint, EndpointError>,
    ) -> Result<Endpoint, BindError> {
        self.context.await_at_io(self.bind_here(endpoint)).await
    }

    async fn bind_here(
        &self,
        endpoint: Result<Endpoint, EndpointError>,
    ) -> Result<Endpoint, BindError> {
        let endpoint = endpoint?;
        self.options.check()?;
        endpoint.check_bind()?;
        if let Err(reason) = transport::check_supported(&endpoint) {
            return Err(BindError::NotSupported { endpoint, reason });
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(BindError::NoRuntime);
        }
        if self.is_closed() {
            return Err(BindError::Closed);
        }
        if let Some(name) = endpoint.inproc_name() {
            return self.bind_inproc(name, &endpoint);
        }
        if !transport::has_drivers() {
            return Err(BindError::NoDrivers);
        }
        let listener = match Listener::bind(&endpoint, &self.options).await {
            Ok(listener) => listener,
            Err(failure) => return Err(failed(failure, endpoint)),
        };
        let resolved = listener.endpoint().clone();
        let link = self.link(resolved.clone())?;
        let owner = link.owner;
        self.admit(owner);
        self.attend();
        let listening = engine::listen(listener, link, self.both_tasks());
        match self.enter(endpoint, resolved.clone(), owner, Kind::Listening(listening)) {
            true => Ok(resolved),
            false => Err(BindError::Closed),
        }
    }

    fn bind_inproc(&self, name: &str, endpoint: &Endpoint) -> Result<Endpoint, BindError> {
        let link = self.link(endpoint.clone())?;
        self.admit(link.owner);
        if !self.context.registry().bind(name, &link) {
            self.dismiss(link.owner);
            return Err(BindError::AddressInUse { endpoint: endpoint.clone() });
        }
        let kind = Kind::InprocBound(self.guards());
        match self.enter(endpoint.clone(), endpoint.clone(), link.owner, kind) {
            true => Ok(endpoint.clone()),
            false => Err(BindError::Closed),
        }
    }

    pub(crate) fn connect(
        &self,
        endpoint: Result<Endpoint, EndpointError>,
    ) -> Result<(), ConnectError> {
        self.context.at_io(|| self.connect_here(endpoint))
    }

    fn connect_here(&self, endpoint: Result<Endpoint, EndpointError>) -> Result<(), ConnectError> {
        let endpoint = endpoint?;
        self.options.check()?;
        endpoint.check_connect()?;
        if let Err(reason) = transport::check_supported(&endpoint) {
            return Err(ConnectError::NotSupported { endpoint, reason });
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(ConnectError::NoRuntime);
        }
        if self.is_closed() {
            return Err(ConnectError::Closed);
        }
        if self.is_repeated(&endpoint) {
            return Ok(());
        }
        if let Some(name) = endpoint.inproc_name() {
            return self.connect_inproc(name, &endpoint);
        }
        if !transport::has_drivers() {
            return Err(ConnectError::NoDrivers);
        }
        let link = self.link(endpoint.clone()).map_err(|_| ConnectError::Closed)?;
        let owner = link.owner;
        self.admit(owner);
        self.attend();
        match engine::dial(link, self.guards()) {
            Ok(dialling) => {
                match self.enter(endpoint.clone(), endpoint, owner, Kind::Dialled(dialling)) {
                    true => Ok(()),
                    false => Err(ConnectError::Closed),
                }
            }
            Err(unwelcome) => {
                self.dismiss(owner);
                Err(self.refused(unwelcome, endpoint))
            }
        }
    }

    fn connect_inproc(&self, name: &str, endpoint: &Endpoint) -> Result<(), ConnectError> {
        let link = self.link(endpoint.clone()).map_err(|_| ConnectError::Closed)?;
        self.admit(link.owner);
        match self.context.registry().connect(name, &link) {
            Ok(()) => {
                let kind = Kind::InprocConnected(self.guards());
                match self.enter(endpoint.clone(), endpoint.clone(), link.owner, kind) {
                    true => Ok(()),
                    false => Err(ConnectError::Closed),
                }
            }
            Err(unwelcome) => {
                self.dismiss(link.owner);
                Err(self.refused(unwelcome, endpoint.clone()))
            }
        }
    }

    /// Whether such a connect would only double what there is. libzmq ignores
    /// it for these types: a SUB would get everything twice.
    fn is_repeated(&self, endpoint: &Endpoint) -> bool {
        let same = |entry: &Entry| {
            !entry.kind.is_bind() && entry.endpoint == *endpoint && !entry.is_over()
        };
        self.traits.connects_once && self.endpoints.lock().iter().any(same)
    }

    pub(crate) async fn unbind(
        &self,
        endpoint: Result<Endpoint, EndpointError>,
    ) -> Result<(), ReleaseError> {
        let entry = self.leave(endpoint?, true)?;
        if let Some(listening) = self.release(entry, deadline(self.linger())) {
            listening.stop().await;
        }
        Ok(())
    }

    pub(crate) fn disconnect(
        &self,
        endpoint: Result<Endpoint, EndpointError>,
    ) -> Result<(), ReleaseError> {
        let entry = self.leave(endpoint?, false)?;
        self.release(entry, deadline(self.linger()));
        Ok(())
    }

    /// Closes the socket and waits until what it accepted is delivered or
    /// given up.
    pub(crate) async fn close(&self) -> Closed {
        self.close_with(self.linger()).await
    }

    /// The same with another linger than the options say.
    pub(crate) async fn close_with(&self, linger: Linger) -> Closed {
        let before = self.counters.lost.undelivered();
        for listening in self.begin_close_with(linger) {
            listening.stop().await;
        }
        self.tasks.wait().await;
        Closed { undelivered: self.counters.lost.undelivered() - before }
    }

    /// Closes the socket; its tasks end when what was accepted is delivered or
    /// given up. Dropping the listeners that are returned stops them.
    pub(crate) fn begin_close(&self) -> Vec<Listening> {
        self.begin_close_with(self.linger())
    }

    fn begin_close_with(&self, linger: Linger) -> Vec<Listening> {
        self.closed.store(true, Ordering::SeqCst);
        self.counters.lost.add(DropCause::Unread, self.pattern.close());
        let entries = std::mem::take(&mut *self.endpoints.lock());
        let deadline = deadline(linger);
        let releasing = entries.into_iter().filter_map(|entry| self.release(entry, deadline));
        let listening = releasing.collect();
        self.attendant.dismiss();
        self.receivers.wake_all();
        self.senders.wake_all();
        self.presence.watchers.wake_all();
        listening
    }

    /// Ends a bind or connect and every connection that came of it.
    fn release(&self, entry: Entry, deadline: Option<Instant>) -> Option<Listening> {
        if let Some(name) = entry.endpoint.inproc_name() {
            self.context.registry().release(name, entry.owner);
        }
        for peer in self.dismiss(entry.owner) {
            peer.line.close(deadline);
        }
        // It may have been the last that lived.
        self.wake_deserted();
        match entry.kind {
            Kind::Listening(listening) => Some(listening),
            Kind::Dialled(dialling) => {
                dialling.close(deadline);
                None
            }
            Kind::InprocBound(_) | Kind::InprocConnected(_) => None,
        }
    }

    /// What it is bound and connected to.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.endpoints.lock().iter().map(|entry| entry.endpoint.clone()).collect()
    }

    /// Notes a bind or connect. False if another task has closed the socket in
    /// the meantime: then it is released.
    fn enter(&self, given: Endpoint, endpoint: Endpoint, owner: EndpointKey, kind: Kind) -> bool {
        let entry = Entry { given, endpoint, owner, kind };
        let mut endpoints = self.endpoints.lock();
        if !self.is_closed() {
            // In this order: one that ends from now on says so anew.
            self.has_lost_runtime.store(false, Ordering::SeqCst);
            endpoints.retain(|entry| !entry.is_over());
            let is_over = entry.is_over();
            endpoints.push(entry);
            drop(endpoints);
            if is_over {
                // It ended at once, and may have said so before.
                self.runtime_ended();
            }
            return true;
        }
        drop(endpoints);
        self.release(entry, deadline(self.linger()));
        false
    }

    /// Takes a bind or connect out: the one that has this endpoint, else the
    /// one that was asked for by it.
    fn leave(&self, endpoint: Endpoint, bind: bool) -> Result<Entry, ReleaseError> {
        let mut endpoints = self.endpoints.lock();
        let has = |entry: &Entry| entry.kind.is_bind() == bind && entry.endpoint == endpoint;
        let asked = |entry: &Entry| entry.kind.is_bind() == bind && entry.given == endpoint;
        let found = match endpoints.iter().position(has) {
            // Each bind of a wildcard port or path is another one.
            None if !endpoint.is_chosen_by_bind() => endpoints.iter().position(asked),
            found => found,
        };
        match found {
            Some(index) => Ok(endpoints.remove(index)),
            None => Err(ReleaseError::NotFound { endpoint }),
        }
    }

    fn side(&self) -> Option<Arc<dyn SocketSide>> {
        self.me.upgrade().map(|core| core as Arc<dyn SocketSide>)
    }

    fn link(&self, endpoint: Endpoint) -> Result<Link, BindError> {
        Ok(Link {
            side: self.side().ok_or(BindError::Closed)?,
            socket_type: self.socket_type,
            traits: self.traits,
            options: Arc::clone(&self.options),
            backlog: Arc::clone(&self.backlog),
            endpoint,
            owner: EndpointKey::unique(),
        })
    }

    fn both_tasks(&self) -> [Tasks; 2] {
        [self.tasks.clone(), self.context.tasks().clone()]
    }

    pub(super) fn guards(&self) -> [TaskGuard; 2] {
        [self.tasks.enter(), self.context.tasks().enter()]
    }

    fn refused(&self, unwelcome: Unwelcome, endpoint: Endpoint) -> ConnectError {
        match unwelcome {
            Unwelcome::AlreadyPaired => ConnectError::AlreadyPaired,
            Unwelcome::Incompatible { theirs, .. } => {
                ConnectError::Incompatible { endpoint, ours: self.socket_type, theirs }
            }
            Unwelcome::Closing => ConnectError::Closed,
            _ => ConnectError::TurnedAway { endpoint },
        }
    }
}

/// When lingering that begins now ends; `None` for never.
fn deadline(linger: Linger) -> Option<Instant> {
    match linger {
        Linger::Forever => None,
        Linger::For(time) => tokio::time::Instant::now().into_std().checked_add(time),
    }
}

fn failed(failure: BindFailure, endpoint: Endpoint) -> BindError {
    match failure {
        BindFailure::Endpoint(error) => BindError::Endpoint(error),
        BindFailure::AddressInUse { .. } => BindError::AddressInUse { endpoint },
        BindFailure::NoSuchInterface(name) => BindError::NoSuchInterface { endpoint, name },
        BindFailure::NotASocket(_) => BindError::NotASocket { endpoint },
        BindFailure::Unsupported(reason) => BindError::NotSupported { endpoint, reason },
        BindFailure::Io { source } => BindError::Io { endpoint, source },
    }
}
