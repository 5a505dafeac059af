//! Each entry by itself: digests, what is fetched past the registry, and what no client writes.

use std::path::Path;

use weir_model::json::v1::CheckLevel;
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Format, Lockfile, Node, NodeId, Source};
use weir_npm::spec::{DependencySpec, classify};

use super::known::{Known, release_of};
use super::settings::CREDENTIAL;
use super::step::{OTHER_PACKAGE, OUT_OF_STEP, asker, unambiguous};
use super::{Checked, Rule};
use crate::addresses::holds_secret;

pub(super) const NO_INTEGRITY: Rule = Rule {
    id: "no-integrity",
    level: CheckLevel::Error,
    todo: "let the client write the entry anew: without a digest any bytes will do",
};
const WEAK_INTEGRITY: Rule = Rule {
    id: "weak-integrity",
    level: CheckLevel::Warning,
    todo: "let the client write the entry anew with sha512: others can be made that match a sha1",
};
const BROKEN_INTEGRITY: Rule = Rule {
    id: "broken-integrity",
    level: CheckLevel::Error,
    todo: "let the client write the entry anew: some clients take an unreadable digest for none",
};
const UNPINNED: Rule = Rule {
    id: "unpinned",
    level: CheckLevel::Error,
    todo: "pin it to a whole commit or to a digest: what is fetched can change at any time",
};
const NOT_FROM_REGISTRY: Rule = Rule {
    id: "not-from-registry",
    level: CheckLevel::Note,
    todo: "make sure that this place is wanted: no registry vouches for what it serves",
};
const UNKNOWN_SOURCE: Rule = Rule {
    id: "unknown-source",
    level: CheckLevel::Warning,
    todo: "could not be checked: look at the entry yourself",
};
/// The same of npm's: it writes addresses and paths only, and looks up and installs whatever else it finds there.
const UNWRITTEN_SOURCE: Rule = Rule {
    id: UNKNOWN_SOURCE.id,
    level: CheckLevel::Error,
    todo: "let npm write the entry anew, and find out who put this there: npm does not, and it installs what that \
           names, whatever the entry's name and version say",
};
const UNWRITTEN_FIELD: Rule = Rule {
    id: "unwritten-field",
    level: CheckLevel::Error,
    todo: "let npm write the entry anew, and find out who put this there: npm does not, and it believes it",
};

/// `folder` is the project's, which paths out of it are seen from.
pub(super) fn check(checked: &mut Checked<'_>, folder: &Path) {
    let lockfile = checked.lockfile;
    if lockfile.format == Format::Npm {
        unwritten(checked);
        led_back(checked, folder);
    }
    match lockfile.format {
        Format::YarnBerry => named_otherwise(checked),
        Format::YarnClassic => led_elsewhere(checked),
        Format::Npm | Format::Pnpm | Format::Bun => {}
    }
    credentials(checked);
    for (id, node) in lockfile.nodes.iter().enumerate() {
        if let Some(said) = &node.other_version {
            let what = format!(
                "says version {said}, and its resolution is to {}",
                node.label()
            );
            checked.add(&OTHER_PACKAGE, node.line, Some(id), &what);
        }
        if let Some(asked) = &node.other_patch {
            let what = format!("is the entry for {asked}, and its resolution is to another patch");
            checked.add(&OTHER_PACKAGE, node.line, Some(id), &what);
        }
        match &node.source {
            Source::Registry(_) if node.is_served() => {
                // npm takes an entry without one for none.
                if node.version.is_none() && lockfile.format == Format::Npm {
                    checked.add(&OUT_OF_STEP, node.line, Some(id), "has no version");
                }
                digest(checked, id, node);
            }
            Source::Tarball(url) => {
                let what = format!("comes from {url}");
                checked.add(&NOT_FROM_REGISTRY, node.line, Some(id), &what);
                digest(checked, id, node);
            }
            Source::Git { url, commit } => git(checked, id, node, url, commit.as_deref()),
            Source::Other(text) if lockfile.format == Format::Npm => {
                let what = format!("comes from {text:?}, which is neither an address nor a path");
                checked.add(&UNWRITTEN_SOURCE, node.line, Some(id), &what);
            }
            Source::Other(text) => {
                let what = format!("comes from {text:?}, which weir does not know");
                checked.add(&UNKNOWN_SOURCE, node.line, Some(id), &what);
            }
            _ => {}
        }
    }
}

