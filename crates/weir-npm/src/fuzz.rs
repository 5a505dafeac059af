//! Bodies of fuzz targets, shared with property tests. They panic when a promise is broken.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use crate::integrity::Integrity;
use crate::lockfile::{Edge, Format, Lockfile};
use crate::manifest::Manifest;
use crate::name::{self, PackageName};
use crate::npmrc::Npmrc;
use crate::packument::{self, Form, Packument, Plan, Treatment};
use crate::settings::Settings;
use crate::version::{Range, Version};
use crate::{spec, time};

/// Reads a packument and, if it is one, asks it everything and renders it in both forms.
///
/// # Panics
/// When a rendered document is not JSON, is no packument any more, lists what was hidden, or lacks `time`
/// or the tags of the plan.
pub fn packument(data: &[u8]) {
    let said: Option<Value> = serde_json::from_slice(data).ok();
    let said = said
        .as_ref()
        .and_then(|document| document.get("name"))
        .and_then(Value::as_str);
    let Some(name) = said
        .and_then(|name| PackageName::parse(name).ok())
        .or_else(|| PackageName::parse("n").ok())
    else {
        return;
    };
    let Ok(packument) = Packument::parse(&name, Bytes::copy_from_slice(data)) else {
        return;
    };
    ask(&packument);
    let served = |version: &str| !version.len().is_multiple_of(4);
    let tags = packument::retag(&packument, served);
    for (_, version) in &tags {
        assert!(
            packument.has(version) && served(version),
            "a tag names a version that is not served"
        );
    }
    let versions = |version: &str| match version.len() % 4 {
        0 => Treatment::Hide,
        1 => Treatment::Mark {
            deprecated: format!("HELD \"{version}\""),
        },
        _ => Treatment::Keep,
    };
    let plan = Plan {
        tarball_base: "http://gateway.example:4873/npm",
        versions: &versions,
        policy_message: Some("held"),
        tags,
        times: &|_| Some("2026-11-01T00:00:00.000Z".to_owned()),
    };
    for form in [Form::Full, Form::Abbreviated] {
        check_rendered(&packument, &plan, form);
    }
}

