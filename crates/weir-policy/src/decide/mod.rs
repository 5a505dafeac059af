//! From an assessment to a decision (DESIGN, "Deciding").
//!
//! [`decide`] asks every rule of the table [`RULES`] and takes the strictest answer, then lets
//! waivers take findings away and asks again. It is monotone: another finding never makes a
//! decision milder, another waiver never makes it stricter.

mod case;
mod later;
mod rules;
mod structure;
mod trace;
mod waiver;

use jiff::Timestamp;
use weir_model::finding::printable;
use weir_model::{Action, Assessment, Circumstances, Decision, Incomplete};

use crate::config::Policy;

pub use case::ALONE;
pub use later::Later;
pub use structure::{Answer, Count, GROUPS, GroupRule, RULES, Rule, Spared, Topic, When, of_group};
pub use trace::{Asked, Counted, Difference, Lifted, Trace, trace};
pub use weir_model::Request;

pub(crate) use rules::PINNED;
pub(crate) use trace::subsets;
pub(crate) use waiver::waivable;

use case::Case;
use waiver::Waived;

/// Raised whenever the same policy and assessment could give another decision; part of
/// [`Policy::fingerprint`].
pub const RULES_VERSION: u32 = 14;

/// What a decision depends on besides the assessment and the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The moment of the decision.
    pub now: Timestamp,
    /// When the release was published, or first seen where the upstream does not say. Which of the two it
    /// is, the assessment's gap "publish time" tells.
    pub published: Option<Timestamp>,
    /// The package's rank by downloads, 1 for the most downloaded; absent beyond the list.
    pub rank: Option<u32>,
    /// Why the release is wanted.
    pub request: Request,
    /// Whether this gateway has served exactly these bytes before, or a registered lockfile that
    /// was accepted earlier pins them.
    pub served_before: bool,
    /// The ids of advisories that affect what would be served instead, and that this release fixes;
    /// for people to read. Absent if there are none.
    pub fixes_advisory_of: Option<String>,
    /// Whether the release is long established; see [`Policy::is_established`].
    pub established: bool,
    /// The version to use instead, should this one be refused.
    pub instead: Option<String>,
}

impl Context {
    /// A new resolution of a release about which nothing is known.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            published: None,
            rank: None,
            request: Request::NewResolution,
            served_before: false,
            fixes_advisory_of: None,
            established: false,
            instead: None,
        }
    }
}

impl Context {
    /// What a kept decision depended on, for taking it again under a policy. Whether the release is
    /// established is for that policy to say.
    #[must_use]
    pub fn again(circumstances: &Circumstances, policy: &Policy) -> Self {
        let Circumstances {
            now,
            published,
            rank,
            request,
            served_before,
            ref fixes_advisory_of,
        } = *circumstances;
        Self {
            now,
            published,
            rank,
            request,
            served_before,
            fixes_advisory_of: fixes_advisory_of.clone(),
            established: policy.is_established(published, rank, now),
            instead: None,
        }
    }

    /// The same release at another moment.
    fn at(&self, now: Timestamp, policy: &Policy) -> Self {
        Self {
            now,
            // Whoever said that it is established knows; time only ever adds to that.
            established: self.established || policy.is_established(self.published, self.rank, now),
            ..self.clone()
        }
    }

    /// What is kept with a decision.
    #[must_use]
    pub fn circumstances(&self) -> Circumstances {
        Circumstances {
            now: self.now,
            published: self.published,
            rank: self.rank,
            request: self.request,
            served_before: self.served_before,
            fixes_advisory_of: self.fixes_advisory_of.clone(),
        }
    }
}

/// What all rules together say about a case.
#[derive(Debug, Clone)]
struct Verdict {
    action: Action,
    /// The rules that gave this answer, in words, the first of the table first.
    sentences: Vec<String>,
    /// Whether only the release's age holds it, so that the hold ends by itself.
    age_alone: bool,
}

/// Decides what is to happen with a release.
#[must_use]
pub fn decide(assessment: &Assessment, context: &Context, policy: &Policy) -> Decision {
    let case = Case::new(assessment, context, policy);
    let mut decided = match settle(&case) {
        (_, Some(waived)) => {
            let mut decision = decision(&waived.case, &waived.verdict);
            // Below the rule, above the findings that are left.
            let after_rules = waived.verdict.sentences.len().min(decision.reasons.len());
            decision
                .reasons
                .splice(after_rules..after_rules, waived.notes);
            decision.waiver = waived.reason;
            decision
        }
        (verdict, None) => {
            let mut decision = decision(&case, &verdict);
            if verdict.action > Action::Allow {
                decision.reasons.extend(waiver::expired_notes(&case));
            }
            decision
        }
    };
    // A waiver may end before the release is old enough: then waiting does not help.
    decided.until = decided
        .until
        .filter(|end| action_at(assessment, context, *end, policy).serves());
    decided
}

