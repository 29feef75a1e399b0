//! One file per command: flags in, a request of the library, its result to `output`.

mod apply;
mod change;
mod completion;
mod create;
mod diff;
mod drift;
mod get;
mod history;
mod inputs;
mod install;
mod join;
mod kubeconfig;
mod lint;
mod list;
mod plan;
mod rollback;
mod show;
mod status;
mod template;
mod test;
mod turn;
mod uninstall;
mod unlock;
mod upgrade;
mod values;
mod version;

use std::process::ExitCode;

use pintle::chart::Chart;
use pintle::ops;
use pintle::source::{self, ChartRef};

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::watchdog;

/// Runs the command and gives its exit code.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli {
        global, command, ..
    } = cli;
    match command {
        Command::Install(args) => install::run(&global, &args),
        Command::Upgrade(args) => upgrade::run(&global, &args),
        Command::Rollback(args) => rollback::run(&global, &args),
        Command::Uninstall(args) => uninstall::run(&global, &args),
        Command::Diff(args) => diff::run(&global, &args),
        Command::Drift(args) => drift::run(&global, &args),
        Command::Plan(args) => plan::run(&global, &args),
        Command::Apply(args) => apply::run(&global, &args),
        Command::Create(args) => create::run(&args),
        Command::Template(args) => template::run(&global, &args),
        Command::Show(args) => show::run(&args),
        Command::Values(args) => values::run(&global, &args),
        Command::Lint(args) => lint::run(&args),
        Command::Test(args) => test::run(&global, &args),
        Command::List(args) => list::run(&global, &args),
        Command::Status(args) => status::run(&global, &args),
        Command::History(args) => history::run(&global, &args),
        Command::Unlock(args) => unlock::run(&global, &args),
        Command::Get(args) => get::run(&global, &args),
        Command::Kubeconfig(args) => kubeconfig::run(&global, &args),
        Command::Join(args) => join::run(&global, &args),
        Command::Completion { shell } => completion::run(shell),
        Command::Version(args) => version::run(&args),
    }
}

/// Fetches the chart that a command names.
fn load_chart(chart: &str) -> Result<Chart, Failure> {
    let reference = ChartRef::parse(chart).map_err(ops::Error::from)?;
    let _watched = watchdog::watch(chart);
    Ok(source::load(&reference).map_err(ops::Error::from)?)
}
