//! Releases that were served on their metadata, and what their contents said after.

use std::sync::Arc;

use crate::EngineError;
use crate::engine::Engine;
use crate::verdicts::Verdict;

/// A release that was served on its metadata, and what its contents said after.
#[derive(Debug, Clone)]
pub enum Late {
    /// The full verdict.
    Settled(Arc<Verdict>),
    /// Its contents could not be read: name, version, why.
    Unsettled(String, String, String),
}

/// Most late verdicts kept for whoever collects them. A run of a client collects thousands at most.
const LATE_KEPT: usize = 10_000;

impl Engine {
    /// Notes what the contents said of a release that was served on its metadata.
    pub(crate) async fn settle(&self, verdict: &Arc<Verdict>) {
        if !verdict.decision.action.serves() {
            let release = &verdict.assessment.release;
            tracing::error!(package.name = release.name, package.version = release.version,
                block.id = %verdict.block_id(), "served before its contents were read, and refused now");
            if let Err(error) = self.keep_refusal(verdict).await {
                tracing::error!(%error, "the explanation could not be kept");
            }
        }
        self.note_late(Late::Settled(Arc::clone(verdict)));
    }

    pub(crate) fn unsettled(&self, name: &str, version: &str, error: &EngineError) {
        self.note_late(Late::Unsettled(
            name.to_owned(),
            version.to_owned(),
            error.to_string(),
        ));
    }

    fn note_late(&self, late: Late) {
        if let Ok(mut list) = self.late.lock()
            // Nobody collects in a long-running service: bounded.
            && list.len() < LATE_KEPT
        {
            list.push(late);
        }
    }

    /// What became known after releases were served, since last asked.
    #[must_use]
    pub fn take_late(&self) -> Vec<Late> {
        self.late
            .lock()
            .map(|mut list| std::mem::take(&mut *list))
            .unwrap_or_default()
    }
}
