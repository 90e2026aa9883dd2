//! The picture: what is seen at one time as lines of text. Pure: from a [`View`] to a frame.

use std::time::Duration;

use bandq::{BandSnapshot, Snapshot};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::keys;
use crate::rates::Rate;
use crate::text::{count, rate, time};

/// The smallest terminal that it fits into.
pub(crate) const WIDTH: u16 = 80;
pub(crate) const HEIGHT: u16 = 24;

/// What the columns of the table take, all but the bar.
const COLUMNS: usize = 71;

const LEGEND: &str =
    "in/s, out/s, p50, p99 (send to receive): last second; counts: since the start";

/// Everything that is seen.
#[derive(Debug, Clone)]
pub(crate) struct View<'a> {
    pub(crate) snapshot: Snapshot,
    /// By band.
    pub(crate) rates: Vec<Rate>,
    /// What is offered, by band, in items a second.
    pub(crate) load: Vec<u32>,
    pub(crate) policy: String,
    pub(crate) workers: usize,
    pub(crate) paused: bool,
    /// The band that + and - are about.
    pub(crate) selected: usize,
    /// What was done, the last one last.
    pub(crate) told: &'a [String],
    /// For how long it runs.
    pub(crate) up: Duration,
    pub(crate) colour: bool,
}

/// Draws it, or says that the terminal is too small.
pub(crate) fn draw(frame: &mut Frame<'_>, view: &View<'_>) {
    let area = frame.area();
    if area.width < WIDTH || area.height < HEIGHT {
        let (width, height) = (area.width, area.height);
        let text = format!("{width}x{height} is too small: {WIDTH}x{HEIGHT}, or q to quit");
        frame.render_widget(Line::raw(text), area);
        return;
    }
    let width = usize::from(area.width);
    let head = head(view, width);
    let table = table(view, width);
    let selected = selected(view);
    let help: Vec<_> = keys::HELP.into_iter().map(Line::from).collect();
    let rows = |lines: &Vec<Line<'_>>| Constraint::Length(lines.len() as u16);
    let [at_head, _, at_table, _, at_selected, _, at_told, at_help] = Layout::vertical([
        rows(&head),
        Constraint::Length(1),
        rows(&table),
        Constraint::Length(1),
        rows(&selected),
        Constraint::Length(1),
        Constraint::Fill(1),
        rows(&help),
    ])
    .areas(area);
    let told = told(view, usize::from(at_told.height));
    for (lines, at) in [
        (head, at_head),
        (table, at_table),
        (selected, at_selected),
        (told, at_told),
        (help, at_help),
    ] {
        frame.render_widget(Paragraph::new(lines), at);
    }
}

