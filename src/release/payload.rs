//! The payload of a release Secret: base64 of gzipped JSON (helm/helm
//! `pkg/storage/driver/util.go`).

use std::io::{Read, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::de::DeserializeOwned;

use super::{Outline, Release};

/// The first bytes of gzipped data (RFC 1952); a payload without them is plain JSON, as early
/// versions of Helm wrote it.
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// A record that decompresses to more is refused: a Secret holds at most 1 MiB, and text
/// compresses to about a tenth.
const MAX_JSON: u64 = 256 << 20;

/// A payload that cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The payload is not base64.
    #[error("the record is not base64")]
    Base64(#[source] base64::DecodeError),
    /// The payload does not decompress.
    #[error("the record does not decompress")]
    Gzip(#[source] std::io::Error),
    /// The payload decompresses to too much.
    #[error("the record decompresses to more than {} MiB", MAX_JSON >> 20)]
    TooLarge,
    /// The payload is not a release.
    #[error("the record is not a Helm release")]
    Json(#[source] serde_json::Error),
}

/// Makes the payload of `release`, as it stands in the Secret's key `release` before the base64
/// of the API.
///
/// # Errors
/// Only if the release holds something that JSON cannot.
pub fn encode(release: &Release) -> Result<Vec<u8>, Error> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    serde_json::to_writer(&mut encoder, release).map_err(Error::Json)?;
    encoder.flush().map_err(Error::Gzip)?;
    let compressed = encoder.finish().map_err(Error::Gzip)?;
    Ok(BASE64_STANDARD.encode(compressed).into_bytes())
}

/// How many bytes `release` has as JSON.
pub(super) fn size(release: &Release) -> Result<usize, Error> {
    let mut count = Count(0);
    serde_json::to_writer(&mut count, release).map_err(Error::Json)?;
    Ok(count.0)
}

/// Counts what is written to it.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads a payload as the API gives it, after the base64 of the API is undone.
///
/// # Errors
/// If the payload is not a release, or decompresses to more than 256 MiB.
pub fn decode(payload: &[u8]) -> Result<Release, Error> {
    read(payload)
}

/// Reads only what a list shows, for a fraction of the time.
///
/// # Errors
/// As [`decode`].
pub fn decode_outline(payload: &[u8]) -> Result<Outline, Error> {
    read(payload)
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Error> {
    let data = BASE64_STANDARD.decode(payload).map_err(Error::Base64)?;
    if !data.starts_with(&GZIP_MAGIC) {
        return serde_json::from_slice(&data).map_err(Error::Json);
    }
    let mut json = Vec::with_capacity(data.len() * 8);
    let mut bounded = MultiGzDecoder::new(data.as_slice()).take(MAX_JSON + 1);
    bounded.read_to_end(&mut json).map_err(Error::Gzip)?;
    if json.len() as u64 > MAX_JSON {
        return Err(Error::TooLarge);
    }
    serde_json::from_slice(&json).map_err(Error::Json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A record of Helm 3, from the time when it was written without compression.
    fn helm_3() -> Value {
        json!({
            "name": "web",
            "info": {
                "first_deployed": "2020-11-01T10:00:00.123456789+09:00",
                "last_deployed": "2020-11-01T10:00:00.123456789+09:00",
                "deleted": "",
                "description": "Install complete",
                "status": "deployed",
                "new_field": 1,
            },
            "chart": {
                "metadata": {
                    "name": "web", "version": "1.0.0", "apiVersion": "v2", "keywords": null,
                    "later": {"kept": true},
                },
                "lock": null,
                "templates": [{"name": "templates/a.yaml", "data": "e30="}],
                "values": {"port": 6443.0},
                "schema": null,
                "files": null,
            },
            "config": null,
            "manifest": "---\n",
            "hooks": null,
            "version": 3,
            "namespace": "shop",
            "later": {"kept": true},
        })
    }

    /// A record of Helm 4: without what is empty, with times of files and the apply method.
    fn helm_4() -> Value {
        json!({
            "name": "web",
            "info": {
                "first_deployed": "2026-11-01T10:00:00.5Z",
                "last_deployed": "2026-11-01T10:00:00.5Z",
                "description": "Rollback to 1",
                "status": "pending-rollback",
                "rollback_revision": 1,
                "resources": {"v1/Pod": []},
            },
            "chart": {
                "metadata": {"name": "web", "version": "1.0.0", "apiVersion": "v2", "appVersion": "2"},
                "lock": null,
                "templates": [
                    {"name": "templates/a.yaml", "data": "e30=", "modtime": "2026-01-01T00:00:00Z"},
                ],
                "values": {},
                "schema": null,
                "schemamodtime": "0001-01-01T00:00:00Z",
                "files": [],
                "modtime": "2026-01-01T00:00:00Z",
            },
            "manifest": "",
            "hooks": [{
                "name": "a", "kind": "Job", "path": "web/templates/job.yaml", "manifest": "",
                "events": ["pre-install"], "last_run": {"started_at": "", "phase": ""}, "later": 1,
            }],
            "version": 4,
            "namespace": "shop",
            "apply_method": "ssa",
        })
    }

    fn with(mut record: Value, path: &str, value: Value) -> Value {
        *record.pointer_mut(path).unwrap() = value;
        record
    }

    /// Reads `record` plain and compressed, whole and in outline, and after it was written again:
    /// its status, the first second of its last time, and its chart.
    #[track_caller]
    fn check_record(record: &Value, expected: (&str, Option<i64>, &str)) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(record.to_string().as_bytes()).unwrap();
        let compressed = BASE64_STANDARD.encode(encoder.finish().unwrap());
        let plain = decode(&payload(record)).unwrap();
        assert_eq!(decode(compressed.as_bytes()).unwrap(), plain);
        assert_eq!(decode(&encode(&plain).unwrap()).unwrap(), plain);
        let outline = decode_outline(compressed.as_bytes()).unwrap();
        assert_eq!(
            (&outline.info, &outline.chart.metadata),
            (&plain.info, &plain.chart.metadata)
        );
        let time = plain.info.last_deployed.map(jiff::Timestamp::as_second);
        let found = (
            plain.info.status.name(),
            time,
            plain.chart.metadata.name.as_str(),
        );
        assert_eq!(found, expected, "{record}");
    }

    #[test]
    fn every_helms_records_are_read() {
        let (old, new) = (Some(1_604_192_400), Some(1_793_527_200));
        check_record(&helm_3(), ("deployed", old, "web"));
        check_record(&helm_4(), ("pending-rollback", new, "web"));
        let last = "/info/last_deployed";
        for zero in [json!(null), json!(""), json!("0001-01-01T00:00:00Z")] {
            check_record(
                &with(helm_4(), last, zero),
                ("pending-rollback", None, "web"),
            );
        }
        let status = with(helm_3(), "/info/status", json!("paused"));
        check_record(&status, ("unknown", old, "web"));
        let chart = with(
            helm_3(),
            "/chart",
            json!({"metadata": null, "templates": null}),
        );
        check_record(&chart, ("deployed", old, ""));
        check_record(&with(helm_3(), "/chart", json!({})), ("deployed", old, ""));
        check_record(&json!({}), ("unknown", None, ""));
    }

    fn payload(record: &Value) -> Vec<u8> {
        BASE64_STANDARD.encode(record.to_string()).into_bytes()
    }

    #[test]
    fn plain_records_with_nulls_and_unknown_fields_are_read_and_kept() {
        let release = decode(&payload(&helm_3())).unwrap();
        assert_eq!((release.revision, release.info.deleted), (3, None));
        let again = decode(&encode(&release).unwrap()).unwrap();
        assert_eq!(again, release);
        let json = serde_json::to_value(&again).unwrap();
        assert_eq!(json["later"], json!({"kept": true}));
        assert_eq!(json["info"]["new_field"], 1);
        assert_eq!(json["chart"]["metadata"]["later"], json!({"kept": true}));
        assert_eq!(json["chart"]["files"], json!([]));
        assert!(json.get("config").is_none() && json.get("hooks").is_none());
        let json = serde_json::to_value(decode(&payload(&helm_4())).unwrap()).unwrap();
        assert_eq!(json["chart"]["modtime"], "2026-01-01T00:00:00Z");
        assert_eq!(json["hooks"][0]["later"], 1);
        assert_eq!(json["info"]["resources"], json!({"v1/Pod": []}));
        assert_eq!(json["apply_method"], "ssa");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert!(matches!(decode(b"%%"), Err(Error::Base64(_))));
        assert!(matches!(decode(&payload(&json!([1]))), Err(Error::Json(_))));
        let broken = BASE64_STANDARD.encode([0x1f, 0x8b, 0x08, 0, 1, 2]);
        assert!(matches!(decode(broken.as_bytes()), Err(Error::Gzip(_))));
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let block = vec![b' '; 1 << 20];
        for _ in 0..=(MAX_JSON >> 20) {
            encoder.write_all(&block).unwrap();
        }
        let bomb = BASE64_STANDARD.encode(encoder.finish().unwrap());
        assert!(matches!(decode(bomb.as_bytes()), Err(Error::TooLarge)));
    }
}
