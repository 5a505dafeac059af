//! What is known of a release that a lockfile holds, without deciding on it anew.

use std::sync::Arc;

use jiff::Timestamp;
use weir_model::Decision;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_signals::is_patch;

use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;
use crate::verdicts::Verdict;

/// Most releases gone back to find since when there has been a dependency.
const LOOKED_BACK: usize = 50;

/// What is known of a release.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// When it was published, where the registry says.
    pub published: Option<Timestamp>,
    /// When its package had its first release.
    pub package_since: Option<Timestamp>,
    /// When this weir first wrote it into its ledger.
    pub first_seen: Option<Timestamp>,
    /// What was decided on it under the rules in force.
    pub decision: Option<Decision>,
    /// Why there is less than there could be.
    pub unknown: Option<String>,
}

/// The first of the releases in a row that have a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependsSince {
    /// Its version.
    pub version: String,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// The version before it, which had it not; nothing where all earlier ones have it.
    pub after: Option<String>,
    /// Whether the step between the two was no more than a patch.
    pub patch: bool,
}

impl Engine {
    /// What is known of a release. Where `ask` is not set, no registry is asked.
    ///
    /// # Errors
    /// When the data folder fails. A registry that does not answer leaves a gap that is named.
    pub async fn standing(
        self: &Arc<Self>,
        name: &PackageName,
        version: &str,
        ask: bool,
    ) -> Result<Standing, EngineError> {
        let mut standing = Standing {
            first_seen: self.store.first_entry(name.as_str(), version).await?,
            ..Standing::default()
        };
        let generation = self.verdict_generation(name);
        let kept = self
            .store
            .verdict(name.as_str(), version, &generation)
            .await?;
        let kept = kept.and_then(|json| serde_json::from_str::<Verdict>(&json).ok());
        if let Some(verdict) = kept {
            // Where the registry does not say, the verdict has when the release was first seen.
            standing.published = verdict.published.filter(|_| !verdict.is_first_seen());
            standing.decision = Some(verdict.decision);
        }
        if !ask {
            return Ok(standing);
        }
        match self.packument(name).await {
            Ok(held) if held.packument.has(version) => {
                let published = held.packument.published(version);
                standing.published = published.or(standing.published);
                let times = held.packument.versions().iter();
                let times = times.filter_map(|entry| held.packument.published(&entry.version));
                standing.package_since = times.min();
                if let Some(why) = &held.stale {
                    standing.unknown = Some(format!("the packument is {why}"));
                }
            }
            Ok(_) => standing.unknown = Some("the registry does not list it".to_owned()),
            Err(error) => standing.unknown = Some(error.to_string()),
        }
        Ok(standing)
    }

    /// Since when a release's package has depended on another, the releases before it in a row. Nothing
    /// where the packument cannot be had, or the release does not depend on it.
    pub async fn depends_since(
        self: &Arc<Self>,
        name: &PackageName,
        version: &str,
        dependency: &str,
    ) -> Option<DependsSince> {
        let held: Arc<Held> = self.packument(name).await.ok()?;
        depends_since(&held.packument, version, dependency)
    }
}

fn depends_since(packument: &Packument, version: &str, dependency: &str) -> Option<DependsSince> {
    let has = |version: &str| {
        let Some(Ok(manifest)) = packument.manifest(version) else {
            return false;
        };
        let manifest = &manifest.manifest;
        manifest.dependencies.contains_key(dependency)
            || manifest.optional_dependencies.contains_key(dependency)
    };
    if !has(version) {
        return None;
    }
    let mut since = version;
    let mut after = None;
    for _ in 0..LOOKED_BACK {
        let Some(before) = weir_signals::previous_version(packument, since, &|_| false) else {
            break;
        };
        if !has(before) {
            after = Some(before);
            break;
        }
        since = before;
    }
    let patch = after.is_some_and(|after| is_patch(after, since));
    Some(DependsSince {
        version: since.to_owned(),
        published: packument.published(since),
        after: after.map(str::to_owned),
        patch,
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn packument() -> Packument {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
        for (number, version) in ["1.0.0", "1.0.1", "1.1.0", "1.1.1"].iter().enumerate() {
            let mut dependencies = serde_json::json!({"old": "^1.0.0"});
            if number > 0 {
                dependencies["new"] = "^1.0.0".into();
            }
            document["versions"][version] = serde_json::json!({
                "name": "sluice", "version": version, "dependencies": dependencies,
            });
            document["time"][version] = format!("2025-01-{:02}T09:00:00Z", number + 1).into();
        }
        let name = PackageName::parse("sluice").unwrap();
        Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
    }

    #[test]
    fn a_dependency_has_been_there_since_the_first_release_in_a_row_that_has_it() {
        let packument = packument();
        let new = depends_since(&packument, "1.1.1", "new").unwrap();
        assert_eq!(new.version, "1.0.1");
        assert_eq!(new.after.as_deref(), Some("1.0.0"));
        assert!(new.patch);
        assert!(new.published.is_some());
        let old = depends_since(&packument, "1.1.1", "old").unwrap();
        assert_eq!(
            (old.version.as_str(), old.after, old.patch),
            ("1.0.0", None, false)
        );
        assert_eq!(depends_since(&packument, "1.0.0", "new"), None);
        assert_eq!(depends_since(&packument, "9.9.9", "old"), None);
    }
}
