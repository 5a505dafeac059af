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

/// Who may be asked about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// Its registry.
    Registry,
    /// Nobody: what its registry said last counts, where that is kept.
    Kept,
    /// Nobody, and what is kept of its name may be of somebody else's package.
    Nobody,
}

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
    /// What is known of a release.
    ///
    /// # Errors
    /// When the data folder fails. A registry that does not answer leaves a gap that is named.
    pub async fn standing(
        self: &Arc<Self>,
        name: &PackageName,
        version: &str,
        asking: Asking,
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
        match asking {
            Asking::Nobody => {}
            Asking::Kept => {
                if let Some((packument, fetched)) = self.kept_packument(name).await? {
                    let stale = format!("of {fetched}, and the registry is not asked");
                    standing.learn(&packument, version, Some(&stale));
                }
            }
            Asking::Registry => match self.packument(name).await {
                Ok(held) => standing.learn(&held.packument, version, held.stale.as_deref()),
                Err(error) => standing.unknown = Some(error.to_string()),
            },
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
        asking: Asking,
    ) -> Option<DependsSince> {
        match asking {
            Asking::Nobody => None,
            Asking::Kept => {
                let (packument, _) = self.kept_packument(name).await.ok()??;
                depends_since(&packument, version, dependency)
            }
            Asking::Registry => {
                let held: Arc<Held> = self.packument(name).await.ok()?;
                depends_since(&held.packument, version, dependency)
            }
        }
    }

    /// The packument that is kept, however old it is, and when it was fetched. One that cannot be read says
    /// nothing.
    async fn kept_packument(
        &self,
        name: &PackageName,
    ) -> Result<Option<(Packument, Timestamp)>, EngineError> {
        let upstream = self.upstreams.upstream_for(name).id();
        let Some(kept) = self.store.packument(name.as_str(), upstream).await? else {
            return Ok(None);
        };
        let packument = Packument::parse(name, kept.raw).ok();
        Ok(packument.map(|packument| (packument, kept.fetched_at)))
    }
}

impl Standing {
    /// Takes up what a packument says of a release. `stale` is of when it is, where it is not of now.
    fn learn(&mut self, packument: &Packument, version: &str, stale: Option<&str>) {
        let stale = stale.map(|why| format!("the packument is {why}"));
        if !packument.has(version) {
            let unlisted = "the registry does not list it".to_owned();
            self.unknown = Some(match stale {
                Some(stale) => format!("{unlisted}: {stale}"),
                None => unlisted,
            });
            return;
        }
        self.published = packument.published(version).or(self.published);
        let times = packument.versions().iter();
        let times = times.filter_map(|entry| packument.published(&entry.version));
        self.package_since = times.min();
        self.unknown = stale;
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

    /// What is kept tells as much as what is asked for, and of when it is.
    #[test]
    fn an_old_packument_is_told_to_be_one() {
        let packument = packument();
        let old = "of 2025-02-01T00:00:00Z, and the registry is not asked";
        for (version, stale, known, unknown) in [
            ("1.1.1", None, true, None),
            (
                "1.1.1",
                Some(old),
                true,
                Some(format!("the packument is {old}")),
            ),
            (
                "9.9.9",
                None,
                false,
                Some("the registry does not list it".to_owned()),
            ),
            (
                "9.9.9",
                Some(old),
                false,
                Some(format!(
                    "the registry does not list it: the packument is {old}"
                )),
            ),
        ] {
            let mut standing = Standing::default();
            standing.learn(&packument, version, stale);
            let since = packument.published("1.0.0");
            assert_eq!(standing.published.is_some(), known, "{version}");
            assert_eq!(standing.package_since, since.filter(|_| known), "{version}");
            assert_eq!(standing.unknown, unknown, "{version}");
        }
    }
}
