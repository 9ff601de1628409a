//! [`SubscriptionTrie`]: who subscribes to which prefix, for all peers of a
//! socket at once.
//!
//! A radix trie: an edge carries as many octets as no topic branches within, up
//! to a limit, so a topic costs its own octets and one node, or one for each few
//! KiB if it is long. Nothing here recurses, for topics are as long and as many
//! as peers like.
//!
//! Every operation costs by the length of its topic and the subscribers it
//! finds, not by how many other topics or peers there are. (Making or undoing a
//! branch also copies the label it cuts, which is part of another topic; the
//! limit is there so that this is not much.)

use std::ops::ControlFlow;

use arena::Arena;
use node::{Keys, Node};

mod arena;
mod node;
#[cfg(test)]
mod tests;

const ROOT: u32 = 0;

/// How many octets a label has at most. A longer one is cut whenever somebody
/// subscribes to a part of it, at a cost that he does not pay for.
const LABEL: usize = 4 << 10;

/// Topics, each with a set of subscribers `K`.
#[derive(Debug)]
pub(crate) struct SubscriptionTrie<K> {
    nodes: Arena<Node<K>>,
}

/// Names a topic for as long as it has a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TopicId(u32);

/// What [`SubscriptionTrie::insert`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// The subscriber did not have the topic.
    pub(crate) new: bool,
    /// Nobody had the topic.
    pub(crate) first: bool,
    pub(crate) id: TopicId,
}

/// What [`SubscriptionTrie::remove`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removed {
    /// The subscriber had the topic; it has it no longer.
    pub(crate) existed: bool,
    /// Nobody else has it.
    pub(crate) last: bool,
}

impl<K: Copy + Ord> SubscriptionTrie<K> {
    pub(crate) fn new() -> Self {
        let mut nodes = Arena::new();
        nodes.insert(Node::new(&[], ROOT));
        Self { nodes }
    }

    /// Whether there may be no numbers left for more topics.
    pub(crate) fn is_full(&self) -> bool {
        self.nodes.is_full()
    }

    /// How many nodes there are, the root among them.
    pub(crate) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn insert(&mut self, topic: &[u8], key: &K) -> Inserted {
        let at = self.place(topic);
        let keys = &mut self.nodes[at].keys;
        let first = keys.as_slice().is_empty();
        Inserted { new: keys.insert(*key), first, id: TopicId(at) }
    }

    pub(crate) fn remove(&mut self, topic: &[u8], key: &K) -> Removed {
        match self.find(topic) {
            Some(id) => self.remove_id(id, key),
            None => Removed { existed: false, last: false },
        }
    }

    /// As [`remove`](Self::remove), for a topic whose name is known.
    pub(crate) fn remove_id(&mut self, id: TopicId, key: &K) -> Removed {
        if self.nodes.get(id.0).is_none() {
            return Removed { existed: false, last: false };
        }
        let keys = &mut self.nodes[id.0].keys;
        let existed = keys.remove(key);
        let last = existed && keys.as_slice().is_empty();
        if last {
            self.tidy(id.0);
        }
        Removed { existed, last }
    }

    /// The name of a topic that somebody subscribes to.
    pub(crate) fn find(&self, topic: &[u8]) -> Option<TopicId> {
        let (mut at, mut rest) = (ROOT, topic);
        while let Some(&first) = rest.first() {
            at = self.nodes[at].child(first)?;
            rest = rest.strip_prefix(&*self.nodes[at].label)?;
        }
        let subscribed = !self.nodes[at].keys.as_slice().is_empty();
        subscribed.then_some(TopicId(at))
    }

    /// Who subscribes to exactly this topic.
    pub(crate) fn subscribers(&self, id: TopicId) -> &[K] {
        self.nodes.get(id.0).map_or(&[], |node| node.keys.as_slice())
    }

    /// How many octets the topic has.
    pub(crate) fn topic_len(&self, id: TopicId) -> usize {
        self.labels_upwards(id).map(<[u8]>::len).sum()
    }

    /// Writes the topic into `topic`, in place of what that held.
    pub(crate) fn topic(&self, id: TopicId, topic: &mut Vec<u8>) {
        let mut left = self.topic_len(id);
        topic.resize(left, 0);
        for label in self.labels_upwards(id) {
            let start = left - label.len();
            topic[start..left].copy_from_slice(label);
            left = start;
        }
    }

    /// The labels of a topic, from its end to its start.
    fn labels_upwards(&self, id: TopicId) -> impl Iterator<Item = &[u8]> {
        let node = |at| self.nodes.get(at).filter(|_| at != ROOT);
        let nodes = std::iter::successors(node(id.0), move |below| node(below.parent));
        nodes.map(|node| &*node.label)
    }

