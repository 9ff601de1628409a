//! [`Node`]: one node of the trie, 48 octets without its label.

/// A node: the label of the edge that leads to it, its children, and who
/// subscribes to the topic that ends here.
#[derive(Debug)]
pub(super) struct Node<K> {
    /// Never empty, except at the root.
    pub(super) label: Box<[u8]>,
    pub(super) parent: u32,
    pub(super) keys: Keys<K>,
    branches: Option<Box<Branches>>,
}

/// The children by the first octet of their labels, in order; at most 256.
#[derive(Debug, Default)]
struct Branches(Vec<(u8, u32)>);

impl<K: Copy + Ord> Node<K> {
    pub(super) fn new(label: &[u8], parent: u32) -> Self {
        Self { label: label.into(), parent, keys: Keys::None, branches: None }
    }

    pub(super) fn child(&self, first: u8) -> Option<u32> {
        let branches = self.branches();
        let found = branches.binary_search_by_key(&first, |&(octet, _)| octet).ok()?;
        branches.get(found).map(|&(_, child)| child)
    }

    pub(super) fn branches(&self) -> &[(u8, u32)] {
        self.branches.as_ref().map_or(&[], |branches| &branches.0)
    }

    /// Makes `child` the one whose label starts with `first`.
    pub(super) fn set_child(&mut self, first: u8, child: u32) {
        let branches = &mut self.branches.get_or_insert_default().0;
        match branches.binary_search_by_key(&first, |&(octet, _)| octet) {
            Ok(found) => branches[found].1 = child,
            Err(place) => {
                if branches.is_empty() {
                    branches.reserve_exact(1);
                }
                branches.insert(place, (first, child));
            }
        }
    }

    pub(super) fn remove_child(&mut self, first: u8) {
        let Some(branches) = self.branches.as_mut().map(|branches| &mut branches.0) else {
            return;
        };
        if let Ok(found) = branches.binary_search_by_key(&first, |&(octet, _)| octet) {
            branches.remove(found);
        }
        if branches.is_empty() {
            self.branches = None;
        } else if branches.len() < branches.capacity() / 4 {
            branches.shrink_to(branches.len() * 2);
        }
    }
}

/// A set of subscribers; mostly there is none, or one.
#[derive(Debug)]
pub(super) enum Keys<K> {
    None,
    One(K),
    Many(Box<Sorted<K>>),
}

#[derive(Debug)]
pub(super) struct Sorted<K>(Vec<K>);

impl<K: Copy + Ord> Keys<K> {
    pub(super) fn as_slice(&self) -> &[K] {
        match self {
            Self::None => &[],
            Self::One(key) => std::slice::from_ref(key),
            Self::Many(keys) => &keys.0,
        }
    }

    /// Says whether it was not there.
    pub(super) fn insert(&mut self, key: K) -> bool {
        match self {
            Self::None => *self = Self::One(key),
            Self::One(other) if *other == key => return false,
            Self::One(other) => {
                let (low, high) = if *other < key { (*other, key) } else { (key, *other) };
                *self = Self::Many(Box::new(Sorted(vec![low, high])));
            }
            Self::Many(keys) => match keys.0.binary_search(&key) {
                Ok(_) => return false,
                Err(place) => keys.0.insert(place, key),
            },
        }
        true
    }

    /// Says whether it was there.
    pub(super) fn remove(&mut self, key: &K) -> bool {
        match self {
            Self::One(other) if other == key => *self = Self::None,
            Self::None | Self::One(_) => return false,
            Self::Many(keys) => {
                let keys = &mut keys.0;
                let Ok(found) = keys.binary_search(key) else { return false };
                keys.remove(found);
                if let [last] = keys[..] {
                    *self = Self::One(last);
                } else if keys.len() < keys.capacity() / 4 {
                    keys.shrink_to(keys.len() * 2);
                }
            }
        }
        true
    }
}
