//! A terminal that nobody sits at: what a program writes on it is read by this process.

use std::fs::File;
use std::io::{self, Read as _};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A terminal of 30 rows and 100 columns.
#[derive(Debug)]
pub struct Terminal {
    controller: File,
}

impl Terminal {
    /// Opens one, and gives its side for a program too.
    ///
    /// # Errors
    /// If the system has no terminals left.
    pub fn open() -> io::Result<(Self, File)> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        let size = Winsize {
            ws_row: 30,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&controller, size)?;
        let name = ptsname(&controller, vec![])?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let program = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
        let controller = File::from(controller);
        Ok((Self { controller }, File::from(program)))
    }

    /// Reads all that is written until no program has the terminal open any more.
    pub fn read(mut self) -> String {
        let mut bytes = vec![];
        // Its end is an error in Linux.
        let _ = self.controller.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
