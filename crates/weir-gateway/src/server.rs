//! The listening service: state, routes, start and graceful end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use moka::sync::Cache;
use tokio::net::TcpListener;
use tokio::sync::watch;
use weir_engine::{Engine, EngineError, Verdict};
use weir_model::LedgerEntry;
use weir_model::ledger::LedgerEvent;

use crate::answer::{self, Answer};
use crate::connections::{self, Patience};
use crate::host::{self, Names, Refused};
use crate::refusal::Explained;
use crate::rendered::Answers;
use crate::route::Route;
use crate::session::Session;
use crate::{audit, client, packument, passthrough, tarball, why};

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// The address clients reach it under, with a final slash, where that is not what they put in
    /// their `Host` header (behind a proxy that rewrites it).
    pub public_url: Option<String>,
    /// The names of this machine. On loopback without a public address, requests are answered that come by one of them,
    /// by an address or as `localhost`, and no others.
    pub own_names: Vec<String>,
    /// Whether packuments are compressed for clients that accept it. On loopback it only costs.
    pub compress: bool,
    /// Bytes of memory for ready-made packuments.
    pub cache_bytes: u64,
    /// The command that explains a refusal, but for its id, for a gateway that ends with the client. Without one,
    /// refusals point to this gateway's own page.
    pub explain_by_command: Option<String>,
}

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) engine: Arc<Engine>,
    pub(crate) answers: Answers,
    pub(crate) session: Option<Arc<Session>>,
    pub(crate) compress: bool,
    /// Refusals that packuments tell of and that are written down already, by event and id.
    mentioned: Cache<String, ()>,
    public_url: Option<Arc<str>>,
    explain_by_command: Option<Arc<str>>,
}

/// How many mentioned refusals are remembered as written down. One forgotten is written again.
const MENTIONED: u64 = 50_000;

/// A gateway that is ready to listen.
#[derive(Debug)]
pub struct Gateway {
    state: Arc<State>,
    own_names: Vec<String>,
}

/// A gateway that listens.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    engine: Arc<Engine>,
}

impl Gateway {
    /// A gateway over an engine. `session` collects what happens, for a summary.
    #[must_use]
    pub fn new(engine: Arc<Engine>, config: GatewayConfig, session: Option<Arc<Session>>) -> Self {
        let public_url = config.public_url.map(|mut url| {
            if !url.ends_with('/') {
                url.push('/');
            }
            Arc::from(url)
        });
        let state = State {
            engine,
            answers: Answers::new(config.cache_bytes),
            session,
            compress: config.compress,
            mentioned: Cache::new(MENTIONED),
            public_url,
            explain_by_command: config.explain_by_command.map(Arc::from),
        };
        Self {
            state: Arc::new(state),
            own_names: config.own_names,
        }
    }

    /// Starts to listen at the first of these addresses that is free.
    ///
    /// # Errors
    /// When none of them can be bound.
    pub async fn listen(self, addresses: &[SocketAddr]) -> std::io::Result<Running> {
        let listener = TcpListener::bind(addresses).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let engine = Arc::clone(&self.state.engine);
        let state = self.state;
        let names = Names::of(address, state.public_url.is_some(), &self.own_names);
        let door = Arc::new(Door { names, address });
        tokio::spawn(keep_house(Arc::downgrade(&state)));
        let handle = move |peer, request| {
            let (state, door) = (Arc::clone(&state), Arc::clone(&door));
            async move { handle(&state, &door, peer, request).await }
        };
        let task = tokio::spawn(async move {
            let mut stopped = stopped;
            let wait = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            connections::serve(listener, Patience::default(), wait, handle).await;
        });
        Ok(Running {
            address,
            stop,
            task,
            engine,
        })
    }
}

impl Running {
    /// The address clients are pointed at, with a final slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Stops listening, lets requests under way finish for at most `grace`, and writes everything
    /// down.
    pub async fn stop(self, grace: Duration) {
        self.stop.send_replace(true);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(grace, self.task).await.is_err() {
            abort.abort();
        }
        self.engine.close().await;
    }
}

