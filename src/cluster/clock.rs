//! By how much the clock of the API server differs from that of this machine.
//!
//! The time of an answer (`Date`, in whole seconds) comes in, and between which times by the own clock it was
//! made; what the API server's clock shows goes out. Clocks that agree as far as anybody needs are not
//! corrected, so that times keep their precision; neither does an answer say anything that was read long after
//! it was made, because the process was stopped.

use std::sync::atomic::{AtomicI64, Ordering};

use http::HeaderMap;
use http::header::DATE;
use jiff::{SignedDuration, Timestamp};

use super::pause;

/// What clocks may differ by without being corrected.
const SLACK: SignedDuration = SignedDuration::from_secs(2);
/// What a time in whole seconds may be short of.
const RESOLUTION: SignedDuration = SignedDuration::from_secs(1);

/// The API server's clock, as it is seen from here.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The own clock; without one nothing is known of the other.
    own: Option<fn() -> Timestamp>,
    /// By how many milliseconds the API server's is ahead.
    ahead: AtomicI64,
}

impl Clock {
    /// The clock of an API server to which nothing was said yet.
    pub(super) fn beside(own: fn() -> Timestamp) -> Self {
        Self {
            own: Some(own),
            ahead: AtomicI64::new(0),
        }
    }

    /// The clock of another API server, as seen by the same own clock.
    pub(super) fn of_another(&self) -> Self {
        Self {
            own: self.own,
            ahead: AtomicI64::new(0),
        }
    }

    /// The time by the own clock, to say later when something was sent.
    pub(super) fn own(&self) -> Option<Timestamp> {
        self.own.map(|own| own())
    }

    /// Takes note of the head of an answer that has just come, to what was sent at a time of the own clock.
    pub(super) fn note(&self, sent: Option<Timestamp>, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(pause::time);
        if let (Some(date), Some(sent), Some(received)) = (date, sent, self.own()) {
            let known = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
            let ahead = ahead(known, date, (sent, received)).as_millis();
            let ahead = i64::try_from(ahead).unwrap_or_default();
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }

    /// What the API server's clock shows at a time of the own one.
    pub(super) fn at(&self, own: Timestamp) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        own.checked_add(ahead).unwrap_or(own)
    }
}

/// By how much the API server's clock is ahead, where that was `known` until it showed `date` at some moment
/// between two times of the own clock.
fn ahead(
    known: SignedDuration,
    date: Timestamp,
    (sent, received): (Timestamp, Timestamp),
) -> SignedDuration {
    let least = date.duration_since(received);
    let most = date.duration_since(sent).saturating_add(RESOLUTION);
    if least > most {
        // The own clock was set meanwhile.
        return known;
    }
    let fits = |ahead: &SignedDuration| (least - SLACK..=most + SLACK).contains(ahead);
    let usual = [known, SignedDuration::ZERO];
    usual
        .into_iter()
        .find(fits)
        .unwrap_or(known.clamp(least, most))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Checks what comes of what was known, in seconds, when an answer of 10:00:00 by the API server's clock
    /// was sent for and received so many seconds after 10:00:00 by the own one.
    #[track_caller]
    fn check(known: i64, (sent, received): (f64, f64), expected: f64) {
        let date: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let after = |seconds: f64| date + SignedDuration::from_secs_f64(seconds);
        let found = ahead(
            SignedDuration::from_secs(known),
            date,
            (after(sent), after(received)),
        );
        assert_eq!(found, SignedDuration::from_secs_f64(expected));
    }

    #[test]
    fn clocks_that_agree_are_not_corrected() {
        for between in [
            (0.0, 0.1),
            (0.9, 1.0),
            (-1.9, -1.8),
            (2.8, 2.9),
            (-30.0, 30.0),
        ] {
            check(0, between, 0.0);
        }
    }

    #[test]
    fn a_difference_is_known_to_a_second() {
        // The own clock is behind.
        check(0, (-40.0, -39.5), 39.5);
        check(40, (-40.0, -39.5), 40.0);
        // It is ahead.
        check(0, (40.0, 40.5), -39.0);
        check(-39, (40.0, 40.5), -39.0);
        // It was set right.
        check(40, (0.1, 0.2), 0.0);
    }

    #[test]
    fn what_was_read_long_after_it_was_made_says_nothing() {
        check(0, (0.0, 600.0), 0.0);
        check(40, (-40.0, 600.0), 40.0);
        // The own clock was set back between the two.
        check(0, (600.0, 0.0), 0.0);
    }

    #[test]
    fn nothing_is_corrected_where_nothing_is_known() {
        let own = || "2026-11-21T10:00:00Z".parse::<Timestamp>().unwrap();
        let date = HeaderValue::from_static("Sat, 21 Nov 2026 10:10:00 GMT");
        let headers = HeaderMap::from_iter([(DATE, date)]);
        let check = |clock: &Clock, headers: &HeaderMap, expected: &str| {
            clock.note(clock.own(), headers);
            assert_eq!(clock.at(own()).to_string(), expected);
        };
        check(&Clock::default(), &headers, "2026-11-21T10:00:00Z");
        let clock = Clock::beside(own);
        check(&clock, &HeaderMap::new(), "2026-11-21T10:00:00Z");
        check(&clock, &headers, "2026-11-21T10:10:00Z");
        check(
            &clock.of_another(),
            &HeaderMap::new(),
            "2026-11-21T10:00:00Z",
        );
    }
}
