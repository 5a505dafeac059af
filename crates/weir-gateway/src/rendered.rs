//! Ready-made packument answers: a warm request is a lookup, not a parse.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use moka::sync::Cache;
use weir_npm::name::PackageName;
use weir_npm::packument::Form;

use crate::client::Variant;

/// What tells one ready-made answer from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The package.
    pub name: PackageName,
    /// Full or abbreviated.
    pub form: Form,
    /// How held versions appear.
    pub variant: Variant,
    /// The origin its tarball addresses carry.
    pub origin: Arc<str>,
    /// Whether it is compressed.
    pub gzip: bool,
}

/// A ready-made answer.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// The body, compressed if the key says so.
    pub body: Bytes,
    /// Its entity tag: changes with the upstream's document, the decisions in it, and its form.
    pub etag: String,
    /// When the upstream last changed the document, as an HTTP date.
    pub last_modified: Option<String>,
    /// What it was decided under.
    pub generation: String,
    /// Until when the upstream need not be asked again.
    pub fresh_until: Instant,
    /// When it was decided.
    pub made: Timestamp,
    /// When the first hold in it ends.
    pub ripens: Option<Timestamp>,
    /// Why the document may be out of date, if the upstream could not be asked.
    pub stale: Option<String>,
}

impl Rendered {
    /// Whether the answer can be given as it is.
    #[must_use]
    pub(crate) fn is_current(&self, generation: &str, now: Timestamp) -> bool {
        self.generation == generation
            && Instant::now() < self.fresh_until
            && self.made <= now
            && self.ripens.is_none_or(|moment| now < moment)
    }
}

/// The answers kept in memory.
#[derive(Debug)]
pub(crate) struct Answers {
    cache: Cache<Key, Arc<Rendered>>,
}

impl Answers {
    /// Keeps at most `bytes` of answers, and none that nobody asked for in ten minutes, so that an
    /// idle service is small.
    #[must_use]
    pub(crate) fn new(bytes: u64) -> Self {
        let cache = Cache::builder()
            .max_capacity(bytes)
            .weigher(|key: &Key, value: &Arc<Rendered>| {
                let named = key.name.as_str().len() + key.origin.len();
                let size = value.body.len() + named + 256;
                u32::try_from(size).unwrap_or(u32::MAX)
            })
            .time_to_idle(Duration::from_secs(600))
            .build();
        Self { cache }
    }

    /// The answer for a key, if there is one that still holds.
    #[must_use]
    pub(crate) fn get(&self, key: &Key, generation: &str, now: Timestamp) -> Option<Arc<Rendered>> {
        self.cache
            .get(key)
            .filter(|rendered| rendered.is_current(generation, now))
    }

    /// Lets go of what nobody asked for in a while.
    pub(crate) fn tidy(&self) {
        self.cache.run_pending_tasks();
    }

    /// Keeps an answer.
    pub(crate) fn put(&self, key: Key, rendered: Arc<Rendered>) {
        self.cache.insert(key, rendered);
    }
}

/// Compresses a body. Level 1: a tenth of the size at a millisecond per megabyte (CRATES section 5);
/// higher levels cost more time than they save on any network a gateway sits on.
pub(crate) fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
