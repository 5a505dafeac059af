//! What is verified before bytes leave, what right after, and what when keys or roots change.

use serde_json::json;
use weir_testing::sigstore::{SigningKey, Sigstore, TufRepository};
use weir_testing::{Fault, Package, Registry, Release};

use crate::support::{NPM, World, assert_explained, eventually, lockfile, output};

/// On the list of popular names, and established at the moment of the tests.
const POPULAR: &str = "lodash";
const TARBALL: &str = "/lodash/-/lodash-1.0.0.tgz";

fn registry(change: impl FnOnce(Release) -> Release) -> Registry {
    let registry = Registry::start();
    let release = change(Release::new("1.0.0").published("2024-01-01T10:00:00.000Z"));
    let package = Package::new(POPULAR).maintainer("mara");
    let package = package.repository("https://git.example.invalid/owner/lib");
    registry.add(package.release(release));
    registry
}

#[test]
fn a_wrong_signature_is_seen_before_any_byte_leaves() {
    let (world, registry) = (World::new(), registry(Release::wrongly_signed));
    let gateway = world.serve(&registry);
    let answer = gateway.get(TARBALL, &[("user-agent", NPM)]);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("x-weir-decision"), Some("block"));
    assert!(world.ledger(&["--event", "served"]).is_empty());
    // The same release, rightly signed, does pass before its contents are read.
    let (world, registry) = (World::new(), self::registry(|it| it));
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get(TARBALL, &[]).status, 200);
}

/// Whoever changed the bytes has no signature for them; one that cannot be read is no better than a wrong one.
#[test]
fn a_signature_that_cannot_be_read_is_as_bad_as_a_wrong_one() {
    for odd in [json!("x"), json!({}), json!([{"sig": "abcd"}])] {
        let (world, registry) = (World::new(), registry(|it| it));
        let put = odd.clone();
        registry.edit_packument(POPULAR, move |document| {
            document["versions"]["1.0.0"]["dist"]["signatures"] = put.clone();
        });
        let answer = world.serve(&registry).get(TARBALL, &[("user-agent", NPM)]);
        assert_eq!(answer.status, 403, "{odd}");
        assert_eq!(answer.header("x-weir-decision"), Some("block"), "{odd}");
        lockfile(&world, &registry, &[(POPULAR, "1.0.0")]);
        let run = world.run_before(&registry, &["verify"]);
        assert_eq!(run.code, Some(5), "{}", run.text());
        assert!(run.says("cannot be read"), "{}", run.text());
    }
    // Near miss: a mirror that keeps no signatures and writes so.
    for none in [json!([]), json!(null)] {
        let (world, registry) = (World::new(), registry(|it| it));
        let put = none.clone();
        registry.edit_packument(POPULAR, move |document| {
            document["versions"]["1.0.0"]["dist"]["signatures"] = put.clone();
        });
        let answer = world.serve(&registry).get(TARBALL, &[("user-agent", NPM)]);
        assert_eq!(answer.status, 200, "{none}");
    }
}

#[test]
fn attestations_are_verified_right_after_and_a_failure_counts_at_once() {
    let (world, registry) = (
        World::new(),
        registry(|release| release.attested().forged_attestation()),
    );
    let gateway = world.serve(&registry);
    // Nothing in the metadata speaks against it, so the first one gets it.
    assert_eq!(gateway.get(TARBALL, &[]).status, 200);
    eventually("the ledger tells of the failure", || {
        let decided = world.ledger(&["--event", "decided", "--action", "block"]);
        decided.iter().any(|entry| entry["name"] == POPULAR)
    });
    let answer = gateway.get(TARBALL, &[]);
    assert_eq!(answer.status, 403);
    assert_explained(&world, &answer.reason, "lodash@1.0.0");
}

#[test]
fn keys_that_do_not_come_are_no_pass() {
    let (world, registry) = (World::new(), registry(|it| it));
    registry.fault(Fault::on("/-/npm/v1/keys").status(500));
    let gateway = world.serve(&registry);
    let answer = gateway.get(TARBALL, &[]);
    // Served, as it is established, and with a notice: its contents were read first.
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-weir-decision"), Some("notice"));
}

