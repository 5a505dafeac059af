//! Bundles of the test Sigstore: what verifies, and a case for every refusal.

use weir_testing::sigstore::GITLAB;

use super::*;
use crate::SLSA_0_2;

fn whole() -> Vec<u8> {
    document(&[
        (PUBLISH, published(&publish_statement())),
        (SLSA_1, built(&slsa_1(), &github())),
    ])
}

#[test]
fn a_build_on_github_and_its_publication_verify() {
    let verified = verify(&whole()).unwrap();
    let publish = verified.publish().unwrap();
    assert_eq!(publish.keyid, "SHA256:first");
    assert_eq!(
        publish.registry.as_deref(),
        Some("https://registry.example.invalid")
    );
    assert_eq!(publish.logged_at, at());
    let claims = verified.provenance().unwrap().claims();
    assert_eq!(claims.repository, REPOSITORY);
    assert_eq!(claims.repository_id.as_deref(), Some("424242"));
    assert_eq!(
        claims.workflow.as_deref(),
        Some(".github/workflows/release.yml")
    );
    assert_eq!(claims.signer, None);
    assert_eq!(claims.reference.as_deref(), Some("refs/tags/v1.2.3"));
    assert_eq!(claims.runner.as_deref(), Some("github-hosted"));
    assert_eq!(claims.environment.as_deref(), Some("release"));
    assert_eq!(claims.signed_at, at());
}

#[test]
fn all_log_forms_and_both_bundle_forms_verify() {
    for kind in [Kind::Intoto, Kind::Dsse, Kind::Rekord] {
        let bundle = WORLD.sigstore.sign(&slsa_1(), &github(), kind, at());
        verify(&document(&[(SLSA_1, bundle)])).unwrap();
        let statement = publish_statement();
        let bundle = WORLD
            .sigstore
            .sign_with_key(&statement, &WORLD.key, kind, at());
        verify(&document(&[(PUBLISH, bundle)])).unwrap();
    }
}

#[test]
fn the_time_of_an_entry_without_one_is_the_timestamps() {
    let bundle = WORLD
        .sigstore
        .sign(&slsa_1(), &github(), Kind::Rekord, at());
    let verified = verify(&document(&[(SLSA_1, bundle.clone())])).unwrap();
    assert_eq!(verified.provenance().unwrap().claims().signed_at, at());
    // Nobody else says when it was, and a certificate of ten minutes is for no other time.
    let change = |change: &dyn Fn(&mut Value)| {
        let mut bundle = bundle.clone();
        change(&mut bundle);
        verify(&document(&[(SLSA_1, bundle)]))
    };
    let stamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    let entry = "/verificationMaterial/tlogEntries/0";
    let without = change(&|bundle| *bundle.pointer_mut(stamps).unwrap() = json!([]));
    assert!(matches!(without, Err(Refusal::Invalid(_))), "{without:?}");
    let other = WORLD
        .sigstore
        .sign(&slsa_1(), &github(), Kind::Rekord, at());
    let theirs = other.pointer(stamps).unwrap().clone();
    let swapped = change(&|bundle| *bundle.pointer_mut(stamps).unwrap() = theirs.clone());
    assert!(matches!(swapped, Err(Refusal::Invalid(_))), "{swapped:?}");
    let cases: [(&str, Value); 3] = [
        ("integratedTime", json!("1770091506")),
        ("inclusionPromise", json!({"signedEntryTimestamp": "AAAA"})),
        ("logIndex", json!("2")),
    ];
    for (key, value) in cases {
        let refused = change(&|bundle| bundle.pointer_mut(entry).unwrap()[key] = value.clone());
        assert!(
            matches!(refused, Err(Refusal::Shape(_))),
            "{key}: {refused:?}"
        );
    }
}

#[test]
fn a_log_that_the_root_does_not_know_could_not_be_checked() {
    let older = Verifier::from_root(&WORLD.sigstore.older_root()).unwrap();
    let bundle = WORLD
        .sigstore
        .sign(&slsa_1(), &github(), Kind::Rekord, at());
    let refused = verify_with(&older, &WORLD.keys, &document(&[(SLSA_1, bundle)]));
    assert!(
        matches!(refused, Err(Refusal::UnknownLog(_))),
        "{refused:?}"
    );
    // A log of the first generation there was only ever one of: another one is nobody's.
    let bundle = Sigstore::generate().sign(&slsa_1(), &github(), Kind::Dsse, at());
    let refused = verify_with(&older, &WORLD.keys, &document(&[(SLSA_1, bundle)]));
    assert!(matches!(refused, Err(Refusal::Invalid(_))), "{refused:?}");
}

