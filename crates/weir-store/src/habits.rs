//! Habits: what releases teach, and what that comes to. A release teaches once, after it has settled and
//! unless it was refused, and what it taught can be taken back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{Any, Row, Transaction};
use weir_model::habits::By;
use weir_model::{Habits, Lesson};

use crate::{Advisories, Store, StoreError};

/// Whether a release has taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LessonState {
    /// Not yet: it is young.
    Pending,
    /// It has.
    Taught,
    /// It never does: it was refused, or nobody could judge it.
    Refused,
}

impl LessonState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Taught => "taught",
            Self::Refused => "refused",
        }
    }

    fn of(text: &str) -> Result<Self, StoreError> {
        [Self::Pending, Self::Taught, Self::Refused]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| StoreError::Row {
                table: "lesson",
                why: format!("{text:?} is no state"),
            })
    }
}

/// A release that teaches, or will, or never does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLesson {
    /// The package.
    pub name: String,
    /// What there is to learn.
    pub lesson: Lesson,
    /// Whether it was learned.
    pub state: LessonState,
}

/// Whom a release of a package tells about: the package, its scope, and the account that published it.
#[must_use]
pub fn owners(name: &str, lesson: &Lesson) -> Vec<String> {
    let mut owners = vec![name.to_owned()];
    let scope = name.split_once('/').map(|(scope, _)| scope);
    owners.extend(scope.filter(|it| it.starts_with('@')).map(str::to_owned));
    // All workflows of a host are one publisher, which tells nothing about any of them.
    let account = lesson.by.as_ref().filter(|by| matches!(by, By::Account(_)));
    owners.extend(account.map(By::label));
    owners
}

impl Store {
    /// Has releases teach, unless they were refused. Returns how many did for the first time.
    ///
    /// # Errors
    /// When the database cannot be read or written, or a row cannot be understood.
    pub async fn teach(&self, lessons: &[(String, Lesson)]) -> Result<usize, StoreError> {
        let mut transaction = self.inner.database.begin("lesson").await?;
        let mut learned = Vec::new();
        for (name, lesson) in lessons {
            let known = state_of(&mut transaction, name, &lesson.version).await?;
            if matches!(known, None | Some(LessonState::Pending)) {
                write(&mut transaction, name, lesson, LessonState::Taught).await?;
                learned.push((name.as_str(), lesson));
            }
        }
        apply(&mut transaction, &learned, Habits::learn).await?;
        commit(transaction).await?;
        Ok(learned.len())
    }

    /// Marks a release as refused: it never teaches, and what it taught is taken back. Returns whether it
    /// had.
    ///
    /// # Errors
    /// When the database cannot be read or written, or a row cannot be understood.
    pub async fn refuse_lesson(&self, name: &str, lesson: &Lesson) -> Result<bool, StoreError> {
        let mut transaction = self.inner.database.begin("lesson").await?;
        let known = kept(&mut transaction, name, &lesson.version).await?;
        let state = known.as_ref().map(|kept| kept.state);
        if state != Some(LessonState::Refused) {
            write(&mut transaction, name, lesson, LessonState::Refused).await?;
        }
        // What is taken back is what was learned, which may be told otherwise by now.
        let taught = known.filter(|kept| kept.state == LessonState::Taught);
        if let Some(kept) = &taught {
            apply(&mut transaction, &[(name, &kept.lesson)], Habits::unlearn).await?;
        }
        commit(transaction).await?;
        Ok(taught.is_some())
    }

