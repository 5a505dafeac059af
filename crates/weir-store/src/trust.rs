//! What releases are verified by: documents beside packuments, and what came of verifying.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::Row;

use crate::first_seen::from_millisecond;
use crate::{Store, StoreError};

/// A document as the upstream sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its text.
    pub body: String,
    /// When it was fetched, by the system's clock.
    pub fetched_at: Timestamp,
}

/// Names asked for in one query: below the number of parameters that every database takes.
const BATCH: usize = 200;

impl Store {
    /// A document of an upstream, by its path.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn document(
        &self,
        upstream: &str,
        path: &str,
    ) -> Result<Option<StoredDocument>, StoreError> {
        let row = sqlx::query(
            "SELECT body, fetched_at_ms FROM document WHERE upstream = $1 AND path = $2",
        )
        .bind(upstream)
        .bind(path)
        .fetch_optional(&self.inner.database.read)
        .await
        .map_err(StoreError::query("document", "look up a document"))?;
        let Some(row) = row else { return Ok(None) };
        let (body, at): (String, i64) = row
            .try_get(0)
            .and_then(|body| Ok((body, row.try_get(1)?)))
            .map_err(StoreError::query("document", "read a row"))?;
        Ok(Some(StoredDocument {
            body,
            fetched_at: from_millisecond("document", at)?,
        }))
    }

    /// Keeps a document, in place of an earlier one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_document(
        &self,
        upstream: &str,
        path: &str,
        body: &str,
        fetched_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO document (upstream, path, body, fetched_at_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (upstream, path) DO UPDATE SET body = excluded.body, \
             fetched_at_ms = excluded.fetched_at_ms",
        )
        .bind(upstream)
        .bind(path)
        .bind(body)
        .bind(fetched_at.as_millisecond())
        .execute(&self.inner.database.write)
        .await
        .map(drop)
        .map_err(StoreError::query("document", "keep a document"))
    }

    /// Forgets a document of an upstream.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_document(&self, upstream: &str, path: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM document WHERE upstream = $1 AND path = $2")
            .bind(upstream)
            .bind(path)
            .execute(&self.inner.database.write)
            .await
            .map(drop)
            .map_err(StoreError::query("document", "forget a document"))
    }

    /// What came of verifying all known releases of some packages, by name and version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn trust(
        &self,
        upstream: &str,
        names: &[&str],
    ) -> Result<HashMap<(String, String), String>, StoreError> {
        let mut found = HashMap::new();
        for names in names.chunks(BATCH) {
            let places: Vec<String> = (2..names.len() + 2).map(|at| format!("${at}")).collect();
            let query = format!(
                "SELECT name, version, record FROM trust WHERE upstream = $1 AND name IN ({})",
                places.join(", ")
            );
            // Only the number of places varies.
            let mut query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(upstream);
            for name in names {
                query = query.bind(*name);
            }
            let rows = query
                .fetch_all(&self.inner.database.read)
                .await
                .map_err(StoreError::query("trust", "look up releases"))?;
            for row in rows {
                let field = StoreError::query("trust", "read a row");
                let (name, version, record) = row
                    .try_get(0)
                    .and_then(|name| Ok((name, row.try_get(1)?, row.try_get(2)?)))
                    .map_err(field)?;
                found.insert((name, version), record);
            }
        }
        Ok(found)
    }

    /// Keeps what came of verifying releases: name, version, record.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_trust(
        &self,
        upstream: &str,
        records: &[(String, String, String)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.inner.database.begin("trust").await?;
        for (name, version, record) in records {
            sqlx::query(
                "INSERT INTO trust (upstream, name, version, record) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (upstream, name, version) DO UPDATE SET record = excluded.record",
            )
            .bind(upstream)
            .bind(name)
            .bind(version)
            .bind(record)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query("trust", "keep a release"))?;
        }
        transaction
            .commit()
            .await
            .map_err(StoreError::query("trust", "commit"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::open;

    #[tokio::test]
    async fn documents_and_records_are_kept_by_upstream_and_replaced() {
        let (_folder, store) = open().await;
        let at = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        let (one, two) = ("https://one.invalid/", "https://two.invalid/");
        store.put_document(one, "-/k", "old", at).await.unwrap();
        store.put_document(one, "-/k", "new", at).await.unwrap();
        let kept = store.document(one, "-/k").await.unwrap().unwrap();
        assert_eq!((kept.body.as_str(), kept.fetched_at), ("new", at));
        assert_eq!(store.document(two, "-/k").await.unwrap(), None);
        store.forget_document(two, "-/k").await.unwrap();
        assert!(store.document(one, "-/k").await.unwrap().is_some());
        store.forget_document(one, "-/k").await.unwrap();
        assert_eq!(store.document(one, "-/k").await.unwrap(), None);

        let names: Vec<String> = (0..450).map(|number| format!("n{number}")).collect();
        let records: Vec<_> = names
            .iter()
            .map(|name| (name.clone(), "1.0.0".to_owned(), format!("r-{name}")))
            .collect();
        store.put_trust(one, &records).await.unwrap();
        store.put_trust(one, &records).await.unwrap();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = store.trust(one, &names).await.unwrap();
        assert_eq!(found.len(), 450);
        assert_eq!(found[&("n449".to_owned(), "1.0.0".to_owned())], "r-n449");
        assert!(store.trust(two, &names).await.unwrap().is_empty());
    }
}
