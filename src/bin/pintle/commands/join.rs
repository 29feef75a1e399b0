//! `pintle join`.

use std::process::ExitCode;

use pintle::ops;
use serde_json::json;

use crate::cli::{Format, Global, Join};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(global: &Global, args: &Join) -> Result<ExitCode, Failure> {
    with_cluster(global, async |connection| {
        let namespace = connection.home(&args.name).await?;
        let session = connection.session_in(&namespace, &args.name);
        let (tenant, cluster) = ops::enter(&session, "kube-system").await?;
        let invitation = ops::join(&session, (&tenant, &cluster), args.ttl).await?;
        let command = invitation.command();
        match args.output.output {
            Format::Table => output::print_text(&format!("{command}\n"))?,
            format => output::print_data(
                &json!({
                    "command": command,
                    "endpoint": invitation.endpoint,
                    "token": invitation.token,
                    "caCertHash": invitation.authority_hash,
                    "expires": format!("{:.0}", invitation.expires),
                }),
                format,
            )?,
        }
        Ok(ExitCode::SUCCESS)
    })
}
