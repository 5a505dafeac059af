//! `lookalike-name`: the name could be mistaken for one that people trust.

use jiff::SignedDuration;
use weir_model::habits::By;
use weir_model::{Confidence, Evidence, Group, Severity};

use super::REAL_DEPENDENTS;
use crate::lesson::runs_at_install;
use crate::names::{Lookalike, Strength, Transformation, Trusted, forms, words};
use crate::surroundings::SIBLINGS;
use crate::{Declaration, Documentation, Kind, Layer, Maturity, Observation, Subject};

/// A package this young has had no time to make a name of its own. The lookalikes on record were
/// found within weeks, the slow ones within three months (INCIDENTS I01, I19, I30).
const YOUNG: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A package whose first release is this old, with [`ESTABLISHED_RELEASES`], is what it is, however it is
/// spelled.
const ESTABLISHED: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// See [`ESTABLISHED`]. Only those count that have been out for longer than [`YOUNG`]: squatted names are held
/// with one or two releases, and any number can be made within a day.
const ESTABLISHED_RELEASES: usize = 10;

/// A package whose first release is this old, with [`GROWN_RELEASES`] that have been out for longer than [`YOUNG`],
/// has a past of its own, though not one that excuses every name: squatted names are held with one or two
/// releases.
const GROWN: SignedDuration = SignedDuration::from_hours(365 * 24);

/// See [`GROWN`].
const GROWN_RELEASES: usize = 5;

/// Targets that nearly everybody has installed; confusing them pays most.
const TOP: u32 = 1_000;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "lookalike-name",
    summary: "The name could be mistaken for one that people trust",
    since: "0.1.0",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Name,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    needs: &[],
    incidents: &["crossenv, 2017", "SANDWORM_MODE, 2026"],
    documentation: Documentation {
        sees: "A name that is not widely used itself and differs from one that is, or from one of your own, by \
               a single slip: a character dropped, added, repeated, swapped or changed, case, other delimiters, \
               characters that look alike, words in another order, a scope that was dropped, written into the \
               name, or spelled a little differently; a plural, another spelling of the same sound, a word that says \
               nothing before or after it, an option of the command line or a hyphen in front as options have, a \
               module that comes with Node.js; a scope named after a package that has none. In a trusted scope, a \
               sibling that it differs from by case, by delimiters, by characters that look alike, or by a slip: the \
               last counts where somebody published who published no other package there, or where that is not known and something runs at install. The whole \
               name under somebody's own scope is only mentioned. The evidence lists every reading. Young packages \
               weigh more, and those that name the other's repository; old ones with ten releases that have been out \
               for 90 days are only mentioned, as are those of a year with five, unless they resemble one of the \
               most used, and those that three packages depend on which this gateway serves weigh \
               less.",
        matters: "Registering a name costs nothing, and people and code generators mistype. A lookalike needs no \
                  stolen account.",
        wrong: "Short names are close to each other by chance, plugins of one family differ in one word, and \
                honest packages are named alike. Names of up to four letters are not compared by single edits, and \
                names in a scope that is itself trusted only with their siblings, and not at all where the account \
                published others there. `@types` mirrors other names and is left out. A plural, a sound or a word that \
                says nothing is only mentioned where the package has a past, or a repository of its own name; that does \
                not excuse a word that says nothing beside one of the most used names. A scope written into the name \
                weighs little where many popular names begin like that.",
        todo: "Check whether the package named in the evidence is the one you meant.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

/// How much of a past the package has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Its history is not known.
    NotKnown,
    /// All releases there are came out lately, or the registry does not say when.
    Young,
    /// Neither young nor grown.
    Unproven,
    /// More than a year old, with several releases that have been out for long.
    Grown,
    /// Old, with many releases that have been out for long.
    Established,
}

