//! A namespace for the releases of one test, whose keys may not come out.

use std::cell::RefCell;
use std::ops::Deref;

use super::boot::{Host, Release, Tenant};
use super::leaks::Watch;
use crate::support::{Place, Run, Started, testbed};

/// A [`Place`] that watches what pintle prints and records in it. When it is dropped, none of it
/// may hold a private key that was ever in the namespace.
pub(super) struct Site {
    place: Place,
    watch: RefCell<Watch>,
}

impl Site {
    /// A namespace named after the test.
    pub(super) fn new(test: &str) -> Self {
        Self {
            place: Place::new(test),
            watch: RefCell::default(),
        }
    }

    /// Runs pintle in this namespace.
    pub(super) fn pintle(&self, args: &[&str]) -> Run {
        self.heard(self.place.pintle(args))
    }

    /// Waits until a pintle that was started here has ended.
    pub(super) fn end(&self, started: Started) -> Run {
        self.heard(started.end())
    }

    fn heard(&self, run: Run) -> Run {
        self.watch.borrow_mut().hear(&run.command, &run.to_string());
        self.look();
        run
    }

    /// Deletes a Secret of the namespace.
    pub(super) fn lose(&self, secret: &str) {
        self.kubectl(&["delete", "secret", secret]).ok();
    }

    /// Boots the processes of a release.
    pub(super) fn boot(&self, name: &str) -> Tenant {
        let host = Host {
            kubeconfig: testbed().kubeconfig.clone(),
            bin: testbed().bin.clone(),
        };
        let release = Release {
            namespace: &self.namespace,
            name,
        };
        Tenant::boot(&host, release, &self.folder().join(name))
    }

    /// Looks at the Secrets that there are now.
    fn look(&self) {
        let secrets = self.get(&["secrets"]);
        let mut watch = self.watch.borrow_mut();
        for secret in secrets["items"].as_array().unwrap() {
            watch.see(secret);
        }
    }
}

impl Deref for Site {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.watch.borrow().check();
        }
    }
}
