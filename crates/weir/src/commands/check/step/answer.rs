//! Whether the entry for a request is what is asked for.

use std::collections::HashMap;

use weir_npm::lockfile::{Format, Lockfile, NodeId, Source};
use weir_npm::spec::{DependencySpec, classify};
use weir_npm::version::Version;

use super::super::manifests::Manifests;
use super::super::{Checked, addresses, declared, local, remote};
use super::{How, OTHER_PACKAGE, OUT_OF_STEP, Project, Request, asker, unambiguous, unclear};

/// What is read once for all requests: the same few ranges are asked of the same packages over and over.
#[derive(Default)]
pub(super) struct Read<'a> {
    /// By the name it is asked for under, where that can make a difference, and the text.
    specs: HashMap<(&'a str, &'a str), DependencySpec>,
    versions: HashMap<NodeId, Option<Version>>,
}

pub(super) fn answer<'a>(
    checked: &mut Checked<'_>,
    request: &Request<'a>,
    project: &'a Project<'_>,
    read: &mut Read<'a>,
) {
    let Request {
        name, spec, line, ..
    } = *request;
    let lockfile = checked.lockfile;
    let in_catalog = spec
        .strip_prefix("catalog:")
        .map(|catalog| project.catalogs.range(catalog, name).ok_or(catalog));
    if let Some(Err(catalog)) = in_catalog
        && unclear::in_no_catalog(checked, request, project, catalog)
    {
        return;
    }
    let entry = request.to.and_then(|id| Some((id, lockfile.node(id)?)));
    let Some((id, node)) = entry else {
        if !request.optional && !is_unlisted(lockfile, project.manifests, name) {
            let who = asker(lockfile, request.from);
            let what = format!("{who} needs {name} {spec:?}, which the lockfile does not have");
            checked.add(&OUT_OF_STEP, line, None, &what);
        }
        return;
    };
    if request.how == How::Unclear {
        unclear::check(checked, request, project, node);
        return;
    }
    let Read { specs, versions } = read;
    let is_local = node.is_local();
    let meant = in_catalog.and_then(Result::ok).unwrap_or(spec);
    let text = unambiguous(lockfile.format, meant);
    // A range means the same whatever is asked for by it; `jsr:` and its like may not.
    let own = if text.contains(':') { name } else { "" };
    let asked = specs.entry((own, text));
    let asked = &*asked.or_insert_with(|| classify(own, text));
    let (wanted, range) = match asked {
        DependencySpec::Alias { name, spec } => (name.as_str(), spec.as_ref()),
        other => (name, other),
    };
    let is_other = !is_local && node.name != wanted;
    if is_other && !addresses::is_asked(lockfile, request.from, asked, node) {
        let what = format!(
            "{} and gets another package, {}",
            asks(lockfile, request),
            node.label()
        );
        checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
        return;
    }
    if leads_elsewhere(lockfile, project, request, asked) {
        let what = format!(
            "{}, the lockfile has {}",
            asks(lockfile, request),
            remote::shown(node)
        );
        checked.add(&OUT_OF_STEP, node.line, request.to, &what);
        return;
    }
    let of_registry = matches!(range, DependencySpec::Range(_) | DependencySpec::Tag(_))
        && !project.places(id, name);
    let by_path = matches!(
        range,
        DependencySpec::File(_) | DependencySpec::Workspace(_)
    ) && request.how != How::Instead
        && !project.places(id, name)
        && lockfile
            .node(request.from)
            .is_some_and(|from| local::is_beyond(lockfile.format, from, node));
    if is_local {
        // Who expects another beside itself warns of the wrong version, or was told not to.
        let range = match range {
            DependencySpec::Range(range) if !request.peer => Some(range),
            _ => None,
        };
        let wrong = (of_registry || by_path)
            .then(|| local::wrong(lockfile, project.manifests, node, wanted, range));
        if let Some((rule, what)) = wrong.flatten() {
            let what = format!("{}, and {what}", asks(lockfile, request));
            checked.add(rule, node.line, request.to, &what);
        }
        return;
    }
    let is_elsewhere = matches!(
        node.source,
        Source::Tarball(_) | Source::Git { .. } | Source::Other(_)
    );
    if of_registry && is_elsewhere {
        let what = format!(
            "{}, and the entry leads elsewhere: {}",
            asks(lockfile, request),
            local::place(node)
        );
        checked.add(&OTHER_PACKAGE, node.line, request.to, &what);
        return;
    }
    // Of peers only npm makes more than a warning.
    let is_bound = !request.peer || lockfile.format == Format::Npm;
    if let DependencySpec::Range(range) = range
        && is_bound
        && let Some(version) = &node.version
        && !versions
            .entry(id)
            .or_insert_with(|| Version::parse(version).ok())
            .as_ref()
            .is_some_and(|version| range.matches(version))
    {
        let what = format!("{}, the lockfile has {version}", asks(lockfile, request));
        checked.add(&OUT_OF_STEP, node.line, request.to, &what);
    }
}

/// Whether a project names a repository or an address, and gets what is not from there.
fn leads_elsewhere(
    lockfile: &Lockfile,
    project: &Project<'_>,
    request: &Request<'_>,
    asked: &DependencySpec,
) -> bool {
    let from = lockfile.node(request.from).map(|it| &it.source);
    let is_remote = matches!(asked, DependencySpec::Git { .. } | DependencySpec::Url(_));
    if !is_remote || request.peer || !matches!(from, Some(Source::Project(_))) {
        return false;
    }
    let Some(node) = request.to.and_then(|to| lockfile.node(to)) else {
        return false;
    };
    match &node.source {
        // yarn 1 may write where its own copies are.
        Source::File(_) if lockfile.format == Format::YarnClassic && project.has_mirror => false,
        Source::File(folder) | Source::Link(folder) => {
            let folder = declared::plain_path(folder);
            let manifests = project.manifests;
            manifests.workspace(&folder).is_none() && !manifests.is_unread(&folder)
        }
        _ => remote::is_another(lockfile.format, asked, node),
    }
}

/// Who asks for what, to begin a sentence with.
pub(super) fn asks(lockfile: &Lockfile, request: &Request<'_>) -> String {
    let Request { name, spec, .. } = request;
    let who = asker(lockfile, request.from);
    if request.how == How::Instead {
        format!("the project sets {name} to {spec:?} for {who}")
    } else {
        format!("{who} asks for {name} {spec:?}")
    }
}

/// Whether a package is a workspace of yarn 1, which are not in its lockfile.
fn is_unlisted(lockfile: &Lockfile, manifests: &Manifests, name: &str) -> bool {
    lockfile.format == Format::YarnClassic
        && manifests
            .found()
            .any(|(_, manifest)| manifest.name.as_deref() == Some(name))
}
