//! A watch over what charts and values make pintle do.
//!
//! The limits inside of the library (`render`, `chart::schema`, `chart::archive`, `yaml`) name what is at
//! fault. They cannot see everything: a template can turn loops that write nothing, or double a string
//! again and again. So the time on the processor and the growth of memory are watched while a chart is
//! unpacked, checked or rendered, and the process ends where they cross a limit.
//!
//! That work is pure and comes before the first write. It is only watched as long as a [`Watch`] lives;
//! the end of the process and the end of a watch exclude each other, so that nothing which comes after
//! can be cut short.

use std::fmt;
use std::process;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;
use crate::output;

/// Sets how long the processor may work on a chart, in seconds.
pub(crate) const SECONDS: &str = "PINTLE_CHART_SECONDS";
/// Sets how much memory a chart may take, in MiB.
pub(crate) const MEMORY: &str = "PINTLE_CHART_MEMORY";

/// How often is looked.
const PERIOD: Duration = Duration::from_millis(5);
/// A build without optimisation is so much slower.
const SLOWNESS: u32 = if cfg!(debug_assertions) { 20 } else { 1 };

/// What work on one chart may take.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// On the processor, of all threads together: what else the machine does costs nothing.
    time: Duration,
    /// By which the resident memory may grow. With what there is at the start, and what comes
    /// between two looks, a process stays below 200 MB.
    mebibytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_millis(1500) * SLOWNESS,
            mebibytes: 144,
        }
    }
}

static LIMITS: OnceLock<Limits> = OnceLock::new();

/// What was used under the watches that are over: limits hold for all work of a command together.
static SPENT: Mutex<Used> = Mutex::new(Used {
    time: Duration::ZERO,
    bytes: 0,
});

/// A limit that was crossed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Crossed {
    /// On the processor.
    Time(Duration),
    /// In MiB.
    Memory(u64),
}

impl fmt::Display for Crossed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "{} s of the processor", limit.as_secs_f64()),
            Self::Memory(limit) => write!(f, "{limit} MiB of memory"),
        }
    }
}

impl Crossed {
    /// The variable that sets the limit.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Time(_) => SECONDS,
            Self::Memory(_) => MEMORY,
        }
    }
}

/// Reads the limits that the environment sets; to be called before anything is watched.
pub(crate) fn set_up() -> Result<(), Failure> {
    let mut limits = Limits::default();
    if let Some(seconds) = number::<f64>(SECONDS)? {
        let time = Duration::try_from_secs_f64(seconds).ok();
        limits.time = time.filter(|time| !time.is_zero()).ok_or(bad(SECONDS))?;
    }
    if let Some(mebibytes) = number(MEMORY)? {
        limits.mebibytes = Some(mebibytes)
            .filter(|limit| *limit > 0)
            .ok_or(bad(MEMORY))?;
    }
    LIMITS.get_or_init(|| limits);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is the binary")]
fn number<T: std::str::FromStr>(variable: &'static str) -> Result<Option<T>, Failure> {
    let text = std::env::var_os(variable).filter(|text| !text.is_empty());
    let parsed = text.map(|text| text.to_str().and_then(|text| text.parse().ok()));
    parsed.map(|number| number.ok_or(bad(variable))).transpose()
}

fn bad(variable: &'static str) -> Failure {
    Failure::BadLimit { variable }
}

/// Watches, as long as it lives, over work that has not written anything yet.
#[derive(Debug)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    /// What the process had used when the watch began.
    start: Option<Used>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: Mutex<bool>,
    wake: Condvar,
}

/// Begins to watch over work on `chart`.
pub(crate) fn watch(chart: &str) -> Watch {
    let shared = Arc::<Shared>::default();
    let limits = *LIMITS.get_or_init(Limits::default);
    let start = Used::now();
    if let Some(start) = start {
        let chart = chart.to_owned();
        let theirs = Arc::clone(&shared);
        // As if all that was watched before had just been used.
        let begun = start.since(*SPENT.lock().unwrap_or_else(PoisonError::into_inner));
        // Where there are no more threads, what is left are the limits of the library.
        let _ = thread::Builder::new().spawn(move || theirs.keep(&chart, limits, begun));
    }
    Watch { shared, start }
}

