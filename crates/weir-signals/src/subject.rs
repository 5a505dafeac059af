//! What a signal may look at.

use std::cell::OnceCell;
use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use weir_model::contents::FileDigest;
use weir_model::{Advisory, Contents, Trust};
use weir_npm::name::PackageName;
use weir_npm::packument::{Packument, VersionEntry, VersionManifest};
use weir_npm::version::Version;

use crate::comparison::{COMPARED_DAYS, is_worth_comparing};
use crate::history::new_install_script;
use crate::past::{self, ReleaseSize};
use crate::people::PublishedBy;
use crate::settled;
use crate::timeline::{Timeline, is_before};
use crate::{Alike, Brought, Comparison, Gone, NameIndex, Surroundings};

/// An input that may not be there. Unknown is a value (DESIGN, "Flow"): it is never read as empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage<T> {
    /// Here it is.
    Known(T),
    /// It could not be had, for this reason.
    NotKnown(String),
    /// It is being worked out; look again later.
    Pending,
}

impl<T> Stage<T> {
    /// The value, if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::NotKnown(_) | Self::Pending => None,
        }
    }

    /// The same, with the value borrowed.
    pub fn as_ref(&self) -> Stage<&T> {
        match self {
            Self::Known(value) => Stage::Known(value),
            Self::NotKnown(why) => Stage::NotKnown(why.clone()),
            Self::Pending => Stage::Pending,
        }
    }

    /// Why it is not known; nothing if it is.
    pub fn why_not(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::NotKnown(why) => Some(why),
            Self::Pending => Some("not looked at yet"),
        }
    }
}

impl<T> Default for Stage<T> {
    fn default() -> Self {
        Self::NotKnown("not given".to_owned())
    }
}

/// The few numbers that an operator may choose and a signal needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Releases younger than this are reported as young.
    pub minimum_age: SignedDuration,
}

impl Default for Settings {
    /// 24 hours (DESIGN, "Deciding").
    fn default() -> Self {
        Self {
            minimum_age: SignedDuration::from_hours(24),
        }
    }
}

/// The release that this one is compared with.
#[derive(Debug)]
pub struct Previous<'a> {
    /// Its version.
    pub version: &'a str,
    /// Its manifest, or why it cannot be read.
    pub manifest: Result<VersionManifest, String>,
    /// Whether nobody knows yet what it is, see [`Subject::without_open`]: then the package has no past that could
    /// excuse anything. What differs from it is told all the same.
    pub open: bool,
}

/// A release of another package of the same scope or publisher, and what it added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// The package.
    pub name: String,
    /// The version.
    pub version: String,
    /// When it was published.
    pub published: Timestamp,
    /// Files with code that its previous release did not have.
    pub added: Vec<FileDigest>,
}

/// Who depends on a package, as far as this gateway knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// How many packages of others that were served here depend on it.
    pub count: u64,
    /// Some of them, by name.
    pub some: Vec<String>,
}

/// A package that a release began to depend on, as its registry describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DependencyFacts {
    /// The package.
    pub name: String,
    /// The version that the range comes to at present; nothing if it comes to none.
    pub version: Option<String>,
    /// When the package was first published.
    pub created: Option<Timestamp>,
    /// When that version was.
    pub published: Option<Timestamp>,
    /// The lifecycle scripts that it runs when it is installed.
    pub hooks: Vec<String>,
    /// The repository that it names.
    pub repository: Option<String>,
    /// Who published that version.
    pub by: PublishedBy,
    /// Who may publish it, by account name.
    pub maintainers: Vec<String>,
}

