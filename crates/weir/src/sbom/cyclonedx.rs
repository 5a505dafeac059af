//! CycloneDX 1.6 (ECMA-424), in JSON.

use serde_json::{Map, Value, json};
use weir_model::finding::printable;
use weir_model::{AttestationState, SignatureState, Trust};
use weir_npm::integrity::Algorithm;

use super::licence::Licence;
use super::origin::Origin;
use super::{Bill, Component, Need, ROOT, uuid};

/// Writes a bill. The same bill gives the same text, its serial number too.
pub(crate) fn document(bill: &Bill) -> Value {
    let tool = json!({"components": [{
        "type": "application",
        "name": "weir",
        "version": env!("CARGO_PKG_VERSION"),
    }]});
    let mut metadata = json!({
        "timestamp": bill.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "lifecycles": [{"phase": "pre-build"}],
        "tools": tool,
    });
    let root = bill.root();
    if let Some(root) = root {
        metadata["component"] = component(root);
    }
    let others = bill.components.iter().skip(usize::from(root.is_some()));
    let dependencies: Vec<Value> = bill
        .dependencies
        .iter()
        .map(|(reference, list)| {
            // One of two kinds is one dependency.
            let mut on: Vec<&str> = list.iter().map(|(to, _)| to.as_str()).collect();
            on.dedup();
            json!({"ref": reference, "dependsOn": on})
        })
        .collect();
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": others.map(component).collect::<Vec<_>>(),
        "dependencies": dependencies,
    });
    let serial = format!("urn:uuid:{}", uuid(&document.to_string()));
    document["serialNumber"] = serial.into();
    document
}

fn component(component: &Component) -> Value {
    let kind = if component.project {
        "application"
    } else {
        "library"
    };
    let mut written = Map::new();
    let mut put = |key: &str, value: Value| written.insert(key.to_owned(), value);
    put("type", kind.into());
    put("bom-ref", component.reference.clone().into());
    // The scope is the group.
    match component
        .name
        .strip_prefix('@')
        .and_then(|it| it.split_once('/'))
    {
        Some((scope, name)) => {
            put("group", format!("@{scope}").into());
            put("name", name.into());
        }
        None => {
            put("name", component.name.clone().into());
        }
    }
    if let Some(version) = &component.version {
        put("version", version.clone().into());
    }
    if !component.project {
        put("scope", scope(component.need).into());
    }
    let hashes: Vec<Value> = component.hashes.iter().map(hash).collect();
    if !hashes.is_empty() {
        put("hashes", hashes.into());
    }
    if let Some(licences) = licences(&component.licence) {
        put("licenses", licences);
    }
    if let Some(purl) = &component.purl {
        put("purl", purl.clone().into());
    }
    let references = references(component);
    if !references.is_empty() {
        put("externalReferences", references.into());
    }
    let properties: Vec<Value> = properties(component)
        .into_iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    if !properties.is_empty() {
        put("properties", properties.into());
    }
    Value::Object(written)
}

/// CycloneDX 1.6, `component.scope`: excluded is what does not ship, as tests and builds.
const fn scope(need: Need) -> &'static str {
    match need {
        Need::Required => "required",
        Need::Optional => "optional",
        Need::Development => "excluded",
    }
}

fn hash((algorithm, digest): &(Algorithm, String)) -> Value {
    let algorithm = match algorithm {
        Algorithm::Sha1 => "SHA-1",
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Sha384 => "SHA-384",
        Algorithm::Sha512 => "SHA-512",
    };
    json!({"alg": algorithm, "content": digest})
}

fn licences(licence: &Licence) -> Option<Value> {
    match licence {
        Licence::Unknown => None,
        Licence::Id(id) => Some(json!([{"license": {"id": id, "acknowledgement": "declared"}}])),
        Licence::Expression(expression) => Some(json!([
            {"expression": expression, "acknowledgement": "declared"}
        ])),
        Licence::Words(words) => Some(json!([
            {"license": {"name": words, "acknowledgement": "declared"}}
        ])),
    }
}

