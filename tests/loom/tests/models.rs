//! Run in every order: `cargo test --release --manifest-path tests/loom/Cargo.toml`.

use ferromq_loom::{reading::Peer, writing::Line};
use loom::thread;

#[test]
fn octets_that_come_while_a_receiver_reads_are_known_to_somebody() {
    loom::model(|| {
        let peer = Peer::new();
        let arriving = peer.clone();
        let arrives = thread::spawn(move || {
            arriving.arrive();
            arriving.arrive();
        });
        let got = peer.receive() + peer.receive();
        arrives.join().unwrap();
        peer.check(2, got);
    });
}

#[test]
fn a_receiver_that_comes_while_the_task_reads_ahead_finds_what_it_read() {
    loom::model(|| {
        let peer = Peer::new();
        let (arriving, serving) = (peer.clone(), peer.clone());
        arriving.arrive();
        let serves = thread::spawn(move || {
            serving.sweep();
            serving.serve();
        });
        let got = peer.receive() + peer.receive();
        serves.join().unwrap();
        peer.check(1, got);
    });
}

#[test]
fn transport_task_and_receiver_together() {
    loom::model(|| {
        let peer = Peer::new();
        let (arriving, serving) = (peer.clone(), peer.clone());
        peer.arrive();
        let arrives = thread::spawn(move || arriving.arrive());
        let serves = thread::spawn(move || {
            serving.sweep();
            serving.serve();
        });
        let got = peer.receive();
        arrives.join().unwrap();
        serves.join().unwrap();
        peer.check(2, got);
    });
}

#[test]
fn two_receivers_read_one_peer_one_after_the_other() {
    loom::model(|| {
        let peer = Peer::new();
        let other = peer.clone();
        peer.arrive();
        let receives = thread::spawn(move || other.receive());
        peer.arrive();
        let got = peer.receive();
        let got = got + receives.join().unwrap();
        peer.check(2, got);
    });
}

#[test]
fn two_callers_and_the_task_write_everything() {
    loom::model(|| {
        let line = Line::new();
        let (one, task) = (line.clone(), line.clone());
        let sends = thread::spawn(move || one.send(true, false));
        let serves = thread::spawn(move || task.serve());
        line.send(true, false);
        sends.join().unwrap();
        serves.join().unwrap();
        line.check(2);
    });
}

#[test]
fn a_caller_whose_transport_is_full_leaves_it_to_the_task() {
    loom::model(|| {
        let line = Line::new();
        let (one, task) = (line.clone(), line.clone());
        let sends = thread::spawn(move || one.send(true, true));
        let serves = thread::spawn(move || {
            task.serve();
            task.serve();
        });
        line.send(false, false);
        sends.join().unwrap();
        serves.join().unwrap();
        line.check(2);
    });
}
