//! The wait gate: no wake is lost.

use loom_tests::{Bound, block_on, model, thread};

/// A receiver that begins to wait beside a send does not sleep beside its item.
#[test]
fn send_recv() {
    model("wait/send_recv", 2, Bound::Preemptions(3), |_| {
        let (sender, receiver) = bandq::unbounded(1);
        let receiving = thread::spawn(move || {
            assert_eq!(block_on(receiver.recv()).map(|(_, item)| item), Ok(7));
        });
        sender.try_send(bandq::Band::URGENT, 7).unwrap();
        receiving.join().unwrap();
    });
}

/// The same for a blocked thread.
#[test]
fn send_recv_blocking() {
    model("wait/send_recv_blocking", 2, Bound::Preemptions(3), |_| {
        let (sender, receiver) = bandq::unbounded(1);
        let receiving = thread::spawn(move || {
            assert_eq!(receiver.recv_blocking().map(|(_, item)| item), Ok(7));
        });
        sender.try_send(bandq::Band::URGENT, 7).unwrap();
        receiving.join().unwrap();
    });
}
