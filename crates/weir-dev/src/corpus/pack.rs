//! From a story to the tarball that a registry would serve.

use anyhow::Context;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use weir_testing::tarball::{Entry, tgz};

use super::load::{Sample, SourceFile, Surface};

/// The version of every sample.
pub(crate) const VERSION: &str = "1.4.1";

/// The version before it, where a sample is looked at as an update.
pub(crate) const BEFORE: &str = "1.4.0";

/// A package in memory.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its `package.json`.
    pub(crate) manifest: Value,
    /// Its tarball.
    pub(crate) tarball: Bytes,
}

/// The package of a sample in one style.
pub(crate) fn package(sample: &Sample, files: &[SourceFile]) -> anyhow::Result<Package> {
    build(manifest(sample, VERSION, true)?, files)
}

/// The release before an attack: the same package without the behaviour. Before a twin there was the
/// twin.
pub(crate) fn clean_before(sample: &Sample, files: &[SourceFile]) -> anyhow::Result<Package> {
    if sample.kind == super::Kind::Twin {
        return build(manifest(sample, BEFORE, true)?, files);
    }
    let before = manifest(sample, BEFORE, sample.story.hook_before)?;
    if !sample.story.before.is_empty() {
        return build(before, &sample.story.before);
    }
    let harmless = SourceFile {
        path: entry(sample)?.to_owned(),
        text: Some("'use strict';\n".to_owned()),
        hex: None,
        pad: None,
    };
    build(before, &[harmless])
}

/// The file that runs.
pub(crate) fn entry(sample: &Sample) -> anyhow::Result<&str> {
    let first = sample.story.files.first();
    Ok(&first.context("a story has files")?.path)
}

fn manifest(sample: &Sample, version: &str, with_hook: bool) -> anyhow::Result<Value> {
    let entry = entry(sample)?;
    let story = &sample.story;
    let name = sample.id.split('/').skip(1).collect::<Vec<_>>().join("-");
    let mut manifest = Map::new();
    manifest.insert("name".to_owned(), json!(format!("corpus-{name}")));
    manifest.insert("version".to_owned(), json!(version));
    match story.surface {
        Surface::Install => {
            let index = story.files.iter().find(|file| file.path == "index.js");
            manifest.insert(
                "main".to_owned(),
                json!(index.map_or(entry, |file| &file.path)),
            );
            if with_hook {
                let hook = story.command.clone();
                let hook = hook.unwrap_or_else(|| format!("node {entry}"));
                manifest.insert("scripts".to_owned(), json!({ "postinstall": hook }));
            }
        }
        Surface::Import | Surface::Worker => {
            manifest.insert("main".to_owned(), json!(entry));
        }
        Surface::Command => {
            manifest.insert("bin".to_owned(), json!({ "corpus": entry }));
        }
    }
    let more = story.manifest.iter();
    // What an attack adds to its manifest was not there before.
    for (field, value) in more.filter(|(field, _)| version == VERSION || *field == "type") {
        manifest.insert(field.clone(), serde_json::to_value(value)?);
    }
    Ok(Value::Object(manifest))
}

fn build(manifest: Value, files: &[SourceFile]) -> anyhow::Result<Package> {
    let text = serde_json::to_string_pretty(&manifest)?;
    let mut entries = vec![Entry::file("package/package.json", text)];
    for file in files {
        entries.push(Entry::file(format!("package/{}", file.path), file.bytes()?));
    }
    Ok(Package {
        manifest,
        tarball: tgz(&entries),
    })
}
