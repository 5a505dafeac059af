//! `hidden-text`: code holds text that a reader does not see.

use weir_model::contents::{HiddenKind, HiddenText, Surface};
use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Places listed per finding; the rest is counted.
const LISTED: usize = 5;

/// Columns beyond which no screen shows anything; less is judged by the file's own style, and such
/// judgement may err.
const OFF_SCREEN: u32 = 400;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "hidden-text",
    summary: "Code holds text that a reader does not see",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::High,
    confidence: Confidence::High,
    needs: &[Input::Contents],
    incidents: &[
        "rand-user-agent, 2025",
        "react-native-aria, 2025",
        "GlassWorm, 2026",
    ],
    documentation: Documentation {
        sees: "Code behind so much white space that no screen shows it: 400 columns or more, or at least 120 where \
               a finished statement stands before it and the file has no other such line. Bidi controls that are \
               opened and not closed on their line, so that it reads in another order than it runs. Runs of at \
               least 16 characters without width, or of variation selectors or tags, which carry bytes, or many \
               short runs of these behind plain letters. Names made of letters that have no shape.",
        matters: "There is no reason to hide code from the people who read it but one. Several attacks on record \
                  stood in plain sight, to the right of the screen.",
        wrong: "Emoji, joiners in names, marks for right-to-left text in pairs, and indentation stay below the \
                limits. Test data for Unicode may exceed them; where nothing leads to the file, the finding weighs \
                less.",
        todo: "Open the named line in an editor that wraps lines and shows invisible characters. The snippet shows \
               them as escapes.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let mut weighed: Vec<(Severity, HiddenKind, &HiddenText)> = contents
        .hidden
        .iter()
        .map(|hidden| (weigh(hidden), hidden.kind, hidden))
        .collect();
    weighed.sort_by_key(|(severity, kind, _)| (std::cmp::Reverse(*severity), *kind));
    for group in weighed.chunk_by(|(a, b, _), (c, d, _)| a == c && b == d) {
        let Some((severity, _, first)) = group.first() else {
            continue;
        };
        let more = match group.len() {
            1 => String::new(),
            2 => " (and 1 more such place)".to_owned(),
            count => format!(" (and {} more such places)", count - 1),
        };
        let path = weir_model::finding::printable(&first.place.path, 200);
        let mut finding = SIGNAL.finding(format!("{path} {}{more}", in_words(first)));
        finding.severity = *severity;
        finding.evidence = group
            .iter()
            .take(LISTED)
            .map(|(_, _, hidden)| {
                let place = &hidden.place;
                Evidence::place(&place.path, Some(place.line), &place.snippet)
            })
            .collect();
        observation.find(finding);
    }
}

fn weigh(hidden: &HiddenText) -> Severity {
    let runs = match hidden.surface {
        Some(Surface::Install) => 2,
        Some(Surface::Unreferenced) | None => 0,
        Some(_) => 1,
    };
    let plain = match hidden.kind {
        HiddenKind::OffScreen => hidden.length >= OFF_SCREEN,
        HiddenKind::VariationSelectors | HiddenKind::Invisible => true,
        HiddenKind::Bidi => false,
    };
    match (plain, runs) {
        (_, 1..) => Severity::High,
        (true, _) => Severity::Medium,
        (false, _) => Severity::Low,
    }
}

fn in_words(hidden: &HiddenText) -> String {
    let length = hidden.length;
    match hidden.kind {
        HiddenKind::OffScreen => format!("has code behind {length} columns of white space"),
        HiddenKind::Bidi => {
            "has controls that make a line read in another order than it runs".to_owned()
        }
        HiddenKind::Invisible if length == 1 => {
            "has names made of letters without a shape".to_owned()
        }
        HiddenKind::Invisible => format!("has a run of {length} characters without width"),
        HiddenKind::VariationSelectors => {
            format!("has {length} variation selectors or tags, which carry bytes unseen")
        }
    }
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, place};
    use weir_model::Contents;
    let scene = |hidden: Vec<HiddenText>| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(Contents {
                hidden,
                ..Contents::default()
            })
    };
    let hidden = |kind, length, surface, snippet: &str| HiddenText {
        kind,
        place: place("lib/index.js", 12, snippet),
        length,
        surface,
    };
    vec![
        Sample::flagged(
            "A statement 900 columns to the right, in code that runs on import",
            scene(vec![hidden(
                HiddenKind::OffScreen,
                900,
                Some(Surface::Import),
                "module.exports = pick;[900 of white space]global['r']=require;",
            )]),
        ),
        Sample::flagged(
            "A string of variation selectors in an install script",
            scene(vec![hidden(
                HiddenKind::VariationSelectors,
                4_096,
                Some(Surface::Install),
                "decode('\\u{e0133}\\u{e0100}…')",
            )]),
        ),
        Sample::flagged(
            "A line that reads in another order than it runs",
            scene(vec![hidden(
                HiddenKind::Bidi,
                3,
                Some(Surface::Command),
                "if (level != 'user\\u{202e} \\u{2066}// admins only\\u{2069} \\u{2066}')",
            )]),
        ),
        Sample::passing(
            "Near miss: an emoji of a family, a flag of a region and a joiner, which stay below the limits",
            scene(Vec::new()),
        ),
        Sample::passing("An ordinary release", scene(Vec::new())),
    ]
}
