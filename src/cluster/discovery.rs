//! What an API server is and serves.
//!
//! Aggregated discovery (`apidiscovery.k8s.io`, served since Kubernetes 1.26) takes two requests.
//! An API server that does not know it ignores what is asked for and answers as it always did; then
//! each group version takes one request of its own.

use std::collections::BTreeSet;

use futures::stream::{FuturesUnordered, StreamExt as _};
use serde::Deserialize;

use super::body::nullable;
use super::call::Call;
use super::path::Uri;
use super::refusal::{Content, Subject};
use super::{Cluster, Error};
use crate::capabilities::{Kind, KubeVersion};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
     application/json";

/// Everything that an API server serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// `group/version` and `group/version/Kind`, as Helm lists them: kinds of subresources stand
    /// under the version that serves them, such as `apps/v1/Scale`.
    pub api_versions: BTreeSet<String>,
    /// All kinds in all versions; of several versions of a kind the preferred one comes first.
    pub kinds: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionInfo {
    major: String,
    minor: String,
    git_version: String,
}

/// The answer for `/api` and `/apis`, in any of its three forms.
#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Groups {
    #[serde(rename = "APIGroupDiscoveryList")]
    Aggregated {
        #[serde(default, deserialize_with = "nullable")]
        items: Vec<Group>,
    },
    #[serde(rename = "APIVersions")]
    Core {
        #[serde(default, deserialize_with = "nullable")]
        versions: Vec<String>,
    },
    #[serde(rename = "APIGroupList")]
    Others {
        #[serde(default, deserialize_with = "nullable")]
        groups: Vec<OtherGroup>,
    },
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: GroupName,
    #[serde(default, deserialize_with = "nullable")]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize, Default)]
struct GroupName {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
    #[serde(default, deserialize_with = "nullable")]
    resources: Vec<Served>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Served {
    resource: String,
    #[serde(default)]
    response_kind: Option<KindName>,
    #[serde(default)]
    scope: String,
    #[serde(default, deserialize_with = "nullable")]
    subresources: Vec<Subresource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subresource {
    #[serde(default)]
    response_kind: Option<KindName>,
}

#[derive(Deserialize)]
struct KindName {
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtherGroup {
    name: String,
    versions: Vec<OtherVersion>,
    #[serde(default)]
    preferred_version: Option<OtherVersion>,
}

#[derive(Deserialize, PartialEq)]
struct OtherVersion {
    version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default, deserialize_with = "nullable")]
    resources: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    kind: String,
    namespaced: bool,
}

impl Discovered {
    fn new() -> Self {
        Self {
            api_versions: BTreeSet::new(),
            kinds: Vec::new(),
        }
    }

    fn aggregated(&mut self, group: Group) {
        let name = group.metadata.name;
        for served in group.versions {
            let version = api_version(&name, &served.version);
            for resource in served.resources {
                let all = std::iter::once(&resource.response_kind)
                    .chain(resource.subresources.iter().map(|sub| &sub.response_kind));
                for kind in all.flatten() {
                    self.add_kind(&version, &kind.kind);
                }
                if let Some(kind) = resource.response_kind {
                    self.kinds.push(Kind {
                        group: name.clone(),
                        version: served.version.clone(),
                        kind: kind.kind,
                        plural: resource.resource,
                        namespaced: resource.scope == "Namespaced",
                    });
                }
            }
            self.api_versions.insert(version);
        }
    }

    fn listed(&mut self, (group, version): (&str, &str), list: ResourceList) {
        let api_version = api_version(group, version);
        for resource in list.resources {
            self.add_kind(&api_version, &resource.kind);
            // The others are subresources, such as `pods/log`.
            if !resource.name.contains('/') {
                self.kinds.push(Kind {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    kind: resource.kind,
                    plural: resource.name,
                    namespaced: resource.namespaced,
                });
            }
        }
        self.api_versions.insert(api_version);
    }

