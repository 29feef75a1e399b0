//! Reading a chart's folder.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::ignore::{Entry, Rules};
use super::{Error, read_limited, unreadable};
use crate::chart::{File, MAX_ENTRIES, MAX_FILE, MAX_TOTAL};

/// Reads every file below `path` that is not ignored, sorted by name in each folder.
pub(super) fn read(path: &Path) -> Result<Vec<File>, Error> {
    let root = fs::canonicalize(path).map_err(|cause| missing(path, cause))?;
    let metadata = fs::metadata(&root).map_err(|cause| unreadable(path, cause))?;
    if !metadata.is_dir() {
        return Err(Error::NotDirectory {
            path: path.to_owned(),
        });
    }
    if fs::symlink_metadata(root.join("Chart.yaml")).is_err() {
        return Err(Error::NoChartYaml {
            path: path.to_owned(),
        });
    }
    let mut walk = Walk {
        given: path.to_owned(),
        rules: Rules::default(),
        files: Vec::new(),
        entries: 0,
        total: 0,
        open: vec![root],
    };
    walk.rules = walk.read_rules()?;
    walk.folder("")?;
    Ok(walk.files)
}

fn missing(path: &Path, cause: io::Error) -> Error {
    if !matches!(
        cause.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    ) {
        return unreadable(path, cause);
    }
    let text = path.to_string_lossy();
    let could_be_repository = !text.starts_with(['.', '/', '~']) && text.matches('/').count() == 1;
    let hint = if could_be_repository {
        " (charts from repositories are not supported yet)"
    } else {
        ""
    };
    Error::NoDirectory {
        path: path.to_owned(),
        hint,
    }
}

struct Walk {
    /// The chart's folder as the user named it.
    given: PathBuf,
    rules: Rules,
    files: Vec<File>,
    entries: usize,
    total: usize,
    /// The real paths of the folders being read, from the chart's own down; none is a link.
    open: Vec<PathBuf>,
}

/// Something found in a folder, links followed.
struct Found {
    real: PathBuf,
    metadata: Metadata,
}

impl Walk {
    fn read_rules(&self) -> Result<Rules, Error> {
        const FILE: &str = ".helmignore";
        if fs::symlink_metadata(self.open[0].join(FILE)).is_err() {
            return Rules::parse("");
        }
        let found = self.resolve(FILE, FILE)?;
        let text = String::from_utf8(read_file(&found, FILE)?);
        Rules::parse(&text.map_err(|_| Error::NotText {
            path: FILE.to_owned(),
        })?)
    }

