//! The keys of registries: asked for once an hour, kept, and noticed when they change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use serde::Deserialize;
use weir_provenance::RegistryKeys;
use weir_upstream::Upstream;

use super::documents::{Document, Kind};
use super::{ReleaseVerifier, digest};
use crate::EngineError;

/// Where a registry's keys are.
pub const KEYS: &str = "-/npm/v1/keys";

/// Keys change twice in ten years, and a new one is announced before it is used.
const KEYS_KIND: Kind = Kind {
    fresh_for: Duration::from_secs(3600),
    check: |body| match RegistryKeys::parse(body) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    },
    is_empty: names_none,
};

/// Whether a document names no keys at all, not even some of a kind that is not known.
fn names_none(body: &[u8]) -> bool {
    let keys = RegistryKeys::parse(body);
    keys.is_ok_and(|keys| keys.is_empty() && keys.skipped() == 0)
}

/// The same of an answer.
fn names_no_keys(document: Option<&Document>) -> bool {
    document.is_none_or(|document| document.body.is_empty() || names_none(&document.body))
}

/// How long somebody who waits for bytes waits for keys: a registry that answers does so in less.
const SOON: Duration = Duration::from_secs(2);

/// A registry that kept somebody waiting for its keys is not waited for again for this long.
const SILENCE: Duration = Duration::from_secs(30);

/// Raised when what is kept of a release, or how it is made, changes: kept records are then made anew.
const RECORD_FORMAT: u32 = 3;

/// Keys as a registry lists them, whatever they hold.
#[derive(Default, Deserialize)]
struct KeyList {
    keys: Vec<serde_json::Value>,
}

/// The keys of an upstream; an empty list where it has none.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) keys: Arc<RegistryKeys>,
    /// What a release is verified under with them: another text means that it has to be verified anew.
    pub(super) under: Arc<str>,
}

/// What is known of the keys of all upstreams.
#[derive(Debug, Default)]
pub(super) struct KnownKeys {
    /// By upstream: the digest of the document, and what was read from it.
    read: DashMap<String, (String, Arc<RegistryKeys>)>,
    /// Until when an upstream is not waited for.
    silent: DashMap<String, Instant>,
    /// Copies of registries' keys, by host, each with the digest of its document.
    pinned: BTreeMap<String, (String, Arc<RegistryKeys>)>,
    /// How often an upstream's keys became other ones.
    changes: AtomicU64,
}

impl KnownKeys {
    /// With copies of registries' keys, by host.
    pub(super) fn with_pinned(pinned: &BTreeMap<String, String>) -> Result<Self, EngineError> {
        let mut read = BTreeMap::new();
        for (host, document) in pinned {
            let keys = RegistryKeys::parse(document.as_bytes()).map_err(|error| {
                EngineError::Trust(format!("the kept copy of the keys of {host}: {error}"))
            })?;
            let kept = (digest(document.as_bytes()), Arc::new(keys));
            read.insert(host.clone(), kept);
        }
        Ok(Self {
            pinned: read,
            ..Self::default()
        })
    }

    /// Notes what an upstream's keys are; tells what was read from them.
    fn note(&self, upstream: &str, body: &[u8]) -> Result<(String, Arc<RegistryKeys>), String> {
        let digest = digest(body);
        if let Some(known) = self.read.get(upstream)
            && known.0 == digest
        {
            return Ok(known.clone());
        }
        let keys = match body {
            [] => RegistryKeys::default(),
            body => RegistryKeys::parse(body).map_err(|error| error.to_string())?,
        };
        let noted = (digest, Arc::new(keys));
        self.set(upstream, &noted);
        Ok(noted)
    }

