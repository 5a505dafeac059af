//! Importing OSV records from a folder or a `.zip` archive.

mod reader;

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::AssertSqlSafe;
use tokio::sync::mpsc;
use weir_model::AdvisoryKind;

use super::GENERATION;
use super::osv::Reduced;
use crate::{Store, StoreError};
use reader::{Group, Reader};

/// What an import will not go beyond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLimits {
    /// Most files; with more, the import is refused.
    pub files: u64,
    /// Most bytes in one file, unpacked; a larger one is skipped and reported.
    pub file_bytes: u64,
    /// Most bytes in all files, unpacked; beyond, the import stops with an error.
    pub total_bytes: u64,
}

impl Default for ImportLimits {
    /// Several times what the collection of all npm records holds.
    fn default() -> Self {
        Self {
            files: 2_000_000,
            file_bytes: 16 << 20,
            total_bytes: 16 << 30,
        }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files done with.
    pub done: u64,
    /// Files in all.
    pub total: u64,
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Files that were read as OSV records.
    pub read: u64,
    /// Those that concern npm packages.
    pub npm: u64,
    /// Of these: about malware, and in force.
    pub malware: u64,
    /// Of these: about flaws, and in force.
    pub vulnerabilities: u64,
    /// Of these: withdrawn by their authors.
    pub withdrawn: u64,
    /// Records that were new here, or newer than the one kept. The others were known.
    pub changed: u64,
    /// Files whose names do not end in `.json`.
    pub ignored: u64,
    /// Files, or parts of them, that could not be used, each with the reason.
    pub skipped: Vec<(String, String)>,
    /// How many more could not be used beyond those in `skipped`, which ends at 10,000.
    pub skipped_more: u64,
}

/// Most reasons kept.
const MAX_SKIPPED: usize = 10_000;

impl ImportReport {
    fn skip(&mut self, file: &str, why: String) {
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push((file.to_owned(), why));
        } else {
            self.skipped_more += 1;
        }
    }

    fn count(&mut self, file: &str, found: &mut Reduced) {
        self.read += 1;
        for problem in found.problems.drain(..) {
            self.skip(file, problem);
        }
        if found.record.affected.is_empty() {
            return;
        }
        self.npm += 1;
        match (found.withdrawn, found.record.kind) {
            (true, _) => self.withdrawn += 1,
            (false, AdvisoryKind::Malware) => self.malware += 1,
            (false, AdvisoryKind::Vulnerability) => self.vulnerabilities += 1,
        }
    }
}

impl Store {
    /// Imports OSV records from a folder (looked into deeply), a `.zip` archive or a single
    /// `.json` file. Records that are kept already are replaced by newer ones of the same id, so
    /// that the same collection can be imported again and again. `progress` is called now and then.
    ///
    /// # Errors
    /// When the path cannot be read at all, a limit on the whole is exceeded, or the database
    /// cannot be written. Records committed before that stay.
    pub async fn import_osv(
        &self,
        path: &Path,
        limits: &ImportLimits,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<ImportReport, StoreError> {
        // A few groups may wait; reading pauses when writing is slower.
        let (groups, mut waiting) = mpsc::channel::<Group>(4);
        let (path, limits) = (path.to_owned(), limits.clone());
        let reader = tokio::task::spawn_blocking(move || Reader::run(&path, limits, groups));
        let mut changed = 0;
        while let Some(group) = waiting.recv().await {
            changed += self.keep_advisories(&group.records).await?;
            progress(group.progress);
        }
        let mut report = reader.await.map_err(|_| StoreError::Closed)??;
        report.changed = changed;
        if changed > 0 && !self.taught_packages().await?.is_empty() {
            let fresh = super::Advisories::load(self).await?;
            let taken = self.unlearn_malware(&fresh).await?;
            if taken > 0 {
                tracing::info!(releases = taken, "what malware had taught is taken back");
            }
        }
        Ok(report)
    }

    /// Writes a group and, if anything changed, counts the generation up, in one transaction.
    async fn keep_advisories(&self, records: &[Reduced]) -> Result<u64, StoreError> {
        if records.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.inner.database.begin("advisory").await?;
        let mut changed = 0;
        let (kept, gone): (Vec<&Reduced>, Vec<&Reduced>) = newest(records)
            .into_iter()
            .partition(|found| !found.record.affected.is_empty());
        for rows in kept.chunks(ROWS) {
            changed += upsert(&mut transaction, rows).await?;
        }
        for found in gone {
            changed += drop_known(&mut transaction, found).await?;
        }
        if changed > 0 {
            sqlx::query(
                "INSERT INTO counter (name, value) VALUES ($1, 1) \
                 ON CONFLICT (name) DO UPDATE SET value = counter.value + 1",
            )
            .bind(GENERATION)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query("counter", "count the generation up"))?;
        }
        transaction
            .commit()
            .await
            .map_err(StoreError::query("advisory", "commit"))?;
        Ok(changed)
    }
}

