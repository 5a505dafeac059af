//! The numbers of advisories: clients keep what they are told by number.

use std::collections::HashSet;

use weir_engine::audit::{AuditAnswer, Heard};

/// Numbers made here begin above all that registries have given, and end within what every client can hold
/// (31 bits).
const FROM: u64 = 1_000_000_000;

/// The largest whole number that JavaScript tells from its neighbours.
const LARGEST: u64 = (1 << 53) - 1;

/// A number for each report, in the order of the answer; no two are the same. A registry's own is kept
/// where nothing before has it. Any other is made from package and id, so that the same advisory has the
/// same number everywhere, and one about two packages has two.
pub(super) fn numbers(found: &AuditAnswer) -> Vec<Vec<u64>> {
    let mut taken: HashSet<u64> = HashSet::new();
    let given = |heard: &Heard| heard.number.filter(|it| (1..=LARGEST).contains(it));
    let mut kept: Vec<Vec<Option<u64>>> = Vec::with_capacity(found.heard.len());
    for all in found.heard.values() {
        let numbers = all
            .iter()
            .map(|it| given(it).filter(|it| taken.insert(*it)));
        kept.push(numbers.collect());
    }
    let mut numbers = Vec::with_capacity(kept.len());
    for ((name, all), kept) in found.heard.iter().zip(kept) {
        let all = all.iter().zip(kept);
        let all = all.map(|(heard, kept)| kept.unwrap_or_else(|| made(name, heard, &mut taken)));
        numbers.push(all.collect());
    }
    numbers
}

/// A number from package and id: the next one that is free.
fn made(name: &str, heard: &Heard, taken: &mut HashSet<u64>) -> u64 {
    let id = heard.ids.first().map_or("", String::as_str);
    // FNV-1a: the number only has to differ, and to stay the same. No name holds a zero byte.
    let bytes = name.bytes().chain([0]).chain(id.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut place = hash % FROM;
    while !taken.insert(FROM + place) {
        place = (place + 1) % FROM;
    }
    FROM + place
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, heard};
    use super::*;

    #[test]
    fn one_advisory_about_two_packages_has_two_numbers() {
        let found = answer([
            ("mud", vec![heard("GHSA-1", None), heard("GHSA-2", None)]),
            ("reed", vec![heard("GHSA-1", None)]),
        ]);
        let first: Vec<u64> = numbers(&found).into_iter().flatten().collect();
        let different: HashSet<&u64> = first.iter().collect();
        assert_eq!(different.len(), 3);
        assert!(
            first.iter().all(|it| (FROM..2 * FROM).contains(it)),
            "{first:?}"
        );
        // The same again, alone: nothing depends on what else is in the answer.
        let alone = answer([("reed", vec![heard("GHSA-1", None)])]);
        assert_eq!(numbers(&alone), [[first[2]]]);
    }

    #[test]
    fn a_registrys_number_is_kept_where_it_is_one_and_free() {
        let found = answer([
            (
                "mud",
                vec![heard("GHSA-1", Some(7)), heard("GHSA-2", Some(0))],
            ),
            (
                "reed",
                vec![heard("GHSA-1", Some(7)), heard("GHSA-3", Some(u64::MAX))],
            ),
        ]);
        let numbers: Vec<u64> = numbers(&found).into_iter().flatten().collect();
        assert_eq!(numbers[0], 7);
        assert!(
            numbers[1..].iter().all(|it| *it >= FROM && *it <= LARGEST),
            "{numbers:?}"
        );
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), 4);
    }

    #[test]
    fn two_that_would_have_the_same_number_have_not() {
        let one = heard("GHSA-1", None);
        let mut taken = HashSet::new();
        let first = made("reed", &one, &mut taken);
        let second = made("reed", &one, &mut taken);
        assert!(first != second && taken.len() == 2);
    }
}
