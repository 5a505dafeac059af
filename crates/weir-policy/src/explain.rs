//! The words in which a decision reaches people.

use weir_model::finding::printable;
use weir_model::{Action, Assessment, BlockId, Decision, Group, ReleaseId, Request, Severity};

use crate::config::{GateMode, NEVER_SILENT, Policy, SignalSetting, Waiver};
use crate::decide::{
    Context, Difference, Lifted, PINNED, Trace, action_of, is_not_known, moment, subsets, trace,
    waivable,
};

/// Longest reason phrase, in characters. Clients print it in one line of an error, and proxies in
/// between limit a response's first line (PROTOCOL 3.4).
pub const REFUSAL_CHARS: usize = 250;

/// Longest deprecation text, in characters: npm and pnpm print it whole (PROTOCOL 3.13).
pub const DEPRECATION_CHARS: usize = 400;

/// The sentence for the reason phrase of an HTTP/1.1 answer 403: one line of printable ASCII, at
/// most [`REFUSAL_CHARS`] characters. Where room is short, the reason gives way first, then the
/// package's name; the id always stays.
#[must_use]
pub fn refusal_line(
    decision: &Decision,
    name: &str,
    version: &str,
    block_id: &BlockId,
    url: &str,
) -> String {
    let head = format!(
        "{} by weir: ",
        if decision.action == Action::Hold {
            "Held"
        } else {
            "Blocked"
        }
    );
    compose(&head, decision, name, version, block_id, url, REFUSAL_CHARS)
}

/// The deprecation text of a listed but refused version. It begins with `HELD by weir: ` or
/// `BLOCKED by weir: `, so that nobody takes it for the publisher's own (PROTOCOL 3.5). One line of
/// printable ASCII, at most [`DEPRECATION_CHARS`] characters.
#[must_use]
pub fn deprecation_text(
    decision: &Decision,
    name: &str,
    version: &str,
    block_id: &BlockId,
    url: &str,
) -> String {
    let head = format!(
        "{} by weir: ",
        if decision.action == Action::Hold {
            "HELD"
        } else {
            "BLOCKED"
        }
    );
    compose(
        &head,
        decision,
        name,
        version,
        block_id,
        url,
        DEPRECATION_CHARS,
    )
}

fn compose(
    head: &str,
    decision: &Decision,
    name: &str,
    version: &str,
    block_id: &BlockId,
    url: &str,
    limit: usize,
) -> String {
    let id = shorten(&ascii(block_id.as_str()), 24);
    let url = ascii(url);
    // A cut address leads nowhere, so a long one is left out; the id still finds the page.
    let see = if url.is_empty() || url.len() > limit / 2 {
        String::new()
    } else {
        format!(" See {url}")
    };
    let instead = decision
        .instead
        .as_deref()
        .map(ascii)
        .filter(|version| version.len() <= 40);
    let instead = instead.map_or(String::new(), |version| format!(" Use {version} instead."));
    let tail = format!(".{instead}{see} [{id}]");
    let room = limit.saturating_sub(head.len() + tail.len());
    let release = shorten(&ascii(&format!("{name}@{version}")), room / 2);
    let reason = short_reason(decision);
    let middle = if reason.is_empty() {
        release
    } else {
        format!("{release}, {reason}")
    };
    let middle = shorten(middle.trim_end_matches('.'), room);
    shorten(&format!("{head}{middle}{tail}"), limit)
}

/// The rule that decides without its verb, then the strongest finding, then what else holds it, such as its
/// age: what has to be cut short is at the end.
fn short_reason(decision: &Decision) -> String {
    let reasons = decision.reasons.iter();
    let mut reasons = reasons.filter(|reason| !is_not_known(reason));
    let Some(rule) = reasons.next() else {
        return String::new();
    };
    let rest: Vec<&String> = reasons.collect();
    let finding = rest.iter().find(|reason| is_finding(reason));
    let next = finding.or_else(|| rest.iter().find(|reason| !is_rule(reason)));
    let (rule, pinned) = match without_verb(rule).split_once(PINNED) {
        Some((young, _)) if finding.is_some() => (young, true),
        _ => (without_verb(rule), false),
    };
    let mut text = rule.to_owned();
    if let Some(next) = next {
        text = format!("{text}: {next}");
    }
    if pinned {
        text = format!("{text};{}", PINNED.trim_start_matches(" and"));
    }
    let others = rest
        .iter()
        .filter(|reason| is_rule(reason) && !is_finding(reason));
    for other in others {
        text = format!("{text}; {}", without_verb(other));
    }
    ascii(&text)
}

