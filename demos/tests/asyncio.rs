//! The asyncio programs and their ports. Without a Python from 3.11 on the ports are tested alone,
//! and the tests say so.

use serde_json::Value;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const PROGRAMS: [&str; 4] = ["worker_pool", "retries", "shutdown", "monitoring"];

fn example() -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    test.parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/PROFILE/deps")
        .join("examples")
        .join(format!("asyncio{}", env::consts::EXE_SUFFIX))
}

fn port(arguments: &[&str]) -> Output {
    let program = example();
    Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

fn has_python() -> bool {
    let code = "import sys; exit(sys.version_info < (3, 11))";
    let asked = Command::new("python3").args(["-c", code]).status();
    let is_here = asked.is_ok_and(|status| status.success());
    if !is_here {
        eprintln!("no python3 from 3.11 on is here: the originals are skipped");
    }
    is_here
}

fn original(program: &str, arguments: &[&str]) -> Output {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncio");
    Command::new("python3")
        .arg("-B")
        .arg(file.join(program).with_extension("py"))
        .args(arguments)
        .output()
        .expect("it was there a moment ago")
}

/// The line at a run's end: how many payloads were done, and their digest.
fn outcome(output: &Output) -> (u64, u64) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("an object");
    let number = |name: &str| summary[name].as_u64().expect("a number");
    (number("done"), number("digest"))
}

#[test]
fn a_port_does_all_payloads_and_the_same_as_its_original() {
    let has_python = has_python();
    let mut digests = Vec::new();
    for program in PROGRAMS {
        let mut options = vec!["--jobs", "1000", "--workers", "32", "--work-ms", "1"];
        if program == "retries" {
            options.extend(["--failing", "20"]);
        }
        let ours = outcome(&port(&[&[program], &options[..]].concat()));
        assert_eq!(ours.0, 1000, "{program}");
        if has_python {
            assert_eq!(outcome(&original(program, &options)), ours, "{program}");
        }
        digests.push(ours.1);
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

/// The rows of the first table, cell by cell.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().skip(2).take_while(|line| !line.is_empty());
    rows.map(|row| row.split('|').map(str::trim).collect())
        .collect()
}

#[cfg(unix)]
#[test]
fn a_port_that_sigterm_ends_in_the_middle_loses_nothing() {
    let output = port(&["--jobs", "200", "--work-ms", "20", "--rounds", "1"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let text = String::from_utf8(output.stdout).expect("text");
    let rows = rows(&text);
    let languages = if has_python() { 2 } else { 1 };
    assert_eq!(rows.len(), PROGRAMS.len() * languages, "{text}");
    for (row, program) in rows.iter().zip(
        PROGRAMS
            .iter()
            .flat_map(|&program| std::iter::repeat_n(program, languages)),
    ) {
        assert_eq!(row[1], format!("`{program}`"), "{text}");
        let counts: Vec<i64> = row[6..10].iter().filter_map(|n| n.parse().ok()).collect();
        let [accepted, done, given_back, lost] = counts[..] else {
            panic!("{text}");
        };
        assert!(
            accepted > 0 && done >= 100,
            "it was ended in the middle: {text}"
        );
        if row[2] == "bandq" {
            assert_eq!((accepted, lost), (done + given_back, 0), "{text}");
        }
    }
}

#[test]
fn bad_input_is_said_and_ends_with_2() {
    for (arguments, word) in [
        (&["--jobs", "0"][..], "--jobs"),
        (&["--rounds", "0"], "--rounds"),
        (&["--work-ms", "-1"], "-1"),
        (&["retry"], "retry"),
        (
            &["worker_pool", "--ledger", "/no/such/directory/ledger"],
            "No such file",
        ),
    ] {
        let output = port(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
