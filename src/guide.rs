#![doc = include_str!("../docs/guide/index.md")]

#[doc = include_str!("../docs/guide/order_and_costs.md")]
pub mod order_and_costs {}

#[doc = include_str!("../docs/guide/cancel_safety.md")]
pub mod cancel_safety {}

#[doc = include_str!("../docs/guide/wakers_and_panics.md")]
pub mod wakers_and_panics {}

#[doc = include_str!("../docs/guide/tuning.md")]
pub mod tuning {}

#[doc = include_str!("../docs/guide/overload.md")]
pub mod overload {}

#[cfg(feature = "observe")]
#[doc = include_str!("../docs/guide/sight.md")]
pub mod sight {}

#[doc = include_str!("../docs/guide/pitfalls.md")]
pub mod pitfalls {}

#[doc = include_str!("../docs/guide/from_async_channel.md")]
pub mod from_async_channel {}

#[doc = include_str!("../docs/guide/from_asyncio.md")]
pub mod from_asyncio {}
