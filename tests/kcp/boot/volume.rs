//! The volumes of a pod as folders, with addresses in their files translated.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::snapshot::Snapshot;
use super::{Scene, json};

/// Where a path of a container is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// The path in the container.
    pub(super) path: String,
    /// The folder here.
    pub(super) folder: PathBuf,
}

/// The mode of files where a volume says none.
const MODE: u32 = 0o644;

/// Makes the folders that a pod's containers mount and fills them from Secrets and `ConfigMap`s.
///
/// # Panics
/// If a Secret or `ConfigMap` that is not optional is missing, or a volume is of another kind.
pub(super) fn mount(pod: &Value, scene: &Scene) -> Vec<Mount> {
    let container = &json::list(pod, "/spec/containers")[0];
    let mounts = json::list(container, "/volumeMounts").iter();
    let mounts = mounts.map(|mount| {
        let name = json::text(mount, "/name");
        let volumes = json::list(pod, "/spec/volumes");
        let volume = volumes
            .iter()
            .find(|volume| json::text(volume, "/name") == name);
        Mount {
            path: json::text(mount, "/mountPath").to_owned(),
            folder: fill(pod, volume.unwrap(), scene),
        }
    });
    mounts.collect()
}

fn fill(pod: &Value, volume: &Value, scene: &Scene) -> PathBuf {
    let claim = json::text(volume, "/persistentVolumeClaim/claimName");
    if !claim.is_empty() {
        let folder = scene.folder.join("volumes").join(claim);
        fs::create_dir_all(&folder).unwrap();
        return folder;
    }
    let name = json::text(volume, "/name");
    let folder = scene.folder.join("pods").join(json::name(pod)).join(name);
    fs::create_dir_all(&folder).unwrap();
    if volume.get("emptyDir").is_some() {
        return folder;
    }
    let (sources, mode) = match volume.get("projected") {
        Some(projected) => (json::list(projected, "/sources"), mode(projected)),
        None => (std::slice::from_ref(volume), MODE),
    };
    for source in sources {
        for (path, data, own) in files(source, &scene.snapshot) {
            let data = match String::from_utf8(data) {
                // Kubeconfigs have addresses in them.
                Ok(text) => scene.network.translate(&text).into_bytes(),
                Err(error) => error.into_bytes(),
            };
            write(&folder.join(path), &data, own.unwrap_or(mode));
        }
    }
    folder
}

/// The files of a Secret or `ConfigMap` in a volume: path, content and mode.
fn files(source: &Value, snapshot: &Snapshot) -> Vec<(String, Vec<u8>, Option<u32>)> {
    let found = ["secret", "configMap"]
        .into_iter()
        .find_map(|kind| Some((kind, source.get(kind)?)));
    let (kind, source) = found.unwrap_or_else(|| panic!("a volume of an unknown kind: {source}"));
    // The same field has another name in a volume of its own than in a projected one.
    let name = match json::text(source, "/secretName") {
        "" => json::text(source, "/name"),
        name => name,
    };
    let is_optional = source.get("optional").and_then(Value::as_bool) == Some(true);
    let read = |key: &str| match kind {
        "secret" => snapshot.secret(name, key),
        _ => snapshot.config_map(name, key),
    };
    let items = json::list(source, "/items").iter().map(|item| {
        let text = |pointer| json::text(item, pointer).to_owned();
        (text("/key"), text("/path"), mode_at(item, "/mode"))
    });
    let mut items: Vec<_> = items.collect();
    if items.is_empty() {
        let keys = snapshot.keys(kind, name).into_iter();
        items = keys
            .map(|key| (key.clone(), key, mode_at(source, "/defaultMode")))
            .collect();
    }
    let files = items
        .into_iter()
        .filter_map(|(key, path, mode)| match read(&key) {
            None if is_optional => None,
            data => Some((
                path,
                data.unwrap_or_else(|| panic!("{kind} {name} has no {key}")),
                mode,
            )),
        });
    files.collect()
}

fn mode(volume: &Value) -> u32 {
    mode_at(volume, "/defaultMode").unwrap_or(MODE)
}

fn mode_at(value: &Value, pointer: &str) -> Option<u32> {
    let mode = value.pointer(pointer).and_then(Value::as_u64)?;
    Some(u32::try_from(mode).unwrap())
}

fn write(path: &Path, data: &[u8], mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // A file of an earlier boot may not be writable.
    let _ = fs::remove_file(path);
    fs::write(path, data).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
