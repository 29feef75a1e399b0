//! Reading certificates and keys: names, usages, chain and expiry.
//!
//! PEM comes in; [`Certificate`], [`PrivateKey`] and [`PublicKey`] go out, or what is wrong with
//! the text. What is wanted of them is left to `plan`, making them to `pki`.

mod certificate;
pub(crate) mod der;
mod key;
pub(crate) mod pem;

pub use certificate::{Certificate, ChainFault};
pub(crate) use key::wrap;
pub use key::{KeyKind, PrivateKey, PublicKey};

use x509_parser::error::X509Error;

/// Text that is no certificate or key; it never holds any of the text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The text has no PEM block of that kind.
    #[error("there is no PEM block of a {0}")]
    NoBlock(&'static str),
    /// A PEM block has no end, or holds what is not base64.
    #[error("a PEM block is broken")]
    Pem,
    /// A block is not a certificate.
    #[error("the block is not an X.509 certificate")]
    Certificate(#[source] X509Error),
    /// A block is not a public key.
    #[error("the block is not a public key")]
    PublicKey(#[source] X509Error),
    /// A block is not a private key, or one of an algorithm that is not supported.
    #[error(
        "the block is not an unencrypted private key of ECDSA P-256, ECDSA P-384, Ed25519 or RSA"
    )]
    PrivateKey,
}
