//! Answers in the two forms that clients read.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use weir_engine::audit::{AuditAnswer, Heard, NO_FIX};
use weir_model::FlawSeverity;

use super::numbers::numbers;
use super::request::Place;

/// What clients are told where nobody states a severity. Not the mildest: thresholds would pass over it.
const UNSTATED: FlawSeverity = FlawSeverity::High;

/// Most bytes of paths in an answer about a tree. A tree with many advisories has each place many times
/// over; what is more is counted.
const PATHS: usize = 16 << 20;

/// `{"name": [advisory, …]}`, for the bulk endpoint (PROTOCOL 3.8).
pub(super) fn bulk(found: &AuditAnswer) -> Value {
    let all = found.heard.iter().zip(numbers(found));
    let all = all.map(|((name, heard), numbers)| {
        let advisories = heard.iter().zip(numbers);
        let advisories = advisories.map(|(heard, number)| advisory(heard, number));
        (name.clone(), Value::Array(advisories.collect()))
    });
    Value::Object(all.collect())
}

fn severity(heard: &Heard) -> FlawSeverity {
    heard.severity.unwrap_or(UNSTATED)
}

/// What both endpoints say of an advisory.
fn advisory(heard: &Heard, number: u64) -> Value {
    let (tenths, vector) = heard.cvss.clone().unwrap_or_default();
    json!({
        "id": number,
        "url": heard.url,
        "title": heard.title,
        "severity": severity(heard).as_str(),
        "vulnerable_versions": heard.vulnerable,
        "cwe": heard.weaknesses,
        "cvss": { "score": f64::from(tenths) / 10.0, "vectorString": vector },
    })
}

/// The places of one version that an advisory is about.
struct Affected<'p> {
    version: &'p str,
    places: &'p [&'p Place],
    /// The paths that are listed, with their places.
    paths: Vec<(String, &'p Place)>,
}

/// The answer to an audit of a tree: advisories by number with the places they concern, what to do about
/// each, and counts.
pub(super) fn tree(found: &AuditAnswer, places: &[Place]) -> Value {
    let mut by_release: HashMap<(&str, &str), Vec<&Place>> = HashMap::new();
    for place in places {
        let release = (place.name.as_str(), place.version.as_str());
        by_release.entry(release).or_default().push(place);
    }
    let (mut advisories, mut actions) = (Map::new(), Vec::new());
    let mut counts: BTreeMap<&str, usize> = FlawSeverity::ALL.map(|it| (it.as_str(), 0)).into();
    let mut room = PATHS;
    for ((name, all), numbers) in found.heard.iter().zip(numbers(found)) {
        for (heard, number) in all.iter().zip(numbers) {
            let affected = affected(name, heard, &by_release, &mut room);
            if let Some(count) = counts.get_mut(severity(heard).as_str()) {
                *count += affected.iter().map(|it| it.places.len()).sum::<usize>();
            }
            actions.push(action(name, number, &affected));
            advisories.insert(number.to_string(), in_full(name, heard, number, &affected));
        }
    }
    let count = |of: &dyn Fn(&Place) -> bool| places.iter().filter(|it| of(it)).count();
    json!({
        "actions": actions,
        "advisories": advisories,
        "muted": [],
        "metadata": {
            "vulnerabilities": counts,
            "dependencies": count(&|it| !it.dev && !it.optional),
            "devDependencies": count(&|it| it.dev),
            "optionalDependencies": count(&|it| it.optional && !it.dev),
            "totalDependencies": places.len(),
        },
    })
}

/// The places an advisory concerns, with paths as long as there is room for them. One is always listed:
/// clients show nothing of an advisory without.
fn affected<'p>(
    name: &'p str,
    heard: &'p Heard,
    by_release: &'p HashMap<(&str, &str), Vec<&'p Place>>,
    room: &mut usize,
) -> Vec<Affected<'p>> {
    let mut first = true;
    let versions = heard.versions.iter().filter_map(|version| {
        let places = by_release.get(&(name, version.as_str()))?;
        let mut paths = Vec::new();
        for place in places {
            if *room == 0 && !first {
                break;
            }
            first = false;
            let path = place.path.join(">");
            *room = room.saturating_sub(path.len());
            paths.push((path, *place));
        }
        Some(Affected {
            version,
            places,
            paths,
        })
    });
    versions.collect()
}

fn in_full(name: &str, heard: &Heard, number: u64, affected: &[Affected<'_>]) -> Value {
    let listed = affected.iter().filter(|it| !it.paths.is_empty());
    let findings: Vec<Value> = listed
        .map(|it| {
            let paths: Vec<&str> = it.paths.iter().map(|(path, _)| path.as_str()).collect();
            let all = |of: fn(&Place) -> bool| it.places.iter().all(|place| of(place));
            json!({
                "version": it.version,
                "paths": paths,
                "dev": all(|it| it.dev),
                "optional": all(|it| it.optional),
                "bundled": all(|it| it.bundled),
            })
        })
        .collect();
    let ids = |start: &str| {
        let ids = heard.ids.iter().filter(|id| id.starts_with(start));
        ids.cloned().collect::<Vec<String>>()
    };
    let patched = heard.patched.as_deref().filter(|it| *it != NO_FIX);
    let mut document = advisory(heard, number);
    let more = json!({
        "findings": findings,
        "module_name": name,
        "patched_versions": patched.unwrap_or(NO_FIX),
        "recommendation": patched.map_or_else(
            || "No fix is stated.".to_owned(),
            |patched| format!("Upgrade to version {patched}"),
        ),
        "overview": overview(heard, affected),
        "references": heard.url,
        "github_advisory_id": ids("GHSA-").first(),
        "cves": ids("CVE-"),
        "access": "public",
        "found_by": Value::Null,
        "reported_by": Value::Null,
        "metadata": Value::Null,
        "created": Value::Null,
        "updated": Value::Null,
        "deleted": Value::Null,
    });
    if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
        document.extend(more);
    }
    document
}

/// The title, and how many places are not listed.
fn overview(heard: &Heard, affected: &[Affected<'_>]) -> String {
    let places: usize = affected.iter().map(|it| it.places.len()).sum();
    let listed: usize = affected.iter().map(|it| it.paths.len()).sum();
    if listed == places {
        return heard.title.clone();
    }
    format!(
        "{} (in {places} places, of which {listed} are listed)",
        heard.title
    )
}

/// yarn 1 shows what actions resolve, and nothing else. Which version a person should take depends on who
/// asks for it, and that is not in the tree: each is for review.
fn action(name: &str, number: u64, affected: &[Affected<'_>]) -> Value {
    let listed = affected.iter().flat_map(|it| &it.paths);
    let resolves: Vec<Value> = listed
        .map(|(path, place)| {
            json!({
                "id": number,
                "path": path,
                "dev": place.dev,
                "optional": place.optional,
                "bundled": place.bundled,
            })
        })
        .collect();
    json!({ "action": "review", "module": name, "resolves": resolves })
}

#[cfg(test)]
mod tests;
