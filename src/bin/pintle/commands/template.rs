//! `pintle template`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use globset::{GlobBuilder, GlobMatcher};
use pintle::capabilities::Capabilities;
use pintle::chart::File;
use pintle::manifest::{Extra, Listed};
use pintle::ops::{self, TemplateRequest};
use pintle::render::Operation;
use pintle::source;

use crate::cli::{ExtraArgs, Global, TargetArgs, Template};
use crate::failure::Failure;
use crate::output;
use crate::output::progress::Progress;
use crate::overrides;
use crate::watchdog;

/// The namespace of a release that is only rendered, unless one is given.
const NAMESPACE: &str = "default";
/// Its name, unless one is given.
const NAME: &str = "release-name";

pub(super) fn run(global: &Global, args: &Template) -> Result<ExitCode, Failure> {
    let patterns = patterns(&args.show_only)?;
    let (given, reference) = name_and_chart(args)?;
    let chart = super::load_chart(reference)?;
    let overrides = overrides::read(&args.values)?;
    let namespace = global.namespace.as_deref().unwrap_or(NAMESPACE);
    let watched = watchdog::watch(reference);
    let name = match &args.naming {
        Some(template) => ops::name(&chart, namespace, template)?,
        None => given.unwrap_or(NAME).to_owned(),
    };
    Progress::new(&name).all(ops::notices(&chart, &overrides));
    let request = TemplateRequest {
        overrides: &overrides,
        release: &name,
        namespace,
        capabilities: &capabilities(&args.target),
        notes: args.notes.notes(),
        operation: if args.target.is_upgrade {
            Operation::Upgrade
        } else {
            Operation::Install
        },
    };
    let templated = if args.helm.skip_schema_validation {
        ops::template_unjudged(&chart, &request)?
    } else {
        ops::template(&chart, &request)?
    };
    let mut listed = vec![];
    if args.extras.include_crds {
        listed.extend(templated.crds.iter().map(crd));
    }
    listed.extend(templated.manifest.list(&extras(&args.extras)));
    let listed = only(listed, &args.show_only, &patterns)?;
    drop(watched);
    match &args.folder.output_dir {
        None => {
            let texts: String = listed.iter().map(Listed::to_text).collect();
            output::print_text(&texts)?;
        }
        Some(folder) => write(&listed, folder, args.folder.release_name.then_some(&name))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands before the flags, after them or between: a chart, or the name of a release before it.
fn name_and_chart(args: &Template) -> Result<(Option<&str>, &str), Failure> {
    match (&args.first, &args.second) {
        (chart, None) => Ok((None, chart)),
        (name, Some(chart)) if args.naming.is_none() => Ok((Some(name), chart)),
        _ => Err(Failure::NamedTwice),
    }
}

/// What the chart is told about the cluster.
fn capabilities(target: &TargetArgs) -> Capabilities {
    let version = target.kube_version.clone();
    let mut capabilities = version.map_or_else(Capabilities::builtin, Capabilities::at);
    let more = target.api_versions.iter().map(|name| name.trim());
    let more = more.filter(|name| !name.is_empty()).map(str::to_owned);
    capabilities.api_versions.extend(more);
    capabilities
}

/// A file of definitions as it stands.
fn crd<'a>((path, file): &'a (String, &File)) -> Listed<'a> {
    let text = String::from_utf8_lossy(&file.data);
    let body = text.trim_start_matches("---").trim();
    Listed {
        template: path,
        text: Cow::from(body.to_owned()),
    }
}

fn extras(args: &ExtraArgs) -> BTreeSet<Extra> {
    let wanted = [
        (Extra::Hooks, !args.no_hooks),
        (Extra::Tests, !args.no_hooks && !args.skip_tests),
        (Extra::Generators, args.show_generators),
    ];
    let wanted = wanted.into_iter().filter(|(_, is_wanted)| *is_wanted);
    wanted.map(|(extra, _)| extra).collect()
}

/// As in Helm, `*` stops at a slash; `**` does not.
fn patterns(globs: &[String]) -> Result<Vec<GlobMatcher>, Failure> {
    let compile = |glob: &String| {
        let glob = glob.trim_start_matches("./");
        let built = GlobBuilder::new(glob).literal_separator(true).build();
        let built = built.map_err(|cause| Failure::BadGlob {
            glob: glob.to_owned(),
            cause: cause.kind().to_string(),
        });
        Ok(built?.compile_matcher())
    };
    globs.iter().map(compile).collect()
}

/// What comes from the templates that are asked for; all of it where none are.
fn only<'a>(
    listed: Vec<Listed<'a>>,
    globs: &[String],
    patterns: &[GlobMatcher],
) -> Result<Vec<Listed<'a>>, Failure> {
    if patterns.is_empty() {
        return Ok(listed);
    }
    let is_found = |pattern: &GlobMatcher| listed.iter().any(|one| pattern.is_match(one.path()));
    if let Some(index) = patterns.iter().position(|pattern| !is_found(pattern)) {
        let paths: BTreeSet<&str> = listed.iter().map(Listed::path).collect();
        return Err(Failure::NothingToShow {
            glob: globs[index].clone(),
            paths: paths.into_iter().map(str::to_owned).collect(),
        });
    }
    let is_wanted = |one: &Listed<'_>| patterns.iter().any(|glob| glob.is_match(one.path()));
    Ok(listed.into_iter().filter(is_wanted).collect())
}

/// Writes a file for each template, below a folder of that name if one is given, and tells the path
/// of each.
fn write(listed: &[Listed<'_>], folder: &Path, below: Option<&String>) -> Result<(), Failure> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for one in listed {
        let path = match below {
            Some(release) => format!("{release}/{}", one.template),
            None => one.template.to_owned(),
        };
        files.entry(path).or_default().push_str(&one.to_text());
    }
    let written = source::write_files(folder, &files).map_err(ops::Error::from)?;
    let lines = written
        .iter()
        .map(|path| format!("wrote {}\n", path.display()));
    output::print_text(&lines.collect::<String>())
}
