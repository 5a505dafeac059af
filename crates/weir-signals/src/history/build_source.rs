//! `build-source`: native code that was built elsewhere is fetched from another place than before.

use std::collections::BTreeMap;

use weir_model::finding::printable;
use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::manifest::Manifest;
use weir_npm::repository::Repository;

use super::new_install_script::has_been_out;
use crate::commands::fetches_builds;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "build-source",
    summary: "Native code that was built elsewhere is fetched from another place than before",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Execution,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Manifest, Input::History],
    incidents: &[],
    documentation: Documentation {
        sees: "A package whose install scripts fetch native code by `node-pre-gyp` or `prebuild-install`, and whose \
               `binary.host` (with `binary.remote_path`) leads to another host or another owner there than in the \
               release before, or begins to lead to one; where there is none, a `repository` of another owner, from \
               whose releases `prebuild-install` fetches. It weighs more where the host is an address in numbers or is \
               asked without encryption, and little where only the owner of the repository is another, and once the \
               release has been out for 90 days. In a first release such hosts alone are told.",
        matters: "What is fetched there is loaded as it comes, on every machine that installs the package. Neither the \
                  command nor any file of the package changes with it.",
        wrong: "Projects move: to an organisation, from a storage to the releases of their repository.",
        todo: "Look at whether the project says that it moved, and at what the new place serves.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Ok(registry) = subject.manifest() else {
        return;
    };
    let registry = &registry.manifest;
    if Input::History.missing(subject).is_some() || !fetches(registry) {
        return;
    }
    // Builders read the file in the package. That of the release before is compared with it where it is known.
    let packed = subject.contents.known().and_then(|it| it.manifest.as_ref());
    let now = packed.unwrap_or(registry);
    let Some((version, shown)) = subject.previous_manifest() else {
        for (field, to) in places(now).into_iter().filter(|(_, to)| to.is_bad()) {
            let mut finding = SIGNAL.finding(format!(
                "a first release fetches native code from {}",
                printable(&to.text, 120)
            ));
            finding.severity = match to.is_raw() {
                true => SIGNAL.severity,
                false => Severity::Low,
            };
            let evidence = Evidence::change(field, None::<&str>, Some(&to.text));
            finding.evidence.push(evidence);
            observation.find(finding);
        }
        return;
    };
    let before = subject
        .previous_contents
        .known()
        .and_then(|it| it.manifest.as_ref());
    // A registry that leaves the field out of its manifests says nothing of the release before either.
    let is_unsure = before.is_none() && registry.binary.is_empty() && !now.binary.is_empty();
    let before = before.unwrap_or(&shown.manifest);
    let (old, new) = (places(before), places(now));
    for (field, to) in &new {
        let from = old.get(field);
        if from.is_some_and(|from| from.key == to.key) {
            continue;
        }
        // A host that is one of those before, under another name.
        if old.values().any(|from| from.key == to.key) {
            continue;
        }
        let mut finding = SIGNAL.finding(format!(
            "native code is fetched from {}; {version} {}",
            printable(&to.text, 120),
            match from {
                Some(from) => format!("fetched it from {}", printable(&from.text, 120)),
                None => "named no such host".to_owned(),
            }
        ));
        finding.severity = match to.is_bad() {
            _ if is_unsure => Severity::Low,
            true => Severity::High,
            false => SIGNAL.severity,
        };
        let from = from.map(|from| from.text.as_str());
        tell(subject, finding, (field, from, &to.text), observation);
    }
    if new.is_empty() {
        moved(subject, before, now, version, observation);
    }
}

/// The repository is another owner's, and what is fetched comes from its releases.
fn moved(
    subject: &Subject<'_>,
    before: &Manifest,
    now: &Manifest,
    version: &str,
    observation: &mut Observation,
) {
    let owner = |manifest: &Manifest| {
        let address = manifest.repository.as_deref()?;
        let owner = Repository::parse(address)?.owner?;
        Some((owner.to_ascii_lowercase(), address.to_owned()))
    };
    let (Some((from, old)), Some((to, new))) = (owner(before), owner(now)) else {
        return;
    };
    if from == to {
        return;
    }
    let mut finding = SIGNAL.finding(format!(
        "native code is fetched from the releases of {}'s repository; {version} fetched it from those of {}'s",
        printable(&to, 60),
        printable(&from, 60)
    ));
    finding.severity = Severity::Low;
    let change = ("repository", Some(old.as_str()), new.as_str());
    tell(subject, finding, change, observation);
}

fn tell(
    subject: &Subject<'_>,
    mut finding: weir_model::Finding,
    (field, from, to): (&str, Option<&str>, &str),
    observation: &mut Observation,
) {
    if has_been_out(subject) {
        finding.severity = finding.severity.min(Severity::Low);
    }
    finding
        .evidence
        .push(Evidence::change(field, from, Some(to)));
    observation.find(finding);
}

fn fetches(manifest: &Manifest) -> bool {
    manifest
        .install_scripts()
        .any(|(_, command)| fetches_builds(command))
}

/// A place from which native code is fetched.
struct Place {
    /// As it is written.
    text: String,
    /// Host and first folder, where several owners share a host; without numbers, as those of versions change.
    key: String,
    host: String,
    is_plain: bool,
}

