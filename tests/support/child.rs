//! A test that runs a part of itself in a child process, because what it tries may abort.

use std::process::{Command, Stdio};

/// What the child is to do, as the test that started it put it.
const TASK: &str = "BANDQ_CHILD_TASK";

/// The task, if this process is such a child.
pub(crate) fn task() -> Option<String> {
    std::env::var(TASK).ok()
}

/// Whether this test, run alone in a child with that task, passes. `test` is its full name.
pub(crate) fn passes(test: &str, task: &str) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env(TASK, task)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    child.unwrap().success()
}
