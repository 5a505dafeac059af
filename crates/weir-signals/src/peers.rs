//! Peer dependencies, which npm (from 7 on) and pnpm install along with what asks for them, unless they are
//! marked as optional.

use std::collections::BTreeSet;

use serde_json::Value;
use weir_npm::manifest::Manifest;

/// Where a manifest lists them.
pub(crate) const SECTION: &str = "peerDependencies";

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
