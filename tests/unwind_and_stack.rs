//! The types may cross `catch_unwind`, whatever their items are; and a large item goes in and out
//! on a small stack, built without optimization as well as crossbeam's channel does it.

mod support;

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use bandq::{BandQueue, Receiver, Sender, WeakReceiver, WeakSender};

/// Whether a type is unwind safe: the inherent constant wins where its bound holds.
struct Is<T>(PhantomData<T>);

trait Not {
    const UNWIND_SAFE: bool = false;
    const REF_UNWIND_SAFE: bool = false;
}

impl<T> Not for Is<T> {}

impl<T: UnwindSafe> Is<T> {
    const UNWIND_SAFE: bool = true;
}

impl<T: RefUnwindSafe> Is<T> {
    const REF_UNWIND_SAFE: bool = true;
}

/// Each type that is not both, for one type of item.
macro_rules! not_both {
    ($item:ty: $($of:ident)*) => {{
        let mut not = Vec::new();
        $(
            let is = (Is::<$of<$item>>::UNWIND_SAFE, Is::<$of<$item>>::REF_UNWIND_SAFE);
            if is != (true, true) {
                not.push((concat!(stringify!($of), "<", stringify!($item), ">"), is));
            }
        )*
        not
    }};
}

#[test]
fn queue_and_handles_are_unwind_safe_for_every_item() {
    // The question itself can be answered with no.
    const { assert!(!Is::<&Cell<u8>>::UNWIND_SAFE && !Is::<Cell<u8>>::REF_UNWIND_SAFE) };
    const { assert!(Is::<u8>::UNWIND_SAFE && Is::<u8>::REF_UNWIND_SAFE) };

    type Hook = Box<dyn FnMut() + Send>;
    let mut not = not_both!(u8: BandQueue Sender Receiver WeakSender WeakReceiver);
    not.extend(not_both!(Cell<u8>: BandQueue Sender Receiver WeakSender WeakReceiver));
    not.extend(not_both!(&'static mut u8: BandQueue Sender Receiver WeakSender WeakReceiver));
    not.extend(not_both!(Hook: BandQueue Sender Receiver WeakSender WeakReceiver));
    assert!(not.is_empty(), "not (UnwindSafe, RefUnwindSafe): {not:#?}");
}

/// Each call is made in a child process, on a thread with a stack of 2 MiB, as threads have by
/// default: where the stack does not do, the child aborts.
#[cfg(debug_assertions)]
mod stack {
    use std::thread;
    use std::time::Duration;

    use bandq::{BandQueue, Receiver, Sender, unbounded};
    use futures_lite::future::block_on;

    use crate::support::{b, child};

    const STACK: usize = 2 << 20;

    /// For what must not count.
    const ROOMY: usize = 256 << 20;

    /// Sizes of items that are tried, in KiB.
    const SIZES: [usize; 11] = [8, 16, 32, 48, 64, 80, 96, 128, 160, 192, 256];

    /// Runs on a stack of its own.
    fn on_stack(size: usize, body: impl FnOnce() + Send) {
        thread::scope(|s| {
            let thread = thread::Builder::new().stack_size(size);
            thread.spawn_scoped(s, body).unwrap().join().unwrap();
        });
    }

    type Item<const N: usize> = [u8; N];

    const FOREVER: Duration = Duration::from_secs(60);

    /// What is sent through. Each call is a function of its own, so that it has its own frame, and
    /// makes or drops the item there.
    struct Ways<const N: usize> {
        queue: BandQueue<Item<N>>,
        channel: (Sender<Item<N>>, Receiver<Item<N>>),
        theirs: (
            crossbeam_channel::Sender<Item<N>>,
            crossbeam_channel::Receiver<Item<N>>,
        ),
    }

    impl<const N: usize> Ways<N> {
        fn new() -> Self {
            Ways {
                queue: BandQueue::new(1),
                channel: unbounded(1),
                theirs: crossbeam_channel::unbounded(),
            }
        }

        /// Puts an item into each.
        fn fill(&self) {
            assert!(self.queue.push(b(0), [1; N]).is_ok());
            assert!(self.channel.0.try_send(b(0), [1; N]).is_ok());
            assert!(self.theirs.0.try_send([1; N]).is_ok());
        }

        fn len(&self) -> usize {
            self.queue.len() + self.channel.1.len() + self.theirs.1.len()
        }
    }

    type Call<const N: usize> = fn(&Ways<N>);

    fn send<const N: usize>(call: &str) -> Option<Call<N>> {
        Some(match call {
            "push" => |at| assert!(at.queue.push(b(0), [1; N]).is_ok()),
            "push_many" => |at| assert!(at.queue.push_many(b(0), [[1; N]]).is_ok()),
            "try_send" => |at| assert!(at.channel.0.try_send(b(0), [1; N]).is_ok()),
            "send" => |at| assert!(block_on(at.channel.0.send(b(0), [1; N])).is_ok()),
            "send_blocking" => |at| assert!(at.channel.0.send_blocking(b(0), [1; N]).is_ok()),
            "send_timeout" => {
                |at| assert!(at.channel.0.send_timeout(b(0), [1; N], FOREVER).is_ok())
            }
            "send_many" => |at| assert!(block_on(at.channel.0.send_many(b(0), [[1; N]])).is_ok()),
            "Permit::send" => |at| {
                let permit = at.channel.0.try_reserve(b(0)).unwrap();
                assert!(permit.send([1; N]).is_ok());
            },
            "their try_send" => |at| assert!(at.theirs.0.try_send([1; N]).is_ok()),
            "their send" => |at| assert!(at.theirs.0.send([1; N]).is_ok()),
            "their send_timeout" => |at| assert!(at.theirs.0.send_timeout([1; N], FOREVER).is_ok()),
            _ => return None,
        })
    }

    fn receive<const N: usize>(call: &str) -> Option<Call<N>> {
        Some(match call {
            "pop" => |at| assert!(at.queue.pop().is_some()),
            "pop_many" => |at| assert_eq!(at.queue.pop_many(&mut Vec::new(), 1), 1),
            "try_recv" => |at| assert!(at.channel.1.try_recv().is_ok()),
            "recv" => |at| assert!(block_on(at.channel.1.recv()).is_ok()),
            "recv_blocking" => |at| assert!(at.channel.1.recv_blocking().is_ok()),
            "recv_timeout" => |at| assert!(at.channel.1.recv_timeout(FOREVER).is_ok()),
            "try_recv_many" => {
                |at| assert_eq!(at.channel.1.try_recv_many(&mut Vec::new(), 1), Ok(1))
            }
            "their try_recv" => |at| assert!(at.theirs.1.try_recv().is_ok()),
            "their recv" => |at| assert!(at.theirs.1.recv().is_ok()),
            "their recv_timeout" => |at| assert!(at.theirs.1.recv_timeout(FOREVER).is_ok()),
            _ => return None,
        })
    }

    fn call<const N: usize>(name: &str) {
        let at = Ways::<N>::new();
        let (call, after) = match (send(name), receive(name)) {
            (Some(call), None) => (call, 1),
            (None, Some(call)) => {
                on_stack(ROOMY, || at.fill());
                (call, 2)
            }
            _ => unreachable!("{name}"),
        };
        on_stack(STACK, || call(&at));
        on_stack(ROOMY, move || assert_eq!(at.len(), after));
    }

    /// In the child: a call's name and a size.
    fn run(task: &str) {
        let (name, kib) = task.rsplit_once(' ').unwrap();
        match kib.parse().unwrap() {
            8 => call::<{ 8 << 10 }>(name),
            16 => call::<{ 16 << 10 }>(name),
            32 => call::<{ 32 << 10 }>(name),
            48 => call::<{ 48 << 10 }>(name),
            64 => call::<{ 64 << 10 }>(name),
            80 => call::<{ 80 << 10 }>(name),
            96 => call::<{ 96 << 10 }>(name),
            128 => call::<{ 128 << 10 }>(name),
            160 => call::<{ 160 << 10 }>(name),
            192 => call::<{ 192 << 10 }>(name),
            256 => call::<{ 256 << 10 }>(name),
            kib => unreachable!("{kib} KiB"),
        }
    }

    /// The largest size up to which all work.
    fn limit(test: &str, call: &str) -> usize {
        let works = SIZES
            .iter()
            .take_while(|&&kib| child::passes(test, &format!("{call} {kib}")));
        works.copied().last().unwrap_or(0)
    }

    /// Each of our calls does what the one of theirs beside it does.
    fn no_worse(test: &str, pairs: &[(&str, &str)]) {
        if let Some(task) = child::task() {
            return run(&task);
        }
        let mut worse = Vec::new();
        for &(ours, theirs) in pairs {
            let (our_limit, their_limit) = (limit(test, ours), limit(test, theirs));
            assert!(their_limit > 0, "{theirs} does not work at all");
            println!("{ours}: {our_limit} KiB, {theirs}: {their_limit} KiB");
            if our_limit < their_limit {
                worse.push(format!(
                    "{ours}: {our_limit} KiB, {theirs}: {their_limit} KiB"
                ));
            }
        }
        assert!(
            worse.is_empty(),
            "items that a stack of 2 MiB can bear: {worse:#?}"
        );
    }

    #[test]
    fn sends_bear_items_as_large_as_crossbeams() {
        no_worse(
            "stack::sends_bear_items_as_large_as_crossbeams",
            &[
                ("try_send", "their try_send"),
                ("send", "their send"),
                ("send_blocking", "their send"),
                ("send_timeout", "their send_timeout"),
                ("Permit::send", "their send"),
                ("push", "their try_send"),
            ],
        );
    }

    #[test]
    fn receives_bear_items_as_large_as_crossbeams() {
        no_worse(
            "stack::receives_bear_items_as_large_as_crossbeams",
            &[
                ("try_recv", "their try_recv"),
                ("recv_blocking", "their recv"),
                ("recv_timeout", "their recv_timeout"),
                ("pop", "their try_recv"),
            ],
        );
    }

    /// What has no counterpart there: futures hold the item, and so does the executor's frame;
    /// batches go through an iterator or a vector.
    #[test]
    fn futures_and_batches_bear_items_of_64_kib() {
        let test = "stack::futures_and_batches_bear_items_of_64_kib";
        if let Some(task) = child::task() {
            return run(&task);
        }
        for call in [
            "send",
            "send_many",
            "push_many",
            "recv",
            "try_recv_many",
            "pop_many",
        ] {
            let limit = limit(test, call);
            println!("{call}: {limit} KiB");
            assert!(limit >= 64, "{call}: {limit} KiB on a stack of 2 MiB");
        }
    }
}
