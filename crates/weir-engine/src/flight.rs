//! One download for many askers: the first starts it, the others follow the bytes as they come.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use weir_npm::integrity::Integrity;
use weir_store::{Hashed, Hashing};
use weir_upstream::{UNUSABLE, UpstreamError};

/// How far a download is.
#[derive(Debug, Clone)]
enum Progress {
    /// This many chunks are here.
    Chunks(usize),
    /// All of it is.
    Arrived(Arc<Hashed>),
    /// It broke off, for this reason.
    Failed(BrokenOff),
}

/// Why a download broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenOff {
    /// In words.
    pub why: Arc<str>,
    /// The status to answer with, where asking again changes nothing.
    pub status: Option<u16>,
    /// How many bytes had come.
    pub after: u64,
}

impl BrokenOff {
    fn because(why: &str) -> Self {
        Self {
            why: why.into(),
            status: None,
            after: 0,
        }
    }

    /// Whether it broke off in the middle: the way there may have failed, or what the upstream keeps.
    pub(crate) const fn in_the_middle(&self) -> bool {
        self.status.is_none() && self.after > 0
    }
}

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<UpstreamError> for BrokenOff {
    fn from(error: UpstreamError) -> Self {
        Self {
            why: error.to_string().into(),
            status: error.final_status(),
            after: 0,
        }
    }
}

/// Of bytes that are here already.
impl From<Infallible> for BrokenOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What became of a download's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Bytes came.
    Begun,
    /// It broke off before, or after.
    BrokenOff,
    /// Nothing came so far.
    Waiting,
}

/// A download under way or done.
#[derive(Debug)]
pub struct Flight {
    /// Where it comes from, in the words of whoever asked for it.
    address: String,
    received: Mutex<Hashing>,
    announced: Announced,
    progress: watch::Sender<Progress>,
}

/// The length in bytes that the upstream announced, once it has.
pub type Announced = Arc<OnceLock<u64>>;

/// Tarballs of up to this length in bytes are passed on when all of them is here: they come within
/// milliseconds, and waking followers for every piece costs more processor time than the pieces do.
const AT_ONCE: u64 = 512 << 10;

/// What is said where the collecting task ended without a result.
const ABANDONED: &str = "the download was abandoned";

/// Tells followers, who would wait for ever, when the collecting task ends without a result.
struct Abandoned(Arc<Flight>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.progress.send_if_modified(|progress| {
            let open = matches!(progress, Progress::Chunks(_));
            if open {
                *progress = Progress::Failed(BrokenOff::because(ABANDONED));
            }
            open
        });
    }
}

impl Flight {
    /// Starts to collect `body` on a task of its own, so that the download outlives its first asker.
    ///
    /// `address` is where they come from; `limit` is the most bytes accepted; `announced` is set by `body`
    /// before its first bytes, if at all.
    pub fn start<S, E>(address: String, body: S, limit: u64, announced: Announced) -> Arc<Self>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BrokenOff> + Send,
    {
        let (progress, _) = watch::channel(Progress::Chunks(0));
        let flight = Arc::new(Self {
            address,
            received: Mutex::default(),
            announced,
            progress,
        });
        let task = Arc::clone(&flight);
        tokio::spawn(async move {
            let _guard = Abandoned(Arc::clone(&task));
            match task.collect(body, limit).await {
                Ok(arrived) => {
                    task.progress
                        .send_replace(Progress::Arrived(Arc::new(arrived)));
                }
                Err(broken) => {
                    let after = task.lock().length();
                    let broken = BrokenOff { after, ..broken };
                    task.progress.send_replace(Progress::Failed(broken));
                }
            }
        });
        flight
    }

