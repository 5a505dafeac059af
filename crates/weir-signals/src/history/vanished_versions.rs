//! `vanished-versions`: versions that were there are gone.

use jiff::{SignedDuration, Timestamp};
use weir_model::finding::printable;
use weir_model::{Confidence, Evidence, Finding, Group, Severity};
use weir_npm::packument::{Packument, VersionEntry};
use weir_npm::version::Version;

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// What has been gone for longer than this before a release says nothing about it any more.
const LATELY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Within this of its first release an owner may take a package back and begin again: three days, and the day for
/// which npm then keeps the name.
const MENDED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// After a rest like this whoever publishes under a name of which nothing is left took it up.
const LONG: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Publish times of one release that differ by more than this are of two: mirrors round them and shift their zones.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Versions named one by one.
const LISTED: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "vanished-versions",
    summary: "Versions that the registry had before are gone",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::History],
    incidents: &["axios, 2026"],
    documentation: Documentation {
        sees: "Versions that the registry named when weir last asked, or that its list of publish times still names, and \
               that it does not have any more, where they went or had been published within 30 days of this release. \
               Those that left their publish time behind are mentioned, those that left no trace count. Where nothing \
               is left of what was there, and all that is there came later and within the last 30 days, the name was \
               given up and taken again, which is evidence of identity and weighs more. Where weir never saw the \
               earlier releases the times that are left tell of them: after a rest of a year, or where the numbers begin \
               anew, as much as if it had, and after more than 30 days less. A number that is there again with another \
               publish time, in a registry that tells who published, was used twice, which is evidence of identity as well, \
               unless its bytes are those that it had when weir decided on it. What npm puts in the place of \
               malware (`0.0.1-security`) is nobody's release.",
        matters: "Registries remove malware and owners take back mistakes: the release that follows is by the same hands. \
                  A history that shrinks without a trace was edited, or comes from another registry under the same \
                  address. A name that was given up belongs to whoever took it.",
        wrong: "Owners may remove a version within three days of its release, and mirrors keep less of the past than \
                registries. A package that was taken back as a whole within its first week and published again is no name \
                that was given up. An owner may clear out an old package of their own and begin again: from outside that \
                looks the same as a stranger who does.",
        todo: "Look up why the version is gone: an advisory, the project's own words. If the whole name changed hands, \
               treat it as a package you never saw.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

/// A version that was seen and is not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The version.
    pub version: String,
    /// When it had been published, if that was said; of one that is known to be there again with the same bytes, when
    /// the registry says now, as it is the same release.
    pub published: Option<Timestamp>,
    /// When it was first missed here; nothing where only the registry's list of times tells of it.
    pub missed: Option<Timestamp>,
    /// Whether nothing that had been seen before was left then.
    pub whole: bool,
}

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(packument) = subject.packument.known() else {
        return;
    };
    let at = subject.out_by_now();
    let near =
        |time: Option<Timestamp>| time.is_some_and(|time| at.duration_since(time).abs() <= LATELY);
    let traces = packument.removed();
    let trace = |version: &str| traces.iter().any(|(removed, _)| removed == version);
    let missed = subject.gone.iter().filter(|gone| {
        !packument.has(&gone.version) && (near(gone.published) || near(gone.missed))
    });
    let (told, untold): (Vec<&Gone>, Vec<&Gone>) = missed.partition(|gone| trace(&gone.version));
    if let Some(finding) = given_up(subject, packument, &traces) {
        observation.find(finding);
        return;
    }
    if let Some(finding) = used_twice(subject, packument) {
        observation.find(finding);
    }
    if !untold.is_empty() {
        let versions: Vec<&str> = untold.iter().map(|gone| gone.version.as_str()).collect();
        let mut finding = SIGNAL.finding(format!(
            "Gone without a trace: {} of this package",
            listed(&versions)
        ));
        finding.evidence = untold
            .iter()
            .take(LISTED)
            .map(|gone| evidence(gone))
            .collect();
        observation.find(finding);
    }
    let mut removed: Vec<Gone> = told.into_iter().cloned().collect();
    for (version, published) in traces.iter().filter(|(_, published)| near(*published)) {
        if removed.iter().all(|gone| gone.version != *version) {
            removed.push(Gone {
                version: version.clone(),
                published: *published,
                missed: None,
                whole: false,
            });
        }
    }
    if !removed.is_empty() {
        let versions: Vec<&str> = removed.iter().map(|gone| gone.version.as_str()).collect();
        let mut finding = SIGNAL.finding(format!("Taken back lately: {}", listed(&versions)));
        finding.severity = Severity::Info;
        finding.evidence = removed.iter().take(LISTED).map(evidence).collect();
        observation.find(finding);
    }
}

