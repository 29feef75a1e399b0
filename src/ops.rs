//! One file per operation, and the one way that all changes take.
//!
//! A [`Session`] and a request come in; a [`Change`] that is decided but not begun goes out, which
//! [`Change::execute`] carries out while it emits [events](crate::event). `install`, `upgrade`,
//! `rollback` and `uninstall` differ only in the release that they want; a dry run is a change
//! that is not executed.

mod aim;
mod attribute;
mod between;
mod bundled;
mod catalogue;
mod cleanup;
mod commit;
mod credentials;
mod deploy;
mod drift;
mod error;
mod execute;
mod failure;
mod follow;
mod forget;
mod guard;
mod hook;
mod install;
mod issue;
mod join;
mod kubeconfig;
mod ledger;
mod lint;
mod list;
mod lock;
mod lookup;
mod method;
mod name;
mod notices;
mod outcome;
mod owners;
mod past;
mod past_hooks;
mod perform;
mod plan_file;
mod prepare;
mod read;
mod recording;
mod rehearse;
mod removal;
mod replan;
mod reread;
mod restore;
mod rights;
mod rollback;
mod step;
mod stop;
mod structure;
mod template;
mod tenant;
mod testing;
mod transition;
mod undo;
mod uninstall;
mod unlock;
mod upgrade;

pub use attribute::{attribute, survey};
pub use between::{Between, between};
pub use cleanup::Leftovers;
pub use credentials::{Credentials, credentials};
pub use deploy::{Change, End, HookPolicy, NamespacePolicy, OnFailure, Options, Terms};
pub use drift::{Finding, ReleaseDrift, Releases, drift};
pub use error::{Back, Error, ErrorKind, HookError, StepError, WayBack};
pub use failure::failed;
pub use follow::{Following, Seen, follow};
pub use forget::{Forgetting, forget};
pub use install::install;
pub use join::{Invitation, join};
pub use kubeconfig::kubeconfig;
pub use lint::lint;
pub use list::{Detail, Direction, Listed, Listing, SortBy, list};
pub use lock::wait;
pub use method::ServerSide;
pub use name::name;
pub use notices::notices;
pub use plan_file::{Making, fixed, inputs, outdated, plan, save};
pub use prepare::{ChartRequest, CrdPolicy, ReuseValues, SchemaPolicy};
pub use read::{
    ResourceStatus, Revision, Revisions, Standing, find, history, holder, is_interrupted, resources,
};
pub use recording::{History, Recording, Unchanged, UsedName};
pub use rehearse::Rehearsal;
pub use restore::restore;
pub use rights::explained;
pub use rollback::rollback;
pub use stop::Stop;
pub use template::{Prepared, TemplateRequest, Templated, template, template_unjudged};
pub use tenant::{Tenant, enter, home};
pub use testing::{Filter, FilterTerm, Logs, NoTerm, TestRequest, Tested, test};
pub use transition::Rules;
pub use uninstall::uninstall;
pub use unlock::{Locked, locked, unlock};
pub use upgrade::{upgrade, upgrade_or_install};

use jiff::Timestamp;

use crate::cluster::{Cluster, Holder};
use crate::history::{Driver, Store};
use crate::plan::Owner;

/// What every operation on a release needs.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The cluster that holds the release.
    pub cluster: &'a Cluster,
    /// The namespace of the release.
    pub namespace: &'a str,
    /// The release's name.
    pub release: &'a str,
    /// The time, whenever it is asked for.
    pub now: fn() -> Timestamp,
    /// Who holds the release while it is changed.
    pub holder: Holder<'a>,
    /// What holds the records.
    pub driver: Driver,
    /// Where a wish that a change stops comes from, if somebody may have it.
    pub stop: Option<&'a Stop>,
    /// Who watches over the work that a chart makes, if somebody does.
    pub watch: Watch,
}

/// Called with the name of a chart before pure work on what is in the chart; what it gives is dropped
/// when the work is done, and before anything is written. [`unwatched`] is one of these.
pub type Watch = fn(&str) -> Box<dyn Send>;

/// Watches over nothing.
pub fn unwatched(_: &str) -> Box<dyn Send> {
    Box::new(())
}

impl<'a> Session<'a> {
    fn owner(&self) -> Owner<'a> {
        Owner {
            release: self.release,
            namespace: self.namespace,
        }
    }

    fn store(&self) -> Store<'a> {
        Store::in_namespace(self.cluster, self.namespace).with(self.driver)
    }
}
