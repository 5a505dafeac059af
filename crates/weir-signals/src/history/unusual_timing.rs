//! `unusual-timing`: a release at an hour, or at a pace, at which there never was one.

use jiff::{SignedDuration, Timestamp};
use weir_model::habits::minute;
use weir_model::{Confidence, Evidence, Finding, Group, Severity};

use crate::timeline::Timeline;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Fewer releases than this say nothing about the hours somebody keeps.
const ENOUGH: u32 = 60;

/// Hours on either side of this one in which there must not have been a release either: people stay up
/// late now and then.
const AROUND: usize = 4;

/// Fewer releases in a day than this are a busy day.
const BUSY: usize = 5;

/// A pace is unusual if it is more than this many times the fastest before.
const FACTOR: usize = 2;

/// A package with fewer earlier releases than this has no pace.
const PACED: usize = 10;

const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "unusual-timing",
    summary: "Published at an hour of the day, or at a pace, at which there never was a release",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Identity,
    severity: Severity::Low,
    confidence: Confidence::Low,
    needs: &[Input::Manifest, Input::PublishTime],
    incidents: &[],
    documentation: Documentation {
        sees: "The hour (UTC) of a release published from an account's machine, where weir has learned the hours of at \
               least sixty releases by that account and none of them is within four hours of it. And five or more \
               releases of one line (1.x, 2.x) within a day, refused ones among them, if that is more than twice as many \
               as on any day before and the package had ten releases before.",
        matters: "People sleep, and at the same hours as ever. Somebody with their token works by another clock, and is in \
                  a hurry: hijacked packages often got several releases within hours, each to mend the one before.",
        wrong: "People travel, move, and mend their own mistakes in a hurry. This never says much by itself. Workflows \
                keep no hours and are not compared.",
        todo: "Nothing, if nothing else is unusual. Else look whether the commits have the same hours.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(published) = subject.published() else {
        return;
    };
    let found = [hour(subject, published), pace(subject.timeline())];
    for finding in found.into_iter().flatten() {
        observation.find(finding);
    }
}

fn hour(subject: &Subject<'_>, published: Timestamp) -> Option<Finding> {
    let baseline = subject.surroundings?.account.baseline.as_ref()?;
    let habits = baseline.all();
    if habits.releases < ENOUGH {
        return None;
    }
    let own = crate::lesson::in_hours(minute(published));
    let apart = |hour: usize| {
        let distance = hour.abs_diff(own);
        distance.min(24 - distance)
    };
    let near = |(hour, count): (usize, &u32)| *count > 0 && apart(hour) <= AROUND;
    if habits.hours.iter().enumerate().any(near) {
        return None;
    }
    let usual: Vec<String> = habits
        .hours
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(hour, count)| format!("{hour:02} h {count}"))
        .collect();
    let mut finding = SIGNAL.finding(format!(
        "Published at {own:02} h UTC: none of {} releases by {} came within {AROUND} hours of that time of day",
        habits.releases,
        baseline.owner()
    ));
    finding.evidence.push(Evidence::change(
        "hours of release, UTC",
        Some(usual.join(", ")),
        Some(format!("{own:02} h")),
    ));
    Some(finding)
}