fn references(component: &Component) -> Vec<Value> {
    let mut references = Vec::new();
    match &component.origin {
        Origin::Tarball(url) => references.push(json!({"type": "distribution", "url": url})),
        Origin::Git(url, _) => references.push(json!({"type": "vcs", "url": url})),
        Origin::Local(_) | Origin::Unsaid | Origin::Unknown => {}
    }
    if let Some(claims) = component.trust.as_ref().and_then(Trust::claims) {
        let said = "the repository that the verified provenance names";
        references.push(json!({"type": "vcs", "url": claims.repository, "comment": said}));
        if let Some(run) = &claims.run {
            references.push(json!({"type": "build-meta", "url": run}));
        }
    }
    references
}

/// What neither format has a place for. The names that begin with `cdx:npm:` are registered in
/// CycloneDX's taxonomy.
pub(super) fn properties(component: &Component) -> Vec<(&'static str, String)> {
    let mut properties = Vec::new();
    let mut put = |name, value: &str| properties.push((name, value.to_owned()));
    for (name, value) in sources(component) {
        put(name, &value);
    }
    let flags = &component.flags;
    for (name, holds) in [
        (
            "cdx:npm:package:development",
            component.need == Need::Development,
        ),
        ("cdx:npm:package:bundled", flags.bundled),
        ("weir:install-scripts", flags.scripts),
        ("weir:patched", flags.patched),
    ] {
        if holds {
            put(name, "true");
        }
    }
    if let Some(checksum) = &component.checksum {
        put("weir:yarn-checksum", checksum);
    }
    if let Some(decision) = &component.decision {
        put("weir:decision", decision.action.as_str());
        for reason in &decision.reasons {
            put("weir:decision:reason", reason);
        }
    }
    if let Some(trust) = &component.trust {
        trusted(trust, &mut put);
    }
    properties
}

/// What is said of a component that has no package URL, so that nobody takes it for the public one of its name.
fn sources(component: &Component) -> Vec<(&'static str, String)> {
    let kind = match &component.origin {
        _ if component.reference == ROOT => return Vec::new(),
        Origin::Local(_) if component.project => "workspace",
        Origin::Local(_) => "local",
        Origin::Unknown => "unknown",
        Origin::Tarball(_) | Origin::Git(..) | Origin::Unsaid => return Vec::new(),
    };
    let mut said = vec![("weir:source", kind.to_owned())];
    if let Origin::Local(path) = &component.origin {
        said.push(("weir:source:path", printable(path, 300)));
    }
    said
}

fn trusted(trust: &Trust, put: &mut impl FnMut(&'static str, &str)) {
    match &trust.signature {
        SignatureState::Verified { keyid } => {
            put("weir:signature", "verified");
            put("weir:signature:key", keyid);
        }
        SignatureState::Missing => put("weir:signature", "missing"),
        SignatureState::Unsigned => put("weir:signature", "the registry signs nothing"),
        SignatureState::Failed { why } => put("weir:signature", &format!("failed: {why}")),
        SignatureState::Unchecked { why } => put("weir:signature", &format!("not checked: {why}")),
    }
    match &trust.attestations {
        AttestationState::None => put("weir:provenance", "none"),
        AttestationState::Failed { why } => put("weir:provenance", &format!("failed: {why}")),
        AttestationState::Unchecked { why } => {
            put("weir:provenance", &format!("not checked: {why}"));
        }
        AttestationState::Verified { claims: None } => put("weir:provenance", "none"),
        AttestationState::Verified {
            claims: Some(claims),
        } => {
            put("weir:provenance", "verified");
            put("weir:provenance:repository", &claims.repository);
            put("weir:provenance:issuer", &claims.issuer);
            for (name, value) in [
                ("weir:provenance:commit", &claims.commit),
                ("weir:provenance:ref", &claims.reference),
                ("weir:provenance:workflow", &claims.workflow),
                ("weir:provenance:runner", &claims.runner),
                ("weir:provenance:run", &claims.run),
            ] {
                if let Some(value) = value {
                    put(name, value);
                }
            }
        }
    }
}
