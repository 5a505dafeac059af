//! Version 1 of what `weir audit` and `weir advisories` say in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::v1::{CheckFinding, CheckedLockfile};
use crate::advisory::{AdvisoryKind, Cvss, FeedSays, FlawSeverity};

/// Name of the schema of feeds.
pub const FEEDS: &str = "weir.feeds/v1";

/// One object, as `weir advisories list --json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Feeds {
    /// Always [`FEEDS`].
    pub schema: &'static str,
    /// The feeds, by name.
    pub feeds: Vec<AdvisoryFeed>,
}

/// A feed of advisories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AdvisoryFeed {
    /// Its name.
    pub name: String,
    /// Where it is read from.
    pub source: String,
    /// When it was last read (RFC 3339), where that is known.
    pub read: Option<String>,
    /// Records about npm packages that are in force.
    pub in_force: u64,
    /// Records that were withdrawn by their authors.
    pub withdrawn: u64,
    /// Files of it, or parts of them, that could not be used.
    pub skipped: u64,
}

/// Name of the audit schema.
pub const AUDIT: &str = "weir.audit/v1";

/// One object per run, as `weir audit --json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Audit {
    /// Always [`AUDIT`].
    pub schema: &'static str,
    /// The lockfiles that were read.
    pub lockfiles: Vec<CheckedLockfile>,
    /// The feeds that were asked.
    pub feeds: Vec<AdvisoryFeed>,
    /// How many findings there are.
    pub counts: AuditCounts,
    /// What is told of the locked releases, the worst first: malware, then flaws by severity.
    pub findings: Vec<AuditFinding>,
    /// What could not be audited, and why, at its line.
    pub unchecked: Vec<CheckFinding>,
    /// Packages about which the default registry was not asked, because their names are yours (`names.own`,
    /// `names.internal`). Which versions there are is not known of them.
    pub withheld: usize,
}

/// How many findings there are, by severity. Malware is counted apart, and in none of the others.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditCounts {
    /// Malware.
    pub malware: usize,
    /// Flaws of severity critical.
    pub critical: usize,
    /// Flaws of severity high.
    pub high: usize,
    /// Flaws of severity moderate.
    pub moderate: usize,
    /// Flaws of severity low.
    pub low: usize,
    /// Flaws of severity info.
    pub info: usize,
    /// Flaws whose severity nobody states.
    pub unstated: usize,
    /// Findings, of any kind, whose ranges cannot be read: whether they apply is not known.
    pub unclear: usize,
    /// Flaws below the threshold that was asked for, which are counted above, too.
    pub below_threshold: usize,
}

/// A flaw, or malware, in one locked package.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditFinding {
    /// The id it is best known by.
    pub id: String,
    /// Whether it is malware or a flaw.
    pub kind: AdvisoryKind,
    /// All other ids of it.
    pub aliases: Vec<String>,
    /// One line about it.
    pub title: String,
    /// How bad it is; null where nobody says.
    pub severity: Option<FlawSeverity>,
    /// The highest CVSS score, with its vector.
    pub cvss: Option<Cvss>,
    /// Weaknesses it is an example of (`CWE-…`).
    pub weaknesses: Vec<String>,
    /// Where to read on.
    pub url: String,
    /// The package.
    pub package: String,
    /// The affected versions, as a range of npm's (with all prereleases).
    pub vulnerable: String,
    /// Whether the locked versions are certainly affected; else the advisory's ranges cannot be read.
    pub certain: bool,
    /// Whether it is below the threshold that was asked for.
    pub below_threshold: bool,
    /// What each feed says of the locked versions.
    pub says: Vec<FeedSays>,
    /// Where it is locked.
    pub locked: Vec<AuditedRelease>,
}

/// An affected release in a lockfile.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuditedRelease {
    /// The lockfile.
    pub file: String,
    /// The line in it, from one.
    pub line: u32,
    /// The locked version.
    pub version: String,
    /// What it is needed for.
    pub need: Need,
    /// A shortest way to it through each direct dependency that brings it in.
    pub paths: Vec<AuditPath>,
    /// Direct dependencies that bring it in, too, and are not listed.
    pub more_paths: usize,
    /// Versions that are a way out, the nearest first: later releases; where there are none the nearest
    /// earlier one; else prereleases. None of them is affected by any advisory known.
    pub fixes: Vec<AuditFix>,
    /// Versions that are not known to be affected, where no record states a fix: no way out is certain.
    pub unconfirmed: Vec<String>,
    /// What to change.
    pub changes: Vec<AuditChange>,
}

/// What a release is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// The project cannot run without it.
    Production,
    /// It may be left out, as on other platforms.
    Optional,
    /// Development only.
    Development,
}

/// A way from a project to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditPath {
    /// The project's folder; empty for the root.
    pub project: String,
    /// `name@version` of everything on the way, the direct dependency first, the release last.
    pub through: Vec<String>,
}

/// A version that is a way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditFix {
    /// The version.
    pub version: String,
    /// Whether the registry has it; null where its packument is not at hand.
    pub published: Option<bool>,
    /// Whether it leaves the range `^locked`, as every lower version does.
    pub breaking: bool,
    /// Whether it is lower than the locked one: no later one is known to be free of what is known.
    pub lower: bool,
    /// Whether it is a prerelease.
    pub prerelease: bool,
    /// The last affected version that a record states, where this one only lies past that.
    pub last_affected: Option<String>,
    /// Whether it is called fixed: every record of what affects the locked one states a fix up to it.
    pub fixed: bool,
    /// Why it is not called fixed, although nothing affects it.
    pub not_fixed: Option<String>,
}

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuditChangeKind {
    /// All ranges on the way admit a fixed version: only the lockfile is behind.
    Refresh,
    /// Raise the range of a direct dependency.
    Raise,
    /// A package on the way insists on an affected version, and so do its later ones: override it.
    Override,
    /// It is not known what ranges on the way admit.
    Unknown,
    /// There is no fixed version: replace or remove it.
    Remove,
}

/// What to change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct AuditChange {
    /// What kind of change.
    pub kind: AuditChangeKind,
    /// The project's folder; empty for the root.
    pub project: String,
    /// The package to be changed: the affected one, or one that brings it in.
    pub package: String,
    /// Its range, or its locked version, now.
    pub from: Option<String>,
    /// What it should be.
    pub to: Option<String>,
    /// Whether that leaves the range `^locked`.
    pub breaking: bool,
    /// The same as a sentence.
    pub what: String,
}