    /// Notes what an upstream's releases are verified with from here on.
    fn set(&self, upstream: &str, keys: &(String, Arc<RegistryKeys>)) {
        let is_known = |known: &(String, Arc<RegistryKeys>)| known.0 == keys.0;
        if self
            .read
            .get(upstream)
            .is_some_and(|known| is_known(&known))
        {
            return;
        }
        let before = self.read.insert(upstream.to_owned(), keys.clone());
        if before.is_some_and(|before| !is_known(&before)) {
            tracing::info!(upstream, "the registry's keys have changed");
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The copy of the keys of an upstream's registry.
    fn pinned_for(&self, upstream: &Upstream) -> Option<&(String, Arc<RegistryKeys>)> {
        self.pinned.get(upstream.base().host_str()?)
    }
}

impl ReleaseVerifier {
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

    /// Asks every registry for its keys now, however fresh the kept ones are. By address: how many there
    /// are, or why it did not answer.
    pub async fn refetch_keys(&self) -> Vec<(String, Result<usize, String>)> {
        let mut asked: BTreeMap<&str, &Upstream> = BTreeMap::new();
        let default = self.upstreams.default_upstream();
        asked.insert(default.id(), default);
        asked.extend(self.upstreams.scopes().map(|(_, it)| (it.id(), &**it)));
        let mut answers = Vec::new();
        for (id, upstream) in asked {
            let fetched = self.documents.refetch(upstream, KEYS, KEYS_KIND).await;
            let read = match fetched {
                Ok(document)
                    if self.known.pinned_for(upstream).is_some()
                        && names_no_keys(document.as_ref()) =>
                {
                    Err("it names no keys; the kept copy of them stays in force".to_owned())
                }
                Ok(document) => {
                    let body = document.map(|it| it.body).unwrap_or_default();
                    self.known
                        .note(id, &body)
                        .map(|(_, keys)| keys.iter().count())
                }
                Err(error) => Err(error.to_string()),
            };
            answers.push((id.to_owned(), read));
        }
        answers
    }

    /// The keys of an upstream; else why they could not be had. The kept copy stands in for a registry
    /// that does not answer, or that names no keys: there are some, and whoever answers leaves them out.
    pub(super) async fn keys(&self, upstream: &Upstream) -> Result<Keys, String> {
        let pinned = self.known.pinned_for(upstream);
        let answer = self.keys_document(upstream).await;
        let why = match &answer {
            Ok(document) if names_no_keys(document.as_deref()) => {
                Some("it names no keys".to_owned())
            }
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        if let (Some(why), Some(copy)) = (&why, pinned) {
            tracing::warn!(upstream = upstream.id(), %why, "the kept copy of its keys is used");
            self.known.set(upstream.id(), copy);
            return Ok(Keys {
                under: self.under(&copy.0),
                keys: Arc::clone(&copy.1),
            });
        }
        let answer = answer.map_err(|error| error.to_string())?;
        let body = answer.map(|it| it.body.clone()).unwrap_or_default();
        let (digest, keys) = self.known.note(upstream.id(), &body)?;
        if let Some(id) = pinned.and_then(|(_, pinned)| pinned.contradicts(&keys)) {
            let id = weir_model::finding::printable(id, 120);
            return Err(format!(
                "the registry names another key under {id} than the copy that is kept of its keys"
            ));
        }
        Ok(Keys {
            keys,
            under: self.under(&digest),
        })
    }

    /// The same for somebody who waits for bytes.
    pub(super) async fn keys_soon(&self, upstream: &Upstream) -> Result<Keys, String> {
        let silent = self.known.silent.get(upstream.id()).map(|until| *until);
        if silent.is_some_and(|until| Instant::now() < until) {
            return Err("the registry lately took too long to send its keys".to_owned());
        }
        match tokio::time::timeout(SOON, self.keys(upstream)).await {
            Ok(keys) => keys,
            Err(_) => {
                let until = Instant::now() + SILENCE;
                self.known.silent.insert(upstream.id().to_owned(), until);
                Err(format!(
                    "the registry took longer than {} s to send its keys",
                    SOON.as_secs()
                ))
            }
        }
    }

    /// What releases of an upstream are verified under at present, as far as its keys are known.
    pub(super) fn known_under(&self, upstream: &Upstream) -> Option<Arc<str>> {
        let known = self.known.read.get(upstream.id())?;
        Some(self.under(&known.0))
    }

    fn under(&self, keys: &str) -> Arc<str> {
        let version = env!("CARGO_PKG_VERSION");
        format!("{version}-{RECORD_FORMAT}-{keys}-{}", self.root).into()
    }

    /// Notes the keys that are kept, so that verdicts of earlier runs are known to be made under them.
    pub(crate) async fn recall_keys(&self) -> Result<(), EngineError> {
        let default = self.upstreams.default_upstream();
        let scopes = self.upstreams.scopes().map(|(_, upstream)| upstream);
        for upstream in std::iter::once(default).chain(scopes) {
            if let Some(kept) = self.store.document(upstream.id(), KEYS).await? {
                // What cannot be read is fetched anew when it is needed.
                let _ = self.known.note(upstream.id(), kept.body.as_bytes());
            }
        }
        Ok(())
    }

    /// Looks whether keys that were used have changed.
    pub(crate) async fn look_after_keys(&self) {
        let default = self.upstreams.default_upstream();
        let scopes = self.upstreams.scopes().map(|(_, upstream)| upstream);
        for upstream in std::iter::once(default).chain(scopes) {
            if self.known.read.contains_key(upstream.id())
                && let Err(why) = self.keys(upstream).await
            {
                tracing::warn!(upstream = upstream.id(), %why, "the registry's keys could not be had");
            }
        }
    }

    /// What verifying a release of an upstream depends on: its keys and the trusted root. Empty digests
    /// stand for no keys, known or not.
    pub(crate) fn generation_of(&self, upstream: &Upstream) -> String {
        let short = |digest: &str| digest.get(..16).unwrap_or(digest).to_owned();
        let known = self.known.read.get(upstream.id());
        let keys = known.filter(|known| !known.1.is_empty() || known.1.skipped() > 0);
        let keys = keys.map_or_else(String::new, |known| short(&known.0));
        format!("{keys}-{}", short(&self.root))
    }

    /// How often keys became other ones since the start.
    pub(crate) fn key_changes(&self) -> u64 {
        self.known.changes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
