//! The releases of the last months, gone through oldest first, each judged by those before it that excuse something.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use weir_npm::packument::Packument;
use weir_npm::version::Version;

use super::before::Before;
use super::profile::{Profile, Profiles};
use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;
use crate::past::Past;
use crate::resolution::{RECENT, refuses_for_good};
use crate::runs::LONGEST;

/// Most stable releases that are judged for it, and most prereleases: what comes later excuses nothing. Whoever changes
/// what a package is made of more often than three times in two days has a past that tells little.
const JUDGED: usize = 300;

/// What a release comes to by what its packument says, and by what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing speaks against it.
    Passed,
    /// It is refused, or would be.
    Refused,
    /// Something speaks against it, and only its contents could refuse it; or it was not judged.
    Suspect,
    /// It differs in nothing from such a release: what that one is found to be settles it.
    Alike,
    /// There was no room to judge it. It excuses nothing, and there would be no room to read all of them either: nobody
    /// waits for it.
    OverBudget,
}

/// A release that was gone through.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) version: String,
    pub(super) outcome: Outcome,
    /// Whether it is not told by another that it is like.
    pub(super) leads: bool,
    /// Whether that was known without judging it.
    pub(super) told: bool,
    /// Whether nothing but a waiver lets it pass: then it does not settle those that are like it.
    waived: bool,
}

impl Step {
    /// Whether what is known by now says the same.
    pub(super) fn stands(&self, past: &Past) -> bool {
        let as_known = match (past.refuses(&self.version), past.knows(&self.version)) {
            (true, _) => self.outcome == Outcome::Refused,
            // What there was no room for is asked for one by one, and hardly tells anything of the others.
            (false, true) => matches!(self.outcome, Outcome::Passed | Outcome::OverBudget),
            (false, false) => !self.told,
        };
        as_known && self.waived == past.waives(&self.version)
    }
}

/// A release in the order in which they came out: those of one time by number, and what has none last.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Release<'p> {
    published: Timestamp,
    is_odd: bool,
    number: Option<Version>,
    version: &'p str,
}

/// How a release was that is no baseline for those after it.
#[derive(Debug, Clone, Copy)]
struct Row {
    outcome: Outcome,
    /// When the first in a row came out of those that are like it.
    since: Timestamp,
}

/// Going through them.
struct Walk<'p> {
    held: &'p Held,
    past: Arc<Past>,
    malware: Box<dyn Fn(&str) -> bool + Send + Sync>,
    profiles: Profiles<'p>,
    before: Before<'p>,
    left_out: HashMap<&'p str, Row>,
    /// How many stable releases were judged, and how many prereleases.
    judged: (usize, usize),
}

impl Engine {
    /// Goes through the releases of the last months. None of them excuses another unless nothing speaks against it,
    /// measured by those before it of which the same is true.
    pub(super) async fn go_through(
        &self,
        held: &Held,
        past: &Past,
    ) -> Result<Vec<Step>, EngineError> {
        let (earlier, lately) = releases(&held.packument, past, self.now());
        if lately.iter().all(|release| past.knows(release.version)) {
            return Ok(Vec::new());
        }
        let mut walk = Walk {
            held,
            past: Arc::new(past.clone()),
            malware: Box::new(self.known_malware(held.packument.name())),
            profiles: Profiles::new(&held.packument),
            before: Before::default(),
            left_out: HashMap::new(),
            judged: (0, 0),
        };
        for release in earlier {
            walk.add(release);
        }
        let mut steps = Vec::with_capacity(lately.len());
        for release in lately {
            let version = release.version;
            // What cannot be read is nothing that another could be measured by.
            let Some(profile) = walk.profiles.of(version) else {
                continue;
            };
            let told = walk.told(version);
            let row = match told.or_else(|| walk.like_another(&release, &profile)) {
                Some(row) => row,
                None => Row {
                    outcome: self.judge_next(&mut walk, &release).await?,
                    since: release.published,
                },
            };
            steps.push(Step {
                version: version.to_owned(),
                outcome: row.outcome,
                leads: row.since == release.published,
                told: told.is_some(),
                waived: past.waives(version),
            });
            walk.leave_out(version, row);
            walk.add(release);
        }
        let unjudged = steps.iter().filter(|it| it.outcome == Outcome::OverBudget);
        let unjudged = unjudged.count();
        if unjudged > 0 {
            tracing::info!(package.name = %held.packument.name(), unjudged,
                "too many releases of the last months differ from those before; nothing is measured by some of them");
        }
        Ok(steps)
    }

    /// Judges a release by those before it.
    async fn judge_next(
        &self,
        walk: &mut Walk<'_>,
        release: &Release<'_>,
    ) -> Result<Outcome, EngineError> {
        let number = release.number.as_ref();
        let judged = match number.is_some_and(Version::is_prerelease) {
            true => &mut walk.judged.1,
            false => &mut walk.judged.0,
        };
        *judged += 1;
        if *judged > JUDGED {
            return Ok(Outcome::OverBudget);
        }
        let (times, generation) = (HashMap::new(), self.generation());
        let verdict = self
            .metadata_verdict_after(walk.held, release.version, &times, &generation, &walk.past)
            .await?;
        let speaks_against = verdict.assessment.counted().next().is_some();
        Ok(match refuses_for_good(&verdict.decision) {
            true => Outcome::Refused,
            false if speaks_against => Outcome::Suspect,
            false => Outcome::Passed,
        })
    }
}

impl<'p> Walk<'p> {
    /// What is known of a release.
    fn told(&self, version: &str) -> Option<Row> {
        let outcome = match (self.past.refuses(version), self.past.knows(version)) {
            (true, _) => Outcome::Refused,
            (false, true) => Outcome::Passed,
            (false, false) => return None,
        };
        let since = self.held.packument.published(version)?;
        Some(Row { outcome, since })
    }