    /// Reads the innermost open folder, which the chart knows as `path`.
    fn folder(&mut self, path: &str) -> Result<(), Error> {
        for name in self.names()? {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}/{name}")
            };
            let found = match self.resolve(&name, &path) {
                Err(_) if self.is_ignored_link(&name, &path) => continue,
                found => found?,
            };
            if found.metadata.is_dir() {
                self.enter(&path, found.real)?;
            } else if !self.rules.ignores(&path, Entry::File) {
                self.file(path, &found)?;
            }
        }
        Ok(())
    }

    fn enter(&mut self, path: &str, real: PathBuf) -> Result<(), Error> {
        if self.rules.ignores(path, Entry::Folder) {
            return Ok(());
        }
        if self.open.contains(&real) {
            return Err(Error::Loop {
                link: path.to_owned(),
                target: real,
            });
        }
        self.open.push(real);
        self.folder(path)?;
        self.open.pop();
        Ok(())
    }

    fn file(&mut self, path: String, found: &Found) -> Result<(), Error> {
        if !found.metadata.is_file() {
            return Err(Error::Irregular { path });
        }
        let data = read_file(found, &path)?;
        self.total += data.len();
        if self.total > MAX_TOTAL {
            return Err(self.too_much(MAX_TOTAL >> 20, "MiB"));
        }
        self.files.push(File { path, data });
        Ok(())
    }

    fn names(&mut self) -> Result<Vec<String>, Error> {
        let folder = self.current();
        let mut names = Vec::new();
        let failed = |cause| unreadable(folder, cause);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.into_string().map_err(|name| Error::Name {
                path: folder.join(name),
            })?;
            names.push(name);
            if self.entries + names.len() > MAX_ENTRIES {
                return Err(self.too_much(MAX_ENTRIES, "entries"));
            }
        }
        self.entries += names.len();
        names.sort();
        Ok(names)
    }

    /// Finds what `name` in the innermost open folder is, and refuses a link out of the chart.
    fn resolve(&self, name: &str, path: &str) -> Result<Found, Error> {
        let entry = self.current().join(name);
        let failed = |cause| unreadable(&entry, cause);
        let metadata = fs::symlink_metadata(&entry).map_err(failed)?;
        if !metadata.is_symlink() {
            return Ok(Found {
                real: entry,
                metadata,
            });
        }
        let real = fs::canonicalize(&entry).map_err(failed)?;
        if !real.starts_with(&self.open[0]) {
            return Err(Error::Outside {
                link: path.to_owned(),
                target: real,
            });
        }
        let metadata = fs::symlink_metadata(&real).map_err(failed)?;
        Ok(Found { real, metadata })
    }

    /// A link that leads nowhere or out of the chart does no harm if it is not taken in.
    fn is_ignored_link(&self, name: &str, path: &str) -> bool {
        let entry = self.current().join(name);
        fs::symlink_metadata(entry).is_ok_and(|metadata| metadata.is_symlink())
            && self.rules.ignores(path, Entry::File)
    }

    fn current(&self) -> &Path {
        self.open
            .last()
            .map_or(self.given.as_path(), PathBuf::as_path)
    }

    fn too_much(&self, limit: usize, unit: &'static str) -> Error {
        Error::TooMuch {
            path: self.given.clone(),
            limit,
            unit,
        }
    }
}

/// Reads a file that was found to be a regular one, if it still is the same.
fn read_file(found: &Found, path: &str) -> Result<Vec<u8>, Error> {
    let failed = |cause| unreadable(&found.real, cause);
    let file = fs::File::open(&found.real).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    if !is_same(&found.metadata, &opened) {
        return Err(Error::Changed {
            path: path.to_owned(),
        });
    }
    let data = read_limited(file, MAX_FILE).map_err(failed)?;
    data.ok_or_else(|| Error::TooLarge {
        path: path.to_owned(),
        limit: MAX_FILE >> 20,
    })
}

