//! What happened during one run of a client, for the summary at its end.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use weir_engine::{Verdict, Waited};
use weir_model::Action;

/// Collects what happens during one run of a client. A long-running service has none.
#[derive(Debug, Default)]
pub struct Session {
    inner: Mutex<Summary>,
}

/// One release, by name and version.
pub type Release = (String, String);

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Every release whose tarball was asked for, with the verdict on it.
    pub seen: BTreeMap<Release, Seen>,
    /// Versions kept out of resolution, with the reason.
    pub held: BTreeMap<Release, Held>,
    /// Packuments answered.
    pub packuments: u64,
    /// Stale answers given because the upstream failed.
    pub stale: u64,
    /// Requests that failed for reasons other than policy.
    pub failed: Vec<String>,
    /// Sum of the time that requests waited for an analysis.
    pub analysis: Duration,
    /// The longest such wait.
    pub longest_analysis: Duration,
}

impl Summary {
    /// Whether nobody asked for anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
            && self.held.is_empty()
            && self.failed.is_empty()
            && self.packuments == 0
    }
}

/// A release whose tarball was asked for.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whether its bytes reached the client.
    pub served: bool,
    /// What was decided.
    pub action: Action,
    /// Why.
    pub reasons: Vec<String>,
    /// Where to read on.
    pub block_id: Option<String>,
    /// What to use instead.
    pub instead: Option<String>,
    /// Whether the bytes were here already.
    pub cached: bool,
    /// What could not be checked.
    pub incomplete: Vec<String>,
}

/// A version kept out of resolution.
#[derive(Debug, Clone)]
pub struct Held {
    /// Hold or block.
    pub action: Action,
    /// Why.
    pub reasons: Vec<String>,
    /// Until when, for holds that end.
    pub until: Option<Timestamp>,
    /// Where to read on.
    pub block_id: String,
    /// What to use instead.
    pub instead: Option<String>,
    /// What of a request was about it, in words; absent where a packument only mentions it.
    pub about: Option<String>,
}

impl Held {
    fn new(verdict: &Verdict, about: Option<String>) -> Self {
        let decision = &verdict.decision;
        Self {
            action: decision.action,
            reasons: decision.reasons.clone(),
            until: decision.until,
            block_id: verdict.block_id().0,
            instead: decision.instead.clone(),
            about,
        }
    }
}

impl Session {
    /// Notes a tarball that was asked for.
    pub fn tarball(&self, verdict: &Verdict, served: bool, cached: bool, waited: Waited) {
        let decision = &verdict.decision;
        let release = &verdict.assessment.release;
        let seen = Seen {
            served,
            action: decision.action,
            reasons: decision.reasons.clone(),
            block_id: (!decision.action.serves()).then(|| verdict.block_id().0),
            instead: decision.instead.clone(),
            cached,
            incomplete: verdict
                .assessment
                .incomplete
                .iter()
                .map(|gap| format!("{}: {}", gap.what, gap.why))
                .collect(),
        };
        let mut summary = self.lock();
        summary.analysis += waited.analysis;
        summary.longest_analysis = summary.longest_analysis.max(waited.analysis);
        summary
            .seen
            .insert((release.name.clone(), release.version.clone()), seen);
    }

    /// Notes a packument that was answered and what was kept out of it: the version, the verdict, and what became
    /// of the tags that led there.
    pub fn packument<'a>(
        &self,
        name: &str,
        held: impl Iterator<Item = (&'a str, &'a Verdict, Option<String>)>,
        stale: bool,
    ) {
        let mut summary = self.lock();
        summary.packuments += 1;
        summary.stale += u64::from(stale);
        for (version, verdict, about) in held {
            let key = (name.to_owned(), version.to_owned());
            summary.keep_out(key, Held::new(verdict, about));
        }
    }

    /// Notes a version's document that was refused.
    pub fn document(&self, verdict: &Verdict) {
        let release = &verdict.assessment.release;
        let key = (release.name.clone(), release.version.clone());
        let about = Some("its document was asked for".to_owned());
        self.lock().keep_out(key, Held::new(verdict, about));
    }

    /// Notes a request that failed for a reason other than policy.
    pub fn failure(&self, what: String) {
        let mut summary = self.lock();
        if summary.failed.len() < 100 && !summary.failed.contains(&what) {
            summary.failed.push(what);
        }
    }

    /// Replaces a verdict that was preliminary when the release was served.
    pub fn settled(&self, verdict: &Verdict) {
        let cached = {
            let release = &verdict.assessment.release;
            let key = (release.name.clone(), release.version.clone());
            self.lock().seen.get(&key).map(|seen| seen.cached)
        };
        if let Some(cached) = cached {
            self.tarball(verdict, true, cached, Waited::default());
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Summary> {
        self.inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Summary {
    /// What a request was about once stays so, also where a later packument only mentions the release.
    fn keep_out(&mut self, release: Release, mut held: Held) {
        let before = self.held.get(&release);
        held.about = held
            .about
            .or_else(|| before.and_then(|before| before.about.clone()));
        self.held.insert(release, held);
    }

    /// Releases with the given action, in order of name.
    pub fn with_action(&self, action: Action) -> impl Iterator<Item = (&Release, &Seen)> {
        self.seen
            .iter()
            .filter(move |(_, seen)| seen.action == action)
    }

    /// The version of `name` that a client took in this run, if any.
    #[must_use]
    pub fn used(&self, name: &str) -> Vec<&str> {
        self.seen
            .iter()
            .filter(|((seen, _), entry)| seen == name && entry.served)
            .map(|((_, version), _)| version.as_str())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_was_about_is_not_forgotten_when_it_is_only_mentioned_again() {
        let held = |about: Option<&str>| Held {
            action: Action::Block,
            reasons: Vec::new(),
            until: None,
            block_id: "w-0123456789".to_owned(),
            instead: None,
            about: about.map(str::to_owned),
        };
        let release = || ("reed".to_owned(), "2.0.0".to_owned());
        let mut summary = Summary::default();
        for (about, wanted) in [
            (None, None),
            (Some("tag next is withheld"), Some("tag next is withheld")),
            (None, Some("tag next is withheld")),
            (
                Some("its document was asked for"),
                Some("its document was asked for"),
            ),
        ] {
            summary.keep_out(release(), held(about));
            let kept = summary.held.get(&release());
            assert_eq!(kept.and_then(|kept| kept.about.as_deref()), wanted);
        }
    }
}
