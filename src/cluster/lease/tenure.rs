//! What a Lease says about who holds it; pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// For how long a Lease holds after it was renewed, if it does not say itself.
pub(super) const DURATION: SignedDuration = SignedDuration::from_secs(30);

/// Who holds a Lease, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure {
    /// The holder, as it calls itself.
    pub holder: String,
    /// When it took the Lease.
    pub since: Option<Timestamp>,
    /// When it last renewed the Lease, or took it.
    pub(super) renewed: Option<Timestamp>,
    duration: SignedDuration,
}

impl Tenure {
    /// Reads a Lease; none if nobody holds it.
    pub(super) fn of(lease: &Value) -> Option<Self> {
        let spec = lease.get("spec")?;
        let holder = spec.get("holderIdentity")?.as_str()?;
        if holder.is_empty() {
            return None;
        }
        let time = |field: &str| spec.get(field)?.as_str()?.parse::<Timestamp>().ok();
        let since = time("acquireTime");
        let seconds = spec.get("leaseDurationSeconds").and_then(Value::as_i64);
        Some(Self {
            holder: holder.to_owned(),
            since,
            renewed: time("renewTime").or(since),
            duration: seconds.map_or(DURATION, SignedDuration::from_secs),
        })
    }

    /// Whether another may take the Lease over: its holder is dead, or has not renewed it in time.
    pub(super) fn is_over(&self, now: Timestamp, is_dead: fn(&str) -> bool) -> bool {
        let renewed = self.renewed.unwrap_or(Timestamp::MIN);
        now.duration_since(renewed) >= self.duration || is_dead(&self.holder)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-11-21T10:01:00.000000Z";

    #[track_caller]
    fn check(spec: &Value, expected: &str) {
        let lease = json!({ "spec": spec });
        let found = match Tenure::of(&lease) {
            None => "free".to_owned(),
            Some(tenure) => {
                let over = tenure.is_over(NOW.parse().unwrap(), |holder| holder == "dead");
                let since = tenure
                    .since
                    .map_or("ever".to_owned(), |time| time.to_string());
                format!(
                    "{} since {since}: {}",
                    tenure.holder,
                    if over { "over" } else { "held" }
                )
            }
        };
        assert_eq!(found, expected, "{spec}");
    }

    fn renewed(holder: &str, time: &str) -> Value {
        json!({"holderIdentity": holder, "leaseDurationSeconds": 30,
            "acquireTime": "2026-11-21T09:00:00.000000Z", "renewTime": time})
    }

    #[test]
    fn a_lease_is_held_until_it_ends_or_its_holder_is_dead() {
        let since = "since 2026-11-21T09:00:00Z";
        for (holder, time, expected) in [
            ("a", "2026-11-21T10:00:50.000000Z", "held"),
            ("a", "2026-11-21T10:00:30.000001Z", "held"),
            ("a", "2026-11-21T10:00:30.000000Z", "over"),
            ("a", "2026-11-20T10:00:00.000000Z", "over"),
            // A clock that is ahead of ours.
            ("a", "2026-11-21T10:01:20.000000Z", "held"),
            ("dead", "2026-11-21T10:00:50.000000Z", "over"),
            ("dead", "2026-11-21T10:00:00.000000Z", "over"),
        ] {
            check(
                &renewed(holder, time),
                &format!("{holder} {since}: {expected}"),
            );
        }
    }

    #[test]
    fn the_duration_is_the_holders() {
        let mut spec = renewed("a", "2026-11-21T10:00:50.000000Z");
        spec["leaseDurationSeconds"] = 10.into();
        check(&spec, "a since 2026-11-21T09:00:00Z: over");
        spec["leaseDurationSeconds"] = 11.into();
        check(&spec, "a since 2026-11-21T09:00:00Z: held");
    }

    #[test]
    fn what_a_lease_does_not_say_does_not_hold_it() {
        check(&Value::Null, "free");
        check(&json!({}), "free");
        check(&json!({"holderIdentity": ""}), "free");
        check(&json!({"holderIdentity": null}), "free");
        check(&json!({"holderIdentity": "a"}), "a since ever: over");
        check(
            &json!({"holderIdentity": "a", "acquireTime": "2026-11-21T10:00:50.000000Z"}),
            "a since 2026-11-21T10:00:50Z: held",
        );
        check(
            &json!({"holderIdentity": "a", "renewTime": "2026-11-21T10:00:50.000000Z"}),
            "a since ever: held",
        );
    }
}
