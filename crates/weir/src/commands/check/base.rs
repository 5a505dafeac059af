//! What a change brings in: the project as it is, beside the project as it was in a commit.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use weir_model::finding::printable;
use weir_model::json::v1::{ChangeKind, ChangedPackage, CheckFinding, CheckLevel};
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Edge, Lockfile, Node, NodeId, Source};
use weir_npm::settings::Setting;

use super::bundles::{Releases, claimed};
use super::client::{ClientFiles, File, shown};
use super::digests::agree;
use super::entries::NO_INTEGRITY;
use super::tree::Tree;
use super::{Checked, Findings, Rule, about_file, settings};
use crate::addresses::without_secrets;
use crate::setup::POLICY;

const ENTRY_REPLACED: Rule = Rule {
    id: "entry-replaced",
    level: CheckLevel::Error,
    todo: "find out why: a version that is published never changes",
};
const REGISTRY_CHANGED: Rule = Rule {
    id: "registry-changed",
    level: CheckLevel::Warning,
    todo: "make sure that this is wanted: it says where packages come from",
};

const POLICY_CHANGED: Rule = Rule {
    id: "policy-changed",
    level: CheckLevel::Warning,
    todo: "read the change: it is judged by what it brings itself; --policy names another file",
};

/// Largest policy that is read to be compared, in bytes.
const LARGEST_POLICY: usize = 1 << 20;

/// Rules that say what could not be checked. They are told with every change, also if they were so before.
const ALWAYS: [&str; 5] = [
    "patch-unread",
    "names-withheld",
    "registry-assumed",
    "digests-not-compared",
    "install-scripts-unknown",
];

/// Drops what was found before the change too. Lines move, so they do not count.
pub(super) fn only_new(findings: Vec<CheckFinding>, before: &[CheckFinding]) -> Vec<CheckFinding> {
    let mut known: HashMap<String, usize> = HashMap::new();
    for finding in before {
        *known.entry(key(finding)).or_default() += 1;
    }
    let mut new = findings;
    new.retain(|finding| {
        if ALWAYS.contains(&finding.rule) {
            return true;
        }
        match known.get_mut(&key(finding)) {
            Some(count @ 1..) => {
                *count -= 1;
                false
            }
            _ => true,
        }
    });
    new
}

/// What makes two findings the same: all but the line and the way that leads there.
fn key(finding: &CheckFinding) -> String {
    let package = finding.package.as_deref().unwrap_or_default();
    // What nothing sets moves into the file for it with the first line of that.
    let file = match settings::is_of_defaults(finding.rule) {
        true => "",
        false => &finding.file,
    };
    // None of them holds a line break.
    [finding.rule, file, package, &finding.what].join("\n")
}

/// What is locked under a name, as far as a change of it matters.
#[derive(Default)]
struct Locked<'l> {
    /// Version, or the place of what has none, and its entries.
    versions: BTreeMap<String, Vec<(NodeId, &'l Node)>>,
}

fn locked(lockfile: &Lockfile) -> BTreeMap<&str, Locked<'_>> {
    let mut names: BTreeMap<&str, Locked<'_>> = BTreeMap::new();
    for (id, node) in lockfile.nodes.iter().enumerate() {
        if matches!(node.source, Source::Project(_) | Source::Link(_)) {
            continue;
        }
        let mut version = node.version.clone().unwrap_or_else(|| place(node));
        // yarn locks a release and what a patch makes of it: two things of one version.
        if matches!(node.source, Source::Patch(_)) {
            version.push_str(" with a patch");
        }
        let of_name = names.entry(node.name.as_str()).or_default();
        of_name
            .versions
            .entry(version)
            .or_default()
            .push((id, node));
    }
    names
}

/// Where an entry comes from, for comparing and showing.
fn place(node: &Node) -> String {
    let text = match &node.source {
        Source::Registry(Some(url)) | Source::Tarball(url) => url.clone(),
        Source::Registry(None) => "the registry".to_owned(),
        Source::Git { url, commit } => format!("{url}#{}", commit.as_deref().unwrap_or_default()),
        Source::File(text) | Source::Link(text) | Source::Patch(text) | Source::Other(text) => {
            text.clone()
        }
        Source::Project(folder) => folder.clone(),
    };
    printable(&text, 300)
}

