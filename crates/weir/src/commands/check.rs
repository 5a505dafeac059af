//! `weir check`: a project's lockfile, before anything is installed from it.

mod addresses;
mod entries;
mod manifests;
mod registries;
pub(super) mod sarif;
mod scripts;
mod step;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use weir_model::finding::printable;
use weir_model::json::v1;
use weir_model::json::v1::{CheckFinding, CheckLevel, CheckedLockfile};
use weir_npm::lockfile::{Edge, Lockfile, NodeId, Paths};

pub(super) use self::manifests::Manifests;
use self::registries::Registries;
use crate::cli::{Check, Global};
use crate::exit;

/// What clients read, in the order in which npm prefers its two.
const NAMES: [&str; 5] = [
    "npm-shrinkwrap.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
];

/// A rule: its id, how much its findings matter, and what to do about them.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) level: CheckLevel,
    pub(super) todo: &'static str,
}

const NO_LOCKFILE: Rule = Rule {
    id: "no-lockfile",
    level: CheckLevel::Error,
    todo: "run the client's install once and commit the lockfile it writes",
};
const UNREADABLE: Rule = Rule {
    id: "unreadable",
    level: CheckLevel::Error,
    todo: "nothing in this file was checked: restore it, or let the client write it anew",
};
const SEVERAL: Rule = Rule {
    id: "several-lockfiles",
    level: CheckLevel::Warning,
    todo: "keep the one of the client you use: the others are not kept in step by anybody",
};

/// One lockfile on its way through the rules.
struct Checked<'l> {
    file: String,
    lockfile: &'l Lockfile,
    paths: Paths<'l>,
    findings: Vec<CheckFinding>,
}

impl Checked<'_> {
    /// Notes a finding at a line. Texts come from the file and are made safe to print.
    fn add(&mut self, rule: &Rule, line: u32, id: Option<NodeId>, what: &str) {
        let package = id
            .and_then(|id| self.lockfile.node(id))
            .map(|node| node.label());
        let path = id.map(|id| self.paths.to(id)).unwrap_or_default();
        let name = |edge: &&Edge| printable(&edge.name, 220);
        self.findings.push(CheckFinding {
            rule: rule.id,
            level: rule.level,
            file: self.file.clone(),
            line,
            package: package.map(|label| printable(&label, 300)),
            what: printable(what, 600),
            todo: rule.todo,
            path: path.iter().map(name).collect(),
        });
    }
}

