//! From a request to an answer, as the public registry gives it (PROTOCOL 3.8).

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::documents::npm_time;
use super::keys::sha256;
use super::shelf::Shelf;
use super::{Flavour, State, audit};
use crate::http_server::{Answer, Request};
use crate::tarball::gzip;

const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

pub(super) fn handle(state: &mut State, request: &Request) -> Answer {
    let fault = state
        .faults
        .iter_mut()
        .rev()
        .find_map(|fault| fault.strikes(request).then(|| fault.clone()));
    let answer = route(state, request);
    match fault {
        Some(fault) => fault.apply(answer),
        None => answer,
    }
}

fn route(state: &State, request: &Request) -> Answer {
    let path = request.path.as_str();
    if path == "/-/ping" {
        return Answer::json(StatusCode::OK, &json!({}));
    }
    if let Some(token) = &state.token
        && request.header("authorization") != Some(&format!("Bearer {token}"))
    {
        return error(StatusCode::UNAUTHORIZED, "authentication required")
            .with_header("www-authenticate", "Bearer");
    }
    if let Some(answer) = state.fixed.get(path) {
        return answer.clone();
    }
    if state.flavour == Flavour::BareMirror {
        return bare_mirror(state, request);
    }
    if request.method == Method::POST {
        return post(state, request);
    }
    if !reads(request) {
        return error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    }
    match path {
        "/" => root(state),
        "/-/whoami" => whoami(state),
        "/-/npm/v1/keys" => Answer::json(StatusCode::OK, &state.key.document(None)),
        "/-/v1/search" => search(state, request),
        "/_changes" | "/registry/_changes" => changes(state, request),
        _ => document(state, request),
    }
}

fn reads(request: &Request) -> bool {
    request.method == Method::GET || request.method == Method::HEAD
}

fn error(status: StatusCode, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": text }))
}

fn not_found() -> Answer {
    error(StatusCode::NOT_FOUND, "Not found")
}

fn post(state: &State, request: &Request) -> Answer {
    let report = match request.path.as_str() {
        "/-/npm/v1/security/advisories/bulk" => audit::bulk(&state.advisories, request),
        "/-/npm/v1/security/audits" | "/-/npm/v1/security/audits/quick" => {
            audit::tree(&state.advisories, request)
        }
        _ => return not_found(),
    };
    match report {
        Some(report) => Answer::json(StatusCode::OK, &report),
        None => error(StatusCode::BAD_REQUEST, "Invalid package tree"),
    }
}

fn root(state: &State) -> Answer {
    let body = json!({
        "db_name": "registry",
        "engine": "couchdb_bt_engine",
        "doc_count": state.shelves.len(),
        "update_seq": feed(state).len(),
    });
    Answer::json(StatusCode::OK, &body)
}

fn whoami(state: &State) -> Answer {
    match &state.token {
        Some(_) => Answer::json(StatusCode::OK, &json!({"username": "tester"})),
        None => error(StatusCode::UNAUTHORIZED, "You must be logged in"),
    }
}

fn search(state: &State, request: &Request) -> Answer {
    let text = request.query("text").unwrap_or_default();
    let text = crate::http_server::percent_decode(&text.replace('+', " "));
    let objects: Vec<Value> = state
        .shelves
        .values()
        .filter(|shelf| shelf.exists(state.now) && shelf.package.name.contains(&text))
        .filter_map(|shelf| {
            let tags = shelf.tags(state.now);
            let (_, latest) = tags.iter().find(|(tag, _)| tag == "latest")?;
            let date = shelf.modified(state.now).map(npm_time);
            Some(json!({
                "package": {
                    "name": shelf.package.name,
                    "version": latest,
                    "description": shelf.package.description,
                    "date": date,
                    "keywords": [],
                    "links": {},
                    "maintainers": shelf.maintainers(state.now).iter().map(|name| json!({
                        "username": name,
                        "email": format!("{name}@people.invalid"),
                    })).collect::<Vec<Value>>(),
                },
                "score": {"final": 0.5, "detail": {"quality": 0.5, "popularity": 0.5, "maintenance": 0.5}},
                "searchScore": 1,
            }))
        })
        .collect();
    let body = json!({"total": objects.len(), "objects": objects});
    Answer::json(StatusCode::OK, &body)
}

