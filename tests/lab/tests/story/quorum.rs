//! Whether the members of etcd have kept their quorum.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::{Child, Command, Stdio};

/// A watch of the members, as long as this value lives.
pub(crate) struct Watch {
    kubectl: Child,
    members: usize,
}

impl Watch {
    /// Follows the `members` of etcd by a kubectl that is set to their namespace.
    pub(crate) fn start(mut kubectl: Command, members: usize) -> Self {
        kubectl.args(["get", "pods", "--watch", "--no-headers"]);
        kubectl.arg("--selector=app.kubernetes.io/component=etcd");
        kubectl.arg(
            "--output=custom-columns=NAME:.metadata.name,\
             READY:.status.conditions[?(@.type==\"Ready\")].status,IMAGE:.spec.containers[0].image",
        );
        let kubectl = kubectl.stdout(Stdio::piped()).spawn().unwrap();
        Self { kubectl, members }
    }

    /// Ends it, and expects that no two members were out at once, though each was at least once.
    #[track_caller]
    pub(crate) fn expect_quorum(mut self) {
        self.kubectl.kill().unwrap();
        let mut log = String::new();
        let mut stdout = self.kubectl.stdout.take().unwrap();
        stdout.read_to_string(&mut log).unwrap();
        let mut ready = BTreeMap::new();
        let mut were_out = BTreeSet::new();
        for line in log.lines() {
            let mut words = line.split_whitespace();
            let (Some(name), Some(state)) = (words.next(), words.next()) else {
                continue;
            };
            ready.insert(name, state == "True");
            if ready.len() < self.members {
                continue;
            }
            let out = ready.iter().filter(|(_, is_ready)| !**is_ready);
            let out: Vec<_> = out.map(|(name, _)| *name).collect();
            assert!(out.len() < 2, "{out:?} are out at once: {log}");
            were_out.extend(out);
        }
        assert_eq!(were_out.len(), self.members, "not all were replaced: {log}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
