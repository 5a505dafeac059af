//! From facts to a verdict: signals observe a release, policy decides.

use jiff::Timestamp;
use weir_model::assessment::{ATTESTATIONS, SIGNATURE};
use weir_model::{
    Advisory, Assessment, AttestationState, Contents, Decision, Incomplete, ReleaseId,
    SignatureState, Trust,
};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_policy::{Context, Request, decide};
use weir_signals::{
    Alike, Brought, DependencyFacts, Dependents, REAL_DEPENDENTS, Stage, Surroundings, observe_all,
};
use weir_store::PackageAdvisories;

use crate::EngineError;
use crate::compare::Beside;
use crate::engine::Engine;
use crate::names;
use crate::packuments::Held;
use crate::resolution::instead_of;
use crate::verdicts::Verdict;

/// Everything a verdict is made from.
pub(crate) struct Facts<'a> {
    pub(crate) held: &'a Held,
    pub(crate) version: &'a str,
    pub(crate) contents: Stage<&'a Contents>,
    pub(crate) beside: &'a Beside,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) brought: &'a [Brought],
    pub(crate) alike: Option<&'a Alike>,
    pub(crate) trust: Option<&'a Trust>,
    pub(crate) dependencies: &'a [DependencyFacts],
    pub(crate) dependents: Option<&'a Dependents>,
    pub(crate) first_seen: Option<Timestamp>,
    pub(crate) request: Request,
    pub(crate) served_before: bool,
}

impl<'a> Facts<'a> {
    /// What the packument says, and nothing of the contents.
    pub(crate) fn on_metadata(
        held: &'a Held,
        version: &'a str,
        beside: &'a Beside,
        surroundings: &'a Surroundings,
    ) -> Self {
        Self {
            held,
            version,
            contents: Stage::Pending,
            beside,
            surroundings,
            brought: &[],
            alike: None,
            trust: None,
            dependencies: &[],
            dependents: None,
            first_seen: None,
            request: Request::Pinned,
            served_before: false,
        }
    }
}

impl Engine {
    /// Judges, and before it refuses asks whether these bytes were served here before. That can only
    /// make the decision milder, so whatever passes costs no question.
    pub(crate) async fn judge_seen(
        &self,
        facts: Facts<'_>,
        generation: &str,
    ) -> Result<Verdict, EngineError> {
        let mut verdict = self.judge(&facts, generation);
        let dependents = match names::asks_for_dependents(&verdict.assessment) {
            true => self.dependents_of(facts.held, facts.version).await,
            false => None,
        };
        let mut facts = Facts {
            // Fewer change nothing.
            dependents: dependents
                .as_ref()
                .filter(|found| found.count >= REAL_DEPENDENTS),
            ..facts
        };
        if facts.dependents.is_some() {
            verdict = self.judge(&facts, generation);
        }
        if verdict.decision.action.serves() {
            return Ok(verdict);
        }
        let Some(integrity) = self.integrity_of(facts.held, facts.version) else {
            return Ok(verdict);
        };
        let (integrity, now) = (integrity.to_string(), self.now());
        facts.served_before = self.store.was_served(&integrity, now).await?;
        if facts.served_before {
            return Ok(self.judge(&facts, generation));
        }
        Ok(verdict)
    }

    pub(crate) fn judge(&self, facts: &Facts<'_>, generation: &str) -> Verdict {
        let Facts { held, version, .. } = *facts;
        let name = held.packument.name();
        let about = self.about(name);
        let advisories = match &about {
            Ok(about) => Stage::Known(about.matching(version)),
            Err(why) => Stage::NotKnown(why.clone()),
        };
        let about = about.ok();
        let no_baseline = |other: &str| {
            let is_malware = about.as_ref().is_some_and(|it| it.is_malware(other));
            let past = &facts.beside.past;
            is_malware || past.excuses_not(&held.packument, version, other)
        };
        let open = |version: &str| facts.beside.past.is_open(&held.packument, version);
        let internal = self.internal_entry(name, version);
        let subject = self.subject(held, version).without_refused(&no_baseline);
        let mut subject = subject.without_open(&open);
        subject.advisories = slice(&advisories);
        subject.contents = facts.contents.clone();
        subject.previous_contents = facts.beside.previous.as_ref();
        subject.habit_contents = facts.beside.habit.as_ref();
        subject.siblings = &facts.beside.siblings;
        subject.surroundings = Some(facts.surroundings);
        subject.brought = facts.brought;
        subject.alike = facts.alike;
        subject.trust = facts.trust;
        subject.first_seen = facts.first_seen;
        subject.dependencies = facts.dependencies;
        subject.dependents = facts.dependents;
        subject.first_missed = held.first_missed.clone();
        subject.internal = internal.as_deref();
        let mut observation = observe_all(&subject);
        if matches!(facts.contents, Stage::Pending) {
            // On metadata alone the contents are not missing, they are not looked at.
            let unread = weir_signals::Input::Contents.as_str();
            observation.incomplete.retain(|gap| gap.what != unread);
        }
        observation
            .incomplete
            .extend(facts.trust.and_then(unverified));
        let integrity = self.integrity_of(held, version);
        if integrity.is_none() {
            observation.incomplete.push(Incomplete {
                what: weir_model::assessment::INTEGRITY.to_owned(),
                why: self.why_no_integrity(held, version).to_owned(),
            });
        }
        let mut assessment = Assessment {
            release: release_id(name, version, integrity.as_ref()),
            findings: observation.findings,
            incomplete: observation.incomplete,
        };
        assessment.sort();
        let published = held.packument.published(version).or(facts.first_seen);
        let decision = self.decide(&assessment, held, published, facts, about.as_deref());
        Verdict {
            assessment,
            decision,
            published,
            blob: None,
            generation: generation.to_owned(),
            preliminary: false,
        }
    }

