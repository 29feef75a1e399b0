//! The tar inside of the gzip, as a stream that ends at the limits.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::Limits;

/// What the headers and the padding of as many entries as are allowed come to, with room to spare.
const OVERHEAD: usize = 32 << 20;

/// Why a [`Stream`] ended early.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum Crossed {
    /// There is too much, packed or unpacked.
    #[error("there is more than {0} bytes")]
    Bytes(usize),
    /// It unpacks to too many times its size.
    #[error("it unpacks to too many times its size")]
    Ratio,
    /// There is something behind the end.
    #[error("there is something behind the end")]
    Trailing,
}

/// Unpacks while it is read. Members of gzip that follow each other are one stream, as to `gzip`.
pub(super) struct Stream<R> {
    decoder: MultiGzDecoder<Packed<R>>,
    limits: Limits,
    unpacked: u64,
}

impl<R: Read> Stream<R> {
    pub(super) fn new(archive: R, limits: Limits) -> Self {
        let packed = Packed {
            archive,
            count: 0,
            limit: limits.total,
        };
        Self {
            decoder: MultiGzDecoder::new(packed),
            limits,
            unpacked: 0,
        }
    }

    /// Reads what stands behind the end of the tar: zeros, and the checksum of gzip.
    pub(super) fn end(mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let count = self.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            if buffer[..count].iter().any(|byte| *byte != 0) {
                return Err(io::Error::other(Crossed::Trailing));
            }
        }
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        self.unpacked += count as u64;
        let limits = self.limits;
        if self.unpacked > (limits.total + OVERHEAD) as u64 {
            return Err(io::Error::other(Crossed::Bytes(limits.total)));
        }
        let packed = self.decoder.get_ref().count;
        if self.unpacked > limits.ratio_from && self.unpacked / limits.ratio > packed {
            return Err(io::Error::other(Crossed::Ratio));
        }
        Ok(count)
    }
}

/// Counts what is read of the archive itself: many members of gzip can unpack to nothing at all.
struct Packed<R> {
    archive: R,
    count: u64,
    limit: usize,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.archive.read(buffer)?;
        self.count += count as u64;
        if self.count > self.limit as u64 {
            return Err(io::Error::other(Crossed::Bytes(self.limit)));
        }
        Ok(count)
    }
}
