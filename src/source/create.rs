//! Writing the folder of a new chart.

use std::fs;
use std::path::Path;

use super::Error;
use crate::chart::{self, Chart, File, Metadata, Starter};

/// Makes the folder `path` with a new chart of the same name, from a starter. Either all of it is
/// there afterwards or nothing.
///
/// # Errors
/// If there is something at `path`, its last part is no name of a chart, or it cannot be written.
pub fn create(path: &Path, starter: Starter) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !Metadata::is_common_name(&name) {
        return Err(Error::BadName { name: name.into() });
    }
    let files = starter.files(&name);
    Chart::from_files(files.clone()).map_err(|cause| unusable(path, cause))?;
    if fs::symlink_metadata(path).is_ok() {
        return Err(Error::Exists {
            path: path.to_owned(),
        });
    }
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(Path::new("."));
    let written = write(&files, parent, path);
    written.map_err(|cause| Error::Write {
        path: path.to_owned(),
        cause,
    })
}

fn unusable(path: &Path, cause: chart::Error) -> Error {
    Error::Chart {
        path: path.to_owned(),
        cause: Box::new(cause),
    }
}

/// Writes the files into a folder beside `path`, which takes its place when it is whole.
fn write(files: &[File], parent: &Path, path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(parent)?;
    let draft = tempfile::Builder::new()
        .prefix(".new-chart-")
        .tempdir_in(parent)?;
    let chart = draft.path().join("chart");
    for file in files {
        let file_path = chart.join(&file.path);
        fs::create_dir_all(file_path.parent().unwrap_or(&chart))?;
        fs::write(file_path, &file.data)?;
    }
    fs::rename(chart, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_chart_can_be_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("charts/shop");
        create(&path, Starter::App).unwrap();
        let chart = super::super::load(&super::super::ChartRef::Directory(path.clone())).unwrap();
        assert_eq!(chart.metadata.name, "shop");
        let beside = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(beside.count(), 1);
    }

    #[track_caller]
    fn check_refused(path: &Path, expected: &str) {
        let error = create(path, Starter::App).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let text = format!("{error}: {}", cause.unwrap_or_default());
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there");
        fs::create_dir(&there).unwrap();
        check_refused(&there, "exists already");
        let bad = folder.path().join("my shop");
        check_refused(&bad, "name");
        assert!(!bad.exists());
        check_refused(Path::new("/"), "name");
        for name in ["Bad_Name", "a.b", "a_b", "Shop"] {
            let path = folder.path().join(name);
            check_refused(&path, "lower-case letters, digits and dashes make one");
            assert!(!path.exists());
        }
        fs::write(folder.path().join("file"), "").unwrap();
        check_refused(&folder.path().join("file/shop"), "cannot write");
    }
}
