//! Looking for private keys in what pintle prints and records.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use pintle::manifest::generator::GENERATOR_LABEL;
use pintle::yaml;
use serde_json::Value;

/// The fewest characters that give a key away.
const TELLING: usize = 40;
/// How long the lines of PEM are.
const LINE: usize = 64;

/// The keys of a namespace, and everything that may not hold them.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// What gives a key away, and of which Secret it is.
    marks: BTreeMap<String, String>,
    /// Where a text is from, and the text without space.
    texts: Vec<(String, String)>,
    /// The private values that were learnt.
    keys: BTreeSet<String>,
    /// The versions of records that were read.
    read: BTreeSet<String>,
}

impl Watch {
    /// Takes in what was printed or said.
    pub(super) fn hear(&mut self, origin: &str, text: &str) {
        let text = text.replace("\\n", "");
        let text = text.chars().filter(|char| !char.is_whitespace()).collect();
        self.texts.push((origin.to_owned(), text));
    }

    /// Takes in a Secret of the namespace: a generated one for its keys, a record for its text.
    pub(super) fn see(&mut self, secret: &Value) {
        let name = secret["metadata"]["name"].as_str().unwrap();
        if let Some(payload) = secret.pointer("/data/release").and_then(Value::as_str) {
            let version = format!("{name} {}", secret["metadata"]["resourceVersion"]);
            if self.read.insert(version) {
                self.hear(name, &unwrapped(&record(payload)));
            }
        }
        let kind = secret.pointer("/metadata/labels");
        let Some(kind) = kind.and_then(|labels| labels.get(GENERATOR_LABEL)) else {
            return;
        };
        for data in secret["data"]
            .as_object()
            .into_iter()
            .flat_map(|data| data.values())
        {
            let data = data.as_str().unwrap();
            let bytes = BASE64_STANDARD.decode(data).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let marks = if kind == "RandomSecret" {
                vec![text, data.to_owned()]
            } else {
                marks(&text)
            };
            if !marks.is_empty() {
                self.keys.insert(data.to_owned());
            }
            let marks = marks.into_iter().map(|mark| (mark, name.to_owned()));
            self.marks.extend(marks);
        }
    }

    /// Asserts that there were keys, texts and records, and that none of these holds a key.
    pub(super) fn check(&self) {
        assert!(self.keys.len() > 10, "only {} keys", self.keys.len());
        let length: usize = self.texts.iter().map(|(_, text)| text.len()).sum();
        assert!(length > 0, "nothing was printed");
        assert!(!self.read.is_empty(), "nothing was recorded");
        let secrets: Vec<&String> = self.marks.values().collect();
        let marks = AhoCorasick::new(self.marks.keys()).unwrap();
        for (origin, text) in &self.texts {
            let found = marks.find(text.as_str());
            let secret = found.map(|found| secrets[found.pattern().as_usize()]);
            assert_eq!(secret, None, "{origin} has a key of this Secret");
        }
    }
}

