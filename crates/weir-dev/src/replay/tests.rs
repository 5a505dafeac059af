use std::collections::BTreeSet;

use weir_testing::scenarios::{self, default_now};

/// Every incident on record is replayed, and none that is not.
#[test]
fn every_incident_has_a_replay() {
    let mut replayed = BTreeSet::new();
    for scenario in scenarios::all(default_now()) {
        for attack in &scenario.attacks {
            replayed.extend(attack.incidents.iter().copied());
        }
    }
    let wanted: BTreeSet<String> = (1..=45).map(|number| format!("I{number:02}")).collect();
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    assert_eq!(replayed, wanted);
}

/// INCIDENTS section 5 is covered from R1 to R26: a scenario may play two of them.
#[test]
fn every_shape_has_a_scenario() {
    let names: Vec<&str> = scenarios::all(default_now())
        .iter()
        .map(|scenario| scenario.name)
        .collect();
    for number in 1..=26 {
        let id = format!("R{number}-");
        assert!(
            names.iter().any(|name| name.contains(&id)),
            "{id} {names:?}"
        );
    }
    let unique: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}