    fn add_kind(&mut self, api_version: &str, kind: &str) {
        if !kind.is_empty() {
            self.api_versions.insert(format!("{api_version}/{kind}"));
        }
    }
}

fn api_version(group: &str, version: &str) -> String {
    match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    }
}

impl OtherGroup {
    /// Its versions, the preferred one first.
    fn versions(self) -> Vec<(String, String)> {
        let mut versions = self.versions;
        versions.sort_by_key(|version| Some(version) != self.preferred_version.as_ref());
        versions
            .into_iter()
            .map(|version| (self.name.clone(), version.version))
            .collect()
    }
}

fn call(path: &str) -> Result<Call, Error> {
    let subject = Subject {
        verb: "get",
        what: path.to_owned(),
        content: Content::Open,
    };
    Call::get(subject, &Uri::new(path.to_owned()))
}

impl Cluster {
    /// Asks the API server for its version.
    ///
    /// # Errors
    /// Any refusal, and [`Error::Unreachable`] if there is no API server.
    pub async fn version(&self) -> Result<KubeVersion, Error> {
        let info: VersionInfo = self.read_json(&call("/version")?).await?;
        let digits = |text: &str| text.trim_end_matches('+').to_owned();
        Ok(KubeVersion {
            version: info.git_version,
            major: digits(&info.major),
            minor: digits(&info.minor),
        })
    }

    /// Asks the API server for everything it serves.
    ///
    /// Two requests, or one more per group version where aggregated discovery is not known. A group
    /// version whose own API server is down is left out.
    ///
    /// # Errors
    /// Any refusal.
    pub async fn discover(&self) -> Result<Discovered, Error> {
        let (core, others) = (
            call("/api")?.accept(AGGREGATED),
            call("/apis")?.accept(AGGREGATED),
        );
        let answers = futures::try_join!(self.read_json(&core), self.read_json(&others))?;
        let mut all = Discovered::new();
        for groups in <[Groups; 2]>::from(answers) {
            match groups {
                Groups::Aggregated { items } => {
                    for group in items {
                        all.aggregated(group);
                    }
                }
                Groups::Core { versions } => {
                    let versions = versions.into_iter().map(|version| (String::new(), version));
                    self.discover_each(&mut all, versions.collect()).await?;
                }
                Groups::Others { groups } => {
                    let versions = groups.into_iter().flat_map(OtherGroup::versions);
                    self.discover_each(&mut all, versions.collect()).await?;
                }
            }
        }
        Ok(all)
    }

