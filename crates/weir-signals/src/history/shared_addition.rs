//! `shared-addition`: several packages of one owner gained the same file within hours.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use weir_model::contents::{FileDigest, Surface};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{
    Comparison, Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Sibling,
    Subject,
};

/// Publishes further apart than this are no burst. Worms and takeovers of whole scopes were done
/// within hours (INCIDENTS I22, I43).
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Packages, this one among them, that have to have gained the file.
const PACKAGES: usize = 3;

/// Files below this many bytes are boilerplate: helpers and re-exports that build tools put into
/// every package of a repository.
const LEAST_BYTES: u64 = 1_000;

/// Siblings named in the evidence; the rest is counted.
const LISTED: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "shared-addition",
    summary: "Several packages of one owner gained the same file within hours",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Contents, Input::History, Input::PreviousContents],
    incidents: &[
        "@react-native-aria, 2025",
        "Shai-Hulud, 2025",
        "@toptal/picasso, 2025",
    ],
    documentation: Documentation {
        sees: "A file with code that runs, of a thousand bytes or more, that this release has and the previous one \
               has not, and that releases of at least two other packages of the same scope or publisher, published \
               within a day of it, added byte for byte. What this weir has assessed lately is all it knows of \
               siblings. It weighs more where the file runs at install time or is obfuscated.",
        matters: "Worms and stolen accounts put one payload into everything they can publish. Each release by itself \
                  may look like growth; that the growth is the same everywhere does not.",
        wrong: "A repository of many packages changes its build, and each of them gains the same helper. That is why \
                it counts little by itself.",
        todo: "Read the file once; it is the same in all of them. If it does not belong there, none of these releases \
               should be installed.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let (Some(comparison), Some(published)) = (subject.comparison(), subject.out_since()) else {
        return;
    };
    let near: Vec<&Sibling> = subject
        .siblings
        .iter()
        .filter(|sibling| {
            sibling.name != subject.name.as_str()
                && sibling.published.duration_since(published).abs() <= WINDOW
        })
        .collect();
    let mut files = comparison.difference.files.added.clone();
    files.retain(|file| {
        file.bytes >= LEAST_BYTES && !matches!(file.surface, None | Some(Surface::Unreferenced))
    });
    files.sort_by_key(|file| std::cmp::Reverse(weigh(comparison, file)));
    for file in files {
        let sharing: BTreeSet<(&str, &str)> = near
            .iter()
            .filter(|sibling| sibling.added.iter().any(|it| it.digest == file.digest))
            .map(|sibling| (sibling.name.as_str(), sibling.version.as_str()))
            .collect();
        let packages: BTreeSet<&str> = sharing.iter().map(|(name, _)| *name).collect();
        if packages.len() + 1 < PACKAGES {
            continue;
        }
        let mut finding = SIGNAL.finding(weir_model::finding::printable(
            &format!(
                "{} is new, and {} other packages of the same owner gained the same file within a day",
                file.path,
                packages.len()
            ),
            400,
        ));
        finding.severity = weigh(comparison, file);
        let about = format!("{} bytes, sha256 {}…", file.bytes, file.digest);
        finding
            .evidence
            .push(Evidence::place(&file.path, None, &about));
        finding
            .evidence
            .extend(sharing.iter().take(LISTED).map(|(name, version)| {
                Evidence::change(
                    format!("{name}@{version}"),
                    None::<&str>,
                    Some(&file.digest),
                )
            }));
        observation.find(finding);
        // One file says it all.
        return;
    }
}

fn weigh(comparison: &Comparison<'_>, file: &FileDigest) -> Severity {
    let obfuscated = comparison
        .difference
        .after
        .obfuscated
        .iter()
        .any(|it| it.place.path == file.path);
    if obfuscated || file.surface == Some(Surface::Install) {
        Severity::Medium
    } else {
        SIGNAL.severity
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, code, compared, sibling};
    let readable = || code(&[("index.js", 4_000, Some(Surface::Import))]);
    let with = |path, bytes, surface| {
        let mut contents = readable();
        contents
            .files
            .extend(code(&[(path, bytes, Some(surface))]).files);
        contents
    };
    let payload = |at| sibling("left-pane", "2.0.1", at, &[("setup.js", 60_000)]);
    let other = |at| sibling("left-menu", "0.9.4", at, &[("setup.js", 60_000)]);
    let scene = || {
        compared(
            "1.4.1",
            readable(),
            with("setup.js", 60_000, Surface::Install),
        )
    };
    vec![
        Sample::flagged(
            "Three packages of one publisher gain the same install script within an hour",
            scene()
                .sibling(payload("2026-06-01T08:40:00Z"))
                .sibling(other("2026-06-01T09:20:00Z")),
        ),
        Sample::flagged(
            "The same file on import, hours apart",
            compared(
                "1.4.1",
                readable(),
                with("setup.js", 60_000, Surface::Import),
            )
            .sibling(payload("2026-06-01T01:00:00Z"))
            .sibling(other("2026-06-01T20:00:00Z")),
        ),
        Sample::passing(
            "Near miss: one sibling alone gained it",
            scene().sibling(payload("2026-06-01T08:40:00Z")),
        ),
        Sample::passing(
            "Near miss: the previous release had the file already",
            compared(
                "1.4.1",
                with("setup.js", 60_000, Surface::Install),
                with("setup.js", 60_000, Surface::Install),
            )
            .sibling(payload("2026-06-01T08:40:00Z"))
            .sibling(other("2026-06-01T09:20:00Z")),
        ),
        Sample::passing(
            "Siblings gained it months ago",
            scene()
                .sibling(payload("2026-01-01T08:40:00Z"))
                .sibling(other("2026-01-01T09:20:00Z")),
        ),
        Sample::passing(
            "A helper of a few lines that a build tool puts into each package",
            compared(
                "1.4.1",
                readable(),
                with("runtime.js", 400, Surface::Import),
            )
            .sibling(sibling(
                "left-pane",
                "2.0.1",
                "2026-06-01T08:40:00Z",
                &[("runtime.js", 400)],
            ))
            .sibling(sibling(
                "left-menu",
                "0.9.4",
                "2026-06-01T08:41:00Z",
                &[("runtime.js", 400)],
            )),
        ),
    ]
}
