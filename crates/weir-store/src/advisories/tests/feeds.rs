//! Several feeds: what each may take away, who counts, and what all of them together say.

use super::*;

/// Records in a folder of their own, imported as the whole of a feed.
async fn whole(store: &Store, feed: &str, records: &[Value]) -> Result<ImportReport, StoreError> {
    let from = tempfile::tempdir().unwrap();
    for record in records {
        write(
            from.path(),
            &format!("{}.json", record["id"].as_str().unwrap()),
            record,
        );
    }
    std::fs::create_dir(from.path().join(".git")).unwrap();
    write(
        &from.path().join(".git"),
        "not-a-record.json",
        &json!({"id": ""}),
    );
    store
        .import_osv(&Import::new(feed, from.path(), now()), |_| ())
        .await
}

fn all(id: &str, name: &str) -> Value {
    record(id, affected(name, json!([{"introduced": "0"}])))
}

fn below(id: &str, name: &str, fixed: &str) -> Value {
    record(
        id,
        affected(name, json!([{"introduced": "0"}, {"fixed": fixed}])),
    )
}

fn says(told: &weir_model::Told) -> Vec<(&str, Option<&str>, Stance)> {
    let says = told.says.iter();
    says.map(|it| (it.feed.as_str(), it.id.as_deref(), it.says))
        .collect()
}

#[tokio::test]
async fn what_vanished_from_a_whole_feed_stops_to_match() {
    let (_folder, store) = open().await;
    let first = [all("X-1", "a"), all("X-2", "a"), all("X-3", "b")];
    let report = whole(&store, "one", &first).await.unwrap();
    assert_eq!(
        (report.changed, report.removed, report.skipped.len()),
        (3, 0, 0)
    );
    // Another feed is not touched by it.
    whole(&store, "two", &[all("X-2", "a")]).await.unwrap();
    let report = whole(&store, "one", &first[..2]).await.unwrap();
    assert_eq!((report.changed, report.removed), (0, 1));
    let report = whole(&store, "one", &first[..1]).await.unwrap();
    assert_eq!(report.removed, 1);
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "a", "1.0.0"), ["X-1", "X-2"]);
    assert_eq!(ids(&advisories, "b", "1.0.0"), Vec::<String>::new());
    let feeds = store.advisory_feeds().await.unwrap();
    let counts: Vec<(&str, u64)> = feeds
        .iter()
        .map(|it| (it.name.as_str(), it.in_force))
        .collect();
    assert_eq!(counts, [("one", 1), ("two", 1)]);
    assert!(store.remove_advisory_feed("two").await.unwrap());
    assert!(!store.remove_advisory_feed("two").await.unwrap());
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "a", "1.0.0"), ["X-1"]);
}

/// A wrong folder, or a mirror that broke, must not silence a feed.
#[tokio::test]
async fn most_of_a_feed_does_not_vanish_unasked() {
    let (_folder, store) = open().await;
    let records: Vec<Value> = (0..30).map(|it| all(&format!("X-{it}"), "a")).collect();
    whole(&store, "one", &records).await.unwrap();
    for left in [&records[..1], &records[..10]] {
        let error = whole(&store, "one", left).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Shrunk { known: 30, .. }),
            "{error}"
        );
        assert_eq!(Advisories::load(&store).await.unwrap().len(), 30);
    }
    let from = tempfile::tempdir().unwrap();
    write(from.path(), "X-0.json", &records[0]);
    let import = Import {
        allow_removals: true,
        ..Import::new("one", from.path(), at(1))
    };
    assert_eq!(store.import_osv(&import, |_| ()).await.unwrap().removed, 29);
    // A list of one's own is small, and holds back as much.
    for (feed, count, is_believed) in [("four", 4, false), ("three", 3, true)] {
        whole(&store, feed, &records[..count]).await.unwrap();
        let left = whole(&store, feed, &records[..1]).await;
        assert_eq!(left.is_ok(), is_believed, "{feed}");
    }
}

