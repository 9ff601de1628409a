//! Where ferromq departs from an RFC on purpose, and why.
//!
//! The tests under `tests/rfc` take each SHALL, SHALL NOT and MUST of the RFCs
//! 23 and 37 (ZMTP), 24 to 27 (PLAIN, CURVE, ZAP), 28 (request-reply), 29 (publish-subscribe), 30 (pipeline)
//! and 31 (exclusive pair) by itself. For a sentence in the tables below, the
//! test shows what ferromq does instead; its name begins with `departs_`.
//!
//! Two things hold throughout. Where an RFC says "silently", ferromq counts:
//! each socket's `dropped` says how many messages it has lost, for each
//! [`DropCause`](crate::DropCause). And where the RFCs and libzmq disagree,
//! libzmq's peers are the ones that are out there.
//!
//! # Every pattern
//!
//! | The sentence | What ferromq does | Why |
//! |---|---|---|
//! | RFC 28, 29, 30, 31: "If this peer disconnects, the socket SHALL destroy its double queue and SHALL discard any messages it contains." | Outgoing messages are destroyed, and counted. Whole messages that had come in are still received, in order; a ROUTER gives them under the name their sender had. Only our own `disconnect`, `unbind` and `close` discard them. | A peer that sends, lingers until all is out, and leaves has done all it can; its messages are not to be lost. libzmq does the same. |
//! | RFC 28, 29, 30, 31: "SHALL create a double queue when initiating an outgoing connection to a peer, and SHALL maintain the double queue whether or not the connection is established." | So it is over tcp and ipc, and over inproc until somebody binds the name. A socket that has left an inproc name is gone: there is no coming back. | There is no connection to be lost inside a process; a socket that was closed was closed on purpose. As libzmq. |
//!
//! # Request-reply (RFC 28)
//!
//! | The sentence | What ferromq does | Why |
//! |---|---|---|
//! | ROUTER: "SHALL create a double queue when initiating an outgoing connection to a peer, and SHALL maintain the double queue whether or not the connection is established." | An endpoint is sent to from its first handshake on, and from then on also while its connection is down. Before, it has no name: what is sent to the name it will have is unroutable. If it comes back under another name, it is that one that counts, and the former one is unroutable. | The name comes from the peer, in the handshake. libzmq does not forget the first one. |
//! | ROUTER: "SHALL NOT block on sending." | With [`router_mandatory`](crate::SocketOptions::router_mandatory), `send_to` waits while the peer is full; an unknown peer is an error at once. Without, it never waits. | Whoever asks that nothing be dropped has to wait for room; a full peer is no error. As libzmq. |
//! | ROUTER: "SHALL prefix each incoming message with a frame containing the identity of the originating double queue." "SHALL remove the first frame from each outgoing message and use this as the identity of a double queue." | `recv` gives the identity beside the message and `send_to` takes it so. [`recv_raw`](crate::RouterSocket::recv_raw) and [`send_raw`](crate::RouterSocket::send_raw) have the form of the RFC. | A name is not a part of a message: nobody forgets to take it off, or to put it on. |
//!
//! # Publish-subscribe (RFC 29, and RFC 37 for the wire)
//!
//! | The sentence | What ferromq does | Why |
//! |---|---|---|
//! | SUB, XSUB: "SHALL silently discard messages if the queue for a publisher is full." | A subscriber at its mark stops reading. When the kernel's buffers are full as well, the publisher is full for this subscriber, drops and counts. | One side decides, and knows, what is dropped. As libzmq. |
//! | PUB, XPUB: "SHALL NOT block on sending." | With [`xpub_nodrop`](crate::SocketOptions::xpub_nodrop), `send` waits while a subscriber that the message is for is full. Without, it never waits. | As with ROUTER. As libzmq. |
//! | PUB, XPUB: "SHALL maintain the queue whether or not the connection is established." | What is in the queue when a connection that we made is lost goes out on the next one. The subscriptions end with their connection, so what is published in between is for nobody. | A subscriber subscribes again on each connection; what it wants may have changed. |
//! | XPUB: "SHALL receive incoming messages from its subscribers using a fair-queuing strategy." | Messages and subscriptions are received in the order in which they came; the connections are read in turn. | Subscriptions of one peer must not wait for messages of another, and the order of both tells a proxy what holds. As libzmq. |
//! | XPUB: "SHALL deliver these messages to its calling application." | Messages of one peer beyond the mark [`recv_hwm`](crate::SocketOptions::recv_hwm) that the application has not received are dropped and counted, and so is what is more than the room left for all, which together have twice the mark. Subscriptions are not subject to it. | An XPUB that stopped reading would not hear of subscriptions any more, and one that is only sent with would keep messages for ever. |
//! | XSUB: "When closing a connection to a publisher SHOULD send unsubscribe requests for all subscriptions." | It just ends the connection. | A publisher forgets the subscriptions of a peer that leaves; XPUB tells its application of each. |
//! | RFC 37: "Subscriptions \[…\] SHALL NOT be idempotent. \[…\] Subscribing to "A" and "A" counts as two subscriptions, and would require two CANCEL commands to undo." | Subscriptions are a set for each peer: one CANCEL undoes any number of SUBSCRIBEs. The subscriber counts: as many `unsubscribe` as `subscribe`, then one CANCEL. | libzmq's SUB sends each SUBSCRIBE but only one CANCEL; a publisher that counted would never be rid of its subscriptions. |
//!
//! # ZMTP (RFC 23 and 37)
//!
//! | The sentence | What ferromq does | Why |
//! |---|---|---|
//! | "The peer SHALL treat an incoming ERROR command as fatal, and act by closing the connection, and not re-connecting using the same security credentials." | It closes the connection, and dials again after a second, then two, and so on up to a minute; each time there is an event with the reason. The same after anything else that shows that a peer is alive and does not fit. After a refusal that may pass (the routing id is taken, the PAIR has its peer, there are too many connections), which ferromq tells its own peers so, it dials once a second. | Peers get repaired, and a socket that has given up for good by itself cannot be. |
//! | "The value SHALL be 0 to 2,147,483,647 (2^31-1 or INT32_MAX in C/C++) octets of opaque binary data." | A command of the handshake has at most 8 KiB, and 64 properties. A peer that claims more is closed before it is read. | Nobody has proved anything before the handshake is done, so nobody may claim memory. An honest READY has some dozens of octets. |
//! | RFC 37: "the client SHALL send a READY command and then wait for a READY command in reply." "The peer that binds SHALL be the server" | Both sides send READY at once, as RFC 23 has it: "each peer MUST send its READY command before attempting to receive a READY from the other peer." | NULL has no roles. As libzmq. |
//! | RFC 23: "each peer MUST send its READY command before attempting to receive a READY from the other peer." | A ROUTER and a PAIR that accept a connection, and any socket with [`max_connections`](crate::SocketOptions::max_connections), send READY when they have judged that of the peer. When they dial they send it at once, so that no two wait for each other. | A peer that is turned away was never ready: what it has to send waits with it, and is not lost. For the side that accepts, RFC 37 has it so. |
//! | RFC 37: "Metadata names starting with "X-" SHALL be reserved for application use." | All but `X-Ferromq`, which each ferromq socket sends. An application neither sees it nor can set it. | libzmq never dials again after an ERROR, so only peers that do are told why they are turned away for now; and names without `X-` are the RFC's. |
//! | RFC 37: "The implementation SHALL accept all resource requests" | A property `Resource` is accepted and shown with the other metadata of the peer; it selects nothing. | No implementation has resources. |
//! | RFC 37: "The first octet of the Identity SHALL NOT be zero" | Any 1 to 255 octets name a peer. Those that a ROUTER gives by itself begin with zero and skip what is in use; a peer that comes with one of them is turned away, as with any name that is taken. | Such names are in use, to number peers; and a broker that keeps names as frames has to make names of them again. As libzmq. |
//! | RFC 37: the ping-context "MUST not exceed 16 octets" | A longer one is cut to 16 in the answer, not refused. | As libzmq, whose tests send one. |
//! | RFC 37: "When a peer receives a PING command it SHALL respond with a PONG command that echoes the ping-context" | So it does when it reads the PING. While a peer is held back at a receive mark, it gets an empty PONG every 100 ms without asking, or twice for each of its PINGs if they came more often (of ZMTP 3.0 only one that has sent a PING; a ferromq peer without heartbeats says so in READY and gets none). Meanwhile we do not give it up, nor does its TTL run. | Its PINGs lie behind messages that we do not read yet. It would take us for dead, with what is under way. To libzmq, too, anything is a sign of life. |
//! | "Bits 7-3 are reserved for future use and MUST be zero." | They are zero in all we send, and ignored in what a peer sends. | So does libzmq, and the future could not use them otherwise. |
//!
//! # PLAIN (RFC 24), CURVE (RFC 25, 26) and ZAP (RFC 27)
//!
//! | The sentence | What ferromq does | Why |
//! |---|---|---|
//! | RFC 24, 25: "The \[…\] mechanism uses the greeting as-server field to identify which peer is "client" and which peer is "server"." | A server says that it is one. What the peer says of that is not looked at. | libzmq never says it. |
//! | RFC 24: "username = OCTET *VCHAR", "password = OCTET *VCHAR" | Any octets, up to 255. | The policy knows what it has set. As libzmq. |
//! | RFC 26: "the client SHALL NOT try to reconnect using the same credentials." | It does, slowly, as after any ERROR. | Who may come in may change. |
//! | RFC 26: HELLO has a padding that "SHALL be 70 octets, all zero." | It is 72 zeros, as the grammar of the RFC has it. What it is in a HELLO that comes is not looked at. | It says nothing. As libzmq. |
//! | RFC 26: "The server SHALL not keep this transient key pair", but encode it in the cookie. | It is kept with the connection, and the cookie is random. | The connection is kept anyhow. So there is no cookie key to be stolen, and a cookie is of use in no other connection. |
//! | RFC 26: "Bits 7-1: Reserved. These bits are reserved for future use and MUST be zero." | Bit 1 says that a frame is a command. The others are zero in what we send, and not looked at. | So libzmq sends heartbeats and subscriptions. |
//! | RFC 26: "If the client does not pass authentication, the server SHALL not respond except by closing the connection." | It says ERROR with 400 or 500; at 300 it just closes. | The same RFC: "A server SHALL indicate an authentication failure by sending an ERROR command". As libzmq. |
//! | RFC 27: "The domain, which SHALL contain a (non-empty) string." | It may be empty, unless [`zap_enforce_domain`](crate::SocketOptions::zap_enforce_domain) is set. | As libzmq. |
//! | RFC 27: "identity: this provides the Identity metadata property, if any, provided by the connection." | It is the routing id of the server's own socket. | With NULL and PLAIN, that of the client is not known yet. As libzmq. |
//! | RFC 26: MESSAGE is a command | It is an ordinary frame whose body begins with `MESSAGE`, and is taken with whatever flags outside. | So libzmq sends and wants it: a frame with the flag COMMAND would be dropped there. |
//! | RFC 27: a server without a handler | Nobody comes in: [`Policy::zap`](crate::Policy::zap) refuses with 500. | libzmq lets everyone in with CURVE then. Where that is wanted, [`Policy::allow_any`](crate::Policy::allow_any) says so. |
