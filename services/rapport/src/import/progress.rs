//! Shows how far an import has come, on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// The least pause between two lines, and before the first: what is done sooner needs none.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Show {
    /// A bar on a terminal, a line now and then elsewhere.
    #[default]
    Auto,
    /// Nothing.
    Nothing,
}

/// The progress of one piece of work.
pub struct Progress {
    label: String,
    bar: Option<ProgressBar>,
    lines: bool,
    total: u64,
    told_tenths: u64,
    told_at: Instant,
}

impl Progress {
    /// Begins. `total` is what `at` will come to, such as bytes of a file; 0 if that is not known.
    pub fn begin(label: &str, total: u64, show: Show) -> Self {
        let terminal = output::stderr_is_terminal();
        let bar = (show == Show::Auto && terminal).then(|| bar(label, total));
        Self {
            label: label.to_owned(),
            bar,
            lines: show == Show::Auto && !terminal,
            total,
            told_tenths: 0,
            told_at: Instant::now(),
        }
    }

    /// Tells how far the work has come, and how many `things` it has dealt with.
    pub fn at(&mut self, position: u64, things: u64, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(position);
            let seconds = bar.elapsed().as_secs_f64();
            let rate = if seconds > 0.2 { things as f64 / seconds } else { 0.0 };
            bar.set_message(format!("{things} {what}, {rate:.0}/s"));
        }
        let tenths = (position * 10).checked_div(self.total).unwrap_or_default();
        if self.lines && tenths > self.told_tenths && tenths < 10 && self.told_at.elapsed() >= LINE_EVERY {
            self.told_tenths = tenths;
            self.told_at = Instant::now();
            output::note(&format!("{}: {} %, {things} {what}", self.label, tenths * 10));
        }
    }

    /// Ends, and takes the bar away.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(label: &str, total: u64) -> ProgressBar {
    let (bar, template) = match total {
        0 => (ProgressBar::new_spinner(), "{spinner} {prefix} {msg}"),
        total => (ProgressBar::new(total), "{prefix} {bar:30} {percent:>3} %  {msg}, {eta} left"),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(label.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
