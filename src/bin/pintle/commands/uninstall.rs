//! `pintle uninstall`.

use std::process::ExitCode;

use pintle::ops::{self, NamespacePolicy};

use super::change;
use crate::cli::{Global, Uninstall};
use crate::connection::with_cluster;
use crate::failure::Failure;

pub(super) fn run(global: &Global, args: &Uninstall) -> Result<ExitCode, Failure> {
    let options = change::options(&args.change, 0, NamespacePolicy::MustExist);
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let change = ops::uninstall(&session).await?;
        let outcome = change::carry_out(&session, change, &args.change, &options).await?;
        change::print(&outcome, &args.change, "uninstalled")
    })
}