/// How the rules' sentences begin.
const RULE_VERBS: &[&str] = &["blocked: ", "held: ", "notice: ", "allowed: "];

fn without_verb(rule: &str) -> &str {
    rule.split_once(": ").map_or(rule, |(_, rest)| rest)
}

fn is_rule(reason: &str) -> bool {
    RULE_VERBS.iter().any(|verb| reason.starts_with(verb))
}

/// Whether a reason is a finding: its signal stands at its end.
fn is_finding(reason: &str) -> bool {
    reason.ends_with(']') && reason.contains(" [")
}

/// Printable ASCII on one line; everything else becomes `?`.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect()
}

/// At most `limit` characters of an ASCII text, with dots where it was cut.
fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(3)).collect();
    let dots: String = "...".chars().take(limit).collect();
    format!("{}{dots}", kept.trim_end())
}

/// How the reason begins and goes on why a release is held that nobody has looked at.
const UNREAD: (&str, &str) = (
    "held: it has what ",
    " brought, which is refused, and nobody has looked at it yet",
);

/// Holds a release that would be served by what is known of it, for having what another brought that is refused.
/// Nothing is said of why it would be served.
#[must_use]
pub fn held_unread(decision: &Decision, release: &ReleaseId, refused: &str) -> Decision {
    let mut held = Decision {
        action: Action::Hold,
        ..decision.clone()
    };
    held.reasons.retain(|reason| !is_rule(reason));
    let (has, brought) = UNREAD;
    let reason = format!(
        "{has}{}{brought}; `weir inspect {}` with the same data folder does, and frees it if it is fine",
        printable(refused, 200),
        printable(&release.to_string(), 300)
    );
    held.reasons.insert(0, reason);
    held
}

/// Whether a release is held because of another, and nobody has looked at it.
#[must_use]
pub fn is_held_unread(decision: &Decision) -> bool {
    let first = decision.reasons.first();
    first.is_some_and(|reason| reason.starts_with(UNREAD.0) && reason.contains(UNREAD.1))
}

/// Explains a decision to a person: what, why, since when, and what to do next. One line each; lines that
/// belong to the one above are indented. A waiver is only proposed if the release passes with it.
#[must_use]
pub fn explain(decision: &Decision, assessment: &Assessment, policy: &Policy) -> Vec<String> {
    let by_code = assessment.groups().iter().any(is_about_code);
    let no_other = if by_code { NO_QUIET_OTHER } else { NO_OTHER };
    told(decision, assessment, policy, no_other)
}

/// Whether evidence is about what code does.
fn is_about_code(group: &Group) -> bool {
    matches!(
        group,
        Group::Execution | Group::Code | Group::Runtime | Group::Intel
    )
}

/// The same of a decision that is taken again, where a release to use instead was not looked for when it was kept:
/// no refusal needed one.
#[must_use]
pub fn explain_unsought(
    decision: &Decision,
    assessment: &Assessment,
    policy: &Policy,
) -> Vec<String> {
    told(decision, assessment, policy, UNSOUGHT)
}

/// `no_other` says why no release is named to use instead.
fn told(
    decision: &Decision,
    assessment: &Assessment,
    policy: &Policy,
    no_other: &str,
) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}",
        assessment.release,
        outcome(decision.action, policy.gate.mode)
    )];
    let (not_known, reasons): (Vec<&String>, Vec<&String>) = decision
        .reasons
        .iter()
        .partition(|reason| is_not_known(reason));
    lines.extend(reasons.into_iter().map(|reason| format!("  - {reason}")));
    // No reason for what was decided, and not to be left out either.
    lines.extend(not_known.into_iter().map(|gap| format!("  {gap}")));
    if let Some(reason) = &decision.waiver {
        lines.push(format!("Waived: {reason}"));
    }
    if decision.action.serves() {
        return lines;
    }
    if names_no_other(decision) {
        lines.push(no_other.to_owned());
    }
    lines.push("What to do:".to_owned());
    lines.extend(to_do(decision, assessment, policy));
    lines
}

/// Why no release is named to use instead.
const NO_OTHER: &str = "  no release to use instead is named: none below it passes that was found fine here, or has \
                        been out for a week";

/// The same where code speaks against the release: what runs at install time may do the same, for all that anybody
/// knows who has not read it.
const NO_QUIET_OTHER: &str = "  no release to use instead is named: none below it passes that was found fine here, or has \
                              been out for a week and runs nothing at install time";

