//! Making a chart of its files, and of the charts in them.

use std::collections::BTreeMap;

use super::{Chart, Engine, Error, File, Lock, MAX_TOTAL, Metadata, Position, Values, archive};

const BOM: &[u8] = b"\xef\xbb\xbf";
/// How deep charts may be nested.
const MAX_DEPTH: usize = 20;
/// How many charts there may be in all.
const MAX_CHARTS: usize = 2_000;

/// What the files of a chart are, before anything is known about the chart itself.
#[derive(Default)]
struct Parts {
    chart: Option<Vec<u8>>,
    lock: Option<File>,
    values: Option<Vec<u8>>,
    schema: Option<Vec<u8>>,
    requirements: Option<File>,
    templates: Vec<File>,
    files: Vec<File>,
    /// What stands in `charts/`, by the names of folders and files there.
    subcharts: BTreeMap<String, Vec<File>>,
}

impl Chart {
    /// Builds a chart of the files in its folder, in any order; a byte order mark is dropped.
    ///
    /// `Chart.yaml`, `values.yaml`, `values.schema.json` and `Chart.lock` become fields of their
    /// own and stand in no list of files, as in Helm's record. What stands in `charts/` becomes
    /// subcharts, up to 20 levels deep and 2,000 in all; what starts with `_` or `.` there is
    /// dropped, and `.prov` files stay files.
    ///
    /// # Errors
    /// If a `Chart.yaml` or a lock is missing or wrong, if a `values.yaml` is not a YAML mapping,
    /// if a path leads out of the chart, if a file in `charts/` is no chart, if an
    /// archive there cannot be unpacked, and for Go templates, which are not rendered. What is wrong with a subchart is told with its path.
    pub fn from_files(files: Vec<File>) -> Result<Self, Error> {
        Loader::default().chart(files, String::new(), 0)
    }
}

