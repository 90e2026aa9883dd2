//! Who may work on what: general and reserved workers, and how many at a time of one band.

use bandq::Band;

/// Workers who may take from the same bands.
struct Group {
    /// A bit a band.
    mask: u64,
    free: Vec<usize>,
}

/// Workers are numbers. Those who work are known by the caller.
pub(crate) struct Crew {
    /// The general workers first.
    groups: Vec<Group>,
    /// The group of each worker.
    group_of: Vec<usize>,
    /// How many may work on a band at a time.
    limits: Vec<usize>,
    running: Vec<usize>,
    /// Bands on which as many work as may, a bit a band.
    full: u64,
    /// There is always one more general worker.
    grows: bool,
}

impl Crew {
    /// General workers, `grows` instead of a number for as many as are needed.
    pub(crate) fn new(bands: usize, general: Option<usize>) -> Self {
        let mut crew = Self {
            groups: Vec::new(),
            group_of: Vec::new(),
            limits: vec![usize::MAX; bands],
            running: vec![0; bands],
            full: 0,
            grows: general.is_none(),
        };
        crew.add(u64::MAX, general.unwrap_or(0));
        crew
    }

    /// So many more workers, for those bands.
    pub(crate) fn add(&mut self, mask: u64, count: usize) {
        let group = self.groups.len();
        let first = self.group_of.len();
        self.group_of.resize(first + count, group);
        let free = (first..first + count).rev().collect();
        self.groups.push(Group { mask, free });
    }

    pub(crate) fn limit(&mut self, band: Band, count: usize) {
        if let Some(limit) = self.limits.get_mut(band.index()) {
            *limit = count;
        }
    }

    /// The bands on which one more may work now, a bit a band.
    pub(crate) fn open(&self) -> u64 {
        let mut open = 0;
        for (n, group) in self.groups.iter().enumerate() {
            if !group.free.is_empty() || (n == 0 && self.grows) {
                open |= group.mask;
            }
        }
        open & !self.full
    }

    /// Somebody begins on an item of an open band: a general worker, if one is free, so that those
    /// who are reserved stay so.
    pub(crate) fn occupy(&mut self, band: Band) -> Option<usize> {
        let bit = 1 << band.index();
        let mut groups = self.groups.iter_mut();
        let worker = groups.find_map(|group| {
            let may = group.mask & bit != 0;
            may.then(|| group.free.pop()).flatten()
        });
        let worker = worker.or_else(|| self.grows.then(|| self.hire(0)))?;
        let running = &mut self.running[band.index()];
        *running += 1;
        if *running >= self.limits[band.index()] {
            self.full |= bit;
        }
        Some(worker)
    }

    fn hire(&mut self, group: usize) -> usize {
        self.group_of.push(group);
        self.group_of.len() - 1
    }

    /// That worker is done with an item of that band. `stays`: it takes another one.
    pub(crate) fn free(&mut self, worker: usize, band: Band, stays: bool) {
        let running = &mut self.running[band.index()];
        *running -= 1;
        if *running < self.limits[band.index()] {
            self.full &= !(1 << band.index());
        }
        if stays {
            self.groups[self.group_of[worker]].free.push(worker);
        }
    }

    /// One more worker, of the same kind as one that hangs.
    pub(crate) fn replace(&mut self, worker: usize) {
        let group = self.group_of[worker];
        let new = self.hire(group);
        self.groups[group].free.push(new);
    }

    /// The bands that such a worker may take from.
    pub(crate) fn mask_of(&self, worker: usize) -> u64 {
        self.groups[self.group_of[worker]].mask
    }
}
