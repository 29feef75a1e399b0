//! Which of the names that exist was probably meant.

/// The name in `known` that takes the fewest changed letters from `given`: at most a third of
/// them, or one of a short name.
pub(super) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let given: Vec<char> = given.to_lowercase().chars().collect();
    known
        .into_iter()
        .map(|name| (steps(&given, name), name))
        .filter(|(steps, name)| *steps <= (given.len().max(name.len()) / 3).max(1))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, name)| name.to_owned())
}

/// How many letters have to be added, taken away or changed.
fn steps(given: &[char], name: &str) -> usize {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (above, from) in given.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (column, to) in name.iter().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, known: &[&str], expected: Option<&str>) {
        assert_eq!(
            nearest(given, known.iter().copied()).as_deref(),
            expected,
            "{given}"
        );
    }

    #[test]
    fn the_nearest_name_is_found() {
        check("dnsName", &["ipAddresses", "dnsNames"], Some("dnsNames"));
        check("DNSNAMES", &["ipAddresses", "dnsNames"], Some("dnsNames"));
        check("iusser", &["issuer", "usages"], Some("issuer"));
        check("ca", &["cb"], Some("cb"));
    }

    #[test]
    fn a_far_name_is_not_offered() {
        check("foo", &["issuer", "usages"], None);
        check("", &["issuer"], None);
        check("issuer", &[], None);
    }
}
