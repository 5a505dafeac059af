//! Documents of servers that are no registries, by the same settings: proxies, authorities, limits.

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;
use weir_npm::npmrc::Npmrc;

use crate::client::Options;
use crate::error::shown;
use crate::send::{Http, Signed};
use crate::{UpstreamError, body};

/// Fetches from servers that are no registries. Nobody's credentials go there, and no certificate.
#[derive(Debug)]
pub struct Elsewhere {
    http: Http,
}

impl Elsewhere {
    /// By npm's settings.
    ///
    /// # Errors
    /// When a file of certificate authorities or a proxy cannot be used.
    pub fn new(npmrc: &Npmrc, options: &Options) -> Result<Self, UpstreamError> {
        let http = Http::new(npmrc, options, true);
        http.prepare()?;
        Ok(Self { http })
    }

    /// Fetches a document of at most `limit` bytes; `None` where there is none. Redirects are followed,
    /// from https to https only.
    ///
    /// # Errors
    /// When no answer comes, another status does, or it is too large.
    pub async fn get(&self, url: &Url, limit: u64) -> Result<Option<Bytes>, UpstreamError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let timeout = self.http.timeouts.document;
        let answer = self.http.get(url, &headers, Signed::Never, timeout).await?;
        let status = answer.response.status();
        // Object stores answer 403 for what is not there, where listing is not allowed.
        if matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE
        ) {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(UpstreamError::Body {
                url: shown(&answer.url),
                why: format!("it answered {status}"),
            });
        }
        body::read(&answer.url, answer.response, limit)
            .await
            .map(Some)
    }
}
