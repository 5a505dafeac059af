//! The documents a public registry gives out: packuments in both forms, attestations.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::keys::sha256;
use super::shelf::{Shelf, Shelved};
use crate::package::Provenance;
use crate::sigstore::{GITHUB, Identity, Kind, SigningKey, Sigstore};

/// The fields a version keeps in the abbreviated document, in the registry's order (PROTOCOL 3.1).
const ABBREVIATED_FIELDS: [&str; 20] = [
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
    "bin",
    "directories",
    "dist",
    "engines",
    "cpu",
    "os",
    "libc",
    "funding",
    "_hasShrinkwrap",
    "hasInstallScript",
];

/// What every document needs to know about the registry it comes from.
pub(super) struct View<'view> {
    pub(super) now: Option<Timestamp>,
    /// The origin written into `dist.tarball` and `dist.attestations.url`, with a closing slash.
    pub(super) base: &'view str,
    pub(super) key: &'view SigningKey,
    pub(super) sigstore: &'view Sigstore,
}

impl View<'_> {
    /// The full packument, edits of the test applied.
    pub(super) fn full(&self, shelf: &Shelf) -> Value {
        let mut document = json!({
            "_id": shelf.package.name,
            "_rev": format!("{}-{}", shelf.releases.len(), &hex::encode(sha256(shelf.package.name.as_bytes()))[..32]),
            "name": shelf.package.name,
            "dist-tags": self.tags(shelf),
            "versions": self.versions(shelf),
            "time": self.time(shelf),
            "bugs": null,
            "license": "MIT",
            "repository": shelf.package.repository.as_ref().map(|url| json!({"type": "git", "url": url})),
            "description": shelf.package.description,
            "maintainers": people(&shelf.maintainers(self.now)),
            "readme": shelf.package.readme.clone().unwrap_or_else(|| format!("# {}\n", shelf.package.name)),
            "readmeFilename": "README.md",
        });
        if let Value::Object(document) = &mut document {
            document.retain(|_, value| !value.is_null());
        }
        for edit in &shelf.edits {
            edit(&mut document);
        }
        document
    }

    /// The abbreviated packument: no `time`, no `_npmUser`, versions cut down.
    pub(super) fn abbreviated(&self, shelf: &Shelf) -> Value {
        let full = self.full(shelf);
        let versions: Map<String, Value> = full
            .get("versions")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(version, manifest)| (version.clone(), abbreviate(manifest)))
            .collect();
        let mut document = Map::new();
        for (field, value) in [
            ("name", full.get("name").cloned()),
            ("dist-tags", full.get("dist-tags").cloned()),
            (
                "versions",
                full.get("versions").map(|_| Value::Object(versions)),
            ),
            ("modified", full.pointer("/time/modified").cloned()),
        ] {
            if let Some(value) = value {
                document.insert(field.into(), value);
            }
        }
        Value::Object(document)
    }

    /// What a bare mirror serves: one form for everyone, no people, no trust marks (PROTOCOL 3.14).
    pub(super) fn mirrored(&self, shelf: &Shelf) -> Value {
        let mut full = self.full(shelf);
        if let Some(document) = full.as_object_mut() {
            document.retain(|field, _| {
                ["_id", "name", "dist-tags", "versions", "time"].contains(&field.as_str())
            });
        }
        if let Some(tags) = full.get_mut("dist-tags").and_then(Value::as_object_mut) {
            tags.retain(|tag, _| tag == "latest");
        }
        if let Some(time) = full.get_mut("time").and_then(Value::as_object_mut) {
            time.retain(|key, _| key != "created" && key != "modified");
            for value in time.values_mut() {
                let text = value.as_str().unwrap_or_default();
                *value = text.replace('Z', "+00:00").into();
            }
        }
        let versions = full.get_mut("versions").and_then(Value::as_object_mut);
        for manifest in versions
            .into_iter()
            .flat_map(|versions| versions.values_mut())
        {
            let Some(manifest) = manifest.as_object_mut() else {
                continue;
            };
            manifest.retain(|field, _| !field.starts_with('_') && field != "maintainers");
            if let Some(dist) = manifest.get_mut("dist").and_then(Value::as_object_mut) {
                dist.retain(|field, _| {
                    ["tarball", "integrity", "shasum"].contains(&field.as_str())
                });
            }
        }
        full
    }

    /// One version's object: `GET /<name>/<version>`.
    pub(super) fn version(&self, shelf: &Shelf, shelved: &Shelved) -> Value {
        let release = &shelved.release;
        let mut manifest = release.manifest(&shelf.package);
        if release.gypfile {
            add_gypfile(&mut manifest);
        }
        let name = shelf.package.name.as_str();
        let maintainers = shelf.maintainers(Some(shelved.published));
        manifest.insert("_id".into(), format!("{name}@{}", release.version).into());
        manifest.insert("gitHead".into(), git_head(name, &release.version).into());
        manifest.insert("maintainers".into(), people(&maintainers));
        manifest.insert("dist".into(), self.dist(name, shelved));
        manifest.insert("_npmUser".into(), publisher(shelved, &maintainers));
        manifest.insert("directories".into(), json!({}));
        manifest.insert("_nodeVersion".into(), "22.14.0".into());
        manifest.insert("_npmVersion".into(), "11.5.1".into());
        manifest.insert("_hasShrinkwrap".into(), false.into());
        overlay(&mut manifest, &release.packument_fields);
        Value::Object(manifest)
    }

    /// The attestations document of a release, or `None` when it has none: signed by the test Sigstore,
    /// whose root [`super::Registry::trusted_root`] gives.
    pub(super) fn attestations(&self, shelf: &Shelf, shelved: &Shelved) -> Option<Value> {
        let provenance = shelved.release.provenance.as_ref()?;
        let provenance = provenance.clone().unwrap_or_else(|| {
            let repository = shelf.package.repository.clone();
            Provenance::from_repository(repository.unwrap_or_else(|| {
                let name = shelf.package.name.trim_start_matches('@');
                format!("https://git.example.invalid/{name}")
            }))
        });
        let name = shelf.package.name.as_str();
        let version = shelved.release.version.as_str();
        let digest = shelved.integrity.trim_start_matches("sha512-");
        let digest = hex::encode(STANDARD.decode(digest).unwrap_or_default());
        let subject = json!([{
            "name": format!("pkg:npm/{}@{version}", name.replacen('@', "%40", 1)),
            "digest": {"sha512": digest},
        }]);
        let publish = json!({
            "_type": "https://in-toto.io/Statement/v0.1",
            "subject": subject,
            "predicateType": PUBLISH,
            "predicate": {"name": name, "version": version, "registry": self.base.trim_end_matches('/')},
        });
        let commit = git_head(name, version);
        let built = statement(&provenance, &subject, &commit, version);
        let identity = identity(&provenance, &commit, version);
        let at = shelved.published;
        let publish = self
            .sigstore
            .sign_with_key(&publish, self.key, Kind::Intoto, at);
        let mut built = self.sigstore.sign(&built, &identity, Kind::Intoto, at);
        if shelved.release.forged {
            // Somebody else's repository, under the signature of the right one.
            let forged = Provenance::from_repository("https://git.example.invalid/else/where");
            let forged = statement(&forged, &subject, &commit, version).to_string();
            built["dsseEnvelope"]["payload"] = STANDARD.encode(forged).into();
        }
        Some(json!({"attestations": [
            {"predicateType": PUBLISH, "bundle": publish},
            {"predicateType": SLSA, "bundle": built},
        ]}))
    }

    fn tags(&self, shelf: &Shelf) -> Value {
        let tags = shelf.tags(self.now).into_iter();
        Value::Object(tags.map(|(tag, version)| (tag, version.into())).collect())
    }

    fn versions(&self, shelf: &Shelf) -> Value {
        let versions = shelf.installable(self.now).map(|shelved| {
            let version = shelved.release.version.clone();
            (version, self.version(shelf, shelved))
        });
        Value::Object(versions.collect())
    }

    fn time(&self, shelf: &Shelf) -> Value {
        let mut time = Map::new();
        if let Some(created) = shelf.created() {
            time.insert("created".into(), npm_time(created).into());
        }
        if let Some(modified) = shelf.modified(self.now) {
            time.insert("modified".into(), npm_time(modified).into());
        }
        for shelved in shelf.published(self.now) {
            let published = npm_time(shelved.published);
            time.insert(shelved.release.version.clone(), published.into());
        }
        Value::Object(time)
    }

    fn dist(&self, name: &str, shelved: &Shelved) -> Value {
        let version = shelved.release.version.as_str();
        let base = self.base;
        let file = name.rsplit('/').next().unwrap_or(name);
        let mut dist = Map::new();
        dist.insert("integrity".into(), shelved.integrity.as_str().into());
        dist.insert("shasum".into(), shelved.shasum.as_str().into());
        let tarball = format!("{base}{name}/-/{file}-{version}.tgz");
        dist.insert("tarball".into(), tarball.into());
        dist.insert("fileCount".into(), shelved.file_count.into());
        dist.insert("unpackedSize".into(), shelved.unpacked_size.into());
        if shelved.release.provenance.is_some() {
            let encoded = name.replacen('/', "%2f", 1);
            let attestations = json!({
                "url": format!("{base}-/npm/v1/attestations/{encoded}@{version}"),
                "provenance": {"predicateType": SLSA},
            });
            dist.insert("attestations".into(), attestations);
        }
        if let Some(signature) = &shelved.signature {
            let signatures = json!([{"keyid": self.key.id, "sig": signature}]);
            dist.insert("signatures".into(), signatures);
        }
        overlay(&mut dist, &shelved.release.dist_fields);
        Value::Object(dist)
    }
}

