//! What people are told: what is about to run, and the table at the end.

use crate::args::{Args, PoolName};
use crate::discipline::Discipline;
use crate::job::Jobs;
use crate::plan::{Plan, RUSH_PERCENT};
use crate::policies::{self, or_dash};
use crate::report::{Report, WaitMs};

/// What is about to be replayed, and how.
pub(crate) fn heading(jobs: &Jobs, args: &Args, plan: &Plan) -> String {
    let skipped = match jobs.skipped {
        0 => String::new(),
        rows => format!(" ({rows} more were never scheduled, and are skipped)"),
    };
    let of_pool = match args.pool {
        PoolName::Loops => "",
        PoolName::Workers => " of a pool of bandq-workers",
    };
    let rush = (plan.rush.end - plan.rush.start).as_secs_f64();
    let mut lines = vec![
        format!("{}: {}{skipped}", jobs.source, count(jobs.jobs.len())),
        format!(
            "compression  1 s stands for {} s; arrivals span {} s, \
             {RUSH_PERCENT} % of them a rush of {rush:.2} s",
            figures(plan.compression),
            args.seconds,
        ),
        format!(
            "cap          run times are cut at {} s, here {} ms ({})",
            figures(plan.cap),
            figures(plan.cap_replayed.as_secs_f64() * 1000.0),
            plan.cap_rule,
        ),
        format!(
            "grain        run times are rounded up to {} ms, the timer's grain on {}",
            plan.grain.as_secs_f64() * 1000.0,
            args.runtime,
        ),
        format!(
            "workers      {}{} on {}; offered load in the rush {:.2}",
            plan.workers, of_pool, args.runtime, plan.load
        ),
    ];
    if args.policy.is_some() {
        lines.push(format!(
            "policies     weights {}, most urgent first; ageing by steps of {} ms",
            args.weights.text, args.step.text
        ));
    }
    lines.join("\n") + "\n"
}

/// The table, the self-check, and what priority did for the most urgent class; with `--policy` what
/// each class got, and a picture of it.
pub(crate) fn table(report: &Report) -> String {
    let mut lines = if report.disciplines.iter().any(|run| run.name.is_policy()) {
        policies::table(report)
    } else {
        waits(report)
    };
    lines.push(String::new());
    for run in &report.disciplines {
        lines.push(format!(
            "{:<10}{:.1} s, workers {:.0} % busy in the rush; {}",
            run.name,
            run.seconds,
            100.0 * run.busy,
            run.check
        ));
    }
    lines.extend(gain(report));
    lines.join("\n") + "\n"
}

fn waits(report: &Report) -> Vec<String> {
    let mut lines = vec![format!(
        "\n{:<12}{:<12}{:>8}{:>16}{:>12}{:>12}",
        "discipline", "class", "jobs", "wait, ms: p50", "p99", "max"
    )];
    for run in &report.disciplines {
        for class in &run.classes {
            let WaitMs { p50, p99, max } = class.wait_ms;
            let [p50, p99, max] = [p50, p99, max].map(|wait| or_dash(wait, 2));
            lines.push(format!(
                "{:<12}{:<12}{:>8}{p50:>16}{p99:>12}{max:>12}",
                run.name, class.name, class.jobs
            ));
        }
    }
    lines
}

/// What priority did for the most urgent class that has jobs.
fn gain(report: &Report) -> Option<String> {
    let [fifo, priority] = &report.disciplines[..] else {
        return None; // Ctrl-C came first, or there are policies
    };
    if priority.name != Discipline::Priority {
        return None;
    }
    let mut classes = fifo.classes.iter().zip(&priority.classes);
    let (name, before, after) =
        classes.find_map(|(before, after)| Some((before.name, before.mean()?, after.mean()?)))?;
    Some(format!(
        "{name} waits {before:.2} ms on average first come, first served; {after:.2} ms by class"
    ))
}

/// What Ctrl-C left undone.
pub(crate) fn left(report: &Report, disciplines: &[Discipline]) -> String {
    let Some(run) = report.disciplines.last() else {
        return "no run had begun".to_owned();
    };
    let check = &run.check;
    let others = disciplines.iter().skip(report.disciplines.len());
    let others: String = others
        .map(|name| format!("; {name} was not begun"))
        .collect();
    format!(
        "of {} of {}, {} were completed; \
         left were {} drained from the channel and {} never sent{others}",
        count(report.jobs),
        run.name,
        check.completed,
        check.drained,
        check.unsent
    )
}

/// So many jobs.
fn count(jobs: usize) -> String {
    match jobs {
        1 => "1 job".to_owned(),
        _ => format!("{jobs} jobs"),
    }
}

/// A positive number with about four significant figures.
fn figures(number: f64) -> String {
    match number {
        1000.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}
