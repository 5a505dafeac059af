//! What no registry has is never called the release of one, whatever its name is.

use std::collections::BTreeSet;

use super::*;

/// A tarball and a workspace of npm's, and an address that nobody knows.
const NPM: &str = r#"{"lockfileVersion": 3, "packages": {
"": {"name": "app", "workspaces": ["packages/*"], "dependencies": {"lodash": "file:lodash.tgz", "odd": "1.0.0"}},
"node_modules/lodash": {"version": "4.17.21", "resolved": "file:lodash.tgz", "dependencies": {"deep": "^1.0.0"}},
"node_modules/deep": {"version": "1.0.0", "resolved": "https://registry.example.invalid/deep/-/deep-1.0.0.tgz"},
"node_modules/odd": {"version": "1.0.0", "resolved": "exec:token=secret"},
"packages/express": {"name": "express", "version": "5.0.0", "dependencies": {"deep": "^1.0.0"}},
"node_modules/express": {"resolved": "packages/express", "link": true}
}}"#;

const PNPM: &str = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      lodash:\n        specifier: file:lodash\n        version: file:lodash\n      express:\n        specifier: link:../express\n        version: link:../express\n\npackages:\n\n  deep@1.0.0:\n    resolution: {integrity: sha512-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==}\n\n  lodash@file:lodash:\n    resolution: {directory: lodash, type: directory}\n\nsnapshots:\n\n  deep@1.0.0: {}\n\n  lodash@file:lodash:\n    dependencies:\n      deep: 1.0.0\n";

const YARN: &str = "# yarn lockfile v1\n\n\ndeep@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://registry.example.invalid/deep/-/deep-1.0.0.tgz\"\n\n\"lodash@file:./lodash\":\n  version \"4.17.21\"\n  dependencies:\n    deep \"^1.0.0\"\n";

/// The same path is another folder for each workspace.
const BERRY: &str = r#"__metadata:
  version: 8

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
    express: "portal:../express"
    lodash: "file:./lodash"

"b@workspace:b":
  version: 0.0.0-use.local
  resolution: "b@workspace:b"
  dependencies:
    lodash: "file:./lodash"

"deep@npm:^1.0.0":
  version: 1.0.0
  resolution: "deep@npm:1.0.0"

"express@portal:../express::locator=app%40workspace%3A.":
  version: 0.0.0-use.local
  resolution: "express@portal:../express::locator=app%40workspace%3A."
  dependencies:
    deep: "npm:^1.0.0"

"lodash@file:./lodash::locator=app%40workspace%3A.":
  version: 4.17.21
  resolution: "lodash@file:./lodash#./lodash::hash=abc&locator=app%40workspace%3A."
  dependencies:
    deep: "npm:^1.0.0"

"lodash@file:./lodash::locator=b%40workspace%3Ab":
  version: 4.17.21
  resolution: "lodash@file:./lodash#./lodash::hash=abd&locator=b%40workspace%3Ab"
"#;

const BUN: &str = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "app", "dependencies": {"lodash": "file:lodash"}}},
"packages": {
  "deep": ["deep@1.0.0", "", {}, "sha512-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="],
  "lodash": ["lodash@file:lodash", {"dependencies": {"deep": "^1.0.0"}}]}}"#;

/// The lockfiles, and what is said of whom: its name, `weir:source` and `weir:source:path`.
const LOCKED: [(&str, &str, &[[&str; 3]]); 5] = [
    (
        "package-lock.json",
        NPM,
        &[
            ["express", "workspace", "packages/express"],
            ["lodash", "local", "lodash.tgz"],
            ["odd", "unknown", "-"],
        ],
    ),
    (
        "pnpm-lock.yaml",
        PNPM,
        &[
            ["express", "local", "../express"],
            ["lodash", "local", "lodash"],
        ],
    ),
    ("yarn.lock", YARN, &[["lodash", "local", "./lodash"]]),
    (
        "yarn.lock",
        BERRY,
        &[
            ["b", "workspace", "b"],
            ["express", "local", "../express"],
            ["lodash", "local", "./lodash"],
            ["lodash", "local", "./lodash"],
        ],
    ),
    ("bun.lock", BUN, &[["lodash", "local", "lodash"]]),
];

fn property<'d>(component: &'d Value, name: &str) -> &'d str {
    let properties = component["properties"].as_array().into_iter().flatten();
    let mut found = properties.filter(|it| it["name"] == name);
    found.next().map_or("-", |it| it["value"].as_str().unwrap())
}

