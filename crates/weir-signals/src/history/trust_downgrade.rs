//! `trust-downgrade`: less evidence of where a release was built than the ones before it had.

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::packument::Publisher;

use crate::timeline::{Trust, TrustBefore, is_same, who};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Releases without the evidence that have been public for [`SETTLED`] and stand: from then on the
/// package is one that does without.
const ACCEPTED: usize = 2;

/// Longer than any hijack of a package with provenance went unnoticed by its own maintainers, by
/// several times (INCIDENTS I26, I38: hours).
const SETTLED: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "trust-downgrade",
    summary: "The release carries less evidence of where it was built than earlier ones of its line",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Trust,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[
        Input::Manifest,
        Input::History,
        Input::PublishTime,
        Input::Publisher,
    ],
    incidents: &["nx, 2025", "axios, 2026"],
    documentation: Documentation {
        sees: "How a release came to be, in four ranks: a staged publish that a second person approved; a trusted \
               publisher with provenance; provenance; none of these. It is compared with the best of the last thirty \
               releases of the same line (major version, below 1.0 the minor) that were published before it, or of \
               all lines if the line is new; where it is not known when a release was published, with those of lower \
               numbers. It weighs more if somebody else published it than those. Prereleases \
               count only for prereleases, and refused versions not at all.",
        matters: "A stolen token publishes from anywhere, but not from the project's workflow. Where releases come \
                  with evidence of their origin, the one without it was made some other way.",
        wrong: "A maintainer publishes a fix by hand because the workflow is broken. A project moves its releases \
                elsewhere; once two such releases have stood for two weeks this is mentioned for information only. \
                A back-port to a line that never had evidence is no downgrade. Registries that leave these fields \
                out say nothing about it: that is reported as not known.",
        todo: "Look for the tag and the release notes in the repository, and ask the maintainers whether they \
               published it by hand.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let (Some(publication), Some(best)) = (timeline.publication(), timeline.trust_before()) else {
        return;
    };
    let now = Trust::of(publication);
    if now >= best.trust {
        return;
    }
    let other = match (&publication.publisher, &best.publication.publisher) {
        (Some(now), Some(before)) => !is_same(now, before),
        _ => false,
    };
    let last_by_them = |settled: bool| {
        publication.publisher.as_ref().and_then(|now| {
            timeline.last_by(
                account(now),
                |event| !settled || timeline.has_settled(event),
                |earlier| is_same(now, earlier),
            )
        })
    };
    // Releases of the last days make nobody known: they may be the same attack.
    let knows_them = last_by_them(true).is_some();
    let known_before = if !other {
        ""
    } else if knows_them {
        ", published by somebody else"
    } else {
        match last_by_them(false) {
            Some(event) if event.unplaced => {
                ", published by somebody of whom it is not known when they published this package before"
            }
            Some(_) => {
                ", published by somebody who had not published this package until some days before"
            }
            None => ", published by somebody who never published this package",
        }
    };
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!(
            "{}, where {} came with {}{known_before}",
            capital(now.as_str()),
            best.event.text,
            best.trust.as_str()
        ),
        400,
    ));
    finding.severity = match (is_settled(&best, now, subject), other && !knows_them) {
        (true, _) => Severity::Info,
        (false, true) => Severity::High,
        (false, false) => SIGNAL.severity,
    };
    finding.evidence.push(Evidence::change(
        format!("trust ({} -> {})", best.event.text, subject.version),
        Some(best.trust.as_str()),
        Some(now.as_str()),
    ));
    if other {
        finding.evidence.push(Evidence::change(
            "_npmUser",
            best.publication.publisher.as_ref().map(who),
            publication.publisher.as_ref().map(who),
        ));
    }
    observation.find(finding);
}

/// The account's name, where it is no workflow.
fn account(publisher: &Publisher) -> Option<&str> {
    (!publisher.trusted_publisher).then_some(publisher.name.as_str())
}

/// Whether releases with no more than this have stood long enough.
fn is_settled(best: &TrustBefore<'_, '_>, now: Trust, subject: &Subject<'_>) -> bool {
    let Some(own) = subject.timeline().own.as_ref() else {
        return false;
    };
    let standing = best.settled.iter().filter(|(published, trust)| {
        *trust <= now && own.published.duration_since(*published) >= SETTLED
    });
    standing.count() >= ACCEPTED
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand, from_workflow};
    let past = || {
        Scene::of("left-lib", "1.4.1")
            .release("1.2.0", "2025-10-01T09:00:00Z", &by_hand("mara"))
            .release("1.3.0", "2026-01-01T09:00:00Z", &from_workflow())
            .release("1.4.0", "2026-04-01T09:00:00Z", &from_workflow())
    };
    vec![
        Sample::flagged(
            "Published from a laptop by somebody new, after releases from a workflow",
            past().release("1.4.1", "2026-06-14T09:00:00Z", &by_hand("lena")),
        ),
        Sample::flagged(
            "The second release of somebody who came the day before",
            past()
                .release("1.4.1-rc.1", "2026-06-13T09:00:00Z", &by_hand("lena"))
                .release("1.4.1", "2026-06-14T09:00:00Z", &by_hand("lena")),
        ),
        Sample::flagged(
            "The same where the registry does not say when it was published",
            past().release("1.4.1", "", &by_hand("lena")),
        ),
        Sample::flagged(
            "A fix by hand by the author of old: worth a notice",
            past().release("1.4.1", "2026-06-14T09:00:00Z", &by_hand("mara")),
        ),
        Sample::flagged(
            "The workflow's account without provenance",
            past().release(
                "1.4.1",
                "2026-06-14T09:00:00Z",
                r#"{"_npmUser":{"name":"GitHub Actions","trustedPublisher":{"id":"github"}}}"#,
            ),
        ),
        Sample::flagged(
            "A first release of an invented line, where the others come from a workflow",
            Scene::of("left-lib", "0.9.0")
                .release("1.3.0", "2026-01-01T09:00:00Z", &from_workflow())
                .release("0.9.0", "2026-06-14T09:00:00Z", &by_hand("mara")),
        ),
        Sample::passing(
            "Near miss: a back-port to a line that never had provenance",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2025-01-01T09:00:00Z", &by_hand("mara"))
                .release("2.0.0", "2026-01-01T09:00:00Z", &from_workflow())
                .release("2.1.0", "2026-04-01T09:00:00Z", &from_workflow())
                .release("1.4.1", "2026-06-14T09:00:00Z", &by_hand("mara")),
        ),
        Sample::passing(
            "A move from a token to a trusted publisher",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
                .release("1.4.1", "2026-06-14T09:00:00Z", &from_workflow()),
        ),
        Sample::passing(
            "A package that gave provenance up long ago",
            Scene::of("left-lib", "1.4.3")
                .release("1.4.0", "2026-01-01T09:00:00Z", &from_workflow())
                .release("1.4.1", "2026-02-01T09:00:00Z", &by_hand("mara"))
                .release("1.4.2", "2026-03-01T09:00:00Z", &by_hand("mara"))
                .release("1.4.3", "2026-06-01T09:00:00Z", &by_hand("mara")),
        ),
    ]
}
