//! Connections of clients: accepted, served one after the other's request, and ended in order.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::crowd::Crowd;
use crate::untaken::{Taking, is_untaken};

/// How long the start of a request may take, from the first look for it to its last header. It counts
/// for connections that are kept open for a next request as well: no client keeps an idle one longer
/// than half a minute, and one that sends a header an hour would hold its place for ever.
pub(crate) const START_OF_REQUEST: Duration = Duration::from_secs(60);

/// How long a client may take nothing of what it is sent. Clients read all the time; those that were stopped or are
/// far behind a bad line come back, or ask again.
const UNTAKEN: Duration = Duration::from_secs(120);

/// What connections have time for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the start of a request.
    pub(crate) start_of_request: Duration,
    /// For an answer of which nothing is taken.
    pub(crate) untaken: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            start_of_request: START_OF_REQUEST,
            untaken: UNTAKEN,
        }
    }
}

/// How long to leave a listener alone that cannot accept: usually there are too many open files, and
/// some will be closed by then.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// Serves connections until `stopped`, then lets requests under way finish.
pub(crate) async fn serve<H, A>(
    listener: TcpListener,
    patience: Patience,
    stopped: impl Future<Output = ()>,
    handle: H,
) where
    H: Fn(SocketAddr, Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(patience.start_of_request);
    let connections = GracefulShutdown::new();
    let crowd = Crowd::by_open_files();
    let mut stopped = std::pin::pin!(stopped);
    loop {
        // Whoever comes while all places are taken waits at the door, which costs no file.
        let (room, accepted) = tokio::select! {
            () = &mut stopped => break,
            both = async { (crowd.room().await, listener.accept().await) } => both,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "no connection could be accepted");
                tokio::time::sleep(OUT_OF_FILES).await;
                continue;
            }
        };
        let Some(place) = room.and_then(|room| crowd.admit(peer.ip(), room)) else {
            tracing::warn!(peer = %peer, "a peer has half of all connections already, and gets no more");
            continue;
        };
        at_once(&stream);
        let handle = handle.clone();
        let service = service_fn(move |request| {
            let answer = handle(peer, request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let stream = Taking::within(patience.untaken, stream);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            match connection.await {
                Ok(()) => {}
                Err(error) if is_untaken(&error) => {
                    tracing::warn!(peer = %peer, "a connection was ended: its client took nothing of an answer any more");
                }
                Err(error) => tracing::debug!(peer = %peer, %error, "a connection broke off"),
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// Answers leave in pieces, some of them small: none waits for the client to confirm the one before.
fn at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays in the mode that saves packets");
    }
}

/// Whether only the one connection failed, before it was accepted.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A server that answers everything with `fine`, and what ends it.
    async fn server(start_of_request: Duration) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
        let patience = Patience {
            start_of_request,
            ..Patience::default()
        };
        answering(patience, || Body::from("fine")).await
    }

    /// A server that answers everything with such a body, and what ends it.
    async fn answering(
        patience: Patience,
        body: impl Fn() -> Body + Clone + Send + 'static,
    ) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        tokio::spawn(serve(
            listener,
            patience,
            async {
                let _ = stopped.await;
            },
            move |_, _| {
                let answer = Response::new(body());
                async move { answer }
            },
        ));
        (address, stop)
    }

    #[tokio::test]
    async fn the_start_of_a_request_has_a_deadline_and_whole_requests_have_none() {
        let deadline = Duration::from_millis(200);
        let (address, _stop) = server(deadline).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nx-sl")
            .await
            .unwrap();
        let mut answer = Vec::new();
        // Without a deadline this waits for ever.
        let read = tokio::time::timeout(Duration::from_secs(30), slow.read_to_end(&mut answer));
        read.await.expect("the connection is ended").unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.contains("fine"), "{answer}");

        let mut whole = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
        whole.write_all(request).await.unwrap();
        let mut answer = String::new();
        whole.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("fine"), "{answer}");
    }

    /// More than the system keeps for both sides together.
    const LARGE: usize = 48 << 20;

    async fn asked(address: SocketAddr) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
        client.write_all(request).await.unwrap();
        client
    }

    /// Only the system can tell a client that takes little from one that takes nothing.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_given_up_and_one_that_is_taken_slowly_is_not() {
        let patience = Patience {
            // The system tries again after 0.2, 0.4, 0.8 seconds: less than that says nothing.
            untaken: Duration::from_secs(3),
            ..Patience::default()
        };
        let alive = std::sync::Arc::new(tokio::sync::watch::channel(()).0);
        let bodies = std::sync::Arc::clone(&alive);
        let (address, _stop) = answering(patience, move || {
            // The body holds on to it for as long as the connection has it.
            let held = bodies.subscribe();
            let pieces = futures_util::stream::unfold((held, LARGE >> 16), async |(held, left)| {
                let left = left.checked_sub(1)?;
                let piece = bytes::Bytes::from_static(&[7; 1 << 16]);
                Some((Ok::<_, std::io::Error>(piece), (held, left)))
            });
            Body::from_stream(pieces)
        })
        .await;
        let _silent = asked(address).await;
        let mut slow = asked(address).await;
        let (mut taken, mut piece) = (0, vec![0; 1 << 20]);
        // Less than half of it, for longer than anybody may take nothing.
        for _ in 0..16 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            taken += slow.read_exact(&mut piece).await.unwrap();
        }
        assert_eq!(taken, 16 << 20);
        let rest = slow.read_to_end(&mut Vec::new()).await.unwrap();
        assert!(taken + rest > LARGE, "all of it, and its head");
        let gone = async {
            while alive.receiver_count() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let gone = tokio::time::timeout(Duration::from_secs(30), gone).await;
        gone.expect("the connection of the silent one is ended");
    }

    #[tokio::test]
    async fn a_stop_ends_idle_connections_and_takes_no_new_ones() {
        let (address, stop) = server(Duration::from_secs(60)).await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
            .await
            .unwrap();
        let mut first = [0; 8];
        idle.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1");
        stop.send(()).unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), idle.read_to_end(&mut rest));
        read.await.expect("the connection is ended").unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