impl Standing {
    fn of(subject: &Subject<'_>) -> Self {
        let Some(packument) = subject.packument.known() else {
            return Self::NotKnown;
        };
        // When a name was first there says nothing of what is there now.
        let out = packument.versions().iter();
        let out = out.filter_map(|entry| Some(subject.now.duration_since(entry.published()?)));
        let stood: Vec<SignedDuration> = out.filter(|age| *age >= YOUNG).collect();
        let Some(age) = stood.iter().max() else {
            return Self::Young;
        };
        if *age > ESTABLISHED && stood.len() >= ESTABLISHED_RELEASES {
            Self::Established
        } else if *age > GROWN && stood.len() >= GROWN_RELEASES {
            Self::Grown
        } else {
            Self::Unproven
        }
    }
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let candidates = subject.names.candidates(subject.name.as_str());
    let Some(best) = candidates.first() else {
        return;
    };
    let insider = Insider::of(subject);
    if best.is_sibling() && insider == Insider::Yes {
        return;
    }
    let standing = Standing::of(subject);
    let repository = Repository::of(subject, best);
    let mut words = told(subject, best);
    match repository {
        Repository::Own => words.push_str("; its own repository is named after it"),
        Repository::Borrowed => words.push_str("; it names the other's repository as its own"),
        Repository::Other => {}
    }
    let deviates = best.is_sibling() && insider.deviates(subject, &mut words);
    let depended_on = subject
        .dependents
        .filter(|dependents| dependents.count >= REAL_DEPENDENTS);
    if let Some(dependents) = depended_on {
        words = format!(
            "{words}; {} packages that were served here depend on it ({})",
            dependents.count,
            dependents.some.join(", ")
        );
    }
    if candidates.len() > 1 {
        words = format!("{words}; {} readings were considered", candidates.len());
    }
    let mut finding = SIGNAL.finding(weir_model::finding::printable(&words, 400));
    let standing = match (standing, depended_on) {
        (Standing::Young | Standing::NotKnown, Some(_)) => Standing::Unproven,
        (standing, _) => standing,
    };
    finding.severity = weigh(best, standing, (repository, deviates));
    finding.confidence = match (best.strength, standing) {
        (_, Standing::NotKnown) | (Strength::Weak, _) => Confidence::Low,
        (Strength::Fair, _) => Confidence::Medium,
        (Strength::Strong, _) => Confidence::High,
    };
    finding.evidence = candidates
        .iter()
        .map(|candidate| shown(subject.name.as_str(), candidate))
        .collect();
    observation.find(finding);
}

/// What the name has to do with the options of the command line, if that is the reading.
fn option(name: &str, reading: &Lookalike) -> Option<words::Reading> {
    let is_one = reading.transformation == Transformation::Command;
    words::Reading::of(name).filter(|_| is_one)
}

/// A reading as evidence: what was meant, and what is there.
fn shown(name: &str, reading: &Lookalike) -> Evidence {
    let how = reading.transformation.as_str();
    if let Some(option) = option(name, reading) {
        return Evidence::change(
            format!("typed ({how})"),
            option.option().map(|it| format!("npm install {it}")),
            Some(option.typed(name)),
        );
    }
    Evidence::change(format!("name ({how})"), Some(&reading.target), Some(name))
}

/// Whether the account that published it published other packages of the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Insider {
    Yes,
    No,
    NotKnown,
}

impl Insider {
    fn of(subject: &Subject<'_>) -> Self {
        let surroundings = subject.surroundings;
        let baseline = surroundings.and_then(|it| it.scope.baseline.as_deref());
        let (Some(baseline), Some(by)) = (baseline, subject.by()) else {
            return Self::NotKnown;
        };
        // Its own releases say nothing of it.
        let own = subject.name.as_str();
        let others = baseline.packages().iter();
        let known: Vec<_> = others
            .filter(|(name, habits)| name.as_str() != own && !habits.publishers.is_empty())
            .collect();
        let label = by.label();
        if known
            .iter()
            .any(|(_, habits)| habits.publishers.has(&label))
        {
            return Self::Yes;
        }
        // Only the owners can let a workflow publish; and a few packages do not tell who all the owners are.
        match by {
            By::Account(_) if known.len() >= SIBLINGS => Self::No,
            By::Account(_) | By::Workflow(_) => Self::NotKnown,
        }
    }

    /// Whether it came about as no sibling does; why is added to the words.
    fn deviates(self, subject: &Subject<'_>, words: &mut String) -> bool {
        let hook = || subject.manifest().is_ok_and(runs_at_install);
        match self {
            Self::Yes => false,
            Self::No => {
                words.push_str("; the account that published it published no other package there");
                true
            }
            Self::NotKnown if hook() => {
                words.push_str(
                    "; something runs at install, and whether its account published others there is not known",
                );
                true
            }
            Self::NotKnown => false,
        }
    }
}