/// One release and everything known about it. Borrowed and pure: no clock, no IO; whoever builds it
/// says what time it is.
pub struct Subject<'a> {
    /// The package.
    pub name: &'a PackageName,
    /// The version.
    pub version: &'a str,
    /// The history of the package. Unknown for a folder or a lone tarball.
    pub packument: Stage<&'a Packument>,
    /// What a worker saw inside the tarball.
    pub contents: Stage<&'a Contents>,
    /// The same for the previous release; asked for only when [`Subject::wants_previous_contents`].
    pub previous_contents: Stage<&'a Contents>,
    /// The same for an older release; asked for only when [`Subject::wants_habit_contents`].
    pub habit_contents: Stage<&'a Contents>,
    /// Releases of sibling packages that were assessed lately. What is not known here is no gap:
    /// it only ever adds to what a release shows by itself.
    pub siblings: &'a [Sibling],
    /// What is usual around it; nothing where nobody looked it up.
    pub surroundings: Option<&'a Surroundings>,
    /// Packages that come along with this release and did not with the one before.
    pub brought: &'a [Brought],
    /// Versions of the package that were seen and are not there any more.
    pub gone: &'a [Gone],
    /// What its code resembles; nothing where nobody compared.
    pub alike: Option<&'a Alike>,
    /// How far it can be traced to its registry and its source; nothing where nobody verified it.
    pub trust: Option<&'a Trust>,
    /// Advisories that affect this release; known and empty when there are none.
    pub advisories: Stage<&'a [Advisory]>,
    /// The packages that it began to depend on, where they were looked at. What is missing here is no
    /// gap: it only ever adds to what names show.
    pub dependencies: &'a [DependencyFacts],
    /// Who depends on the package; nothing where nobody asked.
    pub dependents: Option<&'a Dependents>,
    /// When this gateway was first asked for the package while there was none of that name, if ever.
    pub first_missed: Stage<Option<Timestamp>>,
    /// The entry of the operator's list that says that the package comes from elsewhere: what bears its
    /// name here is not theirs.
    pub internal: Option<&'a str>,
    /// Names that people trust, the operator's own among them.
    pub names: &'a NameIndex,
    /// What counts as now.
    pub now: Timestamp,
    /// When weir first saw this release: its age is counted from there where the registry gives no publish
    /// time, see [`Subject::out_since`].
    pub first_seen: Option<Timestamp>,
    /// The operator's choices.
    pub settings: Settings,
    refused: Option<&'a dyn Fn(&str) -> bool>,
    open: Option<&'a dyn Fn(&str) -> bool>,
    manifest: OnceCell<Result<VersionManifest, String>>,
    previous: OnceCell<Option<Previous<'a>>>,
    comparison: OnceCell<Option<Comparison<'a>>>,
    timeline: OnceCell<Timeline<'a>>,
    habit: OnceCell<Option<&'a str>>,
}

impl<'a> Subject<'a> {
    /// A release of which nothing else is known yet; set the public fields as they become known.
    #[must_use]
    pub fn new(
        name: &'a PackageName,
        version: &'a str,
        names: &'a NameIndex,
        now: Timestamp,
    ) -> Self {
        Self {
            name,
            version,
            packument: Stage::default(),
            contents: Stage::default(),
            previous_contents: Stage::default(),
            habit_contents: Stage::default(),
            siblings: &[],
            surroundings: None,
            gone: &[],
            brought: &[],
            alike: None,
            trust: None,
            advisories: Stage::default(),
            dependencies: &[],
            dependents: None,
            first_missed: Stage::Known(None),
            internal: None,
            names,
            now,
            first_seen: None,
            settings: Settings::default(),
            refused: None,
            open: None,
            manifest: OnceCell::new(),
            previous: OnceCell::new(),
            comparison: OnceCell::new(),
            timeline: OnceCell::new(),
            habit: OnceCell::new(),
        }
    }

    /// Names versions that were refused: they are no baseline to compare with, or an attacker's
    /// first release would excuse the second.
    #[must_use]
    pub fn without_refused(mut self, refused: &'a dyn Fn(&str) -> bool) -> Self {
        self.refused = Some(refused);
        self
    }

    /// Names versions that are young and that nobody has decided on: they are compared with only where
    /// there is no other, and excuse nothing, or an attacker's first release would excuse the second for whoever asks
    /// first.
    #[must_use]
    pub fn without_open(mut self, open: &'a dyn Fn(&str) -> bool) -> Self {
        self.open = Some(open);
        self
    }

