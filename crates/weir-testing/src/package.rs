//! Packages and releases as a test describes them, before a registry serves them.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::tarball;

/// Where a provenance statement says a release was built: the claims DETECTION section 6 compares
/// between releases. The default is a GitHub workflow on a version tag.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// The source repository's URL.
    pub repository: String,
    /// The workflow file's path.
    pub workflow: String,
    /// The git ref that was built; `{version}` is replaced.
    pub reference: String,
    /// What started the workflow (`push`, `workflow_dispatch`, `pull_request_target`, ...).
    pub trigger: String,
    /// The platform's numeric id of the repository.
    pub repository_id: String,
    /// The kind of machine.
    pub runner: String,
    /// The deployment environment, if any.
    pub environment: Option<String>,
}

impl Provenance {
    /// Provenance from `.github/workflows/release.yml` on tag `v{version}` of a repository.
    pub fn from_repository(repository: impl Into<String>) -> Provenance {
        Provenance {
            repository: repository.into(),
            workflow: ".github/workflows/release.yml".into(),
            reference: "refs/tags/v{version}".into(),
            trigger: "push".into(),
            repository_id: "424242".into(),
            runner: "github-hosted".into(),
            environment: None,
        }
    }

    /// Another git ref, for instance `refs/heads/x`.
    pub fn reference(mut self, reference: impl Into<String>) -> Provenance {
        self.reference = reference.into();
        self
    }

    /// Another workflow file.
    pub fn workflow(mut self, workflow: impl Into<String>) -> Provenance {
        self.workflow = workflow.into();
        self
    }

    /// Another trigger.
    pub fn trigger(mut self, trigger: impl Into<String>) -> Provenance {
        self.trigger = trigger.into();
        self
    }
}

/// Who may publish a package, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Maintainer {
    pub(crate) name: String,
    pub(crate) since: Option<Timestamp>,
}

/// A package: its people, its releases, its tags.
#[derive(Debug, Clone)]
pub struct Package {
    pub(crate) name: String,
    pub(crate) maintainers: Vec<Maintainer>,
    pub(crate) releases: Vec<Release>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) description: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) readme: Option<String>,
    pub(crate) created: Option<Timestamp>,
}

impl Package {
    /// A package without releases. Releases go in with [`Package::release`].
    pub fn new(name: impl Into<String>) -> Package {
        Package {
            name: name.into(),
            maintainers: Vec::new(),
            releases: Vec::new(),
            tags: BTreeMap::new(),
            description: None,
            repository: None,
            readme: None,
            created: None,
        }
    }

    /// Adds a maintainer from the beginning. The first one publishes unless a release says otherwise.
    pub fn maintainer(mut self, name: impl Into<String>) -> Package {
        self.maintainers.push(Maintainer {
            name: name.into(),
            since: None,
        });
        self
    }

    /// Adds a maintainer who appears at `since` (RFC 3339).
    ///
    /// # Panics
    /// When `since` is not a timestamp.
    pub fn maintainer_since(mut self, name: impl Into<String>, since: &str) -> Package {
        self.maintainers.push(Maintainer {
            name: name.into(),
            since: Some(timestamp(since)),
        });
        self
    }

    /// The description of the package and of every release.
    pub fn description(mut self, text: impl Into<String>) -> Package {
        self.description = Some(text.into());
        self
    }

    /// The repository of the package and of every release that names no other.
    pub fn repository(mut self, url: impl Into<String>) -> Package {
        self.repository = Some(url.into());
        self
    }

    /// The readme shown in the full packument.
    pub fn readme(mut self, text: impl Into<String>) -> Package {
        self.readme = Some(text.into());
        self
    }

    /// Sets a tag, `latest` included, whatever the releases would give. It shows once its version does.
    pub fn tag(mut self, tag: impl Into<String>, version: impl Into<String>) -> Package {
        self.tags.insert(tag.into(), version.into());
        self
    }

    /// `time.created` (RFC 3339) when it should differ from the first release's time.
    ///
    /// # Panics
    /// When `created` is not a timestamp.
    pub fn created(mut self, created: &str) -> Package {
        self.created = Some(timestamp(created));
        self
    }

    /// Adds a release. Document order is the order of these calls, as a registry's is by publish.
    pub fn release(mut self, release: Release) -> Package {
        self.releases.push(release);
        self
    }

    /// Adds several releases.
    pub fn releases(mut self, releases: impl IntoIterator<Item = Release>) -> Package {
        self.releases.extend(releases);
        self
    }

    /// The package's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A release by version, to change it before it is served.
    pub fn release_mut(&mut self, version: &str) -> Option<&mut Release> {
        self.releases
            .iter_mut()
            .find(|release| release.version == version)
    }
}

