//! Names of releases.

/// The longest name: what Helm adds to it has to fit into a label of 63 characters.
const MAX_LENGTH: usize = 53;

/// A name that a release cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is too long.
    #[error("release name {name:?} has {length} characters; at most {MAX_LENGTH} are allowed")]
    TooLong {
        /// The name.
        name: String,
        /// Its length in characters.
        length: usize,
    },
    /// The name is not a DNS subdomain.
    #[error(
        "release name {0:?} is not a DNS-1123 subdomain: lower-case letters, digits, '-' and '.', \
         each part beginning and ending with a letter or digit"
    )]
    NotDns(String),
}

/// Checks that `name` can be the name of a release: a DNS-1123 subdomain (RFC 1123) of at most 53
/// characters.
///
/// # Errors
/// If it is not.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let length = name.chars().count();
    if length > MAX_LENGTH {
        return Err(NameError::TooLong {
            name: name.to_owned(),
            length,
        });
    }
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|b| is_alphanumeric(*b))
            && bytes.last().is_some_and(|b| is_alphanumeric(*b))
            && bytes.iter().all(|b| is_alphanumeric(*b) || *b == b'-')
    };
    if name.split('.').all(is_label) {
        Ok(())
    } else {
        Err(NameError::NotDns(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_subdomains() {
        for good in ["tenant-a", "a.b-1.c", &"a".repeat(53)] {
            assert_eq!(check_name(good), Ok(()), "{good:?}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", ".a", "ä", "a b", "a\n"] {
            assert_eq!(check_name(bad), Err(NameError::NotDns(bad.to_owned())));
        }
        let name = "a".repeat(54);
        assert_eq!(
            check_name(&name),
            Err(NameError::TooLong { name, length: 54 })
        );
    }
}
