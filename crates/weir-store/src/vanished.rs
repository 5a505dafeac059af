//! Versions that were there and are not any more.

use jiff::Timestamp;
use sqlx::Row;

use crate::first_seen::from_millisecond;
use crate::{Store, StoreError};

/// A version that a packument named when it was fetched, and does not name any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vanished {
    /// The version.
    pub version: String,
    /// When it had been published, if that was said.
    pub published: Option<Timestamp>,
    /// When it was first missed.
    pub noticed: Timestamp,
    /// Whether nothing that the packument had named before was left then.
    pub whole: bool,
}

impl Store {
    /// Notes that versions are gone. What was noted before stays as it was.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_vanished(
        &self,
        name: &str,
        upstream: &str,
        gone: &[Vanished],
    ) -> Result<(), StoreError> {
        let mut transaction = self.inner.database.begin("vanished").await?;
        for one in gone {
            sqlx::query(
                "INSERT INTO vanished (name, version, upstream, published_ms, noticed_ms, whole) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name, version, upstream) DO NOTHING",
            )
            .bind(name)
            .bind(&one.version)
            .bind(upstream)
            .bind(one.published.map(Timestamp::as_millisecond))
            .bind(one.noticed.as_millisecond())
            .bind(i64::from(one.whole))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query("vanished", "note a version"))?;
        }
        transaction
            .commit()
            .await
            .map_err(StoreError::query("vanished", "commit"))
    }

    /// The packages of which versions are gone, from any upstream.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn vanished_names(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query("SELECT DISTINCT name FROM vanished")
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            .map_err(StoreError::query("vanished", "list packages"))
    }

    /// The versions of a package that are gone from this upstream, by name of the version.
    ///
    /// # Errors
    /// When the database cannot be read, or a row cannot be understood.
    pub async fn vanished(&self, name: &str, upstream: &str) -> Result<Vec<Vanished>, StoreError> {
        let failed = |source| StoreError::query("vanished", "list versions")(source);
        let rows = sqlx::query(
            "SELECT version, published_ms, noticed_ms, whole FROM vanished \
             WHERE name = $1 AND upstream = $2 ORDER BY version",
        )
        .bind(name)
        .bind(upstream)
        .fetch_all(&self.inner.database.read)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let published: Option<i64> = row.try_get(1).map_err(failed)?;
                let noticed = row.try_get(2).map_err(failed)?;
                Ok(Vanished {
                    version: row.try_get(0).map_err(failed)?,
                    published: published
                        .map(|at| from_millisecond("vanished", at))
                        .transpose()?,
                    noticed: from_millisecond("vanished", noticed)?,
                    whole: row.try_get::<i64, _>(3).map_err(failed)? != 0,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{at, open};

    #[tokio::test]
    async fn what_is_gone_is_noted_once() {
        let (_folder, store) = open().await;
        let gone = |noticed| Vanished {
            version: "1.0.1".to_owned(),
            published: Some(at(0)),
            noticed: at(noticed),
            whole: true,
        };
        let untimed = Vanished {
            version: "1.0.2".to_owned(),
            published: None,
            noticed: at(5),
            whole: false,
        };
        for list in [&[gone(5), untimed.clone()][..], &[gone(9)]] {
            store.put_vanished("a", "one", list).await.unwrap();
        }
        let found = store.vanished("a", "one").await.unwrap();
        assert_eq!(found, [gone(5), untimed]);
        assert_eq!(store.vanished_names().await.unwrap(), ["a"]);
        assert_eq!(store.vanished("a", "other").await.unwrap(), []);
    }
}
