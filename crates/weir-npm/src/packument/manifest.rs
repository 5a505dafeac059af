//! One version of a packument: the manifest, and what the registry adds to it.

use std::borrow::Cow;

use serde_json::Value;

use crate::integrity::Integrity;
use crate::json;
use crate::manifest::{Manifest, ManifestError, Members, read_members};

/// Somebody named in a packument.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// Account name.
    pub name: String,
    /// Mail address, if shown.
    pub email: Option<String>,
}

/// `_npmUser`: who published a version, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publisher {
    /// Account name.
    pub name: String,
    /// Mail address, if shown.
    pub email: Option<String>,
    /// Published from a trusted workflow by OIDC (PROTOCOL 3.9).
    pub trusted_publisher: bool,
    /// The workflow host of a trusted publisher, such as `github`.
    pub trusted_publisher_id: Option<String>,
    /// The account that approved a staged publish (PROTOCOL 3.9).
    pub approver: Option<Person>,
}

/// One registry signature in `dist.signatures`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Which of the registry's keys.
    pub keyid: String,
    /// The signature, base64.
    pub sig: String,
}

/// `dist.attestations`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attestations {
    /// Where the bundles are.
    pub url: Option<String>,
    /// `provenance.predicateType`; present when there is a provenance attestation.
    pub provenance: Option<String>,
}

/// `dist`: the tarball of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dist {
    /// Where upstream serves it.
    pub tarball: Option<String>,
    /// `integrity`, if it is one.
    pub integrity: Option<Integrity>,
    /// Whether `integrity` says something that is none: a digest that is not base64 or not of its length, or of no
    /// algorithm that clients know.
    pub unreadable_integrity: bool,
    /// `shasum` as written: SHA-1 in hexadecimal.
    pub shasum: Option<String>,
    /// `fileCount`.
    pub file_count: Option<u64>,
    /// `unpackedSize`, in bytes.
    pub unpacked_size: Option<u64>,
    /// `signatures`.
    pub signatures: Vec<Signature>,
    /// `attestations`, if there are any.
    pub attestations: Option<Attestations>,
}

impl Dist {
    /// `integrity`, or else `shasum` as an integrity. None where `integrity` cannot be read: clients would go by what
    /// is written there, and the weaker digest beside it must not take its place.
    #[must_use]
    pub fn best_integrity(&self) -> Option<Integrity> {
        if self.unreadable_integrity {
            return None;
        }
        self.integrity
            .clone()
            .or_else(|| Integrity::from_sha1_hex(self.shasum.as_deref()?).ok())
    }
}

/// One version: what its publisher wrote and what the registry says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionManifest {
    /// The publisher's part.
    pub manifest: Manifest,
    /// The tarball.
    pub dist: Dist,
    /// Who published it.
    pub publisher: Option<Publisher>,
    /// `maintainers` at the time of this version.
    pub maintainers: Vec<Person>,
    /// `hasInstallScript`, if said.
    pub has_install_script: Option<bool>,
    /// `deprecated`, unless empty.
    pub deprecated: Option<String>,
    /// `gitHead`.
    pub git_head: Option<String>,
    /// `_npmVersion`: the client it was published with.
    pub npm_version: Option<String>,
    /// `_nodeVersion`.
    pub node_version: Option<String>,
    /// `license` as a text, or the `type` of its older form, an object.
    pub license: Option<String>,
}

/// Who published a version, how, and from where: the part of [`VersionManifest`] that says so, without
/// what the publisher wrote. Cheap enough to read of every version of a long history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// `_npmUser`.
    pub publisher: Option<Publisher>,
    /// Whether `dist.attestations` has provenance.
    pub provenance: bool,
    /// `maintainers` at the time of this version.
    pub maintainers: Vec<Person>,
    /// `gitHead`.
    pub git_head: Option<String>,
    /// `_npmVersion`: the client it was published with.
    pub npm_version: Option<String>,
    /// `_nodeVersion`.
    pub node_version: Option<String>,
}

