//! Runs models on a mutant, in a copy of the tree.

use crate::sites::Mutant;
use std::{
    collections::HashSet,
    env,
    ffi::OsStr,
    fmt, fs,
    io::{self, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// What became of a mutant.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A model failed, with this message.
    Killed { model: String, message: String },
    /// That many models passed, and none failed.
    Survived { models: usize },
    /// The time was over while this model ran.
    TimedOut { model: String },
    /// Neither: it does not compile, or a model fails on the unchanged source as well.
    Error { message: String },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed { model, message } => write!(f, "killed by {model}: {message}"),
            Self::Survived { models } => write!(f, "SURVIVED {models} models"),
            Self::TimedOut { model } => write!(f, "TIMED OUT in {model}"),
            Self::Error { message } => write!(f, "ERROR {message}"),
        }
    }
}

/// Whether a model, or a file of models, is for the build with the real epoch.
pub(crate) fn is_epoch(model: &str) -> bool {
    model.starts_with("reclaim")
}

/// Where the copy of the tree is.
pub(crate) fn copy_of(root: &Path, name: &str) -> PathBuf {
    root.join("target/mutants").join(name)
}

/// Makes the copy as the tree is now. What is the same already is left alone, so that builds are
/// incremental.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut names = HashSet::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // The copy lies below the tree, so cargo finds the tree's `.cargo` by itself, and with one
        // more would join the two.
        if ["target", ".git", ".cargo", "fuzz"]
            .iter()
            .any(|skipped| name == *skipped)
        {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            write_if_new(&to, &fs::read(&from)?)?;
        }
        names.insert(name);
    }
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if entry.file_name() == "target" || names.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn write_if_new(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::write(path, content)
}

/// Runs models in the copy.
#[derive(Debug)]
pub(crate) struct Runner {
    tree: PathBuf,
    full: bool,
    /// The files of models, without their ending.
    files: Vec<String>,
    /// Models that were seen to pass on the unchanged source.
    sound: HashSet<String>,
}

impl Runner {
    pub(crate) fn new(tree: &Path, full: bool) -> Result<Self, String> {
        let folder = tree.join("loom-tests/tests");
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let paths = entries.flatten().map(|entry| entry.path());
        let mut files: Vec<_> = paths
            .filter(|path| path.extension() == Some(OsStr::new("rs")))
            .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
            .collect();
        files.sort();
        Ok(Self {
            tree: tree.into(),
            full,
            files,
            sound: HashSet::new(),
        })
    }

    /// Runs the models on a mutant until one fails: `known` first, then those of the file's topic,
    /// then, unless `own`, the others.
    pub(crate) fn run(
        &mut self,
        mutant: &Mutant,
        known: Option<&str>,
        own: bool,
        limit: Duration,
    ) -> Result<Outcome, String> {
        let path = self.tree.join("src").join(&mutant.file);
        let source = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let write = |text: &str| fs::write(&path, text).map_err(|error| error.to_string());
        write(&mutant.apply(&source))?;
        let outcome = self.run_models(mutant, known, own, Instant::now() + limit);
        write(&source)?;

        if let Outcome::Killed { model, .. } = &outcome {
            if !self.sound.contains(model) {
                let (file, test) = model.split_once('/').unwrap_or((model, ""));
                match self.run_file(file, Some(test), Instant::now() + limit) {
                    Ran::Passed(1..) => _ = self.sound.insert(model.clone()),
                    other => {
                        let message =
                            format!("{model} kills it, but on the unchanged source: {other:?}");
                        return Ok(Outcome::Error { message });
                    }
                }
            }
        }
        Ok(outcome)
    }

    fn run_models(&self, mutant: &Mutant, known: Option<&str>, own: bool, end: Instant) -> Outcome {
        let mut steps = Vec::new();
        if let Some((file, test)) = known.and_then(|known| known.split_once('/')) {
            if self.files.iter().any(|name| name == file) {
                steps.push((file, Some(test)));
            }
        }
        steps.extend(
            self.order(&mutant.file, own)
                .into_iter()
                .map(|file| (file, None)),
        );
        let mut models = 0;
        for (file, test) in steps {
            match self.run_file(file, test, end) {
                // The known model is among its file's again.
                Ran::Passed(_) if test.is_some() => {}
                Ran::Passed(count) => models += count,
                Ran::Failed { test, message } => {
                    return Outcome::Killed {
                        model: format!("{file}/{test}"),
                        message,
                    };
                }
                Ran::TimedOut { test } => {
                    return Outcome::TimedOut {
                        model: format!("{file}/{test}"),
                    };
                }
                Ran::Broken(message) => return Outcome::Error { message },
            }
        }
        match models {
            0 => Outcome::Error {
                message: "no model ran".into(),
            },
            models => Outcome::Survived { models },
        }
    }

