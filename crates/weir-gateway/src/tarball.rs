//! `GET /<name>/-/<file>.tgz`: the gate. Frozen installs never ask for metadata, so what may not
//! pass is stopped here, whatever the packument said (PROTOCOL 3.6).

use std::sync::Arc;

use axum::body::Body;
use futures_util::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use weir_engine::flight::Flight;
use weir_engine::{Bringing, Tarball, TarballStream, Verdict};
use weir_model::finding::printable;
use weir_model::ledger::LedgerEvent;
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;

use crate::answer::{self, Answer};
use crate::refusal;
use crate::server::State;

/// Answers a tarball request.
pub(crate) async fn get(
    state: &Arc<State>,
    name: PackageName,
    file: &str,
    headers: &HeaderMap,
    head: bool,
) -> Answer {
    match state.engine.bring(&name, file).await {
        Ok(Bringing::Refuse(verdict, waited)) => {
            if let Some(session) = &state.session {
                session.tarball(&verdict, false, false, waited);
            }
            state.record_refusal(&verdict, headers).await;
            refusal::refuse(&verdict, &state.explained(headers))
        }
        // A question about a tarball hands out nothing, so there is nothing to write down.
        Ok(Bringing::Serve(tarball)) if head => serve(state, tarball, headers),
        Ok(Bringing::Serve(tarball)) => {
            if let Some(session) = &state.session {
                session.tarball(&tarball.verdict, true, tarball.cached, tarball.waited);
            }
            let note = if tarball.cached { "cache" } else { "upstream" };
            if !tarball.verdict.decision.action.serves() {
                // Only observed: the ledger names a refusal, so there is something to read about it.
                state.keep_explanation(&tarball.verdict).await;
            }
            // Nothing leaves before it is written down.
            match state
                .record(LedgerEvent::Served, &tarball.verdict, headers, Some(note))
                .await
            {
                Ok(()) => serve(state, tarball, headers),
                Err(error) => state.failure(&error, name.as_str()),
            }
        }
        Err(error) => {
            let mut answer = state.failure(&error, &format!("{name} {file}"));
            // Of a tarball, pnpm asks again over every status but 401, 403 and 404, for more than a minute. There is
            // none that can be used, and the words say why.
            let status = answer.status();
            if status.is_client_error() && status != StatusCode::UNAUTHORIZED {
                *answer.status_mut() = StatusCode::NOT_FOUND;
            }
            answer
        }
    }
}

/// A download that a client follows.
struct Followed {
    state: Arc<State>,
    flight: Arc<Flight>,
    verdict: Arc<Verdict>,
    headers: HeaderMap,
}

impl Followed {
    /// Its bytes. Where they end too early, that is written down: the client has only an answer that breaks off.
    fn body(self, expected: Integrity) -> Body {
        let followed = Arc::new(self);
        let stream = Arc::clone(&followed.flight).follow(expected);
        let told = stream.then(move |piece| {
            let followed = Arc::clone(&followed);
            async move {
                if let Err(error) = &piece {
                    followed.broke_off(error).await;
                }
                piece
            }
        });
        Body::from_stream(told)
    }

    async fn broke_off(&self, error: &std::io::Error) {
        let release = &self.verdict.assessment.release;
        let (name, version) = (&release.name, &release.version);
        let bytes = match (self.flight.broken_off(), self.flight.length()) {
            (Some(broken), Some(length)) => format!(" after {} of {length} bytes", broken.after),
            (Some(broken), None) => format!(" after {} bytes", broken.after),
            (None, _) => String::new(),
        };
        tracing::warn!(package.name = name, package.version = version, %error,
            "a tarball that a client followed broke off{bytes}");
        let note = format!("broke off{bytes}: {error}");
        if let Some(session) = &self.state.session {
            session.failure(format!("the tarball of {name}@{version} {note}"));
        }
        let note = printable(&note, 300);
        let event = LedgerEvent::Served;
        let written = self
            .state
            .record(event, &self.verdict, &self.headers, Some(&note))
            .await;
        if let Err(error) = written {
            tracing::error!(%error, "a broken download could not be written to the ledger");
        }
    }
}

fn serve(state: &Arc<State>, tarball: Tarball, headers: &HeaderMap) -> Answer {
    let (length, body) = match tarball.stream {
        TarballStream::Whole(bytes) => (Some(bytes.len() as u64), Body::from(bytes)),
        TarballStream::File { file, length } => {
            // Large enough to keep system calls rare, small enough for many at a time.
            let stream = tokio_util::io::ReaderStream::with_capacity(file, 128 << 10);
            (Some(length), Body::from_stream(stream))
        }
        TarballStream::Flight { flight, expected } => {
            let length = flight.length();
            let followed = Followed {
                state: Arc::clone(state),
                flight,
                verdict: Arc::clone(&tarball.verdict),
                headers: headers.clone(),
            };
            (length, followed.body(expected))
        }
    };
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    headers.insert(
        answer::DECISION,
        HeaderValue::from_static(tarball.verdict.decision.action.as_str()),
    );
    let cache = if tarball.cached { "hit" } else { "miss" };
    headers.insert(answer::CACHE, HeaderValue::from_static(cache));
    if let Some(why) = &tarball.stale {
        answer::mark_stale(headers, why);
    }
    answer
}
