//! All measurements, and the shape of the JSON.
//!
//! Each is made in a process of its own, this program started again: what a queue leaves to its
//! process, as memory that waits for reclamation, must not be counted as the next one's.

use std::error::Error;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::item::{self, ItemType};
use crate::peers;
use crate::profile::{Figures, Load};

/// Everything that was found out; its fields are the fields of the JSON object.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// By item type, then by the number of items, then by peer.
    pub(crate) rows: Vec<Row>,
}

/// One measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) item: String,
    pub(crate) items: usize,
    pub(crate) peer: String,
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

impl Row {
    /// Bytes for each item.
    pub(crate) fn each(&self, bytes: isize) -> f64 {
        bytes as f64 / self.items as f64
    }
}

impl Report {
    /// Measures what was asked for.
    pub(crate) fn measure(args: &Args) -> Result<Self, Box<dyn Error>> {
        let mut rows = Vec::new();
        let peers = peers::peers::<()>();
        for item in item::items() {
            if !args.wants_item(item.name) {
                continue;
            }
            for &items in &args.items {
                for peer in peers.iter().filter(|peer| args.wants_peer(peer.name)) {
                    rows.push(row(&item, items, peer.name, args.here)?);
                }
            }
        }
        Ok(Self { rows })
    }

    /// The rows that belong into one table.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &[Row]> {
        self.rows
            .chunk_by(|one, next| one.item == next.item && one.items == next.items)
    }
}

fn row(item: &ItemType, items: usize, peer: &str, here: bool) -> Result<Row, Box<dyn Error>> {
    let figures = if here {
        item.measure(peer, Load { items }).ok_or("no such peer")?
    } else {
        elsewhere(item, items, peer)?
    };
    Ok(Row {
        item: item.name.to_owned(),
        items,
        peer: peer.to_owned(),
        figures,
    })
}

/// The same in a process of its own.
fn elsewhere(item: &ItemType, items: usize, peer: &str) -> Result<Figures, Box<dyn Error>> {
    let what = format!("{items} {} in {peer}", item.name);
    let output = Command::new(std::env::current_exe()?)
        .args(["--here", "--json", "--peer", peer, "--item", item.name])
        .args(["--items", &items.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{what}: {error}"))?;
    let report: Report = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{what}: {}, {error}", output.status))?;
    let row = report.rows.first().ok_or(what)?;
    Ok(row.figures)
}
