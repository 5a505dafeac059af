//! `own-shrinkwrap`: the package brings an `npm-shrinkwrap.json`, and that leads elsewhere than its dependencies do.

use serde_json::Value;
use weir_model::contents::{LockedElsewhere, LockedKind, LockedOrigin, Shrinkwrap};
use weir_model::finding::printable;
use weir_model::{Confidence, Contents, Evidence, Group, Severity};
use weir_npm::spec::{DependencySpec, classify};

use super::new_install_script::has_been_out;
use super::remote_dependency::{any_section, repository};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Entries and hosts told one by one.
const LISTED: usize = 10;

/// The file.
const FILE: &str = "npm-shrinkwrap.json";

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "own-shrinkwrap",
    summary: "The package's own npm-shrinkwrap.json leads elsewhere than its dependencies do",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Dependency,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Contents],
    incidents: &[],
    documentation: Documentation {
        sees: "Entries of an `npm-shrinkwrap.json` in the tarball that lead to a git repository, to a tarball at an \
               address of its own, to the address of another package or of another release than the entry is named \
               after, or to another host than the registry's; and versions that the package's own dependencies do not \
               ask for. What the shrinkwrap of the release before said too is left out, and so is a repository that the \
               manifest asks for as well. A release that has been out for 90 days is told of with little weight. That a \
               package begins to bring a shrinkwrap, or that it cannot be read, is mentioned. A file that the registry \
               does not know of is not followed by npm, and is not looked at.",
        matters: "npm installs what a package's shrinkwrap says below it, from the addresses that stand there, whatever \
                  the manifest asks for. No manifest shows any of it, neither the package's page nor what scanners read. \
                  Other clients do not read the file.",
        wrong: "A shrinkwrap is written where somebody develops: addresses of a company's own registry, of repositories \
                that were used for a while, and folders beside the project get into it.",
        todo: "Read the entries in the evidence, and look at what those addresses serve. Other clients than npm \
               install what the manifest asks for.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let Some(own) = &contents.shrinkwrap else {
        return;
    };
    if !is_followed(subject, own) {
        return;
    }
    // A release that nobody knows yet excuses nothing.
    let before = subject.previous_contents.known();
    let before = before.filter(|_| !subject.is_beginning());
    let before = before.and_then(|it| it.shrinkwrap.as_ref());
    if let Some(why) = &own.unread {
        let mut finding = SIGNAL.finding(format!("{FILE} is none that npm writes: {why}"));
        finding.severity = Severity::Low;
        finding.evidence.push(Evidence::place(FILE, None, why));
        observation.find(finding);
        return;
    }
    begins(subject, own, before, observation);
    elsewhere(subject, own, before, observation);
    origins(subject, own, before, observation);
    out_of_range(own, before, observation);
}

/// Whether npm reads the file: where the registry says that there is one. Of a tarball or folder alone nobody says.
#[must_use]
pub fn is_followed(subject: &Subject<'_>, own: &Shrinkwrap) -> bool {
    match subject.raw(subject.version) {
        Some(raw) => has_one(raw),
        None => !own.is_lock,
    }
}

fn has_one(raw: &str) -> bool {
    let whole = serde_json::from_str::<Value>(raw).unwrap_or_default();
    whole.get("_hasShrinkwrap").and_then(Value::as_bool) == Some(true)
}

/// Whether the release before may have had the same.
pub(crate) fn is_worth_comparing(contents: &Contents) -> bool {
    let own = contents.shrinkwrap.as_ref();
    own.is_some_and(|own| !own.is_lock && own.packages > 0)
}

fn begins(
    subject: &Subject<'_>,
    own: &Shrinkwrap,
    before: Option<&Shrinkwrap>,
    observation: &mut Observation,
) {
    let Some((version, _)) = subject.previous_manifest() else {
        return;
    };
    if before.is_some() || subject.raw(version).is_some_and(has_one) {
        return;
    }
    let mut finding = SIGNAL.finding(format!(
        "{FILE} is new since {version}: npm takes {} packages from where it says",
        own.packages
    ));
    finding.severity = Severity::Info;
    let now = format!("{} packages", own.packages);
    let evidence = Evidence::change(FILE, None::<&str>, Some(now));
    finding.evidence.push(evidence);
    observation.find(finding);
}

fn elsewhere(
    subject: &Subject<'_>,
    own: &Shrinkwrap,
    before: Option<&Shrinkwrap>,
    observation: &mut Observation,
) {
    let is_known = |one: &LockedElsewhere| before.is_some_and(|it| it.elsewhere.contains(one));
    let new = own.elsewhere.iter().filter(|one| !is_known(one));
    for one in new.filter(|one| !is_asked_for(subject, one)).take(LISTED) {
        let mut finding = SIGNAL.finding(format!(
            "{FILE} takes {} from {}: {}",
            printable(&one.name, 120),
            match one.kind {
                LockedKind::Git => "a git repository",
                LockedKind::Address => "a web address",
                LockedKind::OtherRelease => "where another package or release lies",
                LockedKind::Path => "a path on the machine that installs",
                LockedKind::Unknown => "nowhere that clients know",
            },
            printable(&one.from, 120),
        ));
        finding.severity = weigh(subject, severity(one));
        finding.evidence.push(Evidence::place(
            FILE,
            None,
            &format!("{}: {}", one.name, one.from),
        ));
        observation.find(finding);
    }
}