    /// The manifest of this release as the registry states it.
    ///
    /// # Errors
    /// Why it is not known, in words.
    pub fn manifest(&self) -> Result<&VersionManifest, &str> {
        let read = || {
            let packument = self
                .packument
                .known()
                .ok_or_else(|| self.packument.why_not().unwrap_or_default().to_owned())?;
            match packument.manifest(self.version) {
                Some(Ok(manifest)) => Ok(manifest),
                Some(Err(error)) => Err(error.to_string()),
                None => Err(format!("the registry does not list {}", self.version)),
            }
        };
        self.manifest
            .get_or_init(read)
            .as_ref()
            .map_err(String::as_str)
    }

    /// A version as its registry has it, unread.
    pub(crate) fn raw(&self, version: &str) -> Option<&'a str> {
        let packument: &'a Packument = self.packument.known()?;
        packument.version_raw(version)
    }

    /// When this release was published, as the registry says.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        self.packument.known()?.published(self.version)
    }

    /// Since when this release has been there at the latest: when it was published, else when weir first
    /// saw it. For how long it has been out; what is usual of publish times is not told by it.
    #[must_use]
    pub fn out_since(&self) -> Option<Timestamp> {
        self.packument.known()?;
        self.published().or(self.first_seen)
    }

    /// The same for what is measured from there: now at the latest, as what claims to come later has not been out
    /// for any longer, and now where nothing is known.
    pub(crate) fn out_by_now(&self) -> Timestamp {
        let since = self.out_since().unwrap_or(self.now);
        since.min(self.now)
    }

    /// What [`Subject::out_by_now`] is the moment of, in words: a release is called published only where its registry
    /// says when.
    pub(crate) fn out_in_words(&self) -> &'static str {
        match (self.published(), self.first_seen) {
            (Some(_), _) => "this release",
            (None, Some(_)) => "weir first saw this release",
            (None, None) => "now",
        }
    }

    /// Whether that version was refused here.
    pub(crate) fn is_refused(&self, version: &str) -> bool {
        self.refused.is_some_and(|refused| refused(version))
    }

    /// The release to compare with, see [`baseline_version`]. Nothing if this is the first, or if
    /// the history is not known (then [`Input::History`](crate::Input::History) is missing).
    #[must_use]
    pub fn previous(&self) -> Option<&Previous<'a>> {
        let find = || {
            let packument: &'a Packument = self.packument.known()?;
            let refused = |version: &str| self.is_refused(version);
            let open = |version: &str| self.open.is_some_and(|open| open(version));
            let version = baseline_version(packument, self.version, &refused, &open)?;
            let manifest = match packument.manifest(version) {
                Some(Ok(manifest)) => Ok(manifest),
                Some(Err(error)) => Err(error.to_string()),
                None => Err(format!("the registry does not list {version}")),
            };
            Some(Previous {
                version,
                manifest,
                open: open(version),
            })
        };
        self.previous.get_or_init(find).as_ref()
    }

    /// The manifest of the release to compare with, if there is one that can be read.
    #[must_use]
    pub fn previous_manifest(&self) -> Option<(&'a str, &VersionManifest)> {
        let previous = self.previous()?;
        Some((previous.version, previous.manifest.as_ref().ok()?))
    }

    /// Whether every release before this one is young, and none is known to be fine: see [`Previous::open`].
    pub(crate) fn is_beginning(&self) -> bool {
        self.previous().is_some_and(|previous| previous.open)
    }

    /// Whether there are releases before this one, whatever they are.
    pub(crate) fn has_earlier(&self) -> bool {
        let earlier = |packument| previous_version(packument, self.version, &|_| false);
        self.packument.known().copied().and_then(earlier).is_some()
    }

    /// Why there is no past that could excuse this release, in words.
    pub(crate) fn without_past(&self) -> &'static str {
        match self.previous() {
            Some(_) => "no release before it has been out for a week or was found fine",
            None if self.has_earlier() => {
                "of the releases before it none counts, as they were refused or have something against them"
            }
            None => "by the registry's times no release is earlier",
        }
    }

    /// The previous release whose tarball would settle a question that metadata leaves open, if
    /// any: this tarball compiles itself by way of a `binding.gyp` that no manifest mentions, a bundled package runs
    /// something, or a script is new that may stand where such a build was.
    #[must_use]
    pub fn wants_previous_contents(&self) -> Option<&'a str> {
        let contents = self.contents.known()?;
        let (version, previous) = self.previous_manifest()?;
        let implicit = contents
            .install_steps
            .iter()
            .any(|step| step.event == "binding.gyp");
        let said = |manifest: &VersionManifest| {
            manifest.manifest.gypfile == Some(true)
                || manifest.manifest.scripts.contains_key("install")
        };
        let open = implicit && !said(previous) && !self.manifest().is_ok_and(said);
        let replaced = || {
            let now = self.manifest().map(|manifest| &manifest.manifest);
            now.is_ok_and(|now| new_install_script::may_replace_a_build(now, &previous.manifest))
        };
        let bundled = new_install_script::has_bundled_steps(contents);
        (open || bundled || replaced() || self.wants_comparison()).then_some(version)
    }

    /// The older release whose tarball would tell whether flows that would decide are a habit of the package, if it
    /// has one.
    #[must_use]
    pub fn wants_habit_contents(&self) -> Option<&'a str> {
        settled::asks_for_habit(self, self.contents.known()?)
    }

    /// Whether something in the contents would be a finding if the previous release did not have
    /// it, and the release is young enough for that to matter. Quiet releases cost nothing.
    #[must_use]
    pub fn wants_comparison(&self) -> bool {
        let Some(contents) = self.contents.known() else {
            return false;
        };
        self.is_compared()
            && self.previous().is_some()
            && (is_worth_comparing(contents) || self.shares_an_addition(contents))
    }

    /// Whether the release is young enough to be compared with the one before it by its contents.
    fn is_compared(&self) -> bool {
        self.out_since().is_none_or(|published| {
            self.now.duration_since(published).as_hours() < COMPARED_DAYS * 24
        })
    }

    /// Whether a file that a sibling has added lately is in here too.
    fn shares_an_addition(&self, contents: &Contents) -> bool {
        let added = || self.siblings.iter().flat_map(|sibling| &sibling.added);
        contents
            .files
            .iter()
            .any(|file| added().any(|other| other.digest == file.digest))
    }

    /// This release's contents beside those of the previous one, where both are known. Of old releases those may be
    /// known to settle another question; what is different says nothing there.
    #[must_use]
    pub fn comparison(&self) -> Option<&Comparison<'a>> {
        let compare = || {
            if !self.is_compared() {
                return None;
            }
            let after: &'a Contents = self.contents.known()?;
            let before: &'a Contents = self.previous_contents.known()?;
            let version = match self.previous() {
                Some(previous) => previous.version,
                None => before.manifest.as_ref()?.version.as_deref()?,
            };
            Some(Comparison::new((version, before), (self.version, after)))
        };
        self.comparison.get_or_init(compare).as_ref()
    }

    /// The releases around this one by publish date, refused ones left out, and how each came to be.
    pub(crate) fn timeline(&self) -> &Timeline<'a> {
        self.timeline.get_or_init(|| {
            let refused = |version: &str| self.is_refused(version);
            let mut timeline = match self.packument.known() {
                Some(packument) => Timeline::new(packument, self.version, self.now, &refused),
                None => Timeline::default(),
            };
            // Where nobody says which are open, none is known to be fine.
            if let Some(open) = self.open {
                timeline.know_fine(&|version: &str| !open(version));
            }
            timeline
        })
    }

    /// Which release tells what the package has run at install for long, see [`settled::habit`].
    pub(crate) fn habit(&self) -> Option<&'a str> {
        *self.habit.get_or_init(|| settled::habit(self))
    }

    /// The sizes of the last releases before this one, newest first; empty where they are not known.
    /// Each call reads manifests: ask only where the previous release alone leaves a question open.
    #[must_use]
    pub fn past_sizes(&self) -> Vec<ReleaseSize> {
        let refused = |version: &str| self.is_refused(version);
        self.packument.known().map_or_else(Vec::new, |packument| {
            past::sizes(packument, self.version, &refused)
        })
    }
}

