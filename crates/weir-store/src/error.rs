//! What can go wrong in the store, by situation.

use std::path::{Path, PathBuf};

/// Why the store could not do what was asked. Nothing here comes from package authors: what is
/// merely damaged or outdated is treated as absent, with a warning.
///
/// Each says its cause in its own words and has no `source` beside that: it is printed alone as often as
/// with what is behind it, and the cause has to be told once in both.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder of the data folder could not be used.
    #[error("cannot {doing} {}: {why}", path.display())]
    File {
        /// What was being done: `create`, `read`, `write`, `lock`, ….
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        why: std::io::Error,
    },
    /// The path cannot be handed to the database.
    #[error("the data folder's path {} is not valid Unicode, which the database needs", path.display())]
    Path {
        /// The folder.
        path: PathBuf,
    },
    /// The database file could not be opened.
    #[error("cannot open the database {}: {why}", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// The database's answer.
        why: sqlx::Error,
    },
    /// The database file holds something else, or is damaged.
    #[error(
        "the database {file} is damaged or is none ({why}): put back a copy of it, or move it away together with \
         {file}-wal and {file}-shm, and weir begins anew without what was in it",
        file = path.display()
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// The database's answer.
        why: sqlx::Error,
    },
    /// The database could not be brought to the present form.
    #[error("cannot bring the database {} to form {step}: {why}", path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// The step that failed.
        step: i64,
        /// The database's answer.
        why: sqlx::Error,
    },
    /// The database was written by a newer weir.
    #[error(
        "the database {} is of form {found}, and this weir knows forms up to {known}: use the newer weir",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The form found.
        found: i64,
        /// The newest form known.
        known: i64,
    },
    /// A statement failed.
    #[error("table {table}: cannot {doing}: {why}")]
    Query {
        /// The table concerned.
        table: &'static str,
        /// What was being done.
        doing: &'static str,
        /// The database's answer.
        why: sqlx::Error,
    },
    /// A row holds what weir never writes.
    #[error("table {table}: a row cannot be understood: {why}")]
    Row {
        /// The table concerned.
        table: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A value could not be put into the form in which it is kept.
    #[error("table {table}: a value cannot be written as JSON: {why}")]
    Encode {
        /// The table concerned.
        table: &'static str,
        /// The encoder's answer.
        why: serde_json::Error,
    },
    /// Bytes do not have the digest that was promised for them.
    #[error("integrity mismatch: expected {expected}, got {actual}")]
    Integrity {
        /// What was promised.
        expected: String,
        /// The digest of what came, in the same algorithm.
        actual: String,
    },
    /// Advisories could not be imported at all.
    #[error("cannot import advisories from {}: {why}", path.display())]
    Import {
        /// The folder or archive.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A source holds so much less than before that taking it over would silence most of a feed.
    #[error(
        "the feed {feed} has {known} records, and its source now holds {found} of them: nothing was \
         removed. If that is right, import it with --allow-removals"
    )]
    Shrunk {
        /// The feed.
        feed: String,
        /// Records kept of it.
        known: usize,
        /// Those of them that the source still holds.
        found: usize,
    },
    /// The index of advisories cannot be used.
    #[error("the index of advisories {} cannot be used: {why}; remove the file, and it is made anew", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The store was closed, or its ledger writer died.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Makes a [`StoreError::File`] out of what the system answered.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |why| Self::File { doing, path, why }
    }

    /// Makes the error of a database file that cannot be opened: what a person does about one that is damaged
    /// is not what is done about the others.
    pub(crate) fn opening(path: &Path, why: sqlx::Error) -> Self {
        let path = path.to_owned();
        // SQLITE_CORRUPT is 11 and SQLITE_NOTADB is 26.
        match code_of(&why) {
            Some(11 | 26) => Self::Damaged { path, why },
            _ => Self::Open { path, why },
        }
    }

    /// Makes a [`StoreError::Query`] out of what the database answered.
    pub(crate) fn query(
        table: &'static str,
        doing: &'static str,
    ) -> impl FnOnce(sqlx::Error) -> Self {
        move |why| Self::Query { table, doing, why }
    }

    /// Whether the same call may succeed a little later: another process held the database for
    /// longer than the store is willing to wait.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        let (Self::Open { why, .. } | Self::Migrate { why, .. } | Self::Query { why, .. }) = self
        else {
            return false;
        };
        // SQLITE_BUSY is 5 and SQLITE_LOCKED is 6.
        matches!(why, sqlx::Error::PoolTimedOut) || matches!(code_of(why), Some(5 | 6))
    }
}

/// SQLite's code for what went wrong: extended codes keep the plain one in the low byte.
fn code_of(why: &sqlx::Error) -> Option<i64> {
    let sqlx::Error::Database(answer) = why else {
        return None;
    };
    let code: i64 = answer.code()?.parse().ok()?;
    Some(code & 0xff)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let io = || std::io::Error::other("the disk is gone");
        let broken = || serde_json::from_str::<bool>("x").unwrap_err();
        let json = broken();
        for (error, said) in [
            (
                StoreError::file("read", "a.db")(io()),
                "cannot read a.db: the disk is gone".to_owned(),
            ),
            (
                StoreError::query("ledger", "count")(sqlx::Error::RowNotFound),
                format!("table ledger: cannot count: {}", sqlx::Error::RowNotFound),
            ),
            (
                StoreError::Encode {
                    table: "ledger",
                    why: broken(),
                },
                format!("table ledger: a value cannot be written as JSON: {json}"),
            ),
        ] {
            assert_eq!(error.to_string(), said);
            assert!(error.source().is_none(), "{said}");
        }
    }
}
