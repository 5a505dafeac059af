//! `missing-source-marks`: the traces that the usual way of publishing leaves are gone.

use weir_model::{Confidence, Evidence, Group, Severity};
use weir_npm::packument::Publication;
use weir_npm::version::Version;

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// This many releases in a row have to agree before something is the usual.
const HABIT: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "missing-source-marks",
    summary: "The commit, the repository or the usual publishing client is missing where it never was",
    since: "next",
    layer: Layer::Identity,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Identity,
    severity: Severity::Low,
    confidence: Confidence::Low,
    needs: &[Input::Manifest, Input::History, Input::PublishTime],
    incidents: &[
        "Solana web3.js, 2024",
        "xrpl, 2025",
        "react-native-international-phone-number, 2026",
    ],
    documentation: Documentation {
        sees: "Marks that the client leaves in the registry when it publishes: the commit (`gitHead`), the versions of \
               npm and Node, and the `repository` of the manifest. Compared with the last five releases, if those \
               agree. A missing commit together with an unusual client (no version at all, or a step back of a \
               major version below every one of the last five) or a missing repository counts; each by itself is \
               mentioned for information.",
        matters: "Whoever publishes with a stolen token does so from a folder without the project's history and from a \
                  machine of their own. The account looks the same; the traces do not.",
        wrong: "A new publishing tool leaves other traces, and some leave none. This is weak by itself, and speaks only \
                beside other evidence: it shares its group with the publisher, or with trust where that fell too.",
        todo: "Look for the release's tag in the repository.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let timeline = subject.timeline();
    let Some(publication) = timeline.publication() else {
        return;
    };
    let habit: Vec<&Publication> = timeline
        .recent()
        .take(HABIT)
        .map(|(_, publication)| publication)
        .collect();
    let Some(previous) = habit.first() else {
        return;
    };
    let commit = habit.len() == HABIT
        && publication.git_head.is_none()
        && habit.iter().all(|earlier| earlier.git_head.is_some());
    let client = habit.len() == HABIT && is_unusual_client(publication, &habit);
    let repository = lost_repository(subject);
    let mut evidence = Vec::new();
    let mut lost = Vec::new();
    if commit {
        lost.push("the commit");
        evidence.push(Evidence::change(
            "gitHead",
            previous.git_head.as_deref(),
            None::<&str>,
        ));
    }
    if let Some(before) = &repository {
        lost.push("the repository");
        evidence.push(Evidence::change("repository", Some(before), None::<&str>));
    }
    if client {
        lost.push("the usual client");
        evidence.push(Evidence::change(
            "_npmVersion, _nodeVersion",
            Some(client_of(previous)),
            Some(client_of(publication)),
        ));
    }
    if lost.is_empty() {
        return;
    }
    let mut finding = SIGNAL.finding(format!(
        "Published without {}, which the releases before it all had",
        lost.join(", without ")
    ));
    if !commit || lost.len() < 2 {
        finding.severity = Severity::Info;
    }
    if timeline.trust_dropped() {
        finding.group = Group::Trust;
    }
    finding.evidence = evidence;
    observation.find(finding);
}

/// The repository that the previous release named and this one does not.
fn lost_repository(subject: &Subject<'_>) -> Option<String> {
    let now = &subject.manifest().ok()?.manifest;
    let (_, previous) = subject.previous_manifest()?;
    let before = previous.manifest.repository.clone()?;
    now.repository.is_none().then_some(before)
}

/// Whether the client is one that none of the habit could be: not named where it always was, or a major
/// version older than every one of them.
fn is_unusual_client(publication: &Publication, habit: &[&Publication]) -> bool {
    type Pick = fn(&Publication) -> Option<&String>;
    let picks: [Pick; 2] = [|it| it.npm_version.as_ref(), |it| it.node_version.as_ref()];
    let major = |text: &String| Version::parse(text).ok().map(|version| version.major());
    picks.iter().any(|pick| {
        let Some(before) = habit.iter().map(|it| pick(it)).collect::<Option<Vec<_>>>() else {
            return false;
        };
        match pick(publication) {
            None => true,
            Some(now) => {
                let least = before.into_iter().filter_map(major).min();
                matches!((major(now), least), (Some(now), Some(least)) if now < least)
            }
        }
    })
}

fn client_of(publication: &Publication) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    format!(
        "npm {}, Node {}",
        shown(&publication.npm_version),
        shown(&publication.node_version)
    )
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, by_hand};
    let past = || {
        let mut scene = Scene::of("left-lib", "1.4.1");
        for (version, published) in [
            ("1.0.0", "2025-10-01T09:00:00Z"),
            ("1.1.0", "2025-11-01T09:00:00Z"),
            ("1.2.0", "2025-12-01T09:00:00Z"),
            ("1.3.0", "2026-01-01T09:00:00Z"),
            ("1.4.0", "2026-04-01T09:00:00Z"),
        ] {
            scene = scene.release(version, published, &by_hand("mara"));
        }
        scene
    };
    let last = |manifest: &str| past().release("1.4.1", "2026-06-14T09:00:00Z", manifest);
    vec![
        Sample::flagged(
            "No commit, and an older client than any before",
            last(
                r#"{"_npmUser":{"name":"mara"},"_npmVersion":"6.14.18","_nodeVersion":"14.21.3"}"#,
            ),
        ),
        Sample::flagged(
            "Neither commit nor client are named",
            last(r#"{"_npmUser":{"name":"mara"}}"#),
        ),
        Sample::passing(
            "Near miss: no commit, and the client as ever: somebody published from an archive",
            last(r#"{"_npmUser":{"name":"mara"},"_npmVersion":"10.9.0","_nodeVersion":"20.17.0"}"#),
        ),
        Sample::passing(
            "A package that never named a commit",
            Scene::of("left-lib", "1.4.1")
                .release("1.4.0", "2026-04-01T09:00:00Z", "{}")
                .release("1.4.1", "2026-06-14T09:00:00Z", "{}"),
        ),
        Sample::passing("A newer client", last(&crate::sample::from_workflow())),
    ]
}
