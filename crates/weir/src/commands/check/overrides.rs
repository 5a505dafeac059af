//! Packages whose versions the project sets for everybody, whatever is asked for: `overrides` (npm, pnpm, bun)
//! and `resolutions` (yarn). Where it is plain what they mean, the lockfile has to obey them; where that
//! depends on more than a name and who asks, nothing is said.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use weir_npm::lockfile::{Format, Lockfile, Node, Source};
use weir_npm::spec::{DependencySpec, classify};

use super::Checked;
use super::client::ClientFiles;
use super::manifests::{Manifests, last_name};
use super::step::OUT_OF_STEP;

/// What is wanted instead of what somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'o> {
    /// Nothing else.
    AsAsked,
    /// This, for sure.
    Instead(&'o str),
    /// It cannot be told.
    Unclear,
}

/// One of them.
#[derive(Debug)]
struct Rule {
    /// The package for whose own requests it is, where it is not for all.
    below: Option<String>,
    /// What is wanted; none where that is no version, range or tag, or depends on what is asked for.
    spec: Option<String>,
}

/// All of a project's.
#[derive(Debug)]
pub(super) struct Overrides {
    format: Format,
    /// The names in all lists, those of other clients as well.
    names: BTreeSet<String>,
    rules: BTreeMap<String, Vec<Rule>>,
    /// Who else than the project asks yarn 1 for something, by name and text.
    askers: HashMap<(String, String), BTreeSet<String>>,
    /// The packages that yarn 1 has once, and for the root alone.
    direct: BTreeSet<String>,
}

impl Overrides {
    /// Reads the lists that the client of a lockfile reads.
    pub(super) fn of(manifests: &Manifests, files: &ClientFiles, lockfile: &Lockfile) -> Self {
        let mut read = Self {
            format: lockfile.format,
            names: manifests.overridden(files),
            rules: BTreeMap::new(),
            askers: HashMap::new(),
            direct: BTreeSet::new(),
        };
        if lockfile.format == Format::YarnClassic {
            read.direct = direct(lockfile);
            read.askers = read.find_askers(manifests, lockfile);
        }
        let root = manifests.root();
        match lockfile.format {
            Format::Npm => read.npm(root),
            Format::YarnClassic | Format::YarnBerry => {
                read.list(root, root.get("resolutions"), true)
            }
            Format::Bun => {
                let list = root.get("overrides").or_else(|| root.get("resolutions"));
                read.list(root, list, true);
            }
            Format::Pnpm => {
                // pnpm 11 and later read nothing of this in package.json.
                let is_new = files.client(lockfile).since(11, 0);
                if is_new != Some(true) {
                    let own = root.get("pnpm").and_then(|pnpm| pnpm.get("overrides"));
                    read.list(root, own, is_new == Some(false));
                    read.list(root, root.get("resolutions"), is_new == Some(false));
                }
                for (key, to) in in_workspace(files) {
                    read.add(root, key, to);
                }
            }
        }
        read
    }