fn pace(timeline: &Timeline<'_>) -> Option<Finding> {
    let own = timeline.timed()?;
    let before = timeline.before.iter();
    let stable: Vec<_> = before
        .filter(|event| !event.version.is_prerelease())
        .collect();
    if own.version.is_prerelease() || stable.len() < PACED {
        return None;
    }
    let is_today = |time: Timestamp| own.published.duration_since(time) <= DAY;
    // That many lines are patched in one go is a fact of its own (`many-lines-patched`): counted here, too,
    // it would be two kinds of evidence for one thing.
    let same_line = stable.iter().filter(|event| event.line() == own.line());
    let allowed = same_line.take_while(|event| is_today(event.published));
    // To refuse some of a flood must not make the rest of it look calm.
    let refused = timeline.refused.iter().filter(|event| {
        !event.version.is_prerelease()
            && event.line() == own.line()
            && event.published <= own.published
            && is_today(event.published)
    });
    let today = allowed.count() + refused.count();
    if today + 1 < BUSY {
        return None;
    }
    let times = stable.iter().map(|event| event.published);
    let past: Vec<Timestamp> = times.skip_while(|time| is_today(*time)).collect();
    // Newest first: a day is counted from its newest release, and ends no earlier than that of the one before. So a
    // registry that sends a hundred thousand releases of a day costs no more than they are.
    let (mut most, mut end) = (0, 0);
    for (newest, start) in past.iter().enumerate() {
        while past
            .get(end)
            .is_some_and(|time| start.duration_since(*time) <= DAY)
        {
            end += 1;
        }
        most = most.max(end.saturating_sub(newest));
    }
    if most == 0 || today < most * FACTOR {
        return None;
    }
    let mut finding = SIGNAL.finding(format!(
        "The {}th release of {} within a day, never more than {most} before",
        today + 1,
        own.line_in_words()
    ));
    finding.evidence.push(Evidence::change(
        "releases within a day",
        Some(most.to_string()),
        Some((today + 1).to_string()),
    ));
    Some(finding)
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, account_hours, by_hand};
    const VERSIONS: [&str; 11] = [
        "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5", "1.0.6", "1.0.7", "1.0.8", "1.0.9",
        "1.0.10",
    ];
    const MONTHS: [&str; 11] = [
        "2025-01-01T09:00:00Z",
        "2025-02-01T09:00:00Z",
        "2025-03-01T09:00:00Z",
        "2025-04-01T09:00:00Z",
        "2025-05-01T09:00:00Z",
        "2025-06-01T09:00:00Z",
        "2025-07-01T09:00:00Z",
        "2025-08-01T09:00:00Z",
        "2025-09-01T09:00:00Z",
        "2025-10-01T09:00:00Z",
        "2025-11-01T09:00:00Z",
    ];
    let at = |time: &'static str| {
        Scene::of("left-lib", "1.0.0").release("1.0.0", time, &by_hand("mara"))
    };
    let calm = |version| {
        VERSIONS
            .into_iter()
            .zip(MONTHS)
            .fold(Scene::of("left-lib", version), |scene, (version, time)| {
                scene.release(version, time, "{}")
            })
    };
    let hurried = |version| {
        calm(version)
            .release("1.1.0", "2026-06-15T05:00:00Z", "{}")
            .release("1.1.1", "2026-06-15T06:00:00Z", "{}")
            .release("1.1.2", "2026-06-15T07:00:00Z", "{}")
            .release("1.1.3", "2026-06-15T08:00:00Z", "{}")
            .release("1.1.4", "2026-06-15T09:00:00Z", "{}")
    };
    vec![
        Sample::flagged(
            "In the middle of the night of somebody who has published a hundred times by day",
            at("2026-06-15T02:00:00Z").usual_account(account_hours("mara", 8..18)),
        ),
        Sample::flagged(
            "Five releases in a day, never more than one before",
            hurried("1.1.4"),
        ),
        Sample::passing(
            "Near miss: late in the evening, four hours after the latest",
            at("2026-06-14T21:00:00Z").usual_account(account_hours("mara", 8..18)),
        ),
        Sample::flagged(
            "The last of five releases in a day, when two of the others were refused",
            hurried("1.1.4").refused("1.1.1").refused("1.1.3"),
        ),
        Sample::passing("Four releases in a day", hurried("1.1.3")),
        Sample::passing(
            "Four releases in a day, one of which was refused",
            hurried("1.1.3").refused("1.1.1"),
        ),
        Sample::passing(
            "Six releases in a day, but of two lines that are patched together",
            calm("2.0.3")
                .release("2.0.0", "2026-05-15T05:00:00Z", "{}")
                .release("1.0.11", "2026-06-15T05:00:00Z", "{}")
                .release("2.0.1", "2026-06-15T05:10:00Z", "{}")
                .release("1.0.12", "2026-06-15T07:00:00Z", "{}")
                .release("2.0.2", "2026-06-15T07:10:00Z", "{}")
                .release("1.0.13", "2026-06-15T09:00:00Z", "{}")
                .release("2.0.3", "2026-06-15T09:10:00Z", "{}"),
        ),
        Sample::passing(
            "Nothing is known of the account",
            at("2026-06-15T02:00:00Z"),
        ),
    ]
}