    async fn discover_each(
        &self,
        all: &mut Discovered,
        versions: Vec<(String, String)>,
    ) -> Result<(), Error> {
        let mut lists: Vec<Option<ResourceList>> = Vec::new();
        lists.resize_with(versions.len(), || None);
        let mut reads: FuturesUnordered<_> = (versions.iter().enumerate())
            .map(|(position, version)| async move { (position, self.resources(version).await) })
            .collect();
        while let Some((position, read)) = reads.next().await {
            match read {
                Ok(list) => lists[position] = Some(list),
                Err(Error::Other { .. } | Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        for ((group, version), list) in versions.iter().zip(lists) {
            if let Some(list) = list {
                all.listed((group, version), list);
            }
        }
        Ok(())
    }

    async fn resources(&self, (group, version): &(String, String)) -> Result<ResourceList, Error> {
        let path = match group.as_str() {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        self.read_json(&call(&path)?).await
    }

    async fn read_json<T: for<'de> Deserialize<'de>>(&self, call: &Call) -> Result<T, Error> {
        let answer = self.send(call).await?;
        serde_json::from_slice(&answer.body).map_err(|error| call.subject().unreadable(error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{answer, mock};
    use super::*;

    #[tokio::test]
    async fn vendors_versions_are_read() {
        let (cluster, _) = mock(|_, _| async {
            let info = json!({"major": "1", "minor": "35+", "gitVersion": "v1.35.1-eks-abc"});
            Ok(answer(200, &info.to_string()))
        });
        assert_eq!(
            cluster.version().await.unwrap(),
            KubeVersion {
                version: "v1.35.1-eks-abc".to_owned(),
                major: "1".to_owned(),
                minor: "35".to_owned(),
            }
        );
    }

    #[tokio::test]
    async fn an_answer_from_elsewhere_is_an_error() {
        let (cluster, _) = mock(|_, _| async { Ok(answer(200, "<html>log in</html>")) });
        let error = cluster.version().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot get /version: the answer cannot be read"
        );
    }

    fn kind(group: &str, version: &str, kind: &str) -> Kind {
        Kind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            namespaced: kind != "Node",
        }
    }

    fn expected() -> Discovered {
        let versions = [
            "v1",
            "v1/Node",
            "v1/NodeProxyOptions",
            "apps/v1",
            "apps/v1/Deployment",
        ];
        let more = ["apps/v1/Scale", "apps/v1beta1", "apps/v1beta1/Deployment"];
        Discovered {
            api_versions: versions
                .iter()
                .chain(&more)
                .map(|&text| text.to_owned())
                .collect(),
            kinds: vec![
                kind("", "v1", "Node"),
                kind("apps", "v1", "Deployment"),
                kind("apps", "v1beta1", "Deployment"),
            ],
        }
    }

    #[tokio::test]
    async fn aggregated_discovery_takes_two_requests() {
        let (cluster, asked) = mock(|request, _| async move {
            let named = |kind: &str| json!({"group": "", "version": "", "kind": kind});
            let body = if request.uri().path() == "/api" {
                json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {}, "versions": [
                    {"version": "v1", "freshness": "Current", "resources": [
                        {"resource": "nodes", "responseKind": named("Node"), "scope": "Cluster",
                         "subresources": [{"subresource": "proxy",
                            "responseKind": named("NodeProxyOptions")}]}]}]}]})
            } else {
                let deployments = json!({"resource": "deployments",
                    "responseKind": named("Deployment"), "scope": "Namespaced",
                    "subresources": [{"subresource": "scale", "responseKind": named("Scale")}]});
                let old = json!({"resource": "deployments", "responseKind": named("Deployment"),
                    "scope": "Namespaced"});
                json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "apps"},
                    "versions": [{"version": "v1", "resources": [deployments]},
                        {"version": "v1beta1", "resources": [old]}]},
                    {"metadata": {"name": "stale.example.com"}, "versions": null}]})
            };
            Ok(answer(200, &body.to_string()))
        });
        assert_eq!(cluster.discover().await.unwrap(), expected());
        assert_eq!(asked.lock().unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn older_servers_are_asked_version_by_version() {
        let (cluster, asked) = mock(|request, _| async move {
            let listed = |name: &str, kind: &str| json!({"name": name, "kind": kind, "namespaced": kind != "Node"});
            let list = |resources: &[serde_json::Value]| json!({"resources": resources});
            let body = match request.uri().path() {
                "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
                "/apis" => json!({"kind": "APIGroupList", "groups": [
                    {"name": "apps", "preferredVersion": {"version": "v1"},
                     "versions": [{"version": "v1beta1"}, {"version": "v1"}]},
                    {"name": "metrics.k8s.io", "versions": [{"version": "v1"}]}]}),
                "/api/v1" => list(&[
                    listed("nodes", "Node"),
                    listed("nodes/proxy", "NodeProxyOptions"),
                ]),
                "/apis/apps/v1" => list(&[
                    listed("deployments", "Deployment"),
                    listed("deployments/scale", "Scale"),
                ]),
                "/apis/apps/v1beta1" => list(&[listed("deployments", "Deployment")]),
                _ => return Ok(answer(500, "no endpoints")),
            };
            Ok(answer(200, &body.to_string()))
        });
        assert_eq!(cluster.discover().await.unwrap(), expected());
        let mut asked = asked.lock().unwrap().clone();
        asked.dedup();
        assert_eq!(asked.len(), 6, "{asked:?}");
    }
}
