//! `weir sbom`: from a lockfile and what is kept, to a bill of materials.

use serde_json::Value;
use weir_testing::{Package, Provenance, Registry, Release};

use crate::support::{World, lockfile, output};

fn registry() -> Registry {
    let registry = Registry::start();
    let repository = "https://git.example.invalid/owner/lib";
    let release = Release::new("1.0.0")
        .published("2025-01-01T10:00:00.000Z")
        .field("license", "BlueOak-1.0.0".into())
        .attested_with(Provenance::from_repository(repository));
    registry.add(
        Package::new("@scope/lib")
            .maintainer("mara")
            .repository(repository)
            .release(release),
    );
    registry
}

fn properties(document: &Value) -> Vec<(String, String)> {
    let properties = document["components"][0]["properties"].as_array();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    properties
        .into_iter()
        .flatten()
        .map(|it| (text(&it["name"]), text(&it["value"])))
        .collect()
}

fn bill(world: &World, registry: &Registry, arguments: &[&str]) -> Value {
    let run = world.run_before(registry, &[&["sbom"][..], arguments].concat());
    serde_json::from_str(&run.assert_success().stdout).unwrap()
}

#[test]
fn what_is_kept_of_decisions_and_provenance_is_in_it() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("@scope/lib", "1.0.0")]);
    let first = bill(&world, &registry, &[]);
    assert_eq!(first["components"][0]["purl"], "pkg:npm/%40scope/lib@1.0.0");
    assert_eq!(properties(&first), []);
    assert!(registry.requests().is_empty(), "nobody is asked");
    let mut gateway = world.serve(&registry);
    assert_eq!(gateway.get("/@scope/lib/-/lib-1.0.0.tgz", &[]).status, 200);
    // Packuments are written when nobody waits for an answer, and at the end.
    gateway.stop().expect("it ends when it is asked to");
    registry.clear_requests();
    let second = bill(&world, &registry, &[]);
    assert!(registry.requests().is_empty(), "nobody is asked");
    let has = |name: &str, value: &str| {
        let wanted = (name.to_owned(), value.to_owned());
        let properties = properties(&second);
        assert!(properties.contains(&wanted), "{name}: {properties:?}");
    };
    has("weir:decision", "allow");
    has("weir:signature", "verified");
    has("weir:provenance", "verified");
    has(
        "weir:provenance:repository",
        "https://git.example.invalid/owner/lib",
    );
    has("weir:provenance:workflow", ".github/workflows/release.yml");
    let licence = &second["components"][0]["licenses"][0]["license"]["id"];
    assert_eq!(licence, "BlueOak-1.0.0", "from the kept packument");
    // Verified on demand, in a folder that knows nothing.
    let fresh = World::new();
    lockfile(&fresh, &registry, &[("@scope/lib", "1.0.0")]);
    let verified = bill(&fresh, &registry, &["--verify"]);
    assert!(properties(&verified).contains(&("weir:signature".into(), "verified".into())));
}

