//! `pintle template`.

use std::io::Write;
use std::process::ExitCode;

use pintle::capabilities::Capabilities;
use pintle::ops::{self, TemplateRequest};

use crate::cli::{Global, Template};
use crate::failure::Failure;
use crate::output::progress::Progress;
use crate::overrides;

/// The namespace of a release that is only rendered, unless one is given.
const NAMESPACE: &str = "default";

pub(super) fn run(global: &Global, args: &Template) -> Result<ExitCode, Failure> {
    let chart = super::load_chart(&args.chart)?;
    let overrides = overrides::read(&args.values)?;
    Progress::new(&args.name).all(ops::notices(&chart, &overrides));
    let request = TemplateRequest {
        overrides: &overrides,
        release: &args.name,
        namespace: global.namespace.as_deref().unwrap_or(NAMESPACE),
        capabilities: &Capabilities::builtin(),
    };
    let templated = ops::template(&chart, &request)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(templated.manifest.to_text().as_bytes())?;
    for hook in &templated.manifest.hooks {
        let template = &hook.resource.origin.template;
        write!(stdout, "---\n# Source: {template}\n{}\n", hook.text)?;
    }
    Ok(ExitCode::SUCCESS)
}
