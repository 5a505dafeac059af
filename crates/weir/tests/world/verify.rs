//! `weir verify`: what holds is quiet, and each way not to hold is named at its line.

use serde_json::Value;
use weir_testing::clients::{self, Kind};
use weir_testing::{Fault, Flavour, Package, Project, Provenance, Registry, Release};

use crate::support::{World, assert_explained, lockfile, output};

const REPOSITORY: &str = "https://git.example.invalid/owner/lib";

fn attested(
    version: &str,
    published: &str,
    change: impl FnOnce(Provenance) -> Provenance,
) -> Release {
    let provenance = change(Provenance::from_repository(REPOSITORY));
    Release::new(version)
        .published(published)
        .attested_with(provenance)
}

/// A registry with one package for each way a release can stand.
fn registry() -> Registry {
    let registry = Registry::start();
    let plain = |name: &str| Package::new(name).maintainer("mara").repository(REPOSITORY);
    let first = || attested("1.0.0", "2025-01-01T10:00:00.000Z", |it| it);
    let second = "2025-02-01T10:00:00.000Z";
    registry
        .add(plain("plain").release(Release::new("1.0.0").published("2024-01-01T10:00:00.000Z")));
    registry.add(
        plain("@scope/built")
            .release(first())
            .release(attested("1.1.0", second, |it| it)),
    );
    registry.add(
        plain("moved")
            .release(first())
            .release(attested("1.1.0", second, |mut it| {
                it.repository_id = "434343".into();
                it.runner = "self-hosted".into();
                it.reference("refs/heads/patch-1")
            })),
    );
    registry.add(
        plain("lost")
            .release(first())
            .release(Release::new("1.1.0").published(second)),
    );
    registry.add(plain("unsigned").release(Release::new("1.0.0").unsigned().published(second)));
    registry
        .add(plain("wrongly").release(Release::new("1.0.0").wrongly_signed().published(second)));
    registry.add(plain("forged").release(first().forged_attestation()));
    registry
}

fn verify(world: &World, registry: &Registry, code: i32) -> Value {
    let run = world.run_before(registry, &["verify", "--json"]);
    assert_eq!(run.code, Some(code), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["schema"], "weir.verify/v1");
    report
}

