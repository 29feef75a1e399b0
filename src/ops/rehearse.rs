//! Asks the API server about a plan before the first write.
//!
//! What is sent and what the answers mean is `plan`'s; here the requests are made, side by side, and
//! the plan takes note of the answers.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::Value;

use super::aim::Aim;
use super::deploy::NamespacePolicy;
use super::rights::Records;
use super::{Error, Session, Terms, removal, rights, step};
use crate::builtin;
use crate::cluster::{
    self, Address, Cluster, Effect, Force, Patch, Propagation, Validation, Write, Written,
};
use crate::event::Event;
use crate::manifest::ResourceId;
use crate::plan::rehearsal::{self, Made, Pods, Request, Trial, Verdict, quota};
use crate::plan::{self, About, Method, Plan, Step};

/// As the executor writes, but nothing is kept.
const DRY_RUN: Write<'_> = Write {
    manager: "helm",
    effect: Effect::DryRun,
    validation: Validation::Strict,
};

/// Whether the API server is asked about a plan before the first write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// Every change is sent as a dry run.
    Server,
    /// It is not asked.
    None,
}

/// What was found out about one step.
struct Finding {
    id: ResourceId,
    verdicts: Vec<Verdict>,
    warnings: Vec<String>,
    /// The pod that was tried, as the API server has completed it.
    pod: Option<Value>,
}

/// Tries every change of a plan, lets the plan take note of what is checked later, warned about and
/// refused, and tells of the warnings.
///
/// # Errors
/// If the API server cannot be asked. Refusals are objections of the plan.
pub(super) async fn rehearse(
    session: &Session<'_>,
    plan: &mut Plan,
    aim: &Aim,
    terms: &Terms,
) -> Result<Vec<Event>, Error> {
    let cluster = session.cluster;
    let is_new = terms.namespace == NamespacePolicy::Create
        && !cluster.namespace_exists(session.namespace).await?;
    let new = is_new.then_some(session.namespace);
    let made = Made::of(plan, (&aim.desired, &aim.base), new);
    let (trials, later) = rehearsal::trials(plan, &made);
    let mut findings: Vec<Finding> = later.into_iter().map(postponed).collect();
    let wanted = trials
        .iter()
        .filter(|trial| trial.step.checked.objections.is_empty());
    let tried = all((cluster, plan.method), wanted, &made);
    let rights = async {
        // What changes nothing records nothing, and who makes a namespace may get rights with it.
        Ok(if aim.records == Records::Untouched || is_new {
            vec![]
        } else {
            rights::objections(session, plan, (terms.end, aim)).await
        })
    };
    let (tried, quotas, lacking) = futures::try_join!(tried, quotas(cluster, plan, new), rights)?;
    findings.extend(tried);
    name_webhooks(cluster, &mut findings).await?;
    let mut pods = quota::Tried::new();
    for finding in &mut findings {
        if let Some(pod) = finding.pod.take() {
            pods.insert(finding.id.clone(), pod);
        }
    }
    let exceeded = quota::exceeded((plan, &aim.desired), &quotas, &pods);
    let events = warnings(plan, &findings);
    note(plan, findings);
    plan.exceed(exceeded);
    plan.oppose(lacking);
    Ok(events)
}

/// Refuses a plan against which anything stands.
pub(super) fn refuse(plan: &Plan) -> Result<(), Error> {
    let objections = plan.objections();
    if objections.is_empty() {
        Ok(())
    } else {
        Err(plan::Error::Refused(objections).into())
    }
}

fn postponed((step, why): (&Step, String)) -> Finding {
    Finding {
        id: step.id.clone(),
        verdicts: vec![Verdict::Later(why)],
        warnings: vec![],
        pod: None,
    }
}

async fn all<'a>(
    by: (&Cluster, Method),
    trials: impl Iterator<Item = &'a Trial<'a>>,
    made: &Made<'_>,
) -> Result<Vec<Finding>, Error> {
    let mut open: FuturesUnordered<_> = trials.map(|trial| attempt(by, trial, made)).collect();
    let mut findings = vec![];
    while let Some(finding) = open.next().await {
        findings.push(finding?);
    }
    findings.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(findings)
}

/// Tries one change, and a pod of it if new ones come of it.
async fn attempt(
    by: (&Cluster, Method),
    trial: &Trial<'_>,
    made: &Made<'_>,
) -> Result<Finding, Error> {
    let step = trial.step;
    let mut finding = Finding {
        id: step.id.clone(),
        verdicts: vec![],
        warnings: vec![],
        pod: None,
    };
    let at = super::step::at(step);
    let cluster = by.0;
    let about = match trial.request {
        Request::Delete(_) => About::Removal,
        _ => About::Itself,
    };
    let answer = send(by, &at, trial.request).await;
    let written = finding.take((step, about), answer, made)?;
    // A template that stays as it is though the resource exists is that of what is sent.
    let body = match (&written, trial.request) {
        (Some(live), _) => live,
        (None, Request::Create(body)) if finding.is_open() => body,
        _ => return Ok(finding),
    };
    if trial.pods == Pods::Made
        && let Some(pod) = rehearsal::pod(body)
        && let Some(kind) = builtin::kind("", "Pod")
    {
        let at = Address { kind, ..at };
        let answer = cluster.create(&at, &pod, DRY_RUN).await.map(Some);
        finding.pod = finding.take((step, About::Pods), answer, made)?;
    }
    Ok(finding)
}

