//! Misbehaviour on request: which paths, how often, in which way.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};

use crate::http_server::{Answer, Conduct, Request};

/// Something that goes wrong for matching requests. Made with [`Fault::on`], which by itself
/// changes nothing, and refined by the methods; several may be combined.
#[derive(Debug, Clone)]
pub struct Fault {
    pattern: String,
    method: Option<Method>,
    skip: usize,
    left: Option<usize>,
    status: Option<StatusCode>,
    reason: Option<String>,
    body: Option<Bytes>,
    corrupt: bool,
    headers: Vec<(String, String)>,
    conduct: Conduct,
}

impl Fault {
    /// Matches decoded paths (`/@s/n`, `/left-pad/-/left-pad-1.0.0.tgz`); `*` stands for any text,
    /// slashes included. The newest matching fault wins.
    pub fn on(pattern: impl Into<String>) -> Fault {
        Fault {
            pattern: pattern.into(),
            method: None,
            skip: 0,
            left: None,
            status: None,
            reason: None,
            body: None,
            corrupt: false,
            headers: Vec::new(),
            conduct: Conduct::default(),
        }
    }

    /// Only for this method.
    pub fn method(mut self, method: Method) -> Fault {
        self.method = Some(method);
        self
    }

    /// Only so many times; afterwards requests are answered as if the fault were gone.
    pub fn times(mut self, count: usize) -> Fault {
        self.left = Some(count);
        self
    }

    /// Lets so many matching requests through first.
    pub fn skip(mut self, count: usize) -> Fault {
        self.skip = count;
        self
    }

    /// Answers with this status and a JSON `error` body.
    ///
    /// # Panics
    /// When the number is no HTTP status.
    pub fn status(mut self, status: u16) -> Fault {
        self.status = Some(StatusCode::from_u16(status).expect("an HTTP status"));
        self
    }

    /// The reason phrase of the status line.
    pub fn reason(mut self, reason: impl Into<String>) -> Fault {
        self.reason = Some(reason.into());
        self
    }

    /// Replaces the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Fault {
        self.body = Some(body.into());
        self
    }

    /// Adds or replaces a header (`retry-after`, `location`, `content-type`, ...).
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Flips a byte in the middle of the body; the length stays.
    pub fn wrong_bytes(mut self) -> Fault {
        self.corrupt = true;
        self
    }

    /// Waits before the status line.
    pub fn delay(mut self, delay: Duration) -> Fault {
        self.conduct.delay = delay;
        self
    }

    /// Sends the body in chunks of `size` bytes with a pause before each.
    pub fn drip(mut self, size: usize, pause: Duration) -> Fault {
        self.conduct.drip = Some((size, pause));
        self
    }

    /// Closes the connection after so many body bytes.
    pub fn cut_after(mut self, bytes: usize) -> Fault {
        self.conduct.cut_after = Some(bytes);
        self
    }

    /// Goes silent after so many body bytes, leaving the connection open.
    pub fn stall_after(mut self, bytes: usize) -> Fault {
        self.conduct.stall_after = Some(bytes);
        self
    }

    /// Sends no `content-length`.
    pub fn without_length(mut self) -> Fault {
        self.conduct.without_length = true;
        self
    }

    /// Never answers.
    pub fn hang(mut self) -> Fault {
        self.conduct.hang = true;
        self
    }

    /// Closes the connection without any answer.
    pub fn drop_connection(mut self) -> Fault {
        self.conduct.refuse = true;
        self
    }

    /// Whether this fault strikes now; counts the request when the pattern matches.
    pub(super) fn strikes(&mut self, request: &Request) -> bool {
        let wanted = self
            .method
            .as_ref()
            .is_none_or(|method| *method == request.method);
        if !wanted || !glob(&self.pattern, &request.path) || self.left == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        true
    }

    pub(super) fn apply(&self, mut answer: Answer) -> Answer {
        if let Some(status) = self.status {
            let text = status.canonical_reason().unwrap_or("fault");
            answer = Answer::json(status, &serde_json::json!({ "error": text }));
        }
        if let Some(body) = &self.body {
            answer.body = body.clone();
            answer.headers.remove(http::header::CONTENT_ENCODING);
        }
        if self.corrupt {
            let mut body = answer.body.to_vec();
            let middle = body.len() / 2;
            if let Some(byte) = body.get_mut(middle) {
                *byte ^= 0xff;
            }
            answer.body = body.into();
        }
        answer.reason.clone_from(&self.reason);
        answer.conduct = self.conduct.clone();
        for (name, value) in &self.headers {
            answer = answer.with_header(name, value);
        }
        answer
    }
}

/// Matches `*` against any text, everything else literally.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(head) else {
        return false;
    };
    (0..=text.len())
        .filter_map(|start| text.get(start..))
        .any(|tail| glob(rest, tail))
}
