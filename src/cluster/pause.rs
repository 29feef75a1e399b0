//! How long to wait before something is asked for once more.
//!
//! What came of a try goes in, a pause comes out: one that grows and differs by chance, on top of the one that the
//! API server asks for by `Retry-After` (RFC 9110, section 10.2.3). Whether to ask again at all is left to those
//! who know what they have asked for.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// How often a request is sent again at most.
const RETRIES: u32 = 5;
/// The longest pause before the first retry; it doubles each time.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pauses, altogether, that the API server may ask for before a request has failed.
const PATIENCE: Duration = Duration::from_mins(2);
/// The longest pause before the first retry of what is asked for without end; it doubles each time.
const FIRST_OF_MANY: Duration = Duration::from_millis(500);
/// How often it doubles.
const DOUBLINGS: u32 = 3;
/// The longest pause that the API server may ask for there.
const LONGEST: Duration = Duration::from_mins(1);

/// The retries of one request.
pub(super) struct Retries {
    done: u32,
    /// For how long the API server may still ask to wait.
    left: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            done: 0,
            left: PATIENCE,
        }
    }
}

impl Retries {
    /// How many there were.
    pub(super) fn done(&self) -> u32 {
        self.done
    }

    /// The pause before the next one, if the API server asks for one of `asked`; none if it has been
    /// tried enough, or that would take too long.
    pub(super) fn pause(&mut self, asked: Duration) -> Option<Duration> {
        if self.done >= RETRIES {
            return None;
        }
        self.left = self.left.checked_sub(asked)?;
        let usual = FIRST * 2_u32.pow(self.done);
        self.done += 1;
        Some(asked + jittered(usual))
    }
}

/// The pauses of those who ask until they get an answer, and have a time limit of their own.
#[derive(Default)]
pub(super) struct Backoff {
    /// The failures since the last answer.
    failures: u32,
}

impl Backoff {
    /// Waits after a failure, on which the API server may have asked for a pause.
    pub(super) async fn wait(&mut self, asked: Option<Duration>) {
        tokio::time::sleep(self.pause(asked)).await;
    }

    fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let usual = FIRST_OF_MANY * 2_u32.pow(self.failures.min(DOUBLINGS));
        self.failures += 1;
        asked.unwrap_or_default().min(LONGEST) + jittered(usual)
    }

    /// Takes note of an answer.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Between half of a pause and all of it, by chance: those who were turned away together do not come
/// back together.
fn jittered(pause: Duration) -> Duration {
    let chance = RandomState::new().hash_one(pause) % 1000;
    let share = 500 + u32::try_from(chance).unwrap_or_default() / 2;
    pause * share / 1000
}

/// The pause that an answer asks for, in seconds or until a time. Such a time is one of the API server's clock,
/// so it is compared with the time at which that has answered.
pub(super) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = time(headers.get(DATE)?.to_str().ok()?)?;
    Some(Duration::try_from(time(asked)?.duration_since(now)).unwrap_or_default())
}

/// A time in the form that HTTP prescribes, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(value: &'static str, date: Option<&'static str>, expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        headers.extend(date.map(|date| (DATE, HeaderValue::from_static(date))));
        let expected = expected.map(Duration::from_secs);
        assert_eq!(asked(&headers), expected, "{value} at {date:?}");
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_time() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        check("0", None, Some(0));
        check(" 120 ", date, Some(120));
        check("18446744073709551615", None, Some(u64::MAX));
        check("Sun, 06 Nov 1994 08:50:07 GMT", date, Some(30));
        check("Mon, 07 Nov 1994 08:49:37 GMT", date, Some(86_400));
        // It is over already.
        check("Sun, 06 Nov 1994 08:49:36 GMT", date, Some(0));
        // Whose clock would it be?
        check("Sun, 06 Nov 1994 08:50:07 GMT", None, None);
        check("Sun, 06 Nov 1994 08:50:07 GMT", Some("now"), None);
        for nonsense in ["", "soon", "-1", "1.5", "18446744073709551616"] {
            check(nonsense, date, None);
        }
        assert_eq!(asked(&HeaderMap::new()), None);
    }

    #[test]
    fn an_api_server_may_ask_for_two_minutes_altogether() {
        let seconds = Duration::from_secs;
        let mut retries = Retries::default();
        let pause = retries.pause(seconds(70)).unwrap();
        assert!(pause > seconds(70) && pause < seconds(71), "{pause:?}");
        assert_eq!(retries.pause(seconds(51)), None);
        assert!(retries.pause(seconds(50)).is_some());
        assert_eq!(retries.done(), 2);
        assert_eq!(retries.pause(Duration::MAX), None);
    }

    #[test]
    fn pauses_without_end_grow_to_some_seconds() {
        let mut backoff = Backoff::default();
        let pauses: Vec<Duration> = (0..6).map(|_| backoff.pause(None)).collect();
        for (pause, most) in pauses.iter().zip([500, 1000, 2000, 4000, 4000, 4000]) {
            let most = Duration::from_millis(most);
            assert!(*pause <= most && *pause >= most / 2, "{pauses:?}");
        }
        let asked = backoff.pause(Some(Duration::from_hours(1)));
        assert!(asked >= LONGEST && asked < LONGEST * 2, "{asked:?}");
        backoff.reset();
        assert!(backoff.pause(None) <= FIRST_OF_MANY);
    }
}
