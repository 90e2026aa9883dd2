//! The model of the queue: a `VecDeque` of item numbers for each band.

use std::collections::VecDeque;

use bandq::Band;

/// What a queue of some bands should hold.
pub struct Bands {
    fifos: Vec<VecDeque<u32>>,
    len: usize,
}

impl Bands {
    /// An empty model of `bands` bands.
    pub fn new(bands: usize) -> Self {
        Self {
            fifos: vec![VecDeque::new(); bands],
            len: 0,
        }
    }

    /// The number of bands.
    pub fn count(&self) -> usize {
        self.fifos.len()
    }

    /// Whether there is such a band.
    pub fn has(&self, band: Band) -> bool {
        band.index() < self.fifos.len()
    }

    /// Puts item `id` last in its band.
    pub fn push(&mut self, band: Band, id: u32) {
        self.fifos[band.index()].push_back(id);
        self.len += 1;
    }

    /// Takes the item that must come next, and its band's index.
    pub fn pop(&mut self) -> Option<(usize, u32)> {
        if self.len == 0 {
            return None;
        }
        let band = self.fifos.iter().position(|fifo| !fifo.is_empty())?;
        self.len -= 1;
        Some((band, self.fifos[band].pop_front()?))
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of items in one band; 0 where there is no such band.
    pub fn band_len(&self, band: Band) -> usize {
        self.fifos.get(band.index()).map_or(0, VecDeque::len)
    }

    /// Forgets all items.
    pub fn clear(&mut self) {
        self.fifos.iter_mut().for_each(VecDeque::clear);
        self.len = 0;
    }
}

/// The number of bands that a byte of setup stands for: mostly few, as many make a run slow and
/// show little more.
pub fn bands_from(byte: u8) -> usize {
    const COUNTS: [usize; 16] = [2, 3, 1, 4, 8, 64, 63, 33, 2, 3, 1, 4, 8, 2, 3, 1];
    COUNTS[byte as usize % COUNTS.len()]
}

/// The band that a byte of a step stands for: with many bands a few from all over, and now and then
/// one that is not there (there is always one, unless all 64 are).
pub fn band_from(byte: u8, bands: usize) -> Band {
    const FAR: [u8; 5] = [0, 1, 31, 61, 62];
    let pick = byte % 16;
    let index = match (pick, bands) {
        (15, _) => bands.min(63) as u8,
        (14, _) => 63,
        (_, ..=4) => pick % bands as u8,
        _ => {
            let near = FAR[pick as usize % FAR.len()];
            near.min(bands as u8 - 1)
        }
    };
    Band::new(index)
}
