//! `pintle status`.

use std::ops::ControlFlow;
use std::process::ExitCode;

use pintle::ops;

use crate::cli::{Global, Status};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;
use crate::output::release::Progress;

pub(super) fn run(global: &Global, args: &Status) -> Result<ExitCode, Failure> {
    let format = args.output.output;
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let release = ops::find(&session, args.revision.wanted()).await?;
        let standing = ops::resources(&session, &release).await?;
        let credentials = ops::credentials(&session, &release).await?;
        let holder = ops::holder(&session).await?;
        let patience = args.pending.patience();
        let progress = if ops::is_interrupted(&session, &release, patience).await? {
            Progress::Interrupted
        } else {
            Progress::AsRecorded
        };
        let status = output::status::Status {
            release: &release,
            progress,
            standing: &standing,
            credentials: &credentials,
            holder: holder.as_ref(),
            now: (session.now)(),
        };
        output::status::print(&status, format)?;
        if !args.watch {
            return Ok(ExitCode::SUCCESS);
        }
        let mut broken = None;
        let mut on = |id: &_, health: Option<&_>| {
            let printed = output::status::print_change((id, health), (session.now)(), format);
            // Nobody reads any more.
            broken = printed.err();
            match broken {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        };
        let known = &standing.resources;
        Box::pin(ops::follow(&session, &release, known, &mut on)).await?;
        broken.map_or(Ok(ExitCode::SUCCESS), Err)
    })
}
