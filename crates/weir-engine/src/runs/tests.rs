use bytes::Bytes;
use weir_model::{Confidence, Finding, ReleaseId, Severity};
use weir_npm::name::PackageName;

use super::*;

/// Two old releases without a hook, and since 1.10.0 one with each release but the last.
fn packument(old_hook: bool) -> Packument {
    let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
    for (version, published, hook, dependency) in [
        ("1.8.0", "2025-01-05T09:00:00Z", old_hook, "old"),
        ("1.9.0", "2025-02-05T09:00:00Z", old_hook, "old"),
        ("1.10.0", "2026-11-01T10:00:00Z", true, "new"),
        ("1.10.1", "2026-11-02T10:00:00Z", true, "new"),
        ("1.10.2", "2026-11-03T10:00:00Z", false, "old"),
    ] {
        let mut manifest = serde_json::json!({
            "name": "sluice", "version": version, "dependencies": {dependency: "^1.0.0"},
        });
        if hook {
            manifest["scripts"]["postinstall"] = format!("node x.js {version}").into();
        }
        document["versions"][version] = manifest;
        document["time"][version] = published.into();
    }
    let name = PackageName::parse("sluice").unwrap();
    Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
}

fn assessment(group: Group) -> Assessment {
    Assessment {
        release: ReleaseId {
            name: "sluice".into(),
            version: "1.10.0".into(),
            integrity: None,
        },
        findings: vec![Finding {
            signal: "some".into(),
            group,
            severity: Severity::High,
            confidence: Confidence::High,
            decisive: false,
            message: "something".into(),
            evidence: Vec::new(),
        }],
        incomplete: Vec::new(),
    }
}

#[test]
fn a_run_is_what_has_what_was_brought() {
    for (old_hook, group, told_by, theirs) in [
        (false, Group::Execution, "1.10.0", &["1.10.0", "1.10.1"][..]),
        (false, Group::Code, "1.10.1", &["1.10.0", "1.10.1"][..]),
        (
            false,
            Group::Dependency,
            "1.10.0",
            &["1.10.0", "1.10.1"][..],
        ),
        // The hook has always been there, and who published it is no matter of what it brought.
        (true, Group::Code, "1.10.0", &[][..]),
        (false, Group::Identity, "1.10.0", &[][..]),
        (false, Group::Code, "1.10.2", &[][..]),
    ] {
        let packument = packument(old_hook);
        let run = Run::of(&packument, told_by, &assessment(group), &|_| false).unwrap();
        let versions = packument.versions().iter();
        let mut found: Vec<&str> = versions
            .map(|entry| entry.version.as_str())
            .filter(|version| run.has(&packument, version))
            .collect();
        found.sort_unstable();
        assert_eq!(found, theirs, "{group:?} {told_by} {old_hook}");
    }
}

#[test]
fn it_goes_on_in_what_came_later() {
    let packument = packument(false);
    let run = Run::of(&packument, "1.10.0", &assessment(Group::Code), &|_| false).unwrap();
    for (version, goes_on) in [("1.10.0", false), ("1.10.1", true), ("1.10.2", false)] {
        assert_eq!(run.goes_on_in(&packument, version), goes_on, "{version}");
    }
}

/// Releases by version, day of 2026 as month and day, and what each runs at install time.
fn published(releases: &[(&str, &str, &str)]) -> Packument {
    let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
    for (version, time, step) in releases {
        let mut manifest = serde_json::json!({"name": "sluice", "version": version});
        if !step.is_empty() {
            manifest["scripts"]["postinstall"] = (*step).into();
        }
        document["versions"][version] = manifest;
        document["time"][version] = (*time).into();
    }
    let name = PackageName::parse("sluice").unwrap();
    Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
}

fn of_taints(packument: &Packument, told_by: &str) -> Vec<String> {
    let run = Run::of(packument, told_by, &assessment(Group::Code), &|_| false).unwrap();
    let mut found = run.others(packument);
    found.retain(|version| run.taints(packument, version));
    found
}

