//! [`Arena`]: numbered places for the nodes of a trie, in chunks that are
//! freed when the last node in them is.

use std::collections::BTreeSet;
use std::ops::{Index, IndexMut};

const CHUNK: usize = 256;

/// Values under numbers that stay the same for as long as the value lives.
#[derive(Debug)]
pub(super) struct Arena<T> {
    chunks: Vec<Chunk<T>>,
    /// Chunks with room. The lowest is filled first, so that the highest can
    /// run empty.
    open: BTreeSet<usize>,
    live: usize,
}

#[derive(Debug)]
struct Chunk<T> {
    places: Vec<Option<T>>,
    free: Vec<u8>,
    live: usize,
}

impl<T> Chunk<T> {
    fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), live: 0 }
    }
}

impl<T> Arena<T> {
    pub(super) fn new() -> Self {
        Self { chunks: Vec::new(), open: BTreeSet::new(), live: 0 }
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Whether the numbers may run out; a million before the last one.
    pub(super) fn is_full(&self) -> bool {
        self.chunks.len() > ((u32::MAX as usize) - (1 << 20)) / CHUNK
    }

    pub(super) fn insert(&mut self, value: T) -> u32 {
        let index = self.open.first().copied().unwrap_or_else(|| {
            self.chunks.push(Chunk::new());
            self.open.insert(self.chunks.len() - 1);
            self.chunks.len() - 1
        });
        let chunk = &mut self.chunks[index];
        let place = match chunk.free.pop() {
            Some(place) => {
                chunk.places[usize::from(place)] = Some(value);
                usize::from(place)
            }
            None => {
                chunk.places.push(Some(value));
                chunk.places.len() - 1
            }
        };
        chunk.live += 1;
        self.live += 1;
        if chunk.live == CHUNK {
            self.open.remove(&index);
        }
        (index * CHUNK + place) as u32
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<T> {
        let (index, place) = (id as usize / CHUNK, id as usize % CHUNK);
        let chunk = self.chunks.get_mut(index)?;
        let value = chunk.places.get_mut(place)?.take()?;
        chunk.live -= 1;
        self.live -= 1;
        self.open.insert(index);
        if chunk.live == 0 {
            *chunk = Chunk::new();
            self.drop_empty_tail();
        } else {
            chunk.free.push(place as u8);
        }
        Some(value)
    }

    pub(super) fn get(&self, id: u32) -> Option<&T> {
        self.chunks.get(id as usize / CHUNK)?.places.get(id as usize % CHUNK)?.as_ref()
    }

    /// Drops empty chunks from the end: some at a time, so that no removal has to
    /// pay for all that went before it. What is left is tiny and is used again.
    fn drop_empty_tail(&mut self) {
        for _ in 0..64 {
            if self.chunks.last().is_none_or(|chunk| chunk.live > 0) {
                break;
            }
            self.chunks.pop();
            self.open.remove(&self.chunks.len());
        }
        if self.chunks.len() < self.chunks.capacity() / 4 {
            self.chunks.shrink_to(self.chunks.len() * 2);
        }
    }
}

impl<T> Index<u32> for Arena<T> {
    type Output = T;

    fn index(&self, id: u32) -> &T {
        self.get(id).expect("the trie names only nodes it holds")
    }
}

impl<T> IndexMut<u32> for Arena<T> {
    fn index_mut(&mut self, id: u32) -> &mut T {
        self.chunks[id as usize / CHUNK].places[id as usize % CHUNK]
            .as_mut()
            .expect("the trie names only nodes it holds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_freed_when_empty_and_numbers_used_again() {
        let mut arena = Arena::new();
        let ids: Vec<u32> = (0..3000).map(|value| arena.insert(value)).collect();
        assert_eq!(arena.chunks.len(), 12);
        for &id in &ids[10..] {
            assert_eq!(arena.remove(id), Some(id));
            assert_eq!(arena.remove(id), None);
        }
        assert_eq!((arena.chunks.len(), arena.len()), (1, 10));
        assert_eq!(arena[3], 3);
        assert!(arena.insert(7) < 256);
        for id in 0..256 {
            arena.remove(id);
        }
        assert_eq!((arena.chunks.len(), arena.len(), arena.open.len()), (0, 0, 0));
    }

    #[test]
    fn one_removal_does_not_pay_for_many() {
        let mut arena = Arena::new();
        let ids: Vec<u32> = (0..100 * CHUNK).map(|value| arena.insert(value)).collect();
        for &id in &ids {
            arena.remove(id);
        }
        assert_eq!((arena.chunks.len(), arena.len()), (36, 0));
        // All of them are used again, and go if the last goes first.
        let ids: Vec<u32> = (0..100 * CHUNK).map(|value| arena.insert(value)).collect();
        for &id in ids.iter().rev() {
            arena.remove(id);
        }
        assert_eq!((arena.chunks.len(), arena.open.len()), (0, 0));
    }
}
