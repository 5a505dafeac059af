//! Whether releases are what their registry signed and their repository built.
//!
//! What a registry says of a release to verify it by never changes once it is published, so it is kept,
//! and with it what came of verifying and under which keys and root. A release is verified again when one
//! of these differs, or when it did not verify before.

mod documents;
mod facts;
mod kept;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use weir_model::{AttestationState, SignatureState, Trust};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_policy::Policy;
use weir_provenance::{Attestations, RegistryKeys, Subject, Verifier, verify_signature};
use weir_store::Store;
use weir_upstream::{Upstream, Upstreams};

use crate::EngineError;
use crate::packuments::{Held, Packuments};
use crate::quiet::Quiet;
pub use documents::Document;
use documents::{Documents, Kind};
use facts::Facts;
pub use kept::kept_digests;

/// Where a registry's keys are.
pub const KEYS: &str = "-/npm/v1/keys";

/// Keys change twice in ten years, and a new one is announced before it is used.
const KEYS_KIND: Kind = Kind {
    fresh_for: Duration::from_secs(3600),
    check: |body| match RegistryKeys::parse(body) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    },
};

/// Attestations are made once; a day lets a document that grew in the meantime come in.
const ATTESTATIONS_KIND: Kind = Kind {
    fresh_for: Duration::from_secs(86_400),
    check: |body| match Attestations::parse(body) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    },
};

/// Releases verified at a time: enough to keep the line busy while the processors verify.
const AT_A_TIME: usize = 16;

/// How long a release that somebody waits for is verified at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keys as a registry lists them, whatever they hold.
#[derive(Default, Deserialize)]
struct KeyList {
    keys: Vec<serde_json::Value>,
}

/// Verifies releases, with the keys and attestations of their upstreams.
#[derive(Debug)]
pub struct ReleaseVerifier {
    verifier: Verifier,
    root: String,
    store: Store,
    upstreams: Arc<Upstreams>,
    packuments: Arc<Packuments>,
    documents: Documents,
}

/// A release to verify.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: String,
    /// What its bytes are expected to match, e.g. by a lockfile.
    pub integrity: Option<Integrity>,
}

/// What is kept of a release: all but the comparison.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    facts: Facts,
    /// The keys and the root it was verified with.
    under: String,
    signature: SignatureState,
    attestations: AttestationState,
}

impl Record {
    /// Whether it need not be made again.
    fn stands(&self, under: &str) -> bool {
        let signed = matches!(
            self.signature,
            SignatureState::Verified { .. } | SignatureState::Unsigned
        );
        let attested = matches!(
            self.attestations,
            AttestationState::None | AttestationState::Verified { .. }
        );
        self.under == under && signed && attested
    }
}

/// The keys of an upstream; an empty list where it has none.
#[derive(Debug, Clone)]
struct Keys {
    keys: Arc<RegistryKeys>,
    under: Arc<str>,
}

impl ReleaseVerifier {
    /// One over a data folder and registries. `root` is a trusted root to use instead of the one that
    /// comes with weir.
    ///
    /// # Errors
    /// When the root cannot be used.
    pub fn new(
        policy: &Policy,
        store: Store,
        upstreams: Arc<Upstreams>,
        root: Option<&str>,
    ) -> Result<Self, EngineError> {
        let packuments = Arc::new(Packuments::new(
            store.clone(),
            Arc::clone(&upstreams),
            Arc::new(Quiet::default()),
            policy.cache.packument_ttl.get(),
            policy.cache.memory.bytes() / 2,
        ));
        Self::over(packuments, store, upstreams, root)
    }

    /// One that shares the packuments of an engine.
    pub(crate) fn over(
        packuments: Arc<Packuments>,
        store: Store,
        upstreams: Arc<Upstreams>,
        root: Option<&str>,
    ) -> Result<Self, EngineError> {
        let failed = |error: weir_provenance::Refusal| EngineError::Trust(error.to_string());
        let verifier = match root {
            Some(json) => Verifier::from_root(json),
            None => Verifier::embedded(),
        };
        Ok(Self {
            verifier: verifier.map_err(failed)?,
            root: digest(root.unwrap_or("embedded").as_bytes()),
            documents: Documents::new(store.clone()),
            store,
            upstreams,
            packuments,
        })
    }

    /// The registry's keys, as it sends them; `None` where it has none.
    ///
    /// # Errors
    /// When it does not answer, and nothing is kept.
    pub async fn keys_document(
        &self,
        upstream: &Upstream,
    ) -> Result<Option<Arc<Document>>, EngineError> {
        self.documents.get(upstream, KEYS, KEYS_KIND).await
    }

