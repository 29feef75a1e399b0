//! Whether the versions of a release's components rise or fall.

use std::cmp::Ordering;

use semver::Version;
use serde_json::Value;

use super::pod_template;

/// How the versions of images change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// None changes, as far as versions can be read.
    Level,
    /// Some rise and none falls.
    Rising,
    /// Some fall and none rises.
    Falling,
    /// Some rise and some fall.
    Mixed,
}

impl Trend {
    /// How the versions of one workload change from what is live to what is desired.
    pub fn of(live: &Value, desired: &Value) -> Self {
        let mut trend = Self::Level;
        for (name, wanted) in pod_template::images(desired) {
            let running = pod_template::images(live).find(|(other, _)| *other == name);
            trend = trend.and(
                match running.and_then(|(_, image)| compare(image, wanted)) {
                    Some(Ordering::Less) => Self::Rising,
                    Some(Ordering::Greater) => Self::Falling,
                    _ => Self::Level,
                },
            );
        }
        trend
    }

    /// The trend of two parts together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Level, one) | (one, Self::Level) => one,
            (one, other) if one == other => one,
            _ => Self::Mixed,
        }
    }

    /// Whether some version falls.
    pub fn falls(self) -> bool {
        matches!(self, Self::Falling | Self::Mixed)
    }
}

fn compare(live: &str, desired: &str) -> Option<Ordering> {
    Some(version(live)?.cmp_precedence(&version(desired)?))
}

/// The version in the tag of an image: `v1.36.3`, `3.6.8-0` and `1.25` are versions, `latest` is
/// none.
fn version(image: &str) -> Option<Version> {
    let name = image.split('@').next()?;
    let (_, tag) = name
        .rsplit_once('/')
        .unwrap_or(("", name))
        .1
        .split_once(':')?;
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let (numbers, rest) = tag
        .split_once('-')
        .map_or((tag, None), |(numbers, rest)| (numbers, Some(rest)));
    let missing = 2usize.checked_sub(numbers.matches('.').count())?;
    let rest = rest.map(|rest| format!("-{rest}")).unwrap_or_default();
    Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workload(images: &[&str]) -> Value {
        let containers: Vec<_> = (0..)
            .zip(images)
            .map(|(number, image)| json!({"name": format!("c{number}"), "image": image}))
            .collect();
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "spec": {"template": {"spec": {"containers": containers}}}})
    }

    #[track_caller]
    fn check(live: &[&str], desired: &[&str], expected: Trend) {
        let (live, desired) = (workload(live), workload(desired));
        assert_eq!(Trend::of(&live, &desired), expected);
    }

    #[test]
    fn versions_decide() {
        use Trend::{Falling, Level, Mixed, Rising};
        check(&["r/api:v1.36.3"], &["r/api:v1.36.3"], Level);
        check(&["r/api:v1.35.9"], &["r/api:v1.36.0"], Rising);
        check(&["r/api:v1.36.10"], &["r/api:v1.36.9"], Falling);
        check(&["r/etcd:3.6.12-0"], &["r/etcd:3.6.8-0"], Falling);
        check(&["r/etcd:3.6.8-1"], &["r/etcd:3.6.8-0"], Falling);
        check(&["r:5000/web:1.26"], &["other/web:1.25@sha256:ab"], Falling);
        check(
            &["api:1.36.1", "etcd:3.6.9"],
            &["api:1.36.2", "etcd:3.6.8"],
            Mixed,
        );
        // What no version can be read from says nothing.
        check(&["r:5000/web"], &["web:1.25"], Level);
        check(&["web:latest"], &["web:1.25"], Level);
        check(&["web:1.2.3.4"], &["web:1.2.3.3"], Level);
        check(&[], &["web:1.25"], Level);
    }
}
