//! Honest packages: hard ones by name and version, and whole folders of tarballs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use bytes::Bytes;
use serde::Deserialize;
use weir_model::Severity;
use weir_npm::integrity::{Algorithm, Integrity};

use super::judge::side_by_side;
use super::{Judge, Seen};

/// The list of hard packages.
const LIST: &str = "corpus/benign.toml";

/// Where they are kept once fetched.
const KEPT: &str = "target/corpus/benign";

/// `corpus/benign.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    package: Vec<Hard>,
    #[serde(default)]
    reason: Vec<Reason>,
}

/// Why what a signal says of a package with severity high or more is right, or at least no alarm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// The package's name.
    package: String,
    /// The signal.
    signal: String,
    /// Why.
    why: String,
}

/// A hard package.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hard {
    pub(crate) name: String,
    pub(crate) version: String,
    integrity: String,
    /// What kind of hard.
    pub(crate) kind: String,
    /// What it does that attacks do.
    pub(crate) why: String,
}

impl Hard {
    /// The name of the file npm packs it into.
    fn file(&self) -> String {
        let name = self.name.trim_start_matches('@').replace('/', "-");
        format!("{name}-{}.tgz", self.version)
    }

    fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// What was seen in benign packages.
#[derive(Debug)]
pub(crate) struct Benign {
    /// The packages.
    pub(crate) packages: Vec<Judged>,
    /// Tarballs nothing can be said of, with the reason.
    pub(crate) broken: Vec<String>,
}

/// A benign package and what was seen in it.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What it is called, and why it is hard or fine.
    pub(crate) label: Label,
    /// As a release of two months ago.
    pub(crate) seen: Seen,
    /// As one of this morning, of a package without a history.
    pub(crate) fresh: Seen,
}

/// What the scoreboard says about a benign package besides what was seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Label {
    /// Name and version.
    pub(crate) spec: String,
    /// What kind of hard it is, and why; empty for others.
    pub(crate) hard: Option<(String, String)>,
    /// By signal, why a finding of severity high or more is right.
    pub(crate) reasons: BTreeMap<String, String>,
}

impl Label {
    fn new(name: &str, version: &str, reasons: &[Reason]) -> Self {
        let of_package = reasons.iter().filter(|reason| reason.package == name);
        Self {
            spec: format!("{name}@{version}"),
            hard: None,
            reasons: of_package
                .map(|reason| (reason.signal.clone(), reason.why.clone()))
                .collect(),
        }
    }

    /// Whether every finding of severity high or more has a reason.
    pub(crate) fn explains(&self, seen: &Seen) -> bool {
        let mut findings = seen.findings.iter();
        findings.all(|finding| {
            finding.severity < Severity::High || self.reasons.contains_key(&finding.signal)
        })
    }
}

/// Fetches and judges the hard packages. Nothing if they cannot all be had, which is said aloud.
pub(crate) fn hard(root: &Path, judge: &Judge) -> anyhow::Result<Option<Benign>> {
    let list = list(root)?;
    let kept = root.join(KEPT);
    let missing = fetch(&kept, &list.package)?;
    if !missing.is_empty() {
        println!(
            "hard benign packages: SKIPPED, {} of {} could not be fetched ({}); their part of the \
             scoreboard stays as it is and is not checked",
            missing.len(),
            list.package.len(),
            missing.join(", ")
        );
        return Ok(None);
    }
    let seen = side_by_side(&list.package, |hard| {
        let bytes = std::fs::read(kept.join(hard.file()))?;
        verify(&bytes, &hard.integrity)?;
        judge.tarball(&Bytes::from(bytes))
    });
    let mut packages = Vec::new();
    for (hard, seen) in list.package.iter().zip(seen) {
        let mut label = Label::new(&hard.name, &hard.version, &list.reason);
        label.hard = Some((hard.kind.clone(), hard.why.clone()));
        let (_, [seen, fresh]) = seen.with_context(|| hard.spec())?;
        packages.push(Judged { label, seen, fresh });
    }
    Ok(Some(Benign {
        packages,
        broken: Vec::new(),
    }))
}

fn list(root: &Path) -> anyhow::Result<List> {
    let list = std::fs::read_to_string(root.join(LIST)).with_context(|| LIST.to_owned())?;
    toml::from_str(&list).with_context(|| LIST.to_owned())
}

fn verify(bytes: &[u8], integrity: &str) -> anyhow::Result<()> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes);
    if !Integrity::parse(integrity)?.holds(Algorithm::Sha512, digest.as_ref()) {
        bail!("the tarball does not have the recorded integrity; remove it from {KEPT}");
    }
    Ok(())
}

/// Fetches what is not kept yet with the user's own npm. Answers what could not be had.
fn fetch(kept: &Path, list: &[Hard]) -> anyhow::Result<Vec<String>> {
    /// npm packs so many at a time; one that fails costs its batch a second, single try.
    const BATCH: usize = 8;
    std::fs::create_dir_all(kept)?;
    let missing = || -> Vec<&Hard> {
        let there = |hard: &&Hard| !kept.join(hard.file()).is_file();
        list.iter().filter(there).collect()
    };
    for size in [BATCH, 1] {
        for batch in missing().chunks(size) {
            let specs: Vec<String> = batch.iter().map(|hard| hard.spec()).collect();
            println!("fetching {}", specs.join(" "));
            let packed = Command::new("npm")
                .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
                .arg(kept)
                .args(&specs)
                .current_dir(kept)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status();
            if packed.is_err() {
                println!("npm could not be started");
            }
            if size == 1 && !packed.is_ok_and(|status| status.success()) {
                // Without a network, each further one would wait for its own time-outs.
                return Ok(missing().iter().map(|hard| hard.spec()).collect());
            }
        }
    }
    Ok(missing().iter().map(|hard| hard.spec()).collect())
}

/// Judges every tarball of a folder.
pub(crate) fn tarballs(root: &Path, folder: &Path, judge: &Judge) -> anyhow::Result<Benign> {
    let reasons = list(root)?.reason;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "tgz"));
    paths.sort();
    if paths.is_empty() {
        bail!("{} holds no .tgz", folder.display());
    }
    let seen = side_by_side(&paths, |path| judge.tarball(&std::fs::read(path)?.into()));
    let mut benign = Benign {
        packages: Vec::new(),
        broken: Vec::new(),
    };
    for (path, seen) in paths.iter().zip(seen) {
        match seen {
            Ok(((name, version), [seen, fresh])) => {
                let label = Label::new(&name, &version, &reasons);
                benign.packages.push(Judged { label, seen, fresh });
            }
            Err(error) => {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                benign.broken.push(format!("{file}: {error:#}"));
            }
        }
    }
    Ok(benign)
}
