//! One request with everything around it: how many at once, how long, how often again.
//!
//! A [`Call`] goes in, the body of the answer or an [`Error`] comes out. What is asked for and how
//! the body is read is left to the modules beside this one.

use std::io::Read as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, WARNING};
use http::response::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use kube::client::Body;
use serde_json::Value;

use super::Cluster;
use super::broken::Broken;
use super::error::Error;
use super::path::Uri;
use super::pause::{self, Retries};
use super::refusal::Subject;

/// How long one try may take, connection included, unless the user says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is sent again at most after no answer came in time, which took long already.
const RETRIES_IF_LATE: u32 = 1;
/// The largest body that is unpacked, in bytes.
const LARGEST_BODY: u64 = 512 << 20;

/// What may be sent again when no good answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Sending it twice does no harm.
    Always,
    /// A dry run: it does no harm either, but an answer that it does not work (500) may be about a
    /// webhook, and would be the same again.
    Trial,
    /// Only what the API server has turned away unread (429).
    IfTurnedAway,
}

/// One request, ready to be sent any number of times.
#[derive(Debug)]
pub(super) struct Call {
    subject: Subject,
    request: Request<Bytes>,
    again: Again,
}

/// The body of a good answer, and the warnings that came with it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Bytes,
    pub(super) warnings: Vec<String>,
}

impl Call {
    /// Asks for something, as JSON.
    pub(super) fn get(subject: Subject, uri: &Uri) -> Result<Self, Error> {
        Self::new(subject, Method::GET, uri)
    }

    pub(super) fn new(subject: Subject, method: Method, uri: &Uri) -> Result<Self, Error> {
        let again = match method {
            Method::GET | Method::DELETE => Again::Always,
            _ => Again::IfTurnedAway,
        };
        let request = Request::builder()
            .method(method)
            .uri(uri.as_str())
            .header(ACCEPT, "application/json")
            .body(Bytes::new());
        match request {
            Ok(request) => Ok(Self {
                subject,
                request,
                again,
            }),
            Err(error) => Err(subject.unreadable(error)),
        }
    }

    /// Asks for another form of the answer.
    pub(super) fn accept(mut self, media_type: &'static str) -> Self {
        let value = HeaderValue::from_static(media_type);
        self.request.headers_mut().insert(ACCEPT, value);
        self
    }

    /// Sends this as the body.
    pub(super) fn body(mut self, media_type: &'static str, body: &Value) -> Self {
        let value = HeaderValue::from_static(media_type);
        self.request.headers_mut().insert(CONTENT_TYPE, value);
        *self.request.body_mut() = Bytes::from(body.to_string());
        self
    }

    pub(super) fn again(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }
}

/// What came of one try.
enum Outcome {
    Answered(Response<Bytes>),
    /// Nothing was sent to an API server that was reached before: it may be about to return.
    Away(Broken),
    Broken(Broken),
    TimedOut,
}

impl Cluster {
    /// Sends a request, again if that is safe and may help, and returns the body of its answer.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        let mut retries = Retries::default();
        loop {
            let outcome = self.attempt(call).await;
            let asked = asked(call.again, &outcome, retries.done());
            match asked.and_then(|asked| retries.pause(asked)) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return self.read(call, outcome),
            }
        }
    }

    /// Sends a request once, and gives the body of its answer before it has come.
    pub(super) async fn open(&self, call: &Call) -> Result<Body, Error> {
        let mut request = call.request.clone().map(Body::from);
        let connection = capture_connection(&mut request);
        let opening = async {
            let sent = self.clock.own();
            let (head, body) = self.client.send(request).await?.into_parts();
            self.clock.note(sent, &head.headers);
            if head.status.is_success() {
                return Ok(Ok(body));
            }
            let body = body.collect_bytes().await?;
            Ok(Err(self.refusal(call, &head, &body)))
        };
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await.ok();
        match tokio::time::timeout(self.patience, Box::pin(opening)).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(error)) => Err(self.unreachable(Broken::of(&error))),
            Err(_) => {
                leave(&connection);
                Err(call.subject.late(self.patience))
            }
        }
    }

    /// Sends a `GET` and reads its answer as JSON.
    pub(super) async fn fetch(&self, call: &Call) -> Result<Value, Error> {
        let answer = self.send(call).await?;
        serde_json::from_slice(&answer.body).map_err(|error| call.subject.unreadable(error))
    }

    async fn attempt(&self, call: &Call) -> Outcome {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await.ok();
        let mut request = self.request(call);
        let connection = capture_connection(&mut request);
        // On the heap: every future around it would be larger by it.
        let exchange = Box::pin(self.exchange(request));
        let answer = tokio::time::timeout(self.patience, exchange).await;
        match answer.map(|answer| answer.map_err(|error| Broken::of(&error))) {
            Ok(Ok(response)) => {
                self.is_reached.store(true, Ordering::Relaxed);
                Outcome::Answered(response)
            }
            Ok(Err(broken @ Broken::Connecting(_))) if self.is_reached.load(Ordering::Relaxed) => {
                Outcome::Away(broken)
            }
            Ok(Err(broken)) => Outcome::Broken(broken),
            Err(_) => {
                leave(&connection);
                Outcome::TimedOut
            }
        }
    }

    fn request(&self, call: &Call) -> Request<Body> {
        let mut request = call.request.clone().map(Body::from);
        // Packing costs more time than it saves unless there is a network in between.
        if call.request.method() == Method::GET && !self.is_near() {
            let value = HeaderValue::from_static("gzip");
            request.headers_mut().insert(ACCEPT_ENCODING, value);
        }
        request
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<Bytes>, kube::Error> {
        let sent = self.clock.own();
        let (head, mut body) = self.client.send(request).await?.into_parts();
        self.clock.note(sent, &head.headers);
        // Into one buffer from the start: frames that are put together at the end are there twice.
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                bytes.extend_from_slice(&data);
            }
        }
        Ok(Response::from_parts(head, bytes.into()))
    }

    fn read(&self, call: &Call, outcome: Outcome) -> Result<Answer, Error> {
        let response = match outcome {
            Outcome::Answered(response) => response,
            Outcome::Away(broken) | Outcome::Broken(broken) => {
                return Err(self.unreachable(broken));
            }
            Outcome::TimedOut => return Err(call.subject.late(self.patience)),
        };
        let warnings = warnings(&response);
        let (head, body) = response.into_parts();
        let body = match head.headers.get(CONTENT_ENCODING) {
            Some(encoding) if encoding == "gzip" => unpack(&call.subject, &body)?,
            _ => body,
        };
        if head.status.is_success() {
            Ok(Answer { body, warnings })
        } else {
            Err(self.refusal(call, &head, &body))
        }
    }

    fn refusal(&self, call: &Call, head: &Parts, body: &Bytes) -> Error {
        let refusal = call.subject.refusal(&self.server, head.status, body);
        refusal.asking(pause::asked(&head.headers))
    }

    pub(super) fn unreachable(&self, broken: Broken) -> Error {
        let server = self.server.clone();
        match broken {
            Broken::Credentials(source) => Error::Credentials { server, source },
            Broken::Connecting(source) | Broken::Connected(source) => {
                Error::Unreachable { server, source }
            }
        }
    }
}

