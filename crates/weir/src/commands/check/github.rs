//! What was found, for GitHub Actions: workflow commands that become annotations, and the job's summary.
//!
//! GitHub shows ten annotations of each kind per step, so the worst come first.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::counted::counted;
use anyhow::{Context as _, Result};
use weir_model::json::v1::{
    ChangeKind, ChangedPackage, CheckChanges, CheckFinding, CheckLevel, CheckedLockfile,
};

/// Most rows in a table of the summary; GitHub takes a megabyte per step.
const ROWS: usize = 200;

/// One workflow command per finding, the worst first.
pub(in crate::commands) fn annotations(findings: &[CheckFinding]) -> String {
    let mut sorted: Vec<&CheckFinding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    sorted.into_iter().map(annotation).collect()
}

fn annotation(finding: &CheckFinding) -> String {
    let kind = match finding.level {
        CheckLevel::Error => "error",
        CheckLevel::Warning => "warning",
        CheckLevel::Note => "notice",
    };
    let package = finding
        .package
        .as_ref()
        .map(|it| format!("{it}: "))
        .unwrap_or_default();
    let message = format!("{package}{}; {}", finding.what, finding.todo);
    format!(
        "::{kind} file={},line={},title={}::{}\n",
        property(&finding.file),
        finding.line,
        property(finding.rule),
        data(&message)
    )
}

/// What a message may hold: a line break would begin a command of the file's own.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What a property may hold.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Adds to the file that the runner names, if it names one.
pub(in crate::commands) fn add_summary(markdown: &str) -> Result<()> {
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|it| !it.is_empty()) else {
        return Ok(());
    };
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .context("opening the job's summary, GITHUB_STEP_SUMMARY")?;
    file.write_all(markdown.as_bytes())
        .context("writing the job's summary, GITHUB_STEP_SUMMARY")
}

/// The summary: what was read, what changed, and what was found.
pub(super) fn summary(
    lockfiles: &[CheckedLockfile],
    changes: Option<&CheckChanges>,
    findings: &[CheckFinding],
) -> String {
    let mut out = String::from("### weir check\n\n");
    let count = |level| findings.iter().filter(|it| it.level == level).count();
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{} to be put right, {} warnings, {} notes.\n",
        count(CheckLevel::Error),
        count(CheckLevel::Warning),
        count(CheckLevel::Note)
    );
    for lockfile in lockfiles {
        let digests = lockfile.digests.as_ref();
        let compared = digests.map_or(0, |it| it.same + it.different);
        let _ = writeln!(
            out,
            "- {} ({}): {}, {} compared with the registry's",
            cell(&lockfile.file),
            lockfile.client,
            counted(lockfile.packages, "package", "packages"),
            counted(compared, "digest", "digests")
        );
    }
    if let Some(changes) = changes {
        change_table(&mut out, changes);
    }
    finding_table(&mut out, findings);
    out
}

fn change_table(out: &mut String, changes: &CheckChanges) {
    let _ = writeln!(out, "\n#### Since {}\n", cell(&changes.base));
    if changes.packages.is_empty() {
        out.push_str("No package came, went or changed.\n");
        return;
    }
    out.push_str("| package | before | after | weir | new behaviour |\n|---|---|---|---|---|\n");
    for package in changes.packages.iter().take(ROWS) {
        let join = |parts: &[String]| cell(&parts.join(", "));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(&package.name),
            join(&package.before),
            join(&package.after),
            cell(&verdict(package)),
            cell(&behaviour(package))
        );
    }
    left_out(out, changes.packages.len());
}

/// What weir makes of a package's new releases, in a word or two.
pub(super) fn verdict(package: &ChangedPackage) -> String {
    let one = |release: &weir_model::json::v1::ChangedRelease| match &release.decision {
        Some(decision) => decision.action.as_str().to_owned(),
        None => "not known".to_owned(),
    };
    let mut words: Vec<String> = package.releases.iter().map(one).collect();
    words.dedup();
    match package.kind {
        ChangeKind::Removed => "removed".to_owned(),
        ChangeKind::Replaced if words.is_empty() => "replaced".to_owned(),
        _ => words.join(", "),
    }
}

fn behaviour(package: &ChangedPackage) -> String {
    let all: Vec<&str> = package
        .releases
        .iter()
        .flat_map(|release| release.behaviour.iter().chain(&release.unknown))
        .map(String::as_str)
        .collect();
    all.join("; ")
}

fn finding_table(out: &mut String, findings: &[CheckFinding]) {
    if findings.is_empty() {
        return;
    }
    out.push_str("\n| level | where | package | what | rule |\n|---|---|---|---|---|\n");
    let mut sorted: Vec<&CheckFinding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    for finding in sorted.into_iter().take(ROWS) {
        let level = match finding.level {
            CheckLevel::Error => "error",
            CheckLevel::Warning => "warning",
            CheckLevel::Note => "note",
        };
        let _ = writeln!(
            out,
            "| {level} | {}:{} | {} | {} | {} |",
            cell(&finding.file),
            finding.line,
            cell(finding.package.as_deref().unwrap_or_default()),
            cell(&finding.what),
            finding.rule
        );
    }
    left_out(out, findings.len());
}

fn left_out(out: &mut String, count: usize) {
    if count > ROWS {
        let _ = writeln!(out, "\n{} more rows are left out here.", count - ROWS);
    }
}

/// Text for a cell: what a stranger wrote stays text, and is no link, image, markup or mention.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '!' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(character);
            }
            c => out.push(c),
        }
    }
    // A bare address would become a link.
    out.replace("://", ":&#47;&#47;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cannot_write_commands_or_markup() {
        let finding = CheckFinding {
            rule: "rule",
            level: CheckLevel::Error,
            file: "a,b:c\n::error::x".to_owned(),
            line: 3,
            package: None,
            what: "50%\n::set-output name=x::y".to_owned(),
            todo: "do it",
            path: Vec::new(),
        };
        let text = annotations(std::slice::from_ref(&finding));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(
            text,
            "::error file=a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax,line=3,title=rule::50%25%0A::set-output name=x::y; do it\n"
        );
        let markdown = cell("![x](https://evil.example/) | <img> @me `a`");
        assert_eq!(
            markdown,
            "\\!\\[x\\]\\(https:&#47;&#47;evil.example/\\) \\| &lt;img&gt; &#64;me \\`a\\`"
        );
    }
}