/// Rule and line of each finding.
fn found(report: &Value) -> Vec<(String, u64)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| {
            (
                it["rule"].as_str().unwrap().to_owned(),
                it["line"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn rules(found: &[(&str, u64)]) -> Vec<(String, u64)> {
    found
        .iter()
        .map(|(rule, line)| ((*rule).to_owned(), *line))
        .collect()
}

#[test]
fn what_holds_is_quiet_and_counted() {
    let (world, registry) = (World::new(), registry());
    lockfile(
        &world,
        &registry,
        &[("plain", "1.0.0"), ("@scope/built", "1.1.0")],
    );
    let report = verify(&world, &registry, 0);
    assert_eq!(found(&report), []);
    assert_eq!(report["counts"]["signed"], 2);
    assert_eq!(report["counts"]["provenance"], 1);
    let built = &report["releases"][0];
    assert_eq!(built["name"], "@scope/built");
    assert_eq!(built["since"], "1.0.0");
    let claims = &built["attestations"]["claims"];
    assert_eq!(claims["repository"], REPOSITORY);
    assert_eq!(claims["workflow"], ".github/workflows/release.yml");
    let run = world.run_before(&registry, &["verify"]);
    assert_eq!(
        run.stdout,
        "package-lock.json: 2 releases: 2 signed, 1 with provenance, 0 missing, 0 failed, 0 changed, \
         0 of registries that do not sign, 0 not checked\n"
    );
}

#[test]
fn each_way_not_to_hold_is_named_at_its_line() {
    let (world, registry) = (World::new(), registry());
    let cases: [(&str, &str, i32, &[&str]); 5] = [
        ("unsigned", "1.0.0", 5, &["signature-missing"]),
        ("wrongly", "1.0.0", 5, &["signature-failed"]),
        ("forged", "1.0.0", 5, &["attestation-failed"]),
        ("lost", "1.1.0", 0, &["provenance-changed"]),
        ("moved", "1.1.0", 0, &["provenance-changed"; 3]),
    ];
    for (name, version, code, expected) in cases {
        lockfile(&world, &registry, &[("plain", "1.0.0"), (name, version)]);
        let report = verify(&world, &registry, code);
        let expected: Vec<_> = expected.iter().map(|rule| (*rule, 4)).collect();
        assert_eq!(found(&report), rules(&expected), "{name}");
        let failed = report["counts"]["failed"].as_u64().unwrap();
        assert_eq!(failed == 1, code == 5 && name != "unsigned", "{name}");
    }
    lockfile(&world, &registry, &[("moved", "1.1.0")]);
    let report = verify(&world, &registry, 0);
    let what: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        what,
        [
            format!(
                "its repository number is {REPOSITORY} (number 434343), and was {REPOSITORY} (number 424242) in 1.0.0"
            ),
            "its runner is self-hosted, and was github-hosted in 1.0.0".to_owned(),
            "its ref is refs/heads/patch-1, and was refs/tags/v1.0.0 in 1.0.0".to_owned(),
        ]
    );
}

/// A release in between whose attestations do not hold, or could not be had, excuses none that comes after it.
#[test]
fn lost_provenance_is_told_past_a_release_that_does_not_hold_and_without_times() {
    let registry = Registry::start();
    let built =
        |version: &str, day: &str| attested(version, &format!("{day}T10:00:00.000Z"), |it| it);
    let bare =
        |version: &str, day: &str| Release::new(version).published(&format!("{day}T10:00:00.000Z"));
    let package = Package::new("lib")
        .maintainer("mara")
        .repository(REPOSITORY);
    registry.add(
        package
            .release(built("1.0.0", "2025-01-01"))
            .release(built("1.1.0", "2025-02-01").forged_attestation())
            .release(bare("1.2.0", "2025-03-01"))
            .release(bare("1.3.0", "2025-04-01")),
    );
    registry.edit_packument("lib", |document| {
        document["time"].as_object_mut().unwrap().remove("1.3.0");
    });
    for version in ["1.2.0", "1.3.0"] {
        let world = World::new();
        lockfile(&world, &registry, &[("lib", version)]);
        let report = verify(&world, &registry, 0);
        assert_eq!(found(&report), rules(&[("provenance-changed", 3)]));
        let what = report["findings"][0]["what"].as_str().unwrap();
        assert!(what.contains("1.0.0 was built from"), "{what}");
        // A second run asks nobody, and says the same.
        assert_eq!(found(&verify(&world, &registry, 0)).len(), 1);
    }
}

#[test]
fn a_lockfile_with_another_integrity_than_was_signed_fails() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("plain", "1.0.0")]);
    verify(&world, &registry, 0);
    let path = world.path("work/package-lock.json");
    let right = registry.integrity("plain", "1.0.0").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let other = registry.integrity("@scope/built", "1.0.0").unwrap();
    std::fs::write(&path, text.replace(&right, &other)).unwrap();
    let report = verify(&world, &registry, 5);
    assert_eq!(found(&report), rules(&[("signature-failed", 3)]));
}

