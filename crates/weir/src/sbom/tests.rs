//! Bills of small lockfiles in every format, and of whole projects where they are beside the checkout; all
//! are validated against the official schemas.

mod local;
mod schema;

use std::path::PathBuf;

use serde_json::Value;
use weir_model::{Action, AttestationState, SignatureState};
use weir_npm::lockfile::Format;

use schema::Schema;

use super::*;

const NPM: &str = r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
"": {"name": "app", "version": "1.0.0", "license": "MIT", "workspaces": ["packages/*"],
  "dependencies": {"@acme/tool": "^1.0.0", "old": "1.0.0", "gitty": "git+ssh://git@git.example.invalid/a/b.git"},
  "devDependencies": {"tester": "^2.0.0"}, "optionalDependencies": {"fsx": "^3.0.0"}},
"node_modules/@acme/tool": {"version": "1.2.3", "license": "(MIT OR Apache-2.0)",
  "resolved": "https://user:secret@registry.example.invalid/@acme/tool/-/tool-1.2.3.tgz?token=secret",
  "integrity": "sha512-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==",
  "dependencies": {"deep": "^1.0.0"}},
"node_modules/deep": {"version": "1.0.0", "resolved": "https://registry.example.invalid/deep/-/deep-1.0.0.tgz",
  "integrity": "sha1-AQEBAQEBAQEBAQEBAQEBAQEBAQE=", "license": "Apache 2", "hasInstallScript": true},
"node_modules/tester": {"version": "2.0.0", "dev": true, "license": "ISC",
  "resolved": "https://registry.example.invalid/tester/-/tester-2.0.0.tgz", "dependencies": {"deep": "^1.0.0"}},
"node_modules/tester/node_modules/deep": {"version": "1.0.0", "dev": true,
  "resolved": "https://registry.example.invalid/deep/-/deep-1.0.0.tgz"},
"node_modules/old": {"version": "1.0.0", "resolved": "https://files.example.invalid/old.tgz?token=secret"},
"node_modules/gitty": {"version": "0.1.0",
  "resolved": "git+ssh://git@git.example.invalid/a/b.git#0123456789abcdef0123456789abcdef01234567"},
"node_modules/fsx": {"version": "3.0.0", "optional": true, "resolved": "https://registry.example.invalid/fsx/-/fsx-3.0.0.tgz"},
"packages/inner": {"name": "@acme/inner", "version": "0.0.1", "dependencies": {"deep": "^1.0.0"}},
"node_modules/@acme/inner": {"resolved": "packages/inner", "link": true}
}}"#;

const PNPM: &str = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      '@acme/tool':\n        specifier: ^1.0.0\n        version: 1.2.3\n    devDependencies:\n      tester:\n        specifier: ^2.0.0\n        version: 2.0.0\n\npackages:\n\n  '@acme/tool@1.2.3':\n    resolution: {integrity: sha512-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==}\n\n  tester@2.0.0:\n    resolution: {integrity: sha512-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==}\n\nsnapshots:\n\n  '@acme/tool@1.2.3':\n    dependencies:\n      tester: 2.0.0\n\n  tester@2.0.0: {}\n";

const YARN: &str = "# yarn lockfile v1\n\n\n\"@acme/tool@^1.0.0\":\n  version \"1.2.3\"\n  resolved \"https://registry.example.invalid/@acme/tool/-/tool-1.2.3.tgz#0101010101010101010101010101010101010101\"\n  integrity sha512-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==\n  dependencies:\n    tester \"^2.0.0\"\n\ntester@^2.0.0:\n  version \"2.0.0\"\n  resolved \"https://registry.example.invalid/tester/-/tester-2.0.0.tgz\"\n";

const BERRY: &str = "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"@acme/tool@npm:^1.0.0\":\n  version: 1.2.3\n  resolution: \"@acme/tool@npm:1.2.3\"\n  checksum: 10c0/01010101\n  languageName: node\n  linkType: hard\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    \"@acme/tool\": \"npm:^1.0.0\"\n  languageName: unknown\n  linkType: soft\n";

const BUN: &str = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "app", "dependencies": {"@acme/tool": "^1.0.0"}}},
"packages": {"@acme/tool": ["@acme/tool@1.2.3", "", {}, "sha512-AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="]}}"#;

const FORMATS: [(&str, &str); 5] = [
    ("package-lock.json", NPM),
    ("pnpm-lock.yaml", PNPM),
    ("yarn.lock", YARN),
    ("yarn.lock", BERRY),
    ("bun.lock", BUN),
];

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn known(node: &Node) -> Known {
    let licence = node.licence.as_deref().map(Licence::of);
    Known {
        licence: licence.unwrap_or_default(),
        ..Known::default()
    }
}

