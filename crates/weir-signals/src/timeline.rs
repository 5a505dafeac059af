//! A package's releases by publish date, as far as metadata tells, and by their numbers where it does not: when each
//! was published, by whom, how, and from where.

use std::cell::OnceCell;
use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use weir_npm::packument::{Packument, Publication, Publisher, VersionEntry};
use weir_npm::version::Version;

use crate::accounts::is_same_account;

/// How many releases before one make its habits (DETECTION section 4.4).
pub(crate) const RECENT: usize = 30;

/// How many more are looked at to find out whether somebody ever published. A bound on the work that
/// a made-up history can cause; the longest real ones have a few thousand releases.
const EVER: usize = 2_000;

/// How long a release has to have been out before it tells how the package is made. Whoever gets hold of a
/// package often publishes several releases within hours (INCIDENTS I26, I28), and nearly all on record were
/// found within this time: none of them may excuse the next.
const SETTLED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One release on the timeline.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) text: &'a str,
    /// Its version; of this release, where that is none, what stands in for it.
    pub(crate) version: Version,
    /// When it was published, now at the latest: what claims to come later has not been out for any longer. Where
    /// that is not known, now for the release that is looked at, and the beginning of time for those before it.
    pub(crate) published: Timestamp,
    /// Whether its registry says when it was published.
    timed: bool,
    /// Whether nobody knows if it came before this release: its number is lower, and of the two only this one has a
    /// publish time.
    pub(crate) unplaced: bool,
    /// What the packument has of it.
    entry: &'a VersionEntry,
    /// Whether it is known to be fine, however young it was.
    fine: bool,
    /// How it was published, once that was read: several signals ask, and reading is what takes long.
    publication: OnceCell<Option<Box<Publication>>>,
}

impl<'a> Event<'a> {
    fn new(entry: &'a VersionEntry, version: Version, published: Option<Timestamp>) -> Self {
        Self {
            text: entry.version.as_str(),
            version,
            published: published.unwrap_or(Timestamp::UNIX_EPOCH),
            timed: published.is_some(),
            unplaced: false,
            entry,
            fine: false,
            publication: OnceCell::new(),
        }
    }

    /// The line that users stay on without thinking: the major version, below 1.0 the minor.
    pub(crate) fn line(&self) -> (u64, u64) {
        line(&self.version)
    }

    /// The line in words: `2.x`, `0.7.x`.
    pub(crate) fn line_in_words(&self) -> String {
        match self.line() {
            (0, minor) => format!("0.{minor}.x"),
            (major, _) => format!("{major}.x"),
        }
    }
}

/// Whether a release came before this one: by publish times, and where those are the same by versions, as after
/// an import that stamped all of them with one. This one comes last of those if its own version is none.
#[must_use]
pub fn is_before(
    (published, version): (Timestamp, Option<&Version>),
    (own_time, own): (Timestamp, Option<&Version>),
) -> bool {
    match published.cmp(&own_time) {
        Ordering::Less => true,
        Ordering::Equal => own.is_none_or(|own| version.is_some_and(|version| version < own)),
        Ordering::Greater => false,
    }
}

/// The releases below a version, of those that are out by now: its past, as far as numbers tell.
fn below<'a>(
    others: impl Iterator<Item = Event<'a>>,
    own: &Version,
    now: Timestamp,
    refused: &dyn Fn(&str) -> bool,
) -> Vec<Event<'a>> {
    let is_below = |event: &Event<'_>| {
        event.published <= now && event.version.precedence(own).is_lt() && !refused(event.text)
    };
    others.filter(is_below).collect()
}

/// What stands in for a version that is none, and that nobody can order: the highest of those before it, which
/// leaves the release to be measured by its time alone.
fn stand_in(before: &[Event<'_>]) -> Option<Version> {
    let highest = before.iter().max_by(|one, other| {
        let (one, other) = (&one.version, &other.version);
        // Stable ones before prereleases.
        let stable = other.is_prerelease().cmp(&one.is_prerelease());
        stable.then_with(|| one.cmp(other))
    });
    highest
        .map(|highest| highest.version.clone())
        .or_else(|| Version::parse("1.0.0").ok())
}

/// See [`Event::line`].
pub(crate) fn line(version: &Version) -> (u64, u64) {
    match version.major() {
        0 => (0, version.minor()),
        major => (major, 0),
    }
}

/// How strongly a registry vouches for where a release comes from (DETECTION section 6, "Trust
/// evidence order").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    None,
    Provenance,
    TrustedPublisher,
    Approved,
}