    /// Whether the project sets the version of a package, for anybody.
    pub(super) fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The name by which these lists know a package that asks for others. npm goes by what that one itself is
    /// asked for as, the others by its own name.
    pub(super) fn asker<'n>(&self, node: &'n Node) -> &'n str {
        match self.format {
            Format::Npm => &node.place,
            _ => &node.name,
        }
    }

    /// What is wanted where `by` (none for a project) asks for a package.
    pub(super) fn wanted(&self, by: Option<&str>, name: &str, spec: &str) -> Wanted<'_> {
        if !self.names(name) {
            return Wanted::AsAsked;
        }
        let plain = matches!(
            classify(name, spec),
            DependencySpec::Range(_) | DependencySpec::Tag(_) | DependencySpec::Catalog(_)
        );
        // yarn 1 sets what packages ask for; a project gets that only where one asks in the same words.
        let askers = (by.is_none() && self.format == Format::YarnClassic)
            .then(|| self.askers.get(&(name.to_owned(), spec.to_owned())));
        if askers == Some(None) {
            return Wanted::AsAsked;
        }
        let asks_too = |below: &String| askers.flatten().is_some_and(|it| it.contains(below));
        let Some([rule]) = self.rules.get(name).map(Vec::as_slice) else {
            return Wanted::Unclear;
        };
        match (&rule.below, &rule.spec) {
            (None, Some(spec)) if plain => Wanted::Instead(spec),
            (Some(below), Some(spec))
                if plain && (by == Some(below.as_str()) || asks_too(below)) =>
            {
                Wanted::Instead(spec)
            }
            _ => Wanted::Unclear,
        }
    }

    /// Reads a list of texts by keys.
    fn list(&mut self, root: &Value, list: Option<&Value>, is_read: bool) {
        for (key, value) in list.and_then(Value::as_object).into_iter().flatten() {
            match value.as_str().filter(|_| is_read) {
                Some(to) => self.add(root, key, to),
                None => self.unclear(last_name(key)),
            }
        }
    }

    fn add(&mut self, root: &Value, key: &str, to: &str) {
        let name = last_name(key);
        match below(self.format, key, name) {
            // yarn 1 goes by the way to a package, and it is known only of those that there is one way to.
            Some(Some(below))
                if self.format == Format::YarnClassic && !self.direct.contains(&below) =>
            {
                self.unclear(name);
            }
            Some(below) => self.push(root, below, name, to),
            None => self.unclear(name),
        }
    }

    /// Who asks yarn 1 for what is set, the project's root apart: packages, and workspaces, which are not in
    /// its lockfile.
    fn find_askers(
        &self,
        manifests: &Manifests,
        lockfile: &Lockfile,
    ) -> HashMap<(String, String), BTreeSet<String>> {
        let of_packages = lockfile.edges.iter().filter_map(|edge| {
            let from = lockfile.node(edge.from)?;
            let is_project = matches!(from.source, Source::Project(_));
            (!is_project).then_some((&edge.name, &edge.spec, from.name.as_str()))
        });
        let of_workspaces = manifests.found().flat_map(|(_, manifest)| {
            let lists = [
                &manifest.dependencies,
                &manifest.dev_dependencies,
                &manifest.optional_dependencies,
            ];
            // No key is for one of them by its name.
            lists
                .into_iter()
                .flatten()
                .map(|(name, spec)| (name, spec, ""))
        });
        let mut askers: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
        for (name, spec, by) in of_packages.chain(of_workspaces) {
            if self.names(name) {
                let request = (name.clone(), spec.clone());
                askers.entry(request).or_default().insert(by.to_owned());
            }
        }
        askers
    }

    /// npm's list, where a package may have a list of its own.
    fn npm(&mut self, root: &Value) {
        let list = root.get("overrides").and_then(Value::as_object);
        for (key, value) in list.into_iter().flatten() {
            let name = last_name(key);
            let is_plain = name == key;
            match value {
                Value::String(to) if is_plain => self.push(root, None, name, to),
                Value::Object(inner) => {
                    for (key, value) in inner {
                        match value {
                            Value::String(to) if key == "." && is_plain => {
                                self.push(root, None, name, to);
                            }
                            Value::String(to) if is_plain && last_name(key) == key => {
                                self.push(root, Some(name.to_owned()), key, to);
                            }
                            _ if key == "." => self.unclear(name),
                            _ => self.all_unclear(key, value),
                        }
                    }
                }
                _ => self.unclear(name),
            }
        }
    }

    /// Everything named in a list inside a list.
    fn all_unclear(&mut self, key: &str, value: &Value) {
        let mut open = vec![(key, value)];
        while let Some((key, value)) = open.pop() {
            self.unclear(last_name(key));
            let inner = value.as_object().into_iter().flatten();
            open.extend(inner.map(|(key, value)| (key.as_str(), value)));
        }
    }

    fn unclear(&mut self, name: &str) {
        let (below, spec) = (None, None);
        let rules = self.rules.entry(name.to_owned()).or_default();
        rules.push(Rule { below, spec });
    }

    fn push(&mut self, root: &Value, below: Option<String>, name: &str, to: &str) {
        let to = match to.strip_prefix('$') {
            Some(other) => asked_by(root, other),
            None => Some(to),
        };
        // A star is no wish at all for npm.
        let to = to.filter(|to| !matches!(to.trim(), "" | "*"));
        let spec = to.filter(|to| classify(name, to).is_registry());
        let spec = spec.map(str::to_owned);
        let rules = self.rules.entry(name.to_owned()).or_default();
        rules.push(Rule { below, spec });
    }
}

/// What the root asks for under a name, which `$name` stands for.
fn asked_by<'r>(root: &'r Value, name: &str) -> Option<&'r str> {
    let lists = [
        "devDependencies",
        "optionalDependencies",
        "dependencies",
        "peerDependencies",
    ];
    lists
        .iter()
        .find_map(|list| root.get(list)?.get(name)?.as_str())
}

