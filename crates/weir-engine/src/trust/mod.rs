//! Whether releases are what their registry signed and their repository built.
//!
//! What a registry says of a release to verify it by never changes once it is published, so it is kept,
//! and with it what came of verifying and under which keys and root. A release is verified again when one
//! of these differs, or when it did not verify before.

mod documents;
mod facts;
mod kept;
mod keys;
mod record;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use moka::sync::Cache;
use weir_model::{AttestationState, Claims, SignatureState, Trust};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_policy::Policy;
use weir_policy::config::Expectation;
use weir_provenance::{Attestations, Refusal, RegistryKeys, Subject, Verifier};
use weir_store::Store;
use weir_upstream::Upstreams;

use crate::EngineError;
use crate::packuments::{Held, Packuments};
use crate::quiet::Quiet;
use crate::withdrawn::Settled;
pub use documents::Document;
use documents::{Documents, Kind};
use facts::{Facts, other_attested};
pub use facts::{NO_SUCH_PACKAGE, NO_SUCH_VERSION, UNREADABLE_ENTRY};
pub use kept::kept_digests;
pub use keys::KEYS;
use keys::{Keys, KnownKeys};
pub use record::NOT_COMPARED;
use record::{Compared, Record, broken, claims, compared, predecessors, signature, trust};

/// Attestations are made once; a day lets a document that grew in the meantime come in.
const ATTESTATIONS_KIND: Kind = Kind {
    fresh_for: Duration::from_secs(86_400),
    check: |body| match Attestations::parse(body) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    },
    is_empty: |_| false,
};

/// Releases verified at a time: enough to keep the line busy while the processors verify.
const AT_A_TIME: usize = 16;

/// How long a release that somebody waits for is verified at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Verifies releases, with the keys and attestations of their upstreams.
#[derive(Debug)]
pub struct ReleaseVerifier {
    verifier: Verifier,
    root: String,
    store: Store,
    upstreams: Arc<Upstreams>,
    packuments: Arc<Packuments>,
    documents: Documents,
    known: KnownKeys,
    expectations: Vec<Expectation>,
}

/// What is trusted besides what comes with weir.
#[derive(Debug, Clone, Default)]
pub struct TrustSources {
    /// A trusted root (Sigstore's `trusted_root.json`) instead of the one that comes with weir.
    pub root: Option<String>,
    /// Copies of registries' keys, by host: for when a registry does not answer, and to notice that it
    /// names another key under a known label.
    pub keys: BTreeMap<String, String>,
    /// What messages call the root: the file it is from, and how that is mended.
    pub place: String,
}

/// A release to verify.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: String,
    /// What its bytes are expected to match, e.g. by a lockfile.
    pub integrity: Option<Integrity>,
}

impl ReleaseVerifier {
    /// One over a data folder and registries.
    ///
    /// # Errors
    /// When the root or a copy of keys cannot be used.
    pub fn new(
        policy: &Policy,
        store: Store,
        upstreams: Arc<Upstreams>,
        sources: &TrustSources,
    ) -> Result<Self, EngineError> {
        // Nothing is served here.
        let settled = Settled {
            gate: Cache::new(0),
            store: store.clone(),
        };
        let packuments = Arc::new(Packuments::new(
            settled,
            Arc::clone(&upstreams),
            Arc::new(Quiet::default()),
            policy.cache.packument_ttl.get(),
            policy.cache.memory.bytes() / 2,
        ));
        Self::over(packuments, store, upstreams, sources, policy)
    }

    /// One that shares the packuments of an engine.
    pub(crate) fn over(
        packuments: Arc<Packuments>,
        store: Store,
        upstreams: Arc<Upstreams>,
        sources: &TrustSources,
        policy: &Policy,
    ) -> Result<Self, EngineError> {
        let root = sources.root.as_deref();
        let failed = |error: Refusal| {
            EngineError::Trust(match root {
                Some(_) => format!("{}: {error}", sources.place),
                None => error.to_string(),
            })
        };
        let verifier = match root {
            Some(json) => Verifier::from_root(json),
            None => Verifier::embedded(),
        };
        Ok(Self {
            verifier: verifier.map_err(failed)?,
            root: digest(root.unwrap_or("embedded").as_bytes()),
            documents: Documents::new(store.clone()),
            known: KnownKeys::with_pinned(&sources.keys)?,
            expectations: policy.expectations.clone(),
            store,
            upstreams,
            packuments,
        })
    }

