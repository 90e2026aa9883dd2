//! The picture: above, how long each class waited, or what it got under each policy; below, how the
//! waits went over time.

use std::error::Error;
use std::iter;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::discipline::Discipline;
use crate::job::CLASSES;
use crate::report::{ClassReport, DisciplineReport, Report};

const SIZE: (u32, u32) = (1000, 720);
const FONT: &str = "sans-serif";
const GREY: RGBColor = RGBColor(150, 150, 150);
const BLUE: RGBColor = RGBColor(31, 97, 179);
const ORANGE: RGBColor = RGBColor(215, 130, 30);
const GREEN: RGBColor = RGBColor(70, 150, 80);
/// A colour for each class, the most urgent first.
const CLASS_COLOURS: [RGBColor; 4] = [
    RGBColor(200, 40, 40),
    RGBColor(140, 80, 180),
    RGBColor(225, 150, 20),
    RGBColor(40, 150, 110),
];
/// Points on each line below: the mean wait of the jobs that were due in that slice of time.
const SLICES: usize = 100;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Value = fn(&ClassReport) -> Option<f64>;
type Drawn = Result<(), Box<dyn Error>>;

/// Draws the waiting times of all runs as an SVG document.
pub(crate) fn draw(report: &Report) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    draw_on(&mut svg, report)?;
    Ok(svg)
}

fn draw_on(svg: &mut String, report: &Report) -> Drawn {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!(
        "Waiting times of {} jobs with {} workers on {}",
        report.jobs, report.workers, report.runtime
    );
    let body = root.margin(8, 0, 0, 0).titled(&title, (FONT, 22))?;
    let (above, below) = body.split_vertically(SIZE.1 / 2 - 20);

    let (left, right) = above.split_horizontally(SIZE.0 / 2);
    let charts: [(&str, Value); 2] = if report.disciplines.iter().any(|run| run.name.is_policy()) {
        let share = |class: &ClassReport| class.contest?.share.map(|share| 100.0 * share);
        [
            ("Share of receives where another class waited, %", share),
            ("The longest wait, ms", |class| class.wait_ms.max),
        ]
    } else {
        [
            ("Half of the jobs waited at most, ms", |class| {
                class.wait_ms.p50
            }),
            ("99 of 100 jobs waited at most, ms", |class| {
                class.wait_ms.p99
            }),
        ]
    };
    for ((caption, value), area) in charts.into_iter().zip([left, right]) {
        bars(&area, report, caption, value)?;
    }

    let frame = Frame::around(report);
    let areas = below.split_evenly((1, report.disciplines.len().max(1)));
    for (run, area) in report.disciplines.iter().zip(&areas) {
        timeline(area, run, &frame)?;
    }
    root.present()?;
    Ok(())
}

/// A bar for each class and discipline, with its value on top.
fn bars(area: &Area, report: &Report, caption: &str, value: Value) -> Drawn {
    let classes = report.disciplines.iter().flat_map(|run| &run.classes);
    let highest = classes.filter_map(value).fold(0.1, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, (FONT, 17))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(48)
        .build_cartesian_2d(-0.5..CLASSES.len() as f64 - 0.5, 0.0..highest * 1.12)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(0)
        .y_label_formatter(&|wait| wait.to_string())
        .draw()?;

    let slot = 0.76 / report.disciplines.len() as f64;
    for (nth, run) in report.disciplines.iter().enumerate() {
        let from = slot * nth as f64 - 0.36;
        let to = from + slot - 0.04;
        let colour = match run.name {
            Discipline::Fifo => GREY,
            Discipline::Priority | Discipline::Strict => BLUE,
            Discipline::Weighted => ORANGE,
            Discipline::Ageing => GREEN,
        };
        let present = run.classes.iter().enumerate();
        let present = present.filter_map(|(at, class)| Some((at as f64, value(class)?)));
        let columns: Vec<_> = present.collect();
        chart
            .draw_series(columns.iter().map(|&(at, wait)| {
                Rectangle::new([(at + from, 0.0), (at + to, wait)], colour.filled())
            }))?
            .label(run.name.to_string())
            .legend(move |at| square(at, colour));
        chart.draw_series(columns.iter().map(|&(at, wait)| {
            let middle = (at + (from + to) / 2.0, wait);
            EmptyElement::at(middle) + Text::new(short(wait), (0, -4), centred(13, VPos::Bottom))
        }))?;
    }
    chart.draw_series(CLASSES.iter().enumerate().map(|(at, &name)| {
        EmptyElement::at((at as f64, 0.0)) + Text::new(name, (0, 8), centred(15, VPos::Top))
    }))?;
    legend(&mut chart)
}

