//! Everything the library says while it works, as data.
//!
//! Operations emit events through a callback; the binary turns them into lines on stderr. Results
//! are return values, not events.

use jiff::Timestamp;

use crate::chart::Position;
use crate::chart::schema::Unasked;
use crate::health::{Condition, Health};
use crate::manifest::{HookEvent, ResourceId};
use crate::plan::{Counts, Part, Until};
use crate::release::Status;

/// One thing that just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The values of the running revision are used, because none were given.
    ValuesReused {
        /// The revision they come from.
        revision: u32,
    },
    /// The defaults of the running revision are used, so that new ones of the chart do not count.
    DefaultsIgnored {
        /// The revision they come from.
        revision: u32,
        /// The keys of the new ones.
        keys: Vec<String>,
    },
    /// A key in a file of values is kept as it is written, and Kubernetes and Helm would read it as
    /// a boolean.
    BooleanKey {
        /// Where it stands.
        at: Position,
        /// The key.
        key: String,
        /// What they read it as.
        value: bool,
    },
    /// The chart says of itself that it should no longer be used.
    Deprecated {
        /// The chart's name.
        chart: String,
    },
    /// The chart's lock was made for other dependencies than it has.
    StaleLock {
        /// The lock.
        file: String,
    },
    /// A rule of a chart that runs cannot be asked whether the values may change, so it does not count.
    RuleNotAsked {
        /// Which, and why.
        rule: Unasked,
    },
    /// The API server, or the plan, warns about resources that are to be changed.
    Warned {
        /// What it says.
        text: String,
        /// The resources.
        ids: Vec<ResourceId>,
    },
    /// A revision that an earlier process left unfinished is part of what is replaced.
    Interrupted {
        /// The unfinished revision.
        revision: u32,
        /// How far it had come.
        status: Status,
    },
    /// What is recorded of an older revision counts, because the newest was never deployed.
    PassedOver {
        /// The newest revision, and where that stands.
        newest: (u32, Status),
        /// The revision that counts.
        deployed: u32,
    },
    /// The lock of the release was taken over from a process that did not give it back.
    TakenOver {
        /// The process, as it calls itself.
        holder: String,
    },
    /// The lock of the release could not be given back; it ends by itself.
    Unreleased {
        /// Why.
        reason: String,
    },
    /// That the change has failed could not be recorded, so that its revision stays pending.
    Unrecorded {
        /// The revision.
        revision: u32,
        /// Why.
        reason: String,
    },
    /// A description was given, which is not recorded because nothing changes.
    Undescribed {
        /// The revision that stays.
        revision: u32,
    },
    /// The namespace of the release was created.
    NamespaceCreated(String),
    /// The pending revision is recorded; changes follow.
    Begun {
        /// The revision.
        revision: u32,
        /// What will be done.
        counts: Counts,
    },
    /// A stage of the plan has to wait for an earlier one.
    Gate {
        /// The stage that waits.
        stage: Part,
        /// The stage that is waited for.
        earlier: Part,
        /// What has to be true of it.
        until: Until,
    },
    /// A stage of the plan starts.
    Stage {
        /// Which one.
        part: Part,
        /// What its steps will do.
        counts: Counts,
    },
    /// A resource is being deleted and has to be gone before it is made anew.
    Ending {
        /// The resource.
        id: ResourceId,
    },
    /// One resource was changed.
    Stepped {
        /// The resource.
        id: ResourceId,
        /// What was done to it.
        done: Done,
    },
    /// The addresses of Services are waited for, on which the rest of the plan depends.
    Addresses {
        /// The Services.
        services: Vec<ResourceId>,
    },
    /// The addresses are known, and the rest is planned.
    Planned {
        /// What will be done.
        counts: Counts,
    },
    /// Somebody has changed what the change is about, and what is left of it is planned again.
    Replanned {
        /// The resources that were changed.
        ids: Vec<ResourceId>,
        /// What will be done.
        counts: Counts,
    },
    /// A hook is run.
    Hook {
        /// When.
        event: HookEvent,
        /// Its resource.
        id: ResourceId,
    },
    /// A container of a hook has written this.
    HookOutput(HookOutput),
    /// What a hook leaves could not be deleted, or its output not be read.
    HookTrouble {
        /// Its resource; none where what is left of earlier revisions is meant.
        id: Option<ResourceId>,
        /// Why.
        reason: String,
    },
    /// Resources are waited for.
    Waiting {
        /// How many.
        count: usize,
    },
    /// The health of a resource that is waited for has changed.
    Health {
        /// The resource.
        id: ResourceId,
        /// What is waited for.
        until: Condition,
        /// How far it is from that.
        health: Health,
    },
    /// The change was asked to stop: what is under way is brought to its end, and nothing more begun.
    Stopping,
    /// A change has failed and is undone.
    GoingBack {
        /// Its revision.
        revision: u32,
        /// The revision that is gone back to; none if what was installed is uninstalled.
        to: Option<u32>,
    },
    /// The lock of the release is waited for.
    Locked {
        /// Who has it, as it calls itself.
        holder: String,
        /// When it was taken, as far as that is known.
        since: Option<Timestamp>,
        /// What is done under it: `upgrading to revision 3`.
        doing: String,
    },
    /// The outcome is recorded.
    Finished {
        /// The revision.
        revision: u32,
        /// Its outcome.
        status: Status,
    },
}

/// What a container of a hook has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookOutput {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The text, or why it cannot be read.
    pub text: Result<String, String>,
}

/// What was done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was created.
    Created,
    /// It was patched.
    Configured,
    /// It was deleted and created anew.
    Recreated,
    /// It was deleted.
    Deleted,
    /// It is generated, and its data was made.
    Issued,
}
