//! From a chart and overrides to the revision that is wanted.

use serde_json::Map;

use crate::capabilities::Capabilities;
use crate::chart::schema::{RecordedSchema, Schemas};
use crate::chart::{Chart, Origins, Overrides, Selection, Tree, Values};
use crate::cluster::Tenure;
use crate::event::Event;
use crate::history::Entry;
use crate::manifest::generator::{self, RECORD_FILE};
use crate::manifest::{Manifest, Resource};
use crate::release::{Info, RecordedChart, Release, Status, StoredHook};
use crate::render::{self, Notes, ReleaseFacts, Scope};

use super::catalogue::Catalogue;
use super::{Error, Session, bundled, notices, transition};

/// A chart to install or to upgrade to, and the values that the user gives.
#[derive(Debug, Clone, Copy)]
pub struct ChartRequest<'a> {
    /// The chart.
    pub chart: &'a Chart,
    /// The values of this command.
    pub overrides: &'a Overrides,
    /// What the chart is told about the tenant that it is installed into, below the values of this
    /// command and above those of the running revision.
    pub tenant: &'a Values,
    /// Whose notes the revision has.
    pub notes: Notes,
    /// What becomes of the values of the running revision.
    pub reuse: ReuseValues,
    /// Whether the values are checked.
    pub schemas: SchemaPolicy,
    /// Whether the definitions that come with the chart are created.
    pub crds: CrdPolicy,
}

/// Whether values are checked by the schemas and rules of charts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SchemaPolicy {
    /// They are.
    #[default]
    Check,
    /// They are not (`--skip-schema-validation`).
    Skip,
}

/// Whether the custom resource definitions in `crds/` of charts are created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CrdPolicy {
    /// They are, where they are missing.
    #[default]
    Create,
    /// They are not (`--skip-crds`).
    Skip,
}

/// What an upgrade does with the values of the revision that was deployed last, below those of the
/// command. What a failed attempt was given is not tried again unasked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReuseValues {
    /// The user's values count where the command gives none.
    #[default]
    IfNoneGiven,
    /// They do not count (`--reset-values`).
    No,
    /// They count, above the chart's defaults (`--reset-then-reuse-values`).
    Yes,
    /// They count, and the defaults are those of that revision as well (`--reuse-values`).
    WithDefaults,
}

/// What a release's past says about its next revision.
#[derive(Debug)]
pub(super) struct Past {
    /// All revisions, oldest first.
    pub(super) entries: Vec<Entry>,
    /// Everything applied since the last good revision, oldest first.
    pub(super) base: Vec<Release>,
    /// Who was at work on the newest revision when this was read.
    pub(super) other: Option<Tenure>,
    /// What templates are told that this is.
    pub(super) operation: render::Operation,
}

impl Past {
    /// The revision that was deployed last; the newest one if none was since the history begins.
    pub(super) fn deployed(&self) -> Option<&Release> {
        let mut base = self.base.iter().rev();
        base.find(|release| release.info.status == Status::Deployed)
            .or(self.base.last())
    }

    pub(super) fn newest(&self) -> Option<&Entry> {
        self.entries.last()
    }

    pub(super) fn next_revision(&self) -> u32 {
        self.newest().map_or(1, |entry| entry.revision + 1)
    }

    /// Tells that the newest revision is not the one that was deployed last.
    pub(super) fn passed_over(&self) -> Vec<Event> {
        let deployed = self.deployed().map(|release| release.revision);
        let newest = self.newest().map(|entry| (entry.revision, entry.status));
        let told = deployed
            .zip(newest)
            .filter(|(one, (other, _))| one != other);
        let told = told.map(|(deployed, newest)| Event::PassedOver { newest, deployed });
        told.into_iter().collect()
    }

    /// Tells of a newest revision whose process ended before it was done.
    pub(super) fn interrupted(&self) -> Vec<Event> {
        self.newest()
            .filter(|entry| entry.status.is_pending() && self.other.is_none())
            .map(|entry| Event::Interrupted {
                revision: entry.revision,
                status: entry.status,
            })
            .into_iter()
            .collect()
    }
}

/// A revision that is wanted, rendered and parsed.
#[derive(Debug)]
pub(super) struct Desired {
    pub(super) release: Release,
    pub(super) manifest: Manifest,
    /// The definitions that come with the chart and belong to no release.
    pub(super) definitions: Vec<Resource>,
}

