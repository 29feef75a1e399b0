//! Hooks: resources that are applied at a moment of a release's life instead of being part of it
//! (helm/helm `pkg/release/v1/hook.go`).

mod read;

use std::fmt;

pub(super) use read::of;

use super::Resource;
use super::ResourceId;

/// The annotation that makes a resource a hook: a comma list of events.
pub const EVENTS: &str = "helm.sh/hook";
/// The annotation that orders hooks of one event: an integer.
const WEIGHT: &str = "helm.sh/hook-weight";
/// The annotation that says when a hook's resource is deleted.
const DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// The annotation that says when a hook's logs are shown.
const OUTPUT_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";

/// A resource that is applied at a moment of a release's life.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// Its place among the hooks of its revision.
    pub index: usize,
    /// The resource.
    pub resource: Resource,
    /// Its text as rendered.
    pub text: String,
    /// When it is applied.
    pub events: Vec<HookEvent>,
    /// Hooks of one event run by rising weight.
    pub weight: i64,
    /// When its resource is deleted.
    pub delete_policies: Vec<DeletePolicy>,
    /// When its logs are shown.
    pub output_log_policies: Vec<OutputLogPolicy>,
}

impl Hook {
    /// Whether its resource is deleted by this policy. Definitions never are, since everything of
    /// their kinds would go with them.
    pub fn is_deleted(&self, policy: DeletePolicy) -> bool {
        let is_default = self.delete_policies.is_empty() && policy == DeletePolicy::default();
        !is_definition(&self.resource.id) && (is_default || self.delete_policies.contains(&policy))
    }

    /// Whether its resource runs to an end, which is waited for: that of a Job or a Pod.
    pub fn is_run(&self) -> bool {
        let id = &self.resource.id;
        matches!(
            (id.group.as_str(), id.kind.as_str()),
            ("batch", "Job") | ("", "Pod")
        )
    }
}

fn is_definition(id: &ResourceId) -> bool {
    id.kind == "CustomResourceDefinition"
}

/// The hooks of one event in the order in which they run: by weight, then by name; those of one name
/// in the order of the revision, which is that of their kinds (helm/helm `pkg/action/hooks.go`).
pub fn in_order(hooks: &[Hook], event: HookEvent) -> Vec<&Hook> {
    let own = hooks.iter().filter(|hook| hook.events.contains(&event));
    let mut own: Vec<&Hook> = own.collect();
    own.sort_by_key(|hook| (hook.weight, &hook.resource.id.name));
    own
}

/// A moment of a release's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookEvent {
    /// Before the first resource of an installation.
    PreInstall,
    /// After the last resource of an installation.
    PostInstall,
    /// Before the first deletion of an uninstallation.
    PreDelete,
    /// After the last deletion of an uninstallation.
    PostDelete,
    /// Before the first change of an upgrade.
    PreUpgrade,
    /// After the last change of an upgrade.
    PostUpgrade,
    /// Before the first change of a rollback.
    PreRollback,
    /// After the last change of a rollback.
    PostRollback,
    /// When the release is tested.
    Test,
}

impl HookEvent {
    /// Every event with its name in the annotation.
    const ALL: [(&'static str, Self); 9] = [
        ("pre-install", Self::PreInstall),
        ("post-install", Self::PostInstall),
        ("pre-delete", Self::PreDelete),
        ("post-delete", Self::PostDelete),
        ("pre-upgrade", Self::PreUpgrade),
        ("post-upgrade", Self::PostUpgrade),
        ("pre-rollback", Self::PreRollback),
        ("post-rollback", Self::PostRollback),
        ("test", Self::Test),
    ];

    /// The event of that name; `test-success` is Helm 2's name of `test`.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "test-success" { "test" } else { name };
        find(&Self::ALL, name)
    }

    /// The event's name in the annotation.
    pub fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }

    /// Whether it comes before the first change, and not after the last.
    pub fn is_before(self) -> bool {
        matches!(
            self,
            Self::PreInstall | Self::PreUpgrade | Self::PreRollback | Self::PreDelete
        )
    }
}

/// `pre-install`.
impl fmt::Display for HookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a hook's resource is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeletePolicy {
    /// Before the hook is applied again; what holds where none is given.
    #[default]
    BeforeHookCreation,
    /// After the hook succeeded.
    HookSucceeded,
    /// After the hook failed.
    HookFailed,
}

impl DeletePolicy {
    const ALL: [(&'static str, Self); 3] = [
        ("before-hook-creation", Self::BeforeHookCreation),
        ("hook-succeeded", Self::HookSucceeded),
        ("hook-failed", Self::HookFailed),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        find(&Self::ALL, name)
    }

    /// The policy's name in the annotation.
    pub fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }
}

/// When a hook's logs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputLogPolicy {
    /// After the hook succeeded.
    HookSucceeded,
    /// After the hook failed.
    HookFailed,
}

impl OutputLogPolicy {
    const ALL: [(&'static str, Self); 2] = [
        ("hook-succeeded", Self::HookSucceeded),
        ("hook-failed", Self::HookFailed),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        find(&Self::ALL, name)
    }

    /// The policy's name in the annotation.
    pub fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }
}

fn find<T: Copy>(all: &[(&'static str, T)], name: &str) -> Option<T> {
    all.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

fn name_of<T: PartialEq + Copy>(all: &[(&'static str, T)], value: T) -> &'static str {
    all.iter()
        .find(|(_, known)| *known == value)
        .map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests;
