//! Writing rendered files into a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;

/// Writes files below `folder`, by their paths there with forward slashes; what stands at a path is
/// replaced. Gives the paths that were written.
///
/// Nothing is written outside of the folder: a path with an empty part, `.` or `..` is refused, and
/// so is one that leads through a link, before any file is written.
///
/// # Errors
/// If a path leads out of the folder or something cannot be written.
pub fn write_files(folder: &Path, files: &BTreeMap<String, String>) -> Result<Vec<PathBuf>, Error> {
    let places = files.keys().map(|path| Ok((path, place(folder, path)?)));
    let places: Vec<(&String, PathBuf)> = places.collect::<Result<_, Error>>()?;
    let mut written = Vec::with_capacity(places.len());
    for (path, place) in places {
        write(&place, &files[path]).map_err(|cause| Error::Write {
            path: place.clone(),
            cause,
        })?;
        written.push(place);
    }
    Ok(written)
}

/// Where a file is to be, when no link is on the way.
fn place(folder: &Path, path: &str) -> Result<PathBuf, Error> {
    let escape = || Error::Escape {
        path: path.to_owned(),
        folder: folder.to_owned(),
    };
    let mut place = folder.to_owned();
    for part in path.split('/') {
        if matches!(part, "" | "." | "..") || part.contains(['\\', '\0']) {
            return Err(escape());
        }
        place.push(part);
        if fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink()) {
            return Err(escape());
        }
    }
    Ok(place)
}

fn write(place: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(place, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> BTreeMap<String, String> {
        let file = |path: &&str| ((*path).to_owned(), "text".to_owned());
        paths.iter().map(file).collect()
    }

    #[test]
    fn files_are_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let all = files(&["web/templates/a.yaml", "web/b.yaml"]);
        let written = write_files(&out, &all).unwrap();
        assert_eq!(write_files(&out, &all).unwrap(), written);
        assert_eq!(written[0], out.join("web/b.yaml"));
        assert_eq!(fs::read_to_string(&written[1]).unwrap(), "text");
    }

    #[track_caller]
    fn check_refused(folder: &Path, path: &str) {
        let error = write_files(folder, &files(&["ok.yaml", path])).unwrap_err();
        assert!(matches!(error, Error::Escape { .. }), "{path}: {error}");
        assert!(!folder.join("ok.yaml").exists(), "{path}");
    }

    #[test]
    fn nothing_is_written_outside() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        for path in ["../a", "a/../../b", "/etc/a", "a//b", "./a", "a\\..\\b", ""] {
            check_refused(&out, path);
        }
        std::os::unix::fs::symlink(folder.path(), out.join("link")).unwrap();
        check_refused(&out, "link/a");
        check_refused(&out, "link");
        assert!(!folder.path().join("a").exists());
    }
}
