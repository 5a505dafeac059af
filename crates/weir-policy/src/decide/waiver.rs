//! Waivers: they apply last, to findings, and what they do not cover decides.

use jiff::Timestamp;
use weir_model::finding::printable;
use weir_model::{Action, Assessment, ReleaseId};

use super::case::{Case, Ground};
use super::rules::verb;
use super::{Context, Verdict, judge};
use crate::config::{AGE_SIGNAL, INCOMPLETE_SIGNAL, NEVER_SILENT, Policy, Waiver, WaiverAction};

/// What is left of a case after waivers.
pub(super) struct Waived<'a> {
    /// The case without what is covered, or with what is to be mentioned where that decides.
    pub(super) case: Case<'a>,
    /// What no waiver covers: what the rules are asked about.
    pub(super) left: Case<'a>,
    /// The waivers that cover something.
    pub(super) used: Vec<&'a Waiver>,
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

/// Whether the waiver is about this release.
pub(super) fn concerns(waiver: &Waiver, release: &ReleaseId) -> bool {
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

/// The waivers about a release that have not ended.
fn in_force<'a>(
    policy: &'a Policy,
    release: &ReleaseId,
    now: Timestamp,
) -> impl Iterator<Item = &'a Waiver> {
    policy
        .waivers
        .iter()
        .filter(move |waiver| !waiver.expires.has_passed(now) && concerns(waiver, release))
}

/// Whether a waiver in force names no signals, so that it covers what comes next as well.
pub(super) fn covers_whatever_comes(case: &Case<'_>) -> bool {
    in_force(case.policy, &case.assessment.release, case.context.now)
        .any(|waiver| waiver.signals.is_empty())
}

/// Applies the waivers in force; `None` if they cover nothing.
///
/// The outcome is the stricter of two: what the uncovered grounds lead to, and at most a notice for
/// those that waivers want mentioned. Each waiver more moves grounds from the first to the second
/// or out of both, so that no waiver makes anything stricter.
pub(super) fn apply<'a>(case: &Case<'a>, before: &Verdict) -> Option<Waived<'a>> {
    let now = case.context.now;
    let policy: &'a Policy = case.policy;
    let used: Vec<&'a Waiver> = in_force(policy, &case.assessment.release, now)
        .filter(|waiver| case.grounds().any(|ground| covers(waiver, ground)))
        .collect();
    if used.is_empty() {
        return None;
    }
    let left = case.keeping(|ground| mildest(&used, ground).is_none());
    let mentioned = case.keeping(|ground| mildest(&used, ground) != Some(WaiverAction::Allow));
    let rest = left.clone();
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
        left: rest,
        used,
        verdict,
        notes,
        reason,
    })
}

/// What a waiver covers of a case, under the names that waivers know.
pub(super) fn covered(waiver: &Waiver, case: &Case<'_>) -> Vec<String> {
    let mut covered: Vec<&str> = case
        .grounds()
        .filter(|ground| covers(waiver, *ground))
        .map(signal)
        .collect();
    covered.sort_unstable();
    covered.dedup();
    covered.into_iter().map(|id| printable(id, 80)).collect()
}

/// The names under which a waiver can cover what speaks against a release, each once, strongest first.
pub(crate) fn waivable<'a>(
    assessment: &'a Assessment,
    context: &'a Context,
    policy: &'a Policy,
) -> Vec<&'a str> {
    let case = Case::new(assessment, context, policy);
    let mut names: Vec<&str> = Vec::new();
    for ground in case.grounds() {
        let name = signal(ground);
        if !matches!(ground, Ground::NoIntegrity) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// "waived by Jo through 2026-12-31 (reviewed by hand): new-hook, new-host".
fn note(waiver: &Waiver, case: &Case<'_>) -> String {
    format!(
        "waived by {} through {} ({}): {}",
        printable(waiver.author.as_str(), 80),
        waiver.expires,
        printable(waiver.reason.as_str(), 200),
        covered(waiver, case).join(", ")
    )
}

/// Waivers that would have covered something, had they not ended.
pub(super) fn expired_notes(case: &Case<'_>) -> Vec<String> {
    let now = case.context.now;
    let ended = case.policy.waivers.iter().filter(|waiver| {
        waiver.expires.has_passed(now)
            && concerns(waiver, &case.assessment.release)
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
