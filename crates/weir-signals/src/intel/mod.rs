//! Signals over what others have published about a release.

pub(crate) mod known_malware;
