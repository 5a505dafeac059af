//! `new-dependency`: a release depends on something that the one before it did not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Finding, Group, Severity};
use weir_npm::manifest::Manifest;
use weir_npm::repository::Repository;
use weir_npm::spec::{DependencySpec, classify};

use crate::called::{behind, is_expected, is_named_after, popular_within};
use crate::comparison::{is_forward, is_leap, is_patch};
use crate::names::words::Reading;
use crate::names::{Strength, Transformation};
use crate::people::are_the_same;
use crate::settled::have_both_stood;
use crate::timeline::in_words;
use crate::{
    Declaration, DependencyFacts, Documentation, Input, Kind, Layer, Maturity, Observation,
    Subject, bundles, peers,
};

/// Dependencies reported one by one; a release with more has made its point.
const LISTED: usize = 10;

/// Most that are judged before those to report are chosen.
const MOST: usize = 500;

/// A package this young when a release begins to depend on it has no past (INCIDENTS I03: days, I38: a
/// day, I36: a day).
const YOUNG: SignedDuration = SignedDuration::from_hours(30 * 24);

/// This many new optional dependencies of strangers are more than a release needs.
const MANY_OPTIONAL: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-dependency",
    summary: "A new dependency is named after a popular package, or arrives where none was due",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Dependency,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Manifest, Input::History],
    incidents: &[
        "event-stream, 2018",
        "react-native-international-phone-number, 2026",
        "axios, 2026",
    ],
    documentation: Documentation {
        sees: "An entry of `dependencies` or `optionalDependencies`, or of `peerDependencies` unless it is marked as \
               optional, that comes from the registry and that the previous release did not have, judged by its name \
               and by what is asked of it: a name that could be mistaken for a popular one; a name made of a whole popular one and more (`plain-` before \
               `crypto-js`) that arrives with a patch; any version at all (`latest`, `*`) of something little used; \
               many optional ones at once. Popular packages, those of the same scope, and those that share the \
               package's name unless somebody else published one lately that runs scripts, are not mentioned, others for information. A name that the release before had and that now \
               stands for another package (`npm:`) counts as new, and so does a popular package's name for something else: \
               that weighs more, unless the other package is popular or of the release's own scope. Where the gateway looked at the dependency \
               itself, one that was first published within the 30 days before (before weir first saw the release, where it is \
               not known when it was published) counts, the more if it runs scripts at \
               install, names the repository of a popular package as its own, or is mentioned by no file of the \
               release. Dependencies that the same people publish count only if they run scripts. Where the release, in a \
               package with ten and more of them, and the dependency have both been out for a year, youth alone is \
               mentioned only.",
        matters: "A dependency brings code that does not show in the package, and can be exchanged later. Attackers \
                  who want a release to look untouched put the payload there.",
        wrong: "Projects split themselves into packages, and use packages that few others use. Whether the \
                dependency is young, and whether any code uses it, is not known from names: that is seen once the \
                release itself is read.",
        todo: "Look at the dependency itself: who publishes it, since when, and which code of the release uses it.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

/// A dependency that the previous release did not have.
struct New<'m> {
    section: &'static str,
    /// The package that is fetched, behind an alias if there is one.
    name: String,
    key: &'m str,
    text: &'m str,
    any_version: bool,
    /// The package that the key stood for in the release before, where it was another one.
    instead_of: Option<String>,
}