fn severity(one: &LockedElsewhere) -> Severity {
    match one.kind {
        // npm writes no such entry.
        LockedKind::OtherRelease => Severity::High,
        // Anyone on the way can exchange it.
        LockedKind::Address if is_plain(&one.from) => Severity::High,
        LockedKind::Address | LockedKind::Git => SIGNAL.severity,
        LockedKind::Unknown => Severity::Low,
        // Left over from where it was developed.
        LockedKind::Path => Severity::Info,
    }
}

/// What everybody who would take it has taken by now, and nobody has complained of.
fn weigh(subject: &Subject<'_>, severity: Severity) -> Severity {
    match has_been_out(subject) && subject.out_since().is_some() {
        true => severity.min(Severity::Low),
        false => severity,
    }
}

fn is_plain(address: &str) -> bool {
    address
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}

/// Whether the manifest asks for the same place: then it is told as a dependency.
fn is_asked_for(subject: &Subject<'_>, one: &LockedElsewhere) -> bool {
    let registry = subject.manifest().map(|it| &it.manifest).ok();
    let packed = subject.contents.known().and_then(|it| it.manifest.as_ref());
    let asked = registry
        .or(packed)
        .and_then(|it| any_section(it, &one.name));
    let Some(asked) = asked else {
        return false;
    };
    match classify(&one.name, asked) {
        DependencySpec::Git { url, .. } => {
            one.kind == LockedKind::Git && repository(&url) == repository(&one.from)
        }
        DependencySpec::Url(url) => url == one.from,
        DependencySpec::File(_) => one.kind == LockedKind::Path,
        _ => false,
    }
}

/// Hosts from which releases are fetched, and which are not the registry's.
fn origins(
    subject: &Subject<'_>,
    own: &Shrinkwrap,
    before: Option<&Shrinkwrap>,
    observation: &mut Observation,
) {
    let tarball = subject.manifest().ok();
    let tarball = tarball.and_then(|it| it.dist.tarball.as_deref());
    let registry = tarball.and_then(host);
    let is_known = |one: &LockedOrigin| {
        let mut known = before.into_iter().flat_map(|it| &it.origins);
        known.any(|other| other.origin == one.origin)
    };
    let strange = |one: &&LockedOrigin| !is_known(one) && is_strange(&one.origin, registry);
    for one in own.origins.iter().filter(strange).take(LISTED) {
        let mut finding = SIGNAL.finding(format!(
            "{FILE} takes {} of {} packages from {}, which is not the registry: {} and others",
            one.releases,
            own.packages,
            printable(&one.origin, 120),
            printable(&one.release, 120),
        ));
        finding.severity = weigh(
            subject,
            match host(&one.origin).is_some_and(is_local) {
                // Of somebody's own network: whoever installs elsewhere gets nothing from there.
                true => Severity::Low,
                false if is_plain(&one.origin) => Severity::High,
                false => SIGNAL.severity,
            },
        );
        let text = format!("{}: {}", one.release, one.origin);
        finding.evidence.push(Evidence::place(FILE, None, &text));
        observation.find(finding);
    }
}

fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(host.rsplit('@').next().unwrap_or(host))
}

/// Whether a host is another one than the registry's. Behind a mirror, shrinkwraps name the registry that it mirrors:
/// one whose name says that it is a registry is taken for that.
fn is_strange(origin: &str, registry: Option<&str>) -> bool {
    let is_registry = |host: &str| host.starts_with("registry.");
    let Some(host) = host(origin) else {
        return true;
    };
    if registry.is_some_and(|own| own.eq_ignore_ascii_case(host)) {
        return false;
    }
    !is_registry(host) || registry.is_some_and(is_registry)
}

/// Whether a host is of one machine or of a network of its own.
fn is_local(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host);
    name == "localhost"
        || !name.contains('.')
        || ["127.", "10.", "192.168."]
            .iter()
            .any(|begin| name.starts_with(begin))
        || [".local", ".internal", ".lan"]
            .iter()
            .any(|end| name.ends_with(end))
}