/// The best reading in words.
fn told(subject: &Subject<'_>, best: &Lookalike) -> String {
    let (name, target) = (subject.name, &best.target);
    let how = best.transformation.as_str();
    match best.trusted {
        Trusted::Popular => {
            format!("{name} could be mistaken for {target} (widely used): they differ by {how}")
        }
        Trusted::Own => {
            format!("{name} could be mistaken for {target} (your own): they differ by {how}")
        }
        Trusted::Word => match option(name.as_str(), best) {
            Some(option) => option.told(name.as_str()),
            None => format!("{name} could be mistaken for {target}, {how}"),
        },
    }
}

/// Whose repository the release names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repository {
    /// One that is named after it.
    Own,
    /// One that is named after what it could be mistaken for.
    Borrowed,
    /// Another, or none.
    Other,
}

impl Repository {
    fn of(subject: &Subject<'_>, best: &Lookalike) -> Self {
        let manifest = subject.manifest().ok();
        let address = manifest.and_then(|it| it.manifest.repository.as_deref());
        let Some(repository) = address.and_then(weir_npm::repository::Repository::parse) else {
            return Self::Other;
        };
        let is = |name: &str| repository.name.eq_ignore_ascii_case(name);
        let scope = forms::split(subject.name.as_str()).0;
        let own_scope = repository
            .owner
            .zip(scope)
            .is_some_and(|(owner, scope)| owner.eq_ignore_ascii_case(scope));
        let (base, other) = (subject.name.base(), forms::split(&best.target).1);
        // Where both are called the same, only the owner tells whose it is.
        if own_scope || (is(base) && !base.eq_ignore_ascii_case(other)) {
            Self::Own
        } else if is(other) && is_told_by_name(best) {
            Self::Borrowed
        } else {
            Self::Other
        }
    }
}

/// Whether the other's name, not its scope, is what is imitated. A project's first package in a new
/// scope comes from the repository that bears the project's name.
fn is_told_by_name(best: &Lookalike) -> bool {
    !matches!(
        best.transformation,
        Transformation::AddedScope | Transformation::SwappedScope | Transformation::BrandScope
    )
}

/// Readings that many honest names have: they count for new packages only, and unless they are a claim
/// only without a repository of their own name.
fn is_common(lookalike: &Lookalike) -> bool {
    lookalike.strength == Strength::Weak
        && matches!(
            lookalike.transformation,
            Transformation::Affix
                | Transformation::Numbered
                | Transformation::Plural
                | Transformation::Sound
                | Transformation::Builtin
                | Transformation::BrandScope
        )
}

/// `deviates` says of a sibling that it came about as no other does, see [`Insider::deviates`].
fn weigh(
    best: &Lookalike,
    standing: Standing,
    (repository, deviates): (Repository, bool),
) -> Severity {
    let severity = severity(best, standing);
    // An owner may well have two names in a scope that are a slip apart.
    let is_slip = best.transformation == Transformation::SiblingSlip;
    if best.is_mention() || (is_slip && !deviates) {
        return Severity::Info;
    }
    // A repository of that name costs an attacker nothing, and `jquery-js` says no more than `jquery`.
    let excused = repository == Repository::Own && !best.is_claim() && !deviates;
    if is_common(best) && (standing != Standing::Young || excused) {
        return Severity::Info;
    }
    match (severity, repository) {
        (Severity::Low, Repository::Borrowed) if standing == Standing::Young => Severity::Medium,
        (Severity::Low, _) if excused && best.strength == Strength::Weak => Severity::Info,
        (severity, _) => severity,
    }
}

