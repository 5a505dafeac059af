//! `manifest-mismatch`: the tarball's `package.json` is not what the registry shows, or the registry
//! contradicts itself.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{Confidence, Evidence, Finding, Group, Incomplete, Severity};
use weir_npm::manifest::Manifest;
use weir_npm::packument::SkipReason;
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::Version;

use crate::history::remote_dependency::repository;
use crate::{
    Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject, bundles, peers,
};

/// Differences shown per finding; the rest is counted.
const LISTED: usize = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "manifest-mismatch",
    summary: "The tarball's package.json is not what the registry shows",
    since: "0.1.0",
    layer: Layer::Manifest,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Shape,
    severity: Severity::High,
    confidence: Confidence::High,
    needs: &[Input::Manifest, Input::Contents],
    incidents: &[],
    documentation: Documentation {
        sees: "Differences between the `package.json` inside the tarball and the manifest that the registry \
               shows: name and version (group identity), install scripts (execution), dependencies and peer dependencies, which clients install too unless they are \
               marked as optional (dependency), commands (shape). What registries and publishing tools rewrite by themselves is allowed for. Also a manifest \
               that states another name or version than the packument lists it under (identity).",
        matters: "The two are sent separately when a package is published, and the registry does not compare them. \
                  People and scanners read one, clients act on the other: scripts that nobody was shown run, \
                  dependencies that nobody asked for are installed.",
        wrong: "Some release tools rewrite `package.json` between packing and publishing. Then every release of \
                the package differs in the same way.",
        todo: "Read both values in the evidence. Trust the tarball for what will run, and the registry's \
               manifest for what else will be installed.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Ok(registry) = subject.manifest() else {
        return;
    };
    contradiction(subject, &registry.manifest, observation);
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let Some(tarball) = &contents.manifest else {
        observation.incomplete(Incomplete {
            what: "package.json of the tarball".to_owned(),
            why: "it is missing or cannot be read".to_owned(),
        });
        return;
    };
    let registry = &registry.manifest;
    identity(subject, tarball, observation);
    scripts(registry, tarball, observation);
    dependencies(subject, registry, tarball, observation);
    commands(registry, tarball, observation);
}

/// One place where the two differ.
struct Difference {
    field: String,
    registry: Option<String>,
    tarball: Option<String>,
}

impl Difference {
    fn new(
        field: impl Into<String>,
        registry: Option<impl Into<String>>,
        tarball: Option<impl Into<String>>,
    ) -> Self {
        Self {
            field: field.into(),
            registry: registry.map(Into::into),
            tarball: tarball.map(Into::into),
        }
    }
}

fn report(
    observation: &mut Observation,
    (group, severity): (Group, Severity),
    what: &str,
    differences: &[Difference],
) {
    let Some(first) = differences.first() else {
        return;
    };
    let more = match differences.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let field = weir_model::finding::printable(&first.field, 120);
    let mut finding: Finding = SIGNAL.finding(format!(
        "{what} differ between the registry and the tarball: {field}{more}"
    ));
    finding.group = group;
    finding.severity = severity;
    finding.evidence = differences
        .iter()
        .take(LISTED)
        .map(|difference| {
            // "Previous" is what the registry shows, "current" what the tarball holds.
            Evidence::change(
                format!("{} (registry, tarball)", difference.field),
                difference.registry.as_deref(),
                difference.tarball.as_deref(),
            )
        })
        .collect();
    observation.find(finding);
}

/// What the registry's own manifest says it is, where that is not what it is listed as. Clients disagree on
/// which of the two counts; the gateway never renders another version (weir-npm).
fn contradiction(subject: &Subject<'_>, stated: &Manifest, observation: &mut Observation) {
    let listed = |field: &str| format!("{field} (listed as, manifest)");
    let mut evidence = Vec::new();
    if let Some(name) = stated.name.as_deref()
        && name.trim() != subject.name.as_str()
    {
        let own = Some(subject.name.as_str());
        evidence.push(Evidence::change(listed("name"), own, Some(name)));
    }
    let problem = subject
        .packument
        .known()
        .and_then(|it| it.entry(subject.version))
        .and_then(weir_npm::packument::VersionEntry::problem);
    let another = match stated.version.as_deref() {
        Some(version) => !same_version(version, subject.version),
        // Anything but a text is left out of what was read.
        None => problem == Some(SkipReason::OtherVersion),
    };
    if another {
        let version = stated.version.as_deref().unwrap_or("(not a text)");
        evidence.push(Evidence::change(
            listed("version"),
            Some(subject.version),
            Some(version),
        ));
    }
    if evidence.is_empty() {
        return;
    }
    let mut finding = SIGNAL.finding(
        "The registry contradicts itself: the manifest states another name or version than it is listed under",
    );
    finding.group = Group::Identity;
    finding.evidence = evidence;
    observation.find(finding);
}

