//! How the API server's refusals are read.
//!
//! An answer to a refused request comes in, an [`Error`] goes out. Values of Secrets never do: the
//! API server may repeat them in its messages, so for Secrets only field paths are kept.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use kube::core::Status;

use super::error::{Cause, Error, FieldConflict, Missing};
use super::protobuf;

/// What a request is about: a verb as in roles, and words for what it is done to.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) verb: &'static str,
    pub(super) what: String,
    pub(super) content: Content,
}

/// Whether the API server's words about a resource may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Open,
    Secret,
}

impl Subject {
    /// Reports an answer that cannot be read. A parser may quote what it stumbles over.
    pub(super) fn unreadable(&self, source: impl Into<Cause>) -> Error {
        Error::Answer {
            verb: self.verb,
            what: self.what.clone(),
            source: match self.content {
                Content::Open => source.into(),
                Content::Secret => "not the JSON of a Secret".into(),
            },
        }
    }

    /// Reports that no answer came within `after`.
    pub(super) fn late(&self, after: Duration) -> Error {
        Error::Timeout {
            verb: self.verb,
            what: self.what.clone(),
            after,
        }
    }

    /// Reads the answer to a request that was refused.
    pub(super) fn refusal(&self, server: &str, code: StatusCode, body: &Bytes) -> Error {
        let parsed = if protobuf::is_written_in(body) {
            protobuf::status(body)
        } else {
            serde_json::from_slice(body).ok()
        };
        match parsed.filter(Status::is_failure) {
            Some(status) => self.refused(server, code.as_u16(), &status),
            // Not from the API itself: a path it does not serve, or a proxy in between.
            None => self.refused_by_code(server, code, plain(body)),
        }
    }

    fn refused_by_code(&self, server: &str, code: StatusCode, text: String) -> Error {
        if code == StatusCode::NOT_FOUND {
            return self.not_found(Missing::Kind);
        }
        let status = Status {
            message: text,
            ..Status::default()
        };
        self.refused(server, code.as_u16(), &status)
    }

    /// Reads a `Status` that came with this HTTP code, or inside a watch.
    pub(super) fn refused(&self, server: &str, code: u16, status: &Status) -> Error {
        let (verb, what) = (self.verb, self.what.clone());
        match (code, status.reason.as_str()) {
            (401, _) => Error::Unauthorized {
                server: server.to_owned(),
            },
            (403, _) => Error::Forbidden {
                verb,
                what,
                detail: self.detail(status).and_then(|said| admission(&said)),
            },
            (404, _) => self.not_found(self.missing(status)),
            (409, "AlreadyExists") => Error::AlreadyExists { what },
            (409, _) => Error::Conflict {
                verb,
                what,
                fields: field_conflicts(status),
                detail: self.detail(status),
            },
            (410, _) => Error::Expired { verb, what },
            (400 | 422, _) => Error::Invalid {
                what,
                detail: self.detail(status),
            },
            _ => Error::Other {
                verb,
                what,
                code,
                detail: self.detail(status),
                retry_after: None,
            },
        }
    }

    fn not_found(&self, missing: Missing) -> Error {
        Error::NotFound {
            verb: self.verb,
            what: self.what.clone(),
            missing,
        }
    }

    fn missing(&self, status: &Status) -> Missing {
        match &status.details {
            Some(details) if details.kind == "namespaces" && self.verb == "create" => {
                Missing::Namespace
            }
            // The API server names what it did not find; a path it does not know has no name.
            Some(details) if !details.name.is_empty() => Missing::Resource,
            _ => Missing::Kind,
        }
    }

    fn detail(&self, status: &Status) -> Option<String> {
        let said = match self.content {
            Content::Open => status.message.clone(),
            Content::Secret => harmless(&status.message).unwrap_or_else(|| causes(status)),
        };
        (!said.is_empty()).then_some(said)
    }
}

/// The part of a message that the API server makes of names alone, with no value in it.
fn harmless(said: &str) -> Option<String> {
    if let Some(start) = said.find("exceeded quota: ") {
        return Some(said[start..].to_owned());
    }
    let known = [
        ("ValidatingAdmissionPolicy '", " denied request"),
        ("admission webhook \"", " denied the request"),
        ("admission webhook \"", " does not support dry run"),
        ("failed calling webhook \"", "\""),
    ];
    let cut = |(start, end): (&str, &str)| {
        let from = said.find(start)?;
        let rest = from + start.len();
        let to = rest + said[rest..].find(end)? + end.len();
        Some(said[from..to].to_owned())
    };
    known.into_iter().find_map(cut).or_else(|| fields(said))
}

/// The fields that a body has and its kind has not, or that it has twice.
fn fields(said: &str) -> Option<String> {
    let (_, fields) = said.split_once("strict decoding error: ")?;
    let is_name = |part: &str| {
        ["unknown field \"", "duplicate field \""]
            .iter()
            .filter_map(|words| part.strip_prefix(words)?.strip_suffix('"'))
            .any(|name| !name.contains('"'))
    };
    fields.split(", ").all(is_name).then(|| fields.to_owned())
}