type Transaction = sqlx::Transaction<'static, sqlx::Any>;

/// Rows in one statement: each statement costs a thread hop, and parameters are limited.
const ROWS: usize = 100;

/// The newest record of each id: one statement must not meet the same row twice.
fn newest(records: &[Reduced]) -> Vec<&Reduced> {
    let mut by_id: BTreeMap<&str, &Reduced> = BTreeMap::new();
    for found in records {
        let kept = by_id.entry(&found.record.id).or_insert(found);
        if found.modified >= kept.modified {
            *kept = found;
        }
    }
    by_id.into_values().collect()
}

/// Writes records that are new, newer, or as old and different. Returns how many were.
async fn upsert(transaction: &mut Transaction, rows: &[&Reduced]) -> Result<u64, StoreError> {
    let places: Vec<String> = (0..rows.len())
        .map(|row| {
            let at = row * 5;
            format!(
                "(${}, ${}, ${}, ${}, ${})",
                at + 1,
                at + 2,
                at + 3,
                at + 4,
                at + 5
            )
        })
        .collect();
    let sql = format!(
        "INSERT INTO advisory (id, modified_ms, withdrawn, names, record) VALUES {} \
         ON CONFLICT (id) DO UPDATE SET \
         modified_ms = excluded.modified_ms, withdrawn = excluded.withdrawn, \
         names = excluded.names, record = excluded.record \
         WHERE excluded.modified_ms > advisory.modified_ms OR \
         (excluded.modified_ms = advisory.modified_ms AND \
          (excluded.record <> advisory.record OR excluded.withdrawn <> advisory.withdrawn))",
        places.join(", ")
    );
    // The text depends on the number of rows alone; every value is bound.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for found in rows {
        let text = serde_json::to_string(&found.record).map_err(|source| StoreError::Encode {
            table: "advisory",
            source,
        })?;
        query = query
            .bind(found.record.id.as_str())
            .bind(found.modified)
            .bind(i64::from(found.withdrawn))
            .bind(names(found))
            .bind(text);
    }
    let done = query.execute(&mut **transaction).await;
    done.map(|done| done.rows_affected())
        .map_err(StoreError::query("advisory", "keep advisories"))
}

/// A record that is not about npm is not kept, but an older one of its id has to go.
async fn drop_known(transaction: &mut Transaction, found: &Reduced) -> Result<u64, StoreError> {
    sqlx::query(
        "UPDATE advisory SET withdrawn = 1, modified_ms = $1 \
         WHERE id = $2 AND modified_ms < $3 AND withdrawn = 0",
    )
    .bind(found.modified)
    .bind(found.record.id.as_str())
    .bind(found.modified)
    .execute(&mut **transaction)
    .await
    .map(|done| done.rows_affected())
    .map_err(StoreError::query("advisory", "drop an advisory"))
}

/// The packages a record is about, one per line.
fn names(found: &Reduced) -> String {
    let mut names: Vec<&str> = found
        .record
        .affected
        .iter()
        .map(|affected| affected.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join("\n")
}
