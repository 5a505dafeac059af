//! Waivers: they apply last, to findings, and what they do not cover decides.

use weir_model::Action;
use weir_model::finding::printable;

use super::case::{Case, Ground};
use super::rules::verb;
use super::{Verdict, judge};
use crate::config::{AGE_SIGNAL, INCOMPLETE_SIGNAL, NEVER_SILENT, Waiver, WaiverAction};

/// What is left of a case after waivers.
pub(super) struct Waived<'a> {
    /// The case without what is covered.
    pub(super) case: Case<'a>,
    /// What the rules say now.
    pub(super) verdict: Verdict,
    /// Sentences about the waivers, for the reasons.
    pub(super) notes: Vec<String>,
    /// The reasons of the waivers, if they changed the outcome.
    pub(super) reason: Option<String>,
}

/// The name under which waivers speak of a ground.
fn signal(ground: Ground<'_>) -> &str {
    match ground {
        Ground::Finding(finding) => &finding.signal,
        Ground::Age => AGE_SIGNAL,
        Ground::Incomplete | Ground::NoIntegrity => INCOMPLETE_SIGNAL,
    }
}

fn concerns(waiver: &Waiver, case: &Case<'_>) -> bool {
    let release = &case.assessment.release;
    waiver.package.matches(&release.name) && waiver.versions.matches(&release.version)
}

/// Whether the waiver covers the ground: named, or by not naming any, except for what has to be. Who
/// waives a release has looked at bytes; without an integrity the next ones may be others.
fn covers(waiver: &Waiver, ground: Ground<'_>) -> bool {
    if matches!(ground, Ground::NoIntegrity) {
        return false;
    }
    let signal = signal(ground);
    if waiver.signals.is_empty() {
        !NEVER_SILENT.contains(&signal)
    } else {
        waiver.signals.iter().any(|named| named.as_str() == signal)
    }
}

/// How gently the waivers in force treat a ground; `None` if none covers it. What may never be
/// silent stays worth a notice.
fn mildest(waivers: &[&Waiver], ground: Ground<'_>) -> Option<WaiverAction> {
    let covering = waivers.iter().filter(|waiver| covers(waiver, ground));
    let mildest = covering.map(|waiver| waiver.action).max();
    if NEVER_SILENT.contains(&signal(ground)) {
        mildest.map(|_| WaiverAction::Notice)
    } else {
        mildest
    }
}

/// Applies the waivers in force; `None` if they cover nothing.
///
/// The outcome is the stricter of two: what the uncovered grounds lead to, and at most a notice for
/// those that waivers want mentioned. Each waiver more moves grounds from the first to the second
/// or out of both, so that no waiver makes anything stricter.
pub(super) fn apply<'a>(case: &Case<'a>, before: &Verdict) -> Option<Waived<'a>> {
    let now = case.context.now;
    let concerned: Vec<&Waiver> = case
        .policy
        .waivers
        .iter()
        .filter(|waiver| concerns(waiver, case))
        .collect();
    let active: Vec<&Waiver> = concerned
        .iter()
        .copied()
        .filter(|waiver| !waiver.expires.has_passed(now))
        .collect();
    let used: Vec<&Waiver> = active
        .iter()
        .copied()
        .filter(|waiver| case.grounds().any(|ground| covers(waiver, ground)))
        .collect();
    if used.is_empty() {
        return None;
    }
    let left = case.keeping(|ground| mildest(&used, ground).is_none());
    let mentioned = case.keeping(|ground| mildest(&used, ground) != Some(WaiverAction::Allow));
    let strict = judge(&left);
    let floor = judge(&mentioned).action.min(Action::Notice);
    let mut notes: Vec<String> = used.iter().map(|waiver| note(waiver, case)).collect();
    let (case_left, verdict) = if floor > strict.action {
        let sentences = vec!["notice: a waiver lets it pass and wants it mentioned".to_owned()];
        (
            mentioned,
            Verdict {
                action: floor,
                sentences,
                age_alone: false,
            },
        )
    } else if strict.sentences.is_empty() {
        let sentences = vec![format!(
            "{}: nothing but what a waiver covers",
            verb(strict.action)
        )];
        (
            left,
            Verdict {
                sentences,
                ..strict
            },
        )
    } else {
        (left, strict)
    };
    let changed = verdict.action < before.action;
    if changed {
        let without = before
            .sentences
            .iter()
            .map(|sentence| format!("without the waiver: {sentence}"));
        notes.extend(without);
    }
    notes.extend(expired_notes(case));
    let reasons: Vec<String> = used
        .iter()
        .map(|waiver| printable(waiver.reason.as_str(), 200))
        .collect();
    let reason = changed.then(|| reasons.join("; "));
    Some(Waived {
        case: case_left,
        verdict,
        notes,
        reason,
    })
}

/// "waived by Jo through 2026-12-31 (reviewed by hand): new-hook, new-host".
fn note(waiver: &Waiver, case: &Case<'_>) -> String {
    let mut covered: Vec<&str> = case
        .grounds()
        .filter(|ground| covers(waiver, *ground))
        .map(signal)
        .collect();
    covered.sort_unstable();
    covered.dedup();
    let covered: Vec<String> = covered.into_iter().map(|id| printable(id, 80)).collect();
    format!(
        "waived by {} through {} ({}): {}",
        printable(waiver.author.as_str(), 80),
        waiver.expires,
        printable(waiver.reason.as_str(), 200),
        covered.join(", ")
    )
}

/// Waivers that would have covered something, had they not ended.
pub(super) fn expired_notes(case: &Case<'_>) -> Vec<String> {
    let now = case.context.now;
    let ended = case.policy.waivers.iter().filter(|waiver| {
        waiver.expires.has_passed(now)
            && concerns(waiver, case)
            && case.grounds().any(|ground| covers(waiver, ground))
    });
    ended
        .map(|waiver| {
            format!(
                "a waiver by {} for {} {} expired ({}) and does nothing",
                printable(waiver.author.as_str(), 80),
                waiver.package,
                printable(waiver.versions.as_str(), 80),
                waiver.expires
            )
        })
        .collect()
}
