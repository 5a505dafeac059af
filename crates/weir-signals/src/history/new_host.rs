//! `new-host`: the code talks to somebody it did not talk to before.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use weir_model::contents::{Host, HostClass, Surface};
use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::repository::Authority;

use crate::comparison::{at, of_host, registered};
use crate::{
    Comparison, Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject,
};

/// Hosts shown per finding; the rest is counted.
const LISTED: usize = 6;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-host",
    summary: "The code talks to a host that the previous release did not know",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Contents, Input::History, Input::PreviousContents],
    incidents: &[
        "@solana/web3.js, 2024",
        "xrpl, 2025",
        "@toptal/picasso, 2025",
    ],
    documentation: Documentation {
        sees: "A host as an argument of a call or command, on a surface that runs, whose registered domain the \
               previous release did not talk to and which is not that of the package's own repository (an address with a \
               host as its user name, `https://good.example:x@bad.example/`, is read as clients do, excuses nothing and \
               is shown as that). Tunnels, \
               stores that anybody may fill, webhooks, addresses without a name, chain nodes, metadata services and \
               throwaway names weigh most, all the more at install time. The first ordinary host of a package that \
               talked to nobody counts a little, one more of many does not.",
        matters: "What was stolen has to go somewhere, and a second stage has to come from somewhere. Attackers rent \
                  that by the hour or use what cannot be taken down; projects change their servers seldom.",
        wrong: "Services move, mirrors are added. Names in documentation and comments are not counted, but a host in \
                a default setting is.",
        todo: "Find out whose the host is and what is sent there; the evidence has the call.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(comparison) = subject.comparison() else {
        return;
    };
    let mut known: BTreeSet<&str> = comparison
        .difference
        .before
        .hosts
        .iter()
        .map(|host| registered(&host.host))
        .collect();
    let own = own_repository(comparison);
    // An address that is made to be misread excuses nothing.
    let plain = own.as_ref().filter(|own| own.disguise.is_none());
    known.extend(plain.map(|own| registered(&own.host)));
    let mut seen = BTreeSet::new();
    let mut weighed: Vec<(Severity, &Host)> = comparison
        .difference
        .hosts
        .added
        .iter()
        .filter(|host| is_new(host, &known) && seen.insert((&host.host, host.surface)))
        .map(|host| (weigh(comparison, host), *host))
        .filter(|(severity, _)| *severity > Severity::Info)
        .collect();
    weighed.sort_by_key(|(severity, host)| (Reverse(*severity), host.class, host.surface));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        report(comparison, own.as_ref(), group, observation);
    }
}

/// Names under a domain that anybody may rent a name under are new by themselves.
fn is_new(host: &Host, known: &BTreeSet<&str>) -> bool {
    match host.class {
        HostClass::Local => false,
        HostClass::Other => !known.contains(registered(&host.host)),
        _ => true,
    }
}

/// Where the package's repository is, as the earlier release states it: what the later one says
/// may have been changed along with the code.
fn own_repository(comparison: &Comparison<'_>) -> Option<Authority> {
    let manifest = comparison.difference.before.manifest.as_ref()?;
    let authority = Authority::parse(manifest.repository.as_deref()?)?;
    authority.host.contains('.').then_some(authority)
}

/// What the address of the repository is made to be read as, beside the host that it leads to.
fn disguised(own: &Authority) -> Option<Evidence> {
    let read_as = own.disguise.as_deref()?;
    Some(Evidence::change(
        "repository (read as, host)",
        Some(format!("{read_as} (a user name)")),
        Some(&own.host),
    ))
}

fn weigh(comparison: &Comparison<'_>, host: &Host) -> Severity {
    let before = &comparison.difference.before.hosts;
    let same_class = before
        .iter()
        .any(|old| old.class == host.class && old.surface.covers(host.surface));
    let runs = matches!(host.surface, Surface::Import | Surface::Worker);
    let severity = match of_host(host) {
        // A library that talked to nobody now talks to somebody.
        Severity::Info if host.class == HostClass::Other && runs && before.is_empty() => {
            Severity::Low
        }
        // A library for chat bots learns of another one.
        Severity::High if same_class => Severity::Medium,
        Severity::Medium if same_class => Severity::Low,
        Severity::Low if same_class => Severity::Info,
        severity => severity,
    };
    comparison.weigh(severity)
}

