//! [`Books`]: what each application gave and got, and whether that adds up with
//! what went over the wires and what the sockets counted as lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use super::link::Connection;
use super::network::Net;
use super::plan::{Part, Plan};
use super::stamp::{Id, Stamp, UNWANTED};
use super::watch::Wait;
use crate::peer::DropCause;
use crate::socket::Core;
use crate::socket_type::SocketType;

/// What is lost on the way out, and on the way in.
const OUTGOING: [DropCause; 5] = [
    DropCause::PeerFull,
    DropCause::Unroutable,
    DropCause::PeerLeft,
    DropCause::CutInTransit,
    DropCause::LingerExpired,
];
const INCOMING: [DropCause; 2] = [DropCause::Unread, DropCause::Discarded];

/// The books of a world.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) net: Net,
    pub(super) plan: Arc<Plan>,
    cores: Arc<Vec<Arc<Core>>>,
    accounts: Arc<Mutex<Vec<Account>>>,
}

/// What one application gave and got.
#[derive(Debug, Default)]
struct Account {
    next: u32,
    /// The numbers of what was accepted, and which place each had.
    accepted: BTreeMap<u32, usize>,
    /// How many octets they had, with their envelopes.
    octets: BTreeMap<u32, usize>,
    /// Of these, what nobody subscribed to.
    unwanted: BTreeSet<u32>,
    /// What a publisher accepted, and which connections had subscribed by then.
    owed: Vec<(usize, u32)>,
    delivered: Vec<Id>,
    /// How many of its parts still send by themselves.
    sending: usize,
    has_left: bool,
    /// How many of its parts wait for each thing.
    waiting: Vec<Wait>,
}

/// What does not add up.
pub(super) type Fault = String;

impl Books {
    pub(super) fn new(net: Net, plan: Arc<Plan>, cores: Arc<Vec<Arc<Core>>>) -> Self {
        let accounts = plan.parties.iter().map(|_| Account::default()).collect();
        Self { net, plan, cores, accounts: Arc::new(Mutex::new(accounts)) }
    }