/// For whose requests a key is: all (`Some(None)`), or those of one package. `None` where it depends on more.
fn below(format: Format, key: &str, name: &str) -> Option<Option<String>> {
    let before = key.strip_suffix(name)?;
    let parent = match format {
        _ if before.is_empty() => return Some(None),
        Format::YarnClassic if before == "**/" => return Some(None),
        // What lies further below, and may be meant as well, is left alone.
        Format::YarnClassic => {
            let parent = before.strip_suffix('/')?;
            parent.strip_suffix("/**").unwrap_or(parent)
        }
        Format::YarnBerry => before.strip_suffix('/')?,
        Format::Pnpm => before.strip_suffix('>')?,
        Format::Npm | Format::Bun => return None,
    };
    let is_plain = last_name(parent) == parent && !parent.contains('*');
    is_plain.then(|| Some(parent.to_owned()))
}

/// The packages that a lockfile of yarn 1 has once, and for nobody but the root.
fn direct(lockfile: &Lockfile) -> BTreeSet<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &lockfile.nodes {
        *counts.entry(node.name.as_str()).or_default() += 1;
    }
    let root = lockfile.project("");
    let (mut by_root, mut by_others) = (BTreeSet::new(), BTreeSet::new());
    for edge in &lockfile.edges {
        let to = edge.to.and_then(|to| lockfile.node(to));
        let Some(to) = to else { continue };
        let list = if Some(edge.from) == root {
            &mut by_root
        } else {
            &mut by_others
        };
        list.insert(to.name.as_str());
    }
    by_root
        .difference(&by_others)
        .filter(|name| counts.get(*name) == Some(&1))
        .map(|name| (*name).to_owned())
        .collect()
}

fn in_workspace(files: &ClientFiles) -> impl Iterator<Item = (&str, &str)> {
    let settings = files.pnpm.under(&["overrides"]);
    settings.filter_map(|setting| match setting.key.as_slice() {
        [_, key] => Some((key.as_str(), setting.text().unwrap_or_default())),
        _ => None,
    })
}

