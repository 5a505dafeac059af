//! What workers saw inside tarballs, by integrity and analyser version.

use sqlx::Row;
use weir_model::Contents;
use weir_model::contents::ANALYSER_VERSION;

use crate::{Store, StoreError};

impl Store {
    /// What the present analyser saw inside the tarball with this integrity, if it was analysed.
    /// A stored value that cannot be understood counts as absent.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn contents(&self, integrity: &str) -> Result<Option<Contents>, StoreError> {
        let text: Option<String> =
            sqlx::query("SELECT json FROM contents WHERE integrity = $1 AND analyser = $2")
                .bind(integrity)
                .bind(i64::from(ANALYSER_VERSION))
                .fetch_optional(&self.inner.database.read)
                .await
                .and_then(|row| row.map(|row| row.try_get(0)).transpose())
                .map_err(StoreError::query("contents", "look up an analysis"))?;
        Ok(text.and_then(|text| match serde_json::from_str(&text) {
            Ok(contents) => Some(contents),
            Err(error) => {
                tracing::warn!(%integrity, %error, "a stored analysis cannot be understood");
                None
            }
        }))
    }

    /// Keeps what the present analyser saw. A second call for the same bytes replaces the first.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_contents(
        &self,
        integrity: &str,
        contents: &Contents,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(contents).map_err(|source| StoreError::Encode {
            table: "contents",
            source,
        })?;
        sqlx::query(
            "INSERT INTO contents (integrity, analyser, json) VALUES ($1, $2, $3) \
             ON CONFLICT (integrity, analyser) DO UPDATE SET json = excluded.json",
        )
        .bind(integrity)
        .bind(i64::from(ANALYSER_VERSION))
        .bind(text)
        .execute(&self.inner.database.write)
        .await
        .map_err(StoreError::query("contents", "keep an analysis"))?;
        self.inner.presence.contents_added(integrity);
        Ok(())
    }
}