impl std::fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject")
            .field("name", &self.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The release that `version` is measured by: the one before it of those that are not `open`, see
/// [`Subject::without_open`]; where all are, the one before it.
#[must_use]
pub fn baseline_version<'p>(
    packument: &'p Packument,
    version: &str,
    refused: &dyn Fn(&str) -> bool,
    open: &dyn Fn(&str) -> bool,
) -> Option<&'p str> {
    let no_baseline = |other: &str| refused(other) || open(other);
    previous_version(packument, version, &no_baseline)
        .or_else(|| previous_version(packument, version, refused))
}

/// A release that could be the previous one.
struct Candidate<'p> {
    text: &'p str,
    version: Version,
    published: Option<Timestamp>,
    rank: Rank,
}

/// What makes one release a better previous one than another, what counts most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Stable, unless the release that is compared is none either.
    as_stable: bool,
    /// Of one without a time nobody knows whether it was there first.
    timed: bool,
    below: bool,
    in_line: bool,
}

impl<'p> Candidate<'p> {
    fn new(entry: &'p VersionEntry, own: Option<&Version>) -> Option<Self> {
        let version = Version::parse(&entry.version).ok()?;
        let below = own.is_some_and(|own| version.precedence(own) == Ordering::Less);
        let same_line = own.is_some_and(|own| own.major() == version.major());
        let rank = Rank {
            as_stable: own.is_some_and(Version::is_prerelease) || !version.is_prerelease(),
            timed: entry.published().is_some(),
            below,
            in_line: same_line && below,
        };
        Some(Self {
            text: &entry.version,
            version,
            published: entry.published(),
            rank,
        })
    }

