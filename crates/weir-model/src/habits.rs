//! What is usual for a scope, an account or a package: counts of what its releases were like, learned
//! one release at a time and taken back the same way.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// Most different values of one kind that are told apart for one package, such as licences: far above
/// what honest packages have, and a bound on what a made-up history costs. Further ones count as one.
const MOST_VALUES: usize = 64;

/// Most moments kept of one package, the newest: twice the releases that make habits (DETECTION 4.4).
const MOST_MOMENTS: usize = 64;

/// What is published within this many minutes of each other belongs to one burst. The campaigns on
/// record put their releases out within 10 to 60 minutes (INCIDENTS I09, I22, I25, I45).
pub const BURST_MINUTES: i64 = 60;

/// A moment as precisely as habits need it: minutes since
/// 1970-01-01 UTC.
pub type Minute = i64;

/// The minute of a moment.
#[must_use]
pub fn minute(at: Timestamp) -> Minute {
    at.as_second().div_euclid(60)
}

/// Who published a release, as far as that tells one release from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// An account, by name.
    Account(String),
    /// A workflow of this host that the owners trust to publish.
    Workflow(String),
}

impl By {
    /// As it is printed and counted: `~mara`, `workflow github`. An account is its name to the letter: names that
    /// differ in case are of two, and whoever takes the other must not be taken for the first.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Account(name) => format!("~{name}"),
            Self::Workflow(host) => format!("workflow {host}"),
        }
    }
}

/// How strongly the registry vouches for where a release was built, weakest first (DETECTION section 6).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Not at all.
    #[default]
    None,
    /// With provenance.
    Provenance,
    /// Published by a trusted workflow, with provenance.
    TrustedPublisher,
    /// Staged, and approved by a second person.
    Approved,
}

impl Origin {
    /// All of them, weakest first.
    pub const ALL: [Self; 4] = [
        Self::None,
        Self::Provenance,
        Self::TrustedPublisher,
        Self::Approved,
    ];
}

/// What one release teaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// Its version.
    pub version: String,
    /// The line it belongs to, as a number that equal lines share.
    pub line: u64,
    /// When it was published.
    pub published: Timestamp,
    /// By whom; nothing where the registry does not say.
    pub by: Option<By>,
    /// What vouches for its origin.
    pub origin: Origin,
    /// Whether anything runs when it is installed.
    pub hooks: bool,
    /// Its licence.
    pub licence: Option<String>,
    /// Host and owner of the repository it names, in lower case: `git.example.invalid/mara`.
    pub repository: Option<String>,
    /// Names it depends on when it is installed, sorted.
    pub dependencies: Vec<String>,
}

/// When a release of a package came out, and of which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// Minutes since 1970-01-01 UTC.
    pub minute: Minute,
    /// See [`Lesson::line`].
    pub line: u64,
}

/// How often each value was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    values: BTreeMap<String, u32>,
    /// Those beyond the bound.
    #[serde(default)]
    others: u32,
}

impl Counts {
    fn add(&mut self, value: &str) {
        if let Some(count) = self.values.get_mut(value) {
            *count = count.saturating_add(1);
        } else if self.values.len() < MOST_VALUES {
            self.values.insert(value.to_owned(), 1);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    fn take(&mut self, value: &str) {
        match self.values.get_mut(value) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                self.values.remove(value);
            }
            None => self.others = self.others.saturating_sub(1),
        }
    }

    /// Whether it was seen at all.
    #[must_use]
    pub fn has(&self, value: &str) -> bool {
        self.values.contains_key(value)
    }

    /// The values, most frequent first.
    #[must_use]
    pub fn ranked(&self) -> Vec<(&str, u32)> {
        let all = self.values.iter();
        let mut ranked: Vec<(&str, u32)> =
            all.map(|(value, count)| (value.as_str(), *count)).collect();
        ranked.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        ranked
    }

