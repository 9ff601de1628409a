//! RFC 23 and 37: "A message SHALL be sent or received atomically; that is, all
//! frames or none." and "an implementation SHALL always send and deliver
//! messages atomically, that is, all the frames of a message, or none of them."
//!
//! Each test cuts a connection in the middle of a large message of several
//! frames: what follows must never begin with the tail of it.

use ferromq::{DropCause, Message, PullSocket, PushSocket};

use crate::support::{Net, Receives, plain, soon, until};
use crate::wire::{Trap, Wire};

/// 16 MiB and a bit, in three frames.
fn large() -> Message {
    Message::from([vec![b'1'; 8 << 20], vec![b'2'; 8 << 20], b"tail".to_vec()])
}

/// More than the system's buffers hold of one that is cut in its second frame.
fn huge() -> Message {
    Message::from([vec![b'1'; 8 << 20], vec![b'2'; 48 << 20], b"tail".to_vec()])
}

/// The head of the first frame of either.
const HEAD: &[u8] = b"\x03\x00\x00\x00\x00\x00\x80\x00\x00";

/// The peer connects to us: its messages are lost with it, the next peer gets
/// whole ones.
#[tokio::test]
async fn a_cut_message_leaves_no_tail_for_the_next_peer() {
    let net = Net::tcp();
    let mut push = net.bound::<PushSocket>(plain()).await;
    let mut cut = Wire::join(&push.endpoint(), "PULL").await;
    push.ready().await;
    push.try_send(huge()).unwrap();
    cut.expect(HEAD).await;
    cut.take(1 << 20).await;
    drop(cut);
    push.left().await;
    assert_eq!(push.dropped(DropCause::CutInTransit), 1);
    let pull = net.connected::<PullSocket>(plain(), &mut push).await;
    push.try_send(["whole", "message"]).unwrap();
    assert_eq!(pull.get().await, Message::from(["whole", "message"]));
}

/// We connect to the peer: what was not begun goes out on the next connection,
/// in order; what was cut is lost, and counted.
#[tokio::test]
async fn a_cut_message_leaves_no_tail_for_the_next_connection() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let push = net.connecting::<PushSocket>(plain(), &trap.endpoint());
    let mut cut = trap.accept().await;
    cut.shake_hands("PULL").await;
    push.try_send(huge()).unwrap();
    push.try_send(["whole", "message"]).unwrap();
    cut.expect(HEAD).await;
    // Past the end of the first frame, in the middle of the second.
    cut.take((8 << 20) + (1 << 20)).await;
    drop(cut);
    let mut next = trap.accept().await;
    next.shake_hands("PULL").await;
    next.expect(b"\x01\x05whole\x00\x07message").await;
    assert_eq!(push.dropped(DropCause::CutInTransit), 1);
}

/// A message whose last frame never came is not received, whatever came of it.
#[tokio::test]
async fn a_message_that_is_cut_is_not_received() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(plain()).await;
    for cut in [&b"\x01\x05first"[..], b"\x01\x05first\x00\x06las", b"\x01\x05first\x00"] {
        let mut push = Wire::join(&pull.endpoint(), "PUSH").await;
        push.send(b"\x01\x05whole\x00\x07message").await;
        push.send(cut).await;
        push.finish().await;
        pull.left().await;
        assert_eq!(pull.get().await, Message::from(["whole", "message"]));
        assert!(pull.try_recv().unwrap_err().is_would_block());
    }
}

/// The same with real sockets: one after the other connects, takes a message
/// and leaves, while the next ones are under way to it.
#[tokio::test]
async fn receivers_that_come_and_go_see_whole_messages_only() {
    let net = Net::tcp();
    let mut push = net.bound::<PushSocket>(plain().send_hwm(1)).await;
    for blocking in [true, false, true, false] {
        let pull = net.connected::<PullSocket>(plain(), &mut push).await;
        for _ in 0..2 {
            soon(push.send(large())).await.unwrap();
        }
        if blocking {
            assert!(pull.get().await == large(), "a message is whole");
        } else {
            let mut got = None;
            until(|| {
                got = pull.try_recv().ok();
                got.is_some()
            })
            .await;
            assert!(got == Some(large()), "a message is whole");
        }
        let _ = soon(pull.close()).await;
        push.left().await;
    }
}
