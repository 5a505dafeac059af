//! OSV records as they are published, and their reduction to what is kept.
//!
//! Own types with open text where the schema has lists that grow: a reader that knows the list
//! drops the whole record when a new value comes (CRATES section 11, OSV).

mod lenient;
mod object;
mod ranges;
mod severity;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use weir_model::AdvisoryKind;

use super::record::{Affected, Range, Record};
use object::Object;
use ranges::{OsvRange, reduce_ranges};
use severity::OsvSeverity;

/// Longest summary kept, in characters.
const SUMMARY_CHARS: usize = 300;

/// A record, as far as it is read. Fields that nobody has heard of are passed over.
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
    severity: Option<Vec<OsvSeverity>>,
    #[serde(default)]
    affected: Option<Vec<Object<OsvAffected>>>,
    #[serde(default)]
    references: Option<Vec<OsvReference>>,
    #[serde(default)]
    database_specific: Value,
    /// What the lenient reading could not use, apart from the affected parts.
    #[serde(skip)]
    problems: Vec<String>,
    /// Something in it of which it is not known what it bears on.
    #[serde(skip)]
    unclear: bool,
}

#[derive(Debug, Default, Deserialize)]
struct OsvAffected {
    #[serde(default)]
    package: Option<OsvPackage>,
    #[serde(default)]
    severity: Option<Vec<OsvSeverity>>,
    #[serde(default)]
    ranges: Option<Vec<OsvRange>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    database_specific: Value,
    /// What the lenient reading could not use and decides which versions are affected.
    #[serde(skip)]
    unreadable: Vec<String>,
    /// What else it could not use.
    #[serde(skip)]
    aside: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct OsvPackage {
    ecosystem: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct OsvReference {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

/// What a file came to.
#[derive(Debug)]
pub(super) struct Reduced {
    pub(super) record: Record,
    /// Milliseconds since 1970-01-01 UTC; 0 when the record does not say or not readably.
    pub(super) modified: i64,
    pub(super) withdrawn: bool,
    /// Whether it says that it will be withdrawn at a moment that has not come.
    pub(super) pending: bool,
    /// Parts that could not be used, each with its place, while the rest could. What they would have
    /// said is kept as unclear.
    pub(super) problems: Vec<String>,
}

/// Reads one OSV record. A record that concerns no npm package has an empty `affected`. Nearly all records
/// pass the first, strict reading; one that does not is read again field by field.
pub(super) fn reduce(text: &[u8], now: Timestamp) -> Result<Reduced, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut osv = match serde_json::from_slice::<Object<Osv>>(text) {
        Ok(Object(osv)) => osv,
        Err(error) => lenient::read(text, &error)?,
    };
    if osv.id.trim().is_empty() || osv.id.chars().any(char::is_control) {
        return Err("id: is empty or not printable".to_owned());
    }
    let mut problems = std::mem::take(&mut osv.problems);
    let modified = modified(osv.modified.as_deref(), &mut problems);
    // What takes back a warning has to be beyond doubt.
    let withdrawn = osv.withdrawn.as_deref().filter(|_| !osv.unclear);
    let withdrawal = Withdrawal::of(withdrawn, now, &mut problems);
    let mut found = Found {
        malware: osv.id.starts_with("MAL-") || says_malware(&osv.database_specific),
        severities: osv.severity.unwrap_or_default(),
        ..Found::default()
    };
    for (number, Object(part)) in osv.affected.unwrap_or_default().into_iter().enumerate() {
        found.add(&format!("affected[{number}]"), part, &mut problems);
    }
    if found.affected.is_empty() {
        if osv.unclear || problems.iter().any(|it| it.starts_with("affected")) {
            return Err(problems.join("; "));
        }
        problems.clear();
    }
    for affected in &mut found.affected {
        affected.unclear |= osv.unclear;
    }
    let aliases = osv.aliases.unwrap_or_default();
    let weaknesses = weaknesses(&osv.database_specific);
    Ok(Reduced {
        record: Record {
            kind: if found.malware {
                AdvisoryKind::Malware
            } else {
                AdvisoryKind::Vulnerability
            },
            aliases: aliases.into_iter().filter(|it| it != &osv.id).collect(),
            summary: summary(osv.summary, osv.details),
            severity: severity::label(&osv.database_specific),
            cvss: severity::highest(&found.severities),
            weaknesses,
            url: url(&osv.references.unwrap_or_default()),
            affected: found.affected,
            id: osv.id,
        },
        modified: modified.map_or(0, Timestamp::as_millisecond),
        withdrawn: withdrawal == Withdrawal::Done,
        pending: withdrawal == Withdrawal::Pending,
        problems,
    })
}

fn modified(said: Option<&str>, problems: &mut Vec<String>) -> Option<Timestamp> {
    let modified = said.and_then(weir_npm::time::parse);
    if modified.is_none() {
        let said = said.unwrap_or_default();
        problems.push(format!(
            "modified: {said:?} is no time; the record counts as older than any other"
        ));
    }
    modified
}

/// Whether a record is taken back.
#[derive(Debug, PartialEq, Eq)]
enum Withdrawal {
    None,
    /// At a moment that has not come: in force until it is read again after that.
    Pending,
    Done,
}

impl Withdrawal {
    fn of(said: Option<&str>, now: Timestamp, problems: &mut Vec<String>) -> Self {
        let Some(said) = said else {
            return Self::None;
        };
        match weir_npm::time::parse(said) {
            None => {
                problems.push(format!(
                    "withdrawn: {said:?} is no time; the record stays in force"
                ));
                Self::None
            }
            Some(moment) if moment > now => {
                problems.push(format!(
                    "withdrawn: {said:?} is yet to come; the record stays in force until it is read again \
                     after that"
                ));
                Self::Pending
            }
            Some(_) => Self::Done,
        }
    }
}

/// What the affected parts of a record come to.
#[derive(Default)]
struct Found {
    affected: Vec<Affected>,
    severities: Vec<OsvSeverity>,
    malware: bool,
}

impl Found {
    /// Takes in one part, if it is about an npm package.
    fn add(&mut self, place: &str, part: OsvAffected, problems: &mut Vec<String>) {
        let Some(package) = part.package else {
            problems.extend(part.unreadable);
            return;
        };
        if !is_npm(&package.ecosystem) {
            return;
        }
        self.malware |= says_malware(&part.database_specific);
        self.severities.extend(part.severity.unwrap_or_default());
        problems.extend(part.aside);
        // Names are kept one per line.
        if package.name.is_empty() || package.name.chars().any(char::is_control) {
            problems.push(format!("{place}.package.name: is empty or not printable"));
            return;
        }
        let known = problems.len();
        problems.extend(part.unreadable);
        let mut ranges = reduce_ranges(
            &format!("{place}.ranges"),
            part.ranges.unwrap_or_default(),
            problems,
        );
        ranges::end_at_last_known(place, &mut ranges, &part.database_specific, problems);
        let versions = part.versions.unwrap_or_default();
        if ranges.is_empty() && versions.is_empty() && known == problems.len() {
            problems.push(format!(
                "{place}: names no versions and no ranges over versions"
            ));
        }
        self.affected.push(Affected {
            name: package.name,
            versions: drop_covered(versions, &ranges),
            ranges,
            unclear: known < problems.len(),
        });
    }
}

/// An ecosystem may have a suffix after a colon.
fn is_npm(ecosystem: &str) -> bool {
    let name = ecosystem.split(':').next().unwrap_or_default();
    name.eq_ignore_ascii_case("npm")
}

/// The address a person reads on at: an advisory, or else the first there is.
fn url(references: &[OsvReference]) -> Option<String> {
    let usable = |it: &&OsvReference| {
        it.url.as_deref().is_some_and(|url| {
            (url.starts_with("https://") || url.starts_with("http://"))
                && !url.chars().any(|c| c.is_control() || c.is_whitespace())
        })
    };
    let mut all = references.iter().filter(usable);
    let advisory = all
        .clone()
        .find(|it| it.kind.as_deref() == Some("ADVISORY"));
    advisory.or_else(|| all.next())?.url.clone()
}

fn weaknesses(specific: &Value) -> Vec<String> {
    let list = ["cwe_ids", "cwes"]
        .iter()
        .find_map(|key| specific.get(*key)?.as_array());
    list.into_iter()
        .flatten()
        .filter_map(|value| value.get("cweId").unwrap_or(value).as_str())
        .map(|text| weir_model::finding::printable(text, 30))
        .collect()
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

/// Many records list every version and also say "all of them" as a range; the list is then not
/// worth its memory.
fn drop_covered(versions: Vec<String>, ranges: &[Range]) -> Vec<String> {
    if ranges.iter().any(Range::holds_everything) {
        Vec::new()
    } else {
        versions
    }
}
