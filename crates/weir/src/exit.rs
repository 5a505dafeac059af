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
    match error.downcast_ref::<PolicyError>() {
        // Each with what might help it: who has three mistakes has to know whose a hint is.
        Some(PolicyError::Several(all)) => all.iter().for_each(|one| mistake(one, one.hint())),
        Some(one) => mistake(&format!("{error:#}"), one.hint()),
        None => mistake(&format!("{error:#}"), None),
    }
    ExitCode::from(FAILED)
}

fn mistake(what: &dyn std::fmt::Display, hint: Option<String>) {
    anstream::eprintln!("weir: {what}");
    if let Some(hint) = hint {
        anstream::eprintln!("  hint: {hint}");
    }
}

/// The code for the strictest of several actions.
pub(crate) fn for_action(action: weir_model::Action) -> u8 {
    match action {
        weir_model::Action::Allow | weir_model::Action::Notice => FINE,
        weir_model::Action::Hold => HELD,
        weir_model::Action::Block => BLOCKED,
    }
}
