//! What `weir why --json` prints.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Decision;

/// Name of the schema.
pub const WHY: &str = "weir.why/v1";

/// One object per run, as `weir why --json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Why {
    /// Always [`WHY`].
    pub schema: &'static str,
    /// What was asked for: a name, or a name and a version or range.
    pub asked: String,
    /// The lockfiles that were read, and what was found in each.
    pub lockfiles: Vec<WhyLockfile>,
}

/// What a lockfile holds of what was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhyLockfile {
    /// The file.
    pub file: String,
    /// The client that wrote it.
    pub client: &'static str,
    /// The releases that answer, each with the ways to it.
    pub found: Vec<WhyRelease>,
}

/// A locked release and the ways that lead to it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhyRelease {
    /// The package.
    pub name: String,
    /// The version, where the lockfile says.
    pub version: Option<String>,
    /// Ways from a project to it, shortest first. None where no project leads to it.
    pub paths: Vec<Vec<WhyStep>>,
    /// Whether there are more ways than are told.
    pub more: bool,
}

/// One step of a way: a package that the one before depends on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WhyStep {
    /// The package.
    pub name: String,
    /// The version, where the lockfile says.
    pub version: Option<String>,
    /// What the one before asks for; absent for a project.
    pub spec: Option<String>,
    /// In which of its lists: `dependencies`, `devDependencies`, …; absent for a project.
    pub list: Option<&'static str>,
    /// The folder of a project, empty for the root's; absent for everything else.
    pub folder: Option<String>,
    /// What is known of the release; absent for a project, and for what comes from no registry.
    pub release: Option<WhyKnown>,
    /// Since when the one before depends on it, as far as its packument tells.
    pub since: Option<WhySince>,
}

/// What is known of a release.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct WhyKnown {
    /// When it was published, where the registry says (RFC 3339).
    pub published: Option<String>,
    /// When its package had its first release (RFC 3339).
    pub package_since: Option<String>,
    /// When this weir first decided on it or served it (RFC 3339).
    pub first_seen: Option<String>,
    /// What was decided, if it was, under the rules in force.
    pub decision: Option<Decision>,
    /// Why there is less than there could be.
    pub unknown: Option<String>,
}

/// The first of the releases in a row that have a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhySince {
    /// Its version.
    pub version: String,
    /// When it was published, where the registry says (RFC 3339).
    pub published: Option<String>,
    /// The version before it, which had it not; absent where all earlier ones have it.
    pub after: Option<String>,
    /// Whether the step between the two was no more than a patch.
    pub patch: bool,
}
