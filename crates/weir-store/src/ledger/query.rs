//! Reading the ledger.

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use weir_model::ledger::LedgerEvent;
use weir_model::{Action, LedgerEntry};

use super::Ledger;
use crate::StoreError;
use crate::first_seen::from_millisecond;

/// Which entries are wanted. All conditions that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The package, by its exact name.
    pub package: Option<String>,
    /// The version, exactly.
    pub version: Option<String>,
    /// The bytes, by the exact integrity text.
    pub integrity: Option<String>,
    /// What happened.
    pub event: Option<LedgerEvent>,
    /// The decision in force.
    pub action: Option<Action>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Text that the client's description contains.
    pub client: Option<String>,
    /// The refusal's id.
    pub block_id: Option<String>,
    /// At most this many entries: the newest ones. Zero gives none.
    pub limit: Option<u64>,
}

/// Entries read at once when streaming. Between pages no lock and no snapshot is held.
const PAGE: i64 = 1000;

impl Ledger {
    /// The entries wanted, newest last. For long answers prefer [`Self::stream`].
    ///
    /// # Errors
    /// When the database cannot be read or holds an entry that this weir does not understand.
    pub async fn entries(&self, filter: &Filter) -> Result<Vec<LedgerEntry>, StoreError> {
        let Some(limit) = filter.limit else {
            return self.stream(filter).try_collect().await;
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.rows(filter, Page::Newest(limit)).await?;
        rows.iter().rev().map(entry_of).collect()
    }

    /// Whether the release behind a refusal's id was served all the same, and never refused: so observe mode has it.
    ///
    /// # Errors
    /// When the database cannot be read or holds an entry that this weir does not understand.
    pub async fn only_observed(&self, block_id: &str) -> Result<bool, StoreError> {
        let one = |event| Filter {
            event: Some(event),
            block_id: Some(block_id.to_owned()),
            limit: Some(1),
            ..Filter::default()
        };
        let refused = self.entries(&one(LedgerEvent::Refused)).await?;
        Ok(refused.is_empty() && !self.entries(&one(LedgerEvent::Served)).await?.is_empty())
    }

    /// The entries wanted, newest last, read in pages. With a limit, the newest that many.
    pub fn stream<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> impl Stream<Item = Result<LedgerEntry, StoreError>> + Send + 'a {
        let pages = stream::try_unfold(None::<i64>, move |position| async move {
            let after = match (position, filter.limit) {
                (Some(i64::MAX), _) => return Ok(None),
                (Some(after), _) => after,
                (None, None) => 0,
                (None, Some(limit)) => self.before_newest(filter, limit).await?,
            };
            let rows = self.rows(filter, Page::After(after)).await?;
            let Some(last) = rows.last() else {
                return Ok(None);
            };
            let next = if i64::try_from(rows.len()).is_ok_and(|count| count < PAGE) {
                i64::MAX
            } else {
                last.try_get(0)
                    .map_err(StoreError::query("ledger", "read a row"))?
            };
            Ok::<_, StoreError>(Some((rows, Some(next))))
        });
        pages
            .map_ok(|rows| stream::iter(rows).map(|row| entry_of(&row)))
            .try_flatten()
    }

    /// The number after which the newest `limit` entries lie.
    async fn before_newest(&self, filter: &Filter, limit: u64) -> Result<i64, StoreError> {
        let Some(before) = limit.checked_sub(1) else {
            return Ok(i64::MAX);
        };
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        match self.rows(filter, Page::OneBefore(before)).await?.first() {
            // Fewer than wanted: all of them.
            None => Ok(0),
            Some(row) => {
                let first: i64 = row
                    .try_get(0)
                    .map_err(StoreError::query("ledger", "read a row"))?;
                Ok(first.saturating_sub(1))
            }
        }
    }

    async fn rows(&self, filter: &Filter, page: Page) -> Result<Vec<AnyRow>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.text("name =", filter.package.as_deref());
        conditions.text("version =", filter.version.as_deref());
        conditions.text("integrity =", filter.integrity.as_deref());
        conditions.text("event =", filter.event.map(LedgerEvent::as_str));
        conditions.text("action =", filter.action.map(Action::as_str));
        conditions.text("block_id =", filter.block_id.as_deref());
        conditions.number("at_ms >=", filter.since.map(Timestamp::as_millisecond));
        conditions.number("at_ms <", filter.until.map(Timestamp::as_millisecond));
        if let Some(client) = &filter.client {
            conditions.contains("client", client);
        }
        let (order, limit, offset) = match page {
            Page::Newest(limit) => ("DESC", limit, 0),
            Page::OneBefore(offset) => ("DESC", 1, offset),
            Page::After(seq) => {
                conditions.number("seq >", Some(seq));
                ("ASC", PAGE, 0)
            }
        };
        let sql = format!(
            "SELECT seq, at_ms, event, name, version, integrity, client, action, block_id, note \
             FROM ledger{} ORDER BY seq {order} LIMIT {limit} OFFSET {offset}",
            conditions.sql
        );
        // The text holds column names and numbers of ours; every value is bound.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in conditions.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        query
            .fetch_all(&self.database.read)
            .await
            .map_err(StoreError::query("ledger", "read entries"))
    }
}

/// Which rows of those that match.
enum Page {
    /// The last so many, newest first.
    Newest(i64),
    /// The single one that has so many newer ones.
    OneBefore(i64),
    /// A page of those after this number, oldest first.
    After(i64),
}

enum Value {
    Text(String),
    Number(i64),
}

/// A `WHERE` clause under construction.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, left: &str, value: Value, right: &str) {
        self.values.push(value);
        let word = if self.values.len() == 1 {
            "WHERE"
        } else {
            "AND"
        };
        self.sql
            .push_str(&format!(" {word} {left} ${}{right}", self.values.len()));
    }

    fn text(&mut self, left: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(left, Value::Text(value.to_owned()), "");
        }
    }

    fn number(&mut self, left: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.add(left, Value::Number(value), "");
        }
    }

    fn contains(&mut self, column: &str, part: &str) {
        let escaped = part
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        self.add(
            &format!("{column} LIKE"),
            Value::Text(format!("%{escaped}%")),
            " ESCAPE '\\'",
        );
    }
}

fn entry_of(row: &AnyRow) -> Result<LedgerEntry, StoreError> {
    let field = || StoreError::query("ledger", "read a row");
    let text = |column: usize| row.try_get::<String, _>(column).map_err(field());
    let optional = |column: usize| row.try_get::<Option<String>, _>(column).map_err(field());
    let odd = |why: String| StoreError::Row {
        table: "ledger",
        why,
    };
    Ok(LedgerEntry {
        time: from_millisecond("ledger", row.try_get(1).map_err(field())?)?,
        event: text(2)?.parse().map_err(odd)?,
        name: text(3)?,
        version: text(4)?,
        integrity: optional(5)?,
        client: text(6)?,
        action: text(7)?.parse().map_err(odd)?,
        block_id: optional(8)?,
        note: optional(9)?,
    })
}
