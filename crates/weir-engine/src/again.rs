//! A kept verdict, taken again: what it comes to under the policy, the advisories and the lists in force. No registry
//! is asked.

use std::sync::Arc;

use weir_model::{Assessment, Circumstances, Contents, Decision, ReleaseId, Request};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_policy::Context;
use weir_signals::{Alike, Observation, Stage, Subject, Surroundings};

use crate::EngineError;
use crate::compare::Beside;
use crate::engine::Engine;
use crate::judge::{Facts, slice};
use crate::trust::Wanted;
use crate::verdicts::Verdict;
use crate::worker::Priority;

/// Signals about what the operator sets or takes in, which can change while a release does not.
const ANEW: [&str; 5] = [
    "known-malware",
    "internal-name",
    "broken-expectation",
    "known-bad-content",
    "user-rule",
];

/// Those of them that need nothing but a name and a version.
const BY_NAME: [&str; 2] = ["known-malware", "internal-name"];

/// How rules that came to no end are called in what could not be checked.
const RULES_GAP: &str = "your rules";

impl Engine {
    /// What is to happen with bytes that weir looked at before, by what is kept of them. What was seen then counts as
    /// it was seen; what the policy, the advisories, the lists of what is malicious and the operator's own rules say
    /// is as of now. Nothing where that cannot be told: no verdict on bytes that `is_same` knows is kept, or what one
    /// of these needs is not at hand.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn decide_again(
        &self,
        name: &PackageName,
        version: &str,
        is_same: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Option<Verdict>, EngineError> {
        let Some(mut verdict) = self.last_verdict(name, version).await? else {
            return Ok(None);
        };
        let integrity = verdict.assessment.release.integrity.as_deref();
        let parsed = integrity.filter(|it| is_same(it)).map(Integrity::parse);
        let Some(Ok(integrity)) = parsed else {
            return Ok(None);
        };
        let circumstances = verdict.decision.circumstances.clone();
        let Some(circumstances) = circumstances.filter(|_| !verdict.preliminary) else {
            return Ok(None);
        };
        let is_present = verdict.generation == self.verdict_generation(name);
        if !is_present {
            let assessment = &mut verdict.assessment;
            if !self.observe_again(name, &integrity, assessment).await? {
                return Ok(None);
            }
        }
        verdict.decision = self
            .decide_at(&verdict.assessment, circumstances, &integrity)
            .await?;
        // To let something pass, its bytes have to have been looked at.
        let passes = verdict.decision.action.serves();
        if passes && verdict.blob.is_none() && self.kept_contents(&integrity).await?.is_none() {
            return Ok(None);
        }
        if !passes {
            verdict.decision.instead = self.instead_at_hand(name, &verdict).await;
        }
        Ok(Some(verdict))
    }

    /// What to use instead of a release that is refused, as far as the kept packument tells.
    async fn instead_at_hand(&self, name: &PackageName, verdict: &Verdict) -> Option<String> {
        let held = self.packuments.kept(name).await.ok()??;
        let version = &verdict.assessment.release.version;
        let past = self.past_of(&held, version).await.ok()?;
        let beside = Beside::pending(&Arc::new(past));
        let around = Surroundings::default();
        let facts = Facts::on_metadata(&held, version, &beside, &around);
        let about = self.about(name).ok()?;
        let assessment = &verdict.assessment;
        let decision = self.decide(
            assessment,
            &held,
            verdict.published,
            &facts,
            Some(about.as_ref()),
        );
        decision.instead
    }

    /// The refusal of a release that nobody looked at, for what advisories or `names.internal` say of its name and
    /// version.
    #[must_use]
    pub fn refused_by_name(
        &self,
        name: &PackageName,
        version: &str,
        integrity: Option<&str>,
    ) -> Option<Verdict> {
        let advisories = self.advisories_for(name, version);
        let internal = self.internal_entry(name, version);
        let mut subject = Subject::new(name, version, &self.names, self.now());
        subject.advisories = slice(&advisories);
        subject.internal = internal.as_deref();
        let mut assessment = Assessment {
            release: ReleaseId {
                name: name.to_string(),
                version: version.to_owned(),
                integrity: integrity.map(str::to_owned),
            },
            findings: observed(&BY_NAME, &subject).findings,
            incomplete: Vec::new(),
        };
        assessment.sort();
        let context = Context {
            rank: self.rank(name),
            // No other release was looked for that could be named instead.
            request: Request::Inspection,
            ..Context::new(self.now())
        };
        let decision = self.decide_in(&assessment, &context);
        (!decision.action.serves()).then(|| Verdict {
            assessment,
            decision,
            published: None,
            blob: None,
            generation: self.verdict_generation(name),
            preliminary: false,
        })
    }