/// Finds the files of each chart in `charts/`, in folders and archives and at every depth, among
/// those of a chart. Each comes with its folder below that of the chart, such as
/// `charts/db/charts/agent/`.
///
/// # Errors
/// If an archive cannot be unpacked, a path is not allowed or a limit is crossed, as by
/// [`Chart::from_files`].
pub(crate) fn subcharts(files: Vec<File>) -> Result<Vec<(String, Vec<File>)>, Error> {
    let mut loader = Loader::default();
    let mut found = vec![];
    let mut open = vec![(String::new(), files, 0)];
    while let Some((folder, files, depth)) = open.pop() {
        loader.count(depth)?;
        let parts = Parts::sort(files.clone())?;
        for (name, files) in parts.subcharts {
            let files = loader.subchart(&name, files)?;
            open.push((format!("{folder}charts/{name}/"), files, depth + 1));
        }
        if !folder.is_empty() {
            found.push((folder, files));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Builds a chart and the charts in it.
#[derive(Default)]
struct Loader {
    /// How many charts there are so far.
    charts: usize,
    /// How many bytes the archives among them had in them.
    unpacked: usize,
}

impl Loader {
    /// Builds the chart of `files`, which stand in `folder`.
    fn chart(&mut self, files: Vec<File>, folder: String, depth: usize) -> Result<Chart, Error> {
        self.count(depth)?;
        let built = Parts::sort(files).and_then(Parts::build);
        let (mut chart, subcharts) = built.map_err(|error| error.within(&folder))?;
        for (name, files) in subcharts {
            let files = self.subchart(&name, files);
            let files = files.map_err(|error| error.within(&folder))?;
            let inner = format!("{folder}charts/{name}/");
            chart.subcharts.push(self.chart(files, inner, depth + 1)?);
        }
        chart.folder = folder;
        Ok(chart)
    }

    /// Counts one chart more, so many levels below the first.
    fn count(&mut self, depth: usize) -> Result<(), Error> {
        self.charts += 1;
        for (found, limit, unit) in [
            (self.charts, MAX_CHARTS, "charts"),
            (depth, MAX_DEPTH, "levels of charts"),
        ] {
            if found > limit {
                return Err(Error::TooMany { limit, unit });
            }
        }
        Ok(())
    }

    /// The files of the subchart in the folder or archive `name`, from those of the chart that has
    /// it.
    fn subchart(&mut self, name: &str, files: Vec<File>) -> Result<Vec<File>, Error> {
        let start = format!("charts/{name}/");
        let is_file = |file: &&File| !file.path.starts_with(&start);
        if let Some(file) = files.iter().find(is_file) {
            return if has_extension(name, "tgz") {
                self.unpack(file)
            } else {
                let file = file.path.clone();
                Err(Error::Stray { file })
            };
        }
        let below = |file: File| File {
            path: file.path[start.len()..].to_owned(),
            data: file.data,
        };
        Ok(files.into_iter().map(below).collect())
    }

    fn unpack(&mut self, file: &File) -> Result<Vec<File>, Error> {
        let files = archive::unpack(file.data.as_slice()).map_err(|cause| Error::Archive {
            file: file.path.clone(),
            cause: Box::new(cause),
        })?;
        self.unpacked += files.iter().map(|file| file.data.len()).sum::<usize>();
        if self.unpacked > MAX_TOTAL {
            let (limit, unit) = (MAX_TOTAL >> 20, "MiB in archives");
            return Err(Error::TooMany { limit, unit });
        }
        Ok(files)
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
            "requirements.yaml" => self.requirements = Some(file),
            // Sorted by path, that of format v1 comes last and wins.
            "Chart.lock" | "requirements.lock" => self.lock = Some(file),
            path if path.starts_with("templates/") => self.templates.push(file),
            path if path.starts_with("charts/") => self.add_subchart(file),
            _ => self.files.push(file),
        }
    }

    /// Names that start with `_` or `.` are not charts, and Helm drops them.
    fn add_subchart(&mut self, file: File) {
        let name = file.path.split('/').nth(1).unwrap_or_default();
        if has_extension(&file.path, "prov") {
            self.files.push(file);
        } else if !name.starts_with(['_', '.']) {
            let name = name.to_owned();
            self.subcharts.entry(name).or_default().push(file);
        }
    }

    /// The chart without its subcharts, and the files of these.
    fn build(mut self) -> Result<(Chart, BTreeMap<String, Vec<File>>), Error> {
        let data = self.chart.as_deref().ok_or_else(|| Error::NoChartYaml {
            file: "Chart.yaml".to_owned(),
        })?;
        let mut metadata = Metadata::parse(text("Chart.yaml", data)?)?;
        if metadata.engine()? == Engine::None {
            refuse_go_templates(&self.templates)?;
        }
        if let Some(file) = &self.requirements {
            let listed = Metadata::parse_requirements(text(&file.path, &file.data)?)?;
            metadata.dependencies = listed.unwrap_or(metadata.dependencies);
        }
        let lock = self.lock.as_ref().map(|file| {
            let text = text(&file.path, &file.data)?;
            Lock::parse(&file.path, text)
        });
        let lock = lock.transpose()?;
        self.keep_files_of_format_v1(&metadata);
        let values_text = match &self.values {
            None => "",
            Some(data) => text("values.yaml", data)?,
        };
        let values_text = values_text.to_owned();
        let chart = Chart {
            folder: String::new(),
            values: Values::parse("values.yaml", &values_text)?,
            metadata,
            lock,
            values_text,
            schema: self.schema,
            templates: self.templates,
            files: self.files,
            subcharts: Vec::new(),
        };
        Ok((chart, self.subcharts))
    }

    /// What became fields stays a file as well in charts of format v1, as Helm's record has it.
    fn keep_files_of_format_v1(&mut self, metadata: &Metadata) {
        let old = [self.requirements.take(), self.lock.take()];
        let mut old: Vec<File> = old.into_iter().flatten().collect();
        old.retain(|file| metadata.api_version == "v1" && file.path.starts_with("requirements."));
        self.files.append(&mut old);
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
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
            ("crds/a.yaml", "kind: x"),
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
            [
                ".helmignore",
                "README.md",
                "charts/a.tgz.prov",
                "crds/a.yaml"
            ]
        );
        assert_eq!(chart.lock.unwrap().digest, "x");
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

    const DB: &str = "name: db\nversion: 1.2.0\n";

    #[test]
    fn charts_stand_in_charts() {
        let chart = load(&[
            CHART,
            ("crds/z.json", ""),
            ("crds/README.md", ""),
            ("charts/db/Chart.yaml", DB),
            ("charts/db/templates/a.yaml", "a: 1"),
            ("charts/db/crds/a.yaml", ""),
            (
                "charts/db/charts/disk/Chart.yaml",
                "name: disk\nversion: 1.0.0\n",
            ),
            ("charts/db/charts/disk/values.yaml", "size: 1\n"),
            ("charts/db/charts/disk/crds/b/c.yml", ""),
            ("charts/app.v1/Chart.yaml", "name: app\nversion: 1.0.0\n"),
        ])
        .unwrap();
        let names: Vec<_> = (chart.subcharts.iter())
            .map(|sub| (sub.folder.as_str(), sub.metadata.name.as_str()))
            .collect();
        assert_eq!(names, [("charts/app.v1/", "app"), ("charts/db/", "db")]);
        let db = &chart.subcharts[1];
        assert_eq!(paths(&db.templates), ["templates/a.yaml"]);
        let disk = &db.subcharts[0];
        assert_eq!(disk.folder, "charts/db/charts/disk/");
        assert_eq!(
            serde_json::to_value(&disk.values).unwrap(),
            json!({"size": 1})
        );
        let crds = chart.crds();
        assert_eq!(
            paths(&crds),
            [
                "crds/z.json",
                "charts/db/crds/a.yaml",
                "charts/db/charts/disk/crds/b/c.yml"
            ]
        );
    }

    #[test]
    fn faults_of_subcharts_name_their_paths() {
        let db = ("charts/db/Chart.yaml", DB);
        check_error(
            &[CHART, ("charts/db/Chart.yaml", "name: db\nversion: x\n")],
            "charts/db/Chart.yaml:2:10: version \"x\" is not a version such as 1.2.3",
        );
        check_error(
            &[CHART, ("charts/db/values.yaml", "a: 1")],
            "not a chart: charts/db/Chart.yaml is missing",
        );
        check_error(
            &[CHART, db, ("charts/db/charts/x/values.yaml", "")],
            "not a chart: charts/db/charts/x/Chart.yaml is missing",
        );
        check_error(
            &[CHART, db, ("charts/db/values.yaml", "- 1")],
            "charts/db/values.yaml:1:1: values must be a mapping",
        );
        check_error(
            &[CHART, db, ("charts/db/templates/a.yaml", "{{ a }}")],
            "charts/db/templates/a.yaml:1:1: Go templates are not rendered; a Tera chart carries \
             the annotation pintle.dev/engine: tera in Chart.yaml",
        );
        check_error(
            &[CHART, db, ("charts/db/Chart.lock", "generated: x")],
            "charts/db/Chart.lock:1:12: generated is \"x\": must be a time such as \
             2026-01-31T12:00:00Z",
        );
        let stray = "only charts belong into charts/, in folders or archives (.tgz)";
        check_error(
            &[CHART, ("charts/README.md", "# Charts")],
            &format!("charts/README.md: {stray}"),
        );
        check_error(
            &[CHART, db, ("charts/db/charts/x", "")],
            &format!("charts/db/charts/x: {stray}"),
        );
        check_error(
            &[CHART, ("charts/db-1.0.0.tgz", "")],
            "cannot unpack charts/db-1.0.0.tgz",
        );
    }

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
            vec![],
            flate2::Compression::default(),
        ));
        for (path, data) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, format!("db/{path}"), *data)
                .unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn with_archive(data: Vec<u8>) -> Result<Chart, Error> {
        let file = |path: &str, data: Vec<u8>| File {
            path: path.to_owned(),
            data,
        };
        let chart = file("Chart.yaml", CHART.1.into());
        Chart::from_files(vec![chart, file("charts/db-1.2.0.tgz", data)])
    }

    #[test]
    fn archives_of_charts_stand_in_charts() {
        let disk = archive(&[("Chart.yaml", b"name: disk\nversion: 1.0.0\n")]);
        let chart = with_archive(archive(&[
            ("Chart.yaml", DB.as_bytes()),
            ("values.yaml", b"a: 1\n"),
            ("charts/disk.tgz", &disk),
        ]));
        let chart = chart.unwrap();
        let db = &chart.subcharts[0];
        assert_eq!(db.folder, "charts/db-1.2.0.tgz/");
        assert_eq!(db.values_text, "a: 1\n");
        assert_eq!(db.subcharts[0].metadata.name, "disk");
        let error = with_archive(archive(&[("Chart.yaml", b"name: db\n")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "charts/db-1.2.0.tgz/Chart.yaml:1:1: version is required"
        );
        let broken = archive(&[("charts/disk.tgz", b"x"), ("Chart.yaml", DB.as_bytes())]);
        assert_eq!(
            with_archive(broken).unwrap_err().to_string(),
            "cannot unpack charts/db-1.2.0.tgz/charts/disk.tgz"
        );
    }

    #[test]
    fn archives_in_archives_have_the_same_limits() {
        let zeros = vec![0; 4 << 20];
        let bomb = archive(&[
            ("Chart.yaml", b"name: disk\nversion: 1.0.0\n"),
            ("a", &zeros),
            ("b", &zeros),
            ("c", &zeros),
        ]);
        let chart = archive(&[("charts/disk.tgz", &bomb), ("Chart.yaml", DB.as_bytes())]);
        let error = with_archive(chart).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot unpack charts/db-1.2.0.tgz/charts/disk.tgz"
        );
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            cause.contains("it unpacks to more than 200 times its size"),
            "{cause}"
        );
    }

    #[test]
    fn charts_of_format_v1_have_their_requirements() {
        const V1: (&str, &str) = ("Chart.yaml", "name: a\nversion: 1.0.0\n");
        const LIST: (&str, &str) = ("requirements.yaml", "dependencies: [{name: db}]\n");
        let chart = load(&[V1, LIST, ("requirements.lock", "digest: x2")]).unwrap();
        assert_eq!(chart.metadata.dependencies[0].name, "db");
        assert_eq!(chart.lock.unwrap().digest, "x2");
        assert_eq!(
            paths(&chart.files),
            ["requirements.lock", "requirements.yaml"]
        );
        let chart = load(&[CHART, LIST]).unwrap();
        assert_eq!(chart.metadata.dependencies.len(), 1);
        assert_eq!(paths(&chart.files), [""; 0]);
        let own = "name: a\nversion: 1.0.0\ndependencies: [{name: db}]\n";
        let dependencies = |requirements: &str| {
            let files = [("Chart.yaml", own), ("requirements.yaml", requirements)];
            load(&files).unwrap().metadata.dependencies.len()
        };
        assert_eq!(dependencies("dependencies: []\n"), 0);
        assert_eq!(dependencies(""), 1);
        check_error(
            &[V1, ("requirements.yaml", "dependencies: [{name: [a]}]\n")],
            "requirements.yaml:1:23: dependencies[0].name must be a string",
        );
    }

    #[test]
    fn depth_and_number_have_limits() {
        let nested = |depth: usize| {
            let file = |depth: usize| {
                let path = format!("{}Chart.yaml", "charts/a/".repeat(depth));
                (path, "name: a\nversion: 1.0.0\n")
            };
            let files: Vec<_> = (0..=depth).map(file).collect();
            let files: Vec<_> = files
                .iter()
                .map(|(path, text)| (path.as_str(), *text))
                .collect();
            load(&files)
        };
        assert!(nested(MAX_DEPTH).is_ok());
        let error = nested(MAX_DEPTH + 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the chart contains more than 20 levels of charts"
        );
        let many = |count: usize| {
            let file = |n: usize| (format!("charts/a{n}/Chart.yaml"), DB);
            let files: Vec<_> = (1..count).map(file).collect();
            let files = files.iter().map(|(path, text)| (path.as_str(), *text));
            load(&files.chain([CHART]).collect::<Vec<_>>())
        };
        assert!(many(MAX_CHARTS).is_ok());
        let error = many(MAX_CHARTS + 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the chart contains more than 2000 charts"
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
