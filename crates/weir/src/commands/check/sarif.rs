//! What was found, as SARIF 2.1.0 (OASIS): what code hosts show beside the lines of a change.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use weir_model::json::v1::{CheckFinding, CheckLevel};

/// One run with all findings.
pub(in crate::commands) fn document(findings: &[CheckFinding]) -> Value {
    let mut rules: BTreeMap<&str, &CheckFinding> = BTreeMap::new();
    for finding in findings {
        rules.entry(finding.rule).or_insert(finding);
    }
    let rules: Vec<Value> = rules
        .values()
        .map(|finding| {
            json!({
                "id": finding.rule,
                "shortDescription": {"text": title(finding.rule)},
                "help": {"text": finding.todo},
            })
        })
        .collect();
    let here = std::env::current_dir().ok();
    let results = findings.iter().map(|it| result(it, here.as_deref()));
    let results: Vec<Value> = results.collect();
    json!({
        "version": "2.1.0",
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "runs": [{
            "tool": {"driver": {
                "name": "weir",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    })
}

/// A rule's id as a heading.
fn title(id: &str) -> String {
    let words = id.replace('-', " ");
    let mut characters = words.chars();
    let first = characters.next().map(|it| it.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn result(finding: &CheckFinding, here: Option<&Path>) -> Value {
    let level = match finding.level {
        CheckLevel::Note => "note",
        CheckLevel::Warning => "warning",
        CheckLevel::Error => "error",
    };
    let package = finding
        .package
        .as_ref()
        .map(|it| format!("{it} "))
        .unwrap_or_default();
    json!({
        "ruleId": finding.rule,
        "level": level,
        "message": {"text": format!("{package}{}", finding.what)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.file, here)},
            "region": {"startLine": finding.line},
        }}],
    })
}

/// A file's address: seen from the working folder, which code hosts take for the repository's root, or whole where it
/// lies elsewhere.
fn uri(file: &str, here: Option<&Path>) -> String {
    let here = here.map(|here| here.to_string_lossy().replace('\\', "/"));
    let file = match cfg!(windows) {
        true => file.replace('\\', "/"),
        false => file.to_owned(),
    };
    let inside = here.as_deref().and_then(|here| {
        let rest = file.strip_prefix(here.trim_end_matches('/'))?;
        rest.strip_prefix('/')
    });
    if let Some(inside) = inside {
        return encoded(inside, false);
    }
    match Path::new(&file).is_absolute() {
        // A drive of Windows has no slash in front.
        true => format!("file:///{}", encoded(file.trim_start_matches('/'), true)),
        false => encoded(&file, false),
    }
}

/// A path with what may not stand in one's address written as digits. Before the first slash a colon would end the
/// name of a scheme.
fn encoded(path: &str, has_scheme: bool) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b':' if !has_scheme => text.push_str("%3A"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => text.push(char::from(byte)),
            _ if b"-._~!$&'()*+,;=:@/".contains(&byte) => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_an_address() {
        for (file, wanted) in [
            ("package-lock.json", "package-lock.json"),
            (
                "sp ace#\u{fc}%/package-lock.json",
                "sp%20ace%23%C3%BC%25/package-lock.json",
            ),
            ("a?b/[x]/yarn.lock", "a%3Fb/%5Bx%5D/yarn.lock"),
            ("C:x/yarn.lock", "C%3Ax/yarn.lock"),
            ("@s/a+b(1)~/yarn.lock", "@s/a+b(1)~/yarn.lock"),
            ("../app/yarn.lock", "../app/yarn.lock"),
        ] {
            assert_eq!(uri(file, Some(Path::new("/srv/app"))), wanted);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_whole_path_is_seen_from_the_working_folder() {
        for (file, wanted) in [
            ("/srv/app/sp ace/yarn.lock", "sp%20ace/yarn.lock"),
            (
                "/srv/application/yarn.lock",
                "file:///srv/application/yarn.lock",
            ),
            ("/other/a:b#/yarn.lock", "file:///other/a:b%23/yarn.lock"),
        ] {
            assert_eq!(uri(file, Some(Path::new("/srv/app"))), wanted);
        }
        assert_eq!(uri("/yarn.lock", Some(Path::new("/"))), "yarn.lock");
        assert_eq!(uri("/yarn.lock", None), "file:///yarn.lock");
    }

    #[test]
    fn a_rule_has_a_heading() {
        assert_eq!(title("no-integrity"), "No integrity");
        assert_eq!(title(""), "");
    }
}