#[test]
fn witnesses_may_countersign_a_log_of_the_second_generation_only() {
    let witness = "\u{2014} witness.example.invalid q83vEjRWeJA=\n";
    let envelope = "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";
    for (kind, fine) in [(Kind::Rekord, true), (Kind::Dsse, false)] {
        let mut bundle = WORLD.sigstore.sign(&slsa_1(), &github(), kind, at());
        let text = bundle.pointer_mut(envelope).unwrap();
        *text = format!("{}{witness}", text.as_str().unwrap()).into();
        assert_eq!(
            verify(&document(&[(SLSA_1, bundle)])).is_ok(),
            fine,
            "{kind:?}"
        );
    }
}

#[test]
fn a_build_on_gitlab_verifies_in_the_older_form() {
    let repository = "https://gitlab.example.invalid/group/lib";
    let config = format!("{repository}//.gitlab-ci.yml@refs/tags/v1.2.3");
    let mut identity = github();
    identity.issuer = GITLAB.to_owned();
    identity.subject.clone_from(&config);
    let identity = identity
        .claim(9, &config)
        .claim(11, "gitlab-hosted")
        .claim(12, repository)
        .claim(18, &config)
        .without(23);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": subject_of(NAME, VERSION),
        "predicateType": SLSA_0_2,
        "predicate": {
            "buildType": "https://github.com/npm/cli/gitlab/v0alpha1",
            "builder": {"id": format!("{repository}/-/runners/12270852")},
            "invocation": {"configSource": {
                "uri": format!("git+{repository}"),
                "digest": {"sha1": COMMIT},
                "entryPoint": "publish",
            }},
        },
    });
    let bundle = WORLD
        .sigstore
        .sign(&statement, &identity, Kind::Intoto, at());
    let verified = verify(&document(&[(SLSA_0_2, bundle)])).unwrap();
    let claims = verified.provenance().unwrap().claims();
    assert_eq!(claims.issuer, GITLAB);
    assert_eq!(claims.workflow.as_deref(), Some(".gitlab-ci.yml"));
    assert_eq!(claims.repository, repository);
}

#[test]
fn a_reusable_workflow_is_told_from_the_source() {
    let signer = "https://git.example.invalid/shared/ci/.github/workflows/npm.yml@refs/heads/main";
    let bundle = built(&slsa_1(), &github().claim(9, signer));
    let verified = verify(&document(&[(SLSA_1, bundle)])).unwrap();
    let claims = verified.provenance().unwrap().claims();
    assert_eq!(
        claims.signer.as_deref(),
        Some("https://git.example.invalid/shared/ci/.github/workflows/npm.yml")
    );
    assert_eq!(
        claims.workflow.as_deref(),
        Some(".github/workflows/release.yml")
    );
}

#[test]
fn a_scope_may_be_written_in_both_ways_and_no_third() {
    let mut statement = slsa_1();
    statement["subject"][0]["name"] = "pkg:npm/@scope/lib@1.2.3".into();
    verify(&document(&[(SLSA_1, built(&statement, &github()))])).unwrap();
    for other in [
        "pkg:npm/%40scope%2Flib@1.2.3",
        "pkg:npm/lib@1.2.3",
        "pkg:npm/@scope/lib@1.2.4",
    ] {
        statement["subject"][0]["name"] = other.into();
        let refused = verify(&document(&[(SLSA_1, built(&statement, &github()))]));
        assert!(
            matches!(refused, Err(Refusal::OtherSubject { .. })),
            "{other}"
        );
    }
}

#[test]
fn a_publication_names_the_release_in_both_ways_and_no_third() {
    for (name, fine) in [
        ("pkg:npm/%40scope/lib@1.2.3", true),
        ("pkg:npm/@scope/lib@1.2.3", true),
        ("pkg:npm/scope/lib@1.2.3", false),
        ("pkg:npm/%40scope/lib@1.2.4", false),
        ("pkg:npm/%40scope/lib", false),
        ("@scope/lib@1.2.3", false),
    ] {
        let mut statement = publish_statement();
        statement["subject"][0]["name"] = name.into();
        let verified = verify(&document(&[(PUBLISH, published(&statement))]));
        assert_eq!(verified.is_ok(), fine, "{name}: {verified:?}");
    }
    // The subject is right, and what the registry says it took in is something else.
    for (key, value) in [("name", "@scope/other"), ("version", "1.2.4")] {
        let mut statement = publish_statement();
        statement["predicate"][key] = value.into();
        let refused = verify(&document(&[(PUBLISH, published(&statement))]));
        assert_eq!(refused.unwrap_err(), Refusal::OtherRelease, "{key}");
    }
}

