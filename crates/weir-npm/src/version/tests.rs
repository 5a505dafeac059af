use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Range, version, and what node-semver 7.8.5 says by its default options.
#[rustfmt::skip]
const SATISFIES: &[(&str, &str, bool)] = &[
    ("", "1.2.3", true),
    ("", "1.2.3-rc.1", false),
    ("*", "0.0.0", true),
    ("*", "1.0.0-0", false),
    ("x", "2.3.4", true),
    ("X.x", "2.3.4", true),
    ("1", "1.9.9", true),
    ("1", "2.0.0", false),
    ("1.x", "1.0.0", true),
    ("1.2", "1.2.99", true),
    ("1.2", "1.3.0", false),
    ("1.2.*", "1.2.0", true),
    ("=1.2.3", "1.2.3", true),
    ("= 1.2.3", "1.2.3", true),
    ("v1.2.3", "1.2.3", true),
    ("=v1.2.3", "1.2.4", false),
    ("1.2.3+build", "1.2.3", true),
    ("1.2.3", "1.2.3+other", true),
    ("~x", "1.2.3", true),
    ("~1", "1.9.9", true),
    ("~1", "2.0.0", false),
    ("~1.2", "1.2.9", true),
    ("~1.2", "1.3.0", false),
    ("~1.2.3", "1.2.2", false),
    ("~1.2.3", "1.2.9", true),
    ("~1.2.3", "1.3.0", false),
    ("~> 1.2.3", "1.2.9", true),
    ("~0", "0.9.9", true),
    ("~0.0.1", "0.0.9", true),
    ("~0.0.1", "0.1.0", false),
    ("~1.2.3-beta.2", "1.2.3-beta.4", true),
    ("~1.2.3-beta.2", "1.2.4-beta.2", false),
    ("~1.2.3-beta.2", "1.2.3-beta.1", false),
    ("^x", "9.9.9", true),
    ("^1.2.3", "1.9.9", true),
    ("^1.2.3", "2.0.0", false),
    ("^1.2.3", "1.2.2", false),
    ("^1.2.3", "2.0.0-rc.1", false),
    ("^1.2.3", "1.3.0-rc.1", false),
    ("^0", "0.9.9", true),
    ("^0.1", "0.1.9", true),
    ("^0.1", "0.2.0", false),
    ("^0.2.3", "0.2.9", true),
    ("^0.2.3", "0.3.0", false),
    ("^0.0.1", "0.0.1", true),
    ("^0.0.1", "0.0.2", false),
    ("^0.0", "0.0.9", true),
    ("^0.0", "0.1.0", false),
    ("^0.0.x", "0.0.5", true),
    ("^1.x", "1.9.9", true),
    ("^1.2.3-beta.2", "1.2.3-beta.4", true),
    ("^1.2.3-beta.2", "1.2.4-beta.4", false),
    ("^1.2.3-beta.2", "1.9.0", true),
    ("^0.0.3-beta", "0.0.3-pr.2", true),
    ("^ 1.2.3", "1.4.0", true),
    ("^v1.2.3", "1.4.0", true),
    ("1.2.3 - 2.3.4", "2.3.4", true),
    ("1.2.3 - 2.3.4", "2.3.5", false),
    ("1.2 - 2.3.4", "1.2.0", true),
    ("1.2.3 - 2.3", "2.3.99", true),
    ("1.2.3 - 2", "2.99.0", true),
    ("1.2.3 - 2", "3.0.0", false),
    ("1.2.3-beta - 2", "1.2.3-rc", true),
    ("1.x - 2.x", "2.5.0", true),
    ("* - 2", "0.1.0", true),
    (">1", "1.9.9", false),
    (">1", "2.0.0", true),
    (">=1", "1.0.0", true),
    (">=1", "1.0.0-rc", false),
    ("<2", "1.99.99", true),
    ("<2", "2.0.0-rc.1", false),
    ("<=2", "2.9.9", true),
    ("<=2", "3.0.0", false),
    (">1.2", "1.2.9", false),
    (">1.2", "1.3.0", true),
    ("<1.2", "1.2.0", false),
    ("<=1.2.3", "1.2.3", true),
    ("> 1.2.3", "1.2.4", true),
    (">=1.2.3-rc.1", "1.2.3-rc.2", true),
    (">=1.2.3-rc.1", "1.2.4-rc.2", false),
    (">=1.2.3-rc.1", "2.0.0", true),
    ("<1.2.3-rc.1", "1.2.3-beta", true),
    ("<1.2.3", "1.2.3-beta", false),
    (">*", "1.0.0", false),
    ("<*", "1.0.0", false),
    (">=*", "1.0.0", true),
    ("<=x", "1.0.0", true),
    (">=1.0.0 <2.0.0", "1.5.0", true),
    (">=1.0.0 <2.0.0", "2.0.0", false),
    (">=1.2.3 >=1.5.0", "1.4.0", false),
    (">1.2.3 <1.2.3", "1.2.3", false),
    (">=1.0.0-rc.1 <1.0.0", "1.0.0-rc.5", true),
    ("^1.0.0 ~1.2.0", "1.2.5", true),
    ("^1.0.0 ~1.2.0", "1.3.0", false),
    ("1.2.3 || 2.0.0", "2.0.0", true),
    ("1.2.3 || 2.0.0", "1.5.0", false),
    ("^1 || ^3", "3.1.0", true),
    ("^1||^3", "2.0.0", false),
    ("<1 || >=2.0.0-rc.1", "2.0.0-rc.3", true),
    ("|| 2", "1.0.0", true),
    ("||", "1.0.0", true),
    ("1 ||", "7.0.0", true),
    ("^1.0.0 || ^2.0.0-rc.1", "2.0.0-rc.2", true),
    ("^1.0.0 || ^2.0.0-rc.1", "1.1.0-rc.2", false),
    ("1.0.0-rc.1", "1.0.0-rc.1", true),
    ("1.0.0-rc.1", "1.0.0", false),
    ("1.0.0-rc.1", "1.0.0-rc.1+build", true),
    (">1.0.0-alpha", "1.0.0-alpha.1", true),
    (">1.0.0-alpha.2", "1.0.0-alpha.10", true),
    (">1.0.0-alpha.beta", "1.0.0-alpha.2", false),
    (">1.0.0-1", "1.0.0-a", true),
    ("<1.0.0", "0.9.9", true),
    ("  1.2.3  ", "1.2.3", true),
    ("9007199254740991.0.0", "9007199254740991.0.0", true),
];

