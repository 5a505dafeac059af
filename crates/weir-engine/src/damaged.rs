//! Releases whose bytes were not what their registry states, a moment ago. That may have happened on the way and
//! only once, so it is no verdict to keep: ranges and tags pass over such a release for a while, and it is forgotten
//! as soon as the right bytes come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::engine::Engine;
use crate::packuments::Held;
use crate::verdicts::Verdict;

/// The finding about bytes that do not match.
pub(crate) const MISMATCH: &str = "integrity-mismatch";

/// How long such a release is passed over. `weir explain` says so: the words are in `weir-policy`.
const PASSED_OVER: SignedDuration = SignedDuration::from_mins(10);

/// Most releases remembered, the last ones: a registry that sends nothing but wrong bytes must not fill the memory.
const MOST: usize = 1_000;

/// The releases whose bytes did not match lately, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Damaged(Mutex<Vec<Mismatch>>);

/// A release whose bytes did not match.
#[derive(Debug, Clone)]
pub(crate) struct Mismatch {
    /// The refusal. It has the digest that the registry states: where it states another, this says nothing.
    pub(crate) verdict: Arc<Verdict>,
    /// Until when the release is passed over.
    pub(crate) until: Timestamp,
}

impl Mismatch {
    fn is_of(&self, name: &str, version: &str) -> bool {
        let release = &self.verdict.assessment.release;
        release.name == name && release.version == version
    }
}

impl Damaged {
    fn lock(&self) -> MutexGuard<'_, Vec<Mismatch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a refusal. Whether the release was not passed over so far.
    fn note(&self, verdict: &Arc<Verdict>, now: Timestamp) -> bool {
        let release = &verdict.assessment.release;
        let mut known = self.lock();
        known.retain(|it| now < it.until);
        let same = |it: &Mismatch| {
            it.is_of(&release.name, &release.version)
                && it.verdict.assessment.release.integrity == release.integrity
        };
        let is_news = !known.iter().any(same);
        known.retain(|it| !it.is_of(&release.name, &release.version));
        let many = (known.len() + 1).saturating_sub(MOST);
        known.drain(..many);
        known.push(Mismatch {
            verdict: Arc::clone(verdict),
            until: now.saturating_add(PASSED_OVER).unwrap_or(Timestamp::MAX),
        });
        is_news
    }

    /// Forgets a release. Whether there was anything to forget.
    fn forget(&self, name: &str, version: &str) -> bool {
        let mut known = self.lock();
        let before = known.len();
        known.retain(|it| !it.is_of(name, version));
        known.len() < before
    }

    /// The releases of a package that are passed over at a moment.
    fn of(&self, name: &str, now: Timestamp) -> Vec<Mismatch> {
        let known = self.lock();
        let theirs = |it: &&Mismatch| it.verdict.assessment.release.name == name && now < it.until;
        known.iter().filter(theirs).cloned().collect()
    }
}

impl Engine {
    /// Has ranges and tags pass over a release for a while, as the bytes that came for it are wrong.
    pub(crate) fn note_damaged(&self, verdict: &Arc<Verdict>) {
        let refused = !verdict.decision.action.serves();
        if refused && self.damaged.note(verdict, self.now()) {
            self.resolve_anew();
        }
    }

    /// The right bytes came.
    pub(crate) fn forget_damaged(&self, held: &Held, version: &str) {
        if self.damaged.forget(held.packument.name().as_str(), version) {
            self.resolve_anew();
        }
    }

    /// The releases of a package whose bytes did not match lately, as far as the registry still states the same
    /// of them.
    pub(crate) fn damaged_of(&self, held: &Held) -> Vec<Mismatch> {
        let mut found = self.damaged.of(held.packument.name().as_str(), self.now());
        found.retain(|it| {
            let release = &it.verdict.assessment.release;
            let stated = self.integrity_of(held, &release.version);
            stated.is_some() && stated.map(|stated| stated.to_string()) == release.integrity
        });
        found
    }
}

/// Whether a verdict is about bytes that did not match. It says nothing of the release itself.
pub(crate) fn is_damaged(verdict: &Verdict) -> bool {
    let mut findings = verdict.assessment.findings.iter();
    findings.any(|finding| finding.signal == MISMATCH)
}

#[cfg(test)]
mod tests {
    use weir_model::{Assessment, Decision, ReleaseId};

    use super::*;

    fn verdict(version: &str, integrity: &str) -> Arc<Verdict> {
        Arc::new(Verdict {
            assessment: Assessment {
                release: ReleaseId {
                    name: "gauge-reader".into(),
                    version: version.into(),
                    integrity: Some(integrity.into()),
                },
                findings: Vec::new(),
                incomplete: Vec::new(),
            },
            decision: Decision::allow(),
            published: None,
            blob: None,
            generation: String::new(),
            preliminary: false,
        })
    }

    #[test]
    fn wrong_bytes_count_for_a_while_and_until_the_right_ones_come() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let later = |minutes: i64| now + SignedDuration::from_mins(minutes);
        let damaged = Damaged::default();
        let known = |at: Timestamp| damaged.of("gauge-reader", at).len();
        assert!(damaged.note(&verdict("1.0.0", "sha512-a"), now));
        assert!(!damaged.note(&verdict("1.0.0", "sha512-a"), later(5)));
        assert_eq!((known(later(14)), known(later(15))), (1, 0));
        assert!(damaged.note(&verdict("1.0.0", "sha512-b"), later(6)));
        assert_eq!(known(later(7)), 1);
        assert!(damaged.of("gauge", later(7)).is_empty());
        assert!(!damaged.forget("gauge-reader", "1.1.0"));
        assert!(damaged.forget("gauge-reader", "1.0.0"));
        assert_eq!(known(later(7)), 0);
    }

    /// A name that nothing has would leave what is meant by it to any waiver.
    #[test]
    fn what_is_never_silent_are_findings_that_there_are() {
        let signals: Vec<&str> = weir_signals::CATALOGUE.iter().map(|it| it.id).collect();
        for id in weir_policy::config::NEVER_SILENT {
            assert!(*id == MISMATCH || signals.contains(id), "{id}");
        }
        assert!(weir_policy::config::NEVER_SILENT.contains(&MISMATCH));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let now = Timestamp::UNIX_EPOCH;
        let damaged = Damaged::default();
        for number in 0..MOST + 7 {
            damaged.note(&verdict(&format!("1.0.{number}"), "sha512-a"), now);
        }
        let known = damaged.of("gauge-reader", now);
        assert_eq!(known.len(), MOST);
        let first = known
            .first()
            .map(|it| it.verdict.assessment.release.version.as_str());
        assert_eq!(first, Some("1.0.7"));
    }
}
