//! What Kubernetes itself defines: its kinds, and how the fields of each kind merge.
//!
//! The data is generated from a real kube-apiserver's discovery and `/openapi/v3` into
//! `schemas/` and checked against it by a test. Kinds that a cluster adds are left to
//! [`crate::capabilities`]; how these merge is said by their own schemas ([`custom`]).

pub mod custom;
mod kind;
pub mod openapi;
mod shape;
mod table;

pub use kind::Kind;
pub use shape::{Element, Keyed, Presence, SetMerge, Shape, Type, Zero};

use table::table;

/// The version of Kubernetes that the data is of, such as `v1.36.3`.
pub fn version() -> &'static str {
    table().version
}

/// Returns every kind that can be created and read, preferred versions before others of a kind.
pub fn kinds() -> &'static [Kind] {
    &table().kinds
}

/// Returns `group/version/Kind` of what is served besides [`kinds`], such as reviews.
pub fn other_kinds() -> &'static [&'static str] {
    &table().others
}

/// Finds a kind by its group, in the version that the API server prefers.
pub fn kind(group: &str, kind: &str) -> Option<&'static Kind> {
    kinds()
        .iter()
        .find(|known| known.kind == kind && known.group == group)
}

/// Finds a kind in exactly this `group/version`.
pub fn kind_in(api_version: &str, kind: &str) -> Option<&'static Kind> {
    kinds()
        .iter()
        .find(|known| known.kind == kind && known.is_in(api_version))
}

/// Returns how a resource of this kind merges; none for kinds that are not Kubernetes' own.
///
/// A version of such a kind that the data does not have merges as the preferred one does: fields
/// that are not in it have the shape [`Shape::Unknown`].
pub fn schema(api_version: &str, kind: &str) -> Option<Type<'static>> {
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    let known = kind_in(api_version, kind).or_else(|| self::kind(group, kind))?;
    let index = kinds()
        .iter()
        .position(|other| std::ptr::eq(other, known))?;
    table().roots.get(index).map(|name| Type::named(name))
}

/// Returns how `metadata` merges, which is the same for every kind.
pub fn object_meta() -> Type<'static> {
    Type::named("meta.v1.ObjectMeta")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_kind(api_version: &str, kind: &str, plural: Option<&str>) {
        let found = kind_in(api_version, kind);
        assert_eq!(found.map(|kind| kind.plural.as_str()), plural);
    }

    #[test]
    fn finds_kinds_in_their_version() {
        check_kind("v1", "Service", Some("services"));
        check_kind("apps/v1", "Deployment", Some("deployments"));
        check_kind("apps/v1", "Service", None);
        check_kind("apps/v1beta1", "Deployment", None);
        check_kind("networking.k8s.io/v1", "Ingress", Some("ingresses"));
        check_kind("authorization.k8s.io/v1", "SubjectAccessReview", None);
        check_kind("", "", None);
    }

    #[test]
    fn prefers_a_version() {
        let found = kind("autoscaling", "HorizontalPodAutoscaler").unwrap();
        assert_eq!(found.api_version(), "autoscaling/v2");
        assert!(found.namespaced);
        assert!(!kind("", "Namespace").unwrap().namespaced);
        assert_eq!(kind("example.com", "Namespace"), None);
    }

    #[test]
    fn is_complete() {
        assert!(version().starts_with("v1."));
        assert!(other_kinds().contains(&"authorization.k8s.io/v1/SubjectAccessReview"));
        for kind in kinds() {
            let schema = schema(&kind.api_version(), &kind.kind).unwrap();
            let metadata = schema.field("metadata");
            assert!(
                matches!(metadata, Shape::Object(..)),
                "{kind:?}: {metadata:?}"
            );
        }
    }

    #[track_caller]
    fn check_shape(path: &str, expected: &str) {
        let mut steps = path.split('.');
        let kind = kinds()
            .iter()
            .find(|kind| Some(kind.kind.as_str()) == steps.clone().next());
        let kind = kind.unwrap();
        let root = schema(&kind.api_version(), &kind.kind).unwrap();
        let mut shape = Shape::Object(root, Presence::Always);
        for step in steps.by_ref().skip(1) {
            shape = match shape {
                Shape::Object(of, _) => of.field(step),
                Shape::Keyed(keyed) => keyed.item_type().field(step),
                Shape::Map(of) | Shape::Items(of) => of.shape(),
                _ => panic!("{path}: {shape:?} has no {step}"),
            };
        }
        let text = format!("{shape:?}");
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn knows_how_fields_merge() {
        let container = "Deployment.spec.template.spec.containers";
        check_shape(
            &format!("{container}.env"),
            "Keyed(Keyed { of: Named(\"core.v1.EnvVar\")",
        );
        check_shape(&format!("{container}.env.value"), "Zero(Omitted)");
        check_shape(&format!("{container}.image"), "Zero(Assigned)");
        check_shape(&format!("{container}.resources.limits.cpu"), "Quantity");
        check_shape(
            &format!("{container}.livenessProbe.httpGet.port"),
            "Unknown",
        );
        check_shape(
            &format!("{container}.securityContext.privileged"),
            "Unknown",
        );
        check_shape("Deployment.spec.template.spec.tolerations", "Items");
        check_shape(
            "Deployment.spec.strategy",
            "Object(apps.v1.DeploymentStrategy, Retain)",
        );
        check_shape(
            "PodDisruptionBudget.spec.selector",
            "Object(meta.v1.LabelSelector, Replace)",
        );
        check_shape("Secret.data.key", "Bytes");
        let client = "ValidatingWebhookConfiguration.webhooks.clientConfig";
        check_shape(&format!("{client}.caBundle"), "OptionalBytes");
        check_shape("Secret.metadata.finalizers", "Set(Merge)");
        check_shape("ControllerRevision.data", "Opaque");
        check_shape("NetworkPolicy.spec.ingress.0.from", "Items");
    }

    #[test]
    fn knows_keys_and_their_defaults() {
        let pod = schema("v1", "Pod").unwrap();
        let Shape::Object(spec, _) = pod.field("spec") else {
            panic!()
        };
        let Shape::Keyed(containers) = spec.field("containers") else {
            panic!()
        };
        let Shape::Keyed(ports) = containers.item_type().field("ports") else {
            panic!()
        };
        let keys = [("containerPort", None), ("protocol", Some("TCP"))];
        assert_eq!(
            ports.keys,
            keys.map(|(key, default)| (key.to_owned(), default.map(str::to_owned)))
        );
        assert_eq!(ports.patch_key(), None);
        assert_eq!(containers.patch_key(), Some("name"));
        let Shape::Keyed(volumes) = spec.field("volumes") else {
            panic!()
        };
        assert_eq!(volumes.item_presence(), Presence::Retain);
    }

    #[test]
    fn merges_an_unknown_version_as_the_preferred_one() {
        let pod = schema("batch/v1beta1", "CronJob").unwrap();
        assert!(matches!(pod.field("spec"), Shape::Object(..)));
        assert!(schema("example.com/v1", "CronJob").is_none());
    }
}
