//! One GET, with redirects followed by hand and credentials where they belong.

use std::sync::OnceLock;
use std::time::Duration;

use http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Client, Response};
use url::Url;
use weir_npm::npmrc::Npmrc;

use crate::UpstreamError;
use crate::client::{self, Limits, Options, Timeouts};
use crate::error::{shown, sort};

/// What all upstreams of one configuration share.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) npmrc: Npmrc,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    options: Options,
    needs_tls: bool,
    client: OnceLock<Client>,
}

/// Whose credentials may go along with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signed<'a> {
    /// Nobody's.
    Never,
    /// Those set for the address, and the default registry's where that is on the same host.
    ByAddress,
    /// Those set for the address, and those of this registry, which named it, where that is on the same host.
    By(&'a Url),
}

/// Most redirects followed.
const MAX_REDIRECTS: u32 = 5;

/// An answer, from where it finally came, and whether credentials went there.
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) response: Response,
    pub(crate) with_credentials: bool,
}

impl Http {
    /// By npm's settings. Authorities and proxies are read when the first request is made: that takes
    /// longer than all else that a command without requests does.
    pub(crate) fn new(npmrc: &Npmrc, options: &Options, needs_tls: bool) -> Self {
        Self {
            npmrc: npmrc.clone(),
            timeouts: options.timeouts,
            limits: options.limits,
            options: options.clone(),
            needs_tls,
            client: OnceLock::new(),
        }
    }

    /// The client that makes the requests.
    ///
    /// # Errors
    /// When a file of certificate authorities or a proxy cannot be used.
    pub(crate) fn client(&self) -> Result<&Client, UpstreamError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let built = client::build(&self.npmrc, &self.options, self.needs_tls)?;
        Ok(self.client.get_or_init(|| built))
    }

    /// Sends a GET and follows redirects. Credentials are sent only to the origin of `start`, and
    /// only those configured for the address.
    pub(crate) async fn get(
        &self,
        start: &Url,
        headers: &HeaderMap,
        signed: Signed<'_>,
        timeout: Duration,
    ) -> Result<Answer, UpstreamError> {
        let mut url = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let authorization = if url.origin() == start.origin() {
                self.authorization(&url, signed)?
            } else {
                None
            };
            let with_credentials = authorization.is_some();
            let mut headers = headers.clone();
            headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
            let request = self
                .client()?
                .get(url.clone())
                .headers(headers)
                .timeout(timeout);
            let response = request.send().await.map_err(|error| sort(&url, error))?;
            match next(&url, &response)? {
                Some(target) => url = target,
                None => {
                    return Ok(Answer {
                        url,
                        response,
                        with_credentials,
                    });
                }
            }
        }
        let why = format!("more than {MAX_REDIRECTS} of them");
        Err(UpstreamError::Redirect {
            url: shown(start),
            why,
        })
    }

    /// Sends a POST once. Redirects are not followed: a body is not to travel further than asked.
    pub(crate) async fn post(
        &self,
        url: &Url,
        mut headers: HeaderMap,
        body: bytes::Bytes,
        signed: Signed<'_>,
        timeout: Duration,
    ) -> Result<Answer, UpstreamError> {
        let authorization = self.authorization(url, signed)?;
        let with_credentials = authorization.is_some();
        headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        let request = self
            .client()?
            .post(url.clone())
            .headers(headers)
            .body(body)
            .timeout(timeout);
        let response = request.send().await.map_err(|error| sort(url, error))?;
        Ok(Answer {
            url: url.clone(),
            response,
            with_credentials,
        })
    }

    fn authorization(
        &self,
        url: &Url,
        signed: Signed<'_>,
    ) -> Result<Option<HeaderValue>, UpstreamError> {
        let credentials = match signed {
            Signed::Never => None,
            Signed::ByAddress => self.npmrc.auth_for(url.as_str()),
            Signed::By(registry) => self.npmrc.auth_named_by(registry.as_str(), url.as_str()),
        };
        let Some(credentials) = credentials else {
            return Ok(None);
        };
        let value = HeaderValue::from_str(&credentials.authorization_header());
        let mut value = value.map_err(|_| UpstreamError::Client {
            why: format!(
                "the credentials for {} cannot be sent in a header",
                shown(url)
            ),
        })?;
        // Keeps it out of debug output and of HTTP/2's compression tables.
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// Where a redirect leads, if the answer is one.
fn next(url: &Url, response: &Response) -> Result<Option<Url>, UpstreamError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let refused = |why: &str| {
        Err(UpstreamError::Redirect {
            url: shown(url),
            why: why.to_owned(),
        })
    };
    let target = response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let Some(Ok(target)) = target.map(|target| url.join(target)) else {
        return refused("it names no usable address");
    };
    match (url.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => Ok(Some(target)),
        ("https", "http") => refused("it leads from https to http"),
        _ => refused("it leads to something other than http"),
    }
}

impl Answer {
    /// The answer, if its status is a success (or 304, which only comes to those who asked).
    pub(crate) fn successful(self) -> Result<Self, UpstreamError> {
        let status = self.response.status();
        let url = || shown(&self.url);
        match status {
            StatusCode::OK | StatusCode::NOT_MODIFIED => Ok(self),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(UpstreamError::NotFound { url: url() }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(UpstreamError::Denied {
                url: url(),
                status: status.as_u16(),
                with_credentials: self.with_credentials,
            }),
            _ => Err(UpstreamError::Status {
                url: url(),
                status: status.as_u16(),
                retry_after: retry_after(self.response.headers()),
            }),
        }
    }
}

/// `retry-after` in seconds; the form with a date is not worth a clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// Attempts in all, and the wait before the second; it doubles.
const ATTEMPTS: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait an upstream can ask for: a client is waiting (PROTOCOL 3.6, time budgets).
const MAX_WAIT: Duration = Duration::from_secs(3);

/// Asks again while that may help.
pub(crate) async fn persistently<T, F>(attempt: impl Fn() -> F) -> Result<T, UpstreamError>
where
    F: Future<Output = Result<T, UpstreamError>>,
{
    let mut wait = FIRST_WAIT;
    for _ in 1..ATTEMPTS {
        let error = match attempt().await {
            // Timeouts were long enough already.
            Err(error) if error.is_temporary() && !is_timeout(&error) => error,
            done => return done,
        };
        let asked = match &error {
            UpstreamError::Status {
                retry_after: Some(asked),
                ..
            } => *asked,
            _ => wait,
        };
        if asked > MAX_WAIT {
            return Err(error);
        }
        tracing::debug!(%error, wait_ms = asked.as_millis(), "asking the upstream again");
        tokio::time::sleep(asked.max(wait)).await;
        wait = wait.saturating_mul(2);
    }
    attempt().await
}

const fn is_timeout(error: &UpstreamError) -> bool {
    matches!(error, UpstreamError::Timeout { .. })
}