    fn why_no_integrity(&self, held: &Held, version: &str) -> &'static str {
        let none = "the registry gives none to check the tarball against";
        let Ok(manifest) = self.manifest(held, version) else {
            return none;
        };
        if manifest.dist.unreadable_integrity {
            return "what the registry gives as dist.integrity cannot be read";
        }
        match manifest.dist.best_integrity() {
            Some(several) if several.is_ambiguous() => {
                "the registry gives several digests of one algorithm, of which any would do"
            }
            _ => none,
        }
    }

    pub(crate) fn decide(
        &self,
        assessment: &Assessment,
        held: &Held,
        published: Option<Timestamp>,
        facts: &Facts<'_>,
        about: Option<&PackageAdvisories>,
    ) -> Decision {
        let name = held.packument.name();
        let mut context = Context {
            now: self.now(),
            published,
            rank: self.rank(name),
            request: facts.request,
            served_before: facts.served_before,
            fixes_advisory_of: None,
            established: self.is_established(name, published),
            instead: None,
        };
        let decision = self.decide_in(assessment, &context);
        // Only a refusal needs to know what else there is, and whether that is any better.
        let Some(about) = about.filter(|_| !decision.action.serves()) else {
            return decision;
        };
        let below = instead_of(self, assessment, facts, about, context.now);
        let served = below.served.as_deref();
        context.fixes_advisory_of = served.and_then(|it| fixed_here(about, facts.version, it));
        // The reasons speak of what would be served instead; recommended is only what is known to be fine.
        context.instead = below.served;
        let mut decision = self.decide_in(assessment, &context);
        if !decision.action.serves() {
            decision.instead = below.recommended;
        }
        decision
    }

    /// The policy's decision, with what it depended on.
    pub(crate) fn decide_in(&self, assessment: &Assessment, context: &Context) -> Decision {
        let mut decision = decide(assessment, context, &self.policy);
        decision.circumstances = Some(context.circumstances());
        decision
    }
}

/// The ids of advisories on vulnerabilities that affect `instead` and that `version` is said to fix.
fn fixed_here(about: &PackageAdvisories, version: &str, instead: &str) -> Option<String> {
    let fixed = about.fixed_by(instead, version);
    (!fixed.is_empty()).then(|| fixed.join(", "))
}

/// What is stored of a package, as signals take it.
pub(crate) fn slice(advisories: &Stage<Vec<Advisory>>) -> Stage<&[Advisory]> {
    match advisories.as_ref() {
        Stage::Known(known) => Stage::Known(known.as_slice()),
        Stage::NotKnown(why) => Stage::NotKnown(why),
        Stage::Pending => Stage::Pending,
    }
}

/// What could not be verified, and why. A registry that signs nothing leaves no gap.
fn unverified(trust: &Trust) -> Option<Incomplete> {
    let (what, why) = match (&trust.signature, &trust.attestations) {
        (SignatureState::Unchecked { why }, _) => (SIGNATURE, why),
        (_, AttestationState::Unchecked { why }) => (ATTESTATIONS, why),
        _ => return None,
    };
    Some(Incomplete {
        what: what.to_owned(),
        why: weir_model::finding::printable(why, 300),
    })
}

fn release_id(name: &PackageName, version: &str, integrity: Option<&Integrity>) -> ReleaseId {
    ReleaseId {
        name: name.to_string(),
        version: version.to_owned(),
        integrity: integrity.map(Integrity::to_string),
    }
}
