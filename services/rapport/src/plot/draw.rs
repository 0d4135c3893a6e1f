//! Drawing a chart with `plotters`, of which only the SVG backend is built: three small crates.

use std::fmt::Display;

use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Axis, Bar, Chart, Corner, Dot, Labels, Marks, PlotError, Series, Tone};

const SIZE: (u32, u32) = (960, 640);
/// The least that differs, and the most that is drawn, of any axis.
const LEAST: f64 = 1e-9;
const MOST: f64 = 1e12;

const GROUND: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(38, 38, 38);
const FRAME: RGBColor = RGBColor(140, 140, 140);
const GRID: RGBColor = RGBColor(228, 228, 228);
const QUIET: RGBColor = RGBColor(100, 100, 100);
/// Okabe and Ito (2008), *Color Universal Design*, without black and yellow, which is faint on white.
const TONES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Context<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

pub(super) fn svg(chart: &Chart) -> Result<String, PlotError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        draw(chart, &area)?;
        area.present().map_err(refused)?;
    }
    Ok(text)
}

/// The drawing library writes whole documents, which may stand within another one.
pub(super) fn sheet(charts: &[Chart]) -> Result<String, PlotError> {
    let (width, height) = (SIZE.0, SIZE.1 as usize * charts.len());
    let size = format!(r#"width="{width}" height="{height}" viewBox="0 0 {width} {height}""#);
    let mut text = format!("<svg {size} xmlns=\"http://www.w3.org/2000/svg\">\n");
    for (number, chart) in charts.iter().enumerate() {
        let place = format!("<svg y=\"{}\" ", SIZE.1 as usize * number);
        text.push_str(&svg(chart)?.replacen("<svg ", &place, 1));
    }
    text.push_str("</svg>\n");
    Ok(text)
}

fn draw(chart: &Chart, area: &Area<'_>) -> Result<(), PlotError> {
    area.fill(&GROUND).map_err(refused)?;
    let points = || chart.series.iter().flat_map(|series| corners(&series.marks));
    let (across, up) = (range(&chart.across, points().map(|at| at.0)), range(&chart.up, points().map(|at| at.1)));
    let mut context = ChartBuilder::on(area)
        .caption(plain(&chart.title), font(24))
        .margin(16)
        .margin_right(28)
        .x_label_area_size(52)
        .y_label_area_size(84)
        .build_cartesian_2d(across.0..across.1, up.0..up.1)
        .map_err(refused)?;
    context
        .configure_mesh()
        .x_desc(plain(&chart.across.title))
        .y_desc(plain(&chart.up.title))
        .axis_style(FRAME)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(font(17))
        .axis_desc_style(font(18))
        .x_label_formatter(&|number| label(*number, chart.across.labels))
        .y_label_formatter(&|number| label(*number, chart.up.labels))
        .draw()
        .map_err(refused)?;
    for series in &chart.series {
        draw_series(&mut context, series)?;
    }
    if chart.series.iter().any(|series| !series.name.is_empty()) {
        context
            .configure_series_labels()
            .position(match chart.legend {
                Corner::UpperLeft => SeriesLabelPosition::UpperLeft,
                Corner::UpperRight => SeriesLabelPosition::UpperRight,
            })
            .label_font(font(17))
            .background_style(GROUND.mix(0.85))
            .border_style(GRID)
            .margin(12)
            .draw()
            .map_err(refused)?;
    }
    Ok(())
}

fn draw_series(context: &mut Context<'_, '_>, series: &Series) -> Result<(), PlotError> {
    let colour = match series.tone {
        Tone::Quiet => QUIET,
        Tone::Nth(n) => TONES[n % TONES.len()],
    };
    let line = colour.stroke_width(2);
    let points = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        points.iter().copied().filter(|at| drawable(at.0) && drawable(at.1)).collect()
    };
    let drawn = match &series.marks {
        Marks::Line(at) => context.draw_series(LineSeries::new(points(at), line)),
        Marks::Dashed(at) => context.draw_series(DashedLineSeries::new(points(at), 8, 6, line)),
        Marks::Dots(dots) => {
            let intervals = dots.iter().filter(|dot| dot.is_drawable()).map(|dot| {
                PathElement::new([(dot.across, dot.interval.0), (dot.across, dot.interval.1)], colour.stroke_width(1))
            });
            context.draw_series(intervals).map_err(refused)?;
            let dots = dots.iter().filter(|dot| dot.is_drawable());
            context.draw_series(dots.map(|dot| Circle::new((dot.across, dot.up), 5, colour.filled())))
        }
        Marks::Bars(bars) => {
            let bars = bars.iter().filter(|bar| bar.is_drawable());
            context.draw_series(bars.map(|bar| {
                let mut bar = Rectangle::new([(bar.across.0, 0.0), (bar.across.1, bar.height)], colour.filled());
                // A line of ground between neighbours.
                bar.set_margin(0, 0, 1, 1);
                bar
            }))
        }
    };
    let drawn = drawn.map_err(refused)?;
    if series.name.is_empty() {
        return Ok(());
    }
    drawn.label(plain(&series.name));
    match series.marks {
        Marks::Line(_) => drawn.legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], line)),
        Marks::Dashed(_) => drawn.legend(move |(x, y)| DashedPathElement::new([(x, y), (x + 20, y)], 6, 4, line)),
        Marks::Dots(_) => drawn.legend(move |(x, y)| Circle::new((x + 10, y), 5, colour.filled())),
        Marks::Bars(_) => drawn.legend(move |(x, y)| Rectangle::new([(x, y - 6), (x + 20, y + 6)], colour.filled())),
    };
    Ok(())
}