fn identity(subject: &Subject<'_>, tarball: &Manifest, observation: &mut Observation) {
    let mut differences = Vec::new();
    if let Some(name) = tarball.name.as_deref().map(str::trim)
        && name != subject.name.as_str()
    {
        differences.push(Difference::new(
            "name",
            Some(subject.name.as_str()),
            Some(name),
        ));
    }
    if let Some(version) = tarball.version.as_deref()
        && !same_version(version, subject.version)
    {
        differences.push(Difference::new(
            "version",
            Some(subject.version),
            Some(version),
        ));
    }
    report(
        observation,
        (Group::Identity, Severity::High),
        "name or version",
        &differences,
    );
}

/// The registry cleans versions: a leading `v` or `=`, spaces and build metadata go.
fn same_version(tarball: &str, registry: &str) -> bool {
    let clean = |text: &str| {
        let text = text.trim().trim_start_matches(['v', '=', ' ']);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        Version::parse(text).map_or_else(|_| text.to_owned(), |version| version.canonical())
    };
    clean(tarball) == clean(registry)
}

fn scripts(registry: &Manifest, tarball: &Manifest, observation: &mut Observation) {
    let script = |manifest: &Manifest, event: &str| {
        manifest
            .scripts
            .get(event)
            .map(|command| command.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|command| !command.is_empty())
    };
    let (mut hidden, mut idle) = (Vec::new(), Vec::new());
    for event in ["preinstall", "install", "postinstall"] {
        let (shown, real) = (script(registry, event), script(tarball, event));
        // The registry spells out the compilation of a `binding.gyp`.
        let spelled_out =
            event == "install" && real.is_none() && shown.as_deref() == Some("node-gyp rebuild");
        if shown == real || spelled_out {
            continue;
        }
        let into = if real.is_some() {
            &mut hidden
        } else {
            &mut idle
        };
        into.push(Difference::new(format!("scripts.{event}"), shown, real));
    }
    report(
        observation,
        (Group::Execution, Severity::High),
        "install scripts",
        &hidden,
    );
    // Shown, but not there to be run.
    report(
        observation,
        (Group::Execution, Severity::Low),
        "install scripts",
        &idle,
    );
}

fn dependencies(
    subject: &Subject<'_>,
    registry: &Manifest,
    tarball: &Manifest,
    observation: &mut Observation,
) {
    let optional = peers::optional(registry, subject.raw(subject.version));
    let (shown, real) = (
        installed(registry, &optional),
        installed(tarball, &optional),
    );
    // By whether it is a peer, and whether it is idle.
    let mut found: BTreeMap<(bool, bool), Vec<Difference>> = BTreeMap::new();
    let names: BTreeSet<&str> = shown.keys().chain(real.keys()).copied().collect();
    for name in names {
        let (in_registry, in_tarball) = (shown.get(name), real.get(name));
        let Some(section) = in_registry.or(in_tarball).map(|it| it.section) else {
            continue;
        };
        let same = match (in_registry, in_tarball) {
            (Some(registry), Some(tarball)) => same_spec(name, registry.spec, tarball.spec),
            _ => false,
        };
        // Peers are never bundled.
        let is_peer = section == peers::SECTION;
        let bundled = || {
            let mut both = [registry, tarball].into_iter();
            both.any(|manifest| bundles::lies_inside(subject, manifest, name))
        };
        if same || (!is_peer && bundled()) {
            continue;
        }
        // Clients install what the registry says, so what only the tarball says is idle.
        let effective = in_registry
            .is_some_and(|it| in_tarball.is_none() || classify(name, it.spec).is_remote_code());
        let difference = Difference::new(
            format!("{section}.{name}"),
            in_registry.map(|it| it.spec),
            in_tarball.map(|it| it.spec),
        );
        found
            .entry((is_peer, !effective))
            .or_default()
            .push(difference);
    }
    for ((is_peer, idle), differences) in &found {
        let severity = if *idle {
            Severity::Medium
        } else {
            Severity::High
        };
        let what = if *is_peer {
            "peer dependencies"
        } else {
            "dependencies"
        };
        report(
            observation,
            (Group::Dependency, severity),
            what,
            differences,
        );
    }
}

/// What is installed along under a name.
struct Installed<'m> {
    /// Where the manifest lists it; optional dependencies are told as ordinary ones.
    section: &'static str,
    spec: &'m str,
}

