//! All signals.

use crate::{Declaration, Observation, Subject};

/// All signals, in the order in which findings of equal strength are reported.
pub static CATALOGUE: &[&Declaration] = &[
    &crate::intel::known_malware::SIGNAL,
    &crate::manifest::failed_verification::SIGNAL,
    &crate::identity::internal_name::SIGNAL,
    &crate::manifest::broken_expectation::SIGNAL,
    &crate::source::known_bad_content::SIGNAL,
    &crate::source::credential_exfiltration::SIGNAL,
    &crate::source::self_publish::SIGNAL,
    &crate::source::download_and_run::SIGNAL,
    &crate::source::decoded_code::SIGNAL,
    &crate::source::destructive::SIGNAL,
    &crate::source::persistence::SIGNAL,
    &crate::source::agent_abuse::SIGNAL,
    &crate::source::package_tampering::SIGNAL,
    &crate::source::wallet_hook::SIGNAL,
    &crate::source::injected_script::SIGNAL,
    &crate::source::suspicious_host::SIGNAL,
    &crate::source::silent_process::SIGNAL,
    &crate::source::tls_disabled::SIGNAL,
    &crate::source::archive_ambiguity::SIGNAL,
    &crate::history::new_install_script::SIGNAL,
    &crate::history::shadowed_tool::SIGNAL,
    &crate::history::build_source::SIGNAL,
    &crate::history::new_flow::SIGNAL,
    &crate::history::new_capability::SIGNAL,
    &crate::history::new_obfuscation::SIGNAL,
    &crate::history::new_binary::SIGNAL,
    &crate::history::new_host::SIGNAL,
    &crate::history::shared_addition::SIGNAL,
    &crate::history::provenance_change::SIGNAL,
    &crate::history::trust_downgrade::SIGNAL,
    &crate::history::size_jump::SIGNAL,
    &crate::history::remote_dependency::SIGNAL,
    &crate::history::own_shrinkwrap::SIGNAL,
    &crate::history::new_dependency::SIGNAL,
    &crate::history::young_in_tree::SIGNAL,
    &crate::identity::new_publisher::SIGNAL,
    &crate::identity::maintainer_change::SIGNAL,
    &crate::identity::throwaway_publisher::SIGNAL,
    &crate::identity::unlike_siblings::SIGNAL,
    &crate::history::unusual_burst::SIGNAL,
    &crate::history::dormant_revival::SIGNAL,
    &crate::history::many_lines_patched::SIGNAL,
    &crate::history::odd_version::SIGNAL,
    &crate::history::tag_move::SIGNAL,
    &crate::history::replaced_release::SIGNAL,
    &crate::history::vanished_versions::SIGNAL,
    &crate::history::unusual_timing::SIGNAL,
    &crate::identity::missing_source_marks::SIGNAL,
    &crate::manifest::manifest_mismatch::SIGNAL,
    &crate::source::user_rule::SIGNAL,
    &crate::source::near_copy::SIGNAL,
    &crate::source::hidden_text::SIGNAL,
    &crate::source::obfuscated_code::SIGNAL,
    &crate::source::bundled_binary::SIGNAL,
    &crate::source::unreadable_code::SIGNAL,
    &crate::identity::lookalike_name::SIGNAL,
    &crate::identity::invented_name::SIGNAL,
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

/// The signals that compare the contents of two releases.
pub static COMPARING: &[&Declaration] = &[
    &crate::history::new_flow::SIGNAL,
    &crate::history::new_capability::SIGNAL,
    &crate::history::new_obfuscation::SIGNAL,
    &crate::history::new_binary::SIGNAL,
    &crate::history::new_host::SIGNAL,
    &crate::history::size_jump::SIGNAL,
];

/// Runs the signals that compare two releases, over any two: what they would say if the other one
/// were the previous release. Inputs beyond the two contents are not missed.
#[must_use]
pub fn observe_comparison(subject: &Subject<'_>) -> Observation {
    let mut observation = Observation::default();
    for signal in COMPARING {
        (signal.observe)(subject, &mut observation);
    }
    observation
}
