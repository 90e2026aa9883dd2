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

const CLASSES: [&str; 4] = ["LS", "Guaranteed", "Burstable", "BE"];
const RUNTIMES: [&str; 4] = ["tokio", "smol", "async-std", "threads"];
const POOLS: [&str; 2] = ["loops", "workers"];

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

/// The two disciplines by default.
fn good_run(arguments: &[&str]) -> Value {
    good_run_of(&["fifo", "priority"], arguments)
}

/// Runs with `--json` and checks what every good run keeps; returns the object.
fn good_run_of(disciplines: &[&str], arguments: &[&str]) -> Value {
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
    assert_eq!(names, disciplines);
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

/// What is said about a class.
fn class<'r>(report: &'r Value, discipline: usize, class: &str) -> &'r Value {
    report["disciplines"][discipline]["classes"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|entry| entry["name"] == class)
        .expect("every class is there")
}

fn wait(report: &Value, discipline: usize, name: &str, which: &str) -> f64 {
    let wait = &class(report, discipline, name)["wait_ms"][which];
    wait.as_f64().expect("the class has jobs")
}

fn median_wait(report: &Value, discipline: usize, class: &str) -> f64 {
    wait(report, discipline, class, "p50")
}

/// A trace of jobs, as (class, arrival, run time), that is there until it is dropped.
struct Trace(PathBuf);

