//! Looking ahead: a client that is about to install what a lockfile names takes seconds before it asks for the first
//! of it, in which most of the work can be done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;

use crate::EngineError;
use crate::engine::Engine;
use crate::flight::Flight;
use crate::packuments::Held;

/// How many releases are fetched at the same time. npm itself asks for fifteen.
const AT_ONCE: usize = 16;

/// A run of a client that is looked ahead for. When it is dropped the client has ended, and what it did not ask for
/// is fetched and read no further.
#[derive(Debug, Default)]
pub struct Ahead {
    over: Arc<AtomicBool>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// Fetches and reads releases that will be asked for, in order. Nothing is served, what is refused is refused when
    /// it is asked for, and what fails is tried again then. Which they are is found out on a thread of its own, as it
    /// may take long; nobody waits for it, nor for anything else of this.
    pub fn look_ahead(
        self: &Arc<Self>,
        releases: impl FnOnce() -> Vec<(PackageName, String)> + Send + 'static,
    ) -> Ahead {
        let ahead = Ahead::default();
        let (engine, over) = (Arc::clone(self), Arc::clone(&ahead.over));
        let (found, asked) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || found.send(releases()));
        tokio::spawn(async move {
            let over = &over;
            let fetched = stream::iter(asked.await.unwrap_or_default()).map(|(name, version)| {
                let engine = Arc::clone(&engine);
                async move {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    if let Err(error) = engine.fetch_ahead(&name, &version, over).await {
                        tracing::debug!(package.name = %name, package.version = version, %error,
                            "it could not be fetched before it was asked for");
                    }
                }
            });
            fetched.buffer_unordered(AT_ONCE).collect::<()>().await;
        });
        ahead
    }

    /// Fetches one release, and has it read behind everything else.
    async fn fetch_ahead(
        self: &Arc<Self>,
        name: &PackageName,
        version: &str,
        over: &Arc<AtomicBool>,
    ) -> Result<(), EngineError> {
        if let Some(gated) = self.gated(name, version).await? {
            self.look_up_again(name, version, &gated);
            return Ok(());
        }
        let held = self.packuments.get(name).await?;
        let Some(expected) = self.integrity_of(&held, version) else {
            return Ok(());
        };
        // What is here is decided on when somebody asks.
        let key = expected.to_string();
        let is_read =
            self.store.may_have_contents(&key) && self.store.contents(&key).await?.is_some();
        if over.load(Ordering::Relaxed) || is_read || self.store.blob(&expected).await?.is_some() {
            return Ok(());
        }
        let times = self.times_of(&held, version).await?;
        let metadata = self
            .metadata_verdict(&held, version, &times, &self.generation())
            .await?;
        if !metadata.decision.action.serves() && self.refuses_without_contents(&metadata) {
            return Ok(());
        }
        let flight = self.flight(&held, version, &expected, None).await?;
        self.note_fetched_ahead(name, version);
        self.read_ahead(&held, version, &expected, &flight, over);
        // No more of them on their way than at once.
        let _ = flight.arrived().await;
        Ok(())
    }

    fn note_fetched_ahead(&self, name: &PackageName, version: &str) {
        let fetched = self.fetched_ahead.get_or_init(Mutex::default);
        let mut fetched = fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.insert((name.clone(), version.to_owned()));
    }

    /// Whether the bytes of a release are here only because somebody was about to ask for it: the first who does gets
    /// what was fetched for them, and not what was kept from before.
    pub(crate) fn was_fetched_ahead(&self, name: &PackageName, version: &str) -> bool {
        self.fetched_ahead.get().is_some_and(|fetched| {
            let mut fetched = fetched.lock().unwrap_or_else(PoisonError::into_inner);
            fetched.remove(&(name.clone(), version.to_owned()))
        })
    }

    /// Has a release read when nothing else is to be done, by workers of low priority: whoever asks for one that is not
    /// read yet goes before. On a task that the end of a run does not wait for.
    fn read_ahead(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        expected: &Integrity,
        flight: &Arc<Flight>,
        over: &Arc<AtomicBool>,
    ) {
        let engine = Arc::clone(self);
        let (held, version, flight) = (Arc::clone(held), version.to_owned(), Arc::clone(flight));
        let (expected, over) = (expected.clone(), Arc::clone(over));
        tokio::spawn(async move {
            let unless = || over.load(Ordering::Relaxed);
            let read = engine.verdict_later(&held, &version, flight, &expected, &unless);
            if let Err(error) = read.await {
                tracing::debug!(package.name = %held.packument.name(), package.version = version, %error,
                    "it could not be read before it was asked for");
            }
        });
    }
}
