//! Values that keep their place until they are taken.
//!
//! In chunks: nothing moves when it grows, so that adding costs the same however much is there, and
//! a chunk that becomes empty goes.

use std::num::NonZeroUsize;

/// So many values are allocated at a time; a number of a place in it is a byte.
const CHUNK: usize = 128;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(NonZeroUsize);

struct Chunk<V> {
    /// No capacity while there is no value.
    places: Vec<Option<V>>,
    /// Places that had a value, and have none.
    free: Vec<u8>,
}

pub(crate) struct Slab<V> {
    chunks: Vec<Chunk<V>>,
    /// Chunks that are not full.
    open: Vec<usize>,
}

impl<V> Default for Slab<V> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            open: Vec::new(),
        }
    }
}

impl<V> Slab<V> {
    pub(crate) fn add(&mut self, value: V) -> Key {
        let number = self.open.last().copied().unwrap_or_else(|| {
            self.chunks.push(Chunk {
                places: Vec::new(),
                free: Vec::new(),
            });
            self.open.push(self.chunks.len() - 1);
            self.chunks.len() - 1
        });
        let chunk = &mut self.chunks[number];
        let place = match chunk.free.pop() {
            Some(place) => {
                chunk.places[usize::from(place)] = Some(value);
                usize::from(place)
            }
            None => {
                if chunk.places.is_empty() {
                    chunk.places.reserve_exact(CHUNK);
                }
                chunk.places.push(Some(value));
                chunk.places.len() - 1
            }
        };
        if chunk.free.is_empty() && chunk.places.len() == CHUNK {
            self.open.pop();
        }
        Key(NonZeroUsize::MIN.saturating_add(number * CHUNK + place))
    }

    pub(crate) fn get(&self, key: Key) -> Option<&V> {
        let (number, place) = split(key);
        self.chunks.get(number)?.places.get(place)?.as_ref()
    }

    pub(crate) fn take(&mut self, key: Key) -> Option<V> {
        let (number, place) = split(key);
        let chunk = self.chunks.get_mut(number)?;
        let value = chunk.places.get_mut(place)?.take()?;
        if chunk.free.is_empty() && chunk.places.len() == CHUNK {
            self.open.push(number);
        }
        chunk.free.push(place as u8);
        if chunk.free.len() == chunk.places.len() {
            chunk.places = Vec::new();
            chunk.free = Vec::new();
        }
        Some(value)
    }
}

/// The chunk, and the place in it.
fn split(key: Key) -> (usize, usize) {
    let index = key.0.get() - 1;
    (index / CHUNK, index % CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_value_is_where_it_was_put_until_it_is_taken() {
        let random = fastrand::Rng::with_seed(7);
        let mut random = random;
        let (mut slab, mut model) = (Slab::default(), HashMap::new());
        for n in 0..20_000_usize {
            // It grows, and shrinks to nothing.
            if random.usize(..20_000) > n {
                let key = slab.add(n);
                assert_eq!(model.insert(key.0, n), None, "a place for each");
            } else if let Some((&key, _)) = model.iter().next() {
                assert_eq!(slab.take(Key(key)), model.remove(&key));
                assert_eq!(slab.take(Key(key)), None);
            }
            if let Some((&key, value)) = model.iter().next() {
                assert_eq!(slab.get(Key(key)), Some(value));
            }
        }
        for (key, value) in model {
            assert_eq!(slab.take(Key(key)), Some(value));
        }
    }

    #[test]
    fn chunks_without_values_go() {
        let mut slab = Slab::default();
        let keys: Vec<_> = (0..CHUNK * 10).map(|n| slab.add(n)).collect();
        for key in &keys[1..] {
            slab.take(*key);
        }
        let held = slab.chunks.iter().map(|chunk| chunk.places.capacity());
        assert_eq!(held.sum::<usize>(), CHUNK);
        for n in 1..CHUNK * 10 {
            slab.add(n);
        }
        assert_eq!(slab.chunks.len(), 10, "their numbers are used again");
    }
}
