//! `failed-verification`: the registry's signature or an attestation does not hold.

use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "failed-verification",
    summary: "The registry's signature or an attestation of the release does not hold",
    since: "next",
    layer: Layer::Manifest,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Trust,
    severity: Severity::Critical,
    confidence: Confidence::High,
    needs: &[Input::Manifest],
    incidents: &[],
    documentation: Documentation {
        sees: "The registry's signature over name, version and integrity, made with one of the keys it names, and the \
               attestations it announces: that the registry took the release in, and where it was built. Each is \
               verified without a network against the trusted root that comes with weir. What stands in the place of a \
               signature, or announces attestations, and cannot be read does not hold either. A release without a \
               signature is not meant, and neither is a registry without keys, or one that has attestations of no release \
               and passes on that others announce some.",
        matters: "A signature that does not hold says that somebody between the registry and you changed what is \
                  served: a mirror, a cache, a proxy. An attestation that is about another package, another tarball \
                  or another repository than it claims was put there to look like one that holds.",
        wrong: "A mirror that rewrites integrities, or renames packages, breaks the signatures it passes on. A \
                registry that changes its keys and names only the new one leaves its older signatures without a key. \
                A trusted root that is older than the log or the authority it has to know: give a newer one with \
                `--trusted-root`.",
        todo: "Do not install it. Ask the registry itself, past all mirrors, and compare the integrity.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(trust) = subject.trust else {
        return;
    };
    for (what, why) in trust.failures() {
        let mut finding = SIGNAL.finding(weir_model::finding::printable(
            &format!("Its {what} does not hold: {why}"),
            400,
        ));
        finding.decisive = true;
        finding
            .evidence
            .push(Evidence::change(what, Some("verified"), Some(why)));
        observation.find(finding);
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use weir_model::{AttestationState, SignatureState};

    use crate::sample::{Sample, Scene, claims, trust};
    let scene = || Scene::of("left-lib", "1.4.1").release("1.4.1", "2026-06-01T09:00:00Z", "{}");
    let holds = || SignatureState::Verified {
        keyid: "SHA256:key".to_owned(),
    };
    vec![
        Sample::flagged(
            "A signature of another tarball",
            scene().trust(trust(
                SignatureState::Failed {
                    why: "the signature with SHA256:key is not one of `left-lib@1.4.1:sha512-…`"
                        .to_owned(),
                },
                AttestationState::None,
            )),
        ),
        Sample::flagged(
            "Provenance of another package, under a signature that holds",
            scene().trust(trust(
                holds(),
                AttestationState::Failed {
                    why: "it is about pkg:npm/right-lib@1.4.1, not about pkg:npm/left-lib@1.4.1"
                        .to_owned(),
                },
            )),
        ),
        Sample::passing(
            "Signature and provenance hold",
            scene().trust(trust(
                holds(),
                AttestationState::Verified {
                    claims: Some(Box::new(claims())),
                },
            )),
        ),
        Sample::passing(
            "Near miss: a release without a signature, which old ones of mirrors are",
            scene().trust(trust(SignatureState::Missing, AttestationState::None)),
        ),
        Sample::passing("Nobody verified it", scene()),
    ]
}
