//! `user-rule`: one of the operator's own rules hits.

use weir_model::contents::RuleHit;
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

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
        todo: "Look at the places in the evidence, and at the rule. Files that rules were not run over, because \
               they were too large or took too long, are listed with what was not analysed.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
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
        if let Some(reference) = hit.metadata.get("reference") {
            finding
                .evidence
                .push(Evidence::change("reference", None::<&str>, Some(reference)));
        }
        observation.find(finding);
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
