//! Why a resource is not ready, in words: its pods, their events and their logs.

use jiff::Timestamp;
use pintle::cluster::{Diagnosis, EXPLAINED, Unready, Warning};

/// The resource with its reason, and below it, indented, everything that is known of why.
pub(super) fn lines(unready: &Unready, now: Timestamp) -> Vec<String> {
    let head = match unready.health.reason() {
        Some(reason) => format!("{}: {reason}", unready.id),
        None => unready.id.to_string(),
    };
    let Diagnosis {
        pods,
        others,
        events,
    } = &unready.diagnosis;
    let mut lines = vec![head];
    let about = |event| format!("  event: {}", warning(event, now));
    lines.extend(events.iter().map(about));
    for pod in pods {
        let events = pod.events.iter().map(about);
        // Of a pod by itself the head has said it.
        let trouble = pod.trouble.to_string();
        if unready.health.reason() != Some(trouble.as_str()) {
            lines.push(format!("  pod {}: {trouble}", pod.name));
        }
        lines.extend(events.map(|line| format!("  {line}")));
        lines.extend(pod.log.iter().map(|line| format!("    log: {line}")));
    }
    lines.extend(rest(*others).map(|rest| format!("  {rest}")));
    lines
}

/// Says of how many resources nobody has asked for logs; none if there are none.
pub(super) fn unasked(unready: &[Unready]) -> Option<String> {
    let with_pods = unready.iter().filter(|one| !one.diagnosis.pods.is_empty());
    let left = with_pods.count().checked_sub(EXPLAINED);
    let left = left.filter(|left| *left > 0)?;
    Some(format!(
        "logs were looked for of the first {EXPLAINED} alone, not of {left} more"
    ))
}

/// How many pods are not told of; none if there are none.
pub(super) fn rest(others: usize) -> Option<String> {
    match others {
        0 => None,
        1 => Some("and 1 more pod".to_owned()),
        _ => Some(format!("and {others} more pods")),
    }
}

/// `FailedMount: no volume (12 times, 3s ago)`.
pub(super) fn warning(warning: &Warning, now: Timestamp) -> String {
    let times = (warning.count > 1).then(|| format!("{} times", warning.count));
    let age = warning.last.map(|last| format!("{} ago", age(last, now)));
    let when: Vec<_> = times.into_iter().chain(age).collect();
    let said = match warning.message.as_str() {
        "" => warning.reason.clone(),
        message => format!("{}: {message}", warning.reason),
    };
    if when.is_empty() {
        said
    } else {
        format!("{said} ({})", when.join(", "))
    }
}

/// The time since `last` in its largest unit. Clocks differ: what is yet to come is now.
fn age(last: Timestamp, now: Timestamp) -> String {
    let seconds = (now.as_second() - last.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: i64, want: &str) {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let last = Timestamp::from_second(1_000_000 - seconds).unwrap();
        assert_eq!(age(last, now), want);
    }

    #[test]
    fn ages_are_short() {
        check(-5, "0s");
        check(3, "3s");
        check(119, "119s");
        check(120, "2m");
        check(7200, "2h");
        check(172_800, "2d");
    }
}
