//! The plots: an SVG a group. Bars for peers side by side, lines over an axis. bandq stands out; a
//! whisker goes from the least round to the greatest.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;

use super::short;
use crate::queue::Kind;
use crate::results::{Drawing, GroupFigures, PeerFigures, Unit, WorkFigures};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Outcome = Result<(), Box<dyn Error>>;

const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const FAINT: RGBColor = RGBColor(0xd8, 0xdc, 0xe0);
const FONT: &str = "sans-serif";

/// The lines of peers, in the order of the peers; bandq has a colour of its own.
const LINES: [RGBColor; 8] = [
    RGBColor(0x1f, 0x6f, 0xb2),
    RGBColor(0x2c, 0x8c, 0x5a),
    RGBColor(0x8a, 0x5f, 0xb8),
    RGBColor(0xb0, 0x8a, 0x1e),
    RGBColor(0x3f, 0xa7, 0xa3),
    RGBColor(0x7b, 0x84, 0x8c),
    RGBColor(0xa3, 0x5b, 0x7c),
    RGBColor(0x55, 0x5f, 0x9a),
];

fn colour(kind: Kind) -> RGBColor {
    match kind {
        Kind::Ours => RGBColor(0xd9, 0x48, 0x1c),
        Kind::Priority => RGBColor(0x4a, 0x74, 0xa8),
        Kind::Plain => RGBColor(0xa9, 0xc0, 0xda),
        Kind::Bound => FAINT,
    }
}

/// Draws the group into the file.
pub fn draw(group: &GroupFigures, path: &Path) -> Outcome {
    match &group.drawing {
        Drawing::Bars { log } => bars(group, *log, path),
        Drawing::Lines { axis } => lines(group, axis, path),
    }
}

fn title(area: &Area<'_>, group: &GroupFigures, unit: Unit) -> Outcome {
    let better = if unit.less_is_better() {
        "less is better"
    } else {
        "more is better"
    };
    area.fill(&WHITE)?;
    area.draw(&Text::new(
        format!("{} ({better})", group.title),
        (12, 10),
        (FONT, 16).into_font().color(&INK),
    ))?;
    Ok(())
}

const TITLE: i32 = 36;
const BAR: i32 = 20;
const NAMES: i32 = 190;
const PANEL: i32 = 220;
const PANEL_GAP: i32 = 70;
const PANEL_HEAD: i32 = 26;
const CAPTION: i32 = 30;
/// Panels next to each other, before the next row of them.
const PANELS: usize = 4;

fn bars(group: &GroupFigures, log: bool, path: &Path) -> Outcome {
    let names = names(group);
    let rows = group.works.chunks(PANELS);
    let height = PANEL_HEAD + names.len() as i32 * BAR;
    let bottom = TITLE + rows.len() as i32 * height;
    let panels = group.works.len().min(PANELS) as i32;
    let size = (
        (NAMES + panels * (PANEL + PANEL_GAP)) as u32,
        (bottom + CAPTION) as u32,
    );
    let area = SVGBackend::new(path, size).into_drawing_area();
    title(&area, group, group.works[0].work.unit)?;
    for (row, works) in rows.enumerate() {
        bar_panels(&area, works, &names, TITLE + row as i32 * height, log)?;
    }
    let scale = if log { "; logarithmic" } else { "" };
    area.draw(&Text::new(
        format!(
            "dark: with priority; pale: without; grey: stores no items; \
             line: least to greatest round{scale}"
        ),
        (12, bottom + 10),
        (FONT, 11).into_font().color(&INK),
    ))?;
    area.present()?;
    Ok(())
}

/// Panels next to each other, with the peers' names before them.
fn bar_panels(
    area: &Area<'_>,
    works: &[WorkFigures],
    names: &[(&str, Kind)],
    head: i32,
    log: bool,
) -> Outcome {
    let top = head + PANEL_HEAD;
    for (row, (name, kind)) in names.iter().enumerate() {
        let ink = if *kind == Kind::Ours {
            colour(*kind)
        } else {
            INK
        };
        area.draw(&Text::new(
            name.to_string(),
            (12, top + row as i32 * BAR + 3),
            (FONT, 13).into_font().color(&ink),
        ))?;
    }
    for (panel, work) in works.iter().enumerate() {
        let left = NAMES + panel as i32 * (PANEL + PANEL_GAP);
        let rows: Vec<_> = names
            .iter()
            .map(|(name, _)| figures_of(work, name))
            .collect();
        area.draw(&Text::new(
            format!("{}, {}", work.work.name, work.work.unit.symbol()),
            (left, head + 4),
            (FONT, 13, FontStyle::Bold).into_font().color(&INK),
        ))?;
        bar_panel(area, work, &rows, (left, top), log)?;
    }
    Ok(())
}

