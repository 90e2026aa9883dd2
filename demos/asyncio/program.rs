//! Which programs there are, in which languages, and how each is started.

use std::{
    env, io,
    path::Path,
    process::{Command, Stdio},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    WorkerPool,
    Retries,
    Shutdown,
    Monitoring,
}

pub(crate) const PROGRAMS: [Program; 4] = [
    Program::WorkerPool,
    Program::Retries,
    Program::Shutdown,
    Program::Monitoring,
];

impl Program {
    /// Of its files, and as the port's command.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::WorkerPool => "worker_pool",
            Program::Retries => "retries",
            Program::Shutdown => "shutdown",
            Program::Monitoring => "monitoring",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// With its version.
    Python(String),
    Rust,
}

impl Language {
    pub(crate) fn name(&self) -> String {
        match self {
            Language::Python(version) => format!("Python {version}"),
            Language::Rust => "bandq".to_owned(),
        }
    }

    /// Those that are here: Python must be 3.11 at least.
    pub(crate) fn all() -> Vec<Language> {
        let code = "import sys; v = sys.version_info; print(*v[:3], sep='.'); exit(v < (3, 11))";
        let asked = Command::new(PYTHON).args(["-c", code]).output();
        let version = asked.ok().filter(|answer| answer.status.success());
        let version = version.and_then(|answer| String::from_utf8(answer.stdout).ok());
        let python = version.map(|version| Language::Python(version.trim().to_owned()));
        python.into_iter().chain([Language::Rust]).collect()
    }

    /// Starts nothing yet.
    pub(crate) fn command(&self, program: Program, options: &[String]) -> io::Result<Command> {
        let mut command = match self {
            Language::Python(_) => {
                let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncio");
                let mut command = Command::new(PYTHON);
                // Leaves no compiled files here.
                command
                    .arg("-B")
                    .arg(here.join(program.name()).with_extension("py"));
                command
            }
            Language::Rust => {
                let mut command = Command::new(env::current_exe()?);
                command.arg(program.name());
                command
            }
        };
        command.args(options).stdout(Stdio::piped());
        Ok(command)
    }
}

const PYTHON: &str = "python3";
