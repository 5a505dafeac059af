use super::*;

/// The tags after withholding some versions, as `tag=version` in one line.
fn retagged(versions: &[&str], tags: &[(&str, &str)], withheld: &[&str]) -> String {
    let packument = of_versions(versions, tags);
    let tags = retag(&packument, |version| !withheld.contains(&version));
    tags.iter()
        .map(|(tag, version)| format!("{tag}={version}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn latest_moves_down_by_semver() {
    let versions = [
        "1.0.0",
        "1.9.0",
        "2.0.0-rc.1",
        "2.0.0",
        "1.10.0",
        "3.0.0",
        "3.1.0-rc.1",
    ];
    for (latest, withheld, want) in [
        ("2.0.0", &[][..], "latest=2.0.0"),
        // Not the newest in the document (3.0.0), not the prerelease, and 1.10 is above 1.9.
        ("2.0.0", &["2.0.0"], "latest=1.10.0"),
        ("2.0.0", &["2.0.0", "1.10.0"], "latest=1.9.0"),
        // Only a prerelease is left below.
        (
            "2.0.0",
            &["2.0.0", "1.10.0", "1.9.0", "1.0.0"],
            "latest=2.0.0-rc.1",
        ),
        // Nothing is left below: the best above.
        (
            "2.0.0",
            &["2.0.0", "1.10.0", "1.9.0", "1.0.0", "2.0.0-rc.1"],
            "latest=3.0.0",
        ),
        (
            "2.0.0",
            &["2.0.0", "1.10.0", "1.9.0", "1.0.0", "2.0.0-rc.1", "3.0.0"],
            "latest=3.1.0-rc.1",
        ),
        (
            "2.0.0",
            &[
                "2.0.0",
                "1.10.0",
                "1.9.0",
                "1.0.0",
                "2.0.0-rc.1",
                "3.0.0",
                "3.1.0-rc.1",
            ],
            "",
        ),
        // Names a version that does not exist.
        ("2.5.0", &[], "latest=2.0.0"),
        ("what", &[], "latest=3.0.0"),
        ("0.5.0", &[], "latest=3.0.0"),
        ("2.0.0-rc.1", &["2.0.0-rc.1"], "latest=1.10.0"),
    ] {
        assert_eq!(
            retagged(&versions, &[("latest", latest)], withheld),
            want,
            "{latest} {withheld:?}"
        );
    }
    assert_eq!(
        retagged(&versions, &[], &[]),
        "latest=3.0.0",
        "clients ask for latest by default"
    );
    assert_eq!(retagged(&[], &[("latest", "1.0.0")], &[]), "");
}

#[test]
fn other_tags_stay_in_their_line() {
    let versions = [
        "1.0.0",
        "1.1.0",
        "2.0.0",
        "2.1.0-beta.1",
        "2.1.0-beta.2",
        "2.1.0-beta.10",
        "3.0.0",
    ];
    for (tag, withheld, want) in [
        (("old", "1.1.0"), &["1.1.0"][..], "latest=3.0.0 old=1.0.0"),
        (("old", "1.1.0"), &["1.1.0", "1.0.0"], "latest=3.0.0"),
        (
            ("beta", "2.1.0-beta.10"),
            &["2.1.0-beta.10"],
            "latest=3.0.0 beta=2.1.0-beta.2",
        ),
        (
            ("beta", "2.1.0-beta.1"),
            &["2.1.0-beta.1"],
            "latest=3.0.0 beta=2.0.0",
        ),
        (("stable-2", "2.0.0"), &["2.0.0"], "latest=3.0.0"),
        (("gone", "2.0.5"), &[], "latest=3.0.0 gone=2.0.0"),
        (("nonsense", "x"), &[], "latest=3.0.0"),
    ] {
        assert_eq!(
            retagged(&versions, &[("latest", "3.0.0"), tag], withheld),
            want,
            "{tag:?} {withheld:?}"
        );
    }
}

#[test]
fn deprecated_versions_come_last() {
    let mut value = json!({"name": "n", "dist-tags": {"latest": "2.0.0"}, "versions": {}});
    for (version, deprecated) in [
        ("1.0.0", Value::Null),
        ("1.1.0", json!("")),
        ("1.2.0", json!("broken")),
        ("2.0.0", json!(false)),
    ] {
        let mut manifest = version_json(version);
        manifest["deprecated"] = deprecated;
        value["versions"][version] = manifest;
    }
    let packument = parse(value.to_string()).unwrap();
    let latest = |withheld: &[&str]| {
        retag(&packument, |version| !withheld.contains(&version))[0]
            .1
            .clone()
    };
    assert_eq!(latest(&["2.0.0"]), "1.1.0");
    assert_eq!(latest(&["2.0.0", "1.0.0", "1.1.0"]), "1.2.0");
}

#[test]
fn broken_versions_are_never_chosen() {
    let packument = parse(
        r#"{"dist-tags": {"latest": "2.0.0"}, "versions": {"2.0.0": {}, "1.5.0": 7, "1.0.0": {"dist": {"tarball": "x"}}}}"#,
    )
    .unwrap();
    assert_eq!(
        retag(&packument, |_| true),
        [("latest".to_owned(), "1.0.0".to_owned())]
    );
}

#[test]
fn of_a_flood_of_tags_only_the_first_move() {
    let versions: Vec<String> = (0..2000).map(|it| format!("1.0.{it}")).collect();
    let tags: Vec<(String, String)> = (0..30_000)
        .map(|it| (format!("t{it}"), "1.9.9".to_owned()))
        .collect();
    let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
    let mut tags: Vec<(&str, &str)> = tags.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    tags.push(("kept", "1.0.0"));
    tags.push(("latest", "1.9.9"));
    let packument = of_versions(&versions, &tags);
    let moved = retag(&packument, |_| true);
    // Those that need not move are as ever, and so is `latest`.
    assert_eq!(moved.len(), 10_000 + 2);
    let last: Vec<_> = moved
        .iter()
        .rev()
        .take(2)
        .map(|(_, it)| it.as_str())
        .collect();
    assert_eq!(last, ["1.0.1999", "1.0.0"]);
}
