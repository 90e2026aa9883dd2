//! Who is next, under each policy; promise 7.

mod ageing;
mod change;
mod weighted;
