//! Where charts and values come from.
//!
//! A reference comes in, a valid [`Chart`] goes out; the path of a file of values comes in, its
//! text goes out. Only this module of the library reads files. What the files mean is left to
//! [`crate::chart`].

#![expect(
    clippy::disallowed_methods,
    reason = "reading files is this module's work"
)]

mod create;
mod directory;
mod ignore;
mod output;
mod remote;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::chart::{self, Chart};

pub use create::create;
pub use output::{write_files, write_private};
pub use remote::{fetch_values, is_address, shown};

/// A file of values may not be larger than this.
const MAX_VALUES: usize = 16 << 20;

/// Where a chart is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChartRef {
    /// In a folder.
    Directory(PathBuf),
    /// In an archive, as `helm package` makes them.
    Archive(PathBuf),
}

/// A chart or a file of values that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reference is of a kind that cannot be loaded.
    #[error("cannot load {reference}: {what} are not supported yet")]
    Unsupported {
        /// The reference.
        reference: String,
        /// What it refers to.
        what: &'static str,
    },
    /// There is nothing at the path.
    #[error("no chart at {}: no such directory{hint}", path.display())]
    NoDirectory {
        /// The path.
        path: PathBuf,
        /// What the user may have meant, in brackets, or nothing.
        hint: &'static str,
    },
    /// There is something else at the path.
    #[error("no chart at {}: not a directory", path.display())]
    NotDirectory {
        /// The path.
        path: PathBuf,
    },
    /// There is no file at the path of an archive, but nothing or something else.
    #[error("no chart at {}: no such archive", path.display())]
    NoArchive {
        /// The path.
        path: PathBuf,
    },
    /// An archive cannot be unpacked.
    #[error("cannot unpack the chart at {}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Box<chart::archive::Error>,
    },
    /// The folder has no `Chart.yaml`.
    #[error("no chart at {}: Chart.yaml is missing", path.display())]
    NoChartYaml {
        /// The folder.
        path: PathBuf,
    },
    /// There is something where a new chart is to be.
    #[error("cannot create a chart at {}: something exists already there", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// A new chart cannot be called so.
    #[error(
        "{name:?} cannot be the name of a new chart: lower-case letters, digits and dashes make one"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// A file would be written outside of the folder that it belongs into.
    #[error("cannot write {path:?} into {}: it would lead out of that folder", folder.display())]
    Escape {
        /// The path below the folder.
        path: String,
        /// The folder.
        folder: PathBuf,
    },
    /// The operating system refuses to write.
    #[error("cannot write {}", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why it was refused.
        #[source]
        cause: io::Error,
    },
    /// The operating system refuses to read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why it was refused.
        #[source]
        cause: io::Error,
    },
    /// A link leads out of the chart.
    #[error("{link} links to {}, which is outside of the chart", target.display())]
    Outside {
        /// The link, below the chart's folder.
        link: String,
        /// What it points to.
        target: PathBuf,
    },
    /// A link leads to a folder that contains it.
    #[error("{link} links to {}, which contains it", target.display())]
    Loop {
        /// The link, below the chart's folder.
        link: String,
        /// What it points to.
        target: PathBuf,
    },
    /// A device, pipe or socket stands in the chart.
    #[error("{path} is neither a file nor a folder")]
    Irregular {
        /// The path below the chart's folder.
        path: String,
    },
    /// A file was replaced while it was being read.
    #[error("{path} changed while it was read")]
    Changed {
        /// The path below the chart's folder.
        path: String,
    },
    /// A name is not UTF-8.
    #[error("{} has a name that is not UTF-8", path.display())]
    Name {
        /// The path, with replacement characters.
        path: PathBuf,
    },
    /// A file is too large.
    #[error("{path} is larger than {limit} MiB")]
    TooLarge {
        /// The file.
        path: String,
        /// The limit in MiB.
        limit: usize,
    },
    /// The chart is too large.
    #[error("the chart at {} has more than {limit} {unit}", path.display())]
    TooMuch {
        /// The chart's folder.
        path: PathBuf,
        /// The limit crossed.
        limit: usize,
        /// What was counted.
        unit: &'static str,
    },
    /// An address did not give a file.
    #[error("cannot fetch {address}")]
    Fetch {
        /// The address, without what may be secret in it.
        address: String,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A line of `.helmignore` is wrong.
    #[error(".helmignore:{line}: {problem}")]
    Ignore {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file that must be text is not.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// The file.
        path: String,
    },
    /// The files do not make a chart.
    #[error("cannot load the chart at {}", path.display())]
    Chart {
        /// The chart's folder or archive.
        path: PathBuf,
        /// What is wrong with them.
        #[source]
        cause: Box<chart::Error>,
    },
}

