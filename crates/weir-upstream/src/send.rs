//! One GET, with redirects followed by hand and credentials where they belong.

use std::time::Duration;

use http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Client, RequestBuilder, Response};
use url::Url;
use weir_npm::npmrc::{Access, Credentials, Npmrc};

use crate::UpstreamError;
use crate::client::{Limits, Options, Timeouts};
use crate::clients::{Chosen, Clients};
use crate::error::shown;
use crate::tarball::{OwnRegistry, is_private};

/// What all upstreams of one configuration share.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) npmrc: Npmrc,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) own_registry: OwnRegistry,
    clients: Clients,
}

/// Whose credentials and certificates may go along with a request.
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
    /// Why none went there that a project's settings have for it.
    withheld: Option<String>,
}

impl Http {
    /// By npm's settings.
    pub(crate) fn new(npmrc: &Npmrc, options: &Options, needs_tls: bool) -> Self {
        Self {
            npmrc: npmrc.clone(),
            timeouts: options.timeouts,
            limits: options.limits,
            own_registry: options.own_registry.clone(),
            clients: Clients::new(npmrc, options, needs_tls),
        }
    }

    /// Reads what requests that show nothing need.
    ///
    /// # Errors
    /// When a file of certificate authorities or a proxy cannot be used.
    pub(crate) fn prepare(&self) -> Result<(), UpstreamError> {
        self.clients.choose(None).map(drop)
    }

    /// Reads what requests to this address need.
    ///
    /// # Errors
    /// When a file of certificate authorities, a proxy or a client certificate cannot be used.
    pub(crate) fn prepare_for(&self, url: &Url, signed: Signed<'_>) -> Result<(), UpstreamError> {
        let access = self.access(url, signed);
        self.clients.choose(access.certificate.as_ref()).map(drop)
    }

    /// Sends a GET and follows redirects. Credentials and client certificates are shown only to the origin of
    /// `start`, and only those configured for the address.
    pub(crate) async fn get(
        &self,
        start: &Url,
        headers: &HeaderMap,
        signed: Signed<'_>,
        timeout: Duration,
    ) -> Result<Answer, UpstreamError> {
        self.get_named_by(start, start, headers, signed, timeout)
            .await
    }

    /// The same for an address that a registry named. Where that is outside of private networks no
    /// redirect leads into one: whoever can write to a server out there could have this machine ask any in here.
    pub(crate) async fn get_named_by(
        &self,
        registry: &Url,
        start: &Url,
        headers: &HeaderMap,
        signed: Signed<'_>,
        timeout: Duration,
    ) -> Result<Answer, UpstreamError> {
        let is_inside = is_private(registry);
        let mut url = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let signed = if url.origin() == start.origin() {
                signed
            } else {
                Signed::Never
            };
            let answer = self
                .send(&url, signed, |client| {
                    let request = client.get(url.clone());
                    request.headers(headers.clone()).timeout(timeout)
                })
                .await?;
            match next(&url, &answer.response)? {
                Some(target) if !is_inside && is_private(&target) && !self.is_set(&target) => {
                    return Err(UpstreamError::Redirect {
                        url: shown(&url),
                        why: format!(
                            "it leads from outside into a private network, to {}, which npm's settings do not name",
                            shown(&target)
                        ),
                    });
                }
                Some(target) => url = target,
                None => return Ok(answer),
            }
        }
        let why = format!("more than {MAX_REDIRECTS} of them");
        Err(UpstreamError::Redirect {
            url: shown(start),
            why,
        })
    }

    /// Whether npm's settings name an address: by a registry on its host, or by what is to be shown to it.
    fn is_set(&self, url: &Url) -> bool {
        let scoped = self.npmrc.scope_registries().map(|(_, registry)| registry);
        let mut registries = self.npmrc.registry().into_iter().chain(scoped);
        let on_its_host = registries.any(|registry| {
            Url::parse(&registry).is_ok_and(|registry| registry.origin() == url.origin())
        });
        let access = self.npmrc.access_for(url.as_str());
        on_its_host || access.credentials.is_some() || access.certificate.is_some()
    }

    /// Sends a POST once. Redirects are not followed: a body is not to travel further than asked.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: bytes::Bytes,
        signed: Signed<'_>,
        timeout: Duration,
    ) -> Result<Answer, UpstreamError> {
        self.send(url, signed, |client| {
            let request = client.post(url.clone());
            request.headers(headers).body(body).timeout(timeout)
        })
        .await
    }

    /// Sends one request, with what may go along to its address.
    async fn send(
        &self,
        url: &Url,
        signed: Signed<'_>,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Answer, UpstreamError> {
        let access = self.access(url, signed);
        let Chosen { client, presented } = self.clients.choose(access.certificate.as_ref())?;
        let mut request = request(&client);
        let with_credentials = access.credentials.is_some();
        if let Some(credentials) = access.credentials {
            request = request.header(AUTHORIZATION, authorization(url, &credentials)?);
        }
        let sent = request.send().await;
        let sent = sent.map_err(|error| presented.sorted(url, error));
        let response = sent.map_err(|error| self.clients.explained(url, error))?;
        Ok(Answer {
            url: url.clone(),
            response,
            with_credentials,
            withheld: match with_credentials {
                true => None,
                false => self.npmrc.withheld_from(url.as_str()),
            },
        })
    }

    /// What goes along to an address. Without TLS nobody asks for a certificate, and so none is read.
    fn access(&self, url: &Url, signed: Signed<'_>) -> Access {
        let access = match signed {
            Signed::Never => Access::default(),
            Signed::ByAddress => self.npmrc.access_for(url.as_str()),
            Signed::By(registry) => self.npmrc.access_named_by(registry.as_str(), url.as_str()),
        };
        Access {
            certificate: access.certificate.filter(|_| url.scheme() == "https"),
            ..access
        }
    }
}

fn authorization(url: &Url, credentials: &Credentials) -> Result<HeaderValue, UpstreamError> {
    let value = HeaderValue::from_str(&credentials.authorization_header());
    let mut value = value.map_err(|_| UpstreamError::Client {
        why: format!(
            "the credentials for {} cannot be sent in a header",
            shown(url)
        ),
    })?;
    // Keeps it out of debug output and of HTTP/2's compression tables.
    value.set_sensitive(true);
    Ok(value)
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
    /// The answer, if its status is a success, or 304 for those who asked for it (`conditional`).
    pub(crate) fn successful(self, conditional: bool) -> Result<Self, UpstreamError> {
        let status = self.response.status();
        let url = || shown(&self.url);
        match status {
            StatusCode::OK => Ok(self),
            StatusCode::NOT_MODIFIED if conditional => Ok(self),
            // Many registries say so of what they do not let everybody see.
            StatusCode::NOT_FOUND | StatusCode::GONE if self.withheld.is_none() => {
                Err(UpstreamError::NotFound { url: url() })
            }
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::GONE => Err(UpstreamError::Denied {
                url: url(),
                status: status.as_u16(),
                with_credentials: self.with_credentials,
                withheld: self.withheld,
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
