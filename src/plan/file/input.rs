//! What a plan was made from, as a file holds it.

use serde::{Deserialize, Serialize};

use super::Difference;

/// What a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// What goes into every fingerprint.
    pub salt: String,
    /// The chart; none for a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartInput>,
    /// The files of values, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileInput>,
    /// The values of `--set` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<FlagInput>,
    /// The fingerprint of what it all renders to.
    pub rendered: String,
}

/// A chart that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartInput {
    /// Where it was, as the user named it.
    pub reference: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of its files.
    pub digest: String,
}

/// A file that values came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileInput {
    /// The flag that names it.
    pub flag: FileFlag,
    /// The file; of `--set-file` the whole argument.
    pub name: String,
    /// Whether it can be read again, and does not have to be given anew.
    pub from: Source,
    /// The fingerprint of what it holds.
    pub fingerprint: String,
}

/// A flag that names files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFlag {
    /// `--values`.
    Values,
    /// `--set-file`.
    SetFile,
}

/// What values were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A file.
    File,
    /// An address, of which nothing secret is kept.
    Address,
    /// Standard input.
    Stdin,
}

/// Values that were given on the command line. They may be secret, so that they are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagInput {
    /// What they set, by path.
    pub keys: Vec<String>,
    /// The fingerprint of all of them.
    pub fingerprint: String,
}

impl Inputs {
    /// Tells how these are others than those that a plan was made from.
    pub fn differences(&self, planned: &Self) -> Vec<Difference> {
        let mut found = vec![];
        let mut tell = |about: String, what: &str| found.push(Difference::new(about, what));
        if let (Some(now), Some(then)) = (&self.chart, &planned.chart)
            && now.digest != then.digest
        {
            tell(format!("chart {}", now.reference), "its files have changed");
        }
        for (now, then) in self.files.iter().zip(&planned.files) {
            if (now.flag, &now.fingerprint) != (then.flag, &then.fingerprint) {
                tell(format!("values of {}", now.name), "they have changed");
            }
        }
        if self.files.len() != planned.files.len() {
            let (now, then) = (self.files.len(), planned.files.len());
            let what = format!("{now} given, and {then} for the plan");
            tell("files of values".to_owned(), &what);
        }
        match (&self.flags, &planned.flags) {
            (Some(now), Some(then)) if now.keys != then.keys => {
                let what = format!(
                    "they are for {}, and were for {}",
                    now.keys.join(", "),
                    then.keys.join(", ")
                );
                tell("values of --set and the like".to_owned(), &what);
            }
            (Some(now), Some(then)) if now.fingerprint != then.fingerprint => {
                let what = "they are others than those of the plan";
                tell(format!("values for {}", now.keys.join(", ")), what);
            }
            (Some(now), None) => {
                let what = "the plan was made without them";
                tell(format!("values for {}", now.keys.join(", ")), what);
            }
            _ => {}
        }
        found
    }
}
