//! Feature `tracing`: the handler's span, and what is said at `warn`.

use crate::support::{Watchdog, check_all};
use bandq::{Band, Builder};
use bandq_workers::{Job, Workers};
use std::{
    future::{Future, pending},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

/// Notes spans by name, what follows from what, what is entered, and warnings.
#[derive(Clone, Default)]
struct Notes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    last: AtomicU64,
    spans: Mutex<Vec<(u64, &'static str)>>,
    follows: Mutex<Vec<(u64, u64)>>,
    entered: Mutex<Vec<u64>>,
    warnings: Mutex<Vec<&'static str>>,
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.0.last.fetch_add(1, Ordering::SeqCst) + 1;
        let name = attributes.metadata().name();
        self.0.spans.lock().unwrap().push((id, name));
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        let pair = (span.into_u64(), follows.into_u64());
        self.0.follows.lock().unwrap().push(pair);
    }

    fn event(&self, event: &Event<'_>) {
        if *event.metadata().level() == Level::WARN {
            self.0
                .warnings
                .lock()
                .unwrap()
                .push(event.metadata().target());
        }
    }

    fn enter(&self, span: &Id) {
        self.0.entered.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, _: &Id) {}
}

#[test]
fn r21_the_span_of_a_job_follows_from_that_of_its_send() {
    let notes = Notes::default();
    with_default(notes.clone(), || {
        let _watchdog = Watchdog::new("r21");
        let (sender, receiver) = Builder::new(1).observe().build().unwrap();
        // The first is handed out, others the worker takes by itself.
        sender.try_send_many(Band::URGENT, 0..100).unwrap();
        drop(sender);
        let pool = Workers::new(receiver).run(|_job: Job<u32>| async {});
        check_all(&futures_lite::future::block_on(pool), 100);
    });
    let spans = notes.0.spans.lock().unwrap().clone();
    let ids = |name| {
        spans
            .iter()
            .filter(move |span| span.1 == name)
            .map(|span| span.0)
    };
    let follows = notes.0.follows.lock().unwrap();
    let entered = notes.0.entered.lock().unwrap();
    assert_eq!(ids("bandq.run").count(), 100);
    for (send, run) in ids("bandq.send").zip(ids("bandq.run")) {
        assert!(follows.contains(&(run, send)));
        assert!(entered.contains(&run));
    }
}

#[test]
fn r06_what_is_cut_is_said_at_warn() {
    let notes = Notes::default();
    with_default(notes.clone(), || {
        let _watchdog = Watchdog::new("r06");
        let (sender, receiver) = bandq::unbounded(1);
        sender.try_send_many(Band::URGENT, vec![1, 2, 3]).unwrap();
        let workers = Workers::new(receiver);
        let control = workers.control();
        let mut pool = pin!(workers.run(|_job: Job<u32>| pending::<()>()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(pool.as_mut().poll(&mut context).is_pending());
        drop(control.stop(Duration::ZERO));
        check_all(&futures_lite::future::block_on(pool), 3);
    });
    // One that was interrupted, and the two others together.
    assert_eq!(*notes.0.warnings.lock().unwrap(), ["bandq", "bandq"]);
}
