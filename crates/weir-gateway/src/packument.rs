//! `GET /<name>`: the packument, filtered, re-tagged, with tarballs on our own address.

use std::sync::Arc;

use axum::body::Body;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    LAST_MODIFIED, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use weir_engine::resolution::Resolution;
use weir_engine::{HeldPackument, Verdict};
use weir_npm::name::PackageName;
use weir_npm::packument::{self, Form, Plan, Treatment};

use crate::answer::{self, Answer};
use crate::client::{self, Variant};
use crate::refusal;
use crate::rendered::{Key, Rendered, gzip};
use crate::server::State;

/// Media type of the abbreviated form.
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// Answers a packument request.
pub(crate) async fn get(state: &Arc<State>, name: PackageName, headers: &HeaderMap) -> Answer {
    let key = Key {
        name,
        form: form(headers),
        variant: Variant::for_agent(client::agent(headers)),
        origin: state.origin(headers),
        gzip: state.compress && accepts_gzip(headers),
    };
    let now = state.engine.now();
    if let Some(rendered) = state.answers.get(&key, &state.engine.generation(), now) {
        if let Some(session) = &state.session {
            session.packument(
                key.name.as_str(),
                std::iter::empty(),
                rendered.stale.is_some(),
            );
        }
        return answer(&rendered, &key, headers, "hit");
    }
    match render(state, &key, headers).await {
        Ok(Ok(rendered)) => answer(&rendered, &key, headers, "miss"),
        Ok(Err(refused)) => {
            state.record_refusal(&refused, headers).await;
            refusal::refuse(&refused, &state.explained(headers))
        }
        Err(error) => state.failure(&error, key.name.as_str()),
    }
}

/// Makes the answer for a key, or the refusal where no version of the package may pass.
async fn render(
    state: &Arc<State>,
    key: &Key,
    headers: &HeaderMap,
) -> Result<Result<Arc<Rendered>, Arc<Verdict>>, weir_engine::EngineError> {
    let held = state.engine.packument(&key.name).await?;
    let resolution = state.engine.resolution(&held).await?;
    let kept_out = kept_out(&held, &resolution);
    if let Some(session) = &state.session {
        session.packument(
            key.name.as_str(),
            kept_out.iter().cloned(),
            held.stale.is_some(),
        );
    }
    if let Some(refused) = resolution.nothing_left() {
        return Ok(Err(refused));
    }
    let mut mentions = Vec::with_capacity(kept_out.len());
    for (_, verdict, about) in &kept_out {
        mentions.push(state.record_mention(verdict, about.as_deref(), headers));
    }
    futures_util::future::join_all(mentions).await;
    drop(kept_out);
    let (state, key) = (Arc::clone(state), key.clone());
    // A large document takes tens of milliseconds: not on a thread that serves others.
    let made = tokio::task::spawn_blocking(move || {
        let rendered = Arc::new(make(&state, &key, &held, &resolution)?);
        state.answers.put(key, Arc::clone(&rendered));
        Ok(rendered)
    });
    match made.await {
        Ok(rendered) => rendered.map(Ok),
        Err(_panicked) => Err(weir_engine::EngineError::BadPackument {
            name: String::new(),
            why: "rendering it failed".to_owned(),
        }),
    }
}

/// What is kept out of a packument: the version, the verdict, and what became of the tags that led there.
fn kept_out<'r>(
    held: &HeldPackument,
    resolution: &'r Resolution,
) -> Vec<(&'r str, &'r Verdict, Option<String>)> {
    let upstream = held.packument.dist_tags();
    let versions = resolution.held.iter();
    versions
        .map(|(version, verdict)| {
            let about = led_away(version, upstream, &resolution.tags);
            (version.as_str(), &**verdict, about)
        })
        .collect()
}

/// Most tags of one version that are named: a registry may send thousands.
const MOST_TAGS: usize = 5;

/// What became of the tags that lead to this version upstream, in words: that is what a request for a packument
/// is about. Nothing if none leads there.
fn led_away(
    version: &str,
    upstream: &[(String, String)],
    served: &[(String, String)],
) -> Option<String> {
    let mut words = Vec::new();
    let led_there = upstream.iter().filter(|(_, old)| old == version);
    for (tag, _) in led_there.take(MOST_TAGS) {
        match served.iter().find(|(other, _)| other == tag) {
            Some((_, new)) if new == version => {}
            Some((_, new)) => words.push(format!("tag {tag} leads to {new}")),
            None => words.push(format!("tag {tag} is withheld")),
        }
    }
    (!words.is_empty()).then(|| words.join(", "))
}

