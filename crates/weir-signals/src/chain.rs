//! Chains, abilities and hosts in words and as evidence: one wording for all signals over code.

use weir_model::contents::{Capability, Flow, Gate, GateKind, SinkKind, SourceKind, Surface};
use weir_model::{Confidence, Evidence, Finding, Severity};

use crate::settled::{calmed, is_known_ability, is_known_flow, is_settled};
use crate::{Declaration, Observation, Subject};

/// Findings' places that are shown; the rest is counted.
const LISTED: usize = 3;
/// Steps that are shown per flow, besides its two ends.
const STEPS: usize = 4;

/// What something is worth: whether it is decisive, how severe, how sure.
pub(crate) type Weight = (bool, Severity, Confidence);

/// Nothing but worth a line in a full report.
pub(crate) const MENTION: Weight = (false, Severity::Info, Confidence::Low);

/// A weight that is not decisive.
pub(crate) const fn weight(severity: Severity, confidence: Confidence) -> Weight {
    (false, severity, confidence)
}

/// From where the code runs, as the end of a sentence.
pub(crate) const fn when(surface: Surface) -> &'static str {
    match surface {
        Surface::Install => "at install time",
        Surface::Import | Surface::Worker => "when it is imported or used",
        Surface::Command => "when its command is run",
        Surface::Unreferenced => "in code that nothing in the package leads to",
    }
}

/// The same of what does not wait for a caller.
const fn moment(surface: Surface, at_load: bool) -> &'static str {
    match (surface, at_load) {
        (Surface::Import | Surface::Worker, true) => "as soon as it is loaded",
        _ => when(surface),
    }
}

/// Whether something is done by whatever imports the package, without a call of it.
pub(crate) const fn is_unasked(surface: Surface, at_load: bool) -> bool {
    matches!(surface, Surface::Import) && at_load
}

/// What is read.
pub(crate) const fn source_in_words(source: SourceKind) -> &'static str {
    match source {
        SourceKind::Environment => "the whole environment",
        SourceKind::SecretVariable => "a secret variable",
        SourceKind::CredentialFile => "a credential file",
        SourceKind::WalletOrProfile => "a wallet or browser profile",
        SourceKind::CloudMetadata => "the machine's cloud identity",
        SourceKind::ProcessMemory => "the memory of another process",
        SourceKind::Clipboard => "the clipboard",
        SourceKind::HostFacts => "facts about host and user",
        SourceKind::CredentialTool => "what a credential tool prints",
        SourceKind::KeyArgument => "key material of its caller",
        SourceKind::Fetched => "what is fetched from the network",
        SourceKind::Decoded => "what is decoded from text in the package",
    }
}

/// Where it goes.
pub(crate) const fn sink_in_words(sink: SinkKind) -> &'static str {
    match sink {
        SinkKind::Http => "a web request",
        SinkKind::Socket => "a socket",
        SinkKind::Dns => "a name lookup",
        SinkKind::NetworkCommand => "a command",
        SinkKind::DynamicCode => "code made of text",
        SinkKind::Process => "a process",
        SinkKind::Persistence => "a file that others run",
        SinkKind::OtherPackage => "another package",
        SinkKind::ProgramFile => "a program file",
        SinkKind::Publish => "a registry",
        SinkKind::Wallet => "a wallet",
    }
}

const fn gate_in_words(gate: GateKind) -> &'static str {
    match gate {
        GateKind::Ci => "CI",
        GateKind::Locale => "language or region",
        GateKind::Time => "time",
        GateKind::Target => "project, machine or user",
        GateKind::Browser => "being in a browser",
        GateKind::Platform => "operating system",
    }
}

/// What the code asks for first, as an addition to a sentence; empty where it asks nothing.
pub(crate) fn gated(gates: &[Gate]) -> String {
    if gates.is_empty() {
        return String::new();
    }
    let kinds: Vec<&str> = gates.iter().map(|gate| gate_in_words(gate.kind)).collect();
    format!(", depending on {}", kinds.join(" and "))
}

