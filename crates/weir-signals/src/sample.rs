//! Samples: small releases beside each signal that it must flag, or must pass.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use weir_model::contents::{
    Capability, CapabilityKind, FileDigest, Flow, Host, HostClass, InstallStep, Place, SinkKind,
    SourceKind, Step, Surface,
};
use weir_model::{
    Advisory, AdvisoryKind, AttestationState, Baseline, Claims, Contents, SignatureState, Trust,
};
use weir_npm::manifest::Manifest;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;

use crate::{
    Alike, Arrival, Brought, Gone, NameIndex, Observation, Sibling, Stage, Subject, Surroundings,
    observe_all,
};

mod describe;
mod usual;

pub use usual::{account_hours, arrival, siblings};

/// The moment at which samples take place.
pub const NOW: &str = "2026-06-15T12:00:00Z";

/// A release that a signal must flag or pass.
#[derive(Debug)]
pub struct Sample {
    /// A sentence that says what it is.
    pub says: &'static str,
    /// Whether the signal must flag it.
    pub flagged: bool,
    /// The release.
    pub scene: Scene,
}

impl Sample {
    /// A release that must be flagged.
    #[must_use]
    pub fn flagged(says: &'static str, scene: Scene) -> Self {
        Self {
            says,
            flagged: true,
            scene,
        }
    }

    /// A release that must pass.
    #[must_use]
    pub fn passing(says: &'static str, scene: Scene) -> Self {
        Self {
            says,
            flagged: false,
            scene,
        }
    }
}

/// A release with its surroundings, as small as can be.
#[derive(Debug)]
pub struct Scene {
    name: &'static str,
    version: &'static str,
    releases: Vec<(&'static str, Option<&'static str>, Value)>,
    history: bool,
    contents: Stage<Contents>,
    previous_contents: Stage<Contents>,
    siblings: Vec<Sibling>,
    surroundings: Surroundings,
    gone: Vec<Gone>,
    brought: Vec<Brought>,
    removed: Vec<(&'static str, &'static str)>,
    alike: Alike,
    trust: Option<Trust>,
    advisories: Stage<Vec<Advisory>>,
    own: Vec<String>,
    own_scopes: Vec<String>,
    refused: Vec<&'static str>,
    minimum_age: SignedDuration,
}

impl Scene {
    /// A release without a past whose code has these facts: what samples of signals over code stand on.
    #[must_use]
    pub fn of_code(contents: Contents) -> Self {
        Self::of("left-lib", "1.4.1")
            .release("1.4.1", "2026-06-01T09:00:00Z", "{}")
            .contents(contents)
    }

    /// The release of that name and version. Its tarball is known and empty, its advisories are
    /// known and none; its history is what [`Scene::release`] adds.
    #[must_use]
    pub fn of(name: &'static str, version: &'static str) -> Self {
        Self {
            name,
            version,
            releases: Vec::new(),
            history: true,
            contents: Stage::Known(Contents::default()),
            previous_contents: Stage::default(),
            siblings: Vec::new(),
            surroundings: Surroundings::default(),
            gone: Vec::new(),
            brought: Vec::new(),
            removed: Vec::new(),
            alike: Alike::default(),
            trust: None,
            advisories: Stage::Known(Vec::new()),
            own: Vec::new(),
            own_scopes: Vec::new(),
            refused: Vec::new(),
            minimum_age: SignedDuration::from_hours(24),
        }
    }

    /// Adds a release to the history: its version, when it was published (RFC 3339; empty for
    /// unknown), and its manifest without name and version, as JSON.
    ///
    /// # Panics
    /// If the manifest is not a JSON object.
    #[must_use]
    pub fn release(
        mut self,
        version: &'static str,
        published: &'static str,
        manifest: &str,
    ) -> Self {
        let manifest: Value = serde_json::from_str(manifest).expect("the sample is JSON");
        let published = Some(published).filter(|text| !text.is_empty());
        self.releases.push((version, published, manifest));
        self
    }

    /// Takes the history away.
    #[must_use]
    pub fn without_history(mut self) -> Self {
        self.history = false;
        self
    }

    /// Sets what is in the tarball.
    #[must_use]
    pub fn contents(mut self, contents: Contents) -> Self {
        self.contents = Stage::Known(contents);
        self
    }

    /// Takes the knowledge of the tarball away.
    #[must_use]
    pub fn without_contents(mut self) -> Self {
        self.contents = Stage::Pending;
        self
    }