/// Every point that an axis must reach.
fn corners(marks: &Marks) -> Vec<(f64, f64)> {
    match marks {
        Marks::Line(points) | Marks::Dashed(points) => points.clone(),
        Marks::Dots(dots) => {
            let dots = dots.iter().filter(|dot| dot.is_drawable());
            dots.flat_map(|dot| [dot.up, dot.interval.0, dot.interval.1].map(|up| (dot.across, up))).collect()
        }
        Marks::Bars(bars) => {
            let bars = bars.iter().filter(|bar| bar.is_drawable());
            bars.flat_map(|bar| [(bar.across.0, 0.0), (bar.across.1, bar.height)]).collect()
        }
    }
}

impl Dot {
    fn is_drawable(&self) -> bool {
        [self.across, self.up, self.interval.0, self.interval.1].into_iter().all(drawable)
    }
}

impl Bar {
    fn is_drawable(&self) -> bool {
        [self.across.0, self.across.1, self.height].into_iter().all(drawable)
    }
}

fn drawable(number: f64) -> bool {
    number.abs() <= MOST
}

/// From where to where an axis goes. The library needs one that has a length.
fn range(axis: &Axis, of: impl Iterator<Item = f64>) -> (f64, f64) {
    let ends = [axis.least.0, axis.least.1].into_iter().chain(of).filter(|number| drawable(*number));
    let (from, to) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), end| (from.min(end), to.max(end)));
    match from.is_finite() {
        true if to - from > LEAST * from.abs().max(1.0) => (from, to),
        true => (from, from + from.abs().max(1.0)),
        false => (0.0, 1.0),
    }
}

/// A number in as few digits as tell it from its neighbours, in groups of three.
fn label(number: f64, labels: Labels) -> String {
    let number = if labels == Labels::Percent { 100.0 * number } else { number };
    let rounded = (number * 1e6).round() / 1e6;
    // Not -0.
    let text = format!("{}", if rounded == 0.0 { 0.0 } else { rounded });
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::from(if digits.len() < text.len() { "-" } else { "" });
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(rest) = rest {
        grouped.push('.');
        grouped.push_str(rest);
    }
    if labels == Labels::Percent {
        grouped.push('%');
    }
    grouped
}

/// A text without the characters that XML has no way to write, which the library does not leave out.
fn plain(text: &str) -> String {
    let written = |c: &char| !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'));
    text.chars().filter(written).collect()
}

/// A font that whoever shows the chart has.
fn font(size: u32) -> TextStyle<'static> {
    let style = ("sans-serif", size).into_font().color(&INK);
    style.pos(Pos::new(HPos::Left, VPos::Top))
}

fn refused(told: impl Display) -> PlotError {
    PlotError(told.to_string())
}
