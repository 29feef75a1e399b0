//! Builds the binaries that are missing. The modules come in, the places of finished binaries go
//! out. A binary appears under its name only when it is whole, and one process builds at a time.
//! Telling the user is left to the caller's `report`.

use std::collections::BTreeMap;
use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::cache::{self, Cache};
use crate::module::{self, BUILD_FLAGS, Module, Tool};

/// Held while building.
const LOCK: &str = "build.lock";

/// How many of a failed build's last lines are shown.
const TAIL_LINES: usize = 12;

/// Why the binaries are not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cache folder cannot be used.
    #[error(transparent)]
    Cache(#[from] cache::Error),
    /// A module's manifest is incomplete.
    #[error(transparent)]
    Module(#[from] module::Error),
    /// The Go tool does not start.
    #[error("running go: install Go 1.26 or later and put it in PATH")]
    Go(#[source] io::Error),
    /// The Go tool failed.
    #[error(
        "building {} {} ({status}): check the network and GOPROXY, or try `go build {}` in {}; \
         go said:\n{output}",
        tool.name, tool.version, tool.package, folder.display()
    )]
    Build {
        /// The binary.
        tool: Box<Tool>,
        /// The folder with its `go.mod`.
        folder: PathBuf,
        /// How `go` ended.
        status: std::process::ExitStatus,
        /// The last lines of what `go` printed.
        output: String,
    },
    /// A file of the cache cannot be written or read.
    #[error("keeping {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What the builder is about to do.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Another process is building; this one waits for it.
    Waiting,
    /// A binary is being built.
    Building {
        /// The binary.
        tool: &'a Tool,
        /// Which of the binaries it is, from 1.
        number: usize,
        /// How many binaries there are.
        total: usize,
        /// The time since building began.
        elapsed: Duration,
    },
    /// Everything is built, after this long.
    Built(Duration),
}

/// Where the binaries of some modules are.
#[derive(Debug, Clone)]
pub struct Binaries {
    paths: BTreeMap<String, PathBuf>,
    stages: Option<PathBuf>,
}

impl Binaries {
    /// Returns every binary's name and path, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.paths
            .iter()
            .map(|(name, path)| (name.as_str(), path.as_path()))
    }

    /// Returns the same binaries with those of `other` in the place of their namesakes.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        self
    }

    /// Returns the folders the binaries are in, each once.
    pub fn folders(&self) -> Vec<&Path> {
        let mut folders: Vec<&Path> = self
            .paths
            .values()
            .filter_map(|path| path.parent())
            .collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }

    /// Returns the path of the binary `name`, if one of the modules gives it.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.paths.get(name).map(PathBuf::as_path)
    }

    /// Returns the file of the stages that kwok walks nodes and pods through, if kwok is among the
    /// modules.
    pub fn stages(&self) -> Option<&Path> {
        self.stages.as_deref()
    }
}

/// A binary to have.
struct Target<'a> {
    module: &'a Module,
    tool: Tool,
    path: PathBuf,
}

/// Builds what is missing of `modules` and returns where everything is.
///
/// Binaries in `assets` (the folder that `KUBEBUILDER_ASSETS` names, a convention of Go's envtest)
/// stand in for those of the same name, if it has kube-apiserver and etcd. `report` is called only
/// if something has to be built.
///
/// # Errors
/// [`Error::Go`] without a Go tool, [`Error::Build`] when it fails, and [`Error::Cache`] or
/// [`Error::File`] when the cache cannot be written.
pub fn build(
    cache: &Cache,
    modules: &'static [Module],
    assets: Option<&Path>,
    report: &mut dyn FnMut(&Progress),
) -> Result<Binaries, Error> {
    let targets = targets(cache, modules, assets)?;
    if is_incomplete(cache, &targets) {
        let lock = cache.lock_file(LOCK)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            report(&Progress::Waiting);
        }
        lock.lock().map_err(failed(&cache.path(LOCK)))?;
        if is_incomplete(cache, &targets) {
            build_missing(cache, &targets, report)?;
        }
    }
    let mut with_stages = modules.iter().filter(|module| !module.stages.is_empty());
    let stages = with_stages.next().map(|module| stages_file(cache, module));
    let paths = targets
        .into_iter()
        .map(|target| (target.tool.name, target.path));
    Ok(Binaries {
        paths: paths.collect(),
        stages,
    })
}

fn targets(
    cache: &Cache,
    modules: &'static [Module],
    assets: Option<&Path>,
) -> Result<Vec<Target<'static>>, Error> {
    let assets = assets.filter(|folder| {
        let needed = ["kube-apiserver", "etcd"];
        needed.iter().all(|name| folder.join(name).is_file())
    });
    let mut targets = Vec::new();
    for module in modules {
        let folder = cache.module_folder(module).join("bin");
        for tool in module.tools()? {
            let given = assets.map(|folder| folder.join(&tool.name));
            let path = given
                .filter(|path| path.is_file())
                .unwrap_or_else(|| folder.join(&tool.name));
            targets.push(Target { module, tool, path });
        }
    }
    Ok(targets)
}

/// Returns the modules of `targets` that have stages.
fn staged<'a>(targets: &'a [Target]) -> impl Iterator<Item = &'a Module> {
    let modules = targets.iter().map(|target| target.module);
    modules.filter(|module| !module.stages.is_empty())
}

fn stages_file(cache: &Cache, module: &Module) -> PathBuf {
    cache.module_folder(module).join("stages.yaml")
}

fn is_incomplete(cache: &Cache, targets: &[Target]) -> bool {
    targets.iter().any(|target| !target.path.exists())
        || staged(targets).any(|module| !stages_file(cache, module).exists())
}

