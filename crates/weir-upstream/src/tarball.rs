//! Tarballs: where they may be, and their bytes as a stream.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::{StreamExt, unfold};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use reqwest::Response;
use url::{Host, Url};
use weir_npm::name::PackageName;

use crate::error::{shown, sort};
use crate::registry::Upstream;
use crate::send::{Http, Signed, persistently};
use crate::{UpstreamError, body};

/// A tarball on its way.
pub struct TarballStream {
    /// Where it comes from.
    pub url: Url,
    /// Its length in bytes, where the upstream says so.
    pub content_length: Option<u64>,
    /// Its bytes, as they are. Ends with an error when it breaks off or grows too large.
    pub stream: Pin<Box<dyn Stream<Item = Result<Bytes, UpstreamError>> + Send>>,
}

impl std::fmt::Debug for TarballStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TarballStream")
            .field("url", &shown(&self.url))
            .field("content_length", &self.content_length)
            .finish_non_exhaustive()
    }
}

/// Finds out npm's own registry. A program may have to be asked, so that is done when it matters.
#[derive(Clone, Default)]
pub struct OwnRegistry(Option<Arc<dyn Fn() -> Option<Url> + Send + Sync>>);

impl std::fmt::Debug for OwnRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OwnRegistry").finish_non_exhaustive()
    }
}

impl OwnRegistry {
    /// By a function that may take a while.
    #[must_use]
    pub fn by(found: impl Fn() -> Option<Url> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(found)))
    }

    /// Whether an address is on its host.
    async fn has(&self, url: &Url) -> bool {
        let Some(found) = self.0.clone() else {
            return false;
        };
        let found = tokio::task::spawn_blocking(move || found()).await;
        let found = found.ok().flatten();
        found.is_some_and(|own| own.host() == url.host())
    }
}

impl Upstream {
    /// Where a version's tarball may be, best first. `dist_tarball` is what the packument says; a
    /// path under the registry will do too.
    ///
    /// An address on the upstream's own host is taken as it is. One on another host comes from a
    /// mirror that copied the public packument: its path is tried under our upstream first (npm's
    /// `replace-registry-host`), then, unless npm's setting is `always`, the address itself, without
    /// credentials. That last one is left out where it would lead from a public upstream into a
    /// private network, or from https to http.
    #[must_use]
    pub fn tarball_urls(&self, name: &PackageName, version: &str, dist_tarball: &str) -> Vec<Url> {
        let base = self.base();
        let conventional = || {
            base.join(&format!(
                "{}/-/{}-{version}.tgz",
                name.as_str(),
                name.base()
            ))
            .ok()
        };
        let Some(found) = base.join(dist_tarball).ok().filter(is_web) else {
            return conventional().into_iter().collect();
        };
        if found.origin() == base.origin() {
            return vec![found];
        }
        let replace = self.replace_host();
        let mut urls = Vec::new();
        if replace != Some("never") {
            urls.extend(rerooted(base, name, &found).or_else(conventional));
        }
        if replace != Some("always") && may_follow(base, &found) {
            urls.push(found);
        }
        urls
    }

    /// A version's tarball, from the first of [`Self::tarball_urls`] that has it.
    ///
    /// A registry that keeps its tarballs elsewhere may refuse its own path, or show a page there, instead of saying
    /// "not found". Then the address itself is asked, as npm does, unless it is on npm's own registry: that one npm
    /// replaces by ours, whose refusal counts.
    ///
    /// # Errors
    /// [`UpstreamError::NotFound`] when none has it; otherwise the first trouble.
    pub async fn tarball_of(
        &self,
        name: &PackageName,
        version: &str,
        dist_tarball: &str,
    ) -> Result<TarballStream, UpstreamError> {
        let (mut missing, mut trouble) = (None, None);
        let mut urls = self
            .tarball_urls(name, version, dist_tarball)
            .into_iter()
            .peekable();
        while let Some(url) = urls.next() {
            let error = match self.tarball(&url).await {
                Ok(tarball) => return Ok(tarball),
                Err(error) => error,
            };
            if error.is_not_found() {
                missing = missing.or(Some(error));
                continue;
            }
            let goes_on = match urls.peek() {
                Some(next) if error.leads_nowhere() => !self.own_registry().has(next).await,
                _ => false,
            };
            trouble = trouble.or(Some(error));
            if !goes_on {
                break;
            }
        }
        Err(trouble
            .or(missing)
            .unwrap_or_else(|| UpstreamError::NotFound {
                url: format!("{} (no usable address for its tarball)", shown(self.base())),
            }))
    }

