//! `broken-expectation`: the release is not built or published as your policy expects.

use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "broken-expectation",
    summary: "The release is not built or published as your policy expects",
    since: "next",
    layer: Layer::Manifest,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Trust,
    severity: Severity::High,
    confidence: Confidence::High,
    needs: &[Input::Manifest],
    incidents: &["tanstack, 2026", "axios, 2026"],
    documentation: Documentation {
        sees: "What an `[[expect]]` of `weir.toml` says of a package, and a verified release does not keep: how much \
               evidence there has to be (signature, provenance, trusted publisher, approval), the repository, the \
               workflow, the branch or tag, the trigger, the kind of machine, the deployment environment, the issuer. \
               What could not be verified, or did not hold, is told by itself and breaks nothing here; a release of \
               which something that blocks is expected is held until it can be verified.",
        matters: "Comparing a release with the one before says nothing about the first one, and nothing about a \
                  project whose releases were always built the wrong way. What you know of a project you depend on, \
                  or of your own, is a rule that an attacker with a stolen token cannot keep.",
        wrong: "When the project changes how it releases, or when the expectation was too narrow from the start. \
                `on_breach = \"count\"` lets you watch it first.",
        todo: "Compare both values with what the project says about its releases. Then change the expectation, or stay \
               with the release before. An expectation that blocks can be waived for one version.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let breaches = subject.trust.map(|trust| trust.breaches.as_slice());
    let breaches = breaches.unwrap_or_default();
    let Some(first) = breaches.first() else {
        return;
    };
    let mut what: Vec<&str> = breaches.iter().map(|breach| breach.what.as_str()).collect();
    what.dedup();
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!(
            "It is not what your policy expects of {}: {} ({} is expected, and there is {})",
            first.package,
            what.join(", "),
            first.expected,
            first.found
        ),
        400,
    ));
    finding.decisive = breaches.iter().any(|breach| breach.decisive);
    for breach in breaches {
        finding.evidence.push(Evidence::change(
            format!(
                "{} (expected of {} -> found)",
                breach.what.as_str(),
                breach.package
            ),
            Some(&breach.expected),
            Some(&breach.found),
        ));
    }
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use weir_model::{AttestationState, Breach, Expected, SignatureState};

    use crate::sample::{Sample, Scene, claims, trust};
    let scene = |breaches: Vec<Breach>| {
        let mut trust = trust(
            SignatureState::Verified {
                keyid: "SHA256:key".to_owned(),
            },
            AttestationState::Verified {
                claims: Some(Box::new(claims())),
            },
        );
        trust.breaches = breaches;
        Scene::of("@millpond/sluice", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .trust(trust)
    };
    let breach = |what, expected: &str, found: &str| Breach {
        what,
        expected: expected.to_owned(),
        found: found.to_owned(),
        package: "@millpond/*".to_owned(),
        decisive: true,
    };
    vec![
        Sample::flagged(
            "Built from a branch, where only tags are expected",
            scene(vec![breach(
                Expected::Reference,
                "tags",
                "refs/heads/patch-1",
            )]),
        ),
        Sample::flagged(
            "Published with a token and without provenance",
            scene(vec![breach(
                Expected::Evidence,
                "provenance that holds",
                "no provenance",
            )]),
        ),
        Sample::passing("Built and published as expected", scene(Vec::new())),
        Sample::passing(
            "Near miss: nobody verified it, which is told as not checked",
            Scene::of("@millpond/sluice", "1.4.1").release("1.4.1", "2026-06-01T09:00:00Z", "{}"),
        ),
    ]
}
