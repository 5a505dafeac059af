//! An advisory in the short form in which it is kept, and when it affects a version.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use weir_model::{Advisory, AdvisoryKind};
use weir_npm::version::Version;

/// One OSV record, reduced to what is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) kind: AdvisoryKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) aliases: Vec<String>,
    pub(super) summary: String,
    pub(super) affected: Vec<Affected>,
}

impl Record {
    pub(super) fn advisory(&self) -> Advisory {
        Advisory {
            id: self.id.clone(),
            kind: self.kind,
            aliases: self.aliases.clone(),
            summary: self.summary.clone(),
        }
    }
}

/// The affected versions of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Affected {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ranges: Vec<Range>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) versions: Vec<String>,
}

impl Affected {
    /// Whether a version is affected: listed by name, or inside one of the ranges (OSV schema,
    /// "Evaluation"). A version that npm itself cannot read is only compared by name, and with
    /// ranges that hold everything.
    pub(super) fn holds(&self, version: &str, parsed: Option<&Version>) -> bool {
        self.versions.iter().any(|listed| listed == version)
            || parsed.is_some_and(|parsed| self.lists_equal(parsed))
            || self.ranges.iter().any(|range| match parsed {
                Some(parsed) => range.holds(parsed),
                None => range.holds_everything(),
            })
    }

    /// Whether a listed version is the same but for its spelling or build metadata.
    fn lists_equal(&self, parsed: &Version) -> bool {
        self.versions
            .iter()
            .filter_map(|listed| Version::parse(listed).ok())
            .any(|listed| listed.precedence(parsed) == Ordering::Equal)
    }
}

/// A range: events along the line of versions, in order, and the limits beyond which they say
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    pub(super) events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) limits: Vec<Version>,
}

/// A point where being affected begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Event {
    /// Affected from the very beginning: `introduced` with the value `0`.
    #[serde(rename = "all")]
    Beginning,
    /// Affected from this version on.
    #[serde(rename = "i")]
    Introduced(Version),
    /// Not affected from this version on.
    #[serde(rename = "f")]
    Fixed(Version),
    /// Affected up to and with this version.
    #[serde(rename = "l")]
    LastAffected(Version),
}

impl Event {
    fn version(&self) -> Option<&Version> {
        match self {
            Self::Beginning => None,
            Self::Introduced(version) | Self::Fixed(version) | Self::LastAffected(version) => {
                Some(version)
            }
        }
    }
}

impl Range {
    /// A range with its events in the order in which they are judged: by version, and at one
    /// version the end of an earlier stretch before the beginning of the next.
    pub(super) fn new(mut events: Vec<Event>, limits: Vec<Version>) -> Self {
        let rank = |event: &Event| match event {
            Event::Beginning => 0_u8,
            Event::Fixed(_) => 1,
            Event::Introduced(_) => 2,
            Event::LastAffected(_) => 3,
        };
        events.sort_by(|a, b| {
            let by_version = match (a.version(), b.version()) {
                (Some(a), Some(b)) => a.precedence(b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            by_version.then_with(|| rank(a).cmp(&rank(b)))
        });
        Self { events, limits }
    }

    /// Whether every version is inside, also one that cannot be compared.
    pub(super) fn holds_everything(&self) -> bool {
        self.limits.is_empty() && matches!(self.events.as_slice(), [Event::Beginning])
    }

    fn holds(&self, version: &Version) -> bool {
        let below = |limit: &Version| version.precedence(limit) == Ordering::Less;
        if !self.limits.is_empty() && !self.limits.iter().any(below) {
            return false;
        }
        let mut affected = false;
        for event in &self.events {
            match event {
                Event::Beginning => affected = true,
                Event::Introduced(from) if !below(from) => affected = true,
                Event::Fixed(from) if !below(from) => affected = false,
                Event::LastAffected(last) if version.precedence(last) == Ordering::Greater => {
                    affected = false;
                }
                Event::Introduced(_) | Event::Fixed(_) | Event::LastAffected(_) => {}
            }
        }
        affected
    }
}
