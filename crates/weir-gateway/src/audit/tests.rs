//! What the tests of several parts need.

use std::collections::BTreeSet;

use weir_engine::audit::{AuditAnswer, Heard};

/// A report of a flaw of unstated severity.
pub(super) fn heard(id: &str, number: Option<u64>) -> Heard {
    Heard {
        ids: BTreeSet::from([id.to_owned()]),
        number,
        url: String::new(),
        title: "reed leaks".to_owned(),
        severity: None,
        vulnerable: "*".to_owned(),
        patched: None,
        weaknesses: Vec::new(),
        cvss: None,
        versions: BTreeSet::new(),
    }
}

pub(super) fn answer<const N: usize>(heard: [(&str, Vec<Heard>); N]) -> AuditAnswer {
    AuditAnswer {
        heard: heard.map(|(name, heard)| (name.to_owned(), heard)).into(),
        has_advisories: true,
        ..AuditAnswer::default()
    }
}