    /// Sets what is in the tarball of the previous release.
    #[must_use]
    pub fn previous_contents(mut self, contents: Contents) -> Self {
        self.previous_contents = Stage::Known(contents);
        self
    }

    /// Adds a release of a sibling package.
    #[must_use]
    pub fn sibling(mut self, sibling: Sibling) -> Self {
        self.siblings.push(sibling);
        self
    }

    /// Adds a version that was seen and is not there any more.
    #[must_use]
    pub fn gone(mut self, gone: Gone) -> Self {
        self.gone.push(gone);
        self
    }

    /// Adds a package that comes along with the release and did not with the one before.
    #[must_use]
    pub fn brings(mut self, brought: Brought) -> Self {
        self.brought.push(brought);
        self
    }

    /// Leaves the publish time of a version that is not there any more.
    #[must_use]
    pub fn removed(mut self, version: &'static str, published: &'static str) -> Self {
        self.removed.push((version, published));
        self
    }

    /// Sets what is usual in its scope.
    #[must_use]
    pub fn usual(mut self, baseline: Baseline) -> Self {
        self.surroundings.scope.baseline = Some(Arc::new(baseline));
        self
    }

    /// Sets what is usual for its publisher.
    #[must_use]
    pub fn usual_account(mut self, baseline: Baseline) -> Self {
        self.surroundings.account.baseline = Some(Arc::new(baseline));
        self
    }

    /// Adds another package's release of the same scope.
    #[must_use]
    pub fn in_scope(mut self, arrival: Arrival) -> Self {
        self.surroundings.scope.arrivals.push(arrival);
        self
    }

    /// Adds another package's release by the same account.
    #[must_use]
    pub fn by_account(mut self, arrival: Arrival) -> Self {
        self.surroundings.account.arrivals.push(arrival);
        self
    }

    /// Sets what its code resembles.
    #[must_use]
    pub fn alike(mut self, alike: Alike) -> Self {
        self.alike = alike;
        self
    }

    /// Says how far it can be traced to its registry and its source.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Adds an advisory.
    #[must_use]
    pub fn advisory(mut self, id: &str, kind: AdvisoryKind, summary: &str) -> Self {
        let advisory = Advisory {
            id: id.to_owned(),
            kind,
            aliases: Vec::new(),
            summary: summary.to_owned(),
        };
        match &mut self.advisories {
            Stage::Known(known) => known.push(advisory),
            other => *other = Stage::Known(vec![advisory]),
        }
        self
    }

    /// Takes the knowledge of advisories away.
    #[must_use]
    pub fn without_advisories(mut self) -> Self {
        self.advisories = Stage::default();
        self
    }

    /// Adds a name of the operator's own.
    #[must_use]
    pub fn own(mut self, name: &str) -> Self {
        self.own.push(name.to_owned());
        self
    }

    /// Adds a scope of the operator's own.
    #[must_use]
    pub fn own_scope(mut self, scope: &str) -> Self {
        self.own_scopes.push(scope.to_owned());
        self
    }

    /// Marks a version as refused.
    #[must_use]
    pub fn refused(mut self, version: &'static str) -> Self {
        self.refused.push(version);
        self
    }

