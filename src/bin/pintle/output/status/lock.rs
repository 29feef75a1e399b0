//! Who changes a release while its status is shown.

use jiff::Timestamp;
use pintle::cluster::Tenure;
use serde::Serialize;

use crate::process::Who;

/// Who changes the release now.
#[derive(Serialize)]
pub(super) struct Lock<'a> {
    /// The holder, as it calls itself.
    holder: &'a str,
    /// None if it does not call itself as pintle does.
    user: Option<&'a str>,
    host: Option<&'a str>,
    pid: Option<u32>,
    since: Option<Timestamp>,
    /// What it does, as far as that is recorded.
    doing: String,
}

/// What is known of who changes a release, which is doing something.
pub(super) fn lock(holder: &Tenure, doing: String) -> Lock<'_> {
    let who = Who::of(&holder.holder);
    Lock {
        holder: &holder.holder,
        user: who.as_ref().map(|who| who.user),
        host: who.as_ref().map(|who| who.host),
        pid: who.as_ref().map(|who| who.pid),
        since: holder.since,
        doing,
    }
}

/// The same in one line.
pub(super) fn line(lock: &Lock<'_>) -> String {
    let who = match (lock.user, lock.host, lock.pid) {
        (Some(user), Some(host), Some(pid)) => format!("{user}@{host} pid {pid}"),
        _ => lock.holder.to_owned(),
    };
    let since = lock.since.map(|since| format!(" since {since}"));
    let since = since.unwrap_or_default();
    format!("LOCKED BY: {who}{since}, {}\n", lock.doing)
}
