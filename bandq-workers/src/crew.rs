//! Who may work on what: general and reserved workers, and how many at a time of one band.

use bandq::Band;

/// Workers who may take from the same bands.
struct Group {
    /// A bit a band.
    mask: u64,
    free: Vec<usize>,
    /// Those who hung, and in whose place there are others now.
    retired: Vec<usize>,
    at_work: usize,
    /// At most so many may be at work at a time.
    cap: usize,
}

impl Group {
    fn has_free(&self) -> bool {
        self.at_work < self.cap && !self.free.is_empty()
    }
}

#[derive(Clone, Copy)]
struct OfBand {
    running: usize,
    /// How many may work on it at a time.
    limit: usize,
}

/// Workers are numbers. Those who work are known by the caller.
pub(crate) struct Crew {
    /// The general workers first.
    groups: Vec<Group>,
    /// The group of each worker.
    group_of: Vec<usize>,
    bands: Vec<OfBand>,
    /// Bands for which a worker is free, a bit a band.
    manned: u64,
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
            bands: vec![
                OfBand {
                    running: 0,
                    limit: usize::MAX,
                };
                bands
            ],
            manned: 0,
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
        self.groups.push(Group {
            mask,
            free,
            retired: Vec::new(),
            at_work: 0,
            cap: usize::MAX,
        });
        self.muster();
    }

    pub(crate) fn limit(&mut self, band: Band, count: usize) {
        if let Some(band) = self.bands.get_mut(band.index()) {
            band.limit = count;
        }
    }

    /// The bands on which one more may work now, a bit a band.
    pub(crate) fn open(&self) -> u64 {
        self.manned & !self.full
    }

    /// Looks who is free.
    fn muster(&mut self) {
        self.manned = 0;
        for (n, group) in self.groups.iter().enumerate() {
            if group.has_free() || (n == 0 && self.grows) {
                self.manned |= group.mask;
            }
        }
    }

    /// Somebody begins on an item of an open band: a general worker, if one is free, so that those
    /// who are reserved stay so.
    #[inline]
    pub(crate) fn occupy(&mut self, band: Band) -> Option<usize> {
        self.occupy_of(0, band)
    }

    /// The same of those who are reserved.
    pub(crate) fn occupy_reserved(&mut self, band: Band) -> Option<usize> {
        self.occupy_of(1, band)
    }

    /// The same of all groups but so many.
    #[inline]
    fn occupy_of(&mut self, skipped: usize, band: Band) -> Option<usize> {
        let bit = 1 << band.index();
        let mut groups = self.groups.iter_mut().skip(skipped);
        let worker = groups.find_map(|group| {
            let may = group.mask & bit != 0;
            let worker = (may && group.at_work < group.cap)
                .then(|| group.free.pop())
                .flatten()?;
            group.at_work += 1;
            Some((worker, !group.has_free()))
        });
        let (worker, is_last) = match worker {
            Some(found) => found,
            None if self.grows && skipped == 0 => (self.hire(0), false),
            None => return None,
        };
        if is_last {
            self.muster();
        }
        self.begins(band);
        Some(worker)
    }

    /// A general worker is occupied, if one is free, before it is known on what.
    #[inline]
    pub(crate) fn occupy_general(&mut self) -> Option<usize> {
        let general = &mut self.groups[0];
        if general.at_work >= general.cap {
            return None;
        }
        let worker = general.free.pop()?;
        general.at_work += 1;
        if !general.has_free() {
            self.muster();
        }
        Some(worker)
    }

    /// One more works on an item of that band: a worker who was occupied before.
    #[inline]
    pub(crate) fn begins(&mut self, band: Band) {
        let of_band = &mut self.bands[band.index()];
        of_band.running += 1;
        if of_band.running >= of_band.limit {
            self.full |= 1 << band.index();
        }
    }

    fn hire(&mut self, group: usize) -> usize {
        self.group_of.push(group);
        self.group_of.len() - 1
    }

    /// Somebody is done with an item of that band, and stays occupied until it
    /// [`rests`](Self::rests).
    #[inline]
    pub(crate) fn ends(&mut self, band: Band) {
        let of_band = &mut self.bands[band.index()];
        of_band.running -= 1;
        if of_band.running < of_band.limit {
            self.full &= !(1 << band.index());
        }
    }

    /// That worker is free.
    #[inline]
    pub(crate) fn rests(&mut self, worker: usize) {
        let group = &mut self.groups[self.group_of[worker]];
        group.free.push(worker);
        group.at_work = group.at_work.saturating_sub(1); // hired while there is no end
        if group.has_free() {
            self.manned |= group.mask;
        }
    }

    /// That worker, in whose place there is another one, hangs no longer.
    pub(crate) fn retires(&mut self, worker: usize) {
        self.groups[self.group_of[worker]].retired.push(worker);
    }

    /// Whether nobody needs to know who works on what: as many general workers as there are may
    /// work, on any band.
    pub(crate) fn is_simple(&self) -> bool {
        !self.grows && self.bands.iter().all(|band| band.limit == usize::MAX)
    }

    /// One more worker, of the same kind as one that hangs: one who hung before, if there is any.
    pub(crate) fn replace(&mut self, worker: usize) {
        let group = self.group_of[worker];
        let retired = self.groups[group].retired.pop();
        let new = retired.unwrap_or_else(|| self.hire(group));
        let group = &mut self.groups[group];
        group.free.push(new);
        group.at_work = group.at_work.saturating_sub(1); // the one that hangs does not count
        self.muster();
    }

    /// So many general workers may be at work from now on. Those who are more go on.
    pub(crate) fn set_cap(&mut self, workers: usize) {
        self.groups[0].cap = workers;
        self.muster();
    }

    /// How many general workers may be at work, if there is a limit.
    pub(crate) fn cap(&self) -> Option<usize> {
        let general = &self.groups[0];
        let all = general.free.len() + general.at_work;
        (!self.grows).then(|| general.cap.min(all))
    }

    pub(crate) fn general_at_work(&self) -> usize {
        self.groups[0].at_work
    }

    pub(crate) fn is_general(&self, worker: usize) -> bool {
        self.group_of[worker] == 0
    }

    /// Whether a general worker has nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.groups[0].has_free()
    }

    /// The bands that such a worker may take from.
    pub(crate) fn mask_of(&self, worker: usize) -> u64 {
        self.groups[self.group_of[worker]].mask
    }
}
