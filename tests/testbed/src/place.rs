//! Where a running testbed is and how its users reach it. Launcher and tests agree here on the
//! names of files; [`crate::launch`] writes them.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The file in a run folder that holds its [`Place`] as JSON.
const FILE: &str = "testbed.json";

/// The paths and address of a running testbed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The run folder, which has everything of this testbed in it.
    pub folder: PathBuf,
    /// The kubeconfig of [`User::Admin`].
    pub kubeconfig: PathBuf,
    /// A folder with all binaries, among them kubectl, etcdctl and helm.
    pub bin: PathBuf,
    /// The address of the Kubernetes API, an `https` URL.
    pub server: String,
    /// The address of etcd, an `http` URL.
    pub etcd: String,
    /// The process that the testbed lives and dies with.
    pub pid: u32,
}

/// Someone the Kubernetes API knows by a token of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything, as member of `system:masters`.
    Admin,
    /// User `nobody`: may do nothing but what everyone may.
    Nobody,
    /// User `tenant-admin` in the group `tenant-admins`, which no role is bound to.
    TenantAdmin,
}

impl User {
    /// Every user.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Nobody, Self::TenantAdmin];

    /// Returns the name the API knows the user by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Nobody => "nobody",
            Self::TenantAdmin => "tenant-admin",
        }
    }
}

impl Place {
    /// Returns the place of a testbed in `folder` whose API and etcd listen on these ports, owned by this
    /// process.
    pub fn new(folder: &Path, (api, etcd): (u16, u16)) -> Self {
        Self {
            folder: folder.to_owned(),
            kubeconfig: kubeconfig(folder, User::Admin.name()),
            bin: folder.join("bin"),
            server: format!("https://127.0.0.1:{api}"),
            etcd: format!("http://127.0.0.1:{etcd}"),
            pid: std::process::id(),
        }
    }

    /// Reads the place of the testbed in `folder`.
    ///
    /// # Errors
    /// An [`io::Error`] when its file is missing or damaged.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let text = fs::read(folder.join(FILE))?;
        serde_json::from_slice(&text).map_err(io::Error::other)
    }

    /// Writes the place into its folder.
    ///
    /// # Errors
    /// An [`io::Error`] when the file cannot be written.
    pub fn write(&self) -> io::Result<()> {
        let text = serde_json::to_vec(self).map_err(io::Error::other)?;
        fs::write(self.folder.join(FILE), text)
    }

    /// Returns the path of the kubeconfig of `user`.
    pub fn kubeconfig_of(&self, user: User) -> PathBuf {
        kubeconfig(&self.folder, user.name())
    }

    /// Returns the variables that point a program at this testbed: `KUBECONFIG`,
    /// `PINTLE_TESTBED`, `KUBECACHEDIR` and `PATH`, which is `path` after the binaries' folder.
    ///
    /// `KUBECACHEDIR` keeps the discovery cache of kubectl and helm with the run: by default it is
    /// in the home folder, named by port, and a later testbed may get the same port.
    pub fn environment(&self, path: &OsString) -> [(&'static str, OsString); 4] {
        let folders = std::iter::once(self.bin.clone()).chain(env::split_paths(path));
        // Fails only if our own folder has a colon in its name; then nothing is put before.
        let path = env::join_paths(folders).unwrap_or_else(|_| path.clone());
        [
            ("KUBECONFIG", self.kubeconfig.clone().into()),
            ("PINTLE_TESTBED", self.folder.clone().into()),
            ("KUBECACHEDIR", self.folder.join("cache").into()),
            ("PATH", path),
        ]
    }

    /// Returns a command that runs `program` (one of the binaries, or any other) as
    /// [`User::Admin`] of this testbed.
    pub fn command(&self, program: &str) -> Command {
        let own = self.bin.join(program);
        let mut command = Command::new(if own.exists() { own } else { program.into() });
        command.envs(self.environment(&env::var_os("PATH").unwrap_or_default()));
        command
    }
}

/// Returns the path of the kubeconfig of the user or component `name` in a run folder.
pub fn kubeconfig(folder: &Path, name: &str) -> PathBuf {
    folder.join("users").join(format!("{name}.kubeconfig"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Place, User};

    #[test]
    fn survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path(), (6443, 2379));
        place.write().unwrap();
        assert_eq!(Place::read(folder.path()).unwrap(), place);
    }

    #[test]
    fn a_missing_or_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Place::read(folder.path()).is_err());
        std::fs::write(folder.path().join(super::FILE), "{").unwrap();
        assert!(Place::read(folder.path()).is_err());
    }

    #[test]
    fn environment_puts_the_binaries_first() {
        let place = Place::new(Path::new("/run/1"), (6443, 2379));
        let environment = place.environment(&"/usr/bin:/bin".into());
        assert_eq!(environment[0].1, "/run/1/users/admin.kubeconfig");
        assert_eq!(environment[3].1, "/run/1/bin:/usr/bin:/bin");
    }

    #[test]
    fn every_user_has_a_kubeconfig_of_their_own() {
        let place = Place::new(Path::new("/run/1"), (6443, 2379));
        let mut paths = User::ALL.map(|user| place.kubeconfig_of(user)).to_vec();
        paths.dedup();
        assert_eq!(paths.len(), User::ALL.len());
        assert_eq!(paths[0], place.kubeconfig);
    }
}
