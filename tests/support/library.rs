//! The library on the testbed, for tests that make many changes: they need no process each.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use pintle::chart::{Chart, Overrides, Values};
use pintle::cluster::{Cluster, Holder, Target};
use pintle::event::Event;
use pintle::history::Driver;
use pintle::ops::{
    self, Change, ChartRequest, CrdPolicy, End, Options, ReuseValues, SchemaPolicy, Session, Terms,
};
use pintle::release::Release;
use pintle::render::Notes;
use pintle::source::{self, ChartRef};

/// One release, as the library sees it.
pub(crate) struct Library {
    pub(crate) cluster: Cluster,
    namespace: String,
    release: &'static str,
    /// What its records are in.
    pub(crate) driver: Driver,
}

impl Library {
    /// The release of this name in a namespace, by a kubeconfig.
    pub(crate) async fn of(kubeconfig: &Path, namespace: &str, release: &'static str) -> Self {
        let target = Target {
            kubeconfig: Some(kubeconfig.to_owned()),
            context: None,
            namespace: Some(namespace.to_owned()),
        };
        Self {
            cluster: Cluster::connect(&target).await.unwrap(),
            namespace: namespace.to_owned(),
            release,
            driver: Driver::default(),
        }
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session {
            cluster: &self.cluster,
            namespace: &self.namespace,
            release: self.release,
            now: Timestamp::now,
            holder: Holder {
                identity: "test",
                is_dead: |_| false,
            },
            driver: self.driver,
            stop: None,
            watch: ops::unwatched,
        }
    }

    /// Terms on which nothing is waited for.
    pub(crate) fn terms() -> Terms {
        Terms {
            end: End::Written,
            ..Terms::default()
        }
    }

    /// Decides an installation of the chart in a folder.
    pub(crate) async fn install(&self, folder: &str, terms: &Terms) -> Change {
        let chart = source::load(&ChartRef::Directory(folder.into())).unwrap();
        let change = ops::install(&self.session(), &request(&chart), terms).await;
        change.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Decides an upgrade to the chart in a folder.
    pub(crate) async fn upgrade(&self, folder: &str, terms: &Terms) -> Change {
        let chart = source::load(&ChartRef::Directory(folder.into())).unwrap();
        let change = ops::upgrade(&self.session(), &request(&chart), terms).await;
        change.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Carries a change out.
    pub(crate) async fn execute(&self, change: Change) {
        let ended = self.end(change, &mut |_| ()).await;
        ended.unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// Carries a change out, whatever comes of it.
    pub(crate) async fn end(
        &self,
        change: Change,
        on: &mut dyn FnMut(Event),
    ) -> Result<Release, ops::Error> {
        let options = Self::options();
        change.execute(&self.session(), &options, on).await
    }

    /// How a change is carried out that takes no longer than a minute and stays as far as it comes.
    pub(crate) fn options() -> Options {
        Options {
            timeout: Duration::from_mins(1),
            on_failure: ops::OnFailure::default(),
            leftovers: ops::Leftovers::default(),
        }
    }
}

/// A chart as it is, without values of the command.
fn request(chart: &Chart) -> ChartRequest<'_> {
    static NONE: LazyLock<(Overrides, Values)> = LazyLock::new(Default::default);
    let (overrides, tenant) = &*NONE;
    ChartRequest {
        chart,
        overrides,
        tenant,
        notes: Notes::Root,
        reuse: ReuseValues::default(),
        schemas: SchemaPolicy::default(),
        crds: CrdPolicy::default(),
    }
}
