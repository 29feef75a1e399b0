//! The templates and files of a chart apart from the record, where that would be too large.
//!
//! They are most of a large record and no operation needs them again, so they can stand in objects of
//! their own, which the revisions of a release share. A [`Release`] comes in and loses them if it has
//! to; the pieces to be stored go out. Storing them is left to `history`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::payload::{self, Error as PayloadError};
use super::{RecordedFile, Release};
use crate::chart::hex;

/// The path of the file in the recorded chart that names the pieces, which Helm carries along byte for
/// byte.
pub const SOURCES_FILE: &str = "pintle/sources";

/// How much a Secret or `ConfigMap` holds at most (Kubernetes `MaxSecretSize`).
const LIMIT: usize = 1 << 20;
/// What is left free of that for what an outcome adds to the record.
const MARGIN: usize = 8 << 10;
/// What is left free when an outcome is recorded, for a later change of its status.
const SLACK: usize = 1 << 10;
/// JSON of at most this size fits, however badly it compresses: base64 makes it a third larger.
const SURE: usize = (LIMIT - MARGIN) / 4 * 3 - 1024;
/// How much of the sources one piece holds.
const PIECE: usize = 1_000_000;
/// The first part of the name of a piece; its digest follows.
const PREFIX: &str = "pintle.chart.v1.";

/// A part of the templates and files of a chart, named by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePiece {
    /// The name of the object that holds it.
    pub name: String,
    /// A part of the gzipped JSON of `templates` and `files`, which all pieces in their order make up.
    pub data: Vec<u8>,
}

/// A record that does not fit into a Secret or `ConfigMap`, even without the sources of its chart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the record would take {} of at most {}, even with the sources of the chart apart; before \
     compression: {}",
    size(*.stored), size(LIMIT), told(.parts)
)]
pub struct TooLarge {
    /// How large it would be.
    pub stored: usize,
    /// Its parts and their sizes in bytes before compression, the largest first.
    pub parts: Vec<(&'static str, usize)>,
}

/// Why a record cannot be made to fit.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// It is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// It cannot be encoded.
    #[error("cannot encode the release record")]
    Encode(#[from] PayloadError),
}

/// The content of [`SOURCES_FILE`].
#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    /// The names of the pieces, in their order.
    #[serde(default)]
    pieces: Vec<String>,
}

/// Whether the record fits with what an outcome has added to it.
pub(super) fn has_room(release: &Release) -> Result<bool, PayloadError> {
    Ok(payload::size(release)? <= SURE || payload::encode(release)?.len() <= LIMIT - SLACK)
}

impl Release {
    /// Takes the sources of the chart out of the record if it is too large with them, and gives the
    /// pieces that they make up; none if it fits.
    ///
    /// # Errors
    /// If the record is too large without them.
    pub fn fit(&mut self) -> Result<Vec<SourcePiece>, FitError> {
        if self.fits()? {
            return Ok(vec![]);
        }
        let chart = &mut self.chart;
        let is_ours = |file: &RecordedFile| file.name.starts_with("pintle/");
        let (kept, files) = std::mem::take(&mut chart.files)
            .into_iter()
            .partition(is_ours);
        chart.files = kept;
        let templates = std::mem::take(&mut chart.templates);
        let pieces = pieces(&templates, &files)?;
        let index = Index {
            pieces: pieces.iter().map(|piece| piece.name.clone()).collect(),
        };
        chart.set_file(SOURCES_FILE, Some(json!(index).to_string().as_bytes()));
        let stored = payload::encode(self)?.len();
        if stored <= LIMIT - MARGIN {
            return Ok(pieces);
        }
        Err(TooLarge {
            stored,
            parts: self.sizes(),
        }
        .into())
    }

    fn fits(&self) -> Result<bool, PayloadError> {
        Ok(payload::size(self)? <= SURE || payload::encode(self)?.len() <= LIMIT - MARGIN)
    }