/// Addresses that let their bearer in, of entries and of what the project asks for.
fn credentials(checked: &mut Checked<'_>) {
    let lockfile = checked.lockfile;
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let address = match &node.source {
            Source::Registry(Some(url)) | Source::Tarball(url) | Source::Git { url, .. } => url,
            _ => continue,
        };
        if holds_secret(address) {
            let what = "has an address that holds a credential, written out";
            checked.add(&CREDENTIAL, node.line, Some(id), what);
        }
    }
    for edge in &lockfile.edges {
        let from = lockfile.node(edge.from).map(|it| &it.source);
        if matches!(from, Some(Source::Project(_))) && holds_secret(&edge.spec) {
            let what = format!(
                "{} asks for {} by an address that holds a credential, written out",
                asker(lockfile, edge.from),
                edge.name
            );
            checked.add(&CREDENTIAL, edge.line, None, &what);
        }
    }
}

/// Entries of npm's with fields that npm never writes there. It runs `scripts` instead of the package's own, and
/// where `resolved` or `integrity` is missing it takes `_resolved` or `_integrity`.
fn unwritten(checked: &mut Checked<'_>) {
    for (id, node) in checked.lockfile.nodes.iter().enumerate() {
        if !node.unwritten.is_empty() {
            let fields = node.unwritten.join("`, `");
            let what = format!("has `{fields}`, which npm never writes into an entry and believes");
            checked.add(&UNWRITTEN_FIELD, node.line, Some(id), &what);
        }
    }
}

/// Entries of npm's for folders outside the project, by paths that lead back into it: npm puts them in the place
/// of what lies there. Which paths these are depends on where the project is.
fn led_back(checked: &mut Checked<'_>, folder: &Path) {
    let leaves = |node: &Node| node.key.starts_with("../") || node.key.get(1..3) == Some(":/");
    let lockfile = checked.lockfile;
    let mut leaving = lockfile
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, it)| leaves(it))
        .peekable();
    if leaving.peek().is_none() {
        return;
    }
    // npm takes the place where links lead; where that is not known, what it is called.
    let here = Path::new(".");
    let is_empty = folder.as_os_str().is_empty();
    let folder = if is_empty { here } else { folder };
    let folder = folder
        .canonicalize()
        .or_else(|_| std::path::absolute(folder))
        .unwrap_or_else(|_| folder.to_owned());
    let folder = folder.to_string_lossy().replace('\\', "/");
    for (id, node) in leaving {
        if leads_into(&folder, &node.key) {
            let what = format!(
                "is for {:?}, which leads back into the project: npm puts it in the place of what lies there",
                node.key
            );
            checked.add(&OTHER_PACKAGE, node.line, Some(id), &what);
        }
    }
}

/// Whether a path, seen from a folder, leads out of the folder and into it again. Letters count as the same in
/// any case, as they do on many machines.
fn leads_into(folder: &str, path: &str) -> bool {
    let folder = folder.strip_prefix("//?/").unwrap_or(folder);
    let parts = |text: &str| -> Vec<String> {
        let parts = text.split('/').filter(|part| !part.is_empty());
        parts.map(str::to_lowercase).collect()
    };
    let (folder, path) = (parts(folder), parts(path));
    let up = path.iter().take_while(|part| *part == "..").count();
    let kept = if up == 0 {
        0
    } else {
        folder.len().saturating_sub(up)
    };
    let mut left = folder.iter().skip(kept);
    let mut down = path.iter().skip(up);
    !folder.is_empty() && left.all(|part| down.next() == Some(part))
}