#[tokio::test]
async fn a_record_whose_file_broke_stays_as_it_was() {
    let (_folder, store) = open().await;
    whole(&store, "one", &[all("X-1", "a"), all("X-2", "b")])
        .await
        .unwrap();
    let from = tempfile::tempdir().unwrap();
    write(from.path(), "X-1.json", &all("X-1", "a"));
    std::fs::write(from.path().join("X-2.json"), "{\"id\":").unwrap();
    let import = Import::new("one", from.path(), at(1));
    let report = store.import_osv(&import, |_| ()).await.unwrap();
    assert_eq!((report.removed, report.skipped.len()), (0, 1));
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "b", "1.0.0"), ["X-2"]);
    assert_eq!(store.advisory_feeds().await.unwrap()[0].skipped, 1);
}

#[tokio::test]
async fn of_one_record_in_two_feeds_the_newer_copy_counts() {
    let (_folder, store) = open().await;
    whole(&store, "mirror", &[all("GHSA-1", "a")])
        .await
        .unwrap();
    let mut newer = all("GHSA-1", "a");
    newer["modified"] = json!("2026-01-01T00:00:00Z");
    newer["withdrawn"] = json!("2026-01-01T00:00:00Z");
    whole(&store, "source", &[newer]).await.unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "a", "1.0.0"), Vec::<String>::new());
    assert!(advisories.about("a").unwrap().all().is_empty());
}

#[tokio::test]
async fn databases_that_mean_the_same_flaw_are_one_finding_with_all_voices() {
    let (_folder, store) = open().await;
    let mut ghsa = below("GHSA-1", "a", "1.5.0");
    ghsa["aliases"] = json!(["CVE-2025-1"]);
    ghsa["database_specific"] = json!({"severity": "MODERATE", "cwe_ids": ["CWE-79"]});
    let mut other = below("OTHER-9", "a", "1.4.0");
    other["aliases"] = json!(["CVE-2025-1"]);
    other["severity"] = json!([{
        "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    }]);
    whole(&store, "github", &[ghsa, below("GHSA-2", "a", "1.1.0")])
        .await
        .unwrap();
    whole(&store, "other", &[other]).await.unwrap();
    whole(&store, "third", &[all("X-1", "b")]).await.unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    let about = advisories.about("a").unwrap();

    let told = about.told("1.2.0");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].id, "GHSA-1");
    assert_eq!(told[0].aliases, ["CVE-2025-1", "OTHER-9"]);
    assert_eq!(told[0].severity, Some(FlawSeverity::Critical));
    assert_eq!(told[0].cvss.as_ref().unwrap().score.tenths(), 98);
    assert_eq!(told[0].weaknesses, ["CWE-79"]);
    assert_eq!(told[0].vulnerable, "<1.5.0 || <1.4.0");
    assert_eq!(
        says(&told[0]),
        [
            ("github", Some("GHSA-1"), Stance::Affected),
            ("other", Some("OTHER-9"), Stance::Affected),
            ("third", None, Stance::Silent),
        ]
    );
    // 1.4.0 is a fix to one of them, and no fix as long as the other says otherwise.
    assert_eq!(told[0].fixes, ["1.5.0"]);

    let told = about.told("1.4.2");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].vulnerable, "<1.5.0");
    assert_eq!(
        says(&told[0])[1],
        ("other", Some("OTHER-9"), Stance::NotAffected)
    );
    assert_eq!(about.told("1.0.0").len(), 2);
    assert_eq!(about.standing("1.5.0"), Standing::Clear);
}

#[tokio::test]
async fn malware_in_one_database_is_malware() {
    let (_folder, store) = open().await;
    let mut mal = all("MAL-2025-1", "a");
    mal["aliases"] = json!(["GHSA-1"]);
    whole(&store, "one", &[mal, all("GHSA-1", "a")])
        .await
        .unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    let found = advisories.matching("a", "1.0.0").unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].id.as_str(), found[0].kind),
        ("MAL-2025-1", AdvisoryKind::Malware)
    );
    assert!(advisories.about("a").unwrap().is_malware("1.0.0"));
}

#[tokio::test]
async fn past_the_last_version_known_to_be_affected_is_neither_affected_nor_fixed() {
    let (_folder, store) = open().await;
    let known = |bound: &str| {
        let mut record = all("GHSA-1", "a");
        record["affected"][0]["database_specific"] =
            json!({"last_known_affected_version_range": bound});
        record
    };
    whole(&store, "one", &[known("<= 1.2.3")]).await.unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    let about = advisories.about("a").unwrap();
    let standings = ["1.2.3", "1.2.4"].map(|version| about.standing(version));
    assert_eq!(standings, [Standing::Affected, Standing::Beyond]);
    let told = about.told("1.0.0");
    assert_eq!(told[0].vulnerable, "<=1.2.3");
    assert_eq!(told[0].fixes, Vec::<String>::new());
    assert!(about.told("1.2.4").is_empty());

    let report = whole(&store, "one", &[known("about 1.2")]).await.unwrap();
    assert!(
        report.skipped[0]
            .1
            .contains("last_known_affected_version_range")
    );
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "a", "9.0.0"), ["GHSA-1"]);
}

