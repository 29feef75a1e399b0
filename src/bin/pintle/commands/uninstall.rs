//! `pintle uninstall`.

use std::process::ExitCode;

use pintle::ops::{self, History, Session, Terms};
use pintle::plan::{Cascade, Permit};
use serde_json::json;

use super::change::{self, Outcome};
use super::turn::in_turn;
use crate::cli::{CascadeArg, Format, Global, Uninstall};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;
use crate::output::progress::{self, Progress};

pub(super) fn run(global: &Global, args: &Uninstall) -> Result<ExitCode, Failure> {
    let terms = terms(args);
    with_cluster(global, async |connection| {
        for name in &args.names {
            let session = connection.session(name);
            let ended = if args.forget {
                Box::pin(forget(&session, args, &terms)).await
            } else {
                Box::pin(uninstall(&session, args, &terms)).await
            };
            match ended {
                Err(Failure::Operation(error @ ops::Error::NoRelease { .. }))
                    if args.ignore_not_found =>
                {
                    progress::print(&error.to_string());
                }
                ended => ended?,
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn terms(args: &Uninstall) -> Terms {
    let mut terms = Terms {
        rehearsal: change::rehearsal(&args.check, args.change.dry_run()),
        end: change::end(&args.change),
        pending_timeout: change::patience(&args.change),
        cascade: args.cascade.map(|cascade| match cascade {
            CascadeArg::Background => Cascade::Background,
            CascadeArg::Foreground => Cascade::Foreground,
            CascadeArg::Orphan => Cascade::Orphan,
        }),
        hooks: args.hooks.policy(),
        ..Terms::default()
    };
    terms.recording.description.clone_from(&args.description);
    if args.keep_history {
        terms.recording.history = History::Keep;
    }
    if args.delete_crds {
        terms.consent.permits.insert(Permit::DeleteDefinitions);
    }
    terms
}

/// Deletes what one release has applied.
async fn uninstall(session: &Session<'_>, args: &Uninstall, terms: &Terms) -> Result<(), Failure> {
    let options = change::options(&args.change);
    let decide = async || ops::uninstall(session, terms).await;
    let outcome = change::run(session, (&args.change, &options), decide).await?;
    let Outcome::Done(release) = &outcome else {
        return Ok(());
    };
    if args.change.output.output != Format::Table {
        change::print(&outcome, &args.change, "uninstalled")?;
        return Ok(());
    }
    let kept = if args.keep_history {
        format!(
            " Its history is kept: `pintle rollback {} {}` brings it back.",
            release.name, release.revision
        )
    } else {
        String::new()
    };
    output::print_text(&format!(
        "Release \"{}\" has been uninstalled.{kept}\n",
        release.name
    ))
}

/// Deletes the records of one release, and tells what stays.
async fn forget(session: &Session<'_>, args: &Uninstall, terms: &Terms) -> Result<(), Failure> {
    let is_tried = args.change.dry_run().is_some();
    let format = args.change.output.output;
    let attempt = async || {
        let forgetting = ops::forget(session, terms).await?;
        let (revisions, stays) = (forgetting.revisions.clone(), forgetting.stays.clone());
        let unread = forgetting.unread.clone();
        if !is_tried {
            let mut progress = Progress::of_change(session.release, format);
            forgetting
                .execute(session, &mut |event| progress.on(event))
                .await?;
        }
        Ok((revisions, stays, unread))
    };
    let (revisions, stays, unread) = in_turn(session, (&args.change.lock, format), attempt).await?;
    for revision in &unread {
        progress::print(&format!(
            "the record of revision {revision} cannot be read, so that not all that stays is listed"
        ));
    }
    let stays: Vec<String> = stays.iter().map(ToString::to_string).collect();
    if format != Format::Table {
        let data = json!({"name": session.release, "revisions": revisions, "stays": stays,
            "unread": unread});
        return output::print_data(&data, format);
    }
    let done = if is_tried { "would be" } else { "has been" };
    let records = match revisions.len() {
        1 => "1 record".to_owned(),
        count => format!("{count} records"),
    };
    let mut text = format!(
        "Release \"{}\" {done} forgotten, with {records}. What it has applied stays as it is{}\n",
        session.release,
        if stays.is_empty() { "." } else { ":" }
    );
    for id in &stays {
        text.push_str("  ");
        text.push_str(id);
        text.push('\n');
    }
    output::print_text(&text)
}
