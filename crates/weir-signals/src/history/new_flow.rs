//! `new-flow`: a value travels where it did not travel before.

use std::cmp::Reverse;

use weir_model::contents::{Flow, SinkKind, SourceKind};
use weir_model::{Confidence, Group, Severity};

use crate::chain::{LISTED, add_new, likewise};
use crate::comparison::{at, of_flow};
use crate::{
    Comparison, Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject,
};

/// Steps shown per flow, besides its two ends.
const STEPS: usize = 4;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-flow",
    summary: "A value travels to a place that it did not reach in the previous release",
    since: "next",
    layer: Layer::History,
    kind: Kind::Pattern,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    needs: &[Input::Contents, Input::History, Input::PreviousContents],
    incidents: &[
        "event-stream, 2018",
        "@solana/web3.js, 2024",
        "xrpl, 2025",
        "is, 2025",
    ],
    documentation: Documentation {
        sees: "A value that travels from a source (environment, credential files, key material that callers pass in, \
               what was fetched or decoded) to a sink (network, code from text, child processes, files that others \
               run) on a surface that runs, where the previous release had no flow from that kind of source to that \
               kind of sink.",
        matters: "Half of the attacks on record run no install script: they change what a library does with what its \
                  users hand to it. A single such flow is ordinary in many packages; that it appears is not.",
        wrong: "A client that gains a feature sends more than before. New major versions weigh less, and single secret \
                variables on import not at all, because that is what every client does.",
        todo: "Follow the path in the evidence from its source to its sink, and see whether the project says why.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(comparison) = subject.comparison() else {
        return;
    };
    let mut weighed: Vec<(Severity, &Flow)> = comparison
        .difference
        .flows
        .added
        .iter()
        .filter(|flow| !was_there(comparison, flow))
        .map(|flow| (comparison.weigh(of_flow(flow)), *flow))
        .filter(|(severity, _)| *severity > Severity::Info)
        .collect();
    weighed
        .sort_by_key(|(severity, flow)| (Reverse(*severity), flow.surface, flow.source, flow.sink));
    for group in weighed.chunk_by(|(a, one), (b, other)| a == b && kind(one) == kind(other)) {
        report(comparison, group, observation);
    }
}

fn kind(flow: &Flow) -> (SourceKind, SinkKind) {
    (flow.source, flow.sink)
}

/// Whether the earlier release had a flow of that kind that ran at the same moments. Two sinks that
/// both leave the machine are of one kind.
fn was_there(comparison: &Comparison<'_>, flow: &Flow) -> bool {
    comparison.difference.before.flows.iter().any(|old| {
        let same_sink = old.sink == flow.sink || (old.sink.leaves() && flow.sink.leaves());
        old.source == flow.source && same_sink && old.surface.covers(flow.surface)
    })
}

fn report(comparison: &Comparison<'_>, group: &[(Severity, &Flow)], observation: &mut Observation) {
    let Some((severity, flow)) = group.first() else {
        return;
    };
    let printable = |text: &str| weir_model::finding::printable(text, 120);
    let flows: Vec<&Flow> = group.iter().map(|(_, flow)| *flow).collect();
    let mut finding = SIGNAL.finding(format!(
        "{} ({}) {} {} ({}) {}{}; in {} nothing of the kind did",
        flow.source.in_words(),
        printable(&flow.source_detail),
        flow.source.goes(),
        flow.sink.in_words(),
        printable(&flow.sink_detail),
        flow.surface.in_words(),
        likewise(&flows, |flow| flow.source.in_words()),
        comparison.version
    ));
    finding.severity = *severity;
    for (_, flow) in group.iter().take(LISTED) {
        let steps = flow.steps.iter().take(STEPS).map(|step| &step.place);
        let places = std::iter::once(&flow.source_place)
            .chain(steps)
            .chain([&flow.sink_place]);
        add_new(&mut finding, places.map(at));
    }
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, compared, flow, tarball};
    use weir_model::contents::Surface;
    let post = (SinkKind::Http, "https.request to collector.example");
    let key = (SourceKind::KeyArgument, "privateKey");
    let nothing = || tarball(r#"{"name":"left-lib","version":"1.4.0"}"#);
    vec![
        Sample::flagged(
            "A patch sends the keys that callers pass in to a host of its own",
            compared("1.4.1", nothing(), flow(Surface::Import, key, post)),
        ),
        Sample::flagged(
            "What was fetched becomes code, in a package that only fetched before",
            compared(
                "1.4.1",
                flow(
                    Surface::Import,
                    (SourceKind::SecretVariable, "ACME_API_KEY"),
                    post,
                ),
                flow(
                    Surface::Import,
                    (SourceKind::Fetched, "fetch"),
                    (SinkKind::DynamicCode, "new Function"),
                ),
            ),
        ),
        Sample::flagged(
            "A flow that nothing led to in the previous release runs on import now",
            compared(
                "1.4.1",
                flow(Surface::Unreferenced, key, post),
                flow(Surface::Import, key, post),
            ),
        ),
        Sample::passing(
            "Near miss: a signing client that has always sent what it signs with",
            compared(
                "1.4.1",
                flow(Surface::Import, key, (SinkKind::Socket, "WebSocket.send")),
                flow(Surface::Import, key, post),
            ),
        ),
        Sample::passing(
            "An API client that gains a key of its own",
            compared(
                "1.4.1",
                nothing(),
                flow(
                    Surface::Import,
                    (SourceKind::SecretVariable, "ACME_API_KEY"),
                    (SinkKind::Http, "fetch to api.acme.example"),
                ),
            ),
        ),
        Sample::passing(
            "New code that nothing leads to",
            compared("1.4.1", nothing(), flow(Surface::Unreferenced, key, post)),
        ),
    ]
}
