//! What the host's API says of a release at one time.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::{Host, Release, component, json};

/// Objects of a namespace.
pub(super) struct Snapshot {
    /// The pods of the release, by name.
    pub(super) pods: Vec<Value>,
    /// All Services.
    pub(super) services: Vec<Value>,
    secrets: BTreeMap<String, Value>,
    config_maps: BTreeMap<String, Value>,
}

impl Snapshot {
    /// Reads the objects of a release and what they may refer to.
    pub(super) fn read(host: &Host, release: Release<'_>) -> Self {
        let api = host.api().with(&["--namespace", release.namespace]);
        let label = format!("--selector=app.kubernetes.io/instance={}", release.name);
        let items = |arguments: &[&str]| json::list(&api.get(arguments), "/items").to_vec();
        let by_name = |objects: Vec<Value>| {
            let pairs = objects.into_iter();
            pairs
                .map(|object| (json::name(&object).to_owned(), object))
                .collect()
        };
        Self {
            pods: items(&["pods", &label]),
            services: items(&["services"]),
            secrets: by_name(items(&["secrets"])),
            config_maps: by_name(items(&["configmaps"])),
        }
    }

    /// Returns the pods of a component, by name.
    pub(super) fn pods_of(&self, wanted: &str) -> impl Iterator<Item = &Value> {
        self.pods.iter().filter(move |pod| component(pod) == wanted)
    }

    /// Returns the bytes under a key of a Secret; none if one of them is missing.
    pub(super) fn secret(&self, name: &str, key: &str) -> Option<Vec<u8>> {
        let data = self.secrets.get(name)?.get("data")?.get(key)?.as_str()?;
        Some(BASE64_STANDARD.decode(data).unwrap())
    }

    /// Returns the text under a key of a Secret.
    pub(super) fn secret_text(&self, name: &str, key: &str) -> String {
        let data = self.secret(name, key);
        let data = data.unwrap_or_else(|| panic!("the host has no Secret {name} with {key}"));
        String::from_utf8(data).unwrap()
    }

    /// Returns the bytes under a key of a `ConfigMap`; none if one of them is missing.
    pub(super) fn config_map(&self, name: &str, key: &str) -> Option<Vec<u8>> {
        let object = self.config_maps.get(name)?;
        let text = object
            .pointer("/data")
            .and_then(|data| data.get(key)?.as_str());
        if let Some(text) = text {
            return Some(text.as_bytes().to_vec());
        }
        let data = object.get("binaryData")?.get(key)?.as_str()?;
        Some(BASE64_STANDARD.decode(data).unwrap())
    }

    /// Returns all keys of a Secret or `ConfigMap`, of which `kind` is the field that names it in
    /// a volume.
    pub(super) fn keys(&self, kind: &str, name: &str) -> Vec<String> {
        let objects = match kind {
            "configMap" => &self.config_maps,
            _ => &self.secrets,
        };
        let fields = ["data", "binaryData"].into_iter();
        let maps = fields.filter_map(|field| objects.get(name)?.get(field)?.as_object());
        maps.flat_map(|map| map.keys().cloned()).collect()
    }
}
