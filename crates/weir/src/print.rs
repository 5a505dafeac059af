//! What people read: assessments, refusals, summaries, ledger lines.

mod changes;
mod does;
mod note;
mod redecided;
pub(crate) mod timeline;
pub(crate) mod why;
mod words;

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use weir_engine::Assessed;
use weir_gateway::Summary;
use weir_model::assessment::{PUBLISH_TIME, PUBLISHER};
use weir_model::contents::Flow;
use weir_model::finding::printable;
use weir_model::{Action, Assessment, Decision, Finding, Incomplete, LedgerEntry, Severity};
use weir_npm::version::Version;
use weir_policy::Policy;
use weir_store::StoredRefusal;

pub(crate) use changes::{behaviour, difference};
pub(crate) use does::able_at_install;
pub(crate) use redecided::{Redecided, redecided};

mod style {
    use anstyle::{AnsiColor, Style};

    pub(super) const BOLD: Style = Style::new().bold();
    pub(super) const DIM: Style = Style::new().dimmed();

    /// The colour of an action. Printing goes through `anstream`, which drops it where the output
    /// is no terminal.
    pub(super) const fn of(action: weir_model::Action) -> Style {
        let colour = match action {
            weir_model::Action::Allow => AnsiColor::Green,
            weir_model::Action::Notice => AnsiColor::Cyan,
            weir_model::Action::Hold => AnsiColor::Yellow,
            weir_model::Action::Block => AnsiColor::Red,
        };
        Style::new()
            .bold()
            .fg_color(Some(anstyle::Color::Ansi(colour)))
    }
}

/// Characters shown of the place of a finding that is no more than a mention.
const MENTIONED: usize = 120;

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}

/// The full assessment of one release.
pub(crate) fn assessed(assessed: &Assessed, policy: &Policy) -> String {
    let mut out = String::new();
    let (assessment, decision) = (&assessed.assessment, &assessed.decision);
    let colour = style::of(decision.action);
    let release = printable(&assessment.release.to_string(), 300);
    line(
        &mut out,
        format_args!(
            "{}{release}{}  {colour}{}{colour:#}",
            style::BOLD,
            style::BOLD.render_reset(),
            decision.action
        ),
    );
    if let Some(integrity) = &assessment.release.integrity {
        line(
            &mut out,
            format_args!("  {}{integrity}{}", style::DIM, style::DIM.render_reset()),
        );
    }
    if let Some(since) = assessed.published {
        let gaps = &assessment.incomplete;
        let unknown = gaps.iter().any(|gap| gap.what == PUBLISH_TIME);
        let what = if unknown {
            "publish time not known, first seen"
        } else {
            "published"
        };
        line(&mut out, format_args!("  {what} {since}"));
    }
    let explained = weir_policy::explain(decision, assessment, policy);
    // First what happened, and what to do about it last, where a reader's eye ends up.
    let todo = explained
        .iter()
        .position(|text| text == "What to do:")
        .unwrap_or(explained.len());
    let (why, todo) = explained.split_at(todo);
    lines(&mut out, why);
    match &assessed.profile {
        Some(profile) => {
            let chains = note::chains(assessment, &profile.contents);
            note::incident(&mut out, &chains, &profile.contents, decision.action);
            note::since_previous(&mut out, profile);
            does::what_it_does(&mut out, profile, assessment);
            findings(&mut out, assessment, decision, &chains);
        }
        None => findings(&mut out, assessment, decision, &[]),
    }
    lines(&mut out, todo);
    out
}

fn lines(out: &mut String, texts: &[String]) {
    for text in texts {
        line(out, format_args!("  {}", printable(text, 2000)));
    }
}

fn explanation(out: &mut String, decision: &Decision, assessment: &Assessment, policy: &Policy) {
    lines(out, &weir_policy::explain(decision, assessment, policy));
}

/// Findings and gaps. Evidence that is one of the chains told before is not told again, and gaps that are
/// among the reasons are not either.
fn findings(out: &mut String, assessment: &Assessment, decision: &Decision, chains: &[&Flow]) {
    if assessment.findings.is_empty() {
        line(out, format_args!("  no findings"));
    }
    let (noted, telling): (Vec<&Finding>, Vec<&Finding>) = assessment
        .findings
        .iter()
        .partition(|finding| finding.severity == Severity::Info);
    for finding in telling {
        one_finding(out, finding, &note::told(finding, chains));
    }
    if !noted.is_empty() {
        line(
            out,
            format_args!(
                "  {}Also seen; none of it counts against the release{}",
                style::BOLD,
                style::BOLD.render_reset()
            ),
        );
    }
    for finding in noted {
        mention(out, finding);
    }
    let told = |gap: &&Incomplete| !decision.reasons.contains(&weir_policy::gap_in_words(gap));
    for gap in assessment.incomplete.iter().filter(told) {
        line(
            out,
            format_args!(
                "  not checked: {} ({})",
                printable(&gap.what, 300),
                printable(&gap.why, 500)
            ),
        );
    }
}

