//! Runs models on a mutant, in a copy of the tree.

use crate::sites::Mutant;
use std::{
    collections::{BTreeMap, HashSet},
    env,
    ffi::OsStr,
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
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
    root.join("target/ordering-mutants").join(name)
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
    /// How many milliseconds a model took when it passed. Kept in a file, for the order only.
    times: BTreeMap<String, u128>,
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
        let times = fs::read_to_string(tree.with_extension("times")).unwrap_or_default();
        let times = times.lines().filter_map(|line| {
            let (model, time) = line.split_once(' ')?;
            Some((model.to_owned(), time.parse().ok()?))
        });
        Ok(Self {
            tree: tree.into(),
            full,
            files,
            sound: HashSet::new(),
            times: times.collect(),
        })
    }

    /// Runs the models on a mutant until one fails: `known` first, then those of the file's topic,
    /// then, unless `own`, the others; the quick ones of each file first.
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

        Ok(match outcome {
            Ok(Outcome::Killed { model, message }) => match self.is_sound(&model, limit) {
                Ok(true) => Outcome::Killed { model, message },
                Ok(false) => Outcome::Error {
                    message: format!("{model} fails on the unchanged source too"),
                },
                Err(message) => Outcome::Error { message },
            },
            Ok(outcome) => outcome,
            Err(message) => Outcome::Error { message },
        })
    }

    fn run_models(
        &mut self,
        mutant: &Mutant,
        known: Option<&str>,
        own: bool,
        end: Instant,
    ) -> Result<Outcome, String> {
        let mut files = self.order(&mutant.file, own);
        if let Some((file, _)) = known.and_then(|known| known.split_once('/')) {
            if let Some(at) = files.iter().position(|name| name == file) {
                files[..=at].rotate_right(1);
            } else if self.files.iter().any(|name| name == file) {
                files.insert(0, file.into());
            }
        }
        let mut passed = 0;
        for file in files {
            let models = self.build(&file)?;
            let mut tests = models.list()?;
            tests.sort_by_key(|test| {
                let model = format!("{file}/{test}");
                (
                    Some(&*model) != known,
                    self.times.get(&model).copied().unwrap_or_default(),
                )
            });
            for test in tests {
                let model = format!("{file}/{test}");
                let began = Instant::now();
                match models.run(&test, end)? {
                    Ran::Passed => {
                        passed += 1;
                        self.note_time(&model, began.elapsed());
                    }
                    Ran::Failed(message) => return Ok(Outcome::Killed { model, message }),
                    Ran::TimedOut => return Ok(Outcome::TimedOut { model }),
                }
            }
        }
        match passed {
            0 => Err("there is no model".into()),
            models => Ok(Outcome::Survived { models }),
        }
    }

    /// Whether a model passes on the unchanged source.
    fn is_sound(&mut self, model: &str, limit: Duration) -> Result<bool, String> {
        if self.sound.contains(model) {
            return Ok(true);
        }
        let (file, test) = model.split_once('/').unwrap_or((model, ""));
        let sound = match self.build(file)?.run(test, Instant::now() + limit)? {
            Ran::Passed => true,
            Ran::Failed(_) => false,
            Ran::TimedOut => return Err(format!("{model}: timed out on the unchanged source")),
        };
        if sound {
            self.sound.insert(model.into());
        }
        Ok(sound)
    }

    fn note_time(&mut self, model: &str, time: Duration) {
        self.times.insert(model.into(), time.as_millis());
        let lines = self
            .times
            .iter()
            .map(|(model, time)| format!("{model} {time}\n"));
        // If it is lost, the order is another one.
        let _ = fs::write(self.tree.with_extension("times"), lines.collect::<String>());
    }

    /// The files of models in the order in which they are run for a source file.
    fn order(&self, source: &str, own: bool) -> Vec<String> {
        let topics: &[&str] = match source {
            "fifo/pool.rs" | "fifo/sweep.rs" => &["reclaim", "fifo"],
            source if source.starts_with("fifo/") => &["fifo", "reclaim"],
            source if source.starts_with("spin/") => &["fifo"],
            "queue/bitmap.rs" => &["bitmap"],
            "queue/fronts.rs" => &["fronts"],
            "queue/order.rs" => &["policy"],
            source if source.starts_with("queue/") => {
                &["instant", "priority", "bitmap", "channel_close"]
            }
            "wait/wakes.rs" => &["wakes", "wait"],
            "wait/group.rs" => &["channel_room", "channel_bounded"],
            "wait/total.rs" => &["wait", "channel_within"],
            source if source.starts_with("wait/") => &["wait", "wakes"],
            "channel/reach.rs" => &["channel_within"],
            "channel/room.rs" => &["channel_order", "channel_room", "channel_bounded"],
            "channel/waits.rs" => &["channel_within", "channel_room", "channel_bounded"],
            source if source.starts_with("record/") => &["work"],
            "once.rs" | "channel/managed.rs" | "channel/overload.rs" => {
                &["channel_moving", "channel_expiry", "channel_within"]
            }
            // The quick ones first.
            _ => &[
                "channel_order",
                "channel_close",
                "channel_bounded",
                "channel_room",
                "channel_batch",
                "channel_moving",
                "channel_evict",
                "channel_expiry",
                "channel_within",
                "wait",
                "wakes",
            ],
        };
        let rank = |file: &String| topics.iter().position(|topic| file.starts_with(topic));
        let mut files = self.files.clone();
        if own {
            files.retain(|file| rank(file).is_some());
        }
        // Models with the real epoch are the slowest, so where they are not the topic they come
        // last.
        files.sort_by_key(|file| (rank(file).unwrap_or(topics.len()), is_epoch(file)));
        files
    }

    /// Builds a file of models.
    fn build(&self, file: &str) -> Result<Models, String> {
        let alias = match (is_epoch(file), self.full) {
            (true, _) => "loom-epoch",
            (false, true) => "loom-full",
            (false, false) => "loom",
        };
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args([alias, "--no-run", "--test", file])
            .current_dir(&self.tree);
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR"] {
            cargo.env_remove(name); // they would override the alias
        }
        let output = cargo.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("cargo: {error}"))?;
        let told = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let errors = told.lines().skip_while(|line| !line.starts_with("error"));
            let errors: Vec<_> = errors.take(6).map(str::trim).collect();
            return Err(format!("does not compile: {}", errors.join(" / ")));
        }
        let binary = told
            .lines()
            .rfind(|line| line.trim_start().starts_with("Executable"))
            .and_then(|line| line.rsplit_once('(')?.1.strip_suffix(')'))
            .ok_or("cargo does not say where the models are")?;
        let mut variables = self.variables(alias)?;
        if self.full {
            variables.push(("BANDQ_LOOM_FULL".into(), "1".into()));
        }
        Ok(Models {
            binary: self.tree.join(binary),
            folder: self.tree.join("loom-tests"),
            variables,
        })
    }

    /// What an alias in `.cargo/config.toml` sets by `env.NAME='VALUE'`. The models are not run
    /// through cargo, because killing cargo would not end them.
    fn variables(&self, alias: &str) -> Result<Vec<(String, String)>, String> {
        let folders = self
            .tree
            .ancestors()
            .map(|folder| folder.join(".cargo/config.toml"));
        let config = folders
            .filter_map(|path| fs::read_to_string(path).ok())
            .next();
        let config = config.ok_or("there is no .cargo/config.toml")?;
        let begin = format!("\n{alias} = [");
        let (_, arguments) = config
            .split_once(&begin)
            .ok_or(format!("no alias `{alias}`"))?;
        let arguments = arguments.split("\n]").next().unwrap_or_default();
        let variables = arguments.split("\"env.").skip(1).filter_map(|variable| {
            let (name, value) = variable.split_once("='")?;
            Some((name.to_owned(), value.split('\'').next()?.to_owned()))
        });
        Ok(variables.collect())
    }
}