/// A digest that is not the one that was signed never stands beside `verified`.
#[test]
fn a_foreign_digest_is_not_called_verified() {
    let (world, registry) = (World::new(), registry());
    let right = registry.integrity("@scope/lib", "1.0.0").unwrap();
    let foreign = format!("sha512-{}==", "A".repeat(86));
    for (integrity, said) in [
        (foreign.clone(), "failed: "),
        (format!("{right} {foreign}"), "failed: "),
        (format!("sha256-{}=", "A".repeat(43)), "not checked: "),
        ("rubbish".to_owned(), "not checked: "),
    ] {
        lockfile(&world, &registry, &[("@scope/lib", "1.0.0")]);
        let sound = bill(&world, &registry, &["--verify"]);
        assert!(properties(&sound).contains(&("weir:signature".into(), "verified".into())));
        let path = world.path("work/package-lock.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(&right, &integrity)).unwrap();
        let run = world.run_before(&registry, &["sbom", "--verify"]);
        let not_checked = said == "not checked: ";
        let code = if not_checked { 1 } else { 5 };
        assert_eq!(run.code, Some(code), "{integrity}: {}", run.text());
        assert_eq!(
            run.stderr.contains("1 of 1 release could not be verified"),
            not_checked
        );
        let verified: Value = serde_json::from_str(&run.stdout).unwrap();
        let properties = properties(&verified);
        let signature = properties.iter().find(|(name, _)| name == "weir:signature");
        let (_, signature) = signature.unwrap();
        assert!(signature.starts_with(said), "{integrity}: {signature}");
    }
}

/// As `weir verify` ends: what does not hold is named, and the bill is written all the same.
#[test]
fn what_does_not_hold_is_named_and_ends_as_verify_does() {
    let registry = registry();
    for (name, release, rule) in [
        (
            "wrongly",
            Release::new("1.0.0").wrongly_signed(),
            "signature-failed",
        ),
        (
            "unsigned",
            Release::new("1.0.0").unsigned(),
            "signature-missing",
        ),
        (
            "forged",
            Release::new("1.0.0")
                .attested_with(Provenance::from_repository(
                    "https://git.example.invalid/owner/lib",
                ))
                .forged_attestation(),
            "attestation-failed",
        ),
    ] {
        let world = World::new();
        let release = release.published("2025-01-01T10:00:00.000Z");
        registry.add(Package::new(name).maintainer("mara").release(release));
        lockfile(
            &world,
            &registry,
            &[("@scope/lib", "1.0.0"), (name, "1.0.0")],
        );
        let run = world.run_before(&registry, &["sbom", "--verify"]);
        assert_eq!(run.code, Some(5), "{name}: {}", run.text());
        let line = format!("package-lock.json:4: error: {name}@1.0.0: ");
        assert_eq!(
            run.stderr.matches(&line).count(),
            1,
            "{name}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(rule), "{name}: {}", run.stderr);
        assert!(
            run.stderr
                .contains("weir: 1 of 2 releases in the bill does not hold"),
            "{name}: {}",
            run.stderr
        );
        let bill: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(bill["components"].as_array().unwrap().len(), 2);
        let verify = world.run_before(&registry, &["verify"]);
        assert_eq!(verify.code, run.code, "{name}: {}", verify.text());
        // Nobody asked for it.
        world.run_before(&registry, &["sbom"]).assert_success();
    }
}

/// The bill is written, and says of each that it was not checked: whoever asked for it to be checked hears that too.
#[test]
fn a_registry_that_does_not_answer_verifies_nothing() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("@scope/lib", "1.0.0")]);
    let arguments = ["--upstream", "http://127.0.0.1:9/", "sbom"];
    let run = world.run(&[&arguments[..], &["--verify", "--output", "bill.json"]].concat());
    assert_eq!(run.code, Some(1), "{}", run.text());
    let told = "weir: 1 of 1 release could not be verified, and is in the bill as not checked; first @scope/lib@1.0.0: ";
    assert_eq!(run.stderr.matches(told).count(), 1, "{}", run.text());
    let bill = std::fs::read(world.path("work/bill.json")).unwrap();
    let bill: Value = serde_json::from_slice(&bill).unwrap();
    let properties = properties(&bill);
    assert!(
        properties
            .iter()
            .any(|(name, value)| name == "weir:signature" && value.starts_with("not checked: ")),
        "{properties:?}"
    );
    // Nobody asked for it.
    world.run(&arguments).assert_success();
}

#[test]
fn names_that_are_yours_are_not_told_to_the_default_registry() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("@scope/lib", "1.0.0")]);
    world.write("work/weir.toml", "[names]\nown = [\"@scope/*\"]\n");
    let run = world.run_before(&registry, &["sbom", "--verify"]);
    assert!(
        run.assert_success()
            .stderr
            .contains("was not asked about 1"),
        "{}",
        run.text()
    );
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let properties = properties(&document);
    let signature = properties.iter().find(|(name, _)| name == "weir:signature");
    let (_, signature) = signature.unwrap();
    assert!(signature.contains("names.own"), "{signature}");
    let asked = registry.requests();
    assert!(!asked.iter().any(|it| it.path.contains("lib")), "{asked:?}");
}

#[test]
fn the_same_input_gives_the_same_text_at_a_given_moment() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("@scope/lib", "1.0.0")]);
    for format in ["cyclonedx", "spdx"] {
        let run = || {
            world
                .run_before(&registry, &["sbom", "--format", format])
                .stdout
        };
        assert_eq!(run(), run());
    }
    let epoch = |value: &str| {
        output(
            std::process::Command::new(env!("CARGO_BIN_EXE_weir"))
                .env_clear()
                .env("HOME", world.path("home"))
                .env("WEIR_DATA", world.path("data"))
                .env("SOURCE_DATE_EPOCH", value)
                .current_dir(world.path("work"))
                .args(["sbom", "--upstream", &registry.url()]),
        )
    };
    let document: Value = serde_json::from_str(&epoch("86400").assert_success().stdout).unwrap();
    assert_eq!(document["metadata"]["timestamp"], "1970-01-02T00:00:00Z");
    assert!(epoch("soon").assert_failure().says("SOURCE_DATE_EPOCH"));
}

