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

/// What stands below `src` and is not searched: unit tests, and the stall points themselves.
const NOT_SEARCHED: &[&str] = &["src/fifo/tests.rs", "src/sync/stall.rs"];

/// The text of a file, or of all in a folder. Kept for the rest of the process.
fn read(path: &Path, texts: &mut Vec<(&'static str, &'static str)>) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if full.is_dir() {
        for entry in fs::read_dir(full).unwrap() {
            read(&path.join(entry.unwrap().file_name()), texts);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs")
        && !NOT_SEARCHED.iter().any(|other| path == Path::new(other))
    {
        let name = path.to_str().unwrap().to_string();
        texts.push((name.leak(), fs::read_to_string(full).unwrap().leak()));
    }
}

/// Accesses that no push and no pop makes: file, function, what it begins with, why.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    ("src/channel/close.rs", "begin", "", "close"),
    ("src/channel/close.rs", "count", "", "handles"),
    ("src/channel/close.rs", "add", "", "handles"),
    ("src/channel/close.rs", "add_if_any", "", "handles"),
    ("src/channel/close.rs", "remove", "", "handles"),
    ("src/channel/managed.rs", "is_drained", "", "a full channel"),
    ("src/channel/pace.rs", "gap", "", "a question"),
    ("src/channel/pace.rs", "share", "", "a question"),
    ("src/channel/reach.rs", "is_empty", "", "somebody waits"),
    ("src/channel/reach.rs", "iter", "", "somebody waits"),
    ("src/channel/reach.rs", "add", "", "receivers of some bands"),
    ("src/channel/reach.rs", "drop", "", "nobody else is there"),
    ("src/channel/room.rs", "used", "", "a question"),
    ("src/channel/room.rs", "used_beside", "", "a question"),
    ("src/channel/room.rs", "take_anyway", "", "held room"),
    ("src/channel/room.rs", "hold", "", "held room"),
    ("src/channel/room.rs", "give_held_back", "", "held room"),
    ("src/channel/room.rs", "set_capacity", "", "a limit changes"),
    ("src/channel/sight.rs", "working", "", "work"),
    ("src/channel/sight.rs", "retire", "", "work"),
    (
        "src/channel/waits.rs",
        "wake_admitted",
        "",
        "somebody waits",
    ),
    ("src/fifo/mod.rs", "close", "", "close"),
    ("src/fifo/mod.rs", "drop", "head", "nobody else is there"),
    ("src/fifo/mod.rs", "drop", "load", "nobody else is there"),
    ("src/fifo/pool.rs", "drop", "", "nobody else is there"),
    ("src/fifo/pop.rs", "pop_at", "", "a full channel"),
    ("src/observe/watchdog.rs", "spawn", "", "the watchdog"),
    ("src/observe/watchdog.rs", "drop", "", "the watchdog"),
    ("src/queue/order.rs", "policy", "", "a question"),
    ("src/queue/order.rs", "set", "", "the policy changes"),
    ("src/queue/order.rs", "note", "", "the policy changes"),
    (
        "src/queue/order.rs",
        "replace_older",
        "",
        "the policy changes",
    ),
    ("src/queue/order.rs", "rule", "", "a question"),
    ("src/queue/order.rs", "stride", "", "a question"),
    (
        "src/queue/order.rs",
        "give_turn_back",
        "",
        "what has expired",
    ),
    ("src/queue/order.rs", "bring_up", "", "once in 2⁴⁴ turns"),
    ("src/queue/order.rs", "drop", "", "nobody else is there"),
    ("src/queue/order.rs", "is_whole", "", "tests only"),
    ("src/queue/order.rs", "charges", "", "tests only"),
    (
        "src/once.rs",
        "get_or_init",
        "0.compare",
        "the first of its kind",
    ),
    ("src/once.rs", "drop", "", "nobody else is there"),
    ("src/record/latency.rs", "load", "", "a question"),
    ("src/record/mod.rs", "evicted", "", "an eviction"),
    ("src/record/mod.rs", "expired", "", "what has expired"),
    ("src/record/mod.rs", "dropped", "", "the last receiver goes"),
    ("src/record/mod.rs", "refused", "", "an item comes back"),
    ("src/record/mod.rs", "counted", "", "a question"),
    ("src/record/work.rs", "hire", "", "work"),
    ("src/record/work.rs", "dismiss", "", "work"),
    ("src/record/work.rs", "running", "", "a question"),
    ("src/record/work.rs", "changed", "", "work"),
    ("src/record/work.rs", "exposed", "", "work"),
    ("src/record/work.rs", "expose", "", "work"),
    ("src/record/work.rs", "inversion", "", "a question"),
    ("src/record/work.rs", "is_inverted", "", "a question"),
    ("src/record/work.rs", "is_exposed", "", "tests only"),
    ("src/record/work.rs", "begin", "", "work"),
    ("src/record/work.rs", "name", "", "work"),
    ("src/record/work.rs", "take", "", "work"),
    ("src/record/work.rs", "free", "", "work"),
    ("src/record/work.rs", "read", "", "a question"),
    ("src/record/work.rs", "drop", "", "work"),
    ("src/sync/mod.rs", "model_fence", "", "loom only"),
    ("src/sync/time.rs", "now", "", "loom only"),
    ("src/sync/time.rs", "sleep", "", "loom only"),
    (
        "src/sync/mod.rs",
        "load_to_update",
        "",
        "counts where it is called",
    ),
    (
        "src/sync/reclaim.rs",
        "drop",
        "AFTERWARDS.store",
        "the end of a thread",
    ),
    ("src/wait/event_count.rs", "is_idle", "", "close"),
    ("src/wait/event_count.rs", "listen", "", "somebody waits"),
    (
        "src/wait/event_count.rs",
        "left_unwoken",
        "",
        "somebody waits",
    ),
    ("src/wait/event_count.rs", "mark", "", "somebody waits"),
    ("src/wait/event_count.rs", "waiting", "", "tests only"),
    ("src/wait/group.rs", "waiting", "", "a question"),
    ("src/wait/group.rs", "listen", "", "somebody waits"),
    ("src/wait/group.rs", "left_unwoken", "", "somebody waits"),
    ("src/wait/group.rs", "notify", "", "somebody waits"),
    ("src/wait/total.rs", "waiting", "", "a question"),
    ("src/wait/total.rs", "listen", "", "somebody waits"),
    ("src/wait/total.rs", "left_unwoken", "", "somebody waits"),
    ("src/wait/total.rs", "notify", "", "somebody waits"),
    ("src/wait/waiter.rs", "begin", "", "somebody waits"),
    ("src/wait/waiter.rs", "block", "", "somebody waits"),
    ("src/wait/wakes.rs", "access", "", "somebody waits"),
    ("src/wait/wakes.rs", "take", "", "somebody waits"),
];

