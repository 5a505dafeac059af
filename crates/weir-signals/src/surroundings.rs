//! What is usual around a release, and what else came out just then.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_model::Baseline;
use weir_model::habits::{By, Moment};
use weir_npm::integrity::Integrity;
use weir_npm::packument::VersionEntry;

use crate::{EarlierBytes, Subject};

/// A package is new among its siblings for this many days after its first release. Most that imitate
/// or abuse a scope are found within days (INCIDENTS I07, I35); the slow ones took weeks.
const NEW_DAYS: i64 = 30;

/// Fewer siblings than this make no habit.
pub(crate) const SIBLINGS: usize = 4;

/// Fewer releases than this, of all siblings together, make none either.
const RELEASES: u32 = 8;

/// A release that came out lately, of any package of the same owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The package.
    pub name: String,
    /// The version.
    pub version: String,
    /// When it was published.
    pub published: Timestamp,
    /// When and of which line it is.
    pub moment: Moment,
    /// Whether the package had nothing before that settled.
    pub first: bool,
    /// When those releases of the package came out before that are old enough to have settled, of the
    /// same owner only.
    pub before: Vec<Moment>,
}

/// What is known of an owner of a release.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What is usual for them; nothing where nothing was learned.
    pub baseline: Option<Arc<Baseline>>,
    /// What else of theirs came out lately, this release left out.
    pub arrivals: Vec<Arrival>,
}

/// What is usual around a release.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Its scope, if it has one.
    pub scope: Known,
    /// The account that published it, if the registry names one.
    pub account: Known,
    /// When the releases of the package itself came out that have settled: of any publisher, and those
    /// of the same account.
    pub before: Vec<Moment>,
    /// As `before`, those by the same account.
    pub before_by_account: Vec<Moment>,
    /// The bytes that this version had when it was decided on or served here, the first ones first; empty where
    /// nobody looked them up.
    pub earlier: Vec<EarlierBytes>,
    /// The digest of its bytes, by which they are kept here, where they are: the registry may give a weaker one.
    pub bytes: Option<Integrity>,
}

impl Subject<'_> {
    /// What is usual in the scope of a package that is new there, if its siblings make a habit.
    pub(crate) fn siblings_habits(&self) -> Option<&Baseline> {
        let surroundings = self.surroundings?;
        let baseline = surroundings.scope.baseline.as_deref()?;
        let others = || {
            let all = baseline.packages().iter();
            all.filter(|(name, _)| name.as_str() != self.name.as_str())
        };
        let releases: u32 = others().map(|(_, habits)| habits.releases).sum();
        let known = baseline.packages().contains_key(self.name.as_str());
        (!known && others().count() >= SIBLINGS && releases >= RELEASES && self.is_new())
            .then_some(baseline)
    }

    /// Whether the package had its first release lately, and this one shortly after that. A release
    /// without a publish time counts from when it was first seen; that its time is not known is said elsewhere.
    /// Releases that were refused make no package older: whoever waits a month after one is as new as before.
    fn is_new(&self) -> bool {
        let limit = SignedDuration::from_hours(NEW_DAYS * 24);
        let (Some(packument), Some(_)) = (self.packument.known(), self.out_since()) else {
            return false;
        };
        let own = self.out_by_now();
        let versions = packument.versions().iter();
        let allowed = versions.filter(|entry| !self.is_refused(&entry.version));
        let first = allowed.filter_map(VersionEntry::published).min();
        let first = first.unwrap_or(own).min(own);
        own.duration_since(first) < limit && self.now.duration_since(own) < limit
    }

    /// Whether it matters who published it: the package is new among siblings whose publishers are known.
    pub(crate) fn wants_publisher(&self) -> bool {
        self.siblings_habits().is_some()
    }

    /// Who published it, as far as its registry says.
    pub(crate) fn by(&self) -> Option<By> {
        let manifest = self.manifest().ok()?;
        crate::lesson::by(manifest.publisher.as_ref()?)
    }
}
