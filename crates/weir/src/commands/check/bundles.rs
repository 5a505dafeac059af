//! What a change takes the digest away from. A release that is said to come inside another package needs none,
//! and so does one of yarn's for other platforms: a line or two in a lockfile make any release such a one.

use std::collections::{HashMap, HashSet};

use weir_npm::lockfile::{Format, Lockfile, Node, NodeId, Source};

/// A release: name and version.
type Release<'l> = (&'l str, Option<&'l str>);

fn release(node: &Node) -> Release<'_> {
    (node.name.as_str(), node.version.as_deref())
}

/// A lockfile by its releases.
pub(super) struct Releases<'l> {
    by_key: HashMap<&'l str, &'l Node>,
    /// A digest of each release that has one, and whether it is one with changed files.
    digests: HashMap<(Release<'l>, bool), &'l str>,
    /// What is listed as brought by each package, if any of its entries does.
    bundles: HashMap<Release<'l>, HashSet<&'l str>>,
    /// Who holds what inside itself, by the entries.
    inside: HashSet<(Release<'l>, Release<'l>)>,
    /// Whether the format says what packages bring.
    lists_bundles: bool,
}

impl<'l> Releases<'l> {
    pub(super) fn of(lockfile: &'l Lockfile) -> Self {
        let nodes = lockfile.nodes.iter();
        let by_key = nodes.clone().map(|node| (node.key.as_str(), node));
        let mut read = Self {
            by_key: by_key.collect(),
            digests: nodes
                .clone()
                .filter_map(|node| Some(((release(node), is_patch(node)), digest(node)?)))
                .collect(),
            bundles: HashMap::new(),
            inside: HashSet::new(),
            lists_bundles: lockfile.format == Format::Npm && lockfile.version != "1",
        };
        for node in nodes.clone().filter(|node| !is_project(node)) {
            let listed = read.bundles.entry(release(node)).or_default();
            listed.extend(node.bundles.iter().map(String::as_str));
        }
        let bundled = nodes.filter(|node| node.flags.bundled);
        let inside: HashSet<_> = bundled
            .flat_map(|node| {
                let above = read.above(node);
                above.map(move |above| (release(above), release(node)))
            })
            .collect();
        read.inside = inside;
        read
    }

    /// The packages that an entry of npm's lies in. What a project lists is fetched all the same.
    fn above(&self, node: &'l Node) -> impl Iterator<Item = &'l Node> {
        let ends = node.key.match_indices("/node_modules/");
        let above = ends.filter_map(move |(end, _)| {
            let key = node.key.get(..end)?;
            self.by_key.get(key).copied()
        });
        above.filter(|above| !is_project(above))
    }

    /// The digest that the release of an entry had before, where it has none any more, in any entry.
    pub(super) fn lost(&self, before: &Releases<'_>, node: &'l Node) -> Option<String> {
        // What comes from git has none.
        if !matches!(
            node.source,
            Source::Registry(_) | Source::Tarball(_) | Source::Patch(_)
        ) {
            return None;
        }
        let key = (release(node), is_patch(node));
        let was = before.digests.get(&key)?;
        if self.digests.contains_key(&key) || self.is_brought(before, node) {
            return None;
        }
        Some((*was).to_owned())
    }

    /// Whether an entry is inside a package that is new, or that held the same before.
    fn is_brought(&self, before: &Releases<'_>, node: &'l Node) -> bool {
        let is_fine = |above: &Node| {
            let held = (release(above), release(node));
            !above.bundles.is_empty()
                && (!before.bundles.contains_key(&held.0) || before.inside.contains(&held))
        };
        node.flags.bundled && self.above(node).any(is_fine)
    }
}

/// Entries that list packages as brought inside them, and did not before for the same release: the names.
pub(super) fn claimed<'l>(
    lockfile: &'l Lockfile,
    before: &'l Releases<'l>,
) -> Vec<(NodeId, &'l Node, Vec<&'l str>)> {
    if !before.lists_bundles {
        return Vec::new();
    }
    let mut claimed = Vec::new();
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let Some(listed) = before.bundles.get(&release(node)) else {
            continue;
        };
        // A folder of one's own was never published, and says itself what it brings.
        let is_own = matches!(node.source, Source::File(_) | Source::Link(_));
        if is_project(node) || is_own {
            continue;
        }
        let names = node.bundles.iter().map(String::as_str);
        let more: Vec<&str> = names.filter(|name| !listed.contains(name)).collect();
        if !more.is_empty() {
            claimed.push((id, node, more));
        }
    }
    claimed
}

fn is_project(node: &Node) -> bool {
    matches!(node.source, Source::Project(_))
}

fn is_patch(node: &Node) -> bool {
    matches!(node.source, Source::Patch(_))
}

