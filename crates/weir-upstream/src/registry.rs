//! Registries: which one serves a package, and asking it for documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, RETRY_AFTER,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;
use weir_npm::name::PackageName;
use weir_npm::npmrc::Npmrc;

use crate::client::{Options, seed_randomness};
use crate::error::shown;
use crate::send::{Answer, Http, Signed, persistently};
use crate::tarball::{OwnRegistry, unexpected};
use crate::{UpstreamError, body};

/// All registries of one configuration.
#[derive(Debug, Clone)]
pub struct Upstreams {
    default: Arc<Upstream>,
    scopes: BTreeMap<String, Arc<Upstream>>,
}

/// One registry.
#[derive(Debug)]
pub struct Upstream {
    base: Url,
    http: Arc<Http>,
    /// Why it cannot be asked anything: the address of a scope's registry that is none.
    unusable: Option<UpstreamError>,
}

impl Upstreams {
    /// Sets up the registries that npm's settings name: the default one, and one for each scope
    /// that has its own.
    ///
    /// What requests need besides is read when the first one is made, or by [`Self::prepare`].
    ///
    /// A scope whose registry has an address that cannot be used fails when something of that scope is asked
    /// for: npm installs everything else, and nothing of the scope is looked for elsewhere.
    ///
    /// # Errors
    /// When no registry is known, or the address of the default one cannot be used.
    pub fn from_npmrc(npmrc: &Npmrc, options: &Options) -> Result<Self, UpstreamError> {
        let default = match npmrc.registry() {
            Some(address) => configured(npmrc, "registry", &address)?,
            None => match &options.default_registry {
                Some(address) => {
                    base_of(address.as_str()).map_err(|wrong| wrong.of(String::new()))?
                }
                None => return Err(UpstreamError::NoRegistry),
            },
        };
        let mut bases = BTreeMap::new();
        for (scope, address) in npmrc.scope_registries() {
            let base = configured(npmrc, &format!("@{scope}:registry"), &address);
            bases.insert(scope.to_owned(), base);
        }
        let needs_tls = std::iter::once(&default)
            .chain(bases.values().flatten())
            .any(|base| base.scheme() == "https");
        let http = Arc::new(Http::new(npmrc, options, needs_tls));
        let upstream = |base: Url, unusable: Option<UpstreamError>| {
            Arc::new(Upstream {
                base,
                http: Arc::clone(&http),
                unusable,
            })
        };
        let mut scopes = BTreeMap::new();
        for (scope, base) in bases {
            let own = match base {
                Ok(base) => upstream(base, None),
                // An address that is nobody's: what is kept of other registries is not taken for its own.
                Err(error) => match Url::parse(&format!("unusable:/{scope}/")) {
                    Ok(base) => upstream(base, Some(error)),
                    Err(_) => return Err(error),
                },
            };
            scopes.insert(scope, own);
        }
        Ok(Self {
            default: upstream(default, None),
            scopes,
        })
    }

    /// Reads what requests need, so that settings which cannot be used are heard of at once and not with
    /// the first request, and begins what would hold that up.
    ///
    /// # Errors
    /// When a file of certificate authorities, a proxy, or the client certificate of one of the registries cannot
    /// be used.
    pub fn prepare(&self) -> Result<(), UpstreamError> {
        let all = std::iter::once(&self.default).chain(self.scopes.values());
        for upstream in all.filter(|upstream| upstream.unusable.is_none()) {
            let http = upstream.http()?;
            http.prepare_for(&upstream.base, upstream.signed())?;
        }
        let mut all = std::iter::once(&self.default).chain(self.scopes.values());
        if all.any(|upstream| upstream.base.scheme() == "https") {
            seed_randomness();
        }
        Ok(())
    }

    /// The registry that serves a package.
    #[must_use]
    pub fn upstream_for(&self, name: &PackageName) -> &Arc<Upstream> {
        name.scope()
            .and_then(|scope| self.scopes.get(scope))
            .unwrap_or(&self.default)
    }

    /// The registry of everything without a scope of its own.
    #[must_use]
    pub const fn default_upstream(&self) -> &Arc<Upstream> {
        &self.default
    }

    /// Scopes with a registry of their own, without `@`.
    pub fn scopes(&self) -> impl Iterator<Item = (&str, &Arc<Upstream>)> {
        self.scopes
            .iter()
            .map(|(scope, upstream)| (scope.as_str(), upstream))
    }
}

/// An address that cannot be used: what of it may be shown, and why.
struct Wrong {
    shown: String,
    why: String,
}

impl Wrong {
    fn of(self, setting: String) -> UpstreamError {
        UpstreamError::Address {
            address: self.shown,
            setting,
            why: self.why,
        }
    }
}