impl New<'_> {
    /// What it is, in words.
    fn kind(&self) -> &'static str {
        match self.section {
            peers::SECTION => "peer dependency",
            section => section,
        }
    }
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Ok(manifest) = subject.manifest() else {
        return;
    };
    let Some((version, previous)) = subject.previous_manifest() else {
        return;
    };
    let patch = !is_leap(version, subject.version) && is_patch(version, subject.version);
    // A back-port below everything is compared with the newest release: what it has beyond that is its
    // age.
    let forward = is_forward(version, subject.version);
    let added = added(subject, &previous.manifest, &manifest.manifest);
    let (parts, strangers): (Vec<&New<'_>>, Vec<&New<'_>>) = added
        .iter()
        .filter(|new| !is_expected(subject, &new.name))
        .partition(|new| is_part(subject, new));
    let mut found = Vec::new();
    for new in strangers.iter().chain(&parts).take(MOST) {
        let is_part = is_part(subject, new);
        let mut finding = match is_part {
            true => named_after(subject, new, version),
            false => tell(subject, new, patch, version),
        };
        let facts = subject.dependencies.iter().find(|it| it.name == new.name);
        if let Some(facts) = facts {
            look_at(subject, new, facts, &mut finding);
            // A fork of their own under the name of what it was made of.
            if facts.hooks.is_empty()
                && stands_for_another(subject, new)
                && are_the_same(subject, &facts.by, &facts.maintainers)
            {
                finding.severity = finding.severity.min(SIGNAL.severity);
            }
        }
        // Parts of the package itself are called so, and most are.
        if is_part && finding.severity == Severity::Info {
            continue;
        }
        if !forward {
            finding.severity = Severity::Info;
        }
        finding.evidence.push(Evidence::change(
            format!("{}.{}", new.section, new.key),
            new.instead_of.as_deref(),
            Some(new.text),
        ));
        found.push(finding);
    }
    // What counts comes first: quiet packages cost nothing.
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in found.into_iter().take(LISTED) {
        observation.find(finding);
    }
    let optional: Vec<&str> = strangers
        .iter()
        .filter(|new| new.section == "optionalDependencies")
        .map(|new| new.name.as_str())
        .collect();
    if optional.len() >= MANY_OPTIONAL && forward {
        let mut finding = SIGNAL.finding(format!(
            "{} new optional dependencies that have nothing to do with the package's name",
            optional.len()
        ));
        finding.evidence.push(Evidence::change(
            "optionalDependencies",
            None::<&str>,
            Some(optional.join(", ")),
        ));
        observation.find(finding);
    }
}

/// Packages that the release began to depend on and that nothing explains, each with what is asked of
/// it: their own packuments have more to say.
#[must_use]
pub fn unexplained(subject: &Subject<'_>) -> Vec<(String, String)> {
    let (Ok(manifest), Some((_, previous))) = (subject.manifest(), subject.previous_manifest())
    else {
        return Vec::new();
    };
    let added = added(subject, &previous.manifest, &manifest.manifest).into_iter();
    let unexplained = added.filter(|new| !is_expected(subject, &new.name));
    // Those that are called like parts of the package come last: only a few are looked at.
    let (parts, strangers): (Vec<_>, Vec<_>) = unexplained.partition(|new| is_part(subject, new));
    let all = strangers.into_iter().chain(parts);
    all.map(|new| {
        let asked = match classify(new.key, new.text) {
            DependencySpec::Alias { spec, .. } => spec_text(&spec),
            spec => spec_text(&spec),
        };
        (new.name, asked)
    })
    .collect()
}

/// A tag or range as written.
fn spec_text(spec: &DependencySpec) -> String {
    match spec {
        DependencySpec::Tag(tag) => tag.clone(),
        DependencySpec::Range(range) => range.as_str().to_owned(),
        _ => "latest".to_owned(),
    }
}

/// Whether it is called like a part of the package. What a key stands for that is another package's explains nothing: all
/// code under that name gets it.
fn is_part(subject: &Subject<'_>, new: &New<'_>) -> bool {
    is_named_after(subject, &new.name) && !stands_for_another(subject, new)
}

/// Whether a key that was there before, or a popular package's name, now stands for another package.
fn stands_for_another(subject: &Subject<'_>, new: &New<'_>) -> bool {
    new.instead_of.is_some() || (new.key != new.name && subject.names.rank(new.key).is_some())
}

fn tell(subject: &Subject<'_>, new: &New<'_>, patch: bool, version: &str) -> Finding {
    let mut finding = tell_by_name(subject, new, patch, version);
    if stands_for_another(subject, new) {
        let key = weir_model::finding::printable(new.key, 120);
        finding.message = format!("{}; code gets it for {key}", finding.message);
        let is_popular = subject.names.rank(new.key).is_some();
        let severity = match is_popular {
            true => Severity::Medium,
            false => SIGNAL.severity,
        };
        finding.severity = finding.severity.max(severity);
    }
    finding
}