/// How a run of a model went.
#[derive(Debug)]
enum Ran {
    Passed,
    /// With the message.
    Failed(String),
    TimedOut,
}

/// A file of models, built.
#[derive(Debug)]
struct Models {
    binary: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Models {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The names of the models.
    fn list(&self) -> Result<Vec<String>, String> {
        let output = self.command().args(["--list", "--format=terse"]).output();
        let output = output.map_err(|error| format!("{}: {error}", self.binary.display()))?;
        let listed = String::from_utf8_lossy(&output.stdout);
        let tests = listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"));
        Ok(tests.map(Into::into).collect())
    }

    /// Runs a model.
    fn run(&self, test: &str, end: Instant) -> Result<Ran, String> {
        let mut command = self.command();
        command.args(["--exact", test, "--test-threads=1", "--nocapture"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.binary.display()))?;
        // Read all the while, so that the model never waits for a full pipe.
        let (sender, told) = mpsc::channel();
        if let Some(mut pipe) = child.stderr.take() {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.read_to_end(&mut text);
                let _ = sender.send(String::from_utf8_lossy(&text).into_owned());
            });
        }
        // The pipe ends with the model.
        let Ok(told) = told.recv_timeout(end.saturating_duration_since(Instant::now())) else {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(Ran::TimedOut);
        };
        let status = child.wait().map_err(|error| error.to_string())?;
        Ok(if status.success() {
            Ran::Passed
        } else {
            Ran::Failed(panic_message(&told))
        })
    }
}

/// The first panic's message and its place, in one line.
fn panic_message(told: &str) -> String {
    let mut lines = told
        .lines()
        .skip_while(|line| !line.contains("panicked at"));
    let Some((_, place)) = lines
        .next()
        .and_then(|line| line.split_once("panicked at "))
    else {
        return "it aborted".into();
    };
    let message: Vec<_> = lines
        .take(4)
        .map(str::trim)
        .take_while(|line| !line.is_empty() && !line.starts_with("note:"))
        .collect();
    let place = place
        .rsplit('/')
        .next()
        .unwrap_or(place)
        .trim_end_matches(':');
    format!("{} ({place})", message.join(" "))
}
