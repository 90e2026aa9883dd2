//! The JSON: every round of every peer, and the ratios that follow.

use std::path::Path;
use std::{fs, io};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};

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
    let mut text = Vec::new();
    file.serialize(&mut Serializer::with_formatter(&mut text, Lines::default()))?;
    text.push(b'\n');
    fs::write(path, text)
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

/// The lists whose entries stand on one line each, so that a peer more is a line more.
const LISTS: [&str; 3] = ["claims", "peers", "ratios"];

/// Indented, but for the entries of [`LISTS`].
#[derive(Default)]
struct Lines {
    indented: PrettyFormatter<'static>,
    /// The key that was written last.
    key: String,
    in_key: bool,
    /// Whether what begins next is an entry.
    in_list: bool,
    /// How deep in an entry.
    within: usize,
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.within > 0 {
            self.within += 1;
            return writer.write_all(b"[");
        }
        self.in_list = LISTS.contains(&self.key.as_str());
        self.indented.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.within > 0 {
            self.within -= 1;
            return writer.write_all(b"]");
        }
        self.in_list = false;
        self.indented.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        match (self.within, first) {
            (0, _) => self.indented.begin_array_value(writer, first),
            (_, true) => Ok(()),
            (_, false) => writer.write_all(b", "),
        }
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        match self.within {
            0 => self.indented.end_array_value(writer),
            _ => Ok(()),
        }
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.in_list {
            self.within += 1;
            return writer.write_all(b"{");
        }
        self.indented.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.within > 0 {
            self.within -= 1;
            return writer.write_all(b"}");
        }
        self.indented.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.key.clear();
        self.in_key = true;
        match (self.within, first) {
            (0, _) => self.indented.begin_object_key(writer, first),
            (_, true) => Ok(()),
            (_, false) => writer.write_all(b", "),
        }
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.in_key = false;
        Ok(())
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.indented.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        match self.within {
            0 => self.indented.end_object_value(writer),
            _ => Ok(()),
        }
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if self.in_key {
            self.key.push_str(text);
        }
        writer.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So reader, writer and the committed file agree.
    #[test]
    fn the_committed_figures_read_and_written_are_the_same_text() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/ratios.json");
        let results = read(&committed).unwrap().expect("it is committed");
        let again = std::env::temp_dir().join(format!("bandq-ratios-{}.json", std::process::id()));
        write(&results, &again).unwrap();
        let texts = [&committed, &again].map(|path| fs::read_to_string(path).unwrap());
        fs::remove_file(again).unwrap();
        assert!(texts[0] == texts[1]);
    }

    #[test]
    fn a_peer_is_a_line() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/ratios.json");
        let text = fs::read_to_string(&committed).unwrap();
        let results = read(&committed).unwrap().expect("it is committed");
        let works = results.groups.iter().flat_map(|group| &group.works);
        let peers: usize = works.map(|work| work.peers.len()).sum();
        let is_peer = |line: &&str| line.trim_start().starts_with("{\"peer\": ");
        assert_eq!(text.lines().filter(is_peer).count(), peers);
    }
}
