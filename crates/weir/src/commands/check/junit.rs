//! What was found, as JUnit XML: what GitLab, Jenkins and others show beside test results.
//!
//! Each lockfile is a suite. A finding that must be put right is a test that failed; others passed, with what
//! they say as their output. A file without findings is one test that passed, so that a report is never empty.

use std::fmt::Write as _;

use weir_model::json::v1::{CheckFinding, CheckLevel};

/// A document with all findings; `files` are the lockfiles that were read.
pub(in crate::commands) fn document(files: &[&str], findings: &[CheckFinding]) -> String {
    let mut names: Vec<&str> = files.to_vec();
    for finding in findings {
        if !names.contains(&finding.file.as_str()) {
            names.push(&finding.file);
        }
    }
    let failures = findings
        .iter()
        .filter(|it| it.level == CheckLevel::Error)
        .count();
    let mut suites = String::new();
    let mut tests = 0;
    for name in names {
        let of_file: Vec<&CheckFinding> = findings.iter().filter(|it| it.file == name).collect();
        tests += of_file.len().max(1);
        suite(&mut suites, name, &of_file);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"weir\" tests=\"{tests}\" failures=\"{failures}\">\n{suites}</testsuites>\n"
    )
}

fn suite(out: &mut String, name: &str, findings: &[&CheckFinding]) {
    let failures = findings
        .iter()
        .filter(|it| it.level == CheckLevel::Error)
        .count();
    let tests = findings.len().max(1);
    let name = escaped(name);
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\">"
    );
    if findings.is_empty() {
        let _ = writeln!(
            out,
            "    <testcase classname=\"{name}\" name=\"nothing found\" file=\"{name}\"/>"
        );
    }
    for finding in findings {
        let package = finding.package.as_deref().unwrap_or_default();
        let title = escaped(format!("{} {package}", finding.rule).trim_end());
        let what = escaped(&format!("{}; {}", finding.what, finding.todo));
        let _ = write!(
            out,
            "    <testcase classname=\"{name}\" name=\"{title}\" file=\"{name}\" line=\"{}\">",
            finding.line
        );
        let _ = match finding.level {
            CheckLevel::Error => write!(
                out,
                "<failure type=\"{}\" message=\"{what}\">{name}:{}: {what}</failure>",
                finding.rule, finding.line
            ),
            CheckLevel::Warning => write!(out, "<system-out>warning: {what}</system-out>"),
            CheckLevel::Note => write!(out, "<system-out>note: {what}</system-out>"),
        };
        let _ = writeln!(out, "</testcase>");
    }
    let _ = writeln!(out, "  </testsuite>");
}

/// Text for XML 1.0, which cannot hold most control characters at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: CheckLevel, what: &str) -> CheckFinding {
        CheckFinding {
            rule: "rule",
            level,
            file: "a<b>/package-lock.json".to_owned(),
            line: 7,
            package: Some("p@1.0.0".to_owned()),
            what: what.to_owned(),
            todo: "do \"it\"",
            path: Vec::new(),
        }
    }

    #[test]
    fn failures_are_counted_and_nothing_breaks_out() {
        let findings = [
            finding(CheckLevel::Error, "</failure><script>\u{1b}[31m & ]]>"),
            finding(CheckLevel::Note, "fine"),
        ];
        let text = document(&["yarn.lock"], &findings);
        assert!(
            text.contains("<testsuites name=\"weir\" tests=\"3\" failures=\"1\">"),
            "{text}"
        );
        assert!(
            text.contains("<testsuite name=\"yarn.lock\" tests=\"1\" failures=\"0\">"),
            "{text}"
        );
        assert!(
            text.contains("name=\"a&lt;b&gt;/package-lock.json\" tests=\"2\" failures=\"1\""),
            "{text}"
        );
        assert!(
            !text.contains("<script>") && !text.contains('\u{1b}'),
            "{text}"
        );
        assert_eq!(text.matches("<testcase").count(), 3);
        assert_eq!(
            text.matches("<failure").count(),
            text.matches("</failure>").count()
        );
    }
}
