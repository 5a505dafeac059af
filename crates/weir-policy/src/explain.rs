//! The words in which a decision reaches people.

use weir_model::{Action, Assessment, BlockId, Decision};

use crate::config::{AGE_SIGNAL, INCOMPLETE_SIGNAL, NEVER_SILENT, Policy};
use crate::decide::{Context, Difference, Lifted, Trace, is_not_known, moment, trace};

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

/// The rule without its verb, then the strongest finding.
fn short_reason(decision: &Decision) -> String {
    let reasons = decision.reasons.iter();
    let mut reasons = reasons.filter(|reason| !is_not_known(reason)).take(2);
    let rule = reasons.next().map_or("", |rule| {
        rule.split_once(": ")
            .map_or(rule.as_str(), |(_, rest)| rest)
    });
    match reasons.next() {
        Some(finding) => ascii(&format!("{rule}: {finding}")),
        None => ascii(rule),
    }
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

/// Explains a decision to a person: what, why, since when, and what to do next. One line each;
/// lines that belong to the one above are indented.
#[must_use]
pub fn explain(decision: &Decision, assessment: &Assessment) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}",
        assessment.release,
        outcome(decision.action)
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
    lines.push("What to do:".to_owned());
    if let Some(version) = &decision.instead {
        lines.push(format!(
            "  - use {version} instead; ranges and tags resolve to it by themselves"
        ));
    }
    if let Some(until) = decision.until {
        lines.push(format!(
            "  - or wait: it will be served from {}",
            moment(until)
        ));
    }
    let or = if lines.last().is_some_and(|line| line.starts_with("  - ")) {
        "or "
    } else {
        ""
    };
    match waiver_snippet(decision, assessment) {
        Some(snippet) => {
            lines.push(format!(
                "  - {or}have it looked at, and ask for this in weir.toml:"
            ));
            lines.extend(snippet.lines().map(|line| format!("    {line}")));
        }
        None => lines.push(format!("  - {or}{}", without_waiver(assessment))),
    }
    lines
}

/// What to do where no waiver should, or can, let a release pass.
fn without_waiver(assessment: &Assessment) -> &'static str {
    if lacks_integrity(assessment) {
        "ask whoever runs the registry why it gives no integrity for this release; no waiver covers that, \
         as its bytes could be anything"
    } else if is_package(assessment) {
        "find out why the bytes are not what was published before anything else; fetch it again, and tell \
         the registry if that gives the same"
    } else {
        "have it looked at: a policy knows packages by their names, and this has none"
    }
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

fn outcome(action: Action) -> &'static str {
    match action {
        Action::Allow => "allowed, it is served",
        Action::Notice => "notice, it is served",
        Action::Hold => "held, it is not served for now",
        Action::Block => "blocked, it is not served",
    }
}

/// The waiver that would let the release pass, to be put into `weir.toml`: for this version, for
/// what was found on it, and nothing else. Who, why and until when are placeholders that a policy
/// refuses until they are filled in. `None` if bytes or signatures do not match: no waiver should
/// be the first answer to that. `None` as well where none would do: without an integrity, and for what
/// has no package's name.
#[must_use]
pub fn waiver_snippet(decision: &Decision, assessment: &Assessment) -> Option<String> {
    if lacks_integrity(assessment) || !is_package(assessment) {
        return None;
    }
    // A hold that ends by itself is one for age alone.
    let counted = assessment.counted().filter(|_| decision.until.is_none());
    let mut signals: Vec<&str> = counted.map(|finding| finding.signal.as_str()).collect();
    if signals.iter().any(|signal| NEVER_SILENT.contains(signal)) {
        return None;
    }
    if decision.until.is_none() && has_gaps(decision, assessment) {
        signals.push(INCOMPLETE_SIGNAL);
    }
    // Where nothing was found, nothing but age is left.
    if signals.is_empty() {
        signals.push(AGE_SIGNAL);
    }
    let mut seen = std::collections::BTreeSet::new();
    signals.retain(|signal| seen.insert(*signal));
    let text = |text: &str| toml::Value::from(text).to_string();
    let signals: Vec<String> = signals.into_iter().map(text).collect();
    Some(format!(
        "[[waiver]]\npackage = {}\nversions = {}\nsignals = [{}]\naction = \"notice\"\n\
         reason = \"<why this is acceptable>\"\nauthor = \"<your name>\"\nexpires = \"<year-month-day>\"\n",
        text(&assessment.release.name),
        text(&assessment.release.version),
        signals.join(", ")
    ))
}

/// Whether anything could not be checked that a waiver is needed for: when a release was published is not,
/// where the moment weir first saw it stands in.
fn has_gaps(decision: &Decision, assessment: &Assessment) -> bool {
    let circumstances = decision.circumstances.as_ref();
    let stands_in = circumstances.is_some_and(|it| it.published.is_some());
    let mut gaps = assessment.incomplete.iter();
    gaps.any(|gap| !(stands_in && gap.what == weir_model::assessment::PUBLISH_TIME))
}

#[cfg(test)]
mod tests;
