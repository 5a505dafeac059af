//! What a policy expects of how releases are built and published: `weir verify` and the gateway hold
//! them to it alike.

use serde_json::Value;
use weir_testing::{Fault, Package, Provenance, Registry, Release};

use crate::support::{World, assert_explained, lockfile};

const REPOSITORY: &str = "https://git.example.invalid/owner/lib";

/// One release, built from a tag by the usual workflow; published by a trusted publisher, or not.
fn registry(change: impl FnOnce(Provenance) -> Provenance, trusted: bool) -> Registry {
    let registry = Registry::start();
    let mut provenance = Provenance::from_repository(REPOSITORY);
    provenance.environment = Some("release".into());
    let mut release = Release::new("1.0.0")
        .published("2025-01-01T10:00:00.000Z")
        .attested_with(change(provenance));
    if trusted {
        release = release.trusted_publisher();
    }
    let package = Package::new("@scope/lib").maintainer("mara");
    registry.add(package.repository(REPOSITORY).release(release));
    registry
}

/// Every key, as the release keeps it.
const KEPT: &str = r#"[[expect]]
package = "@scope/*"
evidence = "trusted-publisher"
repository = ["https://git.example.invalid/owner/*"]
workflow = [".github/workflows/release.yml"]
reference = ["tags"]
trigger = ["push"]
environment = ["release"]
issuer = ["https://token.actions.githubusercontent.com"]
runner = "hosted"
"#;

/// Rule, level and text of each finding of `weir verify`.
fn verified(world: &World, registry: &Registry, code: i32) -> Vec<(String, String, String)> {
    lockfile(world, registry, &[("@scope/lib", "1.0.0")]);
    let run = world.run_before(registry, &["verify", "--json"]);
    assert_eq!(run.code, Some(code), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(
        report["counts"]["unexpected"].as_u64(),
        Some(u64::from(!findings.is_empty()))
    );
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|it| (text(it, "rule"), text(it, "level"), text(it, "what")))
        .collect()
}

const TARBALL: &str = "/@scope/lib/-/lib-1.0.0.tgz";

#[test]
fn a_release_that_keeps_everything_is_quiet_and_served() {
    let (world, registry) = (World::new(), registry(|it| it, true));
    world.policy(KEPT);
    assert_eq!(verified(&world, &registry, 0), []);
    assert_eq!(world.serve(&registry).get(TARBALL, &[]).status, 200);
}

#[test]
fn each_key_that_is_broken_is_named_with_both_values_and_refused() {
    type Change = fn(Provenance) -> Provenance;
    let other_machine: Change = |mut it| {
        it.runner = "self-hosted".into();
        it
    };
    let no_environment: Change = |mut it| {
        it.environment = None;
        it
    };
    let other_repository: Change = |mut it| {
        it.repository = "https://git.example.invalid/else/lib".into();
        it
    };
    let cases: [(Change, &str); 6] = [
        (
            other_repository,
            "its repository is https://git.example.invalid/else/lib, and https://git.example.invalid/owner/* is \
             expected of @scope/*",
        ),
        (
            |it| it.workflow(".github/workflows/ci.yml"),
            "its workflow is .github/workflows/ci.yml, and .github/workflows/release.yml is expected of @scope/*",
        ),
        (
            |it| it.reference("refs/heads/patch-1"),
            "its ref is refs/heads/patch-1, and tags is expected of @scope/*",
        ),
        (
            |it| it.trigger("pull_request_target"),
            "its trigger is pull_request_target, and push is expected of @scope/*",
        ),
        (
            other_machine,
            "its runner is self-hosted, and a hosted machine is expected of @scope/*",
        ),
        (
            no_environment,
            "its environment is not said, and release is expected of @scope/*",
        ),
    ];
    for (change, what) in cases {
        let (world, registry) = (World::new(), registry(change, true));
        world.policy(KEPT);
        let expected = [(
            "broken-expectation".to_owned(),
            "error".to_owned(),
            what.to_owned(),
        )];
        assert_eq!(verified(&world, &registry, 5), expected);
        let answer = world.serve(&registry).get(TARBALL, &[]);
        assert_eq!(answer.status, 403, "{what}");
        assert_eq!(answer.header("x-weir-decision"), Some("block"), "{what}");
        let said = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(said.contains("broken-expectation"), "{said}");
        assert_explained(&world, &said, "@scope/lib@1.0.0");
    }
}

