//! Finding the key that was most likely meant.

/// The one of `known` that differs least from `given`, if any is close.
pub(super) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1.max(given.chars().count() / 3);
    known
        .map(|name| (distance(&given.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out or replaced to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: Option<&str>) {
        let known = ["replicas", "image", "serviceCIDR", "podCIDR", "x"];
        assert_eq!(nearest(given, known.into_iter()), expected);
    }

    #[test]
    fn slips_are_recognised() {
        check("replica", Some("replicas"));
        check("repilcas", Some("replicas"));
        check("podCidr", Some("podCIDR"));
        check("imgae", None);
        check("images", Some("image"));
        check("etcd", None);
    }
}