fn make(
    state: &State,
    key: &Key,
    held: &HeldPackument,
    resolution: &Resolution,
) -> Result<Rendered, weir_engine::EngineError> {
    let explained = state.explained_at(&key.origin);
    let treat = |version: &str| -> Treatment {
        match resolution.held.get(version) {
            None if resolution.unseen.contains(version) => Treatment::Hide,
            None => Treatment::Keep,
            Some(_) if key.variant == Variant::Hidden => Treatment::Hide,
            Some(verdict) => {
                let id = verdict.block_id();
                let pointer = explained.pointer(id.as_str());
                Treatment::Mark {
                    deprecated: weir_policy::deprecation_text(
                        &verdict.decision,
                        key.name.as_str(),
                        version,
                        &id,
                        &pointer,
                    ),
                }
            }
        }
    };
    let policy_message = resolution.newest_held().map(|(version, verdict)| {
        let id = verdict.block_id();
        let pointer = explained.pointer(id.as_str());
        weir_policy::refusal_line(&verdict.decision, key.name.as_str(), version, &id, &pointer)
    });
    let plan = Plan {
        tarball_base: &key.origin,
        versions: &treat,
        policy_message: policy_message
            .as_deref()
            .filter(|_| key.variant == Variant::Listed),
        tags: resolution.tags.clone(),
        times: &|version| resolution.times.get(version).cloned(),
    };
    let bad = |why: String| weir_engine::EngineError::BadPackument {
        name: key.name.as_str().to_owned(),
        why,
    };
    let rendering = packument::render(&held.packument, &plan, key.form)
        .map_err(|error| bad(error.to_string()))?;
    for skipped in &rendering.skipped {
        tracing::warn!(package.name = %key.name, package.version = %skipped.version,
            reason = ?skipped.reason, "version left out of the packument");
    }
    let body = if key.gzip {
        gzip(&rendering.body).map_err(|error| bad(error.to_string()))?
    } else {
        rendering.body
    };
    Ok(Rendered {
        etag: etag(key, &body),
        body: body.into(),
        last_modified: held.packument.modified().map(http_date),
        generation: resolution.generation.clone(),
        fresh_until: held.fresh_until,
        made: resolution.made,
        ripens: resolution.ripens,
        stale: held.stale.clone(),
    })
}

/// An entity tag for a body. The body carries the decisions, so a changed policy changes the tag.
fn etag(key: &Key, body: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    // Not a seal: an equal tag for a changed document is as likely as any 64-bit collision.
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    body.hash(&mut hasher);
    format!("\"w{:016x}\"", hasher.finish())
}

/// A timestamp as HTTP writes it (RFC 9110 section 5.6.7).
fn http_date(moment: jiff::Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&moment)
        .unwrap_or_default()
}

fn answer(rendered: &Rendered, key: &Key, headers: &HeaderMap, cache: &'static str) -> Answer {
    // Several headers are one list (RFC 9110 section 5.3).
    let tags = headers.get_all(IF_NONE_MATCH).iter();
    let unchanged = tags
        .filter_map(|value| value.to_str().ok())
        .any(|tags| tags == "*" || tags.split(',').any(|tag| same_tag(tag, &rendered.etag)));
    let body = if unchanged {
        Body::empty()
    } else {
        Body::from(rendered.body.clone())
    };
    let mut answer = Response::new(body);
    if unchanged {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let out = answer.headers_mut();
    let media = if key.form == Form::Abbreviated {
        ABBREVIATED
    } else {
        "application/json"
    };
    out.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    if key.gzip {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    out.insert(
        VARY,
        HeaderValue::from_static("accept, accept-encoding, user-agent"),
    );
    // Kept by clients, but asked about each time: decisions change faster than any age one could give.
    out.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    out.insert(ETAG, answer::header_text(&rendered.etag));
    if let Some(date) = &rendered.last_modified {
        out.insert(LAST_MODIFIED, answer::header_text(date));
    }
    if let Some(why) = &rendered.stale {
        answer::mark_stale(out, why);
    } else {
        out.insert(answer::CACHE, HeaderValue::from_static(cache));
    }
    answer
}

fn same_tag(offered: &str, ours: &str) -> bool {
    let offered = offered.trim();
    offered.strip_prefix("W/").unwrap_or(offered) == ours
}

/// The form a request asks for: abbreviated when it names that type before any other it takes.
fn form(headers: &HeaderMap) -> Form {
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let weight = |wanted: &str| {
        accept.split(',').find_map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            (pieces.next() == Some(wanted)).then(|| {
                pieces
                    .find_map(|p| p.strip_prefix("q=")?.parse::<f32>().ok())
                    .unwrap_or(1.0)
            })
        })
    };
    match (weight(ABBREVIATED), weight("application/json")) {
        (Some(short), Some(full)) if short < full => Form::Full,
        (Some(short), _) if short > 0.0 => Form::Abbreviated,
        _ => Form::Full,
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepted| {
            accepted.split(',').any(|part| {
                let mut pieces = part.split(';').map(str::trim);
                pieces.next() == Some("gzip") && !pieces.any(|p| matches!(p, "q=0" | "q=0.0"))
            })
        })
}