/// Resolves, checks and renders the chart for the revision after `past`.
pub(super) async fn desired(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    past: &Past,
    catalogue: &mut Catalogue<'_>,
) -> Result<(Desired, Vec<Event>), Error> {
    let (fixed, mut told) = with_old_defaults(request, past);
    let request = ChartRequest {
        chart: fixed.as_ref().unwrap_or(request.chart),
        ..*request
    };
    let (desired, events) = resolved(session, &request, past, catalogue).await?;
    told.extend(events);
    Ok((desired, told))
}

/// The same, with the defaults that count.
async fn resolved(
    session: &Session<'_>,
    request: &ChartRequest<'_>,
    past: &Past,
    catalogue: &mut Catalogue<'_>,
) -> Result<(Desired, Vec<Event>), Error> {
    let chart = request.chart;
    let watch = || (session.watch)(&chart.metadata.name);
    let watched = watch();
    let tree = Tree::of(chart)?;
    let (config, mut events) = config(request, past)?;
    let selection = tree.select(config.clone())?;
    events.extend(notices(chart, request.overrides));
    if request.schemas == SchemaPolicy::Check {
        events.extend(check_values(request, (&tree, &selection), past)?);
    }
    drop(watched);
    let capabilities = catalogue.capabilities(chart).await?;
    check_usable(&tree, &selection, &capabilities)?;
    let revision = past.next_revision();
    let facts = ReleaseFacts {
        name: session.release,
        namespace: session.namespace,
        revision,
        operation: past.operation,
    };
    let crds = match request.crds {
        CrdPolicy::Create => tree.crds(&selection),
        CrdPolicy::Skip => vec![],
    };
    let Selection { values, off } = selection;
    let scope = Scope {
        release: facts,
        values,
        off: &off,
        capabilities: &capabilities,
    };
    let watched = watch();
    let rendered = render::render(&tree, scope)?;
    drop(watched);
    let definitions = bundled::definitions(catalogue, (&chart.metadata.name, &crds)).await?;
    let manifest = catalogue
        .parse(|placement| {
            let _watched = watch();
            Manifest::parse(&rendered, placement)
        })
        .await?;
    let mut release = pending(session, RecordedChart::of(&tree, &off)?, past);
    record_generators(&mut release, &manifest);
    release.info.notes = rendered.notes(request.notes).unwrap_or_default();
    release.config = config;
    release.manifest = manifest.to_text();
    release.hooks = manifest
        .hooks
        .iter()
        .cloned()
        .map(StoredHook::from)
        .collect();
    let desired = Desired {
        release,
        manifest,
        definitions,
    };
    Ok((desired, events))
}

/// The revision whose values are used, as Helm does: the one that was deployed last.
fn reused<'a>(request: &ChartRequest<'_>, past: &'a Past) -> Option<&'a Release> {
    let reuses = past.operation == render::Operation::Upgrade
        && match request.reuse {
            ReuseValues::IfNoneGiven => request.overrides.layers.is_empty(),
            ReuseValues::No => false,
            ReuseValues::Yes | ReuseValues::WithDefaults => true,
        };
    past.deployed()
        .filter(|release| reuses && !release.config.is_empty())
}

/// The chart with the values of the running revision as its defaults, if these are to be used, and
/// which of its own defaults do not count therefore.
fn with_old_defaults(request: &ChartRequest<'_>, past: &Past) -> (Option<Chart>, Vec<Event>) {
    let reuses =
        request.reuse == ReuseValues::WithDefaults && past.operation == render::Operation::Upgrade;
    let Some(release) = past.deployed().filter(|_| reuses) else {
        return (None, vec![]);
    };
    let values = Values::coalesce(&release.chart.values, &release.config);
    let ignored = request.chart.values.missing_from(&values);
    let told = (!ignored.is_empty()).then_some(Event::DefaultsIgnored {
        revision: release.revision,
        keys: ignored,
    });
    let chart = Chart {
        values,
        ..request.chart.clone()
    };
    (Some(chart), told.into_iter().collect())
}

