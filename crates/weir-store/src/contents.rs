//! What workers saw inside tarballs, by integrity and analyser version.

use sqlx::Row;
use weir_model::Contents;
use weir_model::contents::ANALYSER_VERSION;

use crate::{Store, StoreError};

/// The low bits of the analyser's number are its version, the rest says which rules it ran.
const VERSION_BITS: u32 = 16;

impl Store {
    /// Says under which rules of the operator's own contents are read from now on: those read under
    /// others, or under none, are not found. The first call counts, and it comes before any reading.
    pub fn analysed_under(&self, rules: Option<&str>) {
        let Some(rules) = rules else { return };
        let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in rules.bytes() {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // 47 bits of it: the number stays positive.
        let rules = i64::try_from(digest >> (VERSION_BITS + 1)).unwrap_or(0);
        let number = (rules << VERSION_BITS) | i64::from(ANALYSER_VERSION);
        let _ = self.inner.analyser.set(number);
    }

    /// The number that present contents are kept under.
    pub(crate) fn analyser(&self) -> i64 {
        let without = i64::from(ANALYSER_VERSION);
        self.inner.analyser.get().copied().unwrap_or(without)
    }

    /// What the present analyser saw inside the tarball with this integrity, if it was analysed.
    /// A stored value that cannot be understood counts as absent.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn contents(&self, integrity: &str) -> Result<Option<Contents>, StoreError> {
        let text: Option<String> =
            sqlx::query("SELECT json FROM contents WHERE integrity = $1 AND analyser = $2")
                .bind(integrity)
                .bind(self.analyser())
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
        let text = serde_json::to_string(contents).map_err(|why| StoreError::Encode {
            table: "contents",
            why,
        })?;
        sqlx::query(
            "INSERT INTO contents (integrity, analyser, json) VALUES ($1, $2, $3) \
             ON CONFLICT (integrity, analyser) DO UPDATE SET json = excluded.json",
        )
        .bind(integrity)
        .bind(self.analyser())
        .bind(text)
        .execute(&self.inner.database.write)
        .await
        .map_err(StoreError::query("contents", "keep an analysis"))?;
        self.inner.presence.contents_added(integrity);
        Ok(())
    }
}
