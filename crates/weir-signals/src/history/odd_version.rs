//! `odd-version`: a version number that the package's own past does not lead to.

use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::version::Version;

use crate::timeline::{Event, Timeline};
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// From this major version on a number is chosen to win every comparison (INCIDENTS I06, I30; DETECTION
/// section 3: one in twelve malicious packages of 2026 was "99.x").
const WINS: u64 = 90;

/// The first year that a version number may mean. The last is the one after the release came out: a year far ahead is
/// chosen to win, as 9999 is.
const FIRST_YEAR: u64 = 1_900;

/// The same where two digits stand for a year: all that npm has been there for.
const FIRST_SHORT_YEAR: u64 = 10;

/// A jump of this many major versions is more than a release line needs.
const JUMP: u64 = 10;

/// A minor or patch number of this many nines, where the package was not on the way there, is chosen to win.
const NINES: usize = 3;

/// So is one this many times as high as any before it.
const THOUSANDFOLD: u64 = 1_000;

/// A package that this many releases lie behind does not begin, whatever a mirror says of their times.
const MANY_RELEASES: usize = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "odd-version",
    summary: "The version number is far beyond what the package's own past leads to",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Manifest, Input::History, Input::PublishTime],
    incidents: &[
        "Dependency confusion, 2021",
        "colors and faker, 2022",
        "PhantomRaven, 2025",
    ],
    documentation: Documentation {
        sees: "A package whose first release is 90.0.0 or higher, or all nines, a date not being meant, which ends with the \
               year after the release; and a \
               release whose major version is ten or more above every earlier one, unless the package has jumped \
               like that before. Numbers of 90 and more weigh more. Likewise a minor or patch number of three nines or \
               more, in a first release too, or a thousand times as high as any before it, dates and times not being meant: it is the highest \
               of its line for ever. Only releases that had been out for a week count as \
               its past, so that a number laid down shortly before excuses no other.",
        matters: "A public package that is to be mistaken for an internal one has to have the higher number, and 99 \
                  is the one that people choose.",
        wrong: "A package joins a family that shares one version number, or begins to count by date; both happen \
                once. First releases between 10 and 89 are mentioned for information, for the same reason.",
        todo: "If the name is one of your own, do not install it and name it in `names.own`. Otherwise look \
               whether the project explains the number.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let Some(own) = timeline.timed() else {
        return;
    };
    // A number laid down an hour before must not make the next one ordinary.
    let before = || timeline.before.iter();
    let settled: Vec<&Event<'_>> = before().filter(|it| timeline.has_settled(it)).collect();
    let begins = settled.is_empty() && timeline.before.len() < MANY_RELEASES;
    let past = match settled.is_empty() {
        true => before().collect(),
        false => settled,
    };
    let odd = jump(timeline, own, &past)
        .or_else(|| leap_below(own, &past))
        .or_else(|| {
            begins
                .then(|| beginning(own, timeline.before.is_empty()))
                .flatten()
        });
    let Some(odd) = odd else {
        return;
    };
    let mut finding = SIGNAL.finding(odd.words);
    finding.severity = odd.severity;
    finding
        .evidence
        .push(Evidence::change("version", odd.previous, Some(own.text)));
    observation.find(finding);
}

/// What is odd about a number.
struct Odd<'a> {
    words: String,
    previous: Option<&'a str>,
    severity: Severity,
}

/// A number that no package begins with.
fn beginning<'a>(own: &Event<'_>, is_first: bool) -> Option<Odd<'a>> {
    let is_dated = is_date(own.version.major(), last_year(own.published));
    let severity = match own.version.major() {
        WINS.. if !is_dated => Severity::Medium,
        // `1.0.9999`, and `2026.99.99`, which is no date.
        _ if is_highest_of_its_line(&own.version) => Severity::Low,
        _ if is_dated => return None,
        _ if is_all_nines(&own.version) => Severity::Low,
        JUMP..WINS => Severity::Info,
        _ => return None,
    };
    let words = if is_first {
        format!("The first release is {}", own.text)
    } else {
        format!(
            "{} is among the first releases, none of which had been out for a week",
            own.text
        )
    };
    Some(Odd {
        words,
        previous: None,
        severity,
    })
}

