//! Samples: small releases beside each signal that it must flag, or must pass.

mod made;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use weir_model::{Advisory, AdvisoryKind, Contents, Trust};
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;

use crate::{
    Alike, DependencyFacts, Dependents, NameIndex, Observation, Sibling, Stage, Subject,
    observe_all,
};

pub use made::{
    abilities, able, by_hand, claims, code, compared, contact, flow, from_workflow, place, sibling,
    step, talks_to, tarball, trust,
};

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
    alike: Alike,
    trust: Option<Trust>,
    advisories: Stage<Vec<Advisory>>,
    own: Vec<String>,
    own_scopes: Vec<String>,
    refused: Vec<&'static str>,
    dependencies: Vec<DependencyFacts>,
    dependents: Option<Dependents>,
    first_missed: Option<Timestamp>,
    internal: Option<&'static str>,
    minimum_age: SignedDuration,
}

impl Scene {
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
            alike: Alike::default(),
            trust: None,
            advisories: Stage::Known(Vec::new()),
            own: Vec::new(),
            own_scopes: Vec::new(),
            refused: Vec::new(),
            dependencies: Vec::new(),
            dependents: None,
            first_missed: None,
            internal: None,
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

    /// Adds what its registry says of a package that the release began to depend on.
    #[must_use]
    pub fn dependency(mut self, facts: DependencyFacts) -> Self {
        self.dependencies.push(facts);
        self
    }

    /// Names packages that depend on it and were served here.
    #[must_use]
    pub fn dependents(mut self, names: &[&str]) -> Self {
        self.dependents = Some(Dependents {
            count: names.len() as u64,
            some: names.iter().map(|name| (*name).to_owned()).collect(),
        });
        self
    }

    /// Says when the package was first asked for while there was none (RFC 3339).
    ///
    /// # Panics
    /// If that is no time.
    #[must_use]
    pub fn first_missed(mut self, time: &str) -> Self {
        self.first_missed = Some(time.parse().expect("the sample has a time"));
        self
    }

    /// Says that the operator lists the name as internal.
    #[must_use]
    pub fn internal(mut self, entry: &'static str) -> Self {
        self.internal = Some(entry);
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
        let mut subject = Subject::new(&name, self.version, &names, now).without_refused(&refused);
        if let Some(packument) = &packument {
            subject.packument = Stage::Known(packument);
        }
        subject.contents = self.contents.as_ref();
        subject.previous_contents = self.previous_contents.as_ref();
        subject.siblings = &self.siblings;
        subject.advisories = match self.advisories.as_ref() {
            Stage::Known(advisories) => Stage::Known(advisories.as_slice()),
            Stage::NotKnown(why) => Stage::NotKnown(why),
            Stage::Pending => Stage::Pending,
        };
        subject.alike = Some(&self.alike);
        subject.trust = self.trust.as_ref();
        subject.dependencies = &self.dependencies;
        subject.dependents = self.dependents.as_ref();
        subject.first_missed = self.first_missed;
        subject.internal = self.internal;
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
        json!({
            "name": self.name,
            "dist-tags": { "latest": self.version },
            "versions": versions,
            "time": time,
        })
    }

    /// The scene as its page shows it: the releases, and what is in the tarball, without what is
    /// empty.
    #[must_use]
    pub fn describe(&self) -> Value {
        let mut shown = Map::new();
        shown.insert(
            "release".to_owned(),
            json!(format!("{}@{}", self.name, self.version)),
        );
        let releases: Map<String, Value> = self
            .releases
            .iter()
            .map(|(version, published, manifest)| {
                let mut fields = Map::new();
                fields.insert(
                    "published".to_owned(),
                    json!(published.unwrap_or("not known")),
                );
                fields.extend(manifest.as_object().cloned().unwrap_or_default());
                ((*version).to_owned(), Value::Object(fields))
            })
            .collect();
        shown.insert("releases".to_owned(), Value::Object(releases));
        for (key, contents) in [
            ("tarball", &self.contents),
            ("previous tarball", &self.previous_contents),
        ] {
            if let Some(contents) = contents.known() {
                shown.insert(
                    key.to_owned(),
                    serde_json::to_value(contents).unwrap_or_default(),
                );
            }
        }
        let siblings = self.siblings.iter().map(|sibling| {
            json!({
                "release": format!("{}@{}", sibling.name, sibling.version),
                "published": sibling.published.to_string(),
                "added": sibling.added,
            })
        });
        shown.insert("siblings".to_owned(), siblings.collect());
        if let Some(advisories) = self.advisories.known() {
            shown.insert(
                "advisories".to_owned(),
                serde_json::to_value(advisories).unwrap_or_default(),
            );
        }
        let near = self.alike.near.iter().map(|near| {
            json!({
                "package": format!("{}@{}", near.name, near.version),
                "percent": near.percent,
                "names alike": near.lookalike,
                "same maintainer": near.shared_maintainer,
                "refused": near.refused,
            })
        });
        shown.insert("nearly the same code".to_owned(), near.collect());
        let bad = self.alike.bad.iter().map(|bad| {
            json!({
                "path": bad.path,
                "refused in": format!("{}@{}", bad.name, bad.version),
                "why": bad.why,
            })
        });
        shown.insert("refused before".to_owned(), bad.collect());
        shown.insert("own names".to_owned(), json!(self.own));
        shown.insert("own scopes".to_owned(), json!(self.own_scopes));
        shown.insert("refused".to_owned(), json!(self.refused));
        let dependencies = self.dependencies.iter().map(|facts| {
            json!({
                "package": facts.name,
                "version": facts.version,
                "first published": facts.created.map(|time| time.to_string()),
                "published": facts.published.map(|time| time.to_string()),
                "scripts": facts.hooks,
                "repository": facts.repository,
                "same people": facts.same_people,
            })
        });
        shown.insert("new dependencies".to_owned(), dependencies.collect());
        let dependents = self.dependents.as_ref().map(|it| &it.some);
        shown.insert("depend on it".to_owned(), json!(dependents));
        let missed = self.first_missed.map(|time| time.to_string());
        shown.insert("asked for in vain".to_owned(), json!(missed));
        shown.insert("names.internal".to_owned(), json!(self.internal));
        let mut shown = Value::Object(shown);
        prune(&mut shown);
        shown
    }
}

/// Drops what is empty, zero or absent.
fn prune(value: &mut Value) {
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Bool(_) | Value::String(_) => false,
    };
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|_, field| !is_nothing(field));
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}
