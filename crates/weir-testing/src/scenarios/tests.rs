use super::*;

#[test]
fn every_release_named_is_served() {
    for scenario in all(default_now()) {
        for attack in &scenario.attacks {
            let name = attack.name;
            let document = scenario.registry.packument(name).unwrap();
            assert_eq!(document["dist-tags"]["latest"], attack.version, "{name}");
            if let Some(good) = attack.good {
                assert!(document["versions"].get(good).is_some(), "{name}@{good}");
            }
            assert!(!attack.expected.is_empty());
        }
        for twin in &scenario.twins {
            let name = twin.name;
            assert!(
                scenario.registry.tarball(name, twin.version).is_some(),
                "{name}"
            );
        }
        scenario.sink.assert_untouched();
    }
}

#[test]
fn attacks_are_minutes_old_and_unseen_before() {
    let now = default_now();
    for scenario in all(now) {
        scenario.registry.set_now_at(minutes_before(now, 60));
        for attack in &scenario.attacks {
            assert!(
                scenario
                    .registry
                    .tarball(attack.name, attack.version)
                    .is_none()
            );
            let document = scenario.registry.packument(attack.name);
            let latest = document.map(|document| document["dist-tags"]["latest"].clone());
            assert_eq!(latest, attack.good.map(Into::into), "{}", attack.name);
        }
    }
}
