//! Runs real labs through the binary: that nothing stays of them, and that tenants run on them as
//! containers. Where no lab can run, every test is skipped by name, with the reason.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests look at files, processes and the clock"
)]
#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts the bodies of tests, but not what they share"
)]
#![expect(
    clippy::print_stderr,
    reason = "why a test is skipped is for the reader to know"
)]

#[cfg(target_os = "linux")]
mod failures;
#[cfg(target_os = "linux")]
mod hooks;
#[cfg(target_os = "linux")]
mod images;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod remains;
#[cfg(target_os = "linux")]
mod site;
#[cfg(target_os = "linux")]
mod story;
#[cfg(target_os = "linux")]
mod tenant;
#[cfg(target_os = "linux")]
mod tenants;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// A test that cannot run here for the reason, if there is one.
struct Case {
    name: &'static str,
    run: fn(),
    obstacle: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (alone, shared) = cases(&arguments);
    let cases = || alone.iter().chain(&shared);
    let skipped = cases().filter(|case| case.obstacle.is_some()).count();
    if skipped > 0 {
        eprintln!(
            "{skipped} of {} tests of the lab are skipped:",
            cases().count()
        );
    }
    // A machine has one lab. On one that is shared, most of what a test does is to wait.
    let threads = shared.len();
    let conclusions = [(&alone, 1), (&shared, threads)].map(|(cases, threads)| {
        let mut arguments = arguments.clone();
        arguments.test_threads = Some(threads);
        libtest_mimic::run(&arguments, cases.iter().map(trial).collect())
    });
    #[cfg(target_os = "linux")]
    site::end_shared();
    if conclusions
        .iter()
        .any(libtest_mimic::Conclusion::has_failed)
    {
        ExitCode::from(101)
    } else {
        ExitCode::SUCCESS
    }
}

fn trial(case: &Case) -> Trial {
    if let Some(reason) = &case.obstacle {
        eprintln!("test {} is skipped: {reason}", case.name);
    }
    let run = case.run;
    let trial = Trial::test(case.name, move || {
        run();
        Ok(())
    });
    trial.with_ignored_flag(case.obstacle.is_some())
}

/// The tests that need a lab of their own, and those that share one.
#[cfg(target_os = "linux")]
fn cases(arguments: &Arguments) -> (Vec<Case>, Vec<Case>) {
    let missing = site::missing();
    if missing.is_none() && !arguments.list {
        site::prepare();
    }
    let taken = missing.clone().or_else(site::taken);
    let alone = |name, run| Case {
        name,
        run,
        obstacle: taken.clone(),
    };
    let shared = |name, run| Case {
        name,
        run,
        obstacle: missing.clone(),
    };
    let own = vec![
        alone(
            "nothing_stays_when_a_lab_goes_down",
            remains::of_one_that_goes_down,
        ),
        alone(
            "nothing_stays_when_a_lab_is_killed",
            remains::of_killed_ones,
        ),
    ];
    let one = vec![
        shared(
            "nodes_pull_what_the_registry_has",
            images::in_the_registry_alone,
        ),
        shared("what_hooks_say_is_heard", hooks::are_heard),
        shared(
            "what_cannot_become_ready_is_explained",
            failures::of_tenants,
        ),
        shared("a_tenant_is_containers_on_a_node", tenants::of_one_member),
        shared("the_life_of_a_tenant", story::of_a_tenant),
    ];
    (own, one)
}

#[cfg(not(target_os = "linux"))]
fn cases(_arguments: &Arguments) -> (Vec<Case>, Vec<Case>) {
    let names = [
        "nothing_stays_when_a_lab_goes_down",
        "nothing_stays_when_a_lab_is_killed",
        "nodes_pull_what_the_registry_has",
        "what_hooks_say_is_heard",
        "what_cannot_become_ready_is_explained",
        "a_tenant_is_containers_on_a_node",
        "the_life_of_a_tenant",
    ];
    let case = |name| Case {
        name,
        run: || (),
        obstacle: Some("a lab runs on Linux only".to_owned()),
    };
    (vec![], names.map(case).into())
}
