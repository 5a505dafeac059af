//! `unreadable-code`: code that could not be analysed, and looks made so.

use weir_model::contents::Unread;
use weir_model::{Confidence, Contents, Evidence, Group, Incomplete, Severity};

use crate::{Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject};

/// Files listed per finding; the rest is counted.
const LISTED: usize = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "unreadable-code",
    summary: "Code that could not be analysed, in a way that ordinary packages do not give",
    since: "0.1.0",
    layer: Layer::Source,
    kind: Kind::Indicator,
    maturity: Maturity::Stable,
    group: Group::Code,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    needs: &[Input::Contents],
    incidents: &[],
    documentation: Documentation {
        sees: "Files that the analyser gave up on. Where the reason is one that ordinary packages do not give \
               (built to break parsers, a `.js` file that is not text), it is a finding, and a graver one if an \
               install script reaches the file. Where it is an ordinary one (too large, a kind of file that is not \
               kept), it is mentioned; but if an install script reaches the file, the assessment is incomplete, and \
               code that whoever imports or calls the package runs counts as the former.",
        matters: "Giving up in silence would be an invitation: payloads of several megabytes on one line are \
                  normal attacker output, and so is nesting that exhausts a parser.",
        wrong: "Generated parsers and huge tables can be as deep and as large as an attack on a parser, and a few \
                bundles are larger than the 16 MiB that are parsed.",
        todo: "Look at the named file by hand, or at what its install script does with it. If it is data, its \
               name should say so.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(contents) = subject.contents.known() else {
        return;
    };
    let (mut hostile, mut odd, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for unread in &contents.unread {
        match (unread.suspicious, runs_at_install(contents, &unread.path)) {
            (true, true) => hostile.push(unread),
            (true, false) => odd.push(unread),
            (false, true) => observation.incomplete(Incomplete {
                what: unread.path.clone(),
                why: format!("{}, and it runs at install time", unread.why),
            }),
            (false, false) => plain.push(unread),
        }
    }
    report(
        observation,
        &hostile,
        Severity::High,
        "runs at install time and cannot be read",
    );
    report(observation, &odd, SIGNAL.severity, "cannot be read");
    report(observation, &plain, Severity::Info, "was not analysed");
}

/// Whether an install step reaches the path.
fn runs_at_install(contents: &Contents, path: &str) -> bool {
    contents
        .install_steps
        .iter()
        .any(|step| step.reaches.iter().any(|reached| reached == path))
}

fn report(observation: &mut Observation, unread: &[&Unread], severity: Severity, what: &str) {
    let Some(first) = unread.first() else {
        return;
    };
    let more = match unread.len() {
        1 => String::new(),
        count => format!("; so it is with {} more", count - 1),
    };
    let path = weir_model::finding::printable(&first.path, 200);
    // Parts of the analysis end early for what is large; that is no file.
    let what = match first.path.as_str() {
        "value flow" => "was followed in part",
        _ if first.is_evaluated() && severity == Severity::Info => "was read",
        _ => what,
    };
    let mut finding = SIGNAL.finding(format!("{path} {what}: {}{more}", first.why));
    finding.severity = severity;
    finding.evidence = unread
        .iter()
        .take(LISTED)
        .map(|unread| Evidence::place(&unread.path, None, &unread.why))
        .collect();
    observation.find(finding);
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, step};
    let scene = |path: &str, why: &str, suspicious: bool, reaches: &[&str]| {
        let contents = Contents {
            install_steps: if reaches.is_empty() {
                Vec::new()
            } else {
                vec![step("postinstall", "node setup.js", reaches)]
            },
            unread: vec![Unread {
                path: path.to_owned(),
                why: why.to_owned(),
                suspicious,
            }],
            ..Contents::default()
        };
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(contents)
    };
    vec![
        Sample::flagged(
            "An install script reaches code nested beyond any parser",
            scene(
                "setup.js",
                "nested more than 512 levels deep",
                true,
                &["setup.js"],
            ),
        ),
        Sample::flagged(
            "A .js file that is no text, which nothing in the package runs",
            scene("lib/table.js", "not text, in a .js file", true, &[]),
        ),
        Sample::passing(
            "An install script that reaches a file that was too large: incomplete, not suspicious",
            scene("setup.js", "larger than 32 MiB", false, &["setup.js"]),
        ),
        Sample::passing(
            "Near miss: a large file of data that nothing runs",
            scene("data/words.js", "larger than 32 MiB", false, &[]),
        ),
    ]
}
