//! Whether a version that nothing affects is fixed. Being past what is affected is not the same: somebody has
//! to say that it is fixed, for everything that is affected on the way there.

use std::cmp::Ordering;
use std::fmt;

use weir_npm::version::Version;

use super::record::{Affected, Event, Range, Record};

/// Why a version is not called fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFixed {
    /// It is lower than the affected one.
    Lower,
    /// It is past the last affected version that a record states.
    PastLast {
        /// That version.
        last: String,
        /// The record's id.
        record: String,
    },
    /// It is past the limit of what a record speaks of.
    PastLimit {
        /// The limit.
        limit: String,
        /// The record's id.
        record: String,
    },
    /// A record calls it affected.
    Affected {
        /// The record's id.
        record: String,
    },
    /// The affected version cannot be compared, and a record names it alone.
    NoOrder {
        /// The record's id.
        record: String,
    },
}

impl NotFixed {
    /// The last affected version that is stated, where the other lies past that.
    #[must_use]
    pub fn last_affected(&self) -> Option<&str> {
        match self {
            Self::PastLast { last, .. } => Some(last),
            Self::Lower | Self::PastLimit { .. } | Self::Affected { .. } | Self::NoOrder { .. } => {
                None
            }
        }
    }

    fn past(record: &Record, stretch: &Stretch, version: &Version) -> Self {
        let record = record.id.clone();
        match &stretch.end {
            End::Last(last) if last.precedence(version) == Ordering::Less => Self::PastLast {
                last: last.canonical(),
                record,
            },
            End::Before(limit) if limit.precedence(version) != Ordering::Greater => {
                Self::PastLimit {
                    limit: limit.canonical(),
                    record,
                }
            }
            End::Open | End::Last(_) | End::Before(_) => Self::Affected { record },
        }
    }
}

impl fmt::Display for NotFixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lower => f.write_str("it is lower than the affected one"),
            Self::PastLast { last, record } => write!(
                f,
                "{last} is the last affected one in {record}, which states no fix after it"
            ),
            Self::PastLimit { limit, record } => write!(
                f,
                "{record} does not speak of versions from {limit} on, and states no fix"
            ),
            Self::Affected { record } => write!(f, "{record} calls it affected"),
            Self::NoOrder { record } => write!(
                f,
                "{record} names the affected version alone, and states no fix for it"
            ),
        }
    }
}

/// Why records do not call a version fixed that is taken in place of an affected one, which is given as it is
/// written and read where it can be; nothing where they do: of each stretch of affected versions that there is
/// from the one that is left up to this one, its record states a fix that comes no later than this one. Of
/// several reasons the one that reaches highest.
pub(super) fn why_not<'r>(
    records: impl Iterator<Item = &'r Record>,
    (text, from): (&str, Option<&Version>),
    version: &Version,
) -> Option<NotFixed> {
    let mut highest: Option<(&Record, Stretch)> = None;
    for record in records {
        let affected = &record.affected;
        let is_listed = |it: &Affected| it.versions.iter().any(|it| it == text);
        if from.is_none() && affected.iter().any(is_listed) {
            let record = record.id.clone();
            return Some(NotFixed::NoOrder { record });
        }
        for stretch in unfixed(record, from, version) {
            let is_highest = |(_, known): &(&Record, Stretch)| stretch.ends_after(known);
            if highest.as_ref().is_none_or(is_highest) {
                highest = Some((record, stretch));
            }
        }
    }
    highest.map(|(record, stretch)| NotFixed::past(record, &stretch, version))
}

/// The stretches of a record between two versions for which it states no fix up to the second.
fn unfixed(record: &Record, from: Option<&Version>, to: &Version) -> Vec<Stretch> {
    let all: Vec<Stretch> = record
        .affected
        .iter()
        .flat_map(Affected::stretches)
        .collect();
    let (fixed, mut open): (Vec<Stretch>, Vec<Stretch>) =
        all.into_iter().partition(|it| it.is_fixed_at(to));
    open.retain(|it| it.touches(from, to) && !fixed.iter().any(|other| other.covers_end_of(it)));
    open
}

/// Where the first stretch after a version begins.
pub(super) fn next_affected<'r>(
    records: impl Iterator<Item = &'r Record>,
    after: &Version,
) -> Option<Version> {
    let stretches = records
        .flat_map(|it| &it.affected)
        .flat_map(Affected::stretches);
    stretches
        .filter_map(|it| it.from)
        .filter(|from| from.precedence(after) == Ordering::Greater)
        .min()
}

/// A stretch of affected versions.
#[derive(Debug, Clone)]
struct Stretch {
    /// Where it begins; nothing for the very beginning.
    from: Option<Version>,
    end: End,
    /// The version that is stated to be its fix.
    fix: Option<Version>,
}