    /// Verifies a release whose packument is at hand, as the gateway does it: what costs nothing at once,
    /// attestations only where there are some, all within a time.
    pub(crate) async fn of_held(self: &Arc<Self>, held: &Held, version: &str) -> Trust {
        match tokio::time::timeout(PATIENCE, self.of_held_at_last(held, version)).await {
            Ok(trust) => trust,
            Err(_) => Trust::unchecked(&format!(
                "the registry took longer than {} s",
                PATIENCE.as_secs()
            )),
        }
    }

    async fn of_held_at_last(self: &Arc<Self>, held: &Held, version: &str) -> Trust {
        let wanted = Wanted {
            name: held.packument.name().clone(),
            version: version.to_owned(),
            integrity: None,
        };
        let facts = match Facts::read(&held.packument, version, false) {
            Ok(facts) => facts,
            Err(why) => return Trust::unchecked(&why),
        };
        if facts.attested {
            let trusts = self.verify(std::slice::from_ref(&wanted)).await;
            return match trusts.map(|mut trusts| trusts.pop()) {
                Ok(Some(trust)) => trust,
                Ok(None) => Trust::unchecked("the work was cut short"),
                Err(error) => Trust::unchecked(&error.to_string()),
            };
        }
        let mut trust = Trust {
            signature: self.signature_of(&wanted, &facts).await,
            attestations: AttestationState::None,
            since: None,
            changes: Vec::new(),
            breaches: Vec::new(),
        };
        trust.breaches = broken(&wanted, &facts, &trust, &self.expectations);
        trust
    }

    /// How the registry's signature of a release stands whose packument is at hand: microseconds, once
    /// the registry's keys are known.
    pub(crate) async fn signature_of_held(&self, held: &Held, version: &str) -> SignatureState {
        let wanted = Wanted {
            name: held.packument.name().clone(),
            version: version.to_owned(),
            integrity: None,
        };
        match Facts::read(&held.packument, version, false) {
            Ok(facts) => self.signature_of(&wanted, &facts).await,
            Err(why) => SignatureState::Unchecked { why },
        }
    }

    /// Whether the registry announces attestations of a release.
    pub(crate) fn announces_attestations(&self, held: &Held, version: &str) -> bool {
        Facts::read(&held.packument, version, false).is_ok_and(|facts| facts.attested)
    }

    async fn signature_of(&self, wanted: &Wanted, facts: &Facts) -> SignatureState {
        let upstream = self.upstreams.upstream_for(&wanted.name);
        match self.keys_soon(upstream).await {
            Ok(Keys { keys, .. }) => signature(wanted, facts, &keys),
            Err(why) => SignatureState::Unchecked { why },
        }
    }

    /// The attestations of a release, as its registry sends them; `None` where there are none.
    ///
    /// # Errors
    /// When the registry does not answer, and nothing is kept.
    pub async fn attestations_document(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Option<Arc<Document>>, EngineError> {
        let upstream = self.upstreams.upstream_for(name);
        let path = format!("-/npm/v1/attestations/{}@{version}", name.to_url_segment());
        self.documents.get(upstream, &path, ATTESTATIONS_KIND).await
    }

    /// Verifies releases, in the given order. Each is verified by what its own registry says.
    ///
    /// # Errors
    /// When the data folder fails; what a registry does wrong is part of the answer.
    pub async fn verify(self: &Arc<Self>, wanted: &[Wanted]) -> Result<Vec<Trust>, EngineError> {
        let mut made = self.records(wanted).await?;
        let before = self.claims_before(wanted, &made).await?;
        let trusts = made.drain(..).zip(wanted).zip(&before);
        let trusts = trusts.map(|((record, wanted), before)| {
            let Some(record) = record else {
                return Trust::unchecked("the work was cut short");
            };
            let compared = compared(&record.facts, wanted.integrity.as_ref());
            let before = before.as_ref().map(|(version, it)| (version.as_str(), it));
            let trust = trust(wanted, record, before, &self.expectations);
            match compared {
                Compared::Not(why) => trust.not_compared(&why),
                Compared::Same | Compared::Other(_) => trust,
            }
        });
        Ok(trusts.collect())
    }

    /// For each release the one it is compared with, and what that claims. Where the attestations of one do not
    /// hold, or could not be had, it is the next one: a release in between excuses none that comes after it.
    async fn claims_before(
        self: &Arc<Self>,
        wanted: &[Wanted],
        made: &[Option<Record>],
    ) -> Result<Vec<Option<(String, Claims)>>, EngineError> {
        let mut found: Vec<Option<(String, Claims)>> = vec![None; wanted.len()];
        for round in 0.. {
            let mut asked = Vec::new();
            let mut earlier = Vec::new();
            for (at, (record, wanted)) in made.iter().zip(wanted).enumerate() {
                let open = found.get(at).is_some_and(Option::is_none);
                let next = record.as_ref().and_then(|it| predecessors(it).get(round));
                if let Some(version) = next.filter(|_| open) {
                    asked.push(at);
                    earlier.push(Wanted {
                        name: wanted.name.clone(),
                        version: version.clone(),
                        integrity: None,
                    });
                }
            }
            if earlier.is_empty() {
                break;
            }
            let records = self.records(&earlier).await?;
            for ((at, record), earlier) in asked.into_iter().zip(records).zip(earlier) {
                let claims = record.as_ref().and_then(claims).cloned();
                if let (Some(slot), Some(claims)) = (found.get_mut(at), claims) {
                    *slot = Some((earlier.version, claims));
                }
            }
        }
        Ok(found)
    }

    /// What is kept of releases and still stands, in their order, without asking anybody.
    ///
    /// # Errors
    /// When the data folder fails.
    pub(crate) async fn known(&self, wanted: &[Wanted]) -> Result<Vec<Option<Trust>>, EngineError> {
        let kept = self.kept(wanted).await?;
        let record = |name: &PackageName, version: &str| {
            kept.get(&(name.to_string(), version.to_owned()))
                .filter(|record| record.stands(&record.under))
                .filter(|record| {
                    let upstream = self.upstreams.upstream_for(name);
                    self.known_under(upstream).as_deref() == Some(record.under.as_str())
                })
        };
        let mut trusts = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let made = record(&wanted.name, &wanted.version)
                .filter(|made| compared(&made.facts, wanted.integrity.as_ref()) == Compared::Same);
            let mut earlier = made.map(predecessors).unwrap_or_default().iter();
            let before = earlier
                .find_map(|it| Some((it.as_str(), record(&wanted.name, it).and_then(claims)?)));
            trusts.push(made.map(|made| trust(wanted, made.clone(), before, &self.expectations)));
        }
        Ok(trusts)
    }