const PUBLISH: &str = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";
const SLSA: &str = "https://slsa.dev/provenance/v1";

/// A time as npm writes it: UTC, milliseconds, `Z`.
pub(super) fn npm_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn abbreviate(manifest: &Value) -> Value {
    let mut abbreviated: Map<String, Value> = ABBREVIATED_FIELDS
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), manifest.get(field)?.clone())))
        .collect();
    let hooked = ["preinstall", "install", "postinstall"]
        .iter()
        .any(|event| manifest.pointer(&format!("/scripts/{event}")).is_some());
    if hooked {
        abbreviated.insert("hasInstallScript".into(), true.into());
    }
    Value::Object(abbreviated)
}

/// What npm does on publish to a package with a `binding.gyp` and no hook of its own.
fn add_gypfile(manifest: &mut Map<String, Value>) {
    manifest.insert("gypfile".into(), true.into());
    let scripts = manifest
        .entry("scripts")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(scripts) = scripts.as_object_mut()
        && !scripts.contains_key("install")
        && !scripts.contains_key("preinstall")
    {
        scripts.insert("install".into(), "node-gyp rebuild".into());
    }
}

fn publisher(shelved: &Shelved, maintainers: &[String]) -> Value {
    let release = &shelved.release;
    if release.trusted_publisher {
        let mut user = json!({
            "name": "GitHub Actions",
            "email": "npm-oidc-no-reply@github.com",
            "trustedPublisher": {"id": "github", "oidcConfigId": "oidc:6c1f2a3e-0000-4000-8000-000000000001"},
        });
        approve(&mut user, release.approver.as_deref());
        return user;
    }
    let name = release.publisher.clone();
    let name = name.or_else(|| maintainers.first().cloned());
    let mut user = person(&name.unwrap_or_default());
    approve(&mut user, release.approver.as_deref());
    user
}

