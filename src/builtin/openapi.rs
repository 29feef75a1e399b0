//! What each minor of Kubernetes takes as a resource: its kinds, and the types of their fields.
//!
//! The text of `schemas/openapi.json` comes in: what the API servers of several minors publish under
//! `/openapi/v3`, and what the Go source of their API says about deprecation. Nothing of it is read
//! before somebody asks. Checking a resource is left to the callers.
//!
//! The file has four members. `versions` are those of the API servers, rising. `kinds` gives the
//! type of each `group/version/Kind`, `types` the fields of each type, `lifecycles` when a kind was
//! deprecated and removed. The type of a field is a [`Word`], with `!` after it where the field is
//! required. What differs between minors is a list whose entries name theirs: `"34-35 string"`.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

const TEXT: &str = include_str!("../../schemas/openapi.json");

/// A minor of Kubernetes that the data has, such as 36 for 1.36.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minor {
    number: u32,
    version: &'static str,
}

impl Minor {
    /// Returns every minor of the data, rising.
    pub fn all() -> Vec<Self> {
        let versions = document().versions.iter();
        let minor = |version: &&'static str| {
            let number = version.split('.').nth(1)?.parse().ok()?;
            Some(Self { number, version })
        };
        versions.filter_map(minor).collect()
    }

    /// Returns the version of the API server that the data of this minor is of, such as `v1.36.3`.
    pub fn version(self) -> &'static str {
        self.version
    }

    /// Returns the number after the major, such as 36.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Returns `group/version/Kind` of everything that can be created in this minor.
    pub fn kinds(self) -> impl Iterator<Item = &'static str> {
        let kinds = document().kinds.iter();
        kinds.filter_map(move |(name, root)| root.at(self.number).map(|_| *name))
    }

    /// Returns the type of a kind; none where this minor does not serve it.
    pub fn root(self, api_version: &str, kind: &str) -> Option<Object> {
        let name = format!("{api_version}/{kind}");
        let root = document().kinds.get(name.as_str())?;
        self.object(root.at(self.number)?)
    }

    fn object(self, name: &str) -> Option<Object> {
        let (name, fields) = document().types.get_key_value(name)?;
        Some(Object {
            minor: self,
            name,
            fields,
        })
    }
}

/// `1.36`.
impl std::fmt::Display for Minor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1.{}", self.number)
    }
}

/// When an API was deprecated and removed, by the Go source of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Lifecycle {
    /// The release that deprecated it, such as `1.21`.
    pub deprecated: &'static str,
    /// The release that does not serve it any more; it may be one that is to come.
    pub removed: Option<&'static str>,
    /// The `group/version/Kind` to use instead.
    pub replacement: Option<&'static str>,
}

impl Lifecycle {
    /// Finds what is known about a deprecated kind; none for all others.
    pub fn find(api_version: &str, kind: &str) -> Option<Self> {
        let name = format!("{api_version}/{kind}");
        document().lifecycles.get(name.as_str()).copied()
    }

    /// Tells whether `minor` calls it deprecated.
    pub fn is_deprecated_in(self, minor: Minor) -> bool {
        is_since(self.deprecated, minor)
    }

    /// Tells whether `minor` does not serve it any more.
    pub fn is_removed_in(self, minor: Minor) -> bool {
        self.removed.is_some_and(|removed| is_since(removed, minor))
    }
}

fn is_since(release: &str, minor: Minor) -> bool {
    let number = release.split('.').nth(1);
    number.is_some_and(|number| number.parse().is_ok_and(|since: u32| since <= minor.number))
}

/// An API type in one minor.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    minor: Minor,
    name: &'static str,
    fields: &'static Fields,
}

impl Object {
    /// Returns the type's name, such as `apps.v1.DeploymentSpec`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Finds a field.
    pub fn field(self, name: &str) -> Option<Field> {
        Some(Field::parse(self.fields.get(name)?.at(self.minor.number)?))
    }

    /// Returns every field with its name.
    pub fn fields(self) -> impl Iterator<Item = (&'static str, Field)> {
        let minor = self.minor.number;
        let fields = self.fields.iter();
        fields.filter_map(move |(name, text)| Some((*name, Field::parse(text.at(minor)?))))
    }
}

/// A field of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// What it holds.
    pub word: Word,
    /// Whether it may not be missing.
    pub required: bool,
}

impl Field {
    fn parse(text: &'static str) -> Self {
        let bare = text.strip_suffix('!');
        Self {
            word: Word(bare.unwrap_or(text)),
            required: bare.is_some(),
        }
    }
}

/// The type of a value as the data writes it: `string`, `string=A|B`, `int32`, `int64`, `double`,
/// `boolean`, `bytes` (base64), `time`, `quantity`, `int-or-string`, `any`, `object` (of free keys),
/// `[]` or `{}` before the type of what a list or a map holds, or the name of an [`Object`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(&'static str);

