//! What `weir verify --json` prints.

use schemars::JsonSchema;
use serde::Serialize;

use super::v1::{CheckFinding, CheckedLockfile};
use crate::Trust;

/// Name of the schema.
pub const VERIFY: &str = "weir.verify/v1";

/// One object per run, as `weir verify --json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Verify {
    /// Always [`VERIFY`].
    pub schema: &'static str,
    /// The lockfiles that were read.
    pub lockfiles: Vec<CheckedLockfile>,
    /// How many releases stand where.
    pub counts: VerifyCounts,
    /// Every release of a registry that is locked, by name and version.
    pub releases: Vec<VerifiedRelease>,
    /// What was found, at its line.
    pub findings: Vec<CheckFinding>,
}

/// How many releases stand where. One that failed counts as nothing else.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifyCounts {
    /// With a registry signature that holds.
    pub signed: usize,
    /// With provenance that holds, too.
    pub provenance: usize,
    /// Without a signature, of a registry that signs.
    pub missing: usize,
    /// With a signature or attestation that does not hold.
    pub failed: usize,
    /// Whose provenance is not what it was.
    pub changed: usize,
    /// Of registries that sign nothing.
    pub unsigned: usize,
    /// That could not be checked.
    pub unchecked: usize,
    /// That break an expectation of the policy.
    pub unexpected: usize,
    /// Of the signed ones those whose digest in the lockfile nobody can compare: yarn's are of its own archives.
    pub not_comparable: usize,
}

/// A release and how far it can be traced.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerifiedRelease {
    /// The package.
    pub name: String,
    /// The version.
    pub version: String,
    /// What was found about it.
    #[serde(flatten)]
    pub trust: Trust,
}
