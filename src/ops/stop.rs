//! The wish, from outside, that a change stops.

use tokio::sync::watch;

use super::Error;

/// Where the wish that changes stop comes in: a signal, for example.
#[derive(Debug, Default)]
pub struct Stop {
    wish: watch::Sender<bool>,
}

impl Stop {
    /// Asks the change that is under way to stop between two steps, to record that and to give its lock
    /// back. Tells whether there is one; where there is none, nothing has been written that would have
    /// to be looked after.
    pub fn ask(&self) -> bool {
        self.wish.send_replace(true);
        self.wish.receiver_count() > 0
    }

    /// Whether it has been asked.
    pub(super) fn is_asked(&self) -> bool {
        *self.wish.borrow()
    }
}

/// What a change listens to, from its first write to its last one.
#[derive(Debug, Clone)]
pub(super) struct Wish(Option<watch::Receiver<bool>>);

impl Wish {
    pub(super) fn of(stop: Option<&Stop>) -> Self {
        Self(stop.map(|stop| stop.wish.subscribe()))
    }

    /// Whether it is wished.
    pub(super) fn is_there(&self) -> bool {
        self.0.as_ref().is_some_and(|wish| *wish.borrow())
    }

    /// Waits until it is wished.
    pub(super) async fn comes(&self) {
        if let Some(wish) = &self.0
            && wish.clone().wait_for(|wished| *wished).await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }

    /// Waits for something, but no longer than until it is wished.
    pub(super) async fn or<T, E: Into<Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        tokio::select! {
            result = work => result.map_err(Into::into),
            () = self.comes() => Err(Error::Interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_heard_by_who_listens() {
        let stop = Stop::default();
        assert!(!stop.ask(), "nobody listens");
        let stop = Stop::default();
        let wish = Wish::of(Some(&stop));
        assert!(!wish.is_there());
        assert!(stop.ask() && wish.is_there());
        wish.comes().await;
        let waits = wish.or(std::future::pending::<Result<(), Error>>());
        assert!(matches!(waits.await, Err(Error::Interrupted)));
    }

    #[tokio::test]
    async fn without_anybody_who_asks_nothing_stops() {
        let wish = Wish::of(None);
        assert!(!wish.is_there());
        assert!(wish.or(async { Ok::<_, Error>(1) }).await.is_ok());
    }
}
