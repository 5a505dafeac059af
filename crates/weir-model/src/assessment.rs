//! All findings on a release, and whether everything could be looked at.

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Group};

/// Which release is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReleaseId {
    /// Package name, e.g. `@scope/name`. For a folder or tarball: what its `package.json` says.
    pub name: String,
    /// Version, e.g. `1.2.3`.
    pub version: String,
    /// Subresource-integrity string of the tarball; absent for a folder.
    pub integrity: Option<String>,
}

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// What [`Incomplete::what`] says where the registry leaves out who published a release. Some do so for
/// all their packages, which is why a policy can tell this gap from others.
pub const PUBLISHER: &str = "publisher";

/// What [`Incomplete::what`] says where the registry gives no integrity: the tarball could be anything,
/// and whatever was seen of it says nothing of the next download.
pub const INTEGRITY: &str = "integrity";

/// What [`Incomplete::what`] says where the registry leaves out when a release was published. The moment
/// weir first saw it stands in for its age, which is why a policy can tell this gap from others.
pub const PUBLISH_TIME: &str = "publish time";

/// What [`Incomplete::what`] says where the registry's signature could not be verified.
pub const SIGNATURE: &str = "registry signature";

/// What [`Incomplete::what`] says where the attestations that the registry announces could not be verified.
pub const ATTESTATIONS: &str = "attestations";

/// Something that could not be looked at. "Could not check" is a result of its own, never a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Incomplete {
    /// What was to be checked: a stage (`contents`, `history`, `advisories`) or a file.
    pub what: String,
    /// Why it could not be.
    pub why: String,
}

/// All findings on one release. It depends on the release alone; what to do about it is the
/// [`Decision`](crate::Decision) of a policy at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Assessment {
    /// The release looked at.
    pub release: ReleaseId,
    /// What was seen, strongest first.
    pub findings: Vec<Finding>,
    /// What could not be checked; empty when the assessment is complete.
    pub incomplete: Vec<Incomplete>,
}

impl Assessment {
    /// Whether everything that had to be looked at was.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_empty()
    }

    /// Findings that count as evidence: not informational, not of group age.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| {
            finding.group.is_evidence() && finding.severity > crate::Severity::Info
        })
    }

    /// The evidence groups that speak against the release, each once, in a fixed order.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.counted().map(|finding| finding.group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// Puts the strongest findings first; ties keep the order of the catalogue.
    pub fn sort(&mut self) {
        self.findings.sort_by_key(|finding| {
            std::cmp::Reverse((finding.decisive, finding.severity, finding.confidence))
        });
    }
}
