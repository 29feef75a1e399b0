//! What holds the records: Helm's storage drivers.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::capabilities::Kind;

/// The `type` of Helm's Secrets.
const SECRET_TYPE: &str = "helm.sh/release.v1";

/// What holds the records (helm/helm `pkg/storage/driver/{secrets,cfgmaps}.go`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Driver {
    /// Secrets of type `helm.sh/release.v1`.
    #[default]
    Secret,
    /// `ConfigMap`s.
    ConfigMap,
}

/// A name of no driver that pintle has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no driver of pintle: records are in secrets or in configmaps")]
pub struct DriverError(String);

impl FromStr for Driver {
    type Err = DriverError;

    /// Reads a driver by any of Helm's names for it; the empty name is the default.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "" | "secret" | "secrets" => Ok(Self::Secret),
            "configmap" | "configmaps" => Ok(Self::ConfigMap),
            other => Err(DriverError(other.to_owned())),
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        })
    }
}

impl Driver {
    /// The kind of the objects that hold the records.
    pub fn kind(self) -> Kind {
        match self {
            Self::Secret => Kind::core("Secret", "secrets"),
            Self::ConfigMap => Kind::core("ConfigMap", "configmaps"),
        }
    }

    /// The object that holds a payload, with this metadata.
    pub(super) fn object(self, metadata: &Value, payload: &[u8]) -> Value {
        let mut object = json!({
            "apiVersion": "v1",
            "kind": self.to_string(),
            "metadata": metadata,
            "data": self.data(payload),
        });
        if self == Self::Secret {
            object["type"] = SECRET_TYPE.into();
        }
        object
    }

    /// The field `data` that holds a payload.
    pub(super) fn data(self, payload: &[u8]) -> Value {
        match self {
            Self::Secret => json!({ "release": BASE64_STANDARD.encode(payload) }),
            // It is base64, and so text.
            Self::ConfigMap => json!({ "release": String::from_utf8_lossy(payload) }),
        }
    }

    /// The payload that stands in an object; empty if there is none.
    pub(super) fn payload(self, object: &Value) -> Vec<u8> {
        let text = object.pointer("/data/release").and_then(Value::as_str);
        let text = text.unwrap_or_default();
        match self {
            Self::Secret => BASE64_STANDARD.decode(text).unwrap_or_default(),
            Self::ConfigMap => text.as_bytes().to_vec(),
        }
    }

    /// The object that holds a piece of the sources of a chart, with this metadata.
    pub(super) fn sources(self, metadata: &Value, piece: &[u8]) -> Value {
        let (data, piece) = match self {
            Self::Secret => ("data", BASE64_STANDARD.encode(piece)),
            Self::ConfigMap => ("binaryData", BASE64_STANDARD.encode(piece)),
        };
        let mut object = json!({
            "apiVersion": "v1",
            "kind": self.to_string(),
            "metadata": metadata,
            (data): { "sources": piece },
        });
        if self == Self::Secret {
            object["type"] = super::SOURCES_TYPE.into();
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_have_helms_names() {
        for (name, expected) in [
            ("", Some(Driver::Secret)),
            ("secret", Some(Driver::Secret)),
            ("secrets", Some(Driver::Secret)),
            ("configmap", Some(Driver::ConfigMap)),
            ("configmaps", Some(Driver::ConfigMap)),
            ("sql", None),
            ("memory", None),
        ] {
            assert_eq!(name.parse().ok(), expected, "{name}");
        }
    }

    #[test]
    fn a_payload_comes_back() {
        for driver in [Driver::Secret, Driver::ConfigMap] {
            let object = driver.object(&json!({"name": "a"}), b"H4sI");
            assert_eq!(driver.payload(&object), b"H4sI");
            assert_eq!(driver.payload(&json!({})), b"");
        }
        let map = Driver::ConfigMap.object(&json!({}), b"H4sI");
        assert_eq!(map["data"], json!({"release": "H4sI"}));
        assert_eq!(map.get("type"), None);
    }
}