/// What a name had before everything that it has now.
struct Former<'g> {
    /// The versions, and when they were published.
    versions: Vec<(&'g str, Timestamp)>,
    /// Numbers among them that are there again, published at another time.
    reused: Vec<&'g str>,
    /// The last of them.
    last: Timestamp,
    /// When the first was published of what is there now.
    first: Timestamp,
    /// Whether weir saw them, and one day none was left.
    whole: bool,
}

/// What was there before everything that is there now, from what weir saw and from the times that are left; nothing
/// where any of it is still there.
fn former<'g>(
    subject: &'g Subject<'_>,
    packument: &Packument,
    traces: &'g [(String, Option<Timestamp>)],
) -> Option<Former<'g>> {
    let gone = subject.gone.iter();
    if gone
        .clone()
        .any(|it| it.whole && packument.has(&it.version) && !is_reused(packument, it))
    {
        return None;
    }
    // What the registry puts in the place of malware is nobody's release.
    let there = packument.versions().iter();
    let there = there.filter(|entry| !is_holder(&entry.version));
    let first = there.filter_map(VersionEntry::published).min()?;
    let seen = gone
        .clone()
        .filter(|it| !packument.has(&it.version) || is_reused(packument, it))
        .filter_map(|it| Some((it.version.as_str(), it.published?)));
    let told = traces
        .iter()
        .filter_map(|(version, published)| Some((version.as_str(), (*published)?)));
    let mut versions: Vec<(&str, Timestamp)> = seen
        .chain(told)
        .filter(|(version, published)| *published < first && !is_holder(version))
        .collect();
    versions.sort_unstable();
    versions.dedup_by_key(|(version, _)| *version);
    versions.sort_unstable_by_key(|(version, published)| (*published, *version));
    let last = versions.last().map(|(_, published)| *published)?;
    let reused = gone.clone().filter(|it| is_reused(packument, it));
    Some(Former {
        reused: reused.map(|it| it.version.as_str()).collect(),
        last,
        first,
        whole: gone.clone().any(|it| it.whole),
        versions,
    })
}

/// Whether a number that was gone is there again, published at another time. Registries let nobody use one twice.
/// Mirrors stamp anew what they fetch again: a time counts only where it is told as well who published, and not where
/// the bytes are known to be the same, see [`Gone::published`].
fn is_reused(packument: &Packument, gone: &Gone) -> bool {
    let times = gone.published.zip(packument.published(&gone.version));
    let moved = times.is_some_and(|(before, now)| now.duration_since(before).abs() > DAY);
    let publication = || packument.publication(&gone.version);
    moved && publication().is_some_and(|it| it.publisher.is_some())
}

/// Whether a version is what npm puts in the place of a package that it took down.
fn is_holder(version: &str) -> bool {
    version.starts_with("0.0.1-security")
}

/// Whether the numbers began anew: some release that is there is below the highest of those before it.
fn begins_anew(former: &Former<'_>, packument: &Packument) -> bool {
    let parsed = |version: &str| Version::parse(version).ok();
    let before = former.versions.iter();
    let before = before.filter_map(|(version, _)| parsed(version));
    let highest = before
        .filter(|version| !version.is_prerelease())
        .max_by(Version::precedence);
    let there = packument.versions().iter();
    let mut there = there
        .filter(|entry| !is_holder(&entry.version))
        .filter_map(|entry| parsed(&entry.version))
        .filter(|version| !version.is_prerelease());
    highest.is_some_and(|highest| there.any(|version| version.precedence(&highest).is_le()))
}

