//! Which of the names that exist was probably meant.
//!
//! A misspelt name and the existing names come in, the nearest of them goes out, if it is near
//! enough to be worth a word. How that is said is left to the callers.

/// The name in `known` that is nearest to `wanted`, if not more than a third of its letters, or
/// one of a short name, differ.
///
/// Case, `_` and `-` do not count, so that `toYaml` finds `to_yaml`.
pub(crate) fn nearest<'a, I>(wanted: &str, known: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a str>,
{
    let wanted = letters(wanted);
    known
        .into_iter()
        .map(|name| (distance(&wanted, &letters(name)), name))
        .filter(|(steps, name)| {
            let longer = wanted.len().max(name.chars().count());
            *steps <= (longer / 3).max(usize::from(longer > 1))
        })
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, name)| name)
}

fn letters(name: &str) -> Vec<char> {
    name.chars()
        .filter(|letter| !matches!(letter, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// How many letters must be added, taken away, changed or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut steps = (last[j] + usize::from(from != to))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                steps = steps.min(before[j - 1] + 1);
            }
            row.push(steps);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, known: &[&str], expected: Option<&str>) {
        assert_eq!(nearest(wanted, known.iter().copied()), expected, "{wanted}");
    }

    #[test]
    fn the_nearest_name_is_found() {
        check(
            "replica",
            &["image", "replicas", "service"],
            Some("replicas"),
        );
        check(
            "toYaml",
            &["from_yaml", "to_json", "to_yaml"],
            Some("to_yaml"),
        );
        check("iamge", &["image", "page"], Some("image"));
        check("value", &["values", "release"], Some("values"));
    }

    #[test]
    fn a_far_name_is_not_offered() {
        check("port", &["image", "service"], None);
        check("x", &["y", "zzz"], None);
        check("port", &[], None);
    }
}
