use weir_model::habits::Origin;

use super::*;
use crate::store::tests::{at, open};

fn lesson(version: &str, second: i64, by: &str) -> Lesson {
    Lesson {
        version: version.to_owned(),
        line: 1,
        published: at(second),
        by: Some(By::Account(by.to_owned())),
        origin: Origin::None,
        hooks: false,
        licence: None,
        repository: None,
        dependencies: Vec::new(),
    }
}

async fn releases(store: &Store, owner: &str) -> u32 {
    let habits = store.habits(owner).await.unwrap();
    habits.values().map(|habits| habits.releases).sum()
}

const NAME: &str = "@millpond/sluice";

fn named(lessons: &[Lesson]) -> Vec<(String, Lesson)> {
    let lessons = lessons.iter();
    lessons
        .map(|lesson| (NAME.to_owned(), lesson.clone()))
        .collect()
}

#[tokio::test]
async fn a_release_teaches_once_about_package_scope_and_account() {
    let (_folder, store) = open().await;
    let lessons = named(&[lesson("1.0.0", 0, "Mara"), lesson("1.0.1", 9, "otto")]);
    store.note_lessons(&lessons).await.unwrap();
    assert_eq!(releases(&store, "@millpond").await, 0, "none has taught");
    assert_eq!(store.teach(&lessons).await.unwrap(), 2);
    assert_eq!(store.teach(&lessons).await.unwrap(), 0);
    store.note_lessons(&lessons).await.unwrap();
    for (owner, count) in [(NAME, 2), ("@millpond", 2), ("~Mara", 1), ("~otto", 1)] {
        assert_eq!(releases(&store, owner).await, count, "{owner}");
    }
    let folder = store.folder().to_owned();
    store.close().await.unwrap();
    drop(store);
    let store = Store::open(&folder).await.unwrap();
    assert_eq!(releases(&store, "@millpond").await, 2, "survives a restart");
    assert_eq!(store.habit_owners().await.unwrap().len(), 4);
    assert_eq!(store.taught_packages().await.unwrap(), [NAME]);
    assert_eq!(store.taught_versions(NAME).await.unwrap().len(), 2);
}

#[tokio::test]
async fn refused_releases_never_teach_and_what_they_taught_is_taken_back() {
    let (_folder, store) = open().await;
    let (good, bad) = (lesson("1.0.0", 0, "mara"), lesson("1.0.1", 9, "lena"));
    let both = named(&[good.clone(), bad.clone()]);
    store.note_lessons(&both).await.unwrap();
    assert!(!store.refuse_lesson(NAME, &bad).await.unwrap());
    assert_eq!(
        store
            .refuse_lessons(NAME, &["1.0.1", "9.9.9"])
            .await
            .unwrap(),
        0
    );
    assert_eq!(store.teach(&both).await.unwrap(), 1);
    assert_eq!(releases(&store, "~lena").await, 0);
    assert_eq!(store.refused_lessons(NAME).await.unwrap(), ["1.0.1"]);
    // Forgiven, it teaches; refused once more, that is gone again.
    store.note_lessons(&both).await.unwrap();
    assert_eq!(store.teach(&both).await.unwrap(), 1);
    assert_eq!(releases(&store, "~lena").await, 1);
    let mut told_otherwise = bad.clone();
    told_otherwise.by = None;
    assert!(store.refuse_lesson(NAME, &told_otherwise).await.unwrap());
    assert_eq!(store.refuse_lessons(NAME, &["1.0.1"]).await.unwrap(), 0);
    assert_eq!(releases(&store, "~lena").await, 0);
    let left = store.habits("@millpond").await.unwrap();
    let mut expected = Habits::default();
    expected.learn(&good);
    assert_eq!(left[NAME], expected);
    assert!(
        !store
            .habit_owners()
            .await
            .unwrap()
            .contains(&"~lena".to_owned())
    );
}

