//! Where rendered text goes: a buffer that refuses to grow past a limit or a deadline.
//!
//! Bytes come in from the template engine, text goes out. What is said of a crossed limit is
//! left to the callers.

use std::io::{self, ErrorKind, Write};

/// The clock is asked once in so many writes.
const WRITES_PER_LOOK: u32 = 64;

/// The limit that a [`Sink`] met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crossed {
    /// The output grew too large.
    Bytes,
    /// The time is up.
    Time,
}

/// A buffer with limits.
pub(super) struct Sink<'a> {
    buffer: Vec<u8>,
    limit: usize,
    expired: Option<&'a (dyn Fn() -> bool + Sync)>,
    writes: u32,
    crossed: Option<Crossed>,
}

impl<'a> Sink<'a> {
    /// Makes an empty buffer for at most `limit` bytes, that stops once `expired` is true.
    pub(super) fn new(limit: usize, expired: Option<&'a (dyn Fn() -> bool + Sync)>) -> Self {
        Self {
            buffer: Vec::with_capacity(limit.min(4096)),
            limit,
            expired,
            writes: 0,
            crossed: None,
        }
    }

    /// The limit that was met, if one was.
    pub(super) fn crossed(&self) -> Option<Crossed> {
        self.crossed
    }

    /// What was written; none if it is not UTF-8.
    pub(super) fn into_text(self) -> Option<String> {
        String::from_utf8(self.buffer).ok()
    }

    fn stop(&mut self, limit: Crossed) -> io::Error {
        self.crossed = Some(limit);
        io::Error::from(ErrorKind::QuotaExceeded)
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.writes.is_multiple_of(WRITES_PER_LOOK) && self.expired.is_some_and(|over| over()) {
            return Err(self.stop(Crossed::Time));
        }
        self.writes = self.writes.wrapping_add(1);
        if self.buffer.len() + bytes.len() > self.limit {
            return Err(self.stop(Crossed::Bytes));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted() {
        let mut sink = Sink::new(4, None);
        sink.write_all(b"abcd").unwrap();
        assert!(sink.write_all(b"e").is_err());
        assert_eq!(sink.crossed(), Some(Crossed::Bytes));
        assert_eq!(sink.into_text().as_deref(), Some("abcd"));
    }

    #[test]
    fn the_deadline_stops_writing() {
        let mut sink = Sink::new(1000, Some(&|| true));
        assert!(sink.write_all(b"a").is_err());
        assert_eq!(sink.crossed(), Some(Crossed::Time));
    }
}