/// Between looking and opening, a file can be replaced by a link or a pipe.
#[cfg(unix)]
fn is_same(found: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    opened.is_file() && (found.dev(), found.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;
    use std::os::unix::fs::symlink;

    const CHART: &str = "apiVersion: v2\nname: kcp\nversion: 1.0.0\n";

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            for (path, text) in [("Chart.yaml", CHART)].iter().chain(files) {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            folder
        }

        /// The chart's folder; beside it, things that a chart must not reach.
        fn path(&self) -> PathBuf {
            self.0.path().join("chart")
        }

        fn link(&self, target: &str, link: &str) -> &Self {
            symlink(target, self.path().join(link)).unwrap();
            self
        }

        #[track_caller]
        fn check(&self, expected: &[&str]) {
            let files = read(&self.path()).unwrap();
            let found: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
            assert_eq!(found, expected);
        }

        #[track_caller]
        fn check_error(&self, expected: &str) {
            let error = read(&self.path()).unwrap_err().to_string();
            let real = fs::canonicalize(self.0.path()).unwrap();
            let error = error.replace(real.to_str().unwrap(), "TMP");
            assert_eq!(
                error.replace(self.0.path().to_str().unwrap(), "TMP"),
                expected
            );
        }
    }

    #[test]
    fn files_are_sorted_and_filtered() {
        Folder::new(&[
            (".helmignore", "# none\n*.bak\n/ci/\n"),
            ("values.yaml", ""),
            ("templates/b.yaml", ""),
            ("templates/a.yaml", ""),
            ("templates/.swp", ""),
            ("templates/tests/ci/x.yaml", ""),
            ("ci/values.yaml", ""),
            ("old.bak", ""),
            (".git/config", ""),
        ])
        .check(&[
            ".git/config",
            ".helmignore",
            "Chart.yaml",
            "templates/a.yaml",
            "templates/b.yaml",
            "templates/tests/ci/x.yaml",
            "values.yaml",
        ]);
    }

    #[test]
    fn a_folder_that_is_no_chart_is_refused() {
        let folder = Folder::new(&[]);
        fs::remove_file(folder.path().join("Chart.yaml")).unwrap();
        folder.check_error("no chart at TMP/chart: Chart.yaml is missing");
        fs::remove_dir(folder.path()).unwrap();
        folder.check_error("no chart at TMP/chart: no such directory");
        fs::write(folder.path(), "").unwrap();
        folder.check_error("no chart at TMP/chart: not a directory");
        assert_eq!(
            read(Path::new("stable/none")).unwrap_err().to_string(),
            "no chart at stable/none: no such directory \
             (charts from repositories are not supported yet)",
        );
        assert_eq!(
            read(Path::new("./none")).unwrap_err().to_string(),
            "no chart at ./none: no such directory",
        );
    }

    #[test]
    fn links_inside_the_chart_are_followed() {
        let folder = Folder::new(&[("shared/a.yaml", "a"), ("x.txt", "x")]);
        folder.link("shared", "templates").link("x.txt", "y.txt");
        folder.check(&[
            "Chart.yaml",
            "shared/a.yaml",
            "templates/a.yaml",
            "x.txt",
            "y.txt",
        ]);
    }

    #[test]
    fn links_out_of_the_chart_are_refused() {
        let folder = Folder::new(&[]);
        fs::write(folder.0.path().join("secret"), "s").unwrap();
        fs::create_dir(folder.0.path().join("chart-two")).unwrap();
        folder.link("../secret", "link");
        folder.check_error("link links to TMP/secret, which is outside of the chart");
        fs::remove_file(folder.path().join("link")).unwrap();
        folder.link("../chart-two", "templates");
        folder.check_error("templates links to TMP/chart-two, which is outside of the chart");
        fs::remove_file(folder.path().join("templates")).unwrap();
        folder.link("../secret", ".helmignore");
        folder.check_error(".helmignore links to TMP/secret, which is outside of the chart");
    }

    #[test]
    fn a_link_to_nowhere_is_refused_unless_ignored() {
        let folder = Folder::new(&[]);
        folder.link("nowhere", "link");
        folder.check_error("cannot read TMP/chart/link");
        assert!(read(&folder.path()).unwrap_err().source().is_some());
        fs::write(folder.path().join(".helmignore"), "link\n").unwrap();
        folder.check(&[".helmignore", "Chart.yaml"]);
    }

    #[test]
    fn loops_end() {
        let folder = Folder::new(&[("a/x", "")]);
        folder.link("..", "a/up");
        folder.check_error("a/up links to TMP/chart, which contains it");
        let folder = Folder::new(&[("a/x", ""), ("b/x", "")]);
        folder.link("../b", "a/b").link("../a", "b/a");
        folder.check_error("a/b/a links to TMP/chart/a, which contains it");
        let folder = Folder::new(&[]);
        folder.link("self", "self");
        folder.check_error("cannot read TMP/chart/self");
    }

    #[test]
    fn only_files_and_folders_are_read() {
        let folder = Folder::new(&[]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
        folder.check_error("s is neither a file nor a folder");
        let folder = Folder::new(&[]);
        folder.link("/dev/zero", "zero");
        folder.check_error("zero links to /dev/zero, which is outside of the chart");
    }

    #[test]
    fn limits_are_named() {
        let folder = Folder::new(&[("large", &"x".repeat(MAX_FILE))]);
        assert!(read(&folder.path()).is_ok());
        let folder = Folder::new(&[("large", &"x".repeat(MAX_FILE + 1))]);
        folder.check_error("large is larger than 5 MiB");
        let folder = Folder::new(&[("large", &"x".repeat(MAX_FILE))]);
        for n in 0..20 {
            folder.link("large", &format!("link{n}"));
        }
        folder.check_error("the chart at TMP/chart has more than 100 MiB");
        let folder = Folder::new(&[]);
        for n in 0..MAX_ENTRIES {
            folder.link("Chart.yaml", &format!("f{n}"));
        }
        folder.check_error("the chart at TMP/chart has more than 10000 entries");
    }
}
