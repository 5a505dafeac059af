//! Bodies of fuzz targets, shared with property tests. They panic when a promise is broken.

use bytes::Bytes;
use serde_json::Value;

use crate::name::PackageName;
use crate::packument::{self, Form, Packument, Plan, Treatment};

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
    let served = |version: &str| version.len() % 4 != 0;
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
