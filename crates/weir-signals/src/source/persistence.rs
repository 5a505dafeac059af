//! `persistence`: writes to files that something else runs or trusts.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, report_abilities, weight};
use crate::settled::has_stood;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "persistence",
    summary: "Writes start-up files, services, git hooks, workflows or editor settings",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &["nx, 2025", "Shai-Hulud 2.0, 2025", "CanisterWorm, 2026"],
    documentation: Documentation {
        sees: "A write, or a command, whose folded target is a shell start-up file, a service, a launch agent, a scheduled \
               job, a git hook, a workflow file, an editor's configuration, a file of keys and registries, or one that \
               a language or a package client runs by itself; and settings of a package client that name a program.",
        matters: "Code that is written there runs again after the package is gone.",
        wrong: "Tools that install shell completion or git hooks do it openly, by command; so do generators of workflow \
                files. Hook managers write hooks when they are installed, and are reported low. Generators of projects write \
                the file that names the registry of the project; on import that is only mentioned in a release that has \
                been out for a year, of a package with ten releases.",
        todo: "See what is written and undo it by hand: removing the package does not.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let stood = has_stood(subject);
    report_abilities(
        &SIGNAL,
        subject,
        "Writes where something else runs or trusts it",
        |capability| weigh(capability, stood),
        observation,
    );
}

/// Files in which a project names its registries, for one client each.
const OF_PROJECTS: &[&str] = &[".npmrc", ".yarnrc", ".yarnrc.yml", "bunfig.toml"];

/// Whether a write is to such a file in a folder that is put together when it runs, as generators of projects do
/// it. The user's own is told by its folder, `~`.
fn is_of_project(capability: &Capability) -> bool {
    let path = capability
        .detail
        .strip_prefix("a file of keys or registries, …/")
        .and_then(|rest| rest.split_once(" by "));
    path.is_some_and(|(path, _)| OF_PROJECTS.contains(&path))
}

/// Nothing for other abilities. `stood` says that the release has been out for long.
fn weigh(capability: &Capability, stood: bool) -> Option<Weight> {
    if !matches!(capability.kind, CapabilityKind::Persists) {
        return None;
    }
    Some(match capability.surface {
        // Tools that manage git hooks put them there when they are installed.
        Surface::Install | Surface::Import | Surface::Worker
            if capability.detail.starts_with("a git hook") =>
        {
            weight(Severity::Low, Confidence::Medium)
        }
        Surface::Import | Surface::Worker if stood && is_of_project(capability) => MENTION,
        Surface::Install | Surface::Import | Surface::Worker => {
            weight(Severity::High, Confidence::Medium)
        }
        Surface::Command | Surface::Unreferenced => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able};
    let project = "a file of keys or registries, …/.yarnrc.yml by writeFileSync";
    let home = "a file of keys or registries, ~/.yarnrc.yml by writeFileSync";
    let generator = |published, surface, detail| {
        let mut scene = Scene::of("millwheel-cli", "1.0.9");
        for version in [
            "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", "1.0.6", "1.0.7", "1.0.8",
        ] {
            scene = scene.release(version, "2023-02-01T09:00:00Z", "{}");
        }
        scene.release("1.0.9", published, "{}").contents(able(
            surface,
            CapabilityKind::Persists,
            detail,
        ))
    };
    let (year, weeks) = ("2024-12-13T09:00:00Z", "2026-06-01T09:00:00Z");
    vec![
        Sample::flagged(
            "An install script writes a user service",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Persists,
                "a service or scheduled job, ~/.config/systemd/user/x.service by writeFileSync",
            )),
        ),
        Sample::flagged(
            "An install script has every Python run a line of its own",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Persists,
                "what a language or client runs by itself, …/site-packages/x.pth by writeFile",
            )),
        ),
        Sample::flagged(
            "A library appends to a shell start-up file when it is imported",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::Persists,
                "a shell start-up file, ~/.bashrc by appendFileSync",
            )),
        ),
        Sample::flagged(
            "A library names another registry in the project that it is used in, since two weeks ago",
            generator(weeks, Surface::Import, project),
        ),
        Sample::flagged(
            "The registry of all projects of the user, whatever the age",
            generator(year, Surface::Import, home),
        ),
        Sample::flagged(
            "The project's when the package is installed, whatever the age",
            generator(year, Surface::Install, project),
        ),
        Sample::passing(
            "A generator of projects writes the file of registries into them, and has for years",
            generator(year, Surface::Import, project),
        ),
        Sample::passing(
            "Near miss: a command that installs completion",
            Scene::of_code(able(
                Surface::Command,
                CapabilityKind::Persists,
                "a shell start-up file, ~/.zshrc by appendFileSync",
            )),
        ),
        Sample::passing(
            "A write into the home folder that nothing runs",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::WritesOutside,
                "~/.cache/tool/x by writeFileSync",
            )),
        ),
    ]
}
