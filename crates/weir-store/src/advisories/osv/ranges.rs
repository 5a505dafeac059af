//! The ranges of an OSV record.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use weir_npm::version::Version;

use crate::advisories::record::{Event, Range};

#[derive(Debug, Deserialize)]
pub(super) struct OsvRange {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) events: Vec<OsvEvent>,
    /// What the lenient reading could not use of it, with the place.
    #[serde(skip)]
    pub(super) unreadable: Vec<String>,
}

/// One event; the schema wants exactly one of these.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OsvEvent {
    #[serde(default, deserialize_with = "introduced")]
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// The number 0 can mean nothing but the text; of other numbers nobody knows which version they are.
fn introduced<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(Some("0".to_owned())),
        _ => Err(serde::de::Error::custom("introduced: is no text")),
    }
}

/// Ranges over versions; those over commits are for others. One that cannot be read is named and
/// left out, and the rest of the record still counts.
pub(super) fn reduce_ranges(
    place: &str,
    ranges: Vec<OsvRange>,
    problems: &mut Vec<String>,
) -> Vec<Range> {
    let mut reduced = Vec::new();
    for (number, range) in ranges.into_iter().enumerate() {
        if !range.unreadable.is_empty() {
            problems.extend(range.unreadable);
            continue;
        }
        match range.kind.as_str() {
            "SEMVER" | "ECOSYSTEM" => match reduce_range(range.events) {
                Ok(range) => reduced.push(range),
                Err(why) => problems.push(format!("{place}[{number}]{why}")),
            },
            "GIT" => {}
            other => problems.push(format!("{place}[{number}].type: {other:?} is unknown")),
        }
    }
    reduced
}

fn reduce_range(events: Vec<OsvEvent>) -> Result<Range, String> {
    let mut reduced = Vec::with_capacity(events.len());
    let mut limits = Vec::new();
    for (number, event) in events.into_iter().enumerate() {
        let read = |key: &str, text: &str| {
            let place = || format!(".events[{number}].{key}: {text:?} is no version");
            version(text).ok_or_else(place)
        };
        match event.introduced.as_deref() {
            Some("0") => reduced.push(Event::Beginning),
            Some(text) => reduced.push(Event::Introduced(read("introduced", text)?)),
            None => {}
        }
        if let Some(text) = event.fixed {
            reduced.push(Event::Fixed(read("fixed", &text)?));
        }
        if let Some(text) = event.last_affected {
            // Which versions a shortened one stands for is not said: only whole ones are taken.
            let whole = Version::parse(&text)
                .map_err(|_| format!(".events[{number}].last_affected: {text:?} is no version"))?;
            reduced.push(Event::LastAffected(whole));
        }
        match event.limit.as_deref() {
            // "*" is the schema's word for no limit.
            Some("*") | None => {}
            Some(text) => limits.push(read("limit", text)?),
        }
    }
    if !reduced
        .iter()
        .any(|event| matches!(event, Event::Beginning | Event::Introduced(_)))
    {
        return Err(".events: nothing is introduced".to_owned());
    }
    Ok(Range::new(reduced, limits))
}

/// A version, also one that ends early: as a bound from which on something holds, `1.2` is `1.2.0`.
fn version(text: &str) -> Option<Version> {
    if let Ok(version) = Version::parse(text) {
        return Some(version);
    }
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let missing = 2_usize.checked_sub(text.matches('.').count())?;
    let whole = format!("{text}{}", ".0".repeat(missing));
    plain.then(|| Version::parse(&whole).ok()).flatten()
}

/// GitHub's database ends a range that has no fix by a note beside it, `"<= 1.2.3"`: later versions are
/// not known to be affected, as npm's audit says too, and not fixed either.
pub(super) fn end_at_last_known(
    place: &str,
    ranges: &mut [Range],
    specific: &Value,
    problems: &mut Vec<String>,
) {
    const KEY: &str = "last_known_affected_version_range";
    let stated = specific.get(KEY).filter(|it| !it.is_null());
    let Some(stated) = stated else {
        return;
    };
    let bound = stated.as_str().unwrap_or_default().trim();
    let (inclusive, bound) = match bound.strip_prefix("<=") {
        Some(rest) => (true, rest),
        None => (false, bound.strip_prefix('<').unwrap_or("")),
    };
    let Ok(version) = Version::parse(bound.trim()) else {
        problems.push(format!(
            "{place}.database_specific.{KEY}: {stated} is no bound like \"<= 1.2.3\""
        ));
        return;
    };
    let end = || match inclusive {
        true => Event::LastAffected(version.clone()),
        false => Event::Fixed(version.clone()),
    };
    // With several ranges the note is about the last, open one.
    if let Some(range) = ranges.iter_mut().rev().find(|range| range.is_open()) {
        *range = range.clone().with_last_known(end());
    }
}