    /// Notes releases that may teach once they have settled, of any packages. Those that had been refused
    /// may again, with what is told of them now: a registry may have put other bytes in the place of those
    /// that were refused. What has taught stays as it is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_lessons(&self, lessons: &[(String, Lesson)]) -> Result<(), StoreError> {
        let mut transaction = self.inner.database.begin("lesson").await?;
        for (name, lesson) in lessons {
            sqlx::query(
                "INSERT INTO lesson (name, version, published_ms, state, record) \
                 VALUES ($1, $2, $3, 'pending', $4) ON CONFLICT (name, version) DO UPDATE SET \
                 published_ms = excluded.published_ms, state = 'pending', record = excluded.record \
                 WHERE lesson.state <> 'taught'",
            )
            .bind(name)
            .bind(&lesson.version)
            .bind(lesson.published.as_millisecond())
            .bind(encoded("lesson", lesson)?)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::query("lesson", "note a release"))?;
        }
        commit(transaction).await
    }

    /// Notes a release that nobody could judge: it does not teach until it is noted as one that may. What is
    /// known of it already stays as it is, as it may have been judged before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn withhold_lesson(&self, name: &str, lesson: &Lesson) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO lesson (name, version, published_ms, state, record) \
             VALUES ($1, $2, $3, 'refused', $4) ON CONFLICT (name, version) DO NOTHING",
        )
        .bind(name)
        .bind(&lesson.version)
        .bind(lesson.published.as_millisecond())
        .bind(encoded("lesson", lesson)?)
        .execute(&self.inner.database.write)
        .await
        .map(drop)
        .map_err(StoreError::query("lesson", "withhold a lesson"))
    }

    /// The releases that have not taught yet and came out at or before `until`, oldest first, at most `limit`.
    /// One that cannot be read is let go and told of in the log: it has taught nothing yet, it would be in the
    /// way of the others for ever, and is noted again when its release is decided on again.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn ripe_lessons(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<KeptLesson>, StoreError> {
        let mut ripe = Vec::new();
        // Those let go are made up for, so that nothing at all means that nothing is left.
        while ripe.is_empty() {
            let rows = sqlx::query(
                "SELECT name, version, record FROM lesson WHERE state = 'pending' \
                 AND published_ms <= $1 ORDER BY published_ms, name, version LIMIT $2",
            )
            .bind(until.as_millisecond())
            .bind(i64::from(limit))
            .fetch_all(&self.inner.database.read)
            .await
            .map_err(StoreError::query("lesson", "list lessons"))?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (name, version, record) = three(row, "lesson")?;
                match lesson_on(&version, &record) {
                    Ok(lesson) => ripe.push(KeptLesson {
                        name,
                        lesson,
                        state: LessonState::Pending,
                    }),
                    Err(error) => {
                        tracing::warn!(package.name = %name, package.version = %version, %error,
                            "what a release teaches cannot be read; it teaches nothing");
                        self.let_go(&name, &version).await?;
                    }
                }
            }
        }
        Ok(ripe)
    }

    /// How many releases that tell about an owner have not taught yet.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn lessons_waiting(&self, owner: &str) -> Result<usize, StoreError> {
        let all = self.ripe_lessons(Timestamp::MAX, u32::MAX).await?;
        let theirs = |kept: &&KeptLesson| {
            let owners = owners(&kept.name, &kept.lesson);
            owners.iter().any(|other| other == owner)
        };
        Ok(all.iter().filter(theirs).count())
    }

    /// Forgets a release that has not taught.
    async fn let_go(&self, name: &str, version: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM lesson WHERE name = $1 AND version = $2 AND state = 'pending'")
            .bind(name)
            .bind(version)
            .execute(&self.inner.database.write)
            .await
            .map(drop)
            .map_err(StoreError::query("lesson", "let a lesson go"))
    }

    /// Takes back what releases taught that advisories call malware by now. Returns how many had.
    ///
    /// # Errors
    /// When the database cannot be read or written, or a row cannot be understood.
    pub async fn unlearn_malware(&self, advisories: &Advisories) -> Result<usize, StoreError> {
        let mut taken = 0;
        for name in self.taught_packages().await? {
            let about = advisories.about(&name)?;
            if about.is_empty() {
                continue;
            }
            let versions = self.taught_versions(&name).await?;
            let bad: Vec<&str> = versions
                .iter()
                .map(String::as_str)
                .filter(|version| about.is_malware(version))
                .collect();
            taken += self.refuse_lessons(&name, &bad).await?;
        }
        Ok(taken)
    }

    /// Marks versions of a package as refused: they never teach, and what they taught is taken back.
    /// Versions that are not known are left out. Returns how many had taught.
    ///
    /// # Errors
    /// When the database cannot be read or written, or a row cannot be understood.
    pub async fn refuse_lessons(&self, name: &str, versions: &[&str]) -> Result<usize, StoreError> {
        let mut transaction = self.inner.database.begin("lesson").await?;
        let mut taught = Vec::new();
        for version in versions {
            let kept = kept(&mut transaction, name, version).await?;
            let Some(kept) = kept.filter(|kept| kept.state != LessonState::Refused) else {
                continue;
            };
            write(&mut transaction, name, &kept.lesson, LessonState::Refused).await?;
            if kept.state == LessonState::Taught {
                taught.push(kept.lesson);
            }
        }
        let taken: Vec<(&str, &Lesson)> = taught.iter().map(|lesson| (name, lesson)).collect();
        apply(&mut transaction, &taken, Habits::unlearn).await?;
        commit(transaction).await?;
        Ok(taught.len())
    }

    /// The versions of a package that have taught.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn taught_versions(&self, name: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query("SELECT version FROM lesson WHERE name = $1 AND state = 'taught'")
            .bind(name)
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            .map_err(StoreError::query("lesson", "list versions"))
    }

    /// The versions of a package that were refused and never teach.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn refused_lessons(&self, name: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query("SELECT version FROM lesson WHERE name = $1 AND state = 'refused'")
            .bind(name)
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            .map_err(StoreError::query("lesson", "list versions"))
    }

    /// The packages with a release that has taught.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn taught_packages(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query("SELECT DISTINCT name FROM lesson WHERE state = 'taught' ORDER BY name")
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            .map_err(StoreError::query("lesson", "list packages"))
    }

    /// What is usual for an owner, by package; empty where nothing is known.
    ///
    /// # Errors
    /// When the database cannot be read, or a row cannot be understood.
    pub async fn habits(&self, owner: &str) -> Result<BTreeMap<String, Habits>, StoreError> {
        let rows = sqlx::query("SELECT name, record FROM habit WHERE owner = $1")
            .bind(owner)
            .fetch_all(&self.inner.database.read)
            .await
            .map_err(StoreError::query("habit", "look up habits"))?;
        rows.iter()
            .map(|row| {
                let (name, record) = texts(row, "habit")?;
                Ok((name, understood("habit", &record)?))
            })
            .collect()
    }

    /// Every owner of whom something is known.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn habit_owners(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query("SELECT DISTINCT owner FROM habit")
            .fetch_all(&self.inner.database.read)
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
            .map_err(StoreError::query("habit", "list owners"))
    }
}