/// One release: its files, what its `package.json` says, and how it came to be.
#[derive(Debug, Clone)]
pub struct Release {
    pub(crate) version: String,
    pub(crate) published: Option<Timestamp>,
    pub(crate) unpublished: Option<Timestamp>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) fields: Map<String, Value>,
    pub(crate) packument_fields: Map<String, Value>,
    pub(crate) dist_fields: Map<String, Value>,
    pub(crate) publisher: Option<String>,
    pub(crate) trusted_publisher: bool,
    pub(crate) approver: Option<String>,
    pub(crate) provenance: Option<Option<Provenance>>,
    pub(crate) forged: bool,
    pub(crate) gypfile: bool,
    pub(crate) tag: Option<String>,
    pub(crate) signed: Signed,
    pub(crate) tarball_manifest: Option<Value>,
    pub(crate) raw_tarball: Option<Bytes>,
}

/// How the registry's signature on a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Yes,
    No,
    Wrongly,
}

impl Release {
    /// A release with an inert `index.js`. Without [`Release::published`] it is as old as npm's
    /// registry would make it: 2020-01-01 plus one day per release.
    pub fn new(version: impl Into<String>) -> Release {
        Release {
            version: version.into(),
            published: None,
            unpublished: None,
            files: BTreeMap::new(),
            fields: Map::new(),
            packument_fields: Map::new(),
            dist_fields: Map::new(),
            publisher: None,
            trusted_publisher: false,
            approver: None,
            provenance: None,
            forged: false,
            gypfile: false,
            tag: None,
            signed: Signed::Yes,
            tarball_manifest: None,
            raw_tarball: None,
        }
    }

    /// When it was published (RFC 3339, milliseconds as npm writes them).
    ///
    /// # Panics
    /// When `published` is not a timestamp.
    pub fn published(self, published: &str) -> Release {
        self.published_at(timestamp(published))
    }

    /// When it was published.
    pub fn published_at(mut self, published: Timestamp) -> Release {
        self.published = Some(published);
        self
    }

    /// When it was taken down (RFC 3339): from then on only its `time` entry remains.
    ///
    /// # Panics
    /// When `unpublished` is not a timestamp.
    pub fn unpublished(mut self, unpublished: &str) -> Release {
        self.unpublished = Some(timestamp(unpublished));
        self
    }

    /// A file of the tarball, path without the leading `package/`.
    pub fn file(mut self, path: impl Into<String>, content: impl AsRef<[u8]>) -> Release {
        self.files.insert(path.into(), content.as_ref().to_vec());
        self
    }

    /// A lifecycle or other script.
    pub fn script(self, name: &str, command: &str) -> Release {
        self.entry("scripts", name, command)
    }

    /// A dependency.
    pub fn dependency(self, name: &str, range: &str) -> Release {
        self.entry("dependencies", name, range)
    }

    /// An optional dependency.
    pub fn optional_dependency(self, name: &str, range: &str) -> Release {
        self.entry("optionalDependencies", name, range)
    }

    /// A peer dependency.
    pub fn peer_dependency(self, name: &str, range: &str) -> Release {
        self.entry("peerDependencies", name, range)
    }

    /// A development dependency.
    pub fn dev_dependency(self, name: &str, range: &str) -> Release {
        self.entry("devDependencies", name, range)
    }

    /// A command of the package.
    pub fn bin(self, command: &str, path: &str) -> Release {
        self.entry("bin", command, path)
    }

    /// Any other field of `package.json`, in the tarball and in the packument.
    pub fn field(mut self, name: &str, value: Value) -> Release {
        self.fields.insert(name.into(), value);
        self
    }

    /// The repository this release names.
    pub fn repository(self, url: &str) -> Release {
        self.field("repository", json!({"type": "git", "url": url}))
    }

    /// Marks it deprecated in the packument.
    pub fn deprecated(self, message: &str) -> Release {
        self.packument_field("deprecated", json!(message))
    }

    /// A field of the packument's version object only (`null` removes it): the tarball does not
    /// change.
    pub fn packument_field(mut self, name: &str, value: Value) -> Release {
        self.packument_fields.insert(name.into(), value);
        self
    }

    /// A field of `dist` only (`null` removes it, `integrity` included).
    pub fn dist_field(mut self, name: &str, value: Value) -> Release {
        self.dist_fields.insert(name.into(), value);
        self
    }

    /// Who published it.
    pub fn publisher(mut self, name: impl Into<String>) -> Release {
        self.publisher = Some(name.into());
        self
    }

    /// Published by CI over OIDC: `_npmUser.trustedPublisher` is set (PROTOCOL 3.9).
    pub fn trusted_publisher(mut self) -> Release {
        self.trusted_publisher = true;
        self
    }

    /// Staged and approved by a person: `_npmUser.approver` (PROTOCOL 3.9).
    pub fn approved_by(mut self, name: impl Into<String>) -> Release {
        self.approver = Some(name.into());
        self
    }