/// Everything that is installed along, by name. Optional dependencies win, as they do in clients;
/// registries list them in both places. Peers count unless the registry marks them as `optional`.
fn installed<'m>(
    manifest: &'m Manifest,
    optional: &BTreeSet<String>,
) -> BTreeMap<&'m str, Installed<'m>> {
    let peers = manifest.peer_dependencies.iter();
    let peers = peers.filter(|(name, _)| !optional.contains(*name));
    let others = manifest.dependencies.iter();
    let others = others.chain(&manifest.optional_dependencies);
    peers
        .map(|peer| (peers::SECTION, peer))
        .chain(others.map(|other| ("dependencies", other)))
        .map(|(section, (name, spec))| {
            let spec = spec.trim();
            (name.trim(), Installed { section, spec })
        })
        .collect()
}

/// Whether two specs ask for the same. Publishing rewrites `workspace:` and `catalog:`, registries
/// spell git shorthands out, and an empty range is any.
fn same_spec(name: &str, registry: &str, tarball: &str) -> bool {
    if registry == tarball {
        return true;
    }
    let any = |spec: &str| matches!(spec, "" | "*" | "x" | "latest");
    if any(registry) && any(tarball) {
        return true;
    }
    match (classify(name, registry), classify(name, tarball)) {
        (_, DependencySpec::Workspace(_) | DependencySpec::Catalog(_)) => true,
        (
            DependencySpec::Git {
                url: shown,
                committish: shown_at,
            },
            DependencySpec::Git {
                url: real,
                committish: real_at,
            },
        ) => repository(&shown) == repository(&real) && shown_at == real_at,
        (DependencySpec::Range(_), DependencySpec::Range(_)) => {
            let squeeze =
                |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
            squeeze(registry) == squeeze(tarball)
        }
        _ => false,
    }
}

