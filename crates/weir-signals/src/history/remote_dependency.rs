//! `remote-dependency`: a dependency comes from somewhere else than a registry.

use std::collections::BTreeMap;

use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::manifest::Manifest;
use weir_npm::spec::{DependencySpec, classify};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

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
               are told, and those that point at a repository weigh little. Bundled dependencies are not fetched and do not count.",
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
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Ok(manifest) = subject.manifest() else {
        // A tarball or folder alone: what it asks for is known all the same, though not whether that is new.
        let own = subject.contents.known().and_then(|it| it.manifest.as_ref());
        for remote in own
            .map(remotes)
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
    for remote in remotes(&manifest.manifest).into_iter().take(LISTED) {
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
            "{} {} comes from {what}, {since}",
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

const fn from_where(remote: &Remote<'_>) -> &'static str {
    match &remote.spec {
        DependencySpec::Git { .. } => "a git repository",
        _ => "a web address",
    }
}

/// Whoever installs the package fetches this, whether or not a release before asked for it too. A project's own
/// folder often points at repositories.
fn without_history(remote: &Remote<'_>, observation: &mut Observation) {
    let mut finding = SIGNAL.finding(format!(
        "{} {} comes from {}; whether releases before have it is not known",
        remote.section,
        weir_model::finding::printable(remote.name, 120),
        from_where(remote),
    ));
    finding.severity = match &remote.spec {
        DependencySpec::Git { .. } if remote.section != "optionalDependencies" => Severity::Low,
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
    if moved {
        return Severity::Low;
    }
    match &remote.spec {
        // Fails in silence, and runs `prepare` (INCIDENTS I43).
        DependencySpec::Git { .. } if remote.section == "optionalDependencies" => Severity::High,
        // Anyone on the way can exchange it, and no honest host needs it (INCIDENTS I30).
        DependencySpec::Url(url) if is_plain_http(url) => Severity::High,
        _ => SIGNAL.severity,
    }
}

fn is_plain_http(url: &str) -> bool {
    url.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}

/// The remote dependencies that an install of this package fetches. The registry repeats
/// `optionalDependencies` among `dependencies`, so the former are looked at first.
fn remotes(manifest: &Manifest) -> Vec<Remote<'_>> {
    let sections: [(&'static str, &BTreeMap<String, String>); 3] = [
        ("optionalDependencies", &manifest.optional_dependencies),
        ("dependencies", &manifest.dependencies),
        ("peerDependencies", &manifest.peer_dependencies),
    ];
    let mut found: Vec<Remote<'_>> = Vec::new();
    for (section, dependencies) in sections {
        for (name, text) in dependencies {
            let bundled = manifest.bundle_dependencies.contains(name);
            let text = text.trim();
            if bundled || found.iter().any(|known| known.name == name) {
                continue;
            }
            let spec = classify(name, text);
            if spec.is_remote_code() {
                found.push(Remote {
                    section,
                    name,
                    text,
                    spec,
                });
            }
        }
    }
    found
}

/// What a manifest asks for under that name, in whichever section.
fn any_section<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
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
        Sample::passing(
            "A git dependency that is bundled, and so never fetched",
            pair(
                "{}",
                r#"{"dependencies":{"left-ui":"github:left/ui"},"bundleDependencies":["left-ui"]}"#,
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

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