/// Decodes the payload of a record, as the API returns it.
fn record(payload: &str) -> Value {
    let bytes = BASE64_STANDARD.decode(payload).unwrap();
    let bytes = BASE64_STANDARD.decode(bytes).unwrap();
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

/// All strings of a value, and what those that are base64 are of.
fn unwrapped(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let decoded = BASE64_STANDARD.decode(text).unwrap_or_default();
            format!("{text}\n{}\n", String::from_utf8_lossy(&decoded))
        }
        Value::Array(items) => items.iter().map(unwrapped).collect(),
        Value::Object(map) => map.values().map(unwrapped).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// What gives the private part of a PEM text or kubeconfig away, in any form; empty if it has none.
fn marks(text: &str) -> Vec<String> {
    if let Some(private) = private(text) {
        let lines = private.lines().filter(|line| line.len() >= TELLING);
        let lines = lines.map(str::to_owned);
        return lines.chain(pieces(&within(text, private))).collect();
    }
    let Ok(file) = yaml::parse(text) else {
        return vec![];
    };
    let key = file.pointer("/users/0/user/client-key-data");
    let Some(key) = key.and_then(Value::as_str) else {
        return vec![];
    };
    let pem = String::from_utf8(BASE64_STANDARD.decode(key).unwrap()).unwrap();
    let encoded = within(&pem, private(&pem).unwrap());
    [marks(&pem), pieces(&within(text, &encoded))].concat()
}

/// The lines of a private key in PEM that hold its number. What follows them is the public key,
/// which everybody may see.
fn private(pem: &str) -> Option<&str> {
    let (_, body) = pem.split_once("PRIVATE KEY-----\n")?;
    let body = body.split("\n-----END").next()?;
    Some(&body[..body.len().min(2 * LINE + 1)])
}

/// The base64 of a `part` as it stands in that of the whole `text`.
fn within(text: &str, part: &str) -> String {
    let start = text.find(part).unwrap();
    let end = (start + part.len()) / 3 * 3;
    BASE64_STANDARD.encode(&text[start.next_multiple_of(3)..end])
}

/// Cuts a text into lines that are long enough to tell.
fn pieces(text: &str) -> Vec<String> {
    let lines = text.as_bytes().chunks(LINE);
    let lines = lines.filter(|line| line.len() >= TELLING);
    lines
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kcp::issued::Issued;

    /// Generated Secrets as the API returns them.
    fn secrets() -> Vec<Value> {
        let issued = Issued::made(&json!({}));
        let secrets = issued.generators.iter().map(|generator| {
            json!({
                "metadata": {
                    "name": generator.name,
                    "labels": {GENERATOR_LABEL: generator.kind()},
                },
                "data": issued.secret(&generator.name).to_json(),
            })
        });
        secrets.collect()
    }

    /// What stands under a key of the Secret of one part, and what it is the base64 of.
    fn value<'a>(secrets: &'a [Value], part: &str, key: &str) -> (&'a str, String) {
        let name = format!("tenant-a-{part}");
        let mut secrets = secrets.iter();
        let secret = secrets.find(|secret| secret["metadata"]["name"] == name.as_str());
        let data = secret.unwrap()["data"][key].as_str().unwrap();
        let text = BASE64_STANDARD.decode(data).unwrap();
        (data, String::from_utf8(text).unwrap())
    }

    fn finds(secrets: &[Value], text: &str) -> bool {
        let mut watch = Watch::default();
        for secret in secrets.iter().chain([&recorded("none", &json!({}))]) {
            watch.see(secret);
        }
        watch.hear("a text", text);
        std::panic::catch_unwind(|| watch.check()).is_err()
    }

    #[test]
    fn a_key_is_found_in_every_form() {
        let secrets = secrets();
        let (pem_data, pem) = value(&secrets, "apiserver", "tls.key");
        let (file_data, file) = value(&secrets, "kubeconfig-admin", "kubeconfig");
        let (_, certificate) = value(&secrets, "apiserver", "tls.crt");
        let (_, public) = value(&secrets, "service-account", "sa.pub");
        let line = pem.lines().nth(1).unwrap();
        let wrapped: Vec<_> = pem_data.as_bytes().chunks(76).collect();
        let wrapped = String::from_utf8(wrapped.join(&b'\n')).unwrap();
        for leak in [
            &pem,
            pem_data,
            file_data,
            &file,
            line,
            &wrapped,
            &json!({ "key": pem }).to_string(),
            &pem.replace('\n', " "),
        ] {
            assert!(finds(&secrets, &format!("error: {leak}")), "{leak}");
        }
        assert!(!finds(&secrets, &format!("{certificate}{public}")));
        assert!(finds(&[], "no key"));
        assert!(finds(&secrets, ""));
    }

    #[test]
    fn a_key_is_found_in_a_record() {
        let mut all = secrets();
        let (_, pem) = value(&all, "apiserver", "tls.key");
        let chart = json!({"files": [{"name": "a", "data": BASE64_STANDARD.encode(pem)}]});
        assert!(unwrapped(&chart).contains("PRIVATE KEY"));
        assert!(!finds(&all, "a"));
        all.push(recorded("some", &chart));
        assert!(finds(&all, "a"));
    }

    /// The Secret of a record.
    fn recorded(name: &str, record: &Value) -> Value {
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, record.to_string().as_bytes()).unwrap();
        let payload = BASE64_STANDARD.encode(gzip.finish().unwrap());
        let payload = BASE64_STANDARD.encode(payload);
        json!({"metadata": {"name": name}, "data": {"release": payload}})
    }
}
