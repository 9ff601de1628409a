//! Seeds of the handshake and what belongs to it, part by part and as a whole.

use super::{Add, READY_DEALER, greeting as greeting_of, number, ready};
use crate::SocketType;

/// What secures the two ends: see `Cast`.
const KINDS: &[(&str, u8)] = &[
    ("null", 0x00),
    ("null-with-policy", 0x20),
    ("null-judged", 0x40),
    ("plain-client", 0x04),
    ("plain-server", 0x05),
    ("plain-server-judges", 0x45),
    ("curve-client", 0x08),
    ("curve-server", 0x09),
    ("curve-server-judges", 0x49),
    ("curve-client-of-another", 0x18),
    ("curve-server-of-another", 0x19),
];

/// What can be done to a link, with what it takes.
const ATTACKS: &[(&str, &[u8])] = &[
    ("flipped", &[4, 0, 36, 1]),
    ("cut", &[5, 0, 10]),
    ("twice", &[6]),
    ("dropped", &[7]),
    ("swapped", &[8, 0]),
    ("replayed", &[9, 1]),
    ("spliced", &[10, 0, 9]),
    ("made-up", &[11, 9, 0, 7, 7, b'M', b'E', b'S', b'S', b'A', b'G']),
];

type Script = Vec<&'static [u8]>;

const ANSWER: &[&[u8]] = &[&[12, 0], &[13, 0]];
const PASS: &[&[u8]] = &[&[0]];
/// A message of three frames, a subscription, a PING and a PONG.
const SENDS: &[&[u8]] =
    &[b"\x0e\x14\x03pay\x03not\x03100", b"\x0e\x00\x05topic", b"\x0e\x02\x01.", b"\x0e\x03\x00"];

/// Everything that two honest ones say in a handshake, and more.
fn shaking() -> Script {
    [PASS, PASS, ANSWER, PASS, ANSWER, PASS, ANSWER, PASS].concat()
}

fn played(add: Add<'_>, both_ways: bool) {
    let [dealer, router] = [number(SocketType::Dealer) | 0x30, number(SocketType::Router) | 0x50];
    let mut file = |name: String, kind: u8, script: &[&[&[u8]]]| {
        let mut octets = vec![kind, dealer, router, 0, 5];
        for operation in script.concat() {
            octets.extend_from_slice(operation);
            if both_ways {
                // The other direction has the highest bit.
                octets.push(operation[0] | 0x80);
                octets.extend_from_slice(&operation[1..]);
            }
        }
        add(name, octets);
    };
    for (name, kind) in KINDS {
        file((*name).into(), *kind, &[&shaking(), SENDS, PASS, PASS, PASS]);
        file(format!("{name}-denied"), *kind, &[PASS, PASS, &[&[12, 3]]]);
        file(format!("{name}-refused"), *kind, &[PASS, PASS, &[&[12, 0], &[0], &[13, 1]]]);
    }
    for (attack, operation) in ATTACKS {
        for (name, kind) in [("null", 0x00), ("plain", 0x05), ("curve", 0x09)] {
            let attacks: &[&[u8]] = &[operation];
            file(format!("{name}-{attack}-early"), kind, &[PASS, attacks, ANSWER]);
            let late = [&shaking(), SENDS, PASS, attacks, PASS, SENDS];
            file(format!("{name}-{attack}-late"), kind, &late);
        }
    }
}

pub(super) fn handshake(add: Add<'_>) {
    played(add, false);
}

pub(super) fn adversary(add: Add<'_>) {
    played(add, true);
}

