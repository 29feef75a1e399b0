//! Plans as files: what one was made from, and whether it still holds.
//!
//! A decided change goes in, a [`PlanFile`] comes out. With one as a term, a change is planned as of
//! its time and has to come out the same; otherwise the error says what has changed since. All of that
//! comes before the API server is asked to try anything, and before the first write.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::deploy::{HookPolicy, NamespacePolicy};
use super::prepare::{ChartRequest, Past};
use super::{Change, Error, Rehearsal, ServerSide, Session, Terms, install, upgrade};
use crate::chart::{Chart, Layer, Overrides, Values};
use crate::cluster;
use crate::history::Entry;
use crate::pki;
use crate::plan::Observed;
use crate::plan::file::{
    self, ChartInput, Difference, FORMAT, FileFlag, FileInput, FlagInput, Identity, Inputs, Known,
    Operation, PlanFile, Planned, Planning, Source, Sources, Term, Withheld,
};
use crate::release::{Release, Status, check_name};
use crate::source;

/// The namespace that every cluster has and keeps.
const SYSTEM: &str = "kube-system";

/// What a file says of a plan besides the plan.
#[derive(Debug, Clone)]
pub struct Making {
    /// What it was made from.
    pub inputs: Inputs,
    /// What the user has asked for that is no [consent](crate::plan::Consent).
    pub asked: Vec<Term>,
    /// How long it may be carried out.
    pub lifetime: SignedDuration,
    /// The release whose tenant the cluster is, where it is one.
    pub into: Option<String>,
}

/// Decides the next revision of a release from a chart and values: the first one where there is
/// none, or an interrupted installation.
///
/// # Errors
/// As [`install`](super::install()) and [`upgrade`](super::upgrade()); and [`Error::Outdated`] if it
/// is not the plan that the terms fix.
pub async fn plan(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    terms: &Terms,
) -> Result<Change, Error> {
    check_name(session.release)?;
    let past = Past::read(session).await?;
    confirm(session, terms, &past).await?;
    let is_begun = |entry: &Entry| entry.status != Status::PendingInstall;
    if past.newest().is_some_and(is_begun) {
        upgrade::after(session, request, terms, past).await
    } else {
        install::after(session, request, terms, past).await
    }
}

/// Writes down what a change was planned from: of what may be secret, fingerprints.
///
/// # Errors
/// If an argument cannot be read.
pub fn inputs(
    chart: Option<(&str, &Chart, String)>,
    overrides: &Overrides,
    salt: &str,
) -> Result<Inputs, Error> {
    let chart = chart.map(|(reference, chart, digest)| ChartInput {
        reference: reference.to_owned(),
        name: chart.metadata.name.clone(),
        version: chart.metadata.version.clone(),
        digest,
    });
    Ok(Inputs {
        salt: salt.to_owned(),
        chart,
        files: files(overrides, salt),
        flags: flags(overrides, salt)?,
        rendered: String::new(),
    })
}

fn files(overrides: &Overrides, salt: &str) -> Vec<FileInput> {
    let input = |layer: &Layer| match layer {
        Layer::File { name, text } => Some(FileInput {
            flag: FileFlag::Values,
            name: name.clone(),
            from: origin(name),
            fingerprint: pki::fingerprint(salt, text.as_bytes()),
        }),
        Layer::SetFile { argument, files } => {
            let from = files.keys().map(|name| origin(name));
            let from = from.max_by_key(|from| *from != Source::File);
            let from = from.unwrap_or(Source::File);
            let key = argument.split('=').next().unwrap_or_default();
            let is_kept = from == Source::File;
            Some(FileInput {
                flag: FileFlag::SetFile,
                name: if is_kept { argument } else { key }.to_owned(),
                from,
                fingerprint: pki::fingerprint(salt, text(files).as_bytes()),
            })
        }
        _ => None,
    };
    overrides.layers.iter().filter_map(input).collect()
}

