//! The custom resource definitions in the `crds/` folders of a chart.
//!
//! As in Helm they are no part of the release: they stand in no record, carry no ownership marks, and
//! are never deleted. Unlike there, an upgrade updates them.

use super::Error;
use super::catalogue::Catalogue;
use crate::chart::{self, File};
use crate::manifest::{Manifest, Resource};
use crate::plan::definition;
use crate::render::{Rendered, RenderedFile};

/// The definitions in the files of `chart` and of what takes part in it, with their kinds made known to
/// `catalogue`.
///
/// # Errors
/// If a file is not YAML, or holds something that is no definition.
pub(super) async fn definitions(
    catalogue: &mut Catalogue<'_>,
    (chart, files): (&str, &[(String, &File)]),
) -> Result<Vec<Resource>, Error> {
    let rendered = Rendered {
        files: (files.iter())
            .map(|(path, file)| RenderedFile {
                path: path.clone(),
                text: String::from_utf8_lossy(&file.data).into_owned(),
            })
            .collect(),
        notes: None,
        subchart_notes: vec![],
        charts: vec![],
    };
    if rendered.files.is_empty() {
        return Ok(vec![]);
    }
    let manifest = catalogue
        .parse(|placement| Manifest::parse(&rendered, placement))
        .await?;
    let mut resources = manifest.resources.iter();
    if let Some(other) = resources.find(|resource| !definition::is_one(&resource.id)) {
        return Err(Error::Chart(chart::Error::Unsupported {
            chart: chart.to_owned(),
            feature: format!("{} in {}", other.id, other.origin),
        }));
    }
    catalogue.define(&manifest);
    Ok(manifest.resources)
}
