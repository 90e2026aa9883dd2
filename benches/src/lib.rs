//! bandq against its peers, in turns, as ratios. `README.md` says what is measured and how to run
//! it.
//!
//! | module | what it is |
//! |---|---|
//! | [`queue`] | what a peer has to be |
//! | [`peers`] | the peers, one file each |
//! | [`loads`] | the shapes of work, each generic over the peer |
//! | [`groups`] | which peers do which work, and the goals: one group a question |
//! | [`runner`] | lets the peers take turns |
//! | [`results`] | what was measured, and what follows from it |
//! | [`report`] | the table, the JSON and the plots |

pub mod groups;
pub mod loads;
pub mod peers;
pub mod queue;
pub mod report;
pub mod results;
pub mod runner;
