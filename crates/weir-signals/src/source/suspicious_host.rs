//! `suspicious-host`: hosts that nobody's service has.

use weir_model::contents::{Host, HostClass, Surface};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::chain::{MENTION, Weight, shown, weight, weighted, when};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "suspicious-host",
    summary: "Talks to a tunnel, paste, webhook, raw address or the like",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &["picasso, 2025", "CanisterWorm, 2026", "ua-parser-js, 2021"],
    documentation: Documentation {
        sees: "Hosts given to a call or command: tunnels and catchers of requests, paste services, webhooks and chat bots, \
               addresses instead of names, dynamic names, nodes of chains, cloud metadata services. Comments and \
               documentation do not count.",
        matters: "They cost nothing, belong to nobody, and can be changed within minutes. Attacks use them to take delivery \
                  and to give orders.",
        wrong: "Clients of such a service name it. At import and by command it is mentioned or reported low for that \
                reason; at install there is hardly an honest use.",
        todo: "Look at what is sent there or comes from there.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let mut weighed: Vec<(Weight, &Host)> = contents
        .hosts
        .iter()
        .filter_map(|host| Some((weigh(host)?, host)))
        .collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((weight, first)) = group.first() else {
            continue;
        };
        let more = match group.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message = format!(
            "Talks to {} ({}){more} {}",
            in_words(first.class),
            shown(&first.host),
            when(first.surface)
        );
        let mut finding = weighted(&SIGNAL, *weight, message);
        finding.evidence = group
            .iter()
            .take(LISTED)
            .map(|(_, host)| {
                Evidence::place(&host.place.path, Some(host.place.line), &host.place.snippet)
            })
            .collect();
        observation.find(finding);
    }
}

/// Hosts shown per finding; the rest is counted.
const LISTED: usize = 5;

/// Nothing for ordinary hosts.
fn weigh(host: &Host) -> Option<Weight> {
    use HostClass::{
        ChainRpc, CloudMetadata, Local, Other, Paste, RawAddress, Throwaway, Tunnel, Webhook,
    };
    Some(match (host.class, host.surface) {
        (Other | Local, _) => return None,
        (Tunnel | Paste | Webhook | RawAddress | Throwaway, Surface::Install) => {
            weight(Severity::High, Confidence::Medium)
        }
        (ChainRpc | CloudMetadata, Surface::Install) => {
            weight(Severity::Medium, Confidence::Medium)
        }
        (Tunnel | Paste, Surface::Import | Surface::Worker) => {
            weight(Severity::Low, Confidence::Medium)
        }
        _ => MENTION,
    })
}

const fn in_words(class: HostClass) -> &'static str {
    match class {
        HostClass::Tunnel => "a tunnel or a catcher of requests",
        HostClass::Paste => "a paste service",
        HostClass::Webhook => "a webhook or chat bot",
        HostClass::RawAddress => "an address without a name",
        HostClass::ChainRpc => "a node of a chain",
        HostClass::CloudMetadata => "a cloud's metadata service",
        HostClass::Throwaway => "a throwaway name",
        HostClass::Local => "this machine or its network",
        HostClass::Other => "a host",
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, contact};
    vec![
        Sample::flagged(
            "An install script talks to a tunnel",
            Scene::of_code(contact(
                Surface::Install,
                "x.ngrok.example",
                HostClass::Tunnel,
            )),
        ),
        Sample::flagged(
            "An install script talks to an address",
            Scene::of_code(contact(
                Surface::Install,
                "203.0.113.9",
                HostClass::RawAddress,
            )),
        ),
        Sample::flagged(
            "A library talks to a catcher of requests when it is imported",
            Scene::of_code(contact(
                Surface::Import,
                "webhook.site.example",
                HostClass::Tunnel,
            )),
        ),
        Sample::passing(
            "An install script that talks to an ordinary host",
            Scene::of_code(contact(
                Surface::Install,
                "downloads.example",
                HostClass::Other,
            )),
        ),
        Sample::passing(
            "Near miss: a client of a chat service",
            Scene::of_code(contact(
                Surface::Import,
                "api.telegram.example",
                HostClass::Webhook,
            )),
        ),
        Sample::passing(
            "A wallet library that talks to a node of its chain",
            Scene::of_code(contact(
                Surface::Import,
                "api.mainnet-beta.solana.example",
                HostClass::ChainRpc,
            )),
        ),
    ]
}
