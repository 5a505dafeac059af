//! What this gateway knows of names: which were asked for before they existed, and which are depended
//! on.

use jiff::Timestamp;
use sqlx::Row;

use crate::first_seen::from_millisecond;
use crate::{Store, StoreError, database};

/// Most names kept that were asked for in vain; beyond it the oldest go. Two hundred bytes each.
const MOST_MISSED: i64 = 100_000;

/// Most owners kept per name that is depended on: from three on it makes no difference.
const OWNERS: i64 = 8;

/// Most rows kept about who depends on what; beyond it no more are taken.
const MOST_DEPENDENTS: i64 = 500_000;

impl Store {
    /// Notes that a name was asked for and the upstream has no such package. Only the first time is
    /// kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_missed(
        &self,
        name: &str,
        upstream: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO missed (name, upstream, first_at_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (name, upstream) DO NOTHING",
        )
        .bind(name)
        .bind(upstream)
        .bind(now.as_millisecond())
        .execute(&self.inner.database.write)
        .await
        .map_err(StoreError::query("missed", "note a name"))?;
        self.inner.presence.missed_added(name);
        if self.inner.presence.missed_bound.is_due(1) {
            self.bound_missed(MOST_MISSED).await?;
        }
        Ok(())
    }

    /// Lets go of the oldest names beyond `most`.
    async fn bound_missed(&self, most: i64) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM missed WHERE first_at_ms <= \
             (SELECT first_at_ms FROM missed ORDER BY first_at_ms DESC LIMIT 1 OFFSET $1)",
        )
        .bind(most)
        .execute(&self.inner.database.write)
        .await
        .map(drop)
        .map_err(StoreError::query("missed", "let old names go"))
    }

    /// When a name was first asked for while that upstream had no such package.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn first_missed(
        &self,
        name: &str,
        upstream: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        if !self.may_have_missed(name) {
            return Ok(None);
        }
        let row = sqlx::query("SELECT first_at_ms FROM missed WHERE name = $1 AND upstream = $2")
            .bind(name)
            .bind(upstream)
            .fetch_optional(&self.inner.database.read)
            .await
            .map_err(StoreError::query("missed", "look up a name"))?;
        let Some(row) = row else { return Ok(None) };
        let at: i64 = row
            .try_get(0)
            .map_err(StoreError::query("missed", "read a row"))?;
        from_millisecond("missed", at).map(Some)
    }

    /// Notes that a package of that owner was served and depends on these others.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_dependencies(
        &self,
        dependent: &str,
        owner: &str,
        names: &[&str],
    ) -> Result<(), StoreError> {
        if names.is_empty() || !self.has_room_for(names.len(), MOST_DEPENDENTS).await? {
            return Ok(());
        }
        let mut transaction = self.inner.database.begin("dependent").await?;
        for name in names {
            sqlx::query(
                "INSERT INTO dependent (name, owner, dependent) SELECT $1, $2, $3 \
                 WHERE (SELECT COUNT(*) FROM dependent WHERE name = $4) < $5 \
                 ON CONFLICT (name, owner) DO NOTHING",
            )
            .bind(*name)
            .bind(owner)
            .bind(dependent)
            .bind(*name)
            .bind(OWNERS)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query("dependent", "note a dependency"))?;
        }
        transaction
            .commit()
            .await
            .map_err(StoreError::query("dependent", "commit"))
    }

    /// Whether so many rows more about who depends on what are to be taken, `most` in all.
    async fn has_room_for(&self, names: usize, most: i64) -> Result<bool, StoreError> {
        let bound = &self.inner.presence.dependent_bound;
        if bound.is_due(u64::try_from(names).unwrap_or(u64::MAX)) {
            let rows: i64 = sqlx::query("SELECT COUNT(*) FROM dependent")
                .fetch_one(&self.inner.database.read)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::query("dependent", "count"))?;
            bound.set_full(rows >= most);
        }
        Ok(!bound.is_full())
    }

    /// Packages that were served and depend on one: one for each owner, with that owner.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dependents(&self, name: &str) -> Result<Vec<(String, String)>, StoreError> {
        sqlx::query("SELECT owner, dependent FROM dependent WHERE name = $1 ORDER BY dependent")
            .bind(name)
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| database::text_pairs(&rows))
            .map_err(StoreError::query("dependent", "look up a name"))
    }
}