/// The same step counts, not any other; nothing does where nothing was before; and what came months later is what
/// the package is like.
#[test]
fn only_what_is_new_and_the_same_and_of_the_same_time_counts_unread() {
    let since = [
        ("1.10.0", "2026-10-01T10:00:00Z", "node x.js"),
        ("1.10.1", "2026-10-02T10:00:00Z", "node x.js"),
        ("1.10.2", "2026-10-03T10:00:00Z", "node other.js"),
        ("1.10.3", "2027-02-01T10:00:00Z", "node x.js"),
    ];
    for (before, theirs) in [
        (Some(""), &["1.10.1"][..]),
        (Some("node x.js"), &[][..]),
        (None, &[][..]),
    ] {
        let past = before.map(|step| ("1.9.0", "2025-02-05T09:00:00Z", step));
        let releases: Vec<_> = past.into_iter().chain(since).collect();
        assert_eq!(
            of_taints(&published(&releases), "1.10.0"),
            theirs,
            "{before:?}"
        );
    }
}

#[test]
fn the_newest_are_looked_at_first_and_prereleases_last() {
    let packument = published(&[
        ("1.9.0", "2025-02-05T09:00:00Z", ""),
        ("1.10.0", "2026-10-01T10:00:00Z", "node x.js"),
        ("1.10.1", "2026-10-02T10:00:00Z", "node x.js"),
        ("2.0.0-rc.1", "2026-10-05T10:00:00Z", "node x.js"),
        ("1.10.2", "2026-10-03T10:00:00Z", "node x.js"),
        ("1.10.3", "2026-10-04T10:00:00Z", ""),
    ]);
    for (group, theirs) in [
        (Group::Code, &["1.10.2", "1.10.1", "2.0.0-rc.1"][..]),
        (Group::Identity, &[][..]),
    ] {
        let run = Run::of(&packument, "1.10.0", &assessment(group), &|_| false).unwrap();
        assert_eq!(run.others(&packument), theirs, "{group:?}");
    }
}

/// Where no manifest tells them, those of that time are looked at, and none counts unread.
#[test]
fn where_only_the_code_changed_what_came_out_about_then_is_looked_at() {
    let packument = published(&[
        ("1.8.0", "2025-02-05T09:00:00Z", "node x.js"),
        ("1.10.0", "2026-10-01T10:00:00Z", "node x.js"),
        ("1.10.1", "2026-10-02T10:00:00Z", "node x.js"),
        ("1.10.2", "2026-10-03T10:00:00Z", ""),
    ]);
    let run = Run::of(&packument, "1.10.1", &assessment(Group::Code), &|_| false).unwrap();
    assert!(!run.tells());
    assert_eq!(run.others(&packument), ["1.10.2", "1.10.0"]);
    assert_eq!(of_taints(&packument, "1.10.1"), [] as [&str; 0]);
}

#[test]
fn a_row_goes_back_as_far_as_each_release_of_the_line_belongs_to_it() {
    let packument = published(&[
        ("1.9.0", "2025-02-05T09:00:00Z", ""),
        ("1.10.0", "2026-10-01T10:00:00Z", "node x.js"),
        ("1.10.1", "2026-10-02T10:00:00Z", ""),
        ("1.10.2", "2026-10-03T10:00:00Z", "node x.js"),
        ("2.0.0", "2026-10-04T10:00:00Z", ""),
        ("1.10.3", "2026-10-05T10:00:00Z", "node x.js"),
        ("1.11.0-rc.1", "2026-10-06T10:00:00Z", ""),
        ("1.10.4", "2026-10-07T10:00:00Z", "node x.js"),
    ]);
    for (told_by, begins) in [
        ("1.10.4", "2026-10-03T10:00:00Z"),
        ("1.10.2", "2026-10-03T10:00:00Z"),
        ("1.10.0", "2026-10-01T10:00:00Z"),
    ] {
        let run = Run::of(&packument, told_by, &assessment(Group::Code), &|_| false).unwrap();
        assert_eq!(run.begins(&packument).to_string(), begins, "{told_by}");
    }
}
