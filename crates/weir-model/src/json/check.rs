//! Version 1 of what `weir check` says.

use schemars::JsonSchema;
use serde::Serialize;

/// Name of the check schema.
pub const CHECK: &str = "weir.check/v1";

/// One object per run, as `weir check --json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Check {
    /// Always [`CHECK`].
    pub schema: &'static str,
    /// The lockfiles that were read, as they were given or found.
    pub lockfiles: Vec<CheckedLockfile>,
    /// What was found, in the order of the files. With `--base`, what was not found before the change.
    pub findings: Vec<CheckFinding>,
    /// What a change brings in; absent without `--base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<CheckChanges>,
}

/// What is locked now and was not, and the other way round.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckChanges {
    /// What it is compared with, as it was named.
    pub base: String,
    /// The id of that commit.
    pub commit: String,
    /// The packages, in the order of the files.
    pub packages: Vec<ChangedPackage>,
}

/// How a package changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// Its versions are others.
    Updated,
    /// A version is the same, and its digest or its source is not.
    Replaced,
}

/// A package that changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedPackage {
    /// The lockfile.
    pub file: String,
    /// The line of its first entry that is new; 1 for what is not there any more.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// How it changed.
    pub kind: ChangeKind,
    /// Versions that are not locked any more, or the place of what was replaced.
    pub before: Vec<String>,
    /// Versions that were not locked before, or the place of what replaced it.
    pub after: Vec<String>,
    /// What is known of the new ones.
    pub releases: Vec<ChangedRelease>,
    /// Why it is there: names from the project to it.
    pub path: Vec<String>,
}

/// A release that a change brings in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedRelease {
    /// Its version.
    pub version: String,
    /// What a gateway with this policy makes of it; absent if that is not known.
    pub decision: Option<crate::Decision>,
    /// The version its behaviour was compared with; absent if it was not.
    pub compared_with: Option<String>,
    /// What it does that the other did not, one sentence each.
    pub behaviour: Vec<String>,
    /// What is not known, and why.
    pub unknown: Vec<String>,
}

/// How many digests in a lockfile are those that the registries give.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedDigests {
    /// They are.
    pub same: usize,
    /// They are not, or the registry has no such release.
    pub different: usize,
    /// It is not known.
    pub not_compared: usize,
    /// Why it is not known; absent if it is of all.
    pub why: Option<String>,
}

/// A lockfile that was read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedLockfile {
    /// Its path.
    pub file: String,
    /// The client that wrote it.
    pub client: &'static str,
    /// The version of its format.
    pub version: String,
    /// How many packages from elsewhere it locks.
    pub packages: usize,
    /// Its digests beside those of the registries; absent where that is not what was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digests: Option<ComparedDigests>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckLevel {
    /// Good to know.
    Note,
    /// Should be put right.
    Warning,
    /// Must be put right: the exit code says so.
    Error,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckFinding {
    /// The rule's id.
    pub rule: &'static str,
    /// How much it matters.
    pub level: CheckLevel,
    /// The file.
    pub file: String,
    /// The line in it, from one.
    pub line: u32,
    /// The package it is about, if it is about one.
    pub package: Option<String>,
    /// What is so.
    pub what: String,
    /// What to do.
    pub todo: &'static str,
    /// Why the package is there: names from the project to it.
    pub path: Vec<String>,
}