/// A number far above the highest one of the past, newest first.
fn jump<'a>(timeline: &Timeline<'a>, own: &Event<'_>, past: &[&Event<'a>]) -> Option<Odd<'a>> {
    let highest = highest(past.iter().copied())?;
    let major = own.version.major();
    let jump = major.saturating_sub(highest.version.major());
    if jump < JUMP || jump <= largest_jump(past) {
        return None;
    }
    let severity = match major {
        _ if is_date(major, last_year(own.published)) => Severity::Info,
        WINS.. => Severity::Medium,
        _ => SIGNAL.severity,
    };
    let mut words = format!("{} follows {}", own.text, highest.text);
    let lately = self::highest(timeline.before.iter())?;
    if lately.text != highest.text {
        words = format!("{words}; {} had not been out for a week", lately.text);
    }
    Some(Odd {
        words: weir_model::finding::printable(&words, 400),
        previous: Some(highest.text),
        severity,
    })
}

/// A minor or patch number far above every one of the past: it wins in its line for ever, as 99.0.0 wins everywhere.
fn leap_below<'a>(own: &Event<'_>, past: &[&Event<'a>]) -> Option<Odd<'a>> {
    // No range takes a prerelease unless it names one.
    if own.version.is_prerelease() {
        return None;
    }
    let below = past
        .iter()
        .filter(|it| it.version.precedence(&own.version).is_lt());
    let before = highest(below.copied())?;
    let leaps = |number: fn(&Version) -> u64| {
        let own_number = number(&own.version);
        // The numbers of all lines: builds are often counted through them.
        let most = past.iter().map(|it| number(&it.version)).max()?;
        let far =
            own_number.saturating_sub(most) > JUMP && !is_date_or_moment(own_number, own.published);
        let thousandfold = own_number >= most.max(1).saturating_mul(THOUSANDFOLD);
        let nines = nines(own_number);
        far.then_some((nines, thousandfold))
    };
    let (minor, patch) = (leaps(Version::minor), leaps(Version::patch));
    let far = |it: &(usize, bool)| it.0 >= NINES || it.1;
    let both = minor
        .zip(patch)
        .is_some_and(|(minor, patch)| minor.0.min(patch.0) >= 2);
    if !both && !minor.is_some_and(|it| far(&it)) && !patch.is_some_and(|it| far(&it)) {
        return None;
    }
    let words = format!(
        "{} follows {}, far above every number before it, and stays the highest of its line for long",
        own.text, before.text
    );
    Some(Odd {
        words: weir_model::finding::printable(&words, 400),
        previous: Some(before.text),
        severity: SIGNAL.severity,
    })
}

/// How many nines a number is; 0 where it is anything else.
fn nines(number: u64) -> usize {
    let text = number.to_string();
    match text.bytes().all(|digit| digit == b'9') {
        true => text.len(),
        false => 0,
    }
}

/// Whether a minor or patch number is a date, with the time of the day or without, or the moment of the release in
/// seconds or milliseconds: builds are numbered so.
fn is_date_or_moment(number: u64, published: jiff::Timestamp) -> bool {
    /// What divides the hours, minutes and seconds off, or some of them.
    const PARTS: [u64; 5] = [1, 100, 1_000, 10_000, 1_000_000];
    const YEAR: u64 = 366 * 24 * 3600;
    let last = last_year(published);
    let second = u64::try_from(published.as_second()).unwrap_or(0);
    let near = |number: u64| number.abs_diff(second) < YEAR;
    let date = |divisor: &u64| {
        let day = number / divisor;
        day >= 10_000_000 && is_date(day, last)
    };
    is_date(number, last) || PARTS.iter().any(date) || near(number) || near(number / 1_000)
}

/// The release with the highest number.
fn highest<'t, 'a: 't>(releases: impl Iterator<Item = &'t Event<'a>>) -> Option<&'t Event<'a>> {
    releases.max_by(|one, other| one.version.precedence(&other.version))
}

/// `2026`, `202606`, `20260615`, `2606`, `260615`: a year, a month or a day. 9999 is none of them, and no number
/// is excused for being large: the largest wins. `last` is the last year that it may mean.
fn is_date(major: u64, last: u64) -> bool {
    let year = |number: u64| (FIRST_YEAR..=last).contains(&number);
    let short_year =
        |number: u64| number >= FIRST_SHORT_YEAR && number <= last.saturating_sub(2_000);
    let month = |number: u64| (1..=12).contains(&(number % 100));
    let day = |number: u64| (1..=31).contains(&(number % 100)) && month(number / 100);
    match major {
        1_000..=9_999 => year(major) || (short_year(major / 100) && month(major)),
        100_000..=999_999 => {
            (year(major / 100) && month(major)) || (short_year(major / 10_000) && day(major))
        }
        10_000_000..=99_999_999 => year(major / 10_000) && day(major),
        _ => false,
    }
}

