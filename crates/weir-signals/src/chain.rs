//! Chains, abilities and hosts in words and as evidence: one wording for all signals over code.

use weir_model::contents::{
    Capability, Flow, Gate, GateKind, Place, SinkKind, SourceKind, Surface,
};
use weir_model::{Confidence, Contents, Evidence, Finding, Severity};

use crate::settled::{calmed, is_known_ability, is_known_flow, is_settled};
use crate::{Declaration, Observation, Subject};

/// Flows of a finding that are shown; the rest is counted.
pub(crate) const LISTED: usize = 6;
/// Places of a finding over abilities that are shown.
const PLACES: usize = 16;
/// Things that one sentence names; the rest is counted.
const NAMED: usize = 6;
/// Characters of each of them but the first.
const ALSO_CHARS: usize = 60;
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
        SourceKind::Overheard => "what is meant for others",
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
        let flows: Vec<&Flow> = group.iter().map(|(_, flow)| *flow).collect();
        let message = format!(
            "{} ({}) {} into {} ({}) {}{}{}",
            source_in_words(flow.source),
            shown(&flow.source_detail),
            flow.source.goes(),
            sink_in_words(flow.sink),
            shown(&flow.sink_detail),
            moment(flow.surface, flow.at_load),
            gated(&flow.gates),
            likewise(&flows, |flow| source_in_words(flow.source)),
        );
        let mut finding = weighted(signal, *weight, message);
        for (_, flow) in group.iter().take(LISTED) {
            add_new(&mut finding, evidence(flow));
        }
        observation.find(finding);
    }
}

/// The other flows of a finding: what each begins with, where that is not named yet, and how many more there are.
pub(crate) fn likewise(flows: &[&Flow], noun: impl Fn(&Flow) -> &'static str) -> String {
    let named = |flow: &Flow| format!("{} ({})", noun(flow), shown(&flow.source_detail));
    let Some((first, others)) = flows.split_first() else {
        return String::new();
    };
    let mut names: Vec<String> = Vec::new();
    for flow in others.iter().take(LISTED - 1) {
        let name = named(flow);
        if name != named(first) && !names.contains(&name) {
            names.push(name);
        }
    }
    let rest = others.len().saturating_sub(names.len());
    let mut text = match names.is_empty() {
        true => String::new(),
        false => format!("; likewise {}", names.join(", ")),
    };
    if rest > 0 {
        text.push_str(&format!(" (and {rest} more like it)"));
    }
    text
}

/// Whether a finding tells of a flow: it names what the flow begins with, and has both its ends among its evidence.
/// Ends alone do not tell: in packed code many flows share one line.
#[must_use]
pub fn tells(finding: &Finding, flow: &Flow) -> bool {
    let has = |wanted: &Place| {
        finding.evidence.iter().any(|evidence| {
            matches!(evidence, Evidence::Place { path, line: Some(line), .. }
                if *path == wanted.path && *line == wanted.line)
        })
    };
    // Signals of the history have their own words for what is read.
    let detail = format!("({})", shown(&flow.source_detail));
    let is_named = [source_in_words(flow.source), flow.source.in_words()]
        .into_iter()
        .any(|noun| finding.message.contains(&format!("{noun} {detail}")));
    is_named && has(&flow.source_place) && has(&flow.sink_place)
}

/// A finding of a signal, weighed.
pub(crate) fn weighted(signal: &Declaration, weight: Weight, message: String) -> Finding {
    let mut finding = signal.finding(message);
    (finding.decisive, finding.severity, finding.confidence) = weight;
    finding
}

/// One finding for each weight that abilities have, strongest first. `says` is what the release
/// does, as the beginning of a sentence. Each place is weighed by itself: one that means little may not hide
/// another.
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
    let mut weighed: Vec<(Weight, Capability)> = Vec::new();
    for whole in &contents.capabilities {
        for one in whole.each() {
            let Some(weight) = weigh(&one) else {
                continue;
            };
            let weight = match settled || is_known_ability(subject, &one) {
                true => calmed(weight, one.surface),
                false => weight,
            };
            weighed.push((weight, one));
        }
    }
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((weight, _)) = group.first() else {
            continue;
        };
        let places: Vec<&Capability> = group.iter().map(|(_, one)| one).collect();
        // Places beyond those that were kept were not weighed; they are counted once, with the strongest.
        let left_out = match weighed.first() {
            Some((first, _)) if first == weight => left_out(contents, &weigh),
            _ => 0,
        };
        let message = format!("{says} {}", told(&places, left_out));
        let mut finding = weighted(signal, *weight, message);
        let places = places.iter().map(|one| {
            let place = &one.place;
            Evidence::place(&place.path, Some(place.line), &place.snippet)
        });
        add_new(&mut finding, places);
        finding.evidence.truncate(PLACES);
        observation.find(finding);
    }
}

