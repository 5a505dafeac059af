//! What of a release can be told apart without judging it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use weir_npm::packument::{Packument, Publication, VersionManifest};

use crate::runs::{dependencies, steps};

/// Two releases that are alike differ in nothing that speaks against only one of them, but for times and numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Profile {
    publisher: Option<(String, Option<String>)>,
    provenance: bool,
    maintainers: BTreeSet<String>,
    steps: BTreeSet<String>,
    dependencies: BTreeSet<String>,
}

/// The fields of a manifest that say what it runs and brings when it is installed.
const FIELDS: [&str; 5] = [
    "scripts",
    "gypfile",
    "hasInstallScript",
    "dependencies",
    "optionalDependencies",
];

impl Profile {
    fn of(manifest: &VersionManifest, publication: Publication) -> Self {
        let publisher = publication.publisher;
        let maintainers = publication.maintainers.into_iter().map(|it| it.name);
        let fetched = |(name, spec): (&String, &String)| {
            // What does not come from the registry is told by where it comes from.
            let is_elsewhere = spec.contains('/') || spec.contains(':');
            is_elsewhere.then(|| format!("{name}@{spec}"))
        };
        let asked = &manifest.manifest;
        let elsewhere = asked.dependencies.iter();
        let elsewhere = elsewhere.chain(&asked.optional_dependencies);
        let mut dependencies = dependencies(manifest);
        dependencies.extend(elsewhere.filter_map(fetched));
        Self {
            publisher: publisher.map(|it| (it.name, it.trusted_publisher_id)),
            provenance: publication.provenance,
            maintainers: maintainers.collect(),
            steps: steps(manifest),
            dependencies,
        }
    }
}

/// The profiles of a package's releases, each read once.
pub(super) struct Profiles<'p> {
    packument: &'p Packument,
    read: HashMap<&'p str, Option<Arc<Profile>>>,
}

impl<'p> Profiles<'p> {
    pub(super) fn new(packument: &'p Packument) -> Self {
        Self {
            packument,
            read: HashMap::new(),
        }
    }

    /// The profile of a version; nothing where its manifest cannot be read.
    pub(super) fn of(&mut self, version: &'p str) -> Option<Arc<Profile>> {
        let packument = self.packument;
        let read = || {
            let manifest = packument.manifest_fields(version, &FIELDS)?;
            let publication = packument.publication(version)?;
            Some(Arc::new(Profile::of(&manifest, publication)))
        };
        self.read.entry(version).or_insert_with(read).clone()
    }
}