/// A version is free of a flaw because a record says that it is fixed, or only because it is later.
#[tokio::test]
async fn only_what_records_state_for_all_that_is_affected_is_fixed() {
    let part = |ranges: &[Value], versions: Value| {
        let ranges = ranges.iter();
        let ranges: Vec<Value> = ranges
            .map(|events| json!({"type": "SEMVER", "events": events}))
            .collect();
        json!({
            "package": {"ecosystem": "npm", "name": "a"}, "ranges": ranges, "versions": versions,
        })
    };
    let ranges = |ranges: &[Value]| part(ranges, json!([]));
    let last = json!([{"introduced": "1.0.0"}, {"last_affected": "1.2.3"}]);
    let fixed = json!([{"introduced": "1.0.0"}, {"fixed": "1.3.0"}]);
    let early = json!([{"introduced": "0"}, {"fixed": "1.1.0"}]);
    let limit = json!([{"introduced": "0"}, {"limit": "1.2.0"}]);
    let next = json!([{"introduced": "2.0.0"}, {"last_affected": "2.3.0"}]);
    let both = json!([{"introduced": "1.0.0"}, {"last_affected": "1.2.3"}, {"fixed": "1.3.0"}]);
    let lines = json!([
        {"introduced": "1.0.0"}, {"fixed": "1.3.0"}, {"introduced": "2.0.0"}, {"fixed": "2.1.0"},
    ]);
    let past = |last: &str, record: &str| {
        let (last, record) = (last.to_owned(), record.to_owned());
        Some(NotFixed::PastLast { last, record })
    };
    let one = |part: Value| vec![("X-1", part)];
    let listed = || part(&[], json!(["1.0.0", "1.1.0"]));
    let both_ways = part(std::slice::from_ref(&fixed), json!(["1.0.0", "1.2.9"]));
    let listed_beyond = part(std::slice::from_ref(&fixed), json!(["1.0.0", "1.5.0"]));
    let two = |one: &Value, other: &Value| {
        vec![
            ("X-1", ranges(std::slice::from_ref(one))),
            ("X-2", ranges(std::slice::from_ref(other))),
        ]
    };
    let table = [
        (
            one(ranges(std::slice::from_ref(&last))),
            "1.0.0",
            "1.2.4",
            past("1.2.3", "X-1"),
        ),
        (
            one(ranges(std::slice::from_ref(&fixed))),
            "1.0.0",
            "1.3.0",
            None,
        ),
        // Nothing is told of the locked one.
        (
            one(ranges(std::slice::from_ref(&last))),
            "1.2.4",
            "1.3.0",
            None,
        ),
        (one(listed()), "1.0.0", "1.2.0", past("1.1.0", "X-1")),
        // The list says the same as the range, or more.
        (one(both_ways), "1.0.0", "1.3.0", None),
        (one(listed_beyond), "1.0.0", "1.6.0", past("1.5.0", "X-1")),
        (
            one(ranges(&[limit])),
            "1.0.0",
            "1.2.0",
            Some(NotFixed::PastLimit {
                limit: "1.2.0".to_owned(),
                record: "X-1".to_owned(),
            }),
        ),
        // A fix of one line is none of the next, which lies between.
        (
            one(ranges(&[fixed.clone(), next.clone()])),
            "1.0.0",
            "1.3.0",
            None,
        ),
        (
            one(ranges(&[fixed.clone(), next])),
            "1.0.0",
            "2.4.0",
            past("2.3.0", "X-1"),
        ),
        (
            one(ranges(std::slice::from_ref(&lines))),
            "1.0.0",
            "2.1.0",
            None,
        ),
        (one(ranges(&[lines])), "2.0.0", "2.1.0", None),
        // A fix is stated, only later than right after the last affected version.
        (
            one(ranges(std::slice::from_ref(&both))),
            "1.0.0",
            "1.2.4",
            past("1.2.3", "X-1"),
        ),
        (one(ranges(&[both])), "1.0.0", "1.3.0", None),
        // Two ranges for one stretch.
        (
            one(ranges(&[last.clone(), fixed.clone()])),
            "1.0.0",
            "1.3.0",
            None,
        ),
        (
            one(ranges(std::slice::from_ref(&fixed))),
            "1.0.0",
            "1.2.0",
            Some(NotFixed::Affected {
                record: "X-1".to_owned(),
            }),
        ),
        (
            one(ranges(&[json!([{"introduced": "1.3.0"}])])),
            "1.3.0",
            "1.2.0",
            Some(NotFixed::Lower),
        ),
        // Which stretch it is in nobody knows: each has to be fixed.
        (
            one(ranges(std::slice::from_ref(&fixed))),
            "nope",
            "1.3.0",
            None,
        ),
        (
            one(ranges(std::slice::from_ref(&last))),
            "nope",
            "1.3.0",
            past("1.2.3", "X-1"),
        ),
        // Of two flaws, or two records of one, one has a fix.
        (two(&last, &fixed), "1.0.0", "1.3.0", past("1.2.3", "X-1")),
        (two(&last, &early), "1.0.0", "1.2.4", past("1.2.3", "X-1")),
    ];
    for aliases in [json!([]), json!(["CVE-1"])] {
        for (parts, locked, later, want) in &table {
            let (_folder, store) = open().await;
            let records = parts.iter().map(|(id, part)| {
                let mut record = record(id, part.clone());
                record["aliases"] = aliases.clone();
                record
            });
            let records: Vec<Value> = records.collect();
            whole(&store, "one", &records).await.unwrap();
            let advisories = Advisories::load(&store).await.unwrap();
            let about = advisories.about("a").unwrap();
            let version = weir_npm::version::Version::parse(later).unwrap();
            let found = about.not_fixed(locked, &version);
            assert_eq!(found, *want, "{aliases} {parts:?} {locked} {later}");
            // What is told of it says the same.
            let told = about.told(locked);
            if aliases != json!([]) {
                let named = told.iter().any(|it| it.fixes.iter().any(|it| it == later));
                assert!(!named || want.is_none(), "{parts:?} {locked} {later}");
            }
        }
    }
}

