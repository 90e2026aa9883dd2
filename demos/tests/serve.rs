//! The serve example as a user runs it: what it exports against what it counted itself, and the
//! dashboard and the alerts of `docs/prometheus` against what is exported.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

fn program() -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    test.parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/PROFILE/deps")
        .join("examples")
        .join(format!("serve{}", env::consts::EXE_SUFFIX))
}

/// A running one; ended with this.
struct Serve {
    child: Child,
    address: String,
}

impl Serve {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it is built beside the tests");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where");
        let address = line.trim().strip_prefix("serving http://");
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        Serve { child, address }
    }

    /// What it answers: head and body.
    fn get(&self, path: &str, accept: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("not zero");
        let host = &self.address;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_owned(), body.to_owned())
    }

    fn metrics(&self) -> String {
        self.get("/metrics", "*/*").1
    }

    fn stats(&self) -> Value {
        serde_json::from_str(&self.get("/stats", "*/*").1).expect("JSON")
    }

    /// Once the load has ended.
    fn stats_at_rest(&self) -> Value {
        let until = Instant::now() + Duration::from_secs(120);
        loop {
            let stats = self.stats();
            if stats["resting"] == true {
                return stats;
            }
            assert!(Instant::now() < until, "it does not come to rest: {stats}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The number of the series with exactly these labels.
fn number(metrics: &str, series: &str) -> f64 {
    let of_it = metrics.lines().find_map(|line| line.strip_prefix(series));
    let number = of_it.unwrap_or_else(|| panic!("no {series} in {metrics}"));
    number.trim().parse().expect("a number")
}

#[test]
fn at_rest_the_exported_numbers_are_the_programs_own() {
    let serve = Serve::start(&["--seconds", "2"]);
    let stats = serve.stats_at_rest();
    let metrics = serve.metrics();
    assert_eq!(
        number(&metrics, r#"bandq_queue_capacity{channel="jobs"}"#),
        stats["capacity"].as_f64().unwrap()
    );
    for (band, own) in stats["bands"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let labels = format!(r#"channel="jobs",band="{band}""#);
        let own = |field: &str| own[field].as_f64().expect("a number");
        let of = |name: &str| number(&metrics, &format!("bandq_{name}{{{labels}}}"));
        assert_eq!(of("queue_length"), own("len"));
        assert_eq!(of("sent_total"), own("sent"));
        assert_eq!(of("received_total"), own("received"));
        assert_eq!(of("get_latency_seconds_count"), own("received"));
        for reason in ["evicted", "expired", "full", "closed"] {
            let series = format!(r#"bandq_dropped_total{{{labels},reason="{reason}"}}"#);
            assert_eq!(
                number(&metrics, &series),
                own(reason),
                "band {band}: {reason}"
            );
        }
    }
    let len = |band: usize| stats["bands"][band]["len"].as_u64();
    assert_eq!([len(0), len(1), len(2)], [Some(1), Some(0), Some(5)]);
}

#[test]
fn each_scraper_gets_the_format_that_it_asks_for() {
    let serve = Serve::start(&["--rate", "10"]);
    let (head, body) = serve.get("/metrics", "application/openmetrics-text;version=1.0.0");
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{head}"
    );
    assert!(body.ends_with("# EOF\n"));
    let (head, body) = serve.get("/metrics", "text/plain");
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    assert!(body.contains("# TYPE bandq_sent_total counter\n"));
    assert!(serve.get("/nothing", "*/*").0.starts_with("HTTP/1.1 404"));
}

/// All words that begin with `bandq_`.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("bandq_"))
        .map(str::to_owned)
        .collect()
}

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/prometheus")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_what_is_exported() {
    let serve = Serve::start(&[]);
    let metrics = serve.metrics();
    let series = metrics.lines().filter(|line| !line.starts_with('#'));
    let exported: BTreeSet<String> = series.flat_map(names).collect();

    let dashboard: Value = serde_json::from_str(&document("dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("a list");
    let mut shown = BTreeSet::new();
    for panel in panels {
        for target in panel["targets"].as_array().expect("a list") {
            let names = names(target["expr"].as_str().expect("a query"));
            assert!(!names.is_empty(), "{target}");
            shown.extend(names);
        }
    }
    let unknown: Vec<_> = shown.difference(&exported).collect();
    assert!(
        unknown.is_empty(),
        "the dashboard: {unknown:?} of {exported:?}"
    );
    for name in [
        "queue_length",
        "get_latency_seconds_bucket",
        "dropped_total",
        "load_ratio",
    ] {
        assert!(
            shown.contains(&format!("bandq_{name}")),
            "not shown: {name}"
        );
    }

    for file in ["alerts.yml", "alerts.test.yml"] {
        let unknown: Vec<_> = names(&document(file))
            .difference(&exported)
            .cloned()
            .collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .output()
        .expect("it is built beside the tests")
}

#[test]
fn bad_input_is_said_and_ends_with_2() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken
        .local_addr()
        .map(|at| (taken, at.to_string()))
        .expect("it has one");
    let cases: &[(&[&str], &str)] = &[
        (&["--listen", "nowhere"], "nowhere"),
        (&["--listen", &taken.1], &taken.1),
        (&["--seconds", "0"], "0.01 to 86400"),
        (&["--seconds", "-1"], "0.01 to 86400"),
        (&["--seconds", "NaN"], "0.01 to 86400"),
        (&["--seconds", "soon"], "not a number"),
        (&["--rate", "9"], "10..=10000"),
        (&["--rate", "-5"], "-5"),
        (&["--rate", "1e9"], "1e9"),
        (&["--nonsense"], "--nonsense"),
        (&["nonsense"], "nonsense"),
    ];
    for (arguments, text) in cases {
        let output = run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(text), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_at_once_and_well() {
    for arguments in [&[] as &[&str], &["--seconds", "0.01"]] {
        let mut serve = Serve::start(arguments);
        let _open = TcpStream::connect(&serve.address).expect("it listens");
        assert!(serve.stats()["bands"].is_array());
        let pid = serve.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("a kill").success());
        let status = serve.child.wait().expect("it ends"); // or the test hangs
        assert_eq!(status.code(), Some(0), "{arguments:?}");
        let mut rest = String::new();
        let stdout = serve.child.stdout.as_mut().expect("a pipe");
        stdout.read_to_string(&mut rest).expect("text");
        assert!(rest.contains("6 of 100 used"), "{rest}");
    }
}
