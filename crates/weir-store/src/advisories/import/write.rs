//! Writing what an import found, as far as it is news.

use std::collections::HashMap;

use aws_lc_rs::digest;
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};

use super::Import;
use crate::advisories::feeds::count_up;
use crate::advisories::osv::Reduced;
use crate::{Store, StoreError};

type Transaction = sqlx::Transaction<'static, sqlx::Any>;

/// Rows in one statement: each statement costs a thread hop, and parameters are limited.
const ROWS: usize = 100;

/// A feed has to hold this many records before losing most of them is suspicious.
const FEW: usize = 20;

/// What is kept of a record, to see whether it has changed.
#[derive(Debug, Clone, Copy)]
struct State {
    modified: i64,
    withdrawn: bool,
    digest: i64,
    /// Whether this import met it.
    seen: bool,
}

/// The records of a feed before an import, by id.
pub(super) struct Known {
    states: HashMap<String, State>,
    before: usize,
}

impl Known {
    pub(super) async fn load(store: &Store, feed: &str) -> Result<Self, StoreError> {
        let failed = || StoreError::query("advisory_record", "list what is kept");
        let sql = "SELECT id, modified_ms, withdrawn, digest FROM advisory_record WHERE feed = $1";
        let mut rows = sqlx::query(sql)
            .bind(feed)
            .fetch(&store.inner.database.read);
        let mut states = HashMap::new();
        while let Some(row) = rows.try_next().await.map_err(failed())? {
            let state = State {
                modified: row.try_get(1).map_err(failed())?,
                withdrawn: row.try_get::<i64, _>(2).map_err(failed())? != 0,
                digest: row.try_get(3).map_err(failed())?,
                seen: false,
            };
            states.insert(row.try_get(0).map_err(failed())?, state);
        }
        let before = states.len();
        Ok(Self { states, before })
    }
}

/// A record that is news.
struct Fresh<'r> {
    found: &'r Reduced,
    text: String,
    digest: i64,
}

/// Writes the records of one feed.
pub(super) struct Writer<'s> {
    store: &'s Store,
    feed: String,
    known: Known,
    /// Files could not be read that may be those of any record.
    is_blind: bool,
    /// Records written so far.
    pub(super) changed: u64,
}

impl<'s> Writer<'s> {
    pub(super) fn new(store: &'s Store, feed: &str, known: Known) -> Self {
        Self {
            store,
            feed: feed.to_owned(),
            known,
            is_blind: false,
            changed: 0,
        }
    }

    /// Writes what is news in a group, in one transaction. `unreadable` are ids whose files could not be
    /// read: what is kept of them stays.
    pub(super) async fn keep(
        &mut self,
        records: &[Reduced],
        unreadable: &[String],
    ) -> Result<(), StoreError> {
        for id in unreadable {
            match self.known.states.get_mut(id) {
                Some(state) => state.seen = true,
                None => self.is_blind = true,
            }
        }
        // One statement must not meet the same row twice: the last one decided on is the newest.
        let mut fresh: HashMap<&str, Fresh<'_>> = HashMap::new();
        let mut gone = Vec::new();
        for found in records {
            if found.record.affected.is_empty() {
                gone.extend(self.is_gone(found).then_some(found));
            } else if let Some(news) = self.news(found)? {
                fresh.insert(&found.record.id, news);
            }
        }
        if fresh.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let mut transaction = self.store.inner.database.begin("advisory_record").await?;
        let fresh: Vec<&Fresh<'_>> = fresh.values().collect();
        for rows in fresh.chunks(ROWS) {
            upsert(&mut transaction, &self.feed, rows).await?;
        }
        for found in &gone {
            drop_known(&mut transaction, &self.feed, found).await?;
        }
        self.changed += (fresh.len() + gone.len()) as u64;
        count_up(&mut transaction).await?;
        commit(transaction).await
    }