fn tell_by_name(subject: &Subject<'_>, new: &New<'_>, patch: bool, version: &str) -> Finding {
    let name = weir_model::finding::printable(&new.name, 120);
    let alike = subject
        .names
        .candidates(&new.name)
        .into_iter()
        .find(|candidate| candidate.strength > Strength::Weak);
    if let Some(alike) = alike {
        let option = Reading::of(&new.name);
        let option = option.filter(|_| alike.transformation == Transformation::Command);
        let mistaken = match option {
            Some(option) => option.in_words(),
            None => format!("could be mistaken for {}", alike.target),
        };
        let mut finding = SIGNAL.finding(format!(
            "{} {name} is new since {version} and {mistaken}",
            new.kind()
        ));
        if alike.strength == Strength::Strong {
            finding.severity = Severity::Medium;
        }
        return finding;
    }
    let mut finding = SIGNAL.finding(format!("{} {name} is new since {version}", new.kind()));
    finding.severity = Severity::Info;
    if new.any_version {
        finding.message = format!("{}, in any version", finding.message);
        finding.severity = SIGNAL.severity;
    }
    if let Some(target) = popular_within(subject, &new.name).filter(|_| patch) {
        finding.message = format!(
            "{}, in a patch release, and is named after {target}",
            finding.message
        );
        finding.severity = SIGNAL.severity;
        finding.confidence = Confidence::Low;
    }
    finding
}

/// What is said of one that is named like a part of the package, where there is anything to say.
fn named_after(subject: &Subject<'_>, new: &New<'_>, version: &str) -> Finding {
    let mut finding = SIGNAL.finding(format!(
        "{} {} is new since {version}, and called like a part of {}",
        new.kind(),
        weir_model::finding::printable(&new.name, 120),
        subject.name
    ));
    finding.severity = Severity::Info;
    finding
}

/// Adds what is known of the dependency itself.
fn look_at(subject: &Subject<'_>, new: &New<'_>, facts: &DependencyFacts, finding: &mut Finding) {
    let since = subject.out_by_now();
    let age = facts.created.map(|created| since.duration_since(created));
    let Some(age) = age.filter(|age| *age < YOUNG) else {
        return;
    };
    let moment = subject.out_in_words();
    let mut words = match (age.is_negative(), subject.published()) {
        (true, _) => vec![format!("was first published after {moment}")],
        (false, Some(_)) => vec![format!("was first published {} before", in_words(age))],
        (false, None) => vec![format!(
            "was first published {} before {moment}",
            in_words(age)
        )],
    };
    if !facts.hooks.is_empty() {
        words.push(format!("runs {} at install", facts.hooks.join(", ")));
    }
    let forged = forged_repository(subject, &new.name, facts);
    if let Some(target) = &forged {
        words.push(format!("names the repository of {target} as its own"));
    }
    let unused = subject
        .contents
        .known()
        .is_some_and(|contents| contents.unmentioned.iter().any(|name| name == new.key));
    if unused {
        words.push("is mentioned by no file".to_owned());
    }
    finding.message = weir_model::finding::printable(
        &format!("{}; it {}", finding.message, words.join(", ")),
        400,
    );
    // Parts for one platform are asked for by a name that is put together.
    let is_part = is_part(subject, new);
    let telling = !facts.hooks.is_empty() || forged.is_some() || (unused && !is_part);
    let stood = facts
        .created
        .is_some_and(|created| have_both_stood(subject, created));
    let same_people = are_the_same(subject, &facts.by, &facts.maintainers);
    let severity = match (same_people, telling) {
        (true, _) if facts.hooks.is_empty() || is_part => Severity::Info,
        (false, false) if is_part => Severity::Info,
        (_, false) if stood => Severity::Info,
        (false, true) => Severity::Medium,
        _ => SIGNAL.severity,
    };
    finding.severity = finding.severity.max(severity);
    finding.evidence.push(Evidence::change(
        format!("time.created ({})", new.name),
        None::<&str>,
        facts.created.map(|created| created.to_string()),
    ));
}

/// The popular package whose repository the dependency calls its own. Packages that begin with that
/// name may well come from its repository.
fn forged_repository(subject: &Subject<'_>, name: &str, facts: &DependencyFacts) -> Option<String> {
    let last = Repository::parse(facts.repository.as_deref()?)?.name;
    let base = name.rsplit('/').next().unwrap_or(name);
    let other = !base.starts_with(last) && subject.names.rank(last).is_some();
    // One word is a topic, and the name of many repositories.
    let telling = base.contains(last) || last.contains('-');
    (other && telling).then(|| last.to_owned())
}

