//! What a source may do to a feed: ids that are there twice, nothing at all, withdrawals that are to come.

use super::*;

fn all(id: &str, name: &str, modified: &str) -> Value {
    let mut all = record(id, affected(name, json!([{"introduced": "0"}])));
    all["modified"] = json!(modified);
    all
}

const EARLY: &str = "2025-01-01T00:00:00Z";
const LATE: &str = "2025-06-01T00:00:00Z";

/// Two files with one id: which package is affected afterwards, and which file is named why.
#[tokio::test]
async fn of_one_id_in_two_files_the_newer_record_is_taken_and_the_other_is_named() {
    let old = || all("X-1", "old", EARLY);
    let new = || all("X-1", "new", LATE);
    let as_new = || all("X-1", "other", LATE);
    let mut nothing = all("X-1", "x", LATE);
    nothing["affected"] = json!([]);
    let table = [
        (
            [old(), new()],
            Some("new"),
            Some(("1.json", "X-1 is in 2.json, too, where it is newer")),
        ),
        (
            [new(), old()],
            Some("new"),
            Some(("2.json", "X-1 is in 1.json, too, where it is newer")),
        ),
        (
            [new(), as_new()],
            Some("new"),
            Some((
                "2.json",
                "X-1 is in 1.json, too, where it is equally new, and different",
            )),
        ),
        ([new(), new()], Some("new"), None),
        (
            [old(), nothing],
            None,
            Some(("1.json", "X-1 is in 2.json, too, where it is newer")),
        ),
    ];
    for (records, taken, named) in table {
        let (folder, store) = open().await;
        let from = folder.path().join("osv");
        std::fs::create_dir(&from).unwrap();
        for (number, record) in (1..).zip(&records) {
            write(&from, &format!("{number}.json"), record);
        }
        let import = Import::new("one", &from, at(0));
        for round in ["first", "again"] {
            let report = store.import_osv(&import, |_| ()).await.unwrap();
            assert_eq!(report.read, 2);
            let names = ["old", "new", "other"];
            let advisories = Advisories::load(&store).await.unwrap();
            let affected = names.map(|it| !ids(&advisories, it, "1.0.0").is_empty());
            assert_eq!(affected, names.map(|it| Some(it) == taken), "{round}");
            if round == "again" && taken.is_some() {
                assert_eq!(report.changed, 0, "{named:?}");
            }
            // What is not about npm is not kept, so afterwards there is no other to compare it with.
            if round == "again" && taken.is_none() {
                continue;
            }
            match (report.skipped.as_slice(), named) {
                ([], None) => {}
                ([(file, why)], Some((name, start))) => {
                    assert_eq!(file, name);
                    assert!(why.starts_with(start), "{why}");
                }
                (skipped, _) => panic!("{skipped:?}, not {named:?}"),
            }
        }
    }
}

