//! `remote-dependency`: a dependency comes from somewhere else than a registry.

use std::collections::BTreeMap;

use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::manifest::Manifest;
use weir_npm::spec::{DependencySpec, classify, inside_package, names_tarball};

use crate::{
    Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject, bundles,
};

/// Dependencies reported one by one; a release with more has made its point.
const LISTED: usize = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "remote-dependency",
    summary: "A new dependency comes from a git repository or a web address",
    since: "0.1.0",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Dependency,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Manifest, Input::History],
    incidents: &["PhantomRaven, 2025", "TanStack, 2026"],
    documentation: Documentation {
        sees: "An entry of `dependencies`, `optionalDependencies` or `peerDependencies` that points at a git \
               repository or at a tarball on the web, and that the previous release did not have. Another commit \
               of the same repository weighs little. In a tarball or folder alone, which has no history, all of them \
               are told, and those that point at a repository weigh little. What lies in the tarball as a bundled \
               dependency weighs little as well, as some clients fetch it all the same; what is only said to be bundled counts \
               in full. A `file:` dependency on an archive in the package counts, and one that leaves the package, which \
               a published release has no reason for, weighs little unless it names another machine.",
        matters: "Such code has no publisher, no publish time, no signature and no second copy; whoever controls \
                  the address decides at any moment what is installed. Git dependencies also run their \
                  `prepare` script. In `optionalDependencies` a failure stays silent, which is how a worm of 2026 \
                  travelled below valid provenance.",
        wrong: "A maintainer who waits for a fix to be released points at the commit for a while. About one in \
                twenty-five widely used packages has had one.",
        todo: "Look at what the address serves, and at whether the package's repository mentions it. Clients \
               can refuse such dependencies altogether (`allow-git` and `allow-remote` of npm).",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

/// A dependency whose code does not come from a registry.
struct Remote<'m> {
    section: &'static str,
    name: &'m str,
    text: &'m str,
    spec: DependencySpec,
    /// It is said to be bundled, and lies in the tarball as far as anybody knows.
    is_bundled: bool,
    odd: Option<OddPath>,
}

/// A path that no release from a registry should ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OddPath {
    /// An archive in the package, which nothing looks into.
    Archive,
    /// Out of the package, to whatever lies there on the machine that installs.
    Out,
    /// To another machine, as Windows reads it.
    Machine,
}

impl OddPath {
    fn of(path: &str) -> Option<Self> {
        let slashes = path.trim().replace('\\', "/");
        let rest = slashes.trim_start_matches('/');
        // An address has no host before three slashes.
        let is_machine = !rest.is_empty() && matches!(slashes.len() - rest.len(), 2 | 4);
        let is_own = matches!(slashes.trim_end_matches('/'), "" | ".");
        match inside_package(path) {
            Some(inside) => names_tarball(&inside).then_some(Self::Archive),
            None if is_machine => Some(Self::Machine),
            None if is_own => None,
            None => Some(Self::Out),
        }
    }
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Ok(manifest) = subject.manifest() else {
        // A tarball or folder alone: what it asks for is known all the same, though not whether that is new.
        let own = subject.contents.known().and_then(|it| it.manifest.as_ref());
        for remote in own
            .map(|own| remotes(subject, own))
            .unwrap_or_default()
            .into_iter()
            .take(LISTED)
        {
            without_history(&remote, observation);
        }
        return;
    };
    if Input::History.missing(subject).is_some() {
        return;
    }
    let previous = subject.previous_manifest();
    for remote in remotes(subject, &manifest.manifest)
        .into_iter()
        .take(LISTED)
    {
        let old = previous.and_then(|(_, previous)| any_section(&previous.manifest, remote.name));
        let same = old.map(str::trim) == Some(remote.text);
        // A release that nobody knows yet excuses nothing.
        let beginning = subject.is_beginning();
        if same && !beginning {
            continue;
        }
        let moved = !beginning
            && old.is_some_and(|old| same_place(&classify(remote.name, old), &remote.spec));
        let what = from_where(&remote);
        let listed = bundles::is_listed(&manifest.manifest, remote.name);
        let brought = match (listed, remote.is_bundled) {
            (true, true) => "; it is bundled, and some clients fetch it all the same",
            (true, false) => "; it is said to be bundled, and does not lie in the tarball",
            _ => "",
        };
        let since = match previous {
            None if subject.has_earlier() => {
                "and no release before it counts that could explain it".to_owned()
            }
            None => "in its first release".to_owned(),
            Some((version, _)) if same => {
                format!("as in {version}, which nobody has found fine so far")
            }
            Some((version, _)) if moved => format!("another state of it than in {version}"),
            Some((version, _)) if old.is_some() => format!("from elsewhere than in {version}"),
            Some((version, _)) => format!("new since {version}"),
        };
        let mut finding = SIGNAL.finding(format!(
            "{} {} comes from {what}, {since}{brought}",
            remote.section,
            weir_model::finding::printable(remote.name, 120),
        ));
        finding.severity = severity(&remote, moved);
        finding.evidence.push(Evidence::change(
            format!("{}.{}", remote.section, remote.name),
            old,
            Some(remote.text),
        ));
        observation.find(finding);
    }
}

