//! `wallet-hook`: code that places itself between a page and its wallet.

use weir_model::contents::{CapabilityKind, Surface};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::chain::{MENTION, report_abilities, shown, weighted, when};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "wallet-hook",
    summary: "Places itself between people and their wallets",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[
        "chalk and debug, 2025",
        "connect-kit, 2023",
        "lottie-player, 2024",
    ],
    documentation: Documentation {
        sees: "Code on one surface that both speaks to a wallet provider (`window.ethereum` and others) and puts its own \
               function in place of the provider's, of `fetch` or `XMLHttpRequest`, by an assignment, a descriptor or a \
               proxy; or that reads and replaces what was copied, or what a form holds, and knows what the addresses of \
               coins look like. Either half alone is mentioned.",
        matters: "A drainer exchanges the address that a person is about to pay. It has to see both ends for it.",
        wrong: "Wallet software does the first, monitoring the second, clipboard managers the third. Something that does both, honestly, is rare.",
        todo: "Do not ship the bundle. Compare it with the release before.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let has = |kind: CapabilityKind, surface: Surface| {
        contents
            .capabilities
            .iter()
            .find(|one| one.kind == kind && one.surface == surface)
    };
    let mut found = false;
    for surface in [Surface::Install, Surface::Import, Surface::Worker] {
        let exchanges = has(CapabilityKind::Clipboard, surface)
            .filter(|one| one.detail.starts_with("reads and replaces"));
        let wraps = has(CapabilityKind::WrapsRequests, surface).or(exchanges);
        let (Some(wallet), Some(wraps)) = (has(CapabilityKind::Wallet, surface), wraps) else {
            continue;
        };
        found = true;
        let message = format!(
            "Knows wallets ({}) and {} {}",
            shown(&wallet.detail),
            shown(&wraps.detail),
            when(surface)
        );
        let weight = (false, SIGNAL.severity, Confidence::Medium);
        let mut finding = weighted(&SIGNAL, weight, message);
        finding.evidence = [wallet, wraps]
            .map(|one| Evidence::place(&one.place.path, Some(one.place.line), &one.place.snippet))
            .to_vec();
        observation.find(finding);
    }
    if !found {
        let is_half = |kind| matches!(kind, CapabilityKind::Wallet | CapabilityKind::WrapsRequests);
        report_abilities(
            &SIGNAL,
            subject,
            "Reaches for a wallet or wraps requests",
            |one| is_half(one.kind).then_some(MENTION),
            observation,
        );
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, able};
    let both = |surface| {
        let mut contents = able(surface, CapabilityKind::Wallet, "window.ethereum");
        let wraps = able(surface, CapabilityKind::WrapsRequests, "replaces fetch");
        contents.capabilities.extend(wraps.capabilities);
        contents
    };
    vec![
        Sample::flagged(
            "A library wraps fetch and asks for the wallet when it is imported",
            Scene::of_code(both(Surface::Import)),
        ),
        Sample::flagged(
            "An install script that does both",
            Scene::of_code(both(Surface::Install)),
        ),
        Sample::flagged("A library watches what is copied for addresses of coins", {
            let mut contents = able(
                Surface::Import,
                CapabilityKind::Wallet,
                "a pattern of coin addresses",
            );
            let copied = able(
                Surface::Import,
                CapabilityKind::Clipboard,
                "reads and replaces what was copied",
            );
            contents.capabilities.extend(copied.capabilities);
            Scene::of_code(contents)
        }),
        Sample::flagged("A library exchanges addresses of coins in forms", {
            let mut contents = able(
                Surface::Import,
                CapabilityKind::Wallet,
                "a pattern of coin addresses",
            );
            let replaces = able(
                Surface::Import,
                CapabilityKind::WrapsRequests,
                "replaces addresses of coins in a form",
            );
            contents.capabilities.extend(replaces.capabilities);
            Scene::of_code(contents)
        }),
        Sample::passing("A clipboard manager", {
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::Clipboard,
                "reads and replaces what was copied",
            ))
        }),
        Sample::passing(
            "A wallet connector",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::Wallet,
                "window.ethereum",
            )),
        ),
        Sample::passing(
            "Near miss: monitoring that wraps requests",
            Scene::of_code(able(
                Surface::Import,
                CapabilityKind::WrapsRequests,
                "replaces fetch",
            )),
        ),
    ]
}
