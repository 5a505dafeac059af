//! What is told of a package, and how the reports of several are put together.

use std::collections::BTreeSet;

use weir_model::finding::printable;
use weir_model::{AdvisoryKind, FlawSeverity, Told};
use weir_npm::version::{Range, Version, join_ranges};

/// npm's word for "no version is a fix".
pub const NO_FIX: &str = "<0.0.0";

/// Stands after the title of what may mean any version.
const UNREADABLE: &str = " (which versions cannot be read from the advisory: any may be affected)";

/// What is told of a package: one flaw, or malware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its ids: those of databases, as far as they are known.
    pub ids: BTreeSet<String>,
    /// The number a registry has given it.
    pub number: Option<u64>,
    /// Where to read on.
    pub url: String,
    /// One line about it.
    pub title: String,
    /// How bad it is; `None` where nobody says.
    pub severity: Option<FlawSeverity>,
    /// The affected versions, as a range of npm's with all prereleases.
    pub vulnerable: String,
    /// The versions that are a fix, as a range of npm's: [`NO_FIX`] where no fix is stated, and `None` where
    /// fixes are not spoken of.
    pub patched: Option<String>,
    /// Weaknesses it is an example of (`CWE-…`).
    pub weaknesses: Vec<String>,
    /// Score in tenths, and vector, where there is one.
    pub cvss: Option<(u8, Option<String>)>,
    /// Which of the versions that were asked about are affected.
    pub versions: BTreeSet<String>,
}

pub(super) fn join_told(known: &mut Vec<Heard>, told: &Told, version: &str) {
    let heard = Heard {
        ids: told.ids().map(str::to_owned).collect(),
        number: None,
        url: told.url.clone(),
        title: title_for(told, version),
        severity: told.severity,
        vulnerable: told.vulnerable.clone(),
        patched: Some(told.patched.clone().unwrap_or_else(|| NO_FIX.to_owned())),
        weaknesses: told.weaknesses.clone(),
        cvss: told
            .cvss
            .as_ref()
            .map(|cvss| (cvss.score.tenths(), Some(cvss.vector.clone()))),
        versions: BTreeSet::from([version.to_owned()]),
    };
    merge(known, heard);
}

/// One line about it, for those who asked about this version. Where it is the version that cannot be read,
/// nothing is wrong with the advisory.
fn title_for(told: &Told, version: &str) -> String {
    if told.certain || Version::parse(version).is_ok() {
        return title(told);
    }
    let (line, version) = (line(told), printable(version, 100));
    format!("{line} ({version:?} is no version that can be compared: it may be affected)")
}

pub(super) fn title(told: &Told) -> String {
    let suffix = match (told.certain, told.severity) {
        (false, _) => UNREADABLE,
        (true, None) => " (severity not stated)",
        (true, Some(_)) => "",
    };
    format!("{}{suffix}", line(told))
}

/// Its summary, or its id where it has none, with a word for malware.
fn line(told: &Told) -> String {
    let summary = match told.summary.as_str() {
        "" => told.id.as_str(),
        summary => summary,
    };
    let prefix = match told.kind {
        AdvisoryKind::Malware if !says_malware(summary) => "Malware: ",
        _ => "",
    };
    format!("{prefix}{summary}")
}

/// Whether a line says by itself that it is about malware.
fn says_malware(line: &str) -> bool {
    let mut words = line.split(|it: char| !it.is_alphanumeric());
    words.any(|word| {
        ["malware", "malicious"]
            .iter()
            .any(|it| word.eq_ignore_ascii_case(it))
    })
}

/// Takes in what a registry says, if it concerns a version that was asked about. Where its range cannot be
/// read, any version may be meant; clients judge by the range once more, which has to say so.
pub(super) fn join(known: &mut Vec<Heard>, mut heard: Heard, versions: &BTreeSet<String>) {
    let range = Range::parse_with_prereleases(&heard.vulnerable).ok();
    let Some(range) = range.filter(Range::is_understood) else {
        heard.vulnerable = "*".to_owned();
        note_unreadable(&mut heard.title);
        heard.versions.clone_from(versions);
        return merge(known, heard);
    };
    let affected = versions.iter().filter(|version| {
        // The registry was asked about these versions only: what cannot be compared is meant.
        let version = Version::parse(version).ok();
        version.is_none_or(|version| range.matches(&version))
    });
    heard.versions = affected.cloned().collect();
    if !heard.versions.is_empty() {
        merge(known, heard);
    }
}