/// Sees to it that a connection on which no answer came in time is used for no other request: it may be dead,
/// and with HTTP/2 all requests would go on sharing it.
fn leave(connection: &CaptureConnection) {
    if let Some(connected) = &*connection.connection_metadata() {
        connected.poison();
    }
}

/// How long the API server asks to wait before the request is sent again, as the retry after this many; none
/// if that may do harm or is of no use.
fn asked(again: Again, outcome: &Outcome, retries: u32) -> Option<Duration> {
    let is_harmless = again != Again::IfTurnedAway;
    match outcome {
        Outcome::Answered(response) => {
            let may = match response.status() {
                StatusCode::TOO_MANY_REQUESTS => true,
                StatusCode::INTERNAL_SERVER_ERROR => again == Again::Always,
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT => is_harmless,
                _ => false,
            };
            may.then(|| pause::asked(response.headers()).unwrap_or_default())
        }
        Outcome::Away(_) => Some(Duration::ZERO),
        Outcome::Broken(Broken::Connected(_)) if is_harmless => Some(Duration::ZERO),
        Outcome::TimedOut if is_harmless && retries < RETRIES_IF_LATE => Some(Duration::ZERO),
        Outcome::Broken(_) | Outcome::TimedOut => None,
    }
}

/// The texts of `Warning: 299 - "text"` headers, which is the only form an API server sends.
fn warnings(response: &Response<Bytes>) -> Vec<String> {
    let texts = response.headers().get_all(WARNING).iter();
    texts
        .filter_map(|value| {
            let value = value.to_str().ok()?;
            let quoted = value.split_once('"')?.1.rsplit_once('"')?.0;
            Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\"))
        })
        .collect()
}