    async fn collect<S, E>(&self, body: S, limit: u64) -> Result<Hashed, BrokenOff>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BrokenOff> + Send,
    {
        let mut body = std::pin::pin!(body);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(Into::into)?;
            if chunk.is_empty() {
                continue;
            }
            let (count, length) = {
                let mut received = self.lock();
                if received.length().saturating_add(chunk.len() as u64) > limit {
                    let why = format!("the tarball is larger than the limit of {limit} bytes");
                    return Err(BrokenOff {
                        status: Some(UNUSABLE),
                        ..BrokenOff::because(&why)
                    });
                }
                received.push(chunk);
                (received.chunks().len(), received.length())
            };
            // Whoever follows a small one gets all of it in one go, and is woken for that alone.
            let small = self.announced.get().is_some_and(|whole| *whole <= AT_ONCE);
            if count == 1 || !small || length > AT_ONCE {
                self.progress.send_replace(Progress::Chunks(count));
            }
        }
        Ok(self.lock().finish())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Hashing> {
        self.received
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Its length in bytes, as far as known: exact where it has arrived, else what was announced, and
    /// HTTP holds an upstream to that.
    pub fn length(&self) -> Option<u64> {
        match &*self.progress.borrow() {
            Progress::Arrived(arrived) => Some(arrived.length()),
            Progress::Chunks(_) | Progress::Failed(_) => self.announced.get().copied(),
        }
    }

    /// Where it comes from.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether all of it is here.
    pub fn has_arrived(&self) -> bool {
        matches!(*self.progress.borrow(), Progress::Arrived(_))
    }

    /// Whether it broke off. Those who come later start a new one.
    pub fn has_failed(&self) -> bool {
        self.broken_off().is_some()
    }

    /// Why it broke off, if it did.
    pub fn broken_off(&self) -> Option<BrokenOff> {
        match &*self.progress.borrow() {
            Progress::Failed(broken) => Some(broken.clone()),
            _ => None,
        }
    }

    /// Waits for the first bytes, but not longer than `longest`.
    pub async fn begins_within(&self, longest: Duration) -> Start {
        let mut progress = self.progress.subscribe();
        let begun = progress.wait_for(|now| !matches!(now, Progress::Chunks(0)));
        match tokio::time::timeout(longest, begun).await {
            Err(_) => Start::Waiting,
            Ok(Ok(now)) if !matches!(*now, Progress::Failed(_)) => Start::Begun,
            Ok(_) => Start::BrokenOff,
        }
    }

    /// The tarball, when all of it is here.
    ///
    /// # Errors
    /// Why the download broke off.
    pub async fn arrived(&self) -> Result<Arc<Hashed>, BrokenOff> {
        let mut progress = self.progress.subscribe();
        loop {
            match &*progress.borrow_and_update() {
                Progress::Arrived(arrived) => return Ok(Arc::clone(arrived)),
                Progress::Failed(why) => return Err(why.clone()),
                Progress::Chunks(_) => {}
            }
            if progress.changed().await.is_err() {
                return Err(BrokenOff::because(ABANDONED));
            }
        }
    }

    /// The bytes as they come. The last chunk is held back until all of it is known to be what
    /// `expected` says: a client never gets a whole tarball that does not match.
    pub fn follow(
        self: Arc<Self>,
        expected: Integrity,
    ) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
        let progress = self.progress.subscribe();
        stream::unfold(
            (self, progress, expected, 0_usize, false),
            async move |state| {
                let (flight, mut progress, expected, next, over) = state;
                if over {
                    return None;
                }
                loop {
                    let now = progress.borrow_and_update().clone();
                    let (available, verified) = match now {
                        Progress::Chunks(count) => (count.saturating_sub(1), false),
                        Progress::Arrived(arrived) if arrived.matches(&expected) => {
                            (flight.lock().chunks().len(), true)
                        }
                        Progress::Arrived(_) => {
                            let error =
                                std::io::Error::other("the tarball does not match its integrity");
                            return Some((Err(error), (flight, progress, expected, next, true)));
                        }
                        Progress::Failed(why) => {
                            let error = std::io::Error::other(why.to_string());
                            return Some((Err(error), (flight, progress, expected, next, true)));
                        }
                    };
                    if next < available {
                        let chunk = flight
                            .lock()
                            .chunks()
                            .get(next)
                            .cloned()
                            .unwrap_or_default();
                        return Some((Ok(chunk), (flight, progress, expected, next + 1, false)));
                    }
                    if verified || progress.changed().await.is_err() {
                        return None;
                    }
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(
        chunks: &[&'static str],
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|text| Ok(Bytes::from_static(text.as_bytes())))
            .collect();
        stream::iter(chunks)
    }

    fn integrity_of(text: &str) -> Integrity {
        let arrived = Hashed::of(Bytes::copy_from_slice(text.as_bytes()));
        Integrity::parse(&arrived.integrity()).unwrap()
    }

    fn flight<E: Into<BrokenOff> + Send>(
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
        limit: u64,
    ) -> Arc<Flight> {
        Flight::start(String::new(), body, limit, Announced::default())
    }

    async fn read(flight: Arc<Flight>, expected: Integrity) -> (String, bool) {
        let mut stream = std::pin::pin!(flight.follow(expected));
        let (mut text, mut whole) = (String::new(), true);
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(chunk) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
                Err(_) => whole = false,
            }
        }
        (text, whole)
    }

    #[tokio::test]
    async fn followers_get_everything_when_the_bytes_are_right() {
        let whole = flight(body(&["ab", "", "c", "d"]), 100);
        let (one, two) = tokio::join!(
            read(Arc::clone(&whole), integrity_of("abcd")),
            read(Arc::clone(&whole), integrity_of("abcd")),
        );
        assert_eq!(one, ("abcd".to_owned(), true));
        assert_eq!(two, ("abcd".to_owned(), true));
    }

    #[tokio::test]
    async fn nobody_gets_the_last_bytes_of_a_tarball_that_does_not_match() {
        let whole = flight(body(&["ab", "cd"]), 100);
        let (text, whole) = read(whole, integrity_of("abcX")).await;
        assert!(!whole);
        assert!(text.len() < 4, "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_start_of_a_download_is_not_waited_for_for_ever() {
        let second = Duration::from_secs(1);
        let silent = flight(stream::pending::<Result<Bytes, Infallible>>(), 100);
        assert_eq!(silent.begins_within(second).await, Start::Waiting);
        let begun = flight(body(&["ab"]), 100);
        assert_eq!(begun.begins_within(second).await, Start::Begun);
        let parts = vec![Err(BrokenOff::because("connection reset"))];
        let broken = flight(stream::iter(parts), 100);
        assert_eq!(broken.begins_within(second).await, Start::BrokenOff);
    }

    #[tokio::test]
    async fn long_and_broken_bodies_are_failures() {
        let long = flight(body(&["ab", "cd"]), 3);
        assert!(long.arrived().await.unwrap_err().why.contains("limit of 3"));
        let parts = vec![
            Ok(Bytes::from_static(b"a")),
            Err(BrokenOff::because("connection reset")),
        ];
        let broken = flight(stream::iter(parts), 100);
        assert!(
            broken
                .arrived()
                .await
                .unwrap_err()
                .why
                .contains("connection reset")
        );
        assert!(broken.has_failed());
    }
}