/// The dependencies from a registry that only the second manifest has. The registry repeats optional
/// ones among `dependencies`, so they are looked at first. Peers are installed along unless they are optional;
/// those come last, as what is also an ordinary dependency is told as one.
fn added<'m>(subject: &Subject<'_>, before: &Manifest, after: &'m Manifest) -> Vec<New<'m>> {
    let known: BTreeSet<&str> = [
        &before.dependencies,
        &before.optional_dependencies,
        &before.peer_dependencies,
        // What it was built with has been looked at by the project, where that is so for long.
        &before.dev_dependencies,
    ]
    .into_iter()
    .flat_map(BTreeMap::keys)
    .map(String::as_str)
    .collect();
    let lately = peers::not_installed_for_long(subject, before);
    let mut found: Vec<New<'m>> = Vec::new();
    let listed = |section: &'static str, map: &'m BTreeMap<String, String>| {
        map.iter()
            .filter(|(key, _)| !bundles::lies_inside(subject, after, key))
            .map(move |(key, text)| (section, key.as_str(), text.as_str()))
    };
    let peers = peers::required(after, subject.raw(subject.version)).into_iter();
    let all = listed("optionalDependencies", &after.optional_dependencies)
        .chain(listed("dependencies", &after.dependencies))
        .chain(peers.map(|(key, text)| (peers::SECTION, key, text)));
    for (section, key, text) in all {
        let repeated = found.iter().any(|other| other.key == key);
        if repeated {
            continue;
        }
        let new = from_registry(section, key, text);
        if !known.contains(key) || lately.contains(key) {
            found.extend(new);
        } else if let (Some(new), Some(old)) = (new, behind(before, key))
            && new.name != old
        {
            let instead_of = Some(old);
            found.push(New { instead_of, ..new });
        }
    }
    found
}