/// What a name that was given up and taken again weighs; nothing where its owner may just as well have mended a
/// mistake. A mirror that keeps only what is new has higher numbers and leaves no times.
fn weight(former: &Former<'_>, packument: &Packument, traced: bool) -> Option<Severity> {
    let rest = former.first.duration_since(former.last);
    let begun = former.versions.first().map(|(_, published)| *published)?;
    let anew = !former.reused.is_empty() || begins_anew(former, packument);
    match former.whole {
        // An owner may take back what is three days old, and publish again a day later.
        true => (former.first.duration_since(begun) > MENDED).then_some(Severity::Medium),
        false if rest <= LATELY => None,
        false if anew || (traced && rest > LONG) => Some(Severity::Medium),
        false => traced.then_some(SIGNAL.severity),
    }
}

/// A name that was given up and taken again: nothing is left of what there was, and all that is there came later.
fn given_up(
    subject: &Subject<'_>,
    packument: &Packument,
    traces: &[(String, Option<Timestamp>)],
) -> Option<Finding> {
    let former = former(subject, packument, traces)?;
    // What has been there for longer than this has a past of its own by now.
    if is_holder(subject.version) || subject.now.duration_since(former.first) > LATELY {
        return None;
    }
    let trace = |version: &str| traces.iter().any(|(removed, _)| removed == version);
    let traced = former.versions.iter().all(|(version, _)| trace(version));
    let severity = weight(&former, packument, traced)?;
    let versions: Vec<&str> = former
        .versions
        .iter()
        .map(|(version, _)| *version)
        .collect();
    let mut words = format!(
        "The name was given up and taken again: {} are gone, and everything there is was published later",
        listed(&versions)
    );
    if !former.reused.is_empty() {
        words = format!("{words}, under the same number {}", listed(&former.reused));
    }
    let mut finding = SIGNAL.finding(words);
    finding.group = Group::Identity;
    finding.severity = severity;
    finding.evidence.push(Evidence::change(
        "time (last release that is gone -> first that is there)",
        Some(former.last.to_string()),
        Some(former.first.to_string()),
    ));
    Some(finding)
}

/// Numbers of a package whose name was not given up that were used twice, this release's own among them.
fn used_twice(subject: &Subject<'_>, packument: &Packument) -> Option<Finding> {
    let mut gone = subject.gone.iter();
    let gone = gone.find(|it| it.version == subject.version && is_reused(packument, it))?;
    let mut finding = SIGNAL.finding(format!(
        "The number {} was used before: what it named then is gone",
        printable(subject.version, 80)
    ));
    finding.group = Group::Identity;
    finding.severity = Severity::Medium;
    finding.evidence.push(Evidence::change(
        format!("time.{}", gone.version),
        gone.published.map(|time| time.to_string()),
        subject.published().map(|time| time.to_string()),
    ));
    Some(finding)
}

