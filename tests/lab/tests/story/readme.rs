//! The commands of the README's story, to be run as they stand there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::site::repository;
use crate::tenant::Tenant;

/// The mark before a block whose commands belong to the story.
const MARK: &str = "<!-- lab -->\n```\n";

/// The release and namespace of the story, which a test has under a name of its own.
const NAME: &str = "tenant-a";

/// The commands that are left, in their order.
pub(crate) struct Readme(RefCell<VecDeque<String>>);

impl Readme {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(repository().join("README.md")).unwrap();
        let blocks = text.split(MARK).skip(1);
        let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
        let commands = blocks.flat_map(str::lines).map(str::to_owned);
        Self(RefCell::new(commands.collect()))
    }

    /// Runs the next command, which has to begin with `start`, for a tenant.
    #[track_caller]
    pub(crate) fn next(&self, start: &str, tenant: &Tenant<'_>) -> Output {
        let line = self.0.borrow_mut().pop_front().unwrap_or_default();
        assert!(line.starts_with(start), "{line:?} is not {start:?}");
        let programs = Path::new(env!("CARGO_BIN_EXE_lab")).parent().unwrap();
        let path = format!("{}:/usr/bin:/bin", programs.display());
        let mut bash = Command::new("bash");
        bash.args(["-c", &line.replace(NAME, &tenant.name)]);
        bash.envs(tenant.site.environment(&path.into()));
        let output = bash.current_dir(repository()).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        output
    }

    /// Expects that every command was run.
    #[track_caller]
    pub(crate) fn expect_end(&self) {
        let left = self.0.borrow();
        assert!(left.is_empty(), "{left:?}");
    }
}
