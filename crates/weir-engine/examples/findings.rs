//! What the signals over contents say of tarballs: one line per finding above `info`, then how many
//! releases have one, by signal. For reading through on packages that are known to be harmless.
//!
//! `cargo run -p weir-engine --example findings -- [--info] [--evidence] <folder or file.tgz>...`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use weir_engine::worker::contents::of_tarball;
use weir_model::{Contents, Group, Severity};
use weir_npm::name::PackageName;
use weir_signals::{NameIndex, Stage, Subject, observe_all};

/// What is counted and printed.
#[derive(Default)]
struct Report {
    with_info: bool,
    with_evidence: bool,
    releases: usize,
    flagged: BTreeSet<String>,
    by_signal: BTreeMap<(String, Severity), BTreeSet<String>>,
}

impl Report {
    fn add(&mut self, path: &Path, names: &NameIndex) -> std::io::Result<()> {
        let label = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(path)?;
        self.releases += 1;
        match of_tarball(&bytes, &weir_archive::Limits::default()) {
            Ok(contents) => self.observe(&label, &contents, names),
            Err(why) => println!("{label}: {why}"),
        }
        Ok(())
    }

    fn observe(&mut self, label: &str, contents: &Contents, names: &NameIndex) {
        // The name makes no difference to what contents show.
        let Ok(name) = PackageName::parse("a-package") else {
            return;
        };
        let mut subject = Subject::new(&name, "1.0.0", names, jiff::Timestamp::UNIX_EPOCH);
        subject.contents = Stage::Known(contents);
        for finding in observe_all(&subject).findings {
            if finding.group != Group::Code {
                continue;
            }
            let key = (finding.signal.clone(), finding.severity);
            self.by_signal
                .entry(key)
                .or_default()
                .insert(label.to_owned());
            if finding.severity > Severity::Info {
                self.flagged.insert(label.to_owned());
            } else if !self.with_info {
                continue;
            }
            println!(
                "{label}: {} {}: {}",
                finding.severity, finding.signal, finding.message
            );
            if self.with_evidence {
                for evidence in &finding.evidence {
                    println!("    {evidence}");
                }
            }
        }
    }

    fn print(&self) {
        println!();
        for ((signal, severity), releases) in &self.by_signal {
            println!("{:6} {severity} {signal}", releases.len());
        }
        let share = 100.0 * self.flagged.len() as f64 / self.releases.max(1) as f64;
        println!(
            "{} of {} releases ({share:.2} %) have a code finding above info",
            self.flagged.len(),
            self.releases
        );
    }
}

fn main() -> std::io::Result<()> {
    let mut report = Report::default();
    let mut found: Vec<PathBuf> = Vec::new();
    for argument in std::env::args_os().skip(1) {
        if argument == "--info" {
            report.with_info = true;
        } else if argument == "--evidence" {
            report.with_evidence = true;
        } else {
            let path = PathBuf::from(argument);
            if path.is_dir() {
                for entry in std::fs::read_dir(path)? {
                    let path = entry?.path();
                    if path.extension().is_some_and(|extension| extension == "tgz") {
                        found.push(path);
                    }
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    let names = NameIndex::embedded().map_err(std::io::Error::other)?;
    for path in found {
        report.add(&path, &names)?;
    }
    report.print();
    Ok(())
}
