//! The lab's registry: a process on the bridge from which nodes pull what they do not have, and how
//! images get into it, by the protocol that every registry speaks.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::path::Path;

use serde_json::{Value, json};
use tar::Archive;

use crate::addresses::{GATEWAY, REGISTRY_PORT};
use crate::control_plane::Program;
use crate::images::Image;
use crate::place::Place;

/// What the config of an image is.
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What a layer of an image is.
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// What holds them together.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What bytes are that nothing more is known of.
const BYTES: &str = "application/octet-stream";

/// An image is not in the registry.
#[derive(Debug, thiserror::Error)]
#[error("putting the image {image} into the registry")]
pub struct Error {
    image: String,
    source: io::Error,
}

/// Returns where the registry listens.
pub(crate) fn address() -> SocketAddrV4 {
    SocketAddrV4::new(GATEWAY, REGISTRY_PORT)
}

/// Writes the registry's configuration and returns how it is started.
///
/// # Errors
/// An [`io::Error`] when the file cannot be written.
pub(crate) fn prepare(place: &Place) -> io::Result<Program> {
    let config = include_str!("../cluster/registry.yml")
        .replace("{folder}", &place.folder.display().to_string())
        .replace("{address}", &address().to_string());
    let path = place.folder.join("registry.yml");
    fs::write(&path, config)?;
    let arguments = vec!["serve".to_owned(), path.display().to_string()];
    Ok(("registry", arguments))
}

/// Tells whether the registry listens.
pub(crate) fn answers() -> bool {
    TcpStream::connect(address()).is_ok()
}

/// Puts an image into the registry.
///
/// # Errors
/// An [`Error`] when the archive cannot be read or the registry refuses something.
pub(crate) fn push(image: &Image) -> Result<(), Error> {
    push_archive(&image.name, &image.archive).map_err(|source| Error {
        image: image.name.clone(),
        source,
    })
}

fn push_archive(name: &str, archive: &Path) -> io::Result<()> {
    let (repository, tag) = place_of(name).ok_or(io::ErrorKind::InvalidInput)?;
    let mut blobs = BTreeMap::new();
    let mut archive = Archive::new(File::open(archive)?);
    for entry in archive.entries()? {
        let entry = entry?;
        let file = entry.path()?.display().to_string();
        // Every other file is named by its digest.
        if let Some((digest, kind)) = file.split_once('.')
            && file != "manifest.json"
        {
            let digest = format!("sha256:{digest}");
            let size = entry.size();
            push_blob(repository, &digest, Body { data: entry, size })?;
            blobs.insert(kind.to_owned(), (digest, size));
        }
    }
    let manifest = manifest(&blobs).ok_or(io::ErrorKind::InvalidData)?;
    let manifest = manifest.to_string();
    let body = Body {
        data: manifest.as_bytes(),
        size: manifest.len() as u64,
    };
    let path = format!("/v2/{repository}/manifests/{tag}");
    ask(("PUT", &path), MANIFEST, body).map(drop)
}

/// Returns repository and tag of an image in the one registry that stands for all.
fn place_of(name: &str) -> Option<(&str, &str)> {
    let (_, path) = name.split_once('/')?;
    path.rsplit_once(':')
}

fn push_blob(repository: &str, digest: &str, body: Body<impl Read>) -> io::Result<()> {
    let uploads = format!("/v2/{repository}/blobs/uploads/");
    let empty = Body {
        data: io::empty(),
        size: 0,
    };
    let head = ask(("POST", &uploads), BYTES, empty)?;
    let upload = header(&head, "location").ok_or(io::ErrorKind::InvalidData)?;
    let mark = if upload.contains('?') { '&' } else { '?' };
    let path = format!("{upload}{mark}digest={digest}");
    ask(("PUT", &path), BYTES, body).map(drop)
}

/// Returns the manifest of an image with a config (`json`) and a layer (`tar`).
fn manifest(blobs: &BTreeMap<String, (String, u64)>) -> Option<Value> {
    let describe = |kind: &str, file: &str| {
        let (digest, size) = blobs.get(file)?;
        Some(json!({"mediaType": kind, "digest": digest, "size": size}))
    };
    Some(json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": describe(CONFIG, "json")?,
        "layers": [describe(LAYER, "tar")?],
    }))
}

/// What is sent with a request.
struct Body<R> {
    data: R,
    size: u64,
}

/// Sends a request, given by its method and path, and returns the head of the answer.
fn ask((method, path): (&str, &str), kind: &str, mut body: Body<impl Read>) -> io::Result<String> {
    let mut stream = TcpStream::connect(address())?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        address(),
        body.size
    )?;
    io::copy(&mut body.data, &mut stream)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    if is_success(&answer) {
        let (head, _) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        return Ok(head.to_owned());
    }
    let said = format!("it answers to {method} {path}: {answer}");
    Err(io::Error::other(said))
}

fn is_success(answer: &str) -> bool {
    let status = answer.split_whitespace().nth(1);
    status.is_some_and(|status| status.len() == 3 && status.starts_with('2'))
}

/// Returns the value of a header, whose name is given in lower case.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{header, is_success, manifest, place_of};

    #[test]
    fn the_registry_stands_for_all() {
        let busybox = place_of("docker.io/library/busybox:lab");
        assert_eq!(busybox, Some(("library/busybox", "lab")));
        assert_eq!(
            place_of("registry.k8s.io/etcd:3.6.12-0"),
            Some(("etcd", "3.6.12-0"))
        );
        assert_eq!(place_of("busybox"), None);
    }

    #[test]
    fn answers_are_understood() {
        let head = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nLOCATION: /v2/a?b=c\r\n";
        assert!(is_success(head));
        assert_eq!(header(head, "location"), Some("/v2/a?b=c"));
        assert_eq!(header(head, "range"), None);
        for failure in ["", "HTTP/1.1 404 Not Found\r\n"] {
            assert!(!is_success(failure), "{failure}");
        }
    }

    #[test]
    fn a_manifest_has_config_and_layer() {
        let mut blobs = BTreeMap::new();
        blobs.insert("json".to_owned(), ("sha256:a".to_owned(), 1));
        assert_eq!(manifest(&blobs), None);
        blobs.insert("tar".to_owned(), ("sha256:b".to_owned(), 2));
        let manifest = manifest(&blobs).unwrap();
        assert_eq!(manifest["config"]["digest"], "sha256:a");
        assert_eq!(manifest["layers"][0]["size"], 2);
    }
}
