//! What a person asks about: a release of a registry, or a tarball or folder at hand.

use std::sync::Arc;

use jiff::Timestamp;
use weir_model::{Assessment, Decision, Incomplete, ReleaseId};
use weir_npm::name::PackageName;
use weir_npm::version::Version;
use weir_policy::{Context, Request};
use weir_signals::{Alike, Stage, Subject, observe_all};
use weir_store::Hashed;

use crate::EngineError;
use crate::compare::Profile;
use crate::engine::{Engine, Local};
use crate::judge::slice;
use crate::packuments::Held;

/// An assessment of something that was asked for by hand, and the decision on it.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// What was seen.
    pub assessment: Assessment,
    /// What a gateway with the same policy would do.
    pub decision: Decision,
    /// When the release was published, or first seen where the registry does not say and "publish time" is
    /// a gap of the assessment.
    pub published: Option<Timestamp>,
    /// What it looks like, where that is at hand: see [`Engine::with_profile`].
    pub profile: Option<Profile>,
}

impl Engine {
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
        let version = pick(&held, wanted, self.now())?;
        let verdict = self.full_verdict(&held, &version).await?;
        if !verdict.decision.action.serves() {
            // The ledger names its id, so there has to be something to read about it.
            self.keep_refusal(&verdict).await?;
        }
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
        let not_a_version = version
            .as_deref()
            .and_then(|version| Version::parse(version).err());
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
        // No registry takes it, and no advisory's range is about it.
        if let Some(error) = not_a_version {
            incomplete.push(Incomplete {
                what: "version".to_owned(),
                why: error.to_string(),
            });
        }
        let alike = match &contents {
            Ok(contents) => self.alike_at_hand(parsed.as_ref().ok(), contents).await,
            Err(_) => Alike::default(),
        };
        let mut findings = Vec::new();
        if let Ok(package) = parsed.or(stand_in) {
            let advisories = self.advisories_for(&package, &version);
            let mut subject = Subject::new(&package, &version, &self.names, self.now());
            subject.settings = self.settings();
            subject.packument = Stage::NotKnown(weir_policy::ALONE.to_owned());
            subject.advisories = slice(&advisories);
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
        let decision = self.decide_in(&assessment, &context);
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

impl Engine {
    /// Keeps the explanation behind the id that a refused tarball or folder has in the ledger.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn keep_local_refusal(&self, assessed: &Assessed) -> Result<(), EngineError> {
        let (assessment, decision) = (&assessed.assessment, &assessed.decision);
        if decision.action.serves() || !self.records() {
            return Ok(());
        }
        let release = &assessment.release;
        let id = decision.block_id(&release.name, &release.version);
        self.store
            .put_refusal(&id, assessment, decision, self.now())
            .await?;
        Ok(())
    }
}

/// The version a person means: a version, a tag, a range, or nothing for `latest`. Tags and ranges mean what was
/// published by `now`, which may be set to an earlier moment; a version means itself.
pub(crate) fn pick(
    held: &Held,
    wanted: Option<&str>,
    now: Timestamp,
) -> Result<String, EngineError> {
    let packument = &held.packument;
    let is_out = |version: &str| {
        let published = packument.published(version);
        published.is_none_or(|published| published <= now)
    };
    let wanted = wanted.unwrap_or("latest");
    if packument.has(wanted) {
        return Ok(wanted.to_owned());
    }
    let missing = || EngineError::NoSuchVersion {
        name: packument.name().to_string(),
        version: wanted.to_owned(),
    };
    if let Some(version) = packument.tag(wanted) {
        if is_out(version) {
            return Ok(version.to_owned());
        }
        let tags = weir_npm::packument::retag(packument, is_out);
        let then = tags.into_iter().find(|(tag, _)| tag == wanted);
        return then.map(|(_, version)| version).ok_or_else(missing);
    }
    let range = weir_npm::version::Range::parse_from_npm(wanted)
        .ok()
        .filter(|range| !range.is_tag());
    let best = range.and_then(|range| {
        let versions: Vec<_> = packument
            .versions()
            .iter()
            .filter(|entry| is_out(&entry.version))
            .filter_map(|entry| weir_npm::version::Version::parse(&entry.version).ok())
            .collect();
        weir_npm::version::satisfying_max(&range, &versions).map(|best| best.as_str().to_owned())
    });
    best.ok_or_else(missing)
}
