//! Early passage: bytes that leave before contents and attestations were looked at, and what follows.

use std::sync::Arc;

use weir_model::SignatureState;
use weir_npm::integrity::Integrity;
use weir_npm::packument::VersionManifest;
use weir_policy::config::WaitForContents;

use crate::EngineError;
use crate::assess::decided;
use crate::engine::Engine;
use crate::flight::Flight;
use crate::packuments::Held;
use crate::verdicts::Verdict;

impl Engine {
    /// Whether a release may pass before its contents and attestations are looked at: nothing in its
    /// metadata speaks against it, no verdict made earlier refuses it, and the registry's signature holds
    /// where there is one.
    pub(crate) async fn passes_early(
        &self,
        metadata: &Verdict,
        held: &Held,
        version: &str,
    ) -> Result<bool, EngineError> {
        if !self.may_pass_early(metadata, held, version) || self.is_refused(held, version).await? {
            return Ok(false);
        }
        Ok(match self.trust.signature_of_held(held, version).await {
            SignatureState::Verified { .. }
            | SignatureState::Unsigned
            | SignatureState::Missing => true,
            SignatureState::Failed { .. } | SignatureState::Unchecked { .. } => false,
        })
    }

    /// Whether a release that nothing speaks against may pass while its contents are read: only
    /// one that is long established, popular, runs nothing new at install time and has no finding.
    fn may_pass_early(&self, metadata: &Verdict, held: &Held, version: &str) -> bool {
        let name = held.packument.name();
        let quiet = metadata.decision.action == weir_model::Action::Allow
            && metadata.assessment.counted().next().is_none();
        quiet
            && self.runs_nothing_new(held, version)
            && self.policy.gate.wait_for_contents == WaitForContents::Unestablished
            && self.is_established(name, metadata.published)
            && self.rank(name).is_some()
            // Whoever expects something of a release wants to know first.
            && !self.policy.expects(name.as_str())
    }

    /// Whether a release runs at install time only what the one before ran as well, or nothing.
    fn runs_nothing_new(&self, held: &Held, version: &str) -> bool {
        let Ok(manifest) = self.manifest(held, version) else {
            return false;
        };
        let steps = |manifest: &VersionManifest| {
            let scripts = manifest.manifest.install_scripts();
            let scripts: Vec<(&str, String)> = scripts
                .map(|(event, command)| (event, command.to_owned()))
                .collect();
            let builds = manifest.manifest.gypfile == Some(true);
            (scripts, builds, manifest.has_install_script == Some(true))
        };
        let now = steps(&manifest);
        if now == (Vec::new(), false, false) {
            return true;
        }
        let subject = self.subject(held, version);
        subject
            .previous_manifest()
            .is_some_and(|(_, previous)| steps(previous) == now)
    }

    /// Whether a verdict that is kept refuses a release.
    async fn is_refused(&self, held: &Held, version: &str) -> Result<bool, EngineError> {
        let kept = self.kept_verdict(held.packument.name(), version).await?;
        Ok(kept.is_some_and(|kept| !kept.decision.action.serves()))
    }

    /// Lets the client have the bytes now and finishes the verdict on a task of its own: attestations
    /// right away, contents when no client is being answered.
    pub(crate) fn finish_later(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        flight: &Arc<Flight>,
        expected: &Integrity,
    ) {
        let engine = Arc::clone(self);
        let (held, version, flight) = (Arc::clone(held), version.to_owned(), Arc::clone(flight));
        let expected = expected.clone();
        self.tasks.spawn(async move {
            let (refused, result) = tokio::join!(
                engine.refuse_unverified(&held, &version),
                engine.verdict_later(&held, &version, flight, &expected, &|| false),
            );
            if let Err(error) = &refused {
                tracing::error!(package.name = %held.packument.name(), package.version = version,
                    %error, "a release was served, and its attestations could not be verified after");
            }
            let told = matches!(refused, Ok(true));
            match result {
                Ok(Some(verdict)) if !told => engine.settle(&verdict).await,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(package.name = %held.packument.name(), package.version = version,
                        %error, "a release was served, and its contents could not be read after");
                    engine.unsettled(held.packument.name().as_str(), &version, &error);
                }
            }
        });
    }

    /// Verifies the attestations of a release that is being served. One that has to be refused on them is
    /// refused from here on, and the ledger says so. Whether it was.
    async fn refuse_unverified(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
    ) -> Result<bool, EngineError> {
        // The registry's signature was verified before the bytes left.
        if !self.trust.announces_attestations(held, version) {
            return Ok(false);
        }
        let _turn = self.verifying.acquire().await;
        let trust = self.trust.of_held(held, version).await;
        if trust.failures().next().is_none() {
            return Ok(false);
        }
        let verdict = self.verdict_on_trust(held, version, &trust).await?;
        // A verdict on the contents too may have come first; it knows more.
        if verdict.decision.action.serves() || self.is_refused(held, version).await? {
            return Ok(false);
        }
        let verdict = Arc::new(verdict);
        self.keep(held.packument.name(), &verdict, None).await?;
        self.append(decided(&verdict, held, self.now())).await?;
        self.settle(&verdict).await;
        Ok(true)
    }
}
