//! Making a chart of its files.

use std::collections::BTreeSet;

use super::{Chart, Engine, Error, File, Metadata, Position, Values};
use crate::yaml;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What the files of a chart are, before anything is known about the chart itself.
#[derive(Default)]
struct Parts {
    chart: Option<Vec<u8>>,
    values: Option<Vec<u8>>,
    schema: Option<Vec<u8>>,
    requirements: Option<Vec<u8>>,
    templates: Vec<File>,
    files: Vec<File>,
    subcharts: BTreeSet<String>,
    crds: bool,
}

impl Chart {
    /// Builds a chart of the files in its folder, in any order; a byte order mark is dropped.
    ///
    /// `Chart.yaml`, `values.yaml` and `values.schema.json` become fields of their own and, like
    /// `Chart.lock`, stand in no list of files, as in Helm's record.
    ///
    /// # Errors
    /// If `Chart.yaml` is missing or wrong, if `values.yaml` is not a YAML mapping, if a path
    /// leads out of the chart, and for what is not supported yet: Go templates, subcharts and
    /// `crds/`.
    pub fn from_files(files: Vec<File>) -> Result<Self, Error> {
        let parts = Parts::sort(files)?;
        let text = text(
            "Chart.yaml",
            parts.chart.as_deref().ok_or(Error::NoChartYaml)?,
        )?;
        let metadata = Metadata::parse(text)?;
        if metadata.engine()? == Engine::None {
            refuse_go_templates(&parts.templates)?;
        }
        parts.refuse_unsupported(&metadata)?;
        let values_text = match &parts.values {
            None => "",
            Some(data) => self::text("values.yaml", data)?,
        };
        let values_text = values_text.to_owned();
        let values = Values::parse("values.yaml", &values_text)?;
        let Parts {
            schema,
            templates,
            files,
            ..
        } = parts;
        Ok(Self {
            metadata,
            values,
            values_text,
            schema,
            templates,
            files,
        })
    }
}

impl Parts {
    fn sort(mut files: Vec<File>) -> Result<Self, Error> {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let twin = files.windows(2).find(|pair| pair[0].path == pair[1].path);
        if let Some(twin) = twin {
            let path = twin[0].path.clone();
            return Err(Error::Path {
                path,
                problem: "another file has the same path",
            });
        }
        let mut parts = Self::default();
        for mut file in files {
            check_path(&file.path)?;
            if file.data.starts_with(BOM) {
                file.data.drain(..BOM.len());
            }
            parts.add(file);
        }
        Ok(parts)
    }

    fn add(&mut self, file: File) {
        match file.path.as_str() {
            "Chart.yaml" => self.chart = Some(file.data),
            "values.yaml" => self.values = Some(file.data),
            "values.schema.json" => self.schema = Some(file.data),
            // It pins dependencies, and a chart that has any is refused.
            "Chart.lock" => {}
            "requirements.yaml" => {
                self.requirements = Some(file.data.clone());
                self.files.push(file);
            }
            path if path.starts_with("templates/") => self.templates.push(file),
            path if path.starts_with("charts/") => self.add_subchart(file),
            path => {
                self.crds |= path.starts_with("crds/");
                self.files.push(file);
            }
        }
    }

    /// Names that start with `_` or `.` are not charts, and Helm drops them.
    fn add_subchart(&mut self, file: File) {
        let name = file.path.split('/').nth(1).unwrap_or_default();
        if has_extension(&file.path, "prov") {
            self.files.push(file);
        } else if !name.starts_with(['_', '.']) {
            self.subcharts.insert(name.to_owned());
        }
    }

    fn refuse_unsupported(&self, metadata: &Metadata) -> Result<(), Error> {
        let feature = if let Some(dependency) = metadata.dependencies.first() {
            format!("the dependency {}", dependency.name)
        } else if let Some(subchart) = self.subcharts.first() {
            format!("the subchart charts/{subchart}")
        } else if self.crds {
            "a folder crds/".to_owned()
        } else if self.has_requirements()? {
            "dependencies in requirements.yaml".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::Unsupported {
            chart: metadata.name.clone(),
            feature,
        })
    }

    /// Charts of format v1 list their dependencies here.
    fn has_requirements(&self) -> Result<bool, Error> {
        const FILE: &str = "requirements.yaml";
        let Some(data) = &self.requirements else {
            return Ok(false);
        };
        let tree = yaml::parse(text(FILE, data)?).map_err(|cause| Error::yaml(FILE, cause))?;
        Ok(tree.get("dependencies").is_some_and(|list| !list.is_null()))
    }
}

fn text<'a>(file: &str, data: &'a [u8]) -> Result<&'a str, Error> {
    std::str::from_utf8(data).map_err(|cause| Error::NotText {
        file: file.to_owned(),
        cause,
    })
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, found)| found == extension)
}

fn check_path(path: &str) -> Result<(), Error> {
    match path_problem(path) {
        None => Ok(()),
        Some(problem) => Err(Error::Path {
            path: path.to_owned(),
            problem,
        }),
    }
}