    /// Visits every subscriber of every topic that `octets` starts with; one
    /// with several such topics, several times.
    pub(crate) fn matches(&self, octets: &[u8], mut visit: impl FnMut(K)) {
        self.walk(octets, |keys| {
            keys.iter().copied().for_each(&mut visit);
            ControlFlow::Continue(())
        });
    }

    /// Whether `octets` starts with a topic that anybody subscribes to.
    pub(crate) fn matches_any(&self, octets: &[u8]) -> bool {
        let mut any = false;
        self.walk(octets, |keys| {
            any = !keys.is_empty();
            if any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        any
    }

    // RFC 29: SHALL perform a binary comparison of the subscription against the
    // start of the first frame of the message.
    fn walk(&self, octets: &[u8], mut visit: impl FnMut(&[K]) -> ControlFlow<()>) {
        let (mut node, mut rest) = (&self.nodes[ROOT], octets);
        while visit(node.keys.as_slice()).is_continue() {
            let Some(child) = rest.first().and_then(|&first| node.child(first)) else { return };
            node = &self.nodes[child];
            match rest.strip_prefix(&*node.label) {
                Some(left) => rest = left,
                None => return,
            }
        }
    }

    /// The node of a topic, made if there is none.
    fn place(&mut self, topic: &[u8]) -> u32 {
        let (mut at, mut rest) = (ROOT, topic);
        while let Some(&first) = rest.first() {
            let Some(child) = self.nodes[at].child(first) else { return self.grow(at, rest) };
            let label = &*self.nodes[child].label;
            if let Some(left) = rest.strip_prefix(label) {
                (at, rest) = (child, left);
            } else {
                let common = label.iter().zip(rest).take_while(|(a, b)| a == b).count();
                at = self.split(child, common);
                rest = &rest[common..];
            }
        }
        at
    }

    /// A new leaf, so many octets below a node. None of its branches begins as
    /// they do.
    fn grow(&mut self, from: u32, octets: &[u8]) -> u32 {
        let mut at = from;
        for label in octets.chunks(LABEL) {
            let below = self.nodes.insert(Node::new(label, at));
            self.nodes[at].set_child(label[0], below);
            at = below;
        }
        at
    }

    /// Puts a node into the edge to `child`, after `length` octets of it. The
    /// child keeps its number.
    fn split(&mut self, child: u32, length: usize) -> u32 {
        let node = &mut self.nodes[child];
        let (upper, lower) = node.label.split_at(length);
        let (above, first, branch) = (node.parent, upper[0], lower[0]);
        let mut middle = Node::new(upper, above);
        middle.set_child(branch, child);
        node.label = lower.into();
        let middle = self.nodes.insert(middle);
        self.nodes[child].parent = middle;
        self.nodes[above].set_child(first, middle);
        self.mend(above);
        self.mend(child);
        middle
    }

    /// Takes away what nobody needs any longer, from a node upwards: a leaf
    /// without subscribers, and a node without subscribers in the middle of
    /// what could be one edge.
    fn tidy(&mut self, from: u32) {
        let mut at = from;
        while at != ROOT && matches!(self.nodes[at].keys, Keys::None) {
            match *self.nodes[at].branches() {
                [] => {
                    let Some(leaf) = self.nodes.remove(at) else { return };
                    self.nodes[leaf.parent].remove_child(leaf.label[0]);
                    at = leaf.parent;
                }
                [_] => {
                    let above = self.nodes[at].parent;
                    self.mend(at);
                    return self.mend(above);
                }
                _ => return,
            }
        }
    }

    /// Makes one edge of two, where nothing branches or ends between them and
    /// one can hold both. So any two in a row are longer than one may be, and a
    /// topic has no more nodes for its length than twice as many as needed.
    fn mend(&mut self, middle: u32) {
        if middle == ROOT || !matches!(self.nodes[middle].keys, Keys::None) {
            return;
        }
        if let [(_, child)] = *self.nodes[middle].branches() {
            if self.nodes[middle].label.len() + self.nodes[child].label.len() <= LABEL {
                self.join(middle, child);
            }
        }
    }

    /// Undoes [`split`](Self::split). The child keeps its number.
    fn join(&mut self, middle: u32, child: u32) {
        let Some(upper) = self.nodes.remove(middle) else { return };
        let lower = &mut self.nodes[child];
        lower.label = [&*upper.label, &*lower.label].concat().into();
        lower.parent = upper.parent;
        self.nodes[upper.parent].set_child(upper.label[0], child);
    }
}
