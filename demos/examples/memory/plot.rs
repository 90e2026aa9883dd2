//! The picture: for each item type, the bytes of an item that waits, and the bytes that are left.

use std::error::Error;

use plotters::coord::Shift;
use plotters::coord::combinators::IntoLogRange;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{Report, Row};

const WIDTH: u32 = 1000;
/// Of the charts of an item type.
const HEIGHT: u32 = 340;
const TITLE: u32 = 40;
const LEGEND: u32 = 24;
const FONT: &str = "sans-serif";
/// A colour for each number of items, in turns.
const COLOURS: [RGBColor; 4] = [
    RGBColor(150, 185, 225),
    RGBColor(31, 97, 179),
    RGBColor(215, 130, 30),
    RGBColor(70, 150, 80),
];
/// Where a logarithmic axis begins; who has less has no bar.
const LEAST: f64 = 100.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// Draws the figures of all rows as an SVG document.
pub(crate) fn draw(report: &Report) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    draw_on(&mut svg, report)?;
    Ok(svg)
}

fn draw_on(svg: &mut String, report: &Report) -> Drawn {
    let types: Vec<_> = report
        .rows
        .chunk_by(|one, next| one.item == next.item)
        .collect();
    let size = (WIDTH, TITLE + LEGEND + HEIGHT * types.len() as u32);
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    root.fill(&WHITE)?;
    let body = root
        .margin(8, 0, 0, 0)
        .titled("Memory of a queue under load, and afterwards", (FONT, 22))?;
    let (above, below) = body.split_vertically(LEGEND);
    legend(&above, types.first().copied().unwrap_or_default())?;
    for (rows, area) in types.iter().zip(below.split_evenly((types.len(), 1))) {
        charts(&area, rows)?;
    }
    root.present()?;
    Ok(())
}

/// Which colour is which number of items.
fn legend(area: &Area, rows: &[Row]) -> Drawn {
    let loads = rows.chunk_by(|one, next| one.items == next.items);
    let items = loads.filter_map(|load| load.first()).map(|row| row.items);
    for (nth, items) in items.enumerate() {
        let x = 130 + 180 * nth as i32;
        let colour = COLOURS[nth % COLOURS.len()];
        area.draw(&Rectangle::new([(x, 7), (x + 10, 17)], colour.filled()))?;
        let text = format!("{items} items");
        area.draw(&Text::new(text, (x + 16, 12), beside(14, HPos::Left)))?;
    }
    Ok(())
}

/// One item type: on the left under load, on the right afterwards.
fn charts(area: &Area, rows: &[Row]) -> Drawn {
    let item = rows.first().map_or("", |row| &row.item);
    let (left, right) = area.split_horizontally(WIDTH * 11 / 20);

    let queued = |row: &Row| row.each(row.figures.queued);
    let highest = rows.iter().map(queued).fold(1.0, f64::max);
    let caption = format!("{item}: bytes for each item that waits");
    bars(
        &left,
        &caption,
        rows,
        0.0..highest * 1.15,
        queued,
        &|value| format!("{value:.1}"),
    )?;

    let later = |row: &Row| row.figures.later as f64;
    let highest = rows.iter().map(later).fold(LEAST, f64::max);
    let caption = format!("{item}: bytes left when it is empty again");
    let range = (LEAST..highest * 10.0).log_scale();
    bars(&right, &caption, rows, range, later, &bytes)
}

/// A bar for each peer and number of items, with its value at the end.
fn bars<'a, R>(
    area: &Area<'a>,
    caption: &str,
    rows: &[Row],
    range: R,
    value: impl Fn(&Row) -> f64,
    label: &dyn Fn(f64) -> String,
) -> Drawn
where
    R: AsRangedCoord<Value = f64>,
    R::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let range: R::CoordDescType = range.into();
    let start = range.range().start;
    // By the number of items; each has the same peers in the same order.
    let loads: Vec<_> = rows.chunk_by(|one, next| one.items == next.items).collect();
    let peers = loads.first().map_or(0, |rows| rows.len());
    let mut chart = ChartBuilder::on(area)
        .caption(caption, (FONT, 17))
        .margin(10)
        .x_label_area_size(24)
        .y_label_area_size(112)
        .build_cartesian_2d(range, peers as f64 - 0.5..-0.5)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(TRANSPARENT)
        .y_labels(0)
        .x_labels(6)
        .x_label_formatter(&|at| label(*at))
        .draw()?;

    let slot = 0.8 / loads.len() as f64;
    for (nth, rows) in loads.iter().enumerate() {
        let colour = COLOURS[nth % COLOURS.len()];
        let from = slot * nth as f64 - 0.4;
        let lines: Vec<_> = rows
            .iter()
            .map(|row| value(row).max(start))
            .enumerate()
            .collect();
        chart.draw_series(lines.iter().map(|&(at, value)| {
            let top = at as f64 + from;
            Rectangle::new([(start, top), (value, top + slot)], colour.filled())
        }))?;
        chart.draw_series(lines.iter().map(|&(at, value)| {
            let end = (value, at as f64 + from + slot / 2.0);
            EmptyElement::at(end) + Text::new(label(value), (4, 0), beside(10, HPos::Left))
        }))?;
    }
    let first = loads.first().copied().unwrap_or_default();
    chart.draw_series(first.iter().enumerate().map(|(at, row)| {
        let name = row.peer.clone();
        EmptyElement::at((start, at as f64)) + Text::new(name, (-6, 0), beside(14, HPos::Right))
    }))?;
    Ok(())
}

fn beside(size: i32, horizontal: HPos) -> TextStyle<'static> {
    (FONT, size)
        .into_font()
        .color(&BLACK)
        .pos(Pos::new(horizontal, VPos::Center))
}

/// Bytes, kilobytes or megabytes, with two figures at least.
fn bytes(bytes: f64) -> String {
    let (number, unit) = match bytes {
        1e6.. => (bytes / 1e6, "MB"),
        1e3.. => (bytes / 1e3, "kB"),
        _ => (bytes, "B"),
    };
    let is_whole = number >= 10.0 || number.fract() < 0.01;
    let decimals = if is_whole { 0 } else { 1 };
    format!("{number:.decimals$} {unit}")
}
