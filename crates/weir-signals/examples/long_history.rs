//! How long the signals take that need no contents, for a release with a history of five hundred versions:
//! `cargo run --release -p weir-signals --example long_history`.

use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_signals::{NameIndex, Stage, Subject, observe_all};

const VERSIONS: usize = 500;
const ROUNDS: usize = 400;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = PackageName::parse("@millpond/sluice")?;
    let (mut versions, mut time) = (serde_json::Map::new(), serde_json::Map::new());
    let start: jiff::Timestamp = "2020-01-01T09:00:00Z".parse()?;
    let mut last = String::new();
    let mut now = start;
    for number in 0..VERSIONS {
        // The last one is by somebody else, from elsewhere, with a new dependency: nothing is cut short.
        let odd = number + 1 == VERSIONS;
        last = format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10);
        now = start + jiff::SignedDuration::from_hours(i64::try_from(number)? * 96);
        let dependencies: serde_json::Map<_, _> = (0..20)
            .map(|place| (format!("dependency-{place}"), json!("^1.0.0")))
            .chain(odd.then(|| ("plain-crypto-js".to_owned(), json!("*"))))
            .collect();
        let publisher = if odd { "lena" } else { "mara" };
        let mut manifest = json!({
            "name": name.as_str(), "version": last, "dependencies": dependencies,
            "_npmUser": {"name": publisher, "email": "someone@mail.invalid"},
            "maintainers": [{"name": "mara", "email": "mara@mail.invalid"}],
            "_npmVersion": "11.0.0", "_nodeVersion": "22.0.0",
            "dist": {"fileCount": 40 + number, "unpackedSize": 100_000 + number * 10},
        });
        if !odd {
            manifest["gitHead"] = "79ac49eedf774dd4b0cfa308722bc463cfe5885c".into();
        }
        versions.insert(last.clone(), manifest);
        time.insert(last.clone(), now.to_string().into());
    }
    let document = json!({
        "name": name.as_str(), "dist-tags": {"latest": last}, "versions": versions, "time": time,
    });
    let packument = Packument::parse(&name, Bytes::from(serde_json::to_vec(&document)?))?;
    let names = NameIndex::embedded()?;
    let mut findings = 0;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut subject = Subject::new(&name, &last, &names, now);
        subject.packument = Stage::Known(&packument);
        findings = observe_all(&subject).findings.len();
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * (times.len() - 1) as f64).round() as usize;
        times.get(place).copied().unwrap_or_default()
    };
    println!(
        "{VERSIONS} versions, {findings} findings: median {:.0} µs, 99th percentile {:.0} µs",
        at(0.5),
        at(0.99)
    );
    Ok(())
}