fn bill(file: &str, text: &str) -> Bill {
    let mut lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
    let manifest = br#"{"name": "app", "dependencies": {"@acme/tool": "^1.0.0"}}"#;
    let manifest = weir_npm::manifest::Manifest::from_json(manifest).unwrap();
    lockfile.add_project("", &manifest);
    Bill::of("app", &lockfile, now(), &known)
}

fn validate(schema: &Schema, what: &str, document: &Value) {
    if let Err(error) = schema.check(document) {
        panic!("{what}: {error}");
    }
}

fn component<'d>(document: &'d Value, reference: &str) -> &'d Value {
    let components = document["components"].as_array().unwrap();
    let found = components.iter().find(|it| it["bom-ref"] == reference);
    found.unwrap_or_else(|| panic!("{reference} is not among {components:#?}"))
}

#[test]
fn every_format_is_valid_by_the_official_schemas() {
    let (cyclonedx, spdx) = (Schema::cyclonedx(), Schema::spdx());
    for (file, text) in FORMATS {
        let bill = bill(file, text);
        let document = super::cyclonedx::document(&bill);
        validate(&cyclonedx, file, &document);
        let tool = component(&document, "pkg:npm/%40acme/tool@1.2.3");
        assert_eq!(
            (&tool["group"], &tool["name"]),
            (&"@acme".into(), &"tool".into())
        );
        let spdx_document = super::spdx::document(&bill);
        validate(&spdx, file, &spdx_document);
        let packages = spdx_document["packages"].as_array().unwrap();
        assert_eq!(packages.len(), bill.components.len(), "{file}");
    }
    // The schemas do refuse something.
    let mut broken = super::cyclonedx::document(&bill("package-lock.json", NPM));
    broken["components"][0]["type"] = "thing".into();
    assert!(cyclonedx.check(&broken).is_err());
    let mut broken = super::spdx::document(&bill("package-lock.json", NPM));
    broken["packages"][0]["checksums"] = serde_json::json!([{"algorithm": "ROT13"}]);
    assert!(spdx.check(&broken).is_err());
}

#[test]
fn digests_licences_scopes_and_the_graph_are_written() {
    let bill = bill("package-lock.json", NPM);
    let document = super::cyclonedx::document(&bill);
    assert_eq!(document["metadata"]["component"]["name"], "app");
    assert_eq!(document["metadata"]["timestamp"], "2026-11-20T12:00:00Z");
    let tool = component(&document, "pkg:npm/%40acme/tool@1.2.3");
    assert_eq!(tool["hashes"][0]["alg"], "SHA-512");
    assert_eq!(tool["hashes"][0]["content"], "01".repeat(64));
    assert_eq!(tool["licenses"][0]["expression"], "(MIT OR Apache-2.0)");
    // Needed by the project and by a tool of its development: needed.
    let deep = component(&document, "pkg:npm/deep@1.0.0");
    assert_eq!(
        (&deep["scope"], &deep["hashes"][0]["alg"]),
        (&"required".into(), &"SHA-1".into())
    );
    assert_eq!(deep["licenses"][0]["license"]["name"], "Apache 2");
    assert_eq!(
        component(&document, "pkg:npm/tester@2.0.0")["scope"],
        "excluded"
    );
    assert_eq!(
        component(&document, "pkg:npm/fsx@3.0.0")["scope"],
        "optional"
    );
    let dependencies = document["dependencies"].as_array().unwrap();
    let of = |reference: &str| {
        let found = dependencies.iter().find(|it| it["ref"] == reference);
        found.unwrap()["dependsOn"].clone()
    };
    assert_eq!(
        of("pkg:npm/%40acme/tool@1.2.3"),
        serde_json::json!(["pkg:npm/deep@1.0.0"])
    );
    assert_eq!(
        of("project:packages/inner"),
        serde_json::json!(["pkg:npm/deep@1.0.0"])
    );
    assert_eq!(of("project:.").as_array().unwrap().len(), 5);
    let spdx = super::spdx::document(&bill);
    let relations = spdx["relationships"].as_array().unwrap();
    let count = |kind: &str| {
        let of_kind = relations.iter().filter(|it| it["relationshipType"] == kind);
        of_kind.count()
    };
    assert_eq!(count("DESCRIBES"), 2);
    assert_eq!(count("DEV_DEPENDENCY_OF"), 1);
    assert_eq!(count("OPTIONAL_DEPENDENCY_OF"), 1);
    assert_eq!(count("DEPENDS_ON"), 6);
}

