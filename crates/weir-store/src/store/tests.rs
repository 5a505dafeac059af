use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use weir_model::contents::{Contents, Size};
use weir_model::{Action, Assessment, BlockId, Decision, LedgerEntry, ReleaseId};

use super::*;
use crate::Filter;

pub(crate) async fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a folder, 100% ours? #1"))
        .await
        .unwrap();
    (folder, store)
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000 + second).unwrap()
}

pub(crate) fn served(name: &str, second: i64) -> LedgerEntry {
    LedgerEntry {
        time: at(second),
        event: weir_model::ledger::LedgerEvent::Served,
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        integrity: Some(format!("sha512-{name}")),
        client: "127.0.0.1 npm/11".to_owned(),
        action: Action::Allow,
        block_id: None,
        note: None,
    }
}

#[tokio::test]
async fn contents_are_found_again_after_a_restart() {
    let (_folder, store) = open().await;
    let contents = Contents {
        size: Size {
            files: 3,
            bytes: 9,
            javascript_bytes: 2,
        },
        ..Contents::default()
    };
    assert_eq!(store.contents("sha512-a").await.unwrap(), None);
    store.put_contents("sha512-a", &contents).await.unwrap();
    let path = store.folder().to_owned();
    store.close().await.unwrap();
    drop(store);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.contents("sha512-a").await.unwrap(), Some(contents));
    assert_eq!(store.contents("sha512-b").await.unwrap(), None);
}

#[tokio::test]
async fn contents_that_cannot_be_understood_count_as_absent() {
    let (_folder, store) = open().await;
    sqlx::query("INSERT INTO contents (integrity, analyser, json) VALUES ('sha512-a', $1, '{')")
        .bind(i64::from(weir_model::contents::ANALYSER_VERSION))
        .execute(&store.inner.database.write)
        .await
        .unwrap();
    assert_eq!(store.contents("sha512-a").await.unwrap(), None);
}

#[tokio::test]
async fn the_first_sight_of_a_version_is_kept() {
    let (_folder, store) = open().await;
    assert_eq!(store.first_seen("a", "1.0.0", at(1)).await.unwrap(), at(1));
    assert_eq!(store.first_seen("a", "1.0.0", at(2)).await.unwrap(), at(1));
    let times = store
        .first_seen_all("a", &["2.0.0", "1.0.0", "2.0.0"], at(3))
        .await
        .unwrap();
    assert_eq!(times, [at(3), at(1), at(3)]);
    assert_eq!(store.first_seen("b", "1.0.0", at(4)).await.unwrap(), at(4));
    assert!(
        store
            .first_seen_all("a", &[], at(5))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_question_about_the_first_sight_notes_nothing() {
    let (_folder, store) = open().await;
    store.first_seen("a", "1.0.0", at(2)).await.unwrap();
    let asked = store.first_seen_or("a", &["2.0.0", "1.0.0"], at(1)).await;
    assert_eq!(asked.unwrap(), [at(1), at(2)]);
    assert_eq!(store.first_seen("a", "2.0.0", at(3)).await.unwrap(), at(3));
}

#[tokio::test]
async fn a_refusal_keeps_the_time_of_its_first_occurrence() {
    let (_folder, store) = open().await;
    let id = BlockId("w-0123456789".to_owned());
    let release = ReleaseId {
        name: "a".into(),
        version: "1.0.0".into(),
        integrity: None,
    };
    let assessment = Assessment {
        release,
        findings: Vec::new(),
        incomplete: Vec::new(),
    };
    let mut decision = Decision::allow();
    decision.action = Action::Block;
    store
        .put_refusal(&id, &assessment, &decision, at(1))
        .await
        .unwrap();
    decision.reasons.push("again".to_owned());
    store
        .put_refusal(&id, &assessment, &decision, at(2))
        .await
        .unwrap();
    let found = store.refusal(id.as_str()).await.unwrap().unwrap();
    assert_eq!((found.first_at, found.last_at), (at(1), at(2)));
    assert_eq!(found.decision, decision);
    assert_eq!(found.assessment, assessment);
    assert_eq!(store.refusal("w-other").await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_can_be_open_twice() {
    let (_folder, first) = open().await;
    let second = Store::open(first.folder()).await.unwrap();
    let appends = (0..200).map(|number| {
        let store = if number % 2 == 0 {
            first.clone()
        } else {
            second.clone()
        };
        tokio::spawn(async move {
            store.ledger().append(served("a", number)).await.unwrap();
            store
                .first_seen("a", &format!("{number}.0.0"), at(number))
                .await
                .unwrap();
        })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap();
    }
    let filter = Filter::default();
    assert_eq!(first.ledger().entries(&filter).await.unwrap().len(), 200);
    assert_eq!(second.ledger().entries(&filter).await.unwrap().len(), 200);
    // Both allocate numbers; none is given twice and none is left out.
    let highest: i64 = sqlx::Row::get(
        &sqlx::query("SELECT MAX(seq) FROM ledger")
            .fetch_one(&first.inner.database.read)
            .await
            .unwrap(),
        0,
    );
    assert_eq!(highest, 200);
}

#[tokio::test]
async fn many_may_open_a_new_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let openings: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { Store::open(&path).await.map(drop) })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn half_written_files_are_swept_only_when_nobody_else_is_there() {
    let (_folder, store) = open().await;
    let leftovers = [
        store.folder().join("blobs").join("incoming.1-1.part"),
        store
            .folder()
            .join("packuments")
            .join("ab")
            .join("abcd.1-1.part"),
    ];
    std::fs::create_dir_all(leftovers[1].parent().unwrap()).unwrap();
    for leftover in &leftovers {
        std::fs::write(leftover, "half").unwrap();
    }
    let other = Store::open(store.folder()).await.unwrap();
    assert!(leftovers.iter().all(|leftover| leftover.exists()));
    let path = store.folder().to_owned();
    for store in [store, other] {
        store.close().await.unwrap();
    }
    Store::open(&path).await.unwrap();
    assert!(leftovers.iter().all(|leftover| !leftover.exists()));
}

#[tokio::test]
async fn a_database_of_a_newer_weir_is_refused() {
    let (_folder, store) = open().await;
    sqlx::query("INSERT INTO form (step) VALUES (999)")
        .execute(&store.inner.database.write)
        .await
        .unwrap();
    let error = Store::open(store.folder()).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 999, .. }),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_look_inside() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, store) = open().await;
    let mode = std::fs::metadata(store.folder())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0);
}

