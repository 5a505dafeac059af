use bytes::Bytes;
use weir_npm::name::PackageName;

use super::*;

pub(super) fn packument(versions: &[(&str, Option<&str>)]) -> Packument {
    let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
    for (version, published) in versions {
        document["versions"][version] = serde_json::json!({"name": "sluice", "version": version});
        if let Some(published) = published {
            document["time"][version] = (*published).into();
        }
    }
    let name = PackageName::parse("sluice").unwrap();
    Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
}

pub(super) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

pub(super) const OLD: Option<&str> = Some("2025-01-05T09:00:00Z");
pub(super) const MONTH: Option<&str> = Some("2026-10-20T09:00:00Z");
pub(super) const WEEK: Option<&str> = Some("2026-11-10T09:00:00Z");

#[test]
fn what_could_excuse_a_release_came_before_it() {
    let versions = [
        ("1.0.0", OLD),
        ("1.0.1", MONTH),
        ("1.0.2", MONTH),
        ("1.1.0-rc.1", MONTH),
        ("1.0.3", None),
        ("1.1.0", WEEK),
    ];
    let packument = packument(&versions);
    for (version, before) in [
        // Those of one time by their numbers.
        ("1.0.1", &["1.0.0"][..]),
        ("1.0.2", &["1.0.0", "1.0.1"]),
        // One without a time by its number.
        ("1.0.3", &["1.0.0", "1.0.1", "1.0.2"]),
        ("1.1.0", &["1.0.0", "1.0.1", "1.0.2", "1.1.0-rc.1", "1.0.3"]),
        ("1.1.0-rc.1", &["1.0.0", "1.0.1", "1.0.2", "1.0.3"]),
    ] {
        let others = versions.iter().map(|(other, _)| *other);
        let found: Vec<&str> = others
            .filter(|other| came_before(&packument, other, version))
            .collect();
        assert_eq!(found, before, "{version}");
    }
    for (version, is_young) in [("1.0.0", false), ("1.0.1", true), ("1.0.3", true)] {
        assert_eq!(is_recent(&packument, version, now()), is_young, "{version}");
    }
}

#[test]
fn a_version_that_is_none_comes_after_those_of_its_time_and_not_before_itself() {
    let packument = packument(&[("1.0.0", MONTH), ("1.0.0.1", MONTH)]);
    for (one, other, could) in [
        ("1.0.0", "1.0.0.1", true),
        ("1.0.0.1", "1.0.0", false),
        ("1.0.0.1", "1.0.0.1", false),
    ] {
        assert_eq!(came_before(&packument, one, other), could, "{one} {other}");
    }
}

/// Its seventh day is a moment at which a release begins to count.
#[test]
fn what_was_gone_through_counts_until_the_next_release_settles() {
    for (published, ends) in [
        (None, "2026-11-20T13:00:00Z"),
        (Some("2026-11-13T11:00:00Z"), "2026-11-20T13:00:00Z"),
        (Some("2026-11-13T12:20:00Z"), "2026-11-20T12:20:00Z"),
        (Some("2026-11-19T09:00:00Z"), "2026-11-20T13:00:00Z"),
    ] {
        let packument = packument(&[("1.0.0", OLD), ("1.0.1", published)]);
        let ends: Timestamp = ends.parse().unwrap();
        assert_eq!(until(&packument, now()), ends, "{published:?}");
    }
}
