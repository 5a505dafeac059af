//! Signals while a client runs, and after it: the client's first, then weir's own.

use std::io;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use tokio::process::Child;

use crate::exit;

/// How long closing may take when a signal came.
const CLOSE: Duration = Duration::from_secs(2);

/// What asks weir to end. From when this listens to the end of the process, no signal ends weir by itself.
pub(super) struct Interrupts {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    /// The signal that came for weir.
    came: Option<i32>,
}

#[cfg(unix)]
impl Interrupts {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            came: None,
        })
    }

    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => libc::SIGINT,
            _ = self.terminate.recv() => libc::SIGTERM,
            _ = self.hangup.recv() => libc::SIGHUP,
        }
    }

    /// Waits for the client. Signals sent to weir go to the client, which decides what they mean.
    pub(super) async fn forward(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        use std::io::IsTerminal as _;
        // At a terminal, Ctrl-C reaches the client by itself.
        let at_terminal = io::stdin().is_terminal();
        let status = loop {
            let signal = tokio::select! {
                status = child.wait() => break status?,
                signal = self.next() => signal,
            };
            if !(at_terminal && signal == libc::SIGINT)
                && let Some(id) = child.id()
                && let Ok(id) = libc::pid_t::try_from(id)
            {
                send_signal(id, signal);
            }
        };
        self.forget().await;
        Ok(status)
    }

    /// Takes what came up to now for the client's, which has ended of it.
    async fn forget(&mut self) {
        loop {
            tokio::select! {
                biased;
                _ = self.next() => {}
                () = std::future::ready(()) => return,
            }
        }
    }
}

#[cfg(not(unix))]
impl Interrupts {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { came: None })
    }

    async fn next(&mut self) -> i32 {
        /// The number of the signal that Ctrl-C stands for elsewhere.
        const INTERRUPT: i32 = 2;
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPT
    }

    pub(super) async fn forward(&mut self, child: &mut Child) -> io::Result<ExitStatus> {
        child.wait().await
    }
}

impl Interrupts {
    /// Sees work to its end, or to the first signal.
    pub(super) async fn until_first<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let signal = tokio::select! {
            done = work => return Some(done),
            signal = self.next() => signal,
        };
        self.came = Some(signal);
        None
    }

    /// Sees work to its end that is worth it after a signal, too; the second ends it.
    pub(super) async fn until_second<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let signal = tokio::select! {
                done = &mut work => return Some(done),
                signal = self.next() => signal,
            };
            if self.came.replace(signal).is_some() {
                return None;
            }
        }
    }

    /// Sees the data folder closed in order. Once a signal came, what is still being read is not waited for:
    /// the ledger was written before anything was served.
    pub(super) async fn while_closing(&mut self, close: impl Future<Output = ()>) {
        let mut close = std::pin::pin!(close);
        if self.came.is_none() && self.until_first(&mut close).await.is_some() {
            return;
        }
        let rest = tokio::time::timeout(CLOSE, close);
        self.until_second(rest).await;
    }

    /// The exit code, if a signal came for weir: as shells report it.
    pub(super) fn code(&self) -> Option<ExitCode> {
        self.came.map(of_signal)
    }
}

/// How shells report an end by a signal.
pub(super) fn of_signal(signal: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(exit::FAILED))
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "kill has no safe form in std")]
fn send_signal(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: plain integers, and the process is our own child that was not waited for yet.
    let _ = unsafe { libc::kill(process, signal) };
}