impl Trust {
    pub(crate) fn of(publication: &Publication) -> Self {
        match &publication.publisher {
            Some(publisher) if publisher.approver.is_some() => Self::Approved,
            Some(publisher) if publisher.trusted_publisher && publication.provenance => {
                Self::TrustedPublisher
            }
            _ if publication.provenance => Self::Provenance,
            _ => Self::None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "no evidence of where it was built",
            Self::Provenance => "provenance",
            Self::TrustedPublisher => "a trusted publisher with provenance",
            Self::Approved => "a staged publish that a second person approved",
        }
    }
}

/// Whether two publishers are the same: both a workflow of the same host, or one account.
pub(crate) fn is_same(one: &Publisher, other: &Publisher) -> bool {
    match (one.trusted_publisher, other.trusted_publisher) {
        (true, true) => one.trusted_publisher_id == other.trusted_publisher_id,
        (false, false) => is_same_account(&one.name, &other.name),
        _ => false,
    }
}

/// A publisher in words.
#[must_use]
pub fn who(publisher: &Publisher) -> String {
    if publisher.trusted_publisher {
        let host = publisher.trusted_publisher_id.as_deref();
        format!("a workflow ({})", host.unwrap_or("host not stated"))
    } else {
        publisher.name.clone()
    }
}

/// The release that a later one is measured by, where it comes to trust.
pub(crate) struct TrustBefore<'t, 'a> {
    pub(crate) event: &'t Event<'a>,
    pub(crate) publication: &'t Publication,
    pub(crate) trust: Trust,
    /// The releases that came after it, newest first: when, and with what.
    pub(crate) settled: Vec<(Timestamp, Trust)>,
}

/// The releases before and shortly after one.
#[derive(Default)]
pub(crate) struct Timeline<'a> {
    packument: Option<&'a Packument>,
    /// The release itself; nothing where neither a time nor a number places it.
    pub(crate) own: Option<Event<'a>>,
    /// Those published before it, newest first; of one time, the highest first. Where it is not known when this
    /// one was published, those with lower numbers, timed or not, the highest first. Where it is, those without a
    /// publish time are left out unless there are no others: then those with lower numbers, the highest first. Those
    /// whose version is none are left out always.
    pub(crate) before: Vec<Event<'a>>,
    /// Those that tell only who has published the package at all: of a release with a publish time, those without
    /// one that have lower numbers, see [`Event::unplaced`]; of one without, those with higher numbers that have
    /// been out for a week by now.
    aside: Vec<Event<'a>>,
    /// Those published after it, up to now, oldest first.
    pub(crate) after: Vec<Event<'a>>,
    /// Those that were refused here. They are nobody's past, but still part of what happened at once.
    pub(crate) refused: Vec<Event<'a>>,
    dropped: OnceCell<bool>,
}

impl<'a> Timeline<'a> {
    pub(crate) fn new(
        packument: &'a Packument,
        version: &str,
        now: Timestamp,
        refused: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut timeline = Self {
            packument: Some(packument),
            ..Self::default()
        };
        let Some(own) = packument.entry(version) else {
            return timeline;
        };
        let number = Version::parse(version).ok();
        let others = |timed: bool| {
            let entries = packument.versions().iter();
            let others = entries
                .filter(move |it| it.version != version && it.published().is_some() == timed);
            others.filter_map(|entry| {
                let version = Version::parse(entry.version.as_str()).ok()?;
                Some(Event::new(entry, version, entry.published()))
            })
        };
        let published = own.published();
        match (published, &number) {
            (Some(published), number) => {
                timeline.place(others(true), (published, number.as_ref()), now, refused);
                if let Some(number) = number {
                    timeline.place_untimed(others(false), number, now, refused);
                }
            }
            (None, Some(number)) => {
                let others = others(true).chain(others(false));
                timeline.place_by_number(others, number, now, refused);
            }
            (None, None) => return timeline,
        }
        timeline.sort(published.is_some());
        timeline.own = number
            .or_else(|| stand_in(&timeline.before))
            .map(|version| Event::new(own, version, published));
        timeline.end_at(now);
        timeline
    }