    /// Whether it came before a release, by times where both have one, else by numbers.
    fn came_before(&self, published: Option<Timestamp>, own: Option<&Version>) -> bool {
        match self.published.zip(published) {
            Some((theirs, ours)) => is_before((theirs, Some(&self.version)), (ours, own)),
            None => self.rank.below,
        }
    }

    /// The better one is the greater.
    fn order(&self, other: &Self) -> Ordering {
        let newest = || {
            let times = self.published.cmp(&other.published);
            times.then_with(|| self.version.cmp(&other.version))
        };
        self.rank
            .cmp(&other.rank)
            .then_with(|| match self.rank.below {
                true => self.version.precedence(&other.version),
                false => newest(),
            })
    }
}

/// The release that `version` is to be compared with: of those published before it, the highest below
/// it in its own major line, else the highest below it at all, else (a back-port below everything)
/// the newest. A stable release is compared with stable ones where there are any, or a poisoned
/// prerelease that nobody installs would excuse it.
///
/// Published before, so that a back-port is no step backwards (DESIGN, "Deciding"); the highest of
/// those rather than the newest, because publish times of old versions are the first thing a mirror
/// gets wrong (PROTOCOL 3.14). Those of the same time are ordered by number. Where there is no time, by
/// number alone; a version that is none is compared with the newest before it. `refused` versions are
/// left out.
#[must_use]
pub fn previous_version<'p>(
    packument: &'p Packument,
    version: &str,
    refused: &dyn Fn(&str) -> bool,
) -> Option<&'p str> {
    let own = Version::parse(version).ok();
    let published = packument.published(version);
    // What times say costs nothing, and leaves out most of a long history that somebody asks for an old release of.
    let may_be_before = |entry: &&VersionEntry| {
        let times = entry.published().zip(published);
        entry.version != version && times.is_none_or(|(theirs, ours)| theirs <= ours)
    };
    let entries = packument.versions().iter().filter(may_be_before);
    let candidates: Vec<Candidate<'_>> = entries
        .filter_map(|entry| Candidate::new(entry, own.as_ref()))
        .filter(|candidate| candidate.came_before(published, own.as_ref()))
        .collect();
    let best = candidates.iter().max_by(|a, b| a.order(b))?;
    if !refused(best.text) {
        return Some(best.text);
    }
    // Seldom, and asked of all of them.
    let others = candidates.iter().filter(|it| !refused(it.text));
    others.max_by(|a, b| a.order(b)).map(|it| it.text)
}
