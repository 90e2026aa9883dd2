//! The command line: what can be asked for, and within which limits.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::{PossibleValue, PossibleValuesParser, RangedU64ValueParser};

use crate::item;
use crate::peers;

/// More items than this are taken for a slip of the keyboard.
const MAX_ITEMS: u64 = 100_000_000;

/// Counts the memory that a queue takes under load, and what is left of it afterwards.
///
/// A queue of 8 bands is filled evenly. As many items again then pass through it while it is full:
/// one is taken, and one put into the most urgent band. Then it is drained; and then 4,096 items
/// more are sent, each received at once. Every allocation is counted, at the size asked for. One
/// thread does it all, so that the figures are the same each time.
#[derive(Debug, Parser)]
#[command(name = "memory", verbatim_doc_comment, after_help = NOTES)]
pub(crate) struct Args {
    /// How many items wait at the most; may be given several times.
    #[arg(long, value_name = "N", default_values_t = [10_000, 1_000_000])]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_ITEMS))]
    #[arg(allow_negative_numbers = true)]
    pub(crate) items: Vec<usize>,

    /// Only this queue; may be given several times.
    #[arg(long = "peer", value_name = "NAME", value_parser = peer_names())]
    pub(crate) peers: Vec<String>,

    /// Only items of this type; may be given several times.
    #[arg(long = "item", value_name = "TYPE", value_parser = item_names())]
    pub(crate) item_types: Vec<String>,

    /// Print one JSON object on stdout, and nothing else there; all figures in bytes.
    #[arg(long)]
    pub(crate) json: bool,

    /// Draw what was found out into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,

    /// Measure in this process, one after the other, and not in a process each.
    ///
    /// What a queue leaves to the process may then be counted as the next one's.
    #[arg(long)]
    pub(crate) here: bool,
}

const NOTES: &str = "\
The table, in bytes of the queue's own:
  empty      before the first item
  each       with all items queued, for each of them
  peak       the most at any time until the drain was over, for each of them
  left       when the last item has been taken
  later      after the 4,096 further ones
  allocs     blocks allocated or grown until the drain, for each item that was sent
What an item owns outside of the queue, as a String its characters, is counted apart, and stands in
the title of the table.

Exit status:
  0 all is well; 1 the self-check failed: a queue lost an item, or what one owns; 2 bad arguments,
  or a file that cannot be written.";

impl Args {
    pub(crate) fn wants_peer(&self, name: &str) -> bool {
        is_wanted(&self.peers, name)
    }

    pub(crate) fn wants_item(&self, name: &str) -> bool {
        is_wanted(&self.item_types, name)
    }
}

/// Where no names are given, everything is wanted.
fn is_wanted(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|wanted| wanted == name)
}

fn peer_names() -> PossibleValuesParser {
    let peers = peers::peers::<u64>().into_iter();
    peers
        .map(|peer| PossibleValue::new(peer.name).help(peer.what))
        .collect::<Vec<_>>()
        .into()
}

fn item_names() -> PossibleValuesParser {
    let items = item::items().into_iter();
    items
        .map(|item| PossibleValue::new(item.name).help(item.what))
        .collect::<Vec<_>>()
        .into()
}
