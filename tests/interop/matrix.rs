//! Every valid pair of types, over tcp and ipc, whoever binds, with heartbeats:
//! messages of every kind, in every direction the pattern has.

use ferromq::{Message, SocketType};

use crate::interop;
use crate::pair::{Case, Heartbeat, Pair};
use crate::peer::pattern;

/// Around every limit of the framing, and far beyond any buffer.
const SIZES: [usize; 8] = [0, 1, 255, 256, 8192, 65_536, 1 << 20, 8 << 20];

fn messages() -> Vec<Message> {
    let single = SIZES.into_iter().zip(0..).map(|(size, seed)| pattern(size, seed).into());
    let several = [
        Message::from(["", "", ""]),
        Message::from(["", "body"]),
        Message::from([pattern(255, 1), pattern(0, 0), pattern(256, 2), pattern(0, 0)]),
        Message::from([pattern(70_000, 3), pattern(1, 4), pattern(1 << 20, 5), pattern(9000, 6)]),
        (0..200).map(|seed| pattern(usize::from(seed), seed)).collect(),
    ];
    single.chain(several).collect()
}

fn talk_to_every_peer(ours: SocketType) {
    interop(async |mut peer| {
        let messages = messages();
        for case in Case::all_of(ours, true).chain(Case::all_of(ours, false)) {
            let endpoint = case.transport.anywhere();
            let pair = Pair::open(case, &mut peer, endpoint, Heartbeat::LENIENT).await;
            for message in &messages {
                pair.exchange(message).await;
            }
            pair.close().await;
        }
    });
}

macro_rules! matrix {
    ($($test:ident: $ours:ident),+ $(,)?) => {$(
        #[test]
        fn $test() {
            talk_to_every_peer(SocketType::$ours);
        }
    )+};
}

matrix! {
    req: Req,
    rep: Rep,
    router: Router,
    dealer: Dealer,
    publisher: Pub,
    sub: Sub,
    xpub: XPub,
    xsub: XSub,
    push: Push,
    pull: Pull,
    pair: Pair,
}
