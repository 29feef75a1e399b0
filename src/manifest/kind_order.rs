//! The order in which Helm installs and uninstalls kinds (helm/helm
//! `pkg/release/v1/util/kind_sorter.go`); unknown kinds come last, by name.

const INSTALL: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

const UNINSTALL: [&str; 38] = [
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
];

/// Where `kind` stands in the order of installation; sort by it, stably.
pub fn install_rank(kind: &str) -> (usize, &str) {
    rank(&INSTALL, kind)
}

/// Where `kind` stands in the order of removal; sort by it, stably.
pub fn uninstall_rank(kind: &str) -> (usize, &str) {
    rank(&UNINSTALL, kind)
}

/// Kinds in the list keep the order of their resources, so the name does not count for them.
fn rank<'a>(order: &[&str], kind: &'a str) -> (usize, &'a str) {
    match order.iter().position(|known| *known == kind) {
        Some(position) => (position, ""),
        None => (order.len(), kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mut kinds: Vec<&str>, expected: &[&str]) {
        kinds.sort_by(|a, b| install_rank(a).cmp(&install_rank(b)));
        assert_eq!(kinds, expected);
    }

    #[test]
    fn kinds_sort_as_helm_sorts_them() {
        check(
            vec![
                "Zebra",
                "Deployment",
                "Apple",
                "ConfigMap",
                "Service",
                "Namespace",
            ],
            &[
                "Namespace",
                "ConfigMap",
                "Service",
                "Deployment",
                "Apple",
                "Zebra",
            ],
        );
    }

    #[test]
    fn both_orders_name_the_same_kinds() {
        let mut install = INSTALL;
        let mut uninstall = UNINSTALL;
        install.sort_unstable();
        uninstall.sort_unstable();
        assert_eq!(install, uninstall);
    }
}
