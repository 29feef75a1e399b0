//! New charts.
//!
//! A [`Starter`] and a name come in, the files of a chart go out. Writing them is left to the
//! source layer.

use std::str::FromStr;

use super::File;

/// What stands for the chart's name in the files of a starter, as in Helm's starters.
const NAME: &str = "<CHARTNAME>";
/// The line of `Chart.yaml` that names the chart which is its own starter.
const KCP_NAME: &str = "name: kcp\n";

/// What a new chart is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// A web server: one Deployment with all that belongs to it.
    App,
    /// A tenant's control plane.
    Kcp,
    /// Components for other charts.
    Library,
}

impl FromStr for Starter {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "app" => Ok(Self::App),
            "kcp" => Ok(Self::Kcp),
            "library" => Ok(Self::Library),
            _ => Err("expected app, kcp or library".to_owned()),
        }
    }
}

/// Paths with their texts, of the files below a folder of this repository.
macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../", $folder, "/", $path)))),+]
    };
}

type Files = &'static [(&'static str, &'static str)];

const APP: Files = files!("templates/app":
    ".helmignore",
    "Chart.yaml",
    "README.md",
    "templates/NOTES.txt",
    "templates/_labels.yaml",
    "templates/deployment.yaml",
    "templates/disruption-budget.yaml",
    "templates/service-account.yaml",
    "templates/service.yaml",
    "templates/tests/connection.yaml",
    "values.schema.json",
    "values.yaml",
);

const LIBRARY: Files = files!("templates/library":
    ".helmignore",
    "Chart.yaml",
    "README.md",
    "templates/_metadata.yaml",
    "templates/_security.yaml",
    "values.yaml",
);

const KCP: Files = files!("charts/kcp":
    ".helmignore",
    "Chart.yaml",
    "README.md",
    "templates/NOTES.txt",
    "templates/_client.yaml",
    "templates/_credentials.yaml",
    "templates/_metadata.yaml",
    "templates/_objects.yaml",
    "templates/_pod.yaml",
    "templates/apiserver/certificates.yaml",
    "templates/apiserver/deployment.yaml",
    "templates/apiserver/disruption-budget.yaml",
    "templates/apiserver/endpoint.yaml",
    "templates/apiserver/kubeconfigs.yaml",
    "templates/apiserver/service-account.yaml",
    "templates/apiserver/service.yaml",
    "templates/authorities.yaml",
    "templates/controller-manager/deployment.yaml",
    "templates/controller-manager/disruption-budget.yaml",
    "templates/controller-manager/kubeconfig.yaml",
    "templates/controller-manager/service-account.yaml",
    "templates/etcd/certificates.yaml",
    "templates/etcd/disruption-budget.yaml",
    "templates/etcd/service-account.yaml",
    "templates/etcd/services.yaml",
    "templates/etcd/statefulset.yaml",
    "templates/scheduler/deployment.yaml",
    "templates/scheduler/disruption-budget.yaml",
    "templates/scheduler/kubeconfig.yaml",
    "templates/scheduler/service-account.yaml",
    "values.schema.json",
    "values.yaml",
);

impl Starter {
    /// The files of a new chart with this name, sorted by path.
    pub fn files(self, name: &str) -> Vec<File> {
        let files = match self {
            Self::App => APP,
            Self::Kcp => KCP,
            Self::Library => LIBRARY,
        };
        let own = format!("name: {name}\n");
        files
            .iter()
            .map(|(path, text)| {
                let text = match (self, *path) {
                    (Self::Kcp, "Chart.yaml") => text.replacen(KCP_NAME, &own, 1),
                    _ => text.replace(NAME, name),
                };
                File {
                    path: (*path).to_owned(),
                    data: text.into_bytes(),
                }
            })
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests look for files")]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::chart::Chart;

    const ALL: [(Starter, &str); 3] = [
        (Starter::App, "templates/app"),
        (Starter::Kcp, "charts/kcp"),
        (Starter::Library, "templates/library"),
    ];

    fn below(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                below(&entry.path(), &format!("{path}/"), found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn a_starter_has_all_files_of_its_folder() {
        for (starter, folder) in ALL {
            let mut expected = BTreeSet::new();
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            below(&folder, "", &mut expected);
            let files = starter.files("shop").into_iter().map(|file| file.path);
            assert_eq!(files.collect::<BTreeSet<_>>(), expected, "{starter:?}");
        }
    }

    #[test]
    fn the_files_of_each_starter_are_these() {
        for (starter, _) in ALL {
            let files = starter.files("shop").into_iter();
            let paths: Vec<String> = files.map(|file| file.path).collect();
            insta::assert_snapshot!(format!("{starter:?}"), paths.join("\n"));
        }
    }

    #[test]
    fn a_new_chart_has_its_name() {
        for (starter, _) in ALL {
            let files = starter.files("my-shop");
            let text = |file: &File| String::from_utf8(file.data.clone()).unwrap();
            assert!(files.iter().all(|file| !text(file).contains(NAME)));
            let chart = Chart::from_files(files).unwrap();
            assert_eq!(chart.metadata.name, "my-shop");
        }
    }

    #[test]
    fn starters_have_names() {
        assert_eq!("kcp".parse(), Ok(Starter::Kcp));
        assert!("etcd".parse::<Starter>().is_err());
    }
}
