//! Whether the versions of a release's components rise or fall.

use std::cmp::Ordering;

use semver::Version;
use serde_json::Value;

use super::pod_template;

/// The direction in which a change walks through the resource groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What is depended on first: versions rise or stay.
    Forward,
    /// What depends on others first: versions fall.
    Backward,
}

impl Direction {
    /// The direction of a change from the live workloads to the desired ones, given in pairs:
    /// backward if the version of some image falls and that of none rises, whatever the command.
    pub fn of<'a>(changes: impl IntoIterator<Item = (&'a Value, &'a Value)>) -> Self {
        let (mut rises, mut falls) = (false, false);
        for (live, desired) in changes {
            for (name, wanted) in pod_template::images(desired) {
                let running = pod_template::images(live).find(|(other, _)| *other == name);
                match running.and_then(|(_, image)| compare(image, wanted)) {
                    Some(Ordering::Less) => rises = true,
                    Some(Ordering::Greater) => falls = true,
                    _ => (),
                }
            }
        }
        if falls && !rises {
            Self::Backward
        } else {
            Self::Forward
        }
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
    fn check(live: &[&str], desired: &[&str], expected: Direction) {
        let (live, desired) = (workload(live), workload(desired));
        assert_eq!(Direction::of([(&live, &desired)]), expected);
    }

    #[test]
    fn versions_decide() {
        use Direction::{Backward, Forward};
        check(&["r/api:v1.36.3"], &["r/api:v1.36.3"], Forward);
        check(&["r/api:v1.35.9"], &["r/api:v1.36.0"], Forward);
        check(&["r/api:v1.36.10"], &["r/api:v1.36.9"], Backward);
        check(&["r/etcd:3.6.12-0"], &["r/etcd:3.6.8-0"], Backward);
        check(&["r/etcd:3.6.8-1"], &["r/etcd:3.6.8-0"], Backward);
        check(
            &["r:5000/web:1.26"],
            &["other/web:1.25@sha256:ab"],
            Backward,
        );
        // What no version can be read from says nothing.
        check(&["r:5000/web"], &["web:1.25"], Forward);
        check(&["web:latest"], &["web:1.25"], Forward);
        check(&["web:1.2.3.4"], &["web:1.2.3.3"], Forward);
        check(&[], &["web:1.25"], Forward);
    }

    #[test]
    fn what_rises_beside_what_falls_goes_forward() {
        check(
            &["api:1.36.1", "etcd:3.6.9"],
            &["api:1.36.2", "etcd:3.6.8"],
            Direction::Forward,
        );
    }
}