    /// Carries `dist.attestations`, with provenance from the package's repository, signed by the
    /// registry's test Sigstore.
    pub fn attested(mut self) -> Release {
        self.provenance = Some(None);
        self
    }

    /// As [`Release::attested`], with claims of its own.
    pub fn attested_with(mut self, provenance: Provenance) -> Release {
        self.provenance = Some(Some(provenance));
        self
    }

    /// Its provenance says something else than what was signed.
    pub fn forged_attestation(mut self) -> Release {
        self.provenance.get_or_insert(None);
        self.forged = true;
        self
    }

    /// Has a `binding.gyp` and no install script of its own: npm adds `gypfile` and
    /// `scripts.install = "node-gyp rebuild"` to the published manifest, not to the tarball.
    pub fn gypfile(mut self) -> Release {
        self.gypfile = true;
        self
    }

    /// Published under this tag instead of `latest`.
    pub fn tag(mut self, tag: impl Into<String>) -> Release {
        self.tag = Some(tag.into());
        self
    }

    /// Carries no registry signature.
    pub fn unsigned(mut self) -> Release {
        self.signed = Signed::No;
        self
    }

    /// Carries a signature over something else.
    pub fn wrongly_signed(mut self) -> Release {
        self.signed = Signed::Wrongly;
        self
    }

    /// Manifest confusion: the tarball's `package.json` is this, the packument shows the rest.
    pub fn tarball_manifest(mut self, manifest: Value) -> Release {
        self.tarball_manifest = Some(manifest);
        self
    }

    /// The tarball's bytes, whatever they are (hostile archives). Hashes are those of the bytes.
    pub fn raw_tarball(mut self, bytes: impl Into<Bytes>) -> Release {
        self.raw_tarball = Some(bytes.into());
        self
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn entry(mut self, field: &str, name: &str, value: &str) -> Release {
        let slot = self
            .fields
            .entry(field)
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(object) = slot else {
            panic!("{field} was set to something that is not an object");
        };
        object.insert(name.into(), value.into());
        self
    }

    /// The `package.json` as written by the author.
    pub(crate) fn manifest(&self, package: &Package) -> Map<String, Value> {
        let mut manifest = Map::new();
        manifest.insert("name".into(), package.name.as_str().into());
        manifest.insert("version".into(), self.version.as_str().into());
        if let Some(description) = &package.description {
            manifest.insert("description".into(), description.as_str().into());
        }
        if let Some(repository) = &package.repository {
            manifest.insert(
                "repository".into(),
                json!({"type": "git", "url": repository}),
            );
        }
        manifest.insert("license".into(), "MIT".into());
        let names_entry = ["main", "exports", "module", "bin"]
            .iter()
            .any(|field| self.fields.contains_key(*field));
        if !names_entry {
            manifest.insert("main".into(), "index.js".into());
        }
        for (name, value) in &self.fields {
            manifest.insert(name.clone(), value.clone());
        }
        manifest
    }

    /// Every file of the tarball, `package.json` first.
    pub(crate) fn entries(&self, package: &Package) -> Vec<tarball::Entry> {
        let manifest = match &self.tarball_manifest {
            Some(manifest) => manifest.clone(),
            None => Value::Object(self.manifest(package)),
        };
        let mut files = self.files.clone();
        if !files.contains_key("index.js") && !self.fields.contains_key("main") {
            let text = "'use strict';\n\nmodule.exports = {};\n";
            files.insert("index.js".into(), text.into());
        }
        if self.gypfile && !files.contains_key("binding.gyp") {
            let text =
                "{\n  \"targets\": [{\"target_name\": \"addon\", \"sources\": [\"addon.c\"]}]\n}\n";
            files.insert("binding.gyp".into(), text.into());
            files
                .entry("addon.c".into())
                .or_insert_with(|| b"int addon(void) { return 0; }\n".to_vec());
        }
        let written = files.remove("package.json");
        let text = written.unwrap_or_else(|| pretty(&manifest).into_bytes());
        let commands: Vec<&str> = self
            .fields
            .get("bin")
            .and_then(Value::as_object)
            .map(|bin| bin.values().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut entries = vec![tarball::Entry::file("package/package.json", text)];
        entries.extend(files.into_iter().map(|(path, data)| {
            let executable = commands
                .iter()
                .any(|command| command.trim_start_matches("./") == path);
            tarball::Entry {
                mode: if executable { 0o755 } else { 0o644 },
                ..tarball::Entry::file(format!("package/{path}"), data)
            }
        }));
        entries
    }
}

/// Reads a timestamp of a fixture.
///
/// # Panics
/// When the text is not RFC 3339.
pub(crate) fn timestamp(text: &str) -> Timestamp {
    text.parse()
        .unwrap_or_else(|error| panic!("{text:?} is not a timestamp: {error}"))
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a JSON value renders");
    text.push('\n');
    text
}