/// What a version says of its publication, as it is written; empty where it says nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicationParts<'t> {
    pub(super) npm_user: &'t str,
    /// `dist.attestations`.
    pub(super) attestations: &'t str,
    pub(super) maintainers: &'t str,
    pub(super) git_head: &'t str,
    pub(super) npm_version: &'t str,
    pub(super) node_version: &'t str,
}

impl Publication {
    /// Reads what a version says of its publication. Nothing is read where nothing is said, which is
    /// everywhere on registries that keep little.
    pub(super) fn from_parts(parts: PublicationParts<'_>) -> Self {
        let text = |part| json::string(part).map(Cow::into_owned);
        let said = |part: &&str| !part.is_empty();
        Self {
            publisher: Some(parts.npm_user).filter(said).and_then(read_publisher),
            provenance: Some(parts.attestations)
                .filter(said)
                .and_then(read_attestations)
                .is_some_and(|it| it.provenance.is_some()),
            maintainers: Some(parts.maintainers)
                .filter(said)
                .map(people)
                .unwrap_or_default(),
            git_head: text(parts.git_head),
            npm_version: text(parts.npm_version),
            node_version: text(parts.node_version),
        }
    }
}

impl VersionManifest {
    /// Reads one value of `versions`.
    ///
    /// # Errors
    /// [`ManifestError`] when it is not a JSON object.
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        Ok(Self::from_members(&read_members(text)?))
    }

    /// Reads nothing of it but some fields: for whoever looks at many versions of a history. The others are as if they
    /// were not there.
    ///
    /// # Errors
    /// [`ManifestError`] when it is not a JSON object.
    pub fn fields_from_json(text: &str, fields: &[&str]) -> Result<Self, ManifestError> {
        let mut members = read_members(text)?;
        members.retain(|(key, _)| fields.contains(&&**key));
        Ok(Self::from_members(&members))
    }

    fn from_members(members: &Members<'_>) -> Self {
        let field = |name: &str| {
            let found = members.iter().rev().find(|(key, _)| key == name);
            found.map(|(_, value)| *value)
        };
        let flag = |name| field(name).and_then(|value| serde_json::from_str(value).ok());
        let text = |name| field(name).and_then(json::string).map(Cow::into_owned);
        Self {
            dist: field("dist").map(read_dist).unwrap_or_default(),
            publisher: field("_npmUser").and_then(read_publisher),
            maintainers: field("maintainers").map(people).unwrap_or_default(),
            has_install_script: flag("hasInstallScript"),
            deprecated: field("deprecated").and_then(deprecation),
            git_head: text("gitHead"),
            npm_version: text("_npmVersion"),
            node_version: text("_nodeVersion"),
            license: field("license").and_then(read_license),
            manifest: Manifest::from_members(members),
        }
    }
}

/// The text of `deprecated`, where clients see a deprecation: any value that JavaScript takes for true.
pub(super) fn deprecation(value: &str) -> Option<String> {
    match json::string(value) {
        Some(text) => (!text.is_empty()).then(|| text.into_owned()),
        None => (!matches!(value, "null" | "false" | "0")).then(|| value.to_owned()),
    }
}

fn read_dist(value: &str) -> Dist {
    let members = json::members(value).unwrap_or_default();
    let mut dist = Dist::default();
    for (key, value) in &members {
        match &**key {
            "tarball" => dist.tarball = owned(value),
            "integrity" => {
                dist.integrity = json::string(value).and_then(|text| Integrity::parse(&text).ok());
                // What counts as nothing in JavaScript is passed over by clients.
                let is_empty = matches!(*value, "null" | "false" | "0" | "\"\"");
                dist.unreadable_integrity = dist.integrity.is_none() && !is_empty;
            }
            "shasum" => dist.shasum = owned(value),
            "fileCount" => dist.file_count = serde_json::from_str(value).ok(),
            "unpackedSize" => dist.unpacked_size = serde_json::from_str(value).ok(),
            "signatures" => dist.signatures = read_signatures(value),
            "attestations" => dist.attestations = read_attestations(value),
            _ => {}
        }
    }
    dist
}

fn read_license(value: &str) -> Option<String> {
    owned(value).or_else(|| {
        let members = json::members(value).ok()?;
        let kind = members.iter().rev().find(|(key, _)| key == "type");
        owned(kind?.1)
    })
}

