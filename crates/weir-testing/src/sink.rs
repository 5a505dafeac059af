//! Where stolen data would go: a loopback server that takes anything and tells the test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::http_server::{Answer, Request, Server};

/// Records whatever is sent to it, to prove what arrived and, mostly, that nothing did.
pub struct Sink {
    server: Server,
}

impl Sink {
    /// Starts on a free loopback port and runs until dropped.
    ///
    /// # Panics
    /// When loopback cannot be bound.
    pub fn start() -> Sink {
        let (_, listener) = Server::bind();
        let handler = |_: &Request| Answer::new(StatusCode::OK, "text/plain", "ok\n");
        Sink {
            server: Server::serve(listener, Arc::new(handler)),
        }
    }

    /// The address with a closing slash, `http://127.0.0.1:<port>/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// The port, for samples that build the address themselves.
    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Connections so far, also those that never spoke HTTP.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Waits until `count` requests arrived or `patience` is over; returns what there is.
    pub fn wait_for(&self, count: usize, patience: Duration) -> Vec<Request> {
        let start = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count || start.elapsed() >= patience {
                return received;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asserts that nobody ever connected.
    ///
    /// # Panics
    /// When somebody did, naming what was sent.
    pub fn assert_untouched(&self) {
        let targets: Vec<String> = self
            .received()
            .into_iter()
            .map(|request| format!("{} {}", request.method, request.target))
            .collect();
        assert!(
            self.connections() == 0,
            "the sink was contacted {} time(s): {targets:?}",
            self.connections()
        );
    }
}
