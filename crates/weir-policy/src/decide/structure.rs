//! The structure of a decision as data: what each group of evidence counts, and which rule answers
//! what. DESIGN, "Deciding", is the specification, DETECTION section 4 has the reasons. The same tables
//! are read by the decider, printed in every explanation and written into `docs/policy.md`.

use weir_model::{Action, Group};

use crate::config::Policy;

/// With which other evidence a popular package is spared a block (DETECTION section 4.5): of such a
/// package, names and code are often misread, and one feed is often wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// Never: a change of people, trust, dependencies, install-time code or archives is what it is,
    /// however popular the package.
    Never,
    /// While nothing but groups of this kind speaks against the release.
    WithNameAndCode,
    /// While nothing else at all speaks against it.
    Alone,
}

/// What a group of evidence counts.
#[derive(Debug, Clone, Copy)]
pub struct GroupRule {
    /// The group.
    pub group: Group,
    /// What its findings are about, for people.
    pub about: &'static str,
    /// How often it counts at most, however many findings it has: views of one fact are no two facts
    /// (DETECTION section 4.1). 0 never counts.
    pub cap: u32,
    /// Whether it is what a stolen account changes first, so that on a young release it weighs more.
    pub telling: bool,
    /// Whether a popular package is spared.
    pub spared: Spared,
}

const fn group(
    group: Group,
    cap: u32,
    telling: bool,
    spared: Spared,
    about: &'static str,
) -> GroupRule {
    GroupRule {
        group,
        about,
        cap,
        telling,
        spared,
    }
}

/// Every group.
pub const GROUPS: &[GroupRule] = &[
    group(
        Group::Identity,
        1,
        false,
        Spared::Never,
        "who published it: publisher, maintainers, traces of the publishing machine",
    ),
    group(
        Group::Trust,
        1,
        true,
        Spared::Never,
        "provenance, trusted publishing, signatures",
    ),
    group(
        Group::Execution,
        1,
        false,
        Spared::Never,
        "code that runs at install time",
    ),
    group(
        Group::Dependency,
        1,
        true,
        Spared::Never,
        "what it depends on, and from where",
    ),
    group(
        Group::Shape,
        1,
        false,
        Spared::Never,
        "sizes, versions, archives and manifests that do not agree",
    ),
    group(
        Group::Code,
        1,
        false,
        Spared::WithNameAndCode,
        "what its code does",
    ),
    group(
        Group::Runtime,
        1,
        false,
        Spared::Never,
        "what it did when it was run under observation",
    ),
    group(
        Group::Name,
        1,
        false,
        Spared::WithNameAndCode,
        "its name, and what it resembles",
    ),
    group(
        Group::Intel,
        1,
        false,
        Spared::Alone,
        "what others have published about it",
    ),
    group(
        Group::Age,
        0,
        false,
        Spared::Never,
        "how long it has been public: held for, never counted",
    ),
];

/// The rule of a group.
#[must_use]
pub fn of_group(wanted: Group) -> Option<&'static GroupRule> {
    GROUPS.iter().find(|rule| rule.group == wanted)
}

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

/// A number in the table: fixed, or a key of `weir.toml`.
#[derive(Clone, Copy)]
pub enum Count {
    /// Always this.
    Fixed(u32),
    /// What the key says.
    Key(&'static str, fn(&Policy) -> u32),
}

impl Count {
    /// The number in force.
    #[must_use]
    pub fn of(self, policy: &Policy) -> u32 {
        match self {
            Self::Fixed(count) => count,
            Self::Key(_, read) => read(policy),
        }
    }
}

/// An answer in the table: fixed, or a key of `weir.toml`.
#[derive(Clone, Copy)]
pub enum Answer {
    /// Always this.
    Fixed(Action),
    /// What the key says.
    Key(&'static str, fn(&Policy) -> Action),
}

impl Answer {
    /// The answer in force.
    #[must_use]
    pub fn of(self, policy: &Policy) -> Action {
        match self {
            Self::Fixed(action) => action,
            Self::Key(_, read) => read(policy),
        }
    }

    /// The answer as the reference prints it.
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Fixed(action) => action.as_str().to_owned(),
            Self::Key(key, _) => format!("`{key}`"),
        }
    }
}

/// When a rule applies.
#[derive(Clone, Copy)]
pub enum When {
    /// One finding is enough by itself.
    Decisive,
    /// At least so many groups count.
    Groups(Count),
    /// The same, one of them telling, while the release is younger than `age.young_for_rules`.
    TellingWhileYoung(Count),
    /// Age holds the release.
    HeldForAge,
    /// Something could not be checked, and the release is known here, or is not.
    Incomplete {
        /// Established, or served before.
        known: bool,
    },
    /// The registry does not say who published it, or the releases before it.
    UnknownPublisher,
    /// The registry gives nothing to check the tarball against.
    NoIntegrity,
    /// Something is expected of its origin, and could not be verified.
    Unverified,
}

