//! `pintle kubeconfig`.

use std::io::Write;
use std::process::ExitCode;

use pintle::ops;

use crate::cli::{Global, Kubeconfig};
use crate::connection::with_cluster;
use crate::failure::Failure;

pub(super) fn run(global: &Global, args: &Kubeconfig) -> Result<ExitCode, Failure> {
    with_cluster(global, async |connection| {
        let namespace = connection.home(&args.name).await?;
        let session = connection.session_in(&namespace, &args.name);
        let text = ops::kubeconfig(&session, args.user.as_deref()).await?;
        std::io::stdout().lock().write_all(&text)?;
        Ok(ExitCode::SUCCESS)
    })
}
