//! `.helmignore`.
//!
//! The rules are Helm's (`pkg/ignore`), which are not git's: patterns match as Go's
//! `filepath.Match` does, the first rule that fits decides, and a rule with `!` rules out
//! everything that does *not* match it.

mod glob;

use super::Error;
use glob::Glob;

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    File,
    Folder,
}

/// The rules of one chart.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    glob: Glob,
    /// Whether it rules out what matches, or all else.
    sense: Sense,
    applies: Applies,
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    Match,
    Mismatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applies {
    Everything,
    Folders,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The last part of the path.
    Name,
    Path,
}

impl Rules {
    /// Reads the lines of a `.helmignore`, and adds that hidden files in `templates/` are ignored.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().chain(["templates/.?*"]).enumerate();
        let rules = lines.map(|(index, line)| (index + 1, line.trim()));
        rules
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, rule)| {
                Rule::parse(rule).map_err(|problem| Error::Ignore { line, problem })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Says whether the entry at `path`, relative to the chart's folder, is left out.
    pub(super) fn ignores(&self, path: &str, entry: Entry) -> bool {
        self.0.iter().any(|rule| rule.ignores(path, entry))
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("**") {
            return Err("** is not supported");
        }
        let (sense, text) = match text.strip_prefix('!') {
            Some(rest) => (Sense::Mismatch, rest),
            None => (Sense::Match, text),
        };
        let (applies, text) = match text.strip_suffix('/') {
            Some(rest) => (Applies::Folders, rest),
            None => (Applies::Everything, text),
        };
        let target = if text.contains('/') {
            Target::Path
        } else {
            Target::Name
        };
        let glob = Glob::parse(text.strip_prefix('/').unwrap_or(text))?;
        Ok(Self {
            glob,
            sense,
            applies,
            target,
        })
    }

    fn ignores(&self, path: &str, entry: Entry) -> bool {
        if self.applies == Applies::Folders && entry == Entry::File {
            return self.sense == Sense::Mismatch;
        }
        let target = match self.target {
            Target::Path => path,
            Target::Name => path.rsplit('/').next().unwrap_or(path),
        };
        self.glob.matches(target) == (self.sense == Sense::Match)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of `paths` are ignored; a trailing slash makes a folder.
    #[track_caller]
    fn check(rules: &str, paths: &[&str], expected: &[&str]) {
        let rules = Rules::parse(rules).unwrap();
        let ignored = |path: &&str| match path.strip_suffix('/') {
            Some(folder) => rules.ignores(folder, Entry::Folder),
            None => rules.ignores(path, Entry::File),
        };
        let found: Vec<&str> = paths.iter().copied().filter(ignored).collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn check_error(rules: &str, expected: &str) {
        assert_eq!(Rules::parse(rules).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_rule_without_a_slash_matches_names() {
        check(
            "*.txt",
            &["a.txt", "x/a.txt", "a.yaml", "x.txt/"],
            &["a.txt", "x/a.txt", "x.txt/"],
        );
        check(
            "helm.txt",
            &["helm.txt", "sub/helm.txt"],
            &["helm.txt", "sub/helm.txt"],
        );
        check("[a-c].?", &["b.x", "d.x", "a.xy"], &["b.x"]);
        check("[^a]", &["a", "b"], &["b"]);
    }

    #[test]
    fn a_rule_with_a_slash_matches_paths() {
        check("/a.txt", &["a.txt", "x/a.txt"], &["a.txt"]);
        check(
            "x/*.txt",
            &["x/a.txt", "y/x/a.txt", "x/y/a.txt"],
            &["x/a.txt"],
        );
        check("ci/", &["ci/", "ci", "x/ci/"], &["ci/", "x/ci/"]);
        check("/ci/", &["ci/", "ci", "x/ci/"], &["ci/"]);
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over() {
        check("\u{feff}# *\n\n  a  \n#b", &["a", "b", "#b"], &["a"]);
        check("a # note", &["a", "a # note"], &["a # note"]);
    }

    #[test]
    fn hidden_templates_are_ignored() {
        check(
            "",
            &["templates/.swp", "templates/a", ".git", "x/templates/.a"],
            &["templates/.swp"],
        );
    }

    #[test]
    fn a_negated_rule_rules_out_all_else() {
        check("!*.yaml", &["a.yaml", "a.txt", "d/"], &["a.txt", "d/"]);
        check(
            "!keep/",
            &["a.yaml", "keep/", "drop/"],
            &["a.yaml", "drop/"],
        );
    }

    #[test]
    fn wrong_patterns_name_their_line() {
        check_error("a\n**/b", ".helmignore:2: ** is not supported");
        check_error("[a", ".helmignore:1: a [ is not closed");
        check_error("# x\n\n[]", ".helmignore:3: a [ is not closed");
        check_error("a\\", ".helmignore:1: nothing follows the backslash");
        check_error("[b-a]", ".helmignore:1: a range in [ ] runs backwards");
    }
}
