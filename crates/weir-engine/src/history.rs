//! The past of a release as a person reads it: what the registry says of the releases around it.

use std::sync::Arc;

use jiff::Timestamp;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_npm::spec::classify;
use weir_signals::{trust_in_words, who};

use crate::EngineError;
use crate::engine::Engine;
use crate::inspect::pick;

/// Most releases told before the one that is asked for.
const BEFORE: usize = 14;

/// Most releases told after it.
const AFTER: usize = 3;

/// The releases around one, by publish time, oldest first. The one that is asked for comes last where its
/// time is not known.
#[derive(Debug, Clone)]
pub struct History {
    /// The package.
    pub name: String,
    /// How many earlier releases there are than those told.
    pub left_out: usize,
    /// Other releases of which the registry does not say when they were published.
    pub untimed: usize,
    /// The releases.
    pub releases: Vec<PastRelease>,
}

impl History {
    /// Why there is nothing to compare the release with, if so.
    #[must_use]
    pub fn why_none(&self) -> Option<&'static str> {
        match (self.releases.len(), self.untimed) {
            (2.., _) => None,
            (_, 0) => Some("no other release was out at that moment"),
            _ => Some("the registry does not say when the other releases were published"),
        }
    }
}

/// What the registry says of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRelease {
    /// Its version.
    pub version: String,
    /// When it was published; absent where that is not known, which only the release that is asked for is
    /// told with.
    pub published: Option<Timestamp>,
    /// Who published it; absent where the registry leaves publishers out, which is not known and not
    /// nobody.
    pub publisher: Option<String>,
    /// The evidence of where it was built, in words; absent where the registry tells such things of no release,
    /// which is not known and not none.
    pub trust: Option<&'static str>,
    /// Whether the commit is named; absent where the registry leaves such fields out.
    pub commit: Option<bool>,
    /// What runs when it is installed: `postinstall`, `binding.gyp`; absent where its manifest cannot be read.
    pub hooks: Option<Vec<String>>,
    /// Dependencies that are installed along; absent where its manifest cannot be read.
    pub dependencies: Option<usize>,
    /// Of those, the ones that come from outside the registry.
    pub remote: usize,
    /// Files, where the registry says.
    pub files: Option<u64>,
    /// Bytes unpacked, where the registry says.
    pub bytes: Option<u64>,
    /// Whether it is the release that was asked for.
    pub asked: bool,
}

impl Engine {
    /// The releases around one.
    ///
    /// # Errors
    /// When its package cannot be found, or has no such version.
    pub async fn history(
        self: &Arc<Self>,
        name: &PackageName,
        wanted: Option<&str>,
    ) -> Result<History, EngineError> {
        let held = self.packument(name).await?;
        let version = pick(&held, wanted, self.now())?;
        Ok(history(&held.packument, &version, self.now()))
    }
}

/// The releases around `version` that were there at `now`.
fn history(packument: &Packument, version: &str, now: Timestamp) -> History {
    let timed: Vec<(&str, Timestamp)> = packument
        .by_publish_time()
        .into_iter()
        .filter_map(|text| Some((text, packument.published(text)?)))
        .filter(|(text, published)| *text == version || *published <= now)
        .collect();
    let place = timed.iter().position(|(text, _)| *text == version);
    let end = place.map_or(timed.len(), |place| (place + 1 + AFTER).min(timed.len()));
    let start = place.unwrap_or(end).saturating_sub(BEFORE);
    let told = timed.get(start..end).unwrap_or_default();
    let untold = place.is_none() && packument.has(version);
    let told = told
        .iter()
        .map(|(text, published)| (*text, Some(*published)));
    let told: Vec<_> = told.chain(untold.then_some((version, None))).collect();
    let kept = Kept::of(packument, told.iter().map(|(text, _)| *text));
    let releases = told
        .iter()
        .map(|(text, published)| one(packument, text, *published, *text == version, kept));
    let releases = releases.collect();
    let others = packument.versions().iter().map(|it| it.version.as_str());
    let untimed = others.filter(|it| *it != version && packument.published(it).is_none());
    History {
        name: packument.name().to_string(),
        left_out: start,
        untimed: untimed.count(),
        releases,
    }
}

