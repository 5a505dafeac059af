//! The rules, as data. DESIGN, "Deciding", is their specification; DETECTION section 4 their reasons.

use weir_model::{Action, Finding, Group};

use super::case::Case;
use super::{Request, moment};

/// What a rule is about. Of the rules of one topic only the first that applies is told to people:
/// where three kinds of evidence block, nobody needs to hear that two would have held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Findings.
    Evidence,
    /// How long the release has been public.
    Age,
    /// What could not be checked.
    Completeness,
}

/// One rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name: kebab-case, never changed once shipped.
    pub id: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// What it answers when it applies, for the reference.
    pub answer: &'static str,
    /// When it applies, for the reference.
    pub sentence: &'static str,
    applies: fn(&Case<'_>) -> Option<Action>,
    words: fn(&Case<'_>) -> String,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Rule {
    /// The rule's answer, if it applies. Popularity turns a block on evidence into a hold, whichever
    /// rule it comes from (DETECTION section 4.5).
    pub(super) fn ask(&self, case: &Case<'_>) -> Option<Action> {
        let action = (self.applies)(case)?;
        if self.softens(case, action) {
            Some(Action::Hold)
        } else {
            Some(action)
        }
    }

    fn softens(&self, case: &Case<'_>, action: Action) -> bool {
        self.topic == Topic::Evidence && action == Action::Block && case.is_spared_by_popularity()
    }

    /// The answer in words, with the action it led to.
    pub(super) fn explain(&self, case: &Case<'_>, action: Action) -> String {
        let words = (self.words)(case);
        let softened = (self.applies)(case).is_some_and(|before| self.softens(case, before));
        let verb = verb(action);
        if softened {
            let only = if case.has_group(&[Group::Intel]) {
                "what others published speaks"
            } else {
                "its name and code speak"
            };
            let top = case.policy.decide.popular;
            format!(
                "{verb}: {words}; not blocked, because only {only} against it and the package is among \
                 the {top} most used: a person has to look"
            )
        } else {
            format!("{verb}: {words}")
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

/// Two kinds of evidence with one of these among them weigh more on a young release: they are what
/// a stolen account changes first.
const TELLING: &[Group] = &[Group::Trust, Group::Dependency];

/// Groups of evidence that block a young release if one of them is telling.
const GROUPS_IF_YOUNG: u32 = 2;

/// Every rule. Within a topic the stricter ones come first.
pub const RULES: &[Rule] = &[
    Rule {
        id: "decisive-fact",
        topic: Topic::Evidence,
        answer: "block",
        sentence: "One fact is enough by itself: an advisory says malware, bytes or signature do not \
                   match, credentials flow from install-time code to the network, the code publishes \
                   itself, a canary leaks, extractors disagree on the archive. (Popular packages: \
                   hold, while only name and code, or only advisories, speak against them.)",
        applies: |case| decisive(case).next().map(|_| Action::Block),
        words: |case| {
            let mut ids: Vec<&str> = decisive(case)
                .map(|finding| finding.signal.as_str())
                .collect();
            ids.dedup();
            let ids: Vec<String> = ids
                .into_iter()
                .map(|id| weir_model::finding::printable(id, 80))
                .collect();
            format!("a fact that is enough by itself ({})", ids.join(", "))
        },
    },
    Rule {
        id: "many-groups",
        topic: Topic::Evidence,
        answer: "block",
        sentence: "At least `decide.block_groups` independent kinds of evidence. (Popular packages: \
                   hold, while only name and code speak against them.)",
        applies: |case| enough(case, case.policy.decide.block_groups, Action::Block),
        words: kinds,
    },
    Rule {
        id: "young-and-telling",
        topic: Topic::Evidence,
        answer: "block",
        sentence: "At least two independent kinds of evidence, one of them trust or dependency, on a \
                   release younger than `age.young_for_rules`.",
        applies: |case| {
            let applies = case.is_young_for_rules() && case.has_group(TELLING);
            if applies {
                enough(case, GROUPS_IF_YOUNG, Action::Block)
            } else {
                None
            }
        },
        words: |case| {
            let window = case.policy.age.young_for_rules;
            let telling = if case.has_group(&[Group::Trust]) {
                "trust"
            } else {
                "dependency"
            };
            match case.context.published {
                Some(_) => format!(
                    "{}, {telling} among them, while younger than {window}",
                    kinds(case)
                ),
                None => format!(
                    "{}, {telling} among them, and an unknown publish time",
                    kinds(case)
                ),
            }
        },
    },
    Rule {
        id: "some-groups",
        topic: Topic::Evidence,
        answer: "hold",
        sentence: "At least `decide.hold_groups` independent kinds of evidence.",
        applies: |case| enough(case, case.policy.decide.hold_groups, Action::Hold),
        words: kinds,
    },
    Rule {
        id: "any-evidence",
        topic: Topic::Evidence,
        answer: "notice",
        sentence: "Any evidence at all.",
        applies: |case| enough(case, 1, Action::Notice),
        words: kinds,
    },
    Rule {
        id: "young-release",
        topic: Topic::Age,
        answer: "hold",
        sentence: "Younger than `age.minimum`, not served here before, not fixing an advisory that \
                   affects what would be served instead, not excluded. A lockfile that pins it does \
                   not vouch for it. The hold ends by itself.",
        applies: |case| case.is_held_for_age().then_some(Action::Hold),
        words: age,
    },
    Rule {
        id: "incomplete-unseen",
        topic: Topic::Completeness,
        answer: "`decide.incomplete_unseen`",
        sentence: "Something could not be checked, and the release is neither established nor was it \
                   served here before.",
        applies: |case| {
            let applies = case.is_incomplete() && !case.is_known();
            applies.then_some(case.policy.decide.incomplete_unseen)
        },
        words: |_| {
            "not everything could be checked, and the release is neither established nor was it \
             served here before"
                .to_owned()
        },
    },
    Rule {
        id: "incomplete-established",
        topic: Topic::Completeness,
        answer: "`decide.incomplete_established`",
        sentence: "Something could not be checked, but the release is established or was served here \
                   before.",
        applies: |case| {
            let applies = case.is_incomplete() && case.is_known();
            applies.then_some(case.policy.decide.incomplete_established)
        },
        words: |case| {
            let known = if case.context.established {
                "is long established"
            } else {
                "was served here before"
            };
            format!("not everything could be checked; the release {known}")
        },
    },
];

fn decisive<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Finding> {
    case.counted().filter(|finding| finding.decisive)
}

fn enough(case: &Case<'_>, groups: u32, action: Action) -> Option<Action> {
    (case.group_count() >= groups).then_some(action)
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

fn age(case: &Case<'_>) -> String {
    let minimum = case.policy.age.minimum;
    let young = match case.context.published {
        Some(published) => format!("published {}, younger than {minimum}", moment(published)),
        None => "nobody knows when it was published, so it counts as young".to_owned(),
    };
    match case.context.request {
        Request::Pinned => format!(
            "{young} and never served here before, so that a lockfile that pins it does not vouch for it"
        ),
        Request::NewResolution | Request::Inspection => young,
    }
}