/// The same with `loose`, as npm and pnpm ask.
#[rustfmt::skip]
const SATISFIES_LOOSELY: &[(&str, &str, bool)] = &[
    (">=1.0.0, <2.0.0", "0.5.0", true),
    (">=1.0.0, <2.0.0", "2.5.0", false),
    ("1.2.3beta", "1.2.3-beta", true),
    ("01.02.03", "1.2.3", true),
    ("1.2.3 foo", "1.2.3", true),
    ("foo || 2", "2.5.0", true),
    ("foo || 2", "1.0.0", false),
    (">= 1.2.3", "1.2.4", true),
    ("^ 1 <1.5", "1.4.9", true),
    ("^ 1 <1.5", "1.5.0", false),
    ("1.x.3 || 2", "1.0.3", false),
    ("^1.x.3", "1.9.0", true),
    (">=10 1.1.0", "1.1.0", false),
    (">=3.0.0-rc.0 <3", "3.0.0-rc.1", false),
    ("1.0.0-rc.1 ||", "1.0.0-rc.2", false),
    ("|| 1.0.0-rc.1", "1.0.0-rc.1", false),
    ("~1.2.3 || >=0.0.0", "9.0.0", true),
    ("1.2.3-", "1.2.3--", true),
    (">= x y z", "1.0.0", true),
    ("^9007199254740990.0.0", "9007199254740990.5.0", true),
];

