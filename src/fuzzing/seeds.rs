//! The seeds of `fuzz/corpus`: what each file is, by its name.

mod security;

use super::connection::Mode;
use super::input::REPEAT;
use crate::SocketType;

/// A file of the corpus.
pub(super) struct Seed {
    pub(super) target: &'static str,
    pub(super) name: String,
    pub(super) octets: Vec<u8>,
}

pub(super) fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    decoder(&mut |name, octets| seeds.push(Seed { target: "decoder", name, octets }));
    connection(&mut |name, octets| seeds.push(Seed { target: "connection", name, octets }));
    endpoint(&mut |name, octets| seeds.push(Seed { target: "endpoint", name, octets }));
    trie(&mut |name, octets| seeds.push(Seed { target: "trie", name, octets }));
    for (target, add_all) in OTHERS {
        add_all(&mut |name, octets| seeds.push(Seed { target, name, octets }));
    }
    seeds
}

/// The targets that are about security, and what goes with it.
const OTHERS: &[(&str, AddAll)] = &[
    ("adversary", security::adversary),
    ("certificate", security::certificate),
    ("command", security::command),
    ("greeting", security::greeting),
    ("handshake", security::handshake),
    ("metadata", security::metadata),
    ("network", security::network),
    ("z85", security::z85),
    ("zap", security::zap),
];

/// What inputs of a target are likely to have in them.
pub(super) struct Dictionary {
    pub(super) target: &'static str,
    pub(super) words: Vec<Vec<u8>>,
}

impl Dictionary {
    /// As libFuzzer reads it.
    pub(super) fn text(&self) -> String {
        let octet = |octet: &u8| match octet {
            b'"' | b'\\' => format!("\\{}", char::from(*octet)),
            b' '..=b'~' => char::from(*octet).to_string(),
            octet => format!("\\x{octet:02x}"),
        };
        let line = |word: &Vec<u8>| format!("\"{}\"\n", word.iter().map(octet).collect::<String>());
        self.words.iter().map(line).collect()
    }
}

/// The commands with the length of their name, and properties.
const WORDS: &[&[u8]] = &[
    b"\x05HELLO",
    b"\x07WELCOME",
    b"\x08INITIATE",
    b"\x05READY",
    b"\x05ERROR",
    b"\x09SUBSCRIBE",
    b"\x06CANCEL",
    b"\x04PING",
    b"\x04PONG",
    b"\x07MESSAGE",
    b"\x0bSocket-Type\0\0\0\x04",
    b"\x08Identity\0\0\0\x02",
    b"\x09X-Ferromq\0\0\0\x01",
];
const TYPES: &[&[u8]] = &[
    b"REQ", b"REP", b"DEALER", b"ROUTER", b"PUB", b"SUB", b"XPUB", b"XSUB", b"PUSH", b"PULL",
    b"PAIR",
];
const MECHANISMS: &[&[u8]] = &[b"\xff\0\0\0\0\0\0\0\x01\x7f\x03", b"NULL", b"PLAIN", b"CURVE"];
/// Operations on a link, and what they lead to.
const PLAY: &[&[u8]] = &[
    b"\x0c\x00\x0d\x00",
    b"\x0c\x02",
    b"\x0c\x03",
    b"\x0d\x01",
    b"\x80\x00",
    b"\x0e\x14\x02ab\x02cd\x01e",
    b"\x8e\x14\x02ab\x02cd\x01e",
    b"\x0e\x04\xff.",
    b"\x04\x00\x0a\x01",
];
const FRAMES: &[&[u8]] = &[
    b"\x00\x01A",
    b"\x01\x00",
    b"\x04\x05",
    b"\x02\0\0\0\0\0\0\x01\0",
    b"\x06\0\0\0\0\0\x01\0\0",
    b"\xa5\x80\x00",
];

