//! `persistence`: writes to files that something else runs or trusts.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, report_abilities, weight};
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
               job, a git hook, a workflow file, an editor's configuration, or a file of keys and registries.",
        matters: "Code that is written there runs again after the package is gone.",
        wrong: "Tools that install shell completion or git hooks do it openly, by command; so do generators of workflow \
                files. Hook managers write hooks when they are installed, and are reported low.",
        todo: "See what is written and undo it by hand: removing the package does not.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(
        &SIGNAL,
        subject,
        "Writes where something else runs or trusts it",
        weigh,
        observation,
    );
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
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
        Surface::Install | Surface::Import | Surface::Worker => {
            weight(Severity::High, Confidence::Medium)
        }
        Surface::Command | Surface::Unreferenced => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able};
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
            "A library appends to a shell start-up file when it is imported",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::Persists,
                "a shell start-up file, ~/.bashrc by appendFileSync",
            )),
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
