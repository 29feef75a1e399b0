//! `kubeconfig`: a generated kubeconfig of a release, for whoever is to use it.

use super::catalogue::Catalogue;
use super::read::{Revision, find};
use super::{Error, Session};
use crate::builtin;
use crate::cluster::Address;
use crate::manifest::generator::{Generator, SecretData, Spec};

/// The annotation of a `Kubeconfig` generator with the name under which people ask for it.
const NAME: &str = "pintle.dev/kubeconfig";
/// The name that is asked for where none is given.
const DEFAULT: &str = "admin";

/// Reads a generated kubeconfig of a release: the one called `name` by its generator's annotation
/// `pintle.dev/kubeconfig`, `admin` without a wish, or the only one there is. It holds a private
/// key.
///
/// # Errors
/// If there is no such release, it generates no such kubeconfig, or the Secret cannot be read or
/// has not been made.
pub async fn kubeconfig(session: &Session<'_>, name: Option<&str>) -> Result<Vec<u8>, Error> {
    let release = find(session, Revision::Newest).await?;
    let mut catalogue = Catalogue::new(session.cluster, session.namespace);
    let generators = catalogue.recorded(&release).await?.generators;
    let (generator, key) = choose(&generators, name).ok_or_else(|| Error::NoKubeconfig {
        release: session.release.to_owned(),
        wanted: name.unwrap_or(DEFAULT).to_owned(),
        known: kubeconfigs(&generators)
            .filter_map(|(generator, _)| generator.annotation(NAME))
            .map(str::to_owned)
            .collect(),
    })?;
    let data = secret_data(session, &generator.name).await?;
    let text = data.get(key).map(<[u8]>::to_vec);
    text.ok_or_else(|| not_issued(session, &generator.name))
}

/// Reads the data of a generated Secret of the release.
pub(super) async fn secret_data(session: &Session<'_>, name: &str) -> Result<SecretData, Error> {
    let unmade = || not_issued(session, name);
    let kind = builtin::kind("", "Secret").ok_or_else(unmade)?;
    let at = Address {
        kind,
        namespace: Some(session.namespace),
        name,
    };
    let secret = session.cluster.get(&at).await?.ok_or_else(unmade)?;
    SecretData::from_secret(&secret).map_err(|_| unmade())
}

fn not_issued(session: &Session<'_>, secret: &str) -> Error {
    Error::NotIssued {
        release: session.release.to_owned(),
        secret: secret.to_owned(),
    }
}

fn choose<'a>(generators: &'a [Generator], name: Option<&str>) -> Option<(&'a Generator, &'a str)> {
    let wanted = name.unwrap_or(DEFAULT);
    let mut named = kubeconfigs(generators);
    let found = named.find(|(generator, _)| generator.annotation(NAME) == Some(wanted));
    let mut all = kubeconfigs(generators);
    let only = all
        .next()
        .filter(|_| name.is_none() && all.next().is_none());
    found.or(only)
}

/// The generators of kubeconfigs, with the data keys that they write to.
fn kubeconfigs(generators: &[Generator]) -> impl Iterator<Item = (&Generator, &str)> {
    generators
        .iter()
        .filter_map(|generator| match &generator.spec {
            Spec::Kubeconfig(spec) => Some((generator, spec.key.as_str())),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::Origin;

    /// `all` are the names of Kubeconfig generators, with the annotation behind a colon.
    #[track_caller]
    fn check(all: &[&str], name: Option<&str>, expected: Option<&str>) {
        let generator = |text: &&str| {
            let (name, called) = text.split_once(':').unwrap_or((text, ""));
            let body = json!({
                "apiVersion": "generate.pintle.dev/v1", "kind": "Kubeconfig",
                "metadata": {"name": name, "annotations": {NAME: called}},
                "spec": {"issuer": "ca", "commonName": "x", "server": "https://a:1"},
            });
            let origin = Origin {
                template: "web/templates/a.yaml".to_owned(),
                line: 1,
            };
            Generator::parse(body, origin, "shop").unwrap()
        };
        let all: Vec<_> = all.iter().map(generator).collect();
        let found = choose(&all, name).map(|(generator, _)| generator.name.as_str());
        assert_eq!(found, expected);
    }

    #[test]
    fn kubeconfigs_are_found_by_name_or_because_there_is_one() {
        check(&["a:super", "b:admin"], None, Some("b"));
        check(&["a:super", "b:admin"], Some("super"), Some("a"));
        check(&["a:super", "b:admin"], Some("b"), None);
        check(&["a:super", "b"], None, None);
        check(&["a"], None, Some("a"));
        check(&["a"], Some("admin"), None);
        check(&[], None, None);
    }
}
