//! Messages that are numbered, and what may become of them.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use ferromq::Message;

/// What the contract says of the messages of one sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// All come, in their order. (Of a peer that is killed: all up to some.)
    All,
    /// Those that come do so in their order.
    Ordered,
    /// None comes twice. Where a connection is lost, what came over the next one may be
    /// received before the rest of it.
    Once,
}

/// How far behind a message may come that must come once.
const BEHIND: usize = 10_000;

/// A message: whose it is, its number, and octets that say nothing.
pub(crate) fn message(who: &str, number: u64, padding: usize) -> Message {
    Message::from([Bytes::from(format!("{who} {number}")), Bytes::from(vec![b'x'; padding])])
}

/// The last message of somebody who stays.
pub(crate) fn end(who: &str, count: u64) -> Message {
    Message::from([Bytes::from(format!("{who} {count} end"))])
}

/// What a message says.
struct Entry {
    who: String,
    number: u64,
    is_end: bool,
}

fn read(message: &Message) -> Entry {
    let text = std::str::from_utf8(&message[0]).expect("we wrote that");
    let mut words = text.split(' ');
    let who = words.next().expect("a name").to_owned();
    let number = words.next().expect("a number").parse().expect("a number");
    Entry { who, number, is_end: words.next().is_some() }
}

/// What one receiver has seen of its senders.
pub(crate) struct Ledger {
    case: String,
    rule: Rule,
    next: HashMap<String, u64>,
    seen: BTreeSet<u64>,
    pub(crate) received: u64,
    /// How many were left out.
    pub(crate) missing: u64,
}

impl Ledger {
    pub(crate) fn new(case: impl Into<String>, rule: Rule) -> Self {
        let (next, seen) = (HashMap::new(), BTreeSet::new());
        Self { case: case.into(), rule, next, seen, received: 0, missing: 0 }
    }

    /// The rule holds for this message. Names the sender whose last one it is.
    pub(crate) fn on(&mut self, message: &Message) -> Option<String> {
        let Entry { who, number, is_end } = read(message);
        if is_end {
            let next = self.next.remove(&who).unwrap_or(self.first(number));
            self.expect(&who, next, number);
            return Some(who);
        }
        self.received += 1;
        if self.rule == Rule::Once {
            self.once(&who, number);
        } else {
            let first = self.first(number);
            let next = self.next.entry(who.clone()).or_insert(first);
            let next = std::mem::replace(next, number + 1);
            self.expect(&who, next, number);
        }
        None
    }

    /// Where a sender begins that was not heard before, and is now with this number.
    fn first(&self, number: u64) -> u64 {
        if self.rule == Rule::All { 0 } else { number }
    }

    fn expect(&mut self, who: &str, next: u64, number: u64) {
        let (case, rule) = (&self.case, self.rule);
        match rule {
            Rule::All => assert_eq!(number, next, "{case}: {who} sends {number}, {next} is next"),
            Rule::Ordered => {
                assert!(number >= next, "{case}: {who} sends {number} after {next}");
                self.missing += number - next;
            }
            Rule::Once => {}
        }
    }

    fn once(&mut self, who: &str, number: u64) {
        let case = &self.case;
        assert!(self.seen.insert(number), "{case}: {number} of {who} came twice");
        if self.seen.len() > BEHIND {
            let oldest = self.seen.pop_first();
            assert_ne!(oldest, Some(number), "{case}: {number} of {who} comes very late");
        }
    }
}
