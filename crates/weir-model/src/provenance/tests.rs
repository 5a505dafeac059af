use super::*;

fn claims() -> Claims {
    let text = |value: &str| Some(value.to_owned());
    Claims {
        predicate: "https://slsa.dev/provenance/v1".to_owned(),
        issuer: "https://issuer.example.invalid".to_owned(),
        repository: "https://git.example.invalid/one/lib".to_owned(),
        repository_id: text("42"),
        owner: text("https://git.example.invalid/one"),
        owner_id: text("7"),
        commit: text("aa"),
        reference: text("refs/tags/v1.0.0"),
        workflow: text(".github/workflows/release.yml"),
        signer: None,
        trigger: text("push"),
        runner: text("github-hosted"),
        environment: text("release"),
        visibility: text("public"),
        run: text("https://git.example.invalid/one/lib/actions/runs/1/attempts/1"),
        signed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    }
}

fn next(change: impl FnOnce(&mut Claims)) -> Vec<ClaimKind> {
    let before = claims();
    let mut after = claims();
    after.run = Some("https://git.example.invalid/one/lib/actions/runs/2/attempts/1".to_owned());
    after.commit = Some("bb".to_owned());
    change(&mut after);
    let changes = after.changes_since(&before);
    changes.into_iter().map(|change| change.claim).collect()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn what_every_build_changes_is_no_change() {
    assert_eq!(next(|_| {}), []);
    assert_eq!(next(|c| c.reference = text("refs/tags/v1.1.0")), []);
    assert_eq!(next(|c| c.trigger = None), []);
}

#[test]
fn a_renamed_repository_keeps_its_number_and_a_replaced_one_its_address() {
    let renamed = "https://git.example.invalid/two/library".to_owned();
    assert_eq!(next(|c| c.repository = renamed.clone()), []);
    assert_eq!(
        next(|c| c.repository_id = text("43")),
        [ClaimKind::RepositoryReplaced]
    );
    let moved = next(|c| {
        c.repository = renamed.clone();
        c.repository_id = text("43");
    });
    assert_eq!(moved, [ClaimKind::Repository]);
    let unnumbered = next(|c| {
        c.repository = renamed;
        c.repository_id = None;
    });
    assert_eq!(unnumbered, [ClaimKind::Repository]);
}

#[test]
fn each_claim_that_deviates_is_named() {
    type Case = (ClaimKind, fn(&mut Claims));
    let cases: [Case; 9] = [
        (ClaimKind::Issuer, |c| {
            c.issuer = "https://else.invalid".into()
        }),
        (ClaimKind::Runner, |c| c.runner = text("self-hosted")),
        (ClaimKind::Workflow, |c| {
            c.workflow = text(".github/workflows/x.yml")
        }),
        (ClaimKind::Reference, |c| {
            c.reference = text("refs/heads/main")
        }),
        (ClaimKind::Trigger, |c| {
            c.trigger = text("pull_request_target")
        }),
        (ClaimKind::Environment, |c| c.environment = None),
        (ClaimKind::Environment, |c| c.environment = text("test")),
        (ClaimKind::Visibility, |c| c.visibility = text("private")),
        (ClaimKind::SameRun, |c| c.run = claims().run),
    ];
    for (kind, change) in cases {
        assert_eq!(next(change), [kind]);
    }
}

#[test]
fn the_better_habit_is_no_finding() {
    let mut before = claims();
    before.reference = text("refs/heads/main");
    before.runner = text("self-hosted");
    before.environment = None;
    before.run = None;
    assert_eq!(claims().changes_since(&before), []);
}