/// What the lockfile records of the package is what would be installed: where that was not compared with what
/// is signed, the signature says nothing of it.
#[test]
fn what_the_lockfile_records_has_to_be_what_was_signed() {
    let (world, registry) = (World::new(), registry());
    let right = registry.integrity("plain", "1.0.0").unwrap();
    let other = registry.integrity("@scope/built", "1.0.0").unwrap();
    let recorded = |text: &str| format!(r#", "integrity": "{text}""#);
    for (integrity, code, rule) in [
        (recorded(&format!("{right} {other}")), 5, "signature-failed"),
        (
            recorded(&format!("sha1-{}=", "A".repeat(27))),
            5,
            "signature-failed",
        ),
        (
            recorded(&format!("sha256-{}=", "A".repeat(43))),
            1,
            "integrity-not-compared",
        ),
        (
            recorded(&format!("sha384-{}", "A".repeat(64))),
            1,
            "integrity-not-compared",
        ),
        (
            recorded("md5-AAAAAAAAAAAAAAAAAAAAAA=="),
            1,
            "integrity-not-compared",
        ),
        (recorded("rubbish"), 1, "integrity-not-compared"),
        (recorded(""), 1, "integrity-not-compared"),
        (String::new(), 1, "integrity-not-compared"),
    ] {
        lockfile(
            &world,
            &registry,
            &[("plain", "1.0.0"), ("@scope/built", "1.1.0")],
        );
        let path = world.path("work/package-lock.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(&recorded(&right), &integrity)).unwrap();
        let report = verify(&world, &registry, code);
        assert_eq!(found(&report), rules(&[(rule, 3)]), "{integrity}");
        assert_eq!(report["counts"]["signed"], 1, "{integrity}");
        assert_eq!(report["counts"]["provenance"], 1, "{integrity}");
        // Also once the other way round: what is known of the release is not known of these bytes.
        std::fs::write(&path, text).unwrap();
        assert_eq!(verify(&world, &registry, 0)["counts"]["signed"], 2);
    }
}

#[test]
fn entries_that_nobody_can_be_asked_about_are_no_pass() {
    let (world, registry) = (World::new(), registry());
    lockfile(
        &world,
        &registry,
        &[("plain", "1.0.0"), ("@scope/built", "1.1.0")],
    );
    let path = world.path("work/package-lock.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(r#""version": "1.1.0", "#, "")).unwrap();
    let report = verify(&world, &registry, 1);
    assert_eq!(found(&report), rules(&[("no-release", 4)]));
    assert_eq!(report["counts"]["unchecked"], 1);
    // A version that the registry does not have is not asked for again later.
    std::fs::write(
        &path,
        text.replace(r#""version": "1.1.0""#, r#""version": "1.7.0""#),
    )
    .unwrap();
    let report = verify(&world, &registry, 1);
    assert_eq!(found(&report), rules(&[("no-such-release", 4)]));
    // A lockfile that holds nothing of what is asked for.
    lockfile(&world, &registry, &[]);
    assert_eq!(found(&verify(&world, &registry, 0)), []);
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"plain": "^1.0.0"}}"#,
    );
    let report = verify(&world, &registry, 5);
    assert_eq!(found(&report), rules(&[("nothing-locked", 1)]));
}

/// What yarn records is of its own archive: the release counts as signed, and the summary says what is not known.
#[test]
fn yarns_own_checksums_are_said_to_be_compared_with_nothing() {
    let (world, registry) = (World::new(), registry());
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"plain": "1.0.0"}}"#,
    );
    world.write(
        "work/yarn.lock",
        "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n\
         \n\"plain@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"plain@npm:1.0.0\"\n  checksum: 10c0/ab\n",
    );
    let report = verify(&world, &registry, 0);
    assert_eq!(report["findings"][0]["rule"], "yarn-checksums", "{report}");
    assert_eq!(report["counts"]["signed"], 1);
    assert_eq!(report["counts"]["not_comparable"], 1);
    let run = world.run_before(&registry, &["verify"]);
    assert!(
        run.stdout.contains("of 1 of the signed ones"),
        "{}",
        run.stdout
    );
}

#[test]
fn the_policy_is_that_of_the_lockfile_that_is_named() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("plain", "1.0.0")]);
    for file in ["package.json", "package-lock.json"] {
        let text = std::fs::read_to_string(world.path("work").join(file)).unwrap();
        world.write(&format!("work/app/{file}"), text);
    }
    world.write("work/app/weir.toml", "[names]\nown = [\"plain\"]\n");
    registry.clear_requests();
    let arguments = ["verify", "--json", "--lockfile", "app/package-lock.json"];
    let run = world.run_before(&registry, &arguments);
    assert_eq!(run.code, Some(1), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(found(&report), rules(&[("names-withheld", 3)]));
    let asked = registry.requests();
    assert!(!asked.iter().any(|it| it.path.contains("plain")));
}

