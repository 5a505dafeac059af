//! `unlike-siblings`: a new package of an established scope is not like the others there.

use weir_model::habits::{By, Habits, Origin};
use weir_model::{Baseline, Confidence, Evidence, Finding, Group, Severity};

use crate::lesson::{repository_owner, runs_at_install};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// So many in a hundred of the siblings make what is usual, where a few may differ.
const MOST: usize = 80;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "unlike-siblings",
    summary: "A new package of an established scope differs from its siblings",
    since: "next",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Identity,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Manifest, Input::History, Input::Publisher],
    incidents: &["AntV, 2026"],
    documentation: Documentation {
        sees: "The first releases (30 days, counted from the first that was not refused) of a package whose scope has at \
               least four packages that weir knows, next to what it has learned of those: something runs at install \
               where none of theirs ever did (evidence of execution); an account that published none of them, or a \
               repository of another owner than all of them (evidence of identity, and of trust where it also has no \
               provenance and all of theirs have). Another licence, another way of naming, and the lack of a \
               dependency that all of them share are mentioned, and count as evidence of shape where two of them come \
               together.",
        matters: "Who has the rights of one member of a scope can publish under its name, and nobody knows a new package \
                  well enough to notice. Its siblings show what is usual there.",
        wrong: "Scopes grow, and a first release is often published by hand, before a workflow may do it: that alone is \
                mentioned only. A new member of a team looks like this once. Where the registry leaves publishers out, \
                the publisher is not known, which is said and is no sign that all is well.",
        todo: "Look whether the owners of the scope announce the package: in their repository, on their site.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(baseline) = subject.siblings_habits() else {
        return;
    };
    let found = [
        hook(subject, baseline),
        people(subject, baseline),
        shape(subject, baseline),
    ];
    for finding in found.into_iter().flatten() {
        observation.find(finding);
    }
}

/// Something runs at install, and never did with any sibling.
fn hook(subject: &Subject<'_>, baseline: &Baseline) -> Option<Finding> {
    let manifest = subject.manifest().ok()?;
    if baseline.all().hooks > 0 || !runs_at_install(manifest) {
        return None;
    }
    let mut finding = SIGNAL.finding(format!(
        "New in {}, and something runs when it is installed: never with any of the {} packages known there",
        baseline.owner(),
        baseline.packages().len()
    ));
    finding.group = Group::Execution;
    finding.severity = Severity::Medium;
    let script = manifest.manifest.install_scripts().next();
    let (event, command) = script.unwrap_or(("binding.gyp", "node-gyp rebuild"));
    finding.evidence.push(Evidence::change(
        format!("{event} (releases of {} with one)", baseline.owner()),
        Some(format!("0 of {}", baseline.all().releases)),
        Some(command),
    ));
    Some(finding)
}

/// Who published it and from where.
fn people(subject: &Subject<'_>, baseline: &Baseline) -> Option<Finding> {
    let manifest = subject.manifest().ok()?;
    let all = baseline.all();
    let by = subject.by();
    // Only the owners can let a workflow publish.
    let stranger = match &by {
        Some(by @ By::Account(_)) => !all.publishers.has(&by.label()) && !all.publishers.is_empty(),
        Some(By::Workflow(_)) | None => false,
    };
    let repository = manifest.manifest.repository.as_deref();
    let owner = repository.and_then(repository_owner);
    let elsewhere = owner
        .as_ref()
        .is_some_and(|owner| !all.repositories.has(owner) && !all.repositories.is_empty());
    let stated = manifest.dist.attestations.as_ref();
    let provenance = stated.is_some_and(|it| it.provenance.is_some());
    let unvouched = !provenance
        && baseline
            .packages()
            .values()
            .all(|it| it.always(Origin::Provenance));
    if !stranger && !elsewhere && !unvouched {
        return None;
    }
    let mut words = Vec::new();
    let mut evidence = Vec::new();
    if stranger {
        words.push("by an account that published none of the others".to_owned());
        evidence.push(Evidence::change(
            "_npmUser.name",
            Some(first(&all.publishers.ranked())),
            by.as_ref().map(By::label),
        ));
    }
    if elsewhere {
        words.push("with a repository of another owner".to_owned());
        evidence.push(Evidence::change(
            "repository",
            Some(first(&all.repositories.ranked())),
            owner,
        ));
    }
    if unvouched {
        words.push("without the provenance that all of theirs have".to_owned());
        evidence.push(Evidence::change(
            "dist.attestations.provenance",
            Some(format!("{} of {}", all.releases, all.releases)),
            None::<&str>,
        ));
    }
    let mut finding = SIGNAL.finding(format!("New in {}, {}", baseline.owner(), words.join(", ")));
    finding.evidence = evidence;
    match (stranger, elsewhere, unvouched) {
        (true, _, true) => {
            finding.group = Group::Trust;
            finding.severity = Severity::Medium;
        }
        (true, true, false) => finding.severity = Severity::Medium,
        // A first release is published by hand before a workflow may do it.
        (false, false, true) => finding.severity = Severity::Info,
        _ => {}
    }
    Some(finding)
}

