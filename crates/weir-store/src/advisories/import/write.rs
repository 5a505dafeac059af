//! Writing what an import found, as far as it is news.

use std::cmp::Ordering;
use std::collections::HashMap;

use aws_lc_rs::digest;
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};

use super::reader::Read;
use super::{Import, ImportReport};
use crate::advisories::feeds::count_up;
use crate::advisories::osv::Reduced;
use crate::{Store, StoreError};

type Transaction = sqlx::Transaction<'static, sqlx::Any>;

/// Rows in one statement: each statement costs a thread hop, and parameters are limited.
const ROWS: usize = 100;

/// A feed has to hold this many records before losing most of them is suspicious.
const FEW: usize = 4;

/// What is kept of a record, to see whether it has changed.
#[derive(Debug, Clone)]
struct State {
    modified: i64,
    withdrawn: bool,
    digest: i64,
    /// Whether this import met it.
    seen: bool,
    /// The newest record of its id that this import met.
    met: Option<Box<Met>>,
}

/// A record that an import met, to compare it with others of the same id.
#[derive(Debug, Clone)]
struct Met {
    file: String,
    modified: i64,
    withdrawn: bool,
    digest: i64,
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
                met: None,
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

/// What is to be done about an id.
enum Write<'r> {
    Keep(Fresh<'r>),
    /// It is not about npm any more.
    Drop(&'r Reduced),
}

/// Writes the records of one feed.
pub(super) struct Writer<'s> {
    store: &'s Store,
    feed: String,
    known: Known,
    /// Files could not be read that may be those of any record.
    is_blind: bool,
    report: ImportReport,
}

impl<'s> Writer<'s> {
    pub(super) fn new(store: &'s Store, feed: &str, known: Known) -> Self {
        Self {
            store,
            feed: feed.to_owned(),
            known,
            is_blind: false,
            report: ImportReport::default(),
        }
    }

    /// What was written and removed, and which records another one of the same id stood against.
    pub(super) fn take_report(&mut self) -> ImportReport {
        std::mem::take(&mut self.report)
    }

    /// Writes what is news in a group, in one transaction. `unreadable` are ids whose files could not be
    /// read: what is kept of them stays.
    pub(super) async fn keep(
        &mut self,
        records: &[Read],
        unreadable: &[String],
    ) -> Result<(), StoreError> {
        for id in unreadable {
            match self.known.states.get_mut(id) {
                Some(state) => state.seen = true,
                None => self.is_blind = true,
            }
        }
        // One statement must not meet the same row twice: the last one decided on is the newest.
        let mut writes: HashMap<&str, Write<'_>> = HashMap::new();
        for read in records {
            let found = &read.found;
            let write = match found.record.affected.is_empty() {
                true => self.is_gone(read).then_some(Write::Drop(found)),
                false => self.news(read)?.map(Write::Keep),
            };
            if let Some(write) = write {
                writes.insert(&found.record.id, write);
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.store.inner.database.begin("advisory_record").await?;
        let (mut fresh, mut gone) = (Vec::new(), Vec::new());
        for write in writes.values() {
            match write {
                Write::Keep(news) => fresh.push(news),
                Write::Drop(found) => gone.push(*found),
            }
        }
        for rows in fresh.chunks(ROWS) {
            upsert(&mut transaction, &self.feed, rows).await?;
        }
        for found in gone {
            drop_known(&mut transaction, &self.feed, found).await?;
        }
        self.report.changed += writes.len() as u64;
        count_up(&mut transaction).await?;
        commit(transaction).await
    }

    /// The record, if it is new, newer, or as old and different. Of several in one source that are equally
    /// new the first stays, so that reading the same again changes nothing.
    fn news<'r>(&mut self, read: &'r Read) -> Result<Option<Fresh<'r>>, StoreError> {
        let found = &read.found;
        let text = serde_json::to_string(&found.record).map_err(|why| StoreError::Encode {
            table: "advisory_record",
            why,
        })?;
        let met = Met {
            file: read.file.clone(),
            modified: found.modified,
            withdrawn: found.withdrawn,
            digest: digest_of(&text),
        };
        let (id, digest) = (&found.record.id, met.digest);
        let Some(known) = self.known.states.get_mut(id) else {
            let state = State {
                modified: met.modified,
                withdrawn: met.withdrawn,
                digest,
                seen: true,
                met: Some(Box::new(met)),
            };
            self.known.states.insert(id.clone(), state);
            let fresh = Fresh {
                found,
                text,
                digest,
            };
            return Ok(Some(fresh));
        };
        known.seen = true;
        if let Some(first) = &known.met {
            if let Some((file, why)) = twin(id, first, &met) {
                self.report.skip(&file, why);
            }
            if first.modified >= met.modified {
                return Ok(None);
            }
        }
        let differs = known.digest != digest || known.withdrawn != met.withdrawn;
        let is_news = met.modified > known.modified || (met.modified == known.modified && differs);
        if is_news {
            (known.modified, known.withdrawn, known.digest) = (met.modified, met.withdrawn, digest);
        }
        known.met = Some(Box::new(met));
        Ok(is_news.then_some(Fresh {
            found,
            text,
            digest,
        }))
    }

    /// Whether a record that is not about npm was so before, and is in force.
    fn is_gone(&mut self, read: &Read) -> bool {
        let found = &read.found;
        let Some(known) = self.known.states.get_mut(&found.record.id) else {
            return false;
        };
        known.seen = true;
        if let Some(first) = known.met.take_if(|it| it.modified < found.modified) {
            let why = format!(
                "{} is in {}, too, where it is newer and not about npm",
                found.record.id, read.file
            );
            self.report.skip(&first.file, why);
        }
        if known.withdrawn || found.modified <= known.modified {
            return false;
        }
        (known.withdrawn, known.modified) = (true, found.modified);
        true
    }

    /// Removes records that this import did not meet; none while a file that cannot be read may hold them.
    pub(super) async fn remove_missing(&mut self, allowed: bool) -> Result<(), StoreError> {
        if self.is_blind {
            return Ok(());
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
            return Ok(());
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
        self.report.removed += missing.len() as u64;
        commit(transaction).await
    }

    /// Notes where and when the feed was read. What tells that a source has not changed is forgotten while a
    /// record waits to be withdrawn: it has to be read again to see whether its moment has come.
    pub(super) async fn note(
        &self,
        import: &Import,
        report: &ImportReport,
    ) -> Result<(), StoreError> {
        let settled = report.pending == 0;
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
        .bind(import.etag.as_deref().filter(|_| settled))
        .bind(import.last_modified.as_deref().filter(|_| settled))
        .bind(i64::try_from(report.unusable()).unwrap_or(i64::MAX))
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

/// Which of two files of one source is not used, and why; neither where both say the same.
fn twin(id: &str, first: &Met, second: &Met) -> Option<(String, String)> {
    let (unused, used, what) = match first.modified.cmp(&second.modified) {
        Ordering::Less => (first, second, "newer"),
        Ordering::Greater => (second, first, "newer"),
        Ordering::Equal if (first.digest, first.withdrawn) == (second.digest, second.withdrawn) => {
            return None;
        }
        Ordering::Equal => (second, first, "equally new, and different"),
    };
    let why = format!(
        "{id} is in {}, too, where it is {what}: that one is taken",
        used.file
    );
    Some((unused.file.clone(), why))
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
