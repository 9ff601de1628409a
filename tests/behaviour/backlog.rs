//! What nobody asked for is not kept, and what departed peers left unread has a
//! bound.

use std::time::Duration;

use ferromq::{
    Context, DealerSocket, DropCause, Endpoint, Monitor, PullSocket, PushSocket, RecvError,
    RepSocket, ReqSocket, RouterSocket, RoutingId, SocketOptions,
};
use tokio::task::JoinHandle;

use crate::common::events::Events;
use crate::common::{Transport, eventually, within};

/// A bound REQ that strangers can name.
async fn bound_req(context: &Context, transport: Transport) -> (ReqSocket, Endpoint, RoutingId) {
    let id = RoutingId::new("req").unwrap();
    let req = ReqSocket::new_in(context, SocketOptions::new().routing_id(id.clone()));
    let endpoint = req.bind(transport.any()).await.unwrap();
    (req, endpoint, id)
}

/// A stranger comes, sends so many octets that look like a reply, and leaves.
async fn stray(endpoint: &Endpoint, id: &RoutingId, octets: usize) {
    let router = RouterSocket::with_options(SocketOptions::new().router_mandatory(true));
    let mut events = Events::from(router.monitor());
    router.connect(endpoint).unwrap();
    events.ready().await;
    within(router.send_to(id, [vec![], vec![0; octets]])).await.unwrap();
    assert_eq!(within(router.close()).await.undelivered, 0);
}

/// Were they kept, 32 MiB of them would be.
#[tokio::test]
async fn a_bound_req_that_never_asked_discards_what_strangers_send() {
    const STRANGERS: u64 = 500;
    for transport in Transport::ALL {
        let (req, endpoint, id) = bound_req(Context::global(), transport).await;
        for _ in 0..STRANGERS {
            stray(&endpoint, &id, 64 * 1024).await;
        }
        // Nobody has received.
        eventually(|| req.dropped(DropCause::Discarded) == STRANGERS).await;
        assert_eq!(req.try_recv(), Err(RecvError::OutOfTurn));
    }
}

#[tokio::test]
async fn a_bound_req_that_asked_somebody_discards_what_others_send() {
    const STRANGERS: u64 = 200;
    for transport in Transport::ALL {
        let (req, endpoint, id) = bound_req(Context::global(), transport).await;
        let rep = RepSocket::new();
        rep.connect(&endpoint).unwrap();
        within(req.send("question")).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), "question".into());
        for _ in 0..STRANGERS {
            stray(&endpoint, &id, 64 * 1024).await;
        }
        eventually(|| req.dropped(DropCause::Discarded) == STRANGERS).await;
        within(rep.send("answer")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "answer".into());
    }
}

#[tokio::test]
async fn strangers_that_came_and_went_leave_nothing_behind_at_a_req() {
    // Of its own: what others keep in a list that all share is not what these leave.
    let context = Context::new();
    let (req, endpoint, id) = bound_req(&context, Transport::Inproc).await;
    let round = || {
        for _ in 0..2000 {
            let router = RouterSocket::new_in(&context, SocketOptions::new());
            router.connect(&endpoint).unwrap();
            router.try_send_to(&id, ["", "stray"]).unwrap();
        }
    };
    round();
    let octets = allocation_counter::measure(round).bytes_current;
    assert!(octets < 4096, "{octets} octets");
    assert_eq!(req.dropped(DropCause::Discarded), 4000);
}

/// The octets that each peer leaves.
const EACH: usize = 8 << 20;

/// More than the bound of 64 MiB.
const PEERS: usize = 14;

/// Lets peers come, send and leave while nobody receives; says how many could.
async fn leave_all(leaving: &[JoinHandle<()>], monitor: Monitor) -> usize {
    let mut events = Events::from(monitor);
    let mut left = 0;
    // The bound is reached when nothing happens any more. If that is said too early,
    // since the machine is busy, less is seen and nothing fails.
    let patience = Duration::from_millis(300);
    while left < leaving.len() {
        match tokio::time::timeout(patience, events.disconnected()).await {
            Ok(_) => left += 1,
            Err(_) => break,
        }
    }
    left
}

macro_rules! bounded {
    ($receiver:ty, $sender:ty) => {
        for transport in Transport::ALL {
            let receiver = <$receiver>::new();
            let endpoint = receiver.bind(transport.any()).await.unwrap();
            // The second time as the first: what was taken is free again.
            for _ in 0..2 {
                let monitor = receiver.monitor();
                let leave = || {
                    let endpoint = endpoint.clone();
                    tokio::spawn(async move {
                        let sender = <$sender>::new();
                        sender.connect(&endpoint).unwrap();
                        sender.send(vec![0; EACH]).await.unwrap();
                        assert_eq!(sender.close().await.undelivered, 0);
                    })
                };
                let leaving: Vec<_> = (0..PEERS).map(|_| leave()).collect();
                let left = leave_all(&leaving, monitor).await;
                // One goes beyond the bound, and some had been read by then.
                assert!(left * EACH <= (64 << 20) + 3 * EACH, "{transport:?}: {left} have left");
                // Nothing is lost.
                for _ in 0..PEERS {
                    within(receiver.recv()).await.unwrap();
                }
                for peer in leaving {
                    within(peer).await.unwrap();
                }
            }
            for cause in DropCause::ALL {
                assert_eq!(receiver.dropped(cause), 0, "{cause:?}");
            }
        }
    };
}

#[tokio::test]
async fn what_departed_peers_left_unread_is_bounded_and_not_lost() {
    bounded!(PullSocket, PushSocket);
    bounded!(RouterSocket, DealerSocket);
}
