//! Signals over the tarball and the code in it.

pub(crate) mod archive_ambiguity;
pub(crate) mod bundled_binary;
pub(crate) mod credential_exfiltration;
pub(crate) mod hidden_text;
pub(crate) mod known_bad_content;
pub(crate) mod near_copy;
pub(crate) mod obfuscated_code;
pub(crate) mod unreadable_code;
pub(crate) mod user_rule;