/// Why none is named where nobody looked.
const UNSOUGHT: &str = "  no release to use instead is named: none was looked for when this was decided; `weir inspect` \
                        looks for one";

/// Whether there is no release to use instead, of one that is asked for from a registry: of files on a disk nobody
/// expects another.
fn names_no_other(decision: &Decision) -> bool {
    let circumstances = decision.circumstances.as_ref();
    decision.instead.is_none() && circumstances.is_some_and(|it| it.request != Request::Inspection)
}

/// What to do about a refusal, one line each, and the lines of a waiver below the last.
fn to_do(decision: &Decision, assessment: &Assessment, policy: &Policy) -> Vec<String> {
    let mut ways: Vec<String> = Vec::new();
    if let Some(version) = &decision.instead {
        let passed_over = match has_wrong_bytes(assessment) {
            true => WHILE_DAMAGED,
            false => "ranges and tags pass over the refused release by themselves",
        };
        ways.push(format!("use {version} instead; {passed_over}"));
    }
    if let Some(until) = decision.until {
        ways.push(format!("wait: it will be served from {}", moment(until)));
    }
    let proposed = proposal(decision, assessment, policy);
    ways.push(match &proposed {
        Ok(_) => "have it looked at, and ask for this in weir.toml:".to_owned(),
        Err(advice) => (*advice).to_owned(),
    });
    let mut lines: Vec<String> = Vec::new();
    for way in ways {
        let or = if lines.is_empty() { "" } else { "or " };
        lines.push(format!("  - {or}{way}"));
    }
    if let Ok(snippet) = proposed {
        lines.extend(snippet.lines().map(|line| format!("    {line}")));
    }
    lines
}

/// How long ranges and tags pass over a release whose bytes did not match, which may have happened on the way and only
/// once. The engine remembers it for this long, and in no other process.
const WHILE_DAMAGED: &str = "ranges and tags pass over the refused release for ten minutes, or until the right bytes \
                             come through the same gateway, if that goes on running (what `weir npm` and the like saw \
                             is forgotten when the command ends)";

/// Whether the bytes that came are not those that the registry states.
fn has_wrong_bytes(assessment: &Assessment) -> bool {
    let mut findings = assessment.findings.iter();
    findings.any(|finding| finding.signal == "integrity-mismatch")
}

fn lacks_integrity(assessment: &Assessment) -> bool {
    let mut incomplete = assessment.incomplete.iter();
    incomplete.any(|it| it.what == weir_model::assessment::INTEGRITY)
}

/// Whether the release has the name of a package. What is looked at on a disk may have none.
fn is_package(assessment: &Assessment) -> bool {
    weir_npm::name::PackageName::parse(&assessment.release.name).is_ok()
}

/// How a decision came about, in lines for a person: what each group counted, what each rule said, and
/// what would have to differ for another decision.
#[must_use]
pub fn structure(trace: &Trace) -> Vec<String> {
    let counted: Vec<String> = trace
        .groups
        .iter()
        .filter(|group| group.findings > 0)
        .map(|group| {
            let telling = if group.telling {
                ", weighs more while young"
            } else {
                ""
            };
            format!(
                "{} {} of {}{telling}",
                group.group, group.counts, group.findings
            )
        })
        .collect();
    let counted = match counted.is_empty() {
        true => "nothing".to_owned(),
        false => counted.join("; "),
    };
    let mut lines = Vec::new();
    if trace.waivers.is_empty() {
        lines.push(
            "How it is decided (every rule is asked, the strictest answer counts):".to_owned(),
        );
    } else {
        lines.push(
            "How it is decided (a waiver lifts what it covers; every rule is asked about the rest):"
                .to_owned(),
        );
        lines.extend(waivers(trace));
    }
    lines.push(format!(
        "  counted {} (groups, of their findings): {counted}",
        trace.count
    ));
    lines.extend(trace.rules.iter().map(|rule| {
        let answer = match (rule.answer, rule.decided) {
            (None, _) => "does not apply".to_owned(),
            (Some(answer), false) => answer.to_string(),
            (Some(answer), true) => format!("{answer}, and decides"),
        };
        let softened = if rule.softened {
            " (a block, but for its popularity)"
        } else {
            ""
        };
        let lifted = rule.unwaived.map_or(String::new(), |other| {
            format!(" (without the waiver: {other})")
        });
        format!(
            "  - {} [{}]: {answer}{softened}{lifted}",
            rule.rule, rule.bound
        )
    }));
    lines.extend(decided_by_waiver(trace));
    let mut others = |title: &str, differences: &[Difference]| {
        if !differences.is_empty() {
            lines.push(title.to_owned());
        }
        lines.extend(
            differences
                .iter()
                .map(|other| format!("  - {} if {}", other.action, other.if_so.join(" and "))),
        );
    };
    others("It would be milder:", &trace.milder);
    others("It would be stricter:", &trace.stricter);
    if !trace.later.is_empty() {
        lines.push("Time alone makes it:".to_owned());
    }
    lines.extend(trace.later.iter().map(|later| {
        format!(
            "  - {} from {} on ({}): {}",
            later.action,
            moment(later.from),
            later.key,
            later.why
        )
    }));
    lines
}

