//! `GET /<name>/-/<file>.tgz`: the gate. Frozen installs never ask for metadata, so what may not
//! pass is stopped here, whatever the packument said (PROTOCOL 3.6).

use std::sync::Arc;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use weir_engine::{Bringing, Tarball, TarballStream};
use weir_model::ledger::LedgerEvent;
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
        Ok(Bringing::Serve(tarball)) if head => serve(tarball),
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
                Ok(()) => serve(tarball),
                Err(error) => state.failure(&error, name.as_str()),
            }
        }
        Err(error) => {
            let mut answer = state.failure(&error, &format!("{name} {file}"));
            // Of a tarball, pnpm asks again over every status but 401, 403 and 404. There is none that can be used.
            if answer.status() == StatusCode::FAILED_DEPENDENCY {
                *answer.status_mut() = StatusCode::NOT_FOUND;
            }
            answer
        }
    }
}

fn serve(tarball: Tarball) -> Answer {
    let (length, body) = match tarball.stream {
        TarballStream::Whole(bytes) => (Some(bytes.len() as u64), Body::from(bytes)),
        TarballStream::File { file, length } => {
            // Large enough to keep system calls rare, small enough for many at a time.
            let stream = tokio_util::io::ReaderStream::with_capacity(file, 128 << 10);
            (Some(length), Body::from_stream(stream))
        }
        TarballStream::Flight { flight, expected } => {
            let length = flight.length();
            (length, Body::from_stream(flight.follow(expected)))
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