/// Every publish and take-down that has happened, oldest first.
fn feed(state: &State) -> Vec<(Timestamp, &str)> {
    let mut events = Vec::new();
    for shelf in state.shelves.values() {
        for shelved in shelf.published(state.now) {
            events.push((shelved.published, shelf.package.name.as_str()));
            let gone = shelved.release.unpublished;
            let gone = gone.filter(|gone| state.now.is_none_or(|now| *gone <= now));
            events.extend(gone.map(|gone| (gone, shelf.package.name.as_str())));
        }
    }
    events.sort();
    events
}

/// The feed of publishes: `since` and `limit`, one entry per package, its last change
/// (DETECTION section 6).
fn changes(state: &State, request: &Request) -> Answer {
    let number = |name: &str| request.query(name).and_then(|text| text.parse().ok());
    let since: usize = match request.query("since") {
        Some("now") => usize::MAX,
        _ => number("since").unwrap_or(0),
    };
    let limit: usize = number("limit").unwrap_or(1000);
    if limit > 10_000 || request.query("feed").is_some() || request.query("include_docs").is_some()
    {
        return error(StatusCode::BAD_REQUEST, "query parameter not supported");
    }
    let events = feed(state);
    let mut results = Vec::new();
    let mut last = since.min(events.len());
    for (position, (_, name)) in events.iter().enumerate().skip(last) {
        let sequence = position + 1;
        let repeated = events.iter().skip(sequence).any(|(_, later)| later == name);
        if repeated {
            continue;
        }
        if results.len() == limit {
            break;
        }
        last = sequence;
        let revision = hex::encode(sha256(format!("{name}{sequence}").as_bytes()));
        results.push(json!({
            "seq": sequence,
            "id": name,
            "changes": [{"rev": format!("{sequence}-{}", &revision[..32])}],
        }));
    }
    let pending = events.len().saturating_sub(last);
    let body = json!({"results": results, "last_seq": last, "pending": pending});
    Answer::json(StatusCode::OK, &body)
}

/// What a path below the root names.
enum Target<'path> {
    Packument(&'path str),
    Version(&'path str, &'path str),
    Tarball(&'path str, &'path str),
    Tags(&'path str),
    Attestations(&'path str, &'path str),
}

fn target(path: &str) -> Option<Target<'_>> {
    let path = path.strip_prefix('/')?;
    if let Some(subject) = path.strip_prefix("-/npm/v1/attestations/") {
        let at = subject.rfind('@').filter(|at| *at > 0)?;
        return Some(Target::Attestations(
            subject.get(..at)?,
            subject.get(at + 1..)?,
        ));
    }
    if let Some(rest) = path.strip_prefix("-/package/") {
        return Some(Target::Tags(rest.strip_suffix("/dist-tags")?));
    }
    if let Some((name, file)) = path.split_once("/-/") {
        let base = name.rsplit('/').next()?;
        let version = file.strip_prefix(base)?.strip_prefix('-')?;
        return Some(Target::Tarball(name, version.strip_suffix(".tgz")?));
    }
    let slashes = path.matches('/').count();
    let scoped = path.starts_with('@');
    match (scoped, slashes) {
        (false, 0) | (true, 1) => Some(Target::Packument(path)),
        (false, 1) | (true, 2) => {
            let (name, version) = path.rsplit_once('/')?;
            Some(Target::Version(name, version))
        }
        _ => None,
    }
}

fn document(state: &State, request: &Request) -> Answer {
    let answer = match target(&request.path) {
        Some(Target::Packument(name)) => packument(state, request, name),
        Some(Target::Version(name, version)) => version_document(state, request, name, version),
        Some(Target::Tarball(name, version)) => tarball(state, request, name, version),
        Some(Target::Tags(name)) => state.shelf(name).map(|shelf| tags(state, shelf)),
        Some(Target::Attestations(name, version)) => attestations(state, name, version),
        None => None,
    };
    answer.unwrap_or_else(not_found)
}