    /// A tarball by its address. Credentials go along only to the upstream's own origin: those set for the
    /// address, else the upstream's own, as files may lie on another path than packuments. Retried
    /// until an answer begins; what breaks off later is the caller's to begin anew.
    ///
    /// # Errors
    /// As the status says; [`UpstreamError::Unexpected`] for a web page.
    pub async fn tarball(&self, url: &Url) -> Result<TarballStream, UpstreamError> {
        if !is_web(url) {
            let path = weir_model::finding::printable(url.as_str(), 200);
            return Err(UpstreamError::Path { path });
        }
        let signed = if url.origin() == self.base().origin() {
            self.signed()
        } else {
            Signed::Never
        };
        let http = self.http()?;
        persistently(|| open(http, self.base(), url, signed)).await
    }
}

async fn open(
    http: &Http,
    registry: &Url,
    url: &Url,
    signed: Signed<'_>,
) -> Result<TarballStream, UpstreamError> {
    let mut headers = HeaderMap::new();
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/octet-stream, */*;q=0.5"),
    );
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let answer = http
        .get_named_by(registry, url, &headers, signed, http.timeouts.tarball)
        .await?;
    let answer = answer.successful(false)?;
    let (url, response) = (answer.url, answer.response);
    let content_type = response.headers().get(CONTENT_TYPE).cloned();
    let content_type = content_type
        .as_ref()
        .map_or(&b""[..], |value| value.as_bytes());
    if content_type.to_ascii_lowercase().starts_with(b"text/html") {
        let start = body::read(&url, response, http.limits.document)
            .await
            .unwrap_or_default();
        return Err(unexpected(&url, "a tarball", content_type, &start));
    }
    let content_length = response.content_length();
    let limit = http.limits.tarball;
    if content_length.is_some_and(|length| length > limit) {
        return Err(UpstreamError::TooLarge {
            url: shown(&url),
            limit,
        });
    }
    let stream = chunks(url.clone(), response, limit).boxed();
    Ok(TarballStream {
        url,
        content_length,
        stream,
    })
}

/// The pieces of a body. After an error comes nothing more.
fn chunks(
    url: Url,
    response: Response,
    limit: u64,
) -> impl Stream<Item = Result<Bytes, UpstreamError>> + Send {
    unfold(Some((response, 0_u64)), move |state| {
        let url = url.clone();
        async move {
            let (mut response, so_far) = state?;
            match response.chunk().await {
                Ok(None) => None,
                Ok(Some(chunk)) => {
                    let so_far = so_far.saturating_add(chunk.len() as u64);
                    if so_far > limit {
                        let error = UpstreamError::TooLarge {
                            url: shown(&url),
                            limit,
                        };
                        return Some((Err(error), None));
                    }
                    Some((Ok(chunk), Some((response, so_far))))
                }
                Err(error) => Some((Err(sort(&url, error)), None)),
            }
        }
    })
}

/// Says what came instead of what was asked for.
pub(crate) fn unexpected(
    url: &Url,
    expected: &'static str,
    content_type: &[u8],
    body: &[u8],
) -> UpstreamError {
    let start = body.get(..body.len().min(400)).unwrap_or_default();
    let start = String::from_utf8_lossy(start);
    let content_type = match content_type {
        b"" => "something unnamed".to_owned(),
        named => weir_model::finding::printable(&String::from_utf8_lossy(named), 80),
    };
    UpstreamError::Unexpected {
        url: shown(url),
        expected,
        content_type,
        start: weir_model::finding::printable(start.trim(), 60),
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.host().is_some()
}

/// The address's path under our upstream, beginning at the package's name.
fn rerooted(base: &Url, name: &PackageName, found: &Url) -> Option<Url> {
    let path = found.path();
    let starts = [
        format!("/{}/-/", name.as_str()),
        format!("/{}/-/", name.to_url_segment()),
        format!("/{}/-/", name.as_str().replacen('/', "%2F", 1)),
    ];
    let at = starts.iter().find_map(|start| path.find(start.as_str()))?;
    let mut rerooted = base.join(path.get(at..)?.trim_start_matches('/')).ok()?;
    rerooted.set_query(found.query());
    // A path with dots in it must not climb out of the registry's own.
    rerooted
        .as_str()
        .starts_with(base.as_str())
        .then_some(rerooted)
}

/// Whether an address on another host may be followed from this upstream.
fn may_follow(base: &Url, found: &Url) -> bool {
    let same_kind = is_private(base) == is_private(found);
    match found.scheme() {
        "https" => same_kind || is_private(base),
        _ => same_kind && base.scheme() == "http",
    }
}

/// Whether a host lies on this machine or in a private network, as far as its name says.
pub(crate) fn is_private(url: &Url) -> bool {
    let address = match url.host() {
        None => return true,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            return name == "localhost"
                || !name.contains('.')
                || [".localhost", ".local", ".internal"]
                    .iter()
                    .any(|end| name.ends_with(end));
        }
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => address.to_canonical(),
    };
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || shared
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}
