//! Pages for people and for whoever watches the service.

use std::sync::Arc;

use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::answer::{self, Answer};
use crate::server::State;

/// `/`: what this is.
pub(crate) fn root() -> Answer {
    answer::json(
        StatusCode::OK,
        &serde_json::json!({
            "name": "weir",
            "version": env!("CARGO_PKG_VERSION"),
            "what": "an npm registry gateway; point your client's registry setting here",
        }),
    )
}

/// `/-/weir/ready`: whether the data folder and the workers can be used.
pub(crate) async fn ready(state: &Arc<State>) -> Answer {
    match state.engine.readiness().await {
        Ok(()) => answer::json(StatusCode::OK, &serde_json::json!({ "status": "ready" })),
        Err(why) => answer::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &serde_json::json!({ "status": "not ready", "why": why }),
        ),
    }
}

/// The explanation as lines of text. What comes from packages is made printable.
fn text(
    id: &str,
    stored: &weir_store::StoredRefusal,
    policy: &weir_policy::Policy,
    observed: bool,
) -> String {
    let became = weir_policy::became(observed);
    let mut lines = vec![
        format!("{id}: {} {became}", stored.assessment.release),
        format!("first {}, last {}", stored.first_at, stored.last_at),
    ];
    lines.extend(weir_policy::explain(
        &stored.decision,
        &stored.assessment,
        policy,
    ));
    for finding in &stored.assessment.findings {
        lines.push(format!(
            "{} [{}, {}] {}",
            finding.signal, finding.group, finding.severity, finding.message
        ));
        for evidence in &finding.evidence {
            lines.push(format!("    {}", evidence));
        }
    }
    for gap in &stored.assessment.incomplete {
        lines.push(format!("not checked: {} ({})", gap.what, gap.why));
    }
    lines.extend(weir_policy::structure_of(
        &stored.decision,
        &stored.assessment,
        policy,
    ));
    let mut text = String::new();
    for line in lines {
        text.push_str(&weir_model::finding::printable(&line, 2000));
        text.push('\n');
    }
    text
}

/// `/-/weir/why/<id>`: the explanation of a refusal, as text for people or as JSON.
pub(crate) async fn page(state: &Arc<State>, id: &str, headers: &HeaderMap) -> Answer {
    let stored = match state.engine.refusal(id).await {
        Ok(Some(stored)) => stored,
        Ok(None) => {
            return answer::error(
                StatusCode::NOT_FOUND,
                &format!("there is no refusal {id:?}"),
            );
        }
        Err(error) => return state.failure(&error, id),
    };
    let json = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"));
    if json {
        let public = weir_model::json::v1::Assessment::new(&stored.assessment, &stored.decision);
        return match serde_json::to_value(&public) {
            Ok(value) => answer::json(StatusCode::OK, &value),
            Err(error) => answer::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        };
    }
    let observed = match state.engine.store().ledger().only_observed(id).await {
        Ok(observed) => observed,
        Err(error) => return state.failure(&error.into(), id),
    };
    let page = text(id, &stored, state.engine.policy(), observed);
    let mut page = Response::new(Body::from(page));
    page.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    page
}