fn unpack(subject: &Subject, body: &[u8]) -> Result<Bytes, Error> {
    let mut unpacked = Vec::with_capacity(body.len() * 4);
    flate2::read::MultiGzDecoder::new(body)
        .take(LARGEST_BODY)
        .read_to_end(&mut unpacked)
        .map_err(|error| subject.unreadable(error))?;
    Ok(Bytes::from(unpacked))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use http::header::{DATE, RETRY_AFTER};
    use tokio::time::Instant;

    use super::super::refusal::Content;
    use super::super::tests::{answer, mock};
    use super::*;

    fn call(method: Method) -> Call {
        let subject = Subject {
            verb: "get",
            what: "things".to_owned(),
            content: Content::Open,
        };
        Call::new(subject, method, &Uri::new("/things".to_owned())).unwrap()
    }

    /// Sends a request to a server that gives these codes in turn, the last one for ever, and
    /// checks the outcome, how often it was asked, and the most milliseconds that may have passed, of
    /// which at least half did.
    async fn check(method: Method, codes: &'static [u16], want: (bool, usize, u128)) {
        sends(call(method), codes, want).await;
    }

    async fn sends(call: Call, codes: &'static [u16], (works, times, most): (bool, usize, u128)) {
        let (cluster, asked) = mock(move |_, number| async move {
            match codes[codes.len().min(number) - 1] {
                0 => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()),
                1 => Ok(busy("3")),
                2 => Ok(busy("121")),
                4 => Ok(busy("Sun, 06 Nov 1994 08:50:07 GMT")),
                3 => {
                    tokio::time::sleep(Duration::from_secs(31)).await;
                    Ok(answer(200, ""))
                }
                code => Ok(answer(code, "")),
            }
        });
        let start = Instant::now();
        let sent = cluster.send(&call).await;
        let asked = asked.lock().unwrap().len();
        assert_eq!((sent.is_ok(), asked), (works, times), "{codes:?}");
        let took = start.elapsed().as_millis();
        assert!((most / 2..=most).contains(&took), "{codes:?}: {took}");
    }

    /// The answer of a server that asks for a pause.
    fn busy(pause: &'static str) -> Response<Body> {
        let mut busy = answer(429, "");
        let headers = busy.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(pause));
        let date = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");
        headers.insert(DATE, date);
        busy
    }

    #[tokio::test(start_paused = true)]
    async fn reads_are_sent_again() {
        check(Method::GET, &[200], (true, 1, 0)).await;
        check(Method::GET, &[503, 200], (true, 2, 100)).await;
        check(Method::GET, &[500, 504, 200], (true, 3, 300)).await;
        check(Method::GET, &[0, 503, 429, 200], (true, 4, 700)).await;
        check(Method::GET, &[503], (false, 6, 3100)).await;
        check(Method::DELETE, &[0, 200], (true, 2, 100)).await;
        check(Method::GET, &[404], (false, 1, 0)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_may_ask_for_a_pause() {
        check(Method::GET, &[1, 200], (true, 2, 3100)).await;
        check(Method::GET, &[4, 200], (true, 2, 30_100)).await;
        check(Method::POST, &[4, 1, 200], (true, 3, 33_300)).await;
        check(Method::GET, &[4, 4, 4, 4, 4, 200], (false, 5, 121_500)).await;
        check(Method::GET, &[2, 200], (false, 1, 0)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_too_long_is_told() {
        let (cluster, _) = mock(|_, _| async { Ok(busy("900")) });
        let refused = cluster.send(&call(Method::GET)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "cannot get things: the API server answers 429, and asks to wait for 15m"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn watches_count_while_they_are_opened() {
        let (cluster, asked) = mock(|_, _| async { Ok(answer(200, "")) });
        let all = cluster.slots.acquire_many(16).await.unwrap();
        let call = call(Method::GET);
        let opening = cluster.open(&call);
        let late = tokio::time::timeout(Duration::from_mins(1), opening).await;
        assert!(late.is_err() && asked.lock().unwrap().is_empty());
        drop(all);
        let open = cluster.open(&call).await.unwrap();
        assert_eq!(cluster.slots.available_permits(), 16);
        drop(open);
    }

    #[tokio::test(start_paused = true)]
    async fn writes_are_sent_again_only_when_turned_away() {
        check(Method::POST, &[429, 200], (true, 2, 100)).await;
        check(Method::POST, &[503, 200], (false, 1, 0)).await;
        check(Method::POST, &[0, 200], (false, 1, 0)).await;
        check(Method::PATCH, &[0, 200], (false, 1, 0)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_dry_run_finds_not_to_work_is_believed() {
        let trial = || call(Method::PATCH).again(Again::Trial);
        sends(trial(), &[500, 200], (false, 1, 0)).await;
        sends(trial(), &[503, 200], (true, 2, 100)).await;
        sends(trial(), &[0, 200], (true, 2, 100)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_takes_half_a_minute_at_most_and_is_waited_for_twice() {
        check(Method::GET, &[3], (false, 2, 60_100)).await;
        check(Method::GET, &[3, 200], (true, 2, 30_100)).await;
        check(Method::POST, &[3], (false, 1, 30_000)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn sixteen_requests_are_under_way_at_once() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let highest = Arc::clone(&most);
        let (cluster, asked) = mock(move |_, _| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(answer(200, ""))
            }
        });
        let call = call(Method::GET);
        let sent = join_all((0..40).map(|_| cluster.send(&call))).await;
        assert!(sent.iter().all(Result::is_ok));
        assert_eq!(highest.load(Ordering::SeqCst), 16);
        assert_eq!(asked.lock().unwrap().len(), 40);
    }

    #[tokio::test]
    async fn packed_answers_and_warnings_are_read() {
        let (cluster, _) = mock(|_, _| async {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(b"{\"a\": 1}").unwrap();
            let warning = r#"299 - "a \"quoted\" word""#;
            let packed = Response::builder()
                .header(CONTENT_ENCODING, "gzip")
                .header(WARNING, warning)
                .header(WARNING, "nonsense")
                .body(Body::from(gzip.finish().unwrap()));
            Ok(packed.unwrap())
        });
        let answer = cluster.send(&call(Method::GET)).await.unwrap();
        assert_eq!(answer.body, "{\"a\": 1}");
        assert_eq!(answer.warnings, ["a \"quoted\" word"]);
    }
}
