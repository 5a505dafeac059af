//! The append-only record of what was decided and what was served to whom.

mod known;
mod query;
mod writer;

use std::sync::Mutex;

use jiff::Timestamp;
use sqlx::Row;
use tokio::sync::{mpsc, oneshot};
use weir_model::LedgerEntry;

pub use known::KnownBytes;
pub use query::Filter;
use writer::Order;

use crate::database::Database;
use crate::first_seen::from_millisecond;
use crate::{Store, StoreError};

/// The ledger. Entries are committed in groups by a task of its own: many appends at once cost one
/// commit.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) database: Database,
    orders: mpsc::Sender<Order>,
    writer: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// The client of entries that weir makes by itself: those of decisions, whose remark is the registry that was asked.
pub const DECIDER: &str = "weir";

/// Entries that may wait for the writer before appending waits too.
const QUEUE: usize = 4096;

impl Ledger {
    pub(crate) fn start(database: Database) -> Self {
        let (orders, queue) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(writer::run(database.clone(), queue));
        Self {
            database,
            orders,
            writer: Mutex::new(Some(writer)),
        }
    }

    /// Appends an entry; returns once it is committed. An entry whose caller gives up waiting is
    /// committed all the same.
    ///
    /// # Errors
    /// When it could not be committed, or the store was closed.
    pub async fn append(&self, entry: LedgerEntry) -> Result<(), StoreError> {
        let (done, committed) = oneshot::channel();
        let order = Order::Append(Box::new(entry), done);
        self.orders
            .send(order)
            .await
            .map_err(|_| StoreError::Closed)?;
        committed.await.map_err(|_| StoreError::Closed)?
    }

    /// Returns once everything that was appended before is committed or has failed.
    ///
    /// # Errors
    /// When the store was closed.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (done, reached) = oneshot::channel();
        self.orders
            .send(Order::Flush(done))
            .await
            .map_err(|_| StoreError::Closed)?;
        reached.await.map_err(|_| StoreError::Closed)
    }

    /// Flushes, then ends the writer.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        let Some(writer) = writer else { return Ok(()) };
        let (done, reached) = oneshot::channel();
        self.orders
            .send(Order::Close(done))
            .await
            .map_err(|_| StoreError::Closed)?;
        reached.await.map_err(|_| StoreError::Closed)?;
        writer.await.map_err(|_| StoreError::Closed)
    }
}

impl Store {
    /// Whether these bytes were handed to a client from this data folder by a moment. What a clock that ran ahead served
    /// does not count before its time has come.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn was_served(&self, integrity: &str, by: Timestamp) -> Result<bool, StoreError> {
        sqlx::query("SELECT COUNT(*) FROM served WHERE integrity = $1 AND first_at_ms <= $2")
            .bind(integrity)
            .bind(by.as_millisecond())
            .fetch_one(&self.inner.database.read)
            .await
            .and_then(|row| row.try_get::<i64, _>(0))
            .map(|count| count > 0)
            .map_err(StoreError::query("served", "look up a digest"))
    }
}

impl Store {
    /// When the ledger first names a release.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_entry(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> =
            sqlx::query("SELECT MIN(at_ms) FROM ledger WHERE name = $1 AND version = $2")
                .bind(name)
                .bind(version)
                .fetch_one(&self.inner.database.read)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::query("ledger", "look up a release"))?;
        at.map(|at| from_millisecond("ledger", at)).transpose()
    }
}

#[cfg(test)]
mod tests;
