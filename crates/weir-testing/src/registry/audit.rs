//! The audit endpoints: bulk advisories and the older tree form.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use crate::http_server::Request;

/// An advisory of the registry's audit endpoints.
#[derive(Debug, Clone)]
pub struct Advisory {
    package: String,
    vulnerable: String,
    affected: Vec<String>,
    title: String,
    severity: String,
}

impl Advisory {
    /// An advisory on `package`: `vulnerable` is the range as shown, `affected` the versions it
    /// covers, spelled out because the fake registry does not evaluate ranges.
    pub fn new<Version: Into<String>>(
        package: &str,
        vulnerable: &str,
        affected: impl IntoIterator<Item = Version>,
    ) -> Advisory {
        Advisory {
            package: package.into(),
            vulnerable: vulnerable.into(),
            affected: affected.into_iter().map(Into::into).collect(),
            title: format!("A flaw in {package}"),
            severity: "high".into(),
        }
    }

    /// Another title.
    pub fn title(mut self, title: &str) -> Advisory {
        self.title = title.into();
        self
    }

    /// Another severity: `info`, `low`, `moderate`, `high` or `critical`.
    pub fn severity(mut self, severity: &str) -> Advisory {
        self.severity = severity.into();
        self
    }

    fn document(&self, id: usize) -> Value {
        json!({
            "id": id,
            "url": format!("https://advisories.example.invalid/GHSA-{id:04}"),
            "title": self.title,
            "severity": self.severity,
            "vulnerable_versions": self.vulnerable,
            "cwe": ["CWE-506"],
            "cvss": {"score": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
        })
    }
}

/// The answer to `POST /-/npm/v1/security/advisories/bulk`, or `None` when the body is not the map
/// of name to versions that npm sends (PROTOCOL 3.8).
pub(super) fn bulk(advisories: &[Advisory], request: &Request) -> Option<Value> {
    let asked: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&plain_body(request)?).ok()?;
    let mut answer: Map<String, Value> = Map::new();
    for (position, advisory) in advisories.iter().enumerate() {
        let Some(versions) = asked.get(&advisory.package) else {
            continue;
        };
        if versions
            .iter()
            .any(|version| advisory.affected.contains(version))
        {
            let list = answer
                .entry(advisory.package.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(advisory.document(1000 + position));
            }
        }
    }
    Some(Value::Object(answer))
}

/// The answer to the older `audits` and `audits/quick`: the tree of installed versions is walked.
pub(super) fn tree(advisories: &[Advisory], request: &Request) -> Option<Value> {
    let asked: Value = serde_json::from_slice(&plain_body(request)?).ok()?;
    let mut installed = Vec::new();
    walk(&asked, "", &mut installed);
    let mut found = Map::new();
    for (position, advisory) in advisories.iter().enumerate() {
        let findings: Vec<Value> = installed
            .iter()
            .filter(|(name, version, _)| {
                *name == advisory.package && advisory.affected.contains(version)
            })
            .map(|(_, version, path)| json!({"version": version, "paths": [path]}))
            .collect();
        if findings.is_empty() {
            continue;
        }
        let id = 1000 + position;
        let mut document = advisory.document(id);
        if let Some(document) = document.as_object_mut() {
            document.insert("module_name".into(), advisory.package.as_str().into());
            document.insert("findings".into(), findings.into());
            document.insert("patched_versions".into(), "<0.0.0".into());
        }
        found.insert(id.to_string(), document);
    }
    let mut counts = json!({"info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 0});
    for document in found.values() {
        let severity = document["severity"].as_str().unwrap_or("high");
        let count = counts[severity].as_u64().unwrap_or(0);
        counts[severity] = (count + 1).into();
    }
    Some(json!({
        "actions": [],
        "advisories": found,
        "muted": [],
        "metadata": {"vulnerabilities": counts, "dependencies": installed.len(), "devDependencies": 0, "optionalDependencies": 0, "totalDependencies": installed.len()},
    }))
}

fn walk(node: &Value, path: &str, installed: &mut Vec<(String, String, String)>) {
    let children = node.get("dependencies").and_then(Value::as_object);
    for (name, child) in children.into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}>{name}")
        };
        if let Some(version) = child.get("version").and_then(Value::as_str) {
            installed.push((name.clone(), version.into(), path.clone()));
        }
        walk(child, &path, installed);
    }
}

fn plain_body(request: &Request) -> Option<Vec<u8>> {
    if request.header("content-encoding") != Some("gzip") {
        return Some(request.body.to_vec());
    }
    let mut plain = Vec::new();
    GzDecoder::new(&*request.body)
        .read_to_end(&mut plain)
        .ok()?;
    Some(plain)
}