/// Counts what packages taught whose habits were forgotten, from their lessons. One that cannot be read is left
/// out and told of in the log.
pub(crate) async fn count_anew(
    transaction: &mut Transaction<'static, Any>,
) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "SELECT name, version, record FROM lesson WHERE state = 'taught' \
         AND name NOT IN (SELECT name FROM habit)",
    )
    .fetch_all(&mut **transaction)
    .await
    .map_err(StoreError::query("lesson", "list lessons"))?;
    let mut lessons: Vec<(String, Lesson)> = Vec::with_capacity(rows.len());
    for row in &rows {
        let (name, version, record) = three(row, "lesson")?;
        match lesson_on(&version, &record) {
            Ok(lesson) => lessons.push((name, lesson)),
            Err(error) => {
                tracing::warn!(package.name = %name, package.version = %version, %error,
                    "what a release taught cannot be read; it does not count any more");
            }
        }
    }
    let counted: Vec<(&str, &Lesson)> = lessons
        .iter()
        .map(|(name, lesson)| (name.as_str(), lesson))
        .collect();
    apply(transaction, &counted, Habits::learn).await
}

async fn state_of(
    transaction: &mut Transaction<'static, Any>,
    name: &str,
    version: &str,
) -> Result<Option<LessonState>, StoreError> {
    let row = sqlx::query("SELECT state FROM lesson WHERE name = $1 AND version = $2")
        .bind(name)
        .bind(version)
        .fetch_optional(&mut **transaction)
        .await
        .and_then(|row| row.map(|row| row.try_get::<String, _>(0)).transpose())
        .map_err(StoreError::query("lesson", "look up a lesson"))?;
    row.map(|text| LessonState::of(&text)).transpose()
}

async fn kept(
    transaction: &mut Transaction<'static, Any>,
    name: &str,
    version: &str,
) -> Result<Option<KeptLesson>, StoreError> {
    let row =
        sqlx::query("SELECT name, state, record FROM lesson WHERE name = $1 AND version = $2")
            .bind(name)
            .bind(version)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(StoreError::query("lesson", "look up a lesson"))?;
    row.as_ref().map(read).transpose()
}

