use serde_json::json;
use weir_model::SignatureState;
use weir_npm::name::PackageName;
use weir_provenance::RegistryKeys;

use super::*;
use crate::trust::Wanted;
use crate::trust::record::signature;

fn packument(document: &Value) -> Packument {
    let name = PackageName::parse("lib").unwrap();
    Packument::parse(&name, document.to_string().into()).unwrap()
}

/// What is read of a release with these fields of `dist`.
fn dist(fields: &Value) -> Facts {
    let document = json!({"name": "lib", "versions": {"1.0.0": {"dist": fields}}});
    Facts::read(&packument(&document), "1.0.0", false).unwrap()
}

/// Keys of which none signed anything here.
fn keys() -> RegistryKeys {
    let key = json!({"keyid": "SHA256:one", "keytype": "ecdsa-sha2-nistp256",
        "scheme": "ecdsa-sha2-nistp256", "key": "AAAA", "expires": null});
    let keys = RegistryKeys::parse(json!({"keys": [key]}).to_string().as_bytes()).unwrap();
    assert!(!keys.is_empty());
    keys
}

fn signed(signatures: &Value, keys: &RegistryKeys) -> SignatureState {
    let wanted = Wanted {
        name: PackageName::parse("lib").unwrap(),
        version: "1.0.0".to_owned(),
        integrity: None,
    };
    let facts = dist(&json!({"integrity": "sha512-x", "signatures": signatures}));
    signature(&wanted, &facts, keys)
}

#[test]
fn a_signature_that_cannot_be_read_does_not_hold() {
    let good = json!({"keyid": "SHA256:other", "sig": "MEUCIQ=="});
    for odd in [
        json!("x"),
        json!(1),
        json!(true),
        json!({}),
        good.clone(),
        json!([{"sig": "abcd"}]),
        json!([{"keyid": 1, "sig": "x"}]),
        json!([null]),
        json!([[]]),
        json!([good, "x"]),
    ] {
        let state = signed(&odd, &keys());
        assert!(
            matches!(state, SignatureState::Failed { .. }),
            "{odd}: {state:?}"
        );
        // Whose registry signs nothing has nothing to hold.
        let state = signed(&odd, &RegistryKeys::default());
        assert_eq!(state, SignatureState::Unsigned, "{odd}");
    }
    // Without an integrity it is no better.
    let facts = dist(&json!({"signatures": "x"}));
    assert!(facts.odd_signatures && facts.integrity.is_none());
}

/// As mirrors leave them: they keep none, or write down that there is none.
#[test]
fn near_miss_no_signature_at_all_is_one_that_is_missing() {
    for none in [json!([]), json!(null), json!(false), json!("")] {
        assert_eq!(signed(&none, &keys()), SignatureState::Missing, "{none}");
        let facts = dist(&json!({"attestations": none.clone()}));
        let announced = !none.is_array();
        assert_eq!(facts.attested, !announced, "{none}");
        assert_eq!(facts.odd_attestations, !announced, "{none}");
    }
    let facts = dist(&json!({}));
    assert!(!facts.odd_signatures && !facts.attested);
}

#[test]
fn one_odd_field_takes_no_other_away() {
    let good = json!([{"keyid": "SHA256:one", "sig": "AA=="}]);
    let facts = dist(&json!({
        "integrity": "sha512-x", "shasum": 7, "attestations": "x", "signatures": good, "fileCount": "many",
    }));
    assert_eq!(facts.integrity.as_deref(), Some("sha512-x"));
    assert_eq!(facts.shasum, None);
    assert_eq!(facts.signatures.len(), 1);
    assert!(facts.attested && facts.odd_attestations && !facts.provenance);
    let facts = dist(&json!({"attestations": {"url": "u", "provenance": {"predicateType": "p"}}}));
    assert!(facts.attested && facts.provenance && !facts.odd_attestations);
    let facts = dist(&json!({"attestations": {"url": "u", "provenance": null}}));
    assert!(facts.attested && !facts.provenance);
}