fn report(
    comparison: &Comparison<'_>,
    own: Option<&Authority>,
    group: &[(Severity, &Host)],
    observation: &mut Observation,
) {
    let Some((severity, _)) = group.first() else {
        return;
    };
    let mut parts: Vec<String> = group
        .iter()
        .take(LISTED)
        .map(|(_, host)| {
            let name = weir_model::finding::printable(&host.host, 80);
            match host.class.in_words() {
                Some(class) => format!("{name} ({class}) {}", host.surface.in_words()),
                None => format!("{name} {}", host.surface.in_words()),
            }
        })
        .collect();
    if group.len() > LISTED {
        parts.push(format!("{} more", group.len() - LISTED));
    }
    let mut finding = SIGNAL.finding(format!(
        "it talks to {}; {} did not",
        parts.join(", "),
        comparison.version
    ));
    finding.severity = *severity;
    finding.evidence = group
        .iter()
        .take(LISTED)
        .map(|(_, host)| at(&host.place))
        .collect();
    finding.evidence.extend(own.and_then(disguised));
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, compared, talks_to};
    let api = ("api.acme.example", HostClass::Other, Surface::Import);
    vec![
        Sample::flagged(
            "A patch begins to post to a webhook on import",
            compared(
                "1.4.1",
                talks_to(&[api]),
                talks_to(&[
                    api,
                    ("hooks.chat.example", HostClass::Webhook, Surface::Import),
                ]),
            ),
        ),
        Sample::flagged(
            "An install script that downloaded from one host now also asks an address without a name",
            compared(
                "1.4.1",
                talks_to(&[("files.acme.example", HostClass::Other, Surface::Install)]),
                talks_to(&[
                    ("files.acme.example", HostClass::Other, Surface::Install),
                    ("192.0.2.7", HostClass::RawAddress, Surface::Install),
                ]),
            ),
        ),
        Sample::flagged(
            "A library that talked to nobody begins to talk to somebody",
            compared(
                "1.4.1",
                talks_to(&[]),
                talks_to(&[("cdn-metrics.example", HostClass::Other, Surface::Import)]),
            ),
        ),
        Sample::passing(
            "Near miss: another name under the domain that it always talked to",
            compared(
                "1.4.1",
                talks_to(&[api]),
                talks_to(&[api, ("eu.acme.example", HostClass::Other, Surface::Import)]),
            ),
        ),
        Sample::passing(
            "A client of chains that has always known nodes learns of another one",
            compared(
                "1.4.1",
                talks_to(&[("rpc.one.example", HostClass::ChainRpc, Surface::Import)]),
                talks_to(&[
                    ("rpc.one.example", HostClass::ChainRpc, Surface::Import),
                    ("rpc.two.example", HostClass::ChainRpc, Surface::Import),
                ]),
            ),
        ),
        Sample::passing(
            "A development server on loopback",
            compared(
                "1.4.1",
                talks_to(&[]),
                talks_to(&[("localhost", HostClass::Local, Surface::Import)]),
            ),
        ),
        Sample::passing(
            "The same hosts as ever",
            compared("1.4.1", talks_to(&[api]), talks_to(&[api])),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use weir_model::Contents;
    use weir_npm::manifest::Manifest;

    use super::*;
    use crate::sample::{compared, talks_to};

    /// What the signal says where code begins to talk to a host, given the address of the repository.
    fn observed(repository: &str, host: &str) -> Observation {
        let package_json = serde_json::json!({ "repository": repository }).to_string();
        let before = Contents {
            manifest: Some(Manifest::from_json(&package_json).unwrap()),
            ..talks_to(&[])
        };
        let after = talks_to(&[(host, HostClass::Other, Surface::Import)]);
        let mut observation = Observation::default();
        compared("1.4.1", before, after)
            .with_subject(|subject| SIGNAL.run(subject, &mut observation));
        observation
    }

    #[test]
    fn only_the_host_that_the_repository_is_at_is_known() {
        for (repository, host, found) in [
            ("https://good.example/a/b", "api.good.example", 0),
            ("https://user:word@good.example:8443/a", "good.example", 0),
            ("git@good.example:a/b.git", "good.example", 0),
            ("https://Good.Example./a/b", "good.example", 0),
            ("https://good.example:x@evil.invalid/", "good.example", 1),
            ("https://good.example:x@evil.invalid/", "evil.invalid", 1),
            ("https://good.example/@evil.invalid/", "evil.invalid", 1),
        ] {
            let observation = observed(repository, host);
            assert_eq!(observation.findings.len(), found, "{repository} {host}");
        }
    }

    #[test]
    fn a_user_name_that_reads_like_a_host_is_shown_as_what_it_is() {
        let observation = observed("https://good.example:x@evil.invalid/", "evil.invalid");
        let finding = observation.findings.first().unwrap();
        assert!(finding.evidence.contains(&Evidence::change(
            "repository (read as, host)",
            Some("good.example (a user name)"),
            Some("evil.invalid"),
        )));
    }
}
