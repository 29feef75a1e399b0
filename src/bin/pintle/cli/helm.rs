//! Flags and spellings of Helm that ask for what is done anyway, or that clap has no word for.
//!
//! A command line that clap refuses is looked at again: Go's flags take a value where they stand for yes or no
//! (`--atomic=true`), and some of Helm's have it behind a space where here there may be none
//! (`--server-side false`). What clap understands at once costs nothing more.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{Arg, ArgAction, Args, Command, CommandFactory, Error, Parser, ValueEnum};

use super::Cli;

/// Flags of Helm's changes that ask for what is done anyway.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Granted {
    /// Nothing is checked by OpenAPI but by the API server itself
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    /// A plan never shows what is secret
    #[arg(long, hide = true)]
    hide_secret: bool,
}

/// Flags that Helm has for every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Everywhere {
    /// Of no effect; Helm's scripts give it
    #[arg(long, global = true, hide = true)]
    debug: bool,
    /// Requests are limited by how many there are at once
    #[arg(long, global = true, hide = true, value_name = "N")]
    qps: Option<f32>,
    /// As `--qps`
    #[arg(long, global = true, hide = true, value_name = "N")]
    burst_limit: Option<i32>,
    /// Whether output has colours [default: on a terminal, unless `NO_COLOR` is set]
    #[arg(long, alias = "colour", global = true, value_enum, value_name = "WHEN")]
    #[arg(hide_possible_values = true)]
    color: Option<Colour>,
}

/// When output has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// Never.
    Never,
    /// On a terminal.
    Auto,
    /// Always.
    Always,
}

impl Everywhere {
    /// Lets what is printed from now on have colours or not.
    pub(crate) fn colour(&self) {
        let choice = match self.color {
            None | Some(Colour::Auto) => return,
            Some(Colour::Never) => anstream::ColorChoice::Never,
            Some(Colour::Always) => anstream::ColorChoice::Always,
        };
        choice.write_global();
    }
}

/// Flags whose value may stand behind a space in Helm.
const SPACED: [&str; 1] = ["--server-side"];

/// Reads a command line.
///
/// # Errors
/// If it cannot be understood, or asks for help.
pub(crate) fn parse(given: &[OsString]) -> Result<Cli, Error> {
    let error = match Cli::try_parse_from(given) {
        Err(error) if error.use_stderr() => error,
        parsed => return parsed,
    };
    let mut command = Cli::command();
    command.build();
    let mut switches = BTreeSet::new();
    add_switches(&command, &mut switches);
    let respelt = respell(given, &switches);
    if respelt == given {
        return Err(error);
    }
    Cli::try_parse_from(respelt)
}

/// Adds the flags of a command and those below it that take no value, with their dashes.
fn add_switches(command: &Command, switches: &mut BTreeSet<String>) {
    let is_switch = |arg: &&Arg| matches!(arg.get_action(), ArgAction::SetTrue);
    for arg in command.get_arguments().filter(is_switch) {
        let long = arg.get_long_and_visible_aliases().into_iter().flatten();
        let hidden = arg.get_all_aliases().into_iter().flatten();
        switches.extend(long.chain(hidden).map(|name| format!("--{name}")));
        switches.extend(arg.get_short().map(|name| format!("-{name}")));
    }
    for below in command.get_subcommands() {
        add_switches(below, switches);
    }
}

/// The same command line in the words of clap.
fn respell(given: &[OsString], switches: &BTreeSet<String>) -> Vec<OsString> {
    let mut respelt: Vec<OsString> = Vec::with_capacity(given.len());
    let mut words = given.iter();
    while let Some(word) = words.next() {
        let Some(text) = word.to_str() else {
            respelt.push(word.clone());
            continue;
        };
        if text == "--" {
            respelt.push(word.clone());
            break;
        }
        let behind = words.clone().next().and_then(|next| next.to_str());
        let behind = behind.filter(|value| *value == "auto" || boolean(value).is_some());
        let value = text
            .split_once('=')
            .filter(|(flag, _)| switches.contains(*flag));
        match (value.map(|(flag, value)| (flag, boolean(value))), behind) {
            (Some((flag, Some(true))), _) => respelt.push(flag.into()),
            (Some((_, Some(false))), _) => {}
            (_, Some(value)) if SPACED.contains(&text) => {
                words.next();
                respelt.push(format!("{text}={value}").into());
            }
            _ => respelt.push(word.clone()),
        }
    }
    respelt.extend(words.cloned());
    respelt
}

/// What Go reads as yes or no (`strconv.ParseBool`).
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what becomes of the words of a command line.
    #[track_caller]
    fn check(given: &str, expected: &str) {
        let switches = ["--atomic", "--install", "-i"].map(str::to_owned);
        let given: Vec<OsString> = given.split(' ').map(OsString::from).collect();
        let respelt = respell(&given, &BTreeSet::from(switches));
        let respelt: Vec<&str> = respelt.iter().filter_map(|word| word.to_str()).collect();
        assert_eq!(respelt.join(" "), expected);
    }

    #[test]
    fn gos_spellings_are_respelt() {
        check("upgrade a b --atomic=true", "upgrade a b --atomic");
        check("upgrade --atomic=False a -i=1", "upgrade a -i");
        check("upgrade --atomic=maybe", "upgrade --atomic=maybe");
        check(
            "upgrade --set=true --other=true",
            "upgrade --set=true --other=true",
        );
        check(
            "rollback --server-side false a",
            "rollback --server-side=false a",
        );
        check("rollback --server-side a", "rollback --server-side a");
        check("rollback a --server-side", "rollback a --server-side");
        check(
            "x -- --atomic=true --server-side no",
            "x -- --atomic=true --server-side no",
        );
    }

    #[test]
    fn what_clap_refuses_is_read_again() {
        let read = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            parse(&words)
        };
        for line in [
            "pintle upgrade a b --install=true --atomic=true --create-namespace=false",
            "pintle install a b --wait-for-jobs=true --no-hooks=t --force=false --debug=true",
            "pintle upgrade --server-side false a b --reuse-values=true",
            "pintle rollback a --server-side true",
            "pintle list -A=true --all=false",
            "pintle get values a --all=true",
        ] {
            assert!(read(line).is_ok(), "{line}: {:?}", read(line).err());
        }
        let error = |line: &str| read(line).unwrap_err().to_string();
        assert!(error("pintle list --bogus").contains("--bogus"));
        let both = error("pintle upgrade a b --atomic=true --bogus");
        assert!(both.contains("--bogus"), "{both}");
        let maybe = error("pintle upgrade a b --atomic=maybe");
        assert!(maybe.contains("maybe"), "{maybe}");
        assert!(!read("pintle upgrade --help").unwrap_err().use_stderr());
    }
}
