//! `known-bad-content`: content that is known to be malicious, byte for byte.

use weir_model::{Confidence, Evidence, Group, Severity};

use crate::{
    Declaration, Documentation, Input, Kind, KnownBad, Layer, Maturity, Observation, Subject,
};

/// Files listed; the rest is counted.
const LISTED: usize = 5;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "known-bad-content",
    summary: "It holds content that is known to be malicious, byte for byte",
    since: "next",
    layer: Layer::Source,
    kind: Kind::Pattern,
    maturity: Maturity::Stable,
    group: Group::Intel,
    severity: Severity::Critical,
    confidence: Confidence::High,
    needs: &[Input::Contents],
    incidents: &["klow and klown, 2021", "Shai-Hulud, 2025", "antv, 2026"],
    documentation: Documentation {
        sees: "A file with the same bytes as one that reads secrets and sends them away at install time in a \
               release that was blocked here, several files through which they went on their way out, or a release \
               whose code and install commands are all the same as those of one that was blocked. Also files that \
               the operator lists as malicious, by digest or as samples (`weir known-bad import`). What is compared \
               is what this data folder knows. What the package had long before the other one came out is its own. \
               Of what was learned here, a file that this release does not run at install time is a finding of \
               severity high, and decides nothing alone.",
        matters: "Most malicious packages are copies: the same file goes into dozens of packages, and what is \
                  taken down comes back under another name within hours.",
        wrong: "If the first refusal or the list was wrong (`weir known-bad forget` takes a digest back). Whoever \
                publishes a hostile package can put an honest file into it. So a file that only reads, or only \
                sends, or is only run is not learned, and neither counts a file that the package has had for a month \
                longer. A waiver for a release does not undo what was learned from it.",
        todo: "Treat it like the release that is named: `weir explain` shows why that one was refused. Of what was \
               listed, the finding names the list and the line.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let Some(alike) = subject.alike else { return };
    // A release is no copy of itself.
    let mut bad: Vec<&KnownBad> = alike
        .bad
        .iter()
        .filter(|bad| bad.name != subject.name.as_str() || bad.version != subject.version)
        .collect();
    bad.sort_by_key(|bad| !decides(bad));
    let Some(first) = bad.first() else { return };
    let printable = |text: &str| weir_model::finding::printable(text, 200);
    let what = match &first.path {
        Some(path) => format!("{} is", printable(path)),
        None => "all of its code is".to_owned(),
    };
    let more = match bad.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let because = match first.why.is_empty() {
        true => String::new(),
        false => format!(": {}", printable(&first.why)),
    };
    let mut finding = SIGNAL.finding(match &first.listed_in {
        Some(list) => format!(
            "{what} byte for byte content that {} lists as malicious{more}{because}",
            printable(list)
        ),
        None => format!(
            "{what} byte for byte what {}@{} was refused for{more}{because}",
            printable(&first.name),
            printable(&first.version)
        ),
    });
    finding.decisive = decides(first);
    if !finding.decisive {
        finding.severity = Severity::High;
    }
    finding.evidence = bad
        .iter()
        .take(LISTED)
        .map(|bad| {
            let path = bad.path.as_deref().unwrap_or("(all code)");
            let text = match &bad.listed_in {
                Some(list) => format!("{}, listed in {list}", bad.digest),
                None => format!("{}, in {}@{}", bad.digest, bad.name, bad.version),
            };
            Evidence::place(path, None, &text)
        })
        .collect();
    observation.find(finding);
}

/// Whether it is enough by itself: a person listed it, or it is run at install time as where it was learned. A file that
/// a hostile package had in it may lie in an honest one that only loads it.
const fn decides(bad: &KnownBad) -> bool {
    bad.listed_in.is_some() || bad.path.is_none() || bad.at_install
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::Alike;
    use crate::sample::{Sample, Scene};
    let scene = |bad: Vec<KnownBad>| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .alike(Alike {
                bad,
                ..Alike::default()
            })
    };
    let bad = |path: Option<&str>, name: &str, version: &str| KnownBad {
        path: path.map(str::to_owned),
        digest: "1f0c6b7a3e5d49c2b8a7f6e5d4c3b2a1".to_owned(),
        listed_in: None,
        name: name.to_owned(),
        version: version.to_owned(),
        why: "the whole environment is sent away by a web request at install time".to_owned(),
        at_install: true,
    };
    vec![
        Sample::flagged(
            "The file that stole in another package",
            scene(vec![bad(Some("setup.js"), "right-lib", "2.0.1")]),
        ),
        Sample::flagged(
            "A refused package under a new name",
            scene(vec![bad(None, "right-lib", "2.0.1")]),
        ),
        Sample::flagged(
            "A file that the operator's list names",
            scene(vec![KnownBad {
                listed_in: Some("worms.txt:12".to_owned()),
                why: "a worm of 2025".to_owned(),
                at_install: false,
                ..bad(Some("bundle.js"), "", "")
            }]),
        ),
        Sample::flagged(
            "A file that stole elsewhere, in a package that does not run it at install time",
            scene(vec![KnownBad {
                at_install: false,
                ..bad(Some("lib/report.js"), "right-lib", "2.0.1")
            }]),
        ),
        Sample::passing(
            "Near miss: the release itself, looked at once more",
            scene(vec![bad(Some("setup.js"), "left-lib", "1.4.1")]),
        ),
        Sample::passing("Nothing that was refused before", scene(Vec::new())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Alike;
    use crate::sample::Scene;

    #[test]
    fn what_was_learned_here_decides_where_it_is_run_at_install_time() {
        let bad = |path: Option<&str>, listed: Option<&str>, at_install| KnownBad {
            path: path.map(str::to_owned),
            digest: "1f0c6b7a3e5d49c2b8a7f6e5d4c3b2a1".to_owned(),
            listed_in: listed.map(str::to_owned),
            name: if listed.is_some() { "" } else { "right-lib" }.to_owned(),
            version: String::new(),
            why: String::new(),
            at_install,
        };
        let loaded = || bad(Some("a.js"), None, false);
        for (bad, decisive) in [
            (vec![loaded()], false),
            (vec![bad(Some("a.js"), None, true)], true),
            (vec![bad(Some("a.js"), Some("worms.txt:1"), false)], true),
            (vec![bad(None, None, false)], true),
            // The one that decides is told first.
            (vec![loaded(), bad(Some("b.js"), None, true)], true),
        ] {
            let scene = Scene::of("left-lib", "1.4.1")
                .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
                .alike(Alike {
                    bad: bad.clone(),
                    ..Alike::default()
                });
            let mut found = scene.observe().findings;
            found.retain(|finding| finding.signal == SIGNAL.id);
            let [finding] = found.as_slice() else {
                panic!("{found:?}");
            };
            assert_eq!(finding.decisive, decisive, "{bad:?}");
            assert_eq!(finding.severity == Severity::Critical, decisive, "{bad:?}");
        }
    }
}
