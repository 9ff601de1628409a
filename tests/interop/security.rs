//! PLAIN and CURVE: every pair of types with either side as the server, and what
//! becomes of those with the wrong credentials.

use ferromq::{Message, SocketType};

use crate::guard::{Guard, Keys, Mechanism, PASSWORD, Server, USER};
use crate::interop;
use crate::pair::{Case, Heartbeat, Pair};
use crate::peer::{Peer, pattern, spell};

/// Around the limits of the framing, with and without what seals add.
const SIZES: [usize; 9] = [0, 1, 222, 223, 255, 256, 8192, 65_503, 1 << 20];

fn messages() -> Vec<Message> {
    let single = SIZES.into_iter().zip(0..).map(|(size, seed)| pattern(size, seed).into());
    let several = [
        Message::from(["", "", ""]),
        Message::from([pattern(255, 1), pattern(0, 0), pattern(70_000, 2), pattern(0, 0)]),
    ];
    single.chain(several).collect()
}

/// Lets our clients in.
async fn authenticate(peer: &Peer) {
    let key = spell(Keys::new().client.public().as_bytes());
    peer.authenticate(&format!("user={USER}:{PASSWORD} key={key}")).await;
}

impl Server {
    /// A REQ of libzmq that is the server gets no replies, not from libzmq either
    /// (4.3.5).
    fn may_be(self, case: &Case) -> bool {
        self == Self::We || case.theirs != SocketType::Req
    }
}

fn every_pair(mechanism: Mechanism, server: Server) {
    interop(async |mut peer| {
        authenticate(&peer).await;
        let messages = messages();
        for we_bind in [true, false] {
            for case in Case::all(we_bind).filter(|case| server.may_be(case)) {
                let case = Case { guard: Guard::Secure(mechanism, server), ..case };
                let endpoint = case.transport.anywhere();
                let pair = Pair::open(case, &mut peer, endpoint, Heartbeat::LENIENT).await;
                for message in &messages {
                    pair.exchange(message).await;
                }
                pair.close().await;
            }
        }
    });
}

#[test]
fn plain_with_us_as_the_server() {
    every_pair(Mechanism::Plain, Server::We);
}

#[test]
fn plain_with_libzmq_as_the_server() {
    every_pair(Mechanism::Plain, Server::They);
}

#[test]
fn curve_with_us_as_the_server() {
    every_pair(Mechanism::Curve, Server::We);
}

#[test]
fn curve_with_libzmq_as_the_server() {
    every_pair(Mechanism::Curve, Server::They);
}