/// Clients read on where serde does not.
#[test]
fn an_entry_that_cannot_be_read_is_no_way_around_its_signature() {
    let name = PackageName::parse("lib").unwrap();
    for entry in [
        r#"{"dist": {"integrity": "sha512-x", "signatures": [], "fileName": "\ud800"}}"#,
        r#"{"dist": {"integrity": "sha512-x", "signatures": [], "unpackedSize": 1e999}}"#,
        r#"{"dist": {"integrity": "sha512-x"}, "\ud800": 1}"#,
        r#"{"dist": "x"}"#,
    ] {
        let document = format!(r#"{{"name": "lib", "versions": {{"1.0.0": {entry}}}}}"#);
        let packument = Packument::parse(&name, document.into()).unwrap();
        let facts = Facts::read(&packument, "1.0.0", false).unwrap();
        assert!(facts.odd_signatures && facts.odd_attestations, "{entry}");
    }
}

#[test]
fn who_published_says_little_where_it_is_odd() {
    let read = |user: Value| {
        let document =
            json!({"name": "lib", "versions": {"1.0.0": {"dist": {}, "_npmUser": user}}});
        let facts = Facts::read(&packument(&document), "1.0.0", false).unwrap();
        (facts.trusted_publisher, facts.approved)
    };
    let trusted = json!({"name": "GitHub Actions", "trustedPublisher": {"id": "github"}});
    assert_eq!(read(trusted), (true, false));
    assert_eq!(read(json!({"approver": {"name": "mara"}})), (false, true));
    let nothing = json!({"trustedPublisher": false, "approver": null});
    for odd in [json!("mara"), json!([]), json!(null), nothing] {
        assert_eq!(read(odd.clone()), (false, false), "{odd}");
    }
}

/// A package with provenance for these versions and none for the others; those with a day have a publish time.
fn history(releases: &[(&str, Option<&str>, bool)]) -> Packument {
    let mut versions = Map::new();
    let mut time = Map::new();
    for (version, day, built) in releases {
        let provenance = json!({"provenance": {"predicateType": "https://slsa.dev/provenance/v1"}});
        let dist = match built {
            true => json!({"attestations": provenance}),
            false => json!({}),
        };
        versions.insert((*version).to_owned(), json!({"dist": dist}));
        if let Some(day) = day {
            time.insert((*version).to_owned(), format!("{day}T10:00:00.000Z").into());
        }
    }
    packument(&json!({"name": "lib", "versions": versions, "time": time}))
}

fn compared_with(packument: &Packument, version: &str) -> Vec<String> {
    Facts::read(packument, version, true).unwrap().earlier
}

#[test]
fn a_release_is_compared_with_the_last_of_its_line() {
    let packument = history(&[
        ("1.0.0", Some("2025-01-01"), true),
        ("1.1.0", Some("2025-02-01"), true),
        ("1.2.0", Some("2025-03-01"), true),
        ("1.3.0", Some("2025-03-02"), false),
        ("2.0.0", Some("2025-04-01"), true),
        ("1.3.1", Some("2025-05-01"), false),
        ("3.0.0", Some("2025-06-01"), true),
        ("3.0.1", Some("2025-06-01"), true),
    ]);
    assert_eq!(
        compared_with(&packument, "1.3.1"),
        ["1.2.0", "1.1.0", "1.0.0"]
    );
    assert_eq!(compared_with(&packument, "1.1.0"), ["1.0.0"]);
    // A new line goes by the others, and one with little past by both.
    assert_eq!(
        compared_with(&packument, "2.0.0"),
        ["1.2.0", "1.1.0", "1.0.0"]
    );
    assert_eq!(
        compared_with(&packument, "3.0.1"),
        ["3.0.0", "2.0.0", "1.2.0"]
    );
    assert_eq!(compared_with(&packument, "1.0.0"), [""; 0]);
}

#[test]
fn a_release_without_a_time_is_compared_by_number() {
    let timed = [
        ("1.0.0", Some("2025-01-01"), true),
        ("1.10.0", Some("2025-02-01"), true),
        ("2.0.0", Some("2025-03-01"), true),
        ("1.9.9", None, false),
        ("1.10.1", None, false),
    ];
    let packument = history(&timed);
    assert_eq!(compared_with(&packument, "1.10.1"), ["1.10.0", "1.0.0"]);
    assert_eq!(compared_with(&packument, "1.9.9"), ["1.0.0"]);
    // A registry that keeps no times, in whatever order it lists versions.
    let untimed = timed.map(|(version, _, built)| (version, None, built));
    let packument = history(&untimed);
    assert_eq!(compared_with(&packument, "1.10.1"), ["1.10.0", "1.0.0"]);
    assert_eq!(compared_with(&packument, "2.0.0"), ["1.10.0", "1.0.0"]);
    let mut backwards = untimed;
    backwards.reverse();
    let packument = history(&backwards);
    assert_eq!(compared_with(&packument, "1.10.1"), ["1.10.0", "1.0.0"]);
    // Times of the others alone say nothing of which of them came later.
    let packument = history(&[
        ("1.0.0", None, true),
        ("1.0.1", Some("2025-01-01"), false),
        ("1.0.2", None, true),
    ]);
    assert_eq!(compared_with(&packument, "1.0.1"), ["1.0.0"]);
}