/// Where a stretch ends.
#[derive(Debug, Clone)]
enum End {
    Open,
    /// With this version.
    Last(Version),
    /// Before this version.
    Before(Version),
}

impl End {
    const fn version(&self) -> Option<&Version> {
        match self {
            Self::Open => None,
            Self::Last(version) | Self::Before(version) => Some(version),
        }
    }

    /// Whether it is at a version, or before it.
    fn is_before(&self, version: &Version) -> bool {
        match self {
            Self::Open => false,
            Self::Last(last) => last.precedence(version) == Ordering::Less,
            Self::Before(end) => end.precedence(version) != Ordering::Greater,
        }
    }
}

impl Stretch {
    const fn beginning_at(from: Option<Version>) -> Self {
        Self {
            from,
            end: End::Open,
            fix: None,
        }
    }

    /// Takes in an event that calls a version fixed; one that only ends what is known so far is no fix.
    fn fixed_at(&mut self, fix: &Version, last_known: bool) {
        if matches!(self.end, End::Open) {
            self.end = End::Before(fix.clone());
        }
        if self.fix.is_none() && !last_known {
            self.fix = Some(fix.clone());
        }
    }

    /// Whether it holds versions between two; without the first, any up to the second.
    fn touches(&self, from: Option<&Version>, to: &Version) -> bool {
        let begins = self.from.as_ref();
        let begins = begins.is_none_or(|it| it.precedence(to) != Ordering::Greater);
        begins && !from.is_some_and(|from| self.end.is_before(from))
    }

    fn is_fixed_at(&self, version: &Version) -> bool {
        let fix = self.fix.as_ref();
        fix.is_some_and(|fix| fix.precedence(version) != Ordering::Greater)
    }

    /// Whether it goes on where another ends, so that its fix is one of the other, too: records say the same
    /// in several ways, as a list of versions and as a range.
    fn covers_end_of(&self, other: &Self) -> bool {
        let Some(end) = other.end.version() else {
            return false;
        };
        let begins = self.from.as_ref();
        let begins = begins.is_none_or(|it| it.precedence(end) != Ordering::Greater);
        let fix = self.fix.as_ref().map(|fix| fix.precedence(end));
        begins
            && match fix {
                Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => matches!(other.end, End::Before(_)),
                Some(Ordering::Less) | None => false,
            }
    }

    fn ends_after(&self, other: &Self) -> bool {
        match (self.end.version(), other.end.version()) {
            (Some(one), Some(other)) => one.precedence(other) == Ordering::Greater,
            (one, other) => one.is_none() && other.is_some(),
        }
    }

    /// The same up to a limit; nothing where it begins beyond.
    fn up_to(mut self, limit: &Version) -> Option<Self> {
        let begins = self.from.as_ref();
        if begins.is_some_and(|it| it.precedence(limit) != Ordering::Less) {
            return None;
        }
        if !self.end.is_before(limit) {
            self.end = End::Before(limit.clone());
        }
        Some(self)
    }
}

impl Affected {
    /// The stretches of its ranges; a listed version is a stretch of one.
    fn stretches(&self) -> Vec<Stretch> {
        let listed = self.versions.iter();
        let listed = listed.filter_map(|it| Version::parse(it).ok());
        let listed = listed.map(|version| Stretch {
            from: Some(version.clone()),
            end: End::Last(version),
            fix: None,
        });
        let ranges = self.ranges.iter().flat_map(Range::stretches);
        ranges.chain(listed).collect()
    }
}

impl Range {
    /// Its stretches, as its events are judged. A fix that is stated after the last affected version is one,
    /// too; the end of what is only known so far is none.
    fn stretches(&self) -> Vec<Stretch> {
        let mut all: Vec<Stretch> = Vec::new();
        for event in &self.events {
            let is_open = all.last().is_some_and(|it| matches!(it.end, End::Open));
            match event {
                Event::Beginning if !is_open => all.push(Stretch::beginning_at(None)),
                Event::Introduced(from) if !is_open => {
                    all.push(Stretch::beginning_at(Some(from.clone())));
                }
                Event::Beginning | Event::Introduced(_) => {}
                Event::Fixed(fix) => {
                    if let Some(known) = all.last_mut() {
                        known.fixed_at(fix, self.last_known);
                    }
                }
                Event::LastAffected(last) => {
                    if let Some(known) = all.last_mut().filter(|_| is_open) {
                        known.end = End::Last(last.clone());
                    }
                }
            }
        }
        match self.limits.iter().max_by(|a, b| a.precedence(b)) {
            Some(limit) => all.into_iter().filter_map(|it| it.up_to(limit)).collect(),
            None => all,
        }
    }
}
