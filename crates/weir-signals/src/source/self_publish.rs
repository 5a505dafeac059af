//! `self-publish`: publishing from the code of a package.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, is_unasked, report_abilities, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "self-publish",
    summary: "Publishes packages when it is installed",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Stable,
    group: Group::Code,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[
        "Shai-Hulud, 2025",
        "CanisterWorm, 2026",
        "IndonesianFoods, 2025",
    ],
    documentation: Documentation {
        sees: "`npm publish` (or that of another client or of a release tool) among what install runs, a tag that is \
               made and pushed or a workflow that is started, for which pipelines publish, or a publish request made by \
               code that install reaches. So is what a library does as soon as it is loaded, which weighs less. Elsewhere it is \
               mentioned, unless a field `name` in the same file is given a random value: \
               then the package floods a registry with copies of itself.",
        matters: "A package that publishes when it is installed spreads: that is what makes a worm.",
        wrong: "Release tools publish, but when they are called. None does it while it is installed.",
        todo: "Revoke the publishing tokens of the machine, and look at what was published with them since.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(&SIGNAL, subject, "Publishes packages", weigh, observation);
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
    if capability.kind != CapabilityKind::Publishes {
        return None;
    }
    Some(match capability.surface {
        Surface::Install => (true, Severity::Critical, Confidence::High),
        // Release tools are called.
        _ if is_unasked(capability.surface, capability.at_load) => {
            weight(Severity::High, Confidence::Medium)
        }
        // A release tool knows what it releases.
        Surface::Import | Surface::Worker | Surface::Command
            if capability.detail.ends_with("drawn by lot") =>
        {
            weight(Severity::High, Confidence::Medium)
        }
        Surface::Import | Surface::Worker | Surface::Command | Surface::Unreferenced => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able, at_load};
    vec![
        Sample::flagged(
            "An install script runs npm publish",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Publishes,
                "npm publish",
            )),
        ),
        Sample::flagged(
            "An install script sends a publish request",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Publishes,
                "a publish request (_attachments)",
            )),
        ),
        Sample::flagged(
            "An install script has a release tool publish",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::Publishes,
                "np --yolo --no-tests",
            )),
        ),
        Sample::flagged(
            "A command publishes copies under random names",
            Scene::of_code(able(
                Surface::Command,
                CapabilityKind::Publishes,
                "npm publish under a name drawn by lot",
            )),
        ),
        Sample::flagged(
            "A library starts the workflow that publishes as soon as it is loaded",
            Scene::of_code(at_load(able(
                Surface::Import,
                CapabilityKind::Publishes,
                "a workflow that is started (dispatches)",
            ))),
        ),
        Sample::passing(
            "A release tool that publishes by command",
            Scene::of_code(able(
                Surface::Command,
                CapabilityKind::Publishes,
                "npm publish",
            )),
        ),
        Sample::passing(
            "Near miss: a registry client that can publish when it is used",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::Publishes,
                "a publish request (_attachments)",
            )),
        ),
    ]
}