/// One rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name: kebab-case, never changed once shipped.
    pub id: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// When it applies.
    pub when: When,
    /// What it answers then. Popularity turns a block on evidence into a hold, whichever rule it comes
    /// from, see [`Spared`].
    pub answer: Answer,
    /// When it applies, for people.
    pub sentence: &'static str,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Groups of evidence that block a young release if one of them is telling.
const GROUPS_IF_YOUNG: Count = Count::Fixed(2);

/// Every rule. Within a topic the stricter ones come first.
pub const RULES: &[Rule] = &[
    Rule {
        id: "decisive-fact",
        topic: Topic::Evidence,
        when: When::Decisive,
        answer: Answer::Fixed(Action::Block),
        sentence: "One fact is enough by itself: an advisory says malware, bytes or signature do not \
                   match, credentials flow from install-time code to the network, the code publishes \
                   itself, a canary leaks, extractors disagree on the archive, the name is one of \
                   `names.internal`. (Popular packages: hold, while only name and code, or only \
                   advisories, speak against them.)",
    },
    Rule {
        id: "many-groups",
        topic: Topic::Evidence,
        when: When::Groups(Count::Key("decide.block_groups", |policy| {
            policy.decide.block_groups
        })),
        answer: Answer::Fixed(Action::Block),
        sentence: "At least `decide.block_groups` independent kinds of evidence. (Popular packages: \
                   hold, while only name and code speak against them.)",
    },
    Rule {
        id: "young-and-telling",
        topic: Topic::Evidence,
        when: When::TellingWhileYoung(GROUPS_IF_YOUNG),
        answer: Answer::Fixed(Action::Block),
        sentence: "At least two independent kinds of evidence, one of them trust or dependency, on a \
                   release younger than `age.young_for_rules`.",
    },
    Rule {
        id: "some-groups",
        topic: Topic::Evidence,
        when: When::Groups(Count::Key("decide.hold_groups", |policy| {
            policy.decide.hold_groups
        })),
        answer: Answer::Fixed(Action::Hold),
        sentence: "At least `decide.hold_groups` independent kinds of evidence.",
    },
    Rule {
        id: "any-evidence",
        topic: Topic::Evidence,
        when: When::Groups(Count::Fixed(1)),
        answer: Answer::Fixed(Action::Notice),
        sentence: "Any evidence at all.",
    },
    Rule {
        id: "young-release",
        topic: Topic::Age,
        when: When::HeldForAge,
        answer: Answer::Fixed(Action::Hold),
        sentence: "Younger than `age.minimum`, not served here before, not fixing an advisory that \
                   affects what would be served instead, not excluded. A lockfile that pins it does \
                   not vouch for it. The hold ends by itself.",
    },
    Rule {
        id: "no-integrity",
        topic: Topic::Completeness,
        when: When::NoIntegrity,
        answer: Answer::Fixed(Action::Hold),
        sentence: "The registry gives no integrity to check the tarball against, so that its bytes could \
                   be anything. Neither a setting nor a waiver lets that pass.",
    },
    Rule {
        id: "unverified-expectation",
        topic: Topic::Completeness,
        when: When::Unverified,
        answer: Answer::Fixed(Action::Hold),
        sentence: "An entry of `[[expect]]` with `on_breach = \"block\"` applies to the release, and the \
                   registry's signature or the attestations it announces could not be verified. Neither its age \
                   nor that it was served here before says that they hold.",
    },
    Rule {
        id: "incomplete-unseen",
        topic: Topic::Completeness,
        when: When::Incomplete { known: false },
        answer: Answer::Key("decide.incomplete_unseen", |policy| {
            policy.decide.incomplete_unseen
        }),
        sentence: "Something could not be checked, and the release is neither established nor was it \
                   served here before. (Not what a registry would have to tell of a tarball or folder that \
                   somebody inspects alone.)",
    },
    Rule {
        id: "incomplete-established",
        topic: Topic::Completeness,
        when: When::Incomplete { known: true },
        answer: Answer::Key("decide.incomplete_established", |policy| {
            policy.decide.incomplete_established
        }),
        sentence: "Something could not be checked, but the release is established or was served here \
                   before.",
    },
    Rule {
        id: "unknown-publisher",
        topic: Topic::Completeness,
        when: When::UnknownPublisher,
        answer: Answer::Key("decide.unknown_publisher", |policy| {
            policy.decide.unknown_publisher
        }),
        sentence: "The registry does not say who published the release, or the ones before it.",
    },
];