/// The packages that are locked otherwise than before, and the entries that are new. Notes at once what no
/// honest change does: other bytes for the same version.
pub(super) fn changes(
    checked: &mut Checked<'_>,
    before: Option<&Lockfile>,
) -> (Vec<ChangedPackage>, HashSet<NodeId>) {
    let lockfile = checked.lockfile;
    let now = locked(lockfile);
    let then = before.map(locked).unwrap_or_default();
    let mut packages = Vec::new();
    let mut new = HashSet::new();
    let nothing = Locked::default();
    let names: BTreeSet<&str> = now.keys().chain(then.keys()).copied().collect();
    for name in names {
        let (now, then) = (
            now.get(name).unwrap_or(&nothing),
            then.get(name).unwrap_or(&nothing),
        );
        let only = |one: &Locked<'_>, other: &Locked<'_>| -> Vec<String> {
            let versions = one
                .versions
                .keys()
                .filter(|it| !other.versions.contains_key(*it));
            versions.cloned().collect()
        };
        let (gone, came) = (only(then, now), only(now, then));
        for version in &came {
            new.extend(
                now.versions
                    .get(version)
                    .into_iter()
                    .flatten()
                    .map(|(id, _)| *id),
            );
        }
        let kind = match (then.versions.is_empty(), now.versions.is_empty()) {
            (true, false) => Some(ChangeKind::Added),
            (false, true) => Some(ChangeKind::Removed),
            _ if !gone.is_empty() || !came.is_empty() => Some(ChangeKind::Updated),
            _ => None,
        };
        if let Some(kind) = kind {
            packages.push(changed(checked, name, kind, gone, came, now));
        }
        packages.extend(replaced(checked, name, then, now, &mut new));
    }
    if let Some(before) = before {
        packages.extend(taken(checked, before, &now, &mut new));
    }
    packages.sort_by_key(|package| package.line);
    (packages, new)
}

fn changed(
    checked: &Checked<'_>,
    name: &str,
    kind: ChangeKind,
    before: Vec<String>,
    after: Vec<String>,
    now: &Locked<'_>,
) -> ChangedPackage {
    let first = after
        .iter()
        .find_map(|version| now.versions.get(version)?.first());
    let path = first
        .map(|(id, _)| checked.paths.to(*id))
        .unwrap_or_default();
    let step = |edge: &&Edge| printable(&edge.name, 220);
    ChangedPackage {
        file: checked.file.clone(),
        line: first.map_or(1, |(_, node)| node.line),
        name: printable(name, 220),
        kind,
        before: before.iter().map(|it| shown_version(it)).collect(),
        after: after.iter().map(|it| shown_version(it)).collect(),
        releases: Vec::new(),
        path: path.iter().map(step).collect(),
    }
}

/// A version, or the place of what has none.
fn shown_version(text: &str) -> String {
    printable(&without_secrets(text), 300)
}

/// Entries of the same version with another digest, or from another place.
fn replaced(
    checked: &mut Checked<'_>,
    name: &str,
    then: &Locked<'_>,
    now: &Locked<'_>,
    new: &mut HashSet<NodeId>,
) -> Vec<ChangedPackage> {
    let mut packages = Vec::new();
    for (version, entries) in &now.versions {
        let Some(before) = then.versions.get(version) else {
            continue;
        };
        for (id, node) in entries {
            let Some((was, is)) = difference(before, node) else {
                continue;
            };
            // What comes from git or from an address of its own may well be moved.
            let was_release = || {
                let mut sources = before.iter().map(|(_, it)| &it.source);
                sources.all(|it| matches!(it, Source::Registry(_)))
            };
            let is_unclear = node.is_unclear(checked.lockfile.format);
            if matches!(node.source, Source::Registry(_)) || (is_unclear && was_release()) {
                let what = format!("was {was} before this change, and is {is}");
                checked.add(&ENTRY_REPLACED, node.line, Some(*id), &what);
            }
            new.insert(*id);
            let mut package = changed(
                checked,
                name,
                ChangeKind::Replaced,
                vec![was],
                vec![is],
                now,
            );
            package.line = node.line;
            packages.push(package);
        }
    }
    packages
}

