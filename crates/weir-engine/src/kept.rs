//! What is kept of releases, without asking anybody.

use std::collections::HashMap;

use weir_model::{Decision, Trust};
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;

use crate::EngineError;
use crate::engine::Engine;
use crate::trust::Wanted;
use crate::verdicts::Verdict;

/// What is kept of one release.
#[derive(Debug, Clone, Default)]
pub struct KeptRelease {
    /// The decision, where nothing it depends on has changed since.
    pub decision: Option<Decision>,
    /// What verifying it came to, where it still stands.
    pub trust: Option<Trust>,
}

impl Engine {
    /// Decisions and verifications that are kept of these releases, in their order.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn kept(&self, wanted: &[Wanted]) -> Result<Vec<KeptRelease>, EngineError> {
        let trusts = self.trust.known(wanted).await?;
        let mut kept = Vec::with_capacity(wanted.len());
        for (wanted, trust) in wanted.iter().zip(trusts) {
            let verdict = self.kept_verdict(&wanted.name, &wanted.version).await?;
            kept.push(KeptRelease {
                decision: verdict.map(|verdict| verdict.decision),
                trust,
            });
        }
        Ok(kept)
    }

    /// The verdict that is kept of a release, where nothing it depends on has changed since.
    pub(crate) async fn kept_verdict(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Option<Verdict>, EngineError> {
        if !self.store.may_have_verdict(name.as_str(), version) {
            return Ok(None);
        }
        let generation = self.verdict_generation(name);
        let kept = self.store.verdict(name.as_str(), version, &generation);
        let kept = kept.await?;
        Ok(kept.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// What the kept packuments say of these versions, as they wrote it, by name and version.
    ///
    /// # Errors
    /// When the data folder fails.
    pub async fn kept_manifests(
        &self,
        wanted: &[Wanted],
    ) -> Result<HashMap<(String, String), String>, EngineError> {
        let mut names: HashMap<&PackageName, Vec<&str>> = HashMap::new();
        for wanted in wanted {
            names.entry(&wanted.name).or_default().push(&wanted.version);
        }
        let mut manifests = HashMap::new();
        for (name, versions) in names {
            let upstream = self.upstreams.upstream_for(name).id();
            let Some(kept) = self.store.packument(name.as_str(), upstream).await? else {
                continue;
            };
            // One that cannot be read says nothing; it is fetched anew when it is needed.
            let Ok(packument) = Packument::parse(name, kept.raw) else {
                continue;
            };
            for version in versions {
                if let Some(raw) = packument.version_raw(version) {
                    manifests.insert((name.to_string(), version.to_owned()), raw.to_owned());
                }
            }
        }
        Ok(manifests)
    }
}
