//! Starts the programs, one after the other, measures them, and ends them in the middle.

use crate::{
    program::{Language, PROGRAMS, Program},
    run::{ACCEPTED, DONE, SAVED, Summary},
};
use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
    time::Duration,
};

/// Percent of the payloads that fail at first.
pub(crate) const FAILING: [u64; 3] = [0, 10, 30];

#[derive(clap::Args, Debug)]
pub(crate) struct Race {
    /// How many payloads each program has.
    #[arg(long, default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    jobs: u64,
    /// What a call to the service takes, that a handler stands for.
    #[arg(long, default_value_t = 1)]
    work_ms: u64,
    /// How often each program runs; the middle one by time is shown.
    #[arg(long, default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
}

/// What was found out.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) programs: Vec<Entry>,
    pub(crate) failing: Vec<Failing>,
}

/// One program in one language.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) program: Program,
    pub(crate) language: Language,
    pub(crate) whole: Summary,
    /// Where there are signals.
    pub(crate) ended: Option<Ended>,
}

/// What became of the payloads when SIGTERM came in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) accepted: usize,
    pub(crate) done: usize,
    pub(crate) saved: usize,
}

impl Ended {
    pub(crate) fn lost(self) -> usize {
        // A kill may come between an event and its note.
        self.accepted.saturating_sub(self.done + self.saved)
    }
}

/// The retries while so many percent fail at first.
#[derive(Debug)]
pub(crate) struct Failing {
    pub(crate) percent: u64,
    pub(crate) language: Language,
    pub(crate) whole: Summary,
}

impl Found {
    /// What is not as promised.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for entry in &self.programs {
            let name = format!("{}, {}", entry.program.name(), entry.language.name());
            let first = &self.programs[0].whole;
            if (entry.whole.done, entry.whole.digest) != (first.done, first.digest) {
                complaints.push(format!("{name}: did something else than the others"));
            }
            let lost = entry.ended.map_or(0, Ended::lost);
            if entry.language == Language::Rust && lost > 0 {
                complaints.push(format!("{name}: lost {lost} payloads"));
            }
        }
        complaints
    }
}

impl Race {
    pub(crate) fn run(&self) -> Result<Found, Box<dyn Error>> {
        let languages = Language::all();
        if languages.len() == 1 {
            eprintln!("asyncio: no python3 from 3.11 on is here: the ports run alone");
        }
        let (mut programs, mut failing) = (Vec::new(), Vec::new());
        for program in PROGRAMS {
            for language in &languages {
                eprintln!("{}, {}", program.name(), language.name());
                programs.push(Entry {
                    program,
                    language: language.clone(),
                    whole: self.whole(program, language, &self.options(program, FAILING[1]))?,
                    ended: self.ended(program, language)?,
                });
            }
        }
        for percent in FAILING {
            for language in &languages {
                let options = self.options(Program::Retries, percent);
                eprintln!("retries, {percent} % fail, {}", language.name());
                failing.push(Failing {
                    percent,
                    language: language.clone(),
                    whole: self.whole(Program::Retries, language, &options)?,
                });
            }
        }
        Ok(Found { programs, failing })
    }

    /// With which options a program is measured; the retries with so many percent that fail.
    fn options(&self, program: Program, failing: u64) -> Vec<String> {
        let mut options = vec!["--jobs".to_owned(), self.jobs.to_string()];
        let mut add = |name: &str, value: u64| options.extend([name.to_owned(), value.to_string()]);
        if program != Program::WorkerPool {
            add("--work-ms", self.work_ms);
        }
        // 5,000 a second, while 16 workers can do up to 16,000.
        let spread = self.jobs * self.work_ms / 5;
        match program {
            Program::WorkerPool | Program::Shutdown => {}
            Program::Retries => {
                add("--spread-ms", spread);
                add("--failing", failing);
            }
            Program::Monitoring => add("--spread-ms", spread),
        }
        options
    }

    fn whole(
        &self,
        program: Program,
        language: &Language,
        options: &[String],
    ) -> Result<Summary, Box<dyn Error>> {
        let mut summaries = Vec::new();
        for _ in 0..self.rounds {
            let mut command = language.command(program, options)?;
            let output = command.stderr(Stdio::null()).output()?;
            let summary: Summary = serde_json::from_slice(&output.stdout)
                .map_err(|error| format!("{command:?}: {}, {error}", output.status))?;
            summaries.push(summary);
        }
        summaries.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        Ok(summaries.swap_remove(summaries.len() / 2))
    }

    /// SIGTERM when half of the payloads are done. In this run all handlers wait.
    fn ended(
        &self,
        program: Program,
        language: &Language,
    ) -> Result<Option<Ended>, Box<dyn Error>> {
        if !cfg!(unix) {
            return Ok(None);
        }
        let ledger = Ledger::new();
        let mut options = self.options(program, FAILING[1]);
        let path = ledger.0.display().to_string();
        options.extend(["--ledger".to_owned(), path]);
        if program == Program::WorkerPool {
            options.extend(["--work-ms".to_owned(), self.work_ms.to_string()]);
        }
        let mut command = language.command(program, &options)?;
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        while child.try_wait()?.is_none() {
            if ledger.read().done as u64 >= self.jobs / 2 {
                let id = child.id().to_string();
                let told = Command::new("kill").args(["-TERM", &id]).status();
                child.wait()?;
                told?;
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(Some(ledger.read()))
    }
}

/// A file that is gone with it.
struct Ledger(PathBuf);

impl Ledger {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("bandq-asyncio-{}", process::id()));
        Self(path)
    }

    fn read(&self) -> Ended {
        let path: &Path = &self.0;
        let notes = fs::read(path).unwrap_or_default(); // not there yet
        let count = |event| notes.iter().filter(|&&note| note == event).count();
        Ended {
            accepted: count(ACCEPTED),
            done: count(DONE),
            saved: count(SAVED),
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}