impl Trace {
    fn new(name: &str, jobs: impl IntoIterator<Item = (&'static str, usize, usize)>) -> Self {
        let file = format!("bandq-replay-{name}-{}.csv", std::process::id());
        let file = env::temp_dir().join(file);
        let mut text = "qos,creation_time,scheduled_time,deletion_time\n".to_owned();
        for (class, arrival, run) in jobs {
            text += &format!("{class},{arrival},{arrival},{}\n", arrival + run);
        }
        std::fs::write(&file, text).expect("a temporary file");
        Self(file)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a plain path")
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

/// So many jobs of each class at the same moment, for one worker, which finds all of them there
/// from its second job on.
fn at_once(name: &str, jobs: [usize; 4]) -> Trace {
    let classes = CLASSES.into_iter().zip(jobs);
    Trace::new(
        name,
        classes.flat_map(|(class, n)| (0..n).map(move |_| (class, 0, 1))),
    )
}

/// A run under policies with one worker, whose notes say exactly who went before whom.
fn by_one_worker(disciplines: &[&str], trace: &Trace, arguments: &[&str]) -> Value {
    let all = [
        "--runtime",
        "threads",
        "--workers",
        "1",
        "--trace",
        trace.path(),
    ];
    good_run_of(disciplines, &[&all, arguments].concat())
}

#[test]
fn every_job_of_the_built_in_workload_is_done_once_and_in_order_on_every_runtime() {
    for runtime in RUNTIMES {
        for pool in POOLS {
            let report = good_run(&["--runtime", runtime, "--pool", pool, "--seconds", "1"]);
            assert_eq!(report["runtime"], runtime);
            assert_eq!(report["pool"], pool);
        }
    }
}

#[test]
fn the_jobs_are_a_pools_unless_policies_are_compared() {
    let report = good_run(&["--seconds", "0.5"]);
    assert_eq!(report["pool"], "workers");
    let arguments = ["--seconds", "0.5", "--policy", "strict"];
    assert_eq!(good_run_of(&["strict"], &arguments)["pool"], "loops");
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
fn every_job_of_a_real_trace_is_done_once_and_in_order_by_loops_too() {
    let Ok(trace) = env::var("BANDQ_TRACE") else {
        eprintln!("no real trace here (BANDQ_TRACE is not set): skipped");
        return;
    };
    for runtime in RUNTIMES {
        let place = ["--runtime", runtime, "--pool", "loops"];
        good_run(&[&place, &["--seconds", "2", "--trace", &trace][..]].concat());
    }
}

#[test]
fn strictly_a_more_urgent_class_has_waited_less_and_gets_every_receive_it_contends_for() {
    let trace = at_once("strict", [60; 4]);
    for pool in POOLS {
        let report = by_one_worker(
            &["strict"],
            &trace,
            &["--policy", "strict", "--seconds", "0.01", "--pool", pool],
        );
        for pair in CLASSES.windows(2) {
            let (urgent, less) = (
                wait(&report, 0, pair[0], "max"),
                wait(&report, 0, pair[1], "p50"),
            );
            assert!(urgent < less, "{pool}, {pair:?}: {urgent} and {less} ms");
        }
        assert_eq!(class(&report, 0, "LS")["share"], 1.0, "{pool}");
        assert_eq!(class(&report, 0, "LS")["overtaken_ms"], 0.0, "{pool}");
    }
}

#[test]
fn weighted_shares_are_the_weights_while_all_classes_wait() {
    for (weights, shares) in [
        ("8,4,2,1", [8.0 / 15.0, 4.0 / 15.0, 2.0 / 15.0, 1.0 / 15.0]),
        ("1,1,1,3", [1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 0.5]),
    ] {
        let trace = at_once("weighted", [120; 4]);
        let arguments = [
            "--policy",
            "weighted",
            "--weights",
            weights,
            "--seconds",
            "0.01",
        ];
        let report = by_one_worker(&["weighted"], &trace, &arguments);
        let receives = report["disciplines"][0]["while_all_wait"].as_u64();
        assert!(receives > Some(100), "{receives:?} receives while all wait");
        for (name, share) in CLASSES.into_iter().zip(shares) {
            let got = class(&report, 0, name)["share_all"]
                .as_f64()
                .expect("all waited");
            assert!(
                (got - share).abs() < 0.02,
                "{weights}, {name}: {got} for {share}"
            );
        }
    }
}

/// Two of the least urgent among twice as much urgent work as one worker can do.
#[test]
fn under_ageing_the_least_urgent_class_waits_for_what_was_sent_within_its_steps_and_no_more() {
    // So much at first that the worker is busy, however late it or the producer begins.
    let first = (0..30).map(|_| ("LS", 0, 2));
    let flood = (1..600).map(|second| ("LS", second, 2));
    let few = [("BE", 0, 1), ("BE", 0, 1)];
    let trace = Trace::new("ageing", first.chain(few).chain(flood));
    let report = by_one_worker(
        &["strict", "weighted", "ageing"],
        &trace,
        &["--policy", "all", "--step", "40", "--seconds", "1.2"],
    );
    let overtaken = |discipline| {
        let ms = &class(&report, discipline, "BE")["overtaken_ms"];
        ms.as_f64().expect("a number")
    };
    let (strict, ageing) = (overtaken(0), overtaken(2));
    // 1200 ms, to the flood's end, and 3 × 40 ms.
    assert!(ageing * 3.0 < strict, "sent {ageing} and {strict} ms later");
    assert!(
        ageing > 40.0,
        "urgent work goes first within the steps: {ageing} ms"
    );
    let (strict, ageing) = (wait(&report, 0, "BE", "max"), wait(&report, 2, "BE", "max"));
    assert!(ageing * 3.0 < strict, "waited {ageing} and {strict} ms");
}

#[test]
fn policies_are_shown_in_a_table_and_bars_of_80_columns_and_a_picture() {
    let picture = env::temp_dir().join(format!("bandq-policies-{}.svg", std::process::id()));
    let svg = picture.to_str().expect("a plain path");
    let output = replay(&["--policy", "all", "--seconds", "0.5", "--svg", svg]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("text");
    let shown = text.lines().skip_while(|line| !line.starts_with("policy"));
    let shown: Vec<_> = shown
        .take_while(|line| !line.contains("completed"))
        .collect();
    assert!(shown.iter().all(|line| line.len() <= 80), "{text}");
    for policy in ["strict", "weighted", "ageing"] {
        let of_policy = shown.iter().filter(|line| line.contains(policy));
        assert_eq!(
            of_policy.count(),
            2 * CLASSES.len(),
            "rows and bars: {text}"
        );
    }
    let svg = std::fs::read_to_string(&picture).expect("the picture");
    std::fs::remove_file(&picture).expect("our own file");
    assert!(svg.contains("The longest wait, ms") && svg.contains("ageing"));
}

#[test]
fn a_wrong_policy_weight_or_step_is_told_by_its_name_and_exit_code_2() {
    for (arguments, name) in [
        (&["--policy", "fair"][..], "--policy"),
        (&["--policy", "weighted", "--weights", "1,2,3"], "--weights"),
        (
            &["--policy", "weighted", "--weights", "1,2,0,3"],
            "--weights",
        ),
        (&["--policy", "all", "--weights", "1,2,-3,4"], "--weights"),
        (&["--policy", "weighted", "--weights", ""], "--weights"),
        (&["--policy", "ageing", "--step", "0"], "--step"),
        (&["--policy", "ageing", "--step", "nan"], "--step"),
        (&["--policy", "ageing", "--step", "-1"], "--step"),
        (&["--weights", "4,3,2,1"], "--policy"),
        (&["--step", "5"], "--policy"),
    ] {
        let output = replay(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(name), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
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
        &["--pool", "rayon"],
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
    for (pool, runtime) in [
        ("loops", "tokio"),
        ("workers", "tokio"),
        ("workers", "threads"),
    ] {
        // `timeout` is not everywhere, so this asks for the example's own process and `kill`.
        let child = Command::new(program())
            .args(["--json", "--seconds", "20", "--load", "2"])
            .args(["--pool", pool, "--runtime", runtime])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the example was built");
        // Long enough to have started on any machine; if it had not, the default action of the
        // signal would end it with no exit code, and the test would say so.
        std::thread::sleep(std::time::Duration::from_secs(3));
        let kill = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.expect("kill is everywhere").success());
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{pool}, {runtime}: {said}");
        assert!(
            said.contains("drained from the channel"),
            "{pool}, {runtime}: {said}"
        );
        let report: Value = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!(
            report["disciplines"][0]["lost"], 0,
            "{pool}, {runtime}: {report}"
        );
    }
}