    /// Records of releases: kept ones that stand, others made anew.
    async fn records(
        self: &Arc<Self>,
        wanted: &[Wanted],
    ) -> Result<Vec<Option<Record>>, EngineError> {
        let kept = self.kept(wanted).await?;
        let mut records: Vec<Option<Record>> = vec![None; wanted.len()];
        let mut keys: HashMap<String, Result<Keys, String>> = HashMap::new();
        let mut jobs = Vec::new();
        for (at, wanted) in wanted.iter().enumerate() {
            let upstream = self.upstreams.upstream_for(&wanted.name);
            if !keys.contains_key(upstream.id()) {
                let found = self.keys(upstream).await;
                keys.insert(upstream.id().to_owned(), found);
            }
            let Some(found) = keys.get(upstream.id()) else {
                continue;
            };
            let record = kept.get(&(wanted.name.to_string(), wanted.version.clone()));
            let stands = record.filter(|record| {
                let same = compared(&record.facts, wanted.integrity.as_ref()) == Compared::Same;
                let under = found.as_ref().map(|keys| &*keys.under).unwrap_or_default();
                same && record.stands(under)
            });
            match stands {
                Some(record) => {
                    if let Some(slot) = records.get_mut(at) {
                        *slot = Some(record.clone());
                    }
                }
                None => jobs.push((at, wanted.clone(), found.clone())),
            }
        }
        let made = futures_util::stream::iter(jobs)
            .map(|(at, wanted, keys)| {
                let this = Arc::clone(self);
                // On all processors: verifying is work.
                tokio::spawn(async move { (at, this.make(&wanted, keys).await, wanted) })
            })
            .buffer_unordered(AT_A_TIME)
            .collect::<Vec<_>>()
            .await;
        let mut fresh: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
        for (at, record, wanted) in made.into_iter().flatten() {
            let upstream = self.upstreams.upstream_for(&wanted.name).id().to_owned();
            if let Ok(json) = serde_json::to_string(&record) {
                let row = (wanted.name.to_string(), wanted.version, json);
                fresh.entry(upstream).or_default().push(row);
            }
            if let Some(slot) = records.get_mut(at) {
                *slot = Some(record);
            }
        }
        for (upstream, rows) in fresh {
            self.store.put_trust(&upstream, &rows).await?;
        }
        Ok(records)
    }

    async fn kept(
        &self,
        wanted: &[Wanted],
    ) -> Result<HashMap<(String, String), Record>, EngineError> {
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for wanted in wanted {
            let upstream = self.upstreams.upstream_for(&wanted.name).id();
            names
                .entry(upstream)
                .or_default()
                .push(wanted.name.as_str());
        }
        let mut kept = HashMap::new();
        for (upstream, mut names) in names {
            names.sort_unstable();
            names.dedup();
            for (key, json) in self.store.trust(upstream, &names).await? {
                // What an older weir wrote in another form is made anew.
                if let Ok(record) = serde_json::from_str(&json) {
                    kept.insert(key, record);
                }
            }
        }
        Ok(kept)
    }

