//! The full explanation behind a refusal's id.

use jiff::Timestamp;
use sqlx::Row;
use weir_model::{Assessment, BlockId, Decision};

use crate::first_seen::from_millisecond;
use crate::{Store, StoreError};

/// A refusal as it was explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRefusal {
    /// What was seen.
    pub assessment: Assessment,
    /// What was decided because of it.
    pub decision: Decision,
    /// When it was first refused.
    pub first_at: Timestamp,
    /// When it was last refused.
    pub last_at: Timestamp,
}

impl Store {
    /// Keeps the explanation behind an id. Repeats keep the time of the first refusal and take the
    /// newest explanation.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_refusal(
        &self,
        id: &BlockId,
        assessment: &Assessment,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let encode = |why| StoreError::Encode {
            table: "refusal",
            why,
        };
        let assessment = serde_json::to_string(assessment).map_err(encode)?;
        let decision = serde_json::to_string(decision).map_err(encode)?;
        sqlx::query(
            "INSERT INTO refusal (block_id, assessment, decision, first_at_ms, last_at_ms) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (block_id) DO UPDATE SET assessment = excluded.assessment, \
             decision = excluded.decision, last_at_ms = excluded.last_at_ms",
        )
        .bind(id.as_str())
        .bind(assessment)
        .bind(decision)
        .bind(now.as_millisecond())
        .bind(now.as_millisecond())
        .execute(&self.inner.database.write)
        .await
        .map(drop)
        .map_err(StoreError::query("refusal", "keep an explanation"))
    }

    /// The explanation behind an id; absent if this store never refused under it.
    ///
    /// # Errors
    /// When the database cannot be read, or the explanation was written in a form that this weir
    /// does not understand.
    pub async fn refusal(&self, id: &str) -> Result<Option<StoredRefusal>, StoreError> {
        let row = sqlx::query(
            "SELECT assessment, decision, first_at_ms, last_at_ms FROM refusal WHERE block_id = $1",
        )
        .bind(id)
        .fetch_optional(&self.inner.database.read)
        .await
        .map_err(StoreError::query("refusal", "look up an explanation"))?;
        let Some(row) = row else { return Ok(None) };
        let text = |column: usize| -> Result<String, StoreError> {
            row.try_get(column)
                .map_err(StoreError::query("refusal", "read a row"))
        };
        let time = |column: usize| -> Result<Timestamp, StoreError> {
            let at = row
                .try_get(column)
                .map_err(StoreError::query("refusal", "read a row"))?;
            from_millisecond("refusal", at)
        };
        Ok(Some(StoredRefusal {
            assessment: understood(id, &text(0)?)?,
            decision: understood(id, &text(1)?)?,
            first_at: time(2)?,
            last_at: time(3)?,
        }))
    }
}

fn understood<T: serde::de::DeserializeOwned>(id: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Row {
        table: "refusal",
        why: format!("{id}: {error}"),
    })
}