/// The texts of files, wherever those are.
fn text(files: &BTreeMap<String, String>) -> String {
    let texts: Vec<&String> = files.values().collect();
    json!(texts).to_string()
}

fn origin(name: &str) -> Source {
    if source::is_address(name) {
        Source::Address
    } else if name.trim() == "-" {
        Source::Stdin
    } else {
        Source::File
    }
}

fn flags(overrides: &Overrides, salt: &str) -> Result<Option<FlagInput>, Error> {
    let is_flag = |layer: &&Layer| !matches!(layer, Layer::File { .. } | Layer::SetFile { .. });
    let layers: Vec<Layer> = (overrides.layers.iter().filter(is_flag).cloned()).collect();
    if layers.is_empty() {
        return Ok(None);
    }
    let overrides = Overrides { layers };
    let values = overrides.config(Values::default())?;
    let mut keys = vec![];
    list("", &values.0, &mut keys);
    // What they come to, and how: a list that is set item by item depends on what is below it.
    let content = json!([values.0, format!("{:?}", overrides.layers)]).to_string();
    Ok(Some(FlagInput {
        keys,
        fingerprint: pki::fingerprint(salt, content.as_bytes()),
    }))
}

/// Lists the paths of everything in a map that is no map.
fn list(path: &str, map: &Map<String, Value>, keys: &mut Vec<String>) {
    for (key, value) in map {
        let path = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        match value {
            Value::Object(map) if !map.is_empty() => list(&path, map, keys),
            _ => keys.push(path),
        }
    }
}

/// Makes the file of a change that is decided and not begun.
///
/// # Errors
/// If the cluster cannot be asked who it is.
pub async fn save(
    session: &Session<'_>,
    change: &Change,
    making: Making,
) -> Result<PlanFile, Error> {
    let Making {
        mut inputs,
        asked,
        lifetime,
        into,
    } = making;
    inputs.rendered = rendered(&change.release, &inputs.salt);
    let planned = resources(session, change, &inputs.salt);
    let (mut terms, recreate) = file::terms(&change.terms.consent);
    if change.terms.namespace == NamespacePolicy::Create {
        terms.push(Term::CreateNamespace);
    }
    if change.terms.hooks == HookPolicy::Skip {
        terms.push(Term::NoHooks);
    }
    match change.terms.server_side {
        ServerSide::Auto => {}
        ServerSide::True => terms.push(Term::ServerSide),
        ServerSide::False => terms.push(Term::ClientSide),
    }
    terms.extend(asked);
    let created = change.aim.now;
    let mut cluster = identity(session).await?;
    cluster.into = into;
    Ok(PlanFile {
        format: FORMAT.to_owned(),
        pintle: env!("CARGO_PKG_VERSION").to_owned(),
        created,
        expires: created.checked_add(lifetime).unwrap_or(created),
        cluster,
        release: planning(session, change),
        inputs,
        terms,
        recreate,
        counts: change.plan.counts(),
        resources: planned,
        digest: String::new(),
    })
}

fn planning(session: &Session<'_>, change: &Change) -> Planning {
    let release = &change.release;
    Planning {
        name: session.release.to_owned(),
        namespace: session.namespace.to_owned(),
        operation: match release.info.status {
            Status::PendingInstall => Operation::Install,
            Status::PendingRollback => Operation::Rollback,
            _ => Operation::Upgrade,
        },
        revision: release.revision,
        to: (release.info.rollback_revision)
            .filter(|_| release.info.status == Status::PendingRollback),
        history: known(&change.past),
    }
}

fn known(past: &Past) -> Vec<Known> {
    let known = |entry: &Entry| Known {
        revision: entry.revision,
        status: entry.status.name().to_owned(),
        version: entry.version.clone(),
    };
    past.entries.iter().map(known).collect()
}