/// What the requests in the key of an entry ask for.
fn asked_by_key(lockfile: &Lockfile) -> impl Iterator<Item = (&str, DependencySpec, NodeId)> {
    let requests = lockfile.requests();
    requests.map(|(name, spec, id)| (name, classify(name, unambiguous(lockfile.format, spec)), id))
}

/// Entries of yarn 2 and later that resolve to another package than their own key asks for, or to something else
/// than a release: whatever the project sets, it is in the key, a patch as well.
fn named_otherwise(checked: &mut Checked<'_>) {
    let lockfile = checked.lockfile;
    for (name, asked, id) in asked_by_key(lockfile) {
        let Some(node) = lockfile.node(id) else {
            continue;
        };
        let is_alias = match &asked {
            DependencySpec::Alias { name, .. } => node.name == name.as_str(),
            _ => false,
        };
        if !is_alias && node.name != name {
            let what = format!("is the entry for {name}, and its resolution is to another package");
            add_once(checked, id, &what);
        } else if asked.is_registry() && leads_away(&node.source) {
            let what = "is asked for from the registry, and its resolution leads elsewhere";
            add_once(checked, id, what);
        }
    }
}

/// Folders are looked at with what asks for them.
fn leads_away(source: &Source) -> bool {
    matches!(
        source,
        Source::Patch(_) | Source::Tarball(_) | Source::Git { .. } | Source::Other(_)
    )
}

/// Entries of yarn 1 that lead to git or to an address nobody asks for in their key.
fn led_elsewhere(checked: &mut Checked<'_>) {
    let lockfile = checked.lockfile;
    let mut by_place = vec![false; lockfile.nodes.len()];
    for (_, asked, id) in asked_by_key(lockfile) {
        if let Some(place) = by_place.get_mut(id) {
            *place |= !asked.is_registry();
        }
    }
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let is_elsewhere = matches!(node.source, Source::Tarball(_) | Source::Git { .. });
        if is_elsewhere && by_place.get(id) == Some(&false) {
            let what = "is asked for from the registry, and the entry leads elsewhere";
            add_once(checked, id, what);
        }
    }
}

/// Reports an entry, unless what asks for it has had it reported.
fn add_once(checked: &mut Checked<'_>, id: NodeId, what: &str) {
    let Some(node) = checked.lockfile.node(id) else {
        return;
    };
    let mut known = checked.findings.iter();
    if !known.any(|it| it.rule == OTHER_PACKAGE.id && it.line == node.line) {
        checked.add(&OTHER_PACKAGE, node.line, Some(id), what);
    }
}

fn digest(checked: &mut Checked<'_>, id: NodeId, node: &Node) {
    let Some(text) = &node.integrity else {
        // yarn leaves it out for platforms nobody has installed on yet, and fills it in then.
        let later = node.flags.platform && checked.lockfile.format == Format::YarnBerry;
        if node.checksum.is_none() && !later {
            checked.add(&NO_INTEGRITY, node.line, Some(id), "has no integrity");
        }
        return;
    };
    match Integrity::parse(text) {
        Ok(integrity) if !integrity.is_strong() => {
            let what = format!("has only {}", integrity.strongest().0);
            checked.add(&WEAK_INTEGRITY, node.line, Some(id), &what);
        }
        Ok(_) => {}
        Err(error) => {
            let what = format!("has an unreadable integrity {text:?}: {error}");
            checked.add(&BROKEN_INTEGRITY, node.line, Some(id), &what);
        }
    }
}