/// Licence, names and shared dependencies: each says little.
fn shape(subject: &Subject<'_>, baseline: &Baseline) -> Option<Finding> {
    let manifest = subject.manifest().ok()?;
    let all = baseline.all();
    let packages = baseline.packages();
    let mut evidence = Vec::new();
    if let Some(licence) = &manifest.license
        && all.licences.ranked().len() == 1
        && !all.licences.has(licence)
    {
        evidence.push(Evidence::change(
            "license",
            Some(first(&all.licences.ranked())),
            Some(licence),
        ));
    }
    if let Some(word) = shared_word(packages.keys().map(String::as_str))
        && words_of(subject.name.as_str()).all(|own| own != word)
    {
        evidence.push(Evidence::change(
            "a word in the names of its siblings",
            Some(word),
            Some(subject.name.base()),
        ));
    }
    if let Some(dependency) = shared_dependency(packages.values())
        && dependency != subject.name.as_str()
        && !manifest.manifest.dependencies.contains_key(dependency)
        && !manifest.manifest.peer_dependencies.contains_key(dependency)
    {
        evidence.push(Evidence::change(
            "a dependency that its siblings share",
            Some(dependency),
            None::<&str>,
        ));
    }
    if evidence.is_empty() {
        return None;
    }
    let mut finding = SIGNAL.finding(format!(
        "New in {}, and not made like the others there",
        baseline.owner()
    ));
    finding.group = Group::Shape;
    finding.confidence = Confidence::Low;
    if evidence.len() < 2 {
        finding.severity = Severity::Info;
    }
    finding.evidence = evidence;
    Some(finding)
}

/// The most frequent value.
fn first(ranked: &[(&str, u32)]) -> String {
    ranked
        .first()
        .map(|(value, _)| (*value).to_owned())
        .unwrap_or_default()
}

/// The words of a name without its scope.
fn words_of(name: &str) -> impl Iterator<Item = &str> {
    let base = name.rsplit('/').next().unwrap_or(name);
    base.split(['-', '_', '.']).filter(|word| !word.is_empty())
}

fn is_most(count: usize, of: usize) -> bool {
    count * 100 >= of * MOST
}

/// The word that most of these names have, if there is one.
fn shared_word<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let count = names.clone().count();
    let mut words: Vec<&str> = names.clone().flat_map(words_of).collect();
    words.sort_unstable();
    words.dedup();
    let having = |word: &str| {
        let names = names.clone();
        names
            .filter(|name| words_of(name).any(|it| it == word))
            .count()
    };
    let ranked = words.into_iter().map(|word| (having(word), word));
    ranked
        .max()
        .filter(|(found, _)| is_most(*found, count))
        .map(|(_, word)| word)
}

