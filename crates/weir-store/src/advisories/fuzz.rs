//! The body of the fuzz target `advisory`, shared with the property tests.

use jiff::Timestamp;
use weir_model::Standing;
use weir_npm::version::{Range, Version};

use super::osv;
use super::record::{Affected, Record};

/// Reads arbitrary bytes as an OSV record and, if they are one, asks it about a few versions.
///
/// # Panics
/// When a promise is broken: a record that is kept has an id and reads back as it was written; what could not
/// be read is named; nothing unclear is called clear; what is said in npm's words holds the versions that are
/// affected.
pub fn advisory(data: &[u8]) {
    let Ok(found) = osv::reduce(data, Timestamp::UNIX_EPOCH) else {
        return;
    };
    let record = &found.record;
    assert!(!record.id.trim().is_empty());
    assert!(!(found.withdrawn && found.pending));
    let text = serde_json::to_string(record).unwrap_or_default();
    let back: Option<Record> = serde_json::from_str(&text).ok();
    assert_eq!(back.as_ref(), Some(record), "it is not kept as it is");
    for affected in &record.affected {
        assert!(!affected.name.is_empty() && !affected.name.contains('\n'));
        assert!(!affected.unclear || !found.problems.is_empty());
        ask(affected);
    }
}

fn ask(affected: &Affected) {
    let words = affected.alternatives().join(" || ");
    // Clients refuse longer ones, and so does the reader of ranges.
    if words.len() > weir_npm::version::MAX_RANGE_LENGTH {
        return;
    }
    let range = Range::parse_with_prereleases(&words);
    assert!(range.is_ok(), "{words:?} is no range of npm's");
    let Ok(range) = range else { return };
    let fixes = affected.fixes().map(Version::as_str);
    let listed = affected.versions.iter().map(String::as_str);
    let usual = ["0.0.0-0", "1.0.0", "2.3.4-rc.1", "9999.0.0+x", "banana", ""];
    for text in usual.into_iter().chain(fixes).chain(listed) {
        let version = Version::parse(text).ok();
        let standing = affected.standing(text, version.as_ref());
        if affected.unclear {
            assert!(standing <= Standing::Unclear, "{text:?} is called clear");
        }
        if let (Standing::Affected, Some(version)) = (standing, &version) {
            assert!(range.matches(version), "{text:?} is not in {words:?}");
        }
    }
}
