//! The command line: what can be asked for, and within which limits.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;

/// A channel under load, with an endpoint for Prometheus.
///
/// /metrics is what bandq exports, /stats what the program counted itself, as JSON. Ctrl-C ends it.
#[derive(Debug, Parser)]
#[command(name = "serve", verbatim_doc_comment, after_help = NOTES)]
pub(crate) struct Args {
    /// Where to listen; port 0 for any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9898")]
    pub(crate) listen: SocketAddr,

    /// How long the load lasts, 0.01 to 86400; for ever without it.
    ///
    /// The endpoint stays: then with numbers that rest, and six items in the channel that nobody
    /// takes.
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: Option<Duration>,

    /// Jobs a second, 10 to 10000.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500,
        allow_negative_numbers = true
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(10..=10_000))]
    pub(crate) rate: u32,
}

const NOTES: &str = "\
The load:
  Of ten jobs one is urgent (band 0), four are normal (band 1), five are batch work (band 2). There
  is room for the jobs of 0.2 s. An urgent one is sent with force_send, so batch work is evicted for
  it if it has to be; a normal one has a time to live of 0.1 s; of the batch work one in five waits
  for room, the others do not. Two workers could do a quarter more than that; but each of them, once
  a second, has a batch job that takes 0.4 s. Meanwhile the channel gets full, urgent jobs wait for
  workers at less urgent work, and normal ones expire.

Exit status:
  0 ended by Ctrl-C; 2 bad arguments, or it cannot listen there.";

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.01..=86_400.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        Ok(_) => Err("must be from 0.01 to 86400".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}