fn from_where(remote: &Remote<'_>) -> &'static str {
    match &remote.spec {
        DependencySpec::Git { .. } => "a git repository",
        DependencySpec::File(_) => match remote.odd {
            Some(OddPath::Archive) => "an archive in the package",
            Some(OddPath::Machine) => "another machine",
            _ => "a path outside the package",
        },
        _ => "a web address",
    }
}

/// Whoever installs the package fetches this, whether or not a release before asked for it too. A project's own
/// folder often points at repositories.
fn without_history(remote: &Remote<'_>, observation: &mut Observation) {
    // What lies beside it in a workspace is asked for in this way.
    if remote.odd == Some(OddPath::Out) {
        return;
    }
    let mut finding = SIGNAL.finding(format!(
        "{} {} comes from {}; whether releases before have it is not known",
        remote.section,
        weir_model::finding::printable(remote.name, 120),
        from_where(remote),
    ));
    finding.severity = match &remote.spec {
        DependencySpec::Git { .. } if remote.section != "optionalDependencies" => Severity::Low,
        DependencySpec::File(_) => Severity::Low,
        _ => severity(remote, false),
    };
    finding.evidence.push(Evidence::place(
        "package.json",
        None,
        &format!("{}.{}: {}", remote.section, remote.name, remote.text),
    ));
    observation.find(finding);
}

fn severity(remote: &Remote<'_>, moved: bool) -> Severity {
    if moved || remote.is_bundled {
        return Severity::Low;
    }
    match &remote.spec {
        // Fails in silence, and runs `prepare` (INCIDENTS I43).
        DependencySpec::Git { .. } if remote.section == "optionalDependencies" => Severity::High,
        // Anyone on the way can exchange it, and no honest host needs it (INCIDENTS I30).
        DependencySpec::Url(url) if is_plain_http(url) => Severity::High,
        // A mistake, most likely; installed elsewhere it fails or takes what lies there.
        DependencySpec::File(_) if remote.odd == Some(OddPath::Out) => Severity::Low,
        _ => SIGNAL.severity,
    }
}

fn is_plain_http(url: &str) -> bool {
    url.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}

/// The remote dependencies that an install of this package fetches. The registry repeats
/// `optionalDependencies` among `dependencies`, so the former are looked at first.
fn remotes<'m>(subject: &Subject<'_>, manifest: &'m Manifest) -> Vec<Remote<'m>> {
    let sections: [(&'static str, &'m BTreeMap<String, String>); 3] = [
        ("optionalDependencies", &manifest.optional_dependencies),
        ("dependencies", &manifest.dependencies),
        ("peerDependencies", &manifest.peer_dependencies),
    ];
    let mut found: Vec<Remote<'m>> = Vec::new();
    for (section, dependencies) in sections {
        for (name, text) in dependencies {
            let text = text.trim();
            if found.iter().any(|known| known.name == name) {
                continue;
            }
            let spec = classify(name, text);
            let is_bundled = bundles::lies_inside(subject, manifest, name);
            let odd = match &spec {
                // What is bundled is taken from the tarball.
                DependencySpec::File(path) if !is_bundled => OddPath::of(path),
                _ => None,
            };
            if spec.is_remote_code() || odd.is_some() {
                found.push(Remote {
                    section,
                    name,
                    text,
                    spec,
                    is_bundled,
                    odd,
                });
            }
        }
    }
    found
}

/// What a manifest asks for under that name, in whichever section.
pub(crate) fn any_section<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
    [
        &manifest.optional_dependencies,
        &manifest.dependencies,
        &manifest.peer_dependencies,
    ]
    .into_iter()
    .find_map(|section| section.get(name))
    .map(String::as_str)
}