#[test]
fn statements_about_something_else_are_refused() {
    let refused = |statement: &Value| {
        let bundle = built(statement, &github());
        verify(&document(&[(SLSA_1, bundle)])).unwrap_err()
    };
    let mut two = slsa_1();
    let subject = two["subject"][0].clone();
    two["subject"].as_array_mut().unwrap().push(subject);
    assert!(matches!(refused(&two), Refusal::Statement(_)));
    let mut other = slsa_1();
    other["subject"][0]["digest"]["sha512"] = hex::encode([8; 64]).into();
    // The library compares the digest first and says so in its own words.
    assert!(matches!(refused(&other), Refusal::Invalid(_)));
    let mut kind = slsa_1();
    kind["predicateType"] = SLSA_0_2.into();
    assert!(matches!(refused(&kind), Refusal::OtherPredicate { .. }));
    let mut alien = slsa_1();
    alien["_type"] = "https://example.invalid/Statement".into();
    assert!(matches!(
        refused(&alien),
        Refusal::Statement(_) | Refusal::Invalid(_)
    ));
}

#[test]
fn a_statement_that_contradicts_its_certificate_is_refused() {
    let cases = [
        (
            9,
            "https://git.example.invalid/owner/lib/.github/workflows/release.yml@x",
            None,
        ),
        (
            12,
            "https://git.example.invalid/other/lib",
            Some("repository"),
        ),
        (
            13,
            "ffffffffffffffffffffffffffffffffffffffff",
            Some("commit"),
        ),
        (
            18,
            "https://git.example.invalid/owner/lib/.github/workflows/else.yml@x",
            Some("workflow"),
        ),
    ];
    for (number, value, contradiction) in cases {
        let bundle = built(&slsa_1(), &github().claim(number, value));
        let result = verify(&document(&[(SLSA_1, bundle)]));
        match contradiction {
            None => assert!(result.is_ok(), "{number}"),
            Some(expected) => assert!(
                matches!(&result, Err(Refusal::Contradiction { what, .. }) if *what == expected),
                "{number}: {result:?}"
            ),
        }
    }
}

#[test]
fn a_person_or_an_unknown_platform_is_no_build() {
    let mut person = github();
    person.issuer = "https://accounts.example.invalid".to_owned();
    let document = document(&[(SLSA_1, built(&slsa_1(), &person))]);
    assert!(matches!(verify(&document), Err(Refusal::UnknownIssuer(_))));
    let told = Verifier::from_root(&WORLD.sigstore.trusted_root())
        .unwrap()
        .with_issuer("https://accounts.example.invalid");
    assert!(verify_with(&told, &WORLD.keys, &document).is_ok());
    let bare = super::document(&[(SLSA_1, built(&slsa_1(), &github().without(12)))]);
    assert_eq!(verify(&bare).unwrap_err(), Refusal::NoBuild);
}

#[test]
fn keys_count_for_their_time_and_use_only() {
    let document = document(&[(PUBLISH, published(&publish_statement()))]);
    let with = |keys: Value| {
        let keys = RegistryKeys::parse(keys.to_string().as_bytes()).unwrap();
        verify_with(&WORLD.verifier, &keys, &document)
    };
    assert!(with(WORLD.key.document(Some("2026-02-03T04:05:07Z"))).is_ok());
    let expired = with(WORLD.key.document(Some("2026-02-03T04:05:06Z")));
    assert!(matches!(expired, Err(Refusal::ExpiredKey(_))));
    let stranger = SigningKey::generate("SHA256:second").document(None);
    assert!(matches!(with(stranger), Err(Refusal::UnknownKey(_))));
    let swapped = SigningKey::generate("SHA256:first").document(None);
    assert!(matches!(with(swapped), Err(Refusal::Invalid(_))));
    let root_form = |usage: &str| {
        json!({"keys": [{"keyId": "SHA256:first", "keyUsage": usage, "publicKey": {
            "rawBytes": WORLD.key.public(),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": "2026-01-01T00:00:00Z"},
        }}]})
    };
    assert!(with(root_form("npm:attestations")).is_ok());
    let other_use = with(root_form("npm:signatures"));
    assert!(matches!(other_use, Err(Refusal::UnknownKey(_))));
}