fn one_finding(out: &mut String, finding: &Finding, told: &[usize]) {
    line(
        out,
        format_args!(
            "  {}{}{} [{}, {}, confidence {}]",
            style::BOLD,
            finding.signal,
            style::BOLD.render_reset(),
            finding.group,
            finding.severity,
            finding.confidence.as_str()
        ),
    );
    line(
        out,
        format_args!("    {}", printable(&finding.message, 1000)),
    );
    if !told.is_empty() {
        let numbers = told.iter().map(usize::to_string);
        line(out, format_args!("    see {} above", words::list(numbers)));
        return;
    }
    for evidence in &finding.evidence {
        line(out, format_args!("    {evidence}"));
    }
}

/// What only deserves a mention deserves a place to look at, and no more.
fn mention(out: &mut String, finding: &Finding) {
    line(
        out,
        format_args!(
            "    - {} [{}]",
            printable(&finding.message, 1000),
            finding.signal
        ),
    );
    let Some(first) = finding.evidence.first() else {
        return;
    };
    let more = match finding.evidence.len() {
        1 => String::new(),
        all => format!(
            " (and {} in --json)",
            words::count(all - 1, "more place", "more places")
        ),
    };
    line(
        out,
        format_args!("      {}{more}", printable(&first.to_string(), MENTIONED)),
    );
}

/// The explanation behind a refusal's id.
pub(crate) fn refusal(id: &str, refusal: &StoredRefusal, policy: &Policy) -> String {
    let mut out = String::new();
    let release = printable(&refusal.assessment.release.to_string(), 300);
    line(&mut out, format_args!("{id}: {release} was refused"));
    line(
        &mut out,
        format_args!("  first {}, last {}", refusal.first_at, refusal.last_at),
    );
    explanation(&mut out, &refusal.decision, &refusal.assessment, policy);
    findings(&mut out, &refusal.assessment, &refusal.decision, &[]);
    lines(
        &mut out,
        &weir_policy::structure_of(&refusal.decision, &refusal.assessment, policy),
    );
    out
}

/// One line of the ledger.
pub(crate) fn ledger_entry(entry: &LedgerEntry) -> String {
    let id = entry.block_id.as_deref().unwrap_or("");
    let note = entry.note.as_deref().unwrap_or("");
    let text = format!(
        "{}  {:8} {:6} {}@{}  {}  {id} {note}",
        entry.time,
        entry.event.as_str(),
        entry.action.as_str(),
        entry.name,
        entry.version,
        entry.client
    );
    printable(text.trim_end(), 1000)
}

/// The policy in force, each key with where its value comes from.
pub(crate) fn policy(policy: &Policy, now: Timestamp) -> String {
    let mut out = String::new();
    for shown in policy.show() {
        line(
            &mut out,
            format_args!(
                "{} = {}  {}# {}{}",
                shown.key,
                shown.value,
                style::DIM,
                shown.origin,
                style::DIM.render_reset()
            ),
        );
    }
    for expired in policy.expired_waivers(now) {
        line(&mut out, format_args!("# {expired}"));
    }
    out
}

/// How many lines of one kind a summary prints before it only counts.
const SUMMARY_LINES: usize = 20;

/// What happened during one run of a client.
pub(crate) fn summary(
    summary: &Summary,
    unread: &[String],
    took: Duration,
    observes: bool,
) -> String {
    let mut out = String::new();
    let count = |action| summary.with_action(action).count();
    let cached = summary.seen.values().filter(|seen| seen.cached).count();
    line(
        &mut out,
        format_args!(
            "{}weir{}: {} releases seen, {cached} from cache, {} noticed, {} held, {} blocked; {:.1} s, of which \
             {:.1} s waiting for analyses (longest {:.2} s, many run side by side)",
            style::BOLD,
            style::BOLD.render_reset(),
            summary.seen.len(),
            count(Action::Notice),
            count(Action::Hold)
                + summary
                    .held
                    .values()
                    .filter(|held| held.action == Action::Hold)
                    .count(),
            count(Action::Block)
                + summary
                    .held
                    .values()
                    .filter(|held| held.action == Action::Block)
                    .count(),
            took.as_secs_f64(),
            summary.analysis.as_secs_f64(),
            summary.longest_analysis.as_secs_f64(),
        ),
    );
    for action in [Action::Block, Action::Hold, Action::Notice] {
        requested(&mut out, summary, action);
    }
    kept_out(&mut out, summary);
    gaps(&mut out, summary, unread);
    if observes {
        line(
            &mut out,
            format_args!("  observe mode: nothing was refused"),
        );
    }
    out
}

