//! Where the figures come from.

use std::process::Command;
use std::{env, fs, thread};

use crate::results::Machine;

/// This machine, as far as it tells.
pub fn machine() -> Machine {
    Machine {
        cpu: cpu().unwrap_or_else(|| "unknown".into()),
        cores: thread::available_parallelism().map_or(0, usize::from),
        system: format!("{} {}", env::consts::OS, env::consts::ARCH),
        rustc: rustc().unwrap_or_else(|| "unknown".into()),
    }
}

fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().into())
}

fn rustc() -> Option<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}
