//! `new-install-script`: something runs at install time that did not before.

use weir_model::{Confidence, Contents, Evidence, Finding, Group, Severity};
use weir_npm::manifest::Manifest;

use crate::commands::{BUILDERS, Nature, program, words};
use crate::comparison::COMPARED_DAYS;
use crate::settled::is_settled;
use crate::{
    Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Stage, Subject,
};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-install-script",
    summary: "Code runs at install time that did not run in the previous release",
    since: "0.1.0",
    layer: Layer::History,
    kind: Kind::Capability,
    maturity: Maturity::Stable,
    group: Group::Execution,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Manifest, Input::History, Input::Contents],
    incidents: &[
        "eslint-scope, 2018",
        "rspack, 2024",
        "nx, 2025",
        "Shai-Hulud, 2025",
        "SAP cap-js, 2026",
    ],
    documentation: Documentation {
        sees: "A `preinstall`, `install` or `postinstall` script that the previous release of the same line \
               did not have, or one that changed beyond version numbers. A `binding.gyp`, which npm compiles \
               without being told to, counts as `install`, also in the previous release, and so do scripts of bundled \
               packages, which npm runs as well, and of the package's own folders that it depends on (`file:./sub`), which \
               yarn runs. A first release with such a \
               script is reported with less weight, as are those after it until one has been out for a week or was found \
               fine, and so is a command that only compiles or fetches native code: one of the \
               tools made for that, called by its bare name, with such arguments as it is usually given. A substitution, \
               a second line, a program of the package's own with a tool's name, or an option that names a program \
               (`--python=`) is more than that. \
               Where the previous release ran a script of its own already, a command that changed is only mentioned \
               once the release has been out for 90 days. A script that starts a file of the package is only mentioned in \
               popular packages whose release has been out for a month.",
        matters: "Install scripts run on every machine that installs the package, before anyone has looked at it, \
                  with all of that machine's secrets. Most of the attacks on record added one to a package that \
                  never had any.",
        wrong: "Packages start to ship native code, usually with a new major version, and then need such a script.",
        todo: "Read the command in the evidence and the file it runs. Install with scripts switched off until \
               you have.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

/// What npm runs where there is a `binding.gyp` and no script of that kind; the registry writes it
/// into the manifest as `scripts.install` when it notices.
const IMPLICIT_COMMAND: &str = "node-gyp rebuild";

/// A command that runs at install time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step<'m> {
    /// With ` of ` and a folder behind it where it is a bundled package's.
    event: &'m str,
    command: &'m str,
    told_by: ToldBy,
}

/// Where it is written that a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ToldBy {
    Manifest,
    /// Only the file list says so; no manifest does.
    Files,
    /// A package that lies in this one. The registry does not show its manifest.
    Bundled,
}

/// What stands between an event and the folder of a bundled package in [`weir_model::contents::InstallStep::event`].
const OF: &str = " of ";

/// Whether bundled packages run something: only the tarball of the release before tells whether they did there.
pub(crate) fn has_bundled_steps(contents: &Contents) -> bool {
    let mut steps = contents.install_steps.iter();
    steps.any(|step| step.event.contains(OF))
}

