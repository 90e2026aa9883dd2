//! What was found out, as two tables in markdown.

use crate::race::Found;
use std::fmt::Write;

pub(crate) fn text(found: &Found) -> String {
    let mut text = String::from(
        "| program | | time, s | processor, s | peak memory, MB | at SIGTERM accepted | done \
         | given back | lost |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for entry in &found.programs {
        let whole = &entry.whole;
        let megabytes = whole.peak_kb.map(|kb| kb as f64 / 1024.0);
        let counts = entry.ended.map_or("– | – | – | –".to_owned(), |ended| {
            let (accepted, done, saved, lost) =
                (ended.accepted, ended.done, ended.saved, ended.lost());
            format!("{accepted} | {done} | {saved} | {lost}")
        });
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {counts} |",
            entry.program.name(),
            entry.language.name(),
            decimals(Some(whole.seconds), 3),
            decimals(whole.busy, 2),
            decimals(megabytes, 1),
        );
    }
    text += "\n| retries: fail at first | | time, s | longest queue |\n|---|---|---|---|\n";
    for entry in &found.failing {
        let _ = writeln!(
            text,
            "| {} % | {} | {} | {} |",
            entry.percent,
            entry.language.name(),
            decimals(Some(entry.whole.seconds), 2),
            entry.whole.longest,
        );
    }
    text
}

fn decimals(number: Option<f64>, decimals: usize) -> String {
    number.map_or("–".to_owned(), |number| format!("{number:.decimals$}"))
}