/// The address that a setting of npm's gives. What cannot be used is told with what has to be changed: the
/// setting, where it was found, and the variables that were not set.
fn configured(npmrc: &Npmrc, key: &str, address: &str) -> Result<Url, UpstreamError> {
    let unset = npmrc.unset_in(key);
    // As it is written, but for a password.
    let written = match address.contains('@') {
        true => UNREADABLE,
        false => address,
    };
    let base = if let Some(why) = npmrc.why_withheld(key) {
        Err(Wrong {
            shown: written.to_owned(),
            why,
        })
    } else if unset.is_empty() {
        base_of(address)
    } else {
        let variables = unset.join(", ");
        Err(Wrong {
            shown: written.to_owned(),
            why: format!("{variables} is not set in the environment"),
        })
    };
    base.map_err(|wrong| {
        let place = npmrc.place_of(key);
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let setting = format!(" of {key}{place}");
        wrong.of(weir_model::finding::printable(&setting, 600))
    })
}

/// What is shown of an address that cannot be read: it could be anything, a secret on the wrong line too.
const UNREADABLE: &str = "(unreadable)";

/// Checks a registry's address and ends it with a slash.
fn base_of(address: &str) -> Result<Url, Wrong> {
    let wrong = |shown: String, why: &str| Wrong {
        shown,
        why: why.to_owned(),
    };
    let mut url =
        Url::parse(address).map_err(|error| wrong(UNREADABLE.to_owned(), &error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        let why = "only http and https registries are supported";
        return Err(wrong(shown(&url), why));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let why = "put credentials into .npmrc as `//host/:_authToken`, not into it";
        return Err(wrong(shown(&url), why));
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// What is known of an earlier answer, to ask whether it still holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditional {
    /// Its entity tag.
    pub etag: Option<String>,
    /// Its date of last change, as the upstream wrote it.
    pub last_modified: Option<String>,
}

/// A registry's answer about a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackumentResponse {
    /// The packument.
    Fresh {
        /// Its bytes, decoded.
        raw: Bytes,
        /// Its entity tag.
        etag: Option<String>,
        /// Its date of last change, as the upstream wrote it.
        last_modified: Option<String>,
    },
    /// The earlier answer still holds.
    NotModified,
}

/// Any other document, to be handed on.
#[derive(Debug, Clone)]
pub struct Document {
    /// The upstream's status.
    pub status: StatusCode,
    /// Those of its headers that concern the client: content type, validators, caching.
    pub headers: HeaderMap,
    /// Its body, decoded.
    pub body: Bytes,
}

/// Headers of a document that are handed on.
const HANDED_ON: [HeaderName; 5] = [
    CONTENT_TYPE,
    ETAG,
    LAST_MODIFIED,
    CACHE_CONTROL,
    RETRY_AFTER,
];

impl Upstream {
    /// The registry's address, ending in a slash, without credentials. Names this upstream in caches.
    #[must_use]
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// The same as text.
    #[must_use]
    pub fn id(&self) -> &str {
        self.base.as_str()
    }

    /// The way there.
    ///
    /// # Errors
    /// When its address is none.
    pub(crate) fn http(&self) -> Result<&Http, UpstreamError> {
        match &self.unusable {
            Some(error) => Err(error.clone()),
            None => Ok(&self.http),
        }
    }

    /// Whose credentials go along to what this registry has or names.
    pub(crate) const fn signed(&self) -> Signed<'_> {
        Signed::By(&self.base)
    }

    pub(crate) fn own_registry(&self) -> &OwnRegistry {
        &self.http.own_registry
    }

    pub(crate) fn replace_host(&self) -> Option<&str> {
        self.http.npmrc.replace_registry_host()
    }

    /// A package's full packument. Asked for as npm does, and up to twice more where that helps.
    ///
    /// # Errors
    /// As the status says; [`UpstreamError::Unexpected`] when something other than a JSON object
    /// comes; [`UpstreamError::TooLarge`] beyond the limit.
    pub async fn packument(
        &self,
        name: &PackageName,
        known: &Conditional,
    ) -> Result<PackumentResponse, UpstreamError> {
        let segment = name.to_url_segment();
        let url = self
            .base
            .join(&segment)
            .map_err(|_| UpstreamError::Path { path: segment })?;
        persistently(|| self.packument_once(&url, known)).await
    }

    async fn packument_once(
        &self,
        url: &Url,
        known: &Conditional,
    ) -> Result<PackumentResponse, UpstreamError> {
        let http = self.http()?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let validators = [
            (IF_NONE_MATCH, &known.etag),
            (IF_MODIFIED_SINCE, &known.last_modified),
        ];
        for (header, value) in validators {
            if let Some(value) = value
                .as_deref()
                .and_then(|value| HeaderValue::from_str(value).ok())
            {
                headers.insert(header, value);
            }
        }
        let conditional =
            headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE);
        let answer = http
            .get(url, &headers, self.signed(), http.timeouts.document)
            .await?;
        let answer = answer.successful(conditional)?;
        if answer.response.status() == StatusCode::NOT_MODIFIED {
            return Ok(PackumentResponse::NotModified);
        }
        let header = |name: &HeaderName| {
            let value = answer.response.headers().get(name)?.to_str().ok()?;
            (value.len() <= MAX_VALIDATOR).then(|| value.to_owned())
        };
        let (etag, last_modified) = (header(&ETAG), header(&LAST_MODIFIED));
        let content_type = answer.response.headers().get(CONTENT_TYPE).cloned();
        let raw = body::read(&answer.url, answer.response, http.limits.packument).await?;
        let content_type = content_type
            .as_ref()
            .map_or(&b""[..], |value| value.as_bytes());
        if !looks_like_an_object(content_type, &raw) {
            return Err(unexpected(&answer.url, "a JSON object", content_type, &raw));
        }
        Ok(PackumentResponse::Fresh {
            raw,
            etag,
            last_modified,
        })
    }

    /// Any document under `-/`, to be handed on with its status. Not retried.
    ///
    /// # Errors
    /// [`UpstreamError::Path`] for a path that does not begin with `-/` or climbs out of it;
    /// otherwise when no answer comes or it is too large. A status is never an error here.
    pub async fn document(
        &self,
        path: &str,
        accept: Option<&str>,
    ) -> Result<Document, UpstreamError> {
        let url = self.inner_url(path, "-/")?;
        let accept = accept.and_then(|accept| HeaderValue::from_str(accept).ok());
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT,
            accept.unwrap_or_else(|| HeaderValue::from_static("application/json")),
        );
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let http = self.http()?;
        let answer = http
            .get(&url, &headers, self.signed(), http.timeouts.document)
            .await?;
        self.handed_on(answer).await
    }

    /// Sends an audit request (`-/npm/v1/security/...`) on and hands the answer back with its
    /// status. Not retried.
    ///
    /// # Errors
    /// As for [`Self::document`].
    pub async fn audit(&self, path: &str, body: Bytes) -> Result<Document, UpstreamError> {
        let url = self.inner_url(path, "-/npm/v1/security/")?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let http = self.http()?;
        let answer = http
            .post(&url, headers, body, self.signed(), http.timeouts.document)
            .await?;
        self.handed_on(answer).await
    }

    async fn handed_on(&self, answer: Answer) -> Result<Document, UpstreamError> {
        let status = answer.response.status();
        let mut headers = HeaderMap::new();
        for name in HANDED_ON {
            if let Some(value) = answer.response.headers().get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let body = body::read(&answer.url, answer.response, self.http()?.limits.document).await?;
        Ok(Document {
            status,
            headers,
            body,
        })
    }

    /// The address of a path under `below` in this registry. Refuses whatever one reader or another
    /// could take for a step upward.
    fn inner_url(&self, path: &str, below: &str) -> Result<Url, UpstreamError> {
        let refused = || UpstreamError::Path {
            path: weir_model::finding::printable(path, 200),
        };
        let inner = path.strip_prefix('/').unwrap_or(path);
        // Only the path climbs; a search text may hold anything.
        let steps = inner.split('?').next().unwrap_or(inner);
        let lower = steps.to_ascii_lowercase().replace("%2e", ".");
        let odd = lower.contains("..") || lower.contains('\\') || lower.contains("%5c");
        if odd || !inner.starts_with(below) {
            return Err(refused());
        }
        let url = self.base.join(inner).ok();
        let below = format!("{}{below}", self.base.as_str());
        url.filter(|url| url.as_str().starts_with(&below))
            .ok_or_else(refused)
    }

    /// Whether the registry answers at all. Returns the status of its `-/ping`; not every registry
    /// has one, so 404 says that it is there, too.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn ping(&self) -> Result<StatusCode, UpstreamError> {
        Ok(self.document("-/ping", None).await?.status)
    }
}

/// Longest entity tag or date kept, in bytes.
const MAX_VALIDATOR: usize = 1024;

/// Whether a body can be a packument: it begins like an object, and nobody says that it is a page.
fn looks_like_an_object(content_type: &[u8], body: &[u8]) -> bool {
    let is_page = content_type.to_ascii_lowercase().starts_with(b"text/html");
    !is_page && body.trim_ascii_start().first() == Some(&b'{')
}
