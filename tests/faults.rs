//! That nothing is ever stuck: whatever happens to any one write of a change, the same command brings
//! it to its end, in whatever manner it is made.
//!
//! A proxy between pintle and the API server spoils one write of each run: the process is killed before
//! or after it, the connection breaks, the answer is a refusal or none, or nothing comes through any more. By
//! default each write suffers one of the [`TROUBLES`] in turn; with `PINTLE_FAULTS=all` every one. The
//! [`MANNERS`] take turns.

pub(crate) mod lease;
mod lingering;
mod release;
mod renewal;
mod silence;
mod stopped;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ::testbed::{Fault, Faulty, Gateway};
use jiff::{SignedDuration, Timestamp};
use pintle::history::Driver;

use crate::lock::signal;
use crate::support::{Place, Run, Started};
use release::{Charts, State};

/// How many changes are under way at once.
const AT_ONCE: usize = 8;
/// How long a try of a request may take where none is answered.
const PATIENCE: &str = "5s";

/// What happens at one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    KilledBefore,
    KilledAfter,
    /// The process cannot reach the API server any more, and ends by itself.
    Cut,
    Fault(Fault),
}

/// The first four leave it open what the API server has done; the others are answers, or none.
const TROUBLES: [Trouble; 8] = [
    Trouble::KilledBefore,
    Trouble::KilledAfter,
    Trouble::Cut,
    Trouble::Fault(Fault::Reset),
    Trouble::Fault(Fault::Answer(429)),
    Trouble::Fault(Fault::Answer(500)),
    Trouble::Fault(Fault::Answer(503)),
    Trouble::Fault(Fault::Hang),
];

/// How a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// By patches, without waiting.
    Patches,
    /// The same, until all is ready or gone.
    Waiting,
    /// By server-side apply, of what patches have written.
    ServerSide,
    /// With records in `ConfigMaps`.
    ConfigMaps,
}

const MANNERS: [Manner; 4] = [
    Manner::Patches,
    Manner::Waiting,
    Manner::ServerSide,
    Manner::ConfigMaps,
];

impl Manner {
    /// The flags of a change.
    fn flags(self, change: Change) -> &'static [&'static str] {
        match self {
            Self::Waiting => &[],
            Self::ServerSide if change != Change::Uninstall => &["--no-wait", "--server-side"],
            Self::Patches | Self::ServerSide | Self::ConfigMaps => &["--no-wait"],
        }
    }

    fn driver(self) -> Driver {
        match self {
            Self::ConfigMaps => Driver::ConfigMap,
            Self::Patches | Self::Waiting | Self::ServerSide => Driver::Secret,
        }
    }
}

/// A command that changes a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Install,
    Upgrade,
    Rollback,
    /// A rollback without a number.
    Back,
    Uninstall,
}

impl Change {
    fn args(self, charts: &Charts) -> Vec<&str> {
        match self {
            Self::Install => vec!["install", "app", &charts.first],
            Self::Upgrade => vec!["upgrade", "app", &charts.second],
            Self::Rollback => vec!["rollback", "app", "1"],
            Self::Back => vec!["rollback", "app"],
            Self::Uninstall => vec!["uninstall", "app"],
        }
    }

    /// How many revisions there are before it.
    fn before(self) -> u32 {
        match self {
            Self::Install => 0,
            Self::Upgrade | Self::Uninstall => 1,
            Self::Rollback | Self::Back => 2,
        }
    }

    /// Which of the charts is there in the end; 0 is none.
    fn wanted(self) -> u32 {
        match self {
            Self::Install | Self::Rollback | Self::Back => 1,
            Self::Upgrade => 2,
            Self::Uninstall => 0,
        }
    }

    /// The command that follows when this one has ended at the write of this number: itself or another one, in
    /// turn, whatever the trouble.
    fn next(self, number: usize) -> Self {
        let turn = (number + number / TROUBLES.len() * 2) % 3;
        match (self, turn) {
            (Self::Upgrade, 0) => Self::Rollback,
            (Self::Rollback, 0) | (Self::Uninstall, 1) => Self::Upgrade,
            (Self::Uninstall, 2) => Self::Back,
            _ => self,
        }
    }
}

/// One run: what happens at which write, and the index of the manner.
#[derive(Debug, Clone, Copy)]
struct Case {
    number: usize,
    trouble: Trouble,
    manner: usize,
}

/// What all runs of one manner share.
struct Bench {
    change: Change,
    manner: Manner,
    /// How many writes there are in any case; what is applied again because somebody was faster comes on top.
    sure: usize,
    site: Arc<Site>,
}

/// What all runs share.
struct Site {
    charts: Charts,
    gateway: Gateway,
    /// Where both of these live.
    _place: Place,
}

#[test]
fn installations_survive_faults_at_every_write() {
    check(Change::Install);
}