/// A range of fixed versions holds none that is affected again.
#[tokio::test]
async fn fixed_versions_are_said_up_to_where_something_is_affected_again() {
    for (events, locked, patched) in [
        (
            json!([{"introduced": "0"}, {"fixed": "1.2.0"}]),
            "1.0.0",
            Some(">=1.2.0"),
        ),
        (
            json!([
                {"introduced": "0"}, {"fixed": "1.2.0"}, {"introduced": "2.0.0"}, {"last_affected": "2.3.0"},
            ]),
            "1.0.0",
            Some(">=1.2.0 <2.0.0"),
        ),
        (
            json!([
                {"introduced": "0"}, {"fixed": "1.2.0"}, {"introduced": "2.0.0"}, {"fixed": "2.3.1"},
            ]),
            "1.0.0",
            Some("1.2.0 || >=2.3.1"),
        ),
        (
            json!([
                {"introduced": "0"}, {"last_affected": "1.1.0"}, {"introduced": "2.0.0"}, {"fixed": "2.3.1"},
            ]),
            "1.0.0",
            None,
        ),
        (
            json!([{"introduced": "0"}, {"limit": "1.2.0"}]),
            "1.0.0",
            None,
        ),
    ] {
        let (_folder, store) = open().await;
        whole(
            &store,
            "one",
            &[record("X-1", affected("a", events.clone()))],
        )
        .await
        .unwrap();
        let advisories = Advisories::load(&store).await.unwrap();
        let told = advisories.about("a").unwrap().told(locked);
        assert_eq!(told[0].patched.as_deref(), patched, "{events}");
    }
}