/// A flow from its source over its steps to its sink, then what has to hold for it.
pub(crate) fn evidence(flow: &Flow) -> Vec<Evidence> {
    let mut evidence = vec![Evidence::place(
        &flow.source_place.path,
        Some(flow.source_place.line),
        &flow.source_place.snippet,
    )];
    for step in flow.steps.iter().take(STEPS) {
        let text = match &step.folded {
            Some(folded) => format!("{folded}   <- {}", step.place.snippet),
            None => step.place.snippet.clone(),
        };
        evidence.push(Evidence::place(
            &step.place.path,
            Some(step.place.line),
            &text,
        ));
    }
    let same = flow.sink_place.path == flow.source_place.path
        && flow.sink_place.line == flow.source_place.line;
    if !same || !flow.steps.is_empty() {
        evidence.push(Evidence::place(
            &flow.sink_place.path,
            Some(flow.sink_place.line),
            &flow.sink_place.snippet,
        ));
    }
    for gate in &flow.gates {
        let text = format!(
            "only if ({}): {}",
            gate_in_words(gate.kind),
            gate.place.snippet
        );
        evidence.push(Evidence::place(
            &gate.place.path,
            Some(gate.place.line),
            &text,
        ));
    }
    evidence
}

/// Adds evidence that is not there yet: flows that share their way are told once.
pub(crate) fn add_new(finding: &mut Finding, evidence: impl IntoIterator<Item = Evidence>) {
    for one in evidence {
        if !finding.evidence.contains(&one) {
            finding.evidence.push(one);
        }
    }
}

/// Text from a package, fit for a message.
pub(crate) fn shown(text: &str) -> String {
    weir_model::finding::printable(text, 120)
}

/// One finding for each weight that flows have, strongest first.
pub(crate) fn report_flows<'c>(
    signal: &Declaration,
    subject: &Subject<'_>,
    flows: impl Iterator<Item = &'c Flow>,
    weigh: impl Fn(&Flow) -> Option<Weight>,
    observation: &mut Observation,
) {
    let settled = is_settled(subject);
    let mut weighed: Vec<(Weight, &Flow)> = flows
        .filter_map(|flow| Some((weigh(flow)?, flow)))
        .map(
            |(weight, flow)| match settled || is_known_flow(subject, flow) {
                true => (calmed(weight, flow.surface), flow),
                false => (weight, flow),
            },
        )
        .collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((weight, flow)) = group.first() else {
            continue;
        };
        let more = match group.len() {
            1 => String::new(),
            count => format!(" (and {} more like it)", count - 1),
        };
        let message = format!(
            "{} ({}) goes into {} ({}) {}{}{more}",
            source_in_words(flow.source),
            shown(&flow.source_detail),
            sink_in_words(flow.sink),
            shown(&flow.sink_detail),
            moment(flow.surface, flow.at_load),
            gated(&flow.gates),
        );
        let mut finding = weighted(signal, *weight, message);
        for (_, flow) in group.iter().take(LISTED) {
            add_new(&mut finding, evidence(flow));
        }
        observation.find(finding);
    }
}

/// A finding of a signal, weighed.
pub(crate) fn weighted(signal: &Declaration, weight: Weight, message: String) -> Finding {
    let mut finding = signal.finding(message);
    (finding.decisive, finding.severity, finding.confidence) = weight;
    finding
}

/// One finding for each weight that abilities have, strongest first. `says` is what the release
/// does, as the beginning of a sentence.
pub(crate) fn report_abilities(
    signal: &Declaration,
    subject: &Subject<'_>,
    says: &str,
    weigh: impl Fn(&Capability) -> Option<Weight>,
    observation: &mut Observation,
) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let settled = is_settled(subject);
    let mut weighed: Vec<(Weight, &Capability)> = contents
        .capabilities
        .iter()
        .filter_map(|capability| Some((weigh(capability)?, capability)))
        .map(
            |(weight, capability)| match settled || is_known_ability(subject, capability) {
                true => (calmed(weight, capability.surface), capability),
                false => (weight, capability),
            },
        )
        .collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((weight, first)) = group.first() else {
            continue;
        };
        let moment = moment(first.surface, first.at_load);
        let message = format!("{says} ({}) {moment}", shown(&first.detail));
        let mut finding = weighted(signal, *weight, message);
        let places = group.iter().take(LISTED).map(|(_, capability)| {
            let place = &capability.place;
            Evidence::place(&place.path, Some(place.line), &place.snippet)
        });
        add_new(&mut finding, places);
        observation.find(finding);
    }
}