/// Entries whose release has lost its digest, or brings inside itself what it did not.
fn taken(
    checked: &mut Checked<'_>,
    before: &Lockfile,
    now: &BTreeMap<&str, Locked<'_>>,
    new: &mut HashSet<NodeId>,
) -> Vec<ChangedPackage> {
    let lockfile = checked.lockfile;
    let (then, today) = (Releases::of(before), Releases::of(lockfile));
    for (id, node, names) in claimed(lockfile, &then) {
        let names = names.join(", ");
        let what =
            format!("says that it brings {names} inside itself, and did not before this change");
        checked.add(&ENTRY_REPLACED, node.line, Some(id), &what);
    }
    let nothing = Locked::default();
    let mut packages = Vec::new();
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let Some(was) = today.lost(&then, node) else {
            continue;
        };
        let mut known = checked.findings.iter();
        if !known.any(|it| it.rule == NO_INTEGRITY.id && it.line == node.line) {
            let what = format!("had the digest {was} before this change, and has none any more");
            checked.add(&ENTRY_REPLACED, node.line, Some(id), &what);
        }
        // What was moved as well is told already.
        if new.insert(id) {
            let now = now.get(node.name.as_str()).unwrap_or(&nothing);
            let (was, is) = (vec![was], vec!["no digest".to_owned()]);
            let mut package = changed(checked, &node.name, ChangeKind::Replaced, was, is, now);
            package.line = node.line;
            packages.push(package);
        }
    }
    packages
}

/// How an entry differs from all earlier ones of the same version: in a digest that can be compared, or in
/// where it comes from.
fn difference(before: &[(NodeId, &Node)], node: &Node) -> Option<(String, String)> {
    let integrity = |node: &Node| {
        node.integrity
            .as_deref()
            .and_then(|text| Integrity::parse(text).ok())
    };
    let ours = integrity(node);
    let other_digest = |(_, was): &(NodeId, &Node)| {
        let (theirs, ours) = (integrity(was)?, ours.as_ref()?);
        // In both directions: a digest that was added would let other bytes pass as well.
        let same = agree(ours, &theirs) != Some(false) && agree(&theirs, ours) != Some(false);
        (!same).then_some((theirs.to_string(), ours.to_string()))
    };
    let mut differences = before.iter().map(other_digest);
    if let Some(Some(first)) = differences.next()
        && differences.all(|it| it.is_some())
    {
        return Some(first);
    }
    // yarn leaves checksums of its own; another one for the same version is as odd.
    let (_, first) = before.first()?;
    let same_checksum = before.iter().any(|(_, was)| was.checksum == node.checksum);
    let both = |was: &Node| Some((was.checksum.clone()?, node.checksum.clone()?));
    if !same_checksum
        && let Some((was, is)) = both(first)
        && bare(&was) != bare(&is)
        && was.split_once('/').map(|(key, _)| key) == is.split_once('/').map(|(key, _)| key)
    {
        return Some((was, is));
    }
    // The same bytes from elsewhere are the same bytes.
    let same_bytes = |(_, was): &(NodeId, &Node)| {
        let theirs = integrity(was);
        let agrees = theirs
            .zip(ours.as_ref())
            .and_then(|(theirs, ours)| agree(ours, &theirs));
        agrees == Some(true) || place(was) == place(node)
    };
    let known = |node: &Node| !matches!(node.source, Source::Registry(None));
    let moved = !before.iter().any(same_bytes) && known(first) && known(node);
    moved.then(|| (place(first), place(node)))
}

/// A checksum without the key of the cache it was made for, which comes before it.
fn bare(checksum: &str) -> &str {
    checksum.rsplit('/').next().unwrap_or(checksum)
}

/// Settings that say where packages come from, and that the change touches. A lockfile that agrees with them
/// proves nothing then.
pub(super) fn registries(findings: &mut Findings, now: &ClientFiles, then: &ClientFiles) {
    let pairs = [
        (&now.npmrc, &then.npmrc),
        (&now.yarnrc, &then.yarnrc),
        (&now.yarnrc_yml, &then.yarnrc_yml),
        (&now.pnpm, &then.pnpm),
        (&now.bunfig, &then.bunfig),
    ];
    for (now, then) in pairs {
        let before: Vec<String> = registry_settings(then).map(shown).collect();
        for setting in registry_settings(now) {
            let said = shown(setting);
            if !before.contains(&said) {
                let what = format!("`{said}` is new");
                let file = now.name.unwrap_or(".npmrc");
                findings.about(file, &REGISTRY_CHANGED, setting.line, &what);
            }
        }
        let after: Vec<String> = registry_settings(now).map(shown).collect();
        for gone in before.iter().filter(|said| !after.contains(said)) {
            let file = then.name.unwrap_or(".npmrc");
            let what = format!("`{gone}` is not there any more");
            findings.about(file, &REGISTRY_CHANGED, 1, &what);
        }
    }
}

