//! `test`: runs the hooks that test a release.

mod filter;

use std::time::Duration;

use jiff::SignedDuration;

use super::catalogue::Catalogue;
use super::execute::Voice;
use super::guard::{GRACE, Guard};
use super::hook::Runner;
use super::prepare::Past;
use super::{Error, Session, Terms, lock, method};
use crate::cluster::Output;
use crate::event::Event;
use crate::plan::HookStep;
use crate::release::Release;

pub use filter::{Filter, FilterTerm, NoTerm};

/// Whether what tests write is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// It is, before anything is deleted.
    Read,
    /// It is not.
    Leave,
}

/// What to test, and how.
#[derive(Debug, Clone)]
pub struct TestRequest {
    /// Which tests run.
    pub filter: Filter,
    /// Whether what they write is read.
    pub logs: Logs,
    /// How long all of them may take.
    pub timeout: Duration,
    /// How long a revision that Helm left pending counts as under way.
    pub pending_timeout: SignedDuration,
}

/// What tests have come to.
#[derive(Debug)]
pub struct Tested {
    /// The revision, which says of each test how it ran.
    pub release: Release,
    /// The tests that were meant, by their places among the hooks of the revision, in order.
    pub tests: Vec<usize>,
    /// What those that ran have written, if it was asked for.
    pub output: Vec<Output>,
    /// Why the first test that failed did so.
    pub failure: Option<Error>,
}

/// Runs the tests of a release's newest revision one after the other, up to the first that fails, and
/// records how they ran.
///
/// The release is locked meanwhile: its record is written.
///
/// # Errors
/// If there is no such release or test, somebody else is changing the release, or the record cannot
/// be written. That a test fails is none.
pub async fn test(
    session: &Session<'_>,
    request: &TestRequest,
    on: &mut dyn FnMut(Event),
) -> Result<Tested, Error> {
    let past = Past::read(session).await?;
    lock::refuse_helm(session, &past, request.pending_timeout)?;
    let newest = past.newest().ok_or_else(|| Error::no_release(session))?;
    let release = session.store().read(newest).await?;
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let hooks = catalogue.hooks(&release).await?;
    let tests = HookStep::tests(&hooks, catalogue.kinds())?;
    let tests = request.filter.choose(session.release, tests)?;
    let mut lease = lock::take(session, on).await?;
    let guard = Guard::of(session, &lease, request.timeout);
    let tested = async {
        lock::confirm(session, &past).await?;
        let tests: Vec<&HookStep> = tests.iter().collect();
        Box::pin(run(session, (request, guard), (release, &tests), on)).await
    };
    let result = lock::keep(session, &mut lease, Box::pin(tested)).await?;
    lock::release(lease, on).await;
    result
}

async fn run(
    session: &Session<'_>,
    (request, guard): (&TestRequest, Guard<'_>),
    (mut release, tests): (Release, &[&HookStep]),
    on: &mut dyn FnMut(Event),
) -> Result<Tested, Error> {
    let voice = Voice::new(on);
    let runner = Runner {
        session,
        voice: &voice,
        method: method::planned(&release, &Terms::default()),
        guard,
    };
    let (ran, result) = runner.run_all(tests, &mut release).await;
    let tried = &tests[..ran];
    if !tests.is_empty() {
        runner.guard.beyond(GRACE).prove().await?;
        runner.ledger().update(&mut release).await?;
    }
    let mut output = vec![];
    if request.logs == Logs::Read {
        for test in tried {
            output.extend(session.cluster.output(&test.step.id).await?);
        }
    }
    runner.tidy(tried, &release).await;
    Ok(Tested {
        release,
        tests: tests.iter().map(|test| test.hook.index).collect(),
        output,
        failure: result.err(),
    })
}
