//! The digest of a chart's files.

use sha2::{Digest as _, Sha256};

use super::File;

/// The digest of a chart's files, whatever their order: `sha256:` and 64 hexadecimal digits.
pub fn digest(files: &[File]) -> String {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut hash = Sha256::new();
    for file in sorted {
        // With the lengths in it, no two charts look the same.
        for part in [file.path.as_bytes(), &file.data] {
            hash.update(part.len().to_string());
            hash.update(":");
            hash.update(part);
        }
    }
    format!("sha256:{}", hex(&hash.finalize()))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16));
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> String {
        let file = |(path, data): &(&str, &str)| File {
            path: (*path).to_owned(),
            data: data.as_bytes().to_vec(),
        };
        digest(&files.iter().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn a_digest_is_of_paths_and_contents() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
        let two = of(&[("a", "1"), ("b", "2")]);
        assert_eq!(two, of(&[("b", "2"), ("a", "1")]));
        for other in [
            &[("a", "1"), ("b", "3")][..],
            &[("a", "1"), ("c", "2")],
            &[("a", "1b2")],
            &[("a", "11:b1:2")],
            &[],
        ] {
            assert_ne!(two, of(other), "{other:?}");
        }
    }
}
