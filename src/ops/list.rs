//! `list`: the releases that are recorded, as one line each.

use std::cmp::Ordering;

use regex::Regex;

use super::Error;
use crate::history::{self, Entry, Store};
use crate::release::Status;

/// Which releases are listed, and how. The default lists all of them by name.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Where the newest revision has to stand; anywhere if this is empty. With `Superseded` alone all
    /// superseded revisions are listed, because the newest one never is, as Helm does.
    pub statuses: Vec<Status>,
    /// What has to occur in the release's name.
    pub filter: Option<Regex>,
    /// What the labels of the record have to be, as a label selector; empty for everything.
    pub selector: String,
    /// What comes first.
    pub sort: SortBy,
    /// In which direction.
    pub direction: Direction,
    /// How many are left out at the beginning.
    pub offset: usize,
    /// How many are listed at most; 0 for all.
    pub max: usize,
    /// What is wanted of each.
    pub detail: Detail,
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The release's name, then its namespace.
    #[default]
    Name,
    /// When the revision was begun.
    Date,
}

/// Which end of the order comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The first name, or the oldest.
    #[default]
    Ascending,
    /// The last name, or the newest.
    Descending,
}

/// What is wanted of each release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Its summary, whose payload is read where Helm wrote last.
    #[default]
    Summary,
    /// What its labels say, which costs no payload.
    Labels,
}

/// The releases that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// One revision of each.
    pub entries: Vec<Entry>,
    /// How many there are from `offset` on, if there were no `max`.
    pub available: usize,
}

/// The releases in `store` that `listing` asks for. Only metadata is read, and the payloads of the
/// revisions that are to be shown and that Helm wrote last.
///
/// # Errors
/// If the records cannot be read, or the selector is none.
pub async fn list(store: &Store<'_>, listing: &Listing) -> Result<Listed, Error> {
    let mut entries = match listing.statuses[..] {
        [Status::Superseded] => store.of_status(Status::Superseded).await?,
        _ => store.newest(&[]).await?,
    };
    entries.retain(|entry| listing.takes(entry));
    if !listing.selector.is_empty() {
        let matching = store.matching(&listing.selector).await;
        let matching = matching.map_err(|error| match error {
            history::Error::List { source } if source.is_invalid() => Error::Selector {
                selector: listing.selector.clone(),
            },
            error => error.into(),
        })?;
        entries.retain(|entry| matching.contains(&entry.key()));
    }
    if listing.sort == SortBy::Date {
        store.summarise(&mut entries).await?;
    }
    let mut listed = listing.page(entries);
    if listing.detail == Detail::Summary {
        store.summarise(&mut listed.entries).await?;
    }
    Ok(listed)
}

impl Listing {
    fn takes(&self, entry: &Entry) -> bool {
        let filter = self.filter.as_ref();
        (self.statuses.is_empty() || self.statuses.contains(&entry.status))
            && filter.is_none_or(|filter| filter.is_match(&entry.name))
    }

    /// Sorts the entries and cuts the page out that is wanted.
    fn page(&self, mut entries: Vec<Entry>) -> Listed {
        entries.sort_by(|one, other| match self.direction {
            Direction::Ascending => self.compare(one, other),
            Direction::Descending => self.compare(other, one),
        });
        entries.drain(..self.offset.min(entries.len()));
        let available = entries.len();
        if self.max > 0 {
            entries.truncate(self.max);
        }
        Listed { entries, available }
    }

    fn compare(&self, one: &Entry, other: &Entry) -> Ordering {
        let date = |entry: &Entry| entry.summary.as_ref().and_then(|summary| summary.updated);
        let by_date = match self.sort {
            SortBy::Name => Ordering::Equal,
            SortBy::Date => date(one).cmp(&date(other)),
        };
        by_date
            .then_with(|| one.name.cmp(&other.name))
            .then_with(|| one.namespace.cmp(&other.namespace))
            .then_with(|| one.revision.cmp(&other.revision))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Summary;

    fn entry(name: &str, status: Status, updated: &str) -> Entry {
        Entry {
            name: name.to_owned(),
            namespace: "shop".to_owned(),
            revision: 1,
            status,
            secret: format!("sh.helm.release.v1.{name}.v1"),
            version: String::new(),
            labels: std::collections::BTreeMap::new(),
            summary: Some(Summary {
                updated: updated.parse().ok(),
                ..Summary::default()
            }),
        }
    }

    #[track_caller]
    fn check(listing: &Listing, expected: &[&str], available: usize) {
        let mut entries = vec![
            entry("b", Status::Deployed, "2026-11-03T00:00:00Z"),
            entry("c", Status::Failed, "2026-11-01T00:00:00Z"),
            entry("ab", Status::PendingUpgrade, "2026-11-02T00:00:00Z"),
            entry("d", Status::Uninstalled, ""),
        ];
        entries.retain(|entry| listing.takes(entry));
        let listed = listing.page(entries);
        let names: Vec<_> = listed.entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!((names.as_slice(), listed.available), (expected, available));
    }

    #[test]
    fn a_list_is_filtered_sorted_and_cut() {
        let all = Listing::default();
        check(&all, &["ab", "b", "c", "d"], 4);
        let statuses = vec![Status::Failed, Status::Deployed];
        check(
            &Listing {
                statuses,
                ..all.clone()
            },
            &["b", "c"],
            2,
        );
        let filter = Regex::new("^a|c").ok();
        check(
            &Listing {
                filter,
                ..all.clone()
            },
            &["ab", "c"],
            2,
        );
        let page = Listing {
            offset: 1,
            max: 2,
            ..all.clone()
        };
        check(&page, &["b", "c"], 3);
        check(
            &Listing {
                offset: 9,
                ..all.clone()
            },
            &[],
            0,
        );
        let direction = Direction::Descending;
        check(
            &Listing {
                direction,
                ..all.clone()
            },
            &["d", "c", "b", "ab"],
            4,
        );
        let sort = SortBy::Date;
        check(
            &Listing {
                sort,
                ..all.clone()
            },
            &["d", "c", "ab", "b"],
            4,
        );
        let newest = Listing {
            sort,
            direction,
            ..all
        };
        check(&newest, &["b", "ab", "c", "d"], 4);
    }
}
