//! The name of a release as a template gives it.

use std::collections::BTreeSet;

use super::Error;
use crate::capabilities::Capabilities;
use crate::chart::{Chart, File, Metadata, Tree, Values};
use crate::release::check_name;
use crate::render::{self, Operation, ReleaseFacts, Scope};

/// What the template is called in errors.
const TEMPLATE: &str = "templates/name";

/// Renders the Tera text `template` as the name of a release of `chart` in `namespace`.
///
/// It sees `chart`, `release.namespace` and all functions; `release.name` is empty. Blanks around
/// what it renders to are taken off.
///
/// # Errors
/// If the template is wrong, or what it renders to is no name of a release.
pub fn name(chart: &Chart, namespace: &str, template: &str) -> Result<String, Error> {
    let metadata = Metadata {
        annotations: [("pintle.dev/engine".to_owned(), "tera".to_owned())].into(),
        dependencies: vec![],
        ..chart.metadata.clone()
    };
    let chart = Chart {
        metadata,
        templates: vec![File {
            path: TEMPLATE.to_owned(),
            data: template.into(),
        }],
        ..Chart::default()
    };
    let scope = Scope {
        release: ReleaseFacts {
            name: "",
            namespace,
            revision: 1,
            operation: Operation::Install,
        },
        values: Values::default(),
        off: &BTreeSet::new(),
        capabilities: &Capabilities::builtin(),
    };
    let rendered = render::render(&Tree::of(&chart)?, scope)?;
    let text: String = rendered.files.into_iter().map(|file| file.text).collect();
    let name = text.trim();
    check_name(name)?;
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, expected: Result<&str, &str>) {
        let data = "apiVersion: v2\nname: web\nversion: 1.2.0\n".into();
        let path = "Chart.yaml".to_owned();
        let chart = Chart::from_files(vec![File { path, data }]).unwrap();
        let found = name(&chart, "shop", template).map_err(|error| error.to_string());
        let found = found.as_deref().map_err(String::as_str);
        match (found, expected) {
            (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{found}"),
            _ => assert_eq!(found, expected, "{template}"),
        }
    }

    #[test]
    fn a_name_is_rendered() {
        check("fixed", Ok("fixed"));
        check(
            " {{ chart.name }}-{{ chart.version | k8s_name }}\n",
            Ok("web-1-2-0"),
        );
        check("{{ release.namespace }}-web", Ok("shop-web"));
        check(
            "{{ chart.nam }}",
            Err("web/templates/name:1:10: chart.nam is not defined; did you mean name?"),
        );
        check("Web", Err("release name \"Web\""));
        check("", Err("release name \"\""));
    }
}
