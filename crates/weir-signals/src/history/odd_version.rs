//! `odd-version`: a version number that the package's own past does not lead to.

use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::version::Version;

use crate::timeline::Timeline;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// From this major version on a number is chosen to win every comparison (INCIDENTS I06, I30; DETECTION
/// section 3: one in twelve malicious packages of 2026 was "99.x").
const WINS: u64 = 90;

/// Majors beyond this are dates or build numbers.
const DATES: u64 = 1_900;

/// A jump of this many major versions is more than a release line needs.
const JUMP: u64 = 10;

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
        sees: "A package whose first release is 90.0.0 or higher, or all nines, a date not being meant; and a \
               release whose major version is ten or more above every earlier one, unless the package has jumped \
               like that before. Numbers of 90 and more weigh more.",
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
    let Some(own) = &timeline.own else {
        return;
    };
    let major = own.version.major();
    let is_date = major >= DATES;
    let (words, previous, severity) = if timeline.before.is_empty() {
        let severity = match major {
            _ if is_date => return,
            _ if is_all_nines(&own.version) && major > 0 => Severity::Low,
            WINS.. => Severity::Medium,
            JUMP..WINS => Severity::Info,
            _ => return,
        };
        let severity = if major >= WINS {
            Severity::Medium
        } else {
            severity
        };
        (format!("The first release is {}", own.text), None, severity)
    } else {
        let Some(highest) = timeline
            .before
            .iter()
            .max_by(|one, other| one.version.precedence(&other.version))
        else {
            return;
        };
        let jump = major.saturating_sub(highest.version.major());
        if jump < JUMP || jump <= largest_jump(timeline) {
            return;
        }
        let severity = match major {
            _ if is_date => Severity::Info,
            WINS.. => Severity::Medium,
            _ => SIGNAL.severity,
        };
        let words = format!("{} follows {}", own.text, highest.text);
        (words, Some(highest.text), severity)
    };
    let mut finding = SIGNAL.finding(words);
    finding.severity = severity;
    finding
        .evidence
        .push(Evidence::change("version", previous, Some(own.text)));
    observation.find(finding);
}

/// `9.9.9`, `99.9.0`: nines before all else, at least three digits in all.
fn is_all_nines(version: &Version) -> bool {
    let numbers = [version.major(), version.minor()];
    numbers
        .iter()
        .all(|number| *number > 0 && number.to_string().chars().all(|digit| digit == '9'))
}

/// The largest step from the highest major version to a higher one among earlier releases.
fn largest_jump(timeline: &Timeline<'_>) -> u64 {
    let mut highest: Option<u64> = None;
    let mut largest = 0;
    for event in timeline.before.iter().rev() {
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
        Sample::flagged("From 2 to 100", after("2.3.0", "100.0.0")),
        Sample::flagged("From 2 to 18", after("2.3.0", "18.0.0")),
        Sample::passing(
            "Near miss: a first release that shares the number of its family, for information",
            first("14.2.1"),
        ),
        Sample::passing("The next major version", after("2.3.0", "3.0.0")),
        Sample::passing("A first release that is a date", first("2026.6.14")),
        Sample::passing(
            "Jumps are how this package counts",
            after("40.0.0", "60.0.0"),
        ),
    ]
}
