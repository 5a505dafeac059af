//! How the decider reads the tables of [`structure`](super::structure), and the words for it.

use weir_model::{Action, Finding, Group};

use super::case::Case;
use super::structure::{GROUPS, Rule, Topic, When};
use super::{Request, moment};

impl Rule {
    /// The rule's answer, if it applies. Popularity turns a block on evidence into a hold, whichever
    /// rule it comes from (DETECTION section 4.5).
    pub(super) fn ask(&self, case: &Case<'_>) -> Option<Action> {
        if !self.applies(case) {
            return None;
        }
        if self.softens(case) {
            Some(Action::Hold)
        } else {
            Some(self.answer.of(case.policy))
        }
    }

    fn applies(&self, case: &Case<'_>) -> bool {
        match self.when {
            When::Decisive => decisive(case).next().is_some(),
            When::Groups(least) => case.group_count() >= least.of(case.policy),
            When::TellingWhileYoung(least) => {
                case.is_young_for_rules()
                    && telling(case).is_some()
                    && case.group_count() >= least.of(case.policy)
            }
            When::HeldForAge => case.is_held_for_age(),
            When::Incomplete { known } => case.is_incomplete() && case.is_known() == known,
            When::UnknownPublisher => case.is_publisher_unknown(),
            When::NoIntegrity => case.lacks_integrity(),
            When::Unverified => case.is_unverified(),
        }
    }

    /// Whether popularity makes a hold of what would be a block.
    pub(super) fn softens(&self, case: &Case<'_>) -> bool {
        self.topic == Topic::Evidence
            && self.answer.of(case.policy) == Action::Block
            && case.is_spared_by_popularity()
    }

    /// The answer in words, with the action it led to.
    pub(super) fn explain(&self, case: &Case<'_>, action: Action) -> String {
        let words = self.words(case);
        let verb = verb(action);
        if !self.softens(case) {
            return format!("{verb}: {words}");
        }
        let only = if case.has_group(Group::Intel) {
            "what others published speaks"
        } else {
            "its name and code speak"
        };
        let top = case.policy.decide.popular;
        format!(
            "{verb}: {words}; not blocked, because only {only} against it and the package is among \
             the {top} most used: a person has to look"
        )
    }

    fn words(&self, case: &Case<'_>) -> String {
        match self.when {
            When::Decisive => {
                let mut ids: Vec<&str> = decisive(case)
                    .map(|finding| finding.signal.as_str())
                    .collect();
                ids.dedup();
                let ids: Vec<String> = ids
                    .into_iter()
                    .map(|id| weir_model::finding::printable(id, 80))
                    .collect();
                format!("a fact that is enough by itself ({})", ids.join(", "))
            }
            When::Groups(_) => kinds(case),
            When::TellingWhileYoung(_) => {
                let window = case.policy.age.young_for_rules;
                let telling = telling(case).map_or("none", Group::as_str);
                match case.context.published {
                    Some(_) if case.is_first_seen() => format!(
                        "{}, {telling} among them, while first seen less than {window} ago",
                        kinds(case)
                    ),
                    Some(_) => format!(
                        "{}, {telling} among them, while younger than {window}",
                        kinds(case)
                    ),
                    None => format!(
                        "{}, {telling} among them, and an unknown publish time",
                        kinds(case)
                    ),
                }
            }
            When::HeldForAge => age(case),
            When::Incomplete { known: false } => {
                format!(
                    "{}, and the release is neither established nor was it served here before",
                    unchecked(case)
                )
            }
            When::Incomplete { known: true } => {
                let known = if case.context.established {
                    "is long established"
                } else {
                    "was served here before"
                };
                format!("{}; the release {known}", unchecked(case))
            }
            When::UnknownPublisher => {
                "the registry does not say who published it or the releases before it".to_owned()
            }
            When::NoIntegrity => {
                "the registry gives no integrity to check the tarball against".to_owned()
            }
            When::Unverified => {
                "something is expected of its origin and could not be verified".to_owned()
            }
        }
    }
}

/// How a decision begins in a sentence.
pub(crate) fn verb(action: Action) -> &'static str {
    match action {
        Action::Allow => "allowed",
        Action::Notice => "notice",
        Action::Hold => "held",
        Action::Block => "blocked",
    }
}

/// The first group that counts and weighs more on a young release.
fn telling(case: &Case<'_>) -> Option<Group> {
    GROUPS
        .iter()
        .find(|rule| rule.telling && case.has_group(rule.group))
        .map(|rule| rule.group)
}

fn decisive<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Finding> {
    case.counted().filter(|finding| finding.decisive)
}

/// "two independent kinds of evidence (execution, code)".
fn kinds(case: &Case<'_>) -> String {
    const WORDS: &[&str] = &[
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let groups = case.groups();
    let names: Vec<&str> = groups.iter().map(|group| group.as_str()).collect();
    let count = WORDS.get(groups.len()).copied().unwrap_or("many");
    match groups.len() {
        1 => format!("one kind of evidence ({})", names.join(", ")),
        _ => format!(
            "{count} independent kinds of evidence ({})",
            names.join(", ")
        ),
    }
}

/// What is missing. A publish time alone is only missed where no moment stands in for it.
fn unchecked(case: &Case<'_>) -> &'static str {
    if case.lacks_only_its_age() {
        "neither when it was published nor when weir first saw it is known"
    } else {
        "not everything could be checked"
    }
}

/// Why a lockfile does not help a young release.
pub(crate) const PINNED: &str =
    " and never served here before, so that a lockfile that pins it does not vouch for it";

fn age(case: &Case<'_>) -> String {
    let minimum = case.policy.age.minimum;
    let young = match case.context.published {
        Some(since) => format!("{} {}, younger than {minimum}", case.dated(), moment(since)),
        None => "nobody knows when it was published, so it counts as young".to_owned(),
    };
    match case.context.request {
        Request::Pinned => format!("{young}{PINNED}"),
        Request::NewResolution | Request::Inspection => young,
    }
}
