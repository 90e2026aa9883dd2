//! `gate BASELINE [--update] < COUNTS`: compares the counts that gungraun printed with those in the
//! file, and fails if one has risen by more than 3 %; or writes them into the file.

use std::io::Read;
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use bandq_callgrind::{Baseline, compare, costs};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (path, update) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [path] => (path, false),
        [path, "--update"] => (path, true),
        _ => return Err("usage: gate BASELINE [--update] < COUNTS".into()),
    };
    let mut output = String::new();
    io::stdin().read_to_string(&mut output)?;
    let costs = costs(&output)?;
    if costs.is_empty() {
        return Err("nothing was counted".into());
    }
    let rustc = rustc()?;
    if update {
        let baseline = Baseline { rustc, costs };
        fs::write(path, serde_json::to_string_pretty(&baseline)? + "\n")?;
        println!("written to {path}");
        return Ok(true);
    }
    let baseline: Baseline = serde_json::from_str(&fs::read_to_string(path)?)?;
    let (table, passed) = compare(&baseline.costs, &costs);
    print!("{table}");
    if baseline.rustc != rustc {
        println!(
            "note: the baseline was counted with {}, this with {rustc}",
            baseline.rustc
        );
    }
    if !passed {
        println!(
            "an operation costs more than it did; if that is meant: .ci/instructions --update"
        );
    }
    Ok(passed)
}

fn rustc() -> Result<String, Box<dyn std::error::Error>> {
    let output = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().into())
}
