//! Packuments: the document a registry serves for a package.
//!
//! A [`Packument`] keeps the bytes as they came and an index of byte ranges into them. Versions are parsed
//! when asked for; rendering copies runs of bytes between edits (CRATES section 5).

mod index;
mod manifest;
mod render;
mod retag;

use std::ops::Range as ByteRange;

use bytes::Bytes;
use jiff::Timestamp;

use crate::json;
use crate::name::PackageName;
use index::{Index, Span};

pub use manifest::{
    Attestations, Dist, Person, Publication, Publisher, Signature, VersionManifest,
};
pub use render::{Form, Plan, Rendered, SkipReason, Skipped, Treatment, render, render_version};
pub use retag::retag;

/// Why bytes are not the packument that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackumentError {
    /// More than 4 GiB: positions are kept in 32 bits.
    #[error("the packument is too large")]
    TooLarge,
    /// More versions than any package has.
    #[error("the packument has more than {0} versions")]
    TooManyVersions(usize),
    /// Not UTF-8.
    #[error("the packument is not UTF-8")]
    NotUtf8,
    /// A page instead of a document, typically from a proxy or a login wall.
    #[error("the registry answered with a page instead of a packument")]
    Html,
    /// Not JSON, or cut short.
    #[error("the packument is not JSON: {0}")]
    NotJson(String),
    /// Nested deeper than clients' parsers go.
    #[error("the packument is nested too deeply")]
    TooDeep,
    /// JSON, but not an object, or an object without name and versions.
    #[error("the answer is not a packument")]
    NotAPackument,
    /// The same key twice in one object: readers would disagree on which one counts.
    #[error("the packument has the key {0:?} twice in one object")]
    DuplicateKey(String),
    /// A packument of another package.
    #[error("asked for {asked}, got the packument of {got:?}")]
    WrongName {
        /// The package that was asked for.
        asked: PackageName,
        /// What the document says it is.
        got: String,
    },
    /// A part of it does not have the type every client relies on.
    #[error("{0} of the packument is not what clients expect there")]
    WrongType(&'static str),
    /// One version's manifest cannot be read.
    #[error("version {version} cannot be read: {reason}")]
    BadVersion {
        /// The key in `versions`.
        version: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// One member of `versions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionEntry {
    /// The key, unescaped. A version, unless [`Self::problem`] says otherwise.
    pub version: String,
    key: Span,
    value: Span,
    tarball: Span,
    deprecated: Span,
    publication: PublicationSpans,
    published: Option<Timestamp>,
    problem: Option<SkipReason>,
}

/// Where a version says who published it, how, and from where: see [`Publication`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct PublicationSpans {
    npm_user: Span,
    attestations: Span,
    maintainers: Span,
    git_head: Span,
    npm_version: Span,
    node_version: Span,
}

impl VersionEntry {
    fn new(version: String, key: Span) -> Self {
        Self {
            version,
            key,
            value: 0..0,
            tarball: 0..0,
            deprecated: 0..0,
            publication: PublicationSpans::default(),
            published: None,
            problem: None,
        }
    }

    /// Where its value lies in [`Packument::raw`], in bytes.
    #[must_use]
    pub fn range(&self) -> ByteRange<usize> {
        usize_range(&self.value)
    }

    /// When it was published, if `time` says so in a form that clients can read.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        self.published
    }

    /// Why it is never rendered, if it is broken.
    #[must_use]
    pub fn problem(&self) -> Option<SkipReason> {
        self.problem
    }
}

fn usize_range(span: &Span) -> ByteRange<usize> {
    // Widening on every platform with an operating system.
    span.start as usize..span.end as usize
}

/// A packument: the bytes as they came, and an index. Meant to be shared in an `Arc`.
#[derive(Debug)]
pub struct Packument {
    name: PackageName,
    raw: Bytes,
    index: Index,
}

