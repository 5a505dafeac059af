//! When nobody is waiting: what can be done later is done then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// No request for this long counts as quiet. A client that installs asks again within milliseconds, and
/// has to unpack and link what came last; a person's next command takes longer.
const PAUSE: Duration = Duration::from_millis(750);

/// What waited this long is done whether it is quiet or not: a busy gateway is never quiet, and what was
/// served on its metadata is to be read within seconds.
const LONGEST: Duration = Duration::from_secs(5);

/// How often those who wait look again.
const LOOK: Duration = Duration::from_millis(25);

/// Whether clients are being answered at present.
#[derive(Debug)]
pub(crate) struct Quiet {
    requests: AtomicUsize,
    /// When the last request ended, in milliseconds after `start`.
    last: AtomicU64,
    start: Instant,
    /// Somebody waits for everything to be done: no more manners.
    hurry: AtomicBool,
}

impl Default for Quiet {
    fn default() -> Self {
        Self {
            requests: AtomicUsize::new(0),
            last: AtomicU64::new(0),
            start: Instant::now(),
            hurry: AtomicBool::new(false),
        }
    }
}

/// A request that is being answered, until dropped.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Quiet>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.last.store(self.0.elapsed(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Quiet {
    /// Notes a request.
    pub(crate) fn request(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Nobody will ask any more, or somebody waits: everything at once from here on.
    pub(crate) fn hurry(&self) {
        self.hurry.store(true, Ordering::Relaxed);
    }

    /// Whether somebody waits for everything to be done.
    pub(crate) fn is_in_a_hurry(&self) -> bool {
        self.hurry.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_quiet(&self) -> bool {
        let pause = self
            .elapsed()
            .saturating_sub(self.last.load(Ordering::Relaxed));
        self.requests.load(Ordering::Relaxed) == 0 && u128::from(pause) >= PAUSE.as_millis()
    }

    /// Waits until it is quiet, or until [`LONGEST`] after `since`.
    pub(crate) async fn wait(&self, since: Instant) {
        while !self.hurry.load(Ordering::Relaxed) && since.elapsed() < LONGEST && !self.is_quiet() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_for_the_end_of_requests_and_a_pause() {
        let quiet = Arc::new(Quiet::default());
        let began = Instant::now();
        let busy = quiet.request();
        let waiting = tokio::spawn({
            let quiet = Arc::clone(&quiet);
            async move { quiet.wait(Instant::now()).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        drop(busy);
        waiting.await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(1));
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_is_never_quiet_puts_nothing_off_for_ever() {
        let quiet = Arc::new(Quiet::default());
        let _busy = quiet.request();
        let began = Instant::now();
        quiet.wait(began).await;
        assert!(began.elapsed() >= LONGEST);
        quiet.hurry();
        let again = Instant::now();
        quiet.wait(again).await;
        assert!(again.elapsed() < LOOK);
    }
}
