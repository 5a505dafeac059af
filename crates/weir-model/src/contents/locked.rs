//! What a package's own `npm-shrinkwrap.json` says: where npm fetches the package's dependencies from, whatever
//! their ranges and the registry say.

use serde::{Deserialize, Serialize};

/// An `npm-shrinkwrap.json` at the root of a package, or the `package-lock.json` that npm takes in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shrinkwrap {
    /// It is a `package-lock.json`, which counts only where the registry says that there is a shrinkwrap.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_lock: bool,
    /// How many packages it has an address or a version for.
    pub packages: u64,
    /// Registry releases that it names, `name@version`, each once; the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// Where those are fetched from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<LockedOrigin>,
    /// Entries that lead elsewhere than to the release they are named after; the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<LockedElsewhere>,
    /// Dependencies of the tarball's manifest whose version is not in the range that is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_of_range: Vec<OutOfRange>,
    /// Why it could not be read; then the rest is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// A host from which registry releases are fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedOrigin {
    /// Scheme and host, with the port where there is one: `https://registry.example`.
    pub origin: String,
    /// One of the releases, `name@version`.
    pub release: String,
    /// How many there are.
    pub releases: u64,
}

/// An entry that leads elsewhere than to the release it is named after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedElsewhere {
    /// The name it is installed under.
    pub name: String,
    /// Where it comes from, as written.
    pub from: String,
    /// What is there.
    pub kind: LockedKind,
}

/// What an entry leads to that is no release of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockedKind {
    /// A git repository.
    Git,
    /// A tarball at an address of its own.
    Address,
    /// The registry address of another package or of another release.
    OtherRelease,
    /// A path on the machine that installs.
    Path,
    /// Something no client would fetch.
    Unknown,
}

/// A dependency whose locked version is not in the range that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfRange {
    /// The dependency.
    pub name: String,
    /// The range.
    pub range: String,
    /// The version that is locked.
    pub version: String,
}
