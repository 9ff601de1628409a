//! The very octets that sockets say to peers of ZMTP 3.0 and 3.1.

use ferromq::{DealerSocket, SubSocket, XPubSocket};

use crate::raw::{Raw, greeting_of, ready};
use crate::victim::{Side, listen, within};

/// The octets of ZMTP 3.1 are commands; those of 3.0 are messages.
#[tokio::test]
async fn sub_subscribes_in_the_form_of_the_peer() {
    type Octets = &'static [u8];
    let forms: [(u8, Octets, Octets); 2] =
        [(0, b"\0\x02\x01A", b"\0\x02\0A"), (1, b"\x04\x0B\x09SUBSCRIBEA", b"\x04\x08\x06CANCELA")];
    for (minor, subscribe, cancel) in forms {
        for side in Side::BOTH {
            let sub = SubSocket::new();
            let mut raw = match side {
                Side::Bound => Raw::connect(&sub.bind("tcp://127.0.0.1:*").await.unwrap()).await,
                Side::Connecting => {
                    let (listener, endpoint) = listen().await;
                    sub.connect(endpoint).unwrap();
                    Raw::accept(&listener).await
                }
            };
            sub.subscribe("A").unwrap();
            raw.send(&[greeting_of(3, minor, b"NULL"), ready("PUB")].concat()).await;
            raw.read(64).await;
            let expected = b"\x04\x28\x05READY\x0BSocket-Type\0\0\0\x03SUB\x09X-Ferromq\0\0\0\x011";
            assert_eq!(raw.read(42).await, expected);
            assert_eq!(raw.read(subscribe.len()).await, subscribe);
            sub.unsubscribe("A").unwrap();
            assert_eq!(raw.read(cancel.len()).await, cancel);
            sub.subscribe("").unwrap();
            let all: Octets = if minor == 0 { b"\0\x01\x01" } else { b"\x04\x0A\x09SUBSCRIBE" };
            assert_eq!(raw.read(all.len()).await, all);
            raw.send(b"\0\x04ALOL").await;
            assert_eq!(within(sub.recv()).await.unwrap(), "ALOL".into());
        }
    }
}

#[tokio::test]
async fn the_ready_of_dealer_has_58_octets() {
    let dealer = DealerSocket::new();
    let endpoint = dealer.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut raw = Raw::connect(&endpoint).await;
    raw.send(&greeting_of(3, 1, b"NULL")).await;
    raw.read(64).await;
    let expected = b"\x04\x38\x05READY\x0BSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0\
        \x09X-Ferromq\0\0\0\x011";
    assert_eq!(expected.len(), 58);
    assert_eq!(raw.read(58).await, expected);
    raw.send(&ready("ROUTER")).await;
    within(dealer.send("Hello")).await.unwrap();
    assert_eq!(raw.read(7).await, b"\0\x05Hello");
    within(dealer.send(vec![b'x'; 64_000])).await.unwrap();
    assert_eq!(raw.read(9).await, b"\x02\0\0\0\0\0\0\xFA\0");
    assert_eq!(raw.read(64_000).await, [b'x'; 64_000]);
}

/// XPUB hears both forms, whatever version the peer speaks.
#[tokio::test]
async fn xpub_takes_both_forms_from_any_version() {
    for minor in [0, 1] {
        let publisher = XPubSocket::new();
        let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::connect(&endpoint).await;
        raw.shake(&[greeting_of(3, minor, b"NULL"), ready("SUB")].concat()).await;
        raw.send(b"\0\x02\x01A\x04\x0B\x09SUBSCRIBEB\x04\x08\x06CANCELA\0\x02\0B").await;
        for notice in ["\x01A", "\x01B", "\0A", "\0B"] {
            assert_eq!(within(publisher.recv()).await.unwrap(), notice.into());
        }
    }
}

/// RFC 37: a size of up to 255 octets is a short one, name of the command
/// included.
#[tokio::test]
async fn a_long_topic_makes_a_long_command() {
    let sub = SubSocket::new();
    let endpoint = sub.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut raw = Raw::join(&endpoint, "PUB").await;
    for (len, header) in [(245, &b"\x04\xFF"[..]), (246, b"\x06\0\0\0\0\0\0\x01\0")] {
        sub.subscribe("t".repeat(len)).unwrap();
        let octets = raw.read(header.len() + 10 + len).await;
        assert_eq!(octets[..header.len()], *header, "{len}");
    }
}