/// An access in the source.
struct Access {
    place: Place,
    function: &'static str,
    text: String,
    /// Which of the accesses in functions of that name that look alike.
    nth: usize,
}

impl Access {
    /// Whether it is one of these, of `ELSEWHERE`.
    fn is(&self, &(file, function, begins, _): &(&str, &str, &str, &str)) -> bool {
        (self.place.file, self.function) == (file, function) && self.text.starts_with(begins)
    }
}

/// The accesses that the source text shows.
pub(crate) struct Source(Vec<Access>);

impl Source {
    pub(crate) fn scan() -> Self {
        let mut accesses = Vec::new();
        let mut texts = Vec::new();
        read(Path::new("src"), &mut texts);
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
        for elsewhere in ELSEWHERE {
            assert!(
                accesses.iter().any(|access| access.is(elsewhere)),
                "not in the source any more: {elsewhere:?}"
            );
        }
        Self(accesses)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no push and no pop has to pass there.
    pub(crate) fn is_elsewhere(&self, place: Place) -> bool {
        let access = self.0.iter().find(|access| access.place == place);
        access.is_some_and(|access| ELSEWHERE.iter().any(|elsewhere| access.is(elsewhere)))
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
        let is_elsewhere = |access: &Access| ELSEWHERE.iter().any(|elsewhere| access.is(elsewhere));
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