/// Sends the dry run of one change.
async fn send(
    (cluster, method): (&Cluster, Method),
    at: &Address<'_>,
    request: Request<'_>,
) -> Result<Option<Written>, cluster::Error> {
    let force = step::force(method);
    let written = match request {
        Request::Delete(precondition) => {
            // A trial need not say what becomes of what the resource owns.
            let how = (Propagation::default(), Effect::DryRun);
            let tried = removal::remove(cluster, at, precondition, how).await;
            return tried.map(|_| None);
        }
        Request::Create(body) if method.is_server_side() => {
            cluster.create_by_apply(at, body, DRY_RUN).await
        }
        Request::Create(body) => cluster.create(at, body, DRY_RUN).await,
        Request::Patch(patch) => cluster.patch(at, Patch::from(patch), DRY_RUN).await,
        Request::Apply(body) => cluster.patch(at, Patch::Apply(body, force), DRY_RUN).await,
        Request::Claim(body, handover, patch) => {
            if force == Force::No {
                let applied = cluster.patch(at, Patch::Apply(body, force), DRY_RUN).await;
                let conflict = applied.err().and_then(|error| error.with_others(handover));
                if let Some(conflict) = conflict {
                    return Err(conflict);
                }
            }
            cluster.patch(at, Patch::from(patch), DRY_RUN).await
        }
    };
    written.map(Some)
}

impl Finding {
    /// Whether nothing stands against the step so far.
    fn is_open(&self) -> bool {
        let mut verdicts = self.verdicts.iter();
        verdicts.all(|verdict| !matches!(verdict, Verdict::Refused(_) | Verdict::Webhook(..)))
    }

    /// Takes note of an answer, and gives the resource if it was accepted.
    fn take(
        &mut self,
        of: (&Step, About),
        answer: Result<Option<Written>, cluster::Error>,
        made: &Made<'_>,
    ) -> Result<Option<Value>, Error> {
        match answer {
            Ok(written) => Ok(written.map(|written| {
                self.warnings.extend(written.warnings);
                written.live
            })),
            Err(error) => self.refuse(of, error, made).map(|()| None),
        }
    }

    /// Takes note of a refusal.
    fn refuse(
        &mut self,
        of: (&Step, About),
        error: cluster::Error,
        made: &Made<'_>,
    ) -> Result<(), Error> {
        let Some(refusal) = error.refusal() else {
            return Err(error.into());
        };
        self.verdicts.push(rehearsal::judge(of, &refusal, made));
        Ok(())
    }
}

/// The quotas of the namespaces in which the plan adds something; none where they may not be read.
async fn quotas(cluster: &Cluster, plan: &Plan, new: Option<&str>) -> Result<Vec<Value>, Error> {
    let Some(kind) = builtin::kind("", "ResourceQuota") else {
        return Ok(vec![]);
    };
    let mut found = vec![];
    for namespace in quota::namespaces(plan) {
        if new == Some(namespace) {
            continue;
        }
        match cluster.list(kind, Some(namespace), "").await {
            Ok(quotas) => found.extend(quotas),
            Err(error) if error.is_forbidden() || error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Says of each webhook that fails which configuration has it, if that may be read.
async fn name_webhooks(cluster: &Cluster, findings: &mut [Finding]) -> Result<(), Error> {
    let fails = |finding: &Finding| {
        let mut verdicts = finding.verdicts.iter();
        verdicts.any(|verdict| matches!(verdict, Verdict::Webhook(..)))
    };
    if !findings.iter().any(fails) {
        return Ok(());
    }
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for name in [
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    ] {
        let Some(kind) = builtin::kind("admissionregistration.k8s.io", name) else {
            continue;
        };
        let found = match cluster.list(kind, None, "").await {
            Ok(found) => found,
            Err(error) if error.is_forbidden() || error.is_not_found() => continue,
            Err(error) => return Err(error.into()),
        };
        for configuration in &found {
            let own = configuration
                .pointer("/metadata/name")
                .and_then(Value::as_str);
            let webhooks = configuration.get("webhooks").and_then(Value::as_array);
            let names = webhooks.into_iter().flatten();
            for webhook in names.filter_map(|webhook| webhook.get("name")?.as_str()) {
                let own = format!("{name} {}", own.unwrap_or_default());
                owners.insert(webhook.to_owned(), own);
            }
        }
    }
    for verdict in findings
        .iter_mut()
        .flat_map(|finding| &mut finding.verdicts)
    {
        if let Verdict::Webhook(name, objection) = verdict
            && let Some(owner) = owners.get(name)
        {
            objection.reason = format!("{owner}: {}", objection.reason);
        }
    }
    Ok(())
}

/// Every warning once, with the resources that it is about.
fn warnings(plan: &Plan, findings: &[Finding]) -> Vec<Event> {
    let mut told: BTreeMap<&str, Vec<ResourceId>> = BTreeMap::new();
    let mut add = |text, id: &ResourceId| {
        let ids: &mut Vec<ResourceId> = told.entry(text).or_default();
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    };
    for step in plan.steps().filter(|step| step.is_change()) {
        step.checked
            .warnings
            .iter()
            .for_each(|text| add(text, &step.id));
    }
    for finding in findings {
        finding
            .warnings
            .iter()
            .for_each(|text| add(text, &finding.id));
        for verdict in &finding.verdicts {
            if let Verdict::Warned(text) = verdict {
                add(text, &finding.id);
            }
        }
    }
    let events = told.into_iter();
    events
        .map(|(text, ids)| Event::Warned {
            text: text.to_owned(),
            ids,
        })
        .collect()
}

/// Lets the steps of a plan know what was found out about them.
fn note(plan: &mut Plan, findings: Vec<Finding>) {
    let mut findings_of: BTreeMap<ResourceId, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        findings_of
            .entry(finding.id.clone())
            .or_default()
            .push(finding);
    }
    for step in plan.steps_mut() {
        for finding in findings_of.remove(&step.id).into_iter().flatten() {
            step.checked.take(finding.verdicts, finding.warnings);
        }
    }
}
