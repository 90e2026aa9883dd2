//! The command line: what can be asked for, and within which limits.

use std::env;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;

use crate::service::MAX_WORKERS;

/// Each has a digit as its key, and all fit into 24 lines.
pub(crate) const MAX_BANDS: usize = 8;

/// How long `--once` runs without `--seconds`.
pub(crate) const ONCE: Duration = Duration::from_secs(2);

/// A small service over one observed bandq channel, and a live picture of it.
///
/// A producer for each band sends jobs at random moments; workers receive them and are held for
/// some milliseconds by each. Keys change the load, the workers, the policy and the capacity.
#[derive(Debug, Parser)]
#[command(name = "top", verbatim_doc_comment, after_help = NOTES)]
pub(crate) struct Args {
    /// End by itself after so many seconds, 0.1 to 86400.
    #[arg(long, value_name = "N", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: Option<f64>,

    /// Number of bands, 1 to 8.
    #[arg(long, value_name = "N", default_value_t = MAX_BANDS, allow_negative_numbers = true)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_BANDS as u64))]
    pub(crate) bands: usize,

    /// Number of workers at the start, 0 to 64.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4,
        allow_negative_numbers = true
    )]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(0..=MAX_WORKERS as u64))]
    pub(crate) workers: usize,

    /// No colour; so does the environment variable `NO_COLOR`. Colour says nothing that the text
    /// does not.
    #[arg(long, verbatim_doc_comment)]
    pub(crate) no_color: bool,

    /// Run for --seconds (2 without it), print one table and end. Needs no terminal.
    #[arg(long, conflicts_with = "no_color")]
    pub(crate) once: bool,

    /// Panic while the picture with this number is drawn: shows that the terminal comes back.
    #[arg(long, value_name = "N", hide = true, conflicts_with = "once")]
    pub(crate) panic_after: Option<u64>,
}

const NOTES: &str = "\
The service:
  A job of band b holds its worker for about 4 + 2 b ms. Band 0 is sent with force_send: if there is
  no room, the oldest of what is least urgent has to go for it. All others wait for room for up to
  20 ms, and then come back: they are refused. Items of the last band expire after 2 s.

Keys:
  0 to 7       select this band and add load to it, 50 items a second
  up, down     select a band
  + or Enter   add load to the selected band
  -            take load from it
  space        pause the load, and go on
  w, k         a worker more; a worker less, once it is done with what it works on
  p            the next policy: strict, weighted, ageing
  C, c         twice, half the capacity
  q, Esc       quit
  Ctrl-C       quit

The picture:
  in/s and out/s are of the last second, and so are p50 and p99 of the time from send to receive.
  All counts are of the whole run. invert is for how long something waited in the band while all
  workers were at less urgent work, run how many work on it now.

Exit status:
  0 quit, or the time was over; 2 bad arguments, or no terminal; 130 ended by Ctrl-C or a signal.";

impl Args {
    /// After which it ends.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.seconds.map(Duration::from_secs_f64)
    }

    /// Whether it may use colour: see <https://no-color.org>.
    pub(crate) fn colour(&self) -> bool {
        !self.no_color && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.1..=86_400.0).contains(&number) => Ok(number),
        Ok(_) => Err("must be from 0.1 to 86400".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}
