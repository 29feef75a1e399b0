//! `pintle list`.

use std::process::ExitCode;

use pintle::history::Store;
use pintle::ops::{self, Detail, Direction, Listing, SortBy};

use crate::cli::{Format, Global, List};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output::entries::{self, ListView};
use crate::output::progress;

pub(super) fn run(global: &Global, args: &List) -> Result<ExitCode, Failure> {
    let listing = listing(args);
    with_cluster(global, async |connection| {
        let store = if args.all_namespaces {
            Store::everywhere(&connection.cluster)
        } else {
            Store::in_namespace(&connection.cluster, &connection.namespace)
        };
        let store = store.with(connection.driver);
        let listed = ops::list(&store, &listing).await?;
        let format = args.output.output;
        if args.short {
            entries::print_names(&listed.entries, format)?;
        } else {
            let view = ListView {
                time_format: args.time_format.as_deref(),
                has_heads: !args.no_headers,
            };
            entries::print_list(&listed.entries, format, view)?;
        }
        let count = listed.entries.len();
        if count < listed.available && format == Format::Table {
            progress::print(&format!(
                "{count} of {} releases: --offset {} goes on from here, --max 0 lists all",
                listed.available,
                listing.offset + count
            ));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What the flags stand for.
fn listing(args: &List) -> Listing {
    Listing {
        statuses: args.statuses.statuses(),
        filter: args.filter.clone(),
        selector: args.selector.clone(),
        sort: if args.date {
            SortBy::Date
        } else {
            SortBy::Name
        },
        direction: if args.reverse {
            Direction::Descending
        } else {
            Direction::Ascending
        },
        offset: args.offset,
        max: args.max,
        detail: if args.short {
            Detail::Labels
        } else {
            Detail::Summary
        },
    }
}