/// Every reference names one component, and every dependency is one between components.
fn references_hold(document: &Value) {
    let components = document["components"].as_array().unwrap().iter();
    let all = components.chain(document["metadata"].get("component"));
    let all: Vec<&str> = all.map(|it| it["bom-ref"].as_str().unwrap()).collect();
    let known: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(known.len(), all.len(), "{all:?}");
    for dependency in document["dependencies"].as_array().unwrap() {
        let on = dependency["dependsOn"].as_array().unwrap().iter();
        for reference in on.chain([&dependency["ref"]]) {
            let reference = reference.as_str().unwrap();
            assert!(known.contains(reference), "{reference}: {known:?}");
        }
    }
}

#[test]
fn what_no_registry_has_bears_no_package_url_and_says_what_it_is() {
    for (file, text, said) in LOCKED {
        let lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
        let bill = Bill::of("app", &lockfile, now(), &known);
        let document = super::super::cyclonedx::document(&bill);
        validate(&Schema::cyclonedx(), file, &document);
        references_hold(&document);
        let components = document["components"].as_array().unwrap();
        let mut found: Vec<[&str; 3]> = Vec::new();
        for component in components {
            if component["name"] == "deep" {
                assert_eq!(component["purl"], "pkg:npm/deep@1.0.0", "{file}");
                continue;
            }
            assert_eq!(component["purl"], Value::Null, "{file}: {component}");
            found.push([
                component["name"].as_str().unwrap(),
                property(component, "weir:source"),
                property(component, "weir:source:path"),
            ]);
        }
        found.sort_unstable();
        assert_eq!(found, said, "{file}");
        assert!(!document.to_string().contains("secret"), "{file}");
    }
}

#[test]
fn no_reference_in_spdx_names_a_public_package_instead() {
    for (file, text, said) in LOCKED {
        let lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
        let bill = Bill::of("app", &lockfile, now(), &known);
        let document = super::super::spdx::document(&bill);
        validate(&Schema::spdx(), file, &document);
        for [name, source, _] in said {
            let packages = document["packages"].as_array().unwrap().iter();
            for package in packages.filter(|it| it["name"] == *name) {
                assert_eq!(package["externalRefs"], Value::Null, "{file}: {package}");
                assert_eq!(package["downloadLocation"], "NOASSERTION", "{file}");
                let comment = format!("weir:source: {source}");
                assert!(package.to_string().contains(&comment), "{file}: {package}");
            }
        }
    }
}

#[test]
fn what_a_folder_asks_for_stays_in_the_graph() {
    for (file, text, _) in LOCKED {
        let lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
        let bill = Bill::of("app", &lockfile, now(), &known);
        let deep = ("pkg:npm/deep@1.0.0".to_owned(), DependencyKind::Normal);
        let asks = |name: &str| {
            let mut asking = bill.dependencies.iter();
            asking
                .any(|(from, on)| from.starts_with(&format!("local:{name}")) && on.contains(&deep))
        };
        assert!(asks("lodash"), "{file}: {:?}", bill.dependencies);
        assert_eq!(asks("express"), text == BERRY, "{file}");
    }
}

/// yarn writes no version of what it links, and a key may have any space at its commas.
#[test]
fn a_folder_is_told_apart_by_who_asks_and_by_no_made_up_version() {
    let key = "lodash@file:./lodash::locator=app%40workspace%3A.";
    let text = BERRY.replace(&format!("\"{key}\":"), &format!("\"{key},lodash@npm:^9\":"));
    assert_ne!(text, BERRY);
    let lockfile = Lockfile::parse("yarn.lock", text.as_bytes()).unwrap();
    let bill = Bill::of("app", &lockfile, now(), &known);
    let references: Vec<&str> = bill
        .components
        .iter()
        .map(|it| it.reference.as_str())
        .collect();
    assert!(
        !references
            .iter()
            .any(|it| it.contains("use.local") || it.contains("%2C"))
    );
    let has = |start: &str| references.iter().any(|it| it.starts_with(start));
    assert!(
        has("local:express?path=") && has("local:lodash@4.17.21?path="),
        "{references:?}"
    );
    let is_unnumbered = |name: &str| {
        let mut named = bill.components.iter().filter(|it| it.name == name);
        named.all(|it| it.version.is_none())
    };
    assert!(is_unnumbered("express") && is_unnumbered("b"));
}
