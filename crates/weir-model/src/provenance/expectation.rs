//! What an operator expects of a release's origin, and how a release breaks it.

use serde::{Deserialize, Serialize};

/// What an expectation is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// How much there is to go by: signature, provenance, trusted publisher.
    Evidence,
    /// The platform that vouches for the build.
    Issuer,
    /// The repository it was built from.
    Repository,
    /// The workflow that built it.
    Workflow,
    /// The branch or tag that was built.
    Reference,
    /// What started the build.
    Trigger,
    /// The kind of machine.
    Runner,
    /// The deployment environment.
    Environment,
}

impl Expected {
    /// One word for it, as tables show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Issuer => "issuer",
            Self::Repository => "repository",
            Self::Workflow => "workflow",
            Self::Reference => "ref",
            Self::Trigger => "trigger",
            Self::Runner => "runner",
            Self::Environment => "environment",
        }
    }
}

/// One expectation that a release breaks, with both values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Breach {
    /// What it is about.
    pub what: Expected,
    /// What the policy expects.
    pub expected: String,
    /// What there is.
    pub found: String,
    /// The pattern of packages that the expectation is for.
    pub package: String,
    /// Whether it is enough by itself to refuse the release.
    pub decisive: bool,
}
