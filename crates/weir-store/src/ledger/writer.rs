//! The task that commits ledger entries, in groups.

use sqlx::{Any, QueryBuilder, Row};
use tokio::sync::{mpsc, oneshot};
use weir_model::LedgerEntry;
use weir_model::ledger::LedgerEvent;

use crate::StoreError;
use crate::database::Database;

/// What callers ask of the writer.
#[derive(Debug)]
pub(super) enum Order {
    /// Commit this entry and say so.
    Append(Box<LedgerEntry>, oneshot::Sender<Result<(), StoreError>>),
    /// Say when everything before is through.
    Flush(oneshot::Sender<()>),
    /// The same, and end.
    Close(oneshot::Sender<()>),
}

/// Most entries in one transaction: bounds how long other writers wait (a few milliseconds).
const GROUP: usize = 512;

/// Most rows in one statement. SQLite takes 32,766 values in one, an entry has ten; beyond a hundred
/// rows there is little left to gain.
const ROWS: usize = 128;

/// Runs until told to close or until the last sender is gone.
pub(super) async fn run(database: Database, mut queue: mpsc::Receiver<Order>) {
    let mut orders = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut orders, GROUP).await > 0 {
        let mut group = Vec::with_capacity(orders.len());
        let mut waiting = Vec::new();
        let mut ending = false;
        for order in orders.drain(..) {
            match order {
                Order::Append(entry, done) => group.push((entry, done)),
                Order::Flush(done) => waiting.push(done),
                Order::Close(done) => {
                    waiting.push(done);
                    ending = true;
                }
            }
        }
        commit_and_answer(&database, group).await;
        for done in waiting {
            let _ = done.send(());
        }
        if ending {
            return;
        }
    }
}

type Waiting = (Box<LedgerEntry>, oneshot::Sender<Result<(), StoreError>>);

/// Commits a group. If that fails as a whole, each entry gets a transaction of its own, so that
/// everybody learns the fate of their own entry.
async fn commit_and_answer(database: &Database, group: Vec<Waiting>) {
    if group.is_empty() {
        return;
    }
    match commit(database, group.iter().map(|(entry, _)| entry.as_ref())).await {
        Ok(()) => {
            for (_, done) in group {
                let _ = done.send(Ok(()));
            }
        }
        Err(error) => {
            tracing::warn!(%error, entries = group.len(), "a group of ledger entries did not commit");
            for (entry, done) in group {
                let result = commit(database, std::iter::once(entry.as_ref())).await;
                let _ = done.send(result);
            }
        }
    }
}

/// Writes entries and what follows from them in one transaction.
async fn commit(
    database: &Database,
    entries: impl Iterator<Item = &LedgerEntry>,
) -> Result<(), StoreError> {
    let failed = |doing| StoreError::query("ledger", doing);
    let mut transaction = database.begin("ledger").await?;
    // Inside the transaction nobody else can take the same numbers.
    let mut seq: i64 = sqlx::query("SELECT COALESCE(MAX(seq), 0) FROM ledger")
        .fetch_one(&mut *transaction)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed("find the last entry"))?;
    let entries: Vec<&LedgerEntry> = entries.collect();
    // One statement for many rows: each costs two changes of threads.
    for entries in entries.chunks(ROWS) {
        let mut insert = QueryBuilder::<Any>::new(
            "INSERT INTO ledger \
             (seq, at_ms, event, name, version, integrity, client, action, block_id, note) ",
        );
        insert.push_values(entries, |mut row, entry| {
            seq = seq.saturating_add(1);
            row.push_bind(seq)
                .push_bind(entry.time.as_millisecond())
                .push_bind(entry.event.as_str())
                .push_bind(entry.name.as_str())
                .push_bind(entry.version.as_str())
                .push_bind(entry.integrity.as_deref())
                .push_bind(entry.client.as_str())
                .push_bind(entry.action.as_str())
                .push_bind(entry.block_id.as_deref())
                .push_bind(entry.note.as_deref());
        });
        insert
            .build()
            .execute(&mut *transaction)
            .await
            .map_err(failed("append entries"))?;
    }
    // What only observe mode let through earns nothing.
    let earned: Vec<(&str, i64)> = entries
        .iter()
        .filter(|entry| entry.event == LedgerEvent::Served && entry.action.serves())
        .filter_map(|entry| Some((entry.integrity.as_deref()?, entry.time.as_millisecond())))
        .collect();
    for earned in earned.chunks(ROWS) {
        let mut insert = QueryBuilder::<Any>::new("INSERT INTO served (integrity, first_at_ms) ");
        insert.push_values(earned, |mut row, (integrity, at)| {
            row.push_bind(*integrity).push_bind(*at);
        });
        insert
            .push(
                " ON CONFLICT (integrity) DO UPDATE SET first_at_ms = excluded.first_at_ms \
                 WHERE excluded.first_at_ms < served.first_at_ms",
            )
            .build()
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query("served", "note digests"))?;
    }
    transaction.commit().await.map_err(failed("commit"))
}