/// Compares what pnpm's lockfile repeats of the overrides with those in `pnpm-workspace.yaml`, as pnpm does
/// before it believes the lockfile.
pub(super) fn check(checked: &mut Checked<'_>, files: &ClientFiles) {
    let lockfile = checked.lockfile;
    // Before that they were in package.json only.
    let is_old = files.client(lockfile).since(10, 5) == Some(false);
    if lockfile.format != Format::Pnpm || is_old {
        return;
    }
    for (key, to) in in_workspace(files) {
        // What stands for something else is written out in the lockfile.
        if to.is_empty() || to.starts_with(['$', '-']) || to.contains(':') {
            continue;
        }
        let said = lockfile.terms.overrides.get(key);
        if said.is_some_and(|said| said == to) {
            continue;
        }
        let said = said.map_or("has no such override".to_owned(), |it| {
            format!("says {it:?}")
        });
        let what = format!("the project sets {key} to {to:?}, and the lockfile {said}");
        checked.add(&OUT_OF_STEP, 1, None, &what);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;

    const NPM: &str = r#"{"lockfileVersion": 3, "packages": {"": {}}}"#;
    const BERRY: &str = "__metadata:\n  version: 8\n";
    const CLASSIC: &str = "# yarn lockfile v1\n\n\n";
    const PNPM: &str = "lockfileVersion: '9.0'\nimporters:\n  .: {}\n";

    /// What a project with this in its `package.json` wants.
    fn overrides(file: &str, lock: &str, said: &str) -> Overrides {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!(r#"{{"dependencies": {{"d": "^4.0.0"}}, {said}}}"#);
        std::fs::write(folder.path().join("package.json"), manifest).unwrap();
        let yaml = "overrides:\n  b: 2.0.0\n  'a>c': 3.0.0\n  'd@1': 4.0.0\n";
        std::fs::write(folder.path().join("pnpm-workspace.yaml"), yaml).unwrap();
        let tree = Tree::Folder(folder.path().to_owned());
        let lockfile = Lockfile::parse(file, lock.as_bytes()).unwrap();
        let manifests = Manifests::read(&tree, &lockfile).unwrap_or_else(|why| panic!("{why:?}"));
        Overrides::of(&manifests, &ClientFiles::read(&tree), &lockfile)
    }

    /// npm knows an alias by its alias, the others by what it stands for.
    #[test]
    fn an_alias_that_asks_is_known_as_its_client_knows_it() {
        let mut overrides = overrides("package-lock.json", NPM, r#""overrides": {}"#);
        let lock =
            r#"{"lockfileVersion": 3, "packages": {"": {}, "node_modules/al": {"name": "silt"}}}"#;
        let lock = Lockfile::parse("package-lock.json", lock.as_bytes()).unwrap();
        let silt = lock.nodes.iter().find(|it| it.name == "silt").unwrap();
        assert_eq!(overrides.asker(silt), "al");
        overrides.format = Format::Pnpm;
        assert_eq!(overrides.asker(silt), "silt");
    }

    /// As yarn 1.22 does it: what it sets for a package counts for the root that asks in the same words.
    #[test]
    fn yarn_1_sets_for_the_root_what_it_sets_for_others() {
        use Wanted::{AsAsked, Instead, Unclear};
        let folder = tempfile::tempdir().unwrap();
        let lock = "# yarn lockfile v1\n\n\na@^1.0.0:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1.0.0\"\n\n\
                    b@2.0.0, b@^1.0.0:\n  version \"2.0.0\"\n\nb@^1.1.0:\n  version \"1.1.0\"\n";
        for (key, asked, of_root, of_a) in [
            ("b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
            ("**/b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
            ("a/b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
            ("a/**/b", "^1.0.0", Instead("2.0.0"), Instead("2.0.0")),
            ("x/b", "^1.0.0", Unclear, Unclear),
            ("b", "^1.1.0", AsAsked, Instead("2.0.0")),
            ("a/b", "^1.1.0", AsAsked, Instead("2.0.0")),
        ] {
            let manifest = format!(
                r#"{{"dependencies": {{"a": "^1.0.0", "b": "{asked}"}}, "resolutions": {{"{key}": "2.0.0"}}}}"#
            );
            std::fs::write(folder.path().join("package.json"), manifest).unwrap();
            let tree = Tree::Folder(folder.path().to_owned());
            let mut lockfile = Lockfile::parse("yarn.lock", lock.as_bytes()).unwrap();
            let manifests =
                Manifests::read(&tree, &lockfile).unwrap_or_else(|why| panic!("{why:?}"));
            manifests.complete(&mut lockfile);
            let overrides = Overrides::of(&manifests, &ClientFiles::read(&tree), &lockfile);
            assert_eq!(overrides.wanted(None, "b", asked), of_root, "{key} {asked}");
            assert_eq!(
                overrides.wanted(Some("a"), "b", "^1.0.0"),
                of_a,
                "{key} {asked}"
            );
        }
    }

    #[test]
    fn what_is_wanted_is_told_where_it_is_plain() {
        use Wanted::{AsAsked, Instead, Unclear};
        let npm = r#""overrides": {"b": "2.0.0", "a": {"c": "3.0.0", "d": "$d", "e": {"f": "1"}}, "g@1": "2", "h": "*"}"#;
        let yarn = r#""resolutions": {"b": "2.0.0", "a/c": "3.0.0", "**/d": "4.0.0", "g@1": "2"}"#;
        for (file, lock, said, by, name, wanted) in [
            ("package-lock.json", NPM, npm, None, "b", Instead("2.0.0")),
            (
                "package-lock.json",
                NPM,
                npm,
                Some("x"),
                "b",
                Instead("2.0.0"),
            ),
            (
                "package-lock.json",
                NPM,
                npm,
                Some("a"),
                "c",
                Instead("3.0.0"),
            ),
            ("package-lock.json", NPM, npm, Some("x"), "c", Unclear),
            (
                "package-lock.json",
                NPM,
                npm,
                Some("a"),
                "d",
                Instead("^4.0.0"),
            ),
            ("package-lock.json", NPM, npm, Some("e"), "f", Unclear),
            ("package-lock.json", NPM, npm, None, "g", Unclear),
            ("package-lock.json", NPM, npm, None, "h", Unclear),
            ("package-lock.json", NPM, npm, None, "i", AsAsked),
            ("yarn.lock", BERRY, yarn, None, "b", Instead("2.0.0")),
            ("yarn.lock", BERRY, yarn, Some("a"), "c", Instead("3.0.0")),
            ("yarn.lock", BERRY, yarn, None, "d", Unclear),
            ("yarn.lock", CLASSIC, yarn, None, "b", AsAsked),
            ("yarn.lock", CLASSIC, yarn, Some("x"), "b", Instead("2.0.0")),
            ("yarn.lock", CLASSIC, yarn, Some("x"), "d", Instead("4.0.0")),
            (
                "pnpm-lock.yaml",
                PNPM,
                r#""name": "x""#,
                None,
                "b",
                Instead("2.0.0"),
            ),
            (
                "pnpm-lock.yaml",
                PNPM,
                r#""name": "x""#,
                Some("a"),
                "c",
                Instead("3.0.0"),
            ),
            ("pnpm-lock.yaml", PNPM, r#""name": "x""#, None, "d", Unclear),
        ] {
            let overrides = overrides(file, lock, said);
            assert_eq!(
                overrides.wanted(by, name, "^1.0.0"),
                wanted,
                "{file} {by:?} {name}"
            );
            let path = overrides.wanted(by, name, "file:x");
            assert!(!matches!(path, Instead(_)), "{file} {name}");
        }
    }
}
