//! `/-/…` paths that weir has no say in. Keys and attestations are kept, and stale when the upstream
//! fails; search is relayed to the default upstream as it is, with its own status.

use std::sync::Arc;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use weir_engine::EngineError;
use weir_engine::trust::Document;
use weir_npm::name::PackageName;

use crate::answer::{self, Answer};
use crate::server::State;

/// What may be read from the upstream with the gateway's own credentials: facts about packages,
/// nothing about the account behind them.
const READABLE: &[&str] = &["-/v1/search"];

/// What the registries sign with.
pub(crate) async fn keys(state: &Arc<State>) -> Answer {
    document(state.engine.trust().all_keys().await)
}

/// The attestations of a release, from its own registry.
pub(crate) async fn attestations(state: &Arc<State>, name: &PackageName, version: &str) -> Answer {
    let trust = state.engine.trust();
    document(trust.attestations_document(name, version).await)
}

fn document(found: Result<Option<Arc<Document>>, EngineError>) -> Answer {
    let document = match found {
        Ok(Some(document)) => document,
        Ok(None) => return answer::error(StatusCode::NOT_FOUND, "the registry has none"),
        Err(error) => return answer::error(StatusCode::BAD_GATEWAY, &format!("weir: {error}")),
    };
    let mut out = Response::new(Body::from(document.body.clone()));
    let headers = out.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(why) = &document.stale {
        answer::mark_stale(headers, why);
    }
    out
}

/// Relays a read.
pub(crate) async fn get(state: &Arc<State>, path: &str) -> Answer {
    if !is_readable(path) {
        return answer::error(
            StatusCode::NOT_FOUND,
            "weir does not pass this on: it would act with the gateway's own account. Ask the \
             upstream itself",
        );
    }
    relay(state.engine.relay(path).await)
}

/// Whether a path, with its query, is one of those exactly: what begins like one may be anything.
fn is_readable(path: &str) -> bool {
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    READABLE.contains(&path)
}

fn relay(result: Result<weir_upstream::Document, weir_engine::EngineError>) -> Answer {
    match result {
        Ok(document) => {
            let mut answer = Response::new(Body::from(document.body));
            *answer.status_mut() = document.status;
            *answer.headers_mut() = document.headers;
            answer
        }
        Err(error) => answer::error(StatusCode::BAD_GATEWAY, &format!("weir: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_passed_on() {
        for (path, readable) in [
            ("-/v1/search", true),
            ("-/v1/search?text=a&from=../x", true),
            ("-/v1/searchanything", false),
            ("-/v1/search/x", false),
            ("-/v1/search/..?text=a", false),
            ("-/v1/search%2f..", false),
            ("-/v1/search;/..;", false),
            ("-/v1/searc?h", false),
            ("-/whoami?-/v1/search", false),
        ] {
            assert_eq!(is_readable(path), readable, "{path}");
        }
    }
}
