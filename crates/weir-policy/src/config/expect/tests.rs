use super::*;

fn expectation(keys: &str) -> Expectation {
    toml::from_str(&format!("package = \"@acme/*\"\n{keys}")).unwrap()
}

fn claims() -> Claims {
    let text = |value: &str| Some(value.to_owned());
    Claims {
        predicate: "https://slsa.dev/provenance/v1".to_owned(),
        issuer: "https://issuer.example.invalid".to_owned(),
        repository: "https://github.com/acme/tools".to_owned(),
        repository_id: text("42"),
        owner: None,
        owner_id: None,
        commit: text("aa"),
        reference: text("refs/tags/@acme/tools@1.0.0"),
        workflow: text(".github/workflows/release.yml"),
        signer: None,
        trigger: text("push"),
        runner: text("github-hosted"),
        environment: text("release"),
        visibility: None,
        run: None,
        signed_at: "2026-07-02T10:00:00Z".parse().unwrap(),
    }
}

fn trust(signature: SignatureState, attestations: AttestationState) -> Trust {
    Trust {
        signature,
        attestations,
        since: None,
        changes: Vec::new(),
        breaches: Vec::new(),
    }
}

fn built(claims: Claims) -> Trust {
    let claims = Some(Box::new(claims));
    trust(signed(), AttestationState::Verified { claims })
}

fn signed() -> SignatureState {
    SignatureState::Verified {
        keyid: "SHA256:key".to_owned(),
    }
}

fn broken(expectation: &Expectation, trust: &Trust) -> Vec<(Expected, String, String)> {
    let release = Traced {
        name: "@acme/tools",
        published: Some("2026-07-02T10:00:00Z".parse().unwrap()),
        trust,
        trusted_publisher: false,
        approved: false,
    };
    breaches(std::slice::from_ref(expectation), &release)
        .into_iter()
        .map(|it| (it.what, it.expected, it.found))
        .collect()
}

#[test]
fn each_key_is_kept_or_broken_with_both_values() {
    let cases = [
        (
            "issuer = [\"https://issuer.example.invalid\"]",
            "issuer = [\"https://other.example.invalid\"]",
            Expected::Issuer,
            "https://issuer.example.invalid",
        ),
        (
            "repository = [\"acme/*\"]",
            "repository = [\"acme/other\"]",
            Expected::Repository,
            "https://github.com/acme/tools",
        ),
        (
            "workflow = [\".github/workflows/release.yml\"]",
            "workflow = [\".github/workflows/ci.yml\"]",
            Expected::Workflow,
            ".github/workflows/release.yml",
        ),
        (
            "reference = [\"refs/heads/main\", \"tags\"]",
            "reference = [\"refs/heads/main\"]",
            Expected::Reference,
            "refs/tags/@acme/tools@1.0.0",
        ),
        (
            "trigger = [\"release\", \"push\"]",
            "trigger = [\"release\"]",
            Expected::Trigger,
            "push",
        ),
        (
            "environment = [\"release\"]",
            "environment = [\"npm\"]",
            Expected::Environment,
            "release",
        ),
    ];
    for (kept, broken_by, what, found) in cases {
        assert_eq!(broken(&expectation(kept), &built(claims())), [], "{kept}");
        let breaches = broken(&expectation(broken_by), &built(claims()));
        let [(kind, expected, value)] = breaches.as_slice() else {
            panic!("{broken_by}: {breaches:?}");
        };
        assert_eq!((*kind, value.as_str()), (what, found), "{broken_by}");
        assert!(broken_by.contains(expected.as_str()), "{expected}");
    }
    let hosted = expectation("runner = \"hosted\"");
    assert_eq!(broken(&hosted, &built(claims())), []);
    for runner in [Some("self-hosted"), Some("mine"), None] {
        let mut claims = claims();
        claims.runner = runner.map(str::to_owned);
        assert_eq!(
            broken(&hosted, &built(claims.clone())).len(),
            1,
            "{runner:?}"
        );
        let any = expectation("runner = \"any\"");
        assert_eq!(broken(&any, &built(claims)), [], "{runner:?}");
    }
}

#[test]
fn what_the_certificate_does_not_say_keeps_nothing() {
    let keys = "workflow = [\"*\"]\nreference = [\"tags\"]\ntrigger = [\"push\"]\nenvironment = [\"release\"]";
    let mut silent = claims();
    (silent.workflow, silent.reference) = (None, None);
    (silent.trigger, silent.environment) = (None, None);
    let breaches = broken(&expectation(keys), &built(silent));
    assert_eq!(breaches.len(), 4);
    assert!(breaches.iter().all(|(.., found)| found == "not said"));
}

#[test]
fn evidence_is_asked_for_in_steps() {
    let none = trust(signed(), AttestationState::None);
    let published = trust(signed(), AttestationState::Verified { claims: None });
    let unsigned = trust(SignatureState::Unsigned, AttestationState::None);
    let built = built(claims());
    for (evidence, trust, kept) in [
        ("signature", &none, true),
        ("signature", &unsigned, false),
        ("provenance", &none, false),
        ("provenance", &published, false),
        ("provenance", &built, true),
        ("trusted-publisher", &built, false),
    ] {
        let expectation = expectation(&format!("evidence = \"{evidence}\""));
        assert_eq!(broken(&expectation, trust).is_empty(), kept, "{evidence}");
    }
    for (evidence, trusted_publisher, approved, kept) in [
        ("trusted-publisher", true, false, true),
        ("approved", true, false, false),
        ("approved", true, true, true),
        ("approved", false, true, false),
    ] {
        let release = Traced {
            name: "@acme/tools",
            published: None,
            trust: &built,
            trusted_publisher,
            approved,
        };
        let expectation = expectation(&format!("evidence = \"{evidence}\""));
        let breaches = breaches(&[expectation], &release);
        assert_eq!(breaches.is_empty(), kept, "{evidence}");
    }
}

#[test]
fn what_failed_or_was_not_checked_is_told_elsewhere() {
    let why = "no answer".to_owned();
    let expectation = expectation("repository = [\"acme/*\"]");
    let unchecked = trust(signed(), AttestationState::Unchecked { why: why.clone() });
    assert_eq!(broken(&expectation, &unchecked), []);
    let failed = trust(SignatureState::Failed { why }, AttestationState::None);
    assert_eq!(broken(&expectation, &failed), []);
}

#[test]
fn other_packages_and_earlier_releases_are_not_held_to_it() {
    let expectation = expectation("since = \"2026-07-02\"");
    let none = trust(signed(), AttestationState::None);
    let count = |name: &str, published: Option<&str>| {
        let release = Traced {
            name,
            published: published.map(|it| it.parse().unwrap()),
            trust: &none,
            trusted_publisher: false,
            approved: false,
        };
        breaches(std::slice::from_ref(&expectation), &release).len()
    };
    assert_eq!(count("@acme/tools", Some("2026-07-01T23:59:59Z")), 0);
    assert_eq!(count("@acme/tools", Some("2026-07-02T00:00:00Z")), 1);
    assert_eq!(count("@acme/tools", None), 1);
    assert_eq!(count("tools", None), 0);
}

#[test]
fn days_are_days() {
    for bad in ["", "2026-7-1", "2026-07-01T00:00:00Z", "2026-02-30"] {
        assert!(bad.parse::<Day>().is_err(), "{bad}");
    }
    assert_eq!(
        "2026-07-01".parse::<Day>().unwrap().to_string(),
        "2026-07-01"
    );
}
