//! Signals over the tarball and the code in it.

pub(crate) mod archive_ambiguity;
pub(crate) mod credential_exfiltration;
pub(crate) mod unreadable_code;