fn out_of_range(own: &Shrinkwrap, before: Option<&Shrinkwrap>, observation: &mut Observation) {
    let is_known = |name: &str| {
        let mut known = before.into_iter().flat_map(|it| &it.out_of_range);
        known.any(|other| other.name == name)
    };
    let new = own.out_of_range.iter().filter(|it| !is_known(&it.name));
    let new: Vec<_> = new.collect();
    let Some(first) = new.first() else {
        return;
    };
    let more = match new.len() {
        1 => String::new(),
        count => format!(", and {} more of the kind", count - 1),
    };
    let mut finding = SIGNAL.finding(format!(
        "{FILE} takes {}@{}, where {} is asked for{more}",
        printable(&first.name, 120),
        printable(&first.version, 60),
        printable(&first.range, 60),
    ));
    finding.severity = Severity::Low;
    finding.confidence = Confidence::Medium;
    finding.evidence = new
        .iter()
        .take(LISTED)
        .map(|it| Evidence::change(&it.name, Some(&it.range), Some(&it.version)))
        .collect();
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    use weir_model::contents::OutOfRange;
    const WITH: &str = r#"{"_hasShrinkwrap":true,"dependencies":{"left-ui":"^2.0.0"},
        "dist":{"tarball":"https://registry.example.invalid/left-lib/-/left-lib-1.4.1.tgz"}}"#;
    let scene = |before: &str, after: &str, own: Shrinkwrap| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2026-03-01T09:00:00Z", before)
            .release("1.4.1", "2026-06-01T09:00:00Z", after)
            .contents(Contents {
                shrinkwrap: Some(own),
                ..Contents::default()
            })
    };
    let origin = |origin: &str| LockedOrigin {
        origin: origin.to_owned(),
        release: "left-ui@2.0.1".to_owned(),
        releases: 1,
    };
    let usual = || Shrinkwrap {
        packages: 1,
        releases: vec!["left-ui@2.0.1".to_owned()],
        origins: vec![origin("https://registry.example.invalid")],
        ..Shrinkwrap::default()
    };
    let leads = |kind: LockedKind, from: &str| Shrinkwrap {
        elsewhere: vec![LockedElsewhere {
            name: "left-ui".to_owned(),
            from: from.to_owned(),
            kind,
        }],
        ..usual()
    };
    let other = "http://registry.example.invalid/sleeper/-/sleeper-1.0.0.tgz";
    vec![
        Sample::flagged(
            "An entry whose address is that of another package",
            scene("{}", WITH, leads(LockedKind::OtherRelease, other)),
        ),
        Sample::flagged(
            "A tarball at an address of its own",
            scene(
                WITH,
                WITH,
                leads(LockedKind::Address, "https://files.invalid/ui.tgz"),
            ),
        ),
        Sample::flagged(
            "Another host, with the form of a registry's addresses",
            scene(
                WITH,
                WITH,
                Shrinkwrap {
                    origins: vec![origin("https://npm.collector.invalid")],
                    ..usual()
                },
            ),
        ),
        Sample::flagged(
            "A version that the package does not ask for",
            scene(
                WITH,
                WITH,
                Shrinkwrap {
                    out_of_range: vec![OutOfRange {
                        name: "left-ui".to_owned(),
                        range: "^2.0.0".to_owned(),
                        version: "9.0.0".to_owned(),
                    }],
                    ..usual()
                },
            ),
        ),
        Sample::passing(
            "A command-line tool that fixes the versions of its dependencies",
            scene(WITH, WITH, usual()),
        ),
        Sample::passing("Near miss: it begins to do so", scene("{}", WITH, usual())),
        Sample::passing(
            "The release before had the same entry",
            scene(
                WITH,
                WITH,
                leads(LockedKind::Address, "https://files.invalid/ui.tgz"),
            )
            .previous_contents(Contents {
                shrinkwrap: Some(leads(LockedKind::Address, "https://files.invalid/ui.tgz")),
                ..Contents::default()
            }),
        ),
        Sample::passing(
            "Near miss: a file that the registry does not know of, which npm does not read",
            scene("{}", "{}", leads(LockedKind::OtherRelease, other)),
        ),
        Sample::passing(
            "A repository that the manifest asks for as well, and that is told there",
            scene(
                WITH,
                r#"{"_hasShrinkwrap":true,"dependencies":{"left-ui":"git+https://git.example/left/ui.git"}}"#,
                leads(LockedKind::Git, "ssh://git@git.example/left/ui.git"),
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_strange_unless_it_is_the_registrys_or_what_a_mirror_mirrors() {
        for (origin, registry, expected) in [
            ("https://registry.example", Some("registry.example"), false),
            ("https://registry.example", Some("mirror.example"), false),
            ("https://registry.example", None, false),
            ("http://mirror.example:80", Some("mirror.example"), true),
            ("https://registry.invalid", Some("registry.example"), true),
            ("https://npm.invalid", Some("registry.example"), true),
            ("https://npm.invalid", None, true),
        ] {
            assert_eq!(is_strange(origin, registry), expected, "{origin}");
        }
    }
}
