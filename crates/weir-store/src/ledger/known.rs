//! Which bytes the ledger knows of a release.

use jiff::Timestamp;
use sqlx::Row;

use super::DECIDER;
use crate::first_seen::from_millisecond;
use crate::{Store, StoreError};

/// Bytes of a release that were decided on or served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBytes {
    /// Their digest.
    pub integrity: String,
    /// When the ledger first has them.
    pub first: Timestamp,
    /// The registry they came from; nothing where the entries do not say.
    pub upstream: Option<String>,
}

impl Store {
    /// The bytes that were decided on or served under this name and version, in the order in which the ledger first
    /// has them: each digest once per registry, and once for the entries that name none. What was refused on
    /// metadata alone is not among them.
    ///
    /// # Errors
    /// When the database cannot be read, or a row cannot be understood.
    pub async fn known_bytes(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Vec<KnownBytes>, StoreError> {
        let failed = |source| StoreError::query("ledger", "look up the bytes of a release")(source);
        // Only weir's own entries say from where bytes came; the remarks of others say other things.
        let rows = sqlx::query(
            "SELECT integrity, origin, MIN(at_ms), MIN(seq) FROM (\
               SELECT integrity, at_ms, seq, \
               CASE WHEN event = 'decided' AND client = $1 THEN note END AS origin FROM ledger \
               WHERE name = $2 AND version = $3 AND event IN ('decided', 'served') \
               AND integrity IS NOT NULL) AS known \
             GROUP BY integrity, origin ORDER BY MIN(seq)",
        )
        .bind(DECIDER)
        .bind(name)
        .bind(version)
        .fetch_all(&self.inner.database.read)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let first = row.try_get(2).map_err(failed)?;
                Ok(KnownBytes {
                    integrity: row.try_get(0).map_err(failed)?,
                    upstream: row.try_get(1).map_err(failed)?,
                    first: from_millisecond("ledger", first)?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use weir_model::LedgerEntry;
    use weir_model::ledger::LedgerEvent;

    use super::*;
    use crate::store::tests::{at, open, served};

    fn decided(integrity: Option<&str>, upstream: Option<&str>, second: i64) -> LedgerEntry {
        LedgerEntry {
            event: LedgerEvent::Decided,
            integrity: integrity.map(str::to_owned),
            client: DECIDER.to_owned(),
            note: upstream.map(str::to_owned),
            ..served("a", second)
        }
    }

    #[tokio::test]
    async fn the_bytes_of_a_release_come_in_the_order_they_were_first_seen() {
        let (_folder, store) = open().await;
        let one = Some("https://one.example.invalid/");
        let by_a_person = LedgerEntry {
            client: "weir inspect".to_owned(),
            ..decided(Some("sha512-x"), Some("a remark"), 3)
        };
        let refused = LedgerEntry {
            event: LedgerEvent::Refused,
            integrity: Some("sha512-refused".to_owned()),
            ..served("a", 0)
        };
        let streamed = LedgerEntry {
            integrity: Some("sha512-x".to_owned()),
            note: Some("upstream".to_owned()),
            ..served("a", 4)
        };
        let other_version = LedgerEntry {
            version: "1.0.1".to_owned(),
            ..decided(Some("sha512-other"), one, 0)
        };
        for entry in [
            refused,
            other_version,
            decided(None, one, 0),
            decided(Some("sha512-y"), one, 2),
            by_a_person,
            streamed,
            decided(Some("sha512-x"), one, 5),
            decided(Some("sha512-y"), one, 6),
        ] {
            store.ledger().append(entry).await.unwrap();
        }
        let known = |integrity: &str, second, upstream: Option<&str>| KnownBytes {
            integrity: integrity.to_owned(),
            first: at(second),
            upstream: upstream.map(str::to_owned),
        };
        assert_eq!(
            store.known_bytes("a", "1.0.0").await.unwrap(),
            [
                known("sha512-y", 2, one),
                known("sha512-x", 3, None),
                known("sha512-x", 5, one),
            ]
        );
        assert_eq!(store.known_bytes("b", "1.0.0").await.unwrap(), []);
    }
}
