//! `vanished-versions`: versions that were there are gone.

use jiff::{SignedDuration, Timestamp};
use weir_model::finding::printable;
use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::packument::Packument;

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// What has been gone for longer than this before a release says nothing about it any more.
const LATELY: SignedDuration = SignedDuration::from_hours(30 * 24);

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
               is left of what was there, the name was given up and taken again, which is evidence of identity and \
               weighs more.",
        matters: "Registries remove malware and owners take back mistakes: the release that follows is by the same hands. \
                  A history that shrinks without a trace was edited, or comes from another registry under the same \
                  address. A name that was given up belongs to whoever took it.",
        wrong: "Owners may remove a version within three days of its release, and mirrors keep less of the past than \
                registries.",
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
    /// When it had been published, if that was said.
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
    if let Some(finding) = given_up(subject, packument) {
        observation.find(finding);
        return;
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

/// Whether nothing was left of what had been seen, and all that is there came later.
fn given_up(subject: &Subject<'_>, packument: &Packument) -> Option<weir_model::Finding> {
    let whole: Vec<&Gone> = subject.gone.iter().filter(|gone| gone.whole).collect();
    if whole.iter().any(|gone| packument.has(&gone.version)) {
        return None;
    }
    let last = whole.iter().filter_map(|gone| gone.published).max()?;
    let times = packument.versions().iter();
    let first = times
        .filter_map(|entry| packument.published(&entry.version))
        .min()?;
    // What has been there for longer than this has a past of its own by now.
    if first <= last || subject.now.duration_since(first) > LATELY {
        return None;
    }
    let versions: Vec<&str> = whole.iter().map(|gone| gone.version.as_str()).collect();
    let mut finding = SIGNAL.finding(format!(
        "The name was given up and taken again: {} are gone, and everything there is was published later",
        listed(&versions)
    ));
    finding.group = Group::Identity;
    finding.severity = Severity::Medium;
    finding.evidence.push(Evidence::change(
        "time (last release that is gone -> first that is there)",
        Some(last.to_string()),
        Some(first.to_string()),
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
    use crate::sample::{Sample, Scene};
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