    fn accounts(&self) -> MutexGuard<'_, Vec<Account>> {
        self.accounts.lock().unwrap()
    }

    pub(super) fn begins(&self, socket: usize) {
        self.accounts()[socket].sending += 1;
    }

    pub(super) fn ends(&self, socket: usize) {
        self.accounts()[socket].sending -= 1;
    }

    /// Whether this socket has sent all that it sends by itself.
    pub(super) fn has_sent(&self, socket: usize) -> bool {
        self.accounts()[socket].sending == 0
    }

    pub(super) fn new_id(&self, socket: usize) -> Id {
        let account = &mut self.accounts()[socket];
        account.next += 1;
        Id { socket: socket as u8, number: account.next }
    }

    pub(super) fn accepted(&self, socket: usize, stamp: Stamp, octets: usize) {
        {
            let account = &mut self.accounts()[socket];
            let place = account.accepted.len() + 1;
            account.accepted.insert(stamp.id.number, place);
            account.octets.insert(stamp.id.number, octets);
            if stamp.topic == UNWANTED && self.filters(socket) {
                account.unwanted.insert(stamp.id.number);
            } else if self.publishes(socket) {
                let subscribed = self.subscribed(socket).into_iter();
                account.owed.extend(subscribed.map(|index| (index, stamp.id.number)));
            }
        }
        self.check_mark(socket, stamp.id.number);
    }

    pub(super) fn delivered(&self, socket: usize, stamp: Stamp) {
        self.accounts()[socket].delivered.push(stamp.id);
    }

    pub(super) fn left(&self, socket: usize) {
        self.accounts()[socket].has_left = true;
    }

    pub(super) fn take_left(&self, socket: usize) -> bool {
        std::mem::take(&mut self.accounts()[socket].has_left)
    }

    fn lost(&self, socket: usize, causes: &[DropCause], conflates: bool) -> usize {
        let conflated = conflates.then_some(&DropCause::Conflated);
        let causes = causes.iter().chain(conflated);
        causes.map(|cause| self.cores[socket].dropped(*cause) as usize).sum()
    }

    /// What conflates is PUSH or PUB, or PULL or SUB: it loses one way only.
    fn sends(&self, socket: usize) -> bool {
        self.plan.parties[socket].part != Part::Talks { sends: false, receives: true }
    }

    fn lost_outgoing(&self, socket: usize) -> usize {
        self.lost(socket, &OUTGOING, self.sends(socket))
    }

    fn lost_incoming(&self, socket: usize) -> usize {
        self.lost(socket, &INCOMING, !self.sends(socket))
    }

    /// The connections on which a publisher has read a subscription.
    fn subscribed(&self, socket: usize) -> Vec<usize> {
        let state = self.net.state();
        let has_subscribed = |connection: &Connection| {
            let ways = connection.sockets.iter().zip(connection.ways.iter().rev());
            ways.filter(|(end, _)| **end == socket)
                .any(|(_, way)| way.messages.subscribed_at.is_some_and(|at| at <= way.read))
        };
        let connections = state.connections.iter().enumerate();
        connections.filter(|(_, it)| has_subscribed(it)).map(|(index, _)| index).collect()
    }

    pub(super) fn waits(&self, socket: usize, wait: Wait) {
        self.accounts()[socket].waiting.push(wait);
    }

    pub(super) fn waits_no_more(&self, socket: usize, wait: Wait) {
        let waiting = &mut self.accounts()[socket].waiting;
        let place = waiting.iter().position(|other| *other == wait);
        waiting.swap_remove(place.expect("it waits"));
    }

    pub(super) fn is_waiting(&self, socket: usize, wait: Wait) -> bool {
        self.accounts()[socket].waiting.contains(&wait)
    }

    /// Whether it sends only what was subscribed to.
    fn filters(&self, socket: usize) -> bool {
        self.publishes(socket) && self.plan.parties[socket].socket_type != SocketType::XSub
    }

    /// Whether it sends each message to all.
    pub(super) fn publishes(&self, socket: usize) -> bool {
        let socket_type = self.plan.parties[socket].socket_type;
        matches!(socket_type, SocketType::Pub | SocketType::XPub | SocketType::XSub)
    }

    /// What one socket's messages came to on the wires: written, and of these read.
    fn wired(&self, socket: usize, way: impl Fn(usize) -> usize) -> (usize, usize) {
        let state = self.net.state();
        let (mut written, mut read) = (0, 0);
        for connection in &state.connections {
            for end in 0..2 {
                if connection.sockets[end] == socket {
                    let way = &connection.ways[way(end)];
                    written += way.messages.whole.len();
                    read += way.messages.within(way.read);
                }
            }
        }
        (written, read)
    }

    /// How much was accepted and is neither written nor lost.
    pub(super) fn outstanding(&self, socket: usize) -> isize {
        let (written, _) = self.wired(socket, |end| end);
        let settled = written + self.lost_outgoing(socket);
        self.accounts()[socket].accepted.len() as isize - settled as isize
    }

    /// How much was read and is neither delivered nor lost.
    fn unreceived(&self, socket: usize) -> isize {
        let (_, read) = self.wired(socket, |end| 1 - end);
        read as isize - self.received(socket) as isize
    }

    /// How much was delivered, or lost after it was read.
    pub(super) fn received(&self, socket: usize) -> usize {
        self.accounts()[socket].delivered.len() + self.lost_incoming(socket)
    }

    /// How many octets were accepted and are not written, as applications see them; if
    /// nothing was lost, for nobody knows how many these were. Of all but one message.
    pub(super) fn octets_outstanding(&self, socket: usize, but: u32) -> Option<usize> {
        if self.lost_outgoing(socket) > 0 {
            return None;
        }
        let state = self.net.state();
        let ends = state.connections.iter().flat_map(|it| it.sockets.iter().zip(&it.ways));
        let ours = ends.filter(|(own, _)| **own == socket);
        let written: BTreeSet<u32> =
            ours.flat_map(|(_, way)| way.messages.whole.iter().map(|(_, id)| id.number)).collect();
        drop(state);
        let accounts = self.accounts();
        let outstanding = accounts[socket].octets.iter();
        let waits = |number: &u32| *number != but && !written.contains(number);
        Some(outstanding.filter(|(number, _)| waits(number)).map(|(_, octets)| octets).sum())
    }

    /// What was accepted for the one peer of a socket is not more than its mark, and
    /// before the last one was not more than its mark in octets.
    fn check_mark(&self, socket: usize, last: u32) {
        let party = &self.plan.parties[socket];
        let mark = party.options.send_hwm.limit();
        if socket == 0 || party.moves || party.options.conflate || self.publishes(socket) {
            return;
        }
        let outstanding = self.outstanding(socket);
        assert!(
            outstanding.max(0) as usize <= mark,
            "{outstanding} wait, more than the mark of {mark}"
        );
        let mark = party.options.send_hwm_bytes;
        let octets = self.octets_outstanding(socket, last).unwrap_or(0);
        assert!(mark.admits(octets), "a message was taken when {octets} octets did wait");
    }

    /// What is still to come when nothing goes wrong any more; nothing, if all
    /// that can arrive has.
    pub(super) fn unsettled(&self) -> Option<String> {
        for socket in 0..self.plan.parties.len() {
            if !self.has_sent(socket) {
                return Some(format!("socket {socket} still sends"));
            }
            let (out, inward) = (self.outstanding(socket), self.unreceived(socket));
            // One that asks may have given up on the last reply.
            let is_late = self.plan.parties[socket].part == Part::Asks && inward > 0;
            if (out != 0 && !self.publishes(socket)) || (inward != 0 && !is_late) {
                return Some(format!(
                    "socket {socket}: {out} to be written, {inward} to be received"
                ));
            }
        }
        let state = self.net.state();
        let is_read = |connection: &Connection| connection.ways.iter().all(|way| !way.is_unread());
        let unread = state.connections.iter().position(|it| it.is_up() && !is_read(it));
        drop(state);
        unread.map(|index| format!("octets lie in link {index}")).or_else(|| self.untold())
    }

    /// What a publisher owes to those of whom it knows.
    fn untold(&self) -> Option<String> {
        (0..self.plan.parties.len())
            .filter(|socket| self.publishes(*socket))
            .find_map(|socket| self.gaps(socket, true).err())
    }

    /// What a publisher did not write to one that had subscribed, and went on
    /// writing to, is counted as lost.
    fn gaps(&self, socket: usize, to_the_end: bool) -> Result<(), Fault> {
        let state = self.net.state();
        let accounts = self.accounts();
        let mut missing = 0;
        for (index, number) in &accounts[socket].owed {
            let connection = &state.connections[*index];
            let end = usize::from(connection.sockets[1] == socket);
            let whole = &connection.ways[end].messages.whole;
            let place = |number: u32| accounts[socket].accepted.get(&number).copied();
            let last = whole.last().and_then(|(_, id)| place(id.number));
            let is_written = whole.iter().any(|(_, id)| id.number == *number);
            let is_owed = place(*number) < last || (to_the_end && connection.is_up());
            missing += usize::from(is_owed && !is_written);
        }
        let lost = self.lost_outgoing(socket);
        match missing <= lost {
            true => Ok(()),
            false => Err(format!("publisher {socket}: {missing} missing, {lost} counted")),
        }
    }

    /// How many messages this one wrote to connections that nothing cut, and that
    /// have not been read.
    pub(super) fn unread_of(&self, socket: usize) -> usize {
        let state = self.net.state();
        let whole = state.connections.iter().filter(|it| !it.was_cut);
        let ways = whole.flat_map(|it| it.sockets.iter().zip(&it.ways));
        let ours = ways.filter(|(sender, _)| **sender == socket);
        ours.map(|(_, way)| way.messages.whole.len() - way.messages.within(way.read)).sum()
    }

    /// Everything adds up. `is_over` once all sockets are closed.
    pub(super) fn check(&self, is_over: bool) -> Result<(), Fault> {
        self.check_written()?;
        for socket in 0..self.plan.parties.len() {
            self.check_delivered(socket)?;
            let (out, inward) = (self.outstanding(socket), self.unreceived(socket));
            if is_over && out != 0 && !self.publishes(socket) {
                let lost = self.losses(socket);
                return Err(format!(
                    "socket {socket}: {out} accepted, nowhere to be found; {lost}"
                ));
            }
            if is_over && inward != 0 {
                let lost = self.losses(socket);
                return Err(format!("socket {socket}: {inward} read, nowhere to be found; {lost}"));
            }
            if self.publishes(socket) {
                self.gaps(socket, false)?;
            }
        }
        Ok(())
    }

    pub(super) fn losses(&self, socket: usize) -> String {
        let losses = DropCause::ALL.map(|cause| (cause, self.cores[socket].dropped(cause)));
        let counted: Vec<_> = losses.into_iter().filter(|(_, count)| *count > 0).collect();
        format!("counted: {counted:?}")
    }

    /// Only what was accepted is written, once, and in order.
    fn check_written(&self) -> Result<(), Fault> {
        let (state, accounts) = (self.net.state(), self.accounts());
        let mut seen = BTreeSet::new();
        for (index, connection) in state.connections.iter().enumerate() {
            for (sender, way) in connection.sockets.iter().zip(&connection.ways) {
                let (account, publishes) = (&accounts[*sender], self.publishes(*sender));
                let mut last = 0;
                for (_, id) in &way.messages.whole {
                    let accepted = account.accepted.get(&id.number);
                    let Some(place) = accepted.filter(|_| usize::from(id.socket) == *sender) else {
                        return Err(format!(
                            "{id:?} was written to link {index}, but not accepted"
                        ));
                    };
                    if publishes && account.unwanted.contains(&id.number) {
                        return Err(format!("{id:?} was written to link {index}, and not wanted"));
                    }
                    if *place <= last {
                        return Err(format!("{id:?} is too late in link {index}"));
                    }
                    if !seen.insert((if publishes { index } else { 0 }, *id)) {
                        return Err(format!("{id:?} was written twice"));
                    }
                    last = *place;
                }
            }
        }
        Ok(())
    }

    /// What was delivered was written, once, in order.
    fn check_delivered(&self, socket: usize) -> Result<(), Fault> {
        let (state, accounts) = (self.net.state(), self.accounts());
        // One who listens has a peer for each connection.
        let has_many = socket == 0 || self.plan.parties[socket].has_many_peers();
        let mut links = BTreeMap::new();
        for (index, connection) in state.connections.iter().enumerate() {
            for (receiver, way) in connection.sockets.iter().rev().zip(&connection.ways) {
                if *receiver == socket {
                    let place = if has_many { index } else { 0 };
                    links.extend(way.messages.whole.iter().map(|(_, id)| (*id, place)));
                }
            }
        }
        let mut last: BTreeMap<(usize, u8), usize> = BTreeMap::new();
        for id in &accounts[socket].delivered {
            let Some(link) = links.get(id) else {
                return Err(format!("{id:?} was delivered to {socket}, but never written to it"));
            };
            let last = last.entry((*link, id.socket)).or_default();
            let place = accounts[usize::from(id.socket)].accepted[&id.number];
            if place <= *last {
                return Err(format!("{id:?} was delivered to {socket} too late"));
            }
            *last = place;
        }
        Ok(())
    }

    /// What each one has come to, for whoever looks for a fault.
    pub(super) fn report(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for (index, party) in self.plan.parties.iter().enumerate() {
            let (written, read) = (self.wired(index, |end| end), self.wired(index, |end| 1 - end));
            let account = &self.accounts()[index];
            let answers = if party.part == Part::Serves { " (answers)" } else { "" };
            let _ = writeln!(
                text,
                "socket {index} {}{answers}: accepted {}, written {}, came {}, read {}, delivered {}; {}",
                party.socket_type,
                account.accepted.len(),
                written.0,
                read.0,
                read.1,
                account.delivered.len(),
                self.losses(index),
            );
        }
        for (index, connection) in self.net.state().connections.iter().enumerate() {
            let [one, other] = &connection.ways;
            let _ = writeln!(
                text,
                "link {index} of {}: {}/{}/{} octets written, arrived, read; back {}/{}/{}{}{}",
                connection.sockets[0],
                one.log.len(),
                one.arrived,
                one.read,
                other.log.len(),
                other.arrived,
                other.read,
                if connection.is_up() { "; up" } else { "" },
                if connection.is_silent() { "; silent" } else { "" },
            );
        }
        text
    }
}
