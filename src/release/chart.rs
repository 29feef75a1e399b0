//! A chart as the record holds it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::null_is_empty;
use crate::chart::schema::RecordedSchema;
use crate::chart::{Error, File, Metadata, Tree, Values};

/// The path of the file in the recorded chart that holds how the values of its subcharts may change,
/// which Helm carries along byte for byte: a JSON list of [`RecordedSchema`].
const SCHEMAS_FILE: &str = "pintle/schemas";

/// Go's zero time, which Helm 4 writes for a schema without a time.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// A chart as the record holds it (helm/helm `pkg/chart/v2/chart.go`): without its subcharts and
/// without the text of `values.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedChart {
    /// `Chart.yaml`; always written, because Helm cannot show a record without it.
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: Metadata,
    /// `Chart.lock`.
    #[serde(default)]
    pub lock: Value,
    /// The templates.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub templates: Vec<RecordedFile>,
    /// The defaults.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub values: Values,
    /// `values.schema.json` in base64.
    #[serde(default)]
    pub schema: Option<String>,
    /// When the schema was changed.
    #[serde(default = "zero_time")]
    pub schemamodtime: String,
    /// All other files.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub files: Vec<RecordedFile>,
    /// Fields that are not known here, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A file as the record holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    /// The path below the chart's folder.
    #[serde(default)]
    pub name: String,
    /// The content in base64.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub data: String,
    /// When it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modtime: Option<String>,
}

impl RecordedChart {
    /// The record of the charts in `tree` but those that are `off`, as Helm writes it: the root with the defaults of all, and the dependencies that are on, each under the name that it
    /// goes by.
    ///
    /// # Errors
    /// If a default that a chart depends on has the wrong shape.
    pub fn of(tree: &Tree<'_>, off: &BTreeSet<String>) -> Result<Self, Error> {
        let chart = tree.root.chart;
        let mut metadata = chart.metadata.clone();
        metadata.dependencies = tree.dependencies(off);
        for dependency in &mut metadata.dependencies {
            // It is in no record, so that it must not make two of them differ.
            dependency.depends_on.clear();
        }
        // What is plain data can be written.
        let lock = serde_json::to_value(&chart.lock).unwrap_or_default();
        let mut recorded = Self {
            metadata,
            lock,
            templates: chart.templates.iter().map(RecordedFile::of).collect(),
            values: tree.defaults(off)?,
            schema: chart
                .schema
                .as_ref()
                .map(|schema| BASE64_STANDARD.encode(schema)),
            schemamodtime: zero_time(),
            files: chart.files.iter().map(RecordedFile::of).collect(),
            other: Map::new(),
        };
        let schemas = RecordedSchema::of(tree, off);
        let text = (!schemas.is_empty()).then(|| serde_json::to_vec(&schemas).unwrap_or_default());
        recorded.set_file(SCHEMAS_FILE, text.as_deref());
        Ok(recorded)
    }

    /// Puts a file beside those of the chart, instead of one of the same name; none takes it out.
    pub fn set_file(&mut self, name: &str, data: Option<&[u8]>) {
        self.files.retain(|file| file.name != name);
        self.files.extend(data.map(|data| RecordedFile {
            name: name.to_owned(),
            data: BASE64_STANDARD.encode(data),
            modtime: None,
        }));
    }

    /// The bytes of a file; none if there is none or it is not base64.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        let file = self.files.iter().find(|file| file.name == name)?;
        BASE64_STANDARD.decode(&file.data).ok()
    }

    /// The schemas by which values may change: the chart's own, and where pintle wrote the record,
    /// those of its subcharts. What cannot be read is left out.
    pub fn schemas(&self) -> Vec<RecordedSchema> {
        let own = self.schema.as_ref().and_then(|schema| {
            let text = BASE64_STANDARD.decode(schema).ok()?;
            let schema = String::from_utf8(text).ok()?;
            (!schema.is_empty()).then_some(RecordedSchema {
                keys: vec![],
                chart: String::new(),
                schema,
            })
        });
        let parts = self.file(SCHEMAS_FILE).unwrap_or_default();
        let parts = serde_json::from_slice::<Vec<RecordedSchema>>(&parts).unwrap_or_default();
        own.into_iter().chain(parts).collect()
    }
}

impl RecordedFile {
    fn of(file: &File) -> Self {
        let data = BASE64_STANDARD.encode(&file.data);
        Self {
            name: file.path.clone(),
            data,
            modtime: None,
        }
    }
}

/// Reads `Chart.yaml` as a record holds it, where a null stands for what is not there.
pub(super) fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metadata, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    let fields = fields
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    serde_json::from_value(Value::Object(fields.collect())).map_err(serde::de::Error::custom)
}

fn zero_time() -> String {
    ZERO_TIME.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Chart;
    use serde_json::json;

    #[test]
    fn a_tree_is_recorded_as_helm_does() {
        let file = |(path, text): (&str, &str)| File {
            path: path.to_owned(),
            data: text.into(),
        };
        let files = [
            (
                "Chart.yaml",
                "name: web\nversion: 1.0.0\ndependencies:\n\
                 - {name: a, version: ^1, alias: x, import-values: [one]}\n\
                 - {name: b, version: ^1, condition: b.use}\n",
            ),
            ("values.yaml", "b: {use: false}\nx: {v: 2}\n"),
            ("Chart.lock", "digest: d\ngenerated: 2026-01-31T12:00:00Z\n"),
            ("charts/a/Chart.yaml", "name: a\nversion: 1.0.0\n"),
            ("charts/a/values.yaml", "v: 1\nexports: {one: {p: 1}}\n"),
            ("charts/a/crds/x.yaml", "kind: x\n"),
            ("charts/b/Chart.yaml", "name: b\nversion: 1.0.0\n"),
            ("charts/b/values.yaml", "w: 1\n"),
        ];
        let chart = Chart::from_files(files.map(file).to_vec()).unwrap();
        let tree = Tree::of(&chart).unwrap();
        let config = serde_json::from_value(json!({"x": {"v": 3}})).unwrap();
        let selection = tree.select(config).unwrap();
        let record =
            serde_json::to_value(RecordedChart::of(&tree, &selection.off).unwrap()).unwrap();
        assert_eq!(
            record["metadata"]["dependencies"],
            json!([{
                "name": "x", "version": "^1", "repository": "", "enabled": true, "alias": "x",
                "import-values": [{"child": "exports.one", "parent": "."}],
            }])
        );
        assert_eq!(
            record["values"],
            json!({
                "b": {"use": false}, "p": 1,
                "x": {"v": 2, "exports": {"one": {"p": 1}}, "global": {}},
            })
        );
        assert_eq!(
            record["lock"],
            json!({"digest": "d", "generated": "2026-01-31T12:00:00Z", "dependencies": null})
        );
        assert_eq!(record["files"], json!([]));
    }
}
