//! What an audit found, for people, as JSON, and as SARIF.

use anyhow::{Context as _, Result};
use weir_model::finding::printable;
use weir_model::json::v1::{
    self, AuditCounts, AuditFinding, AuditFix, AuditPath, AuditedRelease, CheckFinding, CheckLevel,
    Need,
};
use weir_model::{AdvisoryKind, FlawSeverity, Stance};

use super::super::advisories;
use super::super::check::{self, Rule};
use crate::cli::Audit;
use crate::counted::counted;

const MALWARE: Rule = Rule {
    id: "known-malware",
    level: CheckLevel::Error,
    todo: "remove it, and treat every machine it was installed on, and every secret there, as taken",
};
const FLAW: Rule = Rule {
    id: "known-vulnerability",
    level: CheckLevel::Error,
    todo: "change what the message says",
};
const UNCLEAR: Rule = Rule {
    id: "unclear-advisory",
    level: CheckLevel::Warning,
    todo: "read the advisory: its ranges cannot be judged by a program",
};

pub(super) fn print(options: &Audit, report: &v1::Audit) -> Result<()> {
    if let Some(file) = &options.sarif {
        let document = check::sarif::document(&as_check(report));
        let text = serde_json::to_string_pretty(&document).context("writing SARIF")?;
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    if options.json {
        let text = serde_json::to_string(report).context("writing JSON")?;
        crate::out::println!("{text}");
        return Ok(());
    }
    for finding in report.findings.iter().filter(|it| !it.below_threshold) {
        crate::out::print!("{}", text(finding));
    }
    for finding in &report.unchecked {
        crate::out::print!("{}", check::line(finding));
    }
    if !report.lockfiles.is_empty() {
        crate::out::println!("{}", summary(report));
    }
    Ok(())
}

fn severity(finding: &AuditFinding) -> String {
    let word = finding
        .severity
        .map_or("severity not stated", FlawSeverity::as_str);
    let kind = match (finding.certain, finding.kind) {
        (false, _) => "unclear",
        (true, AdvisoryKind::Malware) => "MALWARE",
        (true, AdvisoryKind::Vulnerability) => word,
    };
    let score = finding.cvss.as_ref();
    let score = score.map_or_else(String::new, |it| format!(", CVSS {:.1}", it.score.value()));
    format!("{kind}{score}")
}

/// The title and the id; the id alone where the record has neither a summary nor details.
fn titled(finding: &AuditFinding) -> String {
    let (title, id) = (printable(&finding.title, 300), printable(&finding.id, 60));
    if title.trim().is_empty() {
        return id;
    }
    format!("{title} ({id})")
}

/// A finding, over a few lines.
fn text(finding: &AuditFinding) -> String {
    let mut out = format!(
        "{}: {}: {}\n",
        printable(&finding.package, 220),
        severity(finding),
        titled(finding),
    );
    let mut line = |text: String| {
        out.push_str("  ");
        out.push_str(&text);
        out.push('\n');
    };
    let vulnerable = printable(&finding.vulnerable, 200);
    if finding.certain {
        line(format!("affected: {vulnerable}"));
    } else {
        line(
            "its ranges cannot be read in full: whether these versions are affected is not known"
                .to_owned(),
        );
    }
    for locked in &finding.locked {
        release(locked, &mut line);
    }
    if finding.kind == AdvisoryKind::Malware && finding.certain {
        line(MALWARE.todo.to_owned());
    }
    let aliases = match finding.aliases.len() {
        0 => String::new(),
        _ => format!("; also {}", printable(&finding.aliases.join(", "), 200)),
    };
    line(format!("{}{aliases}", printable(&finding.url, 300)));
    // Agreement goes without saying.
    if finding
        .says
        .iter()
        .any(|says| says.says != Stance::Affected)
    {
        let says: Vec<String> = finding.says.iter().map(advisories::sentence).collect();
        line(printable(&says.join("; "), 600));
    }
    out
}

fn release(locked: &AuditedRelease, line: &mut impl FnMut(String)) {
    let need = match locked.need {
        Need::Production => "production",
        Need::Optional => "optional",
        Need::Development => "development",
    };
    let AuditedRelease {
        file,
        line: number,
        version,
        ..
    } = locked;
    line(format!(
        "locked: {} at {file}:{number}, {need}",
        printable(version, 100)
    ));
    for path in &locked.paths {
        line(format!("  by way of {}", way(path)));
    }
    if locked.more_paths > 0 {
        line(format!(
            "  and of {} more direct dependencies",
            locked.more_paths
        ));
    }
    line(format!("  {}", fixes(locked)));
    for change in &locked.changes {
        line(format!("  to do: {}", change.what));
    }
}

fn way(path: &AuditPath) -> String {
    let project = match path.project.as_str() {
        "" => String::new(),
        folder => format!("{folder}: "),
    };
    format!("{project}{}", path.through.join(" > "))
}

fn fixes(locked: &AuditedRelease) -> String {
    let later = locked.fixes.iter().any(|fix| !fix.lower && !fix.prerelease);
    let beyond = locked.unconfirmed.first().filter(|_| !later);
    let beyond = beyond.map_or_else(String::new, |version| {
        format!("; {version} is not known to be affected, and not stated to be fixed")
    });
    if locked.fixes.is_empty() {
        return format!("no fix is known{beyond}");
    }
    format!("{}{beyond}", ways_out(&locked.fixes))
}

/// The versions that records call fixed, and those that are only not affected.
fn ways_out(fixes: &[AuditFix]) -> String {
    let (stated, other): (Vec<_>, Vec<_>) = fixes.iter().partition(|it| it.fixed);
    let joined = |fixes: &[&AuditFix]| {
        fixes
            .iter()
            .map(|it| fix(it))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut said = Vec::new();
    if !stated.is_empty() {
        said.push(format!("fixed in: {}", joined(&stated)));
    }
    if !other.is_empty() {
        said.push(format!("not affected: {}", joined(&other)));
    }
    said.join("; ")
}

/// A version that is a way out, and what there is to know before it is taken.
fn fix(fix: &AuditFix) -> String {
    let lower = fix.lower.then_some("lower than the locked one");
    let early = fix.prerelease.then_some("a prerelease");
    // Of a lower one that goes without saying.
    let outside = (fix.breaking && !fix.lower).then_some("outside of ^locked");
    let stated = fix.published.is_none();
    let stated = stated.then_some("as the records say; whether it was published is not known here");
    // That it is lower is said.
    let not_fixed = fix.not_fixed.as_deref().filter(|_| !fix.lower);
    let notes: Vec<&str> = [early, lower, outside, stated, not_fixed]
        .into_iter()
        .flatten()
        .collect();
    match notes.as_slice() {
        [] => fix.version.clone(),
        notes => format!("{} ({})", fix.version, notes.join("; ")),
    }
}

fn summary(report: &v1::Audit) -> String {
    let AuditCounts {
        malware,
        critical,
        high,
        moderate,
        low,
        info,
        unstated,
        unclear,
        below_threshold,
    } = report.counts;
    let files: Vec<&str> = report.lockfiles.iter().map(|it| it.file.as_str()).collect();
    let packages: usize = report.lockfiles.iter().map(|it| it.packages).sum();
    let counts = [
        (malware, "malware"),
        (critical, "critical"),
        (high, "high"),
        (moderate, "moderate"),
        (low, "low"),
        (info, "info"),
        (unstated, "of no stated severity"),
        (unclear, "unclear"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let found = if counts.is_empty() {
        "nothing is told of any of them".to_owned()
    } else {
        counts.join(", ")
    };
    let below = match below_threshold {
        0 => String::new(),
        count => format!(" ({count} of them below the threshold, not shown)"),
    };
    let feeds: Vec<String> = report.feeds.iter().map(feed).collect();
    format!(
        "{}: {}: {found}{below}; asked: {}",
        files.join(", "),
        counted(packages, "package", "packages"),
        feeds.join(", ")
    )
}

fn feed(feed: &v1::AdvisoryFeed) -> String {
    let day = feed.read.as_deref().and_then(|read| read.split('T').next());
    let day = day.map_or_else(|| "of unknown age".to_owned(), |day| format!("of {day}"));
    let skipped = match feed.skipped {
        0 => String::new(),
        count => format!(", {count} parts unreadable"),
    };
    format!("{} ({} records, {day}{skipped})", feed.name, feed.in_force)
}

/// Everything as findings at lines, one for each locked release.
fn as_check(report: &v1::Audit) -> Vec<CheckFinding> {
    let mut all = report.unchecked.clone();
    for finding in &report.findings {
        for locked in &finding.locked {
            all.push(at_line(finding, locked));
        }
    }
    all
}

fn at_line(finding: &AuditFinding, locked: &AuditedRelease) -> CheckFinding {
    let rule = match (finding.certain, finding.kind) {
        (false, _) => &UNCLEAR,
        (true, AdvisoryKind::Malware) => &MALWARE,
        (true, AdvisoryKind::Vulnerability) => &FLAW,
    };
    let level = match (finding.below_threshold, finding.severity) {
        (true, _) | (_, Some(FlawSeverity::Info | FlawSeverity::Low)) => CheckLevel::Note,
        (_, Some(FlawSeverity::Moderate)) => CheckLevel::Warning,
        _ => CheckLevel::Error,
    };
    let todo: Vec<&str> = locked.changes.iter().map(|it| it.what.as_str()).collect();
    let title = match finding.title.trim() {
        "" => finding.id.clone(),
        title => format!("{}: {title}", finding.id),
    };
    let what = format!(
        "{title} ({}, {}); {}; {}",
        severity(finding),
        finding.url,
        fixes(locked),
        todo.join("; ")
    );
    let file = std::path::Path::new(&locked.file);
    CheckFinding {
        level: level.min(rule.level),
        package: Some(printable(
            &format!("{}@{}", finding.package, locked.version),
            300,
        )),
        path: locked
            .paths
            .first()
            .map(|it| it.through.clone())
            .unwrap_or_default(),
        ..check::about_file(rule, file, locked.line, &what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_record_calls_fixed_is_called_fixed() {
        let way = |version: &str, lower: bool, why: Option<&str>| AuditFix {
            version: version.to_owned(),
            published: Some(true),
            breaking: false,
            lower,
            prerelease: false,
            last_affected: None,
            fixed: why.is_none(),
            not_fixed: why.map(str::to_owned),
        };
        let why = Some("1.2.3 is the last affected one in X-1, which states no fix after it");
        let past = "not affected: 1.2.4 (1.2.3 is the last affected one in X-1, which states no fix after it)";
        for (ways, said) in [
            (
                vec![way("1.3.0", false, None)],
                "fixed in: 1.3.0".to_owned(),
            ),
            (vec![way("1.2.4", false, why)], past.to_owned()),
            (
                vec![way("1.2.4", false, why), way("2.0.0", false, None)],
                format!("fixed in: 2.0.0; {past}"),
            ),
            (
                vec![way(
                    "1.1.0",
                    true,
                    Some("it is lower than the affected one"),
                )],
                "not affected: 1.1.0 (lower than the locked one)".to_owned(),
            ),
        ] {
            assert_eq!(ways_out(&ways), said);
        }
    }

    #[test]
    fn a_record_without_a_title_is_called_by_its_id() {
        let finding = |title: &str| AuditFinding {
            id: "X-1".to_owned(),
            kind: AdvisoryKind::Vulnerability,
            aliases: Vec::new(),
            title: title.to_owned(),
            severity: None,
            cvss: None,
            weaknesses: Vec::new(),
            url: "https://advisories.example.invalid/X-1".to_owned(),
            package: "reed".to_owned(),
            vulnerable: "<2.0.0".to_owned(),
            certain: true,
            below_threshold: false,
            says: Vec::new(),
            locked: Vec::new(),
        };
        for (title, said) in [
            ("it leaks", "reed: severity not stated: it leaks (X-1)"),
            ("", "reed: severity not stated: X-1"),
        ] {
            assert_eq!(text(&finding(title)).lines().next(), Some(said));
        }
    }
}
