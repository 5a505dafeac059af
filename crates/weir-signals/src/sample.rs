//! Samples: small releases beside each signal that it must flag, or must pass.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use weir_model::{Advisory, AdvisoryKind, Baseline, Contents, Trust};
use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;

use crate::{
    Alike, Arrival, Brought, DependencyFacts, Dependents, EarlierBytes, Gone, NameIndex,
    Observation, Sibling, Stage, Subject, Surroundings, observe_all,
};

mod describe;
mod made;
mod usual;

pub use made::{
    abilities, able, at_load, by_hand, claims, code, compared, contact, flow, from_workflow, place,
    sibling, step, talks_to, tarball, trust,
};
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
    habit_contents: Stage<Contents>,
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
    fine: Option<Vec<String>>,
    dependencies: Vec<DependencyFacts>,
    dependents: Option<Dependents>,
    first_missed: Stage<Option<Timestamp>>,
    internal: Option<&'static str>,
    first_seen: Option<Timestamp>,
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
            habit_contents: Stage::default(),
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
            fine: None,
            dependencies: Vec::new(),
            dependents: None,
            first_missed: Stage::Known(None),
            internal: None,
            first_seen: None,
            minimum_age: SignedDuration::from_hours(24),
        }
    }

    /// Adds a release to the history: its version, when it was published (RFC 3339; empty for
    /// unknown), and its manifest as JSON: without name and version, unless those are wrong in it.
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

    /// Sets what is in the tarball of the release that tells of a habit.
    #[must_use]
    pub fn habit_contents(mut self, contents: Contents) -> Self {
        self.habit_contents = Stage::Known(contents);
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

    /// Adds bytes that the version had when it was decided on before.
    #[must_use]
    pub fn earlier(mut self, bytes: EarlierBytes) -> Self {
        self.surroundings.earlier.push(bytes);
        self
    }

    /// Says what the bytes that were read are, whatever the registry says of them.
    #[must_use]
    pub fn read_as(mut self, bytes: Integrity) -> Self {
        self.surroundings.bytes = Some(bytes);
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
        self.first_missed = Stage::Known(Some(time.parse().expect("the sample has a time")));
        self
    }

    /// Says that nobody can tell when it was first asked for.
    #[must_use]
    pub fn first_missed_unknown(mut self) -> Self {
        self.first_missed = Stage::default();
        self
    }

    /// Says when weir first saw the release (RFC 3339).
    ///
    /// # Panics
    /// If that is no time.
    #[must_use]
    pub fn first_seen(mut self, time: &str) -> Self {
        self.first_seen = Some(time.parse().expect("the sample has a time"));
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

    /// Says which versions were allowed here without a notice, and that nobody has looked at the other young ones.
    #[must_use]
    pub fn knowing(mut self, fine: &[&str]) -> Self {
        let fine = fine.iter().map(|version| (*version).to_owned());
        self.fine = Some(fine.collect());
        self
    }

    /// The popular names, and the operator's own of this scene.
    fn names(&self) -> Result<NameIndex, crate::NamesError> {
        let (own, scopes) = (self.own.clone(), self.own_scopes.clone());
        let is_own = move |name: &str| {
            let in_scope = |scope: &String| name.strip_prefix('@')?.strip_prefix(scope.as_str());
            own.iter().any(|own| own == name)
                || scopes
                    .iter()
                    .filter_map(in_scope)
                    .any(|rest| rest.starts_with('/'))
        };
        NameIndex::embedded()?.with_own(&self.own, &self.own_scopes, is_own)
    }

    /// Runs `look` on the subject that this scene describes.
    ///
    /// # Panics
    /// If the scene is not one: a bad name, or history that is no packument.
    pub fn with_subject<T>(&self, look: impl FnOnce(&Subject<'_>) -> T) -> T {
        let name = PackageName::parse(self.name).expect("the sample has a name npm allows");
        let names = self.names().expect("the committed index is whole");
        let packument = self.history.then(|| {
            Packument::parse(&name, Bytes::from(self.packument().to_string()))
                .expect("the sample is a packument")
        });
        let refused = |version: &str| self.refused.contains(&version);
        let now: Timestamp = NOW.parse().expect("a constant time");
        let settled = now - SignedDuration::from_hours(7 * 24);
        let open = |version: &str| {
            let published = packument.as_ref().and_then(|it| it.published(version));
            let mut fine = self.fine.iter().flatten();
            published.is_some_and(|it| it > settled) && !fine.any(|it| it.as_str() == version)
        };
        let mut surroundings = self.surroundings.clone();
        if let Some(packument) = &packument {
            surroundings.before = crate::moments(packument, settled, &refused, None);
            surroundings
                .before_by_account
                .clone_from(&surroundings.before);
        }
        let subject = Subject::new(&name, self.version, &names, now).without_refused(&refused);
        let mut subject = match self.fine {
            Some(_) => subject.without_open(&open),
            None => subject,
        };
        if let Some(packument) = &packument {
            subject.packument = Stage::Known(packument);
        }
        subject.contents = self.contents.as_ref();
        subject.previous_contents = self.previous_contents.as_ref();
        subject.habit_contents = self.habit_contents.as_ref();
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
        subject.dependencies = &self.dependencies;
        subject.dependents = self.dependents.as_ref();
        subject.first_missed = self.first_missed.clone();
        subject.internal = self.internal;
        subject.first_seen = self.first_seen;
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
                fields.entry("name").or_insert_with(|| json!(self.name));
                fields.entry("version").or_insert_with(|| json!(version));
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