/// Why no file of a chart can have this path, if so. Paths are shown, on terminals too.
pub(super) fn path_problem(path: &str) -> Option<&'static str> {
    Some(if path.contains('\\') || path.contains(char::is_control) {
        "it has a backslash or a control character"
    } else if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        "it is absolute"
    } else if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        "it has an empty part, . or .."
    } else {
        return None;
    })
}

fn refuse_go_templates(templates: &[File]) -> Result<(), Error> {
    for file in templates {
        let Some(start) = file.data.windows(2).position(|pair| pair == b"{{") else {
            continue;
        };
        let before = String::from_utf8_lossy(&file.data[..start]);
        let last = before.rsplit('\n').next().unwrap_or_default();
        let at = Position {
            file: file.path.clone(),
            line: before.matches('\n').count() as u64 + 1,
            column: last.chars().count() as u64 + 1,
        };
        return Err(Error::GoTemplates { at });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: kcp\nversion: 1.0.0\n");
    const TERA: (&str, &str) = (
        "Chart.yaml",
        "apiVersion: v2\nname: kcp\nversion: 1.0.0\nannotations: {pintle.dev/engine: tera}\n",
    );

    fn load(files: &[(&str, &str)]) -> Result<Chart, Error> {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).into(),
            data: (*text).into(),
        };
        Chart::from_files(files.iter().map(file).collect())
    }

    #[track_caller]
    fn check_error(files: &[(&str, &str)], expected: &str) {
        assert_eq!(load(files).unwrap_err().to_string(), expected);
    }

    fn paths(files: &[File]) -> Vec<&str> {
        files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn files_find_their_places() {
        let chart = load(&[
            ("values.yaml", "\u{feff}a: 1\n"),
            ("templates/b.yaml", "{{ values.a }}"),
            ("templates/NOTES.txt", "hello"),
            ("values.schema.json", "{}"),
            ("README.md", "# kcp"),
            (".helmignore", ".git/"),
            ("Chart.lock", "digest: x"),
            ("charts/_hidden/x.yaml", ""),
            ("charts/a.tgz.prov", "signed"),
            TERA,
        ])
        .unwrap();
        assert_eq!(chart.metadata.name, "kcp");
        assert_eq!(
            serde_json::to_value(&chart.values).unwrap(),
            json!({"a": 1})
        );
        assert_eq!(chart.schema.as_deref(), Some(&b"{}"[..]));
        assert_eq!(
            paths(&chart.templates),
            ["templates/NOTES.txt", "templates/b.yaml"]
        );
        assert_eq!(
            paths(&chart.files),
            [".helmignore", "README.md", "charts/a.tgz.prov"]
        );
    }

    #[test]
    fn a_chart_needs_its_file() {
        check_error(
            &[("values.yaml", "a: 1")],
            "not a chart: Chart.yaml is missing",
        );
        check_error(
            &[CHART, ("values.yaml", "- 1")],
            "values.yaml:1:1: values must be a mapping",
        );
        check_error(
            &[CHART, ("values.yaml", "a: [")],
            "values.yaml:1:4: not valid YAML",
        );
    }

    #[test]
    fn text_must_be_utf_8() {
        let data = vec![b'n', 0xff];
        let error = Chart::from_files(vec![File {
            path: "Chart.yaml".into(),
            data,
        }])
        .unwrap_err();
        assert_eq!(error.to_string(), "Chart.yaml: not UTF-8 text");
    }

    #[test]
    fn go_templates_are_refused_with_a_hint() {
        check_error(
            &[CHART, ("templates/a.yaml", "a: 1\nb: {{ .Values.b }}\n")],
            "templates/a.yaml:2:4: Go templates are not rendered; a Tera chart carries the \
             annotation pintle.dev/engine: tera in Chart.yaml",
        );
        assert!(load(&[CHART, ("templates/a.yaml", "a: 1\n")]).is_ok());
        assert!(load(&[CHART, ("README.md", "{{ example }}\n")]).is_ok());
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        let end = "which is not supported yet";
        check_error(
            &[CHART, ("charts/etcd/Chart.yaml", "")],
            &format!("chart kcp has the subchart charts/etcd, {end}"),
        );
        check_error(
            &[CHART, ("crds/a.yaml", "")],
            &format!("chart kcp has a folder crds/, {end}"),
        );
        check_error(
            &[CHART, ("requirements.yaml", "dependencies: [{name: a}]")],
            &format!("chart kcp has dependencies in requirements.yaml, {end}"),
        );
        let text = format!("{}dependencies: [{{name: etcd}}]\n", CHART.1);
        check_error(
            &[("Chart.yaml", &text)],
            &format!("chart kcp has the dependency etcd, {end}"),
        );
    }

    #[test]
    fn paths_stay_in_the_chart() {
        for path in [
            "../a",
            "/a",
            "a/../b",
            "a//b",
            "a\\b",
            "C:/a",
            "\u{1b}[2J",
            "",
        ] {
            let error = load(&[CHART, (path, "")]).unwrap_err();
            assert!(matches!(error, Error::Path { .. }), "{path:?}: {error}");
        }
        check_error(
            &[CHART, CHART],
            "cannot take \"Chart.yaml\" into a chart: another file has the same path",
        );
    }
}