#[test]
fn licences_come_from_what_is_installed_only_if_it_is_what_is_locked() {
    let (world, registry) = (World::new(), registry());
    lockfile(&world, &registry, &[("@scope/lib", "1.0.0")]);
    let install = |version: &str| {
        let manifest =
            format!(r#"{{"name": "@scope/lib", "version": "{version}", "license": "ISC"}}"#);
        world.write("work/node_modules/@scope/lib/package.json", manifest);
        bill(&world, &registry, &["--format", "spdx"])["packages"][1]["licenseDeclared"].clone()
    };
    assert_eq!(install("1.0.0"), "ISC");
    assert_eq!(install("2.0.0"), "NOASSERTION");
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let (world, registry) = (World::new(), registry());
    let none = world.run_before(&registry, &["sbom"]);
    assert!(
        none.assert_failure().says("there is no lockfile"),
        "{}",
        none.text()
    );
    world.write(
        "work/package-lock.json",
        "{\n\"lockfileVersion\": 3,\n\"packages\": []}",
    );
    let broken = world.run_before(&registry, &["sbom"]);
    assert!(
        broken.assert_failure().says("package-lock.json:3"),
        "{}",
        broken.text()
    );
    world.write("work/yarn.lock", "# yarn lockfile v1\n");
    let two = world.run_before(&registry, &["sbom"]);
    assert!(two.assert_failure().says("--lockfile"), "{}", two.text());
}

/// A bill of nothing would say that nothing is used.
#[test]
fn a_lockfile_that_lists_nothing_of_what_is_asked_for_makes_no_bill() {
    let bun = r#"{"lockfileVersion": 1, "workspaces": {"": {}}, "packages": {}}"#;
    for (file, text) in [("bun.lock", bun), ("yarn.lock", "# yarn lockfile v1\n")] {
        for (manifest, code) in [(r#"{"dependencies": {"reed": "^1.0.0"}}"#, 5), ("{}", 0)] {
            let (world, registry) = (World::new(), registry());
            world.write("work/package.json", manifest);
            world.write(&format!("work/{file}"), text);
            let run = world.run_before(&registry, &["sbom"]);
            assert_eq!(run.code, Some(code), "{file}: {}", run.text());
            assert_eq!(run.stdout.is_empty(), code == 5, "{file}: {}", run.text());
            assert_eq!(run.stderr.contains("nothing-locked"), code == 5, "{file}");
        }
    }
}

/// What the client is set up with, what nothing leads to, and what a manifest says of yarn's one list: a bill
/// and an audit go by one rule.
#[test]
fn a_bill_and_an_audit_agree_on_what_is_needed_for_what() {
    let pnpm = "---\nlockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    configDependencies:\n      reed:\n        specifier: 1.0.0\n        version: 1.0.0\n\npackages:\n\n  reed@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n\nsnapshots:\n\n  reed@1.0.0: {}\n\n---\nlockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n";
    let npm = r#"{"lockfileVersion": 3, "packages": {"": {}, "node_modules/reed": {"version": "1.0.0", "optional": true}}}"#;
    let berry = "__metadata:\n  version: 8\n\n\"p@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"p@workspace:.\"\n  dependencies:\n    reed: \"npm:1.0.0\"\n\n\"reed@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"reed@npm:1.0.0\"\n";
    let registry = crate::audit::pond();
    for (file, text, manifest, scope, need) in [
        ("pnpm-lock.yaml", pnpm, "{}", "required", "production"),
        ("package-lock.json", npm, "{}", "optional", "optional"),
        (
            "yarn.lock",
            berry,
            r#"{"dependencies": {"reed": "1.0.0"}}"#,
            "required",
            "production",
        ),
        (
            "yarn.lock",
            berry,
            r#"{"devDependencies": {"reed": "1.0.0"}}"#,
            "excluded",
            "development",
        ),
    ] {
        let world = World::new();
        crate::audit::import(&world, "osv", &[crate::audit::reed_flaw()]);
        world.write(&format!("work/{file}"), text);
        world.write("work/package.json", manifest);
        let bill = bill(&world, &registry, &[]);
        let reed = &bill["components"][0];
        assert_eq!(
            (&reed["name"], &reed["scope"]),
            (&"reed".into(), &scope.into()),
            "{file}"
        );
        let audit = world.run_before(&registry, &["audit", "--offline", "--json"]);
        let audit: Value = serde_json::from_str(&audit.stdout).unwrap();
        assert_eq!(audit["findings"][0]["locked"][0]["need"], need, "{file}");
    }
}
