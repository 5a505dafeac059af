//! Measures what the signals that compare releases say of ordinary packages: every two versions of
//! one package that follow each other among the `.tgz` files of a folder are compared, as if the
//! earlier one were the release before. Prints each finding, and one JSON object over all of them.
//!
//! Most such pairs are far apart and announce a break, after which new abilities weigh less. With
//! `--no-leaps` every pair is taken for a patch: more than the worst that ordinary releases give.
//!
//! `cargo run --release -p weir-engine --example differences -- [--no-leaps] <folder>...`

use std::collections::BTreeMap;
use std::path::Path;

use weir_engine::worker::contents::of_tarball;
use weir_model::{Contents, Severity};
use weir_npm::name::PackageName;
use weir_npm::version::Version;
use weir_signals::{Comparison, NameIndex, Stage, Subject, observe_comparison};

/// Every tarball of the folder that says what it is, by name, in order of version.
fn read(
    folder: &Path,
    into: &mut BTreeMap<String, Vec<(Version, Contents)>>,
) -> std::io::Result<()> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.extension().is_none_or(|end| end != "tgz") {
            continue;
        }
        let bytes = std::fs::read(&path)?;
        let Ok(contents) = of_tarball(&bytes, &weir_archive::Limits::default()) else {
            eprintln!("{}: cannot be read", path.display());
            continue;
        };
        let manifest = contents.manifest.as_ref();
        let name = manifest.and_then(|it| it.name.clone());
        let version = manifest.and_then(|it| Version::parse(it.version.as_deref()?).ok());
        if let (Some(name), Some(version)) = (name, version) {
            into.entry(name).or_default().push((version, contents));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Sums {
    no_leaps: bool,
    releases: usize,
    worth_comparing: usize,
    pairs: usize,
    leaps: usize,
    quiet: usize,
    /// Pairs with a finding above information, where no break was announced.
    counted: usize,
    findings: BTreeMap<String, usize>,
}

impl Sums {
    fn compare(&mut self, name: &PackageName, names: &NameIndex, pair: &[(Version, Contents)]) {
        let [(earlier, before), (later, after)] = pair else {
            return;
        };
        self.pairs += 1;
        let (mut earlier, mut later) = (earlier.as_str(), later.as_str());
        println!("# {name} {earlier} -> {later}");
        let mut stand_in = before.clone();
        if self.no_leaps {
            (earlier, later) = ("1.0.0", "1.0.1");
            stand_in.manifest.get_or_insert_default().version = Some(earlier.to_owned());
        }
        let before = &stand_in;
        let mut subject = Subject::new(name, later, names, jiff::Timestamp::UNIX_EPOCH);
        subject.contents = Stage::Known(after);
        subject.previous_contents = Stage::Known(before);
        let leap = Comparison::new((earlier, before), (later, after)).leap;
        self.leaps += usize::from(leap);
        let mut worst = Severity::Info;
        let findings = observe_comparison(&subject).findings;
        self.quiet += usize::from(findings.is_empty());
        for finding in findings {
            worst = worst.max(finding.severity);
            let key = format!(
                "{} {}{}",
                finding.signal,
                finding.severity,
                if leap { " (leap)" } else { "" }
            );
            *self.findings.entry(key).or_default() += 1;
            println!(
                "{} {}: {}",
                finding.severity, finding.signal, finding.message
            );
        }
        self.counted += usize::from(worst > Severity::Info && !leap);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut packages = BTreeMap::new();
    let mut sums = Sums::default();
    for folder in std::env::args_os().skip(1) {
        if folder == "--no-leaps" {
            sums.no_leaps = true;
            continue;
        }
        read(Path::new(&folder), &mut packages)?;
    }
    let names = NameIndex::embedded()?;
    for (name, mut releases) in packages {
        let Ok(name) = PackageName::parse(&name) else {
            continue;
        };
        sums.releases += releases.len();
        sums.worth_comparing += releases
            .iter()
            .filter(|(_, contents)| weir_signals::is_worth_comparing(contents))
            .count();
        releases.sort_by(|(one, _), (other, _)| one.cmp(other));
        for pair in releases.windows(2) {
            sums.compare(&name, &names, pair);
        }
    }
    println!(
        "{}",
        serde_json::json!({
            "releases": sums.releases,
            "worth_comparing": sums.worth_comparing,
            "pairs": sums.pairs,
            "leaps": sums.leaps,
            "quiet": sums.quiet,
            "counted": sums.counted,
            "findings": sums.findings,
        })
    );
    Ok(())
}