/// Whether both come from the same repository, or from the same address but for numbers.
fn same_place(old: &DependencySpec, new: &DependencySpec) -> bool {
    match (old, new) {
        (DependencySpec::Git { url: old, .. }, DependencySpec::Git { url: new, .. }) => {
            repository(old) == repository(new)
        }
        (DependencySpec::Url(old), DependencySpec::Url(new)) => {
            let parts = |url: &str| {
                let (scheme, rest) = url.split_once("://")?;
                let (host, path) = rest.split_once('/')?;
                let path: String = path.chars().filter(|c| !c.is_ascii_digit()).collect();
                Some((scheme.to_owned(), host.to_owned(), path))
            };
            parts(old).is_some() && parts(old) == parts(new)
        }
        _ => false,
    }
}

/// A repository's address without what spellings of the same one differ in: protocol, user, `.git`.
pub(crate) fn repository(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    rest.trim_end_matches('/')
        .trim_end_matches(".git")
        .replace(':', "/")
        .to_ascii_lowercase()
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, tarball};
    use weir_model::Contents;
    let alone = |manifest| {
        Scene::of("left-lib", "1.4.1")
            .without_history()
            .contents(tarball(manifest))
    };
    let pair = |before, after| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", before)
            .release("1.4.1", "2026-06-01T09:00:00Z", after)
    };
    let begun = |known: &[&str]| {
        let manifest = r#"{"dependencies":{"left-ui":"http://packages.example/left-ui"}}"#;
        Scene::of("left-lib", "1.0.1")
            .release("1.0.0", "2026-06-14T09:00:00Z", manifest)
            .release("1.0.1", "2026-06-14T09:05:00Z", manifest)
            .knowing(known)
    };
    let bundled = |inside: &[&str]| {
        pair(
            "{}",
            r#"{"dependencies":{"left-ui":"github:left/ui"},"bundleDependencies":["left-ui"]}"#,
        )
        .contents(Contents {
            bundled: Some(inside.iter().map(|name| (*name).to_owned()).collect()),
            ..Contents::default()
        })
    };
    vec![
        Sample::flagged(
            "A git dependency appears among the optional ones",
            pair(
                "{}",
                r#"{"optionalDependencies":{"left-setup":"github:left/setup#0123456789abcdef0123456789abcdef01234567"}}"#,
            ),
        ),
        Sample::flagged(
            "A first release fetches a tarball over plain http",
            Scene::of("left-lib", "1.0.0").release(
                "1.0.0",
                "2026-06-01T09:00:00Z",
                r#"{"dependencies":{"left-ui":"http://packages.example/left-ui"}}"#,
            ),
        ),
        Sample::flagged(
            "The second release of a package, five minutes after a first that nobody knows, does the same",
            begun(&[]),
        ),
        Sample::passing(
            "Near miss: the first was looked at and found fine",
            begun(&["1.0.0"]),
        ),
        Sample::flagged(
            "A dependency moves from the registry to a repository",
            pair(
                r#"{"dependencies":{"left-ui":"^2.0.0"}}"#,
                r#"{"dependencies":{"left-ui":"left/ui#fix"}}"#,
            ),
        ),
        Sample::flagged(
            "A folder alone, with a dependency over plain http",
            alone(r#"{"dependencies":{"left-ui":"http://packages.invalid/npm/left-ui"}}"#),
        ),
        Sample::passing(
            "A folder alone, whose dependencies come from the registry",
            alone(r#"{"dependencies":{"left-ui":"^2.0.0"}}"#),
        ),
        Sample::passing(
            "Near miss: a git dependency that was there before, unchanged",
            pair(
                r#"{"dependencies":{"left-ui":"github:left/ui#v2"}}"#,
                r#"{"dependencies":{"left-ui":"github:left/ui#v2","other":"^1.0.0"}}"#,
            ),
        ),
        Sample::passing(
            "An alias, which comes from the registry under another name",
            pair("{}", r#"{"dependencies":{"old-ui":"npm:left-ui@^1.0.0"}}"#),
        ),
        Sample::flagged(
            "A git dependency that is bundled, which some clients fetch all the same",
            bundled(&["left-ui"]),
        ),
        Sample::flagged(
            "One that is said to be bundled, and does not lie in the tarball",
            bundled(&[]),
        ),
        Sample::flagged(
            "An archive in the package, which yarn installs and runs scripts of",
            pair("{}", r#"{"dependencies":{"left-ui":"file:./ui.tgz"}}"#),
        ),
        Sample::flagged(
            "A folder beside the package, on whatever machine installs it",
            pair("{}", r#"{"dependencies":{"left-ui":"file:../ui"}}"#),
        ),
        Sample::passing(
            "A folder of the package",
            pair("{}", r#"{"dependencies":{"left-ui":"file:./ui"}}"#),
        ),
        Sample::passing(
            "Near miss: a folder beside the package, which is bundled",
            pair(
                "{}",
                r#"{"dependencies":{"left-ui":"file:../ui"},"bundleDependencies":["left-ui"]}"#,
            )
            .contents(Contents {
                bundled: Some(vec!["left-ui".to_owned()]),
                ..Contents::default()
            }),
        ),
        Sample::passing(
            "A folder alone, in a workspace",
            alone(r#"{"dependencies":{"left-ui":"file:../ui"}}"#),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_by_where_they_lead() {
        use OddPath::{Archive, Machine, Out};
        for (spec, odd) in [
            ("file:./sub", None),
            ("link:sub", None),
            ("file:.", None),
            ("file:./sub.tgz", Some(Archive)),
            ("file:lib/../sub.tar.gz", Some(Archive)),
            ("file:../x.tgz", Some(Out)),
            ("portal:../x", Some(Out)),
            ("file:/tmp/x", Some(Out)),
            ("file:///tmp/x", Some(Out)),
            ("C:\\x", Some(Out)),
            ("~/x", Some(Out)),
            ("file://host/share", Some(Machine)),
            ("file:////host/share", Some(Machine)),
            ("\\\\host\\share", Some(Machine)),
        ] {
            let DependencySpec::File(path) = classify("x", spec) else {
                panic!("{spec} is a path");
            };
            assert_eq!(OddPath::of(&path), odd, "{spec}");
        }
    }

    #[test]
    fn another_commit_of_the_same_repository_is_told_from_another_repository() {
        let place = |old: &str, new: &str| same_place(&classify("x", old), &classify("x", new));
        assert!(place("github:left/ui#v1", "github:left/ui#v2"));
        assert!(place(
            "git+https://git.example/left/ui.git#a",
            "git+ssh://git@git.example/left/ui#b"
        ));
        assert!(!place("github:left/ui#v1", "github:right/ui#v1"));
        assert!(place(
            "https://dl.example/ui-1.0.0.tgz",
            "https://dl.example/ui-1.0.1.tgz"
        ));
        assert!(!place(
            "https://dl.example/ui-1.0.0.tgz",
            "https://other.example/ui-1.0.0.tgz"
        ));
        assert!(!place("^1.0.0", "github:left/ui"));
    }
}