impl Packument {
    /// Reads the packument of `name` in one pass. Versions are only looked into for their tarball, their
    /// deprecation and their own idea of their version.
    ///
    /// # Errors
    /// [`PackumentError`] when the bytes are not the packument of that package, or are one that different
    /// readers would read differently. A single broken version is no error; see
    /// [`VersionEntry::problem`].
    pub fn parse(name: &PackageName, raw: Bytes) -> Result<Self, PackumentError> {
        let raw = if raw.starts_with(BYTE_ORDER_MARK) {
            raw.slice(BYTE_ORDER_MARK.len()..)
        } else {
            raw
        };
        if u32::try_from(raw.len()).is_err() {
            return Err(PackumentError::TooLarge);
        }
        let text = std::str::from_utf8(&raw).map_err(|_| PackumentError::NotUtf8)?;
        match text
            .as_bytes()
            .get(json::skip_whitespace(text.as_bytes(), 0))
        {
            Some(b'<') => return Err(PackumentError::Html),
            Some(b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => {
                return Err(PackumentError::NotAPackument);
            }
            _ => {}
        }
        let index = index::read(text)?;
        match index.name.as_ref().or(index.id.as_ref()) {
            Some(got) if got != name.as_str() => {
                return Err(PackumentError::WrongName {
                    asked: name.clone(),
                    got: got.clone(),
                });
            }
            None if !index.has_versions => return Err(PackumentError::NotAPackument),
            _ => {}
        }
        Ok(Self {
            name: name.clone(),
            raw,
            index,
        })
    }

    /// The package.
    #[must_use]
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// The bytes as they came, without a byte order mark.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The versions, in document order.
    #[must_use]
    pub fn versions(&self) -> &[VersionEntry] {
        &self.index.entries
    }

    /// One version's entry.
    #[must_use]
    pub fn entry(&self, version: &str) -> Option<&VersionEntry> {
        let at = index::find(&self.index.entries, &self.index.order, version)?;
        self.index.entries.get(at as usize)
    }

    /// Whether `versions` has this key.
    #[must_use]
    pub fn has(&self, version: &str) -> bool {
        self.entry(version).is_some()
    }

    /// One version's value as it came.
    #[must_use]
    pub fn version_raw(&self, version: &str) -> Option<&str> {
        Some(self.text(&self.entry(version)?.value))
    }

    /// Parses one version. A missing or malformed `dist` leaves its fields empty.
    ///
    /// # Errors
    /// Inside the option: [`PackumentError::BadVersion`] when its value is not a manifest.
    #[must_use]
    pub fn manifest(&self, version: &str) -> Option<Result<VersionManifest, PackumentError>> {
        let parsed = VersionManifest::from_json(self.version_raw(version)?);
        Some(parsed.map_err(|error| PackumentError::BadVersion {
            version: version.to_owned(),
            reason: error.to_string(),
        }))
    }

    /// The same with nothing but some fields, see [`VersionManifest::fields_from_json`]. Nothing if there is no such
    /// version or its value is not a manifest.
    #[must_use]
    pub fn manifest_fields(&self, version: &str, fields: &[&str]) -> Option<VersionManifest> {
        VersionManifest::fields_from_json(self.version_raw(version)?, fields).ok()
    }

    /// Who published one version, how, and from where. Nothing if there is no such version or its
    /// value is not an object.
    #[must_use]
    pub fn publication(&self, version: &str) -> Option<Publication> {
        let entry = self.entry(version)?;
        if entry.problem == Some(SkipReason::NotAnObject) {
            return None;
        }
        let spans = &entry.publication;
        Some(Publication::from_parts(manifest::PublicationParts {
            npm_user: self.text(&spans.npm_user),
            attestations: self.text(&spans.attestations),
            maintainers: self.text(&spans.maintainers),
            git_head: self.text(&spans.git_head),
            npm_version: self.text(&spans.npm_version),
            node_version: self.text(&spans.node_version),
        }))
    }

    /// `_npmUser` of one of its versions as it is written; empty where it has none.
    #[must_use]
    pub fn publisher_raw(&self, entry: &VersionEntry) -> &str {
        self.text(&entry.publication.npm_user)
    }

    /// When a version was published, if `time` says so in a form that clients can read.
    #[must_use]
    pub fn published(&self, version: &str) -> Option<Timestamp> {
        self.entry(version)?.published
    }

    /// Versions that `time` names and `versions` does not: they were taken back. With their publish
    /// times, where those can be read.
    #[must_use]
    pub fn removed(&self) -> Vec<(String, Option<Timestamp>)> {
        let times = self.index.times.iter();
        times
            .filter(|member| member.entry.is_none())
            .filter_map(|member| {
                let key = json::key_text(self.text(&member.key));
                let stated = json::string(self.text(&member.value));
                let time = stated.and_then(|text| crate::time::parse(&text));
                crate::version::Version::parse(&key).ok()?;
                Some((key.into_owned(), time))
            })
            .collect()
    }

    /// When the package was created: `time.created`, or else its earliest version.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.index.created.or_else(|| {
            self.versions()
                .iter()
                .filter_map(|entry| entry.published)
                .min()
        })
    }

    /// When it was last changed: `time.modified`, or else the top-level `modified`.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.index.time_modified.or(self.index.modified)
    }

    /// Whether any version has no publish time that clients can read (PROTOCOL 3.2).
    #[must_use]
    pub fn time_is_partial(&self) -> bool {
        self.versions()
            .iter()
            .any(|entry| entry.published.is_none())
    }

    /// Whether the registry says that the package was unpublished (`time.unpublished`).
    #[must_use]
    pub fn is_unpublished(&self) -> bool {
        self.index.unpublished
    }

    /// Whether a version is deprecated upstream.
    #[must_use]
    pub fn is_deprecated(&self, version: &str) -> bool {
        self.entry(version)
            .is_some_and(|entry| self.entry_is_deprecated(entry))
    }

    fn entry_is_deprecated(&self, entry: &VersionEntry) -> bool {
        !entry.deprecated.is_empty()
            && manifest::deprecation(self.text(&entry.deprecated)).is_some()
    }

    /// `dist-tags`, in document order.
    #[must_use]
    pub fn dist_tags(&self) -> &[(String, String)] {
        &self.index.dist_tags
    }

    /// The version a tag names. It need not exist.
    #[must_use]
    pub fn tag(&self, tag: &str) -> Option<&str> {
        self.dist_tags()
            .iter()
            .find(|(name, _)| name == tag)
            .map(|(_, version)| version.as_str())
    }

    /// `maintainers`: who may publish.
    #[must_use]
    pub fn maintainers(&self) -> &[Person] {
        &self.index.maintainers
    }

    /// The versions by publish time, oldest first; those without a time last, in document order.
    #[must_use]
    pub fn by_publish_time(&self) -> Vec<&str> {
        let mut entries: Vec<&VersionEntry> = self.versions().iter().collect();
        entries.sort_by_key(|entry| (entry.published.is_none(), entry.published));
        entries
            .into_iter()
            .map(|entry| entry.version.as_str())
            .collect()
    }

    /// The version that a tarball file name belongs to: the conventional reading if there is such a
    /// version, because that is how rendered documents name tarballs; otherwise the version whose
    /// `dist.tarball` upstream ends in that file name.
    #[must_use]
    pub fn version_of_tarball_file(&self, file: &str) -> Option<&str> {
        if let Some(version) = tarball_version(&self.name, file)
            && let Some(entry) = self.entry(&version)
        {
            return Some(&entry.version);
        }
        let file = file.rsplit('/').next().filter(|file| !file.is_empty())?;
        let entry = self.versions().iter().find(|entry| {
            let url = json::string(self.text(&entry.tarball));
            url.is_some_and(|url| file_of_url(&url) == file)
        });
        entry.map(|entry| entry.version.as_str())
    }

    /// The addresses under which upstream's tarballs live: everything before `/name/-/` in `dist.tarball`
    /// of `latest` and of the last version in the document, with a trailing slash. They show the address a
    /// registry gives itself, which is the one that lockfiles record (PROTOCOL 3.7).
    #[must_use]
    pub fn public_hosts(&self) -> Vec<String> {
        let latest = self.tag("latest").and_then(|version| self.entry(version));
        let mut hosts = Vec::with_capacity(1);
        for entry in latest.into_iter().chain(self.versions().last()) {
            let url = json::string(self.text(&entry.tarball));
            if let Some(host) = url.and_then(|url| self.host_of_tarball(&url))
                && !hosts.contains(&host)
            {
                hosts.push(host);
            }
        }
        hosts
    }

    /// Where upstream's tarballs are, each by the path (`name/-/base-version.tgz`) that rendered documents give it:
    /// for registries whose addresses have a form of their own. Addresses that no client should write down, with
    /// credentials or of another scheme, are left out.
    pub fn tarball_addresses(&self) -> impl Iterator<Item = (String, String)> {
        self.versions().iter().filter_map(|entry| {
            let address = json::string(self.text(&entry.tarball))?.into_owned();
            let parsed = url::Url::parse(&address).ok()?;
            let is_plain = parsed.username().is_empty() && parsed.password().is_none();
            let is_web = is_plain && matches!(parsed.scheme(), "http" | "https");
            let base = self.name.base();
            is_web.then(|| {
                (
                    format!("{}/-/{base}-{}.tgz", self.name, entry.version),
                    address,
                )
            })
        })
    }

    fn host_of_tarball(&self, url: &str) -> Option<String> {
        let (before, _) = url.split_once("/-/")?;
        let encoded = self.name.to_url_segment();
        let written = [self.name.as_str(), &encoded, &encoded.replace("%2f", "%2F")];
        let prefix = written.iter().find_map(|name| before.strip_suffix(name))?;
        let parsed = url::Url::parse(prefix).ok().filter(url::Url::has_host)?;
        let plain = parsed.username().is_empty() && parsed.password().is_none();
        (plain && prefix.ends_with('/') && matches!(parsed.scheme(), "http" | "https"))
            .then(|| prefix.to_owned())
    }

    /// A part of the document; empty for an empty span.
    fn text(&self, span: &Span) -> &str {
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    fn bytes(&self, span: &Span) -> &[u8] {
        self.raw.get(usize_range(span)).unwrap_or_default()
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The last path segment of a URL.
fn file_of_url(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

/// The version in a conventional tarball file name: `1.0.0` of `n-1.0.0.tgz`, for `n` and `@s/n`. Whether
/// the version exists is another question.
#[must_use]
pub fn tarball_version(name: &PackageName, file: &str) -> Option<String> {
    // Some registries keep the scope in the file name: `@s/n-1.0.0.tgz`.
    let file = match name.scope() {
        Some(scope) => file
            .strip_prefix('@')
            .and_then(|rest| rest.strip_prefix(scope))
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(file),
        None => file,
    };
    let version = file
        .strip_prefix(name.base())?
        .strip_prefix('-')?
        .strip_suffix(".tgz")?;
    index::is_version_key(version).then(|| version.to_owned())
}

#[cfg(test)]
mod tests;
