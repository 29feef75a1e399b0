//! What flags say about the revision that a change makes: its record, its values, its notes.

use clap::Args;
use pintle::ops::{Recording, ReuseValues};
use pintle::release::Label;
use pintle::render::Notes;

/// What a record says besides.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Description of the revision
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Labels of the record, above those of the revision before; null takes one away
    #[arg(short = 'l', long, value_name = "KEY=VALUE", value_delimiter = ',')]
    labels: Vec<Label>,
}

impl RecordArgs {
    /// What the flags stand for.
    pub(crate) fn recording(&self) -> Recording {
        Recording {
            description: self.description.clone(),
            labels: self.labels.clone(),
            ..Recording::default()
        }
    }
}

/// What becomes of the values of the running revision. As in Helm, the first of these counts.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ReuseArgs {
    /// Use only the values that are given, and the chart's defaults
    #[arg(long)]
    reset_values: bool,
    /// Use the values and defaults of the running revision below the values that are given
    #[arg(long)]
    reuse_values: bool,
    /// Use the values of the running revision below those that are given, above the chart's defaults
    #[arg(long)]
    reset_then_reuse_values: bool,
}

impl ReuseArgs {
    /// What the flags stand for.
    pub(crate) fn reuse(&self) -> ReuseValues {
        if self.reset_values {
            ReuseValues::No
        } else if self.reuse_values {
            ReuseValues::WithDefaults
        } else if self.reset_then_reuse_values {
            ReuseValues::Yes
        } else {
            ReuseValues::IfNoneGiven
        }
    }
}

/// Which notes are shown with the result of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownNotes {
    /// Those of the revision.
    All,
    /// None.
    None,
}

/// Whose notes a revision has, and whether they are shown.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct NotesArgs {
    /// Add the notes of subcharts to those of the chart
    #[arg(long)]
    render_subchart_notes: bool,
    /// Do not show the notes with the result; they are recorded all the same
    #[arg(long)]
    hide_notes: bool,
}

impl NotesArgs {
    /// Which notes are shown with the result.
    pub(crate) fn shown(&self) -> ShownNotes {
        if self.hide_notes {
            ShownNotes::None
        } else {
            ShownNotes::All
        }
    }

    /// Whether those of subcharts are asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.render_subchart_notes
    }

    /// What the flags stand for.
    pub(crate) fn notes(&self) -> Notes {
        if self.render_subchart_notes {
            Notes::WithSubcharts
        } else {
            Notes::Root
        }
    }
}
