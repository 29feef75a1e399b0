//! Names that Kubernetes takes.

use sha2::{Digest, Sha256};

/// The most characters that a DNS label has (RFC 1123).
pub(crate) const MAX_LABEL: usize = 63;
/// How many characters of a hash stand for what was cut off.
pub(super) const HASH_LENGTH: usize = 5;

/// Makes `text` a name: dots become dashes, and what is longer than `max` bytes is cut and ends in
/// a hash of five characters of the whole text. `max` must leave room for the hash and a letter.
pub(crate) fn k8s_name(text: &str, max: usize) -> String {
    let name = text.replace('.', "-");
    if name.len() <= max {
        return name;
    }
    let mut end = max - HASH_LENGTH - 1;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{}", name[..end].trim_end_matches('-'), hash(text))
}

/// A short hash in letters that spell no words, as Kubernetes makes its generated names of.
fn hash(text: &str) -> String {
    const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    Sha256::digest(text)
        .iter()
        .take(HASH_LENGTH)
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}
