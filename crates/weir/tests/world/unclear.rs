//! Entries of npm's that lead to what is neither an address nor a path: npm looks that up and installs it, whatever
//! the entry's name and version say. `weir check`, `weir audit` and `weir verify` do not let them pass.

use serde_json::{Value, json};

use crate::audit::{flaw, import};
use crate::check_base::{commit, git};
use crate::support::{World, river};

/// A project whose entry, reached through another package or asked for itself, has these fields.
fn project(world: &World, version: u8, fields: &str) {
    world.write(
        "work/package.json",
        r#"{"name": "app", "version": "1.0.0", "dependencies": {"silt": "^1.0.0"}}"#,
    );
    let sha = format!("sha512-{}==", "A".repeat(86));
    let entry = format!(r#"{{"version": "1.2.0", {}}}"#, fields.replace("SHA", &sha));
    let text = match version {
        1 => format!(
            "{{\"name\": \"app\", \"version\": \"1.0.0\", \"lockfileVersion\": 1, \"requires\": true, \"dependencies\": {{\n\
             \"silt\": {entry}}}}}\n"
        ),
        _ => format!(
            "{{\"name\": \"app\", \"version\": \"1.0.0\", \"lockfileVersion\": 3, \"requires\": true, \"packages\": {{\n\
             \"\": {{\"name\": \"app\", \"version\": \"1.0.0\", \"dependencies\": {{\"silt\": \"^1.0.0\"}}}},\n\
             \"node_modules/silt\": {entry}}}}}\n"
        ),
    };
    world.write("work/package-lock.json", text);
}

const WAYS: [&str; 5] = [
    r#""resolved": "npm:evil@6.6.6""#,
    r#""resolved": "npm:evil@6.6.6", "integrity": "SHA""#,
    r#""resolved": "evil""#,
    r#""resolved": "evil@6.6.6", "integrity": "SHA""#,
    r#""resolved": "latest""#,
];

fn rules(text: &str, list: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(text).unwrap();
    let found = report[list].as_array().unwrap().iter();
    found
        .map(|it| {
            format!(
                "{} {}",
                it["level"].as_str().unwrap(),
                it["rule"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn an_entry_that_leads_to_another_request_is_no_pass() {
    let (world, registry) = (World::new(), river());
    import(
        &world,
        "osv",
        &[flaw("GHSA-1", "other", json!([{"introduced": "0"}]))],
    );
    for version in [1, 3] {
        for fields in WAYS {
            project(&world, version, fields);
            let run = world.run_before(&registry, &["check", "--offline", "--json"]);
            assert_eq!(run.code, Some(5), "{fields}: {}", run.text());
            let found = rules(&run.stdout, "findings");
            assert!(
                found.contains(&"error unknown-source".to_owned()),
                "{found:?}"
            );
            let run = world.run_before(&registry, &["audit", "--offline", "--json"]);
            assert_eq!(run.code, Some(1), "{fields}: {}", run.text());
            assert_eq!(rules(&run.stdout, "unchecked"), ["warning unknown-source"]);
            let run = world.run_before(&registry, &["verify", "--json"]);
            assert_eq!(run.code, Some(1), "{fields}: {}", run.text());
            assert_eq!(rules(&run.stdout, "findings"), ["warning no-release"]);
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(report["counts"]["unchecked"], 1, "{report:#}");
        }
    }
}

/// Near miss: npm takes an empty text for none.
#[test]
fn an_entry_without_an_address_is_one_of_the_registry() {
    let (world, registry) = (World::new(), river());
    for fields in [
        r#""integrity": "SHA""#,
        r#""resolved": "", "integrity": "SHA""#,
    ] {
        project(&world, 3, fields);
        let run = world.run_before(&registry, &["check", "--offline"]);
        assert_eq!(run.code, Some(0), "{fields}: {}", run.text());
    }
}

#[test]
fn the_same_version_from_such_a_place_is_a_replaced_entry() {
    let (world, registry) = (World::new(), river());
    git(&world, &["init", "--quiet"]);
    let url = registry.url();
    project(
        &world,
        3,
        &format!(r#""resolved": "{url}silt/-/silt-1.2.0.tgz", "integrity": "SHA""#),
    );
    commit(&world);
    for fields in WAYS.iter().filter(|it| !it.contains("integrity")) {
        project(&world, 3, fields);
        let arguments = ["check", "--base", "HEAD", "--offline", "--json"];
        let run = world.run_before(&registry, &arguments);
        assert_eq!(run.code, Some(5), "{fields}: {}", run.text());
        let found = rules(&run.stdout, "findings");
        assert!(
            found.contains(&"error entry-replaced".to_owned()),
            "{found:?}"
        );
    }
}