#[tokio::test]
async fn affected_versions_are_said_in_npms_words() {
    let table = [
        (json!([{"introduced": "0"}]), "*"),
        (json!([{"introduced": "0"}, {"fixed": "1.2.0"}]), "<1.2.0"),
        (
            json!([{"introduced": "1.0.0"}, {"last_affected": "1.2.0"}]),
            ">=1.0.0 <=1.2.0",
        ),
        (
            json!([{"introduced": "2.0.0"}, {"fixed": "2.3.0"}, {"introduced": "0"}, {"fixed": "1.5.0"}]),
            "<1.5.0 || >=2.0.0 <2.3.0",
        ),
        (json!([{"introduced": "0"}, {"limit": "2.0.0"}]), "<2.0.0"),
        (json!([{"introduced": "3"}]), ">=3.0.0"),
    ];
    for (events, want) in table {
        let (_folder, store) = open().await;
        whole(&store, "one", &[record("X-1", affected("a", events))])
            .await
            .unwrap();
        let advisories = Advisories::load(&store).await.unwrap();
        let all = advisories.about("a").unwrap().all();
        assert_eq!(all[0].vulnerable, want);
    }
}

#[tokio::test]
async fn a_record_about_two_packages_says_of_each_what_concerns_it() {
    let (_folder, store) = open().await;
    let mut both = below("X-1", "a", "1.0.0");
    both["affected"] = json!([
        both["affected"][0],
        affected("b", json!([{"introduced": "0"}, {"fixed": "2.0.0"}]))
    ]);
    whole(&store, "one", &[both]).await.unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "a", "1.5.0"), Vec::<String>::new());
    assert_eq!(ids(&advisories, "b", "1.5.0"), ["X-1"]);
    assert_eq!(store.packages_of_advisory("X-1").await.unwrap(), ["a", "b"]);
}

/// The index is made from the database: whatever happens to it costs time and nothing else.
#[tokio::test]
async fn a_damaged_index_is_made_anew() {
    let (_folder, store) = open().await;
    whole(&store, "one", &[all("X-1", "a"), all("X-2", "b")])
        .await
        .unwrap();
    let path = store.folder().join(FOLDER).join("index");
    let good = std::fs::read(&path).unwrap();
    let table = good.len() - 300;
    for damage in [0, 9, 20, 50, 60, 80, table.min(100)] {
        let mut bytes = good.clone();
        bytes[damage] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let advisories = Advisories::load(&store).await.unwrap();
        assert_eq!(ids(&advisories, "a", "1.0.0"), ["X-1"], "byte {damage}");
        assert_eq!(std::fs::read(&path).unwrap(), good, "byte {damage}");
    }
    for length in [0, 10, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        let advisories = Advisories::load(&store).await.unwrap();
        assert_eq!(ids(&advisories, "b", "1.0.0"), ["X-2"], "{length} bytes");
    }
    // A text that changes is noticed where it is read: unknown, not harmless.
    let mut bytes = good.clone();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    let results = ["a", "b"].map(|name| advisories.matching(name, "1.0.0").is_err());
    assert_eq!(results.iter().filter(|failed| **failed).count(), 1);
}

const PLACES: [&str; 12] = [
    "/id",
    "/modified",
    "/summary",
    "/affected",
    "/affected/0",
    "/affected/0/package",
    "/affected/0/package/ecosystem",
    "/affected/0/package/name",
    "/affected/0/ranges",
    "/affected/0/ranges/0",
    "/affected/0/ranges/0/events",
    "/affected/0/ranges/0/events/1",
];

const VALUES: [&str; 12] = [
    "null",
    "0",
    "1.5",
    "\"x\"",
    "[]",
    "{}",
    "[0]",
    "[\"1.0.0\"]",
    "{\"limit\": \"1.0.0-rc.1\"}",
    "{\"last_affected\": \"2.0.0+x\"}",
    "[{\"introduced\": 0}]",
    "{\"ecosystem\": \"npm\", \"name\": \"b\\nc\"}",
];

