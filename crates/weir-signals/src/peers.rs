//! Peer dependencies, which npm (from 7 on) and pnpm install along with what asks for them, unless they are
//! marked as optional; and what a release asks for that nobody installs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::Value;
use weir_npm::manifest::Manifest;

use crate::Subject;

/// Where a manifest lists them.
pub(crate) const SECTION: &str = "peerDependencies";

/// What a project has built with for this long it has looked at.
const LOOKED_AT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Peers that clients install along: name and what is asked of it. `raw` is the version as its registry has
/// it, where the marks are; without it every peer counts.
#[must_use]
pub fn required<'m>(manifest: &'m Manifest, raw: Option<&str>) -> Vec<(&'m str, &'m str)> {
    let optional = optional(manifest, raw);
    let peers = manifest.peer_dependencies.iter();
    peers
        .filter(|(name, _)| !optional.contains(*name))
        .map(|(name, spec)| (name.as_str(), spec.as_str()))
        .collect()
}

/// Names that `peerDependenciesMeta` marks as optional. Nothing is read where there are no peers.
pub(crate) fn optional(manifest: &Manifest, raw: Option<&str>) -> BTreeSet<String> {
    let Some(raw) = raw.filter(|_| !manifest.peer_dependencies.is_empty()) else {
        return BTreeSet::new();
    };
    let whole = serde_json::from_str::<Value>(raw).unwrap_or_default();
    let Some(marks) = whole.get("peerDependenciesMeta").and_then(Value::as_object) else {
        return BTreeSet::new();
    };
    marks
        .iter()
        .filter(|(_, mark)| mark.get("optional").and_then(Value::as_bool) == Some(true))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What the release before only built with, or asked for as an optional peer, and what a release of 90 days before did
/// not have: no user installed that, and nobody has looked at it for a while.
pub(crate) fn not_installed_for_long<'m>(
    subject: &Subject<'_>,
    before: &'m Manifest,
) -> BTreeSet<&'m str> {
    let raw = subject.previous().and_then(|it| subject.raw(it.version));
    let optional_peers = optional(before, raw);
    let installed = |key: &str| {
        let peer = before.peer_dependencies.contains_key(key) && !optional_peers.contains(key);
        let ordinary = before.dependencies.contains_key(key);
        ordinary || peer || before.optional_dependencies.contains_key(key)
    };
    let keys = before.dev_dependencies.keys();
    let keys = keys.chain(before.peer_dependencies.keys());
    let mut lately: BTreeSet<&str> = keys.map(String::as_str).collect();
    lately.retain(|key| !installed(key));
    if lately.is_empty() {
        return lately;
    }
    let timeline = subject.timeline();
    let mut old = timeline.comparable().filter(|event| {
        let settled = timeline.has_settled(event);
        timeline.ago(event).map_or(settled, |ago| ago >= LOOKED_AT)
    });
    let old = old.next().and_then(|event| {
        let packument = subject.packument.known()?;
        packument.manifest(event.text)?.ok()
    });
    if let Some(old) = old {
        let has = |map: &BTreeMap<String, String>, key: &str| map.contains_key(key);
        lately.retain(|key| {
            let old = &old.manifest;
            !has(&old.dev_dependencies, key)
                && !has(&old.peer_dependencies, key)
                && !has(&old.dependencies, key)
        });
    }
    lately
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_count_unless_they_are_marked_as_optional() {
        let peers = r#""peerDependencies":{"a":"^1.0.0","b":"*"}"#;
        for (marks, want) in [
            ("", vec!["a", "b"]),
            (
                r#","peerDependenciesMeta":{"a":{"optional":true}}"#,
                vec!["b"],
            ),
            (
                r#","peerDependenciesMeta":{"a":{"optional":false},"b":{}}"#,
                vec!["a", "b"],
            ),
            // Whatever is no mark marks nothing.
            (
                r#","peerDependenciesMeta":{"a":true,"b":{"optional":"true"}}"#,
                vec!["a", "b"],
            ),
            (r#","peerDependenciesMeta":["a"]"#, vec!["a", "b"]),
        ] {
            let raw = format!("{{{peers}{marks}}}");
            let manifest = Manifest::from_json(&raw).unwrap();
            let names: Vec<&str> = required(&manifest, Some(&raw))
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            assert_eq!(names, want, "{raw}");
        }
        let manifest = Manifest::from_json(format!("{{{peers}}}")).unwrap();
        assert_eq!(required(&manifest, None).len(), 2);
    }
}
