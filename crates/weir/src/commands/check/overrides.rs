//! Packages whose versions the project sets for everybody, whatever is asked for: `overrides` (npm, pnpm, bun)
//! and `resolutions` (yarn). Where it is plain what they mean, the lockfile has to obey them; where that
//! depends on more than a name and who asks, nothing is said of versions.

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

/// Who asks for a package.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker<'n> {
    /// The project, or a workspace, of this name; empty where it has none.
    Project(&'n str),
    /// A package, by the name that [`Overrides::asker`] gives.
    Package(&'n str),
}

/// One of them.
#[derive(Debug)]
struct Rule {
    /// The package for whose own requests it is, where it is not for all.
    below: Option<String>,
    /// Whether it counts for all of these. Else that depends on more, or it is not known.
    is_sure: bool,
    /// What is wanted; none where that is no version, range or tag, or depends on what is asked for.
    spec: Option<String>,
    /// What is written, which may be anything; none where that is not known.
    text: Option<String>,
}

/// Whether a rule counts for who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Sure,
    Maybe,
    Not,
}

/// All of a project's.
#[derive(Debug)]
pub(super) struct Overrides {
    format: Format,
    /// By the package whose version they set.
    rules: BTreeMap<String, Vec<Rule>>,
    /// What the project and its workspaces are called.
    own: BTreeSet<String>,
    /// yarn 1 asks for everything on behalf of one project then, and sets it.
    has_workspaces: bool,
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
            rules: BTreeMap::new(),
            own: own_names(manifests, lockfile),
            has_workspaces: manifests.has_workspaces(),
            askers: HashMap::new(),
            direct: BTreeSet::new(),
        };
        if lockfile.format == Format::YarnClassic {
            read.direct = direct(lockfile);
        }
        let root = manifests.root();
        match lockfile.format {
            Format::Npm => read.npm(root),
            Format::YarnClassic | Format::YarnBerry => {
                read.list(root, root.get("resolutions"), true);
            }
            Format::Bun => {
                let (overrides, resolutions) = (root.get("overrides"), root.get("resolutions"));
                read.bun(root, overrides.or(resolutions), &lockfile.terms.overrides);
                // bun reads one of them.
                read.list(root, resolutions.filter(|_| overrides.is_some()), false);
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
                    read.add(root, key, Some(to), true);
                }
            }
        }
        if lockfile.format == Format::YarnClassic {
            read.askers = read.find_askers(manifests, lockfile);
        }
        read
    }

    /// Whether what the project sets for a package, for anybody, may be something else than a release of it.
    pub(super) fn lead_elsewhere(&self, name: &str) -> bool {
        let is_plain = |text: &str| {
            matches!(
                classify(name, text),
                DependencySpec::Range(_) | DependencySpec::Tag(_)
            )
        };
        self.texts(name).any(|text| !text.is_some_and(is_plain))
    }

    /// What is written for a package, for whomever it counts; none where that is not known.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        let rules = self.rules.get(name).into_iter().flatten();
        rules.map(|rule| rule.text.as_deref())
    }

    /// Whether the project may want a package to be left out, as only pnpm can.
    pub(super) fn removes(&self, name: &str) -> bool {
        self.format == Format::Pnpm && self.texts(name).flatten().any(|text| text.trim() == "-")
    }

    /// The name by which these lists know a package that asks for others. npm goes by what that one itself is
    /// asked for as, the others by its own name.
    pub(super) fn asker<'n>(&self, node: &'n Node) -> &'n str {
        match self.format {
            Format::Npm => &node.place,
            _ => &node.name,
        }
    }

    /// What is wanted where somebody asks for a package.
    pub(super) fn wanted(&self, by: Asker<'_>, name: &str, spec: &str) -> Wanted<'_> {
        let Some(rules) = self.rules.get(name) else {
            return Wanted::AsAsked;
        };
        let plain = matches!(
            classify(name, spec),
            DependencySpec::Range(_) | DependencySpec::Tag(_) | DependencySpec::Catalog(_)
        );
        // yarn 1 sets what packages ask for; a project gets that only where one asks in the same words.
        let is_apart = self.format == Format::YarnClassic && !self.has_workspaces;
        let askers = (matches!(by, Asker::Project(_)) && is_apart)
            .then(|| self.askers.get(&(name.to_owned(), spec.to_owned())));
        if askers == Some(None) {
            return Wanted::AsAsked;
        }
        let mut counting = None;
        for rule in rules {
            match self.reach(rule, by, askers.flatten()) {
                Reach::Not => {}
                Reach::Sure if counting.is_none() => counting = Some(rule),
                Reach::Sure | Reach::Maybe => return Wanted::Unclear,
            }
        }
        match counting.map(|rule| &rule.spec) {
            None => Wanted::AsAsked,
            Some(Some(spec)) if plain => Wanted::Instead(spec),
            Some(_) => Wanted::Unclear,
        }
    }

    /// Whether a rule counts where `by`, or with it those who ask yarn 1 in the same words, asks.
    fn reach(&self, rule: &Rule, by: Asker<'_>, askers: Option<&BTreeSet<String>>) -> Reach {
        let counts = if rule.is_sure {
            Reach::Sure
        } else {
            Reach::Maybe
        };
        let Some(below) = rule.below.as_deref() else {
            return counts;
        };
        match (by, self.format) {
            _ if askers.is_some_and(|it| it.contains(below)) => counts,
            (Asker::Package(name), _) if name == below => counts,
            // These take a project for the package of its name.
            (Asker::Project(name), Format::Pnpm | Format::YarnBerry) if name == below => counts,
            (Asker::Project(_), Format::Pnpm | Format::YarnBerry) => Reach::Not,
            (_, Format::YarnClassic) => Reach::Maybe,
            (Asker::Project(_), _) if self.own.contains(below) => Reach::Maybe,
            // npm's count for everything further below as well.
            (Asker::Package(_), Format::Npm) => Reach::Maybe,
            _ => Reach::Not,
        }
    }

    /// Reads a list of texts by keys.
    fn list(&mut self, root: &Value, list: Option<&Value>, is_read: bool) {
        for (key, value) in list.and_then(Value::as_object).into_iter().flatten() {
            self.add(root, key, value.as_str(), is_read);
        }
    }

    fn add(&mut self, root: &Value, key: &str, to: Option<&str>, is_read: bool) {
        let name = last_name(key);
        let (below, is_plain) = below(self.format, key, name);
        // yarn 1 goes by the way to a package, and it is known only of those that there is one way to.
        let is_far =
            |below: &String| self.format == Format::YarnClassic && !self.direct.contains(below);
        if below.as_ref().is_some_and(is_far) {
            self.push(root, None, false, name, to);
        } else {
            self.push(root, below, is_plain && is_read, name, to);
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
            if self.rules.contains_key(name) {
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
            let Value::Object(inner) = value else {
                self.push(root, None, is_plain, name, value.as_str());
                continue;
            };
            for (key, value) in inner {
                match value {
                    _ if key == "." => self.push(root, None, is_plain, name, value.as_str()),
                    Value::String(to) if is_plain && last_name(key) == key => {
                        self.push(root, Some(name.to_owned()), true, key, Some(to));
                    }
                    _ => self.all_unclear(root, name, key, value),
                }
            }
        }
    }

    /// bun's list, where 1.4 and later read what is for the requests of one package, by its own name. Older ones
    /// leave that out, and then it is not in the lockfile either.
    fn bun(&mut self, root: &Value, list: Option<&Value>, known: &BTreeMap<String, String>) {
        for (key, value) in list.and_then(Value::as_object).into_iter().flatten() {
            let Value::Object(inner) = value else {
                self.add(root, key, value.as_str(), true);
                continue;
            };
            let above = last_name(key);
            for (name, value) in inner {
                let is_plain = above == key && last_name(name) == name;
                match value {
                    _ if name == "." => {
                        let is_sure = above == key && known.contains_key(key);
                        self.push(root, None, is_sure, above, value.as_str());
                    }
                    Value::String(to)
                        if is_plain && known.contains_key(&format!("{key}>{name}")) =>
                    {
                        self.push(root, Some(key.clone()), true, name, Some(to));
                    }
                    _ => self.all_unclear(root, above, name, value),
                }
            }
        }
    }

    /// Everything named in a list inside the list of `above`: it is for some of what lies below that.
    fn all_unclear(&mut self, root: &Value, above: &str, key: &str, value: &Value) {
        let mut open = vec![(key, value)];
        while let Some((name, value)) = open.pop() {
            let Value::Object(inner) = value else {
                let below = Some(above.to_owned());
                self.push(root, below, false, last_name(name), value.as_str());
                continue;
            };
            open.extend(inner.iter().map(|(key, value)| {
                let key = if key == "." { name } else { key.as_str() };
                (key, value)
            }));
        }
    }

    fn push(
        &mut self,
        root: &Value,
        below: Option<String>,
        is_sure: bool,
        name: &str,
        to: Option<&str>,
    ) {
        let text = to.and_then(|to| match to.strip_prefix('$') {
            Some(other) => asked_by(root, other),
            None => Some(to),
        });
        // A star is no wish at all for npm, and a dash takes a package away for pnpm.
        let spec = text.filter(|text| !matches!(text.trim(), "" | "*" | "-"));
        let spec = spec.filter(|spec| classify(name, spec).is_registry());
        let rule = Rule {
            below,
            is_sure,
            spec: spec.map(str::to_owned),
            text: text.map(str::to_owned),
        };
        self.rules.entry(name.to_owned()).or_default().push(rule);
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

/// For whose requests a key is: those of one package or all, and whether it is for each of these.
fn below(format: Format, key: &str, name: &str) -> (Option<String>, bool) {
    // A range may follow the name.
    let ranged = || key.get(..key.rfind(&format!("{name}@"))?);
    let (before, is_plain) = match key.strip_suffix(name) {
        Some(before) => (before, true),
        None => (ranged().unwrap_or(key), false),
    };
    let parent = match format {
        _ if before.is_empty() => return (None, is_plain),
        Format::YarnClassic if before == "**/" => return (None, is_plain),
        // What lies further below, and may be meant as well, is left alone.
        Format::YarnClassic => before
            .strip_suffix('/')
            .map(|parent| parent.strip_suffix("/**").unwrap_or(parent)),
        Format::YarnBerry => before.strip_suffix('/'),
        Format::Pnpm => before.strip_suffix('>'),
        Format::Npm | Format::Bun => None,
    };
    let Some(parent) = parent.filter(|parent| !parent.contains('*')) else {
        return (None, false);
    };
    let own = last_name(parent);
    if own == parent {
        return (Some(own.to_owned()), is_plain);
    }
    // For some of its versions.
    let is_ranged = parent
        .strip_prefix(own)
        .is_some_and(|rest| rest.starts_with('@'));
    let is_told = is_ranged && matches!(format, Format::YarnBerry | Format::Pnpm);
    (is_told.then(|| own.to_owned()), false)
}

/// What the project and its workspaces are called, those without a name by their folders.
fn own_names(manifests: &Manifests, lockfile: &Lockfile) -> BTreeSet<String> {
    let projects = manifests.all().chain(manifests.found());
    let said = projects.flat_map(|(folder, manifest)| {
        let folder = folder.rsplit('/').next().unwrap_or(folder);
        [folder, manifest.name.as_deref().unwrap_or_default()]
    });
    let locked = lockfile.projects();
    let locked = locked.filter_map(|(id, _)| Some(lockfile.node(id)?.name.as_str()));
    let names = said.chain(locked).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
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
mod tests;