    /// Adds all of another's.
    fn merge(&mut self, other: &Self) {
        for (value, count) in &other.values {
            match self.values.get_mut(value) {
                Some(own) => *own = own.saturating_add(*count),
                None => {
                    self.values.insert(value.clone(), *count);
                }
            }
        }
        self.others = self.others.saturating_add(other.others);
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.others == 0
    }
}

/// What the releases of one package were like, those of one owner only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habits {
    /// How many releases taught this.
    pub releases: u32,
    /// How many of them run something when they are installed.
    pub hooks: u32,
    /// How many each origin had, in the order of [`Origin`].
    pub origins: [u32; 4],
    /// Who published them.
    pub publishers: Counts,
    /// How many name no publisher.
    pub nobody: u32,
    /// Their licences.
    pub licences: Counts,
    /// Owners of the repositories they name.
    pub repositories: Counts,
    /// What they depend on.
    pub dependencies: Counts,
    /// How many came out in each hour of the day, UTC.
    pub hours: [u32; 24],
    /// When the newest of them came out, oldest first.
    pub moments: Vec<Moment>,
}

impl Habits {
    /// Learns a release.
    pub fn learn(&mut self, lesson: &Lesson) {
        self.count(lesson, u32::saturating_add, Counts::add);
        let moment = moment_of(lesson);
        let at = self.moments.partition_point(|other| *other <= moment);
        self.moments.insert(at, moment);
        if self.moments.len() > MOST_MOMENTS {
            self.moments.remove(0);
        }
    }

    /// Takes back what a release taught. Only what was learned may be taken back.
    pub fn unlearn(&mut self, lesson: &Lesson) {
        self.count(lesson, u32::saturating_sub, Counts::take);
        let moment = moment_of(lesson);
        if let Some(at) = self.moments.iter().position(|other| *other == moment) {
            self.moments.remove(at);
        }
    }

    fn count(&mut self, lesson: &Lesson, step: fn(u32, u32) -> u32, value: fn(&mut Counts, &str)) {
        let by_one = |count: &mut u32| *count = step(*count, 1);
        by_one(&mut self.releases);
        if lesson.hooks {
            by_one(&mut self.hooks);
        }
        if let Some(count) = self.origins.get_mut(lesson.origin as usize) {
            by_one(count);
        }
        match &lesson.by {
            Some(by) => value(&mut self.publishers, &by.label()),
            None => by_one(&mut self.nobody),
        }
        if let Some(licence) = &lesson.licence {
            value(&mut self.licences, licence);
        }
        if let Some(repository) = &lesson.repository {
            value(&mut self.repositories, repository);
        }
        for dependency in &lesson.dependencies {
            value(&mut self.dependencies, dependency);
        }
        let hour = Offset::UTC.to_datetime(lesson.published).hour();
        if let Some(count) = usize::try_from(hour)
            .ok()
            .and_then(|hour| self.hours.get_mut(hour))
        {
            by_one(count);
        }
    }

    /// Whether all of its releases have at least this origin.
    #[must_use]
    pub fn always(&self, origin: Origin) -> bool {
        let weaker = self.origins.iter().take(origin as usize).sum::<u32>();
        self.releases > 0 && weaker == 0
    }

    /// Whether any of its releases came from a workflow.
    #[must_use]
    pub fn has_workflow(&self) -> bool {
        let ranked = self.publishers.ranked();
        ranked.iter().any(|(who, _)| who.starts_with("workflow "))
    }

    /// Days between two releases in the median, of the newest ones; nothing with fewer than two.
    #[must_use]
    pub fn median_days_between(&self) -> Option<f64> {
        let mut gaps: Vec<Minute> = self
            .moments
            .windows(2)
            .filter_map(|pair| match pair {
                [one, other] => Some(other.minute - one.minute),
                _ => None,
            })
            .collect();
        gaps.sort_unstable();
        let minutes = *gaps.get(gaps.len() / 2)?;
        // Minutes of any real history are exact in a double.
        Some((minutes as f64 / 14.4).round() / 100.0)
    }

