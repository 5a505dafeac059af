//! Times parsing and rendering of packuments given as files, or of a generated one.
#![expect(clippy::print_stdout, reason = "its output is the point")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use weir_npm::name::PackageName;
use weir_npm::packument::{self, Form, Packument, Plan, Treatment};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut documents: Vec<(String, Bytes)> = Vec::new();
    for path in std::env::args().skip(1) {
        documents.push((path.clone(), std::fs::read(&path)?.into()));
    }
    if documents.is_empty() {
        documents.push(("generated".to_owned(), generated(3_000).into()));
    }
    for (label, raw) in documents {
        measure(&label, &raw)?;
    }
    Ok(())
}

fn measure(label: &str, raw: &Bytes) -> Result<(), Box<dyn std::error::Error>> {
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }
    let name = PackageName::parse(&serde_json::from_slice::<Named>(raw)?.name)?;
    let packument = Packument::parse(&name, raw.clone())?;
    let versions = |version: &str| {
        if version.ends_with('3') {
            Treatment::Hide
        } else {
            Treatment::Keep
        }
    };
    let tags = || packument::retag(&packument, |version| !version.ends_with('3'));
    let plan = Plan {
        tarball_base: "http://127.0.0.1:4873/",
        versions: &versions,
        policy_message: None,
        tags: tags(),
        times: &|_| Some("2026-11-01T00:00:00.000Z".to_owned()),
    };
    let parse = best(|| Packument::parse(&name, raw.clone()).is_ok());
    let skip = best(|| serde_json::from_slice::<serde::de::IgnoredAny>(raw).is_ok());
    let full = best(|| packument::render(&packument, &plan, Form::Full).is_ok());
    let abbreviated = best(|| packument::render(&packument, &plan, Form::Abbreviated).is_ok());
    let retag = best(|| tags().len());
    let first = packument
        .versions()
        .last()
        .map(|entry| entry.version.clone())
        .unwrap_or_default();
    let manifest = best(|| packument.manifest(&first).is_some());
    let megabytes = raw.len() as f64 / 1e6;
    println!(
        "{label}: {megabytes:.1} MB, {} versions; skip {skip:?}, parse {parse:?} ({:.2} ms/MB), full {full:?}, \
         abbreviated {abbreviated:?}, retag {retag:?}, one manifest {manifest:?}",
        packument.versions().len(),
        parse.as_secs_f64() * 1e3 / megabytes,
    );
    Ok(())
}

fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let once = |work: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    (0..9).map(|_| once(&mut work)).min().unwrap_or_default()
}

/// A packument of the usual shape: a few kilobytes per version.
fn generated(count: u32) -> Vec<u8> {
    let mut versions = serde_json::Map::new();
    let mut time = serde_json::Map::new();
    for number in 0..count {
        let version = format!("{}.{}.{}", number / 100, number / 10 % 10, number % 10);
        let dependencies: serde_json::Map<String, serde_json::Value> = (0..60)
            .map(|at| (format!("dependency-number-{at}"), "^1.2.3".into()))
            .collect();
        versions.insert(
            version.clone(),
            serde_json::json!({
                "name": "generated", "version": version, "description": "words ".repeat(20),
                "scripts": {"build": "make all", "test": "make check"},
                "dependencies": dependencies, "devDependencies": dependencies,
                "dist": {
                    "integrity": format!("sha512-{}==", "A".repeat(86)), "shasum": "0".repeat(40),
                    "tarball": format!("https://registry.example.invalid/generated/-/generated-{version}.tgz"),
                    "fileCount": 10, "unpackedSize": 100_000,
                    "signatures": [{"keyid": "SHA256:key", "sig": "M".repeat(96)}],
                },
                "_npmUser": {"name": "somebody", "email": "somebody@registry.example.invalid"},
            }),
        );
        time.insert(version, "2026-01-02T03:04:05.678Z".into());
    }
    let document = serde_json::json!({
        "_id": "generated", "name": "generated", "dist-tags": {"latest": format!("{}.9.9", count / 100 - 1)},
        "versions": versions, "time": time,
    });
    document.to_string().into_bytes()
}
