//! What advisories cost: `cargo run --release -p weir-store --example advisories [records] [tree]`.
//!
//! Writes a collection of OSV records (250,000 unless told otherwise) as an archive, imports it twice, and
//! then, in a process of its own that has done nothing else, opens it and matches a tree (2,000 packages
//! unless told otherwise; the collection knows one in ten). The records are like those of public
//! collections: nine in ten are malware, of which all versions are bad or a few that are listed; the others
//! are flaws with ranges, severities and aliases.
#![expect(clippy::print_stdout, reason = "its output is the point")]

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use weir_store::advisories::Import;
use weir_store::{Advisories, Store};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mark, folder, tree] = arguments.as_slice()
        && mark == "--measure"
    {
        return measure(Path::new(folder), tree.parse()?).await;
    }
    let number = |at: usize, usual: usize| arguments.get(at).map_or(Ok(usual), |it| it.parse());
    let (records, tree) = (number(0, 250_000)?, number(1, 2_000)?);
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("all.zip");
    write(&archive, records)?;
    let data = folder.path().join("data");
    let store = Store::open(&data).await?;
    for round in ["first import", "the same again"] {
        let start = Instant::now();
        let import = Import::new("all", &archive, jiff::Timestamp::UNIX_EPOCH);
        let report = store.import_osv(&import, |_| ()).await?;
        let seconds = start.elapsed().as_secs_f64();
        println!("{round}: {seconds:.1} s, {} written", report.changed);
    }
    store.close().await?;
    for file in ["weir.db", "advisories/index"] {
        println!(
            "{file}: {} MB",
            std::fs::metadata(data.join(file))?.len() >> 20
        );
    }
    let program = std::env::current_exe()?;
    for _ in 0..3 {
        let status = std::process::Command::new(&program)
            .arg("--measure")
            .arg(&data)
            .arg(tree.to_string())
            .status()?;
        if !status.success() {
            return Err("the measurement failed".into());
        }
    }
    Ok(())
}

async fn measure(data: &Path, tree: usize) -> Result<(), Error> {
    let store = Store::open(data).await?;
    let before = memory("VmRSS:")?;
    let start = Instant::now();
    let advisories = Advisories::load(&store).await?;
    let load = start.elapsed();
    let start = Instant::now();
    let mut told = 0;
    for number in 0..tree {
        let name = match number % 10 {
            0 => name(number * 11 + number / 10 % 10),
            _ => format!("good-package-{number}"),
        };
        told += advisories.about(&name)?.told("1.2.0").len();
    }
    let matching = start.elapsed();
    println!(
        "{} records: opened in {:.1} ms; {tree} packages matched in {:.1} ms, {told} findings; \
         {} MB of memory for it, {} MB at most in all",
        advisories.len(),
        load.as_secs_f64() * 1e3,
        matching.as_secs_f64() * 1e3,
        memory("VmRSS:")?.saturating_sub(before),
        memory("VmHWM:")?,
    );
    if told == 0 {
        return Err("nothing matched: the measurement says nothing".into());
    }
    store.close().await?;
    Ok(())
}

/// Megabytes, as Linux counts them.
fn memory(key: &str) -> Result<u64, Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let line = line.ok_or("no such line")?.trim();
    let kilobytes: u64 = line.trim_end_matches(" kB").parse()?;
    Ok(kilobytes >> 10)
}

fn name(number: usize) -> String {
    format!("package-{number}")
}

fn write(path: &Path, records: usize) -> Result<(), Error> {
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut zip = zip::ZipWriter::new(file);
    for number in 0..records {
        let (id, record) = record(number);
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{id}.json"), options)?;
        zip.write_all(record.to_string().as_bytes())?;
    }
    zip.finish()?;
    Ok(())
}

fn record(number: usize) -> (String, Value) {
    if number.is_multiple_of(10) {
        flaw(number)
    } else {
        malware(number)
    }
}

fn malware(number: usize) -> (String, Value) {
    let name = name(number);
    let package = json!({"ecosystem": "npm", "name": name});
    let id = format!("MAL-2025-{number}");
    let affected = match number % 3 {
        0 => json!({"package": package, "versions": ["1.0.0", "1.0.1", "1.2.0", "9.9.9"]}),
        _ => {
            let everything = json!([{"introduced": "0"}]);
            json!({"package": package, "ranges": [{"type": "SEMVER", "events": everything}]})
        }
    };
    let record = json!({
        "schema_version": "1.7.4", "id": id, "modified": "2025-11-19T09:00:00Z",
        "summary": format!("Malicious code in {name} (npm)"),
        "details": "\n---\n_-= Per source details =-_ ".repeat(10),
        "affected": [affected],
        "database_specific": {
            "malicious-packages-origins": [{"source": "x", "sha256": "0".repeat(64)}],
        },
    });
    (id, record)
}

fn flaw(number: usize) -> (String, Value) {
    let name = name(number);
    let id = format!("GHSA-{:04}-{:04}-{number:08}", number % 7919, number % 6101);
    let affected = |name: &str, from: &str, fixed: &str| {
        json!({
            "package": {"ecosystem": "npm", "name": name},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": from}, {"fixed": fixed}]}],
        })
    };
    let record = json!({
        "schema_version": "1.7.4", "id": id, "modified": "2025-11-19T09:00:00Z",
        "aliases": [format!("CVE-2025-{number}")],
        "summary": format!("Uncontrolled resource consumption in {name}"),
        "details": "Versions before the fix take time that grows with the input's square. ".repeat(12),
        "severity": [
            {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"},
        ],
        "affected": [
            affected(&name, "0", "1.5.3"),
            affected(&format!("{name}-esm"), "2.0.0", "2.3.1"),
        ],
        "references": [
            {"type": "ADVISORY", "url": format!("https://advisories.example.invalid/{id}")},
        ],
        "database_specific": {"severity": "HIGH", "cwe_ids": ["CWE-400"]},
    });
    (id, record)
}
