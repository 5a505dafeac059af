//! A decision that was taken again, beside the one that was kept.

use std::path::Path;

use weir_model::finding::printable;
use weir_model::{Assessment, Decision};
use weir_policy::{Context, Policy, Trace};

use super::{explanation, line, lines, style};

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
    let policy = match shown.policy {
        Some(file) => file.display().to_string(),
        None => "the defaults".to_owned(),
    };
    let before = match shown.kept {
        Some(kept) if kept.action == shown.decision.action => "as it was decided".to_owned(),
        Some(kept) => format!("it was decided {}", kept.action),
        None => "no decision was kept".to_owned(),
    };
    line(
        &mut out,
        format_args!(
            "  under {}, at {}; {before}",
            printable(&policy, 300),
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
    explanation(&mut out, shown.decision, shown.assessment, shown.rules);
    if let Some(trace) = shown.trace {
        lines(&mut out, &weir_policy::structure(trace));
    }
    out
}