/// What a [`Word`] says.
#[derive(Debug, Clone, Copy)]
pub enum Holds {
    /// Any text, or one of these where there are some.
    Text(&'static str),
    /// An integer of so many bits.
    Integer(u32),
    /// A number with or without a fraction.
    Double,
    /// `true` or `false`.
    Boolean,
    /// Base64.
    Bytes,
    /// A time as RFC 3339 has it.
    Time,
    /// A quantity such as `500m`.
    Quantity,
    /// An integer or a text, as for ports.
    IntOrString,
    /// Anything.
    Any,
    /// A mapping of free form.
    Free,
    /// A list.
    List(Word),
    /// A mapping of free keys.
    Map(Word),
    /// A mapping of known keys.
    Object(Object),
}

impl Word {
    /// Says what the word means in a minor.
    pub fn holds(self, minor: Minor) -> Holds {
        if let Some(of) = self.0.strip_prefix("[]") {
            return Holds::List(Self(of));
        }
        if let Some(of) = self.0.strip_prefix("{}") {
            return Holds::Map(Self(of));
        }
        if let Some(choice) = self.0.strip_prefix("string=") {
            return Holds::Text(choice);
        }
        match self.0 {
            "string" => Holds::Text(""),
            "int32" => Holds::Integer(32),
            "int64" => Holds::Integer(64),
            "double" | "number" => Holds::Double,
            "boolean" => Holds::Boolean,
            "bytes" => Holds::Bytes,
            "time" => Holds::Time,
            "quantity" => Holds::Quantity,
            "int-or-string" => Holds::IntOrString,
            "object" => Holds::Free,
            name => minor.object(name).map_or(Holds::Any, Holds::Object),
        }
    }
}

type Fields = BTreeMap<&'static str, Said>;

/// One text for all minors, or each with its minors before it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Same(&'static str),
    Each(Vec<&'static str>),
}

impl Said {
    fn at(&self, minor: u32) -> Option<&'static str> {
        match self {
            Self::Same(text) => Some(text),
            Self::Each(texts) => texts.iter().find_map(|text| {
                let (span, text) = text.split_once(' ')?;
                let (from, to) = span.split_once('-').unwrap_or((span, span));
                let within = from.parse().is_ok_and(|from: u32| from <= minor)
                    && to.parse().is_ok_and(|to: u32| minor <= to);
                within.then_some(text)
            }),
        }
    }
}

#[derive(Default, Deserialize)]
struct Document {
    versions: Vec<&'static str>,
    #[serde(borrow)]
    kinds: BTreeMap<&'static str, Said>,
    #[serde(borrow)]
    lifecycles: BTreeMap<&'static str, Lifecycle>,
    #[serde(borrow)]
    types: HashMap<&'static str, Fields>,
}

fn document() -> &'static Document {
    // The text is part of the program, and a test reads it: the default is never seen.
    static DOCUMENT: LazyLock<Document> =
        LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());
    &DOCUMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(number: u32) -> Minor {
        let mut all = Minor::all().into_iter();
        all.find(|minor| minor.number == number).unwrap()
    }

    #[test]
    fn the_data_is_read_and_leads_nowhere_else() {
        let document: Document = serde_json::from_str(TEXT).unwrap();
        let numbers: Vec<u32> = Minor::all().iter().map(|minor| minor.number).collect();
        assert_eq!(numbers, [34, 35, 36]);
        for minor in Minor::all() {
            assert!(minor.kinds().count() > 60, "{minor}");
            for name in minor.kinds() {
                let (api_version, kind) = name.rsplit_once('/').unwrap();
                assert!(minor.root(api_version, kind).is_some(), "{minor}: {name}");
            }
        }
        for (name, fields) in &document.types {
            for said in fields.values() {
                for minor in Minor::all() {
                    let Some(field) = said.at(minor.number).map(Field::parse) else {
                        continue;
                    };
                    let bare = field.word.0.trim_start_matches(['[', ']', '{', '}']);
                    let known = !bare.contains(['.', ' ']) || bare.contains('=');
                    assert!(known || document.types.contains_key(bare), "{name}: {bare}");
                }
            }
        }
    }

    #[track_caller]
    fn check_field(number: u32, path: &str, expected: &str) {
        let mut steps = path.split('.');
        let minor = minor(number);
        let mut object = minor.root("apps/v1", steps.next().unwrap()).unwrap();
        let mut field = None;
        for step in steps {
            field = object.field(step);
            let mut word = field.map(|field| field.word);
            while let Some(Holds::List(of)) = word.map(|word| word.holds(minor)) {
                word = Some(of);
            }
            if let Some(Holds::Object(of)) = word.map(|word| word.holds(minor)) {
                object = of;
            }
        }
        let found = field.map_or("nothing".to_owned(), |field| {
            format!("{}{}", field.word.0, if field.required { "!" } else { "" })
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn fields_are_found_in_their_minor() {
        let container = "Deployment.spec.template.spec.containers";
        check_field(36, "Deployment.spec.template", "core.v1.PodTemplateSpec!");
        check_field(36, "Deployment.spec.replicas", "int32");
        check_field(36, container, "[]core.v1.Container!");
        check_field(36, &format!("{container}.resources.limits"), "{}quantity");
        check_field(
            36,
            &format!("{container}.readinessProbe.httpGet.port"),
            "int-or-string!",
        );
        check_field(36, "Deployment.spec.updateStrategy", "nothing");
        check_field(36, "Deployment.status", "any");
        check_field(36, "Deployment.metadata.creationTimestamp", "time");
    }

    #[test]
    fn lifecycles_are_found() {
        let job = Lifecycle::find("batch/v1beta1", "CronJob").unwrap();
        assert_eq!(job.removed, Some("1.25"));
        assert_eq!(job.replacement, Some("batch/v1/CronJob"));
        assert!(job.is_deprecated_in(minor(34)));
        assert_eq!(Lifecycle::find("batch/v1", "CronJob"), None);
        assert!(minor(36).root("batch/v1beta1", "CronJob").is_none());
    }

    #[test]
    fn what_differs_names_its_minors() {
        let said = Said::Each(vec!["34-35 string", "36 string=A|B"]);
        assert_eq!(said.at(33), None);
        assert_eq!(said.at(35), Some("string"));
        assert_eq!(said.at(36), Some("string=A|B"));
    }
}