/// Reads bytes as every small text this crate knows: names, versions, ranges, specs, integrity, times,
/// manifests and settings.
///
/// # Panics
/// When what was read does not read the same again.
pub fn texts(data: &[u8]) {
    let _ = Manifest::from_json(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = (
        name::from_url_path(text),
        time::parse(text),
        spec::classify("n", text),
    );
    if let Ok(name) = PackageName::parse(text) {
        assert_eq!(name::from_url_path(&name.to_url_segment()), Ok(name));
    }
    if let Ok(integrity) = Integrity::parse(text) {
        assert_eq!(Integrity::parse(&integrity.to_string()), Ok(integrity));
    }
    let range = Range::parse_from_npm(text);
    if let Ok(version) = Version::parse(text) {
        let canonical = Version::parse(&version.canonical());
        assert!(
            canonical.is_ok_and(|it| it.precedence(&version).is_eq()),
            "another canonical version"
        );
        // A version is a range of itself, unless its digits do not fit or its parts are odd.
        let _ = range.is_ok_and(|range| range.matches(&version));
    }
    let env = BTreeMap::from([
        ("A".to_owned(), text.to_owned()),
        (format!("npm_config_{text}"), "${A}".to_owned()),
    ]);
    let settings = Npmrc::parse(text, &env);
    let settings = Npmrc::merge(
        settings.clone(),
        settings,
        Npmrc::default(),
        Npmrc::from_env(&env),
    );
    let _ = (
        settings.access_for(text),
        settings.registry(),
        settings.ca(),
        settings.noproxy(),
    );
    let _ = settings.scope_registries().count() + settings.half_certificates().count();
}

/// Reads bytes as a lockfile of every format, and asks it everything. The first byte chooses nothing: all
/// readers see all bytes, as a file may have any name.
///
/// # Panics
/// When the graph points outside itself, or an error names no line.
pub fn lockfile(data: &[u8]) {
    let formats = [
        Format::Npm,
        Format::YarnClassic,
        Format::YarnBerry,
        Format::Pnpm,
        Format::Bun,
    ];
    for format in formats {
        one_lockfile(format, data);
    }
}

fn one_lockfile(format: Format, data: &[u8]) {
    let mut lockfile = match Lockfile::parse_as(format, "lockfile", data) {
        Ok(lockfile) => lockfile,
        Err(error) => {
            assert!(error.line > 0, "an error without a line: {error}");
            return;
        }
    };
    if let Ok(manifest) = Manifest::from_json(data) {
        lockfile.add_project("", &manifest);
    }
    let count = lockfile.nodes.len();
    let inside = |edge: &Edge| edge.from < count && edge.to.is_none_or(|id| id < count);
    assert!(lockfile.edges.iter().all(inside), "an edge to nowhere");
    let paths = lockfile.paths();
    for id in 0..count {
        assert!(paths.to(id).len() <= count, "a path in a circle");
    }
    let _ = (lockfile.releases(), lockfile.projects().count());
}

/// Reads bytes as the settings of every client.
///
/// # Panics
/// When a setting or an error names no line.
pub fn settings(data: &[u8]) {
    let read = [
        Settings::yaml("x", data),
        Settings::json("x", data),
        Settings::toml("x", data),
    ];
    let text = String::from_utf8_lossy(data);
    let never_fatal = [Settings::npmrc(&text), Settings::yarnrc(&text)];
    for settings in read.into_iter().chain(never_fatal.map(Ok)) {
        match settings {
            Ok(settings) => assert!(settings.iter().all(|it| it.line > 0 && !it.key.is_empty())),
            Err(error) => assert!(error.line > 0, "an error without a line: {error}"),
        }
    }
}

/// Reads bytes as a lockfile of one format: for a target per reader, which goes deeper than one for all.
///
/// # Panics
/// As [`lockfile`].
pub fn lockfile_of(format: Format, data: &[u8]) {
    one_lockfile(format, data);
}

fn ask(packument: &Packument) {
    for entry in packument.versions() {
        let version = entry.version.as_str();
        assert!(packument.has(version) && packument.version_raw(version).is_some());
        let _ = packument.manifest(version);
        let _ = packument.published(version);
        let _ = packument.version_of_tarball_file(version);
        let rendered =
            packument::render_version(packument, version, "http://gateway.example/", Some("why"));
        assert_eq!(rendered.is_some(), entry.problem().is_none());
        if let Some(text) = rendered {
            assert!(is_json(text.as_bytes()), "a rendered version is not JSON");
        }
    }
    let _ = (
        packument.created(),
        packument.modified(),
        packument.time_is_partial(),
        packument.public_hosts(),
    );
    assert_eq!(
        packument.by_publish_time().len(),
        packument.versions().len()
    );
}

fn check_rendered(packument: &Packument, plan: &Plan<'_>, form: Form) {
    let Ok(rendered) = packument::render(packument, plan, form) else {
        panic!("rendering failed")
    };
    assert!(is_json(&rendered.body), "the rendered document is not JSON");
    let again = match Packument::parse(packument.name(), rendered.body.into()) {
        Ok(again) => again,
        Err(error) => panic!("the rendered document is no packument: {error}"),
    };
    let hidden = |version: &str| (plan.versions)(version) == Treatment::Hide;
    let listed = packument
        .versions()
        .iter()
        .filter(|entry| entry.problem().is_none() && !hidden(&entry.version));
    let listed: Vec<&str> = listed.map(|entry| entry.version.as_str()).collect();
    let got: Vec<&str> = again
        .versions()
        .iter()
        .map(|entry| entry.version.as_str())
        .collect();
    assert_eq!(got, listed, "the rendered document lists other versions");
    assert_eq!(again.dist_tags(), plan.tags);
    assert!(!again.time_is_partial() && rendered.without_time.is_empty());
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), text in any::<String>()) {
            super::texts(&bytes);
            super::texts(text.as_bytes());
        }

        #[test]
        fn no_lockfile_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
            super::lockfile(&bytes);
            super::lockfile(text.as_bytes());
        }

        #[test]
        fn no_settings_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[a-c:=\"'.\\[\\]{}#&*!|>0-9 \n-]{0,80}") {
            super::settings(&bytes);
            super::settings(text.as_bytes());
        }

        /// Real lockfiles of every format with a piece cut out, put elsewhere or written twice.
        #[test]
        fn no_damaged_lockfile_panics(which in 0..crate::lockfile::SAMPLES.len(), from in 0..600_usize, length in 0..80_usize, to in 0..600_usize, put in "[-{}\\[\\]:,\"'@&*!|> a\n]{0,6}") {
            let mut text = crate::lockfile::SAMPLES[which].as_bytes().to_vec();
            let from = from.min(text.len());
            let piece: Vec<u8> = text.drain(from..(from + length).min(text.len())).collect();
            super::lockfile(&text);
            let to = to.min(text.len());
            text.splice(to..to, piece.iter().copied().chain(put.bytes()));
            super::lockfile(&text);
        }

        #[test]
        fn no_likely_text_panics(text in "[0-9vxX*.<>=^~| +:/@#a-c%\\\\\\[\\]'\"${}?;-]{0,40}") {
            super::texts(text.as_bytes());
        }
    }
}
