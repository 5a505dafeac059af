//! A loopback HTTP/1.1 server on its own thread: answers are values, misbehaviour included, and
//! every request is kept. Both the fake registry and the sink are made of it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

/// One request as it arrived, for assertions about what was asked, how often, and with which
/// headers.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, `GET` and so on.
    pub method: Method,
    /// The path and query as sent, percent-encoding untouched (`/@s%2fn?write=true`).
    pub target: String,
    /// The path without its query, percent-decoded (`/@s/n`).
    pub path: String,
    /// Every header.
    pub headers: HeaderMap,
    /// The body as sent (audit requests of npm arrive compressed).
    pub body: Bytes,
    /// The status answered; `None` while pending and for connections dropped without an answer.
    pub status: Option<StatusCode>,
}

impl Request {
    /// A header's value as text, or `None` when absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The value of a query parameter, as sent.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// What the server does after the handler chose the words of an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conduct {
    /// Wait this long before the status line.
    pub(crate) delay: Duration,
    /// Never answer; the connection stays open.
    pub(crate) hang: bool,
    /// Close the connection without any answer.
    pub(crate) refuse: bool,
    /// Send the body in chunks of this many bytes with a pause before each.
    pub(crate) drip: Option<(usize, Duration)>,
    /// Close the connection after this many body bytes.
    pub(crate) cut_after: Option<usize>,
    /// Fall silent after this many body bytes, the connection staying open.
    pub(crate) stall_after: Option<usize>,
    /// Send no `content-length` (chunked transfer).
    pub(crate) without_length: bool,
}

/// An answer as a value.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) reason: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) conduct: Conduct,
}

impl Answer {
    pub(crate) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        );
        Answer {
            status,
            reason: None,
            headers,
            body: body.into(),
            conduct: Conduct::default(),
        }
    }

    pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
        Answer::new(status, "application/json", value.to_string())
    }

    /// Adds a header.
    ///
    /// # Panics
    /// On a name or value that HTTP does not allow: a mistake in a test.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Answer {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.insert(name, value);
        self
    }
}

/// Decides the answer to a request. Runs on the server's thread; must not block.
pub(crate) type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

#[derive(Default)]
struct Log {
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running server. Dropping it closes every connection and joins the thread.
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Binds a free port of 127.0.0.1 and serves it until dropped.
    ///
    /// # Panics
    /// When loopback cannot be bound or a thread cannot be started.
    pub(crate) fn bind() -> (SocketAddr, TcpListener) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port");
        let address = listener.local_addr().expect("the bound address");
        (address, listener)
    }

    /// Serves a bound listener.
    ///
    /// # Panics
    /// When the runtime or its thread cannot be started.
    pub(crate) fn serve(listener: TcpListener, handler: Arc<Handler>) -> Server {
        let address = listener.local_addr().expect("the bound address");
        let log = Arc::new(Log::default());
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for the fake server");
        let thread = std::thread::Builder::new()
            .name("weir-testing".into())
            .spawn({
                let log = log.clone();
                move || {
                    runtime.block_on(async {
                        tokio::select! {
                            () = accept(listener, handler, log) => {}
                            _ = stopped => {}
                        }
                    });
                    runtime.shutdown_background();
                }
            })
            .expect("a thread for the fake server");
        Server {
            address,
            log,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.log.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.log.lock().clear();
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, handler: Arc<Handler>, log: Arc<Log>) {
    listener
        .set_nonblocking(true)
        .expect("a non-blocking listener");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener in the runtime");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        log.connections.fetch_add(1, Ordering::SeqCst);
        let _ = stream.set_nodelay(true);
        let handler = handler.clone();
        let log = log.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, handler.clone(), log.clone()));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: http::Request<Incoming>,
    handler: Arc<Handler>,
    log: Arc<Log>,
) -> Result<Response<BoxBody<Bytes, io::Error>>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let target = parts
        .uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), |target| target.as_str().to_owned());
    let request = Request {
        method: parts.method,
        path: percent_decode(parts.uri.path()),
        target,
        headers: parts.headers,
        body,
        status: None,
    };
    let index = {
        let mut requests = log.lock();
        requests.push(request.clone());
        requests.len() - 1
    };
    let answer = handler(&request);
    if answer.conduct.hang {
        pending::<()>().await;
    }
    if !answer.conduct.delay.is_zero() {
        tokio::time::sleep(answer.conduct.delay).await;
    }
    if answer.conduct.refuse {
        return Err(io::Error::other("connection dropped on purpose"));
    }
    // The log may have been cleared while this request waited.
    if let Some(entry) = log.lock().get_mut(index)
        && entry.target == request.target
    {
        entry.status = Some(answer.status);
    }
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<BoxBody<Bytes, io::Error>> {
    let mut response = Response::new(());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if let Some(reason) = answer.reason {
        let reason = ReasonPhrase::try_from(reason.into_bytes()).expect("a reason phrase");
        response.extensions_mut().insert(reason);
    }
    let bodiless = answer.status == StatusCode::NOT_MODIFIED;
    if !answer.conduct.without_length && !bodiless {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    }
    let body = if bodiless {
        whole(Bytes::new())
    } else {
        body(answer.body, &answer.conduct)
    };
    response.map(|()| body)
}

fn whole(body: Bytes) -> BoxBody<Bytes, io::Error> {
    Full::new(body)
        .map_err(|never: Infallible| match never {})
        .boxed()
}

enum Step {
    Wait(Duration),
    Send(Bytes),
    Fail,
    Stall,
}

fn body(body: Bytes, conduct: &Conduct) -> BoxBody<Bytes, io::Error> {
    let untouched = conduct.drip.is_none()
        && conduct.cut_after.is_none()
        && conduct.stall_after.is_none()
        && !conduct.without_length;
    if untouched {
        return whole(body);
    }
    let kept = conduct
        .cut_after
        .or(conduct.stall_after)
        .map_or(body.len(), |limit| limit.min(body.len()));
    let (size, pause) = conduct.drip.unwrap_or((16 * 1024, Duration::ZERO));
    let mut steps = VecDeque::new();
    for chunk in body.slice(..kept).chunks(size.max(1)) {
        if !pause.is_zero() {
            steps.push_back(Step::Wait(pause));
        }
        steps.push_back(Step::Send(Bytes::copy_from_slice(chunk)));
    }
    if conduct.cut_after.is_some() {
        // The pause lets the connection flush what was sent before it is torn down.
        steps.push_back(Step::Wait(Duration::from_millis(20)));
        steps.push_back(Step::Fail);
    } else if conduct.stall_after.is_some() {
        steps.push_back(Step::Stall);
    }
    let stream = stream::unfold(steps, |mut steps| async move {
        loop {
            match steps.pop_front()? {
                Step::Wait(pause) => tokio::time::sleep(pause).await,
                Step::Send(chunk) => return Some((Ok(Frame::data(chunk)), steps)),
                Step::Fail => {
                    return Some((Err(io::Error::other("cut on purpose")), VecDeque::new()));
                }
                Step::Stall => pending::<()>().await,
            }
        }
    });
    StreamBody::new(stream).boxed()
}

/// Percent-decodes a path; sequences that are not two hexadecimal digits stay as they are.
pub(crate) fn percent_decode(path: &str) -> String {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = (first == b'%').then(|| tail.get(..2)).flatten();
        match escape.and_then(|pair| hex::decode(pair).ok()) {
            Some(byte) => {
                decoded.extend(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
