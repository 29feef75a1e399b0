//! What hooks say: the logs of their pods, which a simulated node has none of.

use std::fs;
use std::process::Output;

use tempfile::TempDir;

use crate::site::{Site, shared};

/// `Chart.yaml` and templates: a hook that says something, a test that passes and one that fails.
const FILES: [(&str, &str); 5] = [
    ("Chart.yaml", "apiVersion: v2\nname: talk\nversion: 1.0.0\n"),
    (
        "templates/word.yaml",
        "
apiVersion: v1
kind: Secret
metadata:
  name: word
stringData:
  word: abracadabra
",
    ),
    (
        "templates/before.yaml",
        "
apiVersion: batch/v1
kind: Job
metadata:
  name: before
  annotations:
    helm.sh/hook: pre-install
    helm.sh/hook-output-log-policy: hook-succeeded
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: says
          image: docker.io/library/busybox:lab
          command: [sh, -c, echo all is prepared]
",
    ),
    (
        "templates/passes.yaml",
        "
apiVersion: v1
kind: Pod
metadata:
  name: passes
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers:
    - name: says
      image: docker.io/library/busybox:lab
      command: [sh, -c, 'echo it is reached by $WORD']
      env:
        - name: WORD
          valueFrom: {secretKeyRef: {name: word, key: word}}
",
    ),
    (
        "templates/fails.yaml",
        "
apiVersion: v1
kind: Pod
metadata:
  name: fails
  annotations:
    helm.sh/hook: test
    helm.sh/hook-output-log-policy: hook-failed
spec:
  restartPolicy: Never
  containers:
    - name: says
      image: docker.io/library/busybox:lab
      command: [sh, -c, 'for n in $(seq 30); do echo line $n; done; exit 3']
",
    ),
];

/// The release in a namespace of its own, which goes with this value.
struct Talk<'a> {
    site: &'a Site,
    namespace: String,
    folder: TempDir,
}

impl Talk<'_> {
    fn run(&self, args: &[&str]) -> Output {
        let all = [args, &["--namespace", &self.namespace]].concat();
        self.site.pintle_command(&all).output().unwrap()
    }

    /// What a command that ends with `code` says on stdout and stderr.
    #[track_caller]
    fn says(&self, args: &[&str], code: i32) -> [String; 2] {
        let output = self.run(args);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let said = [text(output.stdout), text(output.stderr)];
        assert_eq!(output.status.code(), Some(code), "{said:?}");
        said
    }
}

impl Drop for Talk<'_> {
    fn drop(&mut self) {
        let mut kubectl = self.site.command("kubectl");
        let _ = kubectl
            .args(["delete", "namespace", &self.namespace, "--wait=false"])
            .output();
    }
}

pub(crate) fn are_heard() {
    let site = shared();
    let talk = Talk {
        site: &site,
        namespace: format!("talk-{}", std::process::id()),
        folder: tempfile::tempdir().unwrap(),
    };
    for (path, text) in FILES {
        let path = talk.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let chart = talk.folder.path().to_str().unwrap();
    let [_, said] = talk.says(&["install", "talk", chart, "--create-namespace"], 0);
    let of_before = said.split_once("logs of pod before-").expect(&said).1;
    assert!(
        of_before.contains(", container says:\nall is prepared\n"),
        "{said}"
    );

    let [told, said] = talk.says(&["test", "talk", "--filter", "name=passes"], 0);
    let silent = format!("{told}{said}");
    assert!(!silent.contains("it is reached"), "{silent}");
    let [told, said] = talk.says(&["test", "talk", "--filter", "name=passes", "--logs"], 0);
    let heard = format!("{told}{said}");
    assert!(heard.contains("it is reached by [hidden]\n"), "{heard}");
    assert!(!heard.contains("line 1"), "{heard}");

    let [told, said] = talk.says(&["test", "talk", "--filter", "name=fails"], 1);
    let heard = format!("{told}{said}");
    assert!(heard.contains("line 30\n"), "{heard}");
    assert!(heard.contains("exit code 3"), "{heard}");
}
