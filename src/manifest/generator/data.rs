//! The data of a generated Secret.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Data of a Secret that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data key {key} is not base64")]
pub struct DataError {
    /// The data key.
    pub key: String,
}

/// The data of a Secret by key: overwritten when it is dropped, and never shown.
#[derive(Default, PartialEq, Eq)]
pub struct SecretData(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl SecretData {
    /// Reads the data of a Secret as the API server returned it; none is empty.
    ///
    /// # Errors
    /// If a value is not base64.
    pub fn from_secret(secret: &Value) -> Result<Self, DataError> {
        let Some(data) = secret.get("data").and_then(Value::as_object) else {
            return Ok(Self::default());
        };
        data.iter()
            .map(|(key, value)| {
                let text = value.as_str().unwrap_or_default();
                match BASE64_STANDARD.decode(text) {
                    Ok(bytes) => Ok((key.clone(), Zeroizing::new(bytes))),
                    Err(_) => Err(DataError { key: key.clone() }),
                }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns the `data` of a Secret for the API server. The caller has to keep it out of sight.
    pub fn to_json(&self) -> Value {
        let entries = self.0.iter();
        let map: Map<_, _> = entries
            .map(|(key, bytes)| (key.clone(), BASE64_STANDARD.encode(bytes).into()))
            .collect();
        Value::Object(map)
    }

    /// Returns what stands under `key`.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(|bytes| bytes.as_slice())
    }

    /// Puts `bytes` under `key`.
    pub fn insert(&mut self, key: impl Into<String>, bytes: impl Into<Zeroizing<Vec<u8>>>) {
        self.0.insert(key.into(), bytes.into());
    }

    /// Returns the keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Tells whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The keys alone.
impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretData ")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn data_comes_from_a_secret_and_goes_back() {
        let secret = json!({"data": {"a": "aGVsbG8=", "b": ""}});
        let data = SecretData::from_secret(&secret).unwrap();
        assert_eq!(data.get("a"), Some(b"hello".as_slice()));
        assert_eq!(data.get("c"), None);
        assert_eq!(data.to_json(), secret["data"]);
        assert_eq!(format!("{data:?}"), r#"SecretData {"a", "b"}"#);
    }

    #[test]
    fn a_stub_has_no_data() {
        for secret in [
            json!({}),
            json!({"data": null}),
            json!({"data": {}}),
            json!(1),
        ] {
            assert!(SecretData::from_secret(&secret).unwrap().is_empty());
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        let error = SecretData::from_secret(&json!({"data": {"a": "%secret%"}})).unwrap_err();
        assert_eq!(error.to_string(), "data key a is not base64");
    }
}