proptest::proptest! {
    /// Records are anybody's text.
    #[test]
    fn any_text_is_read_or_refused(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        fuzz::advisory(&text);
    }

    /// Records with a value put somewhere else in them, or of another type.
    #[test]
    fn any_record_is_read_or_refused(
        places in proptest::collection::vec((0..PLACES.len(), 0..VALUES.len()), 0..4),
    ) {
        let mut record = below("X-1", "a", "2.0.0");
        for (place, value) in places {
            if let Some(place) = record.pointer_mut(PLACES[place]) {
                *place = serde_json::from_str(VALUES[value]).unwrap();
            }
        }
        fuzz::advisory(record.to_string().as_bytes());
    }

    /// Bounds of any kind: what is said in npm's words holds the same versions as the events do.
    #[test]
    fn npms_words_mean_what_the_events_mean(
        events in proptest::collection::vec((0_u8..4, 0_u64..4, 0_u64..3, 0_u8..3), 1..6),
        asked in proptest::collection::vec((0_u64..4, 0_u64..3, 0_u8..3), 1..20),
    ) {
        let version = |major: u64, minor: u64, pre: u8| {
            format!("{major}.{minor}.0{}", ["", "-alpha", "-rc.1"][usize::from(pre)])
        };
        let events: Vec<Value> = events
            .iter()
            .map(|(kind, major, minor, pre)| {
                let key = ["introduced", "fixed", "last_affected", "introduced"][usize::from(*kind)];
                json!({ key: if *kind == 3 { "0".to_owned() } else { version(*major, *minor, *pre) } })
            })
            .collect();
        let text = record("X-1", affected("a", json!(events))).to_string();
        let reduced = super::super::osv::reduce(text.as_bytes(), at(0)).unwrap();
        let affected = &reduced.record.affected[0];
        proptest::prop_assume!(!affected.unclear);
        let words = affected.alternatives().join(" || ");
        let range = weir_npm::version::Range::parse_with_prereleases(&words).unwrap();
        for (major, minor, pre) in asked {
            let text = version(major, minor, pre);
            let parsed = weir_npm::version::Version::parse(&text).unwrap();
            let standing = affected.standing(&text, Some(&parsed));
            proptest::prop_assert_eq!(range.matches(&parsed), standing == Standing::Affected, "{} in {}", text, words);
        }
    }
}

/// Any record may be in a file that cannot be read and is not named after one.
#[tokio::test]
async fn nothing_is_removed_while_a_file_of_unknown_contents_cannot_be_read() {
    let (_folder, store) = open().await;
    whole(&store, "one", &[all("X-1", "a"), all("X-2", "b")])
        .await
        .unwrap();
    let from = tempfile::tempdir().unwrap();
    write(from.path(), "X-1.json", &all("X-1", "a"));
    std::fs::write(from.path().join("second.json"), "{\"id\":").unwrap();
    let import = Import::new("one", from.path(), at(1));
    let report = store.import_osv(&import, |_| ()).await.unwrap();
    assert_eq!((report.removed, report.skipped.len()), (0, 1));
    let advisories = Advisories::load(&store).await.unwrap();
    assert_eq!(ids(&advisories, "b", "1.0.0"), ["X-2"]);
}

#[tokio::test]
async fn a_feed_remembers_whether_its_source_has_all_of_it() {
    let (_folder, store) = open().await;
    whole(&store, "one", &[all("X-1", "a")]).await.unwrap();
    assert!(store.advisory_feeds().await.unwrap()[0].whole);
    let from = tempfile::tempdir().unwrap();
    write(from.path(), "X-2.json", &all("X-2", "b"));
    let import = Import {
        whole: false,
        ..Import::new("one", from.path(), at(1))
    };
    store.import_osv(&import, |_| ()).await.unwrap();
    assert!(!store.advisory_feeds().await.unwrap()[0].whole);
}

/// One record of a flaw calls it malware and has a range that nobody can read; another is sure and mild.
#[tokio::test]
async fn an_unclear_record_of_malware_is_not_hidden_by_a_sure_one() {
    let (_folder, store) = open().await;
    let mut malware = record("MAL-1", affected("a", json!([{"introduced": "oops"}])));
    malware["aliases"] = json!(["X-1"]);
    whole(&store, "one", &[all("X-1", "a"), malware])
        .await
        .unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    let told = advisories.about("a").unwrap().told("1.0.0");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind, AdvisoryKind::Malware);
    assert!(told[0].certain);
}

/// What npm cannot read is in no order, so nobody can say that it is outside of a range.
#[tokio::test]
async fn a_version_that_cannot_be_read_is_not_clear() {
    let (_folder, store) = open().await;
    whole(&store, "one", &[below("X-1", "a", "2.0.0")])
        .await
        .unwrap();
    let advisories = Advisories::load(&store).await.unwrap();
    let told = advisories.about("a").unwrap().told("banana");
    assert_eq!(told.len(), 1);
    assert!(!told[0].certain);
}