fn requested(out: &mut String, summary: &Summary, action: Action) {
    let colour = style::of(action);
    for (index, ((name, version), seen)) in summary.with_action(action).enumerate() {
        if index == SUMMARY_LINES {
            let more = summary.with_action(action).count() - index;
            line(
                out,
                format_args!("  ... and {more} more with decision {action}"),
            );
            break;
        }
        let what = match (action, seen.served) {
            (Action::Notice, _) => "notice",
            (Action::Hold, false) => "held",
            (Action::Block, false) => "blocked",
            // Its contents were read after it was served, because it was long established.
            _ => "SERVED, AND REFUSED SINCE",
        };
        line(
            out,
            format_args!(
                "  {colour}{what}{colour:#} {name}@{version}: {}",
                reasons(&seen.reasons, 600)
            ),
        );
        if let Some(id) = &seen.block_id {
            let instead = seen
                .instead
                .as_ref()
                .map_or(String::new(), |v| format!(", use {v} instead"));
            line(out, format_args!("    weir explain {id}{instead}"));
        }
    }
}

/// Reasons on one line. The first begins with the decision, which the line has said already.
fn reasons(reasons: &[String], limit: usize) -> String {
    let mut reasons = reasons.to_vec();
    if let Some(first) = reasons.first_mut()
        && let Some((_, rest)) = first.split_once(": ")
    {
        *first = rest.to_owned();
    }
    printable(&reasons.join("; "), limit)
}

/// Whether a version that was kept out is one that a resolution could have taken instead of those
/// in use: newer, in the same major line.
fn could_have_been(version: &str, used: &[&str]) -> bool {
    let Ok(version) = Version::parse(version) else {
        return true;
    };
    let used = used.iter().filter_map(|used| Version::parse(used).ok());
    used.into_iter()
        .any(|used| used.major() == version.major() && used < version)
}

fn kept_out(out: &mut String, summary: &Summary) {
    let mut shown = 0;
    for ((name, version), held) in &summary.held {
        if summary.seen.contains_key(&(name.clone(), version.clone())) {
            continue;
        }
        let used = summary.used(name);
        if !could_have_been(version, &used) {
            // Nobody took this package or line: what was kept out of it made no difference.
            continue;
        }
        shown += 1;
        if shown > SUMMARY_LINES {
            continue;
        }
        let colour = style::of(held.action);
        let until = held
            .until
            .map_or(String::new(), |until| format!(", until {until}"));
        line(
            out,
            format_args!(
                "  {colour}{}{colour:#} {name}@{version}{until}: {} (used {} instead; weir explain {})",
                if held.action == Action::Block {
                    "blocked"
                } else {
                    "held"
                },
                reasons(&held.reasons, 400),
                used.join(", "),
                held.block_id
            ),
        );
    }
    if shown > SUMMARY_LINES {
        line(
            out,
            format_args!("  ... and {} more versions kept out", shown - SUMMARY_LINES),
        );
    }
}

fn gaps(out: &mut String, summary: &Summary, unread: &[String]) {
    let (mut unknown_publishers, mut unknown_times) = (0_usize, 0_usize);
    for ((name, version), seen) in &summary.seen {
        for gap in &seen.incomplete {
            // Registries leave these out of everything: one line says as much as a thousand.
            if gap.starts_with(PUBLISHER) {
                unknown_publishers += 1;
                continue;
            }
            if gap.starts_with(PUBLISH_TIME) {
                unknown_times += 1;
                continue;
            }
            line(
                out,
                format_args!("  not checked {name}@{version}: {}", printable(gap, 400)),
            );
        }
    }
    for text in unread {
        line(out, format_args!("  not checked {}", printable(text, 400)));
    }
    if unknown_publishers > 0 {
        line(
            out,
            format_args!(
                "  not known of {unknown_publishers} releases: who published them or the ones before; the registry \
                 does not say"
            ),
        );
    }
    if unknown_times > 0 {
        line(
            out,
            format_args!(
                "  not known of {unknown_times} releases: when they were published; the registry does not say, \
                 and their age is counted from when weir first saw them"
            ),
        );
    }
    if summary.stale > 0 {
        line(
            out,
            format_args!(
                "  {} packuments were stale: the upstream failed",
                summary.stale
            ),
        );
    }
    for text in summary.failed.iter().take(SUMMARY_LINES) {
        line(out, format_args!("  failed: {}", printable(text, 400)));
    }
}
