//! What entries are needed for.

use std::collections::BTreeMap;

use super::kinds::PNPM_11;
use super::read;
use crate::lockfile::{Lockfile, Need};
use crate::manifest::Manifest;

fn needs(lockfile: &Lockfile) -> BTreeMap<&str, Need> {
    let needs = lockfile.needs();
    assert_eq!(needs.len(), lockfile.nodes.len());
    let named = lockfile.nodes.iter().zip(needs);
    named
        .map(|(node, need)| (node.key.as_str(), need))
        .collect()
}

/// `both` is needed by `app` and by `tool`, `deep` by `tool` alone; nothing leads to the strays.
const NPM: &str = r#"{"name": "p", "lockfileVersion": 3, "packages": {
    "": {"name": "p", "dependencies": {"app": "1"}, "devDependencies": {"tool": "1"},
        "optionalDependencies": {"native": "1"}},
    "node_modules/app": {"version": "1.0.0", "dependencies": {"both": "1"}},
    "node_modules/both": {"version": "1.0.0"},
    "node_modules/tool": {"version": "1.0.0", "dev": true, "dependencies": {"both": "1", "deep": "1"}},
    "node_modules/deep": {"version": "1.0.0", "dev": true},
    "node_modules/native": {"version": "1.0.0", "optional": true, "dependencies": {"glue": "1"}},
    "node_modules/glue": {"version": "1.0.0", "optional": true},
    "node_modules/stray": {"version": "1.0.0"},
    "node_modules/stray-optional": {"version": "1.0.0", "optional": true},
    "node_modules/stray-dev": {"version": "1.0.0", "dev": true}
}}"#;

#[test]
fn the_strongest_way_decides_and_an_entry_speaks_where_none_leads_to_it() {
    let lockfile = read("package-lock.json", NPM);
    let needs = needs(&lockfile);
    for (place, need) in [
        ("", Need::Required),
        ("node_modules/app", Need::Required),
        ("node_modules/both", Need::Required),
        ("node_modules/tool", Need::Development),
        ("node_modules/deep", Need::Development),
        ("node_modules/native", Need::Optional),
        ("node_modules/glue", Need::Optional),
        ("node_modules/stray", Need::Required),
        ("node_modules/stray-optional", Need::Optional),
        ("node_modules/stray-dev", Need::Development),
    ] {
        assert_eq!(needs[place], need, "{place}");
    }
}

#[test]
fn what_sets_the_client_up_is_needed_by_every_install() {
    let lockfile = read("pnpm-lock.yaml", PNPM_11);
    let needs = needs(&lockfile);
    assert_eq!(needs["@s/pnpm-config@1.0.0"], Need::Required);
    assert_eq!(needs["pnpm@12.1.0"], Need::Required);
    assert_eq!(needs["pnpm-native@12.1.0"], Need::Optional);
    assert_eq!(needs["a@1.0.0"], Need::Required);
}

const BERRY: &str = "__metadata:\n  version: 8\n\n\"app@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"app@npm:1.0.0\"\n\n\"tool@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"tool@npm:1.0.0\"\n\n\"p@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"p@workspace:.\"\n  dependencies:\n    app: \"npm:^1.0.0\"\n    tool: \"npm:^1.0.0\"\n";

#[test]
fn the_manifest_says_what_is_for_development_where_the_lockfile_does_not() {
    let mut lockfile = read("yarn.lock", BERRY);
    assert_eq!(needs(&lockfile)["tool@npm:^1.0.0"], Need::Required);
    let manifest = br#"{"dependencies": {"app": "^1.0.0"}, "devDependencies": {"tool": "^1.0.0", "app": "^1.0.0"}}"#;
    lockfile.learn_development("", &Manifest::from_json(manifest).unwrap());
    assert_eq!(needs(&lockfile)["tool@npm:^1.0.0"], Need::Development);
    assert_eq!(needs(&lockfile)["app@npm:^1.0.0"], Need::Required);
}
