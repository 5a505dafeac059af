//! A release beside others: the one before it, its siblings, or any that a person names.

use std::sync::Arc;

use jiff::Timestamp;
use weir_model::{Contents, Difference, Finding, ReleaseId};
use weir_npm::name::PackageName;
use weir_npm::packument::{Packument, Publisher};
use weir_npm::version::Version;
use weir_signals::{Sibling, Stage, Subject};

use crate::EngineError;
use crate::engine::{Engine, Local};
use crate::inspect::{Assessed, pick};
use crate::neighbours::owners;
use crate::packuments::Held;
use crate::past::Past;
use weir_store::Hashed;

/// What a release is seen beside.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// The contents of the release before, where they settle a question that the contents raise.
    pub(crate) previous: Stage<Contents>,
    /// The same of an older one, where it tells whether what would decide is a habit.
    pub(crate) habit: Stage<Contents>,
    /// What other packages of the same owner added lately.
    pub(crate) siblings: Vec<Sibling>,
    /// Which releases of the package are no baseline.
    pub(crate) past: Arc<Past>,
}

impl Beside {
    /// Beside nothing yet.
    pub(crate) fn pending(past: &Arc<Past>) -> Self {
        Self {
            previous: Stage::Pending,
            habit: Stage::Pending,
            past: Arc::clone(past),
            ..Self::default()
        }
    }
}

/// What a release looks like to a person who asks: its contents, and how it came to be like that.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What a worker saw inside.
    pub contents: Contents,
    /// The release before it, or nothing where there is none or its history is not known.
    pub previous: Option<PreviousRelease>,
    /// Since when each install step has been there, in the order of the contents.
    pub steps_since: Vec<Option<Since>>,
}

/// The release before.
#[derive(Debug, Clone)]
pub struct PreviousRelease {
    /// Its version.
    pub version: String,
    /// Its contents, or why they are not known.
    pub contents: Result<Contents, String>,
}

/// The first of the releases in a row that have something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// Its version.
    pub version: String,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// How many releases in a row have it, the present one among them.
    pub releases: usize,
}

/// One side of a comparison that a person asks for.
#[derive(Debug, Clone)]
pub struct Side {
    /// Which release.
    pub release: ReleaseId,
    /// When it was published, where a registry says so.
    pub published: Option<Timestamp>,
    /// Who published it, where a registry says so.
    pub publisher: Option<Publisher>,
    /// What a worker saw inside.
    pub contents: Contents,
}

impl Engine {
    /// What a release is to be seen beside.
    pub(crate) async fn beside(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        contents: &Contents,
        past: &Arc<Past>,
    ) -> Beside {
        let siblings = self.siblings(held, version);
        let [previous, habit] = self.wanted_beside(held, version, contents, past, &siblings);
        let mut beside = Beside::pending(past);
        beside.previous = self.stage_of(held, previous).await;
        beside.habit = self.stage_of(held, habit).await;
        beside.siblings = siblings;
        beside
    }

    /// The releases whose contents would tell more of one: the one before it, and an older one.
    fn wanted_beside(
        &self,
        held: &Held,
        version: &str,
        contents: &Contents,
        past: &Past,
        siblings: &[Sibling],
    ) -> [Option<String>; 2] {
        let malware = self.known_malware(held.packument.name());
        let packument = &held.packument;
        let no_baseline =
            |other: &str| past.excuses_not(packument, version, other) || malware(other);
        let open = |version: &str| past.is_open(packument, version);
        let subject = self.subject(held, version).without_refused(&no_baseline);
        let mut subject = subject.without_open(&open);
        subject.siblings = siblings;
        subject.contents = Stage::Known(contents);
        [
            subject.wants_previous_contents(),
            subject.wants_habit_contents(),
        ]
        .map(|version| version.map(str::to_owned))
    }

    /// The release before, if a release is measured by its contents.
    pub(crate) fn wants_previous(
        &self,
        held: &Held,
        version: &str,
        contents: &Contents,
        past: &Past,
    ) -> Option<String> {
        let siblings = self.siblings(held, version);
        let [previous, _] = self.wanted_beside(held, version, contents, past, &siblings);
        previous
    }

