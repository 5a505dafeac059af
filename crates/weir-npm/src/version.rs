//! Versions and ranges with node-semver's meaning.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use ecow::EcoString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest version node-semver reads, in characters.
pub const MAX_LENGTH: usize = 256;
/// Largest version component node-semver reads: 2^53 - 1.
const MAX_COMPONENT: u64 = (1 << 53) - 1;
/// Longest range we read, in bytes. node-semver has no limit; ranges parse in linear time, but hostile
/// ones deserve a cap (CRATES section 9), and real ones hold a few hundred bytes at most.
pub const MAX_RANGE_LENGTH: usize = 16 * 1024;

mod range;

pub use range::{Range, join_ranges, satisfying_max};

/// Why a text is not a version or a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Longer than [`MAX_LENGTH`] or [`MAX_RANGE_LENGTH`].
    #[error("too long to be a version or range")]
    TooLong,
    /// Not a version, not even by npm's lenient reading.
    #[error("not a version")]
    NotAVersion,
    /// Neither a range nor a tag.
    #[error("neither a version range nor a tag")]
    NotARange,
}

/// A version as npm's lenient parser reads it (`v1.2.3` and `1.2.3beta` are versions), with its text.
///
/// Ordered by semver precedence; versions of equal precedence (they differ in build metadata or
/// spelling) are ordered by their text, so that order and equality agree.
#[derive(Clone)]
pub struct Version {
    /// Most versions fit where they need no allocation: a history is read over and over.
    raw: EcoString,
    inner: deno_semver::Version,
}

impl Version {
    /// Reads a version.
    ///
    /// # Errors
    /// [`VersionError::TooLong`] beyond 256 characters, [`VersionError::NotAVersion`] otherwise.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_LENGTH {
            return Err(VersionError::TooLong);
        }
        let inner = match plain(text) {
            Some(inner) => inner,
            None => by_grammar(text)?,
        };
        Ok(Self {
            raw: text.into(),
            inner,
        })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// Whether it has a prerelease part (`1.0.0-rc.1`).
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.inner.pre.is_empty()
    }

    /// The major number.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.inner.major
    }

    /// The minor number.
    #[must_use]
    pub fn minor(&self) -> u64 {
        self.inner.minor
    }

    /// The patch number.
    #[must_use]
    pub fn patch(&self) -> u64 {
        self.inner.patch
    }

    /// Semver precedence alone: build metadata and spelling do not count.
    #[must_use]
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.inner.cmp(&other.inner)
    }

    /// The canonical spelling without build metadata, as node-semver's `version` property.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = self.inner.to_string();
        if let Some(at) = text.find('+') {
            text.truncate(at);
        }
        text
    }
}

/// Any version that npm's lenient parser reads.
fn by_grammar(text: &str) -> Result<deno_semver::Version, VersionError> {
    let mut version = deno_semver::Version::parse_from_npm(text)
        .or_else(|error| {
            let text = with_bare_hyphen(text).ok_or(error)?;
            deno_semver::Version::parse_from_npm(&text)
        })
        .map_err(|_| VersionError::NotAVersion)?;
    // Numbers are compared and shown without zeros before them.
    if version.pre.iter().any(|it| has_leading_zero(it)) {
        for identifier in version.pre.make_mut() {
            if has_leading_zero(identifier) {
                let bare = identifier.trim_start_matches('0');
                *identifier = if bare.is_empty() { "0" } else { bare }.into();
            }
        }
    }
    let numbers = [version.major, version.minor, version.patch];
    if numbers.iter().any(|part| *part > MAX_COMPONENT) {
        return Err(VersionError::NotAVersion);
    }
    Ok(version)
}

/// The two forms that nearly all versions have, `1.22.333` and `1.22.333-rc.4`, read without a grammar: every version
/// of a history is read for every release that is judged.
fn plain(text: &str) -> Option<deno_semver::Version> {
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (text, None),
    };
    let mut parts = numbers.split('.');
    let mut next = || number(parts.next()?);
    let (major, minor, patch) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return None;
    }
    let pre = match pre {
        Some(pre) => pre.split('.').map(identifier).collect::<Option<_>>()?,
        None => Default::default(),
    };
    Some(deno_semver::Version {
        major,
        minor,
        patch,
        pre,
        build: Default::default(),
    })
}

/// A component without zeros before it. Fifteen digits stay below [`MAX_COMPONENT`].
fn number(text: &str) -> Option<u64> {
    let is_plain = (1..=15).contains(&text.len()) && (text.len() == 1 || !text.starts_with('0'));
    let digits = || text.bytes().map(|byte| byte.wrapping_sub(b'0'));
    let all = is_plain && digits().all(|digit| digit < 10);
    all.then(|| digits().fold(0, |sum, digit| sum * 10 + u64::from(digit)))
}

/// An identifier of a prerelease that stands for itself.
fn identifier(text: &str) -> Option<deno_semver::VersionPreOrBuild> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_plain = !text.is_empty() && text.bytes().all(fits) && !has_leading_zero(text);
    is_plain.then(|| text.into())
}

fn has_leading_zero(identifier: &str) -> bool {
    let is_number = identifier.bytes().all(|byte| byte.is_ascii_digit());
    is_number && identifier.len() > 1 && identifier.starts_with('0')
}

/// `1.2.3-` and `1.2.3-.a` in a form that is read as node-semver reads them: the hyphen before a prerelease
/// may be missing, and so one that nothing follows is the prerelease itself.
fn with_bare_hyphen(text: &str) -> Option<String> {
    let at = text.find('-')?;
    let (before, rest) = text.split_at(at);
    let bare = matches!(rest.as_bytes().get(1), None | Some(b'.' | b'+'));
    bare.then(|| format!("{before}-{rest}"))
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other)
            .then_with(|| self.raw.cmp(&other.raw))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.raw, f)
    }
}

impl std::str::FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.raw)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