fn bar_panel(
    area: &Area<'_>,
    work: &WorkFigures,
    rows: &[Option<&PeerFigures>],
    (left, top): (i32, i32),
    log: bool,
) -> Outcome {
    let spreads = || work.peers.iter().map(PeerFigures::spread);
    let most = spreads().map(|spread| spread.max).fold(0.0, f64::max);
    let least = spreads().map(|spread| spread.min).fold(most, f64::min);
    // A logarithmic bar begins at half of the least figure.
    let floor = (least / 2.0).max(most / 1e9).max(f64::MIN_POSITIVE);
    let length = |value: f64| {
        let part = if log {
            (value.max(floor) / floor).ln() / (most / floor).ln()
        } else {
            value / most
        };
        (part * f64::from(PANEL)) as i32
    };
    let bottom = top + rows.len() as i32 * BAR;
    area.draw(&PathElement::new([(left, top - 2), (left, bottom)], FAINT))?;
    for (row, figures) in rows.iter().enumerate() {
        let Some(figures) = figures else { continue };
        let (y, spread) = (top + row as i32 * BAR, figures.spread());
        let end = left + length(spread.median);
        area.draw(&Rectangle::new(
            [(left, y + 3), (end, y + BAR - 3)],
            colour(figures.kind).filled(),
        ))?;
        let (from, to) = (left + length(spread.min), left + length(spread.max));
        area.draw(&PathElement::new(
            [(from, y + BAR / 2), (to, y + BAR / 2)],
            INK.mix(0.7),
        ))?;
        area.draw(&Text::new(
            short(spread.median),
            (end.max(to) + 5, y + 3),
            (FONT, 12).into_font().color(&INK),
        ))?;
    }
    Ok(())
}

const LEGEND: u32 = 190;

fn lines(group: &GroupFigures, axis: &str, path: &Path) -> Outcome {
    let unit = group.works[0].work.unit;
    let xs: Vec<f64> = group.works.iter().filter_map(|work| work.work.x).collect();
    let spreads = || {
        let figures = group.works.iter().flat_map(|work| &work.peers);
        figures.map(PeerFigures::spread)
    };
    let x_range =
        xs.iter().copied().fold(f64::MAX, f64::min)..xs.iter().copied().fold(0.0, f64::max);
    let least = spreads().map(|spread| spread.min).fold(f64::MAX, f64::min);
    let most = spreads().map(|spread| spread.max).fold(0.0, f64::max);

    let area = SVGBackend::new(path, (820, 400)).into_drawing_area();
    title(&area, group, unit)?;
    let (_, below) = area.split_vertically(TITLE);
    let (left, legend) = below.split_horizontally(820 - LEGEND);
    let mut chart = ChartBuilder::on(&left)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(
            x_range.log_scale().with_key_points(xs),
            (least / 1.4..most * 1.4)
                .log_scale()
                .with_key_points(ticks(least / 1.4, most * 1.4)),
        )?;
    chart
        .configure_mesh()
        .x_desc(axis)
        .y_desc(unit.symbol())
        .bold_line_style(FAINT)
        .light_line_style(WHITE)
        .axis_style(INK)
        .label_style((FONT, 12).into_font().color(&INK))
        .x_label_formatter(&|x| {
            if *x >= 1_000.0 {
                format!("{x:e}")
            } else {
                x.to_string()
            }
        })
        .y_label_formatter(&|y| y.to_string())
        .draw()?;

    // bandq comes last, to lie on top.
    let mut names = names(group);
    names.reverse();
    let mut others = LINES.iter().cycle();
    for (row, (name, kind)) in names.iter().enumerate() {
        let (colour, width) = match kind {
            Kind::Ours => (colour(Kind::Ours), 3),
            _ => (*others.next().expect("it is endless"), 1),
        };
        let points: Vec<_> = group
            .works
            .iter()
            .filter_map(|work| Some((work.work.x?, figures_of(work, name)?.spread())))
            .collect();
        let medians = points.iter().map(|(x, spread)| (*x, spread.median));
        chart.draw_series(LineSeries::new(medians.clone(), colour.stroke_width(width)))?;
        chart.draw_series(medians.map(|point| Circle::new(point, width + 1, colour.filled())))?;
        chart.draw_series(points.iter().map(|(x, spread)| {
            PathElement::new([(*x, spread.min), (*x, spread.max)], colour.mix(0.5))
        }))?;
        let y = 10 + (names.len() - row) as i32 * BAR;
        legend.draw(&PathElement::new(
            [(0, y), (16, y)],
            colour.stroke_width(width),
        ))?;
        legend.draw(&Text::new(
            name.to_string(),
            (22, y - 6),
            (FONT, 12).into_font().color(&INK),
        ))?;
    }
    area.present()?;
    Ok(())
}

/// 1, 2, 5, 10, 20, … within the range.
fn ticks(from: f64, to: f64) -> Vec<f64> {
    let decades = from.log10().floor() as i32..=to.log10().ceil() as i32;
    decades
        .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)))
        .filter(|tick| (from..=to).contains(tick))
        .collect()
}

/// The peers of all works, in their order.
fn names(group: &GroupFigures) -> Vec<(&str, Kind)> {
    let mut names: Vec<(&str, Kind)> = Vec::new();
    for figures in group.works.iter().flat_map(|work| &work.peers) {
        if names.iter().all(|(name, _)| *name != figures.peer) {
            names.push((&figures.peer, figures.kind));
        }
    }
    names
}

fn figures_of<'a>(work: &'a WorkFigures, name: &str) -> Option<&'a PeerFigures> {
    work.peers.iter().find(|figures| figures.peer == name)
}
