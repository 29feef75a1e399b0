//! What can go wrong with an operation, and what kind of failure it is.

mod back;
mod hook;
mod kind;
mod step;
mod words;

use jiff::Timestamp;

pub use back::{Back, WayBack};
pub use hook::HookError;
pub use kind::ErrorKind;
pub use step::StepError;
use words::{Since, joined, numbers, others, unmet};

use super::{ServerSide, Session};
use crate::chart;
use crate::cluster;
use crate::history;
use crate::manifest;
use crate::pki;
use crate::plan::file::Difference;
use crate::plan::{self, Objection, Until};
use crate::release;
use crate::release::Status;
use crate::render;
use crate::source;

/// An operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The release's name is bad.
    #[error(transparent)]
    Name(#[from] release::NameError),
    /// The chart cannot be fetched.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The chart or its values are wrong.
    #[error(transparent)]
    Chart(#[from] chart::Error),
    /// The values break the chart's schema or rules.
    #[error(transparent)]
    Values(#[from] chart::schema::Error),
    /// The chart cannot be rendered.
    #[error(transparent)]
    Render(#[from] render::Error),
    /// What was rendered is no manifest.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// The change cannot be planned.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The records cannot be read or written.
    #[error(transparent)]
    History(#[from] history::Error),
    /// The cluster does not answer as it should.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// Steps of the plan failed.
    #[error("{}", joined(.0))]
    Steps(Vec<StepError>),
    /// There is no such release.
    #[error("release {release} not found in namespace {namespace}")]
    NoRelease {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
    },
    /// There is no such release, and installing it is not asked for.
    #[error("release {release} not found in namespace {namespace}, so there is nothing to upgrade")]
    NothingToUpgrade {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
    },
    /// A release is not there any more, though its history is.
    #[error("release {release} is uninstalled: revision {revision} says so")]
    Uninstalled {
        /// The release.
        release: String,
        /// Its newest revision.
        revision: u32,
    },
    /// The record of a revision cannot be made to fit.
    #[error("the next revision of release {release} cannot be recorded: {source}")]
    Record {
        /// The release.
        release: String,
        /// Why.
        source: release::FitError,
    },
    /// A label selector cannot be read.
    #[error("{selector:?} is no label selector")]
    Selector {
        /// What was taken for one.
        selector: String,
    },
    /// There is no such revision.
    #[error("release {release} has no revision {revision}; it has {}", numbers(.known))]
    NoRevision {
        /// The release.
        release: String,
        /// The revision.
        revision: u32,
        /// The revisions that there are.
        known: Vec<u32>,
    },
    /// There is no revision before the newest to go back to.
    #[error("release {release} has only revision {revision}, so there is nothing to go back to")]
    NothingBefore {
        /// The release.
        release: String,
        /// Its only revision.
        revision: u32,
    },
    /// The release generates no such kubeconfig.
    #[error("release {release} has no kubeconfig {wanted:?}{}", others(known))]
    NoKubeconfig {
        /// The release.
        release: String,
        /// The name that was asked for.
        wanted: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A generated Secret has no data.
    #[error("release {release}: Secret {secret} has not been issued")]
    NotIssued {
        /// The release.
        release: String,
        /// The Secret.
        secret: String,
    },
    /// Several namespaces have a release of that name.
    #[error("release {release} is in several namespaces: {}", .namespaces.join(", "))]
    Ambiguous {
        /// The release.
        release: String,
        /// Its namespaces.
        namespaces: Vec<String>,
    },
    /// The release runs no tenant that could be reached.
    #[error("release {release} runs no tenant: its chart says of no kubeconfig that it opens one")]
    NoTenant {
        /// The release.
        release: String,
    },
    /// The API of a tenant does not answer.
    #[error("the tenant of release {release} does not answer")]
    Silent {
        /// The release.
        release: String,
        /// Why.
        source: cluster::Error,
    },
    /// What joining nodes need is not in the tenant.
    #[error("the tenant of release {release} takes no nodes: {lacks}")]
    NotFurnished {
        /// The release.
        release: String,
        /// What is missing or wrong, in words.
        lacks: String,
    },
    /// A random token could not be made.
    #[error(transparent)]
    Token(#[from] pki::Error),
    /// The rules of the charts forbid to go back to a revision.
    #[error("release {release} cannot go back to revision {revision}: {source}")]
    Back {
        /// The release.
        release: String,
        /// The revision to go back to.
        revision: u32,
        /// The rules that are broken.
        source: chart::schema::Error,
    },
    /// The name of a new release is taken.
    #[error("release {release} exists already: revision {revision} is {status}")]
    NameTaken {
        /// The release.
        release: String,
        /// Its newest revision.
        revision: u32,
        /// The status of that revision.
        status: Status,
    },
    /// Helm is changing the release, or was when its process ended.
    #[error(
        "release {release} is locked: revision {revision} is {status}, and Helm may be at work on it \
         until {until:.0}"
    )]
    Pending {
        /// The release.
        release: String,
        /// The pending revision.
        revision: u32,
        /// How far it is.
        status: Status,
        /// When it counts as abandoned.
        until: Timestamp,
    },
    /// Another command is changing the release.
    #[error("release {release} is locked by {holder}{}, {doing}", Since(*since))]
    Held {
        /// The release.
        release: String,
        /// The other command, as it calls itself.
        holder: String,
        /// When it began.
        since: Option<Timestamp>,
        /// What it does: `upgrading to revision 3`.
        doing: String,
    },
    /// The lock was lost before the change was done.
    #[error("stopped half-way: the lock of release {release} was lost")]
    Lost {
        /// The release.
        release: String,
        /// How.
        source: cluster::Lost,
    },
    /// The release is not what the change was planned from.
    #[error("release {release} was changed by another command since this change was planned")]
    Overtaken {
        /// The release.
        release: String,
    },
    /// A file is no plan.
    #[error("cannot take {file} for a plan")]
    PlanFile {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: plan::file::Error,
    },
    /// What a plan in a file rests on has changed since it was made.
    #[error("the plan does not hold any more: {}", joined(.0))]
    Outdated(Vec<Difference>),
    /// A release has no test of that name.
    #[error("release {release} has no test {wanted:?}{}", others(known))]
    NoTest {
        /// The release.
        release: String,
        /// The name that was asked for.
        wanted: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A hook failed.
    #[error(transparent)]
    Hook(Box<HookError>),
    /// What a stage depends on is not ready in time.
    #[error("{stage} cannot start: {}", unmet(earlier, *until))]
    Gate {
        /// The stage that waits.
        stage: String,
        /// What it waits for.
        earlier: String,
        /// What has to be true of that.
        until: Until,
        /// Which resources are not ready.
        source: cluster::Error,
    },
    /// A Service has no address in time, so the rest cannot be planned.
    #[error("the rest cannot be planned: it depends on addresses that are not known in time")]
    NoAddress {
        /// Which Services have none.
        source: cluster::Error,
    },
    /// A Service that had an address has none any more.
    #[error("the rest cannot be planned: {} lost its address meanwhile", .services.join(", "))]
    AddressLost {
        /// The Services.
        services: Vec<String>,
    },
    /// What is left once the addresses are known would be refused.
    #[error("the rest cannot be written: {}", joined(.0))]
    Rest(Vec<Objection>),
    /// The lock could not be renewed for so long that writing on would not be safe.
    #[error("release {release}: its lock could not be renewed in time, so nothing more is written")]
    Stalled {
        /// The release.
        release: String,
    },
    /// The change was asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A change failed, and went back to where it came from.
    #[error("release {release}: revision {revision} failed, and {back}")]
    WentBack {
        /// The release.
        release: String,
        /// The revision that failed.
        revision: u32,
        /// What there is now.
        back: Back,
        /// Why it failed.
        source: Box<Error>,
    },
    /// A change failed, and so did the way back.
    #[error("release {release}: revision {revision} failed, and so did {way}")]
    Stranded {
        /// The release.
        release: String,
        /// The revision that failed.
        revision: u32,
        /// What was tried then.
        way: WayBack,
        /// Why the change failed.
        source: Box<Error>,
        /// Why the way back failed.
        second: Box<Error>,
    },
    /// There is no revision to go back to.
    #[error("release {release} has no revision that was ever deployed")]
    NeverDeployed {
        /// The release.
        release: String,
    },
    /// No revision has failed.
    #[error("release {release} has no revision that failed")]
    NoFailure {
        /// The release.
        release: String,
    },
    /// A revision has not failed.
    #[error("revision {revision} of release {release} did not fail: it is {status}")]
    NotFailed {
        /// The release.
        release: String,
        /// The revision.
        revision: u32,
        /// Where it stands.
        status: Status,
    },
    /// Conflicts are to be taken over where there are none.
    #[error("release {release} is written from the client side, which knows no conflicts to force")]
    NoConflicts {
        /// The release.
        release: String,
        /// How the user wants resources to be written.
        asked: ServerSide,
    },
    /// Discovery was asked for and gave nothing.
    #[error("the API server did not say which kinds it serves")]
    NoDiscovery,
}

impl Error {
    pub(super) fn no_release(session: &Session<'_>) -> Self {
        Self::NoRelease {
            release: session.release.to_owned(),
            namespace: session.namespace.to_owned(),
        }
    }
}
