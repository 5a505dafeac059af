//! The verdicts on a release, by how much of it is known.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use weir_model::ledger::LedgerEvent;
use weir_model::{
    Action, Confidence, Contents, Evidence, Finding, Group, Incomplete, LedgerEntry, Severity,
    Trust,
};
use weir_npm::integrity::Integrity;
use weir_policy::Request;
use weir_signals::{Settings, Stage, Subject, Surroundings, new_dependencies};
use weir_store::{Blob, DECIDER, Hashed, PackageAdvisories};

use crate::EngineError;
use crate::compare::Beside;
use crate::damaged::MISMATCH;
use crate::engine::Engine;
use crate::flight::Flight;
use crate::judge::Facts;
use crate::packuments::Held;
use crate::past::Past;
use crate::resolution::refuses_for_good;
use crate::unread::tell_unread;
use crate::verdicts::Verdict;
use crate::worker::Priority;

impl Engine {
    /// The verdict on what the packument says, without the contents. It is not kept.
    pub(crate) async fn metadata_verdict(
        &self,
        held: &Held,
        version: &str,
        times: &HashMap<String, Timestamp>,
        generation: &str,
    ) -> Result<Arc<Verdict>, EngineError> {
        let past = Arc::new(self.past_of(held, version).await?);
        let mut around = self.surroundings(held, version).await?;
        let name = held.packument.name();
        if self.store.may_have_verdict(name.as_str(), version) {
            around.earlier = self.earlier_bytes(held, version).await?;
        }
        let first_seen = times.get(version).copied();
        let verdict =
            self.metadata_verdict_around(held, version, first_seen, generation, &past, &around);
        let mut verdict = verdict.await?;
        // What ends it by itself does so whatever was before.
        if !verdict.assessment.findings.iter().any(|it| it.decisive) {
            tell_unread(&mut verdict, held, &past);
        }
        Ok(Arc::new(verdict))
    }

    /// The same where it is known already what the releases before are. The ledger is asked for its earlier bytes only
    /// where they are known to have been others: this is asked of one version after the other.
    pub(crate) async fn metadata_verdict_after(
        &self,
        held: &Held,
        version: &str,
        times: &HashMap<String, Timestamp>,
        generation: &str,
        past: &Arc<Past>,
    ) -> Result<Arc<Verdict>, EngineError> {
        let mut around = self.surroundings(held, version).await?;
        if self.has_other_bytes(held, version, past.judged(version)) {
            around.earlier = self.earlier_bytes(held, version).await?;
        }
        let first_seen = times.get(version).copied();
        let verdict =
            self.metadata_verdict_around(held, version, first_seen, generation, past, &around);
        Ok(Arc::new(verdict.await?))
    }

    async fn metadata_verdict_around(
        &self,
        held: &Held,
        version: &str,
        first_seen: Option<Timestamp>,
        generation: &str,
        past: &Arc<Past>,
        around: &Surroundings,
    ) -> Result<Verdict, EngineError> {
        let beside = Beside::pending(past);
        let facts = Facts {
            first_seen,
            request: Request::NewResolution,
            ..Facts::on_metadata(held, version, &beside, around)
        };
        let verdict = self.judge_seen(facts, generation).await?;
        if refuses_for_good(&verdict.decision) && !past.leaves_open(&held.packument, version) {
            self.note_refused(held, version);
        }
        Ok(verdict)
    }

