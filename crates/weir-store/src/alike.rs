//! Sketches of what was read, and digests of what was refused, to find copies.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::{Store, StoreError};

/// Values bound per statement. SQLite takes tens of thousands; statements of a hundred are prepared
/// once and used again.
const BOUND: usize = 100;

/// Most sketches of one package among those that are near: else one of many versions would leave no room for others.
const OF_ONE_PACKAGE: u32 = 4;

/// Digits of the least values by which sketches of one version are told apart.
const BEGINNING: usize = 32;

/// The columns of a sketch.
const SKETCH: &str = "s.name, s.version, s.bad, s.pieces, s.least, s.why, s.since_ms";

/// The columns of content.
const CONTENT: &str = "digest, name, version, path, why, since_ms";

/// A sketch that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSketch {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it was refused for what its code does.
    pub bad: bool,
    /// How many pieces of code there are.
    pub pieces: u32,
    /// The least values, as in the contents.
    pub least: String,
    /// Why it was refused; empty for one that was not.
    pub why: String,
    /// When it came out, where that is known. Kept in milliseconds.
    pub since: Option<Timestamp>,
}

impl KeptSketch {
    /// What tells it from others of the same package and kind: of what may pass there is one at a time.
    fn copy(&self) -> String {
        match self.bad {
            true => {
                let beginning = self.least.get(..BEGINNING).unwrap_or(&self.least);
                format!("{} {beginning}", self.version)
            }
            false => String::new(),
        }
    }

    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            name: row.try_get(0)?,
            version: row.try_get(1)?,
            bad: row.try_get::<i64, _>(2)? != 0,
            pieces: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(0),
            least: row.try_get(4)?,
            why: row.try_get(5)?,
            since: since(row, 6)?,
        })
    }
}

/// Content that was the reason for a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadContent {
    /// What names it.
    pub digest: String,
    /// The package it was in.
    pub name: String,
    /// The version.
    pub version: String,
    /// The file; nothing for all code of the release.
    pub path: Option<String>,
    /// Why it was refused.
    pub why: String,
    /// When the release came out that was refused; nothing for what was listed. Kept in milliseconds.
    pub since: Option<Timestamp>,
}

impl BadContent {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            digest: row.try_get(0)?,
            name: row.try_get(1)?,
            version: row.try_get(2)?,
            path: row.try_get(3)?,
            why: row.try_get(4)?,
            since: since(row, 5)?,
        })
    }
}

/// A time that may be absent.
fn since(row: &AnyRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
    let at: Option<i64> = row.try_get(column)?;
    Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
}

impl Store {
    /// Keeps a sketch with its bands. Of a package that may pass it takes the place of the one before; of one that was
    /// refused or listed, only of the same code under the same version.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_sketch(&self, sketch: &KeptSketch, bands: &[i64]) -> Result<(), StoreError> {
        let failed = |source| StoreError::query("sketch", "keep a sketch")(source);
        let (bad, copy) = (i64::from(sketch.bad), sketch.copy());
        let mut transaction = self.inner.database.begin("sketch").await?;
        sqlx::query("DELETE FROM sketch_band WHERE name = $1 AND bad = $2 AND copy = $3")
            .bind(&sketch.name)
            .bind(bad)
            .bind(&copy)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query(
            "INSERT INTO sketch (name, bad, copy, version, pieces, least, why, since_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name, bad, copy) DO UPDATE SET \
             version = excluded.version, pieces = excluded.pieces, least = excluded.least, \
             why = excluded.why, since_ms = excluded.since_ms",
        )
        .bind(&sketch.name)
        .bind(bad)
        .bind(&copy)
        .bind(&sketch.version)
        .bind(i64::from(sketch.pieces))
        .bind(&sketch.least)
        .bind(&sketch.why)
        .bind(sketch.since.map(Timestamp::as_millisecond))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        for band in bands {
            sqlx::query(
                "INSERT INTO sketch_band (band, name, bad, copy) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (band, name, bad, copy) DO NOTHING",
            )
            .bind(band)
            .bind(&sketch.name)
            .bind(bad)
            .bind(&copy)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// The version whose sketch is kept for a package that may pass.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sketched_version(&self, name: &str) -> Result<Option<String>, StoreError> {
        sqlx::query("SELECT version FROM sketch WHERE name = $1 AND bad = 0")
            .bind(name)
            .fetch_optional(&self.inner.database.read)
            .await
            .and_then(|row| row.map(|row| row.try_get(0)).transpose())
            .map_err(StoreError::query("sketch", "look up a sketch"))
    }

