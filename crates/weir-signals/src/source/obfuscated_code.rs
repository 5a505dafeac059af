//! `obfuscated-code`: code is packed or obfuscated.

use weir_model::contents::{Contents, Obfuscated, Surface};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::settled::is_settled;
use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Files listed per finding; the rest is counted.
const LISTED: usize = 5;

/// Criteria named in the message.
const NAMED: usize = 2;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "obfuscated-code",
    summary: "Code is packed or obfuscated",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::High,
    needs: &[Input::Contents],
    incidents: &["chalk and debug, 2025", "rspack, 2024", "is, 2025"],
    documentation: Documentation {
        sees: "What can be counted and minifiers do not do: strings in an array that is turned until an equation \
               holds, or behind a decoder of its own; letters written as escapes; names that are hexadecimal \
               numbers; words put together from parts; loops over a switch in an order that a string holds; \
               programs made of six characters; packers; files that are little else than text to decode and \
               evaluate. The criteria that were met are named with their values.",
        matters: "Code that is published for others to use has nothing to hide from them. Of the attacks on \
                  record, most of those that did not hide in an install command were obfuscated.",
        wrong: "Some vendors obfuscate what they sell, in every release. If the release before was obfuscated \
                too, this is only mentioned. The same holds for popular packages whose release has been out for a \
                month. Tools that take obfuscated code apart meet a single criterion, which weighs less than two. \
                Minified code is not obfuscated, and neither are tables, WebAssembly \
                in base64 or source maps.",
        todo: "Ask why it is there. If nobody can say, do not run it.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let before = subject.previous_contents.known().copied();
    let always = before.is_some_and(|before| !before.obfuscated.is_empty());
    let settled = is_settled(subject);
    let mut weighed: Vec<(Severity, &Obfuscated)> = contents
        .obfuscated
        .iter()
        .map(|one| (weigh(one, always || settled), one))
        .collect();
    weighed.sort_by_key(|(severity, one)| (std::cmp::Reverse(*severity), one.surface));
    for group in weighed.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((severity, first)) = group.first() else {
            continue;
        };
        let mut finding = SIGNAL.finding(message(first, group.len(), before));
        finding.severity = *severity;
        finding.evidence = group
            .iter()
            .take(LISTED)
            .map(|(_, one)| {
                let place = &one.place;
                Evidence::place(&place.path, Some(place.line), &place.snippet)
            })
            .collect();
        observation.find(finding);
    }
}

fn weigh(one: &Obfuscated, always: bool) -> Severity {
    match one.surface {
        Surface::Install => Severity::High,
        _ if always => Severity::Info,
        // One criterion alone is also met by tools that take obfuscated code apart.
        _ if one.criteria.len() < 2 => match one.surface {
            Surface::Unreferenced => Severity::Low,
            _ => Severity::Medium,
        },
        Surface::Import | Surface::Command | Surface::Worker => Severity::High,
        Surface::Unreferenced => Severity::Low,
    }
}

fn message(first: &Obfuscated, count: usize, before: Option<&Contents>) -> String {
    let path = weir_model::finding::printable(&first.place.path, 200);
    let when = match first.surface {
        Surface::Install => "runs at install time",
        Surface::Import => "runs on import",
        Surface::Command => "runs as a command",
        Surface::Worker => "runs beside other code of the package",
        Surface::Unreferenced => "is not reached from any entry",
    };
    let criteria: Vec<String> = first
        .criteria
        .iter()
        .take(NAMED)
        .map(|one| weir_model::finding::printable(one, 120))
        .collect();
    let more = match count {
        1 => String::new(),
        count => format!(" (and {} more such files)", count - 1),
    };
    let history = match before {
        Some(before) if before.obfuscated.is_empty() => "; the release before was not obfuscated",
        Some(_) => "; the release before was obfuscated too",
        None => "",
    };
    format!(
        "{path} {when} and is obfuscated: {}{more}{history}",
        criteria.join("; ")
    )
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, place};
    let contents = |surface| Contents {
        obfuscated: vec![Obfuscated {
            place: place("lib/index.js", 1, "var _0x4e2c=['W7ldTmk','C2v0sxrL'];"),
            surface,
            criteria: vec![
                "an array of strings that is turned until an equation of parseInt holds".to_owned(),
                "412 names that are hexadecimal numbers (_0x…)".to_owned(),
            ],
            bytes: 30_412,
        }],
        ..Contents::default()
    };
    let scene = || {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", "{}")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
    };
    vec![
        Sample::flagged(
            "An install script that is obfuscated",
            scene().contents(contents(Surface::Install)),
        ),
        Sample::flagged(
            "A library that was readable in the release before",
            scene()
                .contents(contents(Surface::Import))
                .previous_contents(Contents::default()),
        ),
        Sample::passing(
            "Near miss: a vendor whose releases were always obfuscated",
            scene()
                .contents(contents(Surface::Import))
                .previous_contents(contents(Surface::Import)),
        ),
        Sample::passing(
            "A minified bundle, which is not obfuscated",
            scene().contents(Contents::default()),
        ),
    ]
}