    /// The record, if it is new, newer, or as old and different.
    fn news<'r>(&mut self, found: &'r Reduced) -> Result<Option<Fresh<'r>>, StoreError> {
        let text = serde_json::to_string(&found.record).map_err(|source| StoreError::Encode {
            table: "advisory_record",
            source,
        })?;
        let digest = digest_of(&text);
        let state = State {
            modified: found.modified,
            withdrawn: found.withdrawn,
            digest,
            seen: true,
        };
        let id = &found.record.id;
        if let Some(known) = self.known.states.get_mut(id) {
            known.seen = true;
            let differs = known.digest != digest || known.withdrawn != found.withdrawn;
            if found.modified < known.modified || (found.modified == known.modified && !differs) {
                return Ok(None);
            }
        }
        self.known.states.insert(id.clone(), state);
        Ok(Some(Fresh {
            found,
            text,
            digest,
        }))
    }

    /// Whether a record that is not about npm was so before, and is in force.
    fn is_gone(&mut self, found: &Reduced) -> bool {
        let Some(known) = self.known.states.get_mut(&found.record.id) else {
            return false;
        };
        known.seen = true;
        if known.withdrawn || found.modified <= known.modified {
            return false;
        }
        (known.withdrawn, known.modified) = (true, found.modified);
        true
    }

    /// Removes records that this import did not meet; none while a file that cannot be read may hold them.
    pub(super) async fn remove_missing(&mut self, allowed: bool) -> Result<u64, StoreError> {
        if self.is_blind {
            return Ok(0);
        }
        let states = self.known.states.iter();
        let missing: Vec<String> = states
            .filter(|(_, state)| !state.seen)
            .map(|(id, _)| id.clone())
            .collect();
        let (known, found) = (
            self.known.before,
            self.known.before - missing.len().min(self.known.before),
        );
        let most = found == 0 || (known >= FEW && found < known / 2);
        if missing.is_empty() {
            return Ok(0);
        }
        if most && !allowed {
            return Err(StoreError::Shrunk {
                feed: self.feed.clone(),
                known,
                found,
            });
        }
        let mut transaction = self.store.inner.database.begin("advisory_record").await?;
        for id in &missing {
            sqlx::query("DELETE FROM advisory_record WHERE feed = $1 AND id = $2")
                .bind(self.feed.as_str())
                .bind(id.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::query("advisory_record", "remove an advisory"))?;
            self.known.states.remove(id);
        }
        count_up(&mut transaction).await?;
        commit(transaction).await?;
        Ok(missing.len() as u64)
    }

    /// Notes where and when the feed was read.
    pub(super) async fn note(&self, import: &Import, skipped: u64) -> Result<(), StoreError> {
        let withdrawn = self
            .known
            .states
            .values()
            .filter(|state| state.withdrawn)
            .count();
        let in_force = self.known.states.len() - withdrawn;
        let mut transaction = self.store.inner.database.begin("advisory_feed").await?;
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let done = sqlx::query(
            "INSERT INTO advisory_feed \
             (name, source, read_ms, etag, last_modified, skipped, in_force, withdrawn, whole) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (name) DO UPDATE SET source = excluded.source, read_ms = excluded.read_ms, \
             whole = excluded.whole, \
             etag = excluded.etag, last_modified = excluded.last_modified, \
             skipped = excluded.skipped, in_force = excluded.in_force, withdrawn = excluded.withdrawn",
        )
        .bind(import.feed.as_str())
        .bind(import.source.as_str())
        .bind(import.now.as_millisecond())
        .bind(import.etag.as_deref())
        .bind(import.last_modified.as_deref())
        .bind(i64::try_from(skipped).unwrap_or(i64::MAX))
        .bind(number(in_force))
        .bind(number(withdrawn))
        .bind(i64::from(import.whole))
        .execute(&mut *transaction)
        .await;
        done.map_err(StoreError::query("advisory_feed", "note a feed"))?;
        // Who tells of a flaw and who does not is part of what is known.
        if self.known.before == 0 {
            count_up(&mut transaction).await?;
        }
        commit(transaction).await
    }
}

async fn commit(transaction: Transaction) -> Result<(), StoreError> {
    transaction
        .commit()
        .await
        .map_err(StoreError::query("advisory_record", "commit"))
}

fn digest_of(text: &str) -> i64 {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    let first = digest.as_ref().first_chunk::<8>();
    i64::from_le_bytes(first.copied().unwrap_or_default())
}

async fn upsert(
    transaction: &mut Transaction,
    feed: &str,
    rows: &[&Fresh<'_>],
) -> Result<(), StoreError> {
    let places: Vec<String> = (0..rows.len())
        .map(|row| {
            let places: Vec<String> = (1..=7).map(|it| format!("${}", row * 7 + it)).collect();
            format!("({})", places.join(", "))
        })
        .collect();
    let sql = format!(
        "INSERT INTO advisory_record (feed, id, modified_ms, withdrawn, digest, names, record) \
         VALUES {} ON CONFLICT (feed, id) DO UPDATE SET \
         modified_ms = excluded.modified_ms, withdrawn = excluded.withdrawn, \
         digest = excluded.digest, names = excluded.names, record = excluded.record",
        places.join(", ")
    );
    // The text depends on the number of rows alone; every value is bound.
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for fresh in rows {
        query = query
            .bind(feed)
            .bind(fresh.found.record.id.as_str())
            .bind(fresh.found.modified)
            .bind(i64::from(fresh.found.withdrawn))
            .bind(fresh.digest)
            .bind(names(fresh.found))
            .bind(fresh.text.as_str());
    }
    let done = query.execute(&mut **transaction).await;
    done.map(drop)
        .map_err(StoreError::query("advisory_record", "keep advisories"))
}

/// A record that is not about npm is not kept, but an older one of its id has to go.
async fn drop_known(
    transaction: &mut Transaction,
    feed: &str,
    found: &Reduced,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE advisory_record SET withdrawn = 1, modified_ms = $1 WHERE feed = $2 AND id = $3",
    )
    .bind(found.modified)
    .bind(feed)
    .bind(found.record.id.as_str())
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(StoreError::query("advisory_record", "drop an advisory"))
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
