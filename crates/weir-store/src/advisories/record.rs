//! An advisory in the short form in which it is kept, and when it affects a version.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use weir_model::{AdvisoryKind, FlawSeverity, Standing};
use weir_npm::version::Version;

/// One OSV record, reduced to what is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) kind: AdvisoryKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) aliases: Vec<String>,
    pub(super) summary: String,
    /// What the database itself says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<FlawSeverity>,
    /// The vector with the highest score, and the score in tenths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cvss: Option<(String, u8)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) weaknesses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    pub(super) affected: Vec<Affected>,
}

/// The affected versions of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Affected {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ranges: Vec<Range>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) versions: Vec<String>,
    /// Something in it that cannot be read: what the rest does not cover may be affected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unclear: bool,
}

impl Affected {
    /// What it says of a version: listed by name, or inside one of the ranges (OSV schema,
    /// "Evaluation"). A version that npm itself cannot read is only compared by name, and with
    /// ranges that hold everything; of others it is unclear whether they hold it.
    pub(super) fn standing(&self, version: &str, parsed: Option<&Version>) -> Standing {
        let listed = self.versions.iter().any(|listed| listed == version)
            || parsed.is_some_and(|parsed| self.lists_equal(parsed));
        if listed {
            return Standing::Affected;
        }
        let ranges = self.ranges.iter().map(|range| match parsed {
            Some(parsed) => range.standing(parsed),
            None if range.holds_everything() => Standing::Affected,
            None => Standing::Unclear,
        });
        let rest = if self.unclear {
            Standing::Unclear
        } else {
            Standing::Clear
        };
        ranges.min().unwrap_or(Standing::Clear).min(rest)
    }

    /// Whether a listed version is the same but for its spelling or build metadata.
    fn lists_equal(&self, parsed: &Version) -> bool {
        self.versions
            .iter()
            .filter_map(|listed| Version::parse(listed).ok())
            .any(|listed| listed.precedence(parsed) == Ordering::Equal)
    }

    /// The versions it names as fixes.
    pub(super) fn fixes(&self) -> impl Iterator<Item = &Version> {
        let stated = self.ranges.iter().filter(|range| !range.last_known);
        stated.flat_map(|range| &range.events).filter_map(|event| {
            let Event::Fixed(version) = event else {
                return None;
            };
            Some(version)
        })
    }

    /// The affected versions, as alternatives of a range npm reads.
    pub(super) fn alternatives(&self) -> Vec<String> {
        if self.ranges.iter().any(Range::holds_everything) || self.unclear {
            return vec!["*".to_owned()];
        }
        let ranges = self.ranges.iter().flat_map(Range::alternatives);
        // A version npm cannot read cannot be in a range of npm's.
        let listed = self.versions.iter();
        let listed = listed.filter_map(|it| Version::parse(it).ok().map(|it| it.canonical()));
        let mut all: Vec<String> = ranges.collect();
        all.extend(listed);
        all
    }
}

/// A range: events along the line of versions, in order, and the limits beyond which they say
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    pub(super) events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) limits: Vec<Version>,
    /// Its end is only the last version known to be affected when the record was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) last_known: bool,
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

    const fn is_start(&self) -> bool {
        matches!(self, Self::Beginning | Self::Introduced(_))
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
        Self {
            events,
            limits,
            last_known: false,
        }
    }

    /// Whether nothing in it says where being affected ends.
    pub(super) fn is_open(&self) -> bool {
        self.limits.is_empty() && self.events.iter().all(Event::is_start)
    }

    /// The same, ended by the last version known to be affected.
    pub(super) fn with_last_known(self, end: Event) -> Self {
        let mut events = self.events;
        events.push(end);
        Self {
            last_known: true,
            ..Self::new(events, self.limits)
        }
    }

    /// Whether every version is inside, also one that cannot be compared.
    pub(super) fn holds_everything(&self) -> bool {
        self.limits.is_empty() && matches!(self.events.as_slice(), [Event::Beginning])
    }

    fn standing(&self, version: &Version) -> Standing {
        let below = |limit: &Version| version.precedence(limit) == Ordering::Less;
        if !self.limits.is_empty() && !self.limits.iter().any(below) {
            return Standing::Clear;
        }
        let mut affected = false;
        let mut beyond = false;
        for event in &self.events {
            match event {
                Event::Beginning => affected = true,
                Event::Introduced(from) if !below(from) => affected = true,
                Event::Fixed(from) if !below(from) => (affected, beyond) = (false, true),
                Event::LastAffected(last) if version.precedence(last) == Ordering::Greater => {
                    (affected, beyond) = (false, true);
                }
                Event::Introduced(_) | Event::Fixed(_) | Event::LastAffected(_) => {}
            }
        }
        match (affected, beyond && self.last_known) {
            (true, _) => Standing::Affected,
            (false, true) => Standing::Beyond,
            (false, false) => Standing::Clear,
        }
    }

    /// Its stretches in npm's words. Audits read them with all prereleases, as events are judged.
    fn alternatives(&self) -> Vec<String> {
        let limit = self.limits.iter().max_by(|a, b| a.precedence(b));
        let mut out = Vec::new();
        let mut start: Option<&Event> = None;
        let mut close = |start: &Event, end: Option<String>| {
            let from = match start {
                Event::Introduced(version) => format!(">={}", version.canonical()),
                _ => String::new(),
            };
            let limit = limit.map(|limit| format!("<{}", limit.canonical()));
            let parts = [Some(from), end, limit];
            let parts: Vec<String> = parts
                .into_iter()
                .flatten()
                .filter(|it| !it.is_empty())
                .collect();
            out.push(if parts.is_empty() {
                "*".to_owned()
            } else {
                parts.join(" ")
            });
        };
        for event in &self.events {
            match (event, start) {
                (Event::Fixed(end), Some(from)) => {
                    close(from, Some(format!("<{}", end.canonical())));
                    start = None;
                }
                (Event::LastAffected(end), Some(from)) => {
                    close(from, Some(format!("<={}", end.canonical())));
                    start = None;
                }
                (Event::Beginning | Event::Introduced(_), None) => start = Some(event),
                _ => {}
            }
        }
        if let Some(from) = start {
            close(from, None);
        }
        out
    }
}
