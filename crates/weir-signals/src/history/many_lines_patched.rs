//! `many-lines-patched`: several lines get a release at once, which the package never did before.

use jiff::{SignedDuration, Timestamp};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::timeline::{Event, Timeline, in_words, is_same};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// What is published within this of each other counts as at once.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Within this it weighs more: nobody tests three lines in an hour (INCIDENTS I08, I09, I23, I44).
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Rest after which new lines are not the work of a busy week (INCIDENTS I08: six months).
const REST: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Lines from which on it counts. Two are the current and the one before: everyday maintenance.
const MANY: usize = 3;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "many-lines-patched",
    summary: "Several major lines were released at once, which the package had never done",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Manifest, Input::History, Input::PublishTime],
    incidents: &[
        "ua-parser-js, 2021",
        "eslint-config-prettier, 2025",
        "node-ipc, 2026",
    ],
    documentation: Documentation {
        sees: "Stable releases of three or more lines (major versions, below 1.0 minor ones) within a day of this one, \
               where the package never released as many within a day before. Within an hour it weighs more. New \
               lines above all others count only if the package had rested for two months, and versions below what \
               their line already had not at all: mirrors stamp old versions with the time they fetched them.",
        matters: "Whoever holds a stolen account for an hour poisons every line that people's ranges reach.",
        wrong: "A flaw gets fixed in all lines on one day. Where all of it is by one of the usual publishers and names \
                its commits as ever, this is mentioned for information.",
        todo: "Look for an advisory and for tags of all these versions. Real back-ports say what they fix.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let Some(own) = timeline.timed().filter(|own| !own.version.is_prerelease()) else {
        return;
    };
    let at_once = around(timeline, own, DAY);
    if at_once.len() < MANY {
        return;
    }
    // Only now is the past worth going through.
    let before = busiest_day(timeline, own.published);
    if at_once.len() <= before {
        return;
    }
    let within_hour = around(timeline, own, HOUR).len() >= MANY;
    let versions: Vec<&str> = at_once.iter().map(|event| event.text).collect();
    let lines: Vec<String> = at_once.iter().map(|event| event.line_in_words()).collect();
    let span = match (
        at_once.iter().map(|event| event.published).min(),
        at_once.iter().map(|event| event.published).max(),
    ) {
        (Some(first), Some(last)) => last.duration_since(first),
        _ => SignedDuration::ZERO,
    };
    let mut finding = SIGNAL.finding(format!(
        "{} lines released within {} ({}), never more than {before} in a day before",
        at_once.len(),
        in_words(span),
        weir_model::finding::printable(&versions.join(", "), 200),
    ));
    finding.severity = match (is_as_usual(timeline), within_hour) {
        (true, _) => Severity::Info,
        (false, true) => Severity::Medium,
        (false, false) => SIGNAL.severity,
    };
    finding.evidence.push(Evidence::change(
        "lines released within a day",
        Some(before.to_string()),
        Some(lines.join(", ")),
    ));
    observation.find(finding);
}

/// One release of each line within `span` of this one, this one among them, lowest line first: of
/// lines that existed, and of new ones above them if the package had come to rest. Young packages go
/// through several lines on a busy day.
fn around<'t, 'a>(
    timeline: &'t Timeline<'a>,
    own: &'t Event<'a>,
    span: SignedDuration,
) -> Vec<&'t Event<'a>> {
    let Some((rest, last)) = timeline.quiet_before(DAY, |_| false) else {
        return Vec::new();
    };
    let old = timeline.lines_until(last.published);
    let rested = rest >= REST;
    let mut found: Vec<&Event<'a>> = timeline
        .before
        .iter()
        .chain(&timeline.after)
        .chain(&timeline.refused)
        .filter(|event| {
            event.published > last.published
                && own.published.duration_since(event.published).abs() <= span
        })
        .chain([own])
        .filter(|event| !event.version.is_prerelease() && timeline.is_update(event))
        .filter(|event| {
            let above = old.last().is_some_and(|highest| event.line() > *highest);
            old.contains(&event.line()) || (rested && above)
        })
        .collect();
    if !found.iter().any(|event| old.contains(&event.line())) {
        return Vec::new();
    }
    found.sort_by(|one, other| one.version.precedence(&other.version));
    found.dedup_by_key(|event| event.line());
    found
}

