//! Files from addresses of the operator's choice, with the same authorities, proxies and credentials as
//! registries.

use std::io::Write;
use std::sync::Arc;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::{Host, Url};
use weir_npm::npmrc::Npmrc;

use crate::client::Options;
use crate::error::{shown, sort};
use crate::send::{Http, Signed};
use crate::{Conditional, UpstreamError};

/// Fetches files.
#[derive(Debug, Clone)]
pub struct Files {
    http: Arc<Http>,
}

/// What came of fetching one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The whole file, written to where it was to go.
    Whole(Conditional),
    /// The earlier one is still the present one.
    NotModified,
}

impl Files {
    /// Sets up fetching with npm's settings.
    ///
    /// # Errors
    /// When a file of certificate authorities or a proxy cannot be used.
    pub fn from_npmrc(npmrc: &Npmrc, options: &Options) -> Result<Self, UpstreamError> {
        let http = Http::new(npmrc, options, false);
        http.prepare()?;
        Ok(Self {
            http: Arc::new(http),
        })
    }

    /// Fetches a file, unless it is still the one that is known. Not compressed on the way, as archives
    /// are already. Takes as long as a tarball may.
    ///
    /// # Errors
    /// For an address that is not https (plain http is for this machine only, as whoever is on the way
    /// could change the file), any status but success, a file beyond `limit` bytes, and when it cannot be
    /// written.
    pub async fn fetch(
        &self,
        url: &Url,
        known: &Conditional,
        limit: u64,
        into: &mut (dyn Write + Send),
    ) -> Result<Fetched, UpstreamError> {
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(url)) {
            return Err(UpstreamError::Address {
                address: shown(url),
                setting: String::new(),
                why: "only https is fetched from other machines".to_owned(),
            });
        }
        let timeout = self.http.timeouts.tarball;
        let signed = Signed::ByAddress;
        let headers = headers(known);
        let conditional =
            headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE);
        let answer = self.http.get(url, &headers, signed, timeout).await?;
        let mut answer = answer.successful(conditional)?;
        if answer.response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        let header = |name: HeaderName| {
            let value = answer.response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let validators = Conditional {
            etag: header(ETAG),
            last_modified: header(LAST_MODIFIED),
        };
        let failed = |why: String| UpstreamError::Body {
            url: shown(&answer.url),
            why,
        };
        let announced = answer.response.content_length();
        let mut length = 0_u64;
        loop {
            let chunk = answer.response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| sort(&answer.url, error))? else {
                break;
            };
            length += chunk.len() as u64;
            if length > limit {
                return Err(failed(format!("more than {limit} bytes")));
            }
            into.write_all(&chunk)
                .map_err(|error| failed(format!("cannot be written: {error}")))?;
        }
        if announced.is_some_and(|announced| announced != length) {
            return Err(failed(format!("it ended after {length} bytes")));
        }
        Ok(Fetched::Whole(validators))
    }
}

fn headers(known: &Conditional) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let validators = [
        (IF_NONE_MATCH, &known.etag),
        (IF_MODIFIED_SINCE, &known.last_modified),
    ];
    for (header, value) in validators {
        let value = value.as_deref().map(HeaderValue::from_str);
        headers.extend(value.and_then(Result::ok).map(|value| (header, value)));
    }
    headers
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