    /// The names of the objects that hold the sources of the chart; none where they are in the record.
    pub fn source_pieces(&self) -> Vec<String> {
        let index = self.chart.file(SOURCES_FILE);
        let index = index.and_then(|text| serde_json::from_slice::<Index>(&text).ok());
        let names = index.unwrap_or_default().pieces;
        // Whoever wrote the record says no more than which of our own objects are meant.
        let is_ours = |name: &String| name.starts_with(PREFIX);
        names.into_iter().filter(is_ours).collect()
    }

    /// The parts of the record and their sizes, the largest first.
    fn sizes(&self) -> Vec<(&'static str, usize)> {
        let of = |value: serde_json::Value| value.to_string().len();
        let mut parts = vec![
            ("manifest", self.manifest.len()),
            ("hooks", of(json!(self.hooks))),
            ("values", of(json!(self.config))),
            ("the chart's defaults", of(json!(self.chart.values))),
            (
                "the chart's schema",
                self.chart.schema.as_ref().map_or(0, String::len),
            ),
            ("generators", of(json!(self.chart.files))),
            ("notes", self.info.notes.len()),
        ];
        parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        parts
    }
}

fn pieces(
    templates: &[RecordedFile],
    files: &[RecordedFile],
) -> Result<Vec<SourcePiece>, PayloadError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let sources = json!({"templates": templates, "files": files});
    encoder
        .write_all(sources.to_string().as_bytes())
        .map_err(PayloadError::Gzip)?;
    let data = encoder.finish().map_err(PayloadError::Gzip)?;
    let pieces = data.chunks(PIECE).map(|piece| SourcePiece {
        name: format!("{PREFIX}{}", hex(&Sha256::digest(piece))),
        data: piece.to_vec(),
    });
    Ok(pieces.collect())
}

fn size(bytes: usize) -> String {
    // In tenths of a MiB, rounded up.
    let tenths = (bytes * 10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn told(parts: &[(&'static str, usize)]) -> String {
    let shown = parts.iter().filter(|(_, bytes)| *bytes >= 1 << 10);
    let shown = shown.map(|(name, bytes)| format!("{name} {} KiB", bytes >> 10));
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that does not compress, always the same.
    fn noise(length: usize) -> String {
        let blocks = (0_u64..).map(|number| hex(&Sha256::digest(number.to_le_bytes())));
        blocks
            .flat_map(String::into_bytes)
            .take(length)
            .map(char::from)
            .collect()
    }

    fn release(template: usize, manifest: usize) -> Release {
        let file = |name: &str, data: String| json!({"name": name, "data": data});
        serde_json::from_value(json!({
            "name": "web", "version": 1, "manifest": noise(manifest),
            "chart": {
                "metadata": {"name": "web"},
                "templates": [file("templates/a.yaml", noise(template))],
                "files": [file("README.md", "YQ==".into()), file("pintle/generators.yaml", "Yg==".into())],
            },
        }))
        .unwrap()
    }

    #[test]
    fn only_what_is_too_large_loses_its_sources() {
        let mut small = release(100_000, 100_000);
        let before = small.clone();
        assert_eq!(small.fit().unwrap(), []);
        assert_eq!((&small, small.source_pieces()), (&before, vec![]));

        let mut large = release(3_000_000, 100_000);
        let pieces = large.fit().unwrap();
        let names: Vec<String> = pieces.iter().map(|piece| piece.name.clone()).collect();
        assert_eq!((pieces.len(), large.source_pieces()), (2, names.clone()));
        let files: Vec<&str> = large
            .chart
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(files, ["pintle/generators.yaml", SOURCES_FILE]);
        assert_eq!(large.chart.templates, []);
        assert!(payload::encode(&large).unwrap().len() < LIMIT);
        // The same sources have the same names, and what fits is left alone.
        let again = release(3_000_000, 50_000).fit().unwrap();
        assert_eq!(again, pieces);
        assert_eq!(large.fit().unwrap(), []);
        assert_eq!(large.source_pieces(), names);
    }

    #[test]
    fn what_does_not_fit_says_why() {
        let error = release(1000, 3_000_000).fit().unwrap_err().to_string();
        assert!(
            error.starts_with("the record would take 2.") && error.contains("manifest 2929 KiB"),
            "{error}"
        );
    }
}