/// The most lines that were released within one day, until a day before `end`.
fn busiest_day(timeline: &Timeline<'_>, end: Timestamp) -> usize {
    let past: Vec<&Event<'_>> = timeline
        .before
        .iter()
        .filter(|event| end.duration_since(event.published) > DAY)
        .filter(|event| !event.version.is_prerelease())
        .collect();
    // Newest first; each day is counted from its newest release.
    let day = |newest: usize| {
        let days = past.get(newest..).unwrap_or_default();
        let start = days.first().map(|event| event.published);
        let mut lines: Vec<_> = days
            .iter()
            .take_while(|event| {
                start.is_some_and(|start| start.duration_since(event.published) <= DAY)
            })
            .map(|event| event.line())
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines.len()
    };
    (0..past.len()).map(day).max().unwrap_or(0)
}

/// Whether somebody who published lately did this as ever: then it is what people of the project do.
fn is_as_usual(timeline: &Timeline<'_>) -> bool {
    let Some(publication) = timeline.publication() else {
        return false;
    };
    let Some(publisher) = &publication.publisher else {
        return false;
    };
    let earlier = || {
        timeline.recent().filter(|(event, _)| {
            timeline
                .own
                .as_ref()
                .is_some_and(|own| own.published.duration_since(event.published) > DAY)
        })
    };
    let known = earlier().any(|(_, before)| {
        before
            .publisher
            .as_ref()
            .is_some_and(|before| is_same(publisher, before))
    });
    let awake = earlier().next().is_some_and(|(event, _)| {
        timeline.own.as_ref().is_some_and(|own| {
            own.published.duration_since(event.published) < SignedDuration::from_hours(365 * 24)
        })
    });
    known && awake && publication.git_head.is_some() && !timeline.trust_dropped()
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand};
    let past = |version| {
        Scene::of("left-lib", version)
            .release("7.0.0", "2024-01-01T09:00:00Z", &by_hand("mara"))
            .release("8.0.0", "2024-09-01T09:00:00Z", &by_hand("mara"))
            .release("9.0.0", "2026-01-01T09:00:00Z", &by_hand("mara"))
    };
    let silent = r#"{"_npmUser":{"name":"mara"}}"#;
    let at_once = |version, manifest: &str| {
        past(version)
            .release("9.0.1", "2026-06-14T09:00:00Z", manifest)
            .release("8.0.1", "2026-06-14T09:20:00Z", manifest)
            .release("7.0.1", "2026-06-14T09:50:00Z", manifest)
    };
    vec![
        Sample::flagged(
            "Three lines within an hour, without their commits",
            at_once("7.0.1", silent),
        ),
        Sample::flagged(
            "The first of the three, once the others are known",
            at_once("9.0.1", silent),
        ),
        Sample::flagged(
            "The last of the three, when the two before are refused",
            at_once("7.0.1", silent).refused("9.0.1").refused("8.0.1"),
        ),
        Sample::flagged(
            "Three lines over a day, publishers not known",
            past("7.0.1")
                .release("9.0.1", "2026-06-13T15:00:00Z", "{}")
                .release("8.0.1", "2026-06-13T19:20:00Z", "{}")
                .release("7.0.1", "2026-06-14T09:50:00Z", "{}"),
        ),
        Sample::passing(
            "Near miss: a back-port day by the usual publisher, commits named",
            at_once("7.0.1", &by_hand("mara")),
        ),
        Sample::flagged(
            "A patch and two made-up lines after half a year",
            Scene::of("left-lib", "0.7.29")
                .release("0.6.0", "2024-01-01T09:00:00Z", silent)
                .release("0.7.28", "2025-11-01T09:00:00Z", silent)
                .release("0.7.29", "2026-06-14T09:00:00Z", silent)
                .release("0.8.0", "2026-06-14T09:05:00Z", silent)
                .release("1.0.0", "2026-06-14T09:06:00Z", silent),
        ),
        Sample::passing(
            "A mirror that fetched old versions late",
            past("8.0.0-rc.1")
                .release("6.0.0", "2026-06-14T09:00:00Z", "{}")
                .release("5.0.0", "2026-06-14T09:00:00Z", "{}")
                .release("8.0.0-rc.1", "2026-06-14T09:00:01Z", "{}"),
        ),
        Sample::passing(
            "Two lines, the current one and the one before",
            past("8.0.1")
                .release("9.0.1", "2026-06-14T09:00:00Z", silent)
                .release("8.0.1", "2026-06-14T09:20:00Z", silent),
        ),
        Sample::passing(
            "A package that has patched three lines at once before",
            past("7.0.2")
                .release("9.0.1", "2026-03-14T09:00:00Z", silent)
                .release("8.0.1", "2026-03-14T09:20:00Z", silent)
                .release("7.0.1", "2026-03-14T09:50:00Z", silent)
                .release("9.0.2", "2026-06-14T09:00:00Z", silent)
                .release("8.0.2", "2026-06-14T09:20:00Z", silent)
                .release("7.0.2", "2026-06-14T09:50:00Z", silent),
        ),
    ]
}
