//! The audit endpoints: what npm, pnpm, yarn and bun ask with `audit`, and npm after every install.
//!
//! Answered from the advisories here and from the registries behind, together. An answer of no findings is
//! only given where somebody was heard who could know.

mod numbers;
mod render;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Body};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_ENCODING, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use weir_engine::audit::{AuditAnswer, UpstreamSaid};

use crate::answer::{self, Answer};
use crate::connections::START_OF_REQUEST;
use crate::server::State;
use request::{Form, Request};

/// Who an audit's answer comes from.
const SOURCES: HeaderName = HeaderName::from_static("x-weir-audit");

/// Longest request body as it is sent, in bytes: an audit of a very large tree is a few megabytes.
const BODY_LIMIT: usize = 16 << 20;

/// Whether a path is one of the audit endpoints.
pub(crate) fn is_audit(path: &str) -> bool {
    form(path).is_some()
}

fn form(path: &str) -> Option<Form> {
    match path.trim_matches('/') {
        "-/npm/v1/security/advisories/bulk" => Some(Form::Bulk),
        "-/npm/v1/security/audits/quick" | "-/npm/v1/security/audits" => Some(Form::Tree),
        _ => None,
    }
}

/// Answers an audit.
pub(crate) async fn post(
    state: &Arc<State>,
    path: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let Some(form) = form(path) else {
        return answer::error(StatusCode::NOT_FOUND, "there is no such audit endpoint");
    };
    let body = match whole(body, START_OF_REQUEST).await {
        Ok(body) => body,
        Err((status, why)) => {
            let mut refused = answer::error(status, &why);
            // What is left of the body would be read as the next request.
            let close = HeaderValue::from_static("close");
            refused.headers_mut().insert(CONNECTION, close);
            return refused;
        }
    };
    let encoding = headers.get(CONTENT_ENCODING);
    let encoding = encoding.map(|value| value.as_bytes().to_vec());
    let Some(asked) = aside(move || request::read(form, encoding.as_deref(), &body)).await else {
        return broken_off();
    };
    let Request { releases, places } = match asked {
        Ok(asked) => asked,
        Err(refused) => return answer::error(refused.status, &refused.why),
    };
    let found = match state.engine.audit(Arc::new(releases)).await {
        Ok(found) => found,
        Err(error) => return state.failure(&error, "an audit"),
    };
    if !found.is_grounded() {
        return ungrounded(&found);
    }
    let answered = aside(move || {
        let document = match form {
            Form::Bulk => render::bulk(&found),
            Form::Tree => render::tree(&found, &places),
        };
        let mut answer = answer::json(StatusCode::OK, &document);
        let sources = answer::header_text(&sources(&found));
        answer.headers_mut().insert(SOURCES, sources);
        answer
    });
    answered.await.unwrap_or_else(broken_off)
}

/// The body of a request, or what is wrong with it. It has as long as the start of one: who sends a byte of it an hour
/// holds no place.
async fn whole(body: Body, longest: Duration) -> Result<Bytes, (StatusCode, String)> {
    match tokio::time::timeout(longest, body::to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the request body is cut short, or has more than {BODY_LIMIT} bytes"),
        )),
        Err(_) => Err((
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the request body did not come within {} s",
                longest.as_secs()
            ),
        )),
    }
}

/// Reads and writes what may be large where no other request waits for it. Nothing if that broke off.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn broken_off() -> Answer {
    let text = "the audit broke off: nothing is known of what was asked about";
    answer::error(StatusCode::INTERNAL_SERVER_ERROR, text)
}

/// Nobody who could know was heard: that is not the same as nothing to tell.
fn ungrounded(found: &AuditAnswer) -> Answer {
    let failed = found.upstreams.iter().find_map(|(id, said)| match said {
        UpstreamSaid::Failed(why) => Some(format!("{id} failed: {why}")),
        UpstreamSaid::Answered | UpstreamSaid::Missing => None,
    });
    // 404 is what clients take as "this registry has no audit", and none of them asks again.
    let (status, why) = match failed {
        Some(why) => (StatusCode::BAD_GATEWAY, why),
        None => (
            StatusCode::NOT_FOUND,
            "the registry behind has no audit".to_owned(),
        ),
    };
    let text = format!(
        "weir cannot audit: {why}, and no advisories are imported (`weir advisories import` does that)"
    );
    let mut answer = answer::error(status, &text);
    let sources = answer::header_text(&sources(found));
    answer.headers_mut().insert(SOURCES, sources);
    answer
}

/// `advisories=yes; https://registry/=answered; withheld=2`.
fn sources(found: &AuditAnswer) -> String {
    let here = if found.has_advisories { "yes" } else { "none" };
    let mut parts = vec![format!("advisories={here}")];
    for (id, said) in &found.upstreams {
        parts.push(match said {
            UpstreamSaid::Answered => format!("{id}=answered"),
            UpstreamSaid::Missing => format!("{id}=has no audit"),
            UpstreamSaid::Failed(why) => format!("{id}=failed ({why})"),
        });
    }
    if found.withheld > 0 {
        parts.push(format!("withheld={}", found.withheld));
    }
    parts.join("; ")
}
