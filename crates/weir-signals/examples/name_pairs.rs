//! What the signal `lookalike-name` makes of the labelled pairs in `corpus/names.tsv`:
//! `cargo run --release -p weir-signals --example name_pairs [-- --list]`. Every name is looked at as the
//! first release of a package that is an hour old, once without a repository, once with a repository of its
//! own name, which is the benign reason that a new package can have, and once with both that and three
//! packages of others that depend on it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use weir_model::Severity;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_signals::{Dependents, NameIndex, Stage, Subject, observe_all};

const PAIRS: &str = include_str!("../../../corpus/names.tsv");

/// Counts of one label.
#[derive(Default)]
struct Counts {
    pairs: usize,
    /// Some reading was found, the named target among the readings.
    any: usize,
    target: usize,
    /// Counted as evidence: without a repository, with one of its own name, with dependents too; and as
    /// medium or more with a repository, with dependents too.
    alone: usize,
    filtered: usize,
    used: usize,
    medium: usize,
    used_medium: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let list = std::env::args().any(|argument| argument == "--list");
    let pairs: Vec<Vec<&str>> = PAIRS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
        .collect();
    let asked: BTreeSet<&str> = pairs
        .iter()
        .filter_map(|pair| pair.get(1).copied())
        .collect();
    let popular: Vec<String> = include_str!("../data/popular.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !asked.contains(line))
        .map(str::to_owned)
        .collect();
    let index = NameIndex::from_names(&popular)?;
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut kinds: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
    for pair in &pairs {
        let [label, name, target, source] = pair.as_slice() else {
            return Err(format!("not four columns: {pair:?}").into());
        };
        let found = index.candidates(name);
        let alone = severity(&index, name, None, false)?;
        let own = name.rsplit('/').next().unwrap_or(name);
        let filtered = severity(&index, name, Some(own), false)?;
        let used = severity(&index, name, Some(own), true)?;
        if let Some(best) = found.first() {
            let [all, left] = kinds
                .entry((best.transformation.as_str(), label))
                .or_default();
            *all += usize::from(alone > Some(Severity::Info));
            *left += usize::from(filtered > Some(Severity::Info));
        }
        let counts = counts.entry(label).or_default();
        counts.pairs += 1;
        counts.any += usize::from(!found.is_empty());
        counts.target += usize::from(found.iter().any(|reading| reading.target == *target));
        counts.alone += usize::from(alone > Some(Severity::Info));
        counts.filtered += usize::from(filtered > Some(Severity::Info));
        counts.medium += usize::from(filtered >= Some(Severity::Medium));
        counts.used += usize::from(used > Some(Severity::Info));
        counts.used_medium += usize::from(used >= Some(Severity::Medium));
        if list {
            let best = found
                .first()
                .map(|it| format!("{} by {}", it.target, it.transformation.as_str()));
            println!(
                "{label}\t{name}\t{target}\t{alone:?}\t{filtered:?}\t{}\t{source}",
                best.unwrap_or_default()
            );
        }
    }
    for (label, counts) in &counts {
        let share = |part: usize| part as f64 * 100.0 / counts.pairs.max(1) as f64;
        println!(
            "{label}: {} pairs; a reading for {:.1} %, the named one for {:.1} %; counted as evidence {:.1} % without \
             the benign filter, {:.1} % with it ({:.1} % as medium or more), {:.1} % with dependents too ({:.1} % as \
             medium or more)",
            counts.pairs,
            share(counts.any),
            share(counts.target),
            share(counts.alone),
            share(counts.filtered),
            share(counts.medium),
            share(counts.used),
            share(counts.used_medium),
        );
    }
    for ((kind, label), [all, left]) in &kinds {
        println!("{kind}: {label} {all}, {left} of them with a repository of their own name too");
    }
    Ok(())
}

/// How much the signal makes of a name as a first release an hour old.
fn severity(
    index: &NameIndex,
    name: &str,
    repository: Option<&str>,
    used: bool,
) -> Result<Option<Severity>, Box<dyn std::error::Error>> {
    let package = PackageName::parse(name)?;
    let mut manifest = serde_json::json!({"name": name, "version": "1.0.0", "dist": {}});
    if let Some(repository) = repository {
        manifest["repository"] = format!("https://git.example.invalid/someone/{repository}").into();
    }
    let document = serde_json::json!({
        "name": name,
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": manifest},
        "time": {"created": "2026-06-15T11:00:00Z", "1.0.0": "2026-06-15T11:00:00Z"},
    });
    let packument = Packument::parse(&package, Bytes::from(serde_json::to_vec(&document)?))?;
    let mut subject = Subject::new(&package, "1.0.0", index, "2026-06-15T12:00:00Z".parse()?);
    subject.packument = Stage::Known(&packument);
    let dependents = Dependents {
        count: 3,
        some: Vec::new(),
    };
    subject.dependents = used.then_some(&dependents);
    let observation = observe_all(&subject);
    let findings = observation.findings.iter();
    Ok(findings
        .filter(|finding| finding.signal == "lookalike-name")
        .map(|finding| finding.severity)
        .max())
}
