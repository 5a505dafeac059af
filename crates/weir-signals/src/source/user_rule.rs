//! `user-rule`: one of the operator's own rules hits.

use weir_model::contents::{RuleHit, Unread};
use weir_model::{Confidence, Evidence, Group, Incomplete, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Fields of a rule's metadata that are shown.
const METADATA: usize = 16;

/// Files over which rules did not come to an end that are named; the rest is counted.
const LISTED: usize = 3;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "user-rule",
    summary: "One of your own rules hits",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Code,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[],
    documentation: Documentation {
        sees: "Hits of the YARA rules in the folder that `rules.folder` of `weir.toml` names. They run over every \
               file of a package, text or not. A rule's metadata speaks: `severity` (info, low, medium, high or \
               critical; medium without it), `description`, `reference`, and whatever else it gives.",
        matters: "You know what your own attackers leave behind before anybody else does.",
        wrong: "As often as the rule is. A rule that looks for a word finds the word in documentation too: say \
                `severity = \"info\"` until you have seen what it hits.",
        todo: "Look at the places in the evidence, and at the rule. Files that were too large for rules are listed with \
               what was not analysed. Where rules take longer than a second for a file, or than eight for a release, the \
               assessment is incomplete: make the rules faster. Where more than 200 rules hit a release, those of the highest \
               severity are told, and the assessment is incomplete, too.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    not_finished(&contents.unscanned, observation);
    not_told(contents.rule_hits_left_out, observation);
    for hit in &contents.rule_hits {
        let printable = |text: &str, limit| weir_model::finding::printable(text, limit);
        let said = hit
            .metadata
            .get("description")
            .map_or(String::new(), |text| format!(": {}", printable(text, 200)));
        let mut finding = SIGNAL.finding(format!(
            "your rule {} ({}) hits{said}",
            printable(&hit.rule, 80),
            printable(&hit.source, 120)
        ));
        finding.severity = severity(hit);
        finding.evidence = hit
            .places
            .iter()
            .map(|place| Evidence::place(&place.path, Some(place.line), &place.snippet))
            .collect();
        finding.evidence.extend(said_by(hit));
        observation.find(finding);
    }
}

/// What else a rule says of itself: its metadata and tags, as lines of the rule's file. A value is no change of
/// anything, and a place in a package it is neither; the file of rules is where a reader finds it.
fn said_by(hit: &RuleHit) -> impl Iterator<Item = Evidence> {
    let told = |name: &str| !matches!(name, "severity" | "description");
    let metadata = hit.metadata.iter();
    metadata
        .filter(move |(name, _)| told(name))
        .take(METADATA)
        .map(|(name, value)| {
            let file = format!("{} of {}", hit.rule, hit.source);
            Evidence::place(file, None, &format!("{name} = {value}"))
        })
}

/// What a rule would have found in a file that it did not come to the end of, nobody knows: told once for all files,
/// as the rules are what is slow.
fn not_finished(unscanned: &[Unread], observation: &mut Observation) {
    let Some(first) = unscanned.first() else {
        return;
    };
    let mut names: Vec<String> = unscanned
        .iter()
        .take(LISTED)
        .map(|one| weir_model::finding::printable(&one.path, 100))
        .collect();
    let more = unscanned.len().saturating_sub(LISTED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    observation.incomplete(Incomplete {
        what: "your rules".to_owned(),
        why: format!(
            "they did not come to an end over {}: {}",
            names.join(", "),
            first.why
        ),
    });
}

/// Whoever knows the rules can write what they all look for into one file.
fn not_told(left_out: u64, observation: &mut Observation) {
    if left_out > 0 {
        observation.incomplete(Incomplete {
            what: "your rules".to_owned(),
            why: format!(
                "more of them hit than are told, and {left_out} that weigh least were left out"
            ),
        });
    }
}

/// As the rule says; rules that say something else were refused when they were read.
fn severity(hit: &RuleHit) -> Severity {
    match hit.metadata.get("severity").map(String::as_str) {
        Some("info") => Severity::Info,
        Some("low") => Severity::Low,
        Some("high") => Severity::High,
        Some("critical") => Severity::Critical,
        _ => SIGNAL.severity,
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, place};
    use weir_model::Contents;
    let scene = |hits: &[&[(&str, &str)]]| {
        let rule_hits = hits
            .iter()
            .map(|metadata| RuleHit {
                rule: "acme_collector".to_owned(),
                source: "acme.yar".to_owned(),
                metadata: metadata
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
                places: vec![place(
                    "lib/index.js",
                    3,
                    "fetch('https://collector.example')",
                )],
            })
            .collect();
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(Contents {
                rule_hits,
                ..Contents::default()
            })
    };
    vec![
        Sample::flagged(
            "A rule that says how much it matters and why",
            scene(&[&[
                ("severity", "high"),
                ("description", "the host that collected from us in March"),
                ("reference", "https://wiki.acme.example/incident-7"),
            ]]),
        ),
        Sample::flagged("A rule that says nothing", scene(&[&[]])),
        Sample::passing(
            "Near miss: a rule that is only to be counted for now",
            scene(&[&[("severity", "info")]]),
        ),
        Sample::passing("No rule hits", scene(&[])),
    ]
}
