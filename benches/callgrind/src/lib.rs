//! Reads what gungraun prints, and compares it with the counts of the baseline file.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How often a benchmark does its operation: whole batches of 32.
pub const TIMES: u64 = 12_800;

/// By how much a count may rise: 3 %.
const TOLERANCE: f64 = 0.03;

/// Below this a count is as good as nothing, and a rise up to it is none.
const NOTHING: f64 = 0.05;

/// What one operation costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Instructions.
    pub instructions: f64,
    /// Locked instructions among them: atomic read-modify-writes and full fences.
    pub locked: f64,
}

/// Every benchmark's cost by its name.
pub type Costs = BTreeMap<String, Cost>;

/// What is in `baseline.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// The compiler that made the code counted.
    pub rustc: String,
    /// The costs.
    pub costs: Costs,
}

/// The costs in gungraun's output, which is a JSON object a line.
pub fn costs(output: &str) -> Result<Costs, String> {
    let lines = output.lines().filter(|line| line.starts_with('{'));
    lines.map(cost).collect()
}

fn cost(line: &str) -> Result<(String, Cost), String> {
    let summary: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = |key: &str| summary[key].as_str().ok_or(format!("no {key} in: {line}"));
    let name = format!("{}, {}", text("function_name")?, text("id")?).replace('_', " ");
    let metrics = &summary["profiles"][0]["data"]["total"]["metrics"];
    let per_operation = |metric: &str| {
        let count = metrics[metric]["values"]["new"].as_f64();
        let count = count.ok_or(format!("{name}: no count {metric}"))?;
        Ok::<_, String>((count / TIMES as f64 * 100.0).round() / 100.0)
    };
    let cost = Cost {
        instructions: per_operation("Ir")?,
        locked: per_operation("Ge")?,
    };
    Ok((name, cost))
}

/// The outcome as a table, and whether everything costs what it may.
pub fn compare(baseline: &Costs, now: &Costs) -> (String, bool) {
    let mut text = String::from(
        "| operation | instructions | baseline | locked | baseline | |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut passed = true;
    let names: BTreeMap<_, ()> = baseline
        .keys()
        .chain(now.keys())
        .map(|name| (name, ()))
        .collect();
    for (name, ()) in names {
        let (old, new) = (baseline.get(name), now.get(name));
        let verdict = match (old, new) {
            (Some(old), Some(new)) if rises(old.locked, new.locked) => {
                Err("more locked instructions")
            }
            (Some(old), Some(new)) if rises(old.instructions, new.instructions) => {
                Err("more instructions")
            }
            (Some(old), Some(new)) if rises(new.instructions, old.instructions) => {
                Ok("fewer: update the baseline")
            }
            (Some(_), Some(_)) => Ok(""),
            (None, _) => Err("not in the baseline"),
            (_, None) => Err("was not counted"),
        };
        passed &= verdict.is_ok();
        let cell = |cost: Option<&Cost>, pick: fn(&Cost) -> f64| {
            cost.map_or("–".into(), |cost| format!("{:.2}", pick(cost)))
        };
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} |",
            cell(new, |cost| cost.instructions),
            cell(old, |cost| cost.instructions),
            cell(new, |cost| cost.locked),
            cell(old, |cost| cost.locked),
            verdict.map_or_else(|failure| format!("**{failure}**"), str::to_owned),
        );
    }
    (text, passed)
}

fn rises(from: f64, to: f64) -> bool {
    to > from * (1.0 + TOLERANCE) && to > from + NOTHING
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(instructions: f64, locked: f64) -> Costs {
        Costs::from([(
            "pop".into(),
            Cost {
                instructions,
                locked,
            },
        )])
    }

    #[test]
    fn three_percent_are_tolerated() {
        let baseline = costs(100.0, 4.0);
        assert!(compare(&baseline, &costs(103.0, 4.0)).1);
        assert!(!compare(&baseline, &costs(103.1, 4.0)).1);
        assert!(!compare(&baseline, &costs(100.0, 5.0)).1);
        assert!(compare(&baseline, &costs(50.0, 2.0)).1);
    }

    #[test]
    fn nothing_may_be_missing() {
        assert!(!compare(&Costs::new(), &costs(1.0, 0.0)).1);
        assert!(!compare(&costs(1.0, 0.0), &Costs::new()).1);
    }

    #[test]
    fn reads_a_summary() {
        let line = r#"{"function_name":"push_pop","id":"8_bands","profiles":[{"data":{"total":
            {"metrics":{"Ir":{"values":{"new":1280000}},"Ge":{"values":{"new":64000}}}}}}]}"#;
        let cost = Cost {
            instructions: 100.0,
            locked: 5.0,
        };
        assert_eq!(
            super::costs(&line.replace('\n', "")),
            Ok(Costs::from([("push pop, 8 bands".into(), cost)]))
        );
    }
}