#[test]
fn what_another_sigstore_signed_is_refused() {
    let theirs = Sigstore::generate();
    let bundle = theirs.sign(&slsa_1(), &github(), Kind::Dsse, at());
    let refused = verify(&document(&[(SLSA_1, bundle)]));
    assert!(matches!(
        refused,
        Err(Refusal::Invalid(_) | Refusal::Shape(_))
    ));
    // Parts of two: the log of one, the certificate of the other.
    for part in ["tlogEntries", "certificate"] {
        let mut mixed = built(&slsa_1(), &github());
        let other = theirs.sign(&slsa_1(), &github(), Kind::Dsse, at());
        mixed["verificationMaterial"][part] = other["verificationMaterial"][part].clone();
        let refused = verify(&document(&[(SLSA_1, mixed)]));
        assert!(refused.is_err(), "{part}");
    }
}

#[test]
fn the_entry_of_another_bundle_does_not_vouch_for_this_one() {
    let mut mixed = built(&slsa_1(), &github());
    let other = built(&slsa_1(), &github());
    mixed["verificationMaterial"]["tlogEntries"] =
        other["verificationMaterial"]["tlogEntries"].clone();
    assert!(verify(&document(&[(SLSA_1, mixed)])).is_err());
}

#[test]
fn documents_and_bundles_of_other_shapes_are_refused() {
    let bundle = built(&slsa_1(), &github());
    let change = |change: &dyn Fn(&mut Value)| {
        let mut bundle = bundle.clone();
        change(&mut bundle);
        verify(&document(&[(SLSA_1, bundle)]))
    };
    assert!(change(&|_| ()).is_ok());
    let cases: [&dyn Fn(&mut Value); 9] = [
        &|b| b["mediaType"] = "application/json".into(),
        &|b| b["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.9+json".into(),
        &|b| b["extra"] = 1.into(),
        &|b| b["verificationMaterial"]["tlogEntries"] = json!([]),
        &|b| b["verificationMaterial"]["publicKey"] = json!({"hint": "SHA256:first"}),
        &|b| b["dsseEnvelope"]["signatures"] = json!([]),
        &|b| b["dsseEnvelope"]["signatures"][0]["keyid"] = "x".into(),
        &|b| {
            let entry = b["verificationMaterial"]["tlogEntries"][0].as_object_mut();
            let entry = entry.unwrap();
            entry.remove("inclusionPromise");
            entry.remove("inclusionProof");
        },
        &|b| {
            let proof = &mut b["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
            proof["hashes"].as_array_mut().unwrap().pop();
        },
    ];
    for (number, case) in cases.into_iter().enumerate() {
        assert!(change(case).is_err(), "{number}");
    }
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"attestations":[]}"#,
        r#"{"attestations":[{}]}"#,
    ] {
        assert!(
            matches!(verify(bad.as_bytes()), Err(Refusal::Document(_))),
            "{bad}"
        );
    }
    let twice = document(&[(SLSA_1, bundle.clone()), (SLSA_1, bundle)]);
    assert!(matches!(verify(&twice), Err(Refusal::Twice(_))));
}

#[test]
fn a_release_without_sha512_has_nothing_to_compare() {
    let name = PackageName::parse(NAME).unwrap();
    let weak = Integrity::from_digest(Algorithm::Sha1, &[1; 20]).unwrap();
    let subject = Subject {
        name: &name,
        version: VERSION,
        integrity: &weak,
    };
    let attestations = Attestations::parse(&whole()).unwrap();
    let refused = WORLD.verifier.verify(&attestations, &subject, &WORLD.keys);
    assert_eq!(refused.unwrap_err(), Refusal::NoDigest);
}

#[test]
fn roots_that_trust_nobody_are_none() {
    for bad in [
        "",
        "{}",
        r#"{"mediaType":"x","tlogs":[],"certificateAuthorities":[]}"#,
    ] {
        assert!(
            matches!(Verifier::from_root(bad), Err(Refusal::Root(_))),
            "{bad}"
        );
    }
    Verifier::embedded().unwrap();
}