    /// Adds all that another package's releases taught.
    fn merge(&mut self, other: &Self) {
        self.releases = self.releases.saturating_add(other.releases);
        self.hooks = self.hooks.saturating_add(other.hooks);
        self.nobody = self.nobody.saturating_add(other.nobody);
        let origins = self.origins.iter_mut().zip(&other.origins);
        let hours = self.hours.iter_mut().zip(&other.hours);
        for (own, other) in origins.chain(hours) {
            *own = own.saturating_add(*other);
        }
        self.publishers.merge(&other.publishers);
        self.licences.merge(&other.licences);
        self.repositories.merge(&other.repositories);
        self.dependencies.merge(&other.dependencies);
        self.moments.extend(&other.moments);
    }
}

fn moment_of(lesson: &Lesson) -> Moment {
    Moment {
        minute: minute(lesson.published),
        line: lesson.line,
    }
}

/// What is usual for one owner: a scope (`@millpond`), an account (`~mara`) or a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    owner: String,
    packages: BTreeMap<String, Habits>,
    all: Habits,
    peak: usize,
}

impl Baseline {
    /// From what each package of an owner taught.
    #[must_use]
    pub fn new(owner: &str, packages: BTreeMap<String, Habits>) -> Self {
        let mut all = Habits::default();
        for habits in packages.values() {
            all.merge(habits);
        }
        all.moments.sort_unstable();
        let moments = packages.iter().flat_map(|(name, habits)| {
            let moments = habits.moments.iter();
            moments.map(|moment| (name.as_str(), *moment))
        });
        let peak = busiest(moments.collect());
        Self {
            owner: owner.to_owned(),
            packages,
            all,
            peak,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The packages, and what each taught.
    #[must_use]
    pub fn packages(&self) -> &BTreeMap<String, Habits> {
        &self.packages
    }

    /// All of it together.
    #[must_use]
    pub fn all(&self) -> &Habits {
        &self.all
    }

    /// The most that came out within [`BURST_MINUTES`]: packages, and lines of one package.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak
    }
}

/// The most packages and lines that came out within [`BURST_MINUTES`] of each other.
#[must_use]
pub fn busiest(moments: Vec<(&str, Moment)>) -> usize {
    let (mut events, kinds) = numbered(moments);
    // Moments of one package come in order: what is sorted in parts is sorted fast.
    events.sort_by_key(|(minute, _)| *minute);
    let mut inside = vec![0_u32; kinds];
    let (mut distinct, mut most, mut start) = (0_usize, 0, 0);
    for (minute, kind) in &events {
        if let Some(count) = inside.get_mut(*kind) {
            distinct += usize::from(*count == 0);
            *count += 1;
        }
        while let Some((earliest, kind)) = events.get(start)
            && minute - earliest > BURST_MINUTES
        {
            if let Some(count) = inside.get_mut(*kind) {
                *count -= 1;
                distinct -= usize::from(*count == 0);
            }
            start += 1;
        }
        most = most.max(distinct);
    }
    most
}

/// The minutes with a number for package and line in place of their names, and how many there are.
fn numbered(moments: Vec<(&str, Moment)>) -> (Vec<(Minute, usize)>, usize) {
    let mut lines: HashMap<&str, Vec<(u64, usize)>> = HashMap::new();
    let mut kinds = 0;
    let mut number = |known: &mut Vec<(u64, usize)>, line: u64| {
        // A package has few lines.
        if let Some((_, kind)) = known.iter().find(|(other, _)| *other == line) {
            return *kind;
        }
        known.push((line, kinds));
        kinds += 1;
        kinds - 1
    };
    let mut events = Vec::with_capacity(moments.len());
    for same in moments.chunk_by(|one, other| one.0 == other.0) {
        let Some((name, _)) = same.first() else {
            continue;
        };
        let known = lines.entry(name).or_default();
        let numbers = same
            .iter()
            .map(|(_, moment)| (moment.minute, number(known, moment.line)));
        events.extend(numbers);
    }
    (events, kinds)
}

#[cfg(test)]
mod tests;
