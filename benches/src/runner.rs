//! Lets the peers take turns in one process: in each round each peer does each work of the group
//! once, so that what disturbs the machine for a while disturbs them all. Each round begins with
//! another peer.

use std::fmt;
use std::process;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::queue::Peer;
use crate::results::{Drawing, GroupFigures, PeerFigures, Work, WorkFigures};

/// A work that takes longer hangs: a peer has lost an item or a wake-up.
const TOO_LONG: Duration = Duration::from_secs(120);

/// A peer with a work to do.
pub struct Contender {
    peer: Peer,
    run: Box<dyn Fn() -> f64>,
}

impl Contender {
    /// `run` does the work once and returns the figure; it panics if the peer does the work
    /// wrongly.
    pub fn new(peer: Peer, run: impl Fn() -> f64 + 'static) -> Self {
        Contender {
            peer,
            run: Box::new(run),
        }
    }

    /// Who it is.
    pub fn peer(&self) -> Peer {
        self.peer
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// One question, and what has to be measured to answer it.
#[derive(Debug)]
pub struct Group {
    /// The name on the command line and as a file.
    pub name: &'static str,
    /// The question.
    pub title: &'static str,
    /// How it is drawn.
    pub drawing: Drawing,
    /// Its works, each with the peers that do it.
    pub works: Vec<(Work, Vec<Contender>)>,
}

impl Group {
    /// Measures it.
    pub fn run(&self, rounds: usize) -> GroupFigures {
        let watchdog = Watchdog::start();
        let mut works: Vec<_> = self.works.iter().map(without_figures).collect();
        for round in 0..rounds {
            for ((work, contenders), figures) in self.works.iter().zip(&mut works) {
                for turn in 0..contenders.len() {
                    let turn = (turn + round) % contenders.len();
                    let contender = &contenders[turn];
                    watchdog.expect(format!(
                        "{}, {}, {}",
                        self.name, work.name, contender.peer.name
                    ));
                    figures.peers[turn].rounds.push(rounded((contender.run)()));
                }
            }
        }
        GroupFigures {
            name: self.name.into(),
            title: self.title.into(),
            drawing: self.drawing.clone(),
            works,
        }
    }
}

fn without_figures((work, contenders): &(Work, Vec<Contender>)) -> WorkFigures {
    let figures = |contender: &Contender| PeerFigures {
        peer: contender.peer.name.into(),
        kind: contender.peer.kind,
        rounds: Vec::new(),
    };
    WorkFigures {
        work: work.clone(),
        peers: contenders.iter().map(figures).collect(),
    }
}

/// To five significant digits: more would only look exact.
fn rounded(figure: f64) -> f64 {
    format!("{figure:.4e}").parse().expect("it is a number")
}

/// Ends the process when a work hangs, and says which.
struct Watchdog(Arc<Mutex<(Instant, String)>>);

impl Watchdog {
    fn start() -> Self {
        let current = Arc::new(Mutex::new((Instant::now(), String::new())));
        let weak = Arc::downgrade(&current);
        thread::spawn(move || {
            while let Some(current) = weak.upgrade() {
                let (since, what) = current.lock().expect("nobody panics with it").clone();
                drop(current);
                if since.elapsed() > TOO_LONG {
                    eprintln!("hangs: {what}");
                    process::exit(1);
                }
                thread::sleep(Duration::from_millis(500));
            }
        });
        Watchdog(current)
    }

    fn expect(&self, what: String) {
        *self.0.lock().expect("nobody panics with it") = (Instant::now(), what);
    }
}
