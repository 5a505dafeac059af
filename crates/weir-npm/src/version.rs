//! Versions and ranges with node-semver's meaning.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use deno_semver::VersionReq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest version node-semver reads, in characters.
pub const MAX_LENGTH: usize = 256;
/// Largest version component node-semver reads: 2^53 - 1.
const MAX_COMPONENT: u64 = (1 << 53) - 1;
/// Longest range we read, in bytes. node-semver has no limit; ranges parse in linear time, and the
/// longest real ones hold a few hundred bytes (CRATES section 9).
pub const MAX_RANGE_LENGTH: usize = 16 * 1024;

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
    raw: Box<str>,
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
        let inner =
            deno_semver::Version::parse_from_npm(text).map_err(|_| VersionError::NotAVersion)?;
        if [inner.major, inner.minor, inner.patch]
            .iter()
            .any(|part| *part > MAX_COMPONENT)
        {
            return Err(VersionError::NotAVersion);
        }
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

/// What a dependency asks of a version: a semver range, or the name of a tag.
#[derive(Clone)]
pub struct Range {
    raw: Box<str>,
    inner: VersionReq,
    /// An alternative is empty (`1 ||`), which admits every release; the library drops it.
    has_empty_alternative: bool,
}

impl Range {
    /// Reads a range as npm does; a word that is no range is a tag. Empty text means any version.
    ///
    /// # Errors
    /// [`VersionError::TooLong`] beyond [`MAX_RANGE_LENGTH`], [`VersionError::NotARange`] for text that
    /// is neither.
    pub fn parse_from_npm(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_RANGE_LENGTH {
            return Err(VersionError::TooLong);
        }
        // The library adds one to a component to find an upper bound; this one would overflow.
        if text.contains("18446744073709551615") {
            return Err(VersionError::NotARange);
        }
        let inner = VersionReq::parse_from_npm(text).map_err(|_| VersionError::NotARange)?;
        let has_empty_alternative = text
            .split("||")
            .any(|alternative| alternative.trim().is_empty());
        Ok(Self {
            raw: text.into(),
            inner,
            has_empty_alternative,
        })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// Whether it names a tag rather than versions.
    #[must_use]
    pub fn is_tag(&self) -> bool {
        self.inner.tag().is_some()
    }

    /// The tag it names, if it does.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.inner.tag()
    }

    /// Whether a version is in the range, by node-semver's default options: a prerelease only matches
    /// a comparator with a prerelease of the same three numbers. A tag matches no version.
    #[must_use]
    pub fn matches(&self, version: &Version) -> bool {
        if self.has_empty_alternative && !version.is_prerelease() {
            return true;
        }
        // The library panics when a tag is asked.
        self.inner
            .range()
            .is_some_and(|range| range.satisfies(&version.inner))
    }
}

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl Eq for Range {}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.raw, f)
    }
}

/// The highest version in the range, by semver.
#[must_use]
pub fn satisfying_max<'v>(range: &Range, versions: &'v [Version]) -> Option<&'v Version> {
    versions
        .iter()
        .filter(|version| range.matches(version))
        .max()
}

#[cfg(test)]
mod tests;
