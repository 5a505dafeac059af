use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use weir_model::{AdvisoryKind, FlawSeverity, Stance, Standing};

use super::*;

mod damaged;
mod feeds;
mod fixing;
mod sources;
use crate::store::tests::{at, open};

fn affected(name: &str, events: Value) -> Value {
    json!({ "package": { "ecosystem": "npm", "name": name }, "ranges": [{ "type": "SEMVER", "events": events }] })
}

fn record(id: &str, affected: Value) -> Value {
    json!({ "id": id, "modified": "2025-01-01T00:00:00Z", "summary": format!("{id} summary"), "affected": [affected] })
}

fn write(folder: &Path, name: &str, record: &Value) {
    std::fs::write(folder.join(name), record.to_string()).unwrap();
}

/// After all that these records say has happened.
fn now() -> jiff::Timestamp {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

/// What a path holds as a part of the feed `test`.
fn part(path: &Path) -> Import {
    Import {
        whole: false,
        ..Import::new("test", path, now())
    }
}

async fn import(store: &Store, path: &Path) -> ImportReport {
    store.import_osv(&part(path), |_| ()).await.unwrap()
}

fn ids(advisories: &Advisories, name: &str, version: &str) -> Vec<String> {
    advisories
        .matching(name, version)
        .unwrap()
        .into_iter()
        .map(|advisory| advisory.id)
        .collect()
}

/// Imports records and asks which versions of `a` are affected.
async fn affects(records: &[Value], versions: &[&str]) -> Vec<bool> {
    let (folder, store) = open().await;
    let from = folder.path().join("osv");
    std::fs::create_dir(&from).unwrap();
    for (number, record) in records.iter().enumerate() {
        write(&from, &format!("{number}.json"), record);
    }
    let report = import(&store, &from).await;
    assert_eq!(report.skipped, []);
    let advisories = Advisories::load(&store).await.unwrap();
    versions
        .iter()
        .map(|version| !advisories.matching("a", version).unwrap().is_empty())
        .collect()
}

#[tokio::test]
async fn ranges_are_judged_as_the_schema_says() {
    let table: &[(Value, &[(&str, bool)])] = &[
        (
            json!([{"introduced": "0"}]),
            &[("0.0.0-0", true), ("1.0.0", true), ("99.0.0-x+y", true)],
        ),
        (
            json!([{"introduced": "0"}, {"fixed": "1.2.0"}]),
            &[
                ("0.0.1", true),
                ("1.2.0-rc.1", true),
                ("1.2.0", false),
                ("1.10.0", false),
            ],
        ),
        (
            json!([{"introduced": "1.0.0"}, {"last_affected": "1.2.0"}]),
            &[
                ("1.0.0-rc.1", false),
                ("1.0.0", true),
                ("1.2.0", true),
                ("1.2.1-0", false),
            ],
        ),
        // Out of order, two stretches.
        (
            json!([{"fixed": "2.3.0"}, {"introduced": "2.0.0"}, {"introduced": "1.0.0"}, {"fixed": "1.5.0"}]),
            &[
                ("0.9.0", false),
                ("1.4.9", true),
                ("1.5.0", false),
                ("2.0.0", true),
                ("2.3.0", false),
            ],
        ),
        (
            json!([{"introduced": "0"}, {"limit": "2.0.0"}]),
            &[("1.9.9", true), ("2.0.0", false)],
        ),
        (
            json!([{"introduced": "0"}, {"limit": "*"}]),
            &[("2.0.0", true)],
        ),
        (
            json!([{"introduced": "1.0.0-beta.2"}, {"fixed": "1.0.0-beta.11"}]),
            &[
                ("1.0.0-beta.1", false),
                ("1.0.0-beta.10", true),
                ("1.0.0-beta.11", false),
            ],
        ),
    ];
    for (events, cases) in table {
        let versions: Vec<&str> = cases.iter().map(|(version, _)| *version).collect();
        let expected: Vec<bool> = cases.iter().map(|(_, expected)| *expected).collect();
        let found = affects(&[record("X-1", affected("a", events.clone()))], &versions).await;
        assert_eq!(found, expected, "{events} on {versions:?}");
    }
}

#[tokio::test]
async fn listed_versions_count_and_other_ecosystems_do_not() {
    let listed =
        json!({ "package": { "ecosystem": "npm", "name": "a" }, "versions": ["1.0.0", "1.0.2"] });
    let found = affects(
        &[record("X-1", listed)],
        &["1.0.0", "v1.0.0", "1.0.1", "1.0.2+build"],
    )
    .await;
    assert_eq!(found, [true, true, false, true]);
    let other = json!({ "package": { "ecosystem": "PyPI", "name": "a" }, "versions": ["1.0.0"] });
    assert_eq!(affects(&[record("X-1", other)], &["1.0.0"]).await, [false]);
    let mixed = json!({
        "package": { "ecosystem": "npm", "name": "a" },
        "ranges": [{ "type": "GIT", "repo": "x", "events": [{ "introduced": "0" }] },
                   { "type": "ECOSYSTEM", "events": [{ "introduced": "3.0.0" }] }],
        "versions": ["1.0.0"],
    });
    let found = affects(&[record("X-1", mixed)], &["1.0.0", "2.0.0", "3.0.0"]).await;
    assert_eq!(found, [true, false, true]);
}

/// A version that npm cannot read is still caught when everything is affected.
#[tokio::test]
async fn an_unreadable_version_is_affected_where_all_are() {
    let all = record("X-1", affected("a", json!([{"introduced": "0"}])));
    assert_eq!(affects(&[all], &["not a version"]).await, [true]);
    let some = record(
        "X-1",
        affected("a", json!([{"introduced": "0"}, {"fixed": "9.0.0"}])),
    );
    assert_eq!(affects(&[some], &["not a version"]).await, [false]);
}

#[tokio::test]
async fn malware_is_told_from_flaws() {
    let everything = || affected("a", json!([{"introduced": "0"}]));
    let with = |id: &str, key: &str, value: Value| {
        let mut record = record(id, everything());
        record["database_specific"] = json!({ key: value });
        record
    };
    let mut inner = record("GHSA-6", everything());
    inner["affected"][0]["database_specific"] = json!({ "cwes": [{ "cweId": "CWE-506" }] });
    let records = [
        record("MAL-2025-1", everything()),
        record("GHSA-1", everything()),
        with(
            "GHSA-2",
            "malicious-packages-origins",
            json!([{ "source": "x" }]),
        ),
        with("GHSA-3", "cwe_ids", json!(["CWE-79", "CWE-506"])),
        with("GHSA-4", "keywords", json!(["Malware"])),
        with("GHSA-5", "cwe_ids", json!(["CWE-79"])),
        inner,
    ];
    let (folder, store) = open().await;
    let from = folder.path().join("osv");
    std::fs::create_dir(&from).unwrap();
    for record in &records {
        write(
            &from,
            &format!("{}.json", record["id"].as_str().unwrap()),
            record,
        );
    }
    let report = import(&store, &from).await;
    assert_eq!(
        (
            report.read,
            report.npm,
            report.malware,
            report.vulnerabilities
        ),
        (7, 7, 5, 2)
    );
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(advisories.len(), 7);
    let flaws: Vec<String> = advisories
        .matching("a", "1.0.0")
        .unwrap()
        .into_iter()
        .filter(|advisory| advisory.kind == AdvisoryKind::Vulnerability)
        .map(|advisory| advisory.id)
        .collect();
    assert_eq!(flaws, ["GHSA-1", "GHSA-5"]);
}

#[tokio::test]
async fn a_second_import_takes_what_is_newer_and_forgets_what_was_withdrawn() {
    let (folder, store) = open().await;
    let from = folder.path().join("osv");
    std::fs::create_dir(&from).unwrap();
    let mut first = record("X-1", affected("a", json!([{"introduced": "0"}])));
    first["aliases"] = json!(["CVE-1"]);
    write(&from, "x.json", &first);
    assert_eq!(import(&store, &from).await.changed, 1);
    let advisories = Advisories::load(&store).await.unwrap();
    let found = advisories.matching("a", "1.0.0").unwrap();
    assert_eq!(found[0].aliases, ["CVE-1"]);
    assert_eq!(found[0].summary, "X-1 summary");
    let generation = advisories.generation();
    assert!(generation > 0);

    // The same again: nothing changes.
    assert_eq!(import(&store, &from).await.changed, 0);
    assert_eq!(store.advisories_generation().await.unwrap(), generation);

    // Older: not taken.
    let mut older = record("X-1", affected("b", json!([{"introduced": "0"}])));
    older["modified"] = json!("2024-01-01T00:00:00Z");
    write(&from, "x.json", &older);
    assert_eq!(import(&store, &from).await.changed, 0);

    // Newer: taken.
    let mut newer = record(
        "X-1",
        affected("a", json!([{"introduced": "0"}, {"fixed": "1.0.0"}])),
    );
    newer["modified"] = json!("2026-01-01T00:00:00.123456Z");
    write(&from, "x.json", &newer);
    assert_eq!(import(&store, &from).await.changed, 1);
    let advisories = Advisories::load(&store).await.unwrap();
    assert!(advisories.generation() > generation);
    assert_eq!(ids(&advisories, "a", "1.0.0"), Vec::<String>::new());
    assert_eq!(ids(&advisories, "a", "0.9.0"), ["X-1"]);

    // Withdrawn: gone from memory, and an older file does not bring it back.
    newer["withdrawn"] = json!("2026-02-01T00:00:00Z");
    newer["modified"] = json!("2026-02-01T00:00:00Z");
    write(&from, "x.json", &newer);
    let report = import(&store, &from).await;
    assert_eq!((report.changed, report.withdrawn), (1, 1));
    write(&from, "x.json", &first);
    import(&store, &from).await;
    assert!(Advisories::load(&store).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_record_that_no_longer_concerns_npm_goes() {
    let (folder, store) = open().await;
    let from = folder.path().join("osv");
    std::fs::create_dir(&from).unwrap();
    write(
        &from,
        "x.json",
        &record("X-1", affected("a", json!([{"introduced": "0"}]))),
    );
    import(&store, &from).await;
    write(
        &from,
        "x.json",
        &json!({ "id": "X-1", "modified": "2026-01-01T00:00:00Z", "affected": [] }),
    );
    assert_eq!(import(&store, &from).await.changed, 1);
    assert!(Advisories::load(&store).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_used_is_named_with_the_reason() {
    let (folder, store) = open().await;
    let from = folder.path().join("osv");
    std::fs::create_dir_all(from.join("deep")).unwrap();
    std::fs::write(from.join("readme.md"), "not a record").unwrap();
    std::fs::write(from.join("cut.json"), "{\"id\":").unwrap();
    std::fs::write(from.join("deep").join("list.json"), "[]").unwrap();
    write(
        &from,
        "good.json",
        &record("X-1", affected("a", json!([{"introduced": "0"}]))),
    );
    write(
        &from,
        "empty.json",
        &record(
            "X-2",
            json!({ "package": { "ecosystem": "npm", "name": "b" } }),
        ),
    );
    write(
        &from,
        "odd.json",
        &record("X-3", affected("c", json!([{"introduced": "one"}]))),
    );
    // One part is odd, the other still counts.
    let mut half = record("X-4", affected("d", json!([{"introduced": "one"}])));
    half["affected"][0]["versions"] = json!(["1.0.0"]);
    write(&from, "half.json", &half);
    // Values nobody has heard of do not matter.
    let mut future = record("X-5", affected("e", json!([{"introduced": "0"}])));
    future["severity"] = json!([{ "type": "CVSS_V9", "score": "x" }]);
    future["references"] = json!([{ "type": "HOLOGRAM", "url": "x" }]);
    write(&from, "future.json", &future);
    // What might be taken back is in force until that is said.
    let mut maybe = record("X-6", affected("f", json!([{"introduced": "0"}])));
    maybe["withdrawn"] = json!("soon");
    write(&from, "maybe.json", &maybe);

    let report = import(&store, &from).await;
    let mut skipped: Vec<&str> = report
        .skipped
        .iter()
        .map(|(file, _)| file.as_str())
        .collect();
    skipped.sort_unstable();
    let deep = Path::new("deep").join("list.json").display().to_string();
    assert_eq!(
        skipped,
        [
            "cut.json",
            &deep,
            "empty.json",
            "half.json",
            "maybe.json",
            "odd.json"
        ]
    );
    assert_eq!((report.read, report.npm, report.ignored), (6, 6, 1));
    let reason = |file: &str| {
        report
            .skipped
            .iter()
            .find(|(found, _)| found == file)
            .map(|(_, why)| why.as_str())
            .unwrap()
    };
    assert_eq!(
        reason("odd.json"),
        "affected[0].ranges[0].events[0].introduced: \"one\" is no version"
    );
    assert_eq!(
        reason("empty.json"),
        "affected[0]: names no versions and no ranges over versions"
    );
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "d", "1.0.0"), ["X-4"]);
    assert_eq!(ids(&advisories, "e", "1.0.0"), ["X-5"]);
    assert_eq!(ids(&advisories, "f", "1.0.0"), ["X-6"]);
    // What cannot be read is not lost: it may affect any version, and says so.
    for (name, version) in [("b", "1.0.0"), ("c", "7.0.0"), ("d", "2.0.0")] {
        assert_eq!(ids(&advisories, name, version), Vec::<String>::new());
        let about = advisories.about(name).unwrap();
        assert_eq!(about.standing(version), Standing::Unclear, "{name}");
        let told = about.told(version);
        assert_eq!((told.len(), told[0].certain), (1, false), "{name}");
        assert_eq!(told[0].vulnerable, "*");
    }
}

fn archive(path: &Path, entries: &[(&str, String)]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, text) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

#[tokio::test]
async fn archives_are_read_within_limits() {
    let (folder, store) = open().await;
    let path = folder.path().join("all.zip");
    let good = record("X-1", affected("a", json!([{"introduced": "0"}]))).to_string();
    let large = format!("{}{good}", " ".repeat(100_000));
    archive(
        &path,
        &[
            ("a.json", good),
            ("b.json", large),
            ("c.txt", String::new()),
        ],
    );
    let limits = ImportLimits {
        file_bytes: 10_000,
        ..ImportLimits::default()
    };
    let mut seen = Vec::new();
    let within = |limits: &ImportLimits| Import {
        limits: limits.clone(),
        ..part(&path)
    };
    let report = store
        .import_osv(&within(&limits), |progress| seen.push(progress))
        .await
        .unwrap();
    assert_eq!((report.read, report.ignored), (1, 1));
    assert_eq!(
        report.skipped,
        [("b.json".to_owned(), "larger than 10000 bytes".to_owned())]
    );
    assert_eq!(seen.last(), Some(&Progress { done: 3, total: 3 }));

    let few = ImportLimits {
        files: 2,
        ..ImportLimits::default()
    };
    let error = store.import_osv(&within(&few), |_| ()).await.unwrap_err();
    assert!(matches!(error, StoreError::Import { .. }), "{error}");
    let little = ImportLimits {
        total_bytes: 50_000,
        ..ImportLimits::default()
    };
    let error = store
        .import_osv(&within(&little), |_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Import { .. }), "{error}");
    std::fs::write(&path, "PK, but no archive").unwrap();
    let error = store.import_osv(&part(&path), |_| ()).await.unwrap_err();
    assert!(matches!(error, StoreError::Import { .. }), "{error}");
}
