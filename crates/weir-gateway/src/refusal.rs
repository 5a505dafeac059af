//! How a refusal reaches the person: 403, a reason phrase, a JSON `error`, an `npm-notice` line
//! (PROTOCOL 3.4: each client shows another one of these, and only 403 is never retried).

use std::sync::Arc;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::ext::ReasonPhrase;
use weir_engine::Verdict;

use crate::answer::{self, Answer};

/// Where a person finds the explanation of a refusal.
#[derive(Debug, Clone)]
pub(crate) enum Explained {
    /// A page of this gateway, under this origin (`http://host:port/`).
    Page(String),
    /// The command, as `weir explain`, for a gateway that ends with the client.
    Command(Arc<str>),
}

impl Explained {
    /// What to look at for the refusal with this id.
    #[must_use]
    pub(crate) fn pointer(&self, block_id: &str) -> String {
        match self {
            Self::Page(origin) => format!("{origin}-/weir/why/{block_id}"),
            Self::Command(command) => format!("{command} {block_id}"),
        }
    }
}

/// The answer that refuses a release.
pub(crate) fn refuse(verdict: &Verdict, explained: &Explained) -> Answer {
    let release = &verdict.assessment.release;
    let block_id = verdict.block_id();
    let pointer = explained.pointer(block_id.as_str());
    let line = weir_policy::refusal_line(
        &verdict.decision,
        &release.name,
        &release.version,
        &block_id,
        &pointer,
    );
    let body = serde_json::json!({
        "error": line,
        "weir": {
            "block": block_id.as_str(),
            "name": release.name,
            "version": release.version,
            "action": verdict.decision.action,
            "reasons": verdict.decision.reasons,
            "until": verdict.decision.until,
            "instead": verdict.decision.instead,
        },
    });
    let mut refusal = Response::new(Body::from(body.to_string()));
    *refusal.status_mut() = StatusCode::FORBIDDEN;
    let headers = refusal.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(answer::NPM_NOTICE, answer::header_text(&line));
    headers.insert(answer::BLOCK, answer::header_text(block_id.as_str()));
    headers.insert(
        answer::DECISION,
        HeaderValue::from_static(verdict.decision.action.as_str()),
    );
    if let Ok(phrase) = ReasonPhrase::try_from(line.into_bytes()) {
        refusal.extensions_mut().insert(phrase);
    }
    refusal
}
