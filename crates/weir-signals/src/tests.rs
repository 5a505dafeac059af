//! What holds for every signal, written once.

mod bad_histories;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use weir_model::{Evidence, Finding, Severity};

use crate::sample::{Sample, Scene};
use crate::{CATALOGUE, Declaration, Input, Observation};

/// What one signal says of a sample.
fn run(signal: &Declaration, scene: &Scene) -> Observation {
    let mut observation = Observation::default();
    scene.with_subject(|subject| signal.run(subject, &mut observation));
    observation
}

/// Findings that count: those for information alone are no flag.
fn flags(observation: &Observation) -> Vec<&Finding> {
    observation
        .findings
        .iter()
        .filter(|finding| finding.severity > Severity::Info)
        .collect()
}

fn every_sample() -> impl Iterator<Item = (&'static Declaration, Sample)> {
    CATALOGUE.iter().flat_map(|signal| {
        (signal.samples)()
            .into_iter()
            .map(move |sample| (*signal, sample))
    })
}

#[test]
fn samples_are_flagged_or_pass_as_they_say() {
    let mut wrong = String::new();
    for (signal, sample) in every_sample() {
        let observation = run(signal, &sample.scene);
        let flags = flags(&observation);
        if flags.is_empty() == sample.flagged {
            let _ = writeln!(
                wrong,
                "{}: {:?} should be {}: {observation:#?}",
                signal.id,
                sample.says,
                if sample.flagged { "flagged" } else { "passed" }
            );
        }
        for finding in &observation.findings {
            assert_eq!(finding.signal, signal.id);
            assert!(
                !finding.evidence.is_empty(),
                "{}: a finding needs evidence",
                signal.id
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_signal_has_enough_samples_one_of_them_a_near_miss() {
    for signal in CATALOGUE {
        let samples = (signal.samples)();
        let (flagged, passing): (Vec<_>, Vec<_>) =
            samples.iter().partition(|sample| sample.flagged);
        assert!(flagged.len() >= 2 && passing.len() >= 2, "{}", signal.id);
        assert!(
            passing
                .iter()
                .any(|sample| sample.says.starts_with("Near miss")),
            "{} has no near miss",
            signal.id
        );
        let sentences: BTreeSet<&str> = samples.iter().map(|sample| sample.says).collect();
        assert_eq!(sentences.len(), samples.len(), "{}", signal.id);
    }
}

#[test]
fn ids_are_unique_and_never_change() {
    let ids: Vec<&str> = CATALOGUE.iter().map(|signal| signal.id).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    insta::assert_snapshot!(ids.join("\n"), @r"
    known-malware
    failed-verification
    internal-name
    broken-expectation
    known-bad-content
    credential-exfiltration
    self-publish
    download-and-run
    decoded-code
    destructive
    persistence
    agent-abuse
    package-tampering
    wallet-hook
    injected-script
    suspicious-host
    silent-process
    tls-disabled
    archive-ambiguity
    new-install-script
    shadowed-tool
    build-source
    new-flow
    new-capability
    new-obfuscation
    new-binary
    new-host
    shared-addition
    provenance-change
    trust-downgrade
    size-jump
    remote-dependency
    own-shrinkwrap
    new-dependency
    young-in-tree
    new-publisher
    maintainer-change
    throwaway-publisher
    unlike-siblings
    unusual-burst
    dormant-revival
    many-lines-patched
    odd-version
    tag-move
    replaced-release
    vanished-versions
    unusual-timing
    missing-source-marks
    manifest-mismatch
    user-rule
    near-copy
    hidden-text
    obfuscated-code
    bundled-binary
    unreadable-code
    lookalike-name
    invented-name
    young-release
    ");
}

#[test]
fn every_signal_is_documented() {
    for signal in CATALOGUE {
        let pages = [
            signal.summary,
            signal.documentation.sees,
            signal.documentation.matters,
            signal.documentation.wrong,
            signal.documentation.todo,
        ];
        assert!(pages.iter().all(|text| text.len() > 20), "{}", signal.id);
        assert!(
            signal
                .id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-'),
            "{}",
            signal.id
        );
    }
}

#[test]
fn no_file_is_missing_from_the_catalogue() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let known: BTreeSet<String> = CATALOGUE
        .iter()
        .map(|signal| format!("{}/{}", signal.layer.folder(), signal.id.replace('-', "_")))
        .collect();
    let mut found = BTreeSet::new();
    for layer in ["manifest", "history", "identity", "source", "intel"] {
        for entry in std::fs::read_dir(source.join(layer)).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let stem = file.trim_end_matches(".rs");
            if stem != "mod" {
                found.insert(format!("{layer}/{stem}"));
            }
        }
    }
    assert_eq!(found, known);
}

#[test]
fn a_missing_input_is_incomplete_rather_than_quiet() {
    for signal in CATALOGUE {
        for need in signal.needs {
            let scene =
                || Scene::of("left-lib", "1.4.1").release("1.4.1", "2025-06-01T09:00:00Z", "{}");
            let withheld = match need {
                Input::Manifest | Input::History | Input::PublishTime => scene().without_history(),
                Input::Contents => scene().without_contents(),
                // Asked for only where the contents raise a question.
                Input::PreviousContents => scene()
                    .release("1.4.0", "2025-03-01T09:00:00Z", "{}")
                    .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
                    .contents(crate::sample::abilities(&[(
                        weir_model::contents::CapabilityKind::Network,
                        "https.request",
                        weir_model::contents::Surface::Install,
                    )])),
                Input::Advisories => scene().without_advisories(),
                // Asked for only where there is somebody to compare with.
                Input::Publisher => Scene::of("@kiln/setup", "1.0.0")
                    .release("1.0.0", "2026-06-14T09:00:00Z", "{}")
                    .usual(crate::sample::siblings(
                        "@kiln",
                        &["tasks", "router", "forms", "start"],
                        "{}",
                    )),
            };
            let observation = run(signal, &withheld);
            assert!(
                observation
                    .incomplete
                    .iter()
                    .any(|incomplete| incomplete.what == need.as_str()),
                "{} without {}",
                signal.id,
                need.as_str()
            );
        }
    }
}

#[test]
fn a_release_without_publish_time_is_incomplete() {
    let observation = Scene::of("left-lib", "1.4.1")
        .release("1.4.1", "", "{}")
        .observe();
    assert!(
        observation
            .incomplete
            .iter()
            .any(|incomplete| incomplete.what == "publish time")
    );
}

#[test]
fn a_file_that_an_install_script_reaches_must_be_read() {
    let sample = (crate::source::unreadable_code::SIGNAL.samples)()
        .into_iter()
        .find(|sample| sample.says.contains("incomplete"))
        .unwrap();
    let observation = run(&crate::source::unreadable_code::SIGNAL, &sample.scene);
    assert_eq!(observation.incomplete[0].what, "setup.js");
}

#[test]
fn an_ordinary_release_is_quiet_and_complete() {
    let by_mara = crate::sample::by_hand("mara");
    let observation = Scene::of("left-lib", "1.4.1")
        .release("1.4.0", "2025-03-01T09:00:00Z", &by_mara)
        .release("1.4.1", "2025-06-01T09:00:00Z", &by_mara)
        .contents(crate::sample::tarball(
            r#"{"name":"left-lib","version":"1.4.1"}"#,
        ))
        .observe();
    assert_eq!(observation, Observation::default());
}

#[test]
fn the_previous_release_is_of_the_same_line_and_earlier() {
    let scene = |version| {
        Scene::of("left-lib", version)
            .release("1.0.0", "2024-01-01T00:00:00Z", "{}")
            .release("2.0.0", "2024-02-01T00:00:00Z", "{}")
            .release("1.0.1", "2024-03-01T00:00:00Z", "{}")
            .release("2.1.0-rc.1", "2024-04-01T00:00:00Z", "{}")
            .release("2.1.0", "2024-05-01T00:00:00Z", "{}")
            .release("3.0.0", "2024-06-01T00:00:00Z", "{}")
            .release("1.0.2", "", "{}")
    };
    let previous = |scene: Scene| {
        scene.with_subject(|subject| {
            subject
                .previous()
                .map(|previous| previous.version.to_owned())
        })
    };
    assert_eq!(previous(scene("1.0.0")), None);
    assert_eq!(previous(scene("2.0.0")).as_deref(), Some("1.0.0"));
    assert_eq!(previous(scene("1.0.1")).as_deref(), Some("1.0.0"));
    assert_eq!(previous(scene("2.1.0-rc.1")).as_deref(), Some("2.0.0"));
    // A stable release is not excused by a prerelease.
    assert_eq!(previous(scene("2.1.0")).as_deref(), Some("2.0.0"));
    assert_eq!(previous(scene("3.0.0")).as_deref(), Some("2.1.0"));
    assert_eq!(
        previous(scene("3.0.0").refused("2.1.0")).as_deref(),
        Some("2.0.0")
    );
    // Without a publish time the number decides.
    assert_eq!(previous(scene("1.0.2")).as_deref(), Some("1.0.1"));
}

#[test]
fn the_previous_tarball_is_asked_for_only_when_metadata_leaves_the_question_open() {
    use crate::sample::step;
    let compiles = || weir_model::Contents {
        install_steps: vec![step("binding.gyp", "node-gyp rebuild", &[])],
        ..weir_model::Contents::default()
    };
    let scene = |before: &str, after: &str| {
        Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", before)
            .release("1.4.1", "2026-06-01T09:00:00Z", after)
    };
    let wanted = |scene: Scene| {
        scene.with_subject(|subject| subject.wants_previous_contents().map(str::to_owned))
    };
    assert_eq!(wanted(scene("{}", "{}")), None);
    assert_eq!(
        wanted(scene("{}", "{}").contents(compiles())).as_deref(),
        Some("1.4.0")
    );
    let said = r#"{"gypfile":true}"#;
    assert_eq!(wanted(scene(said, "{}").contents(compiles())), None);
    assert_eq!(wanted(scene("{}", said).contents(compiles())), None);
    // A script that goes on to compile may stand where such a build was.
    let looks = r#"{"scripts":{"install":"node look.js || node-gyp rebuild"}}"#;
    assert_eq!(wanted(scene("{}", looks)).as_deref(), Some("1.4.0"));
    assert_eq!(wanted(scene(said, looks)), None);
}

/// Whatever the previous tarball was read for: what is new in a release that has been out for long is no news.
#[test]
fn old_releases_are_not_compared_by_their_contents() {
    use weir_model::contents::{CapabilityKind, Surface};
    let after = || crate::sample::able(Surface::Import, CapabilityKind::Process, "exec");
    for (published, compared) in [
        ("2026-06-01T09:00:00Z", true),
        ("2026-01-01T09:00:00Z", false),
    ] {
        let scene = Scene::of("left-lib", "1.4.1")
            .release("1.4.0", "2025-03-01T09:00:00Z", "{}")
            .release("1.4.1", published, "{}")
            .contents(after())
            .previous_contents(weir_model::Contents::default());
        let found = scene.with_subject(|subject| subject.comparison().is_some());
        assert_eq!(found, compared, "{published}");
    }
}

#[test]
fn findings_read_well() {
    let mut text = String::new();
    for (signal, sample) in every_sample() {
        let observation = run(signal, &sample.scene);
        let _ = writeln!(text, "# {}: {}", signal.id, sample.says);
        for finding in &observation.findings {
            render(finding, &mut text);
        }
        for incomplete in &observation.incomplete {
            let _ = writeln!(text, "incomplete {}: {}", incomplete.what, incomplete.why);
        }
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

fn render(finding: &Finding, text: &mut String) {
    let _ = writeln!(
        text,
        "{}{} {} ({} confidence): {}",
        if finding.decisive { "decisive " } else { "" },
        finding.severity,
        finding.group,
        finding.confidence.as_str(),
        finding.message
    );
    for evidence in &finding.evidence {
        let _ = match evidence {
            Evidence::Place {
                path,
                line: Some(line),
                snippet,
            } => writeln!(text, "    {path}:{line} {snippet}"),
            Evidence::Place { path, snippet, .. } => writeln!(text, "    {path} {snippet}"),
            Evidence::Change {
                field,
                previous,
                current,
            } => writeln!(text, "    {field}: {previous:?} -> {current:?}"),
        };
    }
}
