//! Which rows may be there, in memory: an install through an empty gateway asks for thousands of rows
//! that are not, and each question to the database costs several changes of threads.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher, Hash, RandomState};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use sqlx::Row;
use weir_model::contents::ANALYSER_VERSION;

use crate::Store;
use crate::database::Database;

/// Most keys kept, 8 bytes each and some air: beyond it the database is asked each time.
const MOST: i64 = 500_000;

/// Keys by their hash. Before they were loaded, and where there are too many, every key may be there.
#[derive(Debug, Default)]
struct Keys {
    hasher: RandomState,
    known: RwLock<Option<HashSet<u64>>>,
}

impl Keys {
    fn may_have(&self, key: impl Hash) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let key = self.hasher.hash_one(key);
        known.as_ref().is_none_or(|known| known.contains(&key))
    }

    fn insert(&self, key: impl Hash) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_mut() {
            known.insert(self.hasher.hash_one(key));
        }
    }

    fn load<K: Hash>(&self, keys: impl Iterator<Item = K>) {
        let hashes = keys.map(|key| self.hasher.hash_one(key)).collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(hashes);
    }
}

/// A row more than allowed does no harm, so a table is counted once in so many additions.
const EVERY: u64 = 256;

/// How a table of bounded size is watched: when it is to be counted, and whether it was full then.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    additions: AtomicU64,
    full: AtomicBool,
}

impl Bound {
    /// Whether it is time to count, with so many additions more: true the first time, and then once in
    /// [`EVERY`].
    pub(crate) fn is_due(&self, more: u64) -> bool {
        let before = self.additions.fetch_add(more, Ordering::Relaxed);
        before == 0 || before / EVERY != before.saturating_add(more) / EVERY
    }

    /// Keeps what the count said until the next one.
    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// Whether the last count found no room.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }
}

/// Who has opened the data folder: its length tells whether anybody came after us.
#[derive(Debug)]
pub(crate) struct Openings {
    file: File,
    own: u64,
}

impl Openings {
    /// Adds this process; alone, it begins anew.
    pub(crate) fn add(path: &Path, alone: bool) -> std::io::Result<Self> {
        let mut file = File::options().append(true).create(true).open(path)?;
        if alone {
            file.set_len(0)?;
        }
        file.write_all(b".")?;
        let own = file.metadata()?.len();
        Ok(Self { file, own })
    }

    /// Whether nobody opened the folder after us, as far as can be told.
    fn nobody_came(&self) -> bool {
        self.file
            .metadata()
            .is_ok_and(|found| found.len() == self.own)
    }
}

/// What is in the database, as long as no other process may add to it.
#[derive(Debug)]
pub(crate) struct Presence {
    openings: Openings,
    verdicts: Keys,
    contents: Keys,
    missed: Keys,
    /// Names that were asked for in vain.
    pub(crate) missed_bound: Bound,
    /// Who depends on what.
    pub(crate) dependent_bound: Bound,
}

impl Presence {
    pub(crate) fn new(openings: Openings) -> Self {
        Self {
            openings,
            verdicts: Keys::default(),
            contents: Keys::default(),
            missed: Keys::default(),
            missed_bound: Bound::default(),
            dependent_bound: Bound::default(),
        }
    }

    /// Reads the keys that are there. Called before anything can be added by this process.
    pub(crate) async fn load(&self, database: &Database) -> Result<(), sqlx::Error> {
        let few = async |table: &str| -> Result<bool, sqlx::Error> {
            let count = format!("SELECT COUNT(*) FROM {table}");
            let row = sqlx::query(sqlx::AssertSqlSafe(count))
                .fetch_one(&database.read)
                .await?;
            Ok(row.try_get::<i64, _>(0)? <= MOST)
        };
        if few("verdict").await? {
            let rows = sqlx::query("SELECT name, version FROM verdict")
                .fetch_all(&database.read)
                .await?;
            let keys = rows.iter().map(|row| {
                Ok::<_, sqlx::Error>((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?))
            });
            let keys = keys.collect::<Result<Vec<_>, _>>()?;
            let keys = keys.iter().map(|(name, version)| (&**name, &**version));
            self.verdicts.load(keys);
        }
        if few("contents").await? {
            let rows = sqlx::query("SELECT integrity FROM contents WHERE analyser = $1")
                .bind(i64::from(ANALYSER_VERSION))
                .fetch_all(&database.read)
                .await?;
            let keys = rows.iter().map(|row| row.try_get::<String, _>(0));
            let keys = keys.collect::<Result<Vec<_>, _>>()?;
            self.contents.load(keys.iter().map(String::as_str));
        }
        if few("missed").await? {
            let rows = sqlx::query("SELECT name FROM missed")
                .fetch_all(&database.read)
                .await?;
            let keys = rows.iter().map(|row| row.try_get::<String, _>(0));
            let keys = keys.collect::<Result<Vec<_>, _>>()?;
            self.missed.load(keys.iter().map(String::as_str));
        }
        Ok(())
    }

