//! Who meets whom at a name, and who does not.

use super::*;

fn incompatible() -> (Arc<Socket>, Arc<Socket>) {
    let socket = |socket_type| Socket::of_type(socket_type, &PLAIN, SocketOptions::new());
    (socket(SocketType::Push), socket(SocketType::Rep))
}

#[test]
fn both_are_told_in_this_order() {
    let [connector, binder] = [(); 2].map(|()| Socket::plain());
    let registry = Registry::default();
    binder.bind(&registry);
    connector.connect(&registry);
    assert_eq!(binder.log(), ["listening", "attach", "up", "ready"]);
    assert_eq!(connector.log(), ["attach", "up", "ready"]);
}

#[test]
fn who_connects_first_waits() {
    let [connector, binder] = [(); 2].map(|()| Socket::plain());
    let registry = Registry::default();
    connector.connect(&registry);
    assert!(connector.send("0"));
    assert_eq!(connector.log(), ["attach"]);
    binder.bind(&registry);
    assert_eq!(connector.log(), ["up", "ready"]);
    assert_eq!(binder.log(), ["listening", "attach", "up", "ready"]);
    assert_eq!(binder.receive_all(), ["0"]);
    binder.send("1");
    assert_eq!(connector.receive_all(), ["1"]);
}

#[test]
fn a_name_is_bound_once() {
    let [one, other] = [(); 2].map(|()| Socket::plain());
    let registry = Registry::default();
    let owner = one.bind(&registry);
    assert!(!registry.bind(NAME, &other.link()));
    registry.release(NAME, owner);
    assert_eq!(one.log(), ["listening", "closed"]);
    other.bind(&registry);
}

#[test]
fn immediate_enters_routing_when_there_is_somebody() {
    let connector = Socket::new(&PLAIN, SocketOptions::new().immediate(true));
    let binder = Socket::plain();
    let registry = Registry::default();
    connector.connect(&registry);
    assert!(connector.log().is_empty());
    binder.bind(&registry);
    assert_eq!(connector.log(), ["attach", "up", "ready"]);
}

#[test]
fn nobody_is_told_of_a_message_before_both_are_up() {
    // A peer that is attached and not up has no name yet: what comes from it
    // would be from nobody.
    let [connector, binder] = [(); 2].map(|()| Socket::plain());
    let registry = Registry::default();
    binder.bind(&registry);
    let link = connector.link();
    let (joint, near) = super::super::joint::Joint::connecting(&link);
    let far = joint.binding(&link, &binder.link());
    assert_eq!(near.line.push(&mut "0".into()).expect("room"), NeedsFlush::No);
    near.line.flush(Flush::Here);
    assert!(!far.duty.is_listed() && binder.state().ready.is_empty());
    joint.open(&binder.link(), &far);
    assert!(far.duty.is_listed());
    assert_eq!(near.line.push(&mut "1".into()).expect("room"), NeedsFlush::No);
    assert_eq!(binder.receive_all(), numbers(0..2));
}

#[test]
fn types_that_do_not_fit_are_told_apart_on_both_sides() {
    let (push, rep) = incompatible();
    let registry = Registry::default();
    rep.bind(&registry);
    let why = registry.connect(NAME, &push.link()).expect_err("it does not fit");
    let (ours, theirs) = (SocketType::Push, SocketType::Rep);
    assert_eq!(why, Unwelcome::Incompatible { ours, theirs });
    let seen_from =
        |ours, theirs| format!("failed: {:?}", Unwelcome::Incompatible { ours, theirs });
    assert_eq!(push.log(), ["attach".into(), "detach".into(), seen_from(ours, theirs)]);
    assert_eq!(rep.log(), ["listening".into(), seen_from(theirs, ours)]);
    assert!(push.state().roster.is_empty());
}

#[test]
fn a_peer_that_is_unwelcome_hears_it_at_the_call() {
    for in_up in [false, true] {
        let [connector, binder] = [(); 2].map(|()| Socket::plain());
        let registry = Registry::default();
        binder.bind(&registry);
        let why = Unwelcome::RoutingIdTaken;
        match in_up {
            false => binder.state().attach = Some(why),
            true => binder.state().up = Some(why),
        }
        assert_eq!(registry.connect(NAME, &connector.link()), Err(why));
        for socket in [&connector, &binder] {
            let log = socket.log();
            assert_eq!(log.last().expect("an event"), "failed: RoutingIdTaken");
            let count = |what: &str| log.iter().filter(|entry| *entry == what).count();
            let taken_in = count("attach") - usize::from(!in_up && log[0] == "listening");
            assert_eq!(count("detach"), taken_in, "{log:?}");
            let state = socket.state();
            assert!(state.roster.is_empty() && state.ready.is_empty());
        }
    }
}

#[test]
fn a_peer_that_is_unwelcome_to_a_late_binder_hears_it_by_an_event() {
    let [connector, binder] = [(); 2].map(|()| Socket::plain());
    let registry = Registry::default();
    connector.connect(&registry);
    for number in 0..3 {
        connector.send(&number.to_string());
    }
    binder.state().attach = Some(Unwelcome::AlreadyPaired);
    binder.bind(&registry);
    assert_eq!(connector.log(), ["attach", "detach", "failed: AlreadyPaired"]);
    assert_eq!(binder.events(), ["listening", "failed: AlreadyPaired"]);
    // Accepted, and given up: nobody will get it.
    assert_eq!(connector.lost(DropCause::PeerLeft), 3);
    assert!(connector.state().roster.is_empty());
    // It is over for good; the name is free for others.
    Socket::plain().connect(&registry);
    assert_eq!(binder.events(), ["ready"]);
}

