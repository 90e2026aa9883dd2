//! The service example, ended by real signals.
#![cfg(unix)]

use std::{
    env,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::Instant,
};

struct Service {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Service {
    /// Started, and its pool runs.
    fn start(arguments: &[&str]) -> Self {
        let test = env::current_exe().expect("a test has a path");
        let program = test
            .parent()
            .and_then(|deps| deps.parent())
            .expect("tests lie in target/PROFILE/deps")
            .join("examples/service");
        let mut child = Command::new(&program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it speaks");
        assert_eq!(line, "ready\n");
        Self { child, output }
    }

    fn signal(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status();
        assert!(status.expect("there is a kill").success());
    }

    /// Until it has heard of a signal.
    fn wait_for(&mut self, word: &str) {
        let mut errors = self.child.stderr.take().map(BufReader::new).expect("piped");
        let mut line = String::new();
        errors.read_line(&mut line).expect("it speaks");
        assert_eq!(line.trim(), word);
        self.child.stderr = Some(errors.into_inner());
    }

    fn end(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).expect("text");
        (self.child.wait().expect("it ends"), text)
    }
}

/// The number before a word of the report's line.
fn number(text: &str, word: &str) -> u64 {
    let line = text.lines().next().expect("a line");
    let (before, _) = line.split_once(&format!(" {word}")).expect("the word");
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next();
    digits
        .and_then(|digits| digits.parse().ok())
        .expect("a number")
}

#[test]
fn sigterm_drains_and_loses_nothing() {
    let service = Service::start(&["--jobs", "2000", "--job-ms", "1", "--deadline-ms", "60000"]);
    service.signal();
    let (status, text) = service.end();
    assert_eq!(status.code(), Some(0), "{text}");
    let sent = number(&text, "sent");
    assert!(sent > 0);
    assert_eq!(
        (number(&text, "accepted"), number(&text, "done")),
        (sent, sent)
    );
}

/// The second deadline is over long before the work, which would take hours: that it ends at all
/// is the deadline's doing.
#[test]
fn a_hundred_thousand_queued_jobs_are_done_or_listed_after_sigterm() {
    for (job_ms, deadline_ms, code) in [("0", "600000", 0), ("1000", "1000", 1)] {
        let arguments = ["--job-ms", job_ms, "--deadline-ms", deadline_ms];
        let service =
            Service::start(&[&["--jobs", "100000", "--workers", "64"], &arguments[..]].concat());
        service.signal();
        let signalled = Instant::now();
        let (status, text) = service.end();
        let after = signalled.elapsed();
        assert_eq!(
            status.code(),
            Some(code),
            "{}",
            text.lines().next().unwrap_or("")
        );
        let [sent, accepted, done, returned] =
            ["sent", "accepted", "done", "returned"].map(|word| number(&text, word));
        assert!(sent >= 100_000);
        assert_eq!((accepted, done + returned), (sent, sent));
        assert_eq!(text.lines().count() as u64, 1 + returned);
        eprintln!("{done} done, {returned} returned, deadline {deadline_ms} ms: {after:?}");
    }
}

#[test]
fn a_second_sigterm_stops_and_lists_what_was_not_done() {
    let mut service = Service::start(&["--jobs", "500", "--job-ms", "100000"]);
    service.wait_for("at work");
    service.signal();
    service.wait_for("draining");
    service.signal();
    let (status, text) = service.end();
    assert_eq!(status.code(), Some(1), "{text}");
    let returned = number(&text, "returned");
    assert_eq!(number(&text, "sent"), number(&text, "done") + returned);
    assert_eq!(text.lines().count() as u64, 1 + returned);
    assert!(text.contains("interrupted: number 0 of band 0"), "{text}");
}

#[test]
fn a_deadline_ends_a_drain() {
    let service = Service::start(&["--jobs", "500", "--job-ms", "100000", "--deadline-ms", "20"]);
    service.signal();
    let (status, text) = service.end();
    assert_eq!(status.code(), Some(1), "{text}");
    assert_eq!(number(&text, "sent"), number(&text, "returned"));
}

#[test]
fn a_stubborn_handler_is_named_and_does_not_hold_the_end() {
    let arguments = ["--jobs", "100", "--stubborn", "--deadline-ms", "500"];
    let mut service = Service::start(&arguments);
    service.wait_for("at work");
    service.signal();
    let (status, text) = service.end();
    assert_eq!(status.code(), Some(1), "{text}");
    assert_eq!(number(&text, "stuck"), 1);
    assert!(text.contains("(number 0)"), "{text}");
}
