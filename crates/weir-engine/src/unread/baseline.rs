//! A release whose contents are fetched to measure another by them is judged by them first: what its packument says may
//! be as it always was, and then nothing spoke against it on the way here.

use std::pin::Pin;
use std::sync::Arc;

use weir_model::Contents;
use weir_signals::Stage;

use super::{is_recent, without_reading};
use crate::EngineError;
use crate::compare::Beside;
use crate::damaged::is_damaged;
use crate::engine::Engine;
use crate::judge::Facts;
use crate::packuments::Held;
use crate::past::{Past, is_long_before};
use crate::resolution::{is_refused, refuses_for_good};

tokio::task_local! {
    /// Set where such a release is being judged: the one before it is not judged in turn.
    static JUDGING: ();
}

impl Engine {
    /// What is known of the releases of a package once the one was judged whose contents a release is measured by.
    /// Nothing is fetched for it that would not be anyway, unless that one is to be refused. Boxed, as judging that one
    /// comes here again.
    pub(crate) fn judge_baseline<'a>(
        self: &'a Arc<Self>,
        held: &'a Arc<Held>,
        version: &'a str,
        contents: &'a Contents,
        past: Arc<Past>,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<Past>, EngineError>> + Send + 'a>> {
        Box::pin(async move {
            if JUDGING.try_with(|()| ()).is_ok() {
                return Ok(past);
            }
            let Some(before) = self.wants_previous(held, version, contents, &past) else {
                return Ok(past);
            };
            let settled = past.knows(&before)
                || !is_recent(&held.packument, &before, self.now())
                || is_long_before(&held.packument, &before, version);
            if settled || !self.may_be_refused(held, &before).await? {
                return Ok(past);
            }
            let judging = without_reading(self.full_verdict(held, &before));
            let is_refused = match JUDGING.scope((), judging).await {
                Ok(verdict) if !refuses_for_good(&verdict.decision) || is_damaged(&verdict) => {
                    return Ok(past);
                }
                Ok(verdict) => is_refused(&verdict),
                Err(error) => {
                    tracing::warn!(package.name = %held.packument.name(), package.version = before, %error,
                        "the release before could not be judged");
                    false
                }
            };
            let mut past = self.past_of(held, version).await?;
            match is_refused {
                true => past.refuse(std::iter::once(&before)),
                // It waits for others itself, or could not be judged now: nothing is measured by it until it is.
                false => past.await_reading(&before),
            }
            Ok(Arc::new(past))
        })
    }

    /// Whether a release would be refused for what it is by itself. It is not compared with the one before it, which
    /// would have to be fetched.
    async fn may_be_refused(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
    ) -> Result<bool, EngineError> {
        // Whoever measures another by it says why it could not be read.
        let Ok(contents) = self.contents_of_version(held, version).await else {
            return Ok(false);
        };
        let beside = Beside::pending(&Arc::new(self.past_of(held, version).await?));
        let around = self.surroundings(held, version).await?;
        let facts = Facts {
            contents: Stage::Known(&contents),
            ..Facts::on_metadata(held, version, &beside, &around)
        };
        let generation = self.verdict_generation(held.packument.name());
        let verdict = self.judge_seen(facts, &generation).await?;
        Ok(refuses_for_good(&verdict.decision))
    }
}
