//! Takes the terminal, and gives it back at the end, however it comes.

use std::io::{self, Stdout};
use std::panic;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};

/// What a program ends with whose main thread panicked.
const PANICKED: i32 = 101;

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, as long as it is ours.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// A second screen, where keys come one by one and are not shown. After a panic, of whichever
    /// thread, the first screen is back before the message is written.
    pub(crate) fn take() -> io::Result<Self> {
        let main = thread::current().id();
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            report(info);
            if thread::current().id() != main {
                process::exit(PANICKED); // or the picture would be drawn on
            }
        }));
        let take = || -> io::Result<Self> {
            TAKEN.store(true, Ordering::Relaxed);
            enable_raw_mode()?;
            execute!(io::stdout(), EnterAlternateScreen)?;
            let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
            Ok(Self { terminal })
        };
        take().inspect_err(|_| give_back())
    }

    pub(crate) fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(picture).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Once: a second time would put the cursor back to where it was the first time, over what was
/// written since. Does no harm if the terminal is gone.
pub(crate) fn give_back() {
    if TAKEN.swap(false, Ordering::Relaxed) {
        drop(disable_raw_mode());
        drop(execute!(io::stdout(), LeaveAlternateScreen, Show));
    }
}
