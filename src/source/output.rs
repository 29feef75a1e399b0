//! Writing files: rendered ones into a folder, and one that is for its owner alone.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
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

/// Writes a file that its owner alone may read. It is there as a whole or not at all; what stands at
/// the path is replaced.
///
/// # Errors
/// If it cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let write = || {
        let folder = folder.unwrap_or(Path::new("."));
        // Only the owner may read a temporary file, and moving it keeps that.
        let mut file = tempfile::Builder::new()
            .prefix(".pintle-")
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|cause: io::Error| Error::Write {
        path: path.to_owned(),
        cause,
    })
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

    #[test]
    fn a_private_file_is_its_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        fs::write(&path, "old").unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = write_private(folder.path(), "new").unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
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