impl ChartRef {
    /// Reads a reference as a user writes it; nothing is looked up yet.
    ///
    /// # Errors
    /// If it refers to a registry or another address: only folders and archives can be loaded.
    pub fn parse(reference: &str) -> Result<Self, Error> {
        let what = if reference.starts_with("oci://") {
            "charts from registries"
        } else if reference.contains("://") {
            "charts from addresses"
        } else if is_archive(reference) {
            return Ok(Self::Archive(PathBuf::from(reference)));
        } else {
            return Ok(Self::Directory(PathBuf::from(reference)));
        };
        Err(Error::Unsupported {
            reference: reference.to_owned(),
            what,
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::Archive(path) => path,
        }
    }
}

/// Tells whether what a user writes refers to a chart, and not to a release: it has a slash, an
/// archive's ending or a dot at its start, or is the name of a folder with a `Chart.yaml`.
pub fn is_chart(reference: &str) -> bool {
    reference.contains('/')
        || reference.starts_with('.')
        || is_archive(reference)
        || Path::new(reference).join("Chart.yaml").is_file()
}

fn is_archive(reference: &str) -> bool {
    let endings = [".tgz", ".tar.gz"];
    endings.iter().any(|end| reference.ends_with(end))
}

/// Loads and checks a chart.
///
/// Of a folder, everything is taken in that its `.helmignore` does not rule out: up to 5 MiB a
/// file, 100 MiB and 10,000 entries in all. A link may point to something else inside the
/// folder, never out of it. Of an archive, everything is taken in: `.helmignore` was heeded when it
/// was packed.
///
/// # Errors
/// If there is no chart, if something cannot be read or crosses a limit, or if the files do not
/// make a valid chart.
pub fn load(chart: &ChartRef) -> Result<Chart, Error> {
    assemble(chart, files(chart)?)
}

/// Makes a chart of the [`files`] that were read of it.
///
/// # Errors
/// If they do not make a valid chart.
pub fn assemble(chart: &ChartRef, files: Vec<chart::File>) -> Result<Chart, Error> {
    let path = chart.path();
    let chart = Chart::from_files(files);
    chart.map_err(|cause| Error::Chart {
        path: path.to_owned(),
        cause: Box::new(cause),
    })
}

/// Reads the files of a chart, as [`load`] takes them, and makes nothing of them.
///
/// # Errors
/// If there is no chart, or if something cannot be read or crosses a limit.
pub fn files(chart: &ChartRef) -> Result<Vec<chart::File>, Error> {
    match chart {
        ChartRef::Directory(path) => directory::read(path),
        ChartRef::Archive(path) => read_archive(path),
    }
}

fn read_archive(path: &Path) -> Result<Vec<chart::File>, Error> {
    // Asked before it is opened: a pipe would not open before somebody writes to it.
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Err(Error::NoArchive {
            path: path.to_owned(),
        });
    }
    let archive = fs::File::open(path).map_err(|cause| unreadable(path, cause))?;
    let files = chart::archive::unpack(archive);
    files.map_err(|cause| Error::Archive {
        path: path.to_owned(),
        cause: Box::new(cause),
    })
}

/// Reads a file of values, up to 16 MiB.
///
/// # Errors
/// If the file cannot be read, is too large or not text, or if `file` is an address:
/// [`fetch_values`] takes those of http and https.
pub fn read_values(file: &str) -> Result<String, Error> {
    if file.contains("://") {
        return Err(Error::Unsupported {
            reference: shown(file),
            what: "values from addresses of this kind",
        });
    }
    let path = Path::new(file);
    let source = fs::File::open(path).map_err(|cause| unreadable(path, cause))?;
    read_values_from(file, source)
}

/// Reads a plan, up to 16 MiB.
///
/// # Errors
/// If the file cannot be read, is too large or not text.
pub fn read_plan(file: &str) -> Result<String, Error> {
    let path = Path::new(file);
    let source = fs::File::open(path).map_err(|cause| unreadable(path, cause))?;
    read_values_from(file, source)
}

/// Reads values from `source`, up to 16 MiB; `name` is what it is called in errors.
///
/// # Errors
/// If it cannot be read, is too large or not text.
pub fn read_values_from(name: &str, source: impl io::Read) -> Result<String, Error> {
    let data = read_limited(source, MAX_VALUES);
    let data = data.map_err(|cause| unreadable(Path::new(name), cause))?;
    let data = data.ok_or_else(|| Error::TooLarge {
        path: name.to_owned(),
        limit: MAX_VALUES >> 20,
    })?;
    String::from_utf8(data).map_err(|_| Error::NotText {
        path: name.to_owned(),
    })
}

