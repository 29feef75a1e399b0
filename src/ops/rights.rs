//! What the user has to be allowed to do besides what is tried, asked before the first write: records,
//! lock, and watching what is waited for.
//!
//! One request tells the rules of a namespace. What they do not give is asked for by itself, because there
//! may be more than rules; only what is refused then stands against the plan. Where nothing can be asked,
//! nothing does.

use futures::future::join_all;

use super::aim::Aim;
use super::{End, Error, Session};
use crate::capabilities::Kind;
use crate::cluster::Question;
use crate::plan::rights::{self, Right};
use crate::plan::{self, Objection, Plan};

/// What stands against a plan for want of rights that nothing tries.
pub(super) async fn objections(session: &Session<'_>, plan: &Plan, end: End) -> Vec<Objection> {
    let has_gates = plan.stages.iter().any(|stage| !stage.gates.is_empty());
    let awaited = match end {
        End::Written if !has_gates => vec![],
        _ => plan.awaited(),
    };
    let awaited = awaited.iter().map(|(id, kind)| (id, kind));
    let hooks = plan.hooks.steps.iter().map(|hook| &hook.step);
    let hooks = hooks.map(|step| (&step.id, &step.kind));
    let watched = rights::to_watch(awaited.chain(hooks), session.namespace);
    lacking(session, [to_record(session), watched].concat()).await
}

async fn lacking(session: &Session<'_>, needed: Vec<Right>) -> Vec<Objection> {
    let Ok(status) = session.cluster.rules_in(session.namespace).await else {
        return vec![];
    };
    let is_home = |right: &Right| right.namespace == session.namespace;
    let (home, elsewhere): (Vec<_>, Vec<_>) = needed.into_iter().partition(is_home);
    let missing = rights::missing(&status, &home).into_iter();
    let asked = missing.chain(elsewhere);
    let confirmed = join_all(asked.map(|right| refused(session, right))).await;
    let confirmed = confirmed.iter().filter(|right| !right.verbs.is_empty());
    confirmed.map(Right::objection).collect()
}

/// The error of a change whose resources cannot be read: with all rights that are missing.
pub(super) async fn unread(session: &Session<'_>, aim: &Aim, error: Error) -> Error {
    let wanted = aim.wanted();
    let resources = wanted.iter().map(|(id, kind)| (id, kind));
    let written = rights::to_write(resources, session.namespace);
    told(session, [to_record(session), written].concat(), error).await
}

/// The error of a change that could not even be planned for want of a right: with all rights that are
/// missing, if records or lock are among them.
pub async fn explained(session: &Session<'_>, error: Error) -> Error {
    if !error.is_forbidden() {
        return error;
    }
    told(session, to_record(session), error).await
}

async fn told(session: &Session<'_>, needed: Vec<Right>, error: Error) -> Error {
    let found = lacking(session, needed).await;
    if found.is_empty() {
        error
    } else {
        plan::Error::Refused(found).into()
    }
}

/// What every change of a release needs. Old records are deleted, if not by this change.
fn to_record(session: &Session<'_>) -> Vec<Right> {
    let right = |kind: Kind, name: String, verbs: &[&'static str]| Right {
        kind,
        namespace: session.namespace.to_owned(),
        name,
        verbs: verbs.to_vec(),
    };
    let lock = Kind {
        group: "coordination.k8s.io".to_owned(),
        ..Kind::core("Lease", "leases")
    };
    let name = format!("sh.helm.release.v1.{}", session.release);
    vec![
        right(
            session.driver.kind(),
            name,
            &["create", "get", "list", "patch", "delete"],
        ),
        right(
            lock,
            format!("pintle.{}", session.release),
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
        })
    });
    let answers = join_all(asked).await;
    let verbs = right.verbs.iter().zip(answers);
    let verbs = verbs.filter(|(_, answer)| matches!(answer, Ok(false)));
    let verbs = verbs.map(|(verb, _)| *verb).collect();
    Right { verbs, ..right }
}
