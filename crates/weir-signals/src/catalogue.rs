//! All signals.

use crate::{Declaration, Observation, Subject};

/// All signals, in the order in which findings of equal strength are reported.
pub static CATALOGUE: &[&Declaration] = &[
    &crate::intel::known_malware::SIGNAL,
    &crate::source::known_bad_content::SIGNAL,
    &crate::source::credential_exfiltration::SIGNAL,
    &crate::source::archive_ambiguity::SIGNAL,
    &crate::history::new_install_script::SIGNAL,
    &crate::history::remote_dependency::SIGNAL,
    &crate::manifest::manifest_mismatch::SIGNAL,
    &crate::source::user_rule::SIGNAL,
    &crate::source::near_copy::SIGNAL,
    &crate::source::hidden_text::SIGNAL,
    &crate::source::obfuscated_code::SIGNAL,
    &crate::source::bundled_binary::SIGNAL,
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
