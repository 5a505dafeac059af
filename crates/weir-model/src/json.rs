//! What users parse: versioned copies, apart from the types weir works with. A field here is never
//! renamed or removed within a version.

/// Version 1.
pub mod v1 {
    use serde::Serialize;

    use crate::{Assessment as Internal, Decision, Finding, Incomplete, ReleaseId};

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
        pub findings: &'a [Finding],
        /// What is to happen.
        pub decision: &'a Decision,
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
                findings: &assessment.findings,
                decision,
            }
        }
    }
}