pub(super) fn dictionaries() -> Vec<Dictionary> {
    let certificate: &[&[u8]] = &[
        b"metadata\n",
        b"curve\n",
        b"    ",
        b"public-key = \"\x02\"\n",
        b"secret-key = \"\x01\"\n",
        b" = ",
        b"'",
        b"#",
        b"\r\n",
    ];
    let endpoint: &[&[u8]] = &[
        b"tcp://",
        b"ipc://",
        b"inproc://",
        b"*",
        b"[::1]",
        b"127.0.0.1",
        b":65535",
        b";",
        b"%eth0",
        b"@",
    ];
    let network: &[&[u8]] = &[
        b"/8",
        b"/32",
        b"/128",
        b"::ffff:",
        b"10.0.0.0",
        b"fd00::",
        b"0.0.0.0/0",
        b"::/0",
        b"[::1]:1",
    ];
    let zap: &[&[u8]] = &[
        b"\x80\x00",
        b"\x80\x031.0",
        b"\x80\x011",
        b"\x80\x03200",
        b"\x80\x03300",
        b"\x80\x03400",
        b"\x80\x03500",
        b"\x80\x07\x01a\0\0\0\x01b",
    ];
    let z85: &[&[u8]] =
        &[b"\x01", b"\x02", b"%nSc0", b"#####", b"00000", b"\0\0\0\0", b"HelloWorld"];
    let trie: &[&[u8]] =
        &[b"\x00\x01\x01a", b"\x02\x01\x01a", b"\x00\x02\x03abc", b"\xff*", b"\x03\x00"];
    let all: &[(&'static str, &[&[&[u8]]])] = &[
        ("adversary", &[PLAY]),
        ("certificate", &[certificate]),
        ("command", &[WORDS]),
        ("connection", &[MECHANISMS, WORDS, TYPES, FRAMES]),
        ("decoder", &[WORDS, FRAMES]),
        ("endpoint", &[endpoint]),
        ("greeting", &[MECHANISMS]),
        ("handshake", &[PLAY, WORDS]),
        ("metadata", &[WORDS, TYPES]),
        ("network", &[network]),
        ("trie", &[trie]),
        ("z85", &[z85]),
        ("zap", &[zap]),
    ];
    let words = |lists: &[&[&[u8]]]| lists.concat().into_iter().map(<[u8]>::to_vec).collect();
    all.iter().map(|(target, lists)| Dictionary { target, words: words(lists) }).collect()
}

type Add<'a> = &'a mut dyn FnMut(String, Vec<u8>);
type AddAll = fn(Add<'_>);

/// What [`Input::expanded`](super::Input) makes `count` octets of.
fn repeat(count: usize) -> [u8; 3] {
    let [.., high, low] = (count / 2).to_be_bytes();
    [REPEAT, high, low]
}

fn long(flags: u8, size: u64) -> Vec<u8> {
    [&[flags | 0x02][..], &size.to_be_bytes()].concat()
}

fn short(flags: u8, body: &[u8]) -> Vec<u8> {
    [&[flags, u8::try_from(body.len()).unwrap()], body].concat()
}

fn decoder(add: Add<'_>) {
    let mut file = |name: &str, circumstances: [u8; 5], octets: &[&[u8]]| {
        add(name.into(), [&circumstances[..], &octets.concat()].concat());
    };
    let plain = [0, 0, 0, 1, 7];
    let expand = [0, 1, 0, 200, 130];

    // What is good.
    file("short-frames", plain, &[b"\0\0\0\x01A\0\x05Hello", &short(0, &[b'x'; 255])]);
    file("long-frames", plain, &[&long(0, 1), b"A", &long(0, 256), &[b'x'; 256], &long(0, 0)]);
    file("multipart", plain, &[b"\x01\0\x01\x05Hello", &long(1, 3), b"abc\0\x05World\0\0"]);
    file("reserved-flags", plain, &[b"\xf8\x01A\xf9\x01B\x08\x01C\xfc\x05\x04PONG"]);
    let pieces =
        [2047, 2048, 2049].map(|size| [&long(0, size)[..], &vec![b'p'; size as usize]].concat());
    file("frames-around-what-is-copied", [0, 0, 3, 90, 129], &[&pieces.concat()]);
    let sizes = [65_534, 65_536, 65_538, 100_000];
    let large = sizes.map(|size| [&long(0, size)[..], &repeat(size as usize)].concat());
    file("frames-around-64-kib", expand, &[&large[..3].concat(), b"\0\x01A"]);
    file(
        "multipart-of-large-frames",
        expand,
        &[&long(1, 70_000), &repeat(70_000), &large[3], b"\0\0"],
    );
    file(
        "subscriptions",
        plain,
        &[b"\x04\x0b\x09SUBSCRIBEA\x04\x08\x06CANCELA\x00\x02\x01B\x00\x02\x00B"],
    );
    let ping = short(4, b"\x04PING\xff\xffa-context-that-is-much-too-long");
    file("heartbeats", plain, &[b"\x04\x07\x04PING\0\0\x04\x08\x04PONGLOL", &ping]);
    file("ping-between-frames", plain, &[b"\x01\x01a\x04\x07\x04PING\0\x01\0\x01b"]);
    file(
        "commands-that-mean-nothing",
        plain,
        &[b"\x04\x05\x04JOIN\x04\x0a\x05ERROR\x03500", READY_DEALER],
    );
    let topic = [&long(4, 10 + 65_538)[..], b"\x09SUBSCRIBE", &repeat(65_538)].concat();
    file("a-topic-beyond-64-kib", expand, &[&topic, b"\0\0"]);
    file("message-at-the-limit", [4, 0, 1, 0, 2], &[&long(1, 250), &[b'x'; 250], b"\0\x06Hello!"]);

    // What is not.
    file(
        "message-over-the-limit",
        [4, 0, 1, 0, 2],
        &[&long(1, 250), &[b'x'; 250], b"\0\x07Hello!!"],
    );
    file("claims-everything", plain, &[b"\0\x01A", &long(0, u64::MAX)]);
    file("claims-a-lot-sends-little", plain, &[&long(0, (1 << 63) - 1), b"little"]);
    file("command-with-more", plain, &[b"\x04\x05\x04PONG\x05\x05\x04PONG"]);
    file("command-too-large", plain, &[&long(4, 65_793), b"\x08WHATEVER"]);
    file("topic-too-long", plain, &[&long(4, 10 + (64 << 20) + 1), b"\x09SUBSCRIBE"]);
    file("command-without-name", plain, &[b"\x04\x05\x04PONG\x04\x01\0"]);
    file("metadata-too-short", plain, &[b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x07DEALER"]);
}

const READY_DEALER: &[u8] = b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0";

fn greeting(minor: u8, mechanism: &[u8]) -> Vec<u8> {
    let mut octets = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x03"[..], &[minor], mechanism].concat();
    octets.resize(64, 0);
    octets
}

fn ready(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in properties {
        body.push(u8::try_from(name.len()).unwrap());
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
        body.extend_from_slice(value);
    }
    match body.len() {
        0..256 => short(4, &body),
        size => [long(4, size as u64), body].concat(),
    }
}

/// The number of a type in an input.
fn number(socket_type: SocketType) -> u8 {
    SocketType::ALL.iter().position(|each| *each == socket_type).unwrap() as u8
}

fn connection(add: Add<'_>) {
    strangers(add);
    pairs(add);
}

fn strangers(add: Add<'_>) {
    let mut file = |name: &str, ours: SocketType, octets: &[&[u8]]| {
        let circumstances = [Mode::Stranger as u8, number(ours), 0, 0, 0, 1, 22];
        add(name.into(), [&circumstances[..], &octets.concat()].concat());
    };
    let null = greeting(1, b"NULL");
    let message = b"\x01\0\0\x05Hello";

    // Each type as libzmq announces it, and traffic.
    for theirs in SocketType::ALL {
        let ours = SocketType::ALL.into_iter().find(|ours| ours.is_compatible(theirs)).unwrap();
        let mut properties = vec![("Socket-Type", theirs.as_str().as_bytes())];
        if matches!(theirs, SocketType::Req | SocketType::Dealer | SocketType::Router) {
            properties.push(("Identity", b"peer"));
        }
        let traffic: &[u8] = match theirs {
            SocketType::Sub | SocketType::XSub => b"\x04\x0b\x09SUBSCRIBEA",
            _ => message,
        };
        let name = format!("ready-of-{}", theirs.as_str().to_ascii_lowercase());
        file(&name, ours, &[&null, &ready(&properties), traffic]);
    }
    let sub = ready(&[("Socket-Type", b"SUB")]);
    file("zmtp-3.0", SocketType::Pub, &[&greeting(0, b"NULL"), &sub, b"\0\x02\x01A\0\x02\0A"]);

    // Those we refuse.
    use SocketType::{Pub, Router};
    let named = |value: &[u8]| ready(&[("Socket-Type", value)]);
    file("bad-http", Router, &[b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]);
    file("bad-zmtp-1", Router, &[b"\x01\0\x06\0Hello"]);
    file("bad-zmtp-2", Router, &[b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x05\0\0"]);
    file("bad-mechanism", Router, &[&greeting(1, b"CURVE")]);
    file("bad-error", Router, &[&null, b"\x04\x0a\x05ERROR\x03400"]);
    file("bad-pairing", Pub, &[&null, &named(b"DEALER")]);
    let twice = ready(&[("Socket-Type", b"DEALER"), ("SOCKET-TYPE", b"REQ")]);
    file("bad-property-twice", Router, &[&null, &twice]);
    let identity = ready(&[("Socket-Type", b"DEALER"), ("Identity", b"\0peer")]);
    file("bad-identity", Router, &[&null, &identity]);
    // Sends what it claims, too: more than a connection may hold.
    let octets = [&null, &long(4, 40_006)[..], b"\x05READY", &repeat(40_000)].concat();
    let circumstances = [Mode::Stranger as u8, number(Router), 0, 0, 1, 0, 1];
    add("bad-size".into(), [&circumstances[..], &octets].concat());
}

fn pairs(add: Add<'_>) {
    let mut file = |name: &str, ours: u8, theirs: u8, octets: &[&[u8]]| {
        let circumstances = [Mode::Pair as u8, ours, theirs, 0, 0, 0, 1];
        add(name.into(), [&circumstances[..], &octets.concat()].concat());
    };
    use SocketType::{Dealer, Pair, Router, Sub, XPub};
    let script = b"\x00\x01A\x01\x01A\x02\x03abc\x03\x03LOL\x04\x05Hello\x0a\x02ab\x02cd\x05\xff?";
    // A routing id and further properties.
    let [dealer, router] = [number(Dealer) | 0x30, number(Router) | 0x50];
    file("pair-that-fits", dealer, router, &[b"\0\0", script]);
    file("pair-that-does-not-fit", number(Pair), router, &[b"\0\0"]);
    let xpub = number(XPub);
    file("pair-flipped-minor-version", number(Sub), xpub, &[b"\0\x01\0\x0b\x01", script]);
    file("pair-flipped-ready", dealer, router, &[b"\x02\0\x47\x20\0\x53\x08\0", script]);
}

fn endpoint(add: Add<'_>) {
    for (name, text) in [
        ("tcp", "tcp://[fe80::1%eth0]:*;name.example:5555"),
        ("tcp-v6-without-brackets", "tcp://::ffff:1.2.3.4:0080"),
        ("tcp-any", "tcp://*:*"),
        ("ipc", "ipc:///tmp/app.sock"),
        ("ipc-abstract", "ipc://@app"),
        ("ipc-any", "ipc://*"),
        ("inproc", "inproc://a b://c;d\n"),
        ("bad-transport", "udp://1.2.3.4:9"),
        ("bad-no-transport", "localhost:5555"),
        ("bad-port", "TCP://localhost:70000/"),
    ] {
        add(name.into(), text.into());
    }
}

fn trie(add: Add<'_>) {
    let (insert, remove, look_up) = (0, 2, 3);
    let mut file = |name: &str, operations: &[(u8, u8, &[u8])]| {
        let operation = |(operation, key, topic): &(u8, u8, &[u8])| match topic {
            [octet] if *octet == b'*' => vec![*operation, *key, 0xFF, *octet],
            topic => [&[*operation, *key], &short(0, topic)[1..]].concat(),
        };
        add(name.into(), operations.iter().flat_map(operation).collect());
    };
    let branch: &[(u8, u8, &[u8])] = &[
        (insert, 1, b"abcdef"),
        (insert, 2, b"abX"),
        (insert, 1, b"abcd"),
        (look_up, 0, b"abcdefg"),
        (remove, 2, b"abX"),
        (remove, 1, b"abcd"),
        (look_up, 0, b"abcdefg"),
    ];
    file("splits-and-joins", branch);
    file("everything", &[(insert, 1, b""), (insert, 2, b""), (look_up, 0, b"x"), (remove, 1, b"")]);
    file("a-long-topic", &[(insert, 1, b"*"), (insert, 1, b"****"), (look_up, 0, b"*")]);
}
