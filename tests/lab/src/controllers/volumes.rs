//! Volumes for claims of the storage class `lab`: folders of the node that the scheduler has chosen,
//! as `local` volumes, so that the kubelet gives them to the group of a pod as it does with disks.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use super::Error;
use crate::place::Node;

/// The storage class that is served.
const CLASS: &str = "lab";

/// The name that the class knows this provisioner by.
const PROVISIONER: &str = "lab.pintle.dev/volumes";

/// Where volumes are on a node.
const FOLDER: &str = "var/lib/lab";

/// The annotation by which the scheduler tells the node.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// The label of a volume that tells its node.
const NODE: &str = "kubernetes.io/hostname";

/// Makes volumes for the claims that wait for one and removes those whose claim is gone.
pub(super) async fn settle(client: &Client, lab: &Path) -> Result<(), Error> {
    let claims = Api::<PersistentVolumeClaim>::all(client.clone());
    let volumes = Api::<PersistentVolume>::all(client.clone());
    for claim in claims.list(&ListParams::default()).await? {
        if let Some(node) = waits_for(&claim) {
            make(&volumes, lab, (&claim, node)).await?;
        }
    }
    for volume in volumes.list(&ListParams::default()).await? {
        if is_released(&volume) {
            let name = volume.name_any();
            if let Some(node) = volume.labels().get(NODE) {
                remove_folder(&path(lab, node, &name))?;
            }
            volumes.delete(&name, &DeleteParams::default()).await?;
        }
    }
    Ok(())
}

async fn make(
    volumes: &Api<PersistentVolume>,
    lab: &Path,
    (claim, node): (&PersistentVolumeClaim, &str),
) -> Result<(), Error> {
    let volume = volume(claim, node)?;
    let path = path(lab, node, &volume.name_any());
    fs::create_dir_all(&path)?;
    // Pods that ask for no group write as well.
    fs::set_permissions(&path, Permissions::from_mode(0o777))?;
    match volumes.create(&PostParams::default(), &volume).await {
        // Made in a pass before, and not bound yet.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        result => Ok(result.map(drop)?),
    }
}

/// Returns the node on which a volume for this claim is wanted now.
fn waits_for(claim: &PersistentVolumeClaim) -> Option<&str> {
    let spec = claim.spec.as_ref()?;
    let is_ours = spec.storage_class_name.as_deref() == Some(CLASS) && spec.volume_name.is_none();
    let node = claim.annotations().get(SELECTED_NODE)?;
    (is_ours && claim.metadata.deletion_timestamp.is_none()).then_some(node.as_str())
}

fn is_released(volume: &PersistentVolume) -> bool {
    let spec = volume.spec.as_ref();
    let phase = volume
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    spec.is_some_and(|spec| {
        spec.storage_class_name.as_deref() == Some(CLASS)
            && spec.persistent_volume_reclaim_policy.as_deref() == Some("Delete")
    }) && phase == Some("Released")
        && volume.metadata.deletion_timestamp.is_none()
}

/// Returns the volume for a claim, as it is created.
fn volume(claim: &PersistentVolumeClaim, node: &str) -> Result<PersistentVolume, Error> {
    let uid = claim.uid().unwrap_or_default();
    let name = format!("pvc-{uid}");
    let claimed = serde_json::to_value(&claim.spec)?;
    let is_node = json!({"key": NODE, "operator": "In", "values": [node]});
    let volume: Value = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "labels": {NODE: node},
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "storageClassName": CLASS,
            "persistentVolumeReclaimPolicy": "Delete",
            "accessModes": claimed["accessModes"],
            "capacity": {"storage": claimed["resources"]["requests"]["storage"]},
            "local": {"path": format!("/{FOLDER}/{name}")},
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [is_node]}]},
            },
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim.namespace(),
                "name": claim.name_any(),
                "uid": uid,
            },
        },
    });
    Ok(serde_json::from_value(volume)?)
}

/// Returns the folder of a volume as the machine sees it.
fn path(lab: &Path, node: &str, volume: &str) -> PathBuf {
    Node::folder(lab, node)
        .join("disk")
        .join(FOLDER)
        .join(volume)
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
    use serde_json::{Value, json};

    use super::{is_released, volume, waits_for};

    fn claim(spec: &Value, annotations: &Value) -> PersistentVolumeClaim {
        let metadata = json!({
            "name": "data-0",
            "namespace": "tenant",
            "uid": "1-2",
            "annotations": annotations,
        });
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    #[test]
    fn claims_wait_once_the_scheduler_has_chosen() {
        let chosen = json!({"volume.kubernetes.io/selected-node": "host-1"});
        let ours = json!({"storageClassName": "lab"});
        assert_eq!(waits_for(&claim(&ours, &chosen)), Some("host-1"));
        assert_eq!(waits_for(&claim(&ours, &json!({}))), None);
        let other = json!({"storageClassName": "fast"});
        assert_eq!(waits_for(&claim(&other, &chosen)), None);
        let bound = json!({"storageClassName": "lab", "volumeName": "pvc-1-2"});
        assert_eq!(waits_for(&claim(&bound, &chosen)), None);
    }

    #[test]
    fn a_volume_is_its_claims_and_its_nodes_alone() {
        let spec = json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        });
        let volume = volume(&claim(&spec, &json!({})), "host-1").unwrap();
        let value = serde_json::to_value(volume).unwrap();
        assert_eq!(value["metadata"]["name"], "pvc-1-2");
        let spec = &value["spec"];
        assert_eq!(spec["local"]["path"], "/var/lib/lab/pvc-1-2");
        assert_eq!(spec["capacity"]["storage"], "1Gi");
        assert_eq!(spec["claimRef"]["uid"], "1-2");
        let affinity = spec["nodeAffinity"].to_string();
        assert!(affinity.contains("host-1"), "{affinity}");
    }

    #[test]
    fn only_released_volumes_of_ours_are_removed() {
        let released = |phase: &str, policy: &str| {
            let volume = json!({
                "metadata": {},
                "spec": {"storageClassName": "lab", "persistentVolumeReclaimPolicy": policy},
                "status": {"phase": phase},
            });
            is_released(&serde_json::from_value::<PersistentVolume>(volume).unwrap())
        };
        assert!(released("Released", "Delete"));
        assert!(!released("Released", "Retain"));
        assert!(!released("Bound", "Delete"));
    }
}
