//! Promise 4: a thread that is stopped at any atomic access of a push or a pop stops no other, and
//! hides nothing that was completed.
//!
//! Built with `--cfg bandq_stall` and feature `__internals`; `.ci/stalls` does that. The stall
//! points come from the facade, one before each atomic access, and the compiler names them by their
//! place.
//!
//! 1. **Discover** (`every_site`). Each operation runs under random pauses, on small and large
//!    items, on queues that are mostly empty, well filled, or new. The sites it passes are compared
//!    with the atomic accesses in the source text: one that no operation passed must be in
//!    `sites::ELSEWHERE`, with the reason.
//! 2. **Stop**. For each operation and site, one thread is stopped there. Two producers and two
//!    consumers then complete `BANDQ_STALL_OPS` operations. With the thread still stopped, what is
//!    left is drained, and every completed push must have been received, but for what the stopped
//!    pop holds. Then the thread moves on, and everything must add up: each item once, in the order
//!    of its producer, nothing leaked.
//! 3. **Two at once** (`two_threads_anywhere`). The same with a producer and a consumer, each
//!    stopped at an access drawn by lot.
//!
//! The table is printed, and written to `BANDQ_STALL_TABLE`. Not paused in: `crossbeam-epoch` and
//! the allocator, which make their own accesses.
#![cfg(all(bandq_stall, feature = "__internals"))]

mod account;
mod item;
mod plan;
mod sites;
mod subject;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::{
    collections::BTreeMap,
    env, fs,
    sync::{Mutex, MutexGuard, mpsc},
    thread,
    time::{Duration, Instant},
};

use bandq::{__internals::stall, Band, BandQueue};

use item::Shape;
use plan::{Outcome, Plan, Stop, Victim, Weather};
use sites::{Place, Source};
use subject::{OPERATIONS, Operation};
use support::{XorShift, env_number};

/// The counts of items and segments are of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Operations that the others complete while a thread is stopped.
fn operations() -> u64 {
    env_number("BANDQ_STALL_OPS", 1_000)
}

/// How often each operation passed each site, by the conditions it ran under.
type Visits = BTreeMap<(Operation, Place), BTreeMap<(Shape, Weather), u64>>;

fn discover(source: &Source) -> Visits {
    let mut visits = Visits::new();
    let mut look = |operation, shape, weather, seed| {
        let stop = Stop::Never;
        let victims = vec![Victim { operation, stop }];
        let plan = Plan {
            shape,
            weather,
            victims,
            operations: 0,
            seed,
        };
        for (place, count) in world::run(&plan).visits {
            let conditions = visits.entry((operation, place)).or_default();
            *conditions.entry((shape, weather)).or_default() += count;
        }
        source.gaps(&places(&visits)).is_empty()
    };
    let mut complete = false;
    let everything = |look: &mut dyn FnMut(Operation, Shape, Weather)| {
        for &operation in OPERATIONS {
            for shape in Shape::ALL {
                for weather in Weather::ALL {
                    look(operation, shape, weather);
                }
            }
        }
    };
    everything(&mut |operation, shape, weather| {
        for seed in 0..weather.worlds() {
            complete = look(operation, shape, weather, seed);
        }
    });
    // Some sites need a coincidence of three threads.
    let deadline = Instant::now() + Duration::from_secs(400);
    let mut seed = 1000;
    while !complete && Instant::now() < deadline {
        everything(&mut |operation, shape, weather| {
            seed += 1;
            complete = complete || look(operation, shape, weather, seed);
        });
    }
    visits
}

/// The sites that were passed.
fn places(visits: &Visits) -> Vec<Place> {
    let mut places: Vec<_> = visits.keys().map(|&(_, place)| place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// What one site's row of the table says.
struct Row {
    operations: Vec<&'static str>,
    cases: u64,
    /// The fewest of all cases.
    others: u64,
    /// Items that a stopped pop of one held, and a stopped pop of many.
    held: [usize; 2],
}

impl Default for Row {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            cases: 0,
            others: u64::MAX,
            held: [0; 2],
        }
    }
}

#[test]
fn every_site() {
    let _alone = alone();
    let started = Instant::now();
    let source = Source::scan();
    let visits = discover(&source);
    let passed = places(&visits);
    for gap in source.gaps(&passed) {
        println!("never passed: {gap}");
    }
    assert!(
        source.gaps(&passed).is_empty(),
        "accesses that no push and no pop passed, without a reason"
    );
    println!(
        "{} atomic accesses in the source, {} of them in pushes and pops; \
         {} pairs of operation and site, found in {:.0?}",
        source.len(),
        passed.len(),
        visits.len(),
        started.elapsed()
    );
    assert!(passed.len() >= 40, "too few sites: {}", passed.len());

    let mut rows: BTreeMap<Place, Row> = BTreeMap::new();
    let mut rng = XorShift::new(env_number("BANDQ_SEED", 1));
    let mut missed = Vec::new();
    for (&(operation, place), conditions) in &visits {
        let mut reached = 0;
        for shapes in [&[Shape::Small][..], &[Shape::Large, Shape::Single]] {
            // Under the conditions in which it came by most often.
            let best = conditions
                .iter()
                .filter(|((shape, _), _)| shapes.contains(shape))
                .max_by_key(|(_, n)| **n);
            let Some((&(shape, weather), &seen)) = best else {
                continue;
            };
            let visit = 1 + rng.below((seen / 4 / weather.worlds()).clamp(1, 64));
            let mut plan = Plan {
                shape,
                weather,
                victims: vec![Victim {
                    operation,
                    stop: Stop::At { place, visit },
                }],
                operations: operations(),
                seed: rng.next(),
            };
            // Rare sites need some patience.
            let patience = if rows.contains_key(&place) { 4 } else { 40 };
            let Some(outcome) = stop(&mut plan, Duration::from_secs(patience)) else {
                continue;
            };
            reached += 1;
            let row = rows.entry(place).or_default();
            row.cases += 1;
            row.others = row.others.min(outcome.others);
            let held = &mut row.held[usize::from(operation.may_hold() > 1)];
            *held = outcome.held.max(*held);
        }
        match reached {
            0 => missed.push(format!("{} at {place}", operation.name())),
            _ => rows
                .entry(place)
                .or_default()
                .operations
                .push(operation.name()),
        }
    }

    let table = table(&rows, &source);
    println!("{table}");
    println!(
        "{} cases of {} operations each in {:.0?}",
        rows.values().map(|row| row.cases).sum::<u64>(),
        operations(),
        started.elapsed()
    );
    if let Ok(path) = env::var("BANDQ_STALL_TABLE") {
        fs::write(path, table).unwrap();
    }
    for pair in &missed {
        println!("passed while looking for sites, not met again: {pair}");
    }
    for place in passed {
        // What is elsewhere may be passed by a chance that does not come again.
        assert!(
            rows.contains_key(&place) || source.is_elsewhere(place),
            "nobody could be stopped at {place}"
        );
    }
}

