//! Unpacking chart archives: what `helm package` makes, a gzipped tar of one folder.
//!
//! The bytes of an archive come in, the files below its folder go out. Nothing is written, and what is
//! held in memory is bounded by the limits below, whatever the archive says of itself. What the files
//! mean is left to [`super::Chart::from_files`].
//!
//! The rules are Helm's (`pkg/chart/loader/archive`), and stricter where Helm guesses: links, devices,
//! sparse files, entries beside the folder and two entries of one path are refused, and so is an
//! archive that is damaged or goes on behind its end.

mod entry;
mod error;
mod stream;

use std::collections::HashSet;
use std::io::Read;

use tar::{Archive, EntryType};

use super::{File, MAX_ENTRIES, MAX_FILE, MAX_TOTAL};
use entry::Names;
pub use error::Error;
use stream::Stream;

/// How large the records before an entry may be, which hold its name if that is long.
pub const MAX_RECORDS: usize = 64 << 10;
/// An archive may not unpack to more than so many times its size. Text of charts comes to about 5;
/// gzip could do 1,000.
pub const MAX_RATIO: u64 = 200;
/// The ratio is not asked for before so much has been unpacked.
pub const RATIO_FROM: u64 = 8 << 20;

/// What unpacking may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    file: usize,
    total: usize,
    entries: usize,
    ratio: u64,
    ratio_from: u64,
}

const LIMITS: Limits = Limits {
    file: MAX_FILE,
    total: MAX_TOTAL,
    entries: MAX_ENTRIES,
    ratio: MAX_RATIO,
    ratio_from: RATIO_FROM,
};

/// Unpacks an archive: its files, in the order of the archive, with paths below its one folder.
///
/// Paths have forward slashes (backslashes are taken for them, as by Helm), are relative, have neither
/// `.` nor `..` in them, and differ from each other. Folders leave no trace.
///
/// # Errors
/// If it is no gzipped tar or a damaged one, if something in it is neither a file nor a folder or has
/// a path that is not allowed, if it is empty, or if it crosses a limit: [`MAX_FILE`] a file,
/// [`MAX_TOTAL`] and [`MAX_ENTRIES`] in all, [`MAX_RECORDS`] and [`MAX_RATIO`].
pub fn unpack(archive: impl Read) -> Result<Vec<File>, Error> {
    unpack_within(archive, LIMITS)
}

fn unpack_within(archive: impl Read, limits: Limits) -> Result<Vec<File>, Error> {
    let mut tar = Archive::new(Stream::new(archive, limits));
    let mut unpacked = Unpacked::new(limits);
    // Raw: names of any length would otherwise be read into memory before anyone can ask.
    let entries = tar.entries().map_err(|cause| Error::broken("", cause))?;
    for entry in entries.raw(true) {
        let entry = entry.map_err(|cause| Error::broken(&unpacked.last, cause))?;
        unpacked.take(entry)?;
    }
    let Unpacked { last, files, .. } = unpacked;
    let end = tar.into_inner().end();
    end.map_err(|cause| Error::broken(&last, cause))?;
    if files.is_empty() {
        return Err(Error::Empty);
    }
    Ok(files)
}

/// What has been unpacked so far.
struct Unpacked {
    limits: Limits,
    names: Names,
    /// What was unpacked last, to name it where what follows cannot be read.
    last: String,
    files: Vec<File>,
    paths: HashSet<String>,
    entries: usize,
    total: usize,
}

impl Unpacked {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            names: Names::default(),
            last: String::new(),
            files: Vec::new(),
            paths: HashSet::new(),
            entries: 0,
            total: 0,
        }
    }

    fn take<R: Read>(&mut self, mut entry: tar::Entry<'_, R>) -> Result<(), Error> {
        let kind = entry.header().entry_type();
        if matches!(
            kind,
            EntryType::XHeader | EntryType::XGlobalHeader | EntryType::GNULongName
        ) {
            self.count()?;
            return self.names.read(kind, &mut entry);
        }
        let name = self.names.of(entry.header())?;
        self.last.clone_from(&name);
        self.count()?;
        let kind = match kind {
            // Tars from before POSIX end the names of folders in a slash.
            EntryType::Regular if name.ends_with(['/', '\\']) => EntryType::Directory,
            kind => kind,
        };
        let path = self.names.below_top(&name, kind)?;
        match path {
            None => Ok(()),
            Some(path) => self.file(&name, path, &mut entry),
        }
    }

    fn count(&mut self) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Error::too_much(&self.last, self.limits.entries, "entries"));
        }
        Ok(())
    }

    fn file(&mut self, name: &str, path: String, entry: &mut impl Read) -> Result<(), Error> {
        if !self.paths.insert(path.clone()) {
            return Err(Error::entry(name, "is there twice"));
        }
        let mut data = Vec::new();
        let limit = self.limits.file;
        let taken = entry.take(limit as u64 + 1).read_to_end(&mut data);
        taken.map_err(|cause| Error::broken(name, cause))?;
        if data.len() > limit {
            return Err(Error::too_large(name, limit));
        }
        self.total += data.len();
        if self.total > self.limits.total {
            return Err(Error::too_much(name, self.limits.total >> 20, "MiB"));
        }
        self.files.push(File { path, data });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