/// What waivers lift, and what would be without them.
fn waivers(trace: &Trace) -> Vec<String> {
    let line = |waiver: &Lifted| {
        let still = if waiver.mentioned {
            ", which is still to be mentioned"
        } else {
            ""
        };
        format!(
            "  the waiver by {} through {} ({}) lifts {}{still}",
            waiver.author,
            waiver.expires,
            waiver.reason,
            waiver.covers.join(", ")
        )
    };
    let mut lines: Vec<String> = trace.waivers.iter().map(line).collect();
    if let Some(action) = trace.unwaived {
        let lifted = trace.rules.iter().filter(|it| it.unwaived == Some(action));
        let rules: Vec<&str> = lifted.map(|it| it.rule).collect();
        let rules = match rules.is_empty() {
            true => String::new(),
            false => format!(" ({})", rules.join(", ")),
        };
        lines.push(format!("  without the waiver: {action}{rules}"));
    }
    lines
}

/// That no rule decides where a waiver is in force: the waiver does.
fn decided_by_waiver(trace: &Trace) -> Option<String> {
    let by_rule = trace.rules.iter().any(|rule| rule.decided);
    if trace.waivers.is_empty() || by_rule {
        return None;
    }
    let why = match trace.action {
        Action::Allow => "nothing is left that speaks against the release",
        Action::Notice | Action::Hold | Action::Block => "what it lifts is still to be mentioned",
    };
    Some(format!(
        "  - the waiver: {}, and decides: {why}",
        trace.action
    ))
}

/// The same of a kept decision, taken again under the policy at hand and the circumstances it was taken
/// in. One line that says so where these were not kept, or where the decision is another today.
#[must_use]
pub fn structure_of(decision: &Decision, assessment: &Assessment, policy: &Policy) -> Vec<String> {
    let Some(circumstances) = &decision.circumstances else {
        return vec![
            "How it was decided in detail is not known: it is from a weir that did not keep the circumstances"
                .to_owned(),
        ];
    };
    let again = trace(assessment, &Context::again(circumstances, policy), policy);
    let mut lines = structure(&again);
    if again.action != decision.action {
        lines.push(format!(
            "Under the policy in force now it is {}; it was {} when it was decided",
            again.action, decision.action
        ));
    }
    lines
}

/// What became of a release that is refused, in words. `observed` where it was served all the same.
#[must_use]
pub const fn became(observed: bool) -> &'static str {
    match observed {
        true => "was served in observe mode, and would be refused otherwise",
        false => "was refused",
    }
}

fn outcome(action: Action, mode: GateMode) -> &'static str {
    match action {
        Action::Hold if mode == GateMode::Observe => "would be held, and observe mode serves it",
        Action::Block if mode == GateMode::Observe => {
            "would be blocked, and observe mode serves it"
        }
        Action::Allow => "allowed, it is served",
        Action::Notice => "notice, it is served",
        Action::Hold => "held, it is not served for now",
        Action::Block => "blocked, it is not served",
    }
}

/// Most signals of which every choice is tried. Beyond, one is left out after the other.
const CHOSEN: usize = 2;

