//! A decision that was taken again, beside the one that was kept.

use std::path::Path;

use weir_model::finding::printable;
use weir_model::{Assessment, Decision};
use weir_policy::{Context, Policy, Trace};
use weir_store::StoredRefusal;

use super::{line, lines, style};

/// What is shown.
pub(crate) struct Redecided<'a> {
    pub(crate) assessment: &'a Assessment,
    /// The decision that was kept.
    pub(crate) kept: Option<&'a Decision>,
    /// The decision now.
    pub(crate) decision: &'a Decision,
    /// What it depends on.
    pub(crate) context: &'a Context,
    /// How it comes about, if that was asked for.
    pub(crate) trace: Option<&'a Trace>,
    /// The policy that it was taken under.
    pub(crate) rules: &'a Policy,
    /// The policy file; nothing for the defaults.
    pub(crate) policy: Option<&'a Path>,
}

/// The decision, what it was before, and why.
pub(crate) fn redecided(shown: &Redecided<'_>) -> String {
    let mut out = String::new();
    let colour = style::of(shown.decision.action);
    line(
        &mut out,
        format_args!(
            "{}{}{}  {colour}{}{colour:#}",
            style::BOLD,
            printable(&shown.assessment.release.to_string(), 300),
            style::BOLD.render_reset(),
            shown.decision.action
        ),
    );
    let before = match shown.kept {
        Some(kept) if kept.action == shown.decision.action => "as it was decided".to_owned(),
        Some(kept) => format!("it was decided {}", kept.action),
        None => "no decision was kept".to_owned(),
    };
    line(
        &mut out,
        format_args!(
            "  under {}, at {}; {before}",
            named(shown.policy),
            shown.context.now
        ),
    );
    if shown.kept.is_some_and(|kept| kept.circumstances.is_none()) {
        line(
            &mut out,
            format_args!(
                "  an earlier weir decided and did not keep the circumstances: publish time and requests may be \
                 missing"
            ),
        );
    }
    lines(&mut out, &explained(shown));
    if let Some(trace) = shown.trace {
        lines(&mut out, &weir_policy::structure(trace));
    }
    out
}

/// Only a refusal has had a release to use instead looked for.
fn explained(shown: &Redecided<'_>) -> Vec<String> {
    let (decision, assessment) = (shown.decision, shown.assessment);
    if shown.kept.is_some_and(|kept| !kept.action.serves()) {
        return weir_policy::explain(decision, assessment, shown.rules);
    }
    weir_policy::explain::explain_unsought(decision, assessment, shown.rules)
}

/// A policy by its file.
fn named(file: Option<&Path>) -> String {
    match file {
        Some(file) => printable(&file.display().to_string(), 300),
        None => "the defaults".to_owned(),
    }
}

/// How a kept refusal is decided under the policy at hand. That need not be the one it was refused under: a gateway
/// has a policy of its own.
pub(super) fn at_hand(
    out: &mut String,
    refusal: &StoredRefusal,
    policy: &Policy,
    file: Option<&Path>,
) {
    let (kept, assessment) = (&refusal.decision, &refusal.assessment);
    let Some(circumstances) = &kept.circumstances else {
        let unknown = weir_policy::structure_of(kept, assessment, policy);
        lines(out, &unknown);
        return;
    };
    let context = Context::again(circumstances, policy);
    let again = weir_policy::decide(assessment, &context, policy);
    line(
        out,
        format_args!(
            "  under {}, {}",
            named(file),
            printable(&compared(kept, &again), 1000)
        ),
    );
    let trace = weir_policy::trace(assessment, &context, policy);
    lines(out, &weir_policy::structure(&trace));
}

/// What comes of a decision that is taken again, beside what was kept.
fn compared(kept: &Decision, again: &Decision) -> String {
    if weir_policy::explain::is_held_unread(kept) {
        return format!(
            "it is {} by what is known of it alone; it was held for what another release is refused for",
            again.action
        );
    }
    if kept.action != again.action {
        return format!(
            "it is {}, and it was decided {}: what to do, and how it is decided, are told under a policy that \
             did not refuse it so (--policy names another)",
            again.action, kept.action
        );
    }
    match again.reasons.first() {
        Some(reason) if kept.reasons.first() != Some(reason) => {
            format!(
                "it is {} as well, for another reason: {reason}",
                again.action
            )
        }
        _ => "as it was decided".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use weir_model::Action;

    use super::*;

    #[test]
    fn another_outcome_and_another_reason_are_told() {
        let decision = |action: Action, reasons: &[&str]| Decision {
            action,
            reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
            ..Decision::allow()
        };
        let kept = decision(Action::Hold, &["held: too young", "published today"]);
        for (again, wanted) in [
            (
                decision(Action::Hold, &["held: too young", "and more"]),
                "as it was decided",
            ),
            (
                decision(Action::Hold, &["held: two kinds of evidence"]),
                "it is hold as well, for another reason: held: two kinds of evidence",
            ),
            (
                decision(Action::Notice, &["notice: one kind of evidence"]),
                "it is notice, and it was decided hold: ",
            ),
            (decision(Action::Allow, &[]), "it is allow, and it was "),
        ] {
            let told = compared(&kept, &again);
            assert!(told.starts_with(wanted), "{told}");
        }
        let release = weir_model::ReleaseId {
            name: "gauge-reader".to_owned(),
            version: "1.10.1".to_owned(),
            integrity: None,
        };
        let unread = weir_policy::explain::held_unread(&Decision::allow(), &release, "1.10.0");
        let told = compared(&unread, &Decision::allow());
        assert!(
            told.starts_with("it is allow by what is known of it alone"),
            "{told}"
        );
    }
}
