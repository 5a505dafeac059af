//! From facts to a verdict: signals observe a release, policy decides.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use weir_model::advisory::AdvisoryKind;
use weir_model::ledger::LedgerEvent;
use weir_model::{
    Action, Assessment, AttestationState, Confidence, Contents, Decision, Evidence, Finding, Group,
    Incomplete, LedgerEntry, ReleaseId, Severity, SignatureState, Trust,
};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_policy::{Context, Request, decide};
use weir_signals::{
    Alike, Brought, DependencyFacts, Dependents, Settings, Stage, Subject, Surroundings,
    new_dependencies, observe_all,
};
use weir_store::{Blob, Hashed};

use crate::EngineError;
use crate::compare::{Beside, Profile};
use crate::engine::{Engine, Local};
use crate::flight::Flight;
use crate::names;
use crate::packuments::Held;
use crate::resolution::{instead_of, refuses_for_good};
use crate::verdicts::Verdict;
use crate::worker::Priority;

/// An assessment of something that was asked for by hand, and the decision on it.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// What was seen.
    pub assessment: Assessment,
    /// What a gateway with the same policy would do.
    pub decision: Decision,
    /// When the release was published, as far as known.
    pub published: Option<Timestamp>,
    /// What it looks like, where that is at hand: see [`Engine::with_profile`].
    pub profile: Option<Profile>,
}

/// Everything a verdict is made from.
struct Facts<'a> {
    held: &'a Held,
    version: &'a str,
    contents: Stage<&'a Contents>,
    beside: &'a Beside,
    surroundings: &'a Surroundings,
    brought: &'a [Brought],
    alike: Option<&'a Alike>,
    trust: Option<&'a Trust>,
    dependencies: &'a [DependencyFacts],
    dependents: Option<&'a Dependents>,
    first_seen: Option<Timestamp>,
    request: Request,
    served_before: bool,
}

impl Engine {
    /// The verdict on what the packument says, without the contents. It is not kept.
    pub(crate) async fn metadata_verdict(
        &self,
        held: &Held,
        version: &str,
        times: &HashMap<String, Timestamp>,
        generation: &str,
    ) -> Result<Arc<Verdict>, EngineError> {
        let first_seen = times.get(version).copied();
        let around = self.surroundings(held, version).await?;
        let facts = Facts {
            held,
            version,
            contents: Stage::Pending,
            beside: &Beside::pending(),
            surroundings: &around,
            brought: &[],
            alike: None,
            trust: None,
            dependencies: &[],
            dependents: None,
            first_seen,
            request: Request::NewResolution,
            served_before: false,
        };
        let verdict = self.judge_seen(facts, generation).await?;
        if refuses_for_good(&verdict.decision) {
            self.note_lesson(held, version, true);
        }
        Ok(Arc::new(verdict))
    }

    /// The verdict on metadata and on what verifying came to, without the contents. It is not kept.
    pub(crate) async fn verdict_on_trust(
        &self,
        held: &Held,
        version: &str,
        trust: &Trust,
    ) -> Result<Verdict, EngineError> {
        let first_seen = self.times_of(held, version).await?.get(version).copied();
        let around = self.surroundings(held, version).await?;
        let facts = Facts {
            held,
            version,
            contents: Stage::Pending,
            beside: &Beside::pending(),
            surroundings: &around,
            brought: &[],
            alike: None,
            trust: Some(trust),
            first_seen,
            request: Request::Pinned,
            served_before: false,
        };
        let generation = self.verdict_generation(held.packument.name());
        self.judge_seen(facts, &generation).await
    }

    /// The verdict on a release, contents included: kept from earlier, or made now.
    ///
    /// # Errors
    /// When the tarball cannot be had or the data folder fails.
    pub async fn full_verdict(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
    ) -> Result<Arc<Verdict>, EngineError> {
        let Some(expected) = self.integrity_of(held, version) else {
            let times = self.times_of(held, version).await?;
            return self
                .metadata_verdict(held, version, &times, &self.generation())
                .await;
        };
        if let Some(contents) = self.store.contents(&expected.to_string()).await? {
            let blob = self.store.blob(&expected).await?;
            return self.decide_fully(held, version, Ok(contents), blob).await;
        }
        let flight: Arc<Flight> = self.flight(held, version, &expected, None).await?;
        self.verdict_of_flight(held, version, &flight).await
    }

