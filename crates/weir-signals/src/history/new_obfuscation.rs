//! `new-obfuscation`: code that could be read cannot be read any more.

use weir_model::contents::{HiddenText, Obfuscated, Surface};
use weir_model::{Confidence, Contents, Evidence, Group, Severity};

use crate::comparison::{at, of_hidden, of_obfuscated};
use crate::{
    Comparison, Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject,
};

/// Files shown per finding; the rest is counted.
const LISTED: usize = 4;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "new-obfuscation",
    summary: "Code is obfuscated or text is hidden where the previous release had neither",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Code,
    severity: Severity::Medium,
    confidence: Confidence::High,
    needs: &[Input::Contents, Input::History, Input::PreviousContents],
    incidents: &[
        "rand-user-agent, 2025",
        "@react-native-aria, 2025",
        "chalk and debug, 2025",
        "Shai-Hulud, 2025",
    ],
    documentation: Documentation {
        sees: "A file that is packed or obfuscated (decoder functions over a table of strings, large encoded \
               blobs and the like; minified code is neither), or text that a reader does not see (code pushed off \
               the screen, controls that turn the reading order, characters without width), in a file that was not \
               so before, of a package that is not obfuscated as a whole. It weighs most where the code runs at \
               install time.",
        matters: "Obfuscation is how a payload gets past a reader, and reading is all that stands between a stolen \
                  release and those who install it. A project that publishes readable code has no reason to begin.",
        wrong: "Commercial packages obfuscate what they ship, and some begin to. Those that always did stay quiet.",
        todo: "Do not run it. Ask the project whether it is theirs; until then use the release before.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(comparison) = subject.comparison() else {
        return;
    };
    obfuscated(comparison, observation);
    hidden(comparison, observation);
}

fn obfuscated(comparison: &Comparison<'_>, observation: &mut Observation) {
    let before = comparison.difference.before;
    if is_obfuscated_throughout(before) {
        return;
    }
    let as_large = |file: &Obfuscated| {
        // The same file under another name, as bundlers give names by content.
        before.obfuscated.iter().any(|old| {
            old.surface.covers(file.surface) && old.bytes.abs_diff(file.bytes) <= old.bytes / 4
        })
    };
    let mut files: Vec<(Severity, &Obfuscated)> = comparison
        .difference
        .obfuscated
        .added
        .iter()
        .filter(|file| !as_large(file))
        .map(|file| (comparison.weigh(of_obfuscated(file)), *file))
        .collect();
    files.sort_by_key(|(severity, file)| (std::cmp::Reverse(*severity), file.surface));
    let Some((severity, first)) = files.first() else {
        return;
    };
    let criteria = first.criteria.iter().take(3).cloned().collect::<Vec<_>>();
    let mut finding = SIGNAL.finding(format!(
        "{} is obfuscated and runs {} ({}){}; {} was readable",
        printable(&first.place.path),
        first.surface.in_words(),
        printable(&criteria.join(", ")),
        more(files.len()),
        comparison.version
    ));
    finding.severity = *severity;
    finding.evidence = files
        .iter()
        .take(LISTED)
        .map(|(_, file)| at(&file.place))
        .collect();
    observation.find(finding);
}

/// Whether at least half of the code that runs was obfuscated.
fn is_obfuscated_throughout(contents: &Contents) -> bool {
    let obfuscated: u64 = contents.obfuscated.iter().map(|file| file.bytes).sum();
    let reached: u64 = contents
        .files
        .iter()
        .filter(|file| !matches!(file.surface, None | Some(Surface::Unreferenced)))
        .map(|file| file.bytes)
        .sum();
    let code = match reached {
        0 => contents.size.javascript_bytes,
        reached => reached,
    };
    obfuscated > 0 && obfuscated.saturating_mul(2) >= code
}

fn hidden(comparison: &Comparison<'_>, observation: &mut Observation) {
    let before = comparison.difference.before;
    let mut texts: Vec<(Severity, &HiddenText)> = comparison
        .difference
        .hidden
        .added
        .iter()
        // A library about such text has more than one table of it.
        .filter(|text| before.hidden.iter().all(|old| old.kind != text.kind))
        .map(|text| (comparison.weigh(of_hidden(text)), *text))
        .filter(|(severity, _)| *severity > Severity::Info)
        .collect();
    texts.sort_by_key(|(severity, text)| (std::cmp::Reverse(*severity), text.kind));
    let Some((severity, first)) = texts.first() else {
        return;
    };
    let mut finding = SIGNAL.finding(format!(
        "{}:{} has {} ({} characters){}; {} had none",
        printable(&first.place.path),
        first.place.line,
        first.kind.in_words(),
        first.length,
        more(texts.len()),
        comparison.version
    ));
    finding.severity = *severity;
    finding.evidence = texts
        .iter()
        .take(LISTED)
        .map(|(_, text)| at(&text.place))
        .collect::<Vec<Evidence>>();
    observation.find(finding);
}

fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!(", and {} more files", count - 1),
    }
}

fn printable(text: &str) -> String {
    weir_model::finding::printable(text, 160)
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, code, compared, place};
    use weir_model::contents::HiddenKind;
    let readable = || code(&[("index.js", 4_000, Some(Surface::Import))]);
    let with = |path: &'static str, bytes, surface| {
        let mut contents = readable();
        contents
            .files
            .extend(code(&[(path, bytes, Some(surface))]).files);
        contents.obfuscated.push(Obfuscated {
            place: place(path, 1, "const _0x1a2b = ['\\x61', '\\x62'];"),
            surface,
            criteria: vec!["a decoder over a table of 212 strings".to_owned()],
            bytes,
        });
        contents
    };
    let unseen = |surface| {
        let mut contents = readable();
        contents.hidden.push(HiddenText {
            kind: HiddenKind::OffScreen,
            place: place("index.js", 12, "}; … global['x']=require"),
            length: 840,
            surface,
        });
        contents
    };
    vec![
        Sample::flagged(
            "A patch of a readable package adds an obfuscated file that runs on import",
            compared(
                "1.4.1",
                readable(),
                with("lib/core.js", 76_000, Surface::Import),
            ),
        ),
        Sample::flagged(
            "An obfuscated install script appears",
            compared(
                "1.4.1",
                readable(),
                with("setup.js", 480_000, Surface::Install),
            ),
        ),
        Sample::flagged(
            "Code behind a run of white space in a file that is imported",
            compared("1.4.1", readable(), unseen(Some(Surface::Import))),
        ),
        Sample::passing(
            "Near miss: a commercial package that has always been obfuscated adds a file",
            compared(
                "1.4.1",
                with("dist/core.js", 400_000, Surface::Import),
                with("dist/extra.js", 90_000, Surface::Import),
            ),
        ),
        Sample::passing(
            "A bundler gives the one obfuscated file another name",
            compared(
                "1.4.1",
                with("dist/chunk-a1.js", 3_000, Surface::Import),
                with("dist/chunk-b2.js", 3_100, Surface::Import),
            ),
        ),
        Sample::passing(
            "The same white space in a file that nothing leads to",
            compared("1.4.1", readable(), unseen(None)),
        ),
    ]
}
