//! What was found, as SARIF 2.1.0 (OASIS): what code hosts show beside the lines of a change.

use std::collections::BTreeMap;

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
        .map(|finding| json!({"id": finding.rule, "help": {"text": finding.todo}}))
        .collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
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

fn result(finding: &CheckFinding) -> Value {
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
            "artifactLocation": {"uri": finding.file.replace('\\', "/")},
            "region": {"startLine": finding.line},
        }}],
    })
}
