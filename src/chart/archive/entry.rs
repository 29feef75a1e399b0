//! What the entries of an archive are called, and which kinds of them are allowed.

use std::io::Read;

use tar::{EntryType, Header, PaxExtensions};

use super::{Error, MAX_RECORDS};
use crate::chart::load::path_problem;

/// No path may be longer: what Linux takes.
const MAX_PATH: usize = 4096;

/// Finds the names of entries.
#[derive(Default)]
pub(super) struct Names {
    /// The name of the next entry, if a record before it says so.
    next: Option<Vec<u8>>,
    /// The size of the next entry, if a record before it says so.
    next_size: Option<u64>,
    /// The one folder that everything is in.
    top: Option<String>,
    /// The entry named last.
    last: String,
}

impl Names {
    /// Reads a record that stands before an entry, of tar's format of 2001 or of GNU tar.
    pub(super) fn read(&mut self, kind: EntryType, record: &mut impl Read) -> Result<(), Error> {
        let mut data = Vec::new();
        let taken = record.take(MAX_RECORDS as u64 + 1).read_to_end(&mut data);
        taken.map_err(|cause| Error::broken(&self.last, cause))?;
        if data.len() > MAX_RECORDS {
            return Err(Error::Records {
                after: self.last.clone(),
            });
        }
        match kind {
            EntryType::GNULongName => {
                let end = data.iter().position(|byte| *byte == 0);
                data.truncate(end.unwrap_or(data.len()));
                self.next = Some(data);
            }
            EntryType::XHeader => self.read_records(&data)?,
            // What an archive says of all its entries, such as a comment.
            _ => {}
        }
        Ok(())
    }

    fn read_records(&mut self, data: &[u8]) -> Result<(), Error> {
        for record in PaxExtensions::new(data) {
            let record = record.map_err(|cause| Error::broken(&self.last, cause))?;
            match record.key_bytes() {
                b"path" => self.next = Some(record.value_bytes().to_owned()),
                b"size" => {
                    let size = record.value().ok().and_then(|text| text.parse().ok());
                    self.next_size = Some(size.unwrap_or(u64::MAX));
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(Error::entry(&self.last, "is followed by a sparse file"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The name of the entry with this header, by the records before it or by itself.
    pub(super) fn of(&mut self, header: &Header) -> Result<String, Error> {
        let name = self.next.take();
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        let lossy = String::from_utf8_lossy(&name).into_owned();
        let name = String::from_utf8(name);
        let name = name.map_err(|_| Error::entry(&lossy, "has a name that is not UTF-8"))?;
        if name.len() > MAX_PATH {
            return Err(Error::entry(&name, "has a name of more than 4096 bytes"));
        }
        // Readers that disagree about a size see different archives in one.
        let size = self.next_size.take();
        if size.is_some_and(|size| header.entry_size().ok() != Some(size)) {
            return Err(Error::entry(&name, "has two sizes"));
        }
        self.last.clone_from(&name);
        Ok(name)
    }

    /// The path of a file below the one folder of the archive; none for a folder.
    pub(super) fn below_top(
        &mut self,
        name: &str,
        kind: EntryType,
    ) -> Result<Option<String>, Error> {
        let refuse = |problem| Err(Error::entry(name, problem));
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            EntryType::Symlink | EntryType::Link | EntryType::GNULongLink => {
                return refuse("is a link");
            }
            EntryType::GNUSparse => return refuse("is a sparse file"),
            _ => return refuse("is neither a file nor a folder"),
        }
        let slashed = name.replace('\\', "/");
        if slashed.starts_with('/') || slashed.as_bytes().get(1) == Some(&b':') {
            return refuse("has an absolute path");
        }
        let (top, rest) = slashed.split_once('/').unwrap_or((&slashed, ""));
        if top == ".." || rest.split('/').any(|part| part == "..") {
            return refuse("has .. in its path");
        }
        let is_folder = kind == EntryType::Directory;
        let parts = rest.split('/').filter(|part| !matches!(*part, "" | "."));
        let path = parts.collect::<Vec<_>>().join("/");
        if path.is_empty() && !is_folder {
            return refuse("is not in the folder of the chart");
        }
        if self.top.get_or_insert_with(|| top.to_owned()) != top {
            return refuse("is in another folder than what is before it");
        }
        if is_folder {
            return Ok(None);
        }
        match path_problem(&path) {
            None => Ok(Some(path)),
            Some(_) => refuse("has a path that no chart can have"),
        }
    }
}