    /// The verdict that was made last, under whatever was in force then. What cannot be understood counts as absent.
    pub(crate) async fn last_verdict(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Option<Verdict>, EngineError> {
        if let Some(verdict) = self.unkept.get(name, version) {
            return Ok(Some((*verdict).clone()));
        }
        if !self.store.may_have_verdict(name.as_str(), version) {
            return Ok(None);
        }
        let kept = self.store.last_verdict(name.as_str(), version).await?;
        Ok(kept.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Decides in the circumstances that were kept, as of now.
    async fn decide_at(
        &self,
        assessment: &Assessment,
        circumstances: Circumstances,
        integrity: &Integrity,
    ) -> Result<Decision, EngineError> {
        let now = Circumstances {
            now: self.now(),
            served_before: false,
            ..circumstances
        };
        let decision = self.decide_in(assessment, &Context::again(&now, &self.policy));
        // That can only make it milder.
        if decision.action.serves()
            || !self
                .store
                .was_served(&integrity.to_string(), self.now())
                .await?
        {
            return Ok(decision);
        }
        let served = Circumstances {
            served_before: true,
            ..now
        };
        Ok(self.decide_in(assessment, &Context::again(&served, &self.policy)))
    }

    /// Puts what the signals of [`ANEW`] say now in the place of what they said. Whether all of them could.
    async fn observe_again(
        &self,
        name: &PackageName,
        integrity: &Integrity,
        assessment: &mut Assessment,
    ) -> Result<bool, EngineError> {
        let version = assessment.release.version.clone();
        let advisories = self.advisories_for(name, &version);
        if advisories.known().is_none() {
            return Ok(false);
        }
        let has_rules = self.policy.rules_folder().is_some();
        let wants_contents = has_rules || self.store.knows_bad_content().await?;
        let contents = match wants_contents {
            true => self.contents_again(integrity).await?,
            false => None,
        };
        if wants_contents && contents.is_none() {
            return Ok(false);
        }
        let trust = match self.policy.expects(name.as_str()) {
            true => {
                let wanted = Wanted {
                    name: name.clone(),
                    version: version.clone(),
                    integrity: Some(integrity.clone()),
                };
                let known = self.trust.known(&[wanted]).await?.pop().flatten();
                if known.is_none() {
                    return Ok(false);
                }
                known
            }
            false => None,
        };
        let alike = match &contents {
            Some(contents) => Alike {
                bad: self.known_bad_again(name, &version, contents).await,
                ..Alike::default()
            },
            None => Alike::default(),
        };
        let internal = self.internal_entry(name, &version);
        let mut subject = Subject::new(name, &version, &self.names, self.now());
        subject.settings = self.settings();
        subject.advisories = slice(&advisories);
        subject.internal = internal.as_deref();
        subject.alike = Some(&alike);
        subject.trust = trust.as_ref();
        if let Some(contents) = &contents {
            subject.contents = Stage::Known(contents);
        }
        let seen = observed(&ANEW, &subject);
        assessment
            .findings
            .retain(|finding| !ANEW.contains(&finding.signal.as_str()));
        assessment.findings.extend(seen.findings);
        assessment.incomplete.retain(|gap| gap.what != RULES_GAP);
        assessment.incomplete.extend(seen.incomplete);
        assessment.sort();
        Ok(true)
    }

    /// The contents of bytes that were looked at before, read once more where the analyser or the rules are others
    /// now. Nothing where the bytes are gone.
    async fn contents_again(&self, integrity: &Integrity) -> Result<Option<Contents>, EngineError> {
        if let Some(contents) = self.kept_contents(integrity).await? {
            return Ok(Some(contents));
        }
        let Some(blob) = self.store.blob(integrity).await? else {
            return Ok(None);
        };
        let bytes = blob.read().await?.into();
        let read = self.contents_of(bytes, integrity, Priority::Foreground);
        Ok(read.await.ok())
    }
}

/// What some signals say of a release. What they lack is theirs to say.
fn observed(signals: &[&str], subject: &Subject<'_>) -> Observation {
    let mut seen = Observation::default();
    for signal in signals.iter().filter_map(|id| weir_signals::find(id)) {
        (signal.observe)(subject, &mut seen);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_observed_again_is_in_the_catalogue() {
        for id in ANEW.iter().chain(&BY_NAME) {
            let signal = weir_signals::find(id);
            // What is on trial decides nothing, and here nobody would see to that.
            assert!(
                signal.is_some_and(|it| it.maturity != weir_signals::Maturity::Trial),
                "{id}"
            );
        }
    }
}
