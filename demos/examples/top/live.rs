//! The loop: a key, a snapshot, a picture.

use std::error::Error;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event;

use crate::args::Args;
use crate::keys::{self, Wish};
use crate::picture::{self, View};
use crate::rates::Rates;
use crate::screen::{self, Screen};
use crate::service::Service;

/// A picture is at most so old.
const REFRESH: Duration = Duration::from_millis(200);

/// The loop has so long to end by itself after a signal.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// What was done is told for as many lines as fit, and no more are kept.
const TOLD: usize = 100;

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Somebody wanted it, or the time was over.
    Quit,
    /// Ctrl-C or a signal.
    Interrupted,
}

/// Until somebody ends it.
pub(crate) fn run(args: &Args) -> Result<End, Box<dyn Error>> {
    let signalled = listen()?;
    let service = Service::start(args.bands, args.workers)?;
    let mut live = Live {
        service,
        selected: 0,
        told: Vec::new(),
    };
    let mut rates = Rates::default();
    let started = Instant::now();
    let mut pictures = 0;
    let mut screen = Screen::take()?;
    loop {
        let now = Instant::now();
        let up = now.duration_since(started);
        if args.time().is_some_and(|time| up >= time) {
            return Ok(End::Quit);
        }
        if signalled.load(Ordering::Relaxed) {
            return Ok(End::Interrupted);
        }

        let snapshot = live.service.snapshot();
        let view = View {
            rates: rates.next(now, &snapshot),
            snapshot,
            load: live.service.load.rates(),
            policy: live.service.policy(),
            workers: live.service.workers(),
            paused: live.service.load.is_paused(),
            selected: live.selected,
            told: &live.told,
            up,
            colour: args.colour(),
        };
        screen.draw(|frame| {
            picture::draw(frame, &view);
            pictures += 1;
            assert_ne!(
                Some(pictures),
                args.panic_after,
                "asked for by --panic-after"
            );
        })?;

        let until = now + REFRESH;
        while event::poll(until.saturating_duration_since(Instant::now()))? {
            match keys::wish(&event::read()?) {
                Some(Wish::Quit) => return Ok(End::Quit),
                Some(Wish::Interrupt) => return Ok(End::Interrupted),
                Some(wish) => {
                    live.grant(wish)?;
                    break; // and show it
                }
                None => {}
            }
        }
    }
}

/// Listens for signals that others send; Ctrl-C is a key here. What is returned becomes true.
fn listen() -> Result<Arc<AtomicBool>, ctrlc::Error> {
    let signalled = Arc::new(AtomicBool::new(false));
    let signal = Arc::clone(&signalled);
    ctrlc::set_handler(move || {
        signal.store(true, Ordering::Relaxed);
        // If the terminal is gone, the loop is not to come back: crossterm goes on reading its end.
        thread::sleep(LAST_LOOK);
        screen::give_back();
        process::exit(i32::from(crate::INTERRUPTED));
    })?;
    Ok(signalled)
}

/// What keys act on.
struct Live {
    service: Service,
    selected: usize,
    /// What was done, the last one last.
    told: Vec<String>,
}

impl Live {
    fn grant(&mut self, wish: Wish) -> Result<(), Box<dyn Error>> {
        let service = &mut self.service;
        let last = service.load.rates().len() - 1;
        let done = match wish {
            Wish::Add(band) if band > last => format!("there is no band {band}"),
            Wish::Add(band) => {
                self.selected = band;
                format!("band {band}: {} items a second", service.load.more(band))
            }
            Wish::SelectBefore => {
                self.selected = self.selected.saturating_sub(1);
                return Ok(());
            }
            Wish::SelectNext => {
                self.selected = (self.selected + 1).min(last);
                return Ok(());
            }
            Wish::MoreLoad | Wish::LessLoad => {
                let rate = if wish == Wish::MoreLoad {
                    service.load.more(self.selected)
                } else {
                    service.load.less(self.selected)
                };
                format!("band {}: {rate} items a second", self.selected)
            }
            Wish::Pause if service.load.pause() => "the load is paused".to_owned(),
            Wish::Pause => "the load goes on".to_owned(),
            Wish::Hire => match service.hire() {
                Ok(()) => format!("a worker more: {}", service.workers()),
                Err(error) => format!("no worker more: {error}"),
            },
            Wish::Kill if service.dismiss() => {
                format!("a worker killed: {} left", service.workers())
            }
            Wish::Kill => "there is no worker left".to_owned(),
            Wish::NextPolicy => {
                service.reorder()?;
                format!("policy {}", service.policy())
            }
            Wish::Narrow | Wish::Widen => {
                if wish == Wish::Widen {
                    service.widen()?;
                } else {
                    service.narrow()?;
                }
                let capacity = service.snapshot().capacity.unwrap_or_default();
                format!("capacity {capacity}")
            }
            Wish::Quit | Wish::Interrupt => return Ok(()),
        };
        self.told.push(done);
        if self.told.len() > TOLD {
            self.told.remove(0);
        }
        Ok(())
    }
}