/// What runs at install time, explicit or implicit.
fn steps<'m>(manifest: &'m Manifest, contents: Option<&'m Contents>) -> Vec<Step<'m>> {
    let mut steps: Vec<Step<'m>> = manifest
        .install_scripts()
        .map(|(event, command)| Step {
            event,
            command: command.trim(),
            told_by: ToldBy::Manifest,
        })
        .filter(|step| !step.command.is_empty())
        .collect();
    // npm compiles unless the package says itself what to do first.
    let explicit = steps.iter().any(|step| step.event != "postinstall");
    let in_tarball = contents.is_some_and(|contents| {
        contents
            .install_steps
            .iter()
            .any(|step| step.event == "binding.gyp")
    });
    let stated = manifest.gypfile == Some(true);
    if !explicit && (stated || in_tarball) {
        steps.push(Step {
            event: "install",
            command: IMPLICIT_COMMAND,
            told_by: if stated {
                ToldBy::Manifest
            } else {
                ToldBy::Files
            },
        });
    }
    for step in contents.into_iter().flat_map(|it| &it.install_steps) {
        let Some((event, _)) = step.event.split_once(OF) else {
            continue;
        };
        let step = Step {
            event: &step.event,
            // What node-gyp runs is found in files, and is not what somebody typed.
            command: match event {
                "binding.gyp" => IMPLICIT_COMMAND,
                _ => step.command.trim(),
            },
            told_by: ToldBy::Bundled,
        };
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    steps
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Ok(manifest) = subject.manifest() else {
        return;
    };
    let current = steps(&manifest.manifest, subject.contents.known().copied());
    if current.is_empty() || Input::History.missing(subject).is_some() {
        return;
    }
    let Some((version, previous)) = subject.previous_manifest() else {
        for step in current {
            observation.find(first_release(subject, step));
        }
        return;
    };
    let before = steps(
        &previous.manifest,
        subject.previous_contents.known().copied(),
    );
    for step in current {
        let found = compare(subject, step, version, &before);
        // A release that nobody knows yet excuses nothing.
        let first = subject.is_beginning().then(|| first_release(subject, step));
        let (found, first) = match (found, first) {
            (Some(found), Some(first)) if first.severity > found.severity => (None, Some(first)),
            (Some(found), _) => (Some(found), None),
            other => other,
        };
        found
            .or(first)
            .into_iter()
            .for_each(|it| observation.find(it));
    }
}

fn first_release(subject: &Subject<'_>, step: Step<'_>) -> Finding {
    let mut finding = SIGNAL.finding(format!(
        "{}, and this one already runs code at install time: {} of {}@{} is `{}`",
        subject.without_past(),
        step.event,
        subject.name,
        subject.version,
        printable(step.command)
    ));
    finding.severity = match Nature::of(step.command) {
        Nature::Builder => Severity::Info,
        Nature::OwnScript => Severity::Low,
        Nature::Inline => Severity::Medium,
    };
    finding.evidence.push(evidence(step, None));
    finding
}

/// What is to be said of a step beside those of the release before; nothing where it is as it was.
fn compare(
    subject: &Subject<'_>,
    step: Step<'_>,
    version: &str,
    before: &[Step<'_>],
) -> Option<Finding> {
    let same_event = before.iter().find(|old| old.event == step.event);
    let nature = Nature::of(step.command);
    let command = printable(step.command);
    let (message, severity) = match same_event {
        Some(old) if same_but_for_numbers(old.command, step.command) => return None,
        Some(old) => {
            let was_builder = Nature::of(old.command) == Nature::Builder;
            let severity = match nature {
                Nature::Builder => Severity::Info,
                Nature::OwnScript if ran_its_own(before) && has_been_out(subject) => Severity::Info,
                Nature::OwnScript if !was_builder => Severity::Low,
                Nature::OwnScript => Severity::Medium,
                Nature::Inline => Severity::High,
            };
            (
                format!(
                    "{} changed since {version}: it is now `{command}`",
                    step.event
                ),
                severity,
            )
        }
        None if before.iter().any(|old| old.command == step.command) => (
            format!("`{command}` moved to {} since {version}", step.event),
            Severity::Low,
        ),
        None => (
            format!(
                "{} of {}@{} runs `{command}`; {version} had no such script",
                step.event, subject.name, subject.version
            ),
            match nature {
                Nature::Builder => Severity::Low,
                Nature::OwnScript => SIGNAL.severity,
                Nature::Inline => Severity::High,
            },
        ),
    };
    let mut finding = SIGNAL.finding(message);
    finding.severity = match nature {
        // Many have run it for a month, and nobody has found it hostile so far.
        Nature::OwnScript if is_settled(subject) => Severity::Info,
        _ => severity,
    };
    // A previous tarball may have had the same binding.gyp or bundled package, of which its manifest said nothing.
    if step.told_by != ToldBy::Manifest && subject.previous_contents.known().is_none() {
        finding.confidence = Confidence::Low;
        finding.message.push_str(match subject.previous_contents {
            Stage::Pending => " in its manifest, and its tarball was not looked at",
            _ => " in its manifest, and its tarball is not known",
        });
    }
    finding
        .evidence
        .push(evidence(step, same_event.map(|old| old.command)));
    Some(finding)
}

/// Whether a script of the package itself was run at install before.
fn ran_its_own(before: &[Step<'_>]) -> bool {
    let own = before.iter().filter(|old| old.told_by != ToldBy::Bundled);
    let mut natures = own.map(|old| Nature::of(old.command));
    natures.any(|nature| nature == Nature::OwnScript)
}

/// Whether the release has been out for longer than any is compared with the one before it by its contents: that the
/// package runs another of its own scripts than a quarter ago says nothing any more.
pub(crate) fn has_been_out(subject: &Subject<'_>) -> bool {
    subject.now.duration_since(subject.out_by_now()).as_hours() >= COMPARED_DAYS * 24
}

/// Whether a script that runs at install is new as far as manifests say, and goes on to compile: then the release
/// before may have been compiled without being told to, which only its tarball tells.
pub(crate) fn may_replace_a_build(now: &Manifest, before: &Manifest) -> bool {
    let first = |manifest: &Manifest| {
        let mut scripts = manifest.install_scripts();
        let first = scripts.find(|(event, _)| *event != "postinstall");
        first.map(|(_, command)| command.to_owned())
    };
    let compiles =
        |command: &str| words(command).any(|word| BUILDERS.contains(&program(word).as_str()));
    before.gypfile != Some(true)
        && first(before).is_none()
        && first(now).is_some_and(|command| compiles(&command))
}

fn evidence(step: Step<'_>, previous: Option<&str>) -> Evidence {
    let field = match step.told_by {
        ToldBy::Files => "binding.gyp".to_owned(),
        ToldBy::Bundled => step.event.to_owned(),
        ToldBy::Manifest => format!("scripts.{}", step.event),
    };
    Evidence::change(field, previous, Some(step.command))
}

fn printable(command: &str) -> String {
    weir_model::finding::printable(command, 120)
}

/// Whether two commands differ in numbers at most, as when a version is spelled out. Commands that
/// contain an address are compared as they are: an address may be all numbers.
pub(crate) fn same_but_for_numbers(old: &str, new: &str) -> bool {
    old == new || (!new.contains("://") && without_numbers(old) == without_numbers(new))
}

/// The command with each run of digits, and of dots between them, replaced by one mark.
fn without_numbers(command: &str) -> String {
    let mut out = String::with_capacity(command.len());
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii_digit() {
            out.push(character);
            continue;
        }
        while characters
            .next_if(|c| c.is_ascii_digit() || *c == '.')
            .is_some()
        {}
        out.push('#');
    }
    out
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, step};
    let pair = |before: &str, after: &str| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", before)
            .release("1.4.1", "2026-06-01T09:00:00Z", after)
    };
    let compiles = || Contents {
        install_steps: vec![step("binding.gyp", IMPLICIT_COMMAND, &["binding.gyp"])],
        ..Contents::default()
    };
    let bundles = |command: &str| Contents {
        install_steps: vec![step("postinstall of node_modules/left-inner", command, &[])],
        ..Contents::default()
    };
    let begun = |known: &[&str]| {
        let manifest = r#"{"scripts":{"postinstall":"node setup.js"}}"#;
        Scene::of("left-lib", "1.0.1")
            .release("1.0.0", "2026-06-14T09:00:00Z", manifest)
            .release("1.0.1", "2026-06-14T09:05:00Z", manifest)
            .knowing(known)
    };
    // Scripts of a package that has run one of its own after each installation for long.
    let own = |scripts: &str| {
        let more = scripts.trim_matches(['{', '}']);
        let comma = if more.is_empty() { "" } else { "," };
        format!(r#"{{"scripts":{{"postinstall":"node tidy.js"{comma}{more}}}}}"#)
    };
    vec![
        Sample::flagged(
            "A patch release adds a postinstall script to a package that never had one",
            pair("{}", r#"{"scripts":{"postinstall":"node setup.js"}}"#),
        ),
        Sample::flagged(
            "A preinstall that fetches another runtime",
            pair(
                r#"{"scripts":{"test":"node test"}}"#,
                r#"{"scripts":{"test":"node test","preinstall":"bun run setup.mjs"}}"#,
            ),
        ),
        Sample::flagged(
            "A binding.gyp appears that neither manifest mentions",
            pair("{}", "{}").contents(compiles()),
        ),
        Sample::flagged(
            "A native build that becomes a script of its own",
            pair(
                r#"{"scripts":{"install":"node-gyp rebuild"}}"#,
                r#"{"scripts":{"install":"node lib/build.js"}}"#,
            ),
        ),
        Sample::flagged(
            "A native build with a command in its arguments",
            pair(
                r#"{"scripts":{"install":"node-gyp rebuild"}}"#,
                r#"{"scripts":{"install":"node-gyp rebuild $(node lib/build.js)"}}"#,
            ),
        ),
        Sample::flagged(
            "The very first release runs a script",
            Scene::of("left-lib", "1.0.0").release(
                "1.0.0",
                "2026-06-01T09:00:00Z",
                r#"{"scripts":{"postinstall":"node setup.js"}}"#,
            ),
        ),
        Sample::flagged(
            "The release before it had the same script, and was refused",
            Scene::of("left-lib", "1.4.1")
                .release("1.3.9", "2025-03-01T09:00:00Z", "{}")
                .release(
                    "1.4.0",
                    "2026-05-31T09:00:00Z",
                    r#"{"scripts":{"postinstall":"node setup.js"}}"#,
                )
                .release(
                    "1.4.1",
                    "2026-06-01T09:00:00Z",
                    r#"{"scripts":{"postinstall":"node setup.js"}}"#,
                )
                .refused("1.4.0"),
        ),
        Sample::flagged(
            "The second release of a package, five minutes after a first that nobody knows, with the same script",
            begun(&[]),
        ),
        Sample::passing(
            "Near miss: the first was looked at and found fine",
            begun(&["1.0.0"]),
        ),
        Sample::passing(
            "Near miss: a script that has been there for years, with another version in it",
            pair(
                r#"{"scripts":{"postinstall":"node install.js --binary v1.4.0"}}"#,
                r#"{"scripts":{"postinstall":"node install.js --binary v1.4.1"}}"#,
            ),
        ),
        Sample::passing(
            "The registry begins to spell out the native build that was always there",
            pair(
                r#"{"gypfile":true}"#,
                r#"{"gypfile":true,"scripts":{"install":"node-gyp rebuild"}}"#,
            ),
        ),
        Sample::passing(
            "A binding.gyp that the previous tarball had too",
            pair("{}", "{}")
                .contents(compiles())
                .previous_contents(compiles()),
        ),
        Sample::flagged(
            "A script of its own before the build that the previous tarball started by itself",
            pair(
                "{}",
                r#"{"scripts":{"install":"node look.js || node-gyp rebuild"}}"#,
            )
            .previous_contents(compiles()),
        ),
        Sample::passing(
            "The same, where the package has long run its own scripts, and out for a year",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2024-03-01T09:00:00Z", &own("{}"))
                .release(
                    "1.4.1",
                    "2025-06-01T09:00:00Z",
                    &own(r#"{"install":"node look.js || node-gyp rebuild"}"#),
                )
                .previous_contents(compiles()),
        ),
        Sample::flagged(
            "Near miss: the same in a release of two weeks ago",
            pair(
                &own("{}"),
                &own(r#"{"install":"node look.js || node-gyp rebuild"}"#),
            )
            .previous_contents(compiles()),
        ),
        Sample::flagged(
            "A package that is bundled from now on brings a script",
            pair("{}", "{}")
                .contents(bundles("node setup.js"))
                .previous_contents(Contents::default()),
        ),
        Sample::passing(
            "Near miss: a bundled package has had the script before",
            pair("{}", "{}")
                .contents(bundles("node setup.js"))
                .previous_contents(bundles("node setup.js")),
        ),
        Sample::passing(
            "Near miss: a popular package has run it for more than a month",
            Scene::of("express", "9.9.9")
                .release("9.9.8", "2025-03-01T09:00:00Z", "{}")
                .release(
                    "9.9.9",
                    "2026-05-01T09:00:00Z",
                    r#"{"scripts":{"preinstall":"node install.js"}}"#,
                ),
        ),
        Sample::flagged(
            "A popular package has run it for a week",
            Scene::of("express", "9.9.9")
                .release("9.9.8", "2025-03-01T09:00:00Z", "{}")
                .release(
                    "9.9.9",
                    "2026-06-08T09:00:00Z",
                    r#"{"scripts":{"preinstall":"node install.js"}}"#,
                ),
        ),
        Sample::passing(
            "A prepare script, which does not run for packages from a registry",
            pair("{}", r#"{"scripts":{"prepare":"tsc"}}"#),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_may_have_been_replaced_where_only_the_tarball_can_tell() {
        let build = r#""install":"node look.js || node-gyp rebuild""#;
        for (now, before, asked) in [
            (build, "", true),
            (build, r#""postinstall":"node tidy.js""#, true),
            (r#""preinstall":"../x/node-gyp.exe rebuild""#, "", true),
            (build, r#""install":"node look.js""#, false),
            (r#""install":"node look.js""#, "", false),
            (r#""postinstall":"node-gyp rebuild""#, "", false),
        ] {
            let manifest = |scripts: &str| {
                Manifest::from_json(format!(r#"{{"scripts":{{{scripts}}}}}"#)).unwrap()
            };
            let (now, mut before) = (manifest(now), manifest(before));
            assert_eq!(
                may_replace_a_build(&now, &before),
                asked,
                "{now:?} {before:?}"
            );
            before.gypfile = Some(true);
            assert!(!may_replace_a_build(&now, &before), "{now:?}");
        }
    }

    #[test]
    fn only_numbers_may_change_unnoticed() {
        assert!(same_but_for_numbers("get v1.2.3", "get v1.10.0"));
        assert!(!same_but_for_numbers("node install.js", "node install2.js"));
        assert!(!same_but_for_numbers(
            "get http://192.0.2.1/",
            "get http://192.0.2.7/"
        ));
    }
}