/// Places of a signal's abilities that were only counted when the code was read.
fn left_out(contents: &Contents, weigh: impl Fn(&Capability) -> Option<Weight>) -> usize {
    let told = contents
        .capabilities
        .iter()
        .filter(|one| weigh(one).is_some());
    told.map(|one| one.also_left_out as usize).sum()
}

/// What exactly, and when: each thing once, those of one moment together, the rest counted.
fn told(places: &[&Capability], left_out: usize) -> String {
    let mut moments: Vec<(&'static str, Vec<String>)> = Vec::new();
    let (mut named, mut more) = (0, left_out);
    for one in places {
        let moment = moment(one.surface, one.at_load);
        let limit = if named == 0 { 120 } else { ALSO_CHARS };
        let detail = weir_model::finding::printable(&one.detail, limit);
        let told = moments.iter().any(|(_, details)| details.contains(&detail));
        if told {
            continue;
        }
        if named == NAMED {
            more += 1;
            continue;
        }
        named += 1;
        match moments.iter_mut().find(|(known, _)| *known == moment) {
            Some((_, details)) => details.push(detail),
            None => moments.push((moment, vec![detail])),
        }
    }
    let mut parts: Vec<String> = moments
        .into_iter()
        .map(|(moment, details)| format!("({}) {moment}", details.join("; ")))
        .collect();
    if more > 0 {
        parts.push(format!(
            "in {more} more {}",
            if more == 1 { "place" } else { "places" }
        ));
    }
    match parts.pop() {
        Some(last) if !parts.is_empty() => format!("{}, and {last}", parts.join(", ")),
        last => last.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use weir_model::contents::{CapabilityKind, Spot};
    use weir_model::{Contents, Finding, Severity};

    use super::tells;
    use crate::sample::{Scene, able, flow, place};
    use weir_model::contents::{SinkKind, SourceKind, Surface};

    fn findings(contents: Contents, signal: &str) -> Vec<Finding> {
        let found = Scene::of_code(contents).observe().findings;
        found.into_iter().filter(|it| it.signal == signal).collect()
    }

    /// Contents that write a git hook, and then these files.
    fn writes(also: &[&str]) -> Contents {
        let hook = "a git hook, .git/hooks/pre-push by writeFileSync";
        let mut contents = able(Surface::Install, CapabilityKind::Persists, hook);
        contents.capabilities[0].also = (8..)
            .zip(also)
            .map(|(line, detail)| Spot {
                detail: (*detail).to_owned(),
                place: place("lib/index.js", line, "act();"),
                at_load: false,
            })
            .collect();
        contents
    }

    #[test]
    fn each_place_is_weighed_and_named() {
        let found = findings(
            writes(&[
                "a shell start-up file, ~/.bashrc by appendFileSync",
                "a shell start-up file, ~/.zshrc by appendFileSync",
            ]),
            "persistence",
        );
        let told: Vec<_> = found.iter().map(|it| it.severity).collect();
        assert_eq!(told, [Severity::High, Severity::Low], "{found:?}");
        for name in ["~/.bashrc", "~/.zshrc"] {
            assert!(found[0].message.contains(name), "{}", found[0].message);
        }
        assert_eq!(found[0].evidence.len(), 2);
    }

    #[test]
    fn many_places_are_counted() {
        let files: Vec<String> = (0..9)
            .map(|index| format!("a service or scheduled job, ~/.config/autostart/{index}.desktop"))
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let mut contents = writes(&files);
        contents.capabilities[0].also_left_out = 4;
        let found = findings(contents, "persistence");
        let message = &found[0].message;
        assert!(
            message.ends_with("at install time, and in 7 more places"),
            "{message}"
        );
        assert_eq!(found[0].evidence.len(), 9);
    }

    #[test]
    fn a_finding_tells_of_the_flows_that_it_names() {
        let post = (SinkKind::Http, "https.request to collector.example");
        let mut contents = flow(
            Surface::Install,
            (SourceKind::CredentialFile, "~/.npmrc"),
            post,
        );
        let memory = (SourceKind::ProcessMemory, "/proc/1/mem");
        let other = flow(Surface::Install, memory, post);
        contents.flows.extend(other.flows);
        let found = findings(contents.clone(), "credential-exfiltration");
        let [finding] = &found[..] else {
            panic!("{found:?}");
        };
        assert!(
            contents.flows.iter().all(|flow| tells(finding, flow)),
            "{finding:?}"
        );
        // In packed code it has the same ends, and is told by another finding.
        let fetched = (SourceKind::Fetched, "https.get from c2.invalid");
        let packed = flow(Surface::Install, fetched, (SinkKind::DynamicCode, "eval"));
        assert!(!tells(finding, &packed.flows[0]));
    }
}