    /// Sketches that have a band in common with these, at most `limit`, those with most in common
    /// first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sketches_near(
        &self,
        bands: &[i64],
        limit: u32,
    ) -> Result<Vec<KeptSketch>, StoreError> {
        let bands = bands.get(..BOUND).unwrap_or(bands);
        if bands.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {SKETCH} FROM sketch s JOIN (SELECT name, bad, copy, shared FROM \
             (SELECT name, bad, copy, COUNT(*) AS shared, \
             ROW_NUMBER() OVER (PARTITION BY name, bad ORDER BY COUNT(*) DESC, copy) AS place \
             FROM sketch_band WHERE band IN ({}) GROUP BY name, bad, copy) p \
             WHERE place <= {OF_ONE_PACKAGE} ORDER BY shared DESC LIMIT {limit}) n \
             ON s.name = n.name AND s.bad = n.bad AND s.copy = n.copy \
             ORDER BY n.shared DESC, s.name, s.copy",
            places(bands.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for band in bands {
            query = query.bind(band);
        }
        query
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| rows.iter().map(KeptSketch::from_row).collect())
            .map_err(StoreError::query("sketch", "find near sketches"))
    }

    /// Keeps what was the reason for a refusal. What is known stays as it was first seen; what is listed weighs more
    /// than what was learned here, and takes its place.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_bad_content(&self, bad: &[BadContent]) -> Result<(), StoreError> {
        for one in bad {
            sqlx::query(
                "INSERT INTO bad_content (digest, name, version, path, why, since_ms) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO UPDATE SET \
                 name = excluded.name, version = excluded.version, path = excluded.path, \
                 why = excluded.why, since_ms = excluded.since_ms \
                 WHERE excluded.name = '' AND bad_content.name <> ''",
            )
            .bind(&one.digest)
            .bind(&one.name)
            .bind(&one.version)
            .bind(one.path.as_deref())
            .bind(&one.why)
            .bind(one.since.map(Timestamp::as_millisecond))
            .execute(&self.inner.database.write)
            .await
            .map_err(StoreError::query("bad_content", "keep a digest"))?;
        }
        Ok(())
    }

    /// Whether any content is known to be bad.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn knows_bad_content(&self) -> Result<bool, StoreError> {
        sqlx::query("SELECT 1 FROM bad_content LIMIT 1")
            .fetch_optional(&self.inner.database.read)
            .await
            .map(|any| any.is_some())
            .map_err(StoreError::query("bad_content", "look for digests"))
    }

    /// Which of these digests were the reason for a refusal.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn bad_content(&self, digests: &[&str]) -> Result<Vec<BadContent>, StoreError> {
        let failed = |source| StoreError::query("bad_content", "look up digests")(source);
        let mut found = Vec::new();
        for part in digests.chunks(BOUND) {
            let sql = format!(
                "SELECT {CONTENT} FROM bad_content WHERE digest IN ({})",
                places(part.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for digest in part {
                query = query.bind(*digest);
            }
            let rows = query
                .fetch_all(&self.inner.database.read)
                .await
                .map_err(failed)?;
            let rows = rows.iter().map(BadContent::from_row);
            found.extend(rows.collect::<Result<Vec<_>, _>>().map_err(failed)?);
        }
        Ok(found)
    }
}

