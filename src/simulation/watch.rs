//! What must not be while nothing moves: somebody waits for what is there.
//!
//! Asked whenever everybody who was woken was polled and everything that could
//! happen in the network has, before any time goes by. So a wake-up that got lost
//! is found at once, although a later one, or the clock, would make up for it.

use super::ledger::{Books, Fault};
use super::link::Connection;
use super::plan::{Part, Party};

impl Books {
    /// Nobody waits for what is there.
    pub(super) fn check_waiting(&self) -> Result<(), Fault> {
        (0..self.plan.parties.len()).try_for_each(|socket| {
            self.check_receiver(socket)?;
            self.check_writing(socket)?;
            self.check_sender(socket)
        })
    }

    /// Who waits for a message has got all that have arrived.
    fn check_receiver(&self, socket: usize) -> Result<(), Fault> {
        // One that asks takes nothing before it has asked, and leaves it unread.
        // And what came of an endpoint that was taken back is for nobody.
        let party = &self.plan.parties[socket];
        if !self.is_waiting(socket, Wait::Receives) || party.part == Part::Asks || party.moves {
            return Ok(());
        }
        let came: usize = {
            let state = self.net.state();
            let ends = state.connections.iter().flat_map(|it| [(it, 0), (it, 1)]);
            let ours = ends.filter(|(it, end)| it.sockets[*end] == socket);
            ours.map(|(it, end)| it.come(end)).sum()
        };
        match came as isize - self.received(socket) as isize {
            0 => Ok(()),
            there => Err(format!("socket {socket} waits to receive, and {there} are there")),
        }
    }

    /// What the network would take is written.
    fn check_writing(&self, socket: usize) -> Result<(), Fault> {
        // Of an endpoint that was taken back some may still wait for a connection.
        let moves = self.plan.parties[socket].moves;
        if moves || self.publishes(socket) || self.outstanding(socket) <= 0 {
            return Ok(());
        }
        let state = self.net.state();
        // One that has heard of the end of the other may write on.
        let mut ours = ends_of(&state.connections, socket, Connection::is_half_held).peekable();
        let would_take = ours.peek().is_some() && ours.all(|(it, end)| it.would_take(end));
        drop(ours);
        drop(state);
        match would_take {
            true => Err(format!("socket {socket} has {} to write", self.outstanding(socket))),
            false => Ok(()),
        }
    }

    /// Who waits to send has no room.
    fn check_sender(&self, socket: usize) -> Result<(), Fault> {
        let Party { options, moves, .. } = &self.plan.parties[socket];
        if *moves || !self.is_waiting(socket, Wait::Sends) || self.publishes(socket) {
            return Ok(());
        }
        let mark = if options.conflate { usize::MAX } else { options.send_hwm.limit() };
        // Whatever surrounds a message on the wire is no more than this.
        const AROUND: usize = 200;
        let octets = options.send_hwm_bytes;
        let outstanding = self.outstanding(socket).max(0) as usize;
        let has_queue = socket > 0 && !options.immediate;
        let is_connected = {
            let state = self.net.state();
            ends_of(&state.connections, socket, Connection::is_held)
                .any(|(it, end)| it.is_in_traffic(end))
        };
        let most = self.octets_outstanding(socket, 0).map(|octets| octets + AROUND * outstanding);
        let has_octets = options.conflate
            || outstanding == 0
            || octets.is_unlimited()
            || most.is_some_and(|most| octets.admits(most));
        match outstanding < mark && has_octets && (has_queue || is_connected) {
            true => Err(format!("socket {socket} waits to send, and has room: {outstanding}")),
            false => Ok(()),
        }
    }
}

/// What an application waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Sends,
    Receives,
}

/// The connections that a socket holds as `is_held` says, and which end it has.
fn ends_of(
    connections: &[Connection],
    socket: usize,
    is_held: impl Fn(&Connection, usize) -> bool,
) -> impl Iterator<Item = (&Connection, usize)> {
    let ends = connections.iter().flat_map(|it| [(it, 0), (it, 1)]);
    ends.filter(move |(it, end)| it.sockets[*end] == socket && is_held(it, *end))
}