#[test]
fn attestations_of_another_release_and_of_another_sigstore_fail() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("@scope/built", "1.1.0")]);
    let other = registry.attestations("@scope/built", "1.0.0").unwrap();
    let path = "/-/npm/v1/attestations/@scope/built@1.1.0";
    registry.serve(path, 200, "application/json", other.to_string());
    let report = verify(&world, &registry, 5);
    assert_eq!(found(&report), rules(&[("attestation-failed", 3)]));
    // The public root does not know the test's Sigstore.
    lockfile(&world, &registry, &[("moved", "1.0.0")]);
    let run = output(
        world
            .weir_before(&registry)
            .env_remove("WEIR_TRUSTED_ROOT")
            .args(["verify", "--json"]),
    );
    assert_eq!(run.code, Some(5), "{}", run.text());
}

#[test]
fn announced_attestations_that_are_not_there_fail() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("@scope/built", "1.1.0")]);
    let path = "/-/npm/v1/attestations/@scope/built@1.1.0";
    registry.serve(path, 404, "application/json", "{}");
    let report = verify(&world, &registry, 5);
    assert_eq!(found(&report), rules(&[("attestation-failed", 3)]));
    // A registry that has none of any release passes on what another one announces.
    let other = "/-/npm/v1/attestations/@scope/built@1.0.0";
    registry.serve(other, 404, "application/json", "{}");
    let world = World::new();
    lockfile(&world, &registry, &[("@scope/built", "1.1.0")]);
    let report = verify(&world, &registry, 1);
    assert_eq!(found(&report), rules(&[("unchecked", 3)]));
}

#[test]
fn what_could_not_be_checked_is_never_a_pass() {
    let (world, registry) = (World::new(), registry());
    lockfile(
        &world,
        &registry,
        &[("plain", "1.0.0"), ("@scope/built", "1.1.0")],
    );
    registry.fault(Fault::on("/-/npm/v1/attestations/*").status(503));
    let report = verify(&world, &registry, 1);
    assert_eq!(found(&report), rules(&[("unchecked", 4)]));
    registry.clear_faults();
    assert_eq!(found(&verify(&world, &registry, 0)), []);
    // What is known by now holds without the registry, too.
    registry.fault(Fault::on("*").status(503));
    assert_eq!(found(&verify(&world, &registry, 0)), []);
}

/// One sentence for each package of a project would bury everything else.
#[test]
fn a_registry_that_does_not_answer_is_told_once() {
    let (world, registry) = (World::new(), registry());
    let releases = [("plain", "1.0.0"), ("@scope/built", "1.1.0")];
    lockfile(&world, &registry, &releases);
    let run = world.run(&["--upstream", "http://127.0.0.1:9/", "verify", "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(found(&report), rules(&[("unchecked", 3)]), "{report:#}");
    let what = report["findings"][0]["what"].as_str().unwrap();
    assert!(
        what.starts_with("2 releases, plain@1.0.0 first: "),
        "{what}"
    );
    assert_eq!(report["releases"].as_array().unwrap().len(), 2);
    assert_eq!(report["counts"]["unchecked"], 2);
}

#[test]
fn names_that_are_yours_are_not_told_to_the_default_registry() {
    let (world, registry) = (World::new(), registry());
    lockfile(
        &world,
        &registry,
        &[("plain", "1.0.0"), ("@scope/built", "1.1.0")],
    );
    world.write("work/weir.toml", "[names]\nown = [\"@scope/*\"]\n");
    registry.clear_requests();
    let report = verify(&world, &registry, 1);
    assert_eq!(found(&report), rules(&[("names-withheld", 4)]));
    assert_eq!(report["counts"]["signed"], 1);
    assert_eq!(report["counts"]["unchecked"], 1);
    let asked = registry.requests();
    assert!(asked.iter().any(|it| it.path.contains("plain")));
    assert!(!asked.iter().any(|it| it.path.contains("built")));
}

/// What comes from an address of its own is counted, not passed over.
#[test]
fn what_comes_from_no_registry_is_told() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("plain", "1.0.0")]);
    let text = std::fs::read_to_string(world.path("work/package-lock.json")).unwrap();
    let entry = r#""node_modules/zz": {"version": "1.0.0", "resolved": "https://zz.example.invalid/zz.tgz"},"#;
    let (start, rest) = text.split_once(r#""node_modules/plain""#).unwrap();
    let both = format!("{start}{entry}\n\"node_modules/plain\"{rest}");
    world.write("work/package-lock.json", &both);
    let report = verify(&world, &registry, 0);
    let told: Vec<String> = found(&report).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(told, ["not-from-a-registry"]);
    let what = report["findings"][0]["what"].as_str().unwrap();
    assert!(
        what.starts_with("1 package comes") && what.contains("zz@1.0.0"),
        "{what}"
    );
}

#[test]
fn a_registry_that_signs_nothing_verifies_nothing() {
    let (world, registry) = (World::new(), registry());
    registry.set_flavour(Flavour::BareMirror);
    lockfile(
        &world,
        &registry,
        &[("plain", "1.0.0"), ("@scope/built", "1.1.0")],
    );
    let report = verify(&world, &registry, 1);
    assert_eq!(found(&report), rules(&[("unsigned-registry", 3)]));
    assert_eq!(report["counts"]["unsigned"], 2);
}

#[test]
fn what_was_verified_is_kept_and_keys_that_change_are_noticed() {
    let (world, registry) = (World::new(), registry());
    lockfile(
        &world,
        &registry,
        &[("plain", "1.0.0"), ("@scope/built", "1.1.0")],
    );
    verify(&world, &registry, 0);
    registry.clear_requests();
    verify(&world, &registry, 0);
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());
}

