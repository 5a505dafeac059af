//! `tls-disabled`: certificate checks that are switched off.

use weir_model::contents::{Capability, CapabilityKind, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{MENTION, Weight, is_unasked, report_abilities, weight};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "tls-disabled",
    summary: "Switches certificate checks off",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[],
    documentation: Documentation {
        sees: "`NODE_TLS_REJECT_UNAUTHORIZED=0`, also for a child, `rejectUnauthorized: false`, `strict-ssl false`, a \
               `checkServerIdentity` to which every name is right, an authority of its own for the whole program, and the \
               options of download tools that do the same. At install it is a finding. It weighs most in a library that \
               does so as soon as it is loaded: for the whole program, or beside a request or a child of its own. \
               Elsewhere it is mentioned.",
        matters: "Whoever is on the way can then answer for any host, and decide what the installer gets. Attackers' own \
                  servers seldom have a certificate. Installers download by their nature; a library that nobody has \
                  called yet does not.",
        wrong: "Development servers and options for proxies of companies need it, and are not part of install.",
        todo: "Find out which host is meant. A download at install time has to be checked by hash at least.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    report_abilities(
        &SIGNAL,
        subject,
        "Switches certificate checks off",
        weigh,
        observation,
    );
}

/// Nothing for other abilities.
fn weigh(capability: &Capability) -> Option<Weight> {
    if !matches!(capability.kind, CapabilityKind::DisablesTls) {
        return None;
    }
    Some(match capability.surface {
        Surface::Install => weight(Severity::Medium, Confidence::Medium),
        _ if is_unasked(capability.surface, capability.at_load) => {
            weight(Severity::High, Confidence::Medium)
        }
        Surface::Import | Surface::Worker => MENTION,
        Surface::Command => MENTION,
        Surface::Unreferenced => MENTION,
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able, at_load};
    vec![
        Sample::flagged(
            "An install script accepts any certificate",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DisablesTls,
                "NODE_TLS_REJECT_UNAUTHORIZED",
            )),
        ),
        Sample::flagged(
            "An install command downloads without checks",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DisablesTls,
                "curl without checks",
            )),
        ),
        Sample::flagged(
            "An install script accepts a certificate of anybody",
            Scene::of_code(able(
                Surface::Install,
                CapabilityKind::DisablesTls,
                "checkServerIdentity that accepts every name",
            )),
        ),
        Sample::flagged(
            "A library switches the checks of the whole program off as soon as it is loaded",
            Scene::of_code(at_load(able(
                Surface::Import,
                CapabilityKind::DisablesTls,
                "NODE_TLS_REJECT_UNAUTHORIZED for the program and its children",
            ))),
        ),
        Sample::passing(
            "Near miss: a library that does so when it is asked to",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::DisablesTls,
                "NODE_TLS_REJECT_UNAUTHORIZED for the program and its children",
            )),
        ),
        Sample::passing(
            "Near miss: a client with an option for it",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::DisablesTls,
                "rejectUnauthorized: false",
            )),
        ),
        Sample::passing(
            "An installer with checks",
            Scene::of_code(able(Surface::Install, CapabilityKind::Network, "https.get")),
        ),
    ]
}
