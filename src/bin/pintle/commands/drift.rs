//! `pintle drift`.

use std::process::ExitCode;

use pintle::ops::{self, Finding, ReleaseDrift, Releases};

use super::change;
use crate::cli::{Drift, Global};
use crate::connection::{now, with_cluster};
use crate::failure::{DIFFERENT, Failure};
use crate::output;

pub(super) fn run(global: &Global, args: &Drift) -> Result<ExitCode, Failure> {
    if args.fix {
        return fix(global, args);
    }
    let change = &args.change;
    if change.dry_run().is_some() || change.no_wait || !args.consent.recreate.is_empty() {
        return Err(Failure::NothingToFix);
    }
    with_cluster(global, async |connection| {
        let namespace = connection.namespace.as_str();
        let releases = Releases {
            namespace: (!args.all_namespaces).then_some(namespace),
            names: &args.names,
            driver: global.driver,
        };
        let drifted = ops::drift(&connection.cluster, releases, now()).await?;
        let differs = output::drift::print(&drifted, change.output.output, args.context)?;
        let is_compared = |one: &&ReleaseDrift| matches!(one.found, Finding::Compared { .. });
        let unknown = drifted.iter().filter(|one| !is_compared(one)).count();
        match (args.exit_code, differs, unknown) {
            (true, true, _) => Ok(ExitCode::from(DIFFERENT)),
            (true, false, 1..) => Err(Failure::NotCompared(unknown)),
            _ => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Puts back what has drifted of the one release that is named.
fn fix(global: &Global, args: &Drift) -> Result<ExitCode, Failure> {
    let [name] = args.names.as_slice() else {
        let count = args.names.len();
        return Err(Failure::FixOfMany { count });
    };
    let options = change::options(&args.change);
    let mut terms = change::terms(
        &args.check,
        (&args.write, &args.consent),
        Some(&args.change),
    );
    terms.recording.history_max = args.history.history_max;
    with_cluster(global, async |connection| {
        let session = connection.session(name);
        let decide = async || ops::restore(&session, &terms).await;
        let outcome = change::run(&session, (&args.change, &options), decide).await?;
        change::print(&outcome, &args.change, "put back")
    })
}
