//! Answers in the two forms that clients read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use weir_engine::audit::{AuditAnswer, Heard};
use weir_model::FlawSeverity;

use super::request::{Place, Request};

/// What clients are told where nobody states a severity. Not the mildest: thresholds would pass over it.
const UNSTATED: FlawSeverity = FlawSeverity::High;

/// `{"name": [advisory, …]}`, for the bulk endpoint (PROTOCOL 3.8).
pub(super) fn bulk(found: &AuditAnswer) -> Value {
    let all = found.heard.iter().map(|(name, heard)| {
        let advisories: Vec<Value> = heard.iter().map(advisory).collect();
        (name.clone(), Value::Array(advisories))
    });
    Value::Object(all.collect())
}

fn severity(heard: &Heard) -> FlawSeverity {
    heard.severity.unwrap_or(UNSTATED)
}

/// What both endpoints say of an advisory.
fn advisory(heard: &Heard) -> Value {
    let (tenths, vector) = heard.cvss.clone().unwrap_or_default();
    json!({
        "id": number(heard),
        "url": heard.url,
        "title": heard.title,
        "severity": severity(heard).as_str(),
        "vulnerable_versions": heard.vulnerable,
        "cwe": heard.weaknesses,
        "cvss": { "score": f64::from(tenths) / 10.0, "vectorString": vector },
    })
}

/// The registry's number, or one made from the id, above all that registries have given and within what
/// every client can hold (31 bits). The same id has the same number everywhere.
fn number(heard: &Heard) -> u64 {
    const FROM: u64 = 1_000_000_000;
    let id = heard.ids.first().map_or("", String::as_str);
    // FNV-1a: the number only has to differ, and to stay the same.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    heard.number.unwrap_or(FROM + hash % FROM)
}

/// The answer to an audit of a tree: advisories by number with the places they concern, what to do about
/// each, and counts.
pub(super) fn tree(found: &AuditAnswer, asked: &Request) -> Value {
    let (mut advisories, mut actions) = (Map::new(), Vec::new());
    let mut counts: BTreeMap<&str, usize> = FlawSeverity::ALL.map(|it| (it.as_str(), 0)).into();
    for (name, all) in &found.heard {
        for heard in all {
            let places: Vec<&Place> = asked
                .places
                .iter()
                .filter(|it| it.name == *name && heard.versions.contains(&it.version))
                .collect();
            if let Some(count) = counts.get_mut(severity(heard).as_str()) {
                *count += places.len();
            }
            let number = number(heard).to_string();
            advisories.insert(number, in_full(name, heard, &places));
            actions.push(action(name, heard, &places));
        }
    }
    let count = |of: &dyn Fn(&Place) -> bool| asked.places.iter().filter(|it| of(it)).count();
    json!({
        "actions": actions,
        "advisories": advisories,
        "muted": [],
        "metadata": {
            "vulnerabilities": counts,
            "dependencies": count(&|it| !it.dev && !it.optional),
            "devDependencies": count(&|it| it.dev),
            "optionalDependencies": count(&|it| it.optional && !it.dev),
            "totalDependencies": asked.places.len(),
        },
    })
}

fn in_full(name: &str, heard: &Heard, places: &[&Place]) -> Value {
    let mut findings: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in places {
        findings.entry(&place.version).or_default().push(place);
    }
    let findings: Vec<Value> = findings
        .into_iter()
        .map(|(version, places)| {
            let paths: Vec<String> = places.iter().map(|it| it.path.join(">")).collect();
            let all = |of: fn(&Place) -> bool| places.iter().all(|it| of(it));
            json!({
                "version": version,
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
    let patched = heard.patched.as_deref();
    let mut document = advisory(heard);
    let more = json!({
        "findings": findings,
        "module_name": name,
        "patched_versions": patched.unwrap_or("<0.0.0"),
        "recommendation": patched.map_or_else(
            || "No fix is stated.".to_owned(),
            |patched| format!("Upgrade to version {patched}"),
        ),
        "overview": heard.title,
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

/// yarn 1 shows what actions resolve, and nothing else. Which version a person should take depends on who
/// asks for it, and that is not in the tree: each is for review.
fn action(name: &str, heard: &Heard, places: &[&Place]) -> Value {
    let resolves: Vec<Value> = places
        .iter()
        .map(|place| {
            json!({
                "id": number(heard),
                "path": place.path.join(">"),
                "dev": place.dev,
                "optional": place.optional,
                "bundled": place.bundled,
            })
        })
        .collect();
    json!({ "action": "review", "module": name, "resolves": resolves })
}
