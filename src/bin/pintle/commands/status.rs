//! `pintle status`.

use std::process::ExitCode;

use pintle::ops;

use crate::cli::{Global, Status};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(global: &Global, args: &Status) -> Result<ExitCode, Failure> {
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let release = ops::find(&session, args.revision.wanted()).await?;
        let resources = ops::resources(&session, &release).await?;
        let credentials = ops::credentials(&session, &release).await?;
        let status = output::status::Status {
            release: &release,
            resources: &resources,
            credentials: &credentials,
            now: (session.now)(),
        };
        output::status::print(&status, args.output.output)?;
        Ok(ExitCode::SUCCESS)
    })
}