    /// The files of models in the order in which they are run for a source file.
    fn order(&self, source: &str, own: bool) -> Vec<&str> {
        let topics: &[&str] = match source {
            "segment/pool.rs" => &["reclaim", "segment", "orderings"],
            source if source.starts_with("segment/") => &["segment", "orderings", "reclaim"],
            "bitmap.rs" | "queue.rs" => &["bitmap", "orderings"],
            "wait.rs" => &["wait", "orderings"],
            _ => &["channel", "orderings", "wait"],
        };
        let rank = |file: &&str| topics.iter().position(|topic| file.starts_with(topic));
        let mut files: Vec<_> = self.files.iter().map(String::as_str).collect();
        if own {
            files.retain(|file| rank(file).is_some());
        }
        // Models with the real epoch are the slowest, so where they are not the topic they come last.
        files.sort_by_key(|file| (rank(file).unwrap_or(topics.len()), is_epoch(file)));
        files
    }

    fn cargo(&self, file: &str) -> Command {
        let alias = match (is_epoch(file), self.full) {
            (true, _) => "loom-epoch",
            (false, true) => "loom-full",
            (false, false) => "loom",
        };
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(&self.tree)
            .args([alias, "--test", file])
            .stdin(Stdio::null());
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR"] {
            cargo.env_remove(name); // they would override the alias
        }
        if self.full {
            cargo.env("BANDQ_LOOM_FULL", "1");
        }
        cargo
    }

    /// Runs a file's models, or one of them, one by one until one fails.
    fn run_file(&self, file: &str, test: Option<&str>, end: Instant) -> Ran {
        let built = match self.cargo(file).arg("--no-run").output() {
            Ok(built) => built,
            Err(error) => return Ran::Broken(format!("cargo: {error}")),
        };
        if !built.status.success() {
            let errors = String::from_utf8_lossy(&built.stderr);
            let first = errors.lines().skip_while(|line| !line.starts_with("error"));
            let first: Vec<_> = first.take(6).map(str::trim).collect();
            return Ran::Broken(format!("does not compile: {}", first.join(" / ")));
        }
        let mut cargo = self.cargo(file);
        cargo.args(["--", "--test-threads=1", "--nocapture"]);
        if let Some(test) = test {
            cargo.args(["--exact", test]);
        }
        // A group of its own, so that the models end with cargo.
        cargo
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        match cargo.spawn() {
            Ok(child) => watch(child, end),
            Err(error) => Ran::Broken(format!("cargo: {error}")),
        }
    }
}

/// How a run of a file's models went.
#[derive(Debug)]
enum Ran {
    Passed(usize),
    Failed { test: String, message: String },
    TimedOut { test: String },
    Broken(String),
}

/// Reads what the models print until they are done, or one fails, or the time is over.
fn watch(mut child: Child, end: Instant) -> Ran {
    let (sender, chunks) = mpsc::channel();
    let pipes: [(bool, Option<Box<dyn Read + Send>>); 2] = [
        (false, child.stdout.take().map(|pipe| Box::new(pipe) as _)),
        (true, child.stderr.take().map(|pipe| Box::new(pipe) as _)),
    ];
    for (is_stderr, pipe) in pipes {
        let Some(mut pipe) = pipe else { continue };
        let sender = sender.clone();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                let text = String::from_utf8_lossy(&chunk[..length]).into_owned();
                if sender.send((is_stderr, text)).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);

    let (mut out, mut err) = (String::new(), String::new());
    let mut timed_out = false;
    loop {
        match chunks.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((true, text)) => err += &text,
            Ok((false, text)) => out += &text,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                timed_out = true;
                break;
            }
        }
        if out.lines().any(|line| line.ends_with("FAILED")) {
            break;
        }
    }
    let ended = chunks_ended(&mut child, timed_out || out.contains("FAILED"));

    let line = out
        .lines()
        .rev()
        .find(|line| line.starts_with("test ") && !line.ends_with(" ok"));
    let name = |line: &str| {
        let name = line
            .trim_start_matches("test ")
            .split(" ... ")
            .next()
            .unwrap_or_default();
        name.trim_end_matches(" - should panic").trim().to_owned()
    };
    let unfinished = line.map(name).unwrap_or_default();
    if timed_out {
        return Ran::TimedOut { test: unfinished };
    }
    let passed = out
        .lines()
        .filter(|line| line.starts_with("test ") && line.ends_with(" ok"))
        .count();
    match ended {
        Some(true) => Ran::Passed(passed),
        _ if unfinished.is_empty() || unfinished.starts_with("result") => Ran::Broken(format!(
            "the models could not be run: {}",
            err.trim().replace('\n', " / ")
        )),
        _ => Ran::Failed {
            test: unfinished,
            message: panic_message(&err),
        },
    }
}

/// Ends the group of processes if `kill`; whether it ended well by itself.
fn chunks_ended(child: &mut Child, kill: bool) -> Option<bool> {
    if kill {
        // `Child::kill` would leave the models running.
        let group = format!("-{}", child.id());
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
    }
    let status = child.wait().ok()?;
    (!kill).then(|| status.success())
}

/// The first panic's message, in one line.
fn panic_message(err: &str) -> String {
    let mut lines = err.lines().skip_while(|line| !line.contains("panicked at"));
    let place = lines.next().unwrap_or("aborted, no panic message");
    let place = place.split("panicked at ").nth(1).unwrap_or(place);
    let message: Vec<_> = lines
        .take(3)
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    format!("{} ({})", message.join(" "), place.trim_end_matches(':'))
}
