//! `young-release`: nobody has had time to look at it.

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "young-release",
    summary: "The release is younger than the minimum age",
    since: "0.1.0",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Age,
    severity: Severity::Low,
    confidence: Confidence::High,
    needs: &[Input::PublishTime],
    incidents: &[
        "ua-parser-js, 2021",
        "nx, 2025",
        "chalk and debug, 2025",
        "axios, 2026",
    ],
    documentation: Documentation {
        sees: "The time since the registry published the release, compared with `age.minimum` (24 hours \
               unless configured otherwise). A release without a publish time counts from when weir first \
               saw it, never as old, and its publish time is reported as not known.",
        matters: "Most hijacked releases were found and removed within half an hour to six hours. Waiting a \
                  day costs little and avoids nearly all of them, whatever they contain.",
        wrong: "Every release was young once, so this is no evidence against it and is never counted as such. \
                Slow attacks outlast any wait.",
        todo: "Wait, or take the release before it. If the new one fixes an advisory that affects you, it \
               is not held for its age alone, while nothing speaks against it.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(published) = subject.out_since() else {
        return;
    };
    let first_seen = subject.published().is_none();
    let age = subject.now.duration_since(published);
    let minimum = subject.settings.minimum_age;
    if age >= minimum {
        return;
    }
    let message = if first_seen {
        format!(
            "{}@{} was first seen {} ago, when it was published is not known; the minimum age is {}",
            subject.name,
            subject.version,
            in_words(age),
            in_words(minimum)
        )
    } else if age.is_negative() {
        format!(
            "{}@{} claims to be published in the future",
            subject.name, subject.version
        )
    } else {
        format!(
            "{}@{} was published {} ago, the minimum age is {}",
            subject.name,
            subject.version,
            in_words(age),
            in_words(minimum)
        )
    };
    let mut finding = SIGNAL.finding(message);
    finding.evidence.push(Evidence::change(
        match first_seen {
            true => "first seen".to_owned(),
            false => format!("time.{}", subject.version),
        },
        None::<&str>,
        Some(published.to_string()),
    ));
    observation.find(finding);
}

/// A duration in its largest sensible unit, rounded down.
fn in_words(duration: SignedDuration) -> String {
    let (count, unit) = match duration.as_mins() {
        minutes if minutes < 120 => (minutes, "minute"),
        minutes if minutes < 72 * 60 => (minutes / 60, "hour"),
        minutes => (minutes / (24 * 60), "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let at = |published| Scene::of("left-lib", "1.4.1").release("1.4.1", published, "{}");
    vec![
        Sample::flagged("A release of two hours ago", at("2026-06-15T10:00:00Z")),
        Sample::flagged(
            "A release one minute short of the minimum age",
            at("2026-06-14T12:01:00Z"),
        ),
        Sample::flagged(
            "A release whose publish time lies in the future",
            at("2026-06-16T00:00:00Z"),
        ),
        Sample::passing(
            "Near miss: a release of exactly the minimum age",
            at("2026-06-14T12:00:00Z"),
        ),
        Sample::passing("A release of last year", at("2025-06-14T12:00:00Z")),
        Sample::passing(
            "A release without a publish time: not looked at rather than young",
            at(""),
        ),
    ]
}
