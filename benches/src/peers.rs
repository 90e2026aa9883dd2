//! The peers, one file each.

mod async_channel;
mod async_channels;
mod async_priority_channel;
mod bandq;
mod bandq_channels;
mod bandq_observed;
mod crossbeam_channel;
mod flume;
pub mod jobs;
mod kanal;
mod mutex_deques;
mod mutex_heap;
pub mod policies;
mod seg_queue;
mod seg_queues;
mod skip_map;
mod two_counters;
mod with_event;

pub use self::async_channel::AsyncChannel;
pub use self::async_channels::AsyncChannels;
pub use self::async_priority_channel::AsyncPriorityChannel;
pub use self::bandq::Bandq;
pub use self::bandq_channels::{BandqChannel, NEVER_FULL, UNBOUNDED};
pub use self::bandq_observed::BandqObserved;
pub use self::crossbeam_channel::CrossbeamChannel;
pub use self::flume::Flume;
pub use self::kanal::Kanal;
pub use self::mutex_deques::MutexDeques;
pub use self::mutex_heap::MutexHeap;
pub use self::seg_queue::PlainSegQueue;
pub use self::seg_queues::SegQueues;
pub use self::skip_map::SkipMapQueue;
pub use self::two_counters::TwoCounters;
pub use self::with_event::{EventReceiver, EventSender, Waitable, WithEvent};
