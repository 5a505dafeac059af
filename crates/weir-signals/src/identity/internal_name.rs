//! `internal-name`: something bears the name of a package that is published inside only.

use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "internal-name",
    summary: "The release bears the name of one of your internal packages and is not yours",
    since: "next",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    // Nothing is guessed here: the operator's own list says so.
    maturity: Maturity::Stable,
    group: Group::Name,
    severity: Severity::Critical,
    confidence: Confidence::High,
    needs: &[],
    incidents: &["Dependency confusion, 2021", "sl4x0, 2025"],
    documentation: Documentation {
        sees: "A release that comes from the default registry under a name of `names.internal`. Names in a scope \
               that your npm configuration sends to another registry come from there, and are left alone. Where the \
               entry names versions, those are yours and the others are not: a much higher number under your name \
               is somebody else's.",
        matters: "Clients that ask two registries take the higher number, whoever published it. One forgotten \
                  setting, and a name that only existed inside is fetched from outside.",
        wrong: "Your own registry is the default one and serves these packages itself: then name the versions that \
                are yours, `\"billing-core@<5\"`, or leave the name out.",
        todo: "Do not install it. See who asked for it, and why that client does not ask your own registry. \
               Consider registering the name.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(entry) = subject.internal else {
        return;
    };
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!(
            "{}@{} is not yours, although names.internal lists {entry}",
            subject.name, subject.version
        ),
        400,
    ));
    finding.decisive = true;
    finding.evidence.push(Evidence::change(
        "names.internal",
        Some(entry),
        Some(format!("{}@{}", subject.name, subject.version)),
    ));
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let first = |name, version| {
        Scene::of(name, version).release(version, "2026-06-14T09:00:00Z", r#"{"dist":{}}"#)
    };
    vec![
        Sample::flagged(
            "A public package under an internal name",
            first("northwind-billing", "99.0.1").internal("northwind-billing"),
        ),
        Sample::flagged(
            "A number far above those that are served inside",
            first("@northwind/billing", "41.0.0").internal("@northwind/*@<5"),
        ),
        Sample::passing(
            "Near miss: the same name, where nobody calls it internal",
            first("northwind-billing", "1.0.1"),
        ),
        Sample::passing(
            "A public package of your own, which is no internal one",
            first("@northwind/design", "1.0.0").own("@northwind/design"),
        ),
    ]
}