#[test]
fn nothing_secret_is_handed_around_and_other_origins_are_in_the_address() {
    let bill = bill("package-lock.json", NPM);
    for document in [
        super::cyclonedx::document(&bill),
        super::spdx::document(&bill),
    ] {
        assert!(!document.to_string().contains("secret"));
    }
    let document = super::cyclonedx::document(&bill);
    let git = "pkg:npm/gitty@0.1.0?vcs_url=git%2Bssh://git%40git.example.invalid/a/b.git%40\
               0123456789abcdef0123456789abcdef01234567";
    assert_eq!(
        component(&document, git)["externalReferences"][0]["type"],
        "vcs"
    );
    component(
        &document,
        "pkg:npm/old@1.0.0?download_url=https://files.example.invalid/old.tgz",
    );
}

#[test]
fn decisions_and_provenance_are_properties_and_annotations() {
    let lockfile = Lockfile::parse("package-lock.json", NPM.as_bytes()).unwrap();
    let trust = Trust {
        signature: SignatureState::Verified {
            keyid: "SHA256:key".to_owned(),
        },
        attestations: AttestationState::None,
        since: None,
        changes: Vec::new(),
        breaches: Vec::new(),
    };
    let decision = Decision {
        action: Action::Notice,
        groups: Vec::new(),
        reasons: vec!["notice: one kind of evidence (code)".to_owned()],
        until: None,
        instead: None,
        waiver: None,
        circumstances: None,
    };
    let bill = Bill::of("app", &lockfile, now(), &|node| Known {
        decision: (node.name == "deep").then(|| decision.clone()),
        trust: (node.name == "deep").then(|| trust.clone()),
        ..known(node)
    });
    let document = super::cyclonedx::document(&bill);
    validate(&Schema::cyclonedx(), "properties", &document);
    let properties = component(&document, "pkg:npm/deep@1.0.0")["properties"].as_array();
    let value = |name: &str| {
        let mut found = properties.unwrap().iter().filter(|it| it["name"] == name);
        found
            .next()
            .map(|it| it["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(value("weir:decision").as_deref(), Some("notice"));
    assert_eq!(value("weir:signature").as_deref(), Some("verified"));
    assert_eq!(value("weir:provenance").as_deref(), Some("none"));
    assert_eq!(value("weir:install-scripts").as_deref(), Some("true"));
    let spdx = super::spdx::document(&bill);
    validate(&Schema::spdx(), "annotations", &spdx);
    assert!(spdx.to_string().contains("weir:decision: notice"));
}

#[test]
fn the_same_bill_is_the_same_text_and_another_has_another_number() {
    let one = super::cyclonedx::document(&bill("package-lock.json", NPM));
    assert_eq!(
        one,
        super::cyclonedx::document(&bill("package-lock.json", NPM))
    );
    let other =
        super::cyclonedx::document(&bill("package-lock.json", &NPM.replace("3.0.0", "3.0.1")));
    assert_ne!(one["serialNumber"], other["serialNumber"]);
    let spdx = super::spdx::document(&bill("package-lock.json", NPM));
    assert_eq!(spdx, super::spdx::document(&bill("package-lock.json", NPM)));
}

/// Whole projects, where they are beside the checkout: the lockfiles of every client.
#[test]
fn whole_projects_are_valid_where_they_are_beside_the_checkout() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = root
        .ancestors()
        .map(|folder| folder.join("shared/projects"))
        .find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        eprintln!("SKIPPED: whole projects, as there is no ../shared/projects");
        return;
    };
    let (cyclonedx, spdx) = (Schema::cyclonedx(), Schema::spdx());
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let project = entry.unwrap().path();
        let manifest = std::fs::read(project.join("package.json")).unwrap();
        let manifest = weir_npm::manifest::Manifest::from_json(&manifest).unwrap();
        for (file, format) in FILES {
            let path = project.join(file);
            let text = std::fs::read(&path).unwrap();
            let mut lockfile = Lockfile::parse_as(format, file, &text).unwrap();
            lockfile.add_project("", &manifest);
            let bill = Bill::of("app", &lockfile, now(), &known);
            let what = path.display().to_string();
            assert!(bill.components.len() > 100, "{what}");
            let needed = bill
                .components
                .iter()
                .filter(|it| it.need == Need::Required);
            let needed = needed.count();
            assert!(
                needed > 1 && needed < bill.components.len(),
                "{what}: {needed}"
            );
            validate(&cyclonedx, &what, &super::cyclonedx::document(&bill));
            validate(&spdx, &what, &super::spdx::document(&bill));
            read += 1;
        }
    }
    assert_eq!(read, 15);
}

const FILES: [(&str, Format); 5] = [
    ("package-lock.json", Format::Npm),
    ("yarn-v1.lock", Format::YarnClassic),
    ("yarn-berry.lock", Format::YarnBerry),
    ("pnpm-lock.yaml", Format::Pnpm),
    ("bun.lock", Format::Bun),
];
