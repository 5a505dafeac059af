//! How a decision came about, rule by rule, and what would have to differ for another one.

use serde::Serialize;
use weir_model::finding::printable;
use weir_model::{Action, Assessment, Group};

use super::case::{Case, Ground};
use super::later::{Later, later};
use super::structure::{Answer, Count, GROUPS, RULES, Spared, Topic, When, of_group};
use super::waiver::{self, Waived};
use super::{Context, judge, outcome, settle};
use crate::config::{Policy, Waiver, WaiverAction};

/// Most things taken away together in search of a milder decision: more would be no explanation.
const TOGETHER: usize = 3;

/// Most ways to a milder decision that are told.
const TOLD: usize = 6;

/// What a group of evidence counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Counted {
    /// The group.
    pub group: Group,
    /// Findings above info, after the policy's `signals` and waivers.
    pub findings: u32,
    /// How often it counts: findings, up to the group's cap.
    pub counts: u32,
    /// How often it counts at most.
    pub cap: u32,
    /// Whether it weighs more on a young release.
    pub telling: bool,
    /// Whether popularity spares a block on it: `never`, `with-name-and-code`, `alone`.
    pub spared: &'static str,
}

/// One rule, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Asked {
    /// The rule's id.
    pub rule: &'static str,
    /// When it applies, in the reference's words.
    pub when: &'static str,
    /// The number or action that it compares with, and where it comes from.
    pub bound: String,
    /// What it answered; absent if it did not apply.
    pub answer: Option<Action>,
    /// What it would have answered without waivers; absent if that is the same, or it did not apply.
    pub unwaived: Option<Action>,
    /// Whether popularity made a hold of a block.
    pub softened: bool,
    /// Whether this answer is the decision.
    pub decided: bool,
    /// The answer in a sentence; absent if it did not apply.
    pub words: Option<String>,
}

/// One way to another decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// What would have to be so, each in words; all of it together.
    pub if_so: Vec<String>,
    /// The decision then.
    pub action: Action,
}

/// A waiver in force, and what it takes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Lifted {
    /// The packages it is about.
    pub package: String,
    /// The versions.
    pub versions: String,
    /// Who says so.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Its last day, or the moment it ends.
    pub expires: String,
    /// What it covers of this release: signals, `young-release` for its age, `incomplete-assessment` for
    /// what could not be checked.
    pub covers: Vec<String>,
    /// Whether what it covers is still to be mentioned.
    pub mentioned: bool,
}

/// How a decision came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Trace {
    /// The decision.
    pub action: Action,
    /// What each group counted.
    pub groups: Vec<Counted>,
    /// How often groups counted in all.
    pub count: u32,
    /// Every rule, in order.
    pub rules: Vec<Asked>,
    /// The fewest things that would have to be away for a milder decision.
    pub milder: Vec<Difference>,
    /// What one more kind of evidence would lead to, where that is stricter.
    pub stricter: Vec<Difference>,
    /// What time alone changes.
    pub later: Vec<Later>,
    /// The waivers that cover something. Rules are asked about what is left then.
    pub waivers: Vec<Lifted>,
    /// What it would be without waivers; absent if none covers anything.
    pub unwaived: Option<Action>,
}

/// Takes a decision again and tells how it comes about. Waivers are applied as ever: what they cover
/// is not there any more when the rules are asked. Where no rule decides then, the waiver does.
#[must_use]
pub fn trace(assessment: &Assessment, context: &Context, policy: &Policy) -> Trace {
    let whole = Case::new(assessment, context, policy);
    let (verdict, waived) = settle(&whole);
    let unwaived = waived.as_ref().map(|_| verdict.action);
    let (deciding, left, used, action) = match waived {
        Some(Waived {
            case,
            left,
            used,
            verdict,
            ..
        }) => (case, left, used, verdict.action),
        None => (whole.clone(), whole.clone(), Vec::new(), verdict.action),
    };
    Trace {
        action,
        groups: GROUPS
            .iter()
            .map(|rule| counted(&left, rule.group))
            .collect(),
        count: left.group_count(),
        rules: asked(&left, &whole, action),
        milder: milder(&deciding, &whole, action),
        stricter: stricter(&left, action),
        later: later(assessment, context, policy, action),
        waivers: used.iter().map(|waiver| lifted(waiver, &whole)).collect(),
        unwaived,
    }
}

