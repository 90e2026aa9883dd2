//! The tables.

use crate::profile::BANDS;
use crate::report::{Report, Row};

/// A table for each item type and number of items, of at most 80 columns.
pub(crate) fn tables(report: &Report) -> String {
    let tables: Vec<_> = report.tables().map(table).collect();
    tables.join("\n")
}

fn table(rows: &[Row]) -> String {
    let mut lines = rows.first().map(title).into_iter().collect::<Vec<_>>();
    lines.push(format!(
        "{:<16}{:>8}{:>10}{:>10}{:>12}{:>12}{:>10}",
        "peer", "empty", "each", "peak", "left", "later", "allocs"
    ));
    lines.extend(rows.iter().map(line));
    lines.join("\n") + "\n"
}

fn title(row: &Row) -> String {
    let payload = match row.each(row.figures.payload) {
        0.0 => String::new(),
        each => format!("; {each:.0} bytes each elsewhere, not counted here"),
    };
    format!("{} {} over {BANDS} bands{payload}", row.items, row.item)
}

fn line(row: &Row) -> String {
    let figures = &row.figures;
    format!(
        "{:<16}{:>8}{:>10.2}{:>10.2}{:>12}{:>12}{:>10.4}",
        row.peer,
        figures.empty,
        row.each(figures.queued),
        row.each(figures.peak),
        figures.left,
        figures.later,
        figures.allocations_per_item,
    )
}
