//! `size-jump`: the package is many times larger than it ever was.

use weir_model::contents::FileDigest;
use weir_model::{Confidence, Contents, Evidence, Finding, Group, Severity};

use crate::comparison::{LONG_LINE, is_leap};
use crate::past::{ENOUGH, ReleaseSize, deviation};
use crate::{
    Comparison, Declaration, Documentation, Input, Kind, Layer, Maturity, Observation, Subject,
};

/// How many times larger a release has to be than the largest of its past (DETECTION section 3,
/// rank 11).
const FACTOR: u64 = 10;

/// The same where there is too little past to know how much its sizes vary.
const FACTOR_WITHOUT_PAST: u64 = 20;

/// How far out a size has to lie, in robust standard deviations. With the least spread assumed,
/// ten times the median lies at ten.
const DEVIATIONS: f64 = 6.0;

/// Growth below this many bytes is no jump, by whatever factor: small packages double for a readme.
/// The smallest payloads on record that were put into an existing package have tens of kilobytes.
const LEAST_BYTES: u64 = 32 << 10;

/// The same for files.
const LEAST_FILES: u64 = 50;

/// A line that is this many times longer than any before.
const LINE_FACTOR: u64 = 10;

pub(crate) static SIGNAL: Declaration = Declaration {
    id: "size-jump",
    summary: "The package is many times larger than its own past, or has one enormous line",
    since: "next",
    layer: Layer::History,
    kind: Kind::Indicator,
    maturity: Maturity::Trial,
    group: Group::Shape,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    needs: &[Input::Manifest, Input::History],
    incidents: &[
        "rand-user-agent, 2025",
        "Shai-Hulud, 2025",
        "SAP cap-js, 2026",
    ],
    documentation: Documentation {
        sees: "An unpacked size or a number of files at least ten times that of every one of the last thirty \
               releases, and far outside their spread (six robust standard deviations, by median and median \
               absolute deviation of the logarithms); with little past, twenty times the previous release. Also a \
               file that runs with a line of half a megabyte or more where the longest line before was a tenth of \
               that. Both together weigh more. The past is what the registry states of it.",
        matters: "A payload that brings its own bundle is larger than the library that it hides in. The package's own \
                  past says what is usual for it, which no fixed limit could.",
        wrong: "A project changes its bundler, or begins to ship types and source maps. That mostly comes with a new \
                major version, which is reported for information.",
        todo: "See which files are new: `weir diff` lists them by size.",
    },
    observe,
    #[cfg(any(test, feature = "samples"))]
    samples,
};

fn observe(subject: &Subject<'_>, observation: &mut Observation) {
    let jump = jump_of_sizes(subject);
    let line = subject.comparison().and_then(long_line);
    let leap = subject
        .previous()
        .map(|previous| previous.version)
        .or_else(|| Some(subject.comparison()?.version.as_str()))
        .is_some_and(|previous| is_leap(previous, subject.version));
    let severity = match (&jump, &line) {
        (None, None) => return,
        (Some(_), Some(_)) => Severity::Medium,
        _ => SIGNAL.severity,
    };
    let mut findings = [jump, line].into_iter().flatten();
    let Some(mut finding) = findings.next() else {
        return;
    };
    for other in findings {
        finding.message = format!("{}; {}", finding.message, other.message);
        finding.evidence.extend(other.evidence);
    }
    finding.severity = if leap { Severity::Info } else { severity };
    observation.find(finding);
}

/// A jump of the whole: as unpacked here where that is known, else as the registry states it.
fn jump_of_sizes(subject: &Subject<'_>) -> Option<Finding> {
    let stated = subject.manifest().ok().map(ReleaseSize::of);
    let now = measured(subject.contents.known().copied()).or(stated)?;
    let before = measured(subject.previous_contents.known().copied());
    let before = before.or_else(|| Some(ReleaseSize::of(subject.previous_manifest()?.1)))?;
    let version = match subject.previous() {
        Some(previous) => previous.version,
        None => &subject.comparison()?.version,
    };
    let candidate = |now: Option<u64>, before: Option<u64>, least: u64| {
        let (now, before) = (now?, before?);
        let grown = now.saturating_sub(before) >= least;
        (grown && now >= before.saturating_mul(FACTOR)).then_some((now, before))
    };
    let bytes = candidate(now.bytes, before.bytes, LEAST_BYTES);
    let files = candidate(now.files, before.files, LEAST_FILES);
    if bytes.is_none() && files.is_none() {
        return None;
    }
    // Only now is the past worth reading.
    let past = subject.past_sizes();
    let of_past = |pick: fn(&ReleaseSize) -> Option<u64>| -> Vec<u64> {
        past.iter().filter_map(pick).collect()
    };
    let mut finding: Option<Finding> = None;
    for (what, jump, past) in [
        ("bytes unpacked", bytes, of_past(|size| size.bytes)),
        ("files", files, of_past(|size| size.files)),
    ] {
        let Some((now, before)) = jump.filter(|(now, before)| is_out(*now, *before, &past)) else {
            continue;
        };
        let message = format!(
            "{now} {what}, {before} in {version}{}",
            range_in_words(&past)
        );
        let evidence = Evidence::change(what, Some(before.to_string()), Some(now.to_string()));
        match &mut finding {
            Some(finding) => {
                finding.message = format!("{}; {message}", finding.message);
                finding.evidence.push(evidence);
            }
            None => {
                let mut one = SIGNAL.finding(message);
                one.evidence.push(evidence);
                finding = Some(one);
            }
        }
    }
    finding
}

