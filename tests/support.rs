//! What the tests share: the testbed, a namespace for each test, and runs of the real binaries.

mod acts;
pub(crate) mod api;
pub(crate) mod library;
pub(crate) mod schemas;
pub(crate) mod served;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;
use testbed::{Running, Terminal, User};

/// The one testbed of the whole run.
pub(crate) fn testbed() -> &'static Running {
    static TESTBED: OnceLock<Running> = OnceLock::new();
    TESTBED.get_or_init(|| Running::find_or_start().expect("the testbed starts"))
}

/// A path below `tests/`, `examples/` or `charts/`.
pub(crate) fn path(relative: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(relative);
    path.to_str().expect("a UTF-8 path").to_owned()
}

/// One test's place: a namespace of its own on the testbed, and a folder of its own.
pub(crate) struct Place {
    pub(crate) namespace: String,
    folder: TempDir,
    kubeconfig: PathBuf,
    /// What is set in the environment besides.
    variables: Vec<(&'static str, &'static str)>,
}

impl Place {
    /// A place whose namespace, named after the test, exists.
    pub(crate) fn new(test: &str) -> Self {
        let place = Self::without_namespace(test);
        api::create_namespace(&place.kubeconfig, &place.namespace);
        place
    }

    /// A place whose namespace does not exist yet.
    pub(crate) fn without_namespace(test: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let suffix = folder
            .path()
            .file_name()
            .and_then(OsStr::to_str)
            .expect("a name");
        let suffix: String = suffix.chars().filter(char::is_ascii_alphanumeric).collect();
        Self {
            namespace: format!("{test}-{}", suffix.to_lowercase()),
            folder,
            kubeconfig: testbed().kubeconfig.clone(),
            variables: vec![],
        }
    }

    /// A place in another testbed, in a namespace that is there.
    pub(crate) fn of(other: &testbed::Place, namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            folder: tempfile::tempdir().expect("a temporary folder"),
            kubeconfig: other.kubeconfig.clone(),
            variables: vec![],
        }
    }

    /// The same place as another user of the testbed sees it.
    pub(crate) fn seen_by(mut self, user: User) -> Self {
        self.kubeconfig = testbed().kubeconfig_of(user);
        self
    }

    /// The same place with a variable of the environment set for every program.
    pub(crate) fn setting(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// The kubeconfig by which its programs reach the testbed.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// This place's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in this place's folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, text).expect("a written file");
        path.to_str().expect("a UTF-8 path").to_owned()
    }

    /// Runs pintle in this namespace.
    pub(crate) fn pintle(&self, args: &[&str]) -> Run {
        let program = Path::new(env!("CARGO_BIN_EXE_pintle"));
        self.run(program, &[args, &["--namespace", &self.namespace]].concat())
    }

    /// Writes a Tera chart of one template, `templates/all.yaml`, into a folder of its name, and gives
    /// that folder.
    pub(crate) fn chart(&self, name: &str, values: &str, template: &str) -> String {
        let text = format!(
            "apiVersion: v2\nname: {name}\nversion: 1.0.0\nannotations: {{pintle.dev/engine: tera}}\n"
        );
        self.file(&format!("{name}/values.yaml"), values);
        self.file(&format!("{name}/templates/all.yaml"), template);
        let file = self.file(&format!("{name}/Chart.yaml"), &text);
        file.trim_end_matches("/Chart.yaml").to_owned()
    }

    /// Runs Helm in this namespace.
    pub(crate) fn helm(&self, args: &[&str]) -> Run {
        let program = testbed().bin.join("helm");
        self.run(
            &program,
            &[args, &["--namespace", &self.namespace]].concat(),
        )
    }

    /// Starts pintle in this namespace and leaves it running.
    pub(crate) fn start_pintle(&self, args: &[&str]) -> Started {
        let program = Path::new(env!("CARGO_BIN_EXE_pintle"));
        self.start(program, &[args, &["--namespace", &self.namespace]].concat())
    }

    /// Starts Helm in this namespace and leaves it running.
    pub(crate) fn start_helm(&self, args: &[&str]) -> Started {
        let program = testbed().bin.join("helm");
        self.start(
            &program,
            &[args, &["--namespace", &self.namespace]].concat(),
        )
    }

    /// Runs kubectl in this namespace.
    pub(crate) fn kubectl(&self, args: &[&str]) -> Run {
        let program = testbed().bin.join("kubectl");
        self.run(
            &program,
            &[&["--namespace", &self.namespace], args].concat(),
        )
    }

    /// What `kubectl get` says, as JSON.
    pub(crate) fn get(&self, args: &[&str]) -> Value {
        if let Some(answer) = api::get(&self.kubeconfig, &self.namespace, args) {
            return answer;
        }
        let run = self.kubectl(&[&["get", "-o", "json"], args].concat()).ok();
        serde_json::from_str(&run.stdout).expect("kubectl's JSON")
    }

    /// The resourceVersion of each named resource, in the same order.
    pub(crate) fn versions(&self, resources: &[&str]) -> Vec<String> {
        let version = |resource: &&str| {
            let live = self.get(&[resource]);
            live["metadata"]["resourceVersion"]
                .as_str()
                .expect("a version")
                .to_owned()
        };
        resources.iter().map(version).collect()
    }

    fn run(&self, program: &Path, args: &[&str]) -> Run {
        self.start(program, args).end()
    }

    /// Runs pintle in this namespace with a terminal for what it says beside its results, and gives all that
    /// it has drawn there.
    pub(crate) fn pintle_on_a_terminal(&self, args: &[&str]) -> (Run, String) {
        let (terminal, side) = Terminal::open().expect("a terminal");
        let program = Path::new(env!("CARGO_BIN_EXE_pintle"));
        let args = [args, &["--namespace", &self.namespace]].concat();
        let mut command = self.command(program, &args);
        let child = command.env("TERM", "xterm").stderr(side).spawn();
        let started = Started {
            command: format!("pintle {}", args.join(" ")),
            child: child.expect("the program runs"),
        };
        // It has a copy of the terminal's other side, which would keep it open.
        drop(command);
        let drawn = terminal.read();
        (started.end(), drawn)
    }

    fn start(&self, program: &Path, args: &[&str]) -> Started {
        let child = self.command(program, args).spawn();
        let name = program.file_name().and_then(OsStr::to_str).expect("a name");
        Started {
            command: format!("{name} {}", args.join(" ")),
            child: child.expect("the program runs"),
        }
    }

    fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", &testbed().bin)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", self.folder.path().join("cache"))
            .env("TZ", "UTC")
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// Reads up to a line that has all of `parts`, and gives what follows.
#[track_caller]
fn find<R: Read>(from: R, parts: &[&str]) -> impl Iterator<Item = String> + use<R> {
    let mut lines = BufReader::new(from).lines().map_while(Result::ok);
    let found = lines.find(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found.is_some(), "no line has {parts:?}");
    lines
}

