//! Resources of one kind in one namespace, which one request can list or watch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::body::{self, Page, Wanted};
use super::call::Call;
use super::metadata::PAGE;
use super::path::{self, Uri};
use super::refusal::Subject;
use super::{Cluster, Error};
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// What leaves out the release records of Helm, which are large and never part of a release.
const NO_RECORDS: &str = "type!=helm.sh/release.v1";

/// The wanted resources of one kind in one namespace, by name.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) kind: &'a Kind,
    pub(super) namespace: Option<&'a str>,
    pub(super) ids: BTreeMap<&'a str, &'a ResourceId>,
    /// The workloads whose pods are wanted, and pods that are wanted beside these, which are their own.
    pub(super) makers: Vec<&'a ResourceId>,
    /// Instead of both: what the labels have to be, as a label selector.
    pub(super) labels: &'a str,
}

/// The name of a body.
pub(super) fn name(body: &Value) -> &str {
    body.pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Scope<'_> {
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.ids.keys().copied().collect()
    }

    /// The request for all of it, whether it becomes a list or a watch.
    pub(super) fn uri(&self, verb: &'static str) -> Result<Uri, Error> {
        let path = path::collection(verb, self.kind, self.namespace)?;
        let uri = Uri::new(path).with("fieldSelector", &self.fields());
        Ok(uri.with("labelSelector", self.labels))
    }

    fn fields(&self) -> String {
        match (self.ids.len(), self.ids.keys().next()) {
            // It may be a record.
            (1, Some(name)) if self.makers.is_empty() => format!("metadata.name={name}"),
            _ if path::is_secret(self.kind) => NO_RECORDS.to_owned(),
            _ => String::new(),
        }
    }

    pub(super) fn subject(&self, verb: &'static str) -> Subject {
        path::subject(verb, self.kind, self.namespace)
    }
}

/// A list of a scope that is read page by page until all that is wanted of it is found.
pub(super) struct Reading<'s, 'a> {
    cluster: &'s Cluster,
    kind: &'s Kind,
    subject: Subject,
    uri: Uri,
    wanted: Wanted<'s>,
    next: String,
    /// What is not found yet.
    pub(super) missing: BTreeMap<&'a str, &'a ResourceId>,
    /// What is.
    pub(super) found: Vec<(&'a ResourceId, Value)>,
}

impl Reading<'_, '_> {
    /// Reads the next page, and tells how many items are behind it; none where none are of interest.
    pub(super) async fn turn(&mut self) -> Result<Option<usize>, Error> {
        let list = (&self.subject, &self.uri, self.next.as_str());
        let page = self.cluster.page(self.kind, list, &self.wanted).await?;
        for item in page.items {
            if let Some(id) = self.missing.remove(name(&item)) {
                self.found.push((id, item));
            }
        }
        self.next = page.next;
        let is_over = self.next.is_empty() || self.missing.is_empty();
        Ok((!is_over).then_some(page.remaining))
    }

    /// Goes back to the first page.
    pub(super) fn restart(&mut self) {
        self.next.clear();
    }
}

impl Cluster {
    /// Begins to read a scope.
    pub(super) fn reading<'s, 'a>(
        &'s self,
        scope: &'s Scope<'a>,
        wanted: Wanted<'s>,
    ) -> Result<Reading<'s, 'a>, Error> {
        Ok(Reading {
            cluster: self,
            kind: scope.kind,
            subject: scope.subject("list"),
            uri: scope.uri("list")?,
            wanted,
            next: String::new(),
            missing: scope.ids.clone(),
            found: Vec::with_capacity(scope.ids.len()),
        })
    }

    /// Sorts resources into as few scopes as there are kinds and namespaces.
    pub(super) fn scopes<'a>(&'a self, wanted: &'a [(ResourceId, Kind)]) -> Vec<Scope<'a>> {
        let mut scopes: BTreeMap<(&Kind, Option<&str>), BTreeMap<&str, &ResourceId>> =
            BTreeMap::new();
        for (id, kind) in wanted {
            let namespace = self.namespace_of(kind, id.namespace.as_deref());
            scopes
                .entry((kind, namespace))
                .or_default()
                .insert(&id.name, id);
        }
        scopes
            .into_iter()
            .map(|((kind, namespace), ids)| Scope {
                kind,
                namespace,
                ids,
                makers: Vec::new(),
                labels: "",
            })
            .collect()
    }

    /// Reads one page of a list; an empty `next` is the first one.
    pub(super) async fn page(
        &self,
        kind: &Kind,
        (subject, uri, next): (&Subject, &Uri, &str),
        wanted: &Wanted<'_>,
    ) -> Result<Page<Value>, Error> {
        let uri = uri
            .clone()
            .with("limit", &PAGE.to_string())
            .with("continue", next);
        let call = Call::get(subject.clone(), &uri)?;
        let answer = self.send(&call).await?;
        body::page(&answer.body, kind, wanted).map_err(|error| subject.unreadable(error))
    }

    /// Reads a scope as it is now, with the version from which a watch goes on.
    pub(super) async fn list_scope(
        &self,
        scope: &Scope<'_>,
    ) -> Result<(Vec<Value>, String), Error> {
        let (names, subject) = (scope.names(), scope.subject("list"));
        let wanted = match scope.makers.as_slice() {
            _ if !scope.labels.is_empty() => Wanted::All,
            [] => Wanted::Named(&names),
            workloads => Wanted::PodsOf(workloads),
        };
        let uri = scope.uri("list")?;
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let page = self
                .page(scope.kind, (&subject, &uri, &next), &wanted)
                .await?;
            all.extend(page.items);
            next = page.next;
            if next.is_empty() {
                return Ok((all, page.version));
            }
        }
    }
}
