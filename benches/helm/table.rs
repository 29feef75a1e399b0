//! The table of results.

use std::fmt::Write as _;

use crate::measure::Sample;

/// How many times faster and smaller than Helm pintle is meant to be; 0 means no goal.
pub(crate) struct Goal {
    pub(crate) time: f64,
    pub(crate) memory: f64,
}

/// One piece of work.
pub(crate) struct Row {
    name: String,
    pintle: (f64, f64),
    helm: (f64, f64),
    goal: Goal,
}

impl Row {
    /// The medians of both tools' samples.
    pub(crate) fn new(name: &str, [pintle, helm]: [Vec<Sample>; 2], goal: Goal) -> Self {
        Self {
            name: name.to_owned(),
            pintle: medians(&pintle),
            helm: medians(&helm),
            goal,
        }
    }
}

/// The medians in milliseconds and MiB.
fn medians(samples: &[Sample]) -> (f64, f64) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let wall = samples
        .iter()
        .map(|sample| sample.wall.as_secs_f64() * 1e3)
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
    let memory = samples
        .iter()
        .map(|sample| sample.memory as f64 / 1024.0)
        .collect();
    (median(wall), median(memory))
}

/// The rows as a Markdown table.
pub(crate) fn to_text(rows: &[Row], runs: usize) -> String {
    let mut text = format!(
        "medians of {runs} runs each, alternating, on one machine and one API server\n\n\
         | work | Helm | pintle | time | goal | Helm | pintle | memory | goal |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let (time, memory) = (row.helm.0 / row.pintle.0, row.helm.1 / row.pintle.1);
        let (name, helm, pintle) = (&row.name, row.helm, row.pintle);
        let (time_goal, memory_goal) = (
            verdict(time, row.goal.time),
            verdict(memory, row.goal.memory),
        );
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | 1/{time:.1} | {time_goal} \
             | {:.1} MiB | {:.1} MiB | 1/{memory:.1} | {memory_goal} |",
            duration(helm.0),
            duration(pintle.0),
            helm.1,
            pintle.1,
        );
    }
    text
}

fn duration(milliseconds: f64) -> String {
    if milliseconds < 10_000.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{:.1} s", milliseconds / 1e3)
    }
}

fn verdict(reached: f64, goal: f64) -> String {
    match goal {
        0.0 => "–".to_owned(),
        goal if reached >= goal => format!("≤ 1/{goal} met"),
        goal => format!("≤ 1/{goal} missed"),
    }
}
