//! Registry signatures: real keys of a test, and one signature of the public registry.

use weir_npm::packument::Signature;

use super::*;
use crate::{SignatureFault, verify_signature};

const INTEGRITY: &str = "sha512-AAAA";

fn signature(key: &SigningKey, message: &str) -> Signature {
    Signature {
        keyid: key.id.clone(),
        sig: key.sign(message),
    }
}

fn check(
    keys: &[Value],
    signatures: &[Signature],
    published: Option<&str>,
) -> Result<String, SignatureFault> {
    let mut all = RegistryKeys::default();
    for document in keys {
        all.add(RegistryKeys::parse(document.to_string().as_bytes()).unwrap());
    }
    let published = published.map(|time| time.parse().unwrap());
    verify_signature(&all, "lib", "1.0.0", INTEGRITY, signatures, published)
        .map(|verified| verified.keyid().to_owned())
}

#[test]
fn signatures_hold_for_exactly_what_was_signed() {
    let key = SigningKey::generate("SHA256:a");
    let keys = [key.document(None)];
    let right = signature(&key, "lib@1.0.0:sha512-AAAA");
    assert_eq!(
        check(&keys, std::slice::from_ref(&right), None).unwrap(),
        "SHA256:a"
    );
    for message in [
        "lib@1.0.1:sha512-AAAA",
        "libs@1.0.0:sha512-AAAA",
        "lib@1.0.0:sha512-AAAB",
        "",
    ] {
        let wrong = check(&keys, &[signature(&key, message)], None);
        assert!(
            matches!(wrong, Err(SignatureFault::Wrong { .. })),
            "{message}"
        );
    }
    assert_eq!(check(&keys, &[], None), Err(SignatureFault::Missing));
    let broken = Signature {
        sig: "%%".to_owned(),
        ..right.clone()
    };
    assert!(matches!(
        check(&keys, &[broken], None),
        Err(SignatureFault::Wrong { .. })
    ));
    let stranger = Signature {
        keyid: "SHA256:b".to_owned(),
        ..right
    };
    assert!(matches!(
        check(&keys, &[stranger], None),
        Err(SignatureFault::UnknownKey { .. })
    ));
}

#[test]
fn one_wrong_signature_is_not_made_good_by_another() {
    let (key, other) = (
        SigningKey::generate("SHA256:a"),
        SigningKey::generate("SHA256:b"),
    );
    let keys = [key.document(None), other.document(None)];
    let right = signature(&key, "lib@1.0.0:sha512-AAAA");
    let wrong = signature(&other, "lib@1.0.1:sha512-AAAA");
    for pair in [[right.clone(), wrong.clone()], [wrong, right.clone()]] {
        assert!(matches!(
            check(&keys, &pair, None),
            Err(SignatureFault::Wrong { .. })
        ));
    }
    // A second signature with a key that is not known yet takes nothing away.
    let future = Signature {
        keyid: "SHA256:c".to_owned(),
        ..right.clone()
    };
    assert!(check(&keys, &[right, future], None).is_ok());
}

#[test]
fn a_key_is_judged_by_when_the_release_was_published() {
    let key = SigningKey::generate("SHA256:a");
    let keys = [key.document(Some("2025-01-29T00:00:00.000Z"))];
    let signatures = [signature(&key, "lib@1.0.0:sha512-AAAA")];
    assert!(check(&keys, &signatures, Some("2025-01-28T23:59:59.999Z")).is_ok());
    let late = check(&keys, &signatures, Some("2025-01-29T00:00:00Z"));
    assert!(matches!(late, Err(SignatureFault::Expired { .. })));
    let unknown = check(&keys, &signatures, None);
    assert!(matches!(unknown, Err(SignatureFault::Unjudged { .. })));
}

#[test]
fn one_label_may_name_two_keys_of_different_times() {
    let (old, new) = (
        SigningKey::generate("SHA256:a"),
        SigningKey::generate("SHA256:a"),
    );
    let item = |key: &SigningKey, window: Value| {
        json!({"keyId": "SHA256:a", "keyUsage": "npm:signatures", "publicKey": {
            "rawBytes": key.public(), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": window,
        }})
    };
    let keys = json!({"keys": [
        item(&old, json!({"start": "1999-01-01T00:00:00Z", "end": "2025-01-29T00:00:00Z"})),
        item(&new, json!({"start": "2025-01-29T00:00:00Z"})),
    ]});
    let signed = [signature(&new, "lib@1.0.0:sha512-AAAA")];
    assert!(
        check(
            std::slice::from_ref(&keys),
            &signed,
            Some("2026-01-01T00:00:00Z")
        )
        .is_ok()
    );
    let early = check(&[keys], &signed, Some("2024-01-01T00:00:00Z"));
    assert!(matches!(early, Err(SignatureFault::Wrong { .. })));
}

#[test]
fn keys_of_an_unknown_kind_are_counted_and_documents_of_another_form_refused() {
    let mut odd = SigningKey::generate("SHA256:a").document(None);
    odd["keys"][0]["keytype"] = "ed25519".into();
    let keys = RegistryKeys::parse(odd.to_string().as_bytes()).unwrap();
    assert!(keys.is_empty() && keys.skipped() == 1);
    for bad in ["", "null", "[]", "{}", r#"{"keys": 1}"#] {
        assert!(RegistryKeys::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    let many = json!({"keys": vec![odd["keys"][0].clone(); 101]}).to_string();
    assert_eq!(
        RegistryKeys::parse(many.as_bytes()),
        Err(crate::KeysError::TooLarge)
    );
}

#[test]
fn another_key_under_a_known_label_is_a_contradiction() {
    let read = |document: Value| RegistryKeys::parse(document.to_string().as_bytes()).unwrap();
    let (old, other) = (
        SigningKey::generate("SHA256:a"),
        SigningKey::generate("SHA256:a"),
    );
    let pinned = read(old.document(None));
    // The end of a key may be news, and so may a further key.
    let mut served = read(old.document(Some("2027-01-01T00:00:00Z")));
    served.add(read(SigningKey::generate("SHA256:b").document(None)));
    assert_eq!(pinned.contradicts(&served), None);
    assert_eq!(
        pinned.contradicts(&read(other.document(None))),
        Some("SHA256:a")
    );
    assert_eq!(pinned.contradicts(&RegistryKeys::default()), None);
}
