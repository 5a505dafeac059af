//! What users parse: versioned copies, apart from the types weir works with. A field here is never
//! renamed or removed within a version.

mod baseline;
mod check;
mod difference;
mod verify;
mod why;

/// Version 1.
pub mod v1 {
    use serde::Serialize;

    pub use super::baseline::*;
    pub use super::check::*;
    pub use super::difference::*;
    pub use super::verify::*;
    pub use super::why::*;

    use crate::finding::{Confidence, Evidence, Group, Severity};
    use crate::{Assessment as Internal, Decision, Incomplete, ReleaseId};

    /// Name of the assessment schema.
    pub const ASSESSMENT: &str = "weir.assessment/v1";

    /// One object per release, as `weir inspect --json` prints it.
    #[derive(Debug, Serialize, schemars::JsonSchema)]
    pub struct Assessment<'a> {
        /// Always [`ASSESSMENT`].
        pub schema: &'static str,
        /// Which release.
        pub release: &'a ReleaseId,
        /// Whether everything was looked at.
        pub complete: bool,
        /// What was not, and why.
        pub incomplete: &'a [Incomplete],
        /// What was seen.
        pub findings: Vec<Finding<'a>>,
        /// What is to happen.
        pub decision: &'a Decision,
    }

    /// What a signal saw.
    #[derive(Debug, Serialize, schemars::JsonSchema)]
    pub struct Finding<'a> {
        /// The signal's id.
        pub signal: &'a str,
        /// The group it counts in.
        pub group: Group,
        /// How bad it would be.
        pub severity: Severity,
        /// How sure the signal is.
        pub confidence: Confidence,
        /// Whether this one fact is enough to block.
        pub decisive: bool,
        /// One sentence for a person.
        pub message: &'a str,
        /// What to check it against.
        pub evidence: &'a [Evidence],
    }

    impl<'a> Finding<'a> {
        pub(super) fn new(finding: &'a crate::Finding) -> Self {
            Self {
                signal: &finding.signal,
                group: finding.group,
                severity: finding.severity,
                confidence: finding.confidence,
                decisive: finding.decisive,
                message: &finding.message,
                evidence: &finding.evidence,
            }
        }
    }

    impl<'a> Assessment<'a> {
        /// The public form of an assessment and the decision on it.
        #[must_use]
        pub fn new(assessment: &'a Internal, decision: &'a Decision) -> Self {
            Self {
                schema: ASSESSMENT,
                release: &assessment.release,
                complete: assessment.is_complete(),
                incomplete: &assessment.incomplete,
                findings: assessment.findings.iter().map(Finding::new).collect(),
                decision,
            }
        }
    }
}
