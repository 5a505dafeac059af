//! `new-capability`: the code is able to do something that the previous release was not.

use std::cmp::Reverse;

use weir_model::contents::{Capability, Surface};
use weir_model::{Confidence, Group, Severity};

use crate::comparison::{at, of_capability};
use crate::{
    Comparison, Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject,
};

/// Abilities shown per finding; the rest is counted.
const LISTED: usize = 6;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-capability",
    summary: "The code can do something that the previous release could not",
    since: "next",
    layer: Layer::History,
    kind: Kind::Capability,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Contents, Input::History, Input::PreviousContents],
    incidents: &[
        "event-stream, 2018",
        "node-ipc, 2022",
        "is, 2025",
        "Shai-Hulud, 2025",
    ],
    documentation: Documentation {
        sees: "An ability (network, child processes, code from text, files with secrets, writing outside the \
               package, and the like) on a surface (install, import, command) where the previous release had none. \
               What weighs most is what runs at install time, and what few honest packages do at all: reading \
               credential files, publishing, leaving a silent process behind, adding a first script of another host to \
               pages. Code that nothing led to in the \
               previous release is no excuse for code that is led to now.",
        matters: "A stolen release has to do something that the package never did. Compared with its own past that \
                  stands out, while the same call in a package that always made it says nothing: differential checks \
                  have the fewest false alarms of all published detectors.",
        wrong: "Packages grow. A new feature may well talk to the network; where a new major version (or a new minor \
                one below 1.0.0) announces a break, the finding is for information or nearly so. A bundler that \
                begins to include dependencies brings their abilities along.",
        todo: "Read the places in the evidence, and look for the change in the project's own notes. `weir diff` with \
               the two versions shows what else is different.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(comparison) = subject.comparison() else {
        return;
    };
    let mut weighed: Vec<(Severity, &Capability)> = comparison
        .difference
        .capabilities
        .added
        .iter()
        .map(|capability| (weigh(comparison, capability), *capability))
        .filter(|(_, capability)| of_capability(capability) > Severity::Info)
        .collect();
    weighed.sort_by_key(|(severity, capability)| (Reverse(*severity), capability.surface));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        report(comparison, group, observation);
    }
}

/// An ability that the package has elsewhere already is half known, except at install time.
fn weigh(comparison: &Comparison<'_>, capability: &Capability) -> Severity {
    let severity = of_capability(capability);
    let known = comparison.difference.had(capability.kind);
    let severity = match severity {
        Severity::Medium if known && capability.surface != Surface::Install => Severity::Low,
        Severity::Low if known && capability.surface != Surface::Install => Severity::Info,
        other => other,
    };
    comparison.weigh(severity)
}

fn report(
    comparison: &Comparison<'_>,
    group: &[(Severity, &Capability)],
    observation: &mut Observation,
) {
    let Some((severity, _)) = group.first() else {
        return;
    };
    let mut parts: Vec<String> = group
        .iter()
        .take(LISTED)
        .map(|(_, it)| {
            let detail = weir_model::finding::printable(&it.detail, 60);
            format!(
                "{} {} ({detail})",
                it.kind.in_words(),
                it.surface.in_words()
            )
        })
        .collect();
    if group.len() > LISTED {
        parts.push(format!("{} more", group.len() - LISTED));
    }
    let mut finding = SIGNAL.finding(format!(
        "it {}; {} did not",
        parts.join(", "),
        comparison.version
    ));
    finding.severity = *severity;
    if !comparison.difference.unread.removed.is_empty() {
        // What was not read there may have done the same.
        finding.confidence = Confidence::Low;
    }
    finding.evidence = group
        .iter()
        .take(LISTED)
        .map(|(_, it)| at(&it.place))
        .collect();
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, abilities, compared};
    use weir_model::contents::CapabilityKind as Can;
    let fetches = |surface| abilities(&[(Can::Network, "https.request", surface)]);
    let nothing = || abilities(&[]);
    let injects = |host: &str| {
        let detail = format!("a script from {host}");
        abilities(&[(Can::RemoteScript, detail.as_str(), Surface::Import)])
    };
    vec![
        Sample::flagged(
            "A patch of a package that only computed begins to start programs on import",
            compared(
                "1.4.1",
                nothing(),
                abilities(&[(Can::Process, "child_process.exec", Surface::Import)]),
            ),
        ),
        Sample::flagged(
            "An install script that always compiled now also fetches and reads credential files",
            compared(
                "1.5.0",
                abilities(&[(Can::Process, "node-gyp", Surface::Install)]),
                abilities(&[
                    (Can::Process, "node-gyp", Surface::Install),
                    (Can::Network, "https.get", Surface::Install),
                    (Can::SecretFiles, "~/.npmrc", Surface::Install),
                ]),
            ),
        ),
        Sample::flagged(
            "Code that lay idle in the previous release is now run on import",
            compared(
                "1.4.1",
                fetches(Surface::Unreferenced),
                fetches(Surface::Import),
            ),
        ),
        Sample::flagged(
            "A new major version whose install script publishes packages",
            compared(
                "2.0.0",
                nothing(),
                abilities(&[(Can::Publishes, "npm publish", Surface::Install)]),
            ),
        ),
        Sample::passing(
            "Near miss: a native build hook that has started programs for years",
            compared(
                "1.4.1",
                abilities(&[
                    (Can::Process, "node-gyp", Surface::Install),
                    (Can::Network, "https.get", Surface::Install),
                ]),
                abilities(&[
                    (Can::Process, "node-gyp", Surface::Install),
                    (Can::Network, "https.get", Surface::Install),
                ]),
            ),
        ),
        Sample::passing(
            "Near miss: a new major version that begins to talk to the network",
            compared("2.0.0", nothing(), fetches(Surface::Import)),
        ),
        Sample::flagged(
            "A patch of a library for browsers adds its first script of another host to pages",
            compared("1.4.1", nothing(), injects("static.collector.example")),
        ),
        Sample::passing(
            "A loader of scripts adds one of another host than before",
            compared(
                "1.4.1",
                injects("maps.example"),
                injects("static.maps.example"),
            ),
        ),
        Sample::passing(
            "A command of the package learns to fetch",
            compared("1.5.0", nothing(), fetches(Surface::Command)),
        ),
        Sample::passing(
            "A library reads one more variable of the environment",
            compared(
                "1.4.1",
                nothing(),
                abilities(&[(Can::Environment, "process.env.DEBUG", Surface::Import)]),
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use weir_model::contents::CapabilityKind;

    use super::*;
    use crate::sample::{abilities, compared};

    /// What decides from elsewhere what runs in pages weighs more than other news of a library for browsers.
    #[test]
    fn the_first_script_of_another_host_weighs_more_than_other_abilities() {
        for (kind, version, severity) in [
            (CapabilityKind::RemoteScript, "1.4.1", Severity::Medium),
            (CapabilityKind::RemoteScript, "2.0.0", Severity::Info),
            (CapabilityKind::WrapsRequests, "1.4.1", Severity::Low),
        ] {
            let after = abilities(&[(kind, "x", Surface::Import)]);
            let scene = compared(version, abilities(&[]), after);
            let mut observation = Observation::default();
            scene.with_subject(|subject| SIGNAL.run(subject, &mut observation));
            let found = observation.findings.first().map(|it| it.severity);
            assert_eq!(found, Some(severity), "{kind:?} {version}");
        }
    }
}
