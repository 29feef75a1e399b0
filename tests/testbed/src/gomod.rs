//! Reads what the testbed needs out of a `go.mod`: the tools it declares and the versions it
//! requires. Text comes in, borrowed facts go out. Directives of no interest here are skipped, and
//! whether the file is valid is left to `go`.
//!
//! Format: <https://go.dev/ref/mod#go-mod-file>.

/// The tools and required modules of one `go.mod`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GoMod<'a> {
    /// The packages named by `tool` directives, in the order of the file.
    pub tools: Vec<&'a str>,
    /// Module path and version of every `require` directive, in the order of the file.
    pub requires: Vec<(&'a str, &'a str)>,
}

impl<'a> GoMod<'a> {
    /// Reads the text of a `go.mod`.
    pub fn parse(text: &'a str) -> Self {
        let mut parsed = Self::default();
        let mut block = None;
        for line in text.lines() {
            let line = line.split_once("//").map_or(line, |(code, _)| code);
            let words: Vec<&str> = line.split_whitespace().collect();
            match (block, words.as_slice()) {
                (None, [directive, "("]) => block = Some(*directive),
                (None, [directive, rest @ ..]) => parsed.read(directive, rest),
                (Some(_), [")"]) => block = None,
                (Some(directive), rest) => parsed.read(directive, rest),
                (None, []) => {}
            }
        }
        parsed
    }

    fn read(&mut self, directive: &str, words: &[&'a str]) {
        match (directive, words) {
            ("tool", [package]) => self.tools.push(package),
            ("require", [module, version]) => self.requires.push((module, version)),
            _ => {}
        }
    }

    /// Returns path and version of the required module that has `package` in it: the longest
    /// module path that is the package's path or its start.
    pub fn module_of(&self, package: &str) -> Option<(&'a str, &'a str)> {
        let holds = |module: &str| {
            package
                .strip_prefix(module)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let holding = self.requires.iter().filter(|(module, _)| holds(module));
        holding.max_by_key(|(module, _)| module.len()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::GoMod;

    #[track_caller]
    fn check(text: &str, tools: &[&str], requires: &[(&str, &str)]) {
        let expected = GoMod {
            tools: tools.to_vec(),
            requires: requires.to_vec(),
        };
        assert_eq!(GoMod::parse(text), expected);
    }

    #[test]
    fn reads_single_lines_and_blocks() {
        check("", &[], &[]);
        check("tool a.b/c/cmd/d\n", &["a.b/c/cmd/d"], &[]);
        check(
            "tool (\n\ta.b/c\n\n\ta.b/d // why\n)\n",
            &["a.b/c", "a.b/d"],
            &[],
        );
        check(
            "require a.b/c v1.2.3 // indirect\n",
            &[],
            &[("a.b/c", "v1.2.3")],
        );
        check(
            "require (\n\ta.b/c v1.2.3\n)\ntool x\n",
            &["x"],
            &[("a.b/c", "v1.2.3")],
        );
    }

    #[test]
    fn skips_everything_else() {
        check("// tool x\nmodule m\ngo 1.26.0\n", &[], &[]);
        check("replace (\n\ta => a v1\n)\nreplace b => b v2\n", &[], &[]);
    }

    #[track_caller]
    fn check_module(package: &str, expected: Option<(&str, &str)>) {
        let parsed = GoMod::parse("require (\n\ta.b/c v1.0.0\n\ta.b/c/d/v3 v3.0.0\n)\n");
        assert_eq!(parsed.module_of(package), expected);
    }

    #[test]
    fn finds_the_module_of_a_package() {
        check_module("a.b/c", Some(("a.b/c", "v1.0.0")));
        check_module("a.b/c/cmd/x", Some(("a.b/c", "v1.0.0")));
        check_module("a.b/c/d/v3/cmd/x", Some(("a.b/c/d/v3", "v3.0.0")));
        check_module("a.b/cc", None);
        check_module("x.y/z", None);
    }
}