fn digest(node: &Node) -> Option<&str> {
    let digest = node.integrity.as_deref().or(node.checksum.as_deref());
    digest.filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npm(entries: &str) -> Lockfile {
        let text = format!(r#"{{"lockfileVersion": 3, "packages": {{"": {{}}, {entries}}}}}"#);
        Lockfile::parse("package-lock.json", text.as_bytes()).unwrap()
    }

    const DIGEST: &str = r#""integrity": "sha512-AAAA""#;

    /// `debug` and `ms`, each with what its entry says.
    fn both(debug: &str, place: &str, ms: &str) -> Lockfile {
        npm(&format!(
            r#""node_modules/debug": {{{debug}, {DIGEST}}}, "{place}": {{"version": "2.1.2", {ms}}}"#
        ))
    }

    /// How many entries lost their digest, and how many claim to bring something.
    fn told(before: &Lockfile, now: &Lockfile) -> (usize, usize) {
        let (then, today) = (Releases::of(before), Releases::of(now));
        let lost = now.nodes.iter().filter_map(|it| today.lost(&then, it));
        (lost.count(), claimed(now, &then).len())
    }

    #[test]
    fn a_digest_does_not_go_and_no_release_brings_more_than_before() {
        const LIST: &str = r#""version": "4.3.4", "bundleDependencies": ["ms"]"#;
        let (old, new) = (r#""version": "4.3.4""#, r#""version": "4.3.5""#);
        let new_list = LIST.replace("4.3.4", "4.3.5");
        const OWN: &str = r#""resolved": "file:debug""#;
        let (top, inner) = ("node_modules/ms", "node_modules/debug/node_modules/ms");
        let bundled = r#""inBundle": true"#;
        let base = || both(old, top, DIGEST);
        for (what, before, now, wanted) in [
            ("moved", base(), both(old, inner, DIGEST), (0, 0)),
            (
                "gone",
                base(),
                both(old, top, r#""license": "MIT""#),
                (1, 0),
            ),
            ("claimed", base(), both(LIST, inner, bundled), (1, 1)),
            (
                "claimed, not listed",
                base(),
                both(old, inner, bundled),
                (1, 0),
            ),
            (
                "a new release",
                base(),
                both(&new_list, inner, bundled),
                (0, 0),
            ),
            ("another release", base(), both(new, top, DIGEST), (0, 0)),
            (
                "a folder of one's own",
                both(&format!("{old}, {OWN}"), top, DIGEST),
                both(&format!("{LIST}, {OWN}"), top, DIGEST),
                (0, 0),
            ),
            (
                "held before",
                npm(&format!(
                    r#""node_modules/debug": {{{LIST}, {DIGEST}}}, "{inner}": {{"version": "2.1.2", {bundled}}},
                    "{top}": {{"version": "2.1.2", {DIGEST}}}"#
                )),
                both(LIST, inner, bundled),
                (0, 0),
            ),
            (
                "listed before, and held another",
                both(LIST, top, DIGEST),
                both(LIST, inner, bundled),
                (1, 0),
            ),
            (
                "still there elsewhere",
                npm(&format!(
                    r#""node_modules/debug": {{{LIST}, {DIGEST}}}, "{top}": {{"version": "2.1.2", {DIGEST}}}"#
                )),
                npm(&format!(
                    r#""node_modules/debug": {{{LIST}, {DIGEST}}}, "{inner}": {{"version": "2.1.2", {bundled}}},
                    "{top}": {{"version": "2.1.2", {DIGEST}}}"#
                )),
                (0, 0),
            ),
        ] {
            assert_eq!(told(&before, &now), wanted, "{what}");
        }
    }

    /// Version 1 did not list what packages bring.
    #[test]
    fn a_file_in_npms_newer_format_claims_nothing() {
        let text = format!(
            r#"{{"lockfileVersion": 1, "dependencies": {{"debug": {{"version": "4.3.4", {DIGEST},
            "dependencies": {{"ms": {{"version": "2.1.2", "bundled": true}}}}}}}}}}"#
        );
        let before = Lockfile::parse("package-lock.json", text.as_bytes()).unwrap();
        let list = r#""version": "4.3.4", "bundleDependencies": ["ms"]"#;
        let inner = "node_modules/debug/node_modules/ms";
        let now = both(list, inner, r#""inBundle": true"#);
        assert_eq!(told(&before, &now), (0, 0));
    }

    #[test]
    fn a_condition_takes_no_checksum_away() {
        let yarn = |ms: &str, patch: &str| {
            let text = format!(
                "__metadata:\n  version: 8\n\n\"ms@npm:1\":\n  version: 1.0.0\n  resolution: \"ms@npm:1.0.0\"\n  {ms}\n\n\
                 \"ms@patch:ms@npm%3A1.0.0#./a.patch\":\n  version: 1.0.0\n  \
                 resolution: \"ms@patch:ms@npm%3A1.0.0#./a.patch::version=1.0.0&hash=ab\"\n  {patch}\n"
            );
            Lockfile::parse("yarn.lock", text.as_bytes()).unwrap()
        };
        let (some, none) = ("checksum: 10c0/ab", "conditions: os=linux");
        for (ms, patch, lost) in [
            (some, some, 0),
            (none, some, 1),
            (some, none, 1),
            (none, none, 2),
        ] {
            let found = told(&yarn(some, some), &yarn(ms, patch));
            assert_eq!(found, (lost, 0), "{ms} {patch}");
        }
        assert_eq!(told(&yarn(none, some), &yarn(none, some)), (0, 0));
    }
}