/// Made by `mkdir`, a volume, or by a CI that restored a cache.
#[cfg(unix)]
#[tokio::test]
async fn what_is_kept_is_the_owners_in_a_folder_that_was_there_before() {
    use std::os::unix::fs::PermissionsExt as _;
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("data");
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::create_dir(&folder).unwrap();
    set(&folder, 0o755);
    for round in 0..2 {
        let store = Store::open(&folder).await.unwrap();
        store.try_to_write().await.unwrap();
        for file in ["weir.db", "weir.db-wal", "weir.db-shm"] {
            assert_eq!(mode(&folder.join(file)), 0o600, "{file} {round}");
        }
        for inner in ["blobs", "packuments"] {
            assert_eq!(mode(&folder.join(inner)), 0o700, "{inner} {round}");
        }
        // It may be there for others, too.
        assert_eq!(mode(&folder), 0o755);
        store.close().await.unwrap();
        set(&folder.join("weir.db"), 0o644);
        set(&folder.join("blobs"), 0o755);
    }
}

/// Clients hang up whenever they like. A write that is given up half-way must not leave a transaction
/// open: that would lock everybody out.
#[tokio::test(flavor = "multi_thread")]
async fn giving_up_on_a_write_locks_nobody_out() {
    let (_folder, store) = open().await;
    let other = Store::open(store.folder()).await.unwrap();
    for round in 0..400_u64 {
        let writer = store.clone();
        let write = tokio::spawn(async move {
            let versions: Vec<String> = (0..5).map(|n| format!("{round}.{n}.0")).collect();
            let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
            let _ = writer.first_seen_all("a", &versions, at(1)).await;
            let _ = writer.ledger().append(served("a", 1)).await;
        });
        tokio::time::sleep(std::time::Duration::from_micros(round * 3)).await;
        write.abort();
        let _ = write.await;
        if round % 20 == 0 {
            other
                .first_seen("b", &format!("{round}.0.0"), at(2))
                .await
                .unwrap();
            store
                .first_seen("c", &format!("{round}.0.0"), at(2))
                .await
                .unwrap();
        }
    }
    store.ledger().append(served("d", 3)).await.unwrap();
    other.ledger().append(served("d", 4)).await.unwrap();
}

/// What was acknowledged survives the sudden death of the process, and the folder opens again.
#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::tests::child_that_appends",
            "--ignored",
            "--nocapture",
        ])
        .env("WEIR_STORE_TEST_FOLDER", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(number) = line.unwrap().strip_prefix("appended ") {
            acknowledged = number.parse::<usize>().unwrap();
        }
        if acknowledged == 500 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged >= 500);
    let store = Store::open(folder.path()).await.unwrap();
    let entries = store.ledger().entries(&Filter::default()).await.unwrap();
    assert!(
        entries.len() >= acknowledged,
        "{} of {acknowledged}",
        entries.len()
    );
    assert!(store.was_served("sha512-a", Timestamp::MAX).await.unwrap());
    assert_eq!(
        std::fs::read_dir(folder.path().join("blobs"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
#[ignore = "run by what_was_acknowledged_survives_a_kill, which kills it"]
async fn child_that_appends() {
    let Ok(folder) = std::env::var("WEIR_STORE_TEST_FOLDER") else {
        return;
    };
    let store = Store::open(Path::new(&folder)).await.unwrap();
    let half = super::part_beside(&store.folder().join("blobs").join("incoming"));
    std::fs::write(half, vec![0; 300_000]).unwrap();
    for number in 1.. {
        store.ledger().append(served("a", number)).await.unwrap();
        println!("appended {number}");
    }
}