/// The policy that the project's repository has for it, where the change touches it: it may allow what comes
/// with it.
pub(super) fn policy(findings: &mut Findings, now: &Tree, then: &Tree) {
    let depth = then.depth();
    let told = match (in_force(now, depth), in_force(then, depth)) {
        (Ok(now), Ok(then)) => policy_change(now.as_ref(), then.as_ref()),
        (Err((level, why)), _) | (_, Err((level, why))) => {
            let what = format!("could not be compared with the policy as it was: {why}");
            Some((level, what))
        }
    };
    if let Some((level, what)) = told {
        let file = now.above(level, POLICY);
        let finding = about_file(&POLICY_CHANGED, &file, 1, &what);
        findings.all.push(finding);
    }
}

/// A policy file: how many levels above the project it lies, and its text.
type PolicyFile = (usize, Vec<u8>);

/// The nearest policy from the project up to the repository's root, so many levels above: what lies further
/// up is not in force, and no change of the repository touches what lies outside.
fn in_force(tree: &Tree, depth: usize) -> Result<Option<PolicyFile>, (usize, String)> {
    for level in 0..=depth {
        let text = tree
            .read_above(level, POLICY, LARGEST_POLICY)
            .map_err(|why| (level, why))?;
        if let Some(text) = text {
            return Ok(Some((level, text)));
        }
    }
    Ok(None)
}

/// What happened to the policy in force, and at which level: a nearer one that came or went puts another
/// one in force, whose own text need not change.
fn policy_change(now: Option<&PolicyFile>, then: Option<&PolicyFile>) -> Option<(usize, String)> {
    let above = |level: usize| format!("{}{POLICY}", "../".repeat(level));
    let (level, what) = match (now, then) {
        (None, None) => return None,
        (Some(now), Some(then)) if now == then => return None,
        (Some((level, _)), None) => (*level, "the policy is new".to_owned()),
        (None, Some((was, _))) => (*was, "the policy is not there any more".to_owned()),
        (Some((level, _)), Some((was, _))) if level < was => {
            let what = format!(
                "the policy is new, and in force in place of {}",
                above(*was)
            );
            (*level, what)
        }
        (Some((level, _)), Some((was, _))) if level > was => {
            let above = above(*level);
            let what = format!("the policy is not there any more, and {above} is in force");
            (*was, what)
        }
        (Some((level, _)), Some(_)) => (*level, "the policy is another than before".to_owned()),
    };
    Some((level, what))
}

fn registry_settings(file: &File) -> impl Iterator<Item = &Setting> {
    let names = |key: &String| {
        key == "registry"
            || key.ends_with(":registry")
            || matches!(
                key.as_str(),
                "npmRegistryServer"
                    | "npmScopes"
                    | "registries"
                    | "scopes"
                    | "proxy"
                    | "https-proxy"
                    | "httpProxy"
                    | "httpsProxy"
            )
    };
    file.iter()
        .filter(move |setting| setting.key.iter().any(names) && setting.text().is_some())
        // Credentials are no addresses, and have no place in a report.
        .filter(|setting| {
            let last = setting.key.last().map(String::as_str).unwrap_or_default();
            !last.to_ascii_lowercase().contains("auth") && !last.contains("assword")
        })
}

#[cfg(test)]
mod tests {
    use super::{PolicyFile, policy_change};

    #[test]
    fn another_policy_in_force_is_a_change_wherever_it_lies() {
        for (now, then, told) in [
            (None, None, None),
            (Some((1, "a")), Some((1, "a")), None),
            (Some((1, "b")), Some((1, "a")), Some((1, "another than"))),
            (Some((1, "a")), None, Some((1, "is new"))),
            (None, Some((2, "a")), Some((2, "not there any more"))),
            // The same text in another place, too: what is above it may change it later.
            (Some((0, "a")), Some((1, "a")), Some((0, "of ../weir.toml"))),
            (
                Some((2, "a")),
                Some((0, "a")),
                Some((0, "../../weir.toml is")),
            ),
        ] {
            let file = |it: Option<(usize, &str)>| -> Option<PolicyFile> {
                it.map(|(level, text)| (level, text.as_bytes().to_vec()))
            };
            let change = policy_change(file(now).as_ref(), file(then).as_ref());
            let change = change.as_ref().map(|(level, what)| (*level, what.as_str()));
            let (level, words) = told.unzip();
            assert_eq!(change.map(|(level, _)| level), level, "{now:?} {then:?}");
            let what = change.map_or("", |(_, what)| what);
            assert!(what.contains(words.unwrap_or_default()), "{what}");
        }
    }
}