fn lifted(waiver: &Waiver, whole: &Case<'_>) -> Lifted {
    Lifted {
        package: waiver.package.to_string(),
        versions: printable(waiver.versions.as_str(), 80),
        author: printable(waiver.author.as_str(), 80),
        reason: printable(waiver.reason.as_str(), 200),
        expires: waiver.expires.to_string(),
        covers: waiver::covered(waiver, whole),
        mentioned: waiver.action == WaiverAction::Notice,
    }
}

fn counted(case: &Case<'_>, group: Group) -> Counted {
    let findings = case.counted().filter(|it| it.group == group).count();
    let findings = u32::try_from(findings).unwrap_or(u32::MAX);
    let rule = of_group(group);
    let cap = rule.map_or(0, |rule| rule.cap);
    Counted {
        group,
        findings,
        counts: findings.min(cap),
        cap,
        telling: rule.is_some_and(|rule| rule.telling),
        spared: match rule.map_or(Spared::Never, |rule| rule.spared) {
            Spared::Never => "never",
            Spared::WithNameAndCode => "with-name-and-code",
            Spared::Alone => "alone",
        },
    }
}

fn asked(case: &Case<'_>, whole: &Case<'_>, action: Action) -> Vec<Asked> {
    // Of a topic only the first that answers like this decides.
    let mut decided: Vec<Topic> = Vec::new();
    let mut rules = Vec::with_capacity(RULES.len());
    for rule in RULES {
        let answer = rule.ask(case);
        // Allowing needs no rule, least of all one about what is not known.
        let decides =
            action > Action::Allow && answer == Some(action) && !decided.contains(&rule.topic);
        if decides {
            decided.push(rule.topic);
        }
        rules.push(Asked {
            rule: rule.id,
            when: rule.sentence,
            bound: bound(rule.when, rule.answer, case.policy),
            answer,
            unwaived: rule.ask(whole).filter(|other| Some(*other) != answer),
            softened: answer.is_some() && rule.softens(case),
            decided: decides,
            words: answer.map(|answer| rule.explain(case, answer)),
        });
    }
    rules
}

/// "3 groups (decide.block_groups)", "hold (decide.incomplete_unseen)".
fn bound(when: When, answer: Answer, policy: &Policy) -> String {
    let groups = |count: Count| match count {
        Count::Fixed(1) => "1 group".to_owned(),
        Count::Fixed(fixed) => format!("{fixed} groups"),
        Count::Key(key, _) => match count.of(policy) {
            1 => format!("1 group ({key})"),
            many => format!("{many} groups ({key})"),
        },
    };
    let count = match when {
        When::Groups(count) => Some(groups(count)),
        When::TellingWhileYoung(count) => Some(format!(
            "{}, younger than {} (age.young_for_rules)",
            groups(count),
            policy.age.young_for_rules
        )),
        When::HeldForAge => Some(format!("{} (age.minimum)", policy.age.minimum)),
        When::Decisive
        | When::Incomplete { .. }
        | When::UnknownPublisher
        | When::NoIntegrity
        | When::Unverified => None,
    };
    match (count, answer) {
        (Some(count), _) => count,
        (None, Answer::Key(key, read)) => format!("{} ({key})", read(policy)),
        (None, Answer::Fixed(action)) => action.to_string(),
    }
}

/// Something that could be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Group(Group),
    Age,
    Gaps,
}

impl Part {
    fn holds(self, ground: Ground<'_>) -> bool {
        match (self, ground) {
            (Self::Group(group), Ground::Finding(finding)) => finding.group == group,
            (Self::Age, Ground::Age) | (Self::Gaps, Ground::Incomplete | Ground::NoIntegrity) => {
                true
            }
            _ => false,
        }
    }

