//! What a dependency asks of a registry, and where the project says so.

use weir_npm::lockfile::{Edge, Format, Node};
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::Range;

use super::super::super::check;
use super::super::Audited;
use super::super::registry::Known;

/// What is asked for: any version of a range, or the one that a tag leads to.
#[derive(Debug, Clone)]
pub(in super::super) enum Asked {
    Range(Range),
    Tag(String),
}

impl Asked {
    /// The right-hand side of a dependency; of an alias what is behind it. `None` for what no registry
    /// answers.
    pub(super) fn of(name: &str, spec: &str) -> Option<Self> {
        Self::of_spec(classify(name, spec))
    }

    fn of_spec(spec: DependencySpec) -> Option<Self> {
        match spec {
            DependencySpec::Range(range) => Some(Self::Range(range)),
            DependencySpec::Tag(tag) => Some(Self::Tag(tag)),
            DependencySpec::Alias { spec, .. } => Self::of_spec(*spec),
            _ => None,
        }
    }

    /// What a package on the way asks for. pnpm's lockfile only says what it got.
    pub(super) fn by(
        audited: &Audited<'_>,
        edge: &Edge,
        parent: &Node,
        package: Option<&Known>,
    ) -> Option<Self> {
        let format = audited.tree.lockfile.format;
        if format != Format::Pnpm {
            return Self::of(&edge.name, check::unambiguous(format, &edge.spec));
        }
        let asks = package?.asks(parent.version.as_deref()?, &edge.name)??;
        Self::of(&edge.name, &asks)
    }
}

/// Where a project, or a folder that it takes a package from, says what it asks for, and how it is written there.
#[derive(Debug)]
pub(super) struct Written {
    /// The folder of that.
    pub(super) project: String,
    pub(super) place: String,
    /// Nothing where the lockfile does not repeat it.
    pub(super) spec: Option<String>,
}

impl Written {
    /// In a folder's manifest, or in the catalog that the manifest refers to.
    pub(super) fn of(audited: &Audited<'_>, folder: &str, edge: &Edge) -> Self {
        let spec = check::unambiguous(audited.tree.lockfile.format, &edge.spec);
        let catalogs = &audited.tree.catalogs;
        let (place, spec) = match classify(&edge.name, spec) {
            DependencySpec::Catalog(catalog) => (
                catalogs.place(&catalog),
                catalogs.range(&catalog, &edge.name).unwrap_or(spec),
            ),
            _ => (manifest_of(folder), spec),
        };
        Self {
            project: folder.to_owned(),
            place,
            spec: Some(spec.to_owned()),
        }
    }
}

fn manifest_of(folder: &str) -> String {
    match folder {
        "" => "package.json".to_owned(),
        folder => format!("{folder}/package.json"),
    }
}
