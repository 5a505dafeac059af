//! OSV records as they are published, and their reduction to what is kept.
//!
//! Own types with open text where the schema has lists that grow: a reader that knows the list
//! drops the whole record when a new value comes (CRATES section 11, OSV).

use serde::Deserialize;
use serde_json::Value;
use weir_model::AdvisoryKind;
use weir_npm::version::Version;

use super::record::{Affected, Event, Range, Record};

/// Longest summary kept, in characters.
const SUMMARY_CHARS: usize = 300;

/// A record, as far as it is read.
#[derive(Debug, Deserialize)]
struct Osv {
    id: String,
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    affected: Option<Vec<OsvAffected>>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct OsvAffected {
    #[serde(default)]
    package: Option<OsvPackage>,
    #[serde(default)]
    ranges: Option<Vec<OsvRange>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct OsvPackage {
    ecosystem: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct OsvRange {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<OsvEvent>,
}

/// One event; the schema wants exactly one of these.
#[derive(Debug, Default, Deserialize)]
struct OsvEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// What a file came to.
#[derive(Debug)]
pub(super) struct Reduced {
    pub(super) record: Record,
    /// Milliseconds since 1970-01-01 UTC; 0 when the record does not say or not readably.
    pub(super) modified: i64,
    pub(super) withdrawn: bool,
    /// Parts that could not be used while the rest could.
    pub(super) problems: Vec<String>,
}

/// Reads one OSV record. A record that concerns no npm package has an empty `affected`.
pub(super) fn reduce(text: &[u8]) -> Result<Reduced, String> {
    let osv: Osv = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if osv.id.trim().is_empty() || osv.id.chars().any(char::is_control) {
        return Err("its id is empty or not printable".to_owned());
    }
    let mut problems = Vec::new();
    let mut affected = Vec::new();
    let mut malware = osv.id.starts_with("MAL-") || says_malware(&osv.database_specific);
    for part in osv.affected.unwrap_or_default() {
        let Some(package) = part.package.filter(|package| package.ecosystem == "npm") else {
            continue;
        };
        malware |= says_malware(&part.database_specific);
        // Names are kept one per line.
        if package.name.is_empty() || package.name.chars().any(char::is_control) {
            problems.push("a package name is empty or not printable".to_owned());
            continue;
        }
        let ranges = part.ranges.unwrap_or_default();
        let versions = part.versions.unwrap_or_default();
        let ranges = reduce_ranges(&package.name, ranges, &mut problems);
        if ranges.is_empty() && versions.is_empty() {
            problems.push(format!(
                "{}: names no usable versions or ranges",
                package.name
            ));
            continue;
        }
        let versions = drop_covered(versions, &ranges);
        affected.push(Affected {
            name: package.name,
            ranges,
            versions,
        });
    }
    if affected.is_empty() && !problems.is_empty() {
        return Err(problems.join("; "));
    }
    let modified = osv.modified.as_deref().and_then(weir_npm::time::parse);
    Ok(Reduced {
        record: Record {
            id: osv.id,
            kind: if malware {
                AdvisoryKind::Malware
            } else {
                AdvisoryKind::Vulnerability
            },
            aliases: osv.aliases.unwrap_or_default(),
            summary: summary(osv.summary, osv.details),
            affected,
        },
        modified: modified.map_or(0, jiff::Timestamp::as_millisecond),
        withdrawn: osv.withdrawn.is_some(),
        problems,
    })
}

/// Whether a `database_specific` object says that this is malware. Known ways: the origins that
/// the malicious-packages collection notes, a type or keyword, and the weakness CWE-506, "embedded
/// malicious code".
fn says_malware(specific: &Value) -> bool {
    let word = |value: &Value| {
        value.as_str().is_some_and(|text| {
            text.eq_ignore_ascii_case("malware") || text.eq_ignore_ascii_case("malicious")
        })
    };
    let any = |key: &str, test: &dyn Fn(&Value) -> bool| match specific.get(key) {
        Some(Value::Array(list)) => list.iter().any(test),
        Some(single) => test(single),
        None => false,
    };
    let is_506 = |value: &Value| {
        let id = value.get("cweId").unwrap_or(value);
        id.as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case("CWE-506"))
    };
    specific.get("malicious-packages-origins").is_some()
        || any("type", &word)
        || any("keywords", &word)
        || any("cwe_ids", &is_506)
        || any("cwes", &is_506)
}

fn summary(summary: Option<String>, details: Option<String>) -> String {
    let text = summary
        .filter(|text| !text.trim().is_empty())
        .or(details)
        .unwrap_or_default();
    let line = text.trim().lines().next().unwrap_or_default();
    weir_model::finding::printable(line, SUMMARY_CHARS)
}

/// Ranges over versions; those over commits are for others. One that cannot be read is named and
/// left out, and the rest of the record still counts.
fn reduce_ranges(name: &str, ranges: Vec<OsvRange>, problems: &mut Vec<String>) -> Vec<Range> {
    let mut reduced = Vec::new();
    for range in ranges {
        match range.kind.as_str() {
            "SEMVER" | "ECOSYSTEM" => match reduce_range(range.events) {
                Ok(range) => reduced.push(range),
                Err(why) => problems.push(format!("{name}: {why}")),
            },
            "GIT" => {}
            other => problems.push(format!("{name}: a range of the unknown type {other:?}")),
        }
    }
    reduced
}

fn reduce_range(events: Vec<OsvEvent>) -> Result<Range, String> {
    let version = |text: &str| {
        Version::parse(text).map_err(|_| format!("a range names {text:?}, which is no version"))
    };
    let mut reduced = Vec::with_capacity(events.len());
    let mut limits = Vec::new();
    for event in events {
        match event.introduced.as_deref() {
            Some("0") => reduced.push(Event::Beginning),
            Some(text) => reduced.push(Event::Introduced(version(text)?)),
            None => {}
        }
        if let Some(text) = event.fixed {
            reduced.push(Event::Fixed(version(&text)?));
        }
        if let Some(text) = event.last_affected {
            reduced.push(Event::LastAffected(version(&text)?));
        }
        match event.limit.as_deref() {
            // "*" is the schema's word for no limit.
            Some("*") | None => {}
            Some(text) => limits.push(version(text)?),
        }
    }
    if !reduced
        .iter()
        .any(|event| matches!(event, Event::Beginning | Event::Introduced(_)))
    {
        return Err("a range that nothing introduces".to_owned());
    }
    Ok(Range::new(reduced, limits))
}

/// Many records list every version and also say "all of them" as a range; the list is then not
/// worth its memory.
fn drop_covered(versions: Vec<String>, ranges: &[Range]) -> Vec<String> {
    if ranges.iter().any(Range::holds_everything) {
        Vec::new()
    } else {
        versions
    }
}