fn owned(value: &str) -> Option<String> {
    json::string(value).map(Cow::into_owned)
}

fn read_signatures(value: &str) -> Vec<Signature> {
    let Ok(Value::Array(items)) = serde_json::from_str(value) else {
        return Vec::new();
    };
    let text =
        |item: &Value, field: &str| item.get(field).and_then(Value::as_str).map(str::to_owned);
    let signatures = items.iter().filter_map(|item| {
        Some(Signature {
            keyid: text(item, "keyid")?,
            sig: text(item, "sig")?,
        })
    });
    signatures.collect()
}

fn read_attestations(value: &str) -> Option<Attestations> {
    let Ok(Value::Object(fields)) = serde_json::from_str(value) else {
        return None;
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Attestations {
        url: fields.get("url").and_then(text),
        provenance: fields
            .get("provenance")
            .and_then(|it| it.get("predicateType"))
            .and_then(text),
    })
}

fn read_publisher(value: &str) -> Option<Publisher> {
    let value: Value = serde_json::from_str(value).ok()?;
    let Person { name, email } = person(&value)?;
    let trusted = value
        .get("trustedPublisher")
        .filter(|it| !matches!(it, Value::Null | Value::Bool(false)));
    Some(Publisher {
        name,
        email,
        trusted_publisher: trusted.is_some(),
        trusted_publisher_id: trusted
            .and_then(|it| it.get("id"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        approver: value.get("approver").and_then(person),
    })
}

/// The people in a raw list; entries that name nobody are left out.
pub(super) fn people(value: &str) -> Vec<Person> {
    match serde_json::from_str(value) {
        Ok(Value::Array(items)) => items.iter().filter_map(person).collect(),
        Ok(one) => person(&one).into_iter().collect(),
        Err(_) => Vec::new(),
    }
}

/// Somebody as `{"name": .., "email": ..}` or as `name <email> (url)`.
fn person(value: &Value) -> Option<Person> {
    if let Value::String(text) = value {
        let (name, rest) = text.split_once('<').unwrap_or((text, ""));
        let email = rest
            .split_once('>')
            .map(|(email, _)| email.trim().to_owned());
        let name = name.split('(').next().unwrap_or(name).trim().to_owned();
        return (!name.is_empty()).then_some(Person { name, email });
    }
    let text = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    Some(Person {
        name: text("name")?,
        email: text("email"),
    })
}

/// A bit for each of the fields of a version that decide something, here or in clients, and 0 for any other key. One
/// of them twice in a version is two different versions, depending on who reads.
pub(super) fn field_bit(key: &str) -> u64 {
    let at = match key {
        "name" => 0,
        "version" => 1,
        "dist" => 2,
        "deprecated" => 3,
        "scripts" => 4,
        "dependencies" => 5,
        "optionalDependencies" => 6,
        "peerDependencies" => 7,
        "bundleDependencies" => 8,
        "bundledDependencies" => 9,
        "bin" => 10,
        "main" => 11,
        "exports" => 12,
        "hasInstallScript" => 13,
        "_npmUser" => 14,
        "maintainers" => 15,
        _ => return 0,
    };
    1 << at
}

/// The same for the fields of `dist`.
pub(super) fn dist_field_bit(key: &str) -> u64 {
    let at = match key {
        "tarball" => 0,
        "integrity" => 1,
        "shasum" => 2,
        "signatures" => 3,
        "attestations" => 4,
        _ => return 0,
    };
    1 << at
}

/// The members of a version, for rendering.
pub(super) fn version_members(text: &str) -> Vec<(Cow<'_, str>, &str)> {
    json::members(text).unwrap_or_default()
}

/// Whether `scripts` has a hook that runs on install, whatever its value.
pub(super) fn has_install_hook(members: &Members<'_>) -> bool {
    let scripts = members.iter().rev().find(|(key, _)| key == "scripts");
    let hooks = scripts
        .and_then(|(_, value)| json::members(value).ok())
        .unwrap_or_default();
    hooks.iter().any(|(event, command)| {
        crate::manifest::INSTALL_EVENTS.contains(&&**event)
            && json::string(command).is_none_or(|it| !it.is_empty())
    })
}