/// How often a running gateway tidies up.
const HOUSEKEEPING: Duration = Duration::from_secs(20);

async fn keep_house(state: std::sync::Weak<State>) {
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        let Some(state) = state.upgrade() else { return };
        state.answers.tidy();
    }
}

/// Where clients come in.
#[derive(Debug)]
struct Door {
    names: Names,
    address: SocketAddr,
}

impl Door {
    /// Leaves the name that a request came by as its only `Host`, or says why it is not answered.
    fn admit(&self, request: &mut Parts) -> Result<(), Refused> {
        let host = self.names.read(request)?.map(str::to_owned);
        let host = host.unwrap_or_else(|| host::authority_of(self.address));
        if let Ok(host) = HeaderValue::from_str(&host) {
            request.headers.insert(HOST, host);
        }
        Ok(())
    }
}

async fn handle(
    state: &Arc<State>,
    door: &Door,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Answer {
    let (mut parts, body) = request.into_parts();
    if let Err(refused) = door.admit(&mut parts) {
        tracing::debug!(peer = %peer, ?refused, "a request is not answered for the name that it came by");
        return refused.answer();
    }
    let peer = HeaderValue::from_str(&peer.ip().to_string());
    // Only ever set here: what a client claims to be its peer address is overwritten.
    parts
        .headers
        .insert(PEER, peer.unwrap_or(HeaderValue::from_static("-")));
    let route = Route::read(parts.uri.path());
    let headers = &parts.headers;
    let head = parts.method == Method::HEAD;
    if head || parts.method == Method::GET {
        return match route {
            Route::Packument(name) => packument::get(state, name, headers).await,
            Route::Tarball(name, file) => tarball::get(state, name, &file, headers, head).await,
            Route::Version(name, version) => {
                packument::version(state, name, &version, headers).await
            }
            Route::DistTags(name) => packument::tags(state, name).await,
            Route::Keys => passthrough::keys(state).await,
            Route::Attestations(name, version) => {
                passthrough::attestations(state, &name, &version).await
            }
            Route::Ping => answer::json(StatusCode::OK, &serde_json::json!({})),
            Route::Health => {
                answer::json(StatusCode::OK, &serde_json::json!({ "status": "alive" }))
            }
            Route::Ready => why::ready(state).await,
            Route::Root => why::root(),
            Route::Why(id) => why::page(state, &id, headers).await,
            Route::Other(path) => {
                let query = parts
                    .uri
                    .query()
                    .map_or(String::new(), |query| format!("?{query}"));
                passthrough::get(state, &format!("{path}{query}")).await
            }
            Route::Unknown(why) => answer::error(StatusCode::NOT_FOUND, &why),
        };
    }
    match route {
        Route::Other(path) if parts.method == Method::POST && audit::is_audit(&path) => {
            audit::post(state, &path, headers, Body::new(body)).await
        }
        _ => answer::error(
            StatusCode::METHOD_NOT_ALLOWED,
            "weir does not write to registries: run this command against the upstream itself \
             (for npm: --registry=<its address>)",
        ),
    }
}

/// The peer's address, put there by [`handle`].
const PEER: http::HeaderName = http::HeaderName::from_static("x-weir-peer");

impl State {
    /// The address that tarball URLs carry for this client, with a final slash. Its `Host` is a name that was let in,
    /// see [`Door::admit`].
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Arc<str> {
        if let Some(url) = &self.public_url {
            return Arc::clone(url);
        }
        let host = headers
            .get(HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("localhost");
        Arc::from(format!("http://{host}/"))
    }

    pub(crate) fn explained(&self, headers: &HeaderMap) -> Explained {
        self.explained_at(&self.origin(headers))
    }

    pub(crate) fn explained_at(&self, origin: &str) -> Explained {
        match &self.explain_by_command {
            Some(command) => Explained::Command(Arc::clone(command)),
            None => Explained::Page(origin.to_owned()),
        }
    }

    /// Writes down what happened to a release, and who asked.
    pub(crate) async fn record(
        &self,
        event: LedgerEvent,
        verdict: &Verdict,
        headers: &HeaderMap,
        note: Option<&str>,
    ) -> Result<(), EngineError> {
        let release = &verdict.assessment.release;
        let peer = headers
            .get(PEER)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("-");
        self.engine
            .append(LedgerEntry {
                time: self.engine.now(),
                event,
                name: release.name.clone(),
                version: release.version.clone(),
                integrity: release.integrity.clone(),
                client: format!("{peer} {}", client::agent(headers)),
                action: verdict.decision.action,
                block_id: (!verdict.decision.action.serves()).then(|| verdict.block_id().0),
                note: note.map(str::to_owned),
            })
            .await
    }

    /// Writes down a refusal. The refusal is given whether or not it could be written down.
    pub(crate) async fn record_refusal(&self, verdict: &Verdict, headers: &HeaderMap) {
        let release = &verdict.assessment.release;
        // Of one run of a client, the summary tells it, and no line in the middle of what the client says.
        if self.session.is_none() {
            tracing::warn!(package.name = release.name, package.version = release.version,
                block.id = %verdict.block_id(), action = %verdict.decision.action, "refused");
        }
        if let Err(error) = self
            .record(LedgerEvent::Refused, verdict, headers, None)
            .await
        {
            tracing::error!(%error, "a refusal could not be written to the ledger");
        }
        self.keep_explanation(verdict).await;
    }

    /// Keeps what leads from a refusal's id to its explanation.
    pub(crate) async fn keep_explanation(&self, verdict: &Verdict) {
        if let Err(error) = self.engine.keep_refusal(verdict).await {
            tracing::error!(%error, "the explanation of a refusal could not be kept");
        }
    }

    /// Writes down a refusal that a packument tells of, once: its id is on somebody's screen, also
    /// where the tarball is never asked for. `about` says which tags led there: the packument answers a
    /// request for them, so that is a refusal. Else the release is only mentioned, and nobody may have
    /// wanted it.
    pub(crate) async fn record_mention(
        &self,
        verdict: &Verdict,
        about: Option<&str>,
        headers: &HeaderMap,
    ) {
        let event = match about {
            Some(_) => LedgerEvent::Refused,
            None => LedgerEvent::Decided,
        };
        let key = format!("{} {}", event.as_str(), verdict.block_id().as_str());
        if self.mentioned.contains_key(&key) {
            return;
        }
        self.mentioned.insert(key, ());
        if let Err(error) = self.record(event, verdict, headers, about).await {
            tracing::error!(%error, "a decision could not be written to the ledger");
        }
        self.keep_explanation(verdict).await;
    }

    /// The answer to a request that could not be fulfilled. Logged once, here.
    pub(crate) fn failure(&self, error: &EngineError, what: &str) -> Answer {
        let status = match error {
            EngineError::NoSuchPackage { .. } | EngineError::NoSuchVersion { .. } => {
                StatusCode::NOT_FOUND
            }
            EngineError::Denied { .. } => StatusCode::UNAUTHORIZED,
            // 403 is for refusals of weir's own.
            EngineError::Declined { status, .. } => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY)
            }
            EngineError::BadPackument { .. } => StatusCode::FAILED_DEPENDENCY,
            EngineError::Upstream { .. } => StatusCode::BAD_GATEWAY,
            EngineError::Store(_)
            | EngineError::Rules(_)
            | EngineError::Trust(_)
            | EngineError::Audit(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let is_not_there = matches!(
            error,
            EngineError::NoSuchPackage { .. } | EngineError::NoSuchVersion { .. }
        );
        if !is_not_there {
            tracing::warn!(request = what, %error, "could not answer");
            if let Some(session) = &self.session {
                session.failure(error.to_string());
            }
        }
        // Internals stay in the log (STYLE 8); everything else names the package and the upstream.
        let text = if status == StatusCode::INTERNAL_SERVER_ERROR {
            format!("weir could not answer for {what}: its own data folder fails, see its log")
        } else {
            format!("weir: {error}")
        };
        answer::failure(status, &text)
    }
}