#[test]
fn another_trusted_root_verifies_anew_what_was_decided_before() {
    let (world, registry) = (World::new(), registry(Release::attested));
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get(TARBALL, &[]).status, 200);
    eventually("the verdict is kept", || {
        !world.ledger(&["--event", "decided"]).is_empty()
    });
    assert_eq!(gateway.get(TARBALL, &[]).status, 200);
    drop(gateway);
    let other = world.write("other-root.json", Sigstore::generate().trusted_root());
    let gateway = crate::support::Gateway::start(
        world
            .weir_before(&registry)
            .env("WEIR_TRUSTED_ROOT", other)
            .args(["serve", "--listen", "127.0.0.1:0"]),
    );
    let answer = gateway.get(TARBALL, &[]);
    assert_eq!(answer.status, 403, "{}", answer.text());
}

#[test]
fn other_keys_verify_anew_what_was_decided_before() {
    let (world, registry) = (World::new(), registry(|it| it));
    let gateway = world.serve(&registry);
    assert_eq!(gateway.get(TARBALL, &[]).status, 200);
    eventually("the verdict is kept", || {
        !world.ledger(&["--event", "decided"]).is_empty()
    });
    drop(gateway);
    // Nothing changed: what is kept is served, whatever the registry says now.
    registry.fault(Fault::on("*").status(500));
    assert_eq!(world.serve(&registry).get(TARBALL, &[]).status, 200);
    registry.clear_faults();
    let other = SigningKey::generate("SHA256:other").document(None);
    registry.serve("/-/npm/v1/keys", 200, "application/json", other.to_string());
    let run = world.run_before(&registry, &["trust-root", "keys"]);
    assert!(run.assert_success().says("1 keys"), "{}", run.text());
    let answer = world.serve(&registry).get(TARBALL, &[]);
    assert_eq!(answer.status, 403, "{}", answer.text());
}

#[test]
fn a_root_is_refreshed_from_a_repository_and_used() {
    let (world, registry) = (World::new(), Registry::start());
    let release = Release::new("1.0.0")
        .published("2025-01-01T10:00:00.000Z")
        .attested();
    registry.add(Package::new("lib").maintainer("mara").release(release));
    lockfile(&world, &registry, &[("lib", "1.0.0")]);
    let trusted = Sigstore::of_process().trusted_root();
    let keys = SigningKey::generate("SHA256:pinned").document(None);
    let host = "127.0.0.1/keys.json";
    let targets = [("trusted_root.json", trusted), (host, keys.to_string())];
    let repository = TufRepository::publish(&targets, "2030-01-01T00:00:00Z");
    for (path, bytes) in repository.files() {
        world.write(&format!("mirror/{path}"), bytes);
    }
    let start = world.write("start.json", repository.start());
    let mirror = world.path("mirror").display().to_string();
    let weir = |arguments: &[&str]| {
        output(
            world
                .weir_before(&registry)
                .env_remove("WEIR_TRUSTED_ROOT")
                .args(arguments),
        )
    };
    // The public root knows nothing of the test's Sigstore.
    assert_eq!(weir(&["verify"]).code, Some(5));
    let start = start.display().to_string();
    let refreshed = weir(&["trust-root", "refresh", "--from", &mirror, "--root", &start]);
    refreshed.assert_success();
    assert!(
        refreshed.says("signatures verified up to version 1"),
        "{}",
        refreshed.text()
    );
    assert_eq!(weir(&["verify"]).code, Some(0));
    let shown = weir(&["trust-root", "show"]);
    assert!(
        shown.assert_success().says("https://tiles.example.invalid"),
        "{}",
        shown.text()
    );
    assert!(shown.says("kept keys of 127.0.0.1"), "{}", shown.text());
    // A chain that does not begin where weir begins, and one with a broken byte.
    let strange = weir(&["trust-root", "refresh", "--from", &mirror]);
    assert_eq!(strange.code, Some(1), "{}", strange.text());
    let mut broken = repository.files()["timestamp.json"].clone();
    broken[40] ^= 1;
    world.write("mirror/timestamp.json", broken);
    let refused = weir(&["trust-root", "refresh", "--from", &mirror, "--root", &start]);
    assert_eq!(refused.code, Some(1), "{}", refused.text());
    // What was kept stays.
    assert_eq!(weir(&["verify"]).code, Some(0));
}

