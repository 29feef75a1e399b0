//! `pintle test`.

use std::process::ExitCode;

use pintle::ops::{self, Logs, TestRequest};

use super::turn::in_turn;
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
        pending_timeout: args.lock.pending.patience(),
    };
    let format = args.output.output;
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let attempt = async || {
            let mut progress = Progress::of_change(&args.name, format);
            let mut tell = |event| progress.on(event);
            Ok(Box::pin(ops::test(&session, &request, &mut tell)).await?)
        };
        let tested = in_turn(&session, (&args.lock, format), attempt).await?;
        output::hooks::print(&tested, format)?;
        match tested.failure {
            Some(error) => Err(error.into()),
            None => Ok(ExitCode::SUCCESS),
        }
    })
}
