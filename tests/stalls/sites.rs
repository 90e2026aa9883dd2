//! The sites: where the accesses stand in the source, so that none goes without a test unnoticed.

use std::{fmt, fs, panic::Location, path::Path};

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl From<&'static Location<'static>> for Place {
    fn from(location: &'static Location<'static>) -> Self {
        Self {
            file: location.file(),
            line: location.line(),
            column: location.column(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The files and folders that pushes and pops go through.
const SOURCES: &[&str] = &[
    "src/bitmap.rs",
    "src/channel",
    "src/queue.rs",
    "src/segment",
    "src/slip.rs",
    "src/sync",
    "src/wait.rs",
];

/// The text of a file, or of all in a folder. Kept for the rest of the process.
fn read(path: &Path, texts: &mut Vec<(&'static str, &'static str)>) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if full.is_dir() {
        for entry in fs::read_dir(full).unwrap() {
            read(&path.join(entry.unwrap().file_name()), texts);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs")
        && !path.ends_with("tests.rs")
        && !path.ends_with("stall.rs")
    {
        let name = path.to_str().unwrap().to_string();
        texts.push((name.leak(), fs::read_to_string(full).unwrap().leak()));
    }
}

/// Accesses that no push and no pop makes: file, function, what it begins with, why.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    ("src/channel/shared.rs", "is_full", "", "a question"),
    ("src/channel/shared.rs", "close", "", "close"),
    ("src/channel/shared.rs", "sender_count", "", "handles"),
    ("src/channel/shared.rs", "receiver_count", "", "handles"),
    ("src/channel/shared.rs", "drop_sender", "", "handles"),
    ("src/channel/shared.rs", "drop_receiver", "", "handles"),
    ("src/channel/shared.rs", "add_handle", "", "handles"),
    ("src/channel/shared.rs", "upgrade_handle", "", "handles"),
    ("src/segment/mod.rs", "close", "", "close"),
    (
        "src/segment/mod.rs",
        "is_published_beyond",
        "head.first",
        "a pop that poisoned a slot has seen a first segment",
    ),
    ("src/segment/mod.rs", "drop", "head", "nobody else is there"),
    ("src/segment/mod.rs", "drop", "load", "nobody else is there"),
    ("src/segment/pool.rs", "drop", "", "nobody else is there"),
    ("src/sync/mod.rs", "model_fence", "", "loom only"),
    (
        "src/sync/mod.rs",
        "load_to_update",
        "",
        "counts where it is called",
    ),
    (
        "src/sync/reclaim.rs",
        "collector",
        "COLLECTOR.compare_exchange",
        "once in a process",
    ),
    (
        "src/sync/reclaim.rs",
        "drop",
        "AFTERWARDS.store",
        "the end of a thread",
    ),
    ("src/wait.rs", "wake", "", "somebody waits"),
    ("src/wait.rs", "begin", "", "somebody waits"),
    ("src/wait.rs", "give_up", "", "somebody waits"),
    ("src/wait.rs", "block", "", "somebody waits"),
];

/// An access in the source.
struct Access {
    place: Place,
    function: &'static str,
    text: String,
    /// Which of the accesses in functions of that name that look alike.
    nth: usize,
}

/// The accesses that the source text shows.
pub(crate) struct Source(Vec<Access>);

impl Source {
    pub(crate) fn scan() -> Self {
        let mut accesses = Vec::new();
        let mut texts = Vec::new();
        for path in SOURCES {
            read(Path::new(path), &mut texts);
        }
        for (file, text) in texts {
            let mut function = "";
            for (line, code) in (1..).zip(text.lines()) {
                if code.starts_with("mod tests") {
                    break;
                }
                let code = code.split("//").next().unwrap_or("");
                if let Some((_, rest)) = code.split_once("fn ") {
                    function = rest.split(['(', '<']).next().unwrap_or("");
                }
                for (start, text) in calls(code) {
                    let place = Place {
                        file,
                        line,
                        column: start as u32 + 1,
                    };
                    let alike = |access: &&Access| {
                        (access.place.file, access.function, &access.text)
                            == (file, function, &text)
                    };
                    let nth = 1 + accesses.iter().filter(alike).count();
                    accesses.push(Access {
                        place,
                        function,
                        text,
                        nth,
                    });
                }
            }
        }
        accesses.sort_by_key(|access| access.place);
        Self(accesses)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The accesses that were not passed and are not `ELSEWHERE`. Panics if one was
    /// passed that is not in the text.
    pub(crate) fn gaps(&self, passed: &[Place]) -> Vec<String> {
        for place in passed {
            assert!(
                self.0.iter().any(|access| access.place == *place),
                "the scan of the source misses the access at {place}"
            );
        }
        let is_elsewhere = |access: &Access| {
            ELSEWHERE.iter().any(|(file, function, begins, _)| {
                (*file, *function) == (access.place.file, access.function)
                    && access.text.starts_with(begins)
            })
        };
        self.0
            .iter()
            .filter(|access| !passed.contains(&access.place) && !is_elsewhere(access))
            .map(|access| format!("{} {}", access.place, self.describe(access.place)))
            .collect()
    }

    /// The function, and the access as it is written there; with `#2` if it is the file's second
    /// that looks so. No line: those change with every edit.
    pub(crate) fn describe(&self, place: Place) -> String {
        let access = self.0.iter().find(|access| access.place == place);
        access.map_or_else(String::new, |access| {
            let Access {
                function,
                text,
                nth,
                ..
            } = access;
            match nth {
                1 => format!("`{function}: {text}`"),
                _ => format!("`{function}: {text}` #{nth}"),
            }
        })
    }
}

/// The accesses in a line of code: where their name stands, and what they look like.
fn calls(code: &'static str) -> impl Iterator<Item = (usize, String)> {
    const METHODS: [&str; 7] = [
        "load",
        "store",
        "swap",
        "compare_exchange",
        "compare_exchange_weak",
        "fetch_",
        "fence",
    ];
    code.match_indices('(').filter_map(|(open, _)| {
        if code[open + 1..].starts_with(')') {
            return None; // `set.load()`: not an atomic's
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = code[..open]
            .rfind(|c| !word(c))
            .map_or(0, |before| before + 1);
        let name = &code[start..open];
        let method = code[..start].ends_with('.')
            && METHODS.iter().any(|method| {
                name == *method || (method.ends_with('_') && name.starts_with(method))
            });
        let function =
            matches!(name, "load_to_update" | "fence") && !code[..start].ends_with("fn ");
        if !method && !function {
            return None;
        }
        // With the field before it, if it stands on the same line.
        let field = |c: char| word(c) || c == '.';
        let from = code[..start]
            .rfind(|c| !field(c))
            .map_or(0, |before| before + 1);
        let argument = if function {
            code[open + 1..].split([',', ')']).next()
        } else {
            None
        };
        let text = match argument {
            Some(argument) => format!("{name}({argument})"),
            None => code[from..open]
                .trim_start_matches("self.")
                .trim_start_matches('.')
                .to_string(),
        };
        Some((start, text))
    })
}
