//! Verdicts on releases, by name and version, each under the generation it was decided in.

use sqlx::Row;

use crate::{Store, StoreError, database};

impl Store {
    /// The verdict on a release, if it was decided in this generation.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn verdict(
        &self,
        name: &str,
        version: &str,
        generation: &str,
    ) -> Result<Option<String>, StoreError> {
        sqlx::query("SELECT json FROM verdict WHERE name = $1 AND version = $2 AND generation = $3")
            .bind(name)
            .bind(version)
            .bind(generation)
            .fetch_optional(&self.inner.database.read)
            .await
            .and_then(|row| row.map(|row| row.try_get(0)).transpose())
            .map_err(StoreError::query("verdict", "look up a verdict"))
    }

    /// The verdict on a release, whichever generation it was decided in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_verdict(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Option<String>, StoreError> {
        sqlx::query("SELECT json FROM verdict WHERE name = $1 AND version = $2")
            .bind(name)
            .bind(version)
            .fetch_optional(&self.inner.database.read)
            .await
            .and_then(|row| row.map(|row| row.try_get(0)).transpose())
            .map_err(StoreError::query("verdict", "look up a verdict"))
    }

    /// Whether a verdict on a release is kept, of whatever generation: it was looked at before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_verdict(&self, name: &str, version: &str) -> Result<bool, StoreError> {
        if !self.may_have_verdict(name, version) {
            return Ok(false);
        }
        sqlx::query("SELECT 1 FROM verdict WHERE name = $1 AND version = $2")
            .bind(name)
            .bind(version)
            .fetch_optional(&self.inner.database.read)
            .await
            .map(|row| row.is_some())
            .map_err(StoreError::query("verdict", "look for a verdict"))
    }

    /// All verdicts on a package that were decided in this generation: version and verdict.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn verdicts(
        &self,
        name: &str,
        generation: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let failed = StoreError::query("verdict", "list verdicts");
        sqlx::query("SELECT version, json FROM verdict WHERE name = $1 AND generation = $2")
            .bind(name)
            .bind(generation)
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| database::text_pairs(&rows))
            .map_err(failed)
    }

    /// All verdicts on a package that may count, of whatever generation: version and verdict.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn verdicts_of_any(&self, name: &str) -> Result<Vec<(String, String)>, StoreError> {
        let failed = StoreError::query("verdict", "list verdicts");
        sqlx::query(
            "SELECT version, json FROM verdict WHERE name = $1 AND generation NOT LIKE 'outdated %'",
        )
        .bind(name)
        .fetch_all(&self.inner.database.read)
        .await
        .and_then(|rows| database::text_pairs(&rows))
        .map_err(failed)
    }

    /// Marks a verdict as out of date: it is found as the last one, and decided anew before it counts.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn outdate_verdict(&self, name: &str, version: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE verdict SET generation = 'outdated ' || generation \
             WHERE name = $1 AND version = $2",
        )
        .bind(name)
        .bind(version)
        .execute(&self.inner.database.write)
        .await
        .map_err(StoreError::query(
            "verdict",
            "mark a verdict as out of date",
        ))?;
        Ok(())
    }

    /// Keeps a verdict; an earlier one on the same release is replaced.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_verdict(
        &self,
        name: &str,
        version: &str,
        generation: &str,
        json: String,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO verdict (name, version, generation, json) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name, version) DO UPDATE SET generation = excluded.generation, \
             json = excluded.json",
        )
        .bind(name)
        .bind(version)
        .bind(generation)
        .bind(json)
        .execute(&self.inner.database.write)
        .await
        .map_err(StoreError::query("verdict", "keep a verdict"))?;
        self.inner.presence.verdict_added(name, version);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::store::tests::open;

    #[tokio::test]
    async fn what_is_out_of_date_is_not_forgotten() {
        let (_folder, store) = open().await;
        for version in ["1.0.0", "1.0.1"] {
            let kept = store.put_verdict("a", version, "1", version.to_owned());
            kept.await.unwrap();
        }
        store.outdate_verdict("a", "1.0.1").await.unwrap();
        let kept = store.verdicts("a", "1").await.unwrap();
        assert_eq!(kept, [("1.0.0".to_owned(), "1.0.0".to_owned())]);
        assert_eq!(store.verdict("a", "1.0.1", "1").await.unwrap(), None);
        let kept = store.verdicts_of_any("a").await.unwrap();
        assert_eq!(kept, [("1.0.0".to_owned(), "1.0.0".to_owned())]);
        let last = store.last_verdict("a", "1.0.1").await.unwrap();
        assert_eq!(last.as_deref(), Some("1.0.1"));
    }
}