    /// Decides on metadata and contents together, and keeps the verdict.
    pub(crate) async fn decide_fully(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        contents: Result<Contents, String>,
        blob: Option<Blob>,
    ) -> Result<Arc<Verdict>, EngineError> {
        let first_seen = self.times_of(held, version).await?.get(version).copied();
        let beside = match &contents {
            Ok(contents) => self.beside(held, version, contents).await?,
            Err(_) => Beside::pending(),
        };
        let alike = match &contents {
            Ok(contents) => Some(self.alike(held, version, contents).await),
            Err(_) => None,
        };
        let trust = self.trust.of_held(held, version).await;
        let added = {
            let no_baseline = |version: &str| beside.refused.contains(version);
            let subject = self.subject(held, version).without_refused(&no_baseline);
            new_dependencies(&subject)
        };
        let dependencies = self.dependency_facts(held, added).await;
        let around = self.surroundings(held, version).await?;
        let malware = self.known_malware(held.packument.name());
        let no_baseline = |version: &str| beside.refused.contains(version) || malware(version);
        let asked = self.asked_anew(held, version, &no_baseline);
        let brought = self.brought(held, asked).await;
        let facts = Facts {
            held,
            version,
            contents: match &contents {
                Ok(contents) => Stage::Known(contents),
                Err(why) => Stage::NotKnown(why.clone()),
            },
            beside: &beside,
            surroundings: &around,
            brought: &brought,
            alike: alike.as_ref(),
            trust: Some(&trust),
            dependencies: &dependencies,
            dependents: None,
            first_seen,
            request: Request::Pinned,
            served_before: false,
        };
        let generation = self.verdict_generation(held.packument.name());
        let mut verdict = self.judge_seen(facts, &generation).await?;
        if let Ok(contents) = &contents {
            self.note_additions(held, version, contents, &beside);
        }
        verdict.blob = blob.as_ref().map(|blob| blob.sha512_hex().to_owned());
        let verdict = Arc::new(verdict);
        if let Ok(contents) = &contents {
            self.remember(&verdict, contents);
        }
        self.note_dependencies(held, version, &verdict).await;
        self.note_lesson(held, version, refuses_for_good(&verdict.decision));
        self.keep(held.packument.name(), &verdict, blob).await?;
        self.append(decided(&verdict, self.now())).await?;
        Ok(verdict)
    }

    /// The contents of one version, fetched if need be.
    pub(crate) async fn contents_of_version(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
    ) -> Result<Contents, String> {
        let expected = self
            .integrity_of(held, version)
            .ok_or_else(|| "the registry gives no integrity for it".to_owned())?;
        let kept = self
            .store
            .contents(&expected.to_string())
            .await
            .map_err(|e| e.to_string())?;
        if let Some(contents) = kept {
            return Ok(contents);
        }
        let flight = self
            .flight(held, version, &expected, None)
            .await
            .map_err(|error| error.to_string())?;
        let arrived = flight.arrived().await?;
        if !arrived.matches(&expected) {
            return Err("its bytes do not match its integrity".to_owned());
        }
        self.contents_of(arrived.bytes(), &expected, Priority::Foreground)
            .await
    }