    /// Verifies one release.
    async fn make(&self, wanted: &Wanted, keys: Result<Keys, String>) -> Record {
        let packument = self.packuments.get(&wanted.name).await;
        let facts = match &packument {
            Ok(held) => Facts::read(&held.packument, &wanted.version, true),
            Err(EngineError::NoSuchPackage { .. }) => Err(NO_SUCH_PACKAGE.to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let under = keys.as_ref().map(|keys| keys.under.to_string());
        let under = under.unwrap_or_default();
        let facts = match facts {
            Ok(facts) => facts,
            Err(why) => return Record::unknown(under, &why),
        };
        if let Compared::Other(why) = compared(&facts, wanted.integrity.as_ref()) {
            return Record {
                signature: SignatureState::Failed { why },
                attestations: AttestationState::None,
                facts,
                under,
            };
        }
        let others = |version: &str| match &packument {
            Ok(held) => other_attested(&held.packument, version),
            Err(_) => Vec::new(),
        };
        let (signature, attestations) = match &keys {
            Ok(Keys { keys, .. }) => (
                signature(wanted, &facts, keys),
                self.attestations(wanted, &facts, keys, others).await,
            ),
            Err(why) => (
                SignatureState::Unchecked { why: why.clone() },
                AttestationState::Unchecked { why: why.clone() },
            ),
        };
        Record {
            facts,
            under,
            signature,
            attestations,
        }
    }

    /// How a release stands that announces attestations which its registry does not have. One that is missing among
    /// others is a failure. A registry that has those of no release passes on what another one announces.
    async fn without_document(
        &self,
        wanted: &Wanted,
        keys: &RegistryKeys,
        others: &[String],
    ) -> AttestationState {
        const MISSING: &str = "the registry announces attestations and has none";
        if keys.iter().next().is_none() {
            let why = format!("{MISSING}, and no keys either: what it announces may be another's");
            return AttestationState::Unchecked { why };
        }
        let mut missing = 0_usize;
        for other in others {
            match self.attestations_document(&wanted.name, other).await {
                Ok(Some(_)) => {
                    missing = 0;
                    break;
                }
                Ok(None) => missing = missing.saturating_add(1),
                // It says neither.
                Err(_) => {}
            }
        }
        match missing {
            0 => AttestationState::Failed {
                why: MISSING.to_owned(),
            },
            _ => AttestationState::Unchecked {
                why: format!("{MISSING}, nor those of other releases that announce some"),
            },
        }
    }

    async fn attestations(
        &self,
        wanted: &Wanted,
        facts: &Facts,
        keys: &RegistryKeys,
        others: impl Fn(&str) -> Vec<String> + Send,
    ) -> AttestationState {
        if !facts.attested {
            return AttestationState::None;
        }
        let failed = |why: String| AttestationState::Failed { why };
        if facts.odd_attestations {
            const ODD: &str = "what the registry announces as attestations cannot be read";
            if keys.is_empty() {
                let why = format!("{ODD}, and it names no keys: that may be another's");
                return AttestationState::Unchecked { why };
            }
            return failed(ODD.to_owned());
        }
        let document = self.attestations_document(&wanted.name, &wanted.version);
        let document = match document.await {
            Ok(Some(document)) => document,
            Ok(None) => {
                let others = others(&wanted.version);
                return self.without_document(wanted, keys, &others).await;
            }
            Err(error) => {
                return AttestationState::Unchecked {
                    why: error.to_string(),
                };
            }
        };
        let integrity = facts.integrity.as_deref();
        let Some(integrity) = integrity.and_then(|text| Integrity::parse(text).ok()) else {
            return failed("the registry gives no integrity that could be compared".to_owned());
        };
        let subject = Subject {
            name: &wanted.name,
            version: &wanted.version,
            integrity: &integrity,
        };
        let verified = Attestations::parse(&document.body)
            .and_then(|attestations| self.verifier.verify(&attestations, &subject, keys));
        match verified {
            Ok(verified) => match verified.provenance() {
                None if facts.provenance => failed(
                    "the registry announces provenance, and its attestations hold none".to_owned(),
                ),
                provenance => AttestationState::Verified {
                    claims: provenance.map(|it| Box::new(it.claims().clone())),
                },
            },
            // Nothing speaks against it, and nothing for it: the root has to be refreshed first.
            Err(refusal @ Refusal::UnknownLog(_)) => AttestationState::Unchecked {
                why: refusal.to_string(),
            },
            Err(refusal) => failed(refusal.to_string()),
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    weir_provenance::digest(bytes)
}
