//! Enough of semver to compute `latest` for well-formed fixtures. Written apart from `weir-npm` so
//! that the fake registry cannot share a mistake with the code under test.

use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Identifier {
    Number(u64),
    Text(String),
}

/// Compares two version texts by semver precedence; anything unreadable counts as 0.0.0.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (left_core, left_pre) = split(left);
    let (right_core, right_pre) = split(right);
    left_core
        .cmp(&right_core)
        .then_with(|| match (left_pre.is_empty(), right_pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_prerelease(&left_pre, &right_pre),
        })
}

/// Whether a version text names a prerelease.
pub(crate) fn is_prerelease(version: &str) -> bool {
    !split(version).1.is_empty()
}

fn compare_prerelease(left: &[Identifier], right: &[Identifier]) -> Ordering {
    for (one, other) in left.iter().zip(right) {
        let order = match (one, other) {
            (Identifier::Number(one), Identifier::Number(other)) => one.cmp(other),
            (Identifier::Text(one), Identifier::Text(other)) => one.cmp(other),
            (Identifier::Number(_), Identifier::Text(_)) => Ordering::Less,
            (Identifier::Text(_), Identifier::Number(_)) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

fn split(version: &str) -> ([u64; 3], Vec<Identifier>) {
    let version = version.split('+').next().unwrap_or_default();
    let (core, prerelease) = version.split_once('-').unwrap_or((version, ""));
    let mut numbers = [0; 3];
    for (slot, text) in numbers.iter_mut().zip(core.split('.')) {
        *slot = text.parse().unwrap_or(0);
    }
    let identifiers = prerelease
        .split('.')
        .filter(|text| !text.is_empty())
        .map(|text| match text.parse() {
            Ok(number) => Identifier::Number(number),
            Err(_) => Identifier::Text(text.to_owned()),
        })
        .collect();
    (numbers, identifiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_semver_does() {
        let ordered = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0",
            "1.2.0",
            "1.10.0",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert!(is_prerelease("1.0.0-rc.1+build"));
        assert!(!is_prerelease("1.0.0+build-1"));
    }
}