/// A program that runs beside the test.
pub(crate) struct Started {
    command: String,
    child: Child,
}

impl Started {
    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a program").is_some()
    }

    /// Reads what it prints on stdout, up to a line that has all of `parts`. What follows is lost.
    #[track_caller]
    pub(crate) fn until(&mut self, parts: &[&str]) {
        drop(find(self.child.stdout.take().expect("read once"), parts));
    }

    /// Reads what it prints on stdout, up to lines that have all of the parts, one after the other, and closes
    /// it.
    #[track_caller]
    pub(crate) fn until_each(&mut self, wanted: &[&[&str]]) {
        let stdout = self.child.stdout.take().expect("read once");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        for parts in wanted {
            let found = lines.any(|line| parts.iter().all(|part| line.contains(part)));
            assert!(found, "no line has {parts:?} in its place");
        }
    }

    /// Reads what it says on stderr, up to a line that has all of `parts`. What follows is lost.
    #[track_caller]
    pub(crate) fn says(&mut self, parts: &[&str]) {
        // It goes on to be read, so that the program can write.
        let rest = find(self.child.stderr.take().expect("read once"), parts);
        std::thread::spawn(move || rest.for_each(drop));
    }

    /// Waits until it has ended.
    pub(crate) fn end(self) -> Run {
        let output = self.child.wait_with_output().expect("the program ends");
        Run::of(self.command, &output)
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) -> Run {
        self.child.kill().expect("a running program");
        self.end()
    }
}

/// A program that has ended.
pub(crate) struct Run {
    pub(crate) command: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Run {
    fn of(command: String, output: &Output) -> Self {
        Self {
            command,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            stdout,
            stderr,
            code,
        } = self;
        write!(
            f,
            "{command} ({code:?})\nstdout:\n{stdout}\nstderr:\n{stderr}"
        )
    }
}

impl Run {
    /// Expects success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.fails_with(0)
    }

    /// Expects this exit code.
    #[track_caller]
    pub(crate) fn fails_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Expects all of `parts` in stdout.
    #[track_caller]
    pub(crate) fn prints(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(
                self.stdout.contains(part),
                "no {part:?} in the output of {self}"
            );
        }
        self
    }

    /// Expects all of `parts` in stderr.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "no {part:?} in the messages of {self}"
            );
        }
        self
    }

    /// Stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}
