//! Fingerprints of what may hold secrets, which can be kept where others may read them.
//!
//! They tell whether something is what it was. They are slow to compute, so that guessing at a short
//! password by its fingerprint is slow too, and salted, so that it has to be done for each of them.

use std::num::NonZeroU32;

use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use sha2::{Digest as _, Sha256};

use super::{Error, random};
use crate::chart::hex;
use crate::manifest::generator::{Random, RandomEncoding};

/// How many rounds one fingerprint takes: a few hundredths of a second.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(99_999);
const SALT_LENGTH: usize = 16;

/// Makes a salt for fingerprints: 32 hexadecimal digits.
///
/// # Errors
/// If the operating system gives no random bytes.
pub fn salt() -> Result<String, Error> {
    let digits = random::text(Random {
        encoding: RandomEncoding::Hex,
        size: SALT_LENGTH,
    })?;
    Ok(String::from_utf8_lossy(&digits).into_owned())
}

/// The fingerprint of `content`: `pbkdf2-sha256:` and 64 hexadecimal digits (RFC 8018, over the
/// SHA-256 of the content).
pub fn fingerprint(salt: &str, content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let mut found = [0; 32];
    pbkdf2::derive(
        PBKDF2_HMAC_SHA256,
        ROUNDS,
        salt.as_bytes(),
        &digest,
        &mut found,
    );
    format!("pbkdf2-sha256:{}", hex(&found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_salt_and_content() {
        let (one, other) = (salt().unwrap(), salt().unwrap());
        assert_eq!(one.len(), 2 * SALT_LENGTH);
        assert_ne!(one, other);
        let found = fingerprint(&one, b"hunter2");
        assert_eq!(found.len(), "pbkdf2-sha256:".len() + 64);
        assert_eq!(found, fingerprint(&one, b"hunter2"));
        assert_ne!(found, fingerprint(&other, b"hunter2"));
        assert_ne!(found, fingerprint(&one, b"hunter3"));
    }
}
