//! Without the feature `observe`: a record that there never is.

use crate::{band::Band, clock::Clock, entry::About, error::TrySendError, queue::Fronts};

/// None.
pub(crate) enum Record {}

impl Record {
    pub(crate) fn new(_: usize, _: Clock, _: Fronts) -> Self {
        unreachable!("nothing asks for it")
    }

    pub(crate) fn sent(&self, _: Band, _: bool) {
        match *self {}
    }

    pub(crate) fn received(&self, _: Band, _: &mut About, _: u64) {
        match *self {}
    }

    pub(crate) fn forget_last(&self) {
        match *self {}
    }

    pub(crate) fn evicted(&self, _: Band, _: &About, _: u64) {
        match *self {}
    }

    pub(crate) fn expired(&self, _: Band, _: &About, _: u64) {
        match *self {}
    }

    pub(crate) fn dropped(&self, _: Band) {
        match *self {}
    }

    pub(crate) fn refused(&self, _: Band, _: &TrySendError<()>) {
        match *self {}
    }

    pub(crate) fn put(&self, _: Band, _: u64) {
        match *self {}
    }
}
