//! Uninstallations that end while something of the release is held, and what comes next.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use ::testbed::{Fault, Faulty};

use super::release::{self, State};
use super::{AT_ONCE, Bench, Change};
use crate::support::{Place, Run};

/// What is held.
const HELD: &str = "configmap/c";

#[test]
fn what_is_held_when_an_uninstallation_ends_is_waited_for() {
    let bench = Bench::of(Change::Uninstall);
    let next = Mutex::new((1..=bench.writes()).step_by(2));
    let faults: Mutex<Vec<String>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(number) = { next.lock().unwrap().next() } {
                    let then = [Change::Uninstall, Change::Upgrade, Change::Rollback];
                    let then = then[number / 2 % then.len()];
                    if let Err(fault) = run(&bench, number, then) {
                        let fault = format!("killed at write {number}, then {then:?}: {fault}");
                        faults.lock().unwrap().push(fault);
                    }
                }
            });
        }
    });
    assert_eq!(faults.into_inner().unwrap(), [] as [&str; 0]);
}

/// Kills an uninstallation after one of its writes, or lets it run out of time, and gives another command.
fn run(bench: &Bench, number: usize, then: Change) -> Result<(), String> {
    let place = bench.prepare();
    place.hold(HELD);
    let kubeconfig = place.folder().join("faulty.kubeconfig");
    let faulty = Faulty::open(&bench.site.gateway, (number, Fault::Hold), &kubeconfig).unwrap();
    let through = kubeconfig.to_str().unwrap();
    let uninstall = ["uninstall", "app", "--timeout", "1s", "--kubeconfig"];
    let mut started = place.start_pintle(&[&uninstall[..], &[through]].concat());
    while !faulty.happens_within(Duration::from_millis(20)) && !started.has_ended() {}
    started.kill();
    let live = place.get(&[HELD]);
    let is_going = live["metadata"]["deletionTimestamp"].is_string();
    let held = is_going.then_some(HELD);
    if held.is_none() {
        place.let_go(HELD);
    }
    let args = then.args(&bench.site.charts);
    let done = match then {
        Change::Uninstall => gone(&place, &args, held)?,
        _ => made(&place, &args, held),
    };
    if done.code != Some(0) {
        return Err(format!("stuck: {done}"));
    }
    let kept = State::default();
    release::check(&place, then.wanted(), &kept).map_err(|wrong| format!("{wrong}: {done}"))
}

/// Uninstalls what is left, which is not done as long as anything is held.
fn gone(place: &Place, args: &[&str], held: Option<&str>) -> Result<Run, String> {
    if let Some(held) = held {
        let run = place.pintle(&[args, &["--timeout", "1s"]].concat());
        if run.code != Some(3) || !run.stderr.contains("held by test.pintle.dev/hold") {
            return Err(format!("not waited for: {run}"));
        }
        place.let_go(held);
    }
    Ok(place.pintle(args))
}

/// Goes on with the release, where what is held is made when it is gone.
fn made(place: &Place, args: &[&str], held: Option<&str>) -> Run {
    let mut started = place.start_pintle(args);
    if let Some(held) = held {
        started.says(&["waiting until ConfigMap c is gone"]);
        place.let_go(held);
    }
    started.end()
}
