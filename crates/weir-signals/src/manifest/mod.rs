//! Signals over the manifest of a release.

pub(crate) mod broken_expectation;
pub(crate) mod failed_verification;
pub(crate) mod manifest_mismatch;
