//! What can be said of an entry where it is not known what is asked for: which of several wishes counts, or what
//! a catalog holds. An entry that none of them can mean is another package all the same.

use weir_model::json::v1::CheckLevel;
use weir_npm::lockfile::{Format, Lockfile, Node, Source};
use weir_npm::spec::{DependencySpec, classify};

use super::super::catalogs::Lack;
use super::super::{Checked, Rule, addresses, local, remote};
use super::answer::asks;
use super::{How, OTHER_PACKAGE, OUT_OF_STEP, Project, Request, unambiguous};

const CATALOG_UNREAD: Rule = Rule {
    id: "catalog-unread",
    level: CheckLevel::Warning,
    todo: "could not be checked: compare it with the catalog by hand",
};

/// Looks at an entry for what somebody asks for where the project may set something else.
pub(super) fn check(
    checked: &mut Checked<'_>,
    request: &Request<'_>,
    project: &Project<'_>,
    node: &Node,
) {
    let lockfile = checked.lockfile;
    let Request { name, spec, .. } = *request;
    if request.to.is_some_and(|id| project.places(id, name)) {
        return;
    }
    let may_be = |text: &str| fits(lockfile, project, name, text, node);
    let mut texts = project.overrides.texts(name);
    if may_be(spec) || texts.any(|text| text.is_none_or(may_be)) {
        return;
    }
    let what = format!(
        "{}, and the lockfile has {}, which nothing that the project sets for {name} names either",
        asks(lockfile, request),
        remote::shown(node)
    );
    checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
}

/// Whether an entry can be what a text asks for, versions and addresses apart.
fn fits(lockfile: &Lockfile, project: &Project<'_>, name: &str, text: &str, node: &Node) -> bool {
    let text = match text.strip_prefix("catalog:") {
        Some(catalog) => project.catalogs.range(catalog, name).unwrap_or("*"),
        None => text,
    };
    let is_release_of = |name: &str| match node.source {
        _ if node.is_local() => {
            local::wrong(lockfile, project.manifests, node, name, None).is_none()
        }
        Source::Tarball(_) | Source::Git { .. } => false,
        _ => node.name == name,
    };
    let asked = classify(name, unambiguous(lockfile.format, text));
    match &asked {
        DependencySpec::Alias { name, .. } => is_release_of(name.as_str()),
        DependencySpec::Range(_) | DependencySpec::Tag(_) => is_release_of(name),
        DependencySpec::File(_) | DependencySpec::Workspace(_) => node.is_local(),
        DependencySpec::Git { .. } | DependencySpec::Url(_) => match node.source {
            Source::Registry(None) => node.name == name || addresses::is_at(&asked, node),
            // yarn 1 may write where its own copies are.
            _ => !node.is_local() || lockfile.format == Format::YarnClassic,
        },
        DependencySpec::Catalog(_) | DependencySpec::Other(_) => true,
    }
}

/// Looks at the entry for what is asked for through a catalog that is not seen to have it. Says whether nothing
/// else can be said of it.
pub(super) fn in_no_catalog(
    checked: &mut Checked<'_>,
    request: &Request<'_>,
    project: &Project<'_>,
    catalog: &str,
) -> bool {
    let lockfile = checked.lockfile;
    if request.how != How::AsAsked {
        return false;
    }
    let catalogs = &project.catalogs;
    let Some(lack) = catalogs.lack(lockfile) else {
        return false;
    };
    let (asks, place) = (asks(lockfile, request), catalogs.place(catalog));
    let node = request.to.and_then(|to| lockfile.node(to));
    let why = match lack {
        Lack::Sure => {
            let what = format!("{asks}, which {place} does not have");
            checked.add(&OUT_OF_STEP, request.line, request.to, &what);
            return true;
        }
        Lack::Unread => format!("{place} cannot be read"),
        Lack::Elsewhere => format!("{place} is not here, or a .pnpmfile.cjs adds to it"),
    };
    let Some(node) = node else {
        // Only yarn's lockfile cannot be searched without knowing what the catalog says.
        if lockfile.format != Format::YarnBerry {
            return false;
        }
        let what = format!("{asks}, and {why}: which entry answers it is not known");
        checked.add(&CATALOG_UNREAD, request.line, None, &what);
        return true;
    };
    // What the lockfile itself repeats of it counts only where the rest may well be elsewhere.
    let repeated = lockfile.terms.catalog(catalog, request.name);
    let repeated = repeated.filter(|_| lack == Lack::Elsewhere);
    let is_named = node.name == request.name
        || repeated.is_some_and(|text| fits(lockfile, project, request.name, text, node));
    if !node.is_local() && !is_named {
        let what = format!("{asks} and gets another package, {}; {why}", node.label());
        checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
        return true;
    }
    let shown = match node.source {
        Source::Registry(None) => node.label(),
        _ => remote::shown(node),
    };
    let what = format!("{asks} and gets {shown}; {why}");
    checked.add(&CATALOG_UNREAD, node.line, request.to, &what);
    true
}