#[cfg(test)]
mod tests {
    use crate::Store;
    use crate::store::tests::open;

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn the_first_time_a_name_was_missed_stays() {
        let (_folder, store) = open().await;
        let (first, later) = (at("2026-11-01T09:00:00Z"), at("2026-11-09T09:00:00Z"));
        assert_eq!(store.first_missed("made-up", "one").await.unwrap(), None);
        store.note_missed("made-up", "one", first).await.unwrap();
        store.note_missed("made-up", "one", later).await.unwrap();
        let known = async |store: &Store, name: &str, upstream: &str| {
            store.first_missed(name, upstream).await.unwrap()
        };
        assert_eq!(known(&store, "made-up", "one").await, Some(first));
        assert_eq!(known(&store, "made-up", "two").await, None);
        assert_eq!(known(&store, "other", "one").await, None);
        let folder = store.folder().to_owned();
        store.close().await.unwrap();
        drop(store);
        let store = Store::open(&folder).await.unwrap();
        assert_eq!(known(&store, "made-up", "one").await, Some(first));
    }

    #[tokio::test]
    async fn the_oldest_missed_names_go_first() {
        let (_folder, store) = open().await;
        for day in 1..=9 {
            let now = at(&format!("2026-11-0{day}T09:00:00Z"));
            let name = format!("made-up-{day}");
            store.note_missed(&name, "one", now).await.unwrap();
        }
        store.bound_missed(4).await.unwrap();
        for day in 1..=9 {
            let name = format!("made-up-{day}");
            let kept = store.first_missed(&name, "one").await.unwrap().is_some();
            assert_eq!(kept, day > 5, "{name}");
        }
    }

    #[tokio::test]
    async fn each_table_is_counted_for_its_own_additions() {
        let (_folder, store) = open().await;
        let now = at("2026-11-01T09:00:00Z");
        store.note_missed("made-up", "one", now).await.unwrap();
        let names = ["left-lib", "right-lib"];
        store.note_dependencies("a", "mara", &names).await.unwrap();
        // Neither has taken the other's turn: both were counted already, and neither is due again.
        let presence = &store.inner.presence;
        assert!(!presence.missed_bound.is_due(0) && !presence.dependent_bound.is_due(0));
        for _ in 0..300 {
            presence.missed_bound.is_due(1);
        }
        assert!(!presence.dependent_bound.is_due(1));
    }

    #[tokio::test]
    async fn what_is_full_stays_so_until_it_is_counted_again() {
        let (_folder, store) = open().await;
        let names = ["left-lib", "right-lib"];
        store.note_dependencies("a", "mara", &names).await.unwrap();
        assert!(store.has_room_for(1, 2).await.unwrap(), "not due");
        assert!(!store.has_room_for(300, 2).await.unwrap(), "counted: full");
        store.note_dependencies("b", "otto", &names).await.unwrap();
        assert_eq!(store.dependents("left-lib").await.unwrap().len(), 1);
        assert!(store.has_room_for(300, 3).await.unwrap(), "counted: room");
        store.note_dependencies("b", "otto", &names).await.unwrap();
        assert_eq!(store.dependents("left-lib").await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn each_owner_counts_once_and_few_are_kept() {
        let (_folder, store) = open().await;
        for (dependent, owner) in [("b", "mara"), ("a", "@acme"), ("c", "mara")] {
            let names = ["left-lib", "right-lib"];
            store
                .note_dependencies(dependent, owner, &names)
                .await
                .unwrap();
        }
        store.note_dependencies("d", "otto", &[]).await.unwrap();
        let pair = |owner: &str, name: &str| (owner.to_owned(), name.to_owned());
        let found = store.dependents("left-lib").await.unwrap();
        assert_eq!(found, [pair("@acme", "a"), pair("mara", "b")]);
        for number in 0..30 {
            let owner = format!("owner-{number}");
            store
                .note_dependencies("x", &owner, &["left-lib"])
                .await
                .unwrap();
        }
        assert_eq!(store.dependents("left-lib").await.unwrap().len(), 8);
        assert_eq!(store.dependents("right-lib").await.unwrap().len(), 2);
        assert!(store.dependents("none").await.unwrap().is_empty());
    }
}
