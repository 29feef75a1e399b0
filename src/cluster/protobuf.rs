//! Lists of metadata, and refusals, in the protobuf form of Kubernetes.
//!
//! An API server writes it in half the time of JSON, and in two fifths of the bytes. The body of an answer comes
//! in, what JSON would have said goes out; of metadata only what [`Metadata`] has is looked at. The messages are
//! those of `k8s.io/apimachinery`, `pkg/runtime/generated.proto` and `pkg/apis/meta/v1/generated.proto`.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use kube::core::Status;
use prost::{DecodeError, Message};

use super::body::Page;
use super::metadata::Metadata;

/// What a body in this form begins with.
const MAGIC: &[u8] = b"k8s\0";

/// What is around every object.
#[derive(Message)]
struct Unknown {
    #[prost(bytes = "bytes", tag = "2")]
    raw: Bytes,
}

#[derive(Message)]
struct List {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMetadata>,
    /// Each a message of its own, so that one at a time is in memory.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    items: Vec<Bytes>,
}

#[derive(Message)]
struct ListMetadata {
    #[prost(string, tag = "2")]
    resource_version: String,
    #[prost(string, tag = "3")]
    r#continue: String,
    #[prost(int64, tag = "4")]
    remaining_item_count: i64,
}

#[derive(Message)]
struct Partial {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMetadata>,
}

#[derive(Message)]
struct ObjectMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    resource_version: String,
    #[prost(message, optional, tag = "8")]
    creation_timestamp: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    annotations: BTreeMap<String, String>,
}

#[derive(Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

/// A `Status`, which is read on as the JSON that it would have been.
#[derive(Message, serde::Serialize)]
struct Refusal {
    #[prost(string, tag = "2")]
    status: String,
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, optional, tag = "5")]
    details: Option<Details>,
    #[prost(int32, tag = "6")]
    code: i32,
}

#[derive(Message, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    group: String,
    #[prost(string, tag = "3")]
    kind: String,
    #[prost(message, repeated, tag = "4")]
    causes: Vec<Cause>,
    #[prost(int32, tag = "5")]
    retry_after_seconds: i32,
    #[prost(string, tag = "6")]
    uid: String,
}

#[derive(Message, serde::Serialize)]
struct Cause {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(string, tag = "3")]
    field: String,
}

/// Whether a body is in this form.
pub(super) fn is_written_in(body: &[u8]) -> bool {
    body.starts_with(MAGIC)
}

/// Reads a page of metadata, one after the other.
pub(super) fn each(body: &Bytes, take: &mut dyn FnMut(Metadata)) -> Result<Page<()>, DecodeError> {
    let list = List::decode(raw(body)?)?;
    for item in list.items {
        let metadata = Partial::decode(item)?.metadata.unwrap_or_default();
        take(metadata.into());
    }
    let metadata = list.metadata.unwrap_or_default();
    Ok(Page {
        next: metadata.r#continue,
        version: metadata.resource_version,
        remaining: usize::try_from(metadata.remaining_item_count).unwrap_or_default(),
        items: vec![],
    })
}

/// Reads why something was refused; none if it is not said.
pub(super) fn status(body: &Bytes) -> Option<Status> {
    let refusal = Refusal::decode(raw(body).ok()?).ok()?;
    let refusal = serde_json::to_value(refusal).ok()?;
    serde_json::from_value(refusal).ok()
}

fn raw(body: &Bytes) -> Result<Bytes, DecodeError> {
    let unknown = body.slice(MAGIC.len().min(body.len())..);
    Ok(Unknown::decode(unknown)?.raw)
}

impl From<ObjectMetadata> for Metadata {
    fn from(from: ObjectMetadata) -> Self {
        // The zero time is left out, or empty.
        let created = from.creation_timestamp.filter(|time| time.seconds != 0);
        let created = created.and_then(|time| Timestamp::from_second(time.seconds).ok());
        Self {
            name: from.name,
            namespace: from.namespace,
            uid: from.uid,
            resource_version: from.resource_version,
            creation_timestamp: created.map(|time| time.to_string()).unwrap_or_default(),
            labels: from.labels,
            annotations: from.annotations,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    /// A message as an API server writes it.
    fn body(message: &impl Message) -> Bytes {
        let unknown = Unknown {
            raw: message.encode_to_vec().into(),
        };
        [MAGIC, &unknown.encode_to_vec()].concat().into()
    }

    fn read(body: &Bytes) -> Result<(Vec<Metadata>, Page<()>), DecodeError> {
        let mut all = vec![];
        let page = each(body, &mut |one| all.push(one))?;
        Ok((all, page))
    }

    #[test]
    fn metadata_is_read_as_from_json() {
        let labels = BTreeMap::from([("owner".to_owned(), "helm".to_owned())]);
        let secret = ObjectMetadata {
            name: "a".to_owned(),
            namespace: "shop".to_owned(),
            uid: "u".to_owned(),
            resource_version: "7".to_owned(),
            creation_timestamp: Some(Time {
                seconds: 1_796_000_000,
            }),
            labels: labels.clone(),
            annotations: BTreeMap::new(),
        };
        let items = [Some(secret), Some(ObjectMetadata::default()), None];
        let items = items.map(|metadata| Partial { metadata }.encode_to_vec().into());
        let metadata = Some(ListMetadata {
            resource_version: "9".to_owned(),
            r#continue: "more".to_owned(),
            remaining_item_count: 3,
        });
        let items = items.to_vec();
        let (all, page) = read(&body(&List { metadata, items })).unwrap();
        let a = Metadata {
            name: "a".to_owned(),
            namespace: "shop".to_owned(),
            uid: "u".to_owned(),
            resource_version: "7".to_owned(),
            creation_timestamp: "2026-11-30T00:53:20Z".to_owned(),
            labels,
            annotations: BTreeMap::new(),
        };
        assert_eq!(all, [a, Metadata::default(), Metadata::default()]);
        assert_eq!((page.next.as_str(), page.version.as_str()), ("more", "9"));
        assert_eq!(page.remaining, 3);
    }

    #[test]
    fn refusals_are_read_as_from_json() {
        let refusal = Refusal {
            status: "Failure".to_owned(),
            message: "too old".to_owned(),
            reason: "Expired".to_owned(),
            details: Some(Details {
                retry_after_seconds: 2,
                causes: vec![Cause {
                    field: "a".to_owned(),
                    ..Cause::default()
                }],
                ..Details::default()
            }),
            code: 410,
        };
        let status = status(&body(&refusal)).unwrap();
        assert!(status.is_failure());
        assert_eq!((status.reason.as_str(), status.code), ("Expired", 410));
        let details = status.details.unwrap();
        assert_eq!(details.retry_after_seconds, 2);
        assert_eq!(details.causes[0].field, "a");
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let item = Partial {
            metadata: Some(ObjectMetadata {
                name: "a".to_owned(),
                ..ObjectMetadata::default()
            }),
        };
        let whole = body(&List {
            metadata: None,
            items: vec![item.encode_to_vec().into()],
        });
        assert_eq!(read(&whole).unwrap().0[0].name, "a");
        assert!(read(&whole.slice(..whole.len() - 1)).is_err());
        assert!(status(&whole.slice(..whole.len() - 1)).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in any::<Vec<u8>>()) {
            let body = Bytes::from([MAGIC, &bytes].concat());
            let _ = read(&body);
            let _ = status(&body);
            prop_assert_eq!(is_written_in(&bytes), bytes.starts_with(MAGIC));
        }
    }
}
