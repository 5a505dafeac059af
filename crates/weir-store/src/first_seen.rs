//! The first-seen clock, for upstreams that do not say when a version was published (PROTOCOL 3.2).

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row;

use crate::{Store, StoreError};

impl Store {
    /// [`Store::first_seen_all`] for one version.
    #[cfg(test)]
    pub(crate) async fn first_seen(
        &self,
        name: &str,
        version: &str,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let times = self.first_seen_all(name, &[version], now).await?;
        Ok(times.first().copied().unwrap_or(now))
    }

    /// When these versions of a package were first asked about here, in the given order: `now` for those that
    /// never were, which is then noted. Costs one query when none of them is new, and one transaction when some
    /// are.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn first_seen_all(
        &self,
        name: &str,
        versions: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let mut known = known(name, &self.inner.database.read).await?;
        let mut new: Vec<&str> = versions
            .iter()
            .copied()
            .filter(|version| !known.contains_key(*version))
            .collect();
        if !new.is_empty() {
            new.sort_unstable();
            new.dedup();
            let mut transaction = self.inner.database.begin("first_seen").await?;
            for version in new {
                sqlx::query(
                    "INSERT INTO first_seen (name, version, at_ms) VALUES ($1, $2, $3) \
                     ON CONFLICT (name, version) DO NOTHING",
                )
                .bind(name)
                .bind(version)
                .bind(now.as_millisecond())
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::query("first_seen", "note a version"))?;
            }
            transaction
                .commit()
                .await
                .map_err(StoreError::query("first_seen", "commit"))?;
            // Read again: another process may have been first.
            known = self::known(name, &self.inner.database.read).await?;
        }
        in_order(&known, versions, now)
    }

    /// The same without noting anything: `moment` stands in for versions that were never asked about.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_seen_or(
        &self,
        name: &str,
        versions: &[&str],
        moment: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let known = known(name, &self.inner.database.read).await?;
        in_order(&known, versions, moment)
    }
}

fn in_order(
    known: &HashMap<String, Timestamp>,
    versions: &[&str],
    otherwise: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    // Times are kept in milliseconds; the moment is given back the way it would be kept.
    let otherwise = from_millisecond("first_seen", otherwise.as_millisecond())?;
    Ok(versions
        .iter()
        .map(|version| known.get(*version).copied().unwrap_or(otherwise))
        .collect())
}

async fn known(name: &str, pool: &sqlx::AnyPool) -> Result<HashMap<String, Timestamp>, StoreError> {
    let rows = sqlx::query("SELECT version, at_ms FROM first_seen WHERE name = $1")
        .bind(name)
        .fetch_all(pool)
        .await
        .map_err(StoreError::query("first_seen", "look up versions"))?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let field = StoreError::query("first_seen", "read a row");
        let (version, at): (String, i64) = row
            .try_get(0)
            .and_then(|version| Ok((version, row.try_get(1)?)))
            .map_err(field)?;
        known.insert(version, from_millisecond("first_seen", at)?);
    }
    Ok(known)
}

/// A time as kept, in milliseconds since 1970-01-01 UTC.
pub(crate) fn from_millisecond(table: &'static str, at: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(at).map_err(|error| StoreError::Row {
        table,
        why: format!("{at} is not a time: {error}"),
    })
}
