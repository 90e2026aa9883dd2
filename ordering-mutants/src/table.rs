//! The table: `table.md`, which people read and this program checks and writes.
//!
//! Up to the heading `## Sites` it is written by hand, but for the table of code to be deleted,
//! which is read. From there on it is written by [`Table::render`]; only the reasons in it are by
//! hand.

use crate::sites::{Listed, Mutant};
use std::{collections::BTreeMap, fmt::Write as _};

/// What is known of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// By this model, as `file/test`.
    Killed(String),
    /// With the reason.
    Survives(String),
    /// The models did not end in time.
    TimedOut(String),
    Unknown,
}

impl Verdict {
    fn parse(cell: &str) -> Self {
        if let Some(model) = cell.strip_prefix("killed by ") {
            Self::Killed(model.trim_matches('`').into())
        } else if let Some(reason) = cell.strip_prefix("survives: ") {
            Self::Survives(reason.into())
        } else if let Some(reason) = cell.strip_prefix("timed out: ") {
            Self::TimedOut(reason.into())
        } else {
            Self::Unknown
        }
    }

    fn render(&self) -> String {
        match self {
            Self::Killed(model) => format!("killed by `{model}`"),
            Self::Survives(reason) => format!("survives: {reason}"),
            Self::TimedOut(reason) => format!("timed out: {reason}"),
            Self::Unknown => "?".into(),
        }
    }

    /// Whether nothing is left to say.
    pub(crate) fn is_settled(&self) -> bool {
        match self {
            Self::Killed(model) => !model.is_empty(),
            Self::Survives(reason) => reason.trim_matches('?').len() > 1,
            Self::TimedOut(_) | Self::Unknown => false,
        }
    }
}

/// Function, operation, mutation.
type Key = (String, String, String);

/// The whole of `table.md`.
#[derive(Debug)]
pub(crate) struct Table {
    head: String,
    pub(crate) listed: Vec<Listed>,
    rows: BTreeMap<String, Vec<(Key, Verdict)>>,
}

const SITES: &str = "## Sites\n";

impl Table {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (head, sites) = text
            .split_once(SITES)
            .ok_or("the table has no heading `## Sites`")?;
        let mut listed = Vec::new();
        for cells in head.lines().filter_map(cells) {
            let [file, code, becomes, _] = &cells[..] else {
                return Err(format!("not four cells: {cells:?}"));
            };
            listed.push(Listed {
                file: plain(file),
                code: plain(code),
                becomes: (becomes != "deleted").then(|| plain(becomes)),
            });
        }
        let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut file = String::new();
        for line in sites.lines() {
            if let Some(name) = line.strip_prefix("### ") {
                file = plain(name);
            } else if let Some(cells) = cells(line) {
                let [function, operation, mutation, verdict] = &cells[..] else {
                    return Err(format!("not four cells: {cells:?}"));
                };
                let key = (function.clone(), operation.clone(), mutation.clone());
                rows.entry(file.clone())
                    .or_default()
                    .push((key, Verdict::parse(verdict)));
            }
        }
        Ok(Self {
            head: head.into(),
            listed,
            rows,
        })
    }

    pub(crate) fn render(&self) -> String {
        let all = || self.rows.values().flatten().map(|(_, verdict)| verdict);
        let killed = all()
            .filter(|verdict| matches!(verdict, Verdict::Killed(_)))
            .count();
        let survive = all()
            .filter(|verdict| matches!(verdict, Verdict::Survives(_)))
            .count();
        let left = all().count() - killed - survive;
        let mut text = format!("{}{SITES}", self.head);
        let _ = write!(
            text,
            "\n{} mutants: {killed} killed, {survive} survive, {left} open.\n",
            all().count()
        );
        for (file, rows) in &self.rows {
            let _ = write!(
                text,
                "\n### `{file}`\n\n\
                 | function | operation | mutation | verdict |\n|---|---|---|---|\n"
            );
            for ((function, operation, mutation), verdict) in rows {
                let cells = [function, operation, mutation, &verdict.render()]
                    .map(|cell| cell.replace('|', "\\|"));
                let _ = writeln!(text, "| {} |", cells.join(" | "));
            }
        }
        text
    }

    /// The row of a mutant.
    pub(crate) fn verdict(&mut self, mutant: &Mutant) -> Option<&mut Verdict> {
        let rows = self.rows.get_mut(&mutant.file)?;
        rows.iter_mut()
            .find(|(row, _)| *row == key(mutant))
            .map(|(_, verdict)| verdict)
    }

    /// Listed code that does not stand in the source, rows that no mutant has, and mutants that
    /// have no row.
    pub(crate) fn differences(&self, mutants: &[Mutant]) -> Vec<String> {
        let mut differences = Vec::new();
        for listed in &self.listed {
            let operation = format!("`{}`", listed.code);
            let stands =
                |mutant: &Mutant| mutant.file == listed.file && mutant.operation == operation;
            if !mutants.iter().any(stands) {
                differences.push(format!(
                    "not in the source any more: {} {}",
                    listed.file, listed.code
                ));
            }
        }
        for (file, rows) in &self.rows {
            for (row, _) in rows {
                if !mutants
                    .iter()
                    .any(|mutant| mutant.file == *file && key(mutant) == *row)
                {
                    differences.push(format!(
                        "not in the source any more: {file} {}",
                        one_line(row)
                    ));
                }
            }
        }
        for mutant in mutants {
            let rows = self.rows.get(&mutant.file);
            if !rows.is_some_and(|rows| rows.iter().any(|(row, _)| *row == key(mutant))) {
                differences.push(format!(
                    "missing in the table: {} {}",
                    mutant.file,
                    one_line(&key(mutant))
                ));
            }
        }
        differences
    }

    /// Mutants without a verdict, and survivors without a reason.
    pub(crate) fn unsettled(&self) -> Vec<String> {
        let mut unsettled = Vec::new();
        for (file, rows) in &self.rows {
            for (row, verdict) in rows.iter().filter(|(_, verdict)| !verdict.is_settled()) {
                unsettled.push(format!("{}: {file} {}", verdict.render(), one_line(row)));
            }
        }
        unsettled
    }

    /// Takes these mutants as rows, in their order, with the verdicts that are known.
    pub(crate) fn adopt(&mut self, mutants: &[Mutant]) {
        let mut rows: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for mutant in mutants {
            let verdict = self.verdict(mutant).cloned().unwrap_or(Verdict::Unknown);
            rows.entry(mutant.file.clone())
                .or_default()
                .push((key(mutant), verdict));
        }
        self.rows = rows;
    }
}

/// A mutant's name on the command line and in reports.
pub(crate) fn name(mutant: &Mutant) -> String {
    format!("{} {}", mutant.file, one_line(&key(mutant)))
}

fn key(mutant: &Mutant) -> Key {
    (
        mutant.function.clone(),
        mutant.operation.clone(),
        mutant.mutation.clone(),
    )
}

fn one_line((function, operation, mutation): &Key) -> String {
    format!("{function} {operation}: {mutation}").replace('`', "")
}

/// The cells of a table's line; `None` for other lines, headers and rules.
fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim().strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<_> = line
        .replace("\\|", "\u{0}")
        .split(" | ")
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect();
    let header = ["file", "function"].contains(&cells[0].as_str());
    (!header).then_some(cells)
}

fn plain(cell: &str) -> String {
    cell.trim().trim_matches('`').into()
}
