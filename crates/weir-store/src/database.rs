//! Opening the database, bringing it to the present form, and the two pools.

use std::path::Path;
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor, Row};
use weir_model::ordinary::what_else;

use crate::StoreError;
use crate::habits::count_anew;

/// One step from one form of the database to the next. Steps are never changed once shipped.
struct Step {
    number: i64,
    sql: &'static str,
    sqlite: &'static str,
}

/// All steps, in order.
const STEPS: &[Step] = &[
    Step {
        number: 1,
        sql: include_str!("../../../migrations/0001_init.sql"),
        sqlite: include_str!("../../../migrations/0001_init.sqlite.sql"),
    },
    Step {
        number: 2,
        sql: include_str!("../../../migrations/0002_verdicts.sql"),
        sqlite: "",
    },
    Step {
        number: 3,
        sql: include_str!("../../../migrations/0003_alike.sql"),
        sqlite: "",
    },
    Step {
        number: 4,
        sql: include_str!("../../../migrations/0004_trust.sql"),
        sqlite: "",
    },
    Step {
        number: 5,
        sql: include_str!("../../../migrations/0005_habits.sql"),
        sqlite: "",
    },
    Step {
        number: 6,
        sql: include_str!("../../../migrations/0006_names.sql"),
        sqlite: "",
    },
    Step {
        number: 7,
        sql: include_str!("../../../migrations/0007_feeds.sql"),
        sqlite: "",
    },
    Step {
        number: 8,
        sql: "",
        sqlite: include_str!("../../../migrations/0008_accounts.sqlite.sql"),
    },
    Step {
        number: 9,
        sql: include_str!("../../../migrations/0009_copies.sql"),
        sqlite: "",
    },
];

/// The step that forgets habits, which are then counted anew from lessons.
const COUNTED_ANEW: i64 = 8;

/// Pragmas of every connection. The waiting time comes first, so that the others may wait too.
/// WAL lets readers and one writer work side by side; NORMAL keeps every commit through the death
/// of the process (a power cut may lose the last moments, never the consistency); 10 s is longer
/// than any transaction of ours (CRATES section 7).
const PRAGMAS: &str = "PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; \
    PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON";

/// Connections that read. More would only queue at the processor.
const READERS: u32 = 4;

/// The two pools. SQLite takes one writer at a time: writers of this process queue at the pool,
/// which is fair and wakes at once, and only those of other processes meet SQLite's own waiting.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) read: AnyPool,
    pub(crate) write: AnyPool,
}

impl Database {
    /// Opens or creates the database file and brings it to the present form.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url = url_of(path)?;
        probe(&url, path).await?;
        let write = connect(&url, path, 1).await?;
        migrate(&write, path).await?;
        let read = connect(&url, path, READERS).await?;
        Ok(Self { read, write })
    }

    /// A transaction that holds the right to write from its start, so that what it reads stays
    /// true until it commits.
    pub(crate) async fn begin(
        &self,
        table: &'static str,
    ) -> Result<sqlx::Transaction<'static, sqlx::Any>, StoreError> {
        self.write
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::query(table, "begin a transaction"))
    }

    /// Commits something that changes nothing, and that is written all the same: the file's own number, which nobody
    /// reads.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(crate) async fn try_to_write(&self) -> Result<(), StoreError> {
        let failed = |doing| StoreError::query("form", doing);
        let mut transaction = self.begin("form").await?;
        transaction
            .execute("PRAGMA user_version = 0")
            .await
            .map_err(failed("write"))?;
        transaction.commit().await.map_err(failed("commit"))
    }

    /// Closes both pools; the last one to close folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// The database address of a file. Everything but the plainest characters is percent-encoded.
fn url_of(path: &Path) -> Result<String, StoreError> {
    use std::fmt::Write as _;
    let text = path.to_str().ok_or_else(|| StoreError::Path {
        path: path.to_owned(),
    })?;
    let mut url = String::from("sqlite://");
    for byte in text.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                url.push(char::from(byte));
            }
            other => {
                let _ = write!(url, "%{other:02X}");
            }
        }
    }
    url.push_str("?mode=rwc");
    Ok(url)
}

/// Opens the file once and by itself: a pool asks again for half a minute, whatever the answer, and then says
/// only that it waited. Where another process holds it, waiting is right, and the pool's part.
async fn probe(url: &str, path: &Path) -> Result<(), StoreError> {
    let kind = std::fs::metadata(path).map(|found| found.file_type());
    if let Some(what) = kind.ok().and_then(what_else) {
        let why = std::io::Error::other(format!("{what}, not an ordinary file"));
        return Err(StoreError::file("open", path)(why));
    }
    match opened(url)
        .await
        .map_err(|why| StoreError::opening(path, why))
    {
        Err(error) if !error.is_temporary() => Err(error),
        _ => Ok(()),
    }
}

async fn opened(url: &str) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect(url).await?;
    let answer = connection.execute(PRAGMAS).await;
    let closed = connection.close().await;
    answer?;
    closed
}

