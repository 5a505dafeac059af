//! `tag-move`: `latest` names a release of a lower line, published after the higher one.

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// A newer line counts as settled once it has been public for this long: before, `latest` may still be
/// meant to stay behind.
const SETTLED: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "tag-move",
    summary: "The tag latest names this release, although a higher line was released before it",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Manifest, Input::History, Input::PublishTime],
    incidents: &["event-stream, 2018", "SAP cap-js, 2026"],
    documentation: Documentation {
        sees: "A stable release that `latest` names, while a stable, not deprecated release of a higher line has been \
               public for a week or more when this one was published. Registries tell only where tags point now: \
               that a tag moved is concluded from publish times, and a move back to an old release is not seen.",
        matters: "Most installs follow `latest`. Who moves it to a line of their choice reaches everybody, without \
                  publishing anything that looks like an update.",
        wrong: "Publishing a back-port without `--tag` moves `latest` by accident, and some projects keep it on the \
                line they support longest: where `latest` was on the lower line all the time, there is no telling \
                either. Packages that do this all the time are left out.",
        todo: "Compare with the release before it in the higher line, and take that one if in doubt.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let (Some(packument), Some(own)) = (subject.packument.known(), &timeline.own) else {
        return;
    };
    if packument.tag("latest") != Some(own.text) || own.version.is_prerelease() {
        return;
    }
    let higher = timeline
        .before
        .iter()
        .filter(|event| !event.version.is_prerelease() && event.line() > own.line())
        .filter(|event| own.published.duration_since(event.published) >= SETTLED)
        .filter(|event| !packument.is_deprecated(event.text))
        .max_by(|one, other| one.version.precedence(&other.version));
    let Some(higher) = higher else {
        return;
    };
    // The lower line went on beside the higher one: then latest may have been there all along.
    let went_on = timeline
        .before
        .iter()
        .filter(|event| event.line() == own.line() && event.published > higher.published)
        .count();
    let mut finding = SIGNAL.finding(format!(
        "latest names {} of {}, published after {}",
        own.text,
        own.line_in_words(),
        higher.text
    ));
    if went_on > 0 {
        finding.severity = Severity::Info;
    }
    finding.evidence.push(Evidence::change(
        "dist-tags.latest",
        Some(higher.text),
        Some(own.text),
    ));
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let past = |version| {
        Scene::of("left-lib", version)
            .release("2.14.1", "2024-01-01T09:00:00Z", "{}")
            .release("4.2.0", "2026-01-01T09:00:00Z", "{}")
    };
    vec![
        Sample::flagged(
            "A patch of a line that rested, and latest names it",
            past("2.14.2").release("2.14.2", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::flagged(
            "A line made up below the current one",
            past("3.0.0").release("3.0.0", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::passing(
            "Near miss: the higher line is deprecated",
            Scene::of("left-lib", "2.14.2")
                .release("2.14.1", "2024-01-01T09:00:00Z", "{}")
                .release(
                    "4.2.0",
                    "2026-01-01T09:00:00Z",
                    r#"{"deprecated":"a mistake"}"#,
                )
                .release("2.14.2", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::passing(
            "The next patch of the highest line",
            past("4.2.1").release("4.2.1", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::passing(
            "A project that keeps latest on the line it supports longest",
            past("2.14.3")
                .release("2.14.2", "2026-03-14T09:00:00Z", "{}")
                .release("2.14.3", "2026-06-14T09:00:00Z", "{}"),
        ),
    ]
}