#[test]
fn ranges_mean_what_they_mean_in_node() {
    let mut wrong = Vec::new();
    for (range, text, want) in SATISFIES.iter().chain(SATISFIES_LOOSELY) {
        let got = Range::parse_from_npm(range).map(|range| range.matches(&version(text)));
        if got != Ok(*want) {
            wrong.push((range, text, want, got));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tags_match_nothing() {
    for text in ["latest", "next", "beta-1", "git", "!", "1.x.3"] {
        let range = Range::parse_from_npm(text).unwrap();
        assert_eq!(range.tag(), Some(text));
        assert!(range.is_tag() && !range.matches(&version("1.0.0")));
    }
    for text in [
        "not a range",
        "a/b",
        "%00",
        "^9007199254740991.0.0",
        "^18446744073709551615.0.0",
        "^99999999999999999999",
    ] {
        assert_eq!(
            Range::parse_from_npm(text),
            Err(VersionError::NotARange),
            "{text}"
        );
    }
}

#[test]
fn lenient_versions() {
    for (text, canonical) in [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        ("=1.2.3", "1.2.3"),
        (" 1.2.3 ", "1.2.3"),
        ("1.2.3beta", "1.2.3-beta"),
        ("01.2.3", "1.2.3"),
        ("1.2.3+b.1", "1.2.3"),
        ("1.2.3-rc.1+b", "1.2.3-rc.1"),
        ("9007199254740991.0.0", "9007199254740991.0.0"),
    ] {
        let version = version(text);
        assert_eq!(
            (version.canonical().as_str(), version.as_str()),
            (canonical, text)
        );
    }
    for text in [
        "",
        "x",
        "1",
        "1.2",
        "1.2.3.4",
        "1.2.3 -rc",
        "9007199254740992.0.0",
        "1.2.3-a..b",
        "1.2.3+",
        "latest",
    ] {
        assert_eq!(
            Version::parse(text),
            Err(VersionError::NotAVersion),
            "{text}"
        );
    }
    assert_eq!(
        Version::parse(&format!("1.0.0-{}", "a".repeat(251))),
        Err(VersionError::TooLong)
    );
    assert!(Version::parse(&format!("1.0.0-{}", "a".repeat(250))).is_ok());
}

#[test]
fn precedence() {
    let ascending = [
        "0.0.1-0",
        "0.0.1",
        "1.0.0-1",
        "1.0.0-2",
        "1.0.0-10",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.9.0",
        "1.10.0",
        "2.0.0-rc.1",
        "2.0.0",
    ];
    for pair in ascending.windows(2) {
        assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
    }
    assert_eq!(
        version("1.0.0+a").precedence(&version("v1.0.0+b")),
        Ordering::Equal
    );
    assert_ne!(version("1.0.0+a"), version("1.0.0+b"));
    assert!(version("1.0.0-rc.1").is_prerelease() && !version("1.0.0+rc.1").is_prerelease());
    let numbers = version("12.3.4");
    assert_eq!(
        (numbers.major(), numbers.minor(), numbers.patch()),
        (12, 3, 4)
    );
}

#[test]
fn the_highest_that_fits() {
    let versions: Vec<Version> = ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "1.11.0-rc.1"]
        .map(version)
        .into();
    let max = |range: &str| {
        let range = Range::parse_from_npm(range).unwrap();
        satisfying_max(&range, &versions).map(Version::as_str)
    };
    assert_eq!(max("^1"), Some("1.10.0"));
    assert_eq!(max("*"), Some("1.10.0"));
    assert_eq!(max(">=2.0.0-rc.0"), Some("2.0.0-rc.1"));
    assert_eq!(max("^3"), None);
    assert_eq!(max("latest"), None);
}

#[test]
fn hostile_ranges_end_quickly() {
    assert_eq!(
        Range::parse_from_npm(&"1 || ".repeat(100_000)),
        Err(VersionError::TooLong)
    );
    let long = "1.0.0 || ".repeat(MAX_RANGE_LENGTH / 9);
    assert!(Range::parse_from_npm(&long).is_ok());
    for text in [
        "^".repeat(MAX_RANGE_LENGTH),
        "- ".repeat(MAX_RANGE_LENGTH / 2),
        "1.".repeat(MAX_RANGE_LENGTH / 2),
        "~>".repeat(MAX_RANGE_LENGTH / 2),
    ] {
        let _ = Range::parse_from_npm(&text);
    }
}

#[test]
fn json_is_a_string() {
    let version: Version = serde_json::from_str("\"1.0.0\"").unwrap();
    assert_eq!(serde_json::to_string(&version).unwrap(), "\"1.0.0\"");
    assert!(serde_json::from_str::<Version>("\"nope\"").is_err());
}

#[test]
fn ranges_are_joined_with_each_alternative_once() {
    for (ranges, joined) in [
        (&["<1.2.0", "<1.1.0"][..], "<1.2.0 || <1.1.0"),
        (
            &["<1.0.0 || >=2.0.0 <2.1.0", "<1.0.0"],
            "<1.0.0 || >=2.0.0 <2.1.0",
        ),
        (&["<1.0.0 || 1.5.0", ">=3||1.5.0"], "<1.0.0 || 1.5.0 || >=3"),
        (&["<1.0.0", "*"], "*"),
        (&["<1.0.0", "1.0.0 || "], "*"),
        (&[], ""),
    ] {
        assert_eq!(join_ranges(ranges.iter().copied()), joined, "{ranges:?}");
    }
}

/// npm leaves out what makes no sense. Whoever has to know is told.
#[test]
fn a_range_says_whether_it_was_understood_in_full() {
    for (text, understood) in [
        ("", true),
        ("*", true),
        ("1.x || >=2.0.0 <2.1.0-rc.1", true),
        ("1.0.0 - 2", true),
        ("> 1.0.0 < 2.0.0", true),
        ("~1.2 || ^0.3.x || =v1.0.0+x", true),
        ("<0.0.0-0", true),
        ("latest", false),
        ("1.x.y.z", false),
        ("<1.0.0 || garbage", false),
        (">=1.0.0, <2.0.0", false),
        (">=1.0.0 and <2.0.0", false),
        ("1.0.0 >=", false),
        ("<1.0.0 || 1.x.3", false),
    ] {
        let range = Range::parse_with_prereleases(text).unwrap();
        assert_eq!(range.is_understood(), understood, "{text}");
    }
}

/// What is read without the grammar is what the grammar reads.
fn plain_agrees(text: &str) {
    if let Some(plain) = plain(text) {
        assert_eq!(Ok(plain), by_grammar(text), "{text}");
    }
}

#[test]
fn plain_versions_are_read_as_the_grammar_reads_them() {
    let is_plain = |text: &str| plain(text).is_some();
    for text in [
        "0.0.0",
        "1.22.333",
        "10.0.0-rc.4",
        "1.0.0-0",
        "1.0.0-a-b.0.c9",
        "999999999999999.0.0",
    ] {
        assert!(is_plain(text), "{text}");
        plain_agrees(text);
    }
    for text in [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "1..3",
        "01.2.3",
        "1.2.03",
        "1.2.3-",
        "1.2.3-.a",
        "1.2.3-a..b",
        "1.2.3-01",
        "1.2.3+b",
        "1.2.3-a+b",
        "v1.2.3",
        " 1.2.3",
        "1.2.3 ",
        "1.2.x",
        "1.2.3-\u{e9}",
        "9007199254740992.0.0",
    ] {
        assert!(!is_plain(text), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn generated_versions_are_read_as_the_grammar_reads_them(
        text in "[0-9]{1,3}(\\.[0-9]{1,16}){1,3}(-[0-9a-zA-Z-]{0,3}(\\.[0-9a-z-]{0,3}){0,2})?(\\+[0-9a-z]{0,2})?"
    ) {
        plain_agrees(&text);
    }
}
