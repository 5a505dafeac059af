//! Sigstore's root of trust, brought up to date by its TUF repository.
//!
//! The repository's root metadata is signed by a quorum of keys, and each version of it by the one before.
//! Beginning with a version that comes with weir, the chain is followed to the newest, and from there to
//! the trusted root and to copies of registries' keys: signatures, thresholds, versions that only grow,
//! ends, lengths and digests are all checked. Fetching is for the caller to do.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{MetadataStore, Repository, Updater};

use crate::{RegistryKeys, Verifier};

/// The root metadata that comes with weir (see NOTICE).
const ROOT: &[u8] = include_bytes!("../data/sigstore-tuf-root.json");

/// The trusted root's name in the repository.
const TRUSTED_ROOT: &str = "trusted_root.json";

/// Why the trusted root was not brought up to date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The repository cannot be had, or what it says does not hold.
    #[error("the repository's metadata: {0}")]
    Metadata(String),
    /// The metadata hold, and what they name cannot be used.
    #[error("the repository's {name} cannot be used: {why}")]
    Unusable {
        /// What.
        name: String,
        /// Why.
        why: String,
    },
}

/// What a fetch comes to: the bytes, nothing where there is no such file, or why there is no answer.
pub type Fetched<'a> = Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, String>> + Send + 'a>>;

/// Where a repository is.
pub trait Source: Send + Sync + 'static {
    /// Fetches a file of the repository, of at most so many bytes.
    fn fetch<'a>(&'a self, path: &'a str, limit: u64) -> Fetched<'a>;
}

/// What is kept between updates, by name: the metadata that were verified last. They are verified again
/// when they are used, and keep a repository from going back to an earlier state.
pub type Metadata = BTreeMap<String, String>;

/// What an update found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// The trusted root.
    pub root: String,
    /// Copies of registries' keys, by host.
    pub keys: BTreeMap<String, String>,
    /// The version of the root metadata that the chain ends in.
    pub version: u64,
    /// Until when the repository stands by this: then it has to be asked again.
    pub expires: Option<Timestamp>,
    /// What to keep for the next time.
    pub metadata: Metadata,
}

/// Follows a repository's chain to its trusted root, and to the keys of these registries. `start` is root
/// metadata to begin with instead of those that come with weir.
///
/// # Errors
/// [`UpdateError`]; nothing of what did not verify is given out.
pub async fn update(
    source: impl Source,
    start: Option<&[u8]>,
    kept: Metadata,
    hosts: &[String],
    now: Timestamp,
) -> Result<Updated, UpdateError> {
    let memory = Memory(Arc::new(Mutex::new(kept)));
    let mut updater = Updater::new(Transport(Box::new(source)), start.unwrap_or(ROOT))
        .map_err(failed)?
        .with_store(memory.clone());
    updater.refresh(now).await.map_err(failed)?;
    let bytes = updater.get_target(TRUSTED_ROOT, now).await;
    let root = text(TRUSTED_ROOT, bytes.map_err(failed)?)?;
    Verifier::from_root(&root).map_err(|refusal| unusable(TRUSTED_ROOT, &refusal))?;
    let mut keys = BTreeMap::new();
    for host in hosts {
        let name = format!("{host}/keys.json");
        let known = updater.get_target_info(&name, now).await.map_err(failed)?;
        let Some(target) = known else { continue };
        let bytes = match updater.find_cached_target(&target, &name) {
            Some(bytes) => bytes,
            None => {
                let bytes = updater.download_target(&target, &name).await;
                bytes.map_err(failed)?
            }
        };
        let document = text(&name, bytes)?;
        RegistryKeys::parse(document.as_bytes()).map_err(|error| unusable(&name, &error))?;
        keys.insert(host.clone(), document);
    }
    let trusted = updater.trusted();
    Ok(Updated {
        version: trusted.root().version,
        expires: trusted.timestamp().map(|it| it.expires),
        root,
        keys,
        metadata: memory.into_inner(),
    })
}

fn unusable(name: &str, why: &dyn std::error::Error) -> UpdateError {
    UpdateError::Unusable {
        name: name.to_owned(),
        why: why.to_string(),
    }
}

fn text(name: &str, bytes: Vec<u8>) -> Result<String, UpdateError> {
    String::from_utf8(bytes).map_err(|error| unusable(name, &error))
}

/// An error with all that is behind it.
fn failed(error: sigstore_tuf::Error) -> UpdateError {
    let mut words = error.to_string();
    let mut behind = std::error::Error::source(&error);
    while let Some(cause) = behind {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        behind = cause.source();
    }
    UpdateError::Metadata(weir_model::finding::printable(&words, 400))
}

/// A source as the library asks it: metadata at the top, targets in a folder of theirs.
struct Transport(Box<dyn Source>);

impl Repository for Transport {
    fn fetch_metadata<'a>(&'a self, name: &'a str, limit: u64) -> FetchFuture<'a> {
        Box::pin(async move {
            let fetched = self.0.fetch(name, limit).await;
            fetched.map_err(sigstore_tuf::Error::transport)
        })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, limit: u64) -> FetchFuture<'a> {
        Box::pin(async move {
            let path = format!("targets/{path}");
            let fetched = self.0.fetch(&path, limit).await;
            fetched.map_err(sigstore_tuf::Error::transport)
        })
    }
}

#[derive(Clone)]
struct Memory(Arc<Mutex<Metadata>>);

impl Memory {
    fn into_inner(self) -> Metadata {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *kept)
    }
}

impl MetadataStore for Memory {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.get(name).map(|text| text.clone().into_bytes()))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> sigstore_tuf::Result<()> {
        // Metadata and what they name are JSON; anything else is not worth keeping.
        if let Ok(text) = std::str::from_utf8(bytes) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.insert(name.to_owned(), text.to_owned());
        }
        Ok(())
    }
}