#[test]
fn a_file_is_taken_as_it_is_and_says_so() {
    let world = World::new();
    let file = world.path("root.json").display().to_string();
    let run = world.run(&["trust-root", "refresh", "--from", &file]);
    assert!(
        run.assert_success().says("nobody's signature was verified"),
        "{}",
        run.text()
    );
    let bad = world.write("bad.json", "{}").display().to_string();
    let run = world.run(&["trust-root", "refresh", "--from", &bad]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    let nowhere = world.run(&["trust-root", "refresh", "--from", "nowhere"]);
    assert!(
        nowhere
            .assert_failure()
            .says("neither a file, a folder nor an address")
    );
}

#[test]
fn a_damaged_kept_root_stops_weir_until_it_is_written_anew() {
    let world = World::new();
    let root = world.path("root.json").display().to_string();
    let package = world.write(
        "work/lib/package.json",
        r#"{"name": "lib", "version": "1.0.0"}"#,
    );
    let package = package.parent().unwrap().display().to_string();
    let weir = |arguments: &[&str]| {
        let mut command = world.weir();
        output(command.env_remove("WEIR_TRUSTED_ROOT").args(arguments))
    };
    for damaged in [
        "",
        "{",
        "{}",
        r#"{"keys": {}}"#,
        r#"{"root": null, "origin": null, "keys": {}}"#,
        r#"{"root": "{}", "origin": null, "keys": {}}"#,
        r#"{"root": "cut of", "origin": null, "keys": {}}"#,
    ] {
        world.write("data/trust-root.json", damaged);
        // Nothing else is trusted instead.
        for arguments in [&["trust-root", "show"][..], &["inspect", &package]] {
            let run = weir(arguments);
            assert!(
                run.assert_failure().says("trust-root.json"),
                "{damaged}: {}",
                run.text()
            );
        }
        let run = weir(&["trust-root", "refresh", "--from", &root]);
        run.assert_success();
        let is_told = run.says("no kept trusted root") && run.says("not known any more");
        // A file whose form is whole still says what was verified last.
        assert_eq!(is_told, !damaged.contains("\"root\": \""), "{}", run.text());
        weir(&["trust-root", "show"]).assert_success();
    }
}

#[test]
fn kept_keys_stand_in_for_a_registry_that_does_not_answer_and_contradict_another() {
    let registry = registry(|it| it);
    let keys = |world: &World, keys: &str| {
        let kept = json!({"root": null, "origin": null, "keys": {"127.0.0.1": keys}});
        world.write("data/trust-root.json", kept.to_string());
        lockfile(world, &registry, &[(POPULAR, "1.0.0")]);
        world.run_before(&registry, &["verify"])
    };
    let document = {
        let world = World::new();
        let gateway = world.serve(&registry);
        gateway.get("/-/npm/v1/keys", &[]).text().to_owned()
    };
    registry.fault(Fault::on("/-/npm/v1/keys").status(500));
    let (with, without) = (World::new(), World::new());
    assert_eq!(keys(&with, &document).code, Some(0));
    lockfile(&without, &registry, &[(POPULAR, "1.0.0")]);
    assert_eq!(without.run_before(&registry, &["verify"]).code, Some(1));
    registry.clear_faults();
    let label = document.split("SHA256:").nth(1).unwrap();
    let label = format!("SHA256:{}", label.split('"').next().unwrap());
    let other = SigningKey::generate(&label).document(None).to_string();
    let contradicted = keys(&World::new(), &other);
    assert_eq!(contradicted.code, Some(1), "{}", contradicted.text());
    assert!(
        contradicted.says("names another key"),
        "{}",
        contradicted.text()
    );
}

#[test]
fn kept_keys_stand_in_for_a_registry_that_names_none() {
    for (status, body) in [(404, "{}"), (200, r#"{"keys":[]}"#)] {
        let registry = registry(Release::wrongly_signed);
        let document = {
            let world = World::new();
            let gateway = world.serve(&registry);
            gateway.get("/-/npm/v1/keys", &[]).text().to_owned()
        };
        registry.serve("/-/npm/v1/keys", status, "application/json", body);
        let (with, without) = (World::new(), World::new());
        let kept = json!({"root": null, "origin": null, "keys": {"127.0.0.1": document}});
        with.write("data/trust-root.json", kept.to_string());
        // Nobody knows of keys there.
        for (world, code) in [(&with, 5), (&without, 1)] {
            lockfile(world, &registry, &[(POPULAR, "1.0.0")]);
            let run = world.run_before(&registry, &["verify"]);
            assert_eq!(run.code, Some(code), "{}", run.text());
        }
        let answer = with.serve(&registry).get(TARBALL, &[]);
        assert_eq!(answer.status, 403, "{status}");
    }
}
