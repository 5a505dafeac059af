//! Advisories: OSV records about npm packages, of several feeds, and which releases they affect.

mod about;
mod cache;
mod feeds;
mod fixed;
#[doc(hidden)]
pub mod fuzz;
mod import;
mod index;
mod osv;
mod record;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use sqlx::Row;
use weir_model::Advisory;

pub use about::PackageAdvisories;
use cache::Cache;
pub use feeds::Feed;
pub use fixed::NotFixed;
pub use import::{Import, ImportLimits, ImportReport, Progress, fingerprint};
use index::Index;

use crate::{Store, StoreError};

/// The folder below the data folder.
pub(crate) const FOLDER: &str = "advisories";

/// All advisories, in a file that is read where somebody asks: hundreds of thousands of them are known, and
/// nearly all are never asked for.
#[derive(Debug)]
pub struct Advisories {
    /// `None` where nothing was ever imported.
    index: Option<Index>,
    /// What was asked for lately: of this generation, as every generation is opened anew.
    cache: Cache,
    generation: u64,
}

impl Advisories {
    /// No advisories.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            index: None,
            cache: Cache::default(),
            generation: 0,
        }
    }

    /// Opens what is imported.
    ///
    /// # Errors
    /// When the database cannot be read, or the index file cannot be read or made.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        // The generation first: if an import comes between, the next look notices.
        let generation = store.advisories_generation().await?;
        let index = match store.counted(RECORDS).await? {
            0 => None,
            records => Some(Index::of(store, records).await?),
        };
        Ok(Self {
            index,
            cache: Cache::default(),
            generation,
        })
    }

    /// Changes with every import that changed anything; part of what answers are cached under.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// How many records are in force, each counted once per feed.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.index.as_ref().map_or(0, |index| index.in_force)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The advisories about one version of a package, each flaw once, however many feeds tell of it.
    ///
    /// # Errors
    /// When the index file cannot be read.
    pub fn matching(&self, name: &str, version: &str) -> Result<Vec<Advisory>, StoreError> {
        Ok(self.about(name)?.matching(version))
    }

    /// The advisories about a package, to ask about many of its versions.
    ///
    /// # Errors
    /// When the index file cannot be read.
    pub fn about(&self, name: &str) -> Result<Arc<PackageAdvisories>, StoreError> {
        let Some(index) = &self.index else {
            return Ok(Arc::default());
        };
        if let Some(known) = self.cache.get(name) {
            return Ok(known);
        }
        let (kept, bytes) = index.about(name)?;
        let about = Arc::new(PackageAdvisories::new(kept, &index.feeds));
        // Of most packages nothing is known, and seeing that takes no more than a look into the table.
        if !about.is_empty() {
            self.cache.put(name, &about, bytes);
        }
        Ok(about)
    }
}

impl Store {
    /// A number that changes with every import that changed anything, by whichever process.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn advisories_generation(&self) -> Result<u64, StoreError> {
        self.counted(GENERATION).await
    }

    async fn counted(&self, name: &str) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT value FROM counter WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.inner.database.read)
            .await
            .and_then(|row| row.map(|row| row.try_get::<i64, _>(0)).transpose())
            .map_err(StoreError::query(
                "counter",
                "read the advisories' generation",
            ))?;
        Ok(row.and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
    }
}

impl Store {
    /// Counts the generation up, for whatever else was imported that decisions depend on.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn count_import(&self) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO counter (name, value) VALUES ($1, 1) \
             ON CONFLICT (name) DO UPDATE SET value = counter.value + 1",
        )
        .bind(GENERATION)
        .execute(&self.inner.database.write)
        .await
        .map(|_| ())
        .map_err(StoreError::query("counter", "count the generation up"))
    }
}

/// Name of the counter of everything imported that decisions depend on.
const GENERATION: &str = "advisories";
/// Name of the counter of changes to records: only these make the index out of date.
const RECORDS: &str = "advisory_records";