/// The waiver that lets the release pass, to be put into `weir.toml`: for this version, for as few signals
/// as will do, and nothing else. It was tried on the policy, in the circumstances of the decision. Who, why
/// and until when are placeholders that a policy refuses until they are filled in.
///
/// # Errors
/// What to do where there is none: bytes or signatures do not match, which no waiver should be the first answer
/// to, none helps, or the circumstances were not kept, so that none can be tried.
fn proposal(
    decision: &Decision,
    assessment: &Assessment,
    policy: &Policy,
) -> Result<String, &'static str> {
    if lacks_integrity(assessment) {
        return Err(
            "ask whoever runs the registry why it gives no integrity for this release; no waiver covers \
             that, as its bytes could be anything",
        );
    }
    if !is_package(assessment) {
        return Err("have it looked at: a policy knows packages by their names, and this has none");
    }
    if is_held_unread(decision) {
        return Err(
            "have it looked at: `weir inspect` with the same data folder, registry and policy frees it if it is fine \
             (a gateway that runs goes by it within ten minutes)",
        );
    }
    if is_mismatched(assessment, policy) {
        return Err(
            "find out why the bytes are not what was published before anything else; fetch it again, and \
             tell the registry if that gives the same",
        );
    }
    let Some(circumstances) = &decision.circumstances else {
        return Err(
            "have it looked at: the circumstances of the decision were not kept, so that no waiver can be \
             tried; `weir inspect` decides anew",
        );
    };
    let context = Context::again(circumstances, policy);
    if action_of(assessment, &context, policy).serves() {
        return Err("ask for it again: the policy in force now lets it pass");
    }
    let helps = |signals: &[&str]| passes_with(signals, assessment, &context, policy);
    fewest(&waivable(assessment, &context, policy), helps)
        .map(|signals| snippet(assessment, &signals))
        .ok_or("have it looked at: under the policy in force no waiver lets it pass")
}

/// Whether bytes or signatures do not match, and the policy minds.
fn is_mismatched(assessment: &Assessment, policy: &Policy) -> bool {
    assessment.findings.iter().any(|finding| {
        let setting = policy.signals.get(&finding.signal).copied();
        let severity = setting.map_or(Some(finding.severity), SignalSetting::severity);
        NEVER_SILENT.contains(&finding.signal.as_str())
            && severity.is_some_and(|severity| severity > Severity::Info)
    })
}

/// The fewest of these signals that help, those that weigh least first. Nothing if all of them do not.
fn fewest<'a>(all: &[&'a str], helps: impl Fn(&[&str]) -> bool) -> Option<Vec<&'a str>> {
    if all.is_empty() || !helps(all) {
        return None;
    }
    for size in 1..=CHOSEN.min(all.len()) {
        for places in subsets(all.len(), size).into_iter().rev() {
            let places = places.into_iter();
            let set: Vec<&str> = places.filter_map(|at| all.get(at).copied()).collect();
            if helps(&set) {
                return Some(set);
            }
        }
    }
    let mut left = all.to_vec();
    for signal in all {
        let fewer: Vec<&str> = left.iter().copied().filter(|it| it != signal).collect();
        if helps(&fewer) {
            left = fewer;
        }
    }
    Some(left)
}

/// Whether a release passes once a waiver covers these signals, by the very text that is proposed.
fn passes_with(
    signals: &[&str],
    assessment: &Assessment,
    context: &Context,
    policy: &Policy,
) -> bool {
    let Some(waivers) = filled_in(&snippet(assessment, signals)) else {
        return false;
    };
    let mut tried = policy.clone();
    tried.waivers.extend(waivers);
    action_of(assessment, context, &tried).serves()
}

/// The waiver of a snippet, with somebody's name, a reason and an end that is far away.
fn filled_in(snippet: &str) -> Option<Vec<Waiver>> {
    let text = snippet
        .replace(REASON, "reason = \"tried\"")
        .replace(AUTHOR, "author = \"weir\"")
        .replace(EXPIRES, "expires = \"2999-12-31\"");
    let mut waivers = Policy::from_toml(&text, "weir.toml").ok()?.waivers;
    for waiver in &mut waivers {
        waiver.expires = waiver.expires.postponed();
    }
    Some(waivers)
}

/// What a person fills in. With the quotes, so that no name of a package is taken for it.
const REASON: &str = "reason = \"<why this is acceptable>\"";
const AUTHOR: &str = "author = \"<your name>\"";
const EXPIRES: &str = "expires = \"<year-month-day>\"";

fn snippet(assessment: &Assessment, signals: &[&str]) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let signals: Vec<String> = signals.iter().map(|signal| text(signal)).collect();
    format!(
        "[[waiver]]\npackage = {}\nversions = {}\nsignals = [{}]\naction = \"notice\"\n{REASON}\n{AUTHOR}\n\
         {EXPIRES}\n",
        text(&assessment.release.name),
        text(&assessment.release.version),
        signals.join(", ")
    )
}

#[cfg(test)]
mod tests;
