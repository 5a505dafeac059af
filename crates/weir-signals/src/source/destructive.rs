//! `destructive`: removal of home folders, drives and system folders.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, report_abilities, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "destructive",
    summary: "Removes a home folder, a drive, or a system folder",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &["node-ipc, 2022", "picasso, 2025", "TanStack, 2026"],
    documentation: Documentation {
        sees: "A removal with everything below whose folded target is a home folder, a drive, the root, or a system folder; \
               documents of a user that are moved away, files of such a folder that are emptied one by one, all \
               permissions taken from a tree, or everything a repository holds replaced by a branch without a past.",
        matters: "Wipers do it, and worms do it when they lose their access.",
        wrong: "A path that is joined from an empty variable folds to the root in the analysis as it would when it runs.",
        todo: "Do not run it. If it ran, restore from a backup.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(
        &SIGNAL,
        subject,
        "Removes what is not its own",
        weigh,
        observation,
    );
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
    if !matches!(capability.kind, CapabilityKind::RemovesHome) {
        return None;
    }
    Some(match capability.surface {
        Surface::Install | Surface::Import | Surface::Worker | Surface::Command => {
            weight(Severity::High, Confidence::Medium)
        }
        Surface::Unreferenced => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able};
    vec![
        Sample::flagged(
            "An install script removes the home folder",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::RemovesHome,
                "~ by rmSync",
            )),
        ),
        Sample::flagged(
            "A library removes everything",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::RemovesHome,
                "/ by rm",
            )),
        ),
        Sample::flagged(
            "An install script takes all permissions from the home folder",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::RemovesHome,
                "chmod -R 000 ~",
            )),
        ),
        Sample::passing(
            "An installer that removes its build folder",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Removes,
                "build by rmSync",
            )),
        ),
        Sample::passing(
            "Near miss: such code where nothing leads to it",
            Scene::of_code(able(
                Surface::Unreferenced,
                CapabilityKind::RemovesHome,
                "~ by rmSync",
            )),
        ),
    ]
}
