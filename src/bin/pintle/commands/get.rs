//! `pintle get`.

use std::process::ExitCode;

use pintle::chart::Values;
use pintle::ops::{self, Revision};
use pintle::release::Release;

use crate::cli::{
    Format, Get, GetArgs, GetFailure, GetMetadata, GetValues, GetWhat, Global, RevisionArg,
};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;

impl RevisionArg {
    /// The revision that is meant.
    pub(super) fn wanted(&self) -> Revision {
        self.revision.unwrap_or(Revision::Newest)
    }
}

pub(super) fn run(global: &Global, args: &Get) -> Result<ExitCode, Failure> {
    match &args.what {
        GetWhat::All(args) => {
            let release = find(global, args)?;
            output::release::print_all(&release, &computed(&release))?;
        }
        GetWhat::Failure(args) => failure(global, args)?,
        GetWhat::Hooks(args) => output::release::print_hooks(&find(global, args)?)?,
        GetWhat::Manifest(args) => output::print_text(&find(global, args)?.manifest)?,
        GetWhat::Metadata(args) => metadata(global, args)?,
        GetWhat::Notes(args) => output::release::print_notes(&find(global, args)?)?,
        GetWhat::Values(args) => values(args, &find(global, &args.get)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn find(global: &Global, args: &GetArgs) -> Result<Release, Failure> {
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        Ok(ops::find(&session, args.revision.wanted()).await?)
    })
}

fn metadata(global: &Global, args: &GetMetadata) -> Result<(), Failure> {
    let release = find(global, &args.get)?;
    output::metadata::print(&release, args.output.output)
}

fn values(args: &GetValues, release: &Release) -> Result<(), Failure> {
    let computed = args.all.then(|| computed(release));
    let values = computed.as_ref().unwrap_or(&release.config);
    match args.output.output {
        Format::Table => {
            let title = if args.all {
                output::release::COMPUTED
            } else {
                output::release::USER_SUPPLIED
            };
            output::release::print_values(title, values)
        }
        format => output::print_data(values, format),
    }
}

/// The values that the revision was rendered with.
fn computed(release: &Release) -> Values {
    Values::coalesce(&release.chart.values, &release.config)
}

fn failure(global: &Global, args: &GetFailure) -> Result<(), Failure> {
    let release = with_cluster(global, async |connection| {
        let revision = args.revision.filter(|revision| *revision > 0);
        Ok(ops::failed(&connection.session(&args.name), revision).await?)
    })?;
    output::trouble::print(&release, args.output.output)
}
