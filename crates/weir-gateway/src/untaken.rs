//! How long a client may leave an answer lying: it is taken, however slowly, or the connection ends.
//!
//! What is written goes into the system's buffer first, which holds megabytes on a fast line. Whether there is room in
//! it again says little of a client that reads slowly; whether the other side took anything, the system knows better.
//! So the system watches where it can (Linux), and what is here is the last resort.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How many times longer there may be no room in the system's buffer than nothing may be taken out of it: a third of
/// it has to be free before there is room again, which is more than a megabyte where it is large.
const BUFFERED: u32 = 8;

/// A connection whose client takes what it is sent.
#[derive(Debug)]
pub(crate) struct Taking<S> {
    inner: S,
    longest: Duration,
    /// Since the last time that there was no room.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Taking<TcpStream> {
    /// Ends a connection when its client has taken nothing for `longest` of what it is sent.
    pub(crate) fn within(longest: Duration, stream: TcpStream) -> Self {
        watched(&stream, longest);
        Self::of(stream, longest.saturating_mul(BUFFERED))
    }
}

/// Has the system end a connection whose other side confirms nothing, or has no room, for this long.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn watched(stream: &TcpStream, longest: Duration) {
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(longest)) {
        tracing::debug!(%error, "a client that takes nothing is found out later");
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn watched(_: &TcpStream, _: Duration) {}

/// Whether a connection was ended for what its client left lying.
pub(crate) fn is_untaken(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|it| it.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        next = error.source();
    }
    false
}

impl<S> Taking<S> {
    const fn of(inner: S, longest: Duration) -> Self {
        Self {
            inner,
            longest,
            waiting: None,
        }
    }

    /// What came of writing; an error where there was no room for too long.
    fn judged(
        &mut self,
        context: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if wrote.is_ready() {
            self.waiting = None;
            return wrote;
        }
        let longest = self.longest;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taking<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.judged(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.judged(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taking<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn whoever_takes_nothing_is_given_up_and_whoever_takes_little_is_not() {
        let longest = Duration::from_secs(1);
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut taking = Taking::of(ours, longest);
        let reading = tokio::spawn(async move {
            let mut all = vec![0; 640];
            for piece in all.chunks_mut(32) {
                tokio::time::sleep(Duration::from_millis(100)).await;
                theirs.read_exact(piece).await.unwrap();
            }
            theirs
        });
        taking.write_all(&[7; 640]).await.unwrap();
        let _theirs = reading.await.unwrap();

        taking.write_all(&[7; 64]).await.unwrap();
        let started = tokio::time::Instant::now();
        let error = taking.write_all(&[7; 1]).await.unwrap_err();
        assert!(is_untaken(&error), "{error}");
        assert!(started.elapsed() >= longest);
        let other = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(!is_untaken(&other));
    }
}