/// What a registry tells of the releases of a package at all: of what it tells of none, nothing is known.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Publishers, attestations or signatures: what a registry adds that knows where releases come from.
    origin: bool,
    /// Commits and clients: what a client adds.
    client: bool,
}

impl Kept {
    /// Looks at all releases until one has it, which on npm is the first; for signatures, that take longer to read,
    /// only at those that are told.
    fn of<'v>(packument: &Packument, mut told: impl Iterator<Item = &'v str>) -> Self {
        let entries = packument.versions().iter();
        let mut kept = Self {
            origin: false,
            client: false,
        };
        for publication in entries.filter_map(|it| packument.publication(&it.version)) {
            let publisher = publication.publisher.is_some();
            kept.origin |= publisher || publication.provenance;
            // Whoever passes on what the registry adds passes on what the client does.
            kept.client |= publisher
                || publication.git_head.is_some()
                || publication.npm_version.is_some()
                || publication.node_version.is_some();
            if kept.origin && kept.client {
                return kept;
            }
        }
        let is_signed = |version: &str| {
            let manifest = packument.manifest(version);
            matches!(manifest, Some(Ok(manifest)) if !manifest.dist.signatures.is_empty())
        };
        kept.origin = kept.origin || told.any(is_signed);
        kept
    }
}

