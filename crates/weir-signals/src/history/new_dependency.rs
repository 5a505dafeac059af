//! `new-dependency`: a release depends on something that the one before it did not.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{Confidence, Evidence, Finding, Group, Severity};
use weir_npm::manifest::Manifest;
use weir_npm::name::PackageName;
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::Version;

use crate::comparison::{is_leap, is_patch};
use crate::names::Strength;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Dependencies reported one by one; a release with more has made its point.
const LISTED: usize = 10;

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
        sees: "An entry of `dependencies` or `optionalDependencies` that comes from the registry and that the \
               previous release did not have, judged by its name and by what is asked of it: a name that could be \
               mistaken for a popular one; a name made of a whole popular one and more (`plain-` before \
               `crypto-js`) that arrives with a patch; any version at all (`latest`, `*`) of something little used; \
               many optional ones at once. Popular packages, those of the same scope and those that share the \
               package's name are not mentioned, others for information.",
        matters: "A dependency brings code that does not show in the package, and can be exchanged later. Attackers \
                  who want a release to look untouched put the payload there.",
        wrong: "Projects split themselves into packages, and use packages that few others use. Whether the \
                dependency is young, and whether any code uses it, is not known from names.",
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
    let added = added(&previous.manifest, &manifest.manifest);
    let strangers: Vec<&New<'_>> = added
        .iter()
        .filter(|new| !is_expected(subject, &new.name))
        .collect();
    for new in strangers.iter().take(LISTED) {
        let mut finding = tell(subject, new, patch, version);
        if !forward {
            finding.severity = Severity::Info;
        }
        finding.evidence.push(Evidence::change(
            format!("{}.{}", new.section, new.key),
            None::<&str>,
            Some(new.text),
        ));
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

fn tell(subject: &Subject<'_>, new: &New<'_>, patch: bool, version: &str) -> Finding {
    let name = weir_model::finding::printable(&new.name, 120);
    let alike = subject
        .names
        .candidates(&new.name)
        .into_iter()
        .find(|candidate| candidate.strength > Strength::Weak);
    if let Some(alike) = alike {
        let mut finding = SIGNAL.finding(format!(
            "{} {name} is new since {version} and could be mistaken for {}",
            new.section, alike.target
        ));
        if alike.strength == Strength::Strong {
            finding.severity = Severity::Medium;
        }
        return finding;
    }
    let mut finding = SIGNAL.finding(format!("{} {name} is new since {version}", new.section));
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

/// The dependencies from a registry that only the second manifest has. The registry repeats optional
/// ones among `dependencies`, so they are looked at first.
fn added<'m>(before: &Manifest, after: &'m Manifest) -> Vec<New<'m>> {
    let known: BTreeSet<&str> = [
        &before.dependencies,
        &before.optional_dependencies,
        &before.peer_dependencies,
        // What it was built with has been looked at by the project for a while.
        &before.dev_dependencies,
    ]
    .into_iter()
    .flat_map(BTreeMap::keys)
    .map(String::as_str)
    .collect();
    let mut found: Vec<New<'m>> = Vec::new();
    for (section, dependencies) in [
        ("optionalDependencies", &after.optional_dependencies),
        ("dependencies", &after.dependencies),
    ] {
        for (key, text) in dependencies {
            let bundled = after.bundle_dependencies.contains(key);
            let repeated = found.iter().any(|other| other.key == key);
            if bundled || repeated || known.contains(key.as_str()) {
                continue;
            }
            let (name, spec) = match classify(key, text) {
                DependencySpec::Alias { name, spec } => (name.as_str().to_owned(), *spec),
                spec if spec.is_registry() => (key.clone(), spec),
                _ => continue,
            };
            let any_version = match &spec {
                DependencySpec::Tag(tag) => tag == "latest",
                DependencySpec::Range(range) => {
                    matches!(
                        range.as_str().trim(),
                        "" | "*" | "x" | "X" | ">=0.0.0" | ">=0"
                    )
                }
                _ => false,
            };
            found.push(New {
                section,
                name,
                key,
                text,
                any_version,
            });
        }
    }
    found
}

/// Whether the dependency needs no explanation: widely used, of the same scope, or named like the
/// package.
pub(crate) fn is_expected(subject: &Subject<'_>, name: &str) -> bool {
    let own = subject.name;
    let Ok(dependency) = PackageName::parse(name) else {
        return false;
    };
    let same_scope = own.scope().is_some() && own.scope() == dependency.scope();
    let family = |base: &str, name: &str| {
        name.strip_prefix(base)
            .is_some_and(|rest| rest.starts_with(['-', '.', '_']))
    };
    let same_name = family(own.base(), dependency.base())
        || family(dependency.base(), own.base())
        || dependency.scope().is_some_and(|scope| scope == own.base());
    same_scope || same_name || subject.names.rank(name).is_some()
}

/// The popular package whose whole name is a part of this one: `crypto-js` in `plain-crypto-js`.
fn popular_within(subject: &Subject<'_>, name: &str) -> Option<String> {
    /// One word is a topic (`react`, `env`); two words are a name.
    const WORDS: usize = 2;
    if name.starts_with('@') {
        return None;
    }
    let words: Vec<&str> = name.split(['-', '_', '.']).collect();
    (WORDS..words.len()).rev().find_map(|length| {
        words.windows(length).find_map(|part| {
            let target = part.join("-");
            subject.names.rank(&target).map(|_| target)
        })
    })
}

fn is_forward(previous: &str, current: &str) -> bool {
    match (Version::parse(previous), Version::parse(current)) {
        (Ok(previous), Ok(current)) => previous.precedence(&current).is_lt(),
        _ => true,
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let pair = |before: &str, after: &str| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", before)
            .release("1.4.1", "2026-06-01T09:00:00Z", after)
    };
    vec![
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