fn packument(state: &State, request: &Request, name: &str) -> Option<Answer> {
    let shelf = state.shelf(name)?;
    let accept = request.headers.get(ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    let (body, content_type) = if accept.is_some_and(|accept| accept.contains(ABBREVIATED)) {
        (state.view().abbreviated(shelf), ABBREVIATED)
    } else {
        (state.view().full(shelf), "application/json")
    };
    let answer = Answer::new(StatusCode::OK, content_type, body.to_string())
        .with_header("vary", "accept-encoding, accept")
        .with_header("cache-control", "public, max-age=300");
    Some(validated(answer, request, shelf.modified(state.now)))
}

fn version_document(state: &State, request: &Request, name: &str, wanted: &str) -> Option<Answer> {
    let shelf = state.shelf(name)?;
    let tags = shelf.tags(state.now);
    let tagged = tags.iter().find(|(tag, _)| tag == wanted);
    let version = tagged.map_or(wanted, |(_, version)| version);
    let shelved = shelf.find(version, state.now)?;
    let body = state.view().version(shelf, shelved);
    let answer = Answer::json(StatusCode::OK, &body)
        .with_header("vary", "accept-encoding, accept")
        .with_header("cache-control", "public, max-age=300");
    Some(validated(answer, request, Some(shelved.published)))
}

fn tarball(state: &State, request: &Request, name: &str, version: &str) -> Option<Answer> {
    let (_, shelved) = state.release(name, version)?;
    let answer = Answer::new(
        StatusCode::OK,
        "application/octet-stream",
        shelved.tarball.clone(),
    )
    .with_header("cache-control", "public, immutable, max-age=31557600")
    .with_header("accept-ranges", "bytes");
    Some(validators(answer, request, Some(shelved.published)))
}

fn tags(state: &State, shelf: &Shelf) -> Answer {
    let tags = shelf.tags(state.now).into_iter();
    let tags = tags.map(|(tag, version)| (tag, version.into())).collect();
    Answer::json(StatusCode::OK, &Value::Object(tags))
}

fn attestations(state: &State, name: &str, version: &str) -> Option<Answer> {
    let (shelf, shelved) = state.release(name, version)?;
    let body = state.view().attestations(shelf, shelved)?;
    Some(Answer::json(StatusCode::OK, &body))
}

fn bare_mirror(state: &State, request: &Request) -> Answer {
    if !reads(request) {
        return error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
            .with_header("allow", "GET,HEAD");
    }
    let answer = match target(&request.path) {
        Some(Target::Packument(name)) => state.shelf(name).map(|shelf| {
            let body = state.view().mirrored(shelf);
            compressed(Answer::json(StatusCode::OK, &body), request)
        }),
        Some(Target::Tarball(name, version)) => state.release(name, version).map(|(_, shelved)| {
            let body = shelved.tarball.clone();
            Answer::new(StatusCode::OK, "application/octet-stream", body)
        }),
        _ => None,
    };
    answer.unwrap_or_else(|| Answer::new(StatusCode::NOT_FOUND, "text/plain", ""))
}

/// Adds validators, then compresses: the tag names the document, not its encoding.
fn validated(answer: Answer, request: &Request, modified: Option<Timestamp>) -> Answer {
    compressed(validators(answer, request, modified), request)
}

fn validators(answer: Answer, request: &Request, modified: Option<Timestamp>) -> Answer {
    let digest = hex::encode(sha256(&answer.body));
    let tag = format!("\"{}\"", &digest[..32]);
    let date = modified.map(http_date);
    let unchanged = match request.header("if-none-match") {
        Some(known) => known
            .split(',')
            .map(|known| known.trim().trim_start_matches("W/"))
            .any(|known| known == tag || known == "*"),
        None => date.is_some() && request.header("if-modified-since") == date.as_deref(),
    };
    let mut answer = answer.with_header("etag", &tag);
    if let Some(date) = date {
        answer = answer.with_header("last-modified", &date);
    }
    if unchanged {
        answer.status = StatusCode::NOT_MODIFIED;
        answer.body.clear();
    }
    answer
}

fn compressed(mut answer: Answer, request: &Request) -> Answer {
    let accepted = request.headers.get(ACCEPT_ENCODING);
    let accepted = accepted.and_then(|accepted| accepted.to_str().ok());
    let wanted = accepted.is_some_and(|accepted| accepted.contains("gzip"));
    if !wanted || answer.status != StatusCode::OK {
        return answer;
    }
    answer.body = gzip(&answer.body);
    answer.headers.remove(CONTENT_ENCODING);
    answer.with_header("content-encoding", "gzip")
}

fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