/// An empty folder, a broken mirror, the wrong archive: none of them says that a feed is empty.
#[tokio::test]
async fn a_source_without_a_record_makes_no_feed_and_wipes_none() {
    let (folder, store) = open().await;
    let from = tempfile::tempdir().unwrap();
    write(from.path(), "X-1.json", &all("X-1", "a", EARLY));
    let good = Import::new("one", from.path(), at(0));
    store.import_osv(&good, |_| ()).await.unwrap();

    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let broken = folder.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("page.json"), "<html>").unwrap();
    std::fs::write(broken.join("readme.md"), "").unwrap();
    let zip = folder.path().join("all.zip");
    archive(&zip, &[("a.txt", String::new()), ("b.txt", String::new())]);
    let single = folder.path().join("X-1.json");
    std::fs::write(&single, "{}").unwrap();
    for (path, why) in [
        (&empty, "it holds no OSV record, and no file at all"),
        (
            &broken,
            "but 1 file that cannot be used (page.json: expected value",
        ),
        (&broken, "and 1 file whose name does not end in .json"),
        (
            &zip,
            "it holds no OSV record, but 2 files whose name does not end in .json",
        ),
        (&single, "id: is missing"),
    ] {
        for feed in ["one", "two"] {
            let import = Import {
                allow_removals: true,
                ..Import::new(feed, path, at(1))
            };
            let error = store.import_osv(&import, |_| ()).await.unwrap_err();
            assert!(matches!(error, StoreError::Import { .. }), "{error}");
            assert!(error.to_string().contains(why), "{error}");
        }
    }
    let feeds = store.advisory_feeds().await.unwrap();
    assert_eq!((feeds.len(), feeds[0].in_force), (1, 1));
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "a", "1.0.0"), ["X-1"]);

    // Records about others are records.
    let others = tempfile::tempdir().unwrap();
    write(
        others.path(),
        "X-2.json",
        &json!({"id": "X-2", "modified": EARLY, "affected": []}),
    );
    let import = Import::new("others", others.path(), at(0));
    let report = store.import_osv(&import, |_| ()).await.unwrap();
    assert_eq!((report.read, report.npm, report.skipped.len()), (1, 0, 0));
    assert_eq!(store.advisory_feeds().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_withdrawal_to_come_counts_once_its_moment_has_passed() {
    let (folder, store) = open().await;
    let path = folder.path().join("X-1.json");
    let mut later = all("X-1", "a", EARLY);
    later["withdrawn"] = json!(LATE);
    std::fs::write(&path, later.to_string()).unwrap();
    let read = async |now: &str| {
        let import = Import {
            etag: Some("tag".to_owned()),
            last_modified: Some("then".to_owned()),
            ..Import::new("one", &path, now.parse().unwrap())
        };
        let report = store.import_osv(&import, |_| ()).await.unwrap();
        let feed = store.advisory_feeds().await.unwrap().remove(0);
        (report, feed)
    };
    let (report, feed) = read("2025-05-31T23:59:59Z").await;
    assert_eq!(
        (report.vulnerabilities, report.withdrawn, report.pending),
        (1, 0, 1)
    );
    assert!(
        report.skipped[0].1.contains("is yet to come"),
        "{:?}",
        report.skipped
    );
    assert_eq!(
        ids(&Advisories::load(&store).await.unwrap(), "a", "1.0.0"),
        ["X-1"]
    );
    // The source is read again even if it says that it has not changed.
    assert_eq!(
        (feed.in_force, feed.etag, feed.last_modified),
        (1, None, None)
    );

    let (report, feed) = read(LATE).await;
    assert_eq!(
        (report.withdrawn, report.pending, report.changed),
        (1, 0, 1)
    );
    assert_eq!(report.skipped, []);
    assert!(Advisories::load(&store).await.unwrap().is_empty());
    assert_eq!(feed.etag.as_deref(), Some("tag"));
}

#[test]
fn a_fingerprint_is_that_of_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        fingerprint(&path).unwrap().unwrap()
    };
    let first = file("a", "one");
    assert_eq!(file("b", "one"), first);
    assert_ne!(file("a", "two"), first);
    assert!(first.ends_with("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"));
    assert_eq!(fingerprint(folder.path()).unwrap(), None);
    assert!(fingerprint(&folder.path().join("nowhere")).is_err());
}

/// What was asked for is held, and a newer state does not see it.
#[tokio::test]
async fn what_is_held_of_a_package_is_of_one_generation() {
    let (folder, store) = open().await;
    let path = folder.path().join("X-1.json");
    std::fs::write(&path, all("X-1", "a", EARLY).to_string()).unwrap();
    import(&store, &path).await;
    let before = Advisories::load(&store).await.unwrap();
    let first = before.about("a").unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &before.about("a").unwrap()));

    let mut withdrawn = all("X-1", "a", LATE);
    withdrawn["withdrawn"] = json!(EARLY);
    std::fs::write(&path, withdrawn.to_string()).unwrap();
    let import = Import {
        whole: false,
        ..Import::new("test", &path, LATE.parse().unwrap())
    };
    store.import_osv(&import, |_| ()).await.unwrap();
    let after = Advisories::load(&store).await.unwrap();
    assert!(after.generation() > before.generation());
    assert_eq!(ids(&after, "a", "1.0.0"), Vec::<String>::new());
    assert_eq!(after.about("a").unwrap().withdrawn().len(), 1);
    // Whoever still works with the earlier state goes on to see that one.
    assert_eq!(ids(&before, "a", "1.0.0"), ["X-1"]);
}

#[tokio::test]
async fn a_record_is_found_by_its_id_and_by_its_aliases() {
    let (folder, store) = open().await;
    let path = folder.path().join("X-1.json");
    let mut odd = all("GHSA-x_1", "a", EARLY);
    odd["aliases"] = json!(["CVE-1", "100%\"!\\"]);
    odd["summary"] = json!("CVE-2");
    std::fs::write(&path, odd.to_string()).unwrap();
    import(&store, &path).await;
    for id in ["GHSA-x_1", "ghsa-X_1", "CVE-1", "100%\"!\\"] {
        assert_eq!(store.packages_of_advisory(id).await.unwrap(), ["a"], "{id}");
    }
    let long = "x".repeat(100_000);
    for id in ["GHSA-xx1", "CVE-2", "CVE", "%", "", long.as_str()] {
        let found = store.packages_of_advisory(id).await.unwrap();
        assert_eq!(found, Vec::<String>::new(), "{id}");
    }
}