    /// Tells those that came before a moment from those that came after it.
    fn place(
        &mut self,
        others: impl Iterator<Item = Event<'a>>,
        own: (Timestamp, Option<&Version>),
        now: Timestamp,
        refused: &dyn Fn(&str) -> bool,
    ) {
        let latest = now.max(own.0);
        for event in others.filter(|it| it.published <= latest) {
            let earlier = is_before((event.published, Some(&event.version)), own);
            if refused(event.text) {
                self.refused.push(event);
            } else if earlier {
                self.before.push(event);
            } else {
                self.after.push(event);
            }
        }
    }

    /// Where others have a time, those without one may have come before or after: they excuse nothing, and are told
    /// where somebody is said not to have published before. Where none has, who published them is as well known as
    /// of any.
    fn place_untimed(
        &mut self,
        untimed: impl Iterator<Item = Event<'a>>,
        own: &Version,
        now: Timestamp,
        refused: &dyn Fn(&str) -> bool,
    ) {
        let mut lower = below(untimed, own, now, refused);
        if self.before.is_empty() {
            self.before = lower;
            return;
        }
        for event in &mut lower {
            event.unplaced = true;
        }
        self.aside = lower;
    }

    /// Tells by numbers what came before a release of which it is not known when it was published. What has a higher
    /// number and has long been out by now tells who publishes here, and nothing else.
    fn place_by_number(
        &mut self,
        others: impl Iterator<Item = Event<'a>>,
        own: &Version,
        now: Timestamp,
        refused: &dyn Fn(&str) -> bool,
    ) {
        let (lower, higher): (Vec<Event<'a>>, Vec<Event<'a>>) =
            others.partition(|event| event.version.precedence(own).is_lt());
        self.before = below(lower.into_iter(), own, now, refused);
        let has_settled = |event: &Event<'_>| {
            event.timed && now.duration_since(event.published) >= SETTLED && !refused(event.text)
        };
        self.aside = higher.into_iter().filter(has_settled).collect();
    }

    /// By times and then by numbers; by numbers alone where it is not known when this release was published.
    fn sort(&mut self, by_times: bool) {
        let order = |one: &Event<'_>, other: &Event<'_>| {
            let times = match by_times {
                true => one.published.cmp(&other.published),
                false => Ordering::Equal,
            };
            times.then_with(|| one.version.cmp(&other.version))
        };
        self.before.sort_by(|one, other| order(other, one));
        self.aside.sort_by(|one, other| order(other, one));
        self.after.sort_by(order);
    }

    /// Counts what claims to have been published later than `now` as published now, in its order, and so the release
    /// itself where its time is not known: later than now it was not.
    fn end_at(&mut self, now: Timestamp) {
        let others = self
            .before
            .iter_mut()
            .chain(&mut self.after)
            .chain(&mut self.refused);
        for event in others.chain(&mut self.own) {
            event.published = event.published.min(now);
        }
        if let Some(own) = self.own.as_mut().filter(|own| !own.timed) {
            own.published = now;
        }
    }

    /// Marks the young releases before this one that are known to be fine: they were looked at here, or have been
    /// out for long by now.
    pub(crate) fn know_fine(&mut self, is_fine: &dyn Fn(&str) -> bool) {
        let Some(own) = self.own.as_ref().map(|own| own.published) else {
            return;
        };
        let before = self.before.iter_mut();
        for event in before.filter(|event| own.duration_since(event.published) < SETTLED) {
            event.fine = is_fine(event.text);
        }
    }

    /// When the first release was published that there still is, this one included; nothing where the registry does
    /// not say.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        let first = self.before.last().or(self.own.as_ref())?;
        first.timed.then_some(first.published)
    }

    /// This release, where it is known when it was published: hours, days and rests are told by nothing else.
    pub(crate) fn timed(&self) -> Option<&Event<'a>> {
        self.own.as_ref().filter(|own| own.timed)
    }

    /// How long before this one that release was published; nothing where the registry does not say of both.
    pub(crate) fn ago(&self, event: &Event<'_>) -> Option<SignedDuration> {
        let own = self.timed()?;
        event
            .timed
            .then(|| own.published.duration_since(event.published))
    }

    /// How this release was published.
    pub(crate) fn publication(&self) -> Option<&Publication> {
        self.read(self.own.as_ref()?)
    }

    /// How a release was published. A publisher without a name is nobody: the registry does not say.
    pub(crate) fn read<'e>(&self, event: &'e Event<'_>) -> Option<&'e Publication> {
        let read = || {
            let mut publication = self.packument?.publication(event.text)?;
            publication.publisher = publication.publisher.take().filter(|publisher| {
                publisher.trusted_publisher
                    || publisher.approver.is_some()
                    || !publisher.name.trim().is_empty()
            });
            Some(Box::new(publication))
        };
        event.publication.get_or_init(read).as_deref()
    }

    /// Whether that release had been out for a week when this one came; by now, where it is not known when that was.
    /// Those without a time count as old: nobody would ever get known in a registry that gives none. Not so where
    /// others have one, see [`Event::unplaced`].
    pub(crate) fn has_settled(&self, event: &Event<'_>) -> bool {
        self.own.as_ref().is_some_and(|own| match event.timed {
            true => own.published.duration_since(event.published) >= SETTLED,
            false => !event.unplaced,
        })
    }

    /// Whether that release is the past that this one may be measured by: it had settled, or is known to be fine.
    /// Any other may be the first half of what this one is the second half of.
    pub(crate) fn is_past(&self, event: &Event<'_>) -> bool {
        event.fine || self.has_settled(event)
    }

    /// The last releases before this one, newest first, and how each was published. Prereleases count
    /// only for a prerelease: nightly builds come from elsewhere.
    pub(crate) fn recent(&self) -> impl Iterator<Item = (&Event<'a>, &Publication)> {
        self.published(self.comparable())
    }

    /// The same of those that had settled: however many came out within the last week, they are not among them.
    pub(crate) fn recent_settled(&self) -> impl Iterator<Item = (&Event<'a>, &Publication)> {
        self.published(self.comparable().filter(|event| self.has_settled(event)))
    }

    /// The release whose people this one's are measured by: the last that is past, see [`Timeline::is_past`]. Where
    /// none is, the first there was: whoever began a package is no stranger to it.
    pub(crate) fn measure(&self) -> Option<(&Event<'a>, &Publication)> {
        let past = self.comparable().filter(|event| self.is_past(event));
        self.published(past).next().or_else(|| {
            let first = self.comparable().last()?;
            Some((first, self.read(first)?))
        })
    }

    /// The last releases until a moment, newest first, and how each was published: see [`Timeline::recent`].
    pub(crate) fn recent_until(
        &self,
        end: Timestamp,
    ) -> impl Iterator<Item = (&Event<'a>, &Publication)> {
        self.published(
            self.comparable()
                .filter(move |event| event.published <= end),
        )
    }

    /// The same from one of them on, that one included.
    pub(crate) fn recent_from<'t>(
        &'t self,
        first: &'t str,
    ) -> impl Iterator<Item = (&'t Event<'a>, &'t Publication)> {
        let from = self.comparable().skip_while(move |it| it.text != first);
        self.published(from)
    }

    /// The last releases with higher numbers that have long been out, where it is not known when this one was
    /// published: whoever is at home there is no stranger here.
    pub(crate) fn above(&self) -> impl Iterator<Item = (&Event<'a>, &Publication)> {
        self.published(self.aside.iter().filter(|event| !event.unplaced))
    }

    /// The first [`RECENT`] of those, and how each was published.
    fn published<'t>(
        &'t self,
        events: impl Iterator<Item = &'t Event<'a>>,
    ) -> impl Iterator<Item = (&'t Event<'a>, &'t Publication)> {
        events
            .take(RECENT)
            .filter_map(|event| Some((event, self.read(event)?)))
    }

    /// Those before this one that it is like: stable ones, and prereleases only for a prerelease.
    pub(crate) fn comparable(&self) -> impl Iterator<Item = &Event<'a>> {
        let any = self
            .own
            .as_ref()
            .is_some_and(|own| own.version.is_prerelease());
        self.before
            .iter()
            .filter(move |event| any || !event.version.is_prerelease())
    }

    /// The last release before this one that `matches` published, of those that are `asked` for, prereleases
    /// included; where there is none, one that tells that they did at all. `account` is the name of the account, if
    /// they have one: workflows are told apart otherwise.
    pub(crate) fn last_by(
        &self,
        account: Option<&str>,
        asked: impl Fn(&Event<'a>) -> bool,
        matches: impl Fn(&Publisher) -> bool,
    ) -> Option<&Event<'a>> {
        let packument = self.packument?;
        // Reading is what takes long in a history of hundreds of versions: one whose text does not
        // hold the name is not by them. Names that JSON may write otherwise are read everywhere.
        let named = account.filter(|name| {
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            !name.is_empty() && name.bytes().all(plain)
        });
        let named = named.map(str::to_ascii_lowercase);
        let may_be = |event: &Event<'a>| {
            let raw = packument.publisher_raw(event.entry);
            named
                .as_ref()
                .is_none_or(|name| raw.to_ascii_lowercase().contains(name))
        };
        let events = self.before.iter().chain(&self.aside);
        let asked = events.filter(|event| asked(event));
        asked.take(EVER).find(|event| {
            may_be(event)
                && self
                    .read(event)
                    .and_then(|publication| publication.publisher.as_ref())
                    .is_some_and(&matches)
        })
    }

    /// The strongest evidence that an earlier release carries which this one should carry too: of its
    /// own line where that has a past, else of all. In a line it is the best of the last releases, so
    /// that one bad release excuses no second.
    pub(crate) fn trust_before(&self) -> Option<TrustBefore<'_, 'a>> {
        let own = self.own.as_ref()?;
        let of_line = |event: &&Event<'a>| event.line() == own.line();
        let in_line = self.comparable().any(|event| of_line(&event));
        let mut best: Option<TrustBefore<'_, 'a>> = None;
        let mut since: Vec<(Timestamp, Trust)> = Vec::new();
        let compared = self
            .comparable()
            .filter(|event| !in_line || of_line(event))
            .take(RECENT);
        for event in compared {
            let Some(publication) = self.read(event) else {
                continue;
            };
            let trust = Trust::of(publication);
            // Of equals the newest, which comes first.
            if best.as_ref().is_none_or(|best| trust > best.trust) {
                best = Some(TrustBefore {
                    event,
                    publication,
                    trust,
                    settled: since.clone(),
                });
            }
            // One without a time has stood since the beginning: see [`Timeline::has_settled`].
            since.push((event.published, trust));
        }
        best
    }

    /// Whether this release carries less evidence of where it comes from than it should.
    pub(crate) fn trust_dropped(&self) -> bool {
        let compare = || {
            let (own, before) = (self.publication()?, self.trust_before()?);
            Some(Trust::of(own) < before.trust)
        };
        *self.dropped.get_or_init(|| compare().unwrap_or(false))
    }

    /// Whether that release goes beyond everything its line had before it. What does not is no update
    /// of anything: registries that mirror another stamp old versions with the time they fetched them
    /// (PROTOCOL 3.14), and no range reaches a version below one that is there.
    pub(crate) fn is_update(&self, event: &Event<'_>) -> bool {
        !self
            .before
            .iter()
            .filter(|earlier| earlier.published < event.published)
            .any(|earlier| {
                earlier.line() == event.line() && earlier.version.precedence(&event.version).is_gt()
            })
    }

    /// The lines that had a release until then, lowest first.
    pub(crate) fn lines_until(&self, end: Timestamp) -> Vec<(u64, u64)> {
        let mut lines: Vec<_> = self
            .before
            .iter()
            .filter(|event| event.published <= end)
            .map(Event::line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// How long nothing had been published, prereleases included, before the days that this release
    /// belongs to: its own, what came at most `burst` before it, and what else `belongs` to them.
    pub(crate) fn quiet_before(
        &self,
        burst: SignedDuration,
        belongs: impl Fn(&Event<'a>) -> bool,
    ) -> Option<(SignedDuration, &Event<'a>)> {
        let own = self.timed()?;
        let mut first = own.published;
        for event in &self.before {
            if !event.timed {
                return None;
            }
            let gap = first.duration_since(event.published);
            let apart = gap > burst || own.published.duration_since(event.published) > burst;
            if apart && !belongs(event) {
                return Some((gap, event));
            }
            first = event.published;
        }
        None
    }
}

/// A duration in words, for people: days, or years and a tenth from two years on.
pub(crate) fn in_words(duration: SignedDuration) -> String {
    let days = duration.as_hours() / 24;
    match (days, duration.as_mins()) {
        (_, minutes) if minutes < 2 => "a minute".to_owned(),
        (_, minutes) if minutes < 120 => format!("{minutes} minutes"),
        (days, minutes) if days < 3 => format!("{} hours", minutes / 60),
        (days, _) if days < 730 => format!("{days} days"),
        (days, _) => format!("{}.{} years", days / 365, days % 365 * 10 / 365),
    }
}

/// The evidence of where a release was built, in a word or two for a table.
#[must_use]
pub fn trust_in_words(publication: &Publication) -> &'static str {
    match Trust::of(publication) {
        Trust::None => "none",
        Trust::Provenance => "provenance",
        Trust::TrustedPublisher => "workflow",
        Trust::Approved => "approved",
    }
}
