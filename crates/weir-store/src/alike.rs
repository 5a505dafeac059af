//! Sketches of what was read, and digests of what was refused, to find copies.

use sqlx::{AssertSqlSafe, Row};

use crate::{Store, StoreError};

/// Values bound per statement. SQLite takes tens of thousands; statements of a hundred are prepared
/// once and used again.
const BOUND: usize = 100;

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
}

impl Store {
    /// Keeps a sketch with its bands; an earlier one of the same package and kind is replaced.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_sketch(&self, sketch: &KeptSketch, bands: &[i64]) -> Result<(), StoreError> {
        let failed = |source| StoreError::query("sketch", "keep a sketch")(source);
        let bad = i64::from(sketch.bad);
        let mut transaction = self.inner.database.begin("sketch").await?;
        sqlx::query("DELETE FROM sketch_band WHERE name = $1 AND bad = $2")
            .bind(&sketch.name)
            .bind(bad)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query(
            "INSERT INTO sketch (name, bad, version, pieces, least, why) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name, bad) DO UPDATE SET \
             version = excluded.version, pieces = excluded.pieces, least = excluded.least, \
             why = excluded.why",
        )
        .bind(&sketch.name)
        .bind(bad)
        .bind(&sketch.version)
        .bind(i64::from(sketch.pieces))
        .bind(&sketch.least)
        .bind(&sketch.why)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        for band in bands {
            sqlx::query(
                "INSERT INTO sketch_band (band, name, bad) VALUES ($1, $2, $3) \
                 ON CONFLICT (band, name, bad) DO NOTHING",
            )
            .bind(band)
            .bind(&sketch.name)
            .bind(bad)
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
            "SELECT s.name, s.version, s.bad, s.pieces, s.least, s.why FROM sketch s JOIN \
             (SELECT name, bad, COUNT(*) AS shared FROM sketch_band WHERE band IN ({}) \
             GROUP BY name, bad ORDER BY shared DESC LIMIT {limit}) n \
             ON s.name = n.name AND s.bad = n.bad ORDER BY n.shared DESC, s.name",
            places(bands.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for band in bands {
            query = query.bind(band);
        }
        query
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| {
                rows.iter()
                    .map(|row| {
                        Ok(KeptSketch {
                            name: row.try_get(0)?,
                            version: row.try_get(1)?,
                            bad: row.try_get::<i64, _>(2)? != 0,
                            pieces: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(0),
                            least: row.try_get(4)?,
                            why: row.try_get(5)?,
                        })
                    })
                    .collect()
            })
            .map_err(StoreError::query("sketch", "find near sketches"))
    }

    /// Keeps what was the reason for a refusal. What is known stays as it was first seen.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_bad_content(&self, bad: &[BadContent]) -> Result<(), StoreError> {
        for one in bad {
            sqlx::query(
                "INSERT INTO bad_content (digest, name, version, path, why) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO NOTHING",
            )
            .bind(&one.digest)
            .bind(&one.name)
            .bind(&one.version)
            .bind(one.path.as_deref())
            .bind(&one.why)
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
        if !self.knows_bad_content().await? {
            return Ok(found);
        }
        for part in digests.chunks(BOUND) {
            let sql = format!(
                "SELECT digest, name, version, path, why FROM bad_content WHERE digest IN ({})",
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
            for row in rows {
                let one = || -> Result<BadContent, sqlx::Error> {
                    Ok(BadContent {
                        digest: row.try_get(0)?,
                        name: row.try_get(1)?,
                        version: row.try_get(2)?,
                        path: row.try_get(3)?,
                        why: row.try_get(4)?,
                    })
                };
                found.push(one().map_err(failed)?);
            }
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
        let rows = sqlx::query(
            "SELECT digest, name, version, path, why FROM bad_content ORDER BY name, version, path, digest",
        )
        .fetch_all(&self.inner.database.read)
        .await
        .map_err(failed)?;
        rows.iter()
            .map(|row| {
                Ok(BadContent {
                    digest: row.try_get(0)?,
                    name: row.try_get(1)?,
                    version: row.try_get(2)?,
                    path: row.try_get(3)?,
                    why: row.try_get(4)?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map_err(failed)
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

    /// The packages that were refused or listed and whose near copies are known: name, and why.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn bad_sketches(&self) -> Result<Vec<(String, String)>, StoreError> {
        let failed = |source| StoreError::query("sketch", "list sketches")(source);
        let rows = sqlx::query("SELECT name, why FROM sketch WHERE bad = 1 ORDER BY name")
            .fetch_all(&self.inner.database.read)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, sqlx::Error>>()
            .map_err(failed)
    }

    /// Forgets digests, and the sketches of packages by their names: all of them or, where that fails, none.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_all_bad(
        &self,
        digests: &[String],
        packages: &[String],
    ) -> Result<(), StoreError> {
        let failed = |source| StoreError::query("bad_content", "forget an import")(source);
        let mut transaction = self.inner.database.write.begin().await.map_err(failed)?;
        for digest in digests {
            sqlx::query("DELETE FROM bad_content WHERE digest = $1")
                .bind(digest)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        for name in packages {
            for sql in [
                "DELETE FROM sketch_band WHERE name = $1 AND bad = 1",
                "DELETE FROM sketch WHERE name = $1 AND bad = 1",
            ] {
                sqlx::query(sql)
                    .bind(name)
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
            }
        }
        transaction.commit().await.map_err(failed)
    }

    /// Forgets the sketch of a package that was refused or listed; says whether there was one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_bad_sketch(&self, name: &str) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM sketch_band WHERE name = $1 AND bad = 1")
            .bind(name)
            .execute(&self.inner.database.write)
            .await
            .map_err(StoreError::query("sketch", "forget a sketch"))?;
        sqlx::query("DELETE FROM sketch WHERE name = $1 AND bad = 1")
            .bind(name)
            .execute(&self.inner.database.write)
            .await
            .map(|done| done.rows_affected() > 0)
            .map_err(StoreError::query("sketch", "forget a sketch"))
    }
}

/// `$1, $2, …` up to a count.
fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests;
