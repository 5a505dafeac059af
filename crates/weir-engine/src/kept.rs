//! What is known of releases without asking anybody: verdicts, verifications, packuments and contents in the
//! data folder.

use std::collections::HashMap;

use weir_model::{Contents, Decision, Difference, Finding, Trust};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;

use crate::engine::Engine;
use crate::trust::Wanted;
use crate::verdicts::Verdict;
use crate::{EngineError, Side};

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

    /// The verdict on a release, if one is kept that was decided under the present policy, advisories and
    /// analyser. A hold that has ended meanwhile is still in it.
    ///
    /// # Errors
    /// When the data folder cannot be read.
    pub async fn kept_verdict(
        &self,
        name: &PackageName,
        version: &str,
    ) -> Result<Option<Verdict>, EngineError> {
        let generation = self.verdict_generation(name);
        if let Some(verdict) = self.unkept.get(name, version)
            && verdict.generation == generation
        {
            return Ok(Some((*verdict).clone()));
        }
        if !self.store.may_have_verdict(name.as_str(), version) {
            return Ok(None);
        }
        let kept = self.store.verdict(name.as_str(), version, &generation);
        let kept = kept.await?;
        // What cannot be understood counts as absent, as everywhere.
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

    /// The contents of a tarball, if it was read before.
    ///
    /// # Errors
    /// When the data folder cannot be read.
    pub async fn kept_contents(
        &self,
        integrity: &Integrity,
    ) -> Result<Option<Contents>, EngineError> {
        self.store()
            .contents(&integrity.to_string())
            .await
            .map_err(|error| EngineError::Store(error.to_string()))
    }

    /// What is different between two releases whose contents are at hand, and what the signals that compare
    /// releases say of it.
    #[must_use]
    pub fn changes<'s>(&self, before: &'s Side, after: &'s Side) -> (Difference<'s>, Vec<Finding>) {
        let difference = Difference::between(&before.contents, &after.contents);
        (difference, self.compare(before, after))
    }
}
