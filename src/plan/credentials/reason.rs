//! Why a Secret or the config map of an endpoint is issued.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::manifest::generator::{Subject, Usage};
use crate::x509::{self, ChainFault};

/// Why a generated Secret is issued; nothing of its data but what certificates show to everyone.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    /// There is no such Secret.
    #[error("it does not exist")]
    Missing,
    /// It is a stub.
    #[error("it has no data")]
    NoData,
    /// A value is not base64.
    #[error("its data key {key} is not base64")]
    NotBase64 {
        /// The data key.
        key: String,
    },
    /// It has data, but not all of it.
    #[error("it has no data key {key}")]
    NoKey {
        /// The data key.
        key: String,
    },
    /// It says what is not known any more.
    #[error("its data key {key} is not wanted")]
    Surplus {
        /// The data key.
        key: String,
    },
    /// Whether it is still good depends on addresses that are known after the apply.
    #[error("addresses may change")]
    Unknown,
    /// What it holds is no certificate or key.
    #[error("its data key {key} is unreadable: {fault}")]
    Unreadable {
        /// The data key.
        key: String,
        /// What is wrong with it.
        fault: x509::Error,
    },
    /// What it holds is no kubeconfig of one cluster and one user, or no such random text.
    #[error("its data key {key} is not {wanted}")]
    Form {
        /// The data key.
        key: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// Certificate and private key, or private and public key, are of different pairs.
    #[error("its keys do not belong together")]
    Mismatch,
    /// Its issuer is issued in the same plan.
    #[error("its issuer {issuer} is issued")]
    IssuerIssued {
        /// The name of the issuer.
        issuer: String,
    },
    /// It does not chain to the current authority.
    #[error("it does not chain to {issuer}: {fault}")]
    Chain {
        /// The name of the issuer.
        issuer: String,
        /// What is wrong.
        fault: ChainFault,
    },
    /// It embeds another bundle of its authority.
    #[error("it holds another bundle of {issuer}")]
    Bundle {
        /// The name of the issuer.
        issuer: String,
    },
    /// It is for somebody else.
    #[error("its subject is {found}, not {wanted}")]
    Subject {
        /// The subject in the certificate.
        found: Subject,
        /// The subject in the spec.
        wanted: Subject,
    },
    /// Its certificate does not cover all names.
    #[error("it does not cover {}", missing.join(", "))]
    Names {
        /// The DNS names and addresses that are missing.
        missing: Vec<String>,
    },
    /// Its certificate is for other uses.
    #[error("its usages are {}, not {}", names(found), names(wanted))]
    Usages {
        /// The usages in the certificate.
        found: BTreeSet<Usage>,
        /// The usages in the spec.
        wanted: BTreeSet<Usage>,
    },
    /// Its certificate may not sign others.
    #[error("its certificate is not of an authority")]
    NotAuthority,
    /// Its certificate may sign others, which it must not.
    #[error("its certificate is of an authority")]
    IsAuthority,
    /// It expires soon.
    #[error("it expires at {at}")]
    Expires {
        /// When.
        at: Timestamp,
    },
    /// It is not valid any more.
    #[error("it has expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// A kubeconfig is for another server, cluster or user, an endpoint at another address.
    #[error("its {field} is {found:?}, not {wanted:?}")]
    Setting {
        /// Such as `server`, `clusterName` or `ip`.
        field: &'static str,
        /// What it says.
        found: String,
        /// What the spec says.
        wanted: String,
    },
}

fn names(usages: &BTreeSet<Usage>) -> String {
    let names: Vec<_> = usages.iter().map(|usage| usage.name()).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