/// What was counted while unpacking, where there was anything.
fn measured(contents: Option<&Contents>) -> Option<ReleaseSize> {
    let size = contents?.size;
    (size.files > 0).then_some(ReleaseSize {
        bytes: Some(size.bytes),
        files: Some(size.files),
    })
}

fn is_out(now: u64, before: u64, past: &[u64]) -> bool {
    if past.len() < ENOUGH {
        return now >= before.saturating_mul(FACTOR_WITHOUT_PAST);
    }
    let largest = past.iter().copied().max().unwrap_or(before);
    now >= largest.saturating_mul(FACTOR)
        && deviation(now, past).is_some_and(|deviation| deviation >= DEVIATIONS)
}

fn range_in_words(past: &[u64]) -> String {
    match (past.iter().min(), past.iter().max()) {
        (Some(least), Some(most)) if past.len() >= ENOUGH => {
            format!(" ({least} to {most} in the {} releases before)", past.len())
        }
        _ => String::new(),
    }
}

/// A line that nobody wrote, in a file that runs, where lines were short.
fn long_line(comparison: &Comparison<'_>) -> Option<Finding> {
    let difference = &comparison.difference;
    let longest_before = difference
        .before
        .files
        .iter()
        .map(|file| file.longest_line)
        .max()?;
    let changed = difference.files.changed.iter().map(|(_, after)| after);
    let file: &FileDigest = difference
        .files
        .added
        .iter()
        .chain(changed)
        .filter(|file| file.surface.is_some() && file.longest_line >= LONG_LINE)
        .max_by_key(|file| file.longest_line)?;
    if file.longest_line < longest_before.saturating_mul(LINE_FACTOR) {
        return None;
    }
    let mut finding = SIGNAL.finding(weir_model::finding::printable(
        &format!(
            "{} has a line of {} bytes; the longest line of {} had {longest_before}",
            file.path, file.longest_line, comparison.version
        ),
        400,
    ));
    finding.evidence.push(Evidence::change(
        format!("longest line of {}", file.path),
        Some(longest_before.to_string()),
        Some(file.longest_line.to_string()),
    ));
    Some(finding)
}

#[cfg(any(test, feature = "samples"))]
fn samples() -> Vec<crate::sample::Sample> {
    use crate::sample::{Sample, Scene, code, compared};
    use weir_model::contents::Surface;
    let sized = |version, sizes: &[(&'static str, &'static str, u64)], now: u64| {
        let manifest = |bytes| format!(r#"{{"dist":{{"unpackedSize":{bytes},"fileCount":9}}}}"#);
        let mut scene = Scene::of("left-lib", version);
        for (past, published, bytes) in sizes {
            scene = scene.release(past, published, &manifest(*bytes));
        }
        scene.release(version, "2026-06-01T09:00:00Z", &manifest(now))
    };
    let steady = [
        ("1.3.0", "2025-01-01T09:00:00Z", 38_000),
        ("1.3.1", "2025-03-01T09:00:00Z", 38_100),
        ("1.3.2", "2025-06-01T09:00:00Z", 40_000),
        ("1.4.0", "2026-03-01T09:00:00Z", 41_000),
    ];
    let varied = [
        ("1.3.0", "2025-01-01T09:00:00Z", 400_000),
        ("1.3.1", "2025-03-01T09:00:00Z", 38_000),
        ("1.3.2", "2025-06-01T09:00:00Z", 900_000),
        ("1.4.0", "2026-03-01T09:00:00Z", 41_000),
    ];
    let readable = || code(&[("index.js", 4_000, Some(Surface::Import))]);
    let bundle = |surface| {
        let mut contents = readable();
        let mut file = code(&[("bundle.js", 3_600_000, surface)]).files;
        file.iter_mut()
            .for_each(|file| file.longest_line = 3_600_000);
        contents.files.extend(file);
        contents
    };
    vec![
        Sample::flagged(
            "A patch is ninety times as large as any release before",
            sized("1.4.1", &steady, 3_700_000),
        ),
        Sample::flagged(
            "An enormous line in a file that runs at install time, in a package of readable files",
            compared("1.4.1", readable(), bundle(Some(Surface::Install))),
        ),
        Sample::flagged(
            "A second release that is twenty times the first",
            sized(
                "1.0.1",
                &[("1.0.0", "2026-05-01T09:00:00Z", 20_000)],
                900_000,
            ),
        ),
        Sample::passing(
            "Near miss: a package whose sizes have always varied",
            sized("1.4.1", &varied, 1_200_000),
        ),
        Sample::passing(
            "Near miss: a new major version that ships its own bundle",
            sized("2.0.0", &steady, 3_700_000),
        ),
        Sample::passing(
            "A small package that doubles for its documentation",
            sized("1.4.1", &steady, 90_000),
        ),
        Sample::passing(
            "The same enormous line as in every release",
            compared(
                "1.4.1",
                bundle(Some(Surface::Import)),
                bundle(Some(Surface::Import)),
            ),
        ),
    ]
}
