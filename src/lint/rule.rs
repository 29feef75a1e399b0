//! The rules: what each is called, how grave a breach of it is, and what it is about.
//!
//! `docs/lint.md` has the same rows; a test holds that.

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The chart cannot be used, or an API server would refuse what it renders to.
    Error,
    /// The chart works and will not always.
    Warning,
    /// Something that could be better.
    Info,
}

impl Severity {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One thing that lint looks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name that findings and the documentation call it by.
    pub id: &'static str,
    /// How grave a finding is.
    pub severity: Severity,
    /// What it finds, in one line.
    pub about: &'static str,
}

macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $about:literal)*) => {
        $(pub(super) const $name: &Rule = &Rule {
            id: $id,
            severity: Severity::$severity,
            about: $about,
        };)*

        /// Every rule, in the order of the documentation.
        pub const RULES: &[&Rule] = &[$($name),*];
    };
}

rules! {
    CHART_FILE "chart-file" Error "`Chart.yaml` is missing, not YAML, or a field of it is wrong; so of `requirements.yaml` and `Chart.lock`, and of what stands in `charts/`"
    ENGINE_FIELD "engine-field" Error "`engine:` stands in `Chart.yaml`, where the annotation belongs"
    NO_ANNOTATION "no-annotation" Error "templates have actions, and no annotation says that they are Tera"
    CHART_NAME "chart-name" Warning "the chart's name is not of lower-case letters, digits and dashes"
    CHART_VERSION "chart-version" Warning "the chart's version is not a whole SemVer 2 version"
    CHART_API_VERSION "chart-api-version" Warning "`apiVersion` is not `v2`"
    CHART_TYPE "chart-type" Error "`type` or `dependencies` is set in a chart of format v1"
    CHART_FIELD "chart-field" Warning "`Chart.yaml` has a field that Helm does not know and drops, also in a maintainer or dependency"
    APP_VERSION "app-version" Error "`appVersion` is not a string"
    CHART_URL "chart-url" Error "an address in `Chart.yaml` is not a URL"
    MAINTAINER "maintainer" Error "a maintainer has no name, or an address that is none"
    DEPENDENCY "dependency" Error "a dependency has no version or no name, or no chart in `charts/` fits"
    UNLISTED_CHART "unlisted-chart" Warning "a chart in `charts/` is no dependency of the chart"
    DEPENDENCY_VALUES "dependency-values" Warning "a condition or an import of a dependency names values that nothing has"
    DEPENDS_ON "depends-on" Warning "a dependency has the field `depends-on`, which `helm package` drops"
    STALE_LOCK "stale-lock" Warning "`Chart.lock` was made for other dependencies"
    DEPRECATED_CHART "deprecated-chart" Warning "the chart says that it is deprecated"
    CHART_ICON "chart-icon" Info "the chart has no icon"
    KUBE_VERSION "kube-version" Warning "`kubeVersion` allows no minor of Kubernetes that is checked, or nothing is known of the one that is asked for"
    HELMIGNORE "helmignore" Error "a line of `.helmignore` is wrong"
    NO_TEMPLATES "no-templates" Warning "the chart has neither templates nor charts in it"
    CRDS "crds" Error "a file of `crds/` is not YAML, or holds something that is no CRD"
    TEMPLATE_EXTENSION "template-extension" Error "a template is called neither .yaml, .yml, .tpl nor .txt"
    SILENT_IN_HELM "silent-in-helm" Warning "Helm would install the chart with its statements unread"
    NO_VALUES "no-values" Info "the chart has no `values.yaml`"
    VALUES_FILE "values-file" Error "`values.yaml` of the chart or of one in it is not a YAML mapping"
    BOOLEAN_KEY "boolean-key" Warning "Kubernetes and Helm read a key of the values as a boolean"
    SCHEMA "schema" Error "`values.schema.json` or a CEL rule in it is wrong"
    VALUES "values" Error "the values do not fit the schema"
    UNUSED_VALUE "unused-value" Warning "no template reads a default value"
    UNDECLARED_VALUE "undeclared-value" Warning "a template reads a value that no default and no schema has"
    TEMPLATE "template" Error "a template cannot be rendered"
    MANIFEST "manifest" Error "a template renders to something that is no resource"
    SEPARATOR "separator" Warning "text stands on the line of a document's dashes, which is no separator in YAML"
    GENERATOR "generator" Error "a generator is wrong"
    UNUSED_GENERATOR "unused-generator" Info "nothing in the chart uses what a generator makes"
    GROUPS "groups" Error "the resource groups have no order"
    READINESS "readiness" Error "an expression of when a resource is ready is wrong"
    DUPLICATE_RESOURCE "duplicate-resource" Error "two documents ask for the same resource"
    RESOURCE_NAME "resource-name" Error "the API server would refuse a resource's name"
    UNSERVED_API "unserved-api" Error "no such `apiVersion` and `kind` is served"
    DEPRECATED_API "deprecated-api" Warning "`apiVersion` and `kind` are served and deprecated"
    UNKNOWN_FIELD "unknown-field" Error "a field does not exist; the API server would drop it"
    MISSING_FIELD "missing-field" Error "a required field is missing"
    FIELD_TYPE "field-type" Error "a field has a value of another type"
    FIELD_VALUE "field-value" Error "a field has a value that it cannot have"
    NULL_FIELD "null-field" Error "a field is null where a value belongs"
    DUPLICATE_ITEM "duplicate-item" Error "two items of a list have the same key"
    SELECTOR_MISMATCH "selector-mismatch" Error "a workload does not select its own pods"
    IMMUTABLE_FIELD "immutable-field" Error "a field that cannot be changed follows the chart's version"
    HARD_CODED_NAMESPACE "hard-coded-namespace" Warning "a template names a namespace of its own"
    CONFIG_ROLLOUT "config-rollout" Info "pods do not restart when a config map of the chart changes"
}
