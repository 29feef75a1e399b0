//! `pintle status`.

use std::ops::ControlFlow;
use std::process::ExitCode;

use pintle::history;
use pintle::ops::{self, Following, Revision, Seen};

use crate::cli::{Global, Status};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;
use crate::output::release::Progress;

pub(super) fn run(global: &Global, args: &Status) -> Result<ExitCode, Failure> {
    let format = args.output.output;
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let release = match ops::find(&session, args.revision.wanted()).await {
            Ok(release) => release,
            Err(error) => {
                if let ops::Error::History(history::Error::Decode { entry, .. }) = &error {
                    let holder = ops::holder(&session).await?;
                    output::status::print_unread(entry, holder.as_ref(), format)?;
                }
                return Err(error.into());
            }
        };
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
        let mut on = |seen: Seen<'_>| {
            let printed = output::status::print_seen(&seen, (session.now)(), format);
            // Nobody reads any more.
            broken = printed.err();
            match broken {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        };
        let following = match args.revision.wanted() {
            Revision::Number(_) => Following::Revision,
            _ => Following::Newest,
        };
        let (view, known) = ((&release, following), &standing.resources);
        Box::pin(ops::follow(&session, view, known, &mut on)).await?;
        broken.map_or(Ok(ExitCode::SUCCESS), Err)
    })
}