fn listed(versions: &[&str]) -> String {
    let named = versions.get(..LISTED).unwrap_or(versions).join(", ");
    let named = printable(&named, 200);
    match versions.len().saturating_sub(LISTED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn evidence(gone: &Gone) -> Evidence {
    let published = gone.published.map(|time| format!("published {time}"));
    let missed = gone.missed.map_or_else(
        || "not in versions any more".to_owned(),
        |time| format!("missed since {time}"),
    );
    Evidence::change(
        format!("versions.{}", gone.version),
        Some(published.unwrap_or_else(|| "there".to_owned())),
        Some(missed),
    )
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand};
    let gone = |version: &str, published: &str, missed: &str| Gone {
        version: version.to_owned(),
        published: published.parse().ok(),
        missed: missed.parse().ok(),
        whole: false,
    };
    let whole = |version, published| Gone {
        whole: true,
        ..gone(version, published, "2026-06-14T08:00:00Z")
    };
    let scene = || {
        Scene::of("left-lib", "1.4.2")
            .release("1.4.0", "2025-06-01T09:00:00Z", "{}")
            .release("1.4.2", "2026-06-14T09:00:00Z", "{}")
    };
    vec![
        Sample::flagged(
            "The release before was there yesterday and left no trace",
            scene().gone(gone(
                "1.4.1",
                "2026-06-13T09:00:00Z",
                "2026-06-14T08:00:00Z",
            )),
        ),
        Sample::flagged(
            "All that was known of the name is gone, and it begins anew",
            Scene::of("left-lib", "1.0.0")
                .release("1.0.0", "2026-06-14T09:00:00Z", "{}")
                .gone(whole("1.4.0", "2020-06-01T09:00:00Z"))
                .gone(whole("1.4.1", "2021-06-01T09:00:00Z")),
        ),
        Sample::flagged(
            "Times of years ago are all that is left, of a package that weir never saw",
            Scene::of("left-lib", "2.0.0")
                .removed("1.0.0", "2022-06-01T09:00:00Z")
                .removed("1.0.1", "2022-12-01T09:00:00Z")
                .release("2.0.0", "2026-06-12T09:00:00Z", "{}"),
        ),
        Sample::flagged(
            "The same where npm kept the name in the meantime",
            Scene::of("left-lib", "2.0.0")
                .removed("1.0.0", "2022-06-01T09:00:00Z")
                .release("0.0.1-security", "2023-06-01T09:00:00Z", "{}")
                .release("2.0.0", "2026-06-12T09:00:00Z", "{}"),
        ),
        Sample::flagged(
            "Of ten releases only the first number is there, published anew",
            Scene::of("left-lib", "1.0.0")
                .release("1.0.0", "2026-06-13T09:00:00Z", "{}")
                .gone(gone(
                    "1.0.1",
                    "2025-10-01T09:00:00Z",
                    "2026-06-14T08:00:00Z",
                ))
                .gone(gone(
                    "1.0.9",
                    "2026-01-01T09:00:00Z",
                    "2026-06-14T08:00:00Z",
                )),
        ),
        Sample::flagged(
            "All is gone, and its last number is used again",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.1", "2026-06-13T09:00:00Z", &by_hand("lena"))
                .gone(whole("1.4.0", "2020-06-01T09:00:00Z"))
                .gone(whole("1.4.1", "2021-06-01T09:00:00Z")),
        ),
        Sample::flagged(
            "One number is used twice in a package that has others",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2025-06-01T09:00:00Z", &by_hand("mara"))
                .release("1.4.1", "2026-06-13T09:00:00Z", &by_hand("lena"))
                .gone(gone(
                    "1.4.1",
                    "2025-07-01T09:00:00Z",
                    "2026-06-14T08:00:00Z",
                )),
        ),
        Sample::passing(
            "Near miss: an owner who took a package of two days back and published it again",
            Scene::of("left-lib", "1.0.1")
                .removed("1.0.0", "2026-06-10T09:00:00Z")
                .release("1.0.1", "2026-06-13T09:00:00Z", "{}")
                .gone(whole("1.0.0", "2026-06-10T09:00:00Z")),
        ),
        Sample::passing(
            "Near miss: a mirror without publishers that fetched a version once more and stamped it anew",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2025-06-01T09:00:00Z", "{}")
                .release("1.4.1", "2026-06-13T09:00:00Z", "{}")
                .gone(gone(
                    "1.4.1",
                    "2025-07-01T09:00:00Z",
                    "2026-06-10T08:00:00Z",
                )),
        ),
        Sample::passing(
            "Near miss: a mirror that keeps only the newest",
            Scene::of("left-lib", "1.9.0")
                .release("1.9.0", "2026-06-13T09:00:00Z", "{}")
                .gone(gone(
                    "1.7.0",
                    "2025-10-01T09:00:00Z",
                    "2025-12-01T08:00:00Z",
                ))
                .gone(gone(
                    "1.8.0",
                    "2026-01-01T09:00:00Z",
                    "2026-03-14T08:00:00Z",
                )),
        ),
        Sample::passing(
            "What npm puts in the place of malware",
            Scene::of("left-lib", "0.0.1-security")
                .removed("1.0.0", "2022-06-01T09:00:00Z")
                .release("0.0.1-security", "2026-06-13T09:00:00Z", "{}"),
        ),
        Sample::passing(
            "Near miss: the release before was taken back, and its publish time is still told",
            scene().removed("1.4.1", "2026-06-13T09:00:00Z").gone(gone(
                "1.4.1",
                "2026-06-13T09:00:00Z",
                "2026-06-14T08:00:00Z",
            )),
        ),
        Sample::passing(
            "A version that went away years ago",
            scene().gone(gone(
                "0.9.0",
                "2019-06-01T09:00:00Z",
                "2022-06-14T08:00:00Z",
            )),
        ),
        Sample::passing(
            "A version that was missed once and is there again",
            scene().gone(gone(
                "1.4.0",
                "2025-06-01T09:00:00Z",
                "2026-06-14T08:00:00Z",
            )),
        ),
    ]
}