/// About the channel as a whole.
fn head(view: &View<'_>, width: usize) -> Vec<Line<'static>> {
    let snapshot = &view.snapshot;
    let paused = if view.paused { "   LOAD PAUSED" } else { "" };
    let title = format!("bandq top   policy {}{paused}", view.policy);
    let up = format!("up {}", time(Some(view.up)));
    let first = format!(
        "{title}{up:>rest$}",
        rest = width.saturating_sub(title.len())
    );

    let used = snapshot.used as u64;
    let capacity = snapshot.capacity.unwrap_or_default() as u64;
    let label = format!("used {} of capacity {}  ", count(used), count(capacity));
    let room = width.saturating_sub(label.len());
    let share = share(used, capacity);
    let bar = paint(bar(share, room), level(share), view);

    let working: usize = snapshot.bands.iter().map(|band| band.running).sum();
    let who = format!(
        "workers {}, {working} at work   senders {}, {} waiting   receivers {}, {} waiting",
        view.workers,
        snapshot.senders,
        snapshot.senders_waiting,
        snapshot.receivers,
        snapshot.receivers_waiting,
    );
    let offered: u64 = view.load.iter().copied().map(u64::from).sum();
    let flow = format!(
        "load {}/s   in {}/s   out {}/s",
        count(if view.paused { 0 } else { offered }),
        rate(view.rates.iter().map(|rate| rate.sent).sum()),
        rate(view.rates.iter().map(|rate| rate.received).sum()),
    );
    vec![
        Line::from(first.bold()),
        Line::from(vec![Span::raw(label), bar]),
        Line::from(who),
        Line::from(flow),
    ]
}

/// A line for each band, with their heading and what it means.
fn table(view: &View<'_>, width: usize) -> Vec<Line<'static>> {
    let bar = width.saturating_sub(COLUMNS);
    let heading = format!(
        "band depth {:bar$}  in/s out/s   p50   p99 oldest evict expir refus invert run",
        ""
    );
    let mut lines = vec![Line::from(heading.bold())];
    let bands = view.snapshot.bands.iter().zip(&view.rates);
    lines.extend(bands.map(|(band, rate)| row(band, rate, bar, view)));
    lines.push(Line::from(LEGEND));
    lines
}

fn row(band: &BandSnapshot, rates: &Rate, bar_width: usize, view: &View<'_>) -> Line<'static> {
    let number = band.band.index();
    let is_selected = number == view.selected;
    let mark = if is_selected { '>' } else { ' ' };
    let share = share(
        band.len as u64,
        view.snapshot.capacity.unwrap_or_default() as u64,
    );
    // What is lost, and what the policy or the workers fail at, is worth a look.
    let lost = |number: u64| {
        let colour = if number > 0 {
            Color::Yellow
        } else {
            Color::Reset
        };
        paint(format!("{:>6}", count(number)), colour, view)
    };
    let inverted = if band.inversion.is_zero() {
        Color::Reset
    } else {
        Color::Red
    };
    let line = Line::from(vec![
        Span::raw(format!("{mark}{number:>2} {:>6} ", count(band.len as u64))),
        paint(bar(share, bar_width), level(share), view),
        Span::raw(format!(
            "{:>6}{:>6}{:>6}{:>6}{:>7}",
            rate(rates.sent),
            rate(rates.received),
            time(rates.get.quantile(0.5)),
            time(rates.get.quantile(0.99)),
            time(band.oldest),
        )),
        lost(band.evicted),
        lost(band.expired),
        lost(band.refused),
        paint(format!("{:>7}", time(Some(band.inversion))), inverted, view),
        Span::raw(format!("{:>4}", count(band.running as u64))),
    ]);
    if is_selected { line.bold() } else { line }
}

/// More about the selected band.
fn selected(view: &View<'_>) -> Vec<Line<'static>> {
    let Some(band) = view.snapshot.bands.get(view.selected) else {
        return Vec::new();
    };
    let load = view.load.get(view.selected).copied().unwrap_or_default();
    vec![
        Line::from(format!(
            "band {}   load {}/s   sent {}   received {}   refused as full {}",
            view.selected,
            count(u64::from(load)),
            count(band.sent),
            count(band.received),
            count(band.refused_full),
        )),
        Line::from(format!(
            "send to receive: mean {}, max {}   wait for room: p99 {}, max {}",
            time(band.get.mean()),
            time(band.get.max()),
            time(band.put.quantile(0.99)),
            time(band.put.max()),
        )),
    ]
}

/// The last lines of what was done.
fn told(view: &View<'_>, lines: usize) -> Vec<Line<'static>> {
    let first = view.told.len().saturating_sub(lines);
    let last = view.told[first..].iter();
    last.map(|line| Line::from(format!("- {line}"))).collect()
}

/// Of the capacity; 1 at the most.
fn share(used: u64, capacity: u64) -> f64 {
    if capacity == 0 {
        return 0.0;
    }
    (used as f64 / capacity as f64).min(1.0)
}

/// As long as the share of the width, of something that is not nothing at least a character.
fn bar(share: f64, width: usize) -> String {
    let filled = (share * width as f64).round() as usize;
    let filled = filled.clamp(usize::from(share > 0.0), width);
    format!("{}{}", "#".repeat(filled), ".".repeat(width - filled))
}

fn level(share: f64) -> Color {
    match share {
        share if share >= 0.9 => Color::Red,
        share if share >= 0.5 => Color::Yellow,
        _ => Color::Green,
    }
}

fn paint(text: String, colour: Color, view: &View<'_>) -> Span<'static> {
    let style = if view.colour {
        Style::new().fg(colour)
    } else {
        Style::new()
    };
    Span::styled(text, style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bandq::{Band, Builder};
    use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

    /// Two of five in band 0, one in band 1, one received of each, one refused.
    fn view(told: &[String]) -> View<'_> {
        let (sender, receiver) = Builder::new(2).capacity(5).observe().build().unwrap();
        let urgent = Band::URGENT;
        sender.try_send_many(urgent, [(); 3]).unwrap();
        sender.try_send_many(Band::new(1), [(); 2]).unwrap();
        assert!(sender.try_send(urgent, ()).is_err());
        assert_eq!(receiver.try_recv(), Ok((urgent, ())));
        let narrow = receiver.within(Band::new(1)..=Band::new(1));
        assert_eq!(narrow.try_recv(), Ok((Band::new(1), ())));
        let mut snapshot = receiver.snapshot();
        let [urgent, other] = [0, 1].map(|band| snapshot.bands[band].get.clone());
        snapshot.bands[0].oldest = Some(Duration::from_millis(1500));
        snapshot.bands[1].running = 3;
        snapshot.bands[1].inversion = Duration::from_micros(25);
        View {
            snapshot,
            rates: vec![
                Rate {
                    sent: 79.6,
                    received: 12.0,
                    get: urgent,
                },
                Rate {
                    get: other,
                    ..Rate::default()
                },
            ],
            load: vec![80, 30],
            policy: "strict".to_owned(),
            workers: 3,
            paused: false,
            selected: 0,
            told,
            up: Duration::from_secs(12),
            colour: true,
        }
    }

    fn drawn(view: &View<'_>, width: u16, height: u16) -> (Vec<String>, Buffer) {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, view)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let symbols: Vec<_> = buffer.content.iter().map(|cell| cell.symbol()).collect();
        let lines = symbols.chunks(usize::from(width));
        (lines.map(|line| line.concat()).collect(), buffer)
    }

    fn words(line: &str) -> Vec<&str> {
        line.split_whitespace().collect()
    }

    #[test]
    fn a_band_has_a_line_with_what_the_snapshot_says() {
        let view = view(&[]);
        let (lines, _) = drawn(&view, 80, 24);
        let columns = words(&lines[5]);
        assert_eq!(
            columns,
            [
                "band", "depth", "in/s", "out/s", "p50", "p99", "oldest", "evict", "expir",
                "refus", "invert", "run"
            ]
        );
        let [urgent, other] = [&lines[6], &lines[7]].map(|line| words(line));
        let waited = |band: usize| time(view.snapshot.bands[band].get.quantile(0.99));
        assert_eq!(urgent[..6], [">", "0", "2", "####.....", "80", "12"]);
        assert_eq!(
            urgent[6..],
            [&waited(0), &waited(0), "1.5s", "0", "0", "1", "0", "0"]
        );
        assert_eq!(other[..5], ["1", "1", "##.......", "0", "0"]);
        assert_eq!(other[8..], ["0", "0", "0", "25us", "3"]);
        // Each number ends where its heading ends.
        for heading in ["p99", "evict", "expir", "refus", "invert", "run"] {
            let end = lines[5].find(heading).unwrap() + heading.len();
            for line in [&lines[6], &lines[7]] {
                let around = &line[end - 1..(end + 1).min(line.len())];
                assert!(!around.starts_with(' '), "{heading}: {line}");
                assert!(end == 80 || around.ends_with(' '), "{heading}: {line}");
            }
        }
    }

    #[test]
    fn the_head_has_the_policy_the_room_and_who_waits() {
        let mut view = view(&[]);
        view.snapshot.senders_waiting = 7;
        let (lines, _) = drawn(&view, 80, 24);
        assert!(lines[0].starts_with("bandq top   policy strict "));
        assert!(lines[0].ends_with(" up 12s"));
        assert!(lines[1].starts_with("used 3 of capacity 5  "));
        let full = lines[1].matches('#').count() as f64;
        let all = full + lines[1].matches('.').count() as f64;
        assert!((full / all - 0.6).abs() < 0.02, "{}", lines[1]);
        assert!(lines[1].ends_with('.'));
        assert!(lines[2].starts_with("workers 3, 3 at work   senders 1, 7 waiting"));
        assert!(lines[3].starts_with("load 110/s   in 80/s   out 12/s"));
        view.paused = true;
        let (lines, _) = drawn(&view, 80, 24);
        assert!(lines[0].contains("LOAD PAUSED"));
        assert!(lines[3].starts_with("load 0/s"));
    }

    #[test]
    fn the_selected_band_is_told_more_about() {
        let mut view = view(&[]);
        for (selected, load) in [(0, "band 0   load 80/s"), (1, "band 1   load 30/s")] {
            view.selected = selected;
            let (lines, _) = drawn(&view, 80, 24);
            assert!(lines.iter().any(|line| line.starts_with(load)));
            assert!(lines[6 + selected].starts_with("> "));
            assert!(lines[7 - selected].starts_with("  "));
        }
    }

    #[test]
    fn the_last_things_done_and_the_keys_are_at_the_bottom() {
        let told: Vec<_> = (0..50).map(|n| format!("thing {n}")).collect();
        let view = view(&told);
        for height in [24, 30] {
            let (lines, _) = drawn(&view, 80, height);
            let end = lines.len() - keys::HELP.len();
            assert_eq!(lines[end - 1].trim_end(), "- thing 49");
            let help: Vec<_> = lines[end..].iter().map(|line| line.trim_end()).collect();
            assert_eq!(help, keys::HELP);
        }
    }

    #[test]
    fn whatever_the_numbers_eight_bands_fit_into_80_columns_and_24_lines() {
        let told = vec!["the last thing".to_owned()];
        let mut view = view(&told);
        let many = 9_999_999_999_999;
        let long = Duration::from_secs(86_400 * 999);
        let band = &mut view.snapshot.bands[0];
        (band.len, band.running) = (many as usize, 999);
        (band.oldest, band.inversion) = (Some(long), long);
        [band.sent, band.received, band.evicted] = [many; 3];
        [band.expired, band.refused, band.refused_full] = [many; 3];
        let band = band.clone();
        view.snapshot.bands = vec![band; 8];
        let fast = Rate {
            sent: 9e9,
            received: 9e9,
            ..Rate::default()
        };
        (view.rates, view.load) = (vec![fast; 8], vec![u32::MAX; 8]);
        (view.snapshot.used, view.snapshot.capacity) = (many as usize, Some(many as usize));
        (view.workers, view.up, view.paused) = (64, long, true);
        view.policy = "weighted 8:7:6:5:4:3:2:1".to_owned();
        for line in [head(&view, 80), table(&view, 80), selected(&view)].concat() {
            assert!(line.width() <= 80, "{line}");
        }
        let (lines, _) = drawn(&view, 80, 24);
        assert_eq!(words(&lines[13])[1], "0"); // the eighth
        assert!(lines.contains(&format!("{:80}", "- the last thing")));
        assert_eq!(lines[23].trim_end(), keys::HELP[1]);
    }

    #[test]
    fn a_wider_terminal_has_longer_bars() {
        let (lines, _) = drawn(&view(&[]), 111, 24);
        assert_eq!(words(&lines[6])[3].len(), 9 + 31);
    }

    #[test]
    fn a_smaller_terminal_is_told_so_in_one_line() {
        for (width, height) in [(79, 24), (80, 23), (40, 5), (10, 1)] {
            let (lines, _) = drawn(&view(&[]), width, height);
            let text = format!("{width}x{height} is too small: 80x24, or q to quit");
            let end = text.len().min(usize::from(width));
            assert!(lines[0].starts_with(&text[..end]), "{}", lines[0]);
            assert!(lines[1..].iter().all(|line| line.trim().is_empty()));
        }
    }

    #[test]
    fn without_colour_the_text_is_the_same() {
        let mut view = view(&[]);
        let (colourful, buffer) = drawn(&view, 80, 24);
        assert!(buffer.content.iter().any(|cell| cell.fg != Color::Reset));
        view.colour = false;
        let (plain, buffer) = drawn(&view, 80, 24);
        let cells = &mut buffer.content.iter();
        assert!(cells.all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
        assert_eq!(plain, colourful);
    }

    #[test]
    fn a_bar_is_empty_only_for_nothing_and_full_only_at_the_end() {
        assert_eq!(bar(0.0, 4), "....");
        assert_eq!(bar(0.01, 4), "#...");
        assert_eq!(bar(0.5, 4), "##..");
        assert_eq!(bar(share(9, 4), 4), "####");
        assert_eq!(bar(share(9, 0), 4), "....");
    }
}
