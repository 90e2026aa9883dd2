//! The tables, in markdown: the ratios with their goals, then every peer's figures.

use std::fmt::Write;

use super::short;
use crate::results::{Bound, GroupFigures, Results, Row, Spread, Unit, Verdict};

/// Both tables.
pub fn markdown(results: &Results) -> String {
    let machine = &results.machine;
    let rounds = results
        .groups
        .iter()
        .flat_map(|group| &group.works)
        .flat_map(|work| &work.peers)
        .map(|peer| peer.rounds.len());
    let rounds = (rounds.clone().min().unwrap_or(0), rounds.max().unwrap_or(0));
    let rounds = if rounds.0 == rounds.1 {
        rounds.0.to_string()
    } else {
        format!("{} to {}", rounds.0, rounds.1)
    };
    let mut text = String::from("# bandq against its peers\n\n");
    let _ = writeln!(
        text,
        "Made by `cargo bench -p bandq-benches --bench ratios`.\n\
         {}, {} cores, {}, {}.\n\
         Medians of {rounds} rounds, in which the peers took turns; `N` is 8 but for `bands`.\n\
         A ratio is bandq's figure over the reference's in the same round:\n\
         median (least..greatest).\n",
        machine.cpu, machine.cores, machine.system, machine.rustc,
    );
    ratios(&mut text, &results.rows());
    for group in &results.groups {
        let _ = write!(text, "\n## {}: {}\n\n", group.name, group.title);
        figures(&mut text, group);
    }
    text
}

/// The table of ratios.
pub fn ratios(text: &mut String, rows: &[Row]) {
    text.push_str("| work | bandq | reference | ratio | goal | at the very least | verdict |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in rows {
        let unit = row.unit;
        let reference = match &row.reference {
            Some((name, figure)) => format!("{name}: {}", with_unit(figure.median, unit)),
            None => "–".into(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {reference} | {} | {} | {} | {} |",
            row.work,
            with_unit(row.bandq.median, unit),
            row.ratio.map_or("–".into(), spread),
            bound(row.goal, row),
            bound(row.least, row),
            match row.verdict {
                Verdict::Reached => "reached",
                Verdict::LeastOnly => "the least",
                Verdict::Missed => "**missed**",
                Verdict::Open => "–",
            },
        );
    }
}

/// Every peer's figures in one group.
fn figures(text: &mut String, group: &GroupFigures) {
    let mut peers: Vec<&str> = Vec::new();
    for figures in group.works.iter().flat_map(|work| &work.peers) {
        if !peers.contains(&figures.peer.as_str()) {
            peers.push(&figures.peer);
        }
    }
    text.push_str("| peer |");
    for work in &group.works {
        let _ = write!(text, " {}, {} |", work.work.name, work.work.unit.symbol());
    }
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(group.works.len()));
    for peer in peers {
        let _ = write!(text, "| {peer} |");
        for work in &group.works {
            let figures = work.peers.iter().find(|figures| figures.peer == peer);
            let cell = figures.map_or("–".into(), |figures| spread(figures.spread()));
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
}

fn spread(Spread { median, min, max }: Spread) -> String {
    format!("{} ({}..{})", short(median), short(min), short(max))
}

fn with_unit(value: f64, unit: Unit) -> String {
    format!("{} {}", short(value), unit.symbol())
}

/// A bound of a ratio, or of the figure itself where it is compared with nothing.
fn bound(bound: Option<Bound>, row: &Row) -> String {
    let value = |value: f64| match row.reference {
        Some(_) => short(value),
        None => with_unit(value, row.unit),
    };
    match bound {
        None => "–".into(),
        Some(Bound::AtMost(most)) => format!("≤ {}", value(most)),
        Some(Bound::AtLeast(least)) => format!("≥ {}", value(least)),
    }
}