/// [`watch`] for the library.
pub(crate) fn watch_for_library(chart: &str) -> Box<dyn Send> {
    Box::new(watch(chart))
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Whoever ends the process holds this until there is none any more.
        let mut is_over = self
            .shared
            .is_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *is_over = true;
        self.shared.wake.notify_one();
        if let (Some(start), Some(now)) = (self.start, Used::now()) {
            let mut spent = SPENT.lock().unwrap_or_else(PoisonError::into_inner);
            *spent = spent.and(now.since(start));
        }
    }
}

impl Shared {
    fn keep(&self, chart: &str, limits: Limits, start: Used) {
        let mut is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_over {
            if let Some(crossed) = Used::now().and_then(|now| now.crosses(start, limits)) {
                end(&Failure::Crossed {
                    chart: chart.to_owned(),
                    crossed,
                });
            }
            let waited = self.wake.wait_timeout(is_over, PERIOD);
            is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[expect(clippy::exit, reason = "the work cannot be stopped otherwise")]
fn end(failure: &Failure) -> ! {
    output::error::print(failure);
    process::exit(failure.exit_code().into())
}

/// What this process has used so far.
#[derive(Debug, Clone, Copy)]
struct Used {
    time: Duration,
    bytes: u64,
}

impl Used {
    #[cfg(unix)]
    fn now() -> Option<Self> {
        use nix::sys::resource::{UsageWho, getrusage};
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        let of = |time: nix::sys::time::TimeVal| {
            let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
            let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
            Duration::from_secs(seconds) + Duration::from_micros(micros)
        };
        Some(Self {
            time: of(usage.user_time()) + of(usage.system_time()),
            bytes: resident().unwrap_or_default(),
        })
    }

    #[cfg(not(unix))]
    fn now() -> Option<Self> {
        None
    }

    /// What came after `start`; memory may have shrunk.
    fn since(self, start: Self) -> Self {
        Self {
            time: self.time.saturating_sub(start.time),
            bytes: self.bytes.saturating_sub(start.bytes),
        }
    }

    fn and(self, more: Self) -> Self {
        Self {
            time: self.time.saturating_add(more.time),
            bytes: self.bytes.saturating_add(more.bytes),
        }
    }

    fn crosses(self, start: Self, limits: Limits) -> Option<Crossed> {
        let used = self.since(start);
        if used.time > limits.time {
            return Some(Crossed::Time(limits.time));
        }
        let limit = limits.mebibytes.saturating_mul(1 << 20);
        (used.bytes > limit).then_some(Crossed::Memory(limits.mebibytes))
    }
}

/// The resident memory in bytes, where the system tells (`proc(5)`).
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "this is the binary")]
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}

/// The least that a page of memory has on the systems that pintle is built for. Where pages are
/// larger, more memory is allowed.
#[cfg(unix)]
const PAGE: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, mebibytes: u64, expected: Option<Crossed>) {
        let start = Used {
            time: Duration::from_secs(7),
            bytes: 10 << 20,
        };
        let now = Used {
            time: start.time + Duration::from_secs(seconds),
            bytes: start.bytes + (mebibytes << 20),
        };
        let limits = Limits {
            time: Duration::from_secs(2),
            mebibytes: 100,
        };
        assert_eq!(now.crosses(start, limits), expected);
    }

    #[test]
    fn growth_is_what_counts() {
        check(2, 100, None);
        check(3, 100, Some(Crossed::Time(Duration::from_secs(2))));
        check(2, 101, Some(Crossed::Memory(100)));
    }

    #[test]
    fn what_was_used_before_counts() {
        let used = |seconds, mebibytes: u64| Used {
            time: Duration::from_secs(seconds),
            bytes: mebibytes << 20,
        };
        let limits = Limits {
            time: Duration::from_secs(4),
            mebibytes: 100,
        };
        let spent = used(2, 60).and(used(1, 30));
        let begun = used(7, 200).since(spent);
        assert_eq!(used(8, 210).crosses(begun, limits), None);
        let memory = used(8, 211).crosses(begun, limits);
        assert_eq!(memory, Some(Crossed::Memory(100)));
        let time = used(9, 210).crosses(begun, limits);
        assert_eq!(time, Some(Crossed::Time(limits.time)));
    }

    #[test]
    fn memory_may_shrink() {
        let start = Used {
            time: Duration::ZERO,
            bytes: 1 << 30,
        };
        let now = Used { bytes: 0, ..start };
        assert_eq!(now.crosses(start, Limits::default()), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn use_is_measured() {
        let now = Used::now().unwrap();
        assert!(now.bytes > 1 << 20, "{now:?}");
    }
}
