//! Versions and ranges mean what they mean to npm's own `semver`, case by case.
//!
//! `node_semver/cases.txt` is written by `node_semver/generate.mjs`, which says how to run it again. Ranges
//! are judged in three ways: by node-semver's default options (strict), loosely, as npm reads what others
//! wrote, and loosely with all prereleases, as audits read the affected versions of an advisory.

use std::cmp::Ordering;

use weir_npm::version::{Range, Version, satisfying_max};

const CASES: &str = include_str!("node_semver/cases.txt");

struct Case<'c> {
    text: String,
    rest: Vec<&'c str>,
}

fn unquoted(field: &str) -> String {
    serde_json::from_str(field).unwrap()
}

/// The lines of one kind, split at tabs.
fn lines(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    CASES
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(move |fields| fields[0] == kind)
        .map(|fields| fields[1..].to_vec())
}

fn versions() -> Vec<Case<'static>> {
    lines("version")
        .map(|fields| Case {
            text: unquoted(fields[0]),
            rest: fields[1..].to_vec(),
        })
        .collect()
}

fn parsed() -> Vec<Version> {
    versions()
        .iter()
        .map(|case| {
            Version::parse(&case.text).unwrap_or_else(|error| panic!("{}: {error}", case.text))
        })
        .collect()
}

#[test]
fn versions_are_read_alike() {
    let cases = versions();
    assert!(cases.len() >= 60, "{}", cases.len());
    for case in &cases {
        let version = Version::parse(&case.text).unwrap();
        assert_eq!(version.canonical(), case.rest[1], "{:?}", case.text);
    }
    let refused: Vec<String> = lines("refused").map(|fields| unquoted(fields[0])).collect();
    assert!(refused.len() >= 10, "{}", refused.len());
    for text in refused {
        assert!(Version::parse(&text).is_err(), "{text:?}");
    }
}

#[test]
fn versions_are_ordered_alike() {
    let versions = parsed();
    let rows: Vec<Vec<&str>> = lines("order").collect();
    assert_eq!(rows.len(), versions.len());
    for (a, row) in versions.iter().zip(rows) {
        assert_eq!(row[0].len(), versions.len());
        for (b, want) in versions.iter().zip(row[0].chars()) {
            let got = match a.precedence(b) {
                Ordering::Less => '<',
                Ordering::Equal => '=',
                Ordering::Greater => '>',
            };
            assert_eq!(got, want, "{a} against {b}");
        }
    }
}

/// One way to judge ranges.
struct Mode {
    name: &'static str,
    field: usize,
    strict: bool,
    prereleases: bool,
}

const MODES: [Mode; 3] = [
    Mode {
        name: "default",
        field: 0,
        strict: true,
        prereleases: false,
    },
    Mode {
        name: "loose",
        field: 1,
        strict: false,
        prereleases: false,
    },
    Mode {
        name: "with prereleases",
        field: 2,
        strict: false,
        prereleases: true,
    },
];

#[test]
fn ranges_hold_the_same_versions() {
    let (cases, versions) = (versions(), parsed());
    let is_strict: Vec<bool> = cases.iter().map(|case| case.rest[0] == "s").collect();
    let mut wrong = Vec::new();
    let mut judged = 0_usize;
    for fields in lines("range") {
        let text = unquoted(fields[0]);
        for mode in &MODES {
            let want = fields[1 + mode.field];
            let range = if mode.prereleases {
                Range::parse_with_prereleases(&text)
            } else {
                Range::parse_from_npm(&text)
            };
            let range = range.ok().filter(|range| !range.is_tag());
            // There is no strict reading here: what it takes means the same to both.
            if want == "-" {
                judged += 1;
                if !mode.strict && range.is_some() {
                    wrong.push(format!("{text:?} {}: is no range", mode.name));
                }
                continue;
            }
            let Some(range) = range else {
                wrong.push(format!("{text:?} {}: is a range", mode.name));
                continue;
            };
            let (bits, best) = want.split_once(',').unwrap();
            let bits = u128::from_str_radix(bits, 16).unwrap();
            let usable = |at: usize| !mode.strict || is_strict[at];
            for (at, version) in versions.iter().enumerate().filter(|(at, _)| usable(*at)) {
                judged += 1;
                let want = bits >> at & 1 == 1;
                if range.matches(version) != want {
                    wrong.push(format!("{text:?} {} holds {version}: {want}", mode.name));
                }
            }
            judged += 1;
            let among: Vec<Version> = (0..versions.len())
                .filter(|at| usable(*at))
                .map(|at| versions[at].clone())
                .collect();
            let highest = satisfying_max(&range, &among);
            let best = best.parse().ok().map(|at: usize| &versions[at]);
            // Of equals, either will do: they differ in spelling or build metadata.
            let same = match (highest, best) {
                (Some(a), Some(b)) => a.precedence(b) == Ordering::Equal,
                (a, b) => a.is_none() && b.is_none(),
            };
            if !same {
                wrong.push(format!(
                    "{text:?} {}: highest {best:?}, not {highest:?}",
                    mode.name
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {judged} cases:\n{}",
        wrong.len(),
        wrong
            .iter()
            .take(60)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(judged > 100_000, "only {judged} cases");
    println!("{judged} cases");
}