#[test]
fn who_connects_may_turn_the_other_away_too() {
    let [connector, binder] = [(); 2].map(|()| Socket::plain());
    let registry = Registry::default();
    binder.bind(&registry);
    connector.state().up = Some(Unwelcome::RoutingIdTaken);
    assert!(registry.connect(NAME, &connector.link()).is_err());
    assert_eq!(binder.log().last().expect("an event"), "failed: RoutingIdTaken");
    assert!(binder.state().roster.is_empty());
}

#[test]
fn a_socket_that_has_its_peer_connects_to_nobody() {
    let connector = Socket::plain();
    let registry = Registry::default();
    connector.state().attach = Some(Unwelcome::AlreadyPaired);
    assert_eq!(registry.connect(NAME, &connector.link()), Err(Unwelcome::AlreadyPaired));
    assert_eq!(connector.log(), ["attach"]);
    // And waits for nobody.
    let binder = Socket::plain();
    binder.bind(&registry);
    assert_eq!(binder.log(), ["listening"]);
}

#[test]
fn a_binder_that_is_just_leaving_is_not_met_but_the_next_one() {
    let [connector, leaving, next] = [(); 3].map(|()| Socket::plain());
    let registry = Registry::default();
    leaving.bind(&registry);
    leaving.state().attach = Some(Unwelcome::Closing);
    connector.connect(&registry);
    assert_eq!(leaving.log(), ["listening", "attach", "closed"]);
    assert!(connector.send("0"));
    next.bind(&registry);
    assert_eq!(connector.log(), ["attach", "up", "ready"]);
    assert_eq!(next.receive_all(), ["0"]);
}

#[test]
fn who_leaves_in_the_middle_of_the_meeting_has_met() {
    for connector_leaves in [false, true] {
        let [connector, binder] = [(); 2].map(|()| Socket::plain());
        let registry = Registry::default();
        binder.bind(&registry);
        let leaving = if connector_leaves { &connector } else { &binder };
        leaving.state().closes_in_up = true;
        connector.connect(&registry);
        for socket in [&connector, &binder] {
            let log = socket.log();
            let by = if Arc::ptr_eq(socket, leaving) { "by us" } else { "peer closed" };
            let end = ["ready".to_owned(), "detach".to_owned(), format!("disconnected: {by}")];
            assert!(log.ends_with(&end), "{log:?}");
            assert!(socket.state().roster.is_empty());
        }
    }
}

#[test]
fn a_connect_that_nobody_answered_is_given_up() {
    for immediate in [false, true] {
        let connector = Socket::new(&PLAIN, SocketOptions::new().immediate(immediate));
        let registry = Registry::default();
        let [released, kept] = [(); 2].map(|()| connector.connect(&registry));
        if !immediate {
            let first = Arc::clone(&connector.state().roster[0]);
            let _ = first.line.push(&mut "0".into());
            // In whatever order it is given up.
            first.line.close(None);
        }
        connector.log();
        registry.release(NAME, released);
        let end: &[&str] = match immediate {
            false => &["detach", "failed: by us"],
            true => &["failed: by us"],
        };
        assert_eq!(connector.log(), end);
        assert_eq!(connector.lost(DropCause::LingerExpired), usize::from(!immediate));
        assert_eq!(connector.state().roster.len(), usize::from(!immediate));
        // The other one still waits.
        let binder = Socket::plain();
        binder.bind(&registry);
        assert_eq!(binder.events(), ["listening", "ready"]);
        registry.release(NAME, kept);
    }
}

#[test]
fn whatever_comes_between_each_meeting_is_followed_by_its_parting() {
    const ROUNDS: usize = 200;
    let registry = Registry::default();
    let [binder, one, other] = [(); 3].map(|()| Socket::plain());
    let come_and_go = |socket: &Socket| {
        for _ in 0..ROUNDS {
            let owner = socket.connect(&registry);
            let peers = socket.state().roster.clone();
            for peer in &peers {
                let pushed = peer.line.push(&mut "0".into());
                if pushed.is_ok_and(|needs| needs == NeedsFlush::Yes) {
                    peer.line.flush(Flush::Here);
                }
            }
            registry.release(NAME, owner);
            peers.iter().for_each(|peer| peer.line.close(None));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                let owner = binder.bind(&registry);
                std::thread::yield_now();
                registry.release(NAME, owner);
                let peers = binder.state().roster.clone();
                peers.iter().for_each(|peer| peer.line.close(None));
            }
        });
        scope.spawn(|| come_and_go(&one));
        scope.spawn(|| come_and_go(&other));
    });
    for socket in [&one, &other, &binder] {
        let peers = socket.state().roster.clone();
        peers.iter().for_each(|peer| peer.line.close(None));
        socket.receive_all();
    }
    for socket in [&one, &other, &binder] {
        let events = socket.events();
        let count = |what: &str| events.iter().filter(|it| it.starts_with(what)).count();
        assert_eq!(count("ready"), count("disconnected"), "{events:?}");
        let state = socket.state();
        assert!(state.roster.is_empty() && state.ready.is_empty());
    }
}
