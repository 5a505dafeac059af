//! `package-tampering`: changes to installed packages, its own manifest, its own files.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, report_abilities, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "package-tampering",
    summary: "Writes into other installed packages, its own manifest, or removes itself",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &["ethers-provider2, 2025", "axios, 2026"],
    documentation: Documentation {
        sees: "A write below `node_modules/` of another package or beside its own folder, a link or another folder in \
               its place, a write to what a package client has cached or, at install time, to a lockfile, a package \
               that is installed under the name of another, a write to its own `package.json`, or the removal of \
               the running file.",
        matters: "What is put into another package stays when this one is removed. A script that removes itself and puts a \
                  clean manifest in its place hides what it did from whoever looks later.",
        wrong: "Tools that patch packages are made for it. Installers clean up after themselves. \
                In popular packages whose release has been out for a month it weighs less.",
        todo: "Compare the installed packages with their tarballs (`npm ci` in a fresh folder).",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(
        &SIGNAL,
        subject,
        "Changes installed packages or its own traces",
        weigh,
        observation,
    );
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
    if !matches!(
        capability.kind,
        CapabilityKind::WritesPackages | CapabilityKind::RemovesItself
    ) {
        return None;
    }
    Some(match capability.surface {
        // Tools that mend lockfiles are made for it; none does it while it is installed.
        Surface::Import | Surface::Worker if capability.detail.starts_with("a lockfile") => MENTION,
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
            "An install script writes into another package",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::WritesPackages,
                "node_modules/ethers/lib/index.js by writeFileSync",
            )),
        ),
        Sample::flagged(
            "An install script removes itself",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::RemovesItself,
                "itself by unlinkSync",
            )),
        ),
        Sample::flagged(
            "An install script writes the lockfile of the project",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::WritesPackages,
                "a lockfile, /srv/app/package-lock.json by writeFileSync",
            )),
        ),
        Sample::passing(
            "Near miss: a library that mends lockfiles when it is used",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::WritesPackages,
                "a lockfile, …/package-lock.json by writeFileSync",
            )),
        ),
        Sample::passing(
            "Near miss: a command that patches packages",
            Scene::of_code(able(
                Surface::Command,
                CapabilityKind::WritesPackages,
                "node_modules/x/index.js by writeFileSync",
            )),
        ),
        Sample::passing(
            "An installer that removes a temporary folder",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Removes,
                "tmp by rmSync",
            )),
        ),
    ]
}