async fn write(
    transaction: &mut Transaction<'static, Any>,
    name: &str,
    lesson: &Lesson,
    state: LessonState,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lesson (name, version, published_ms, state, record) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name, version) DO UPDATE SET \
         published_ms = excluded.published_ms, state = excluded.state, record = excluded.record",
    )
    .bind(name)
    .bind(&lesson.version)
    .bind(lesson.published.as_millisecond())
    .bind(state.as_str())
    .bind(encoded("lesson", lesson)?)
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(StoreError::query("lesson", "keep a lesson"))
}

/// Changes what is usual for every owner that these releases tell about.
async fn apply(
    transaction: &mut Transaction<'static, Any>,
    lessons: &[(&str, &Lesson)],
    change: fn(&mut Habits, &Lesson),
) -> Result<(), StoreError> {
    let mut by_owner: BTreeMap<(String, &str), Vec<&Lesson>> = BTreeMap::new();
    for (name, lesson) in lessons.iter().copied() {
        for owner in owners(name, lesson) {
            by_owner.entry((owner, name)).or_default().push(lesson);
        }
    }
    for ((owner, name), lessons) in by_owner {
        let row = sqlx::query("SELECT record FROM habit WHERE owner = $1 AND name = $2")
            .bind(&owner)
            .bind(name)
            .fetch_optional(&mut **transaction)
            .await
            .and_then(|row| row.map(|row| row.try_get::<String, _>(0)).transpose())
            .map_err(StoreError::query("habit", "look up habits"))?;
        let mut habits: Habits = match row {
            Some(record) => understood("habit", &record)?,
            None => Habits::default(),
        };
        for lesson in lessons {
            change(&mut habits, lesson);
        }
        let statement = if habits.releases == 0 {
            sqlx::query("DELETE FROM habit WHERE owner = $1 AND name = $2")
                .bind(owner)
                .bind(name.to_owned())
        } else {
            sqlx::query(
                "INSERT INTO habit (owner, name, record) VALUES ($1, $2, $3) \
                 ON CONFLICT (owner, name) DO UPDATE SET record = excluded.record",
            )
            .bind(owner)
            .bind(name.to_owned())
            .bind(encoded("habit", &habits)?)
        };
        statement
            .execute(&mut **transaction)
            .await
            .map_err(StoreError::query("habit", "keep habits"))?;
    }
    Ok(())
}

async fn commit(transaction: Transaction<'static, Any>) -> Result<(), StoreError> {
    transaction
        .commit()
        .await
        .map_err(StoreError::query("lesson", "commit"))
}

fn read(row: &sqlx::any::AnyRow) -> Result<KeptLesson, StoreError> {
    let (name, state) = texts(row, "lesson")?;
    let record: String = row
        .try_get(2)
        .map_err(StoreError::query("lesson", "read a row"))?;
    Ok(KeptLesson {
        name,
        lesson: understood("lesson", &record)?,
        state: LessonState::of(&state)?,
    })
}

/// The first two columns.
fn texts(row: &sqlx::any::AnyRow, table: &'static str) -> Result<(String, String), StoreError> {
    row.try_get(0)
        .and_then(|first| Ok((first, row.try_get(1)?)))
        .map_err(StoreError::query(table, "read a row"))
}

/// The first three columns.
fn three(
    row: &sqlx::any::AnyRow,
    table: &'static str,
) -> Result<(String, String, String), StoreError> {
    let (first, second) = texts(row, table)?;
    let third = row
        .try_get(2)
        .map_err(StoreError::query(table, "read a row"))?;
    Ok((first, second, third))
}

/// What was noted of a version: a record about another one would never be found under it again.
fn lesson_on(version: &str, record: &str) -> Result<Lesson, StoreError> {
    let lesson: Lesson = understood("lesson", record)?;
    match lesson.version == version {
        true => Ok(lesson),
        false => Err(StoreError::Row {
            table: "lesson",
            why: format!("it is about {:?}", lesson.version),
        }),
    }
}

fn encoded<T: serde::Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|why| StoreError::Encode { table, why })
}

fn understood<T: serde::de::DeserializeOwned>(
    table: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Row {
        table,
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