fn build_missing(
    cache: &Cache,
    targets: &[Target],
    report: &mut dyn FnMut(&Progress),
) -> Result<(), Error> {
    let begin = Instant::now();
    for (index, target) in targets.iter().enumerate() {
        if target.path.exists() {
            continue;
        }
        report(&Progress::Building {
            tool: &target.tool,
            number: index + 1,
            total: targets.len(),
            elapsed: begin.elapsed(),
        });
        build_one(cache, target)?;
    }
    for module in staged(targets) {
        if !stages_file(cache, module).exists() {
            keep_stages(cache, module)?;
        }
    }
    report(&Progress::Built(begin.elapsed()));
    Ok(())
}

fn build_one(cache: &Cache, target: &Target) -> Result<(), Error> {
    let source = source_folder(cache, target.module)?;
    // Its own for every process: the `go` of a killed one may still be writing.
    let unfinished = target
        .path
        .with_added_extension(std::process::id().to_string());
    let link_flags = target.module.link_flags(&target.tool.version);
    let mut go = go(&source, &BUILD_FLAGS);
    go.args(target.module.tag_flags());
    go.args(["-ldflags", &link_flags, "-o"]).arg(&unfinished);
    run(go.arg(&target.tool.package), &source, &target.tool)?;
    fs::rename(&unfinished, &target.path).map_err(failed(&target.path))
}

/// Joins the stages out of the module's source into one file, so that a start needs no Go tool.
fn keep_stages(cache: &Cache, module: &Module) -> Result<(), Error> {
    let source = source_folder(cache, module)?;
    let mut joined = String::new();
    for tool in module.tools()? {
        let mut go = go(&source, &["list", "-f", "{{.Module.Dir}}"]);
        let listed = run(go.arg(&tool.package), &source, &tool)?;
        let folder = PathBuf::from(String::from_utf8_lossy(&listed.stdout).trim());
        for name in module.stages {
            let path = folder.join(name);
            joined.push_str("---\n");
            joined.push_str(&fs::read_to_string(&path).map_err(failed(&path))?);
        }
    }
    let finished = stages_file(cache, module);
    let unfinished = finished.with_added_extension(std::process::id().to_string());
    fs::write(&unfinished, joined).map_err(failed(&unfinished))?;
    fs::rename(&unfinished, &finished).map_err(failed(&finished))
}

/// Writes the module's files where `go` can read them.
fn source_folder(cache: &Cache, module: &Module) -> Result<PathBuf, Error> {
    let folder = cache.module_folder(module).join("source");
    fs::create_dir_all(&folder).map_err(failed(&folder))?;
    for (name, text) in [("go.mod", module.manifest), ("go.sum", module.sums)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(folder)
}

fn go(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.args(arguments).current_dir(folder);
    // A workspace around the cache folder or another target platform is none of ours.
    command.env("GOWORK", "off").env("CGO_ENABLED", "0");
    command.env_remove("GOOS").env_remove("GOARCH");
    command
}

fn run(go: &mut Command, folder: &Path, tool: &Tool) -> Result<Output, Error> {
    let output = go.output().map_err(Error::Go)?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
    Err(Error::Build {
        tool: Box::new(tool.clone()),
        folder: folder.to_owned(),
        status: output.status,
        output: last.join("\n"),
    })
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::File { path, source }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::{Error, Tool, run, targets};
    use crate::cache::Cache;
    use crate::module::MODULES;

    /// Checks which binaries are taken from a folder that has `files`.
    #[track_caller]
    fn check_assets(files: &[&str], expected: &[&str]) {
        let assets = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(assets.path().join(file), "").unwrap();
        }
        let cache = Cache::at("/cache".into());
        let targets = targets(&cache, &MODULES, Some(assets.path())).unwrap();
        let taken = targets
            .iter()
            .filter(|target| target.path.starts_with(assets.path()));
        let taken: Vec<&str> = taken.map(|target| target.tool.name.as_str()).collect();
        assert_eq!(taken, expected);
        let built = targets
            .iter()
            .filter(|target| target.path.starts_with("/cache"));
        assert_eq!(built.count(), targets.len() - expected.len());
    }

    #[test]
    fn assets_stand_in_only_with_apiserver_and_etcd() {
        check_assets(&[], &[]);
        check_assets(&["etcd", "kubectl"], &[]);
        check_assets(&["etcd", "kube-apiserver"], &["etcd", "kube-apiserver"]);
        let all = ["etcd", "kube-apiserver", "kubectl"];
        check_assets(&all, &all);
    }

    fn tool() -> Tool {
        Tool {
            name: "kwok".to_owned(),
            package: "a.b/kwok".to_owned(),
            version: "v0.8.0".to_owned(),
        }
    }

    #[test]
    fn a_failed_build_says_what_and_shows_the_last_lines() {
        let mut go = Command::new("sh");
        go.args([
            "-c",
            "for line in $(seq 40); do echo line$line >&2; done; exit 3",
        ]);
        let error = run(&mut go, Path::new("/source"), &tool()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("building kwok v0.8.0 (exit status: 3): "),
            "{text}"
        );
        assert!(text.contains("`go build a.b/kwok` in /source"), "{text}");
        assert!(text.ends_with("line39\nline40"), "{text}");
        assert!(!text.contains("line28\n"), "{text}");
    }

    #[test]
    fn a_missing_go_is_an_error_of_its_own() {
        let mut go = Command::new("/nonexistent/go");
        let error = run(&mut go, Path::new("/source"), &tool()).unwrap_err();
        assert!(matches!(error, Error::Go(_)), "{error}");
    }
}