fn approve(user: &mut Value, approver: Option<&str>) {
    if let (Some(user), Some(approver)) = (user.as_object_mut(), approver) {
        user.insert("approver".into(), person(approver));
    }
}

fn person(name: &str) -> Value {
    json!({"name": name, "email": format!("{name}@people.invalid")})
}

fn people(names: &[String]) -> Value {
    names.iter().map(|name| person(name)).collect()
}

/// Lays fields of a test over computed ones; `null` removes.
fn overlay(target: &mut Map<String, Value>, fields: &Map<String, Value>) {
    for (field, value) in fields {
        if value.is_null() {
            target.shift_remove(field);
        } else {
            target.insert(field.clone(), value.clone());
        }
    }
}

/// A plausible commit, the same for the same release.
fn git_head(name: &str, version: &str) -> String {
    let mut text = hex::encode(sha256(format!("{name}@{version}").as_bytes()));
    text.truncate(40);
    text
}

fn statement(provenance: &Provenance, subject: &Value, commit: &str, version: &str) -> Value {
    let reference = provenance.reference.replace("{version}", version);
    let repository = provenance.repository.as_str();
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": SLSA,
        "predicate": {
            "buildDefinition": {
                "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
                "externalParameters": {"workflow": {
                    "ref": reference,
                    "repository": repository,
                    "path": provenance.workflow,
                }},
                "internalParameters": {"github": {
                    "event_name": provenance.trigger,
                    "repository_id": provenance.repository_id,
                    "repository_owner_id": "4242",
                }},
                "resolvedDependencies": [{
                    "uri": format!("git+{repository}@{reference}"),
                    "digest": {"gitCommit": commit},
                }],
            },
            "runDetails": {
                "builder": {"id": "https://github.com/actions/runner/github-hosted"},
                "metadata": {"invocationId": format!("{repository}/actions/runs/{}/attempts/1", &commit[..8])},
            },
        },
    })
}

/// What the build's certificate says: the same as its statement, and more.
fn identity(provenance: &Provenance, commit: &str, version: &str) -> Identity {
    let reference = provenance.reference.replace("{version}", version);
    let repository = provenance.repository.as_str();
    let workflow = format!("{repository}/{}@{reference}", provenance.workflow);
    let owner = repository.rsplit_once('/').map_or(repository, |it| it.0);
    let run = format!("{repository}/actions/runs/{}/attempts/1", &commit[..8]);
    let mut claims = vec![
        (9, workflow.as_str()),
        (11, provenance.runner.as_str()),
        (12, repository),
        (13, commit),
        (14, reference.as_str()),
        (15, provenance.repository_id.as_str()),
        (16, owner),
        (17, "4242"),
        (18, workflow.as_str()),
        (20, provenance.trigger.as_str()),
        (21, run.as_str()),
        (22, "public"),
    ];
    if let Some(environment) = &provenance.environment {
        claims.push((23, environment));
    }
    Identity {
        issuer: GITHUB.to_owned(),
        subject: workflow.clone(),
        claims: claims
            .into_iter()
            .map(|(number, value)| (number, value.to_owned()))
            .collect(),
    }
}