/// Checks a project; the exit code tells whether anything must be put right.
pub(super) async fn run(global: &Global, options: &Check) -> Result<ExitCode> {
    let mut report = v1::Check {
        schema: v1::CHECK,
        lockfiles: Vec::new(),
        findings: Vec::new(),
    };
    let files = find(&options.folder, options.lockfile.as_ref());
    if files.is_empty() {
        let file = options.folder.join("package.json");
        let what = format!("there is no lockfile in {}", options.folder.display());
        report
            .findings
            .push(about_file(&NO_LOCKFILE, &file, 1, &what));
    }
    if let [first, second, ..] = files.as_slice() {
        let what = format!("{} and {} are both here", first.display(), second.display());
        report.findings.push(about_file(&SEVERAL, second, 1, &what));
    }
    for file in &files {
        check(global, options, file, &mut report).await;
    }
    if let Some(file) = &options.sarif {
        let text = serde_json::to_string_pretty(&sarif::document(&report.findings))
            .context("writing SARIF")?;
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    if options.json {
        let text = serde_json::to_string(&report).context("writing JSON")?;
        anstream::println!("{text}");
    } else {
        anstream::print!("{}", text(&report));
    }
    let worst = report.findings.iter().map(|finding| finding.level).max();
    let code = if worst == Some(CheckLevel::Error) {
        exit::FOUND
    } else {
        exit::FINE
    };
    Ok(ExitCode::from(code))
}

/// The lockfiles of a folder, or the one that is named.
pub(super) fn find(folder: &Path, named: Option<&PathBuf>) -> Vec<PathBuf> {
    if let Some(file) = named {
        return vec![file.clone()];
    }
    let here = NAMES.iter().map(|name| folder.join(name));
    let mut files: Vec<PathBuf> = here
        .filter(|file| file.symlink_metadata().is_ok())
        .collect();
    // npm reads its shrinkwrap and not the other, when both are there.
    if files
        .first()
        .is_some_and(|file| file.ends_with("npm-shrinkwrap.json"))
    {
        files.retain(|file| !file.ends_with("package-lock.json"));
    }
    files
}

pub(super) fn about_file(rule: &Rule, file: &Path, line: u32, what: &str) -> CheckFinding {
    CheckFinding {
        rule: rule.id,
        level: rule.level,
        file: shown(file),
        line,
        package: None,
        what: printable(what, 600),
        todo: rule.todo,
        path: Vec::new(),
    }
}

pub(super) fn shown(file: &Path) -> String {
    let text = file.display().to_string();
    let plain = text.strip_prefix("./").unwrap_or(&text);
    printable(plain, 400)
}

async fn check(global: &Global, options: &Check, file: &Path, report: &mut v1::Check) {
    let mut lockfile = match read(file) {
        Ok(lockfile) => lockfile,
        Err((line, what)) => {
            report
                .findings
                .push(about_file(&UNREADABLE, file, line, &what));
            return;
        }
    };
    let manifests = match Manifests::read(&options.folder, &lockfile) {
        Ok(manifests) => manifests,
        Err((file, what)) => {
            report
                .findings
                .push(about_file(&UNREADABLE, &file, 1, &what));
            return;
        }
    };
    if let Some(root) = manifests.of("") {
        lockfile.add_project("", root);
    }
    let registries = Registries::learn(global, options, &lockfile).await;
    let mut checked = Checked {
        file: shown(file),
        lockfile: &lockfile,
        paths: lockfile.paths(),
        findings: Vec::new(),
    };
    step::check(&mut checked, &manifests);
    entries::check(&mut checked);
    addresses::check(&mut checked, &registries);
    scripts::check(&mut checked, &manifests);
    checked.findings.sort_by_key(|finding| finding.line);
    report.findings.append(&mut checked.findings);
    report.lockfiles.push(CheckedLockfile {
        file: shown(file),
        client: lockfile.format.client(),
        version: lockfile.version.clone(),
        packages: lockfile
            .nodes
            .iter()
            .filter(|node| !node.is_local())
            .count(),
    });
}

/// Reads a lockfile; else the line and what is wrong with it.
pub(super) fn read(file: &Path) -> Result<Lockfile, (u32, String)> {
    let size = std::fs::metadata(file)
        .map_err(|error| (1, error.to_string()))?
        .len();
    // One byte more than is read is enough to be told so, and a large file is not worth the memory.
    if size > weir_npm::lockfile::MAX_SIZE as u64 {
        return Err((1, weir_npm::lockfile::Problem::TooLarge.to_string()));
    }
    let text = std::fs::read(file).map_err(|error| (1, error.to_string()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Lockfile::parse(&name, &text).map_err(|error| {
        let key = error
            .key
            .map(|key| format!("{key:?}: "))
            .unwrap_or_default();
        (error.line, format!("{key}{}", error.problem))
    })
}

/// A finding on one line.
pub(super) fn line(finding: &CheckFinding) -> String {
    let level = match finding.level {
        CheckLevel::Note => "note",
        CheckLevel::Warning => "warning",
        CheckLevel::Error => "error",
    };
    let package = finding
        .package
        .as_ref()
        .map(|it| format!("{it}: "))
        .unwrap_or_default();
    let by = match finding.path.as_slice() {
        [] | [_] => String::new(),
        path => format!(" (by way of {})", path.join(" > ")),
    };
    let CheckFinding {
        file,
        line,
        rule,
        what,
        todo,
        ..
    } = finding;
    format!("{file}:{line}: {level}: {package}{what}{by}; {todo} [{rule}]\n")
}

/// One line per finding, and one for each file.
fn text(report: &v1::Check) -> String {
    let mut out: String = report.findings.iter().map(line).collect();
    for lockfile in &report.lockfiles {
        let CheckedLockfile {
            file,
            client,
            packages,
            ..
        } = lockfile;
        let found = report
            .findings
            .iter()
            .filter(|finding| finding.file == *file);
        let errors = found
            .clone()
            .filter(|finding| finding.level == CheckLevel::Error)
            .count();
        let rest = found.count() - errors;
        out.push_str(&format!(
            "{file} ({client}): {packages} packages, {errors} to be put right, {rest} other findings\n"
        ));
    }
    out
}
