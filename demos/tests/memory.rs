//! The memory example as a user runs it: its tables, its JSON, its bounds and its exit codes.
//!
//! The program is the one that `cargo test` builds beside the tests. What it counts does not depend
//! on the machine's speed, so the bounds are close.

use serde_json::Value;
use std::{
    env,
    path::PathBuf,
    process::{Command, Output},
};

const ITEMS: [&str; 3] = ["u64", "struct64", "string"];
const PEERS: [&str; 12] = [
    "bandq-queue",
    "bandq",
    "bandq-bounded",
    "bandq-ageing",
    "bandq-observed",
    "mutex-heap",
    "mutex-deques",
    "seg-queues",
    "async-channel",
    "async-bounded",
    "flume",
    "kanal",
];
/// Those of bandq whose items carry nothing.
const BARE: [&str; 3] = ["bandq-queue", "bandq", "bandq-bounded"];

fn memory(arguments: &[&str]) -> Output {
    let test = env::current_exe().expect("a test has a path");
    let program: PathBuf = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/PROFILE/deps")
        .join("examples")
        .join(format!("memory{}", env::consts::EXE_SUFFIX));
    Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

fn good_run(arguments: &[&str]) -> String {
    let output = memory(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("text")
}

/// The rows of a run with so many items of a type in a few queues, which must be those.
fn rows(items: usize, item: &str, peers: &[&str]) -> Vec<Value> {
    let items_text = items.to_string();
    let mut arguments = vec!["--json", "--items", &items_text, "--item", item];
    arguments.extend(peers.iter().flat_map(|peer| ["--peer", peer]));
    let mut report: Value =
        serde_json::from_str(&good_run(&arguments)).expect("one object, nothing else");
    let Value::Array(rows) = report["rows"].take() else {
        panic!("no rows: {report}");
    };
    assert_eq!(rows.len(), peers.len());
    for (row, peer) in rows.iter().zip(peers) {
        assert_eq!(row["peer"], *peer);
        assert_eq!(row["item"], item);
        assert_eq!(row["items"], items);
        assert_eq!(row["lost"], 0);
    }
    rows
}

fn bytes(row: &Value, field: &str) -> f64 {
    row[field].as_f64().expect("a number")
}

/// Bytes for each item with all of them queued.
fn each(row: &Value) -> f64 {
    bytes(row, "queued") / bytes(row, "items")
}

#[test]
fn every_peer_has_a_row_of_80_columns_at_most_in_the_table_of_every_item_type() {
    let text = good_run(&["--items", "1000", "--items", "3000"]);
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    let tables: Vec<_> = text.split("\n\n").collect();
    let titles = ITEMS
        .iter()
        .flat_map(|item| [1000, 3000].map(|items| format!("{items} {item} over 8 bands")));
    assert_eq!(tables.len(), titles.clone().count());
    for (table, title) in tables.into_iter().zip(titles) {
        let mut lines = table.lines();
        assert!(
            lines.next().is_some_and(|line| line.starts_with(&title)),
            "{table}"
        );
        let head: Vec<_> = lines.next().expect("a head").split_whitespace().collect();
        assert_eq!(
            head,
            ["peer", "empty", "each", "peak", "left", "later", "allocs"]
        );
        let peers: Vec<_> = lines
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(peers, PEERS);
    }
}

/// 8 bytes, and a sixth more at the most for the segment around it.
#[test]
fn a_u64_in_bandq_takes_8_to_9_75_bytes_at_a_million() {
    for row in rows(1_000_000, "u64", &BARE) {
        assert!((8.0..=9.75).contains(&each(&row)), "{row}");
    }
}

/// The same, and the queue itself: below 4 KiB without an item, and in each of the 8 bands a
/// segment that is not full.
#[test]
fn a_u64_in_bandq_takes_8_to_11_bytes_at_10000_and_an_empty_queue_less_than_4_kib() {
    for row in rows(10_000, "u64", &BARE) {
        assert!((8.0..=11.0).contains(&each(&row)), "{row}");
        assert!(bytes(&row, "empty") < 4096.0, "{row}");
    }
}

/// 64 and 24 bytes, and 10 % for the segment.
#[test]
fn larger_items_in_bandq_take_their_size_and_10_percent() {
    for (item, size) in [("struct64", 64.0), ("string", 24.0)] {
        for row in rows(100_000, item, &BARE) {
            assert!((size..=size * 1.1).contains(&each(&row)), "{row}");
        }
    }
}

/// When it was sent and from where, when it expires, its weight: 24 to 40 bytes, by features.
#[test]
fn what_an_item_carries_under_ageing_or_observed_is_at_most_40_bytes() {
    for row in rows(100_000, "u64", &["bandq-ageing", "bandq-observed"]) {
        assert!((32.0..=8.0 + 40.0 + 3.0).contains(&each(&row)), "{row}");
    }
}

/// Segments of 2.4 KB, a hand-over at the most for each.
#[test]
fn bandq_allocates_less_than_once_for_100_u64() {
    for row in rows(100_000, "u64", &BARE) {
        assert!(bytes(&row, "allocations_per_item") < 0.01, "{row}");
    }
}

/// Two segments a band, a pool of 4, the queue and the collector's part of the process.
#[test]
fn after_the_drain_bandq_keeps_at_most_64_kib_however_much_there_was() {
    for items in [10_000, 300_000] {
        for row in rows(items, "u64", &BARE) {
            for when in ["left", "later"] {
                assert!(bytes(&row, when) <= 65_536.0, "{when}: {row}");
            }
        }
    }
}

/// The histograms of an observed channel, of 16 KiB each, one for each used band here.
#[test]
fn after_the_drain_an_observed_channel_keeps_its_histograms_and_at_most_64_kib() {
    for row in rows(300_000, "u64", &["bandq-observed"]) {
        let most = 65_536.0 + 8.0 * 16_384.0 * 1.1;
        assert!(bytes(&row, "later") <= most, "{row}");
    }
}

/// That is what the counts are for; a count that sees nothing would not see it.
#[test]
fn a_heap_keeps_its_peak_after_the_drain() {
    for row in rows(100_000, "u64", &["mutex-heap", "mutex-deques"]) {
        assert!(bytes(&row, "later") >= bytes(&row, "queued"), "{row}");
        assert_eq!(bytes(&row, "later"), bytes(&row, "peak"));
    }
}

#[test]
fn what_an_item_owns_elsewhere_is_counted_apart() {
    let [string] = &rows(1000, "string", &["mutex-deques"])[..] else {
        panic!("one row");
    };
    assert_eq!(bytes(string, "payload"), 100.0 * 1000.0);
    // 8 deques with room for 128 each, of 24 bytes.
    assert!((24_576.0..26_000.0).contains(&bytes(string, "queued")));
    let [number] = &rows(1000, "u64", &["mutex-deques"])[..] else {
        panic!("one row");
    };
    assert_eq!(bytes(number, "payload"), 0.0);
}

#[test]
fn a_run_is_repeatable_and_a_peer_is_counted_as_if_it_were_alone() {
    let arguments = ["--items", "5000", "--item", "u64"];
    let all = good_run(&arguments);
    assert_eq!(all, good_run(&arguments));
    let last = good_run(&[&arguments[..], &["--peer", "kanal"]].concat());
    assert_eq!(all.lines().last(), last.lines().last());
}

#[test]
fn the_picture_names_every_peer_and_every_item_type() {
    let picture = env::temp_dir().join(format!("bandq-memory-{}.svg", std::process::id()));
    let path = picture.to_str().expect("a plain path");
    good_run(&["--items", "100", "--items", "200", "--picture", path]);
    let svg = std::fs::read_to_string(&picture).expect("the picture");
    std::fs::remove_file(&picture).expect("our own file");
    for name in PEERS.iter().chain(&["100 items", "200 items"]) {
        assert!(svg.lines().any(|line| line.trim() == *name), "{name}");
    }
    for item in ITEMS {
        assert!(
            svg.contains(&format!("{item}: bytes for each item")),
            "{item}"
        );
    }
}

#[test]
fn bad_input_is_told_and_exit_code_2() {
    for (arguments, name) in [
        (&["--items", "0"][..], "--items"),
        (&["--items", "-5"], "--items"),
        (&["--items", "many"], "--items"),
        (&["--items", "100000001"], "--items"),
        (&["--peer", "nobody"], "--peer"),
        (&["--item", "u65"], "--item"),
        (
            &["--picture", "/no/such/folder/memory.svg"],
            "/no/such/folder",
        ),
        (&["--no-such-option"], "--no-such-option"),
    ] {
        let output = memory(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(name), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