    /// Runs `look` on the subject that this scene describes.
    ///
    /// # Panics
    /// If the scene is not one: a bad name, or history that is no packument.
    pub fn with_subject<T>(&self, look: impl FnOnce(&Subject<'_>) -> T) -> T {
        let name = PackageName::parse(self.name).expect("the sample has a name npm allows");
        let names = NameIndex::embedded()
            .and_then(|names| names.with_own(&self.own, &self.own_scopes))
            .expect("the committed index is whole");
        let packument = self.history.then(|| {
            Packument::parse(&name, Bytes::from(self.packument().to_string()))
                .expect("the sample is a packument")
        });
        let refused = |version: &str| self.refused.contains(&version);
        let now: Timestamp = NOW.parse().expect("a constant time");
        let mut surroundings = self.surroundings.clone();
        if let Some(packument) = &packument {
            let settled = now - SignedDuration::from_hours(7 * 24);
            surroundings.before = crate::moments(packument, settled, &refused, None);
            surroundings
                .before_by_account
                .clone_from(&surroundings.before);
        }
        let mut subject = Subject::new(&name, self.version, &names, now).without_refused(&refused);
        if let Some(packument) = &packument {
            subject.packument = Stage::Known(packument);
        }
        subject.contents = self.contents.as_ref();
        subject.previous_contents = self.previous_contents.as_ref();
        subject.siblings = &self.siblings;
        subject.surroundings = Some(&surroundings);
        subject.gone = &self.gone;
        subject.brought = &self.brought;
        subject.advisories = match self.advisories.as_ref() {
            Stage::Known(advisories) => Stage::Known(advisories.as_slice()),
            Stage::NotKnown(why) => Stage::NotKnown(why),
            Stage::Pending => Stage::Pending,
        };
        subject.alike = Some(&self.alike);
        subject.trust = self.trust.as_ref();
        subject.settings.minimum_age = self.minimum_age;
        look(&subject)
    }

    /// What all signals say of it.
    #[must_use]
    pub fn observe(&self) -> Observation {
        self.with_subject(observe_all)
    }

    fn packument(&self) -> Value {
        let (mut versions, mut time) = (Map::new(), Map::new());
        for (version, published, manifest) in &self.releases {
            let mut manifest = manifest.clone();
            if let Some(fields) = manifest.as_object_mut() {
                fields.insert("name".to_owned(), json!(self.name));
                fields.insert("version".to_owned(), json!(version));
                let base = self.name.rsplit('/').next().unwrap_or_default();
                let tarball = format!(
                    "https://registry.example.invalid/{}/-/{base}-{version}.tgz",
                    self.name
                );
                let mut dist = fields.remove("dist").unwrap_or_else(|| json!({}));
                if let Some(dist) = dist.as_object_mut() {
                    dist.insert("tarball".to_owned(), json!(tarball));
                }
                fields.insert("dist".to_owned(), dist);
            }
            versions.insert((*version).to_owned(), manifest);
            if let Some(published) = published {
                time.insert((*version).to_owned(), json!(published));
            }
        }
        for (version, published) in &self.removed {
            time.insert((*version).to_owned(), json!(published));
        }
        json!({
            "name": self.name,
            "dist-tags": { "latest": self.version },
            "versions": versions,
            "time": time,
        })
    }
}

/// The contents of a tarball with that `package.json`.
///
/// # Panics
/// If it is not one.
#[must_use]
pub fn tarball(package_json: &str) -> Contents {
    Contents {
        manifest: Some(Manifest::from_json(package_json).expect("the sample is a package.json")),
        ..Contents::default()
    }
}

/// The manifest of a release published from that account's machine, without provenance.
#[must_use]
pub fn by_hand(name: &str) -> String {
    json!({
        "_npmUser": { "name": name, "email": format!("{name}@mail.example") },
        "maintainers": [{ "name": "mara", "email": "mara@mail.example" }],
        "gitHead": "0123456789abcdef0123456789abcdef01234567",
        "_npmVersion": "10.8.2",
        "_nodeVersion": "20.17.0",
    })
    .to_string()
}

/// The manifest of a release published from the project's workflow, with provenance.
#[must_use]
pub fn from_workflow() -> String {
    json!({
        "_npmUser": {
            "name": "GitHub Actions",
            "trustedPublisher": { "id": "github" },
        },
        "maintainers": [{ "name": "mara", "email": "mara@mail.example" }],
        "gitHead": "0123456789abcdef0123456789abcdef01234567",
        "_npmVersion": "11.5.1",
        "_nodeVersion": "22.14.0",
        "dist": { "attestations": { "provenance": { "predicateType": "https://slsa.dev/provenance/v1" } } },
    })
    .to_string()
}

/// Contents with something that runs at install time.
#[must_use]
pub fn step(event: &str, command: &str, reaches: &[&str]) -> InstallStep {
    InstallStep {
        event: event.to_owned(),
        command: command.to_owned(),
        reaches: reaches.iter().map(|path| (*path).to_owned()).collect(),
    }
}

/// A place in the package.
#[must_use]
pub fn place(path: &str, line: u32, snippet: &str) -> Place {
    Place {
        path: path.to_owned(),
        line,
        snippet: snippet.to_owned(),
    }
}

/// Contents in which one value travels from `from` to `to`, in one file.
#[must_use]
pub fn flow(surface: Surface, from: (SourceKind, &str), to: (SinkKind, &str)) -> Contents {
    Contents {
        flows: vec![Flow {
            source: from.0,
            source_detail: from.1.to_owned(),
            source_place: place("lib/index.js", 3, "const found = read();"),
            steps: vec![Step {
                place: place("lib/index.js", 5, "const body = JSON.stringify(found);"),
                folded: None,
            }],
            sink: to.0,
            sink_detail: to.1.to_owned(),
            sink_place: place("lib/index.js", 9, "send(body);"),
            surface,
            gates: Vec::new(),
        }],
        ..Contents::default()
    }
}

/// A release of two weeks ago with these contents, and the one of March before it, `1.4.0`.
#[must_use]
pub fn compared(version: &'static str, before: Contents, after: Contents) -> Scene {
    Scene::of("left-lib", version)
        .release("1.4.0", "2026-03-01T09:00:00Z", "{}")
        .release(version, "2026-06-01T09:00:00Z", "{}")
        .previous_contents(before)
        .contents(after)
}

/// Contents with these abilities: kind, detail, surface.
#[must_use]
pub fn abilities(list: &[(CapabilityKind, &str, Surface)]) -> Contents {
    Contents {
        capabilities: list
            .iter()
            .map(|(kind, detail, surface)| Capability {
                kind: *kind,
                detail: (*detail).to_owned(),
                place: place("lib/index.js", 3, &format!("{detail}(…)")),
                surface: *surface,
            })
            .collect(),
        ..tarball(r#"{"name":"left-lib"}"#)
    }
}

/// Contents that talk to these hosts: name, class, surface.
#[must_use]
pub fn talks_to(hosts: &[(&str, HostClass, Surface)]) -> Contents {
    Contents {
        hosts: hosts
            .iter()
            .map(|(host, class, surface)| Host {
                host: (*host).to_owned(),
                class: *class,
                place: place("lib/index.js", 3, &format!("request('https://{host}/')")),
                surface: *surface,
            })
            .collect(),
        ..tarball(r#"{"name":"left-lib"}"#)
    }
}

/// Contents with these files of code: path, bytes, surface. Files of one path and length have one
/// digest.
#[must_use]
pub fn code(files: &[(&str, u64, Option<Surface>)]) -> Contents {
    Contents {
        files: files
            .iter()
            .map(|(path, bytes, surface)| FileDigest {
                path: (*path).to_owned(),
                bytes: *bytes,
                digest: format!("{path} {bytes}"),
                surface: *surface,
                longest_line: 100,
            })
            .collect(),
        ..tarball(r#"{"name":"left-lib"}"#)
    }
}

/// A release of another package that added these files: path, bytes.
///
/// # Panics
/// If `published` is no time.
#[must_use]
pub fn sibling(name: &str, version: &str, published: &str, added: &[(&str, u64)]) -> Sibling {
    let files: Vec<_> = added
        .iter()
        .map(|(path, bytes)| (*path, *bytes, Some(Surface::Import)))
        .collect();
    Sibling {
        name: name.to_owned(),
        version: version.to_owned(),
        published: published.parse().expect("the sample has a time"),
        added: code(&files).files,
    }
}

/// Contents whose code is able to do that.
#[must_use]
pub fn able(surface: Surface, kind: CapabilityKind, detail: &str) -> Contents {
    Contents {
        capabilities: vec![Capability {
            kind,
            detail: detail.to_owned(),
            place: place("lib/index.js", 7, "act();"),
            surface,
        }],
        ..Contents::default()
    }
}

/// Contents whose code talks to that host.
#[must_use]
pub fn contact(surface: Surface, host: &str, class: HostClass) -> Contents {
    Contents {
        hosts: vec![Host {
            host: host.to_owned(),
            class,
            place: place("lib/index.js", 4, &format!("send('https://{host}/x');")),
            surface,
        }],
        ..Contents::default()
    }
}

/// What was verified of a release, compared with nothing.
#[must_use]
pub fn trust(signature: SignatureState, attestations: AttestationState) -> Trust {
    Trust {
        signature,
        attestations,
        since: None,
        changes: Vec::new(),
        breaches: Vec::new(),
    }
}

/// The claims of a release from a version tag of `left-lib`'s own repository.
///
/// # Panics
/// Never: its time is a constant.
#[must_use]
pub fn claims() -> Claims {
    let text = |value: &str| Some(value.to_owned());
    let repository = "https://git.example.invalid/mara/left-lib";
    Claims {
        predicate: "https://slsa.dev/provenance/v1".to_owned(),
        issuer: "https://issuer.example.invalid".to_owned(),
        repository: repository.to_owned(),
        repository_id: text("42"),
        owner: text("https://git.example.invalid/mara"),
        owner_id: text("7"),
        commit: text("aa"),
        reference: text("refs/tags/v1.4.0"),
        workflow: text(".github/workflows/release.yml"),
        signer: None,
        trigger: text("push"),
        runner: text("github-hosted"),
        environment: None,
        visibility: text("public"),
        run: Some(format!("{repository}/actions/runs/1")),
        signed_at: NOW.parse().expect("a constant time"),
    }
}