    /// The contents of a release that is asked for.
    async fn stage_of(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: Option<String>,
    ) -> Stage<Contents> {
        let Some(version) = version else {
            return Stage::Pending;
        };
        match self.contents_of_version(held, &version).await {
            Ok(contents) => Stage::Known(contents),
            Err(why) => Stage::NotKnown(format!("{version} could not be read: {why}")),
        }
    }

    /// The release that this one is measured by.
    pub(crate) fn baseline<'p>(
        &self,
        held: &'p Held,
        version: &str,
        past: &Past,
    ) -> Option<&'p str> {
        let malware = self.known_malware(held.packument.name());
        weir_signals::baseline_version(
            &held.packument,
            version,
            &|other: &str| past.excuses_not(&held.packument, version, other) || malware(other),
            &|other: &str| past.is_open(&held.packument, other),
        )
    }

    /// Whether an advisory calls a version of the package malware.
    pub(crate) fn known_malware(&self, name: &PackageName) -> impl Fn(&str) -> bool + use<> {
        // Where advisories cannot be read, the assessment says so by itself.
        let named = self.about(name).unwrap_or_default();
        move |version| named.is_malware(version)
    }

    fn siblings(&self, held: &Held, version: &str) -> Vec<Sibling> {
        let manifest = self.manifest(held, version).ok();
        let name = held.packument.name();
        self.neighbours.of(&owners(name, manifest.as_deref()), name)
    }

    /// Remembers what a release added, for the sake of its siblings.
    pub(crate) fn note_additions(
        &self,
        held: &Held,
        version: &str,
        contents: &Contents,
        beside: &Beside,
    ) {
        let published = held.packument.published(version);
        let (Some(published), Some(previous)) = (published, beside.previous.known()) else {
            return;
        };
        let name = held.packument.name();
        let manifest = self.manifest(held, version).ok();
        let difference = Difference::between(previous, contents);
        self.neighbours.note(
            &owners(name, manifest.as_deref()),
            name,
            version,
            published,
            &difference,
        );
    }

    /// What a release of a registry looks like to a person who asks. Its contents have been read.
    pub(crate) async fn profile(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
    ) -> Option<Profile> {
        let contents = self.contents_of_version(held, version).await.ok()?;
        let past = self.past_of(held, version).await.ok()?;
        let previous = match self.baseline(held, version, &past) {
            Some(before) => Some(PreviousRelease {
                version: before.to_owned(),
                contents: self.contents_of_version(held, before).await,
            }),
            None => None,
        };
        let steps_since = contents
            .install_steps
            .iter()
            .map(|step| since(&held.packument, version, &step.event, &step.command))
            .collect();
        Some(Profile {
            contents,
            previous,
            steps_since,
        })
    }

    /// A release of a registry, as one side of a comparison.
    ///
    /// # Errors
    /// When it cannot be found, had or read.
    pub async fn side(
        self: &Arc<Self>,
        name: &PackageName,
        wanted: Option<&str>,
    ) -> Result<Side, EngineError> {
        let held = self.packuments.get(name).await?;
        let version = pick(&held, wanted, self.now())?;
        let contents = self
            .contents_of_version(&held, &version)
            .await
            .map_err(|why| EngineError::Upstream {
                what: format!("the contents of {name}@{version}"),
                why,
            })?;
        let integrity = self.integrity_of(&held, &version);
        Ok(Side {
            release: ReleaseId {
                name: name.to_string(),
                version: version.clone(),
                integrity: integrity.map(|integrity| integrity.to_string()),
            },
            published: held.packument.published(&version),
            publisher: self.manifest(&held, &version)?.publisher.clone(),
            contents,
        })
    }

    /// The release before a side, where it has one that can be read.
    ///
    /// # Errors
    /// When its package cannot be found, or the release before cannot be had or read.
    pub async fn side_before(self: &Arc<Self>, after: &Side) -> Result<Option<Side>, EngineError> {
        let Ok(name) = PackageName::parse(&after.release.name) else {
            return Ok(None);
        };
        let held = self.packuments.get(&name).await?;
        let version = &after.release.version;
        let past = self.past_of(&held, version).await?;
        match self.baseline(&held, version, &past) {
            Some(before) => Ok(Some(self.side(&name, Some(before)).await?)),
            None => Ok(None),
        }
    }

    /// A tarball or folder on this machine, as one side of a comparison.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn side_local(&self, label: &str, what: Local) -> Result<Side, String> {
        let integrity = match &what {
            Local::Tarball(bytes) => Some(Hashed::of(bytes.clone()).integrity()),
            Local::Folder(_) => None,
        };
        let contents = self.read_local(what).await?;
        let manifest = contents.manifest.as_ref();
        let name = manifest.and_then(|manifest| manifest.name.clone());
        let version = manifest.and_then(|manifest| manifest.version.clone());
        Ok(Side {
            release: ReleaseId {
                name: name.unwrap_or_else(|| label.to_owned()),
                version: version.unwrap_or_else(|| "0.0.0".to_owned()),
                integrity,
            },
            published: None,
            publisher: None,
            contents,
        })
    }

    /// What the signals that compare releases would say of `after`, if `before` were the release
    /// before it.
    #[must_use]
    pub fn compare(&self, before: &Side, after: &Side) -> Vec<Finding> {
        let Ok(name) =
            PackageName::parse(&after.release.name).or_else(|_| PackageName::parse("unnamed"))
        else {
            return Vec::new();
        };
        // The version that the label says, also where the package's own manifest lies.
        let mut earlier = before.contents.clone();
        let manifest = earlier.manifest.get_or_insert_default();
        manifest.version = Some(before.release.version.clone());
        let mut subject = Subject::new(&name, &after.release.version, &self.names, self.now());
        subject.contents = Stage::Known(&after.contents);
        subject.previous_contents = Stage::Known(&earlier);
        let mut findings = weir_signals::observe_comparison(&subject).findings;
        findings.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.confidence)));
        findings
    }

    /// Adds what a release of a registry looks like, for a person to read. The release before it is
    /// fetched for that if need be.
    pub async fn with_profile(self: &Arc<Self>, mut assessed: Assessed) -> Assessed {
        let release = &assessed.assessment.release;
        if assessed.profile.is_none()
            && let Ok(name) = PackageName::parse(&release.name)
            && let Ok(held) = self.packuments.get(&name).await
        {
            assessed.profile = self.profile(&held, &release.version).await;
        }
        assessed
    }
}