#[test]
fn no_lockfile_and_a_broken_one_are_findings_and_sarif_names_lines() {
    let (world, registry) = (World::new(), registry());
    let report = verify_without(&world, &registry);
    assert_eq!(report["findings"][0]["rule"], "no-lockfile");
    world.write("work/package-lock.json", "{\"packages\": ");
    let report = verify_without(&world, &registry);
    assert_eq!(report["findings"][0]["rule"], "unreadable");
    lockfile(&world, &registry, &[("wrongly", "1.0.0")]);
    let sarif = world.path("out.sarif").display().to_string();
    let run = world.run_before(&registry, &["verify", "--sarif", &sarif]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    let text = std::fs::read_to_string(sarif).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let result = &document["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "signature-failed");
    assert_eq!(
        result["locations"][0]["physicalLocation"]["region"]["startLine"],
        3
    );
}

fn verify_without(world: &World, registry: &Registry) -> Value {
    let run = world.run_before(registry, &["verify", "--json"]);
    assert_eq!(run.code, Some(5), "{}", run.text());
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn what_fails_is_blocked_and_what_changed_counts() {
    let (world, registry) = (World::new(), registry());
    let gateway = world.serve(&registry);
    let tarball =
        |name: &str, version: &str| gateway.get(&format!("/{name}/-/{name}-{version}.tgz"), &[]);
    assert_eq!(tarball("plain", "1.0.0").status, 200);
    for name in ["wrongly", "forged"] {
        let answer = tarball(name, "1.0.0");
        assert_eq!(answer.status, 403, "{name}");
        assert_eq!(answer.header("x-weir-decision"), Some("block"), "{name}");
        assert_explained(
            &world,
            answer.json()["error"].as_str().unwrap(),
            &format!("{name}@1.0.0"),
        );
    }
    let signals = |release: &str| -> Vec<String> {
        let run = world.run_before(&registry, &["inspect", "--json", release]);
        let assessment: Value = serde_json::from_str(&run.stdout).unwrap();
        let findings = assessment["findings"].as_array().unwrap().iter();
        findings
            .map(|it| it["signal"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(signals("wrongly@1.0.0").contains(&"failed-verification".to_owned()));
    assert!(signals("moved@1.1.0").contains(&"provenance-change".to_owned()));
    for calm in ["plain@1.0.0", "@scope/built@1.1.0", "unsigned@1.0.0"] {
        let signals = signals(calm);
        let spoken = signals
            .iter()
            .any(|it| it == "failed-verification" || it == "provenance-change");
        assert!(!spoken, "{calm}: {signals:?}");
    }
}

#[test]
fn keys_and_attestations_are_kept_and_answer_for_an_upstream_that_fails() {
    let (world, registry) = (World::new(), registry());
    let paths = [
        "/-/npm/v1/keys",
        "/-/npm/v1/attestations/@scope%2fbuilt@1.1.0",
    ];
    {
        let gateway = world.serve(&registry);
        for path in paths {
            assert_eq!(gateway.get(path, &[]).status, 200);
        }
        registry.clear_requests();
        for path in paths {
            assert_eq!(gateway.get(path, &[]).status, 200);
        }
        assert!(registry.requests().is_empty());
        let none = gateway.get("/-/npm/v1/attestations/plain@1.0.0", &[]);
        assert_eq!(none.status, 404);
    }
    // A day later the keys would be asked for again; the clock of the wire cannot be set, so the kept
    // copy is what a restart answers with.
    registry.fault(Fault::on("*").status(503));
    let gateway = world.serve(&registry);
    for path in paths {
        assert_eq!(gateway.get(path, &[]).status, 200, "{path}");
    }
    let unknown = gateway.get("/-/npm/v1/attestations/moved@1.0.0", &[]);
    assert_eq!(unknown.status, 502);
}

/// What npm takes from the network and cannot have here: the root of trust. Everything else is npm's own.
const PRELOAD: &str = r#"
const Module = require('module');
const fs = require('fs');
const load = Module._load;
Module._load = function (request, parent) {
  const loaded = load.apply(this, arguments);
  if (request !== '@sigstore/tuf') return loaded;
  const { TrustedRoot } = parent.require('@sigstore/protobuf-specs');
  const absent = () => Promise.reject(Object.assign(new Error('no such target'), { code: 'TUF_FIND_TARGET_ERROR' }));
  return {
    TUFError: loaded.TUFError,
    DEFAULT_MIRROR_URL: loaded.DEFAULT_MIRROR_URL,
    initTUF: async () => ({ getTarget: absent }),
    getTrustedRoot: async () => TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(process.env.TEST_ROOT, 'utf8'))),
  };
};
"#;

#[test]
fn npm_audit_signatures_works_through_the_gateway() {
    let Some(npm) = clients::or_skip(Kind::Npm) else {
        return;
    };
    let (world, registry) = (World::new(), registry());
    let gateway = world.serve(&registry);
    let root = world.path("root.json").display().to_string();
    let preload = world.write("preload.cjs", PRELOAD).display().to_string();
    let options = format!("--require {preload}");
    let variables = [
        ("NODE_OPTIONS", options.as_str()),
        ("TEST_ROOT", root.as_str()),
    ];
    let audit = |project: &Project| npm.run_with(project, &["audit", "signatures"], &variables);
    let project = Project::new()
        .registry(gateway.url())
        .dependency("plain", "1.0.0")
        .dependency("@scope/built", "1.1.0");
    npm.install(&project).assert_success();
    let run = audit(&project);
    run.assert_success();
    assert!(
        run.says("2 packages have verified registry signatures"),
        "{}",
        run.text()
    );
    assert!(
        run.says("1 package has a verified attestation"),
        "{}",
        run.text()
    );

    let project = Project::new()
        .registry(gateway.url())
        .dependency("unsigned", "1.0.0");
    npm.install(&project).assert_success();
    let run = audit(&project);
    run.assert_failure();
    assert!(run.says("missing registry signature"), "{}", run.text());
}

/// What is known is not fetched again. `WEIR_ATTESTED=1500` with `--no-capture` tells what that takes.
#[test]
fn attested_packages_that_are_known_are_verified_without_asking() {
    let (world, registry) = (World::new(), Registry::start());
    let many = std::env::var("WEIR_ATTESTED").map_or(20, |it| it.parse().unwrap());
    let names: Vec<String> = (0..many).map(|number| format!("p{number}")).collect();
    for name in &names {
        let release = attested("1.0.0", "2025-01-01T10:00:00.000Z", |it| it);
        registry.add(Package::new(name).repository(REPOSITORY).release(release));
    }
    let releases: Vec<_> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    lockfile(&world, &registry, &releases);
    for (round, fetched) in [("everything fetched", many), ("everything known", 0)] {
        registry.clear_requests();
        let started = std::time::Instant::now();
        let report = verify(&world, &registry, 0);
        println!("{many} attested packages, {round}: {:?}", started.elapsed());
        assert_eq!(report["counts"]["provenance"], many);
        let asked = registry.requests_to("/-/npm/v1/attestations/*");
        assert_eq!(asked.len(), fetched, "{round}");
    }
}