#[test]
fn another_issuer_and_too_little_evidence_are_broken_too() {
    let (world, tokened) = (World::new(), registry(|it| it, false));
    world.policy(KEPT);
    let findings = verified(&world, &tokened, 5);
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].2.contains("published with a token"),
        "{findings:?}"
    );
    let (world, trusted) = (World::new(), registry(|it| it, true));
    world.policy(&KEPT.replace("token.actions", "other"));
    let findings = verified(&world, &trusted, 5);
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0]
            .2
            .starts_with("its issuer is https://token.actions")
    );
    // No provenance at all.
    let (world, bare) = (World::new(), Registry::start());
    let release = Release::new("1.0.0").published("2025-01-01T10:00:00.000Z");
    bare.add(
        Package::new("@scope/lib")
            .maintainer("mara")
            .release(release),
    );
    world.policy("[[expect]]\npackage = \"@scope/*\"\n");
    let findings = verified(&world, &bare, 5);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].2.contains("no provenance"), "{findings:?}");
    assert_eq!(world.serve(&bare).get(TARBALL, &[]).status, 403);
}

#[test]
fn a_breach_that_only_counts_is_a_notice() {
    let branch: fn(Provenance) -> Provenance = |it| it.reference("refs/heads/patch-1");
    let (world, registry) = (World::new(), registry(branch, true));
    world.policy(&format!("{KEPT}on_breach = \"count\"\n"));
    let findings = verified(&world, &registry, 0);
    assert_eq!(findings[0].1, "warning");
    let answer = world.serve(&registry).get(TARBALL, &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-weir-decision"), Some("notice"));
    // Another policy decides anew, and so does a waiver for the one version.
    world.policy(KEPT);
    assert_eq!(world.serve(&registry).get(TARBALL, &[]).status, 403);
    world.policy(&format!(
        "{KEPT}[[waiver]]\npackage = \"@scope/lib\"\nversions = \"1.0.0\"\nsignals = [\"broken-expectation\"]\n\
         action = \"notice\"\nreason = \"built by hand once\"\nauthor = \"mara\"\nexpires = \"2027-01-01\"\n"
    ));
    assert_eq!(world.serve(&registry).get(TARBALL, &[]).status, 200);
}

#[test]
fn releases_from_before_are_not_held_to_it_and_mistakes_are_named_at_their_line() {
    let (world, registry) = (World::new(), Registry::start());
    let release = Release::new("1.0.0").published("2025-01-01T10:00:00.000Z");
    registry.add(
        Package::new("@scope/lib")
            .maintainer("mara")
            .release(release),
    );
    world.policy("[[expect]]\npackage = \"@scope/*\"\nsince = \"2025-01-02\"\n");
    assert_eq!(verified(&world, &registry, 0), []);
    world.policy("[[expect]]\npackage = \"@scope/*\"\nreference = [\"main\"]\n");
    let check = world.run(&["policy", "check"]);
    assert_eq!(check.code, Some(1));
    assert!(check.says("weir.toml:3:14"), "{}", check.text());
}

/// Whoever takes evidence away does not get through by taking it away badly.
#[test]
fn what_is_expected_and_could_not_be_verified_is_held_however_old() {
    let (world, registry) = (World::new(), registry(|it| it, true));
    registry.fault(Fault::on("/-/npm/v1/attestations/*").status(503));
    // Nobody expects anything of it: served, with a notice.
    let answer = world.serve(&registry).get(TARBALL, &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-weir-decision"), Some("notice"));
    world.policy(KEPT);
    let answer = world.serve(&registry).get(TARBALL, &[]);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("x-weir-decision"), Some("hold"));
    let said = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(said.contains("could not be verified"), "{said}");
    assert_explained(&world, &said, "@scope/lib@1.0.0");
    // Once it can be verified it passes.
    registry.clear_faults();
    assert_eq!(world.serve(&registry).get(TARBALL, &[]).status, 200);
}