/// Where something is wrong, without the message, which may hold the value.
fn causes(status: &Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let named: Vec<String> = causes
        .filter(|cause| !cause.field.is_empty())
        .map(|cause| format!("{} ({})", cause.field, cause.reason))
        .collect();
    named.join(", ")
}

fn field_conflicts(status: &Status) -> Vec<FieldConflict> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| FieldConflict {
            field: cause.field.clone(),
            message: cause.message.clone(),
        })
        .collect()
}

/// What follows `… is forbidden: `, unless it only repeats who may not do what.
fn admission(said: &str) -> Option<String> {
    let said = said
        .split_once(" is forbidden: ")
        .map_or(said, |(_, rest)| rest);
    (!said.starts_with("User ")).then(|| said.to_owned())
}

/// An answer that is not from the API, cut to what fits into a message.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let text = untagged(&text);
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The title of an HTML page; without one its text, and any other text as it is.
fn untagged(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let title = text
        .split_once("<title>")
        .and_then(|(_, rest)| Some(rest.split_once("</title>")?.0));
    if let Some(title) = title {
        return title.to_owned();
    }
    let parts = text
        .split('<')
        .map(|part| part.split_once('>').map_or("", |(_, text)| text));
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(content: Content, verb: &'static str, code: u16, body: &[u8]) -> Error {
        let subject = Subject {
            verb,
            what: "Thing web in namespace shop".to_owned(),
            content,
        };
        subject.refusal(
            "https://127.0.0.1:6443",
            StatusCode::from_u16(code).unwrap(),
            &Bytes::copy_from_slice(body),
        )
    }

    #[track_caller]
    fn check(verb: &'static str, (code, body): (u16, &Value), want: &str) -> Error {
        let error = read(Content::Open, verb, code, body.to_string().as_bytes());
        assert_eq!(error.to_string(), want);
        error
    }

    fn status(code: u16, reason: &str, message: &str) -> Value {
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
            "details": {"name": "web", "kind": "things"}})
    }

    #[test]
    fn refusals_are_told_apart() {
        let error = check(
            "get",
            (404, &status(404, "NotFound", "things \"web\" not found")),
            "cannot get Thing web in namespace shop: not found",
        );
        assert!(error.is_not_found() && !error.is_unserved() && !error.is_passing());
        let error = check(
            "patch",
            (
                409,
                &status(409, "Conflict", "the object has been modified"),
            ),
            "cannot patch Thing web in namespace shop: it conflicts with another change: \
             the object has been modified",
        );
        assert!(error.is_conflict());
        let error = check(
            "create",
            (
                409,
                &status(409, "AlreadyExists", "things \"web\" already exists"),
            ),
            "cannot create Thing web in namespace shop: it exists already",
        );
        assert!(error.is_already_exists() && !error.is_conflict());
        let error = check(
            "create",
            (
                422,
                &status(422, "Invalid", "spec.replicas: Invalid value: -1"),
            ),
            "the API server does not accept Thing web in namespace shop: \
             spec.replicas: Invalid value: -1",
        );
        assert!(error.is_invalid());
        let error = check(
            "list",
            (410, &status(410, "Expired", "too old resource version")),
            "cannot list Thing web in namespace shop: it changed too much meanwhile",
        );
        assert!(error.is_expired() && error.is_passing());
        let error = check(
            "list",
            (401, &status(401, "Unauthorized", "Unauthorized")),
            "the API server https://127.0.0.1:6443 does not accept the credentials",
        );
        assert!(!error.is_forbidden());
        let error = check(
            "list",
            (503, &status(503, "ServiceUnavailable", "shutting down")),
            "cannot list Thing web in namespace shop: the API server answers 503: shutting down",
        );
        assert!(error.is_passing());
    }

    #[test]
    fn who_is_not_allowed_is_not_repeated() {
        let role = "things is forbidden: User \"eve\" cannot list resource \"things\" in API \
            group \"\" in the namespace \"shop\"";
        let error = check(
            "list",
            (403, &status(403, "Forbidden", role)),
            "not allowed to list Thing web in namespace shop",
        );
        assert!(error.is_forbidden());
        check(
            "create",
            (
                403,
                &status(
                    403,
                    "Forbidden",
                    "pods \"web\" is forbidden: exceeded quota: q",
                ),
            ),
            "not allowed to create Thing web in namespace shop: exceeded quota: q",
        );
        check(
            "create",
            (
                403,
                &status(
                    403,
                    "Forbidden",
                    "admission webhook \"x\" denied the request: no",
                ),
            ),
            "not allowed to create Thing web in namespace shop: \
             admission webhook \"x\" denied the request: no",
        );
    }

    #[test]
    fn missing_places_are_named() {
        let mut body = status(404, "NotFound", "namespaces \"shop\" not found");
        body["details"] = json!({"name": "shop", "kind": "namespaces"});
        check(
            "create",
            (404, &body),
            "cannot create Thing web in namespace shop: the namespace does not exist",
        );
        body["details"] = json!({});
        body["message"] = json!("the server could not find the requested resource");
        let error = check(
            "list",
            (404, &body),
            "cannot list Thing web in namespace shop: the API server does not serve this kind",
        );
        assert!(error.is_unserved() && error.is_not_found());
    }

    #[test]
    fn answers_that_are_no_status_are_understood() {
        let plain =
            |code, body: &str| read(Content::Open, "get", code, body.as_bytes()).to_string();
        assert_eq!(
            plain(404, "404 page not found\n"),
            "cannot get Thing web in namespace shop: the API server does not serve this kind"
        );
        assert_eq!(
            plain(502, "<html>\n<title>Bad gateway</title>"),
            "cannot get Thing web in namespace shop: the API server answers 502: Bad gateway"
        );
        assert_eq!(
            plain(503, "<html><body>\n<h1>Try later</h1>"),
            "cannot get Thing web in namespace shop: the API server answers 503: Try later"
        );
        assert_eq!(
            plain(403, ""),
            "not allowed to get Thing web in namespace shop"
        );
        assert_eq!(
            plain(500, "{\"status\": 3}"),
            "cannot get Thing web in namespace shop: the API server answers 500: {\"status\": 3}"
        );
    }

    #[test]
    fn what_is_in_a_secret_is_never_repeated() {
        let mut body = status(
            422,
            "Invalid",
            "Secret \"web\" is invalid: data[a]: hunter2",
        );
        body["details"]["causes"] = json!([
            {"reason": "FieldValueInvalid", "message": "Invalid value: hunter2", "field": "data[a]"},
            {"reason": "FieldValueRequired", "message": "Required value", "field": "data[tls.key]"}]);
        let bytes = body.to_string();
        for (code, want) in [
            (
                422,
                "the API server does not accept Thing web in namespace shop: \
                 data[a] (FieldValueInvalid), data[tls.key] (FieldValueRequired)",
            ),
            (
                500,
                "cannot patch Thing web in namespace shop: the API server answers 500: \
                 data[a] (FieldValueInvalid), data[tls.key] (FieldValueRequired)",
            ),
        ] {
            let error = read(Content::Secret, "patch", code, bytes.as_bytes());
            assert_eq!(error.to_string(), want);
            assert!(!format!("{error:?}").contains("hunter2"));
        }
        let error = read(Content::Secret, "patch", 400, b"hunter2 is not base64");
        assert_eq!(
            error.to_string(),
            "the API server does not accept Thing web in namespace shop"
        );
    }

    #[test]
    fn what_names_no_value_of_a_secret_is_repeated() {
        let quota = "exceeded quota: q, requested: secrets=1, used: secrets=2, limited: secrets=2";
        let unknown = "unknown field \"spec\", duplicate field \"data.a\"";
        for (said, want) in [
            (
                format!("secrets \"web\" is forbidden: {quota}"),
                Some(quota),
            ),
            (
                "secrets \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' \
                 denied request: hunter2"
                    .to_owned(),
                Some("ValidatingAdmissionPolicy 'p' with binding 'b' denied request"),
            ),
            (
                "Internal error occurred: failed calling webhook \"w\": hunter2".to_owned(),
                Some("failed calling webhook \"w\""),
            ),
            (format!("strict decoding error: {unknown}"), Some(unknown)),
            ("strict decoding error: hunter2".to_owned(), None),
            ("hunter2".to_owned(), None),
        ] {
            assert_eq!(harmless(&said).as_deref(), want, "{said}");
        }
    }

    #[test]
    fn what_a_parser_stumbles_over_is_repeated_only_if_open() {
        for (content, want) in [(Content::Open, true), (Content::Secret, false)] {
            let subject = Subject {
                verb: "get",
                what: String::new(),
                content,
            };
            let parsed: Result<u8, _> = serde_json::from_str("\"hunter2\"");
            let error = subject.unreadable(parsed.unwrap_err());
            assert_eq!(format!("{error:?}").contains("hunter2"), want);
        }
    }

    #[test]
    fn conflicts_of_an_apply_name_their_fields() {
        let mut body = status(409, "Conflict", "Apply failed with 1 conflict");
        body["details"]["causes"] = json!([{"reason": "FieldManagerConflict",
            "message": "conflict with \"kubectl\" using apps/v1", "field": ".spec.replicas"}]);
        let error = read(Content::Open, "patch", 409, body.to_string().as_bytes());
        let Error::Conflict { fields, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(
            fields,
            [FieldConflict {
                field: ".spec.replicas".to_owned(),
                message: "conflict with \"kubectl\" using apps/v1".to_owned(),
            }]
        );
    }
}