/// Reads to the end; `None` if there are more than `limit` bytes.
fn read_limited(source: impl io::Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut data = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut data)?;
    Ok((data.len() <= limit).then_some(data))
}

fn unreadable(path: &Path, cause: io::Error) -> Error {
    Error::Read {
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_ref(reference: &str, expected: Result<&str, &str>) {
        let found = ChartRef::parse(reference).map_err(|error| error.to_string());
        let expected = expected.map(|path| {
            if is_archive(path) {
                ChartRef::Archive(path.into())
            } else {
                ChartRef::Directory(path.into())
            }
        });
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn references_are_told_apart() {
        check_ref("./charts/kcp", Ok("./charts/kcp"));
        check_ref("kcp", Ok("kcp"));
        check_ref(
            "oci://r/kcp",
            Err("cannot load oci://r/kcp: charts from registries are not supported yet"),
        );
        check_ref(
            "https://h/kcp.tgz",
            Err("cannot load https://h/kcp.tgz: charts from addresses are not supported yet"),
        );
        check_ref("kcp-1.0.0.tgz", Ok("kcp-1.0.0.tgz"));
    }

    #[test]
    fn a_folder_becomes_a_chart() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("Chart.yaml", "apiVersion: v2\nname: kcp\nversion: 1.0.0\n");
        write("values.yaml", "replicas: 3\n");
        let reference = ChartRef::Directory(folder.path().to_owned());
        let chart = load(&reference).unwrap();
        assert_eq!(
            (chart.metadata.name.as_str(), chart.values.0.len()),
            ("kcp", 1)
        );
        write("Chart.yaml", "name: kcp\n");
        let error = load(&reference).unwrap_err();
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "Chart.yaml:1:1: version is required",
        );
    }

    #[test]
    fn an_archive_is_the_folder_that_was_packed() {
        let folder = tempfile::tempdir().unwrap();
        let chart = folder.path().join("kcp");
        fs::create_dir_all(chart.join("templates")).unwrap();
        let write = |name: &str, text: &str| fs::write(chart.join(name), text).unwrap();
        write("Chart.yaml", "apiVersion: v2\nname: kcp\nversion: 1.0.0\n");
        write("values.yaml", "\u{feff}replicas: 3\n");
        write("templates/a.yaml", "a: 1\n");
        let path = folder.path().join("kcp-1.0.0.tgz");
        let pack = || {
            let file = fs::File::create(&path).unwrap();
            let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            let mut tar = tar::Builder::new(gzip);
            tar.append_dir_all("kcp", &chart).unwrap();
            tar.into_inner().unwrap().finish().unwrap();
        };
        pack();
        let archive = ChartRef::parse(path.to_str().unwrap()).unwrap();
        let packed = load(&archive).unwrap();
        assert_eq!(packed, load(&ChartRef::Directory(chart.clone())).unwrap());
        // What was packed is not ignored any more.
        write(".helmignore", "templates/\n");
        pack();
        assert_eq!(load(&archive).unwrap().templates, packed.templates);
    }

    #[track_caller]
    fn check_archive(path: &Path, expected: &str) {
        let error = load(&ChartRef::Archive(path.to_owned())).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let shown = path.display();
        check_archive(path, &format!("no chart at {shown}: no such archive"));
        let path = path.join("kcp.tgz");
        let shown = path.display();
        check_archive(&path, &format!("no chart at {shown}: no such archive"));
        fs::write(&path, "text").unwrap();
        check_archive(&path, &format!("cannot unpack the chart at {shown}"));
    }

    #[track_caller]
    fn check_values(file: &str, expected: Result<&str, &str>) {
        let found = read_values(file).map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn values_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, data: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, data).unwrap();
            path.to_str().unwrap().to_owned()
        };
        check_values(&file("a.yaml", b"a: 1\n"), Ok("a: 1\n"));
        let bad = file("bad.yaml", b"\xff");
        check_values(&bad, Err(&format!("{bad} is not UTF-8 text")));
        let large = file("large.yaml", &vec![b'#'; MAX_VALUES + 1]);
        check_values(&large, Err(&format!("{large} is larger than 16 MiB")));
        let missing = format!("{large}.none");
        check_values(&missing, Err(&format!("cannot read {missing}")));
        check_values(
            "s3://h/v",
            Err("cannot load s3://h/v: values from addresses of this kind are not supported yet"),
        );
    }
}
