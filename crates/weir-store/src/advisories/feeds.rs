//! Feeds: collections of records that have a name and come from one place.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::Row;

use super::record::Record;
use super::{GENERATION, RECORDS};
use crate::{Store, StoreError};

/// A feed, and how much of it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// Where it was last read from; empty for what was imported before feeds had names.
    pub source: String,
    /// Whether the source has all of it. If not, an update removes nothing.
    pub whole: bool,
    /// When that was.
    pub read: Timestamp,
    /// The entity tag of what was read over HTTP, or the [`fingerprint`](super::fingerprint) of a file.
    pub etag: Option<String>,
    /// The date of last change of what was read over HTTP, as the server wrote it.
    pub last_modified: Option<String>,
    /// Files of it, or parts of them, that could not be used when it was last read.
    pub skipped: u64,
    /// Records about npm packages that are in force.
    pub in_force: u64,
    /// Records that were withdrawn by their authors.
    pub withdrawn: u64,
}

impl Store {
    /// All feeds, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn advisory_feeds(&self) -> Result<Vec<Feed>, StoreError> {
        let failed = || StoreError::query("advisory_feed", "list feeds");
        let rows = sqlx::query(
            "SELECT name, source, read_ms, etag, last_modified, skipped, in_force, withdrawn, whole \
             FROM advisory_feed ORDER BY name",
        )
        .fetch_all(&self.inner.database.read)
        .await
        .map_err(failed())?;
        rows.iter()
            .map(|row| {
                let number = |at: usize| {
                    let value = row.try_get::<i64, _>(at).map_err(failed())?;
                    Ok(u64::try_from(value).unwrap_or(0))
                };
                let read = row.try_get::<i64, _>(2).map_err(failed())?;
                Ok(Feed {
                    name: row.try_get(0).map_err(failed())?,
                    source: row.try_get(1).map_err(failed())?,
                    read: Timestamp::from_millisecond(read).unwrap_or(Timestamp::UNIX_EPOCH),
                    etag: row.try_get(3).map_err(failed())?,
                    last_modified: row.try_get(4).map_err(failed())?,
                    skipped: number(5)?,
                    in_force: number(6)?,
                    withdrawn: number(7)?,
                    whole: number(8)? == 1,
                })
            })
            .collect()
    }

    pub(super) async fn advisory_feed_names(&self) -> Result<Vec<String>, StoreError> {
        let failed = || StoreError::query("advisory_feed", "list feeds");
        let rows = sqlx::query("SELECT name FROM advisory_feed ORDER BY name")
            .fetch_all(&self.inner.database.read)
            .await
            .map_err(failed())?;
        rows.iter()
            .map(|row| row.try_get(0).map_err(failed()))
            .collect()
    }

    /// Notes that a feed was looked at and is still what is kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn touch_advisory_feed(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE advisory_feed SET read_ms = $1 WHERE name = $2")
            .bind(now.as_millisecond())
            .bind(name)
            .execute(&self.inner.database.write)
            .await
            .map(drop)
            .map_err(StoreError::query("advisory_feed", "note a feed"))
    }

    /// The packages that records with this id or alias are about, in any feed, withdrawn ones too; in
    /// whatever case it is written. Looks through all records: for a person who asks, not for a request.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn packages_of_advisory(&self, id: &str) -> Result<Vec<String>, StoreError> {
        let failed = || StoreError::query("advisory_record", "look up an id");
        let mut names = BTreeSet::new();
        if id.len() > LONGEST_ID {
            return Ok(Vec::new());
        }
        // What is found so may be any text of the record: whether it is an id is seen below.
        let sql = "SELECT names, record FROM advisory_record WHERE record LIKE $1 ESCAPE '!'";
        let mut rows = sqlx::query(sql)
            .bind(holding(id))
            .fetch(&self.inner.database.read);
        while let Some(row) = rows.try_next().await.map_err(failed())? {
            let text: String = row.try_get(1).map_err(failed())?;
            let record: Record = serde_json::from_str(&text).map_err(|error| StoreError::Row {
                table: "advisory_record",
                why: error.to_string(),
            })?;
            let mut ids = std::iter::once(&record.id).chain(&record.aliases);
            if ids.any(|known| known.eq_ignore_ascii_case(id)) {
                let text: String = row.try_get(0).map_err(failed())?;
                names.extend(text.lines().map(str::to_owned));
            }
        }
        Ok(names.into_iter().collect())
    }

    /// Removes a feed with all its records. `false` when there is none of that name.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn remove_advisory_feed(&self, name: &str) -> Result<bool, StoreError> {
        let failed = || StoreError::query("advisory_feed", "remove a feed");
        let mut transaction = self.inner.database.begin("advisory_feed").await?;
        let mut removed = 0;
        for sql in [
            "DELETE FROM advisory_record WHERE feed = $1",
            "DELETE FROM advisory_feed WHERE name = $1",
        ] {
            let done = sqlx::query(sql).bind(name).execute(&mut *transaction).await;
            removed += done.map_err(failed())?.rows_affected();
        }
        if removed > 0 {
            count_up(&mut transaction).await?;
        }
        transaction.commit().await.map_err(failed())?;
        Ok(removed > 0)
    }
}

/// Longest id that is looked for, in bytes: the database has a limit on the length of patterns.
const LONGEST_ID: usize = 4000;

/// A pattern for records that hold a text as one of their values.
fn holding(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in serde_json::Value::from(text).to_string().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern + "%"
}

/// Tells everybody that what is known has changed.
pub(super) async fn count_up(
    transaction: &mut sqlx::Transaction<'static, sqlx::Any>,
) -> Result<(), StoreError> {
    for counter in [GENERATION, RECORDS] {
        sqlx::query(
            "INSERT INTO counter (name, value) VALUES ($1, 1) \
             ON CONFLICT (name) DO UPDATE SET value = counter.value + 1",
        )
        .bind(counter)
        .execute(&mut **transaction)
        .await
        .map_err(StoreError::query("counter", "count the generation up"))?;
    }
    Ok(())
}