impl Store {
    /// Everything that is known to be malicious, by digest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn all_bad_content(&self) -> Result<Vec<BadContent>, StoreError> {
        let failed = |source| StoreError::query("bad_content", "list digests")(source);
        let sql = format!("SELECT {CONTENT} FROM bad_content ORDER BY name, version, path, digest");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&self.inner.database.read)
            .await
            .map_err(failed)?;
        let all = rows.iter().map(BadContent::from_row);
        all.collect::<Result<_, _>>().map_err(failed)
    }

    /// The sketches of everything that was refused or listed, by name and version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn all_bad_sketches(&self) -> Result<Vec<KeptSketch>, StoreError> {
        let failed = |source| StoreError::query("sketch", "list sketches")(source);
        let sql = format!(
            "SELECT {SKETCH} FROM sketch s WHERE s.bad = 1 ORDER BY s.name, s.version, s.copy"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&self.inner.database.read)
            .await
            .map_err(failed)?;
        let all = rows.iter().map(KeptSketch::from_row);
        all.collect::<Result<_, _>>().map_err(failed)
    }

    /// The digests that begin like this.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn bad_digests(&self, beginning: &str) -> Result<Vec<String>, StoreError> {
        let failed = |source| StoreError::query("bad_content", "look for digests")(source);
        let rows = sqlx::query(
            "SELECT digest FROM bad_content WHERE substr(digest, 1, length($1)) = $1 ORDER BY digest",
        )
        .bind(beginning)
        .fetch_all(&self.inner.database.read)
        .await
        .map_err(failed)?;
        let digests = rows.iter().map(|row| row.try_get(0));
        digests.collect::<Result<_, _>>().map_err(failed)
    }

    /// Forgets a digest; says whether it was known.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_bad_content(&self, digest: &str) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM bad_content WHERE digest = $1")
            .bind(digest)
            .execute(&self.inner.database.write)
            .await
            .map(|done| done.rows_affected() > 0)
            .map_err(StoreError::query("bad_content", "forget a digest"))
    }

    /// Forgets digests and sketches: all of them or, where that fails, none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_all_bad(
        &self,
        digests: &[String],
        sketches: &[KeptSketch],
    ) -> Result<(), StoreError> {
        let failed = |source| StoreError::query("bad_content", "forget an import")(source);
        let mut transaction = self.inner.database.begin("bad_content").await?;
        for digest in digests {
            sqlx::query("DELETE FROM bad_content WHERE digest = $1")
                .bind(digest)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        for sketch in sketches {
            for sql in [
                "DELETE FROM sketch_band WHERE name = $1 AND copy = $2 AND bad = 1",
                "DELETE FROM sketch WHERE name = $1 AND copy = $2 AND bad = 1",
            ] {
                sqlx::query(sql)
                    .bind(&sketch.name)
                    .bind(sketch.copy())
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
            }
        }
        transaction.commit().await.map_err(failed)
    }

    /// Forgets the sketches of a package that was refused or listed, by its name, or by name and version with an `@`
    /// between them; says whether there was one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_bad_sketch(&self, what: &str) -> Result<bool, StoreError> {
        let failed = |source| StoreError::query("sketch", "forget a sketch")(source);
        let mut transaction = self.inner.database.begin("sketch").await?;
        sqlx::query(
            "DELETE FROM sketch_band WHERE bad = 1 AND EXISTS (SELECT 1 FROM sketch s WHERE \
             s.bad = 1 AND s.name = sketch_band.name AND s.copy = sketch_band.copy AND \
             (s.name = $1 OR s.name || '@' || s.version = $1))",
        )
        .bind(what)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        let done = sqlx::query(
            "DELETE FROM sketch WHERE bad = 1 AND (name = $1 OR name || '@' || version = $1)",
        )
        .bind(what)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }
}

/// `$1, $2, …` up to a count.
fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests;
