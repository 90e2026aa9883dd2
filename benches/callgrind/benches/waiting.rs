//! Instructions of an item's way to a task that waits. Apart from the others because what one
//! binary uses more than once is inlined less, which would show there.

// gungraun's macros make public modules without documentation.
#![allow(missing_docs)]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bandq::{Band, Receiver, Sender};
use bandq_callgrind::TIMES;
use gungraun::Callgrind;
use gungraun::prelude::*;

type Channel = (Sender<u64>, Receiver<u64>);

fn channel(count: usize) -> Channel {
    let (sender, receiver) = bandq::unbounded(count);
    for item in 0..TIMES {
        sender.try_send(Band::URGENT, item).unwrap();
        receiver.try_recv().unwrap();
    }
    (sender, receiver)
}

// A receive that finds nothing, waits, is woken by a send, and gets the item.
#[library_benchmark(setup = channel)]
#[bench::unbounded_8_bands(8)]
fn send_to_a_waiting_task((sender, receiver): Channel) -> Channel {
    let mut context = Context::from_waker(Waker::noop());
    for item in 0..TIMES {
        let mut receive = pin!(receiver.recv());
        assert!(black_box(receive.as_mut().poll(&mut context)).is_pending());
        black_box(sender.try_send(black_box(Band::URGENT), black_box(item))).unwrap();
        assert!(matches!(
            black_box(receive.poll(&mut context)),
            Poll::Ready(Ok(_))
        ));
    }
    (sender, receiver)
}

library_benchmark_group!(name = waiting, benchmarks = [send_to_a_waiting_task]);
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--collect-bus=yes"])),
    library_benchmark_groups = waiting
);
