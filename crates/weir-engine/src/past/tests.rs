use bytes::Bytes;

use super::*;

/// Two old releases, and two within an hour of the last day.
fn packument() -> Packument {
    let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
    for (version, published) in [
        ("1.8.0", "2025-09-05T09:00:00Z"),
        ("1.9.0", "2025-10-05T09:00:00Z"),
        ("1.10.0", "2026-11-20T10:00:00Z"),
        ("1.10.1", "2026-11-20T11:00:00Z"),
    ] {
        document["versions"][version] = serde_json::json!({"name": "sluice", "version": version});
        document["time"][version] = published.into();
    }
    document["versions"]["1.9.9"] = serde_json::json!({"name": "sluice", "version": "1.9.9"});
    let name = PackageName::parse("sluice").unwrap();
    Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
}

fn past(refused: &[&str], fine: &[&str]) -> Past {
    let owned = |versions: &[&str]| versions.iter().map(|it| (*it).to_owned()).collect();
    Past {
        refused: owned(refused),
        blocked: owned(refused),
        fine: owned(fine),
        settled: Some("2026-11-13T12:00:00Z".parse().unwrap()),
        ..Past::default()
    }
}

#[test]
fn only_what_settled_or_was_found_fine_excuses_or_is_recommended() {
    let packument = packument();
    for (version, past, open, vouched) in [
        ("1.9.0", past(&[], &[]), false, true),
        ("1.9.0", past(&["1.9.0"], &[]), false, false),
        ("1.10.0", past(&[], &[]), true, false),
        ("1.10.0", past(&[], &["1.10.0"]), false, true),
        ("1.10.0", past(&["1.10.0"], &[]), true, false),
        // Of one without a time nobody knows.
        ("1.9.9", past(&[], &[]), false, false),
        ("1.10.0", Past::default(), false, false),
    ] {
        assert_eq!(
            past.is_open(&packument, version),
            open,
            "{version} {past:?}"
        );
        let vouches = past.vouches_for(&packument, version);
        assert_eq!(vouches, vouched, "{version} {past:?}");
    }
}

#[test]
fn the_release_before_is_looked_at_where_nobody_has() {
    let packument = packument();
    for (past, malware, before) in [
        (past(&[], &[]), false, Some("1.10.0")),
        (past(&[], &["1.10.0"]), false, None),
        (past(&["1.10.0"], &[]), false, None),
        (past(&[], &[]), true, None),
    ] {
        let malware = |version: &str| malware && version == "1.10.0";
        assert_eq!(open_before(&packument, "1.10.1", &past, &malware), before);
    }
}

#[test]
fn a_release_is_measured_by_the_last_one_that_is_known() {
    let packument = packument();
    for (past, measured_by) in [
        (past(&[], &[]), "1.9.0"),
        (past(&[], &["1.10.0"]), "1.10.0"),
        (past(&["1.9.0"], &[]), "1.8.0"),
        // Where nothing is known, by what there is, unless it was refused.
        (past(&["1.8.0", "1.9.0", "1.9.9"], &[]), "1.10.0"),
    ] {
        let found = weir_signals::baseline_version(
            &packument,
            "1.10.1",
            &|version: &str| past.refuses(version),
            &|version: &str| past.is_open(&packument, version),
        );
        assert_eq!(found, Some(measured_by), "{past:?}");
    }
}

/// What nobody has looked at is left out as what was refused is, for three months: whoever decides then says so.
#[test]
fn what_was_not_blocked_is_a_past_again_in_any_case() {
    let packument = packument();
    for (version, judged, counts_not) in [
        ("1.8.0", "1.9.0", true),
        ("1.8.0", "1.10.0", false),
        ("1.9.9", "1.10.0", true),
        ("1.10.0", "1.10.1", true),
    ] {
        let mut refused = Past::default();
        refused.refuse(std::iter::once(&version.to_owned()));
        let mut unread = Past::default();
        unread.await_reading(version);
        for past in [&refused, &unread] {
            let found = past.excuses_not(&packument, judged, version);
            assert_eq!(found, counts_not, "{judged} by {version}: {past:?}");
            assert!(!past.vouches_for(&packument, version));
        }
        assert!(!refused.leaves_open(&packument, judged));
        let mut silent = Past::default();
        silent.leave_out(version);
        assert_eq!(silent.excuses_not(&packument, judged, version), counts_not);
        assert!(!silent.leaves_open(&packument, judged));
        let open = unread.leaves_open(&packument, judged);
        assert_eq!(open, counts_not, "{judged} by {version}");
        unread.waived.insert(version.to_owned());
        assert!(!unread.leaves_open(&packument, judged));
    }
}

/// How long ago it came is no excuse for what only its packument was refused for, before somebody has read it.
#[test]
fn what_was_refused_unread_is_no_past_until_it_was_read() {
    let packument = packument();
    for judged in ["1.9.0", "1.10.0"] {
        let mut past = Past::default();
        past.refuse(std::iter::once(&"1.8.0".to_owned()));
        past.await_reading("1.8.0");
        assert!(past.excuses_not(&packument, judged, "1.8.0"), "{judged}");
        assert!(past.leaves_open(&packument, judged), "{judged}");
    }
}

/// Of what was blocked: what comes more than 90 days later is measured by it, if there is nothing else; where a time
/// is missing, nothing is.
#[test]
fn what_was_refused_long_ago_is_a_past_again() {
    let packument = packument();
    let past = past(&["1.8.0", "1.9.9"], &[]);
    for (version, counts_not) in [("1.9.0", true), ("1.9.9", true), ("1.10.0", false)] {
        let found = past.excuses_not(&packument, version, "1.8.0");
        assert_eq!(found, counts_not, "{version}");
    }
    assert!(!past.excuses_not(&packument, "1.10.1", "1.9.0"));
    // What came before it was not refused, or nobody knows when it came.
    let past = self::past(&["1.9.0"], &[]);
    assert!(past.excuses_not(&packument, "1.10.1", "1.9.0"));
    let past = self::past(&["1.8.0"], &[]);
    assert!(past.excuses_not(&packument, "1.10.1", "1.8.0"));
}