    pub(crate) fn subject<'a>(&'a self, held: &'a Held, version: &'a str) -> Subject<'a> {
        let name = held.packument.name();
        let mut subject = Subject::new(name, version, &self.names, self.now());
        subject.packument = Stage::Known(&held.packument);
        subject.gone = &held.gone;
        subject.settings = self.settings();
        subject
    }

    fn settings(&self) -> Settings {
        let minimum = self.policy.age.minimum.get();
        Settings {
            minimum_age: minimum.try_into().unwrap_or(jiff::SignedDuration::MAX),
        }
    }

    /// Judges, and before it refuses asks whether these bytes were served here before. That can only
    /// make the decision milder, so whatever passes costs no question.
    async fn judge_seen(&self, facts: Facts<'_>, generation: &str) -> Result<Verdict, EngineError> {
        let mut facts: Facts<'_> = facts;
        let mut verdict = self.judge(&facts, generation);
        let dependents = match names::asks_for_dependents(&verdict.assessment) {
            true => self.dependents_of(facts.held, facts.version).await,
            false => None,
        };
        if let Some(dependents) = dependents.as_ref().filter(|found| found.count > 0) {
            facts.dependents = Some(dependents);
            verdict = self.judge(&facts, generation);
        }
        if verdict.decision.action.serves() {
            return Ok(verdict);
        }
        let Some(integrity) = self.integrity_of(facts.held, facts.version) else {
            return Ok(verdict);
        };
        facts.served_before = self.store.was_served(&integrity.to_string()).await?;
        if facts.served_before {
            return Ok(self.judge(&facts, generation));
        }
        Ok(verdict)
    }

    fn judge(&self, facts: &Facts<'_>, generation: &str) -> Verdict {
        let Facts { held, version, .. } = *facts;
        let name = held.packument.name();
        let advisories = self.advisories_for(name, version);
        let malware = self.known_malware(name);
        let no_baseline =
            |version: &str| facts.beside.refused.contains(version) || malware(version);
        let internal = self.internal_entry(name, version);
        let mut subject = self.subject(held, version).without_refused(&no_baseline);
        subject.advisories = Stage::Known(&advisories);
        subject.contents = facts.contents.clone();
        subject.previous_contents = facts.beside.previous.as_ref();
        subject.siblings = &facts.beside.siblings;
        subject.surroundings = Some(facts.surroundings);
        subject.brought = facts.brought;
        subject.alike = facts.alike;
        subject.trust = facts.trust;
        subject.first_seen = facts.first_seen;
        subject.dependencies = facts.dependencies;
        subject.dependents = facts.dependents;
        subject.first_missed = held.first_missed;
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
                what: "integrity".to_owned(),
                why: "the registry gives none to check the tarball against".to_owned(),
            });
        }
        let mut assessment = Assessment {
            release: release_id(name, version, integrity.as_ref()),
            findings: observation.findings,
            incomplete: observation.incomplete,
        };
        assessment.sort();
        let published = held.packument.published(version).or(facts.first_seen);
        let mut decision = self.decide(&assessment, held, published, facts);
        if integrity.is_none() && decision.action.serves() {
            // Whatever the policy allows to go unchecked, bytes that could be anything are not it.
            decision.action = Action::Hold;
            decision.reasons.insert(
                0,
                "held: the registry gives no integrity to check the tarball against".to_owned(),
            );
        }
        Verdict {
            assessment,
            decision,
            published,
            blob: None,
            generation: generation.to_owned(),
            preliminary: false,
        }
    }

    fn decide(
        &self,
        assessment: &Assessment,
        held: &Held,
        published: Option<Timestamp>,
        facts: &Facts<'_>,
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
        let mut decision = decide(assessment, &context, &self.policy);
        decision.circumstances = Some(context.circumstances());
        if decision.action.serves() {
            return decision;
        }
        // Only a refusal needs to know what else there is, and whether that is any better.
        context.instead = instead_of(self, held, facts.version, context.now);
        if let Some(instead) = &context.instead {
            context.fixes_advisory_of = self.fixed_here(name, facts.version, instead);
        }
        let mut decision = decide(assessment, &context, &self.policy);
        decision.circumstances = Some(context.circumstances());
        decision
    }

    /// The ids of advisories on vulnerabilities that affect `instead` and not `version`.
    fn fixed_here(&self, name: &PackageName, version: &str, instead: &str) -> Option<String> {
        let here = self.advisories_for(name, version);
        let fixed: Vec<String> = self
            .advisories_for(name, instead)
            .into_iter()
            .filter(|advisory| advisory.kind == AdvisoryKind::Vulnerability)
            .filter(|advisory| here.iter().all(|other| other.id != advisory.id))
            .map(|advisory| advisory.id)
            .collect();
        (!fixed.is_empty()).then(|| fixed.join(", "))
    }

    /// Whether the contents need not be read to refuse: a release that is only held for its age is
    /// read nevertheless, because what is in it decides what a person is told.
    pub(crate) fn refuses_without_contents(&self, metadata: &Verdict) -> bool {
        metadata.decision.action == weir_model::Action::Block
    }

    /// The verdict on bytes that are not what the registry says they are.
    pub(crate) async fn mismatch(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        expected: &Integrity,
        arrived: &Hashed,
    ) -> Result<Arc<Verdict>, EngineError> {
        let times = self.times_of(held, version).await?;
        let facts = Facts {
            held,
            version,
            contents: Stage::Pending,
            beside: &Beside::pending(),
            surroundings: &Surroundings::default(),
            brought: &[],
            alike: None,
            trust: None,
            dependencies: &[],
            dependents: None,
            first_seen: times.get(version).copied(),
            request: Request::Pinned,
            served_before: false,
        };
        let mut verdict = self.judge(&facts, &self.verdict_generation(held.packument.name()));
        verdict.assessment.findings.push(Finding {
            signal: "integrity-mismatch".to_owned(),
            group: Group::Shape,
            severity: Severity::Critical,
            confidence: Confidence::High,
            decisive: true,
            message: format!(
                "the tarball that {} sent is not the one its packument describes",
                held.upstream
            ),
            evidence: vec![Evidence::change(
                "dist.integrity",
                Some(expected.to_string()),
                Some(arrived.integrity()),
            )],
        });
        verdict.assessment.sort();
        verdict.decision = self.decide(&verdict.assessment, held, verdict.published, &facts);
        // Not kept: the next download may be whole, and must be judged on its own bytes.
        Ok(Arc::new(verdict))
    }

    /// The answer while an analysis takes longer than a client will wait.
    pub(crate) fn being_examined(&self, metadata: &Verdict, budget: Duration) -> Arc<Verdict> {
        let mut verdict = metadata.clone();
        verdict.assessment.incomplete.push(Incomplete {
            what: weir_signals::Input::Contents.as_str().to_owned(),
            why: format!(
                "still being examined after {} s; ask again in a minute",
                budget.as_secs()
            ),
        });
        verdict.decision.action = weir_model::Action::Hold;
        verdict.decision.reasons.insert(
            0,
            format!(
                "held: being examined, not finished after {} s; ask again",
                budget.as_secs()
            ),
        );
        verdict.preliminary = true;
        Arc::new(verdict)
    }

    /// Assesses a release of a registry, for a person who asks.
    ///
    /// # Errors
    /// When it cannot be found or had.
    pub async fn inspect(
        self: &Arc<Self>,
        name: &PackageName,
        wanted: Option<&str>,
    ) -> Result<Assessed, EngineError> {
        let held = self.packuments.get(name).await?;
        let version = pick(&held, wanted)?;
        let verdict = self.full_verdict(&held, &version).await?;
        Ok(Assessed {
            assessment: verdict.assessment.clone(),
            decision: verdict.decision.clone(),
            published: verdict.published,
            profile: None,
        })
    }

    /// Assesses a tarball or folder on this machine by its contents; its history is not known.
    pub async fn inspect_local(&self, label: &str, what: Local) -> Assessed {
        let integrity = match &what {
            Local::Tarball(bytes) => Some(Hashed::of(bytes.clone()).integrity()),
            Local::Folder(_) => None,
        };
        let contents = self.read_local(what).await;
        let manifest = contents
            .as_ref()
            .ok()
            .and_then(|contents| contents.manifest.as_ref());
        let name = manifest.and_then(|manifest| manifest.name.clone());
        let version = manifest.and_then(|manifest| manifest.version.clone());
        let name = name.unwrap_or_else(|| label.to_owned());
        let version = version.unwrap_or_else(|| "0.0.0".to_owned());
        let parsed = PackageName::parse(&name);
        let stand_in = PackageName::parse("unnamed");
        let mut incomplete = Vec::new();
        if let Err(error) = &parsed {
            incomplete.push(Incomplete {
                what: "name".to_owned(),
                why: error.to_string(),
            });
        }
        let alike = Alike {
            bad: match &contents {
                Ok(contents) => self.known_bad(contents).await,
                Err(_) => Vec::new(),
            },
            ..Alike::default()
        };
        let mut findings = Vec::new();
        if let Ok(package) = parsed.or(stand_in) {
            let advisories = self.advisories_for(&package, &version);
            let mut subject = Subject::new(&package, &version, &self.names, self.now());
            subject.settings = self.settings();
            subject.packument =
                Stage::NotKnown("a tarball or folder alone has no history".to_owned());
            subject.advisories = Stage::Known(&advisories);
            subject.alike = Some(&alike);
            subject.contents = match &contents {
                Ok(contents) => Stage::Known(contents),
                Err(why) => Stage::NotKnown(why.clone()),
            };
            let observation = observe_all(&subject);
            findings = observation.findings;
            incomplete.extend(observation.incomplete);
        }
        let mut assessment = Assessment {
            release: ReleaseId {
                name,
                version,
                integrity,
            },
            findings,
            incomplete,
        };
        assessment.sort();
        let context = Context {
            now: self.now(),
            published: None,
            rank: None,
            request: Request::Inspection,
            served_before: false,
            fixes_advisory_of: None,
            established: false,
            instead: None,
        };
        let mut decision = decide(&assessment, &context, &self.policy);
        decision.circumstances = Some(context.circumstances());
        Assessed {
            assessment,
            decision,
            published: None,
            profile: contents.ok().map(|contents| Profile {
                steps_since: vec![None; contents.install_steps.len()],
                contents,
                previous: None,
            }),
        }
    }
}

