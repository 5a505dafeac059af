//! `shadowed-tool`: a command of the package bears the name of a program that install scripts start.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{Confidence, Contents, Evidence, Group, Severity};
use weir_npm::manifest::Manifest;
use weir_npm::tools::{Shadowed, Tool, plain, shadowed};

use super::new_install_script::has_been_out;
use crate::commands::{program, words};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Commands told one by one.
const LISTED: usize = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "shadowed-tool",
    summary: "A command of the package stands in front of a program that install scripts start",
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
        sees: "A command (`bin`, or a file in `directories.bin`) by the name of a shell, of Node, of a program of the \
               system, of a package client, or of a tool that packages build themselves with, which the release before \
               did not have. A package of that name is what the name stands for, and one that is named after it, in a \
               scope or with more words, is mentioned. It weighs more where the package's own install scripts start \
               the tool, and little in a first release that is no system program, and once the release has been out for \
               90 days. What such a command runs is analysed as something that runs at install.",
        matters: "Clients link the commands of all packages before they run any script, and scripts find those first. \
                  Such a command needs no script of its own: it runs in the place of the tool as soon as any other \
                  package, or the project itself, starts that.",
        wrong: "Packages that bring a tool in another form offer it under its name, from their first release on.",
        todo: "Read the file behind the command. Where it is not that tool, do not install the package.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Ok(manifest) = subject.manifest() else {
        return;
    };
    if Input::History.missing(subject).is_some() {
        return;
    }
    // A release that nobody knows yet excuses nothing.
    let previous = subject.previous_manifest();
    let previous = previous.filter(|_| !subject.is_beginning());
    let mut before = BTreeMap::new();
    if let Some((_, previous)) = previous {
        let contents = subject.previous_contents.known().copied();
        before = commands(&previous.manifest, contents);
    }
    let now = commands(&manifest.manifest, subject.contents.known().copied());
    let started = started(&manifest.manifest);
    let mut told = 0;
    for (name, path) in now {
        let Some(one) = shadowed(subject.name.as_str(), &name) else {
            continue;
        };
        if before.contains_key(&name) || told >= LISTED {
            continue;
        }
        told += 1;
        let is_started = started.contains(&name);
        let since = match previous {
            Some((version, _)) => format!("new since {version}"),
            None if subject.has_earlier() => "among its first releases".to_owned(),
            None => "in its first release".to_owned(),
        };
        let own = match is_started {
            true => ", and its own install script starts that",
            false => "",
        };
        let mut finding = SIGNAL.finding(format!(
            "its command `{}`, {since}, stands in front of {}{own}",
            weir_model::finding::printable(&name, 60),
            match one.tool {
                Tool::System => "a program of the system",
                Tool::Client => "a package client",
                Tool::Build => "a tool that packages set themselves up with",
            },
        ));
        finding.severity = severity(subject, one, previous.is_some(), is_started);
        let evidence = Evidence::change(format!("bin.{name}"), None::<&str>, Some(path));
        finding.evidence.push(evidence);
        observation.find(finding);
    }
}

fn severity(
    subject: &Subject<'_>,
    one: Shadowed,
    has_previous: bool,
    is_started: bool,
) -> Severity {
    let is_popular = subject.names.rank(subject.name.as_str()).is_some();
    if one.is_named || (is_popular && !has_previous) {
        return Severity::Info;
    }
    let severity = match (one.tool, has_previous) {
        (Tool::System, true) => Severity::High,
        (Tool::System, false) | (_, true) => SIGNAL.severity,
        (_, false) if is_started => SIGNAL.severity,
        (_, false) => Severity::Low,
    };
    match has_been_out(subject) {
        true => severity.min(Severity::Low),
        false => severity,
    }
}

/// The commands of a release by the names under which they are linked, each with its file. Some clients read the
/// registry's manifest, others the tarball's, and `directories.bin` counts where neither names any.
fn commands(manifest: &Manifest, contents: Option<&Contents>) -> BTreeMap<String, String> {
    let packed = contents.and_then(|it| it.manifest.as_ref());
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for manifest in packed.into_iter().chain([manifest]) {
        let named = manifest.bin.iter();
        found.extend(named.map(|(name, path)| (plain(name), path.clone())));
        let folder = manifest.bin_folder.as_deref().unwrap_or_default();
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        if folder.is_empty() || !manifest.bin.is_empty() {
            continue;
        }
        for file in contents.into_iter().flat_map(|it| &it.files) {
            let rest = file.path.strip_prefix(folder);
            if let Some(name) = rest.and_then(|rest| rest.strip_prefix('/')) {
                found.insert(plain(name), file.path.clone());
            }
        }
    }
    found
}

/// The programs that the package's own install scripts start.
fn started(manifest: &Manifest) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = manifest
        .install_scripts()
        .flat_map(|(_, command)| words(command).map(program))
        .collect();
    if manifest.gypfile == Some(true) {
        found.insert("node-gyp".to_owned());
    }
    found
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let pair = |name, before: &str, after: &str| {
        Scene::of(name, "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", before)
            .release("1.4.1", "2026-06-01T09:00:00Z", after)
    };
    let first = |name, manifest: &str| {
        Scene::of(name, "1.0.0").release("1.0.0", "2026-06-01T09:00:00Z", manifest)
    };
    vec![
        Sample::flagged(
            "A library that brings the command of the shell",
            pair("left-lib", "{}", r#"{"bin":{"sh":"lib/run.sh"}}"#),
        ),
        Sample::flagged(
            "A first release whose install script starts what it brings itself",
            first(
                "left-lib",
                r#"{"bin":{"node-gyp":"x.sh"},"scripts":{"install":"node-gyp rebuild"}}"#,
            ),
        ),
        Sample::flagged(
            "A package client beside the package's own command",
            pair(
                "left-lib",
                r#"{"bin":{"left":"cli.js"}}"#,
                r#"{"bin":{"left":"cli.js","npm":"cli.js"}}"#,
            ),
        ),
        Sample::passing(
            "A command of the package's own name",
            pair("left-lib", "{}", r#"{"bin":{"left-lib":"cli.js"}}"#),
        ),
        Sample::passing(
            "Near miss: the tool itself",
            first(
                "prebuild-install",
                r#"{"bin":{"prebuild-install":"bin.js"}}"#,
            ),
        ),
        Sample::passing(
            "The compiler, in the package that it is in",
            pair("typescript", "{}", r#"{"bin":{"tsc":"bin/tsc"}}"#),
        ),
        Sample::passing(
            "A fork of a tool, named after it",
            first(
                "@left/node-pre-gyp",
                r#"{"bin":{"node-pre-gyp":"bin/node-pre-gyp"}}"#,
            ),
        ),
        Sample::passing(
            "Near miss: the release before had the command too",
            pair(
                "left-lib",
                r#"{"bin":{"git":"old.js"}}"#,
                r#"{"bin":{"git":"new.js"}}"#,
            ),
        ),
    ]
}
