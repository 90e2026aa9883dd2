//! The JSON: every round of every peer, and the ratios that follow.

use std::path::Path;
use std::{fs, io};

use serde::Serialize;

use crate::results::{Results, Row};

/// What is in the file. The ratios are only written: they follow from the rest.
#[derive(Serialize)]
struct File<'a> {
    #[serde(flatten)]
    results: &'a Results,
    ratios: Vec<Row>,
}

/// Writes them.
pub fn write(results: &Results, path: &Path) -> io::Result<()> {
    let file = File {
        results,
        ratios: results.rows(),
    };
    let text = serde_json::to_string_pretty(&file)?;
    fs::write(path, text + "\n")
}

/// Reads them; `None` if there is no such file.
pub fn read(path: &Path) -> io::Result<Option<Results>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts the groups of `new` in the place of the same groups of `old`, in the order of `names`.
pub fn merge(old: Option<Results>, new: Results, names: &[&str]) -> Results {
    let mut groups = new.groups;
    for group in old.into_iter().flat_map(|old| old.groups) {
        if groups.iter().all(|newer| newer.name != group.name) {
            groups.push(group);
        }
    }
    groups.retain(|group| names.contains(&group.name.as_str()));
    groups.sort_by_key(|group| names.iter().position(|name| *name == group.name));
    Results {
        machine: new.machine,
        groups,
    }
}