/// The values of this command over those that are reused.
fn config(request: &ChartRequest<'_>, past: &Past) -> Result<(Values, Vec<Event>), Error> {
    let mut base = Values::default();
    let mut events = vec![];
    if let Some(release) = reused(request, past) {
        base = release.config.clone();
        if request.reuse == ReuseValues::IfNoneGiven {
            events.push(Event::ValuesReused {
                revision: release.revision,
            });
        }
    }
    base.layer(request.tenant.clone());
    Ok((request.overrides.config(base)?, events))
}

/// The layers that the values of this command come from.
fn origins(
    request: &ChartRequest<'_>,
    (tree, selection): (&Tree<'_>, &Selection),
    past: &Past,
) -> Result<Origins, Error> {
    let mut origins = Origins::of(tree, selection);
    if let Some(release) = reused(request, past) {
        origins.revision(release.revision, &release.config);
    }
    origins.tenant(request.tenant);
    origins.overrides(request.overrides)?;
    Ok(origins)
}

/// Checks the values by the schemas and rules of all charts that take part, and by the rules of those
/// of the running revisions, of which those that cannot be asked are told.
fn check_values(
    request: &ChartRequest<'_>,
    (tree, selection): (&Tree<'_>, &Selection),
    past: &Past,
) -> Result<Vec<Event>, Error> {
    let previous: Vec<Values> = past
        .base
        .iter()
        .map(|release| Values::coalesce(&release.chart.values, &release.config))
        .collect();
    let judged = Schemas::compile(tree)
        .and_then(|all| all.check(selection, &previous))
        .and_then(|()| {
            let previous: Vec<&Values> = previous.iter().collect();
            let schemas = transition::schemas(past.base.iter());
            let is_own = |schema: &&RecordedSchema| is_part(tree, schema);
            let running = schemas.iter().filter(|schema| !is_own(schema));
            transition::ask(running, &selection.values, &previous)
        });
    match judged {
        Ok(told) => Ok(told),
        Err(error) => {
            let origins = origins(request, (tree, selection), past)?;
            Err(error.traced(&origins).into())
        }
    }
}

/// Whether a chart of the tree has this very schema for the same values.
fn is_part(tree: &Tree<'_>, schema: &RecordedSchema) -> bool {
    let mut node = Some(&tree.root);
    for key in &schema.keys {
        node = node.and_then(|node| node.subcharts.iter().find(|sub| sub.name() == key));
    }
    let own = node.and_then(|node| node.chart.schema.as_deref());
    own == Some(schema.schema.as_bytes())
}

/// Refuses a chart that is a library, or with a part whose `kubeVersion` does not allow the
/// cluster's version.
pub(super) fn check_usable(
    tree: &Tree<'_>,
    selection: &Selection,
    capabilities: &Capabilities,
) -> Result<(), Error> {
    tree.root.chart.metadata.check_installable()?;
    for (node, _) in tree.taking_part(selection) {
        let metadata = &node.chart.metadata;
        metadata.check_kube_version(&capabilities.kube_version)?;
    }
    Ok(())
}

/// The pending revision that follows `past`, before it is rendered.
fn pending(session: &Session<'_>, chart: RecordedChart, past: &Past) -> Release {
    let now = (session.now)();
    let first = past
        .base
        .first()
        .and_then(|release| release.info.first_deployed);
    let (status, description) = match past.operation {
        render::Operation::Install => (Status::PendingInstall, "Initial install underway"),
        render::Operation::Upgrade => (Status::PendingUpgrade, "Preparing upgrade"),
    };
    Release {
        name: session.release.to_owned(),
        info: Info {
            first_deployed: first.or(Some(now)),
            last_deployed: Some(now),
            description: description.to_owned(),
            status,
            ..Info::default()
        },
        chart,
        config: Values::default(),
        manifest: String::new(),
        hooks: vec![],
        revision: past.next_revision(),
        namespace: session.namespace.to_owned(),
        apply_method: None,
        other: Map::new(),
        labels: past
            .base
            .last()
            .map(|release| release.labels.clone())
            .unwrap_or_default(),
        record_version: None,
    }
}

/// Puts the specs of the generators where Helm carries them along byte for byte.
fn record_generators(release: &mut Release, manifest: &Manifest) {
    let text = generator::specs_to_yaml(&manifest.generators);
    let text = Some(text.as_bytes()).filter(|text| !text.is_empty());
    release.chart.set_file(RECORD_FILE, text);
}
