//! `injected-script`: a page is given a script from another host.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, is_unasked, report_abilities, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "injected-script",
    summary: "Adds a script of another host to pages",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &["art-template, 2025", "lottie-player, 2024"],
    documentation: Documentation {
        sees: "Code that makes a script element and gives it an address of another host, by a property, an attribute or \
               markup, imports a module from there, or has a worker take one in. Where the same file first asks \
               which program the visitor uses (`navigator.userAgent`) and at which address the page lies (`location.host`), the \
               script is meant for some visitors only, and that weighs most, as does a module of another host that a call imports \
               as soon as the library is loaded. Otherwise it is mentioned.",
        matters: "Whoever has the host decides from then on what runs in every page that uses the library. Leaving out \
                  developers, who are on localhost, is how such scripts stay unseen.",
        wrong: "Loaders of maps, payments and measurements add scripts of their vendor. Few of them look at both visitor \
                and place before they do.",
        todo: "Look at the host in the evidence, and at what the condition leaves out.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(
        &SIGNAL,
        subject,
        "Brings in scripts of other hosts",
        weigh,
        observation,
    );
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
    if capability.kind != CapabilityKind::RemoteScript {
        return None;
    }
    let is_choosy = capability.detail.ends_with("for some visitors only");
    // Scripts of a vendor are put into a page by elements; what a call imports before anybody asked runs with
    // all that the library may do, wherever addresses can be imported, and fails without a word elsewhere.
    // Builds for pages import by statements, which cannot fail so.
    let is_imported = capability.detail.starts_with("a module")
        && is_unasked(capability.surface, capability.at_load);
    Some(match capability.surface {
        Surface::Import | Surface::Worker if is_choosy => {
            weight(Severity::High, Confidence::Medium)
        }
        _ if is_imported => weight(Severity::High, Confidence::Medium),
        _ => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able, at_load};
    let scene_of = |contents| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(contents)
    };
    let scene = |surface, detail| scene_of(able(surface, CapabilityKind::RemoteScript, detail));
    let choosy = "a script from static.a.invalid, for some visitors only";
    vec![
        Sample::flagged(
            "A template library adds a script to pages that phones look at",
            scene(Surface::Import, choosy),
        ),
        Sample::flagged(
            "The same in a file that a page runs as a worker",
            scene(Surface::Worker, choosy),
        ),
        Sample::flagged(
            "A library imports a module of another host as soon as it is loaded",
            scene_of(at_load(able(
                Surface::Import,
                CapabilityKind::RemoteScript,
                "a module from static.a.invalid",
            ))),
        ),
        Sample::passing(
            "Near miss: a build for pages whose statements import from where everybody's packages are",
            scene_of(at_load(able(
                Surface::Import,
                CapabilityKind::RemoteScript,
                "an import from packages.example",
            ))),
        ),
        Sample::passing(
            "Near miss: a library that imports a part of its own from its vendor when it is used",
            scene(Surface::Import, "a module from parts.example"),
        ),
        Sample::passing(
            "Near miss: a loader that adds its vendor's script for everybody",
            scene(Surface::Import, "a script from maps.example"),
        ),
        Sample::passing(
            "Such code where nothing leads to it",
            scene(Surface::Unreferenced, choosy),
        ),
    ]
}
