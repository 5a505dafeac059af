//! Signals over the manifest of a release.

pub(crate) mod manifest_mismatch;
