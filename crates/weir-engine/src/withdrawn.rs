//! What a registry has taken away is not served from what is kept.
//!
//! A release that passed without a further look is served without its packument. So whatever learns that a packument no
//! longer lists a release, or that there is no such package any more, puts its verdict out of date: the next request
//! goes the long way, and finds what the registry says. And as frozen installs never ask for a packument, it is looked
//! up in it again after it was served, once that may have changed: when no client waits, and never by whoever asks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use moka::sync::Cache;
use weir_npm::name::PackageName;
use weir_store::Store;

use crate::EngineError;
use crate::clock::Clock;
use crate::engine::{Engine, Gated};
use crate::verdicts::Verdict;

/// How many packages are looked up at a time.
pub(crate) const AT_ONCE: usize = 8;

/// A release is looked up no more often than that, whatever `cache.packument_ttl` says.
const SELDOM: Duration = Duration::from_secs(1);

/// Until when a release need not be looked up in its packument again.
#[derive(Debug)]
pub(crate) struct Listed(Mutex<Instant>);

impl Listed {
    pub(crate) fn until(moment: Instant) -> Self {
        Self(Mutex::new(moment))
    }

    fn set(&self, moment: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }

    /// Whether it is time. Says so to one asker, who has `longest` to do it.
    fn is_due(&self, longest: Duration) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_due = *until <= now;
        if is_due {
            *until = now + longest.max(SELDOM);
        }
        is_due
    }
}

/// The releases that pass without a further look, in memory and in the data folder.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    pub(crate) gate: Cache<(PackageName, String), Arc<Gated>>,
    pub(crate) store: Store,
}

impl Settled {
    /// Has the versions that are gone decided anew before they are served again. Refusals stay as they are: they say
    /// what a release was, and nobody gets it.
    pub(crate) async fn withdraw(
        &self,
        name: &PackageName,
        is_gone: impl Fn(&str) -> bool,
    ) -> Result<(), EngineError> {
        for (version, json) in self.store.verdicts_of_any(name.as_str()).await? {
            let serves = serde_json::from_str::<Verdict>(&json)
                .is_ok_and(|verdict| verdict.decision.action.serves());
            if !serves || !is_gone(&version) {
                continue;
            }
            tracing::info!(package.name = %name, package.version = version,
                "the registry has it no more: what is kept of it is not served");
            self.store.outdate_verdict(name.as_str(), &version).await?;
            self.gate.invalidate(&(name.clone(), version));
        }
        Ok(())
    }
}

impl Engine {
    /// Has a release that was served without a further look be looked up in its packument, if that may have changed.
    /// Nobody waits for it. What is left of it when the engine ends is left.
    pub(crate) fn look_up_again(
        self: &Arc<Self>,
        name: &PackageName,
        version: &str,
        gated: &Arc<Gated>,
    ) {
        if !gated.listed.is_due(self.policy.cache.packument_ttl.get()) {
            return;
        }
        let since = tokio::time::Instant::now();
        let (engine, turns) = (Arc::downgrade(self), Arc::clone(&self.looking_up));
        let quiet = Arc::clone(&self.quiet);
        let (name, version, gated) = (name.clone(), version.to_owned(), Arc::clone(gated));
        tokio::spawn(async move {
            let _turn = turns.acquire_owned().await;
            quiet.wait(since).await;
            let Some(engine) = engine.upgrade() else {
                return;
            };
            if quiet.is_in_a_hurry() || engine.tasks.is_closed() {
                return;
            }
            if let Err(error) = engine.look_up(&name, &version, &gated).await {
                tracing::info!(package.name = %name, package.version = version, %error,
                    "whether its registry still has it is not known");
            }
        });
    }

    async fn look_up(
        &self,
        name: &PackageName,
        version: &str,
        gated: &Gated,
    ) -> Result<(), EngineError> {
        let key = (name.clone(), version.to_owned());
        if let Some(left) = self.fresh_on_disk(name).await? {
            // Whoever fetched it has put out of date what it does not list, maybe in another process.
            let generation = &gated.verdict.generation;
            let verdict = self.store.verdict(name.as_str(), version, generation);
            if self.records() && verdict.await?.is_none() {
                self.gate.invalidate(&key);
            }
            gated.listed.set(Instant::now() + left.max(SELDOM));
            return Ok(());
        }
        match self.packuments.get(name).await {
            Ok(held) if held.packument.has(version) => {
                // One that could not be asked for is not asked for again sooner than one that could.
                if held.stale.is_none() {
                    gated
                        .listed
                        .set(held.fresh_until.max(Instant::now() + SELDOM));
                }
                Ok(())
            }
            Ok(_) => {
                self.gate.invalidate(&key);
                self.packuments
                    .settled()
                    .withdraw(name, |it| it == version)
                    .await
            }
            // Whoever heard that there is no such package has put all of it out of date.
            Err(EngineError::NoSuchPackage { .. }) => {
                self.gate.invalidate(&key);
                Ok(())
            }
            // An upstream that fails has taken nothing away.
            Err(error) => Err(error),
        }
    }

    /// For how long the packument on disk need not be asked for.
    async fn fresh_on_disk(&self, name: &PackageName) -> Result<Option<Duration>, EngineError> {
        let upstream = self.upstreams.upstream_for(name).id();
        let fetched_at = self
            .store
            .packument_fetched_at(name.as_str(), upstream)
            .await?;
        let left = |at: Timestamp| self.packuments.still_fresh(at, Clock::system().now());
        Ok(fetched_at.and_then(left))
    }

    /// Until when the packument that a verdict was just made by need not be asked for.
    pub(crate) fn listed_by(&self, name: &PackageName) -> Listed {
        let held = self.packuments.at_hand(name);
        Listed::until(held.map_or_else(Instant::now, |held| held.fresh_until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asker_at_a_time_looks_again() {
        let listed = Listed::until(Instant::now() + Duration::from_secs(3600));
        assert!(!listed.is_due(Duration::from_secs(300)));
        listed.set(Instant::now());
        assert!(listed.is_due(Duration::ZERO));
        assert!(!listed.is_due(Duration::ZERO), "not by the next, at once");
    }
}
