//! Why a command failed, what to do about it, and its exit code.

mod headline;
mod hint;

use std::error::Error;
use std::io;

use jiff::Timestamp;
use pintle::chart;
use pintle::cluster::Unready;
use pintle::history;
use pintle::ops::{self, ErrorKind};
use pintle::plan::file::Difference;
use pintle::plan::{self, Objection};
use pintle::release::NameError;
use pintle::source;

use crate::watchdog::Crossed;

/// Exit code of `--exit-code` when there are differences.
pub(crate) const DIFFERENT: u8 = 5;

/// Exit code of a conflict or lock.
const LOCKED: u8 = 4;
/// Exit code of a command that a signal has ended: that of a shell for SIGINT.
const INTERRUPTED: u8 = 130;

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An operation of the library failed.
    #[error(transparent)]
    Operation(#[from] ops::Error),
    /// The first revision of a release failed, so there is none to go back to.
    #[error(transparent)]
    First(ops::Error),
    /// Standard input was named twice.
    #[error("standard input can be read only once: - is given to more than one flag")]
    Stdin,
    /// Flags that make the values of a chart were given with a release.
    #[error("the values of release {release} are recorded: only a chart takes values flags")]
    ValuesOfRelease {
        /// The release.
        release: String,
    },
    /// The values of Secrets were asked for only once.
    #[error("--show-secrets prints the values of Secrets in clear text, so it takes --yes as well")]
    SecretsUnconfirmed,
    /// Flags of a change were given where nothing is changed.
    #[error("--dry-run, --no-wait and --recreate go with --fix, which puts drift back")]
    NothingToFix,
    /// Several releases were to be put back at once.
    #[error("--fix puts back one release at a time, and {count} are named")]
    FixOfMany {
        /// How many.
        count: usize,
    },
    /// Whether releases have drifted was asked, and is not known of so many.
    #[error("{0} of the releases could not be compared, so they may have drifted")]
    NotCompared(usize),
    /// More than two revisions were to be compared.
    #[error("only two revisions can be compared, and {count} are given")]
    ManyRevisions {
        /// How many.
        count: usize,
    },
    /// A revision of a chart was asked for.
    #[error("chart {chart} has no revisions: only a release takes --revision")]
    RevisionOfChart {
        /// The chart.
        chart: String,
    },
    /// What was taken for a release cannot be read.
    #[error("{name} is no folder with a Chart.yaml, and cannot be shown as a release")]
    Neither {
        /// The argument.
        name: String,
        /// Why there is no such release.
        source: Box<ops::Error>,
    },
    /// A release was named in two ways.
    #[error("the release is named twice: leave out NAME, --name-template or --generate-name")]
    NamedTwice,
    /// A release was not named.
    #[error("the release has no name: give NAME before the chart, or --generate-name")]
    Unnamed,
    /// A pattern of template paths cannot be read.
    #[error("--show-only {glob} is no pattern of paths: {cause}")]
    BadGlob {
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No template that renders to anything fits a pattern.
    #[error("--show-only {glob} fits no template of the chart that renders to anything")]
    NothingToShow {
        /// The pattern.
        glob: String,
        /// The paths of those that do.
        paths: Vec<String>,
    },
    /// The file of a plan cannot be read.
    #[error(transparent)]
    NoPlan(source::Error),
    /// A plan was to be written to standard output, or read from standard input.
    #[error("a plan has to be in a file, and - is none")]
    NoFile,
    /// A plan does not hold what may be secret.
    #[error("the plan was made with {what}, which it does not hold: give {flag} again")]
    GivenOnce {
        /// What was given.
        what: String,
        /// The flags that give it.
        flag: &'static str,
    },
    /// Work on a chart took too much.
    #[error("{chart} takes more than {crossed}")]
    Crossed {
        /// The chart, as the user or its `Chart.yaml` names it.
        chart: String,
        /// The limit.
        crossed: Crossed,
    },
    /// The environment sets a limit that is none.
    #[error("{variable} must be a number above 0")]
    BadLimit {
        /// The variable.
        variable: &'static str,
    },
    /// A release was to be unlocked under the hands of who holds it.
    #[error("release {release} is locked by a command that may be at work")]
    AtWork {
        /// The release.
        release: String,
    },
    /// A signal ended the command while it was not changing anything, or a second one did.
    #[error("interrupted")]
    Interrupted,
    /// Writing the result failed.
    #[error("cannot write the output")]
    Io(#[from] io::Error),
}

impl Failure {
    /// The error of the library, if it is one.
    fn operation(&self) -> Option<&ops::Error> {
        match self {
            Self::Operation(error) | Self::First(error) => Some(error),
            _ => None,
        }
    }

    /// Whether others hold the release, or have changed it meanwhile.
    pub(crate) fn is_for_now(&self) -> bool {
        matches!(
            self.operation(),
            Some(
                ops::Error::Held { .. }
                    | ops::Error::Overtaken { .. }
                    | ops::Error::Pending { .. }
                    | ops::Error::History(
                        history::Error::Exists { .. } | history::Error::Gone { .. }
                    )
            )
        )
    }

    /// When a revision that Helm has left pending counts as abandoned, if that is in the way.
    pub(crate) fn helms_until(&self) -> Option<Timestamp> {
        match self.operation() {
            Some(ops::Error::Pending { until, .. }) => Some(*until),
            _ => None,
        }
    }

    /// The kind of an I/O error.
    pub(crate) fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// The exit code; README.md documents them.
    pub(crate) fn exit_code(&self) -> u8 {
        let error = match self {
            Self::Io(_) | Self::NotCompared(_) => return 1,
            Self::Interrupted => return INTERRUPTED,
            Self::AtWork { .. } => return LOCKED,
            Self::Stdin
            | Self::ValuesOfRelease { .. }
            | Self::RevisionOfChart { .. }
            | Self::SecretsUnconfirmed
            | Self::ManyRevisions { .. }
            | Self::NothingToFix
            | Self::FixOfMany { .. }
            | Self::NamedTwice
            | Self::Unnamed
            | Self::BadGlob { .. }
            | Self::NothingToShow { .. }
            | Self::NoPlan(_)
            | Self::NoFile
            | Self::GivenOnce { .. }
            | Self::Crossed { .. }
            | Self::BadLimit { .. } => return 2,
            Self::Neither { source, .. } => source,
            Self::Operation(error) | Self::First(error) => error,
        };
        match error.kind() {
            ErrorKind::Failed => 1,
            ErrorKind::Usage => 2,
            ErrorKind::NotReady => 3,
            ErrorKind::Conflict => LOCKED,
            ErrorKind::Interrupted => INTERRUPTED,
        }
    }

    /// The resources that are not ready, if that is the failure.
    pub(crate) fn unready(&self) -> &[Unready] {
        self.operation().map_or(&[], ops::Error::unready)
    }

    /// What was not ready when something was done about a failure.
    pub(crate) fn unready_on_the_way_back(&self) -> &[Unready] {
        let second = self.operation().and_then(ops::Error::second);
        second.map_or(&[], ops::Error::unready)
    }

    /// What went wrong first, and what when something was done about it, each with its causes; of a
    /// failure in one piece there is nothing but [`chain`](Self::chain).
    pub(crate) fn parts(&self) -> Option<[Vec<String>; 2]> {
        let error = self.operation()?;
        let first = Some(error.first()).filter(|first| !std::ptr::eq(*first, error))?;
        let second = error.second().map(causes).unwrap_or_default();
        Some([causes(first), second])
    }

    /// What stands against a plan, if that is the failure.
    pub(crate) fn objections(&self) -> &[Objection] {
        match self.operation().map(ops::Error::first) {
            Some(
                ops::Error::Plan(plan::Error::Refused(objections)) | ops::Error::Rest(objections),
            ) => objections,
            _ => &[],
        }
    }

    /// What a plan rests on and has changed, if that is the failure.
    pub(crate) fn differences(&self) -> &[Difference] {
        match self.operation() {
            Some(ops::Error::Outdated(differences)) => differences,
            _ => &[],
        }
    }

    /// The error and its causes, outermost first; what is not ready is left to
    /// [`unready`](Self::unready).
    pub(crate) fn chain(&self) -> Vec<String> {
        let is_told_below = !self.unready().is_empty() || self.parts().is_some();
        let mut chain = vec![headline::of(self)];
        let mut cause = self.source().filter(|_| !is_told_below);
        while let Some(error) = cause {
            let text = error.to_string();
            if chain.last() != Some(&text) {
                chain.push(text);
            }
            cause = error.source();
        }
        chain
    }

    /// The place in a template or file, with its lines, where there is one.
    pub(crate) fn excerpt(&self) -> Option<String> {
        match self.operation()? {
            ops::Error::Render(error) => error.details(),
            ops::Error::Manifest(error) => error.excerpt().map(str::to_owned),
            _ => None,
        }
    }

    /// The ways on and back from a change that ended half done.
    fn ways(&self) -> &'static str {
        match self {
            Self::First(_) => {
                "`pintle upgrade` goes on from here, `pintle uninstall` removes what there is"
            }
            _ => "the same command goes on from here, `pintle rollback` goes back",
        }
    }

    /// What to do about a command that asks for what cannot be.
    fn own_hint(&self) -> Option<String> {
        match self {
            Self::Neither { name, .. } => Some(format!(
                "for a chart, give the path of its folder, such as ./{name}; `pintle list -A` \
                 shows all releases"
            )),
            Self::NothingToShow { paths, .. } if !paths.is_empty() => {
                Some(format!("there are: {}", paths.join(", ")))
            }
            Self::Crossed { crossed, .. } => Some(format!(
                "nothing has been changed; if the chart may take more, {} raises the limit",
                crossed.variable()
            )),
            Self::AtWork { .. } => Some(
                "wait for it to end; --yes unlocks all the same, and what it has begun is left half done"
                    .to_owned(),
            ),
            Self::NoPlan(_) => {
                Some("`pintle plan RELEASE CHART --out FILE` makes one".to_owned())
            }
            Self::NotCompared(_) => Some("`pintle history` shows what became of one".to_owned()),
            Self::NoFile => Some("give the path of a file, such as ./plan.json".to_owned()),
            Self::ValuesOfRelease { release } => Some(format!(
                "`pintle diff {release} CHART` with these flags shows what they would change"
            )),
            _ => None,
        }
    }

    /// One line that says what to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        let Some(error) = self.operation() else {
            return self.own_hint();
        };
        Some(match error {
            ops::Error::Source(source::Error::Archive { .. }) => {
                "`helm package` packs the folder of a chart into an archive that loads".to_owned()
            }
            ops::Error::Chart(chart::Error::Missing { .. }) => {
                "charts belong into charts/, in folders or archives: `helm dependency build` gets them"
                    .to_owned()
            }
            ops::Error::Name(NameError::NotDns(name)) if name.contains('/') => {
                "the name of the release comes first, then the chart".to_owned()
            }
            ops::Error::Gate { stage, .. } => format!(
                "{stage} and what comes after it are as before; {}",
                self.ways()
            ),
            ops::Error::NoAddress { .. } => format!(
                "see that the host has a load balancer for them, or give the address in the \
                 values; {}",
                self.ways()
            ),
            ops::Error::Hook(error) => hint::hook(error, self.ways()),
            ops::Error::Rest(_) | ops::Error::Interrupted => self.ways().to_owned(),
            ops::Error::Steps(errors) if error.kind() == ErrorKind::Conflict => {
                hint::steps(errors, self.ways())
            }
            ops::Error::Steps(_) if error.kind() == ErrorKind::NotReady => {
                hint::held(self.ways())
            }
            ops::Error::WentBack { .. } | ops::Error::Stranded { .. } => return hint::undone(error),
            ops::Error::Back { .. } => {
                "go on with `pintle upgrade`; --ignore-rules goes back all the same".to_owned()
            }
            ops::Error::Pending { .. } => {
                "wait for Helm to end; if it was killed, the revision counts as abandoned by then"
                    .to_owned()
            }
            ops::Error::Held { .. } => {
                "wait for it to end, or give --lock-timeout; if it was killed, its lock ends by itself \
                 within 30s"
                    .to_owned()
            }
            ops::Error::AddressLost { .. } | ops::Error::Lost { .. } => {
                "run the command again: it goes on from what has been written".to_owned()
            }
            ops::Error::Outdated(_) => "`pintle plan` makes a new one to look at".to_owned(),
            ops::Error::Overtaken { release } => {
                format!("see `pintle history {release}`, and run the command again")
            }
            ops::Error::NoConflicts { asked, .. } => hint::no_conflicts(*asked).to_owned(),
            ops::Error::Plan(error) => return hint::plan(error).map(str::to_owned),
            error => {
                return hint::tenant(error)
                    .or_else(|| hint::records(error))
                    .or_else(|| hint::cluster(hint::cluster_error(error)?));
            }
        })
    }
}

/// An error and its causes, outermost first, where the first line leaves out what is listed elsewhere.
fn causes(error: &ops::Error) -> Vec<String> {
    let mut found = vec![headline::brief(error)];
    let mut cause = error.source().filter(|_| error.unready().is_empty());
    while let Some(error) = cause {
        let text = error.to_string();
        if found.last() != Some(&text) {
            found.push(text);
        }
        cause = error.source();
    }
    found
}
