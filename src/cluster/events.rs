//! The events of a watch as they arrive: a JSON document for each line of the body of its answer.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use hyper::body::Body as _;
use kube::client::Body;
use kube::core::WatchEvent;

use super::body::Lean;
use super::error::Cause;

/// The longest line that is read, in bytes: far more than an API server stores of one resource.
const LONGEST_LINE: usize = 64 << 20;

/// The body of an open watch.
pub(super) struct Events {
    body: Body,
    /// What has come of the next line.
    begun: BytesMut,
}

impl Events {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            begun: BytesMut::new(),
        }
    }

    /// Waits for the next event; none once the API server has closed the watch.
    pub(super) async fn next(&mut self) -> Option<Result<WatchEvent<Lean>, Cause>> {
        let mut seen = 0;
        loop {
            let end = self.begun[seen..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = self.begun.split_to(seen + end + 1);
                return Some(serde_json::from_slice(&line).map_err(Into::into));
            }
            seen = self.begun.len();
            if seen > LONGEST_LINE {
                return Some(Err("an event without an end".into()));
            }
            match self.chunk().await? {
                Ok(chunk) => self.begun.extend_from_slice(&chunk),
                Err(error) => return Some(Err(error.into())),
            }
        }
    }

    async fn chunk(&mut self) -> Option<Result<Bytes, kube::Error>> {
        let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await?;
        // What is no data comes after the last of it.
        Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
    }
}