/// The last year that a number of a release may mean which came out at a moment.
fn last_year(published: jiff::Timestamp) -> u64 {
    let year = published.to_zoned(jiff::tz::TimeZone::UTC).year();
    u64::try_from(year).unwrap_or(0).saturating_add(1)
}

/// `1.0.9999`, `1.999.0`, `2026.99.99`: a minor or patch number that nothing of its line comes after.
fn is_highest_of_its_line(version: &Version) -> bool {
    let (minor, patch) = (nines(version.minor()), nines(version.patch()));
    minor >= NINES || patch >= NINES || minor.min(patch) >= 2
}

/// `9.9.9`, `99.9.0`: nines before all else, at least three digits in all.
fn is_all_nines(version: &Version) -> bool {
    let numbers = [version.major(), version.minor()];
    numbers.iter().all(|number| nines(*number) > 0)
}

/// The largest step from the highest major version to a higher one among these releases, newest first.
fn largest_jump(past: &[&Event<'_>]) -> u64 {
    let mut highest: Option<u64> = None;
    let mut largest = 0;
    for event in past.iter().rev() {
        let major = event.version.major();
        if let Some(known) = highest {
            largest = largest.max(major.saturating_sub(known));
        }
        highest = Some(highest.map_or(major, |known| known.max(major)));
    }
    largest
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    let first =
        |version| Scene::of("left-lib", version).release(version, "2026-06-14T09:00:00Z", "{}");
    let after = |before, version| {
        Scene::of("left-lib", version)
            .release("1.0.0", "2024-01-01T09:00:00Z", "{}")
            .release(before, "2025-01-01T09:00:00Z", "{}")
            .release(version, "2026-06-14T09:00:00Z", "{}")
    };
    vec![
        Sample::flagged("A first release of 99.0.1", first("99.0.1")),
        Sample::flagged("A first release of 9.9.0", first("9.9.0")),
        Sample::flagged("A first release of 9999.0.0", first("9999.0.0")),
        Sample::flagged("A first release of 99999.9.9", first("99999.9.9")),
        Sample::flagged("From 2 to 9999", after("2.3.0", "9999.0.0")),
        Sample::flagged("From 2 to 100", after("2.3.0", "100.0.0")),
        Sample::flagged("From 2 to 18", after("2.3.0", "18.0.0")),
        Sample::flagged(
            "99.0.0, an hour after a prerelease that was to make the jump an ordinary one",
            Scene::of("left-lib", "99.0.0")
                .release("1.0.0", "2024-01-01T09:00:00Z", "{}")
                .release("1.9.0", "2025-01-01T09:00:00Z", "{}")
                .release("50.0.0-0", "2026-06-14T08:00:00Z", "{}")
                .release("99.0.0", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::flagged(
            "99.0.1, a day after 99.0.0",
            Scene::of("left-lib", "99.0.1")
                .release("2.0.0", "2026-01-01T09:00:00Z", "{}")
                .release("99.0.0", "2026-06-13T09:00:00Z", "{}")
                .release("99.0.1", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::flagged("From 1.5.0 to 1.5.99999", after("1.5.0", "1.5.99999")),
        Sample::flagged("From 1.5.0 to 1.999999.0", after("1.5.0", "1.999999.0")),
        Sample::flagged("From 1.5.0 to 10.99.99", after("1.5.0", "10.99.99")),
        Sample::flagged("From 1.5.3 to 1.7000.0", after("1.5.3", "1.7000.0")),
        Sample::passing(
            "Near miss: the number after 1.998.0",
            after("1.998.0", "1.999.0"),
        ),
        Sample::passing(
            "Near miss: patches that are numbered by the day",
            after("1.5.0", "1.5.20260614"),
        ),
        Sample::passing(
            "Patches that are numbered by the minute",
            after("1.5.0", "1.5.202606140900"),
        ),
        Sample::passing(
            "Patches that are numbered by the second",
            after("1.5.0", "1.5.1781427600"),
        ),
        Sample::passing("From 1.5.0 to 1.99.0", after("1.5.0", "1.99.0")),
        Sample::passing("From 1.5.0 to 1.6.120", after("1.5.0", "1.6.120")),
        Sample::passing(
            "A patch of a release that jumped a month before",
            Scene::of("left-lib", "18.0.1")
                .release("2.0.0", "2026-01-01T09:00:00Z", "{}")
                .release("18.0.0", "2026-05-14T09:00:00Z", "{}")
                .release("18.0.1", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::passing(
            "Near miss: a first release that shares the number of its family, for information",
            first("14.2.1"),
        ),
        Sample::passing("The next major version", after("2.3.0", "3.0.0")),
        Sample::passing("A first release that is a date", first("2026.6.14")),
        Sample::passing("A first release that is a day", first("20260614.0.0")),
        Sample::passing(
            "Jumps are how this package counts",
            after("40.0.0", "60.0.0"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use weir_model::Severity;

    use super::{SIGNAL, is_date};
    use crate::Observation;
    use crate::sample::Scene;

    #[test]
    fn a_first_release_weighs_by_its_number() {
        for (version, severity) in [
            ("3.0.0", None),
            ("2026.6.14", None),
            ("14.2.1", Some(Severity::Info)),
            ("9.9.0", Some(Severity::Low)),
            ("90.0.0", Some(Severity::Medium)),
            ("99.9.0", Some(Severity::Medium)),
            ("9999.9.9", Some(Severity::Medium)),
            ("1.0.9999", Some(Severity::Low)),
            ("1.999.0", Some(Severity::Low)),
            ("1.99.3", None),
            ("2026.99.99", Some(Severity::Low)),
            ("2027.1.0", None),
            ("2099.1.1", Some(Severity::Medium)),
        ] {
            let mut observation = Observation::default();
            Scene::of("left-lib", version)
                .release(version, "2026-06-14T09:00:00Z", "{}")
                .with_subject(|subject| SIGNAL.run(subject, &mut observation));
            let found = observation.findings.first().map(|it| it.severity);
            assert_eq!(found, severity, "{version}");
        }
    }

    #[test]
    fn only_what_had_been_out_for_a_week_leads_to_a_number() {
        use Severity::{Info, Low, Medium};
        let old = "2026-01-01T09:00:00Z";
        for (before, version, want) in [
            (
                vec![("2.0.0", old), ("99.0.0", "2026-06-13T09:00:00Z")],
                "99.0.1",
                Some(Medium),
            ),
            (
                vec![("2.0.0", old), ("99.0.0", "2026-06-07T09:00:00Z")],
                "99.0.1",
                None,
            ),
            (
                vec![("2.0.0", old), ("50.0.0-0", "2026-06-14T08:00:00Z")],
                "99.0.0",
                Some(Medium),
            ),
            (
                vec![("2.0.0", old), ("18.0.0", "2026-06-13T09:00:00Z")],
                "18.0.1",
                Some(Low),
            ),
            // A package that begins.
            (
                vec![("90.0.0", "2026-06-14T08:00:00Z")],
                "90.0.1",
                Some(Medium),
            ),
            (vec![("1.0.0", "2026-06-14T08:00:00Z")], "50.0.0", Some(Low)),
            (
                vec![("14.0.0", "2026-06-14T08:00:00Z")],
                "14.0.1",
                Some(Info),
            ),
            (vec![("1.0.0", "2026-06-14T08:00:00Z")], "1.0.1", None),
        ] {
            let mut scene = Scene::of("left-lib", version);
            for (earlier, published) in before.iter().copied() {
                scene = scene.release(earlier, published, "{}");
            }
            let mut observation = Observation::default();
            scene
                .release(version, "2026-06-14T09:00:00Z", "{}")
                .with_subject(|subject| SIGNAL.run(subject, &mut observation));
            let found = observation.findings.first().map(|it| it.severity);
            assert_eq!(found, want, "{version} after {before:?}");
        }
    }

    #[test]
    fn dates_are_told_from_numbers_that_are_to_win() {
        for major in [1999, 2026, 2606, 202_606, 260_615, 20_260_615] {
            assert!(is_date(major, 2027), "{major}");
        }
        for major in [
            99,
            999,
            1899,
            2028,
            2806,
            2613,
            9999,
            9912,
            99_999,
            202_613,
            209_999,
            261_315,
            999_999,
            20_261_301,
            20_260_632,
            99_999_999,
            9_007_199_254_740_991,
        ] {
            assert!(!is_date(major, 2027), "{major}");
        }
    }
}
