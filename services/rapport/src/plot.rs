//! Charts as SVG, for `--plot FILE`.
//!
//! A [`Chart`] is drawn on a ground of its own, so that it can be read on a light page and on a dark
//! one. The same chart gives the same bytes: no font of the machine is measured, and no clock read.
//! What is no number, or beyond a million millions, is left out.

mod charts;
mod draw;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use charts::{Reliability, cumulative, distribution, reliability, retention};

/// A chart of marks over two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows, above it.
    pub title: String,
    /// The axis from left to right.
    pub across: Axis,
    /// The axis from bottom to top.
    pub up: Axis,
    /// Where the names of the series are.
    pub legend: Corner,
    /// What is drawn, the later over the earlier.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it measures, with the unit.
    pub title: String,
    /// From where to where it goes at least; it is widened to what is drawn.
    pub least: (f64, f64),
    /// How its numbers are written.
    pub labels: Labels,
}

/// How the numbers of an axis are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// As they are.
    Plain,
    /// A share of 1 in percent.
    Percent,
}

/// A corner of the chart that its marks leave free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// For what rises.
    UpperLeft,
    /// For what falls.
    UpperRight,
}

/// Marks of one colour, named in the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is; without a name it is not in the legend.
    pub name: String,
    /// Its colour.
    pub tone: Tone,
    /// What is drawn.
    pub marks: Marks,
}

/// What a series draws.
#[derive(Clone, Debug, PartialEq)]
pub enum Marks {
    /// A line through points, in their order.
    Line(Vec<(f64, f64)>),
    /// The same, dashed: what something is to be compared to.
    Dashed(Vec<(f64, f64)>),
    /// Dots, each with the interval it may lie in from bottom to top.
    Dots(Vec<Dot>),
    /// Bars that stand on 0.
    Bars(Vec<Bar>),
}

/// A dot with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Where it lies from left to right.
    pub across: f64,
    /// Where it lies from bottom to top.
    pub up: f64,
    /// The ends of its interval, from bottom to top.
    pub interval: (f64, f64),
}

/// A bar that stands on 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Its left and its right edge.
    pub across: (f64, f64),
    /// How high it is.
    pub height: f64,
}

/// A colour. They are Okabe and Ito's, which stay apart for the colour-blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Grey: what others are compared to.
    Quiet,
    /// One of six that differ; after the last comes the first again.
    Nth(usize),
}

/// Why a chart was not drawn.
#[derive(Debug, Error)]
#[error("the chart could not be drawn: {0}")]
pub struct PlotError(String);

impl Chart {
    /// The chart as a document of its own.
    ///
    /// # Errors
    /// When the drawing library refuses, for which no case is known.
    pub fn svg(&self) -> Result<String, PlotError> {
        draw::svg(self)
    }
}

/// Charts one below the other, as one document.
///
/// # Errors
/// As [`Chart::svg`].
pub fn sheet(charts: &[Chart]) -> Result<String, PlotError> {
    draw::sheet(charts)
}
