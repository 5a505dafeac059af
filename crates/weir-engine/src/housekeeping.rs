//! What a running engine does beside its work, now and then.

use std::sync::Weak;
use std::time::Duration;

use crate::engine::Engine;

/// How often a running engine tidies up.
const HOUSEKEEPING: Duration = Duration::from_secs(20);

/// Lets go of what nobody asked for in a while, and notices advisories imported by another process.
pub(crate) async fn keep_house(engine: Weak<Engine>) {
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        if engine.tasks.is_closed() {
            return;
        }
        engine.packuments.tidy();
        engine.small.run_pending_tasks();
        engine.resolutions.run_pending_tasks();
        engine.unread.run_pending_tasks();
        engine.unreadable.run_pending_tasks();
        engine.gate.run_pending_tasks();
        engine.flights.retain(|_, flight| flight.strong_count() > 0);
        engine.trust.look_after_keys().await;
        give_memory_back();
        engine.keep_habits().await;
        match engine.store.advisories_generation().await {
            Ok(generation) if generation != engine.advisories().generation() => {
                if let Err(error) = engine.reload_advisories().await {
                    tracing::error!(%error, "new advisories could not be loaded");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the advisories could not be looked at"),
        }
    }
}

/// Hands freed memory back to the system: the C library's allocator keeps it for ever otherwise.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "malloc_trim has no safe form")]
fn give_memory_back() {
    // SAFETY: takes a plain integer and may be called at any time.
    let _ = unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_memory_back() {}