fn resources(session: &Session<'_>, change: &Change, salt: &str) -> Vec<Planned> {
    // What stands in the cluster came of the values of earlier revisions.
    let releases = change.past.base.iter().chain([&change.release]);
    let values = releases.flat_map(|release| [&release.config, &release.chart.values]);
    let withheld = Withheld::of(&change.aim.desired, &change.observed, values);
    let uids = uids(&change.observed);
    let sources = Sources {
        uids: &uids,
        withheld: &withheld,
        inputs: &change.aim.inputs(session, &change.observed),
        fingerprint: &|digest| pki::fingerprint(salt, digest),
    };
    file::planned(&change.plan, &sources)
}

fn uids(observed: &Observed) -> BTreeMap<crate::manifest::ResourceId, String> {
    let uid = |live: &Value| live.pointer("/metadata/uid")?.as_str().map(str::to_owned);
    let all = observed.iter();
    all.filter_map(|(id, live)| Some((id.clone(), uid(live)?)))
        .collect()
}

/// The fingerprint of everything that a chart and values render to, Secrets included.
fn rendered(release: &Release, salt: &str) -> String {
    let Release {
        manifest,
        hooks,
        info,
        ..
    } = release;
    let content = json!([manifest, hooks, info.notes]).to_string();
    pki::fingerprint(salt, content.as_bytes())
}

/// What the cluster is known by; what may not be read is left out.
async fn identity(session: &Session<'_>) -> Result<Identity, Error> {
    let uid = async |name: &str| match session.cluster.namespace_uid(name).await {
        Err(cluster::Error::Forbidden { .. }) => Ok(None),
        Ok(None) => Ok(Some(Identity::ABSENT.to_owned())),
        found => found,
    };
    let (system, own) = futures::try_join!(uid(SYSTEM), uid(session.namespace))?;
    Ok(Identity {
        server: session.cluster.server().to_owned(),
        uid: system,
        namespace_uid: own,
        into: None,
    })
}

/// Refuses a fixed plan that was made for another cluster, or from another history.
pub(super) async fn confirm(
    session: &Session<'_>,
    terms: &Terms,
    past: &Past,
) -> Result<(), Error> {
    let Some(file) = &terms.fixed else {
        return Ok(());
    };
    let now = identity(session).await?;
    let mut found = now.differences(&file.cluster, session.namespace);
    if !now.is_another(&file.cluster) {
        found.extend(file::history(&file.release.history, &known(past)));
    }
    outdated(found)
}

/// Refuses a change that is not the plan that its terms fix.
pub(super) fn hold(session: &Session<'_>, change: &Change) -> Result<(), Error> {
    let Some(file) = &change.terms.fixed else {
        return Ok(());
    };
    outdated(file::compare(
        &file.resources,
        &resources(session, change, &file.inputs.salt),
    ))?;
    let same = file.inputs.rendered == rendered(&change.release, &file.inputs.salt);
    let what = "it renders to something else than when it was planned";
    let other = (!same).then(|| Difference::new("chart", what));
    outdated(other.into_iter().collect())
}

/// The error of these differences, if there are any.
///
/// # Errors
/// [`Error::Outdated`] if there are.
pub fn outdated(differences: Vec<Difference>) -> Result<(), Error> {
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Error::Outdated(differences))
    }
}

/// The terms of a plan in a file: it has to come out the same.
pub fn fixed(file: Arc<PlanFile>, rehearsal: Rehearsal) -> Terms {
    let namespace = if file.has(Term::CreateNamespace) {
        NamespacePolicy::Create
    } else {
        NamespacePolicy::MustExist
    };
    let server_side = if file.has(Term::ServerSide) {
        ServerSide::True
    } else if file.has(Term::ClientSide) {
        ServerSide::False
    } else {
        ServerSide::Auto
    };
    Terms {
        rehearsal,
        namespace,
        server_side,
        consent: file.consent(),
        hooks: if file.has(Term::NoHooks) {
            HookPolicy::Skip
        } else {
            HookPolicy::Run
        },
        fixed: Some(file),
        ..Terms::default()
    }
}