fn severity(lookalike: &Lookalike, standing: Standing) -> Severity {
    let well_known = lookalike.rank.is_none_or(|rank| rank < TOP);
    let severity = match (lookalike.strength, well_known) {
        (Strength::Strong, true) => Severity::High,
        (Strength::Strong, false) | (Strength::Fair, true) => Severity::Medium,
        (Strength::Fair, false) | (Strength::Weak, _) => Severity::Low,
    };
    match (standing, severity) {
        (Standing::Established, _) => Severity::Info,
        (Standing::Grown, _) if well_known => Severity::Low,
        (Standing::Grown, _) => Severity::Info,
        (Standing::Unproven, Severity::High) => Severity::Medium,
        (Standing::Unproven, _) => Severity::Low,
        (Standing::Young | Standing::NotKnown, severity) => severity,
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand, siblings};
    let usual = || {
        siblings(
            "@babel",
            &["core", "parser", "types", "traverse"],
            &by_hand("mara"),
        )
    };
    let sibling = |name, account: &str, more: &str| {
        let manifest = format!(
            r#"{{"_npmUser":{{"name":"{account}","email":"{account}@mail.example"}}{more}}}"#
        );
        Scene::of(name, "1.0.0").release("1.0.0", "2026-06-01T09:00:00Z", &manifest)
    };
    let young = |name| Scene::of(name, "1.0.0").release("1.0.0", "2026-06-01T09:00:00Z", "{}");
    let mut old = Scene::of("lodahs", "1.0.9");
    for version in [
        "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", "1.0.6", "1.0.7", "1.0.8", "1.0.9",
    ] {
        old = old.release(version, "2017-02-01T09:00:00Z", "{}");
    }
    vec![
        Sample::flagged(
            "A popular name without its hyphen, two weeks old",
            young("crossenv"),
        ),
        Sample::flagged("A popular name with a letter dropped", young("mongose")),
        Sample::flagged(
            "A scope with a hyphen too many",
            young("@tan-stack/react-query"),
        ),
        Sample::flagged("A zero for an o", young("l0dash")),
        Sample::flagged(
            "The scope of your own package written into the name",
            young("acme-design-system").own("@acme/design-system"),
        ),
        Sample::flagged(
            "A word that says nothing behind a popular name, and no repository",
            young("mathjs-min"),
        ),
        Sample::flagged(
            "A name that is spelled like an option of the command line",
            young("--legacy-peer-deps"),
        ),
        Sample::flagged(
            "A name that begins with a hyphen as options do, though there is none like it",
            young("--hiljson"),
        ),
        Sample::flagged(
            "A sibling of the same scope without its hyphen",
            young("@tanstack/reactquery"),
        ),
        Sample::flagged(
            "A sibling of the same scope with a zero for an o",
            young("@babel/c0re"),
        ),
        Sample::flagged(
            "A sibling one slip away, by an account that published none of the others",
            sibling("@babel/coer", "eve", "").usual(usual()),
        ),
        Sample::flagged(
            "A sibling one slip away that runs something at install, where nobody knows who publishes there",
            sibling(
                "@babel/parsser",
                "eve",
                r#","scripts":{"install":"node setup.js"}"#,
            ),
        ),
        Sample::flagged(
            "A sibling with a letter doubled, in a family of short words",
            sibling(
                "@vue/compiler-sfcc",
                "eve",
                r#","scripts":{"install":"node setup.js"}"#,
            ),
        ),
        Sample::flagged("A name that is spelled like a short option", young("-g")),
        Sample::flagged("An option that lost its hyphens", young("save-dev")),
        Sample::flagged(
            "A scope that claims to be that of a package without one",
            young("@lodash-official/core"),
        ),
        Sample::flagged(
            "The name of your own package under somebody else's scope",
            young("@someone/acme-billing-core").own("acme-billing-core"),
        ),
        Sample::flagged(
            "A word that says nothing behind one of the most used names, whatever repository it names",
            Scene::of("jquery-plus", "1.0.0").release(
                "1.0.0",
                "2026-06-01T09:00:00Z",
                r#"{"repository":"https://git.example.invalid/ines/jquery-plus"}"#,
            ),
        ),
        Sample::passing(
            "A package under somebody's own scope: a fork, only mentioned",
            young("@someone/lodash"),
        ),
        Sample::passing(
            "A new scope of an old project, from a repository of that owner",
            Scene::of("@lodash-official/core", "1.0.0").release(
                "1.0.0",
                "2026-06-01T09:00:00Z",
                r#"{"repository":"https://git.example.invalid/lodash-official/monorepo"}"#,
            ),
        ),
        Sample::passing(
            "A plural that three packages depend on which were served here",
            young("webpacks").dependents(&["left-lib", "right-lib", "@acme/tools"]),
        ),
        Sample::passing(
            "Near miss: a word that says nothing behind a name that few mean, with a repository of its own name",
            Scene::of("mathjs-plus", "1.0.0").release(
                "1.0.0",
                "2026-06-01T09:00:00Z",
                r#"{"repository":"git+https://git.example.invalid/ines/mathjs-plus.git#readme"}"#,
            ),
        ),
        Sample::passing(
            "Near miss: a new package under the trusted scope itself",
            young("@tanstack/react-querry"),
        ),
        Sample::passing(
            "A sibling one slip away that runs something at install, by an account that published the others",
            sibling(
                "@babel/parsser",
                "mara",
                r#","scripts":{"install":"node setup.js"}"#,
            )
            .usual(usual()),
        ),
        Sample::passing(
            "A sibling without its delimiters, by an account that published the others",
            sibling("@babel/plugintransform-classes", "mara", "").usual(usual()),
        ),
        Sample::passing(
            "One edit away from a popular name, but published for years",
            old,
        ),
        Sample::passing(
            "A plugin of a large family, named after what it is for",
            young("eslint-plugin-vux"),
        ),
        Sample::passing(
            "Type declarations of a popular package",
            young("@types/crossenv"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use weir_model::Severity;

    use super::SIGNAL;
    use crate::Observation;
    use crate::sample::Scene;

    const VERSIONS: [&str; 11] = [
        "0.0.1", "0.0.2", "0.0.3", "0.0.4", "0.0.5", "0.0.6", "0.0.7", "0.0.8", "0.0.9", "0.1.0",
        "1.0.0",
    ];

    /// A year of releases says what a package is, except beside the names that nearly everybody has.
    #[test]
    fn a_name_of_a_year_is_only_mentioned_unless_it_is_near_one_of_the_most_used() {
        use Severity::{Info, Low};
        let (old, later, new) = (
            "2025-01-10T09:00:00Z",
            "2025-09-01T09:00:00Z",
            "2026-06-01T09:00:00Z",
        );
        for (says, name, times, want) in [
            (
                "a year and five",
                "lcrypt",
                [old, old, old, later, later, new],
                Info,
            ),
            (
                "a year and four",
                "lcrypt",
                [old, old, later, later, new, new],
                Low,
            ),
            (
                "five, and no year",
                "lcrypt",
                [later, later, later, later, later, new],
                Low,
            ),
            (
                "beside one of the most used",
                "expresss",
                [old, old, old, later, later, new],
                Low,
            ),
        ] {
            let mut scene = Scene::of(name, "0.0.6");
            for (version, published) in VERSIONS.into_iter().zip(times) {
                scene = scene.release(version, published, "{}");
            }
            let mut observation = Observation::default();
            scene.with_subject(|subject| SIGNAL.run(subject, &mut observation));
            let found = observation.findings.first().map(|it| it.severity);
            assert_eq!(found, Some(want), "{says}");
        }
    }

    /// A name is excused by releases that people had time to look at, not by the day it was first taken.
    #[test]
    fn a_past_is_made_of_releases_that_have_been_out_for_long() {
        use Severity::{Info, Low, Medium};
        let (old, new) = ("2013-03-01T09:00:00Z", "2026-06-14T09:00:00Z");
        let between = "2026-04-01T09:00:00Z";
        for (says, times, want) in [
            ("all within a day", [new; 11], Medium),
            ("all without a time", [""; 11], Medium),
            (
                "an old one, the others within a day",
                [old, new, new, new, new, new, new, new, new, new, new],
                Low,
            ),
            (
                "an old one, the others within a quarter",
                [
                    old, between, between, between, between, between, between, between, between,
                    between, new,
                ],
                Low,
            ),
            (
                "ten old ones",
                [old, old, old, old, old, old, old, old, old, old, new],
                Info,
            ),
        ] {
            // `time` says when the name was first taken.
            let mut scene =
                Scene::of("expresss", "1.0.0").removed("created", "2012-01-01T00:00:00Z");
            for (version, published) in VERSIONS.into_iter().zip(times) {
                scene = scene.release(version, published, "{}");
            }
            let mut observation = Observation::default();
            scene.with_subject(|subject| SIGNAL.run(subject, &mut observation));
            let found = observation.findings.first().map(|it| it.severity);
            assert_eq!(found, Some(want), "{says}");
        }
    }
}