/// Runs the plan until its thread is stopped; `None` if it does not come by there.
fn stop(plan: &mut Plan, patience: Duration) -> Option<Outcome> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        let outcome = world::run(plan);
        if outcome.stopped {
            return Some(outcome);
        }
        plan.seed += 1;
        if let Stop::At { visit, .. } = &mut plan.victims[0].stop {
            *visit = 1;
        }
    }
    None
}

fn table(rows: &BTreeMap<Place, Row>, source: &Source) -> String {
    let mut table = String::from(
        "| file | access | a thread stopped there in | cases | others' operations | result |\n\
         |---|---|---|---|---|---|\n",
    );
    for (place, row) in rows {
        let held = match row.held {
            [0, 0] => String::new(),
            [one, many] => format!("; held by the stopped call: {one}, by a batch up to {many}"),
        };
        table += &format!(
            "| {} | {} | {} | {} | {} each | \
             all completed, nothing hidden, afterwards exact{held} |\n",
            place.file.trim_start_matches("src/"),
            source.describe(*place),
            row.operations.join(", "),
            row.cases,
            row.others,
        );
    }
    table
}

#[test]
fn two_threads_anywhere() {
    let _alone = alone();
    let cases = env_number("BANDQ_STALL_PAIRS", 20);
    let mut rng = XorShift::new(env_number("BANDQ_SEED", 2));
    let mut stopped = 0;
    for _ in 0..cases {
        let pick = |rng: &mut XorShift, push: bool| {
            let all: Vec<_> = OPERATIONS
                .iter()
                .filter(|op| op.is_push() == push)
                .collect();
            *all[rng.below(all.len() as u64) as usize]
        };
        let push = pick(&mut rng, true);
        let pop = loop {
            let pop = pick(&mut rng, false);
            if pop.subject() == push.subject() {
                break pop;
            }
        };
        let mut stop = || Stop::After {
            accesses: 1 + rng.below(4000),
        };
        let victims = vec![
            Victim {
                operation: push,
                stop: stop(),
            },
            Victim {
                operation: pop,
                stop: stop(),
            },
        ];
        let shape = Shape::ALL[rng.below(Shape::ALL.len() as u64) as usize];
        let weather = Weather::ALL[rng.below(Weather::ALL.len() as u64) as usize];
        let plan = Plan {
            shape,
            weather,
            victims,
            operations: operations(),
            seed: rng.next(),
        };
        stopped += u64::from(world::run(&plan).stopped);
    }
    println!(
        "{cases} pairs of threads, both stopped in {stopped}; \
         everything else completed and added up"
    );
    assert!(
        stopped * 2 > cases,
        "too few pairs were stopped: {stopped} of {cases}"
    );
}

/// Slots that a receive gave up on are not counted as items once everybody is done.
#[test]
fn len_is_exact_after_slots_were_given_up() {
    let _alone = alone();
    let queue = BandQueue::new(1);
    let (stopped, is_stopped) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    // Asserted only when the thread has gone on, so that a failure is one and not a hang.
    let beside_it = thread::scope(|scope| {
        let queue = &queue;
        scope.spawn(move || {
            queue.push(Band::URGENT, 0).unwrap();
            let mut first = true;
            stall::set_hook(Some(Box::new(move |site| {
                // Between claim and publish.
                if first && site.file().ends_with("fifo/segment.rs") {
                    first = false;
                    stopped.send(()).unwrap();
                    may_go_on.recv().unwrap();
                }
            })));
            queue.push_many(Band::URGENT, 1..=4).unwrap();
            stall::set_hook(None);
        });
        is_stopped.recv().unwrap();
        let beside_it = (queue.pop(), queue.pop(), queue.len());
        go_on.send(()).unwrap();
        beside_it
    });
    assert_eq!(beside_it, (Some((Band::URGENT, 0)), None, 0));
    assert_eq!(queue.len(), 4);
    let items: Vec<_> = std::iter::from_fn(|| queue.pop())
        .map(|(_, item)| item)
        .collect();
    assert_eq!(items, [1, 2, 3, 4]);
}