/// The dependency, if it comes from a registry.
fn from_registry<'m>(section: &'static str, key: &'m str, text: &'m str) -> Option<New<'m>> {
    let (name, spec) = match classify(key, text) {
        DependencySpec::Alias { name, spec } => (name.as_str().to_owned(), *spec),
        spec if spec.is_registry() => (key.to_owned(), spec),
        _ => return None,
    };
    let any_version = match &spec {
        DependencySpec::Tag(tag) => tag == "latest",
        // Of a peer any version is what many ask for: the project has one already.
        DependencySpec::Range(range) if section != peers::SECTION => {
            matches!(
                range.as_str().trim(),
                "" | "*" | "x" | "X" | ">=0.0.0" | ">=0"
            )
        }
        _ => false,
    };
    Some(New {
        section,
        name,
        key,
        text,
        any_version,
        instead_of: None,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::people::PublishedBy;
    use crate::sample::{Sample, Scene};
    let pair = |before: &str, after: &str| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", before)
            .release("1.4.1", "2026-06-01T09:00:00Z", after)
    };
    let unknown = || {
        pair(
            "{}",
            r#"{"dependencies":{"obscure-thing-of-mine":"^1.0.0"}}"#,
        )
    };
    let facts = |created: &str| DependencyFacts {
        name: "obscure-thing-of-mine".to_owned(),
        version: Some("1.0.1".to_owned()),
        created: Some(created.parse().expect("a constant time")),
        ..DependencyFacts::default()
    };
    let unknown_key = "obscure-thing-of-mine";
    let hooked = |name: &str, account: &str| DependencyFacts {
        name: name.to_owned(),
        hooks: vec!["postinstall".to_owned()],
        by: PublishedBy::Account(account.to_owned()),
        ..facts("2026-05-31T09:00:00Z")
    };
    let ours = |key: &str| {
        let people = r#""maintainers":[{"name":"mara"}]"#;
        pair(
            &format!("{{{people}}}"),
            &format!(r#"{{{people},"dependencies":{{"{key}":"^1.0.0"}}}}"#),
        )
    };
    let built_with = |since: &'static str| {
        let section = |section: &str| format!(r#"{{"{section}":{{"{unknown_key}":"^1.0.0"}}}}"#);
        Scene::of("left-lib", "1.4.1")
            .release("1.3.0", "2025-03-01T09:00:00Z", "{}")
            .release("1.4.0", since, &section("devDependencies"))
            .release("1.4.1", "2026-06-01T09:00:00Z", &section("dependencies"))
    };
    let twelve = || {
        let quiet = ('a'..='k').map(|letter| format!(r#""obscure-{letter}-thing":"^1.0.0","#));
        let quiet: String = quiet.collect();
        let asks = format!(r#"{{"dependencies":{{{quiet}"{unknown_key}-too":"^1.0.0"}}}}"#);
        pair("{}", &asks).dependency(hooked("obscure-thing-of-mine-too", "zed"))
    };
    let stood = |created: &str| {
        let mut scene = Scene::of("left-lib", "1.4.1");
        for version in [
            "1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.1", "1.2.0", "1.3.0", "1.3.1", "1.4.0",
        ] {
            scene = scene.release(version, "2021-03-01T09:00:00Z", "{}");
        }
        let asks = r#"{"dependencies":{"obscure-thing-of-mine":"^1.0.0"}}"#;
        scene
            .release("1.4.1", "2023-06-01T09:00:00Z", asks)
            .dependency(facts(created))
    };
    vec![
        Sample::flagged(
            "A dependency that was first published two days before",
            unknown().dependency(facts("2026-05-30T09:00:00Z")),
        ),
        Sample::flagged(
            "The same where it is not known when the release was published, only when weir first saw it",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2025-03-01T09:00:00Z", "{}")
                .release(
                    "1.4.1",
                    "",
                    r#"{"dependencies":{"obscure-thing-of-mine":"^1.0.0"}}"#,
                )
                .first_seen("2026-06-01T09:00:00Z")
                .dependency(facts("2026-05-30T09:00:00Z")),
        ),
        Sample::flagged(
            "A day-old dependency with an install script that no file mentions",
            unknown()
                .dependency(DependencyFacts {
                    hooks: vec!["postinstall".to_owned()],
                    ..facts("2026-05-31T09:00:00Z")
                })
                .contents(weir_model::Contents {
                    unmentioned: vec!["obscure-thing-of-mine".to_owned()],
                    ..weir_model::Contents::default()
                }),
        ),
        Sample::flagged(
            "A young dependency that names the repository of a popular package as its own",
            pair("{}", r#"{"dependencies":{"obscure-crypto-js":"^1.0.0"}}"#).dependency(
                DependencyFacts {
                    name: "obscure-crypto-js".to_owned(),
                    repository: Some(
                        "https://git.example.invalid/brix/crypto-js.git#readme".to_owned(),
                    ),
                    ..facts("2026-05-31T09:00:00Z")
                },
            ),
        ),
        Sample::flagged(
            "A new peer dependency, which clients install too, that is two days old and has an install script",
            pair(
                "{}",
                r#"{"peerDependencies":{"obscure-thing-of-mine":"^1.0.0"}}"#,
            )
            .dependency(DependencyFacts {
                hooks: vec!["postinstall".to_owned()],
                ..facts("2026-05-30T09:00:00Z")
            }),
        ),
        Sample::passing(
            "A new peer dependency as young that is marked as optional: nothing is installed for it",
            pair(
                "{}",
                r#"{"peerDependencies":{"obscure-thing-of-mine":"^1.0.0"},
                    "peerDependenciesMeta":{"obscure-thing-of-mine":{"optional":true}}}"#,
            )
            .dependency(facts("2026-05-30T09:00:00Z")),
        ),
        Sample::passing(
            "A plugin that asks for what it plugs into, in any version",
            pair(
                "{}",
                r#"{"peerDependencies":{"webpack":"*","obscure-thing-of-mine":"*"}}"#,
            ),
        ),
        Sample::passing(
            "Near miss: a dependency that is years old",
            unknown().dependency(DependencyFacts {
                hooks: vec!["install".to_owned()],
                ..facts("2022-05-30T09:00:00Z")
            }),
        ),
        Sample::passing(
            "One that was two days old three years ago: both have been out since",
            stood("2023-05-30T09:00:00Z"),
        ),
        Sample::flagged(
            "Near miss: as old a release, and a dependency whose name somebody took last month",
            stood("2026-05-20T09:00:00Z"),
        ),
        Sample::passing(
            "A part split off last week by the same people, under another name",
            ours(unknown_key).dependency(DependencyFacts {
                by: PublishedBy::Account("mara".to_owned()),
                ..facts("2026-05-27T09:00:00Z")
            }),
        ),
        Sample::flagged(
            "Near miss: one that names a maintainer of the package, and that somebody else published",
            ours(unknown_key).dependency(DependencyFacts {
                by: PublishedBy::Account("zed".to_owned()),
                maintainers: vec!["zed".to_owned(), "mara".to_owned()],
                ..facts("2026-05-27T09:00:00Z")
            }),
        ),
        Sample::flagged(
            "The name of a part of the package and an install script, by somebody else, a day old",
            ours("left-lib-core").dependency(hooked("left-lib-core", "zed")),
        ),
        Sample::passing(
            "Near miss: without a script, by somebody else, and in no file",
            ours("left-lib-core")
                .dependency(DependencyFacts {
                    hooks: Vec::new(),
                    ..hooked("left-lib-core", "zed")
                })
                .contents(weir_model::Contents {
                    unmentioned: vec!["left-lib-core".to_owned()],
                    ..weir_model::Contents::default()
                }),
        ),
        Sample::passing(
            "Near miss: the same by one of its people",
            ours("left-lib-core").dependency(hooked("left-lib-core", "mara")),
        ),
        Sample::flagged(
            "What a release of two weeks before built with",
            built_with("2026-05-18T09:00:00Z").dependency(hooked(unknown_key, "zed")),
        ),
        Sample::passing(
            "Near miss: what it has been built with since last year",
            built_with("2025-05-18T09:00:00Z").dependency(hooked(unknown_key, "zed")),
        ),
        Sample::flagged(
            "Twelve new dependencies, of which the last by name counts",
            twelve(),
        ),
        Sample::flagged(
            "A patch brings a dependency named after a popular package",
            pair("{}", r#"{"dependencies":{"plain-crypto-js":"^4.2.1"}}"#),
        ),
        Sample::flagged(
            "A dependency that could be mistaken for a popular one",
            pair("{}", r#"{"dependencies":{"crossenv":"^7.0.0"}}"#),
        ),
        Sample::flagged(
            "The newest version, whatever it is, of something in a scope that nobody knows",
            pair(
                "{}",
                r#"{"dependencies":{"@left-tools-48213/formatter":"latest"}}"#,
            ),
        ),
        Sample::flagged(
            "Hidden behind an alias",
            pair(
                "{}",
                r#"{"dependencies":{"left-ui":"npm:crossenv@^7.0.0"}}"#,
            ),
        ),
        Sample::flagged(
            "A name that code has used for long stands for a stranger's package from now on",
            pair(
                r#"{"dependencies":{"lodash":"^4.17.0"}}"#,
                r#"{"dependencies":{"lodash":"npm:obscure-thing-of-mine@^1.0.0"}}"#,
            ),
        ),
        Sample::flagged(
            "A popular package's name for something else",
            pair(
                "{}",
                r#"{"dependencies":{"lodash":"npm:lodash-of-mine@^4.17.0"}}"#,
            ),
        ),
        Sample::passing(
            "Near miss: the same alias as in the release before, with another range",
            pair(
                r#"{"dependencies":{"lodash":"npm:obscure-thing-of-mine@^1.0.0"}}"#,
                r#"{"dependencies":{"lodash":"npm:obscure-thing-of-mine@^1.1.0"}}"#,
            ),
        ),
        Sample::passing(
            "A name that stands for another popular package",
            pair(
                r#"{"dependencies":{"lodash":"^4.17.0"}}"#,
                r#"{"dependencies":{"lodash":"npm:underscore@^1.13.0"}}"#,
            ),
        ),
        Sample::passing(
            "An alias that is given up",
            pair(
                r#"{"dependencies":{"lodash":"npm:obscure-thing-of-mine@^1.0.0"}}"#,
                r#"{"dependencies":{"lodash":"^4.17.21"}}"#,
            ),
        ),
        Sample::passing(
            "Near miss: an unknown package with a range, for information",
            pair(
                "{}",
                r#"{"dependencies":{"obscure-thing-of-mine":"^1.0.0"}}"#,
            ),
        ),
        Sample::passing(
            "A popular package",
            pair("{}", r#"{"dependencies":{"lodash":"^4.17.21"}}"#),
        ),
        Sample::passing(
            "A part of the package itself, split off",
            pair(
                "{}",
                r#"{"optionalDependencies":{"left-lib-linux-x64":"*"}}"#,
            ),
        ),
        Sample::passing(
            "What was an optional dependency becomes an ordinary one",
            pair(
                r#"{"optionalDependencies":{"crossenv":"^7.0.0"}}"#,
                r#"{"dependencies":{"crossenv":"^7.0.0"}}"#,
            ),
        ),
    ]
}