/// Entries of yarn 2 and later without a checksum for being said to be for some platforms only, where the registry
/// says that they are for all.
pub(super) fn conditioned(
    checked: &mut Checked<'_>,
    known: &Known,
    wanted: &dyn Fn(NodeId) -> bool,
) {
    let lockfile = checked.lockfile;
    if lockfile.format != Format::YarnBerry {
        return;
    }
    let nodes = lockfile.nodes.iter().enumerate();
    for (id, node) in nodes.filter(|(id, _)| wanted(*id)) {
        let is_bare = node.integrity.is_none() && node.checksum.is_none();
        let release = release_of(node).filter(|_| is_bare && node.flags.platform);
        let release = release.map(|(name, version)| (name.to_string(), version));
        if release.is_some_and(|it| known.everywhere.contains(&it)) {
            let what = "has no checksum, as one that is for some platforms only, and the registry says that it is \
                        for all";
            checked.add(&NO_INTEGRITY, node.line, Some(id), what);
        }
    }
}

fn git(checked: &mut Checked<'_>, id: NodeId, node: &Node, url: &str, commit: Option<&str>) {
    let whole = |text: &str| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    // bun shortens commits to seven digits and keeps a digest of what it fetched beside them.
    let digested = node.integrity.is_some() && checked.lockfile.format == Format::Bun;
    if commit.is_some_and(whole) || digested {
        let what = format!("comes from git, {url}");
        checked.add(&NOT_FROM_REGISTRY, node.line, Some(id), &what);
    } else {
        let at = commit.unwrap_or("no commit");
        let what = format!("comes from git, {url}, at {at:?}");
        checked.add(&UNPINNED, node.line, Some(id), &what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<(u32, String)> {
        let lockfile = Lockfile::parse(file, text.as_bytes()).unwrap();
        let mut checked = Checked {
            file: file.to_owned(),
            lockfile: &lockfile,
            paths: lockfile.paths(),
            findings: Vec::new(),
        };
        check(&mut checked, Path::new("/nowhere/app"));
        let others = checked.findings.into_iter();
        let rules = [OTHER_PACKAGE.id, UNWRITTEN_FIELD.id];
        let others = others.filter(|it| rules.contains(&it.rule));
        others.map(|it| (it.line, it.what)).collect()
    }

    /// Whoever asks, and whatever the project sets.
    #[test]
    fn an_entry_of_yarn_2_is_of_the_package_in_its_key() {
        for (key, resolution, is_other) in [
            ("ms@npm:^2.1.3", "ms@npm:2.1.3", false),
            ("ms@npm:^2.1.3", "silt@npm:2.1.3", true),
            ("ms@npm:silt@^2.1.3", "silt@npm:2.1.3", false),
            ("ms@npm:silt@^2.1.3", "dam@npm:2.1.3", true),
            (
                "ms@patch:ms@npm%3A2.1.3#~/p.patch",
                "ms@patch:ms@npm%3A2.1.3#~/p.patch",
                false,
            ),
            ("ms@patch:ms@npm%3A2.1.3#~/p.patch", "silt@npm:2.1.3", true),
            ("ms@npm:^2.0.0, silt@npm:^2.1.3", "ms@npm:2.1.3", true),
            // A patch, or a place, that nobody asks for.
            (
                "ms@npm:^2.0.0",
                "ms@patch:ms@npm%3A2.1.3#optional!builtin<compat/ms>",
                true,
            ),
            ("ms@^2.0.0", "ms@https://a.invalid/x.tgz", true),
            ("ms@npm:^2.0.0", "ms@workspace:packages/ms", false),
            (
                "ms@https://a.invalid/x.tgz",
                "ms@https://a.invalid/x.tgz",
                false,
            ),
        ] {
            let text = format!(
                "__metadata:\n  version: 8\n\n\"{key}\":\n  version: 2.1.3\n  resolution: \"{resolution}\"\n  checksum: 10c0/ab\n"
            );
            let found = found("yarn.lock", &text);
            assert_eq!(!found.is_empty(), is_other, "{key} {resolution}: {found:?}");
        }
    }

    #[test]
    fn an_entry_of_yarn_1_leads_where_its_key_may_lead() {
        for (key, resolved, is_other) in [
            (
                "ms@^2.0.0",
                "https://registry.example.invalid/ms/-/ms-2.1.3.tgz",
                false,
            ),
            ("ms@^2.0.0", "https://evil.example.invalid/x.tgz", true),
            (
                "ms@^2.0.0",
                "git+https://evil.example.invalid/x.git#0a",
                true,
            ),
            (
                "ms@^2.0.0, \"ms@https://a.invalid/x.tgz\"",
                "https://a.invalid/x.tgz",
                false,
            ),
            (
                "ms@river/ms",
                "https://codeload.github.com/river/ms/tar.gz/0a",
                false,
            ),
        ] {
            let text = format!("{key}:\n  version \"2.1.3\"\n  resolved \"{resolved}\"\n");
            let found = found("yarn.lock", &text);
            assert_eq!(!found.is_empty(), is_other, "{key} {resolved}: {found:?}");
        }
    }

    /// npm takes these for the package's manifest, the workspaces' too where theirs cannot be read.
    #[test]
    fn an_entry_of_npm_has_the_fields_that_npm_writes() {
        for (key, fields, is_found) in [
            (
                "node_modules/ms",
                r#""license": "MIT", "bin": {"ms": "x.js"}"#,
                false,
            ),
            (
                "node_modules/ms",
                r#""hasInstallScript": true, "peer": true"#,
                false,
            ),
            (
                "node_modules/ms",
                r#""bundleDependencies": ["a"], "extraneous": true"#,
                false,
            ),
            ("", r#""scripts": {"install": "x"}"#, false),
            ("node_modules/ms", r#""scripts": null"#, false),
            ("node_modules/ms", r#""scripts": {"install": "x"}"#, true),
            (
                "node_modules/ms",
                r#""hasInstallScript": false, "scripts": {}"#,
                true,
            ),
            ("packages/ms", r#""scripts": {"postinstall": "x"}"#, true),
            ("node_modules/ms", r#""_resolved": "file:ms.tgz""#, true),
            ("node_modules/ms", r#""_integrity": "sha512-AAAA""#, true),
            ("node_modules/ms", r#""_hasShrinkwrap": true"#, true),
            ("node_modules/ms", r#""bundledDependencies": ["a"]"#, true),
            (
                "node_modules/ms",
                r#""config": {"host": "evil.example.invalid"}"#,
                true,
            ),
        ] {
            let text = format!(
                "{{\"lockfileVersion\": 3, \"packages\": {{\n\"{key}\": {{\"version\": \"1.0.0\", {fields}}}}}}}"
            );
            let found = found("package-lock.json", &text);
            assert_eq!(!found.is_empty(), is_found, "{key} {fields}: {found:?}");
            assert!(found.iter().all(|(line, _)| *line == 2), "{found:?}");
        }
    }

    #[test]
    fn a_path_out_of_the_project_does_not_lead_back() {
        for (key, is_back) in [
            ("../tool", false),
            ("../tool/node_modules/ms", false),
            ("../../app/node_modules/ms", false),
            ("../app/node_modules/ms", true),
            ("../App/node_modules/ms", true),
            ("../../nowhere/app/node_modules/ms", true),
            ("../../../../nowhere/app/node_modules/ms", true),
        ] {
            let text = format!(
                "{{\"lockfileVersion\": 3, \"packages\": {{\n\"{key}\": {{\"version\": \"1.0.0\"}}}}}}"
            );
            let found = found("package-lock.json", &text);
            assert_eq!(!found.is_empty(), is_back, "{key}: {found:?}");
        }
        let runner = "//?/D:/a/app/app";
        assert!(leads_into(runner, "D:/a/app/app/node_modules/ms"));
        assert!(!leads_into(runner, "D:/a/tool/node_modules/ms"));
    }
}