    fn in_words(self, case: &Case<'_>) -> String {
        match self {
            Self::Group(group) => {
                let mut signals: Vec<&str> = case
                    .counted()
                    .filter(|finding| finding.group == group)
                    .map(|finding| finding.signal.as_str())
                    .collect();
                signals.sort_unstable();
                signals.dedup();
                let signals: Vec<String> = signals
                    .into_iter()
                    .map(|signal| weir_model::finding::printable(signal, 80))
                    .collect();
                format!("no evidence of {group} ({})", signals.join(", "))
            }
            Self::Age => "its age did not hold it".to_owned(),
            Self::Gaps => {
                let gaps: Vec<String> = case
                    .unchecked_that_counts()
                    .map(|gap| weir_model::finding::printable(&gap.what, 80))
                    .collect();
                format!("everything could be checked ({})", gaps.join(", "))
            }
        }
    }
}

/// Whether a case rests on a ground, among others.
fn rests_on(case: &Case<'_>, ground: Ground<'_>) -> bool {
    case.grounds().any(|own| match (own, ground) {
        (Ground::Finding(own), Ground::Finding(other)) => std::ptr::eq(own, other),
        (Ground::Age, Ground::Age)
        | (Ground::Incomplete, Ground::Incomplete)
        | (Ground::NoIntegrity, Ground::NoIntegrity) => true,
        _ => false,
    })
}

/// The smallest sets of things without which the decision is milder. What is told of is in the case that
/// decides; it is taken away from the whole, so that what waivers want mentioned still is.
fn milder(case: &Case<'_>, whole: &Case<'_>, action: Action) -> Vec<Difference> {
    let mut parts: Vec<Part> = case.groups().iter().copied().map(Part::Group).collect();
    if case.grounds().any(|ground| matches!(ground, Ground::Age)) {
        parts.push(Part::Age);
    }
    if case
        .grounds()
        .any(|ground| matches!(ground, Ground::Incomplete | Ground::NoIntegrity))
    {
        parts.push(Part::Gaps);
    }
    let mut found: Vec<(Vec<usize>, Difference)> = Vec::new();
    for size in 1..=TOGETHER.min(parts.len()) {
        for set in subsets(parts.len(), size) {
            let known = |(smaller, _): &(Vec<usize>, Difference)| {
                smaller.iter().all(|place| set.contains(place))
            };
            if found.iter().any(known) {
                continue;
            }
            let away: Vec<Part> = set
                .iter()
                .filter_map(|at| parts.get(*at).copied())
                .collect();
            let left = whole.keeping(|ground| {
                !rests_on(case, ground) || !away.iter().any(|part| part.holds(ground))
            });
            let then = outcome(&left);
            if then < action {
                let if_so = away.iter().map(|part| part.in_words(case)).collect();
                found.push((
                    set,
                    Difference {
                        if_so,
                        action: then,
                    },
                ));
            }
        }
    }
    found.truncate(TOLD);
    found
        .into_iter()
        .map(|(_, difference)| difference)
        .collect()
}

/// All sets of `size` places below `count`, in order.
pub(crate) fn subsets(count: usize, size: usize) -> Vec<Vec<usize>> {
    let mut sets = vec![Vec::new()];
    for _ in 0..size {
        sets = sets
            .into_iter()
            .flat_map(|set: Vec<usize>| {
                let start = set.last().map_or(0, |last| last + 1);
                (start..count).map(move |next| {
                    let mut longer = set.clone();
                    longer.push(next);
                    longer
                })
            })
            .collect();
    }
    sets
}

fn stricter(case: &Case<'_>, action: Action) -> Vec<Difference> {
    if waiver::covers_whatever_comes(case) {
        return Vec::new();
    }
    let missing = GROUPS
        .iter()
        .filter(|rule| rule.cap > 0 && !case.has_group(rule.group));
    let mut found: Vec<(Action, Vec<&str>)> = Vec::new();
    for rule in missing {
        let then = judge(&case.with_group(rule.group)).action;
        if then <= action {
            continue;
        }
        match found.iter_mut().find(|(known, _)| *known == then) {
            Some((_, groups)) => groups.push(rule.group.as_str()),
            None => found.push((then, vec![rule.group.as_str()])),
        }
    }
    found
        .into_iter()
        .map(|(action, groups)| Difference {
            if_so: vec![format!("there were evidence of {}", one_of(&groups))],
            action,
        })
        .collect()
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests;
