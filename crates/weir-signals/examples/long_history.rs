//! How long the signals take that need no contents, for a release with a history of five hundred versions, in a
//! scope and by an account of which much is known, in the middle of a burst:
//! `cargo run --release -p weir-signals --example long_history`.

use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use weir_model::habits::{Baseline, Habits, Moment, minute};
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_npm::packument::VersionManifest;
use weir_signals::{
    Arrival, Known, NameIndex, Stage, Subject, Surroundings, lesson, line_number, moments,
    observe_all,
};

const VERSIONS: usize = 500;
const ROUNDS: usize = 400;

/// Packages that are known of the scope and of the account, and come out with the release.
const SIBLINGS: usize = 60;

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
    let surroundings = surroundings(&packument, now)?;
    let mut findings = 0;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut subject = Subject::new(&name, &last, &names, now);
        subject.packument = Stage::Known(&packument);
        subject.surroundings = Some(&surroundings);
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

/// What is looked up before the signals run: baselines of an owner with many packages, thirty releases each,
/// and a release of each that came out just now.
fn surroundings(
    packument: &Packument,
    now: jiff::Timestamp,
) -> Result<Surroundings, Box<dyn std::error::Error>> {
    let manifest = VersionManifest::from_json(r#"{"license":"MIT","_npmUser":{"name":"mara"}}"#)?;
    let name = |number: usize| format!("@millpond/part-{number}");
    let before = |number: usize| -> Result<Vec<jiff::Timestamp>, std::num::TryFromIntError> {
        let hours = |release: usize| i64::try_from(200 + number * 7 + release * 400);
        let times =
            (0..30).map(|release| Ok(now - jiff::SignedDuration::from_hours(hours(release)?)));
        times.collect()
    };
    let mut packages = std::collections::BTreeMap::new();
    let mut arrivals = Vec::new();
    for number in 0..SIBLINGS {
        let mut habits = Habits::default();
        let mut moments = Vec::new();
        for (release, at) in before(number)?.into_iter().enumerate() {
            let version = format!("1.0.{release}");
            habits.learn(&lesson(&version, at, &manifest));
            moments.push(Moment {
                minute: minute(at),
                line: line_number(&version),
            });
        }
        packages.insert(name(number), habits);
        arrivals.push(Arrival {
            name: name(number),
            version: "1.1.0".to_owned(),
            published: now,
            moment: Moment {
                minute: minute(now),
                line: line_number("1.1.0"),
            },
            first: false,
            before: moments,
        });
    }
    let known = |owner: &str| Known {
        baseline: Some(std::sync::Arc::new(Baseline::new(owner, packages.clone()))),
        arrivals: arrivals.clone(),
    };
    let settled = now - jiff::SignedDuration::from_hours(7 * 24);
    Ok(Surroundings {
        scope: known("@millpond"),
        account: known("~lena"),
        before: moments(packument, settled, &|_| false, None),
        before_by_account: Vec::new(),
        earlier: Vec::new(),
        bytes: None,
    })
}