    /// The verdict on metadata and on what verifying came to, without the contents. It is not kept.
    pub(crate) async fn verdict_on_trust(
        &self,
        held: &Held,
        version: &str,
        trust: &Trust,
    ) -> Result<Verdict, EngineError> {
        let first_seen = self.times_of(held, version).await?.get(version).copied();
        let around = Surroundings {
            earlier: self.earlier_bytes(held, version).await?,
            ..self.surroundings(held, version).await?
        };
        let beside = Beside::pending(&Arc::new(self.past_of(held, version).await?));
        let facts = Facts {
            trust: Some(trust),
            first_seen,
            ..Facts::on_metadata(held, version, &beside, &around)
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

    /// Decides on metadata and contents together, and keeps the verdict. Where another release of the package
    /// was refused meanwhile, it may have been measured by that one: it is decided once more.
    pub(crate) async fn decide_fully(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        contents: Result<Contents, String>,
        blob: Option<Blob>,
    ) -> Result<Arc<Verdict>, EngineError> {
        loop {
            let refusals = self.refusals();
            let mut past = Arc::new(self.past_to_decide_by(held, version).await?);
            if let Ok(contents) = &contents {
                past = self.judge_baseline(held, version, contents, past).await?;
            }
            let bytes = blob.as_ref().and_then(Blob::integrity);
            let mut verdict = self
                .decide_after(held, version, &contents, &past, bytes.as_ref())
                .await?;
            if refuses_for_good(&verdict.decision) && self.clears_up(held, version, &past).await {
                past = Arc::new(self.past_of(held, version).await?);
                verdict = self
                    .decide_after(held, version, &contents, &past, bytes.as_ref())
                    .await?;
            }
            // A block is evidence by itself.
            if verdict.decision.action != Action::Block {
                tell_unread(&mut verdict, held, &past);
            }
            verdict.blob = blob.as_ref().map(|blob| blob.sha512_hex().to_owned());
            let verdict = Arc::new(verdict);
            if let Ok(contents) = &contents {
                self.remember(&verdict, contents);
            }
            self.note_dependencies(held, version, &verdict).await;
            if let Err(error) = self.keep_all_of(held, &verdict, blob.clone()).await {
                if verdict.decision.action.serves() {
                    return Err(error);
                }
                tracing::error!(package.name = %held.packument.name(), package.version = version, %error,
                    "a refusal could not be written down; it is given all the same");
            }
            let undisturbed = !verdict.decision.action.serves() || self.refusals() == refusals;
            if undisturbed || self.past_of(held, version).await?.refuses_as(&past) {
                self.free(held, &verdict);
                return Ok(verdict);
            }
        }
    }

    /// Keeps a verdict, and what is learned of it. Each part is tried, also where one before it failed.
    async fn keep_all_of(
        &self,
        held: &Held,
        verdict: &Arc<Verdict>,
        blob: Option<Blob>,
    ) -> Result<(), EngineError> {
        let name = held.packument.name();
        let version = &verdict.assessment.release.version;
        let learned = self.note_lesson(held, version, verdict).await;
        let kept = self.keep(name, verdict, blob).await;
        let explained = match verdict.decision.action.serves() {
            true => Ok(()),
            // The ledger names its id, whether or not anybody asked for the release.
            false => self.keep_refusal(verdict).await,
        };
        let noted = self.append(decided(verdict, held, self.now())).await;
        learned.and(kept).and(explained).and(noted)
    }

    /// Has resolutions made anew where a release serves that was held in the last one without having been read.
    fn free(&self, held: &Held, verdict: &Verdict) {
        let version = &verdict.assessment.release.version;
        if verdict.decision.action.serves() && self.holds_unread(held.packument.name(), version) {
            self.resolve_anew();
        }
    }

    /// Decides on metadata and contents together, by what is known of the releases before. `bytes` is the digest of
    /// those that are here.
    async fn decide_after(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        contents: &Result<Contents, String>,
        past: &Arc<Past>,
        bytes: Option<&Integrity>,
    ) -> Result<Verdict, EngineError> {
        let first_seen = self.times_of(held, version).await?.get(version).copied();
        let beside = match contents {
            Ok(contents) => self.beside(held, version, contents, past).await,
            Err(_) => Beside::pending(past),
        };
        let alike = match contents {
            Ok(contents) => Some(self.alike(held, version, contents).await),
            Err(_) => None,
        };
        let trust = self.trust.of_held(held, version).await;
        let around = Surroundings {
            bytes: bytes.cloned(),
            earlier: self.earlier_bytes(held, version).await?,
            ..self.surroundings(held, version).await?
        };
        let malware = self.known_malware(held.packument.name());
        let no_baseline =
            |other: &str| past.excuses_not(&held.packument, version, other) || malware(other);
        let open = |version: &str| past.is_open(&held.packument, version);
        let added = {
            let mut subject = self.subject(held, version).without_refused(&no_baseline);
            if let Ok(contents) = contents {
                subject.contents = Stage::Known(contents);
            }
            new_dependencies(&subject.without_open(&open))
        };
        let dependencies = self.dependency_facts(added).await;
        let read = (contents.as_ref().ok(), beside.previous.known());
        let asked = self.asked_anew(held, version, &no_baseline, &open, read);
        let brought = self.brought(held, asked).await;
        let facts = Facts {
            contents: match contents {
                Ok(contents) => Stage::Known(contents),
                Err(why) => Stage::NotKnown(why.clone()),
            },
            brought: &brought,
            alike: alike.as_ref(),
            trust: Some(&trust),
            dependencies: &dependencies,
            first_seen,
            ..Facts::on_metadata(held, version, &beside, &around)
        };
        let generation = self.verdict_generation(held.packument.name());
        let verdict = self.judge_seen(facts, &generation).await?;
        if let Ok(contents) = contents {
            self.note_additions(held, version, contents, &beside);
        }
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
        let arrived = flight.arrived().await;
        let arrived = arrived.map_err(|broken| broken.to_string())?;
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

    pub(crate) fn settings(&self) -> Settings {
        let minimum = self.policy.age.minimum.get();
        Settings {
            minimum_age: minimum.try_into().unwrap_or(jiff::SignedDuration::MAX),
        }
    }

    /// Whether the contents need not be read to refuse: a release that is only held for its age is
    /// read nevertheless, because what is in it decides what a person is told. So is one that waits for those
    /// before it.
    pub(crate) fn refuses_without_contents(&self, metadata: &Verdict) -> bool {
        metadata.decision.action == Action::Block && !metadata.awaits_earlier()
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
        let beside = Beside::pending(&Arc::new(self.past_of(held, version).await?));
        let around = Surroundings::default();
        let facts = Facts {
            first_seen: times.get(version).copied(),
            ..Facts::on_metadata(held, version, &beside, &around)
        };
        let mut verdict = self.judge(&facts, &self.verdict_generation(held.packument.name()));
        verdict.assessment.findings.push(Finding {
            signal: MISMATCH.to_owned(),
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
        let about = self.about(held.packument.name()).ok();
        verdict.decision = self.decide(
            &verdict.assessment,
            held,
            verdict.published,
            &facts,
            about.as_deref(),
        );
        // Not kept: the next download may be whole, and must be judged on its own bytes.
        let verdict = Arc::new(verdict);
        self.note_damaged(&verdict);
        Ok(verdict)
    }

    /// The answer while an analysis takes longer than a client will wait, or the download that comes before it.
    pub(crate) fn being_examined(
        &self,
        metadata: &Verdict,
        budget: Duration,
        is_here: bool,
    ) -> Arc<Verdict> {
        let what = if is_here {
            "being examined"
        } else {
            "being downloaded from the registry"
        };
        let mut verdict = metadata.clone();
        verdict.assessment.incomplete.push(Incomplete {
            what: weir_signals::Input::Contents.as_str().to_owned(),
            why: format!(
                "still {what} after {} s; ask again in a minute",
                budget.as_secs()
            ),
        });
        verdict.decision.action = Action::Hold;
        verdict.decision.reasons.insert(
            0,
            format!(
                "held: {what}, not finished after {} s; ask again",
                budget.as_secs()
            ),
        );
        verdict.preliminary = true;
        Arc::new(verdict)
    }
}

/// Whether a version would pass on its metadata, and is not held unread because of another, for choosing what to
/// offer instead of another.
pub(crate) fn passes_on_metadata(
    engine: &Engine,
    facts: &Facts<'_>,
    about: &PackageAdvisories,
    version: &str,
    now: Timestamp,
) -> bool {
    let packument = &facts.held.packument;
    let published = packument.published(version);
    let old_enough =
        published.is_some_and(|published| !engine.policy.age.minimum.is_running(published, now));
    let held_unread =
        || engine.holds_unread(packument.name(), version) && !facts.beside.past.finds_fine(version);
    old_enough
        && !about.is_malware(version)
        && can_be_judged(engine, facts.held, version)
        && !held_unread()
}

/// What a manifest has to say in a form that can be read, for what its release does to be known.
const TELLING: [&str; 4] = ["version", "scripts", "dependencies", "optionalDependencies"];

/// Whether a release says what it is, and has an integrity: of any other a good age tells nothing, as nobody could
/// judge it, and the gate would refuse it or clients fail on it.
fn can_be_judged(engine: &Engine, held: &Held, version: &str) -> bool {
    let Some(Ok(manifest)) = held.packument.manifest(version) else {
        return false;
    };
    let mut odd = manifest.manifest.odd.iter();
    engine.integrity_of(held, version).is_some()
        && !odd.any(|field| TELLING.contains(&field.as_str()))
}

/// The ledger's line about a decision that was just made. It names the registry: another one may have other bytes
/// under the same name and version.
pub(crate) fn decided(verdict: &Verdict, held: &Held, now: Timestamp) -> LedgerEntry {
    let release = &verdict.assessment.release;
    LedgerEntry {
        time: now,
        event: LedgerEvent::Decided,
        name: release.name.clone(),
        version: release.version.clone(),
        integrity: release.integrity.clone(),
        client: DECIDER.to_owned(),
        action: verdict.decision.action,
        block_id: (!verdict.decision.action.serves()).then(|| verdict.block_id().0),
        note: Some(held.upstream.to_string()),
    }
}
