//! Signals over the tarball and the code in it.

pub(crate) mod agent_abuse;
pub(crate) mod archive_ambiguity;
pub(crate) mod bundled_binary;
pub(crate) mod credential_exfiltration;
pub(crate) mod decoded_code;
pub(crate) mod destructive;
pub(crate) mod download_and_run;
pub(crate) mod hidden_text;
pub(crate) mod injected_script;
pub(crate) mod known_bad_content;
pub(crate) mod near_copy;
pub(crate) mod obfuscated_code;
pub(crate) mod package_tampering;
pub(crate) mod persistence;
pub(crate) mod self_publish;
pub(crate) mod silent_process;
pub(crate) mod suspicious_host;
pub(crate) mod tls_disabled;
pub(crate) mod unreadable_code;
pub(crate) mod user_rule;
pub(crate) mod wallet_hook;
