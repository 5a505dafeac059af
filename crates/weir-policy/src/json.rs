//! What users parse of decisions: a versioned contract, to which is only ever added.

/// Version 1.
pub mod v1 {
    use serde::Serialize;
    use weir_model::{Decision, ReleaseId};

    use crate::decide::Trace;

    /// Name of the schema.
    pub const DECIDE: &str = "weir.decide/v1";

    /// One object per release, as `weir decide --json` prints it.
    #[derive(Debug, Serialize, schemars::JsonSchema)]
    pub struct Decide<'a> {
        /// Always [`DECIDE`].
        pub schema: &'static str,
        /// Which release.
        pub release: &'a ReleaseId,
        /// The decision as it was kept; absent where only an assessment was.
        pub kept: Option<&'a Decision>,
        /// The decision under the policy at hand.
        pub decision: &'a Decision,
        /// How that comes about.
        pub trace: &'a Trace,
        /// The policy at hand, as its fingerprint.
        pub policy: String,
    }
}
