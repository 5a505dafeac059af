//! An advisory as far as weir needs it: what it is about, and whether it is malware.

use serde::{Deserialize, Serialize};

/// What an advisory warns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdvisoryKind {
    /// The release is hostile.
    Malware,
    /// The release has a flaw.
    Vulnerability,
}

/// One OSV record that affects a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id, e.g. `MAL-2025-0000` or `GHSA-….`
    pub id: String,
    /// What it warns of.
    pub kind: AdvisoryKind,
    /// Other ids of the same thing.
    pub aliases: Vec<String>,
    /// One line about it.
    pub summary: String,
}
