//! Charts, values, schemas, archives and templates that mean harm: each is refused or does none. The
//! real binary ends, by itself and with a documented exit code, in less than 200 MB; it changes no
//! file, and nothing of a chart steers the terminal.

mod archives;
mod charts;
mod limits;
mod measure;
mod templates;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

pub(crate) use measure::{MOST_MEMORY, Outcome};

/// `Chart.yaml` of a good chart.
const CHART: &str = "\
apiVersion: v2
name: small
version: 1.0.0
annotations:
  pintle.dev/engine: tera
";

/// A folder with charts, and something beside it that nobody may touch.
struct Trap {
    folder: TempDir,
    /// What work on a chart may take of the processor.
    seconds: &'static str,
}

/// Twice as much as a release may take, although a build without optimisation is slower.
const SECONDS: &str = "3";
/// What all else may take, and what a build without optimisation makes of that.
const MORE: Duration = Duration::from_secs(1);
/// For what would never end: it shows no more when it is ended later.
const SHORT: &str = "0.5";

impl Trap {
    /// A trap with a good chart without templates at `small`.
    fn new() -> Self {
        let trap = Self {
            folder: tempfile::tempdir().unwrap(),
            seconds: SECONDS,
        };
        trap.write("home/.bashrc", "untouched");
        trap.write("secret", "s3cr3t");
        trap.write("work/small/Chart.yaml", CHART);
        trap
    }

    fn with(self, path: &str, data: impl AsRef<[u8]>) -> Self {
        self.write(&format!("work/{path}"), data);
        self
    }

    /// Nothing here ends by itself.
    fn endless(self) -> Self {
        let seconds = SHORT;
        Self { seconds, ..self }
    }

    fn write(&self, path: &str, data: impl AsRef<[u8]>) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, data).unwrap();
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    /// Runs pintle in `work`; checks what is true of every run.
    #[track_caller]
    fn run(&self, args: &[&str]) -> Outcome {
        let before = state(self.folder.path());
        let outcome = measure::run(args, self.folder.path(), self.seconds);
        assert_eq!(state(self.folder.path()), before, "{outcome}");
        assert!(matches!(outcome.code, Some(0 | 2)), "{outcome}");
        assert!(outcome.memory < MOST_MEMORY, "{outcome}");
        let most: f64 = self.seconds.parse().unwrap();
        let processor = Duration::from_millis(outcome.milliseconds.try_into().unwrap());
        assert!(
            processor < Duration::from_secs_f64(most) + MORE,
            "{outcome}"
        );
        for text in [&outcome.stdout, &outcome.stderr] {
            let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
            assert!(!text.contains(steers), "{outcome}");
            assert!(!text.contains("s3cr3t"), "{outcome}");
        }
        outcome
    }

    /// Expects that the command is refused, with `part` among the messages and no output.
    #[track_caller]
    fn refuses(&self, args: &[&str], part: &str) {
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(2), "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
        assert!(outcome.stderr.contains(part), "no {part:?}: {outcome}");
    }

    /// Expects that the command does what it is asked to.
    #[track_caller]
    fn does(&self, args: &[&str]) -> Outcome {
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome
    }
}

/// Renders `small`.
const TEMPLATE: &[&str] = &["template", "web", "./small"];

/// Everything below a folder: what it is, and what is in it.
fn state(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let data = if kind.is_file() {
                fs::read(&path).unwrap()
            } else {
                format!("{kind:?}").into_bytes()
            };
            if kind.is_dir() {
                open.push(path.clone());
            }
            found.insert(path.to_string_lossy().into_owned(), data);
        }
    }
    found
}