/// What could not be verified, and why. A registry that signs nothing leaves no gap.
fn unverified(trust: &Trust) -> Option<Incomplete> {
    let (what, why) = match (&trust.signature, &trust.attestations) {
        (SignatureState::Unchecked { why }, _) => ("registry signature", why),
        (_, AttestationState::Unchecked { why }) => ("attestations", why),
        _ => return None,
    };
    Some(Incomplete {
        what: what.to_owned(),
        why: weir_model::finding::printable(why, 300),
    })
}

/// Whether a version would pass on its metadata, for choosing what to offer instead of another.
pub(crate) fn passes_on_metadata(
    engine: &Engine,
    held: &Held,
    version: &str,
    now: Timestamp,
) -> bool {
    let published = held.packument.published(version);
    let old_enough =
        published.is_some_and(|published| !engine.policy.age.minimum.is_running(published, now));
    let malware = engine
        .advisories_for(held.packument.name(), version)
        .iter()
        .any(|advisory| advisory.kind == AdvisoryKind::Malware);
    old_enough && !malware
}

/// The ledger's line about a decision that was just made.
pub(crate) fn decided(verdict: &Verdict, now: Timestamp) -> LedgerEntry {
    let release = &verdict.assessment.release;
    LedgerEntry {
        time: now,
        event: LedgerEvent::Decided,
        name: release.name.clone(),
        version: release.version.clone(),
        integrity: release.integrity.clone(),
        client: "weir".to_owned(),
        action: verdict.decision.action,
        block_id: (!verdict.decision.action.serves()).then(|| verdict.block_id().0),
        note: None,
    }
}

