//! What all commands that change a release share: the dry run, the progress and the result.

use std::process::ExitCode;

use jiff::SignedDuration;
use pintle::ops::{
    self, Change, End, Leftovers, NamespacePolicy, OnFailure, Options, Rehearsal, ServerSide,
    Session, Terms,
};
use pintle::plan::{Consent, Permit};
use pintle::release::{Release, Status};

use super::turn::in_turn;
use crate::cli::{
    ChangeArgs, CheckArgs, ConsentArgs, DryRun, ServerSideArg, ShownNotes, WriteArgs,
};
use crate::failure::Failure;
use crate::output;
use crate::output::plan::View;
use crate::output::progress::Progress;

/// The options that `args` stand for.
pub(super) fn options(args: &ChangeArgs) -> Options {
    Options {
        timeout: args.timeout,
        on_failure: OnFailure::Stay,
        leftovers: Leftovers::Keep,
    }
}

/// When the change of these flags ends.
pub(super) fn end(args: &ChangeArgs) -> End {
    if args.is_impatient() {
        End::Written
    } else {
        End::Ready
    }
}

/// The terms that the flags stand for, where the namespace has to exist; `change` is there where the plan
/// is carried out.
pub(super) fn terms(
    check: &CheckArgs,
    (write, consent): (&WriteArgs, &ConsentArgs),
    change: Option<&ChangeArgs>,
) -> Terms {
    let permits = [
        (write.force_conflicts, Permit::TakeFields),
        (consent.delete_data, Permit::DeleteData),
        (consent.delete_crds, Permit::DeleteDefinitions),
        (consent.take_ownership, Permit::TakeOwnership),
    ];
    let given = permits.into_iter().filter(|(is_given, _)| *is_given);
    let mut terms = Terms {
        rehearsal: rehearsal(check, change.and_then(ChangeArgs::dry_run)),
        namespace: NamespacePolicy::MustExist,
        server_side: match write.server_side {
            ServerSideArg::Auto => ServerSide::Auto,
            ServerSideArg::True => ServerSide::True,
            ServerSideArg::False => ServerSide::False,
        },
        consent: Consent {
            recreate: consent.recreate.iter().cloned().collect(),
            permits: given.map(|(_, permit)| permit).collect(),
        },
        ..Terms::default()
    };
    if let Some(change) = change {
        terms.end = end(change);
        terms.pending_timeout = patience(change);
    }
    terms
}

/// How long Helm has for a revision.
pub(super) fn patience(args: &ChangeArgs) -> SignedDuration {
    args.lock.pending.patience()
}

/// Whether the API server is asked about a plan.
pub(super) fn rehearsal(check: &CheckArgs, dry_run: Option<DryRun>) -> Rehearsal {
    if check.no_validate || dry_run == Some(DryRun::Client) {
        Rehearsal::None
    } else {
        Rehearsal::Server
    }
}

/// What became of a change.
pub(super) enum Outcome {
    /// It was carried out, and this is the newest revision now.
    Done(Release),
    /// The newest revision was already what is wanted.
    Unchanged(Release),
    /// Its plan was printed.
    Printed,
}

/// Decides a change and carries it out as [`carry_out`] does, again while others hold the release, as
/// long as the user has said that they are waited for.
pub(super) async fn run(
    session: &Session<'_>,
    (args, options): (&ChangeArgs, &Options),
    decide: impl AsyncFn() -> Result<Change, ops::Error>,
) -> Result<Outcome, Failure> {
    let attempt = async || {
        let change = match decide().await {
            Ok(change) => change,
            Err(error) => return Err(ops::explained(session, error).await.into()),
        };
        carry_out(session, change, args, options).await
    };
    in_turn(session, (&args.lock, args.output.output), attempt).await
}

/// Prints the plan of a dry run, or carries the change out.
pub(super) async fn carry_out(
    session: &Session<'_>,
    mut change: Change,
    args: &ChangeArgs,
    options: &Options,
) -> Result<Outcome, Failure> {
    if args.dry_run().is_some() {
        ops::attribute(session, &mut change).await;
        Progress::new(session.release).all(change.notices.iter().cloned());
        output::plan::print(&change, args.output.output, View::default())?;
        return Ok(Outcome::Printed);
    }
    let mut progress = Progress::of_change(session.release, args.output.output);
    let is_no_op = change.is_no_op();
    let failure = match change.release.info.status {
        Status::PendingInstall => Failure::First,
        _ => Failure::Operation,
    };
    let mut tell = |event| progress.on(event);
    let carried_out = Box::pin(change.execute(session, options, &mut tell)).await;
    let release = carried_out.map_err(failure)?;
    Ok(if is_no_op {
        Outcome::Unchanged(release)
    } else {
        Outcome::Done(release)
    })
}

/// The outcome with the notes that are to be shown.
pub(super) fn showing(mut outcome: Outcome, notes: ShownNotes) -> Outcome {
    if notes == ShownNotes::None
        && let Outcome::Done(release) | Outcome::Unchanged(release) = &mut outcome
    {
        release.info.notes.clear();
    }
    outcome
}

/// Prints the outcome below a line that says what was `done`, in Helm's words.
pub(super) fn print(outcome: &Outcome, args: &ChangeArgs, done: &str) -> Result<ExitCode, Failure> {
    let format = args.output.output;
    match outcome {
        Outcome::Printed => {}
        Outcome::Done(release) => {
            let title = format!("Release \"{}\" has been {done}.", release.name);
            output::release::print(release, Some(&title), format)?;
        }
        Outcome::Unchanged(release) => {
            let title = format!("Release \"{}\" is unchanged.", release.name);
            output::release::print(release, Some(&title), format)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