#[test]
fn upgrades_survive_faults_at_every_write() {
    check(Change::Upgrade);
}

#[test]
fn rollbacks_survive_faults_at_every_write() {
    check(Change::Rollback);
}

#[test]
fn uninstallations_survive_faults_at_every_write() {
    check(Change::Uninstall);
}

#[test]
fn a_second_signal_ends_a_change_that_cannot_stop() {
    let bench = Bench::of(Change::Upgrade);
    let place = bench.prepare();
    let before = State::of(&place);
    let (faulty, mut started) = bench.start(&place, (8, Fault::Hang));
    while !faulty.happens_within(Duration::from_millis(20)) {
        assert!(!started.has_ended(), "{}", started.end());
    }
    signal(&started, "INT");
    signal(&started, "TERM");
    let run = started.end().fails_with(130);
    // One that stops in order would have recorded that it was interrupted.
    assert_eq!(State::of(&place).newest(), Some("pending-upgrade"), "{run}");
    bench.go_on(&place, &before, Change::Upgrade).unwrap();
}

#[track_caller]
fn check(change: Change) {
    // One command at a time: the API server is busy enough with it.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let patches = Bench::of(change);
    let mut benches = MANNERS.map(|manner| Bench {
        manner,
        site: Arc::clone(&patches.site),
        ..patches
    });
    let writes = benches.each_ref().map(Bench::writes);
    for bench in &mut benches {
        bench.sure = writes[0];
    }
    let cases = cases(writes);
    let (count, next) = (cases.len(), Mutex::new(cases.into_iter()));
    let faults: Mutex<Vec<String>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = { next.lock().unwrap().next() } {
                    let bench = &benches[case.manner];
                    if let Err(fault) = bench.run(case) {
                        let case = format!("{:?} {case:?}", bench.manner);
                        faults.lock().unwrap().push(format!("{case}: {fault}"));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(
        faults.is_empty(),
        "{} of {count} cases of {change:?} with {writes:?} writes:\n{}",
        faults.len(),
        faults.join("\n")
    );
    report(&format!("{change:?}: {count} cases over {writes:?} writes"));
}

/// Prints how much was tried, also where the output of tests that pass is kept back.
#[expect(clippy::print_stderr, reason = "it is asked for")]
fn report(text: &str) {
    eprintln!("{text}");
}

/// Every trouble at every write, or one at each that all manners have; the manners take turns, as far as they have
/// so many writes.
fn cases(writes: [usize; MANNERS.len()]) -> Vec<Case> {
    let is_full = std::env::var("PINTLE_FAULTS").is_ok_and(|value| value == "all");
    let most = writes.into_iter().max().unwrap_or_default();
    let numbers = (1..=most).filter(|number| is_full || *number <= writes[0]);
    let all = numbers.flat_map(|number| {
        let troubles = TROUBLES.into_iter().enumerate();
        let troubles = troubles.filter(move |(at, _)| is_full || number % TROUBLES.len() == *at);
        troubles.map(move |(at, trouble)| {
            let turn = number + number / TROUBLES.len() + if is_full { at } else { 0 };
            let manner = (0..MANNERS.len()).map(|next| (turn + next) % MANNERS.len());
            let manner = { manner }.find(|manner| number <= writes[*manner]);
            Case {
                number,
                trouble,
                manner: manner.unwrap_or_default(),
            }
        })
    });
    all.collect()
}

impl Bench {
    fn of(change: Change) -> Self {
        let place = Place::without_namespace("faults");
        let site = Site {
            charts: Charts::write(&place),
            gateway: place.gateway(),
            _place: place,
        };
        Self {
            change,
            manner: Manner::Patches,
            sure: usize::MAX,
            site: Arc::new(site),
        }
    }

    /// A namespace of its own that is where the change begins.
    fn prepare(&self) -> Place {
        let mut place = Place::without_namespace("faults");
        if self.manner == Manner::ConfigMaps {
            place = place.setting("HELM_DRIVER", "configmap");
        }
        let begin = (&self.site.charts, self.change.before());
        release::prepare(&place, begin, self.manner.driver());
        place
    }

    /// The arguments of a change in this manner.
    fn args(&self, change: Change) -> Vec<&str> {
        [
            &change.args(&self.site.charts)[..],
            self.manner.flags(change),
        ]
        .concat()
    }

    /// How many writes the change takes when nothing goes wrong.
    fn writes(&self) -> usize {
        self.lines().len()
    }

    /// The first lines of these.
    fn lines(&self) -> Vec<String> {
        let place = self.prepare();
        let (faulty, run) = self.start(&place, (0, Fault::Hang));
        run.end().ok();
        release::check(&place, self.change.wanted(), &State::default()).unwrap();
        assert!(faulty.writes() > 10, "the change is trivial");
        faulty.lines()
    }

    fn start(&self, place: &Place, at: (usize, Fault)) -> (Faulty, Started) {
        let kubeconfig = place.folder().join("faulty.kubeconfig");
        let faulty = Faulty::open(&self.site.gateway, at, &kubeconfig).unwrap();
        let through = ["--kubeconfig", kubeconfig.to_str().unwrap()];
        let patience = ["--request-timeout", PATIENCE];
        let args = [&self.args(self.change)[..], &through, &patience].concat();
        let started = place.start_pintle(&args);
        (faulty, started)
    }

    fn run(&self, case: Case) -> Result<(), String> {
        let place = self.prepare();
        let before = State::of(&place);
        let fault = match case.trouble {
            Trouble::KilledBefore => Fault::Hang,
            Trouble::KilledAfter => Fault::Hold,
            Trouble::Cut => Fault::Cut,
            Trouble::Fault(fault) => fault,
        };
        let (faulty, mut started) = self.start(&place, (case.number, fault));
        if matches!(case.trouble, Trouble::KilledBefore | Trouble::KilledAfter) {
            while !faulty.happens_within(Duration::from_millis(20)) {
                if started.has_ended() {
                    return self.without_write(case, &started.end());
                }
            }
            started.kill();
            if case.number.is_multiple_of(2) {
                self.is_refused_elsewhere(&place)?;
            }
            let before = before.spared(&faulty.lines());
            return self.go_on(&place, &before, self.change.next(case.number));
        }
        let run = started.end();
        if !faulty.happens_within(Duration::ZERO) {
            return self.without_write(case, &run);
        }
        if case.trouble == Trouble::Cut {
            let before = before.spared(&faulty.lines());
            return self.go_on(&place, &before, self.change.next(case.number));
        }
        if run.code != Some(0) {
            return Err(format!("not survived: {run}"));
        }
        let kept = before.kept(self.change.wanted());
        release::check(&place, self.change.wanted(), &kept)
            .map_err(|wrong| format!("{wrong}: {run}"))
    }

    /// What a run comes to that had fewer writes than the one that was counted.
    fn without_write(&self, case: Case, run: &Run) -> Result<(), String> {
        let is_fine = case.number > self.sure && run.code == Some(0);
        is_fine
            .then_some(())
            .ok_or_else(|| format!("no such write: {run}"))
    }

    /// Gives the command once more as from another machine, where nobody knows that the holder of the lock is
    /// dead, and lets the lock expire then.
    fn is_refused_elsewhere(&self, place: &Place) -> Result<(), String> {
        let Some(renewed) = lease::set(place, Timestamp::now()) else {
            return Ok(());
        };
        let run = place.pintle(&self.args(self.change));
        let is_held = run.code == Some(4) && run.stderr.contains("locked by eve@elsewhere");
        if !is_held && !is_done(&run) && !is_idle(&run) {
            return Err(format!("another machine's lock does not hold: {run}"));
        }
        let expired = renewed - SignedDuration::from_secs(31);
        let set = lease::set(place, expired);
        set.map(drop).ok_or_else(|| "the lock is gone".to_owned())
    }

    /// Gives the command once more, or another one, after its process has ended. What was there `before` and
    /// was not to be deleted has stayed, with its keys.
    fn go_on(&self, place: &Place, before: &State, next: Change) -> Result<(), String> {
        let half = State::of(place);
        if half.newest() == Some("deployed") && next == Change::Back {
            // It has not begun, and there is nothing before it.
            return self.go_on(place, before, self.change);
        }
        let mut kept = before.kept(next.wanted());
        if self.change != Change::Uninstall {
            // What was made or kept half-way stays, with its keys; deletions may still be under way.
            kept.extend(half.kept(next.wanted()));
        }
        let run = place.pintle(&self.args(next));
        if run.code != Some(0) && !is_done(&run) {
            return Err(format!("stuck: {run}"));
        }
        if half.newest().is_none() && next != self.change {
            // All of it was done but the last write.
            return self.go_on(place, before, self.change);
        }
        if self.change == Change::Install && is_done(&run) {
            // The release is there; whoever goes on takes away what is left of the lock.
            let upgrade = ["upgrade", "app", &self.site.charts.first, "--no-wait"];
            let run = place.pintle(&upgrade);
            if !is_idle(&run) {
                return Err(format!("not done: {run}"));
            }
        }
        release::check(place, next.wanted(), &kept).map_err(|wrong| format!("{wrong}: {run}"))
    }
}

/// Whether a command has had nothing to write.
fn is_idle(run: &Run) -> bool {
    run.stderr.contains("release app exists already") || run.stdout.contains("is unchanged")
}

/// Whether a command was refused because all of it had been done.
fn is_done(run: &Run) -> bool {
    let said = [
        "exists already: revision 1 is deployed",
        "release app not found",
    ];
    run.code == Some(1) && said.iter().any(|said| run.stderr.contains(said))
}
