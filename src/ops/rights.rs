//! What the user has to be allowed to do besides what is tried, asked before the first write: records,
//! lock, watching what is waited for, and looking at pods that have to end.
//!
//! One request tells the rules of a namespace. What they do not give is asked for by itself, because there
//! may be more than rules; only what is refused then stands against the plan. Where nothing can be asked,
//! nothing does.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::aim::Aim;
use super::{End, Error, Session, lock};
use crate::capabilities::Kind;
use crate::cluster::{self, Question};
use crate::manifest::ResourceId;
use crate::plan::rights::{self, Right};
use crate::plan::{self, Objection, Plan, Step};

/// How the pods of a workload are looked at.
const LOOKED_AT: &[&str] = &["list", "watch"];

/// What a command does to the records of its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    /// Nothing.
    Untouched,
    /// Some are written.
    Written,
    /// Some are written, and some deleted.
    Replaced,
    /// They are deleted and nothing else.
    Deleted,
}

impl Records {
    fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Untouched => &["get", "list"],
            Self::Written => &["create", "get", "list", "patch"],
            Self::Replaced => &["create", "get", "list", "patch", "delete"],
            Self::Deleted => &["get", "list", "delete"],
        }
    }
}

/// What stands against a plan for want of rights that nothing tries, and that the plan does not bring.
pub(super) async fn objections(
    session: &Session<'_>,
    plan: &Plan,
    (end, aim): (End, &Aim),
) -> Vec<Objection> {
    let has_gates = plan.stages.iter().any(|stage| !stage.gates.is_empty());
    let waits = end == End::Ready || has_gates;
    let awaited = plan.unready().filter(|_| waits);
    let going: Vec<&Step> = match end {
        End::Ready => plan.lingering().collect(),
        End::Written => plan.obstructing().collect(),
    };
    let hooks = plan.hooks.steps.iter().map(|hook| &hook.step);
    let hooks = hooks.filter(|step| rights::is_slow(&step.kind));
    let watched = awaited.chain(going).chain(hooks);
    let watched = watched.map(|step| (&step.id, &step.kind, rights::WATCHED));
    let pods = Kind::core("Pod", "pods");
    let replaced = plan.replaced(&aim.desired).filter(|_| waits).collect();
    let looked_at = uncounted(session, replaced).await;
    let looked_at = looked_at.into_iter().map(|id| (id, &pods, LOOKED_AT));
    let used = rights::to_use(watched.chain(looked_at), session.namespace);
    let mut needed = [to_record(session, aim.records), used].concat();
    needed.retain(|right| !plan.brings(right));
    lacking(session, needed).await
}

/// Of workloads those whose ending pods no status counts, so that the pods are looked at. Deployments count
/// them since Kubernetes 1.35.
async fn uncounted<'a>(
    session: &Session<'_>,
    mut workloads: Vec<&'a ResourceId>,
) -> Vec<&'a ResourceId> {
    let is_deployment = |id: &&ResourceId| id.kind == "Deployment";
    if workloads.iter().any(is_deployment) {
        let version = session.cluster.version().await;
        let counts = version.is_ok_and(|version| version.is_at_least((1, 35)));
        workloads.retain(|id| !counts || !is_deployment(id));
    }
    workloads
}

async fn lacking(session: &Session<'_>, needed: Vec<Right>) -> Vec<Objection> {
    let mut places: BTreeMap<String, Vec<Right>> = BTreeMap::new();
    for right in needed {
        let place = places.entry(right.namespace.clone()).or_default();
        place.push(right);
    }
    let missing = places.iter().map(|(namespace, rights)| async move {
        if namespace.is_empty() {
            // Rules of a namespace tell nothing of what is in none.
            return Some(rights.clone());
        }
        let status = session.cluster.rules_in(namespace).await.ok()?;
        Some(rights::missing(&status, rights))
    });
    let missing = join_all(missing).await;
    let asked = missing.into_iter().flatten().flatten();
    let confirmed = join_all(asked.map(|right| refused(session, right))).await;
    let confirmed = confirmed.iter().filter(|right| !right.verbs.is_empty());
    confirmed.map(Right::objection).collect()
}

/// The error of a change whose resources cannot be read: with all rights that are missing.
pub(super) async fn unread(session: &Session<'_>, aim: &Aim, error: Error) -> Error {
    let wanted = aim.wanted();
    let verbs: &[_] = if aim.desired.resources.is_empty() {
        &["get", "list", "delete"]
    } else {
        &["get", "list", "create", "patch"]
    };
    let resources = wanted.iter().map(|(id, kind)| (id, kind, verbs));
    let used = rights::to_use(resources, session.namespace);
    let needed = [to_record(session, aim.records), used].concat();
    told(session, needed, error).await
}

/// Refuses to delete the records of a release for want of the right to.
pub(super) async fn refuse_to_forget(session: &Session<'_>) -> Result<(), Error> {
    let found = lacking(session, to_record(session, Records::Deleted)).await;
    if found.is_empty() {
        Ok(())
    } else {
        Err(plan::Error::Refused(found).into())
    }
}

/// The error of a change that could not even be planned for want of a right: with all rights that are
/// missing, if records or lock are among them.
pub async fn explained(session: &Session<'_>, error: Error) -> Error {
    unlisted(session, Records::Written, error).await
}

/// The same for a command that does something else to the records.
pub(super) async fn unlisted(session: &Session<'_>, records: Records, error: Error) -> Error {
    if !error.is_forbidden() {
        return error;
    }
    told(session, to_record(session, records), error).await
}

async fn told(session: &Session<'_>, needed: Vec<Right>, error: Error) -> Error {
    let found = lacking(session, needed).await;
    if found.is_empty() {
        error
    } else {
        plan::Error::Refused(found).into()
    }
}

/// What every change of a release needs, and for what it does to the records.
fn to_record(session: &Session<'_>, records: Records) -> Vec<Right> {
    let right = |kind: Kind, name: String, verbs: &[&'static str]| Right {
        namespace: session.namespace.to_owned(),
        about: ResourceId {
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            namespace: Some(session.namespace.to_owned()),
            name,
        },
        kind,
        verbs: verbs.to_vec(),
    };
    let name = format!("sh.helm.release.v1.{}", session.release);
    vec![
        right(session.driver.kind(), name, records.verbs()),
        right(
            cluster::lease_kind(),
            lock::claim(session).name(),
            &["create", "get", "update", "delete"],
        ),
    ]
}

/// What of a right is refused.
async fn refused(session: &Session<'_>, right: Right) -> Right {
    let asked = right.verbs.iter().map(|verb| {
        session.cluster.may(Question {
            verb,
            kind: &right.kind,
            namespace: &right.namespace,
            name: right.named(verb),
        })
    });
    let answers = join_all(asked).await;
    let verbs = right.verbs.iter().zip(answers);
    let verbs = verbs.filter(|(_, answer)| matches!(answer, Ok(false)));
    let verbs = verbs.map(|(verb, _)| *verb).collect();
    Right { verbs, ..right }
}
