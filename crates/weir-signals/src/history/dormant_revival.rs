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
        sees: "A release within three days of the first one after more than a year without any, or within a week of it \
               if what came since was not allowed here without a notice. Rest as long as twice \
               any before is mentioned for information. It counts if at least two lines (major versions, below 1.0 \
               minor ones) were patched in those days, or if somebody else published than the last time; both \
               together weigh more. Refused releases end no rest, but the lines they are of count among those \
               that were patched. What claims to be published later than now counts as published now.",
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
    let (Some(own), Some((rest, last))) = (timeline.timed(), rest_before(timeline)) else {
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
    let other = is_somebody_else(timeline, last.published);
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
    if let Some((since, ago)) = woken_before(timeline, last.published) {
        words = format!("{words} but for {since} ({} before)", in_words(ago));
    }
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
        subject.published().map(|published| published.to_string()),
    ));
    observation.find(finding);
}

/// How long the package had been at rest before these days, and since which release. What is no past yet ends no
/// rest: it may be the first half of an attack, which the second must not be measured by.
fn rest_before<'t, 'a>(timeline: &'t Timeline<'a>) -> Option<(SignedDuration, &'t Event<'a>)> {
    timeline.quiet_before(BURST, |event| !timeline.is_past(event))
}

/// The release that ended the rest, and how long before this one, where that is more than a burst ago.
fn woken_before<'t>(
    timeline: &'t Timeline<'_>,
    end: jiff::Timestamp,
) -> Option<(&'t str, SignedDuration)> {
    let own = timeline.own.as_ref()?;
    let first = timeline
        .before
        .iter()
        .rfind(|event| event.published > end)?;
    let ago = own.published.duration_since(first.published);
    (ago > BURST).then_some((first.text, ago))
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
/// begin as lines do (`2.3.9` rather than `2.0.0`), which nobody's work led to (INCIDENTS I09). Refused ones
/// count: to refuse one half of an attack must not free the other.
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
        .chain(&timeline.refused)
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

/// Whether the publisher of this release is none of those who published the package right before it came to rest.
fn is_somebody_else(timeline: &Timeline<'_>, end: jiff::Timestamp) -> bool {
    let publisher = timeline
        .publication()
        .and_then(|publication| publication.publisher.as_ref());
    let Some(publisher) = publisher.filter(|publisher| !publisher.trusted_publisher) else {
        return false;
    };
    let mut known = timeline
        .recent_until(end)
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
            "The second of the two, when the first was refused",
            past("1.0.1")
                .release("2.0.2", "2026-06-14T09:00:00Z", &mara())
                .refused("2.0.2")
                .release("1.0.1", "2026-06-14T09:40:00Z", &mara()),
        ),
        Sample::passing(
            "Near miss: the owner's fix of the same line after one that was refused",
            past("2.0.3")
                .release("2.0.2", "2026-06-14T09:00:00Z", &mara())
                .refused("2.0.2")
                .release("2.0.3", "2026-06-14T09:40:00Z", &mara()),
        ),
        Sample::flagged(
            "One release after four years, by somebody else",
            past("2.0.2").release("2.0.2", "2026-06-14T09:00:00Z", &by_hand("lena")),
        ),
        Sample::flagged(
            "The second release by somebody else, five days after their first",
            past("2.0.3")
                .release("2.0.2", "2026-06-09T09:00:00Z", &by_hand("lena"))
                .release("2.0.3", "2026-06-14T09:00:00Z", &by_hand("lena")),
        ),
        Sample::passing(
            "A release by somebody else whose first one has been out for eight days",
            past("2.0.3")
                .release("2.0.2", "2026-06-06T09:00:00Z", &by_hand("lena"))
                .release("2.0.3", "2026-06-14T09:00:00Z", &by_hand("lena")),
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

#[cfg(test)]
mod tests {
    use weir_model::Severity;

    use super::SIGNAL;
    use crate::Observation;
    use crate::sample::{Scene, by_hand};

    /// A version, and when it was published.
    type Release = (&'static str, &'static str);

    /// What the signal says of a release of 14 June after four years of rest and these releases of `lena`, of
    /// which `fine` were allowed here.
    fn said(since: &[Release], fine: &[&str]) -> Option<(Severity, String)> {
        let mut scene = Scene::of("left-lib", "2.1.9")
            .release("2.0.0", "2022-05-01T09:00:00Z", &by_hand("mara"))
            .release("2.0.1", "2022-09-01T09:00:00Z", &by_hand("mara"));
        for (version, published) in since.iter().copied() {
            scene = scene.release(version, published, &by_hand("lena"));
        }
        let mut observation = Observation::default();
        scene
            .release("2.1.9", "2026-06-14T09:00:00Z", &by_hand("lena"))
            .knowing(fine)
            .with_subject(|subject| SIGNAL.run(subject, &mut observation));
        let found = observation.findings.into_iter().next();
        found.map(|it| (it.severity, it.message))
    }

    #[test]
    fn a_release_of_the_last_week_ends_no_rest_unless_it_was_allowed_here() {
        let low = Some(Severity::Low);
        let an_hour: [Release; 1] = [("2.1.0", "2026-06-14T08:00:00Z")];
        let five_days: [Release; 1] = [("2.1.0", "2026-06-09T09:00:00Z")];
        let two: [Release; 2] = [
            ("2.1.0", "2026-06-09T08:00:00Z"),
            ("2.1.1", "2026-06-11T08:00:00Z"),
        ];
        let eight_days: [Release; 1] = [("2.1.0", "2026-06-06T09:00:00Z")];
        let cases: [(&[Release], &[&str], Option<Severity>); 7] = [
            (&[], &[], low),
            (&an_hour, &[], low),
            (&five_days, &[], low),
            (&two, &[], low),
            // Those that were allowed without a notice are the package's past, and so are old ones.
            (&five_days, &["2.1.0"], None),
            (&two, &["2.1.0", "2.1.1"], None),
            (&eight_days, &[], None),
        ];
        for (since, fine, severity) in cases {
            let found = said(since, fine).map(|(severity, _)| severity);
            assert_eq!(found, severity, "{since:?} {fine:?}");
        }
        assert_eq!(
            said(&five_days, &[]).map(|(_, words)| words).as_deref(),
            Some(
                "Published after 3.7 years without a release (since 2.0.1) but for 2.1.0 (5 days before), by somebody \
                 else than the last time"
            )
        );
    }

    #[test]
    fn what_is_refused_still_counts_among_the_lines_and_a_claimed_time_does_not() {
        let said = |time: &'static str, refused: &[&'static str]| {
            let scene = Scene::of("left-lib", "1.0.1")
                .release("1.0.0", "2022-01-01T09:00:00Z", &by_hand("mara"))
                .release("2.0.0", "2022-05-01T09:00:00Z", &by_hand("mara"))
                .release("2.0.1", "2022-09-01T09:00:00Z", &by_hand("mara"))
                .release("2.0.2", "2026-06-14T09:00:00Z", &by_hand("mara"))
                .release("1.0.1", time, &by_hand("mara"));
            let scene = refused.iter().fold(scene, |scene, it| scene.refused(it));
            let mut observation = Observation::default();
            scene.with_subject(|subject| SIGNAL.run(subject, &mut observation));
            let found = observation.findings.into_iter().next();
            found.map(|it| (it.severity, it.message))
        };
        let words = "Published after 3.7 years without a release (since 2.0.1), 2 lines at once";
        let cases: [(&'static str, &[&'static str]); 4] = [
            ("2026-06-14T09:40:00Z", &[]),
            ("2026-06-14T09:40:00Z", &["2.0.2"]),
            // A claim to come years from now makes neither the rest longer nor the days apart.
            ("2029-06-14T09:40:00Z", &[]),
            ("2029-06-14T09:40:00Z", &["2.0.2"]),
        ];
        for (time, refused) in cases {
            let expected = Some((Severity::Low, words.to_owned()));
            assert_eq!(said(time, refused), expected, "{time} {refused:?}");
        }
    }

    #[test]
    fn many_releases_of_one_day_do_not_hide_who_published_before() {
        let versions: Vec<&'static str> = (0..40)
            .map(|number| &*format!("2.0.{}", number + 2).leak())
            .collect();
        let flood: Vec<Release> = versions
            .iter()
            .map(|version| (*version, "2026-06-14T08:00:00Z"))
            .collect();
        assert_eq!(said(&flood, &[]).map(|it| it.0), Some(Severity::Low));
    }
}