fn commands(registry: &Manifest, tarball: &Manifest, observation: &mut Observation) {
    let normal = |manifest: &Manifest| -> BTreeMap<String, String> {
        let last = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
        manifest
            .bin
            .iter()
            .map(|(command, path)| {
                let path: Vec<&str> = path
                    .split('/')
                    .filter(|part| !matches!(*part, "" | "." | ".."))
                    .collect();
                (last(command), path.join("/"))
            })
            .filter(|(command, path)| !command.is_empty() && !path.is_empty())
            .collect()
    };
    let (shown, real) = (normal(registry), normal(tarball));
    // `directories.bin` is expanded when a package is published, so the tarball may list none.
    if real.is_empty() {
        return;
    }
    let names: std::collections::BTreeSet<&String> = shown.keys().chain(real.keys()).collect();
    let differences: Vec<Difference> = names
        .into_iter()
        .filter(|name| shown.get(*name) != real.get(*name))
        .map(|name| {
            Difference::new(
                format!("bin.{name}"),
                shown.get(name).cloned(),
                real.get(name).cloned(),
            )
        })
        .collect();
    report(
        observation,
        (Group::Shape, Severity::Low),
        "commands",
        &differences,
    );
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, tarball};
    let scene = |registry: &str, package_json: &str| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", registry)
            .contents(tarball(package_json))
    };
    vec![
        Sample::flagged(
            "A postinstall script that the registry does not show",
            scene(
                "{}",
                r#"{"name":"left-lib","version":"1.4.1","scripts":{"postinstall":"node setup.js"}}"#,
            ),
        ),
        Sample::flagged(
            "The tarball is another package",
            scene("{}", r#"{"name":"right-lib","version":"3.0.0"}"#),
        ),
        Sample::flagged(
            "A manifest of another version than it is listed under, though the tarball agrees with the list",
            scene(
                r#"{"version":"1.4.0"}"#,
                r#"{"name":"left-lib","version":"1.4.1"}"#,
            ),
        ),
        Sample::flagged(
            "A manifest of another package than it is listed under",
            scene(
                r#"{"name":"right-lib"}"#,
                r#"{"name":"left-lib","version":"1.4.1"}"#,
            ),
        ),
        Sample::flagged(
            "A dependency that only the registry's manifest asks for",
            scene(
                r#"{"dependencies":{"left-ui":"^1.0.0","left-setup":"^1.0.0"}}"#,
                r#"{"name":"left-lib","version":"1.4.1","dependencies":{"left-ui":"^1.0.0"}}"#,
            ),
        ),
        Sample::flagged(
            "A peer dependency that only the registry's manifest asks for, and that clients install",
            scene(
                r#"{"peerDependencies":{"left-ui":"^1.0.0","left-setup":"^1.0.0"}}"#,
                r#"{"name":"left-lib","version":"1.4.1","peerDependencies":{"left-ui":"^1.0.0"}}"#,
            ),
        ),
        Sample::flagged(
            "A command that leads to another file",
            scene(
                r#"{"bin":{"left":"cli.js"}}"#,
                r#"{"name":"left-lib","version":"1.4.1","bin":{"left":"./other.js"}}"#,
            ),
        ),
        Sample::passing(
            "Near miss: everything that registries and publishing tools rewrite by themselves",
            scene(
                r#"{"gypfile":true,"scripts":{"install":"node-gyp rebuild"},"bin":{"left":"cli.js"},
                    "dependencies":{"a":"*","b":"^2.0.0","c":"1.0.0","d":"github:left/ui"},
                    "optionalDependencies":{"b":"^2.0.0"}}"#,
                r#"{"name":"left-lib","version":"v1.4.1+build.7","bin":{"left":"./cli.js"},
                    "scripts":{"postinstall":""},
                    "dependencies":{"c":"workspace:*","a":"","d":"left/ui"},
                    "optionalDependencies":{"b":"^2.0.0"}}"#,
            ),
        ),
        Sample::passing(
            "A peer dependency that the registry's manifest marks as optional: nothing is installed for it",
            scene(
                r#"{"peerDependencies":{"left-ui":"^1.0.0","left-paint":"^2.0.0"},
                    "peerDependenciesMeta":{"left-paint":{"optional":true}}}"#,
                r#"{"name":"left-lib","version":"1.4.1","peerDependencies":{"left-ui":"workspace:^"}}"#,
            ),
        ),
        Sample::passing(
            "The same manifest in both places",
            scene(
                r#"{"scripts":{"postinstall":"node setup.js"},"dependencies":{"a":"^1.0.0"}}"#,
                r#"{"name":"left-lib","version":"1.4.1","scripts":{"postinstall":"node setup.js"},
                    "dependencies":{"a":"^1.0.0"}}"#,
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use weir_model::Severity;

    use super::SIGNAL;
    use crate::Observation;
    use crate::sample::{Scene, tarball};

    #[test]
    fn peers_differ_only_where_clients_would_install_something_else() {
        use Severity::{High, Medium};
        for (registry, packed, want) in [
            (r#"{"a":"^1.0.0"}"#, r#"{"a":"^1.0.0"}"#, None),
            (r#"{"a":"*"}"#, r#"{"a":""}"#, None),
            (r#"{"a":"^1.0.0"}"#, r#"{"a":"catalog:"}"#, None),
            (r#"{"a":"^1.0.0"}"#, "{}", Some(High)),
            (
                r#"{"a":"git+https://git.example.invalid/a.git"}"#,
                r#"{"a":"^1.0.0"}"#,
                Some(High),
            ),
            (r#"{"a":"^2.0.0"}"#, r#"{"a":"^1.0.0"}"#, Some(Medium)),
            ("{}", r#"{"a":"^1.0.0"}"#, Some(Medium)),
            // Marked as optional below.
            (r#"{"b":"^1.0.0"}"#, "{}", None),
        ] {
            let shown = format!(
                r#"{{"peerDependencies":{registry},"bundleDependencies":["a"],
                    "peerDependenciesMeta":{{"b":{{"optional":true}}}}}}"#
            );
            let packed =
                format!(r#"{{"name":"left-lib","version":"1.4.1","peerDependencies":{packed}}}"#);
            let mut observation = Observation::default();
            Scene::of("left-lib", "1.4.1")
                .release("1.4.1", "2026-06-01T09:00:00Z", &shown)
                .contents(tarball(&packed))
                .with_subject(|subject| SIGNAL.run(subject, &mut observation));
            let found = observation.findings.first();
            assert_eq!(found.map(|it| it.severity), want, "{registry} {packed}");
            if let Some(found) = found {
                assert!(found.message.starts_with("peer dependencies differ"));
                assert!(found.message.ends_with("peerDependencies.a"));
            }
        }
    }

    #[test]
    fn a_peer_that_is_packed_as_a_dependency_is_no_difference() {
        let mut observation = Observation::default();
        Scene::of("left-lib", "1.4.1")
            .release(
                "1.4.1",
                "2026-06-01T09:00:00Z",
                r#"{"peerDependencies":{"a":"^1.0.0"}}"#,
            )
            .contents(tarball(
                r#"{"name":"left-lib","version":"1.4.1","dependencies":{"a":"^1.0.0"}}"#,
            ))
            .with_subject(|subject| SIGNAL.run(subject, &mut observation));
        assert_eq!(observation.findings, []);
    }
}
