//! What to do about errors of operations that come from below them.

use pintle::cluster::{self, Missing};
use pintle::history;
use pintle::manifest::HookEvent;
use pintle::ops::{self, Back, HookError, ServerSide, StepError, WayBack};
use pintle::plan::{self, Class, Objection};
use pintle::release::Status;

/// What to do about a tenant that cannot be entered, or a kubeconfig that is not there.
pub(super) fn tenant(error: &ops::Error) -> Option<String> {
    Some(match error {
        ops::Error::Ambiguous { .. } => "say which one by its namespace".to_owned(),
        ops::Error::NoTenant { .. } => {
            "a chart says so by the annotation pintle.dev/tenant of a Kubeconfig generator, with \
                 what charts inside are told, as a JSON object"
                .to_owned()
        }
        ops::Error::Silent { release, .. } => {
            format!("`pintle status {release}` shows how it fares")
        }
        ops::Error::NotFurnished { release, .. } => format!(
            "install or upgrade what nodes need: \
                 `pintle install addons charts/tenant --into {release}`"
        ),
        ops::Error::NoKubeconfig { .. } => {
            "a chart names them by the annotation pintle.dev/kubeconfig of its generators"
                .to_owned()
        }
        ops::Error::NotIssued { release, .. } => {
            format!("`pintle upgrade {release} CHART` issues it")
        }
        _ => return None,
    })
}

/// What to do about names, histories and records.
pub(super) fn records(error: &ops::Error) -> Option<String> {
    Some(match error {
        ops::Error::NoRelease { .. } => "`pintle list -A` shows all releases".to_owned(),
        ops::Error::NothingToUpgrade { .. } => {
            "`pintle list -A` shows all releases; `pintle install` \
             and `pintle upgrade --install` make one"
                .to_owned()
        }
        ops::Error::NoRevision { release, .. } | ops::Error::NothingBefore { release, .. } => {
            format!("`pintle history {release}` shows its revisions")
        }
        ops::Error::Uninstalled { release, .. } => format!(
            "`pintle rollback {release}` brings it back, `pintle upgrade --install` installs it anew, \
             and `pintle uninstall {release}` deletes its history"
        ),
        ops::Error::NameTaken {
            release,
            status: Status::Uninstalling,
            ..
        } => format!("`pintle uninstall {release}` finishes the uninstallation"),
        ops::Error::NameTaken {
            release,
            status: Status::Uninstalled,
            ..
        } => format!(
            "`pintle rollback {release}` brings it back; --replace installs the chart under this name"
        ),
        ops::Error::NameTaken { release, .. } => {
            format!("use `pintle upgrade {release} CHART`, or another name")
        }
        ops::Error::Record { .. } => {
            "split the chart, or let fewer and smaller resources come of it; nothing was written"
                .to_owned()
        }
        ops::Error::History(history::Error::Gone { .. }) => {
            "somebody else is changing the release; run the command again".to_owned()
        }
        ops::Error::History(history::Error::Decode { entry, driver, .. }) => format!(
            "revision {} is left out once its record is deleted, by `kubectl delete {} {} -n {}`; what it \
             alone has applied is not known then, and stays. `pintle uninstall {} --forget` deletes all \
             records and nothing else",
            entry.revision,
            driver.kind().kind.to_lowercase(),
            entry.secret,
            entry.namespace,
            entry.name,
        ),
        ops::Error::Selector { .. } => {
            "as for kubectl: -l 'team=web,stage in (test,live),!old'".to_owned()
        }
        _ => return None,
    })
}

/// What to do where there are no conflicts to force.
pub(super) fn no_conflicts(asked: ServerSide) -> &'static str {
    match asked {
        ServerSide::False => {
            "leave out --force-conflicts: what others have changed is set back anyway"
        }
        ServerSide::Auto | ServerSide::True => {
            "leave it out, as what others have changed is set back anyway; or change over by \
             --server-side"
        }
    }
}

/// What to do about a change that failed and was to be undone.
pub(super) fn undone(error: &ops::Error) -> Option<String> {
    match error {
        ops::Error::WentBack {
            back: Back::To { .. },
            release,
            revision,
            ..
        } => Some(format!(
            "`pintle get failure {release} --revision {revision}` shows this again"
        )),
        ops::Error::Stranded { release, way, .. } => Some(match way {
            WayBack::Rollback | WayBack::CleanUp => format!(
                "`pintle upgrade`, or `pintle rollback {release} REVISION`, goes on from here; \
                 `pintle history {release}` tells which there are"
            ),
            WayBack::Uninstallation => {
                format!("`pintle uninstall {release}` goes on from here")
            }
        }),
        _ => None,
    }
}

