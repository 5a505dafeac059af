//! All signals.

use crate::{Declaration, Observation, Subject};

/// All signals, in the order in which findings of equal strength are reported.
pub static CATALOGUE: &[&Declaration] = &[
    &crate::intel::known_malware::SIGNAL,
    &crate::source::credential_exfiltration::SIGNAL,
    &crate::source::self_publish::SIGNAL,
    &crate::source::download_and_run::SIGNAL,
    &crate::source::decoded_code::SIGNAL,
    &crate::source::destructive::SIGNAL,
    &crate::source::persistence::SIGNAL,
    &crate::source::agent_abuse::SIGNAL,
    &crate::source::package_tampering::SIGNAL,
    &crate::source::wallet_hook::SIGNAL,
    &crate::source::suspicious_host::SIGNAL,
    &crate::source::silent_process::SIGNAL,
    &crate::source::tls_disabled::SIGNAL,
    &crate::source::archive_ambiguity::SIGNAL,
    &crate::history::new_install_script::SIGNAL,
    &crate::history::remote_dependency::SIGNAL,
    &crate::manifest::manifest_mismatch::SIGNAL,
    &crate::source::unreadable_code::SIGNAL,
    &crate::identity::lookalike_name::SIGNAL,
    &crate::history::young_release::SIGNAL,
];

/// Runs all signals over one release.
#[must_use]
pub fn observe_all(subject: &Subject<'_>) -> Observation {
    let mut observation = Observation::default();
    for signal in CATALOGUE {
        signal.run(subject, &mut observation);
    }
    observation
}