fn release_id(name: &PackageName, version: &str, integrity: Option<&Integrity>) -> ReleaseId {
    ReleaseId {
        name: name.to_string(),
        version: version.to_owned(),
        integrity: integrity.map(Integrity::to_string),
    }
}

/// The version a person means: a version, a tag, a range, or nothing for `latest`.
pub(crate) fn pick(held: &Held, wanted: Option<&str>) -> Result<String, EngineError> {
    let packument = &held.packument;
    let wanted = wanted.unwrap_or("latest");
    if packument.has(wanted) {
        return Ok(wanted.to_owned());
    }
    if let Some(version) = packument.tag(wanted) {
        return Ok(version.to_owned());
    }
    let range = weir_npm::version::Range::parse_from_npm(wanted)
        .ok()
        .filter(|range| !range.is_tag());
    let best = range.and_then(|range| {
        let versions: Vec<_> = packument
            .versions()
            .iter()
            .filter_map(|entry| weir_npm::version::Version::parse(&entry.version).ok())
            .collect();
        weir_npm::version::satisfying_max(&range, &versions).map(|best| best.as_str().to_owned())
    });
    best.ok_or_else(|| EngineError::NoSuchVersion {
        name: packument.name().to_string(),
        version: wanted.to_owned(),
    })
}
