//! An advisory as far as weir needs it: what it is about, whether it is malware, and who says so.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an advisory warns of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
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

/// How bad a flaw is, in the words npm's audit uses.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FlawSeverity {
    /// Good to know.
    Info,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Moderate,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 and more.
    Critical,
}

impl FlawSeverity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Moderate,
        Self::High,
        Self::Critical,
    ];

    /// Its name as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The name's severity, in any case. `MEDIUM` is what CVSS says for moderate.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("medium") {
            return Some(Self::Moderate);
        }
        Self::ALL
            .into_iter()
            .find(|it| it.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for FlawSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for FlawSeverity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::named(text)
            .ok_or_else(|| format!("{text:?} is none of info, low, moderate, high, critical"))
    }
}

/// A CVSS score in tenths, 0 to 100; written as the usual number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u8);

impl Score {
    /// The score of this many tenths; more than 100 count as 100.
    #[must_use]
    pub fn from_tenths(tenths: u8) -> Self {
        Self(tenths.min(100))
    }

    /// Ten times the score.
    #[must_use]
    pub const fn tenths(self) -> u8 {
        self.0
    }

    /// The usual number, 0.0 to 10.0.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// The severity a score stands for (CVSS v3.1 and v4.0, qualitative severity rating scale).
    #[must_use]
    pub const fn severity(self) -> FlawSeverity {
        match self.0 {
            0 => FlawSeverity::Info,
            1..=39 => FlawSeverity::Low,
            40..=69 => FlawSeverity::Moderate,
            70..=89 => FlawSeverity::High,
            _ => FlawSeverity::Critical,
        }
    }
}

impl Serialize for Score {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

/// A CVSS vector and the score it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cvss {
    /// The score.
    #[schemars(with = "f64")]
    pub score: Score,
    /// The vector, with its version.
    pub vector: String,
}

/// What one record of a feed says of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stance {
    /// It is affected.
    Affected,
    /// The record's ranges cannot be read: it may be affected.
    Unclear,
    /// It lies beyond the last version that is known to be affected, and no fix is stated.
    Beyond,
    /// It is not affected.
    NotAffected,
    /// The record was withdrawn.
    Withdrawn,
    /// Another feed has a newer copy of the same record, which counts instead.
    Older,
    /// The feed has no record of it.
    Silent,
}

/// What one feed says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FeedSays {
    /// The feed.
    pub feed: String,
    /// The id of its record, if it has one.
    pub id: Option<String>,
    /// What it says.
    pub says: Stance,
}

/// One flaw, or one finding of malware, as all feeds together tell it: records that name each other, or
/// the same alias, are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The id it is best known by.
    pub id: String,
    /// What it is; malware as soon as one record that counts says so.
    pub kind: AdvisoryKind,
    /// All other ids of it.
    pub aliases: Vec<String>,
    /// One line about it.
    pub summary: String,
    /// How bad it is, the worst that is said; `None` where nobody says.
    pub severity: Option<FlawSeverity>,
    /// The highest score.
    pub cvss: Option<Cvss>,
    /// Weaknesses it is an example of (`CWE-…`).
    pub weaknesses: Vec<String>,
    /// Where to read on.
    pub url: String,
    /// The affected versions, as a range npm reads.
    pub vulnerable: String,
    /// The unaffected versions that the records themselves name as fixes, lowest first. Of those for one
    /// version only what is fixed by the word of every record of the flaw.
    pub fixes: Vec<String>,
    /// The same as a range npm reads: from the last one on, up to where something is affected again.
    pub patched: Option<String>,
    /// Whether it is certain that the version asked about is affected; else its ranges cannot be read.
    pub certain: bool,
    /// Who says what.
    pub says: Vec<FeedSays>,
}

impl Told {
    /// All ids it is known by.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// What all advisories together say of a version, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// At least one says that it is affected.
    Affected,
    /// A range cannot be read: nobody can tell.
    Unclear,
    /// Beyond the last version known to be affected, and no fix is stated.
    Beyond,
    /// None says that it is affected.
    Clear,
}