fn one(
    packument: &Packument,
    version: &str,
    published: Option<Timestamp>,
    asked: bool,
    kept: Kept,
) -> PastRelease {
    let publication = packument.publication(version);
    let said = publication.as_ref();
    let mut release = PastRelease {
        version: version.to_owned(),
        published,
        publisher: said.and_then(|it| it.publisher.as_ref()).map(who),
        trust: said.filter(|_| kept.origin).map(trust_in_words),
        commit: said.filter(|_| kept.client).map(|it| it.git_head.is_some()),
        hooks: None,
        dependencies: None,
        remote: 0,
        files: None,
        bytes: None,
        asked,
    };
    let Some(Ok(manifest)) = packument.manifest(version) else {
        return release;
    };
    release.files = manifest.dist.file_count;
    release.bytes = manifest.dist.unpacked_size;
    let manifest = &manifest.manifest;
    let runs = ["preinstall", "install", "postinstall"];
    let scripts = runs
        .into_iter()
        .filter(|event| manifest.scripts.contains_key(*event));
    release.hooks = Some(scripts.map(str::to_owned).collect());
    let mut installed: Vec<(&String, &String)> = manifest
        .optional_dependencies
        .iter()
        .chain(&manifest.dependencies)
        .collect();
    // The registry repeats optional ones among the others.
    installed.sort_by_key(|(name, _)| name.as_str());
    installed.dedup_by_key(|(name, _)| name.as_str());
    release.dependencies = Some(installed.len());
    let remote = installed
        .iter()
        .filter(|(name, spec)| classify(name, spec).is_remote_code());
    release.remote = remote.count();
    release
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn packument(versions: usize) -> Packument {
        parsed(&document(versions))
    }

    fn parsed(document: &serde_json::Value) -> Packument {
        let name = PackageName::parse("sluice").unwrap();
        Packument::parse(&name, Bytes::from(document.to_string())).unwrap()
    }

    fn document(versions: usize) -> serde_json::Value {
        let mut document = serde_json::json!({"name": "sluice", "versions": {}, "time": {}});
        for number in 0..versions {
            let version = format!("1.{number}.0");
            document["versions"][&version] = serde_json::json!({
                "name": "sluice",
                "version": version,
                "scripts": {"postinstall": "node x.js", "test": "node y.js"},
                "dependencies": {"a": "^1.0.0", "b": "github:x/b"},
                "optionalDependencies": {"b": "github:x/b"},
                "dist": {"fileCount": 3, "unpackedSize": 2000},
            });
            document["time"][&version] = format!("2025-01-{:02}T09:00:00Z", number + 1).into();
        }
        document
    }

    #[test]
    fn the_release_is_told_with_what_came_before_and_little_after() {
        let now = "2025-01-25T00:00:00Z".parse().unwrap();
        let told = history(&packument(28), "1.20.0", now);
        let versions: Vec<&str> = told.releases.iter().map(|it| it.version.as_str()).collect();
        assert_eq!(versions.first(), Some(&"1.6.0"));
        assert_eq!(versions.last(), Some(&"1.23.0"));
        assert_eq!(told.left_out, 6);
        let asked: Vec<_> = told.releases.iter().filter(|it| it.asked).collect();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].hooks.as_deref().unwrap(), ["postinstall"]);
        assert_eq!((asked[0].dependencies, asked[0].remote), (Some(2), 1));
        assert_eq!(asked[0].publisher, None);
        // What is not out yet at that moment is not told, except the one that is asked for.
        let told = history(&packument(28), "1.27.0", now);
        assert_eq!(told.releases.last().unwrap().version, "1.27.0");
        assert!(!told.releases.iter().any(|it| it.version == "1.26.0"));
    }

    #[test]
    fn what_a_registry_tells_of_no_release_is_not_known() {
        type Said = (Option<&'static str>, Option<bool>);
        let now = "2025-01-25T00:00:00Z".parse().unwrap();
        let none: Said = (Some("none"), Some(false));
        for (field, value, expected) in [
            ("license", serde_json::json!("MIT"), (None, None)),
            // Told of one release, it would be told of the others.
            ("_npmUser", serde_json::json!({"name": "mara"}), none),
            ("gitHead", serde_json::json!("0123"), (None, Some(false))),
            (
                "_npmVersion",
                serde_json::json!("10.1.0"),
                (None, Some(false)),
            ),
            (
                "dist",
                serde_json::json!({"signatures": [{"keyid": "a", "sig": "b"}]}),
                (Some("none"), None),
            ),
        ] {
            let mut document = document(3);
            document["versions"]["1.0.0"][field] = value;
            let told = history(&parsed(&document), "1.2.0", now);
            let last = told.releases.last().unwrap();
            assert_eq!((last.trust, last.commit), expected, "{field}");
        }
        // Of a manifest that cannot be read nothing is known, whatever the others say.
        let mut document = document(3);
        document["versions"]["1.0.0"]["_npmUser"] = serde_json::json!({"name": "mara"});
        document["versions"]["1.1.0"] = "no object".into();
        let told = history(&parsed(&document), "1.2.0", now);
        let unread = told.releases.iter().find(|it| it.version == "1.1.0");
        let unread = unread.unwrap();
        assert_eq!((unread.trust, unread.commit), (None, None));
        assert_eq!((unread.hooks.as_ref(), unread.dependencies), (None, None));
    }

    #[test]
    fn a_package_without_times_has_no_history_to_tell_and_says_why() {
        let raw = r#"{"name":"sluice","versions":{"1.0.0":{"name":"sluice","version":"1.0.0"}}}"#;
        let name = PackageName::parse("sluice").unwrap();
        let packument = Packument::parse(&name, Bytes::from(raw)).unwrap();
        let told = history(&packument, "1.0.0", Timestamp::UNIX_EPOCH);
        assert_eq!((told.releases.len(), told.untimed), (1, 0));
        assert!(told.why_none().unwrap().starts_with("no other release"));
        let raw = raw.replace("}}}", r#"},"0.9.0":{"name":"sluice","version":"0.9.0"}}}"#);
        let packument = Packument::parse(&name, Bytes::from(raw)).unwrap();
        let told = history(&packument, "1.0.0", Timestamp::UNIX_EPOCH);
        assert_eq!((told.releases.len(), told.untimed), (1, 1));
        assert!(
            told.why_none()
                .unwrap()
                .starts_with("the registry does not")
        );
    }

    #[test]
    fn the_release_asked_for_is_told_though_its_time_is_not_known() {
        let mut document = document(28);
        document["time"].as_object_mut().unwrap().remove("1.20.0");
        let packument = parsed(&document);
        let now = "2025-01-25T00:00:00Z".parse().unwrap();
        let told = history(&packument, "1.20.0", now);
        let last = told.releases.last().unwrap();
        assert_eq!((last.version.as_str(), last.published), ("1.20.0", None));
        assert!(last.asked && last.hooks.as_deref().unwrap() == ["postinstall"]);
        assert_eq!(told.releases.len(), BEFORE + 1);
        assert_eq!(told.why_none(), None);
        assert_eq!(told.untimed, 0);
    }
}
