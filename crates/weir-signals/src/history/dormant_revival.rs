//! `dormant-revival`: a package that had come to rest has releases again.

use jiff::SignedDuration;
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::timeline::{Event, Timeline, in_words, is_same};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Rest that counts as dormancy (DETECTION section 3, rank 12).
const DORMANT: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What is published within this of each other belongs together: the campaigns on record took hours,
/// the longest a day (INCIDENTS I20).
const BURST: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Rest is unusual if it lasted this many times longer than any before.
const FACTOR: i32 = 2;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "dormant-revival",
    summary: "The first releases after more than a year of rest, with more that is unusual about them",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Identity,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[
        Input::Manifest,
        Input::History,
        Input::PublishTime,
        Input::Publisher,
    ],
    incidents: &["coa and rc, 2021", "rand-user-agent, 2025", "is, 2025"],
    documentation: Documentation {
        sees: "A release within three days of the first one after more than a year without any. Rest as long as twice \
               any before is mentioned for information. It counts if at least two lines (major versions, below 1.0 \
               minor ones) were patched in those days, or if somebody else published than the last time; both \
               together weigh more. Refused releases end no rest.",
        matters: "Packages at rest are used by many and watched by nobody; their owners' accounts are old, and so are \
                  the passwords. Several hijacks began by waking such packages.",
        wrong: "Finished packages rest for years and then get one small release: that is ordinary, and so it is not \
                counted by itself. Owners who come back to fix a flaw in all lines look the same as somebody else \
                who does.",
        todo: "Look whether the repository woke up as well: commits, issues, a tag for this version.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let (Some(own), Some((rest, last))) = (&timeline.own, timeline.quiet_before(BURST)) else {
        return;
    };
    if !timeline.is_update(own) {
        return;
    }
    if rest < DORMANT || own.published.duration_since(last.published) < DORMANT {
        return;
    }
    let longest = longest_rest(timeline, last.published);
    let lines = lines_woken(timeline, last.published);
    let other = is_somebody_else(timeline);
    let unusual = longest.is_none_or(|longest| rest > longest * FACTOR);
    let severity = match (lines >= 2, other) {
        (true, true) => Severity::Medium,
        (true, false) | (false, true) => SIGNAL.severity,
        (false, false) if unusual => Severity::Info,
        (false, false) => return,
    };
    let mut words = format!(
        "Published after {} without a release (since {})",
        in_words(rest),
        last.text
    );
    if lines >= 2 {
        words = format!("{words}, {lines} lines at once");
    }
    if other {
        words = format!("{words}, by somebody else than the last time");
    }
    let mut finding = SIGNAL.finding(words);
    finding.severity = severity;
    finding.evidence.push(Evidence::change(
        format!("time ({} -> {})", last.text, own.text),
        Some(last.published.to_string()),
        Some(own.published.to_string()),
    ));
    observation.find(finding);
}

/// The longest rest before that release. Nothing for a package with too few releases to have had one.
fn longest_rest(timeline: &Timeline<'_>, end: jiff::Timestamp) -> Option<SignedDuration> {
    let times: Vec<_> = timeline
        .before
        .iter()
        .map(|event| event.published)
        .filter(|published| *published <= end)
        .collect();
    times
        .iter()
        .zip(times.iter().skip(1))
        .map(|(later, earlier)| later.duration_since(*earlier))
        .max()
}

/// Lines that have a release in these days: those that existed, and new ones above them that do not
/// begin as lines do (`2.3.9` rather than `2.0.0`), which nobody's work led to (INCIDENTS I09).
fn lines_woken(timeline: &Timeline<'_>, end: jiff::Timestamp) -> usize {
    let Some(own) = &timeline.own else {
        return 0;
    };
    let old = timeline.lines_until(end);
    let is_beginning = |event: &Event<'_>| {
        event.version.patch() == 0 && (event.version.major() == 0 || event.version.minor() == 0)
    };
    let mut woken: Vec<_> = timeline
        .before
        .iter()
        .chain(&timeline.after)
        .filter(|event| {
            event.published > end && event.published.duration_since(own.published).abs() <= BURST
        })
        .chain([own])
        .filter(|event| !event.version.is_prerelease() && timeline.is_update(event))
        .filter(|event| {
            let above = old.last().is_some_and(|highest| event.line() > *highest);
            old.contains(&event.line()) || (above && !is_beginning(event))
        })
        .map(Event::line)
        .collect();
    woken.sort_unstable();
    woken.dedup();
    woken.len()
}

/// Whether the publisher of this release has not published the package since it came to rest, and not
/// right before either.
fn is_somebody_else(timeline: &Timeline<'_>) -> bool {
    let publisher = timeline
        .publication()
        .and_then(|publication| publication.publisher.as_ref());
    let Some(publisher) = publisher.filter(|publisher| !publisher.trusted_publisher) else {
        return false;
    };
    let Some((_, last)) = timeline.quiet_before(BURST) else {
        return false;
    };
    let mut known = timeline
        .recent()
        .filter(|(event, _)| event.published <= last.published)
        .filter_map(|(_, publication)| publication.publisher.as_ref())
        .peekable();
    known.peek().is_some() && !known.any(|earlier| is_same(publisher, earlier))
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand};
    let mara = || by_hand("mara");
    let past = |version| {
        Scene::of("left-lib", version)
            .release("1.0.0", "2022-01-01T09:00:00Z", &mara())
            .release("2.0.0", "2022-05-01T09:00:00Z", &mara())
            .release("2.0.1", "2022-09-01T09:00:00Z", &mara())
    };
    vec![
        Sample::flagged(
            "Two old lines wake up within an hour after four years",
            past("1.0.1")
                .release("2.0.2", "2026-06-14T09:00:00Z", &mara())
                .release("1.0.1", "2026-06-14T09:40:00Z", &mara()),
        ),
        Sample::flagged(
            "The first of the two, once the second is known",
            past("2.0.2")
                .release("2.0.2", "2026-06-14T09:00:00Z", &mara())
                .release("1.0.1", "2026-06-14T09:40:00Z", &mara()),
        ),
        Sample::flagged(
            "One release after four years, by somebody else",
            past("2.0.2").release("2.0.2", "2026-06-14T09:00:00Z", &by_hand("lena")),
        ),
        Sample::passing(
            "Near miss: the owner publishes one fix after four years, mentioned for information",
            past("2.0.2").release("2.0.2", "2026-06-14T09:00:00Z", &mara()),
        ),
        Sample::passing(
            "A fix and the next major version after four years",
            past("3.0.0")
                .release("2.0.2", "2026-06-14T09:00:00Z", &mara())
                .release("3.0.0", "2026-06-14T09:40:00Z", &mara()),
        ),
        Sample::flagged(
            "A patch and a made-up line after four years",
            past("4.3.9")
                .release("2.0.2", "2026-06-14T09:00:00Z", &mara())
                .release("4.3.9", "2026-06-14T09:40:00Z", &mara()),
        ),
        Sample::passing(
            "A mirror that fetched old versions late",
            past("1.0.0-rc.1")
                .release("0.9.0", "2026-06-14T09:00:00Z", "{}")
                .release("1.0.0-rc.1", "2026-06-14T09:00:01Z", "{}"),
        ),
        Sample::passing(
            "A release after eight months",
            past("2.0.3")
                .release("2.0.2", "2025-10-14T09:00:00Z", &mara())
                .release("2.0.3", "2026-06-14T09:00:00Z", &mara()),
        ),
    ]
}
