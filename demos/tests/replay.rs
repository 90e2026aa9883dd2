//! The replay example as a user runs it: its JSON, its checks and its exit codes.
//!
//! The program is the one that `cargo test` builds beside the tests. With `BANDQ_TRACE` naming a
//! real trace, that is replayed too, on every runtime; without, the tests say so.

use serde_json::Value;
use std::{
    env,
    path::PathBuf,
    process::{Command, Output},
};

const RUNTIMES: [&str; 4] = ["tokio", "smol", "async-std", "threads"];

fn program() -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    test.parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/PROFILE/deps")
        .join("examples")
        .join(format!("replay{}", env::consts::EXE_SUFFIX))
}

fn replay(arguments: &[&str]) -> Output {
    let program = program();
    Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// Runs with `--json` and checks what every good run keeps; returns the object.
fn good_run(arguments: &[&str]) -> Value {
    let output = replay(&[arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one object, nothing else");
    let jobs = report["jobs"].as_u64().expect("a number");
    let names: Vec<&str> = report["disciplines"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|d| d["name"].as_str())
        .collect();
    assert_eq!(names, ["fifo", "priority"]);
    for discipline in report["disciplines"].as_array().expect("a list") {
        assert_eq!(discipline["completed"].as_u64(), Some(jobs), "{discipline}");
        for wrong in ["lost", "duplicated", "out_of_order"] {
            assert_eq!(discipline[wrong].as_u64(), Some(0), "{wrong}: {discipline}");
        }
        let by_class: u64 = discipline["classes"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|class| class["jobs"].as_u64())
            .sum();
        assert_eq!(by_class, jobs);
    }
    report
}

fn median_wait(report: &Value, discipline: usize, class: &str) -> f64 {
    report["disciplines"][discipline]["classes"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|entry| entry["name"] == class)
        .and_then(|entry| entry["wait_ms"]["p50"].as_f64())
        .expect("the class has jobs")
}

#[test]
fn every_job_of_the_built_in_workload_is_done_once_and_in_order_on_every_runtime() {
    for runtime in RUNTIMES {
        let report = good_run(&["--runtime", runtime, "--seconds", "1"]);
        assert_eq!(report["runtime"], runtime);
    }
}

#[test]
fn urgent_jobs_of_a_real_trace_wait_far_less_by_class_on_every_runtime() {
    let Ok(trace) = env::var("BANDQ_TRACE") else {
        eprintln!("no real trace here (BANDQ_TRACE is not set): skipped");
        return;
    };
    for runtime in RUNTIMES {
        let report = good_run(&["--runtime", runtime, "--seconds", "8", "--trace", &trace]);
        let (fifo, priority) = (median_wait(&report, 0, "LS"), median_wait(&report, 1, "LS"));
        eprintln!(
            "{runtime}: LS median wait {fifo:.1} ms first come first served, \
             {priority:.1} ms by class"
        );
        // A ratio within one run; seen are 8 and more.
        assert!(
            priority * 2.0 < fifo,
            "{runtime}: {priority} ms against {fifo} ms"
        );
    }
}

#[test]
fn bad_input_is_told_with_file_line_and_column_and_exit_code_2() {
    let file = env::temp_dir().join(format!("bandq-replay-{}.csv", std::process::id()));
    let path = file.to_str().expect("a plain path");
    let header = "name,qos,creation_time,deletion_time,scheduled_time\n";
    let cases = [
        (
            "name,creation_time,deletion_time,scheduled_time\na,0,9,1\n".to_owned(),
            "qos",
        ),
        (
            format!("{header}a,LS,0,9,1\nb,LS,soon,9,1\n"),
            "creation_time",
        ),
        (format!("{header}a,VIP,0,9,1\n"), "qos"),
        (format!("{header}a,LS,5,1,6\n"), "deletion_time"),
        (String::new(), "qos"),
    ];
    for (text, column) in cases {
        std::fs::write(&file, &text).expect("a temporary file");
        let output = replay(&["--trace", path]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text:?}: {stderr}");
        assert!(
            stderr.contains(path) && stderr.contains(column),
            "{text:?}: {stderr}"
        );
    }
    std::fs::remove_file(&file).expect("our own file");

    for arguments in [
        &["--trace", "/no/such/file.csv"][..],
        &["--seconds", "0"],
        &["--workers", "0"],
        &["--load", "nan"],
        &["--runtime", "rayon"],
        &["--no-such-option"],
    ] {
        let output = replay(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            !output.stderr.is_empty() && output.stdout.is_empty(),
            "{arguments:?}"
        );
    }
}

/// Ctrl-C in the middle: what was left is reported, and the exit code is 130.
#[cfg(unix)]
#[test]
fn an_interrupt_drains_reports_and_exits_with_130() {
    // `timeout` is not everywhere, so this asks for the example's own process and `kill`.
    let child = Command::new(program())
        .args(["--json", "--seconds", "20"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the example was built");
    // Long enough to have started on any machine; if it had not, the default action of the signal
    // would end it with no exit code, and the test would say so.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill is everywhere").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        output.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!output.stderr.is_empty(), "what was left is reported");
}