    /// What becomes of a release that differs in nothing from the one that it is measured by, or from one right
    /// before it that excuses nothing: that has to have come out within the time of one attack.
    fn like_another(&mut self, release: &Release<'p>, profile: &Arc<Profile>) -> Option<Row> {
        let own = release.number.as_ref();
        let (past, packument, malware) = (&self.past, &self.held.packument, &self.malware);
        let excuses =
            |other: &str| !past.excuses_not(packument, release.version, other) && !malware(other);
        let baseline = self.before.nearest(own, &excuses);
        let nearest = self.before.nearest(own, &|_| true);
        if baseline.and_then(|it| self.profiles.of(it)).as_ref() == Some(profile) {
            return Some(Row {
                outcome: Outcome::Passed,
                since: release.published,
            });
        }
        let nearest = nearest?;
        let row = *self.left_out.get(nearest)?;
        let is_near = release.published.duration_since(row.since) <= LONGEST;
        // Of one that only a waiver lets pass it is known what it is, and it settles no other.
        if !is_near || self.past.waives(nearest) {
            return None;
        }
        let outcome = match row.outcome {
            Outcome::Passed | Outcome::Suspect | Outcome::Alike => Outcome::Alike,
            Outcome::Refused | Outcome::OverBudget => row.outcome,
        };
        let is_like = self.profiles.of(nearest).as_ref() == Some(profile);
        is_like.then_some(Row { outcome, ..row })
    }

    /// Has a release excuse nothing, unless it passed.
    fn leave_out(&mut self, version: &'p str, row: Row) {
        match row.outcome {
            Outcome::Passed => return,
            Outcome::Refused => {
                Arc::make_mut(&mut self.past).refuse(std::iter::once(&version.to_owned()));
            }
            Outcome::Suspect | Outcome::Alike => {
                Arc::make_mut(&mut self.past).await_reading(version);
            }
            Outcome::OverBudget => Arc::make_mut(&mut self.past).leave_out(version),
        }
        self.left_out.insert(version, row);
    }

    fn add(&mut self, release: Release<'p>) {
        if let Some(number) = release.number {
            self.before.add(number, release.published, release.version);
        }
    }
}

/// The releases that came out before the last months, and those since that have settled, oldest first. What has no
/// publish time is among neither: on a registry without times whoever took over a package years ago would be a
/// stranger for ever.
fn releases<'p>(
    packument: &'p Packument,
    past: &Past,
    now: Timestamp,
) -> (Vec<Release<'p>>, Vec<Release<'p>>) {
    let Ok(since) = now.saturating_sub(RECENT + LONGEST) else {
        return (Vec::new(), Vec::new());
    };
    let mut entries = packument.versions().iter();
    // Nearly all packages rest, and then there is nothing to put in order.
    if !entries.any(|entry| entry.published().is_some_and(|it| it > since)) {
        return (Vec::new(), Vec::new());
    }
    let entries = packument.versions().iter();
    let timed = entries.filter_map(|entry| {
        let (published, version) = (entry.published()?, entry.version.as_str());
        let number = Version::parse(version).ok();
        Some(Release {
            published,
            is_odd: number.is_none(),
            number,
            version,
        })
    });
    let (earlier, mut lately): (Vec<_>, Vec<_>) =
        timed.partition(|release| release.published <= since);
    lately.retain(|release| !past.is_open(packument, release.version));
    lately.sort_unstable();
    (earlier, lately)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{MONTH, OLD, WEEK, now, packument};
    use super::*;

    #[test]
    fn those_of_the_last_months_are_gone_through_as_they_came() {
        let packument = packument(&[
            ("1.0.0", OLD),
            ("1.0.2", MONTH),
            ("1.0.10", MONTH),
            ("1.0.0.1", MONTH),
            ("1.1.0-rc.1", MONTH),
            ("1.0.3", None),
            ("1.1.0", WEEK),
            ("1.1.1", Some("2026-11-20T09:00:00Z")),
        ]);
        let past = Past::settled_before(now() - crate::habits::SETTLED);
        let (earlier, lately) = releases(&packument, &past, now());
        let versions = |found: Vec<Release<'_>>| -> Vec<String> {
            let found = found.into_iter();
            found.map(|release| release.version.to_owned()).collect()
        };
        assert_eq!(versions(earlier), ["1.0.0"]);
        assert_eq!(
            versions(lately),
            ["1.0.2", "1.0.10", "1.1.0-rc.1", "1.0.0.1", "1.1.0"]
        );
    }

    #[test]
    fn what_is_known_by_now_decides_whether_it_has_to_be_gone_through_again() {
        let step = |outcome: Outcome, told: bool| Step {
            version: "1.0.0".to_owned(),
            outcome,
            leads: true,
            told,
            waived: false,
        };
        let nothing = Past::default();
        let mut refused = Past::default();
        refused.refuse(std::iter::once(&"1.0.0".to_owned()));
        for (outcome, told, unknown, is_refused) in [
            (Outcome::Passed, false, true, false),
            (Outcome::Passed, true, false, false),
            (Outcome::Refused, false, true, true),
            (Outcome::Refused, true, false, true),
            (Outcome::Suspect, false, true, false),
            (Outcome::Alike, false, true, false),
            (Outcome::OverBudget, false, true, false),
        ] {
            let step = step(outcome, told);
            assert_eq!(step.stands(&nothing), unknown, "{step:?}");
            assert_eq!(step.stands(&refused), is_refused, "{step:?}");
        }
        // Its waiver has run out.
        let waived = Step {
            waived: true,
            ..step(Outcome::Suspect, false)
        };
        assert!(!waived.stands(&nothing));
    }
}