    /// The keys of all registries in one document, as a client sees one registry; `None` where none has
    /// any. A scope's registry that does not answer is left out and logged.
    ///
    /// # Errors
    /// When the default registry does not answer, and nothing is kept.
    pub async fn all_keys(&self) -> Result<Option<Arc<Document>>, EngineError> {
        let default = self.upstreams.default_upstream();
        let first = self.keys_document(default).await?;
        let mut others = Vec::new();
        for (scope, upstream) in self.upstreams.scopes() {
            if upstream.id() == default.id() {
                continue;
            }
            match self.keys_document(upstream).await {
                Ok(document) => others.extend(document),
                Err(error) => tracing::warn!(scope, %error, "a registry's keys are missing"),
            }
        }
        if others.is_empty() {
            return Ok(first);
        }
        let mut keys: Vec<serde_json::Value> = Vec::new();
        let mut stale = None;
        for document in first.into_iter().chain(others) {
            let list: KeyList = serde_json::from_slice(&document.body).unwrap_or_default();
            keys.extend(list.keys);
            stale = stale.or_else(|| document.stale.clone());
        }
        let body = serde_json::json!({ "keys": keys }).to_string().into();
        Ok(Some(Arc::new(Document { body, stale })))
    }

    /// Verifies a release whose packument is at hand, as the gateway does it: what costs nothing at once,
    /// attestations only where there are some, all within a time.
    pub(crate) async fn of_held(self: &Arc<Self>, held: &Held, version: &str) -> Trust {
        match tokio::time::timeout(PATIENCE, self.of_held_at_last(held, version)).await {
            Ok(trust) => trust,
            Err(_) => unchecked(&format!(
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
            Err(why) => return unchecked(&why),
        };
        if facts.attested {
            let trusts = self.verify(std::slice::from_ref(&wanted)).await;
            return match trusts.map(|mut trusts| trusts.pop()) {
                Ok(Some(trust)) => trust,
                Ok(None) => unchecked("the work was cut short"),
                Err(error) => unchecked(&error.to_string()),
            };
        }
        let signature = match self.keys(self.upstreams.upstream_for(&wanted.name)).await {
            Ok(Keys { keys, .. }) => signature(&wanted, &facts, &keys),
            Err(why) => SignatureState::Unchecked { why },
        };
        Trust {
            signature,
            attestations: AttestationState::None,
            since: None,
            changes: Vec::new(),
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
        let earlier: Vec<Wanted> = made
            .iter()
            .zip(wanted)
            .filter_map(|(record, wanted)| predecessor(record.as_ref()?, wanted))
            .collect();
        let before = self.records(&earlier).await?;
        let before: HashMap<(&str, &str), Record> = earlier
            .iter()
            .map(|it| (it.name.as_str(), it.version.as_str()))
            .zip(before)
            .filter_map(|(key, record)| Some((key, record?)))
            .collect();
        let trusts = made.drain(..).zip(wanted).map(|(record, wanted)| {
            let Some(record) = record else {
                return unchecked("the work was cut short");
            };
            let earlier = record.facts.before.as_deref();
            let earlier = earlier.and_then(|version| before.get(&(wanted.name.as_str(), version)));
            trust(record.clone(), earlier)
        });
        Ok(trusts.collect())
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
                let agrees = agrees(&record.facts, wanted.integrity.as_ref()).is_ok();
                let under = found.as_ref().map(|keys| &*keys.under).unwrap_or_default();
                agrees && record.stands(under)
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

    /// The keys of an upstream; else why they could not be had.
    async fn keys(&self, upstream: &Upstream) -> Result<Keys, String> {
        let document = self
            .keys_document(upstream)
            .await
            .map_err(|error| error.to_string())?;
        let body = document.as_ref().map(|it| it.body.clone());
        let body = body.unwrap_or_default();
        let keys = match document {
            Some(document) => {
                RegistryKeys::parse(&document.body).map_err(|error| error.to_string())?
            }
            None => RegistryKeys::default(),
        };
        Ok(Keys {
            keys: Arc::new(keys),
            under: format!(
                "{}-{}-{}",
                env!("CARGO_PKG_VERSION"),
                digest(&body),
                self.root
            )
            .into(),
        })
    }

    /// Verifies one release.
    async fn make(&self, wanted: &Wanted, keys: Result<Keys, String>) -> Record {
        let packument = self.packuments.get(&wanted.name).await;
        let facts = match &packument {
            Ok(held) => Facts::read(&held.packument, &wanted.version, true),
            Err(error) => Err(error.to_string()),
        };
        let under = keys.as_ref().map(|keys| keys.under.to_string());
        let under = under.unwrap_or_default();
        let facts = match facts {
            Ok(facts) => facts,
            Err(why) => return Record::unknown(under, &why),
        };
        if let Err(why) = agrees(&facts, wanted.integrity.as_ref()) {
            return Record {
                signature: SignatureState::Failed { why },
                attestations: AttestationState::None,
                facts,
                under,
            };
        }
        let (signature, attestations) = match &keys {
            Ok(Keys { keys, .. }) => (
                signature(wanted, &facts, keys),
                self.attestations(wanted, &facts, keys).await,
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

    async fn attestations(
        &self,
        wanted: &Wanted,
        facts: &Facts,
        keys: &RegistryKeys,
    ) -> AttestationState {
        if !facts.attested {
            return AttestationState::None;
        }
        let failed = |why: String| AttestationState::Failed { why };
        let document = self.attestations_document(&wanted.name, &wanted.version);
        let document = match document.await {
            Ok(Some(document)) => document,
            Ok(None) => {
                return failed("the registry announces attestations and has none".to_owned());
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
            Err(refusal) => failed(refusal.to_string()),
        }
    }
}

impl Record {
    fn unknown(under: String, why: &str) -> Self {
        Self {
            facts: Facts {
                integrity: None,
                signatures: Vec::new(),
                published: None,
                attested: false,
                provenance: false,
                before: None,
            },
            under,
            signature: SignatureState::Unchecked {
                why: why.to_owned(),
            },
            attestations: AttestationState::Unchecked {
                why: why.to_owned(),
            },
        }
    }
}

fn signature(wanted: &Wanted, facts: &Facts, keys: &RegistryKeys) -> SignatureState {
    if keys.is_empty() {
        return match keys.skipped() {
            0 => SignatureState::Unsigned,
            _ => SignatureState::Unchecked {
                why: "the registry's keys are all of a kind that is not known".to_owned(),
            },
        };
    }
    let Some(integrity) = &facts.integrity else {
        return SignatureState::Missing;
    };
    let verified = verify_signature(
        keys,
        wanted.name.as_str(),
        &wanted.version,
        integrity,
        &facts.signatures(),
        facts.published,
    );
    match verified {
        Ok(verified) => SignatureState::Verified {
            keyid: verified.keyid().to_owned(),
        },
        Err(weir_provenance::SignatureFault::Missing) => SignatureState::Missing,
        Err(fault) => SignatureState::Failed {
            why: fault.to_string(),
        },
    }
}

/// Whether what is expected of the bytes is what the registry says of them. A weaker digest alone, as old
/// lockfiles have it, proves nothing about the one that is signed and is left to `weir check`.
fn agrees(facts: &Facts, expected: Option<&Integrity>) -> Result<(), String> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let said = facts.integrity.as_deref().map(Integrity::parse);
    let Some(Ok(said)) = said else {
        return Ok(());
    };
    let (algorithm, digest) = said.strongest();
    let comparable = expected.digests().any(|(known, _)| known == algorithm);
    if !comparable || expected.holds(algorithm, digest) {
        return Ok(());
    }
    Err(format!(
        "the lockfile expects {expected}, and the registry has {said}"
    ))
}

/// What a release is compared with: nothing, where its own attestations do not stand.
fn predecessor(record: &Record, wanted: &Wanted) -> Option<Wanted> {
    let stands = matches!(
        &record.attestations,
        AttestationState::Verified { .. } | AttestationState::None
    );
    let before = record.facts.before.clone().filter(|_| stands)?;
    Some(Wanted {
        name: wanted.name.clone(),
        version: before,
        integrity: None,
    })
}

fn trust(record: Record, earlier: Option<&Record>) -> Trust {
    let mut trust = Trust {
        signature: record.signature,
        attestations: record.attestations,
        since: None,
        changes: Vec::new(),
    };
    let earlier = earlier.and_then(|earlier| match &earlier.attestations {
        AttestationState::Verified { claims } => claims.as_deref(),
        _ => None,
    });
    if let Some(before) = earlier {
        trust.changes = match trust.claims() {
            Some(after) => after.changes_since(before),
            None => vec![before.lost()],
        };
        trust.since = record.facts.before;
    }
    trust
}

fn unchecked(why: &str) -> Trust {
    let record = Record::unknown(String::new(), why);
    trust(record, None)
}

fn digest(bytes: &[u8]) -> String {
    weir_provenance::digest(bytes)
}
