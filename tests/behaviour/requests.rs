//! Requests as futures, and what answers them.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromq::{
    Context, DealerSocket, Message, RepSocket, ReqSocket, RequestError, Requester, RouterSocket,
    Service, SocketOptions,
};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::common::{Transport, within};

const SOON: Duration = Duration::from_secs(20);

fn asking(context: &Context) -> Requester {
    Requester::new_in(context, SocketOptions::new().immediate(true))
}

#[tokio::test]
async fn many_requests_in_flight_each_get_their_own_reply() {
    for transport in Transport::ALL {
        let context = Context::new();
        let router = RouterSocket::new_in(&context, SocketOptions::new());
        let at = router.bind(transport.any()).await.unwrap();
        // The later ones are answered first.
        let turn = Arc::new(Semaphore::new(0));
        let service = Service::new(&router).concurrency(100);
        let (asked, all_asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        tokio::spawn({
            let (turn, asked, all_asked) = (turn.clone(), asked.clone(), all_asked.clone());
            service.run(move |question| {
                if asked.fetch_add(1, Ordering::SeqCst) == 99 {
                    all_asked.notify_one();
                }
                let turn = turn.clone();
                async move {
                    let _ = turn.acquire().await;
                    question
                }
            })
        });
        let requester = asking(&context);
        requester.connect(&at).unwrap();
        let mut asking = JoinSet::new();
        for task in 0..10 {
            let requester = requester.clone();
            asking.spawn(async move {
                let questions =
                    (0..10).map(|number| Message::from((task.to_string(), number.to_string())));
                let mut requests = JoinSet::new();
                for question in questions {
                    let request = requester.request(&question).timeout(SOON).into_future();
                    requests.spawn(async move { assert_eq!(request.await.unwrap(), question) });
                }
                while let Some(done) = requests.join_next().await {
                    done.unwrap();
                }
            });
        }
        within(all_asked.notified()).await;
        turn.close();
        while let Some(done) = within(asking.join_next()).await {
            done.unwrap();
        }
        assert_eq!(requester.late_replies(), 0);
    }
}

#[tokio::test]
async fn a_late_reply_is_nobody_elses() {
    let context = Context::new();
    let router = RouterSocket::new_in(&context, SocketOptions::new());
    let at = router.bind("tcp://127.0.0.1:*").await.unwrap();
    let requester = asking(&context);
    requester.connect(&at).unwrap();
    let first = requester.request("first").timeout(Duration::from_millis(50)).await;
    assert!(matches!(first, Err(RequestError::TimedOut)), "{first:?}");
    let (id, late) = within(router.recv()).await.unwrap();
    let second = tokio::spawn(requester.request("second").timeout(SOON).into_future());
    let (_, asked) = within(router.recv()).await.unwrap();
    router.send_to(&id, late).await.unwrap();
    // Neither is what is no reply at all.
    router.send_to(&id, "nonsense").await.unwrap();
    router.send_to(&id, asked).await.unwrap();
    assert_eq!(within(second).await.unwrap().unwrap(), "second".into());
    assert_eq!(requester.late_replies(), 2);
}

/// "Lazy Pirate": one of two services is dumb.
#[tokio::test]
async fn a_retry_goes_to_the_next_service() {
    for transport in Transport::ALL {
        let context = Context::new();
        let dumb = RepSocket::new_in(&context, SocketOptions::new());
        let good = RepSocket::new_in(&context, SocketOptions::new());
        let requester = asking(&context);
        requester.connect(dumb.bind(transport.any()).await.unwrap()).unwrap();
        requester.connect(good.bind(transport.any()).await.unwrap()).unwrap();
        within(requester.socket().wait_for_peers(2)).await.unwrap();
        let serving = tokio::spawn(async move { good.serve(|asked| async move { asked }).await });
        for number in 0..4 {
            let request = requester.request(number.to_string()).retry(Duration::from_millis(50), 3);
            assert_eq!(within(request.into_future()).await.unwrap(), number.to_string().into());
        }
        serving.abort();
    }
}

#[tokio::test]
async fn without_a_service_a_request_times_out_and_is_not_left_behind() {
    let requester = Requester::new();
    requester.connect("tcp://127.0.0.1:1").unwrap();
    for request in [
        requester.request("m").timeout(Duration::from_millis(30)),
        requester.request("m").retry(Duration::from_millis(10), 2),
    ] {
        let refused = within(request.into_future()).await;
        assert!(matches!(refused, Err(RequestError::TimedOut)), "{refused:?}");
    }
    // One that is dropped as well.
    drop(
        tokio::time::timeout(Duration::from_millis(10), requester.request("m").into_future()).await,
    );
    assert_eq!(format!("{requester:?}"), "Requester { in_flight: 0, .. }");
    let waiting = tokio::spawn(requester.request("m").into_future());
    tokio::task::yield_now().await;
    within(requester.close()).await;
    let closed = within(waiting).await.unwrap();
    assert!(matches!(closed, Err(RequestError::Send(_) | RequestError::Recv(_))), "{closed:?}");
}

/// Peers of each kind; and a handler that panics harms nobody else.
#[tokio::test]
async fn a_service_answers_whoever_can_ask() {
    let router = RouterSocket::new();
    let at = router.bind("tcp://127.0.0.1:*").await.unwrap();
    let running = tokio::spawn(Service::new(&router).concurrency(2).run(|asked| async move {
        assert!("panic" != asked, "on purpose");
        asked
    }));
    let (req, dealer) = (ReqSocket::new(), DealerSocket::new());
    let requester = Requester::new();
    requester.connect(&at).unwrap();
    let panics = requester.request("panic").timeout(Duration::from_millis(200)).await;
    assert!(matches!(panics, Err(RequestError::TimedOut)), "{panics:?}");
    req.connect(&at).unwrap();
    dealer.connect(&at).unwrap();
    req.send("from REQ").await.unwrap();
    assert_eq!(within(req.recv()).await.unwrap(), "from REQ".into());
    dealer.send("without a delimiter").await.unwrap();
    assert_eq!(within(dealer.recv()).await.unwrap(), "without a delimiter".into());
    within(router.close()).await;
    within(running).await.unwrap().unwrap();
}

#[cfg(feature = "threads")]
#[test]
fn deadlines_need_no_runtime_of_the_caller() {
    let context = Context::with_threads(1).unwrap();
    let requester = asking(&context);
    requester.connect("tcp://127.0.0.1:1").unwrap();
    let request = requester.request("m").timeout(Duration::from_millis(30));
    let mut request = std::pin::pin!(request.into_future());
    let waker = std::task::Waker::noop();
    let refused = loop {
        match request.as_mut().poll(&mut std::task::Context::from_waker(waker)) {
            std::task::Poll::Ready(refused) => break refused,
            std::task::Poll::Pending => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert!(matches!(refused, Err(RequestError::TimedOut)), "{refused:?}");
}
