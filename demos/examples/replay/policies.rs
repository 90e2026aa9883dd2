//! What each class got under each policy, for people to read: a table, and bars of it. No line is
//! longer than 80 columns.

use crate::job::CLASSES;
use crate::report::{ClassReport, Report};

/// Columns of the longest bar.
const BAR: usize = 20;

/// The table, and under it the bars.
pub(crate) fn table(report: &Report) -> Vec<String> {
    let mut lines = vec![
        format!(
            "\n{:<28}{:<18}{:>9}{:>15}",
            "", "  share, %", "", "wait, ms"
        ),
        format!(
            "{:<10}{:<11}{:>7}{:>8}{:>10}{:>8}{:>8}{:>8}{:>10}",
            "policy", "class", "jobs", "share", "all wait", "p50", "p99", "max", "overtaken"
        ),
    ];
    for run in &report.disciplines {
        for class in &run.classes {
            let contest = class.contest.unwrap_or_default();
            let percent = |share: Option<f64>| or_dash(share.map(|share| 100.0 * share), 1);
            let wait = class.wait_ms;
            let [p50, p99, max] = [wait.p50, wait.p99, wait.max].map(|wait| or_dash(wait, 1));
            lines.push(format!(
                "{:<10}{:<11}{:>7}{:>8}{:>10}{p50:>8}{p99:>8}{max:>8}{:>10.1}",
                run.name,
                class.name,
                class.jobs,
                percent(contest.share),
                percent(contest.share_all),
                contest.overtaken_ms,
            ));
        }
    }
    lines.push(String::new());
    lines.extend(bars(report));
    lines
}

/// For each class a bar for each policy: its share, and its longest wait.
fn bars(report: &Report) -> Vec<String> {
    let longest = |class: &ClassReport| class.wait_ms.max.unwrap_or(0.0);
    let classes = report.disciplines.iter().flat_map(|run| &run.classes);
    let greatest = classes.map(longest).fold(0.001, f64::max);
    let mut lines = vec![format!(
        "{:<22}{:<29}{}",
        "", "share where another waited", "longest wait"
    )];
    for (at, name) in CLASSES.iter().enumerate() {
        for (nth, run) in report.disciplines.iter().enumerate() {
            let class = &run.classes[at];
            let share = class.contest.and_then(|contest| contest.share);
            let share_bar = match share {
                Some(share) => format!("{} {:.0} %", bar(share), 100.0 * share),
                None => "-".to_owned(),
            };
            let wait = longest(class);
            lines.push(format!(
                "{:<12}{:<10}{share_bar:<29}{} {wait:.0} ms",
                if nth == 0 { name } else { "" },
                run.name,
                bar(wait / greatest),
            ));
        }
    }
    lines
}

/// A bar for a part of the whole; something that is not nothing is seen.
fn bar(part: f64) -> String {
    let columns = (part * BAR as f64).round() as usize;
    "#".repeat(columns.max(usize::from(part > 0.0)))
}

/// A number with so many decimals, or a dash for none.
pub(crate) fn or_dash(number: Option<f64>, decimals: usize) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.decimals$}"))
}
