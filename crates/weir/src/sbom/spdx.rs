//! SPDX 2.3, in JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weir_npm::integrity::Algorithm;
use weir_npm::lockfile::DependencyKind;

use super::licence::Licence;
use super::origin::Origin;
use super::{Bill, Component, cyclonedx, uuid};

/// What is said where nothing is known.
const NOTHING: &str = "NOASSERTION";

/// Writes a bill. The same bill gives the same text, its namespace too.
pub(crate) fn document(bill: &Bill) -> Value {
    let created = bill.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let tool = format!("Tool: weir-{}", env!("CARGO_PKG_VERSION"));
    let ids: BTreeMap<&str, String> = bill
        .components
        .iter()
        .map(|component| (component.reference.as_str(), id(component)))
        .collect();
    let packages: Vec<Value> = bill
        .components
        .iter()
        .map(|component| package(component, &ids, &created, &tool))
        .collect();
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": bill.name,
        "creationInfo": {
            "created": created,
            "creators": [tool],
            "comment": format!("made from a lockfile of {}", bill.client),
        },
        "packages": packages,
        "relationships": relationships(bill, &ids),
    });
    let number = uuid(&document.to_string());
    document["documentNamespace"] = format!("https://spdx.org/spdxdocs/weir-{number}").into();
    document
}

/// An id that is the same in each document: a name people can read, and what makes it unique.
fn id(component: &Component) -> String {
    let digest = weir_provenance::digest(component.reference.as_bytes());
    let digest = digest.get(..16).unwrap_or(&digest).to_owned();
    let name: String = component
        .name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' => c,
            _ => '-',
        })
        .collect();
    format!("SPDXRef-{}-{digest}", name.trim_matches('-'))
}

fn package(
    component: &Component,
    ids: &BTreeMap<&str, String>,
    created: &str,
    tool: &str,
) -> Value {
    let (declared, comment) = match &component.licence {
        Licence::Unknown => (NOTHING, None),
        Licence::Id(text) | Licence::Expression(text) => (text.as_str(), None),
        // Only a valid expression may stand here.
        Licence::Words(words) => (NOTHING, Some(format!("declared as {words:?}"))),
    };
    let download = match &component.origin {
        Origin::Tarball(url) => url.clone(),
        Origin::Git(url, Some(commit)) => format!("git+{url}@{commit}"),
        Origin::Git(url, None) => format!("git+{url}"),
        Origin::Local(_) | Origin::Unsaid | Origin::Unknown => NOTHING.to_owned(),
    };
    let purpose = if component.project {
        "APPLICATION"
    } else {
        "LIBRARY"
    };
    let mut written = json!({
        "SPDXID": ids.get(component.reference.as_str()),
        "name": component.name,
        "downloadLocation": download,
        "filesAnalyzed": false,
        "licenseConcluded": NOTHING,
        "licenseDeclared": declared,
        "copyrightText": NOTHING,
        "primaryPackagePurpose": purpose,
    });
    if let Some(version) = &component.version {
        written["versionInfo"] = version.clone().into();
    }
    if let Some(comment) = comment {
        written["licenseComments"] = comment.into();
    }
    let checksums: Vec<Value> = component.hashes.iter().map(checksum).collect();
    if !checksums.is_empty() {
        written["checksums"] = checksums.into();
    }
    if let Some(purl) = &component.purl {
        written["externalRefs"] = json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl,
        }]);
    }
    let annotations: Vec<Value> = cyclonedx::properties(component)
        .into_iter()
        .map(|(name, value)| {
            json!({
                "annotationDate": created,
                "annotationType": "OTHER",
                "annotator": tool,
                "comment": format!("{name}: {value}"),
            })
        })
        .collect();
    if !annotations.is_empty() {
        written["annotations"] = annotations.into();
    }
    written
}

fn checksum((algorithm, digest): &(Algorithm, String)) -> Value {
    let algorithm = match algorithm {
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sha256 => "SHA256",
        Algorithm::Sha384 => "SHA384",
        Algorithm::Sha512 => "SHA512",
    };
    json!({"algorithm": algorithm, "checksumValue": digest})
}

fn relationships(bill: &Bill, ids: &BTreeMap<&str, String>) -> Vec<Value> {
    let relation = |from: &str, kind: &str, to: &str| {
        json!({
            "spdxElementId": from,
            "relationshipType": kind,
            "relatedSpdxElement": to,
        })
    };
    let mut relations = Vec::new();
    for project in bill.components.iter().filter(|it| it.project) {
        if let Some(id) = ids.get(project.reference.as_str()) {
            relations.push(relation("SPDXRef-DOCUMENT", "DESCRIBES", id));
        }
    }
    for (from, list) in &bill.dependencies {
        for (to, kind) in list {
            let (Some(from), Some(to)) = (ids.get(from.as_str()), ids.get(to.as_str())) else {
                continue;
            };
            // The same relations that npm writes of its trees.
            relations.push(match kind {
                DependencyKind::Normal => relation(from, "DEPENDS_ON", to),
                DependencyKind::Dev => relation(to, "DEV_DEPENDENCY_OF", from),
                DependencyKind::Optional => relation(to, "OPTIONAL_DEPENDENCY_OF", from),
                DependencyKind::Peer => relation(from, "HAS_PREREQUISITE", to),
                DependencyKind::Client => relation(to, "DEV_TOOL_OF", from),
            });
        }
    }
    relations
}