async fn connect(url: &str, path: &Path, connections: u32) -> Result<AnyPool, StoreError> {
    AnyPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .idle_timeout(None)
        .max_lifetime(None)
        // Local connections do not go away; asking each time costs a thread hop.
        .test_before_acquire(false)
        // A full disk ends a transaction in SQLite, and the rollback that follows fails for want of one: the driver
        // believes for ever after that it is inside, and begins no other. What was rolled back in order is not.
        .before_acquire(|connection, _| {
            let is_usable = !connection.is_in_transaction();
            if !is_usable {
                tracing::info!("opening the database anew: a transaction did not end in order");
            }
            Box::pin(async move { Ok(is_usable) })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(PRAGMAS).await?;
                Ok(())
            })
        })
        .connect(url)
        .await
        .map_err(|why| StoreError::opening(path, why))
}

/// Applies the missing steps, all in one transaction: another process sees either form, whole.
async fn migrate(pool: &AnyPool, path: &Path) -> Result<(), StoreError> {
    let failed = |step: i64| {
        move |why: sqlx::Error| StoreError::Migrate {
            path: path.to_owned(),
            step,
            why,
        }
    };
    let mut transaction = pool
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(failed(0))?;
    transaction
        .execute("CREATE TABLE IF NOT EXISTS form (step BIGINT NOT NULL PRIMARY KEY)")
        .await
        .map_err(failed(0))?;
    let found: i64 = sqlx::query("SELECT COALESCE(MAX(step), 0) FROM form")
        .fetch_one(&mut *transaction)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed(0))?;
    let known = STEPS.last().map_or(0, |step| step.number);
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for step in STEPS.iter().filter(|step| step.number > found) {
        let parts = [step.sql, step.sqlite].into_iter();
        for part in parts.filter(|part| !part.is_empty()) {
            transaction
                .execute(part)
                .await
                .map_err(failed(step.number))?;
        }
        if step.number == COUNTED_ANEW {
            count_anew(&mut transaction).await?;
        }
        sqlx::query("INSERT INTO form (step) VALUES ($1)")
            .bind(step.number)
            .execute(&mut *transaction)
            .await
            .map_err(failed(step.number))?;
    }
    transaction.commit().await.map_err(failed(known))
}

/// The two texts of each row.
///
/// # Errors
/// When a row has others.
pub(crate) fn text_pairs(rows: &[AnyRow]) -> sqlx::Result<Vec<(String, String)>> {
    let pair = |row: &AnyRow| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets the database grow by a few pages only, as on a full disk, or again as far as it likes.
    async fn limit(database: &Database, is_full: bool) {
        let pages: i64 = sqlx::query("PRAGMA page_count")
            .fetch_one(&database.write)
            .await
            .and_then(|row| row.try_get(0))
            .unwrap();
        let most = if is_full {
            pages + 4
        } else {
            i64::from(u32::MAX - 1)
        };
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {most}"));
        sqlx::query(limit).fetch_one(&database.write).await.unwrap();
    }

    async fn note(database: &Database, name: &str, size: usize) -> Result<(), StoreError> {
        let failed = |doing| StoreError::query("first_seen", doing);
        let mut transaction = database.begin("first_seen").await?;
        sqlx::query("INSERT INTO first_seen (name, version, at_ms) VALUES ($1, $2, 0)")
            .bind(name)
            .bind("x".repeat(size))
            .execute(&mut *transaction)
            .await
            .map_err(failed("note"))?;
        transaction.commit().await.map_err(failed("commit"))
    }

    #[tokio::test]
    async fn what_a_full_disk_ended_is_begun_again_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("weir.db"))
            .await
            .unwrap();
        for _ in 0..3 {
            limit(&database, true).await;
            let error = note(&database, "large", 1 << 20).await.unwrap_err();
            assert!(error.to_string().contains("full"), "{error}");
        }
        note(&database, "small", 1).await.unwrap();
        limit(&database, false).await;
        note(&database, "large", 1 << 20).await.unwrap();
        database.try_to_write().await.unwrap();
    }

    /// The near miss: what is rolled back in order costs no connection.
    #[tokio::test]
    async fn a_transaction_that_is_given_up_leaves_its_connection() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("weir.db"))
            .await
            .unwrap();
        let own = "CREATE TEMPORARY TABLE own (it BIGINT)";
        database.write.execute(own).await.unwrap();
        drop(database.begin("form").await.unwrap());
        note(&database, "small", 1).await.unwrap();
        note(&database, "small", 1).await.unwrap_err();
        let insert = "INSERT INTO own (it) VALUES (1)";
        database.write.execute(insert).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_database_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("weir.db");
        std::fs::write(&file, "rubbish ".repeat(2000)).unwrap();
        let inner = folder.path().join("folder.db");
        std::fs::create_dir(&inner).unwrap();
        let started = std::time::Instant::now();
        for (file, said) in [(&file, "put back a copy"), (&inner, "a folder")] {
            let error = Database::open(file).await.unwrap_err();
            assert!(!error.is_temporary());
            let error = error.to_string();
            assert!(error.contains(&file.display().to_string()), "{error}");
            assert!(error.contains(said), "{error}");
        }
        assert!(started.elapsed() < Duration::from_secs(10));
        // What was there is left as it was.
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(kept.starts_with("rubbish"));
    }
}