#[tokio::test]
async fn lessons_are_ripe_by_state_and_age() {
    let (_folder, store) = open().await;
    for (version, second) in [("1.0.2", 20), ("1.0.0", 0), ("1.0.1", 10)] {
        let lesson = lesson(version, second, "mara");
        store.note_lessons(&named(&[lesson])).await.unwrap();
    }
    let versions = async |until, limit| -> Vec<String> {
        let kept = store.ripe_lessons(at(until), limit).await.unwrap();
        kept.into_iter().map(|kept| kept.lesson.version).collect()
    };
    for (owner, waiting) in [(NAME, 3), ("@millpond", 3), ("~mara", 3), ("~otto", 0)] {
        let found = store.lessons_waiting(owner).await.unwrap();
        assert_eq!(found, waiting, "{owner}");
    }
    assert_eq!(versions(10, 9).await, ["1.0.0", "1.0.1"]);
    assert_eq!(versions(99, 1).await, ["1.0.0"]);
    let first = named(&[lesson("1.0.0", 0, "mara")]);
    assert_eq!(store.teach(&first).await.unwrap(), 1);
    assert_eq!(versions(99, 9).await, ["1.0.1", "1.0.2"]);
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_is_an_error_and_no_empty_habit() {
    let (_folder, store) = open().await;
    sqlx::query("INSERT INTO habit (owner, name, record) VALUES ('@a', '@a/b', '{')")
        .execute(&store.inner.database.write)
        .await
        .unwrap();
    let error = store.habits("@a").await.unwrap_err().to_string();
    assert!(error.contains("habit"), "{error}");
}

#[tokio::test]
async fn an_advisory_takes_back_what_malware_taught() {
    let (folder, store) = open().await;
    for (version, second) in [("1.0.0", 0), ("1.0.1", 9)] {
        let lesson = ("sluice".to_owned(), lesson(version, second, "mara"));
        assert_eq!(store.teach(&[lesson]).await.unwrap(), 1);
    }
    let none = Advisories::load(&store).await.unwrap();
    assert_eq!(store.unlearn_malware(&none).await.unwrap(), 0);
    let record = serde_json::json!({
        "id": "MAL-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "steals",
        "affected": [{
            "package": {"ecosystem": "npm", "name": "sluice"}, "versions": ["1.0.1"],
        }],
    });
    let file = folder.path().join("MAL-2026-1.json");
    std::fs::write(&file, record.to_string()).unwrap();
    let import = crate::advisories::Import {
        whole: false,
        ..crate::advisories::Import::new("one", &file, at(0))
    };
    let imported = store.import_osv(&import, |_| {}).await;
    assert_eq!(imported.unwrap().malware, 1);
    let advisories = Advisories::load(&store).await.unwrap();
    // The import has done it already.
    assert_eq!(store.unlearn_malware(&advisories).await.unwrap(), 0);
    assert_eq!(releases(&store, "sluice").await, 1);
    assert_eq!(store.taught_versions("sluice").await.unwrap(), ["1.0.0"]);
}

/// Until step 8 accounts were counted in lower case.
#[tokio::test]
async fn packages_of_accounts_with_capitals_are_counted_anew_under_their_names() {
    let (_folder, store) = open().await;
    let capital = ("sluice".to_owned(), lesson("1.0.0", 0, "Mara"));
    let lower = ("reed".to_owned(), lesson("1.0.0", 0, "otto"));
    let both = [capital, lower];
    assert_eq!(store.teach(&both).await.unwrap(), 2);
    for sql in [
        "UPDATE habit SET owner = '~mara' WHERE owner = '~Mara'",
        "DELETE FROM form WHERE step >= 8",
        // What a later step adds once.
        "ALTER TABLE bad_content DROP COLUMN since_ms",
    ] {
        let database = &store.inner.database.write;
        sqlx::query(sql).execute(database).await.unwrap();
    }
    let folder = store.folder().to_owned();
    store.close().await.unwrap();
    drop(store);
    let store = Store::open(&folder).await.unwrap();
    // At once: whoever opens the folder decides by it.
    for (owner, count) in [
        ("sluice", 1),
        ("~mara", 0),
        ("~Mara", 1),
        ("reed", 1),
        ("~otto", 1),
    ] {
        assert_eq!(releases(&store, owner).await, count, "{owner}");
    }
    assert_eq!(store.teach(&both).await.unwrap(), 0, "they have taught");
    assert_eq!(releases(&store, "~Mara").await, 1);
}

/// A registry replaces a refused release by a clean one, or the other way round.
#[tokio::test]
async fn what_a_release_teaches_is_what_its_present_bytes_say() {
    let (_folder, store) = open().await;
    let clean = lesson("1.0.0", 9, "mara");
    let bad = Lesson {
        hooks: true,
        dependencies: vec!["tinydep".to_owned()],
        ..lesson("1.0.0", 0, "lena")
    };
    let (clean_named, bad_named) = (
        named(std::slice::from_ref(&clean)),
        named(std::slice::from_ref(&bad)),
    );
    for before in ["refused", "pending"] {
        store.note_lessons(&bad_named).await.unwrap();
        if before == "refused" {
            assert!(!store.refuse_lesson(NAME, &bad).await.unwrap());
        }
        store.note_lessons(&clean_named).await.unwrap();
        let early = store.ripe_lessons(at(5), 9).await.unwrap();
        assert_eq!(early, [], "{before}: its time is told anew too");
        let ripe = store.ripe_lessons(at(9), 9).await.unwrap();
        assert_eq!(ripe.len(), 1, "{before}");
        assert_eq!(ripe[0].lesson, clean, "{before}");
        assert_eq!(store.teach(&clean_named).await.unwrap(), 1);
        assert_eq!(releases(&store, "~lena").await, 0, "{before}");
        // Taught by clean bytes, then refused for others: what is taken back is what was learned.
        store.note_lessons(&bad_named).await.unwrap();
        assert_eq!(releases(&store, "~mara").await, 1, "{before}");
        assert!(store.refuse_lesson(NAME, &bad).await.unwrap());
        assert_eq!(store.habit_owners().await.unwrap(), [] as [String; 0]);
    }
}

#[tokio::test]
async fn what_nobody_could_judge_is_withheld_until_somebody_can() {
    let (_folder, store) = open().await;
    let lessons = named(&[lesson("1.0.0", 0, "mara")]);
    store.withhold_lesson(NAME, &lessons[0].1).await.unwrap();
    assert_eq!(store.teach(&lessons).await.unwrap(), 0);
    assert_eq!(store.refused_lessons(NAME).await.unwrap(), ["1.0.0"]);
    store.note_lessons(&lessons).await.unwrap();
    // What was judged once stays so while a registry does not answer.
    store.withhold_lesson(NAME, &lessons[0].1).await.unwrap();
    assert_eq!(store.teach(&lessons).await.unwrap(), 1);
    store.withhold_lesson(NAME, &lessons[0].1).await.unwrap();
    assert_eq!(releases(&store, "~mara").await, 1);
}

#[tokio::test]
async fn a_lesson_that_cannot_be_read_is_in_nobodys_way() {
    let (_folder, store) = open().await;
    for version in ["0.0.1", "0.0.2"] {
        sqlx::query(
            "INSERT INTO lesson (name, version, published_ms, state, record) \
             VALUES ('a', $1, 0, 'pending', '{')",
        )
        .bind(version)
        .execute(&store.inner.database.write)
        .await
        .unwrap();
    }
    store
        .note_lessons(&named(&[lesson("1.0.0", 9, "mara")]))
        .await
        .unwrap();
    // Fewer at a time than cannot be read.
    let ripe = store.ripe_lessons(at(9), 1).await.unwrap();
    assert_eq!(ripe.len(), 1);
    assert_eq!(ripe[0].lesson.version, "1.0.0");
    store.refuse_lesson(NAME, &ripe[0].lesson).await.unwrap();
    assert_eq!(store.ripe_lessons(at(9), 1).await.unwrap(), []);
}