/// What is decided at another moment, if nothing but time changes.
fn action_at(
    assessment: &Assessment,
    context: &Context,
    moment: Timestamp,
    policy: &Policy,
) -> Action {
    action_of(assessment, &context.at(moment, policy), policy)
}

/// What is decided, without the words for it.
pub(crate) fn action_of(assessment: &Assessment, context: &Context, policy: &Policy) -> Action {
    outcome(&Case::new(assessment, context, policy))
}

/// What waivers make of what the rules say of a case.
fn outcome(case: &Case<'_>) -> Action {
    match settle(case) {
        (_, Some(waived)) => waived.verdict.action,
        (verdict, None) => verdict.action,
    }
}

/// What the rules say of a case, and what waivers leave of it, where they cover something.
fn settle<'a>(case: &Case<'a>) -> (Verdict, Option<Waived<'a>>) {
    let verdict = judge(case);
    let waived = match verdict.action {
        Action::Allow => None,
        _ => waiver::apply(case, &verdict),
    };
    (verdict, waived)
}

/// Asks every rule; of those that give the strictest answer, one per topic is kept.
fn judge(case: &Case<'_>) -> Verdict {
    let mut answers: Vec<(&Rule, Action, String)> = Vec::new();
    for rule in RULES {
        let Some(action) = rule.ask(case) else {
            continue;
        };
        let milder = |(known, answer, _): &(&Rule, Action, String)| {
            known.topic != rule.topic || *answer < action
        };
        if answers.iter().all(milder) {
            answers.retain(|(known, ..)| known.topic != rule.topic);
            answers.push((rule, action, rule.explain(case, action)));
        }
    }
    let action = answers
        .iter()
        .map(|(_, action, _)| *action)
        .max()
        .unwrap_or(Action::Allow);
    // That something is not known is no reason to allow anything: allowing needs none.
    answers.retain(|(_, answer, _)| *answer == action && action > Action::Allow);
    let age_alone =
        action == Action::Hold && answers.iter().all(|(rule, ..)| rule.topic == Topic::Age);
    Verdict {
        action,
        sentences: answers.into_iter().map(|(.., sentence)| sentence).collect(),
        age_alone,
    }
}

/// How what a registry leaves out begins among the reasons.
const NOT_KNOWN: &str = "not known: ";

/// How a gap is told among the reasons: "not known: who published it", "could not check contents: timed
/// out". What a registry never says was no check that failed.
#[must_use]
pub fn gap_in_words(gap: &Incomplete) -> String {
    match gap.why.strip_prefix("the registry does not say ") {
        Some(what) => format!("{NOT_KNOWN}{}", printable(what, 200)),
        None => format!(
            "could not check {}: {}",
            printable(&gap.what, 200),
            printable(&gap.why, 200)
        ),
    }
}

/// Whether a reason tells that a registry leaves something out. It stands beside the others and is no
/// ground for anything by itself.
#[must_use]
pub fn is_not_known(reason: &str) -> bool {
    reason.starts_with(NOT_KNOWN)
}

/// The decision in the model's form, with its reasons. They never depend on the time of day, only
/// on what rules, findings and dates say, so that the refusal's id stays the same.
fn decision(case: &Case<'_>, verdict: &Verdict) -> Decision {
    let mut reasons = verdict.sentences.clone();
    reasons.extend(case.counted().map(|finding| {
        format!(
            "{} [{}]",
            printable(&finding.message, 400),
            printable(&finding.signal, 80)
        )
    }));
    reasons.extend(case.unchecked().map(gap_in_words));
    reasons.extend(case.spared_from_age());
    let refused = !verdict.action.serves();
    if let Some(published) = case
        .context
        .published
        .filter(|_| refused && !verdict.age_alone)
    {
        reasons.push(format!("{} {}", case.dated(), moment(published)));
    }
    Decision {
        action: verdict.action,
        groups: case.groups().to_vec(),
        reasons,
        until: case.end_of_youth().filter(|_| verdict.age_alone),
        instead: case.context.instead.clone().filter(|_| refused),
        waiver: None,
        circumstances: None,
    }
}

/// A moment as people and machines read it: RFC 3339 in UTC, whole seconds.
pub(crate) fn moment(timestamp: Timestamp) -> String {
    format!("{timestamp:.0}")
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
