//! Advisories: OSV records about npm packages, and which releases they affect.

mod import;
mod osv;
mod record;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};

use futures_util::TryStreamExt;
use sqlx::Row;
use weir_model::Advisory;
use weir_npm::version::Version;

pub use import::{ImportLimits, ImportReport, Progress};
use record::Record;

use crate::{Store, StoreError};

/// All advisories in force, in memory. Records stay in their short JSON form until somebody asks
/// about their package: hundreds of thousands of them are known, and nearly all are never asked for.
#[derive(Debug)]
pub struct Advisories {
    /// Records one after another, in JSON.
    text: String,
    /// Where each record ends in `text`.
    ends: Vec<u32>,
    /// Hash of a package's name and a record about it, sorted.
    names: Vec<(u64, u32)>,
    hasher: RandomState,
    generation: u64,
}

impl Advisories {
    /// No advisories.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            text: String::new(),
            ends: Vec::new(),
            names: Vec::new(),
            hasher: RandomState::new(),
            generation: 0,
        }
    }

    /// Loads all advisories that are not withdrawn.
    ///
    /// # Errors
    /// When the database cannot be read, or holds more than 4 GiB of advisories.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        // The generation first: if an import comes between, the next look notices.
        let generation = store.advisories_generation().await?;
        let mut loaded = Self {
            generation,
            ..Self::empty()
        };
        let mut rows = sqlx::query("SELECT names, record FROM advisory WHERE withdrawn = 0")
            .fetch(&store.inner.database.read);
        let failed = || StoreError::query("advisory", "load advisories");
        while let Some(row) = rows.try_next().await.map_err(failed())? {
            let names: String = row.try_get(0).map_err(failed())?;
            let record: String = row.try_get(1).map_err(failed())?;
            loaded
                .push(&names, &record)
                .ok_or_else(|| StoreError::Row {
                    table: "advisory",
                    why: "more than 4 GiB of advisories".to_owned(),
                })?;
        }
        loaded.names.sort_unstable();
        loaded.names.shrink_to_fit();
        loaded.text.shrink_to_fit();
        Ok(loaded)
    }

    fn push(&mut self, names: &str, record: &str) -> Option<()> {
        let number = u32::try_from(self.ends.len()).ok()?;
        self.text.push_str(record);
        self.ends.push(u32::try_from(self.text.len()).ok()?);
        let hasher = &self.hasher;
        self.names
            .extend(names.lines().map(|name| (hasher.hash_one(name), number)));
        Some(())
    }

    /// Changes with every import that changed anything; part of what answers are cached under.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// How many advisories are in force.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The advisories about one version of a package.
    #[must_use]
    pub fn matching(&self, name: &str, version: &str) -> Vec<Advisory> {
        self.about(name).matching(version)
    }

    /// The advisories about a package, to ask about many of its versions.
    #[must_use]
    pub fn about(&self, name: &str) -> PackageAdvisories {
        let hash = self.hasher.hash_one(name);
        let from = self.names.partition_point(|(found, _)| *found < hash);
        let mut records = Vec::new();
        for (found, number) in self.names.get(from..).unwrap_or_default() {
            if *found != hash {
                break;
            }
            let Some(mut record) = self.record(*number) else {
                continue;
            };
            // Another name may have the same hash.
            record.affected.retain(|affected| affected.name == name);
            if !record.affected.is_empty() {
                records.push(record);
            }
        }
        records.sort_by(|a, b| a.id.cmp(&b.id));
        PackageAdvisories { records }
    }

    fn record(&self, number: u32) -> Option<Record> {
        let number = usize::try_from(number).ok()?;
        let end = usize::try_from(*self.ends.get(number)?).ok()?;
        let start = match number.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        let text = self.text.get(start..end)?;
        match serde_json::from_str(text) {
            Ok(record) => Some(record),
            Err(error) => {
                tracing::warn!(%error, "a stored advisory cannot be understood; import it again");
                None
            }
        }
    }
}

/// The advisories about one package.
#[derive(Debug, Clone)]
pub struct PackageAdvisories {
    records: Vec<Record>,
}

impl PackageAdvisories {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Those about one version, by id.
    #[must_use]
    pub fn matching(&self, version: &str) -> Vec<Advisory> {
        if self.records.is_empty() {
            return Vec::new();
        }
        let parsed = Version::parse(version).ok();
        self.records
            .iter()
            .filter(|record| {
                record
                    .affected
                    .iter()
                    .any(|affected| affected.holds(version, parsed.as_ref()))
            })
            .map(Record::advisory)
            .collect()
    }
}

impl Store {
    /// A number that changes with every import that changed anything, by whichever process.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn advisories_generation(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT value FROM counter WHERE name = $1")
            .bind(GENERATION)
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

/// Name of the counter.
const GENERATION: &str = "advisories";
