//! Shows what the server is doing for us, on standard error, where that takes long and has several steps.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{import::Show, output};

/// The least pause between two lines, and before the first: what is done sooner needs none.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The parts of a step that a bar can tell apart.
const PARTS: f64 = 1_000.0;

/// The steps of one piece of work: a bar on a terminal; elsewhere a line for each step, if it takes a while.
pub(super) struct Steps {
    label: String,
    bar: Option<ProgressBar>,
    lines: bool,
    told: String,
    told_at: Instant,
}

impl Steps {
    /// Begins.
    pub(super) fn begin(label: &str, show: Show) -> Self {
        let terminal = output::stderr_is_terminal();
        Self {
            label: label.to_owned(),
            bar: (show == Show::Auto && terminal).then(|| bar(label)),
            lines: show == Show::Auto && !terminal,
            told: String::new(),
            told_at: Instant::now(),
        }
    }

    /// Tells which step it is, and how much of that is done, from 0 to 1.
    pub(super) fn at(&mut self, status: &str, progress: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position((progress.clamp(0.0, 1.0) * PARTS) as u64);
            bar.set_message(status.to_owned());
        }
        if self.lines && !status.is_empty() && self.told != status && self.told_at.elapsed() >= LINE_EVERY {
            status.clone_into(&mut self.told);
            self.told_at = Instant::now();
            output::note(&format!("{}: {status}", self.label));
        }
    }
}

impl Drop for Steps {
    /// Takes the bar away, however the work has ended.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(label: &str) -> ProgressBar {
    let bar = ProgressBar::new(PARTS as u64);
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {bar:30} {percent:>3} %  {elapsed:>4}  {msg}") {
        bar.set_style(style);
    }
    bar.set_prefix(label.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
