//! The way into the tenant that a release runs.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::OutputArgs;
use super::waiting::duration;

/// A release and, where it is given, its namespace: `tenant-a`, `tenants/tenant-a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) namespace: Option<String>,
    pub(crate) release: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.release),
            None => f.write_str(&self.release),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, release) = match text.split_once('/') {
            Some((namespace, release)) => (Some(namespace), release),
            None => (None, text),
        };
        if release.is_empty() || release.contains('/') || namespace == Some("") {
            return Err("expected RELEASE or NAMESPACE/RELEASE".to_owned());
        }
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            release: release.to_owned(),
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Kubeconfig {
    /// Name of the release
    pub(crate) name: String,
    /// Which of its kubeconfigs [default: admin]
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Join {
    /// Name of the release that runs the tenant
    pub(crate) name: String,
    /// How long the token is good for, 24h at most
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = lifetime)]
    pub(crate) ttl: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A token is a key to the tenant, so it does not live for long.
fn lifetime(text: &str) -> Result<Duration, String> {
    let expected = "expected a duration from 1m to 24h".to_owned();
    match duration(text) {
        Ok(lifetime) if (MINUTE..=DAY).contains(&lifetime) => Ok(lifetime),
        _ => Err(expected),
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_live_for_a_day_at_most() {
        assert_eq!(lifetime("24h"), Ok(DAY));
        assert_eq!(lifetime("90s"), Ok(Duration::from_secs(90)));
        assert!(lifetime("25h").is_err() && lifetime("1s").is_err());
    }

    #[test]
    fn releases_are_named_with_or_without_their_namespace() {
        let place = |namespace: Option<&str>, release: &str| Place {
            namespace: namespace.map(str::to_owned),
            release: release.to_owned(),
        };
        assert_eq!("a".parse(), Ok(place(None, "a")));
        assert_eq!("b/a".parse(), Ok(place(Some("b"), "a")));
        for bad in ["", "/", "/a", "b/", "c/b/a"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
