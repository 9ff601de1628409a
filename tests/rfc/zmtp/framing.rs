//! "Framing", "Commands", "Messages" and "Security Aspects".

use ferromq::{DealerSocket, Message, PullSocket, PushSocket, SubSocket};

use crate::support::{Net, Receives, Sends, plain, soon};
use crate::wire::{Frame, Wire, ready};

/// All frames a DEALER and a SUB send in their life, with every kind of
/// header.
async fn frames_of_ours() -> Vec<Frame> {
    let net = Net::tcp();
    let mut frames = Vec::new();
    let dealer = net.bound::<DealerSocket>(plain()).await;
    let mut router = Wire::dial(&dealer.endpoint()).await;
    router.greet().await;
    router.send(&ready(&[("Socket-Type", b"ROUTER")])).await;
    dealer.put(Message::from([vec![], vec![1; 255], vec![2; 256]])).await.unwrap();
    router.send(b"\x04\x07\x04PING\x00\x00").await;
    // READY, three frames, PONG.
    for _ in 0..5 {
        frames.push(router.frame().await);
    }
    let sub = net.bound::<SubSocket>(plain()).await;
    sub.subscribe("A").unwrap();
    sub.subscribe("t".repeat(1000)).unwrap();
    let mut publisher = Wire::dial(&sub.endpoint()).await;
    publisher.greet().await;
    publisher.send(&ready(&[("Socket-Type", b"PUB")])).await;
    for _ in 0..3 {
        frames.push(publisher.frame().await);
    }
    frames
}

/// "Bits 7-3 are reserved for future use and MUST be zero."
#[tokio::test]
async fn reserved_bits_must_be_zero() {
    for Frame { flags, body } in frames_of_ours().await {
        assert_eq!(flags & 0xF8, 0, "{:02x} {}", flags, body.len());
    }
}

/// "This bit SHALL be zero on command frames." (MORE)
#[tokio::test]
async fn more_shall_be_zero_on_commands() {
    let frames = frames_of_ours().await;
    let commands: Vec<_> = frames.iter().filter(|frame| frame.flags & 0x04 != 0).collect();
    // READY, PONG, READY, SUBSCRIBE, SUBSCRIBE: one of them long.
    assert_eq!(commands.len(), 5);
    for command in commands {
        assert_eq!(command.flags & 0x01, 0);
        assert_eq!(command.flags & 0x02 != 0, command.body.len() > 255);
    }
}

/// The same sentence of a peer's: a command with MORE is no command, and closes
/// the connection.
#[tokio::test]
async fn a_command_with_more_is_refused() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::join(&pull.endpoint(), "PUSH").await;
    push.send(b"\x05\x07\x04PING\x00\x00\x00\x05Hello").await;
    pull.left().await;
    assert!(pull.try_recv().unwrap_err().is_would_block());
}

/// "A short frame has a body of 0 to 255 octets. A long frame has a body of 0 to
/// 2^63-1 octets." Ours are as short as can be; a peer's need not be.
#[tokio::test]
async fn short_and_long_frames() {
    let net = Net::tcp();
    let push = net.bound::<PushSocket>(plain()).await;
    let mut pull = Wire::join(&push.endpoint(), "PULL").await;
    for (size, head) in [
        (0, &b"\x00\x00"[..]),
        (255, b"\x00\xFF"),
        (256, b"\x02\x00\x00\x00\x00\x00\x00\x01\x00"),
        (65_536, b"\x02\x00\x00\x00\x00\x00\x01\x00\x00"),
    ] {
        soon(push.send(vec![b'x'; size])).await.unwrap();
        pull.expect(head).await;
        pull.expect(&vec![b'x'; size]).await;
    }
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::join(&pull.endpoint(), "PUSH").await;
    push.send(b"\x03\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01x").await;
    assert_eq!(pull.get().await, Message::from(["", "x"]));
}

/// "On a clear text connection, message data SHALL be sent as message frames."
/// "All clear text mechanisms SHALL use the message framing defined in this
/// specification"
#[tokio::test]
async fn message_data_shall_be_sent_as_message_frames() {
    let net = Net::tcp();
    let push = net.bound::<PushSocket>(plain()).await;
    let mut pull = Wire::join(&push.endpoint(), "PULL").await;
    soon(push.send(["Hello", "", "World"])).await.unwrap();
    pull.expect(b"\x01\x05Hello\x01\x00\x00\x05World").await;
}

/// "On all ZMTP connections, command names SHALL be visible and command frames
/// SHALL be printable."
#[tokio::test]
async fn command_names_shall_be_visible() {
    let mut names = Vec::new();
    for Frame { flags, body } in frames_of_ours().await {
        if flags & 0x04 != 0 {
            let size = usize::from(body[0]);
            let name = std::str::from_utf8(&body[1..=size]).unwrap().to_owned();
            assert!(name.chars().all(|letter| letter.is_ascii_uppercase()), "{name}");
            names.push(name);
        }
    }
    names.sort();
    assert_eq!(names, ["PONG", "READY", "READY", "SUBSCRIBE", "SUBSCRIBE"]);
}