/// Says once that the range cannot be read.
fn note_unreadable(title: &mut String) {
    if !title.ends_with(UNREADABLE) {
        title.push_str(UNREADABLE);
    }
}

/// Adds a report. All it has an id in common with become one with it, those that were apart as well.
fn merge(known: &mut Vec<Heard>, heard: Heard) {
    let is_same = |it: &Heard| !it.ids.is_disjoint(&heard.ids);
    let Some(place) = known.iter().position(is_same) else {
        known.push(heard);
        return;
    };
    let (same, other) = std::mem::take(known).into_iter().partition(is_same);
    *known = other;
    let same: Vec<Heard> = same;
    let mut all = same.into_iter().chain([heard]);
    if let Some(first) = all.next() {
        known.insert(place, all.fold(first, together));
    }
}

/// Puts two reports of one flaw together.
fn together(mut one: Heard, other: Heard) -> Heard {
    one.vulnerable = join_ranges([&*one.vulnerable, &*other.vulnerable]);
    if other.title.ends_with(UNREADABLE) {
        note_unreadable(&mut one.title);
    }
    // A fix has to be one to both.
    one.patched = match (one.patched.take(), other.patched) {
        (Some(one), Some(other)) if one == NO_FIX || other == NO_FIX => Some(NO_FIX.to_owned()),
        (Some(one), Some(other)) if one != other => Some(higher(&one, &other)),
        (one, other) => one.or(other),
    };
    one.ids.extend(other.ids);
    one.number = one.number.or(other.number);
    one.severity = one.severity.max(other.severity);
    one.versions.extend(other.versions);
    one.cvss = one.cvss.or(other.cvss);
    for weakness in other.weaknesses {
        if !one.weaknesses.contains(&weakness) {
            one.weaknesses.push(weakness);
        }
    }
    one
}

/// Of two statements of fixed versions the one that begins later, up to where either ends.
pub(super) fn higher(one: &str, other: &str) -> String {
    let first = |text: &str| {
        let bare = text.trim_start_matches(['>', '=', ' ']);
        let word = bare.split([' ', '|']).next().unwrap_or(bare);
        Version::parse(word).ok()
    };
    let (higher, lower) = match (first(one), first(other)) {
        (Some(a), Some(b)) if a < b => (other, one),
        _ => (one, other),
    };
    let end = |text: &str| {
        let last = text.rsplit("||").next()?;
        let end = last
            .split_whitespace()
            .find_map(|it| it.strip_prefix('<'))?;
        Version::parse(end).ok()
    };
    match (end(higher), end(lower)) {
        (None, Some(end)) if first(higher).is_some_and(|first| first >= end) => NO_FIX.to_owned(),
        (None, Some(end)) if !higher.contains("||") => format!("{higher} <{end}"),
        _ => higher.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whose fault it is that nothing is certain: the advisory's or that of the version asked about.
    #[test]
    fn what_cannot_be_read_is_named() {
        let told = |certain| Told {
            id: "X-1".to_owned(),
            kind: AdvisoryKind::Vulnerability,
            aliases: Vec::new(),
            summary: "reed leaks".to_owned(),
            severity: None,
            cvss: None,
            weaknesses: Vec::new(),
            url: String::new(),
            vulnerable: "*".to_owned(),
            fixes: Vec::new(),
            patched: None,
            certain,
            says: Vec::new(),
        };
        for (version, certain, title) in [
            ("1.0.0", true, "reed leaks (severity not stated)"),
            (
                "1.0.0",
                false,
                "reed leaks (which versions cannot be read from the advisory: any may be affected)",
            ),
            (
                "nope",
                false,
                "reed leaks (\"nope\" is no version that can be compared: it may be affected)",
            ),
            // The advisory lists it, letter by letter.
            ("nope", true, "reed leaks (severity not stated)"),
        ] {
            let mut known = Vec::new();
            join_told(&mut known, &told(certain), version);
            assert_eq!(known[0].title, title, "{version} {certain}");
        }
    }
}