/// The package that most of these depend on with every release, if there is one.
fn shared_dependency<'h>(habits: impl Iterator<Item = &'h Habits> + Clone) -> Option<&'h str> {
    let count = habits.clone().count();
    let mut names: Vec<&str> = Vec::new();
    for one in habits {
        let always = one.dependencies.ranked().into_iter();
        let always = always.filter(|(_, times)| *times == one.releases);
        names.extend(always.map(|(name, _)| name));
    }
    names.sort_unstable();
    let having = names.chunk_by(|one, other| one == other);
    let most = having.max_by_key(|same| same.len())?;
    // The shared one itself does not depend on itself.
    is_most(most.len() + 1, count)
        .then(|| most.first().copied())
        .flatten()
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand, siblings};
    let attested = siblings(
        "@kiln",
        &["tasks", "router", "forms", "start"],
        &crate::sample::from_workflow(),
    );
    let plain = || {
        siblings(
            "@kiln",
            &["tasks", "router", "forms", "start"],
            &by_hand("mara"),
        )
    };
    let new = |version, manifest: &str| {
        Scene::of("@kiln/setup", version).release(version, "2026-06-14T09:00:00Z", manifest)
    };
    let hooked = r#"{"scripts":{"postinstall":"node setup.js"},"_npmUser":{"name":"mara"}}"#;
    vec![
        Sample::flagged(
            "A hook in a new package, where no sibling ever had one",
            new("1.0.0", hooked).usual(plain()),
        ),
        Sample::flagged(
            "By an account nobody knows there, without the provenance all others have",
            new("1.0.0", &by_hand("lena")).usual(attested.clone()),
        ),
        Sample::flagged(
            "By an account that published none of the others",
            new("1.0.0", &by_hand("lena")).usual(plain()),
        ),
        Sample::flagged(
            "By an account that published none of the others, whose release of six weeks before was refused",
            Scene::of("@kiln/setup", "1.0.1")
                .release("1.0.0", "2026-05-01T09:00:00Z", &by_hand("lena"))
                .refused("1.0.0")
                .release("1.0.1", "2026-06-14T09:00:00Z", &by_hand("lena"))
                .usual(plain()),
        ),
        Sample::passing(
            "Near miss: the first release of a new package, by hand, by the one who publishes the others",
            new("1.0.0", &by_hand("mara")).usual(plain()),
        ),
        Sample::passing(
            "From the workflow that publishes the others",
            new("1.0.0", &crate::sample::from_workflow()).usual(attested),
        ),
        Sample::passing(
            "A scope of which only two packages are known",
            new("1.0.0", hooked).usual(siblings("@kiln", &["tasks", "router"], &by_hand("mara"))),
        ),
        Sample::passing(
            "A package that has been there for a year",
            Scene::of("@kiln/setup", "1.0.1")
                .release("1.0.0", "2025-06-14T09:00:00Z", &by_hand("lena"))
                .release("1.0.1", "2026-06-14T09:00:00Z", &by_hand("lena"))
                .usual(plain()),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shared_by_most_names() {
        let names = [
            "@a/plugin-one",
            "@a/plugin-two",
            "@a/plugin-three",
            "@a/plugin-four",
            "@a/core",
        ];
        assert_eq!(shared_word(names.into_iter()), Some("plugin"));
        assert_eq!(shared_word(["@a/one", "@a/two"].into_iter()), None);
        assert_eq!(shared_word(std::iter::empty()), None);
    }

    #[test]
    fn a_dependency_is_shared_by_most_packages_but_itself() {
        let habits = |dependency: &str| {
            let mut habits = Habits {
                releases: 1,
                ..Habits::default()
            };
            let mut lesson =
                crate::lesson::lesson("1.0.0", jiff::Timestamp::UNIX_EPOCH, &Default::default());
            lesson.dependencies = vec![dependency.to_owned()];
            habits.learn(&lesson);
            habits.releases = 1;
            habits
        };
        let all = [habits("core"), habits("core"), habits("core"), habits("x")];
        assert_eq!(shared_dependency(all.iter()), Some("core"));
        let none = [habits("a"), habits("b"), habits("c"), habits("d")];
        assert_eq!(shared_dependency(none.iter()), None);
        assert_eq!(shared_dependency(std::iter::empty()), None);
    }
}
