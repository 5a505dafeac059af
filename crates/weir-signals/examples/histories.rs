//! Walks the last releases of many packages as if each were new, on metadata alone: how often each
//! signal counts, and how often two kinds of evidence meet. Reads a folder of packuments:
//! `cargo run -p weir-signals --example histories -- <folder> [--list]`.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use jiff::SignedDuration;
use weir_model::Severity;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_signals::{NameIndex, Stage, Subject, observe_all};

/// Releases looked at of each package, the newest ones.
const RELEASES: usize = 30;

/// How long after its publication a release is looked at.
const DELAY: SignedDuration = SignedDuration::from_hours(1);

#[derive(Default)]
struct Counts {
    packages: usize,
    releases: usize,
    notices: usize,
    holds: usize,
    by_signal: BTreeMap<String, usize>,
    slowest: f64,
    seconds: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder of packuments")?;
    let list = arguments.next().is_some();
    let names = NameIndex::embedded()?;
    let mut counts = Counts::default();
    for entry in std::fs::read_dir(folder)? {
        let raw = std::fs::read(entry?.path())?;
        let head: serde_json::Value = serde_json::from_slice(&raw)?;
        let name = PackageName::parse(head["name"].as_str().ok_or("a packument without a name")?)?;
        drop(head);
        let packument = Packument::parse(&name, Bytes::from(raw))?;
        walk(&packument, &names, list, &mut counts);
        counts.packages += 1;
    }
    report(&counts);
    Ok(())
}

fn walk(packument: &Packument, names: &NameIndex, list: bool, counts: &mut Counts) {
    let timed: Vec<&str> = packument
        .by_publish_time()
        .into_iter()
        .filter(|version| packument.published(version).is_some())
        .collect();
    // The first release is new, not an update.
    for version in timed.iter().skip(1).rev().take(RELEASES) {
        let Some(published) = packument.published(version) else {
            continue;
        };
        let now = published.saturating_add(DELAY).unwrap_or(published);
        let mut subject = Subject::new(packument.name(), version, names, now);
        subject.packument = Stage::Known(packument);
        let start = Instant::now();
        let observation = observe_all(&subject);
        let seconds = start.elapsed().as_secs_f64();
        counts.seconds += seconds;
        counts.slowest = counts.slowest.max(seconds);
        counts.releases += 1;
        let counted: Vec<_> = observation
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Info && finding.group.is_evidence())
            .collect();
        let mut groups: Vec<_> = counted.iter().map(|finding| finding.group).collect();
        groups.sort_unstable();
        groups.dedup();
        counts.notices += usize::from(groups.len() == 1);
        counts.holds += usize::from(groups.len() > 1);
        let mut signals: Vec<&str> = counted.iter().map(|it| it.signal.as_str()).collect();
        signals.sort_unstable();
        signals.dedup();
        for signal in signals {
            *counts.by_signal.entry(signal.to_owned()).or_default() += 1;
        }
        if list {
            for finding in &observation.findings {
                if finding.group.is_evidence() {
                    println!(
                        "{}@{version} [{} groups] {} {} {}",
                        packument.name(),
                        groups.len(),
                        finding.severity,
                        finding.signal,
                        finding.message
                    );
                }
            }
        }
    }
}

fn report(counts: &Counts) {
    let per_thousand = |count: usize| count as f64 * 1000.0 / counts.releases.max(1) as f64;
    println!(
        "{} packages, {} releases: {:.1} notices and {:.1} holds per thousand; {:.0} µs each, the \
         slowest {:.1} ms",
        counts.packages,
        counts.releases,
        per_thousand(counts.notices),
        per_thousand(counts.holds),
        counts.seconds * 1e6 / counts.releases.max(1) as f64,
        counts.slowest * 1e3,
    );
    for (signal, count) in &counts.by_signal {
        println!(
            "{signal:24} {count:6} {:8.2} per thousand",
            per_thousand(*count)
        );
    }
}
