//! `weir check`: which registries are known, of addresses of an unusual form and of registries that do not answer.

use serde_json::Value;
use weir_testing::Registry;

use crate::support::{World, lockfile, river};

/// Rule and line of what is found about addresses.
fn found(world: &World, registry: &Registry, code: i32, arguments: &[&str]) -> Vec<(String, u64)> {
    let run = world.run_before(registry, &[&["check", "--json"], arguments].concat());
    assert_eq!(run.code, Some(code), "{}", run.text());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let rules = [
        "foreign-registry",
        "plain-http",
        "other-tarball",
        "unusual-address",
        "registry-assumed",
    ];
    let findings = findings.filter(|it| rules.contains(&it["rule"].as_str().unwrap()));
    let pair = |it: &Value| {
        (
            it["rule"].as_str().unwrap().to_owned(),
            it["line"].as_u64().unwrap(),
        )
    };
    findings.map(pair).collect()
}

/// A registry that is configured is known whatever form the addresses below it have, also where there is no other.
#[test]
fn a_lockfile_of_unusual_addresses_alone_knows_its_registries() {
    let (world, registry) = (World::new(), river());
    let registry_of_ours = "https://npm.example.invalid";
    world.write(
        "work/.npmrc",
        format!("@acme:registry={registry_of_ours}/\n"),
    );
    world.write(
        "work/package.json",
        r#"{"name": "app", "dependencies": {"@acme/tool": "1.0.0"}}"#,
    );
    let lock = |at: &str| {
        let sha = format!("sha512-{}==", "A".repeat(86));
        let text = format!(
            "{{\"name\": \"app\", \"lockfileVersion\": 3, \"packages\": {{\n\"\": {{\"name\": \"app\", \
             \"dependencies\": {{\"@acme/tool\": \"1.0.0\"}}}},\n\"node_modules/@acme/tool\": {{\"version\": \
             \"1.0.0\", \"resolved\": \"{at}\", \"integrity\": \"{sha}\"}}}}}}\n"
        );
        world.write("work/package-lock.json", text);
    };
    let download = "download/@acme/tool/1.0.0/0123456789abcdef";
    for (at, rule, code) in [
        (
            format!("{registry_of_ours}/{download}"),
            "unusual-address",
            0,
        ),
        (
            format!("{registry_of_ours}/other/-/other-1.0.0.tgz"),
            "other-tarball",
            5,
        ),
        // Near misses: another host, and one that begins alike.
        (
            format!("https://evil.example/{download}"),
            "foreign-registry",
            5,
        ),
        (
            format!("{registry_of_ours}.evil.example/{download}"),
            "foreign-registry",
            5,
        ),
        (
            format!("{}/{download}", registry_of_ours.replace("https", "http")),
            "plain-http",
            5,
        ),
    ] {
        lock(&at);
        let found = found(&world, &registry, code, &["--offline"]);
        assert_eq!(found, [(rule.to_owned(), 3)], "{at}");
    }
}

/// Who was asked and did not answer is not told to be asked.
#[test]
fn a_registry_that_does_not_answer_is_no_registry_that_was_not_asked() {
    let (world, registry) = (World::new(), river());
    lockfile(&world, &registry, &[("gauge-reader", "1.0.0")]);
    let check = |arguments: &[&str]| {
        world.run(
            &[
                &["--upstream", "http://127.0.0.1:9/", "check"][..],
                arguments,
            ]
            .concat(),
        )
    };
    let asked = check(&[]);
    let told = "the registry did not say where its tarballs are (";
    assert!(asked.says(told), "{}", asked.text());
    let todo = "run it again when the registry in npm's configuration answers";
    assert!(asked.says(todo), "{}", asked.text());
    assert!(!asked.says("--offline"), "{}", asked.text());
    let offline = check(&["--offline"]);
    let told = "the registry was not asked where its tarballs are (--offline)";
    assert!(offline.says(told), "{}", offline.text());
    assert!(offline.says("run without --offline"), "{}", offline.text());
}
