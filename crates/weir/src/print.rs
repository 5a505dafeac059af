//! What people read: assessments, refusals, summaries, ledger lines.

mod changes;
mod does;
mod note;
mod redecided;
mod summary;
pub(crate) mod timeline;
pub(crate) mod why;
mod words;

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use weir_engine::Assessed;
use weir_model::assessment::PUBLISH_TIME;
use weir_model::contents::Flow;
use weir_model::finding::printable;
use weir_model::{Assessment, Decision, Finding, Incomplete, LedgerEntry, Severity};
use weir_policy::Policy;
use weir_store::StoredRefusal;

pub(crate) use changes::{behaviour, difference};
pub(crate) use does::able_at_install;
pub(crate) use redecided::{Redecided, redecided};
pub(crate) use summary::{Ran, summary};

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
            note::since_previous(&mut out, profile, assessment);
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
            crate::counted::counted(all - 1, "more place", "more places")
        ),
    };
    line(
        out,
        format_args!("      {}{more}", printable(&first.to_string(), MENTIONED)),
    );
}

/// The explanation behind a refusal's id. `file` is the policy's; nothing for the defaults. `observed` where the release
/// was served all the same.
pub(crate) fn refusal(
    id: &str,
    refusal: &StoredRefusal,
    policy: &Policy,
    file: Option<&Path>,
    observed: bool,
) -> String {
    let mut out = String::new();
    let release = printable(&refusal.assessment.release.to_string(), 300);
    let became = weir_policy::became(observed);
    line(&mut out, format_args!("{id}: {release} {became}"));
    line(
        &mut out,
        format_args!("  first {}, last {}", refusal.first_at, refusal.last_at),
    );
    let explained = weir_policy::explain(&refusal.decision, &refusal.assessment, policy);
    lines(&mut out, &explained);
    findings(&mut out, &refusal.assessment, &refusal.decision, &[]);
    redecided::at_hand(&mut out, refusal, policy, file);
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
