//! Exit codes: stable, documented in `docs/commands.md`.

use std::process::ExitCode;

use weir_policy::PolicyError;

/// Everything went as asked, and nothing was refused.
pub(crate) const FINE: u8 = 0;
/// weir itself failed, or could not do what was asked.
pub(crate) const FAILED: u8 = 1;
/// A release is held.
pub(crate) const HELD: u8 = 3;
/// A release is blocked.
pub(crate) const BLOCKED: u8 = 4;
/// `weir check` or `weir verify` found something that must be put right.
pub(crate) const FOUND: u8 = 5;

/// Says on standard error why weir failed, with its causes, and gives the exit code.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("weir: {error:#}");
    if let Some(error) = error.downcast_ref::<PolicyError>() {
        let all = match error {
            PolicyError::Several(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        for hint in all.iter().filter_map(PolicyError::hint) {
            anstream::eprintln!("  hint: {hint}");
        }
    }
    ExitCode::from(FAILED)
}

/// The code for the strictest of several actions.
pub(crate) fn for_action(action: weir_model::Action) -> u8 {
    match action {
        weir_model::Action::Allow | weir_model::Action::Notice => FINE,
        weir_model::Action::Hold => HELD,
        weir_model::Action::Block => BLOCKED,
    }
}