/// `GET /<name>/<version or tag>`: one version's document.
pub(crate) async fn version(
    state: &Arc<State>,
    name: PackageName,
    wanted: &str,
    headers: &HeaderMap,
) -> Answer {
    let found = async {
        let held = state.engine.packument(&name).await?;
        let resolution = state.engine.resolution(&held).await?;
        Ok((held, resolution))
    };
    let (held, resolution) = match found.await {
        Ok(found) => found,
        Err(error) => return state.failure(&error, name.as_str()),
    };
    let tag = resolution.tags.iter().find(|(tag, _)| tag == wanted);
    // A tag that is withheld is refused for what it leads to upstream: that it does not exist would be a lie.
    let withheld = || {
        let version = held.packument.tag(wanted);
        version.filter(|_| !held.packument.has(wanted))
    };
    let version = tag
        .map(|(_, version)| version.as_str())
        .or_else(withheld)
        .unwrap_or(wanted);
    if let Some(verdict) = resolution.held.get(version) {
        if let Some(session) = &state.session {
            session.document(verdict);
        }
        state.record_refusal(verdict, headers).await;
        return refusal::refuse(verdict, &state.explained(headers));
    }
    let origin = state.origin(headers);
    let document = match resolution.unseen.contains(version) {
        true => None,
        false => packument::render_version(&held.packument, version, &origin, None),
    };
    match document {
        Some(document) => {
            let mut answer = Response::new(Body::from(document));
            let out = answer.headers_mut();
            out.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            out.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            if let Some(why) = &held.stale {
                answer::mark_stale(out, why);
            }
            answer
        }
        None => answer::error(
            StatusCode::NOT_FOUND,
            &format!("{name} has no version or tag {wanted:?}"),
        ),
    }
}

/// `GET /-/package/<name>/dist-tags`: the tags as they are served.
pub(crate) async fn tags(state: &Arc<State>, name: PackageName) -> Answer {
    let found = async {
        let held = state.engine.packument(&name).await?;
        let resolution = state.engine.resolution(&held).await?;
        Ok((held, resolution))
    };
    match found.await {
        Ok((held, resolution)) => {
            let tags = resolution
                .tags
                .iter()
                .map(|(tag, version)| (tag.clone(), serde_json::Value::String(version.clone())));
            let tags = serde_json::Value::Object(tags.collect());
            let mut answer = answer::json(StatusCode::OK, &tags);
            if let Some(why) = &held.stale {
                answer::mark_stale(answer.headers_mut(), why);
            }
            answer
        }
        Err(error) => state.failure(&error, name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn the_form_follows_what_clients_really_send() {
        for (accept, wanted) in [
            ("application/json", Form::Full),
            (
                "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*",
                Form::Abbreviated,
            ),
            ("application/vnd.npm.install-v1+json", Form::Abbreviated),
            ("*/*", Form::Full),
            (
                "application/json, application/vnd.npm.install-v1+json;q=0.5",
                Form::Full,
            ),
        ] {
            assert_eq!(form(&headers(ACCEPT, accept)), wanted, "{accept}");
        }
        assert_eq!(form(&HeaderMap::new()), Form::Full);
    }

    #[test]
    fn a_packument_is_about_what_its_tags_would_have_led_to() {
        let tags = |tags: &[(&str, &str)]| -> Vec<(String, String)> {
            let tags = tags.iter();
            tags.map(|(tag, version)| ((*tag).to_owned(), (*version).to_owned()))
                .collect()
        };
        let upstream = tags(&[
            ("latest", "1.10.0"),
            ("next", "2.0.0-beta.1"),
            ("beta", "2.0.0-beta.1"),
            ("old", "1.9.0"),
        ]);
        let served = tags(&[
            ("latest", "1.9.0"),
            ("beta", "2.0.0-beta.0"),
            ("old", "1.9.0"),
        ]);
        for (version, wanted) in [
            ("1.10.0", Some("tag latest leads to 1.9.0")),
            (
                "2.0.0-beta.1",
                Some("tag next is withheld, tag beta leads to 2.0.0-beta.0"),
            ),
            ("1.9.0", None),
            // Only mentioned: no tag leads there, so that nobody need have asked for it.
            ("1.2.0", None),
        ] {
            let about = led_away(version, &upstream, &served);
            assert_eq!(about.as_deref(), wanted, "{version}");
        }
    }

    #[test]
    fn compression_is_used_only_where_it_is_wanted() {
        for (accepted, wanted) in [
            ("gzip, deflate, br", true),
            ("zstd, gzip", true),
            ("identity", false),
            ("gzip;q=0", false),
        ] {
            assert_eq!(
                accepts_gzip(&headers(ACCEPT_ENCODING, accepted)),
                wanted,
                "{accepted}"
            );
        }
    }
}
