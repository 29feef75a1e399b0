//! `pintle list`.

use std::process::ExitCode;

use pintle::ops;

use crate::cli::{Global, List};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(global: &Global, args: &List) -> Result<ExitCode, Failure> {
    with_cluster(global, async |connection| {
        let namespace = (!args.all_namespaces).then_some(connection.namespace.as_str());
        let entries = ops::list(&connection.cluster, namespace).await?;
        output::entries::print_list(&entries, args.output.output)?;
        Ok(ExitCode::SUCCESS)
    })
}