/// The mean wait of each class in each slice of the run, by the time at which the jobs were due.
fn timeline(area: &Area, run: &DisciplineReport, frame: &Frame) -> Drawn {
    let caption = format!("{}: mean wait over time, ms", run.name);
    let mut chart = ChartBuilder::on(area)
        .caption(caption, (FONT, 17))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d(frame.time.clone(), 0.0..frame.highest * 1.05)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|wait| wait.to_string())
        .x_desc("seconds from the start of the run")
        .draw()?;
    // The most urgent class comes last, so that no other is drawn over it.
    for (class, colour) in run.classes.iter().zip(CLASS_COLOURS).rev() {
        let line = frame.slices(class);
        let dots = line.iter().map(|&at| Circle::new(at, 2, colour.filled()));
        chart.draw_series(dots)?;
        chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
    }
    // In the legend it comes first; so the names go with series that draw nothing.
    for (class, colour) in run.classes.iter().zip(CLASS_COLOURS) {
        chart
            .draw_series(iter::empty::<Circle<(f64, f64), i32>>())?
            .label(class.name)
            .legend(move |at| square(at, colour));
    }
    legend(&mut chart)
}

/// What all timelines show, so that they can be compared.
struct Frame {
    time: Range<f64>,
    highest: f64,
}

impl Frame {
    /// From shortly before the rush to the last job.
    fn around(report: &Report) -> Frame {
        let rush = &report.rush;
        let classes = || report.disciplines.iter().flat_map(|run| &run.classes);
        let last = classes().filter_map(|class| class.points.last());
        let end = last.fold(rush.end, |end, &(due, _)| end.max(due));
        let start = (rush.start - 0.1 * (end - rush.start)).max(0.0);
        let mut frame = Frame {
            time: start..end.max(start + 0.001),
            highest: 0.1,
        };
        let waits = classes().flat_map(|class| frame.slices(class));
        frame.highest = waits.fold(frame.highest, |highest, (_, wait)| highest.max(wait));
        frame
    }

    /// The middle of each slice that has jobs, and their mean wait.
    fn slices(&self, class: &ClassReport) -> Vec<(f64, f64)> {
        let width = (self.time.end - self.time.start) / SLICES as f64;
        let mut slices = [(0.0, 0); SLICES];
        for &(due, wait) in &class.points {
            if self.time.start <= due {
                let slice = ((due - self.time.start) / width) as usize;
                let (sum, jobs) = &mut slices[slice.min(SLICES - 1)];
                *sum += wait;
                *jobs += 1;
            }
        }
        let means = slices.iter().enumerate().filter(|(_, (_, jobs))| *jobs > 0);
        means
            .map(|(at, &(sum, jobs))| {
                let middle = self.time.start + (at as f64 + 0.5) * width;
                (middle, sum / f64::from(jobs))
            })
            .collect()
    }
}

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> Drawn {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font((FONT, 14))
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}

fn square((x, y): (i32, i32), colour: RGBColor) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x + 4, y - 5), (x + 14, y + 5)], colour.filled())
}

fn centred(size: i32, vertical: VPos) -> TextStyle<'static> {
    (FONT, size)
        .into_font()
        .color(&BLACK)
        .pos(Pos::new(HPos::Center, vertical))
}

/// A wait with as many decimals as mean something.
fn short(wait: f64) -> String {
    let decimals = if wait < 10.0 { 1 } else { 0 };
    format!("{wait:.decimals$}")
}