/// Most releases looked at to find since when something has been there.
const LOOKED_BACK: usize = 200;

/// Since which release an install step has been there: the releases before that have the same
/// script without a gap, as their manifests say. Numbers in the command may differ, as when the
/// version is spelled out. Nothing for what manifests do not say.
fn since(packument: &Packument, version: &str, event: &str, command: &str) -> Option<Since> {
    let has = |version: &str| {
        let Some(Ok(manifest)) = packument.manifest(version) else {
            return false;
        };
        match event {
            "binding.gyp" => {
                manifest.manifest.gypfile == Some(true)
                    || manifest
                        .manifest
                        .scripts
                        .get("install")
                        .is_some_and(|script| script.contains("node-gyp"))
            }
            event => manifest
                .manifest
                .scripts
                .get(event)
                .is_some_and(|script| without_numbers(script) == without_numbers(command)),
        }
    };
    if !has(version) {
        return None;
    }
    let published = packument.published(version);
    let own = Version::parse(version).ok()?;
    // By version, like the release it is compared with: old lines are patched, and some mirrors give
    // the times at which they copied.
    let mut before: Vec<(Version, Timestamp, &str)> = packument
        .versions()
        .iter()
        .filter_map(|entry| {
            let other = entry.version.as_str();
            let parsed = Version::parse(other).ok()?;
            Some((parsed, packument.published(other)?, other))
        })
        .filter(|(parsed, time, _)| {
            !parsed.is_prerelease()
                && *parsed < own
                && published.is_some_and(|published| *time < published)
        })
        .collect();
    before.sort_unstable_by(|one, other| other.0.cmp(&one.0));
    let mut found = Since {
        version: version.to_owned(),
        published,
        releases: 1,
    };
    for (_, time, other) in before.into_iter().take(LOOKED_BACK) {
        if !has(other) {
            break;
        }
        found = Since {
            version: other.to_owned(),
            published: Some(time),
            releases: found.releases + 1,
        };
    }
    Some(found)
}

pub(crate) fn without_numbers(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|character| !character.is_ascii_digit())
        .collect()
}
