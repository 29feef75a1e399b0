//! `pintle test`.

use std::process::ExitCode;

use pintle::ops::{self, Logs, TestRequest};

use crate::cli::{Global, Test};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;
use crate::output::progress::Progress;

pub(super) fn run(global: &Global, args: &Test) -> Result<ExitCode, Failure> {
    let request = TestRequest {
        filter: args.filter.iter().cloned().collect(),
        logs: if args.logs { Logs::Read } else { Logs::Leave },
        timeout: args.timeout,
    };
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let mut progress = Progress::new(&args.name);
        let mut tell = |event| progress.on(event);
        let tested = Box::pin(ops::test(&session, &request, &mut tell)).await?;
        output::hooks::print(&tested, args.output.output)?;
        match tested.failure {
            Some(error) => Err(error.into()),
            None => Ok(ExitCode::SUCCESS),
        }
    })
}