impl Place {
    fn new(host: &str, path: Option<&str>) -> Self {
        let text = match path {
            Some(path) => format!(
                "{}/{}",
                host.trim_end_matches('/'),
                path.trim_start_matches('/')
            ),
            None => host.to_owned(),
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("", &text));
        let rest = rest.trim_start_matches('/');
        let (authority, path) = rest.split_once(['/', '\\', '?', '#']).unwrap_or((rest, ""));
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let authority = authority.to_ascii_lowercase();
        let mut folders = path.split('/').filter(|part| !part.is_empty());
        let first = folders.next().unwrap_or_default().to_ascii_lowercase();
        let first: String = first.chars().filter(|c| !c.is_ascii_digit()).collect();
        Self {
            key: format!("{authority}/{first}"),
            is_plain: scheme.eq_ignore_ascii_case("http"),
            host: authority,
            text,
        }
    }

    /// Whether the host is an address in numbers.
    fn is_raw(&self) -> bool {
        let name = self.host.split(':').next().unwrap_or(&self.host);
        let is_number = |part: &str| {
            let part = part.strip_prefix("0x").unwrap_or(part);
            !part.is_empty() && part.chars().all(|c| c.is_ascii_hexdigit())
        };
        let last = name.rsplit('.').next().unwrap_or(name);
        self.host.starts_with('[')
            || (last.starts_with(|c: char| c.is_ascii_digit()) && name.split('.').all(is_number))
    }

    fn is_bad(&self) -> bool {
        self.is_plain || self.is_raw()
    }
}

/// The places that a manifest names, by the field.
fn places(manifest: &Manifest) -> BTreeMap<String, Place> {
    let path = manifest.binary.get("remote_path").map(String::as_str);
    let hosts = manifest.binary.iter();
    hosts
        .filter(|(field, host)| *field != "remote_path" && !host.trim().is_empty())
        .map(|(field, host)| (format!("binary.{field}"), Place::new(host.trim(), path)))
        .collect()
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let with = |binary: &str, repository: &str| {
        format!(
            r#"{{"scripts":{{"install":"prebuild-install || node-gyp rebuild"}},"binary":{{{binary}}},
                "repository":"{repository}"}}"#
        )
    };
    let pair = |before: String, after: String| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", &before)
            .release("1.4.1", "2026-06-01T09:00:00Z", &after)
    };
    let host = |host: &str| with(&format!(r#""host":"{host}""#), "left/left-lib");
    vec![
        Sample::flagged(
            "Another host, by its number and without encryption",
            pair(
                host("https://git.example/left/left-lib/releases/download/"),
                host("http://192.0.2.7/x"),
            ),
        ),
        Sample::flagged(
            "A host is named where there was none",
            pair(with("", "left/left-lib"), host("https://files.invalid/x")),
        ),
        Sample::flagged(
            "The same host, and another owner there",
            pair(
                host("https://git.example/left/left-lib/releases/download/"),
                host("https://git.example/right/left-lib/releases/download/"),
            ),
        ),
        Sample::flagged(
            "The repository from which builds are fetched is another owner's",
            pair(with("", "left/left-lib"), with("", "right/left-lib")),
        ),
        Sample::passing(
            "Near miss: another folder for another version",
            pair(
                host("https://files.example/v1/builds"),
                host("https://files.example/v2/builds"),
            ),
        ),
        Sample::passing(
            "The repository is spelled in another way",
            pair(
                with("", "git+https://git.example/left/left-lib.git"),
                with("", "git@git.example:Left/left-lib"),
            ),
        ),
        Sample::passing(
            "A first release that fetches its builds",
            Scene::of("left-lib", "1.0.0").release(
                "1.0.0",
                "2026-06-01T09:00:00Z",
                &host("https://files.example/left"),
            ),
        ),
        Sample::passing(
            "A package that compiles, and whose repository moved",
            pair(
                r#"{"scripts":{"install":"node-gyp rebuild"},"repository":"left/left-lib"}"#
                    .to_owned(),
                r#"{"scripts":{"install":"node-gyp rebuild"},"repository":"right/left-lib"}"#
                    .to_owned(),
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_by_host_and_owner() {
        let place = |host: &str, path: Option<&str>| Place::new(host, path);
        for (one, other, same) in [
            (
                "https://a.example/left/x/",
                "https://A.example/left/y",
                true,
            ),
            ("https://a.example/v1", "https://a.example/v2", true),
            ("https://a.example/left", "https://a.example/right", false),
            ("https://a.example", "https://b.example", false),
            ("https://a.example", "https://a.example@b.example", false),
        ] {
            let keys = (place(one, None).key, place(other, None).key);
            assert_eq!(keys.0 == keys.1, same, "{keys:?}");
        }
        assert_eq!(
            place("https://a.example/", Some("/left/{version}")).key,
            "a.example/left"
        );
        for (host, is_bad) in [
            ("https://a.example", false),
            ("https://abc.de", false),
            ("http://a.example", true),
            ("https://192.0.2.1:8/x", true),
            ("https://[::1]/x", true),
            ("https://3221225985/", true),
            ("https://0xc0000201/", true),
        ] {
            assert_eq!(place(host, None).is_bad(), is_bad, "{host}");
        }
    }
}
