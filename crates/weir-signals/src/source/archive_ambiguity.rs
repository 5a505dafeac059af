//! `archive-ambiguity`: extractors may disagree on what the tarball holds.

use weir_model::contents::Violation;
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Places listed per finding; the rest is counted.
const LISTED: usize = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "archive-ambiguity",
    summary: "Extractors may disagree on what the tarball holds",
    since: "0.1.0",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Shape,
    severity: Severity::High,
    confidence: Confidence::High,
    needs: &[Input::Contents],
    incidents: &[],
    documentation: Documentation {
        sees: "Archive structure that the extractors of npm, pnpm, yarn and bun may read in different ways: \
               entries after the end mark, headers with wrong checksums, data after the compressed stream, \
               the same path twice, or two names of one file on macOS and Windows of which a hook runs one. Oddities \
               that all of them read alike are mentioned without weight.",
        matters: "What one reader sees and another does not is a place to hide files in: a scanner looks at one \
                  archive, and the client installs another.",
        wrong: "Ordinary publishing tools do not make such archives. A home-made packer might.",
        todo: "Do not install it. If it is your own package, pack it again with a current `npm pack`.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let (ambiguous, odd): (Vec<&Violation>, Vec<&Violation>) = contents
        .violations
        .iter()
        .partition(|violation| violation.ambiguous);
    if let Some(first) = ambiguous.first() {
        let mut finding = SIGNAL.finding(format!(
            "extractors may disagree on what this tarball holds: {}{}",
            in_words(first),
            more(ambiguous.len())
        ));
        finding.decisive = true;
        finding.evidence = evidence(&ambiguous);
        observation.find(finding);
    }
    if let Some(first) = odd.first() {
        let mut finding = SIGNAL.finding(format!(
            "the tarball is unusual: {}{}",
            in_words(first),
            more(odd.len())
        ));
        finding.severity = Severity::Info;
        finding.evidence = evidence(&odd);
        observation.find(finding);
    }
}

/// What it is about, which rule it breaks, and what was seen: details alone have no subject.
fn in_words(violation: &Violation) -> String {
    let about = violation.path.as_deref().unwrap_or("the archive");
    let about = weir_model::finding::printable(about, 200);
    format!("{about}, {}: {}", violation.rule, violation.detail)
}

fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        _ => format!(" (and {} more)", count - 1),
    }
}

fn evidence(violations: &[&Violation]) -> Vec<Evidence> {
    violations
        .iter()
        .take(LISTED)
        .map(|violation| {
            let path = violation.path.as_deref().unwrap_or("(the archive)");
            Evidence::place(
                path,
                None,
                &format!("{}: {}", violation.rule, violation.detail),
            )
        })
        .collect()
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene};
    use weir_model::Contents;
    let scene = |violations: &[(&str, Option<&str>, &str, bool)]| {
        let violations = violations
            .iter()
            .map(|(rule, path, detail, ambiguous)| Violation {
                rule: (*rule).to_owned(),
                path: path.map(str::to_owned),
                detail: (*detail).to_owned(),
                ambiguous: *ambiguous,
            })
            .collect();
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(Contents {
                violations,
                ..Contents::default()
            })
    };
    vec![
        Sample::flagged(
            "Entries after the block that ends the archive for some readers",
            scene(&[(
                "entry-after-end",
                Some("lib/extra.js"),
                "an entry follows a zero block",
                true,
            )]),
        ),
        Sample::flagged(
            "The same path twice, among harmless oddities",
            scene(&[
                ("old-header", None, "pre-POSIX header", false),
                (
                    "duplicate-path",
                    Some("index.js"),
                    "index.js occurs 2 times",
                    true,
                ),
            ]),
        ),
        Sample::passing(
            "Near miss: an oddity that every extractor reads alike",
            scene(&[(
                "global-header",
                None,
                "a global pax header, ignored by all",
                false,
            )]),
        ),
        Sample::passing("An ordinary tarball", scene(&[])),
    ]
}
