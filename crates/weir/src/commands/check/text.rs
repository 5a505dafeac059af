//! What was found, as text: a line for each finding, for each package that changed, and for each file.

use crate::counted::counted;
use weir_model::json::v1;
use weir_model::json::v1::{
    ChangeKind, ChangedPackage, CheckChanges, CheckFinding, CheckLevel, CheckedLockfile,
};

/// Sentences shown of what a release does that the one before did not.
const SENTENCES: usize = 4;

/// A finding on one line.
pub(in crate::commands) fn line(finding: &CheckFinding) -> String {
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

/// Everything.
pub(super) fn report(report: &v1::Check) -> String {
    let mut out: String = report.findings.iter().map(line).collect();
    if let Some(changes) = &report.changes {
        out.push_str(&change_lines(changes));
    }
    out.push_str(&totals(report));
    out
}

/// A line for each lockfile.
pub(super) fn totals(report: &v1::Check) -> String {
    let mut out = String::new();
    for lockfile in &report.lockfiles {
        let CheckedLockfile {
            file,
            client,
            packages,
            digests,
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
            "{file} ({client}): {}, {errors} to be put right, {}",
            counted(*packages, "package", "packages"),
            counted(rest, "other finding", "other findings")
        ));
        if let Some(digests) = digests {
            let compared = digests.same + digests.different;
            out.push_str(&format!(
                "; digests: {compared} compared with the registry's, {} not",
                digests.not_compared
            ));
        }
        out.push('\n');
    }
    out.push_str(&in_all(report));
    out
}

/// A line over everything, where something has to be put right in other files than lockfiles: their lines do not
/// count it, and the exit code does.
fn in_all(report: &v1::Check) -> String {
    let is_elsewhere = |finding: &CheckFinding| {
        let is_locked = |lockfile: &CheckedLockfile| lockfile.file == finding.file;
        finding.level == CheckLevel::Error && !report.lockfiles.iter().any(is_locked)
    };
    if !report.findings.iter().any(is_elsewhere) {
        return String::new();
    }
    let is_error = |finding: &&CheckFinding| finding.level == CheckLevel::Error;
    let errors = report.findings.iter().filter(is_error).count();
    let rest = report.findings.len() - errors;
    format!(
        "in all: {errors} to be put right, {}\n",
        counted(rest, "other finding", "other findings")
    )
}

fn change_lines(changes: &CheckChanges) -> String {
    let count = |kind| changes.packages.iter().filter(|it| it.kind == kind).count();
    let mut out = format!(
        "since {} ({}): {} added, {} updated, {} removed, {} replaced\n",
        changes.base,
        changes.commit.get(..12).unwrap_or(&changes.commit),
        count(ChangeKind::Added),
        count(ChangeKind::Updated),
        count(ChangeKind::Removed),
        count(ChangeKind::Replaced)
    );
    for package in &changes.packages {
        change_line(&mut out, package);
    }
    out
}

fn change_line(out: &mut String, package: &ChangedPackage) {
    let sign = match package.kind {
        ChangeKind::Added => '+',
        ChangeKind::Removed => '-',
        ChangeKind::Updated => '~',
        ChangeKind::Replaced => '!',
    };
    let versions = match (package.before.as_slice(), package.after.as_slice()) {
        ([], after) => after.join(", "),
        (before, []) => before.join(", "),
        (before, after) => format!("{} -> {}", before.join(", "), after.join(", ")),
    };
    let by = match package.path.as_slice() {
        [] | [_] => String::new(),
        path => format!(" (by way of {})", path.join(" > ")),
    };
    let verdict = match package.kind {
        ChangeKind::Removed => String::new(),
        _ => format!(": {}", super::github::verdict(package)),
    };
    out.push_str(&format!(
        "  {sign} {} {versions}{by}{verdict}\n",
        package.name
    ));
    for release in &package.releases {
        let sentences = release.behaviour.iter().take(SENTENCES);
        for sentence in sentences {
            out.push_str(&format!("      {sentence}\n"));
        }
        for why in &release.unknown {
            out.push_str(&format!("      not known: {why}\n"));
        }
    }
}
