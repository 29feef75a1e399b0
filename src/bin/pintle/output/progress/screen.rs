//! The lines at the bottom of a terminal, drawn anew as they change and twice a second for their times.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::Change;

/// How often the times are drawn.
const TICK: Duration = Duration::from_millis(500);

/// A terminal with lines at its bottom; they go when it is dropped.
pub(super) struct Screen {
    all: MultiProgress,
    lines: BTreeMap<String, ProgressBar>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            lines: BTreeMap::new(),
        }
    }

    pub(super) fn draw(&mut self, change: Change) {
        match change {
            Change::Tell(line) => {
                // Progress that cannot be shown is no reason to stop a change half-way.
                let _ = self.all.println(super::coloured(&line));
            }
            Change::Remove(name) => {
                if let Some(bar) = self.lines.remove(&name) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
            Change::Set(name, line) => {
                let bar = self.lines.entry(name).or_insert_with(|| {
                    let bar = self.all.add(ProgressBar::new_spinner());
                    bar.set_style(style());
                    bar.enable_steady_tick(TICK);
                    bar
                });
                bar.set_message(super::coloured(&line).into_owned());
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // What is under way is told by the error, or is of no interest any more.
        let _ = self.all.clear();
    }
}

/// A line with the time since it appeared, cut to the width of the terminal.
fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}