/// What to do about a hook that failed.
pub(super) fn hook(error: &HookError, ways: &str) -> String {
    match error.event {
        HookEvent::Test => "`pintle test --logs` shows what it writes".to_owned(),
        HookEvent::PreDelete | HookEvent::PostDelete => {
            "`pintle uninstall` goes on from here; --no-hooks leaves hooks out".to_owned()
        }
        event if event.is_before() => {
            format!("what the release applies is as before; {ways}")
        }
        _ => format!("all else is done; {ways}"),
    }
}

/// What to do about resources that others hold or have changed.
pub(super) fn steps(errors: &[StepError], ways: &str) -> String {
    let is_owned = |error: &StepError| match error {
        StepError::Request { source, .. } => source.is_conflict() && !source.is_outdated(),
        _ => false,
    };
    if errors.iter().any(is_owned) {
        return OWNED.to_owned();
    }
    format!("{ways}; a plan in a file has to be made anew")
}

/// What to do about what is being deleted and not gone in time.
pub(super) fn held(ways: &str) -> String {
    format!(
        "what its finalizers name has to let go of it, such as the pods that use a claim; {ways}"
    )
}

/// What to do about fields that others own.
const OWNED: &str = "--force-conflicts takes these fields over; a field that the chart leaves out stays its owner's";

/// What to do about a namespace that is being deleted.
const TERMINATING: &str = "wait until the namespace is gone, and run the command again: what is in it goes with it. \
                           `kubectl describe namespace` tells what holds it";

fn is_terminating(objection: &Objection) -> bool {
    objection.class == Class::Terminating
}

fn is_owned(objection: &Objection) -> bool {
    objection.class == Class::Owned
}

pub(super) fn plan(error: &plan::Error) -> Option<&'static str> {
    Some(match error {
        plan::Error::Ungrouped(_) => {
            "give them the group as well, by the annotation helm.sh/resource-group"
        }
        plan::Error::NoAddress(_) => "give the endpoint an ip",
        plan::Error::Foreign(_) => {
            "delete them, give the release another name or namespace, or take them over with \
             --take-ownership"
        }
        plan::Error::Refused(objections) if objections.iter().any(is_owned) => OWNED,
        plan::Error::Refused(objections) if objections.iter().any(is_terminating) => TERMINATING,
        plan::Error::Refused(_) => {
            "`--dry-run=client` or `diff --no-validate` shows the plan without asking the API server"
        }
        plan::Error::Credentials(_) => {
            "give the release another name or namespace, or uninstall the other one"
        }
        plan::Error::UnknownKinds(_) => {
            "install the CustomResourceDefinitions first, or correct apiVersion and kind"
        }
        _ => return None,
    })
}

/// The error of the cluster behind an operation's.
pub(super) fn cluster_error(error: &ops::Error) -> Option<&cluster::Error> {
    match error {
        ops::Error::Cluster(error) => Some(error),
        ops::Error::History(
            history::Error::List { source }
            | history::Error::Read { source, .. }
            | history::Error::Write { source, .. },
        ) => Some(source),
        _ => None,
    }
}

pub(super) fn cluster(error: &cluster::Error) -> Option<String> {
    let hint = match error {
        cluster::Error::NotReady { .. } => {
            "the change is applied; `pintle status RELEASE` shows how it fares"
        }
        cluster::Error::NotFound {
            missing: Missing::Namespace,
            ..
        } => "create the namespace first, or install with --create-namespace",
        cluster::Error::Kubeconfig { .. } => {
            "give its file with --kubeconfig or KUBECONFIG, and its context with --kube-context"
        }
        cluster::Error::Unreachable { .. } => {
            "check the address in the kubeconfig, or choose another with --kube-context"
        }
        cluster::Error::Forbidden {
            detail: Some(said), ..
        } if said.contains("because it is being terminated") => TERMINATING,
        cluster::Error::Forbidden { .. } => "ask an administrator of the cluster for this right",
        _ => return None,
    };
    Some(hint.to_owned())
}
