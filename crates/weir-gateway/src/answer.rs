//! Small answers: errors, pings, and the headers that all of them share.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, WARNING};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::ext::ReasonPhrase;

/// An answer as handlers give it.
pub(crate) type Answer = Response<Body>;

/// Says where an answer came from: `hit`, `miss` or `stale`.
pub(crate) const CACHE: HeaderName = HeaderName::from_static("x-weir-cache");
/// The decision on the release in the answer.
pub(crate) const DECISION: HeaderName = HeaderName::from_static("x-weir-decision");
/// The id of a refusal.
pub(crate) const BLOCK: HeaderName = HeaderName::from_static("x-weir-block");
/// A line npm prints for people (PROTOCOL 3.4).
pub(crate) const NPM_NOTICE: HeaderName = HeaderName::from_static("npm-notice");

/// A JSON answer that nobody may keep.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Body::from(value.to_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An error that is not a refusal, in the form npm prints (`error`, PROTOCOL 3.4).
pub(crate) fn error(status: StatusCode, text: &str) -> Answer {
    json(status, &serde_json::json!({ "error": text }))
}

/// The same where the words have to reach a person whatever the client: pnpm, and yarn from its version 2 on, show the
/// reason phrase and nothing else (PROTOCOL 3.4).
pub(crate) fn failure(status: StatusCode, text: &str) -> Answer {
    let mut answer = error(status, text);
    let shown: String = text.chars().take(LONGEST_PHRASE).collect();
    let phrase = header_text(&shown).as_bytes().to_vec();
    if let Ok(phrase) = ReasonPhrase::try_from(phrase) {
        answer.extensions_mut().insert(phrase);
    }
    answer
}

/// Longest reason phrase of a failure, in characters. Refusals are about as long at most.
const LONGEST_PHRASE: usize = 600;

/// A header value of printable ASCII; anything else becomes `?`, so that it can always be sent.
pub(crate) fn header_text(text: &str) -> HeaderValue {
    let safe: String = text
        .chars()
        .map(|c| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            }
        })
        .collect();
    HeaderValue::from_str(&safe).unwrap_or(HeaderValue::from_static("?"))
}

/// Says of an answer that it may be out of date, and why: the upstream could not be asked.
pub(crate) fn mark_stale(headers: &mut HeaderMap, why: &str) {
    headers.insert(CACHE, HeaderValue::from_static("stale"));
    let why = quoted(&format!("stale: {why}"));
    headers.insert(WARNING, header_text(&format!("110 weir {why}")));
}

/// A text as a quoted string of HTTP (RFC 9110 section 5.6.4): what an upstream sent may hold quotes itself.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_failure_are_a_reason_phrase_that_can_be_sent() {
        let long = format!("weir: \"é\r\nx: y\u{1b}{}", "a".repeat(2000));
        let answer = failure(StatusCode::BAD_GATEWAY, &long);
        let phrase = answer.extensions().get::<ReasonPhrase>().unwrap();
        let phrase = std::str::from_utf8(phrase.as_bytes()).unwrap();
        assert!(phrase.starts_with("weir: \"???x: y?aa"), "{phrase}");
        assert_eq!(phrase.len(), LONGEST_PHRASE);
    }

    #[test]
    fn a_warning_ends_where_its_quotes_end_whatever_an_upstream_said() {
        let mut headers = HeaderMap::new();
        for (why, wanted) in [
            ("no answer", r#"110 weir "stale: no answer""#),
            (
                "starting with \"<p>\\u{1b}\", é",
                r#"110 weir "stale: starting with \"<p>\\u{1b}\", ?""#,
            ),
        ] {
            mark_stale(&mut headers, why);
            assert_eq!(headers[WARNING], wanted);
            assert_eq!(headers[CACHE], "stale");
        }
    }
}