pub(super) fn greeting(add: Add<'_>) {
    let mut file = |name: &str, mechanism: u8, octets: &[u8]| {
        add(name.into(), [&[mechanism, 0, 1][..], octets].concat());
    };
    for (index, mechanism) in ["NULL", "PLAIN", "CURVE"].into_iter().enumerate() {
        let name = mechanism.to_ascii_lowercase();
        file(&name, index as u8, &greeting_of(1, mechanism.as_bytes()));
        file(&format!("{name}-of-3.0"), index as u8, &greeting_of(0, mechanism.as_bytes()));
        file(&format!("bad-not-{name}"), index as u8, &greeting_of(1, b"OTHER"));
    }
    let mut later = greeting_of(9, b"NULL");
    later[10] = 4;
    file("of-zmtp-4", 0, &later);
    file("with-more-behind", 0, &[&greeting_of(1, b"NULL"), READY_DEALER].concat());
    file("bad-zmtp-2", 0, b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\0\0");
    file("bad-zmtp-1", 0, b"\x01\0\x06\0Hello");
    file("bad-padding", 0, &greeting_of(1, b"NULL\0X"));
}

pub(super) fn command(add: Add<'_>) {
    let mut file = |name: &str, size: u64, expand: u8, body: &[u8]| {
        add(name.into(), [&size.to_be_bytes()[..], &[expand], body].concat());
    };
    file("ready", 65_792, 0, &READY_DEALER[2..]);
    file("error", 65_793, 0, b"\x05ERROR\x03400");
    file("subscribe", 70_000, 0, b"\x09SUBSCRIBEtopic");
    file("cancel", (64 << 20) + 7, 0, b"\x06CANCELtopic");
    file("ping", 0, 0, b"\x04PING\0\x0acontext");
    file("pong", u64::MAX, 0, b"\x04PONGcontext");
    file("another", 1 << 63, 0, b"\x04JOINgroup");
    file("bad-topic-too-long", (64 << 20) + 11, 0, b"\x09SUBSCRIBE");
    file("bad-reason", 9, 0, b"\x05ERROR\x04400");
    file("bad-ping", 9, 0, b"\x04PING\0");
    file("bad-no-name", 9, 0, b"\0SUBSCRIBE");
    file("bad-name-too-short", 9, 0, b"\x10SUBSCRIBE");
    file("long", 65_792, 1, b"\x09SUBSCRIBE\xa5\xff\xff");
}

pub(super) fn metadata(add: Add<'_>) {
    let mut file = |name: &str, ours: SocketType, properties: &[(&str, &[u8])]| {
        // Of a READY, what comes after its name.
        let ready = ready(properties);
        let header = if ready.len() > 257 { 9 } else { 2 };
        add(name.into(), [&[number(ours), 0][..], &ready[header + 6..]].concat());
    };
    use SocketType::{Pub, Router};
    let dealer: (&str, &[u8]) = ("Socket-Type", b"DEALER");
    file("of-libzmq", Router, &[dealer, ("Identity", b"")]);
    file("of-ours", Router, &[dealer, ("Identity", b"me"), ("X-Ferromq", b"1 pings")]);
    file("without-a-type", Router, &[("identity", b"me")]);
    file("with-more", Router, &[dealer, ("X-a", b"b"), ("X-c", &[b'd'; 300]), ("X-Ferromq", b"1")]);
    let names: Vec<String> = (0..64).map(|number| format!("X-{number}")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (&name[..], &b""[..])).collect();
    file("as-many-as-may-be", Router, &[&[dealer], &many[..63]].concat());
    file("bad-too-many", Router, &[&[dealer], &many[..]].concat());
    file("bad-pairing", Pub, &[dealer]);
    file("bad-type", Router, &[("Socket-Type", b"FRIEND")]);
    file("bad-twice", Router, &[dealer, ("SOCKET-TYPE", b"REQ")]);
    file("bad-routing-id", Router, &[dealer, ("Identity", &[b'x'; 256])]);
    file("bad-name", Router, &[("", b"x")]);
}

pub(super) fn z85(add: Add<'_>) {
    for (name, octets) in [
        ("of-the-rfc", &b"HelloWorld"[..]),
        ("octets-of-the-rfc", b"\x86\x4f\xd2\x6f\xb5\x59\xf7\x5b"),
        ("a-secret-key", b"\x01"),
        ("a-public-key", b"\x02"),
        ("a-secret-key-and-more", b"\x01~"),
        ("as-many-octets-as-a-key", &[7; 32]),
        ("largest", b"%nSc0"),
        ("bad-too-large", b"00000%nSc1"),
        ("bad-character", b"Hello\"orld"),
        ("bad-not-ascii", b"Hell\xc3\xa9World"),
        ("bad-length", b"Hello1"),
    ] {
        add(name.into(), octets.into());
    }
}

pub(super) fn certificate(add: Add<'_>) {
    let keys = "curve\n    public-key = \"\u{2}\"\n";
    let secret = "    secret-key = \"\u{1}\"\n";
    let metadata =
        "# of czmq\nmetadata\n    name = \"Ada Lovelace\"\n    e-mail = 'a@b'  # quoted\n";
    for (name, text) in [
        ("public", keys.to_owned()),
        ("secret", format!("{keys}{secret}")),
        ("with-metadata", format!("{metadata}{keys}{secret}")),
        ("with-more-sections", format!("other\n    a\n        b = 1\n{keys}")),
        ("lines-of-windows", format!("{metadata}{keys}").replace('\n', "\r\n")),
        ("name-and-value", "name=Ada \"of\" Lovelace's".into()),
        ("bad-keys-are-no-pair", keys.replace('\u{2}', "\u{1}") + secret),
        ("bad-secret-alone", format!("curve\n{secret}")),
        ("bad-secret-in-a-name", "curve\n    \u{1}\n".into()),
        ("bad-secret-cut", format!("{keys}    secret-key = \"\u{1}\n")),
        ("bad-secret-twice", format!("{keys}{secret}{secret}")),
        ("bad-secret-longer", format!("{keys}    secret-key = \u{1}x\n")),
        ("bad-indentation", format!("  {keys}")),
        ("bad-value", "a='\"".into()),
    ] {
        add(name.into(), text.into());
    }
}

pub(super) fn network(add: Add<'_>) {
    let mut file = |name: &str, kind: u8, address: [u8; 16], text: &str| {
        add(name.into(), [&[kind], &address[..], text.as_bytes()].concat());
    };
    let mut v4 = [0; 16];
    v4[..4].copy_from_slice(&[10, 1, 2, 3]);
    let mut v6 = [0; 16];
    (v6[0], v6[15]) = (0xfd, 1);
    file("v4", 0, v4, "10.0.0.0/8");
    file("v4-mapped", 1, v4, "::ffff:10.0.0.0/104");
    file("v4-whole", 0, v4, "10.1.2.3/32");
    file("v4-all", 0, v4, "0.0.0.0/0");
    file("v6", 2, v6, "fd00::/8");
    file("v6-alone", 2, v6, "fd00::1");
    file("v6-all", 2, v6, "::/0");
    file("bad-between", 0, v4, "10.0.0.1/8");
    file("bad-mapped-too-short", 1, v4, "::ffff:10.0.0.0/95");
    file("bad-prefix", 0, v4, "10.0.0.0/33");
    file("bad-port", 2, v6, "[fd00::1]:5555");
    file("bad-name", 0, v4, "localhost");
}

pub(super) fn zap(add: Add<'_>) {
    for (name, octets) in [
        ("accepted", &[0, 0, 0, 0, 0, 1, 1][..]),
        ("accepted-as-nobody", &[0, 0, 0, 0, 0, 0, 0]),
        ("not-now", &[0, 0, 0, 1, 0, 0, 0]),
        ("denied", &[0, 0, 0, 2, 0, 0, 0]),
        ("failed", &[0, 0, 0, 3, 0, 0, 0]),
        ("no-text-in-text", b"\0\0\0\0\x80\x03a\xffb\x80\x02\xc3(\0"),
        ("bad-status", b"\0\0\0\x80\x03201\0\0\0"),
        ("bad-id", b"\0\0\x80\x012\0\0\0\0"),
        ("bad-metadata", b"\0\0\0\0\0\0\x80\x07\x01a\0\0\0\x02b"),
        ("bad-name-in-metadata", b"\0\0\0\0\0\0\x80\x06\x01\xff\0\0\0\0"),
        ("bad-too-few", &[0, 0, 0, 0, 0, 0]),
        ("bad-too-many", &[0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        add(name.into(), octets.into());
    }
}
