use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod parsing;
mod properties;
mod rendering;
mod tags;

fn name() -> PackageName {
    PackageName::parse("n").unwrap()
}

fn parse(text: impl Into<String>) -> Result<Packument, PackumentError> {
    Packument::parse(&name(), Bytes::from(text.into()))
}

/// A packument of these versions, each with a tarball and a publish time.
fn of_versions(versions: &[&str], tags: &[(&str, &str)]) -> Packument {
    let members: serde_json::Map<String, Value> = versions
        .iter()
        .map(|version| ((*version).to_owned(), version_json(version)))
        .collect();
    let times: serde_json::Map<String, Value> = versions
        .iter()
        .map(|version| ((*version).to_owned(), "2026-01-01T00:00:00.000Z".into()))
        .collect();
    let tags: serde_json::Map<String, Value> = tags
        .iter()
        .map(|(tag, version)| ((*tag).to_owned(), (*version).into()))
        .collect();
    let document = json!({"name": "n", "dist-tags": tags, "versions": members, "time": times});
    parse(document.to_string()).unwrap()
}

fn version_json(version: &str) -> Value {
    json!({
        "name": "n",
        "version": version,
        "dist": {"tarball": format!("https://registry.example.invalid/n/-/n-{version}.tgz"), "shasum": "0".repeat(40)},
    })
}

#[test]
fn it_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Arc::new(of_versions(&["1.0.0"], &[])));
}
