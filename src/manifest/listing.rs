//! The texts of a manifest for people and for tools that read YAML.
//!
//! A [`Manifest`] and what is wanted of it beside its resources come in, its documents go out, each
//! with the template it came from. Writing them is left to others.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{Hook, HookEvent, Manifest};
use crate::yaml;

/// What can be listed beside the resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extra {
    /// Hooks, those of tests excepted.
    Hooks,
    /// Hooks that test the release.
    Tests,
    /// The documents of generators, which no API server ever sees.
    Generators,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// The template or file that it came from, such as `web/templates/service.yaml`.
    pub template: &'a str,
    /// Its text, without the separator.
    pub text: Cow<'a, str>,
}

impl Listed<'_> {
    /// The document below the separator and a line that names its template, as Helm prints it.
    pub fn to_text(&self) -> String {
        let Self { template, text } = self;
        format!("---\n# Source: {template}\n{text}\n")
    }

    /// The path of its template below the folder of the chart: what follows the chart's name.
    pub fn path(&self) -> &str {
        let below = self.template.split_once('/');
        below.map_or(self.template, |(_, path)| path)
    }
}

impl Manifest {
    /// Lists the resources in Helm's order of installation, then the `extras` that are asked for:
    /// hooks in that order, and generators in the order of the templates.
    pub fn list(&self, extras: &BTreeSet<Extra>) -> Vec<Listed<'_>> {
        let resources = self.documents.iter().map(|document| Listed {
            template: &document.template,
            text: Cow::from(&document.text),
        });
        let hooks = self.hooks.iter();
        let hooks = hooks.filter(|hook| extras.contains(&kind(hook)));
        let hooks = hooks.map(|hook| Listed {
            template: &hook.resource.origin.template,
            text: Cow::from(&hook.text),
        });
        let generators = self.generators.iter();
        let generators = generators.filter(|_| extras.contains(&Extra::Generators));
        let generators = generators.map(|generator| Listed {
            template: &generator.origin.template,
            text: Cow::from(yaml::to_string(generator.declared())),
        });
        resources.chain(hooks).chain(generators).collect()
    }
}

fn kind(hook: &Hook) -> Extra {
    if hook.events.contains(&HookEvent::Test) {
        Extra::Tests
    } else {
        Extra::Hooks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::Kinds;
    use crate::manifest::Placement;
    use crate::render::{Rendered, RenderedFile};

    fn manifest() -> Manifest {
        let resource = |kind: &str, hook: &str| {
            let annotations = match hook {
                "" => String::new(),
                hook => format!("  annotations: {{helm.sh/hook: {hook}}}\n"),
            };
            format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: a\n{annotations}")
        };
        let key = "apiVersion: generate.pintle.dev/v1\nkind: KeyPair\nmetadata: {name: key}\n\
                   spec: {}\n";
        let file = |path: &str, text: String| RenderedFile {
            path: format!("web/{path}"),
            text,
        };
        let rendered = Rendered {
            files: vec![
                file("charts/db/templates/a.yaml", resource("Service", "")),
                file("templates/b.yaml", resource("Pod", "pre-install")),
                file("templates/c.yaml", resource("ConfigMap", "test")),
                file("templates/d.yaml", key.to_owned()),
            ],
            ..Rendered::default()
        };
        let placement = Placement {
            namespace: "shop",
            kinds: &Kinds::default(),
        };
        Manifest::parse(&rendered, placement).unwrap()
    }

    #[track_caller]
    fn check(extras: &[Extra], expected: &[&str]) {
        let manifest = manifest();
        let extras = extras.iter().copied().collect();
        let listed = manifest.list(&extras);
        let found: Vec<_> = listed.iter().map(Listed::path).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn extras_are_listed_where_they_are_asked_for() {
        let own = ["templates/d.yaml", "charts/db/templates/a.yaml"];
        let with = |more: &[&'static str]| [&own, more].concat();
        check(&[], &own);
        check(&[Extra::Hooks], &with(&["templates/b.yaml"]));
        check(&[Extra::Tests], &with(&["templates/c.yaml"]));
        check(
            &[Extra::Tests, Extra::Hooks, Extra::Generators],
            &with(&["templates/c.yaml", "templates/b.yaml", "templates/d.yaml"]),
        );
    }

    #[test]
    fn a_document_is_printed_as_helm_does() {
        let manifest = manifest();
        let listed = manifest.list(&BTreeSet::new());
        let text: String = listed.iter().map(Listed::to_text).collect();
        assert_eq!(text, manifest.to_text());
        let generators = manifest.list(&[Extra::Generators].into());
        let last = generators.last().unwrap().to_text();
        assert!(last.starts_with("---\n# Source: web/templates/d.yaml\napiVersion: generate"));
        assert!(last.contains("kind: KeyPair"), "{last}");
    }
}