    pub(crate) fn verdict_added(&self, name: &str, version: &str) {
        self.verdicts.insert((name, version));
    }

    pub(crate) fn contents_added(&self, integrity: &str) {
        self.contents.insert(integrity);
    }

    pub(crate) fn missed_added(&self, name: &str) {
        self.missed.insert(name);
    }
}

impl Store {
    /// Whether a verdict on this release may be kept. False only where it is known not to be.
    #[must_use]
    pub fn may_have_verdict(&self, name: &str, version: &str) -> bool {
        let presence = &self.inner.presence;
        presence.verdicts.may_have((name, version)) || !presence.openings.nobody_came()
    }

    /// The same for any of these versions of a package, asked at once.
    #[must_use]
    pub fn may_have_verdict_of<'v>(
        &self,
        name: &str,
        mut versions: impl Iterator<Item = &'v str>,
    ) -> bool {
        let presence = &self.inner.presence;
        versions.any(|version| presence.verdicts.may_have((name, version)))
            || !presence.openings.nobody_came()
    }

    /// The same for the contents of a tarball.
    #[must_use]
    pub fn may_have_contents(&self, integrity: &str) -> bool {
        let presence = &self.inner.presence;
        presence.contents.may_have(integrity) || !presence.openings.nobody_came()
    }

    /// The same for a name that was asked for in vain.
    #[must_use]
    pub fn may_have_missed(&self, name: &str) -> bool {
        let presence = &self.inner.presence;
        presence.missed.may_have(name) || !presence.openings.nobody_came()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::open;

    #[tokio::test]
    async fn what_was_kept_may_be_there_and_survives_a_restart() {
        let (_folder, store) = open().await;
        assert!(!store.may_have_verdict("a", "1.0.0"));
        assert!(!store.may_have_contents("sha512-a"));
        store
            .put_verdict("a", "1.0.0", "1", "{}".to_owned())
            .await
            .unwrap();
        let contents = weir_model::Contents::default();
        store.put_contents("sha512-a", &contents).await.unwrap();
        let folder = store.folder().to_owned();
        check(&store);
        store.close().await.unwrap();
        drop(store);
        check(&Store::open(&folder).await.unwrap());
    }

    #[test]
    fn a_table_is_counted_at_first_and_then_once_in_so_many_additions() {
        let bound = Bound::default();
        let due: Vec<u64> = (0..3 * EVERY).filter(|_| bound.is_due(1)).collect();
        assert_eq!(due, [0, EVERY - 1, 2 * EVERY - 1, 3 * EVERY - 1]);
        let bound = Bound::default();
        assert!(bound.is_due(3) && !bound.is_due(EVERY - 4) && bound.is_due(1));
        assert!(bound.is_due(10 * EVERY));
    }

    fn check(store: &Store) {
        assert!(store.may_have_verdict("a", "1.0.0"));
        assert!(!store.may_have_verdict("a", "1.0.1"));
        assert!(store.may_have_verdict_of("a", ["1.0.1", "1.0.0"].into_iter()));
        assert!(!store.may_have_verdict_of("a", ["1.0.1"].into_iter()));
        assert!(store.may_have_contents("sha512-a"));
        assert!(!store.may_have_contents("sha512-b"));
    }

    #[tokio::test]
    async fn where_another_process_may_add_rows_anything_may_be_there() {
        let (_folder, store) = open().await;
        assert!(!store.may_have_verdict("a", "1.0.0"));
        let other = Store::open(store.folder()).await.unwrap();
        for store in [&store, &other] {
            assert!(store.may_have_verdict("a", "1.0.0"));
            assert!(store.may_have_contents("sha512-a"));
        }
    }

    #[test]
    fn anything_may_be_there_before_the_keys_are_loaded() {
        assert!(Keys::default().may_have("a"));
    }
}
