//! The YAML of yarn 2 and later: entries keyed by all the requests they answer, each with a resolution.

mod patches;

use std::collections::{HashMap, HashSet};

use super::Format;
use super::error::{LockfileError, Problem};
use super::graph::{DependencyKind, Edge, Lockfile, Node, NodeId, Source, split_name};
use super::tree::{Member, Value};
use crate::name::percent_decode;
use crate::spec::{DependencySpec, classify};

/// What yarn writes as the version of every project and of every link, whatever it is.
const NO_VERSION: &str = "0.0.0-use.local";

/// Reads a document.
pub(super) fn read(document: &Value<'_>) -> Result<Lockfile, LockfileError> {
    let members = document.map("")?;
    let metadata = document
        .get("__metadata")
        .ok_or_else(|| Problem::Missing("__metadata").at(1, None))?;
    let version = metadata
        .text("version")?
        .ok_or_else(|| Problem::Missing("version").at(metadata.line, Some("__metadata")))?;
    if !version.bytes().all(|byte| byte.is_ascii_digit()) {
        let problem = Problem::UnknownVersion(version.to_owned());
        return Err(problem.at(metadata.line, Some("__metadata")));
    }
    let mut lockfile = Lockfile::new(Format::YarnBerry, version);
    let entries = || members.iter().filter(|member| member.key != "__metadata");
    for member in entries() {
        entry(&mut lockfile, member)?;
    }
    let answers = Answers::of(&lockfile);
    // A patch names what it changes by resolution, not by request.
    for (id, member) in entries().enumerate() {
        if let Some(resolution) = member.value.text("resolution")? {
            lockfile.requests.entry(resolution.to_owned()).or_insert(id);
        }
    }
    let mut edges = Vec::new();
    for (from, member) in entries().enumerate() {
        dependencies(&lockfile, &answers, from, &member.value, &mut edges)?;
        if let Some(Source::Patch(base)) = lockfile.node(from).map(|node| &node.source)
            && let Some((name, spec)) = split_name(base)
        {
            edges.push(Edge {
                from,
                name: name.to_owned(),
                spec: spec.to_owned(),
                kind: DependencyKind::Normal,
                optional: false,
                to: lockfile.answering(name, spec),
                line: member.line,
            });
        }
    }
    lockfile.edges = edges;
    Ok(lockfile)
}

fn entry(lockfile: &mut Lockfile, member: &Member<'_>) -> Result<(), LockfileError> {
    let (key, entry) = (member.key.as_ref(), &member.value);
    entry.map(key)?;
    let missing = |what| Problem::Missing(what).at(member.line, Some(key));
    let resolution = entry
        .text("resolution")?
        .ok_or_else(|| missing("resolution"))?;
    if let Some(text) = requests(key)
        .chain([resolution])
        .find(|it| !is_plainly_bound(it))
    {
        let problem = Problem::Wrong("bound as yarn does it, each name once and not encoded");
        return Err(problem.at(member.line, Some(text)));
    }
    let (name, reference) = split_name(resolution)
        .ok_or_else(|| Problem::Wrong("a resolution").at(member.line, Some(resolution)))?;
    let source = source(reference);
    let mut node = Node::new(key, member.line, name, source);
    let first = requests(key).next().and_then(split_name);
    first
        .map_or(name, |(place, _)| place)
        .clone_into(&mut node.place);
    let said = entry.text("version")?;
    let fetched = fetched(reference);
    node.other_version = said
        .filter(|said| fetched.as_deref().is_some_and(|it| bare(it) != bare(said)))
        .map(str::to_owned);
    let said = said.filter(|it| *it != NO_VERSION);
    node.version = fetched.or_else(|| said.map(str::to_owned));
    node.checksum = entry.text("checksum")?.map(str::to_owned);
    node.flags.platform = entry.get("conditions").is_some();
    node.flags.patched = matches!(node.source, Source::Patch(_));
    node.other_patch = requests(key)
        .find(|request| {
            split_name(request).is_some_and(|(_, asked)| patches::is_another(asked, reference))
        })
        .map(str::to_owned);
    if let Some(patch) = patches::patch(node.label(), member.line, reference) {
        lockfile.terms.patch(patch);
    }
    let id = lockfile.push(node);
    for request in requests(key) {
        if lockfile.requests.insert(request.to_owned(), id).is_some() {
            return Err(Problem::DuplicateKey.at(member.line, Some(request)));
        }
    }
    Ok(())
}

/// The requests in a key. yarn splits it at every comma, whatever spaces are around it.
fn requests(key: &str) -> impl Iterator<Item = &str> {
    key.split(',').map(|request| request.trim_matches(' '))
}

/// Whether what is bound to a request or to a resolution, and to what a patch changes, is spelled as yarn spells
/// it. yarn decodes the names as well: `__archive%55rl` is an address to it, and would be none to weir.
fn is_plainly_bound(text: &str) -> bool {
    /// Most patches of patches.
    const MOST: usize = 8;
    let mut text = text.to_owned();
    for _ in 0..MOST {
        let (plain, bound) = text.split_once("::").unwrap_or((text.as_str(), ""));
        if !are_plain_names(bound) {
            return false;
        }
        let patch = split_name(plain).and_then(|(_, reference)| reference.strip_prefix("patch:"));
        let base = patch.map(|patch| decoded(patch.split('#').next().unwrap_or(patch)));
        match base {
            Some(base) => text = base,
            None => return true,
        }
    }
    false
}

/// Whether each name in what is bound is there once, and as it is.
fn are_plain_names(bound: &str) -> bool {
    let mut seen = HashSet::new();
    let mut names = bound.split('&').filter_map(|pair| pair.split('=').next());
    names.all(|name| !name.contains('%') && seen.insert(name))
}

/// What comes after the name in a resolution: a protocol, and behind `::` what was bound to it.
fn source(reference: &str) -> Source {
    let (plain, bound) = reference.split_once("::").unwrap_or((reference, ""));
    if plain.starts_with("npm:") {
        let archive = bound
            .split('&')
            .find_map(|pair| pair.strip_prefix("__archiveUrl="));
        return Source::Registry(archive.map(decoded));
    }
    if let Some(folder) = plain.strip_prefix("workspace:") {
        let folder = if folder == "." { "" } else { folder };
        return Source::Project(folder.to_owned());
    }
    if let Some(patch) = plain.strip_prefix("patch:") {
        let base = patch.split('#').next().unwrap_or(patch);
        return Source::Patch(decoded(base));
    }
    Source::of_address(plain).unwrap_or_else(|| Source::Other(reference.to_owned()))
}

/// The version yarn asks the registry for, which `version` beside it only repeats: that of the resolution, and
/// for a patch that of the release it changes.
fn fetched(reference: &str) -> Option<String> {
    let (plain, _) = reference.split_once("::").unwrap_or((reference, ""));
    if let Some(version) = plain.strip_prefix("npm:") {
        return Some(version.to_owned());
    }
    let base = decoded(plain.strip_prefix("patch:")?.split('#').next()?);
    let (_, reference) = split_name(&base)?;
    let (plain, _) = reference.split_once("::").unwrap_or((reference, ""));
    plain.strip_prefix("npm:").map(str::to_owned)
}

/// The name of what is fetched for a request or a resolution: behind an alias that of what it stands for.
fn fetched_name(text: &str) -> Option<String> {
    let (name, reference) = split_name(text)?;
    // A range behind `npm:` could be a name as well; an alias has both.
    let names_another = reference
        .strip_prefix("npm:")
        .is_some_and(|it| split_name(it).is_some());
    match classify(name, reference) {
        DependencySpec::Alias { name, .. } if names_another => Some(name.to_string()),
        _ => Some(name.to_owned()),
    }
}

/// A version without what registries leave out of it: yarn repeats it as the package's own manifest has it.
pub(super) fn bare(version: &str) -> &str {
    let plain = version.split('+').next().unwrap_or(version);
    plain.trim().trim_start_matches(['=', 'v'])
}

fn decoded(text: &str) -> String {
    percent_decode(text).unwrap_or_else(|| text.to_owned())
}

/// Which entry answers a request, where the keys do not have it to the letter.
struct Answers {
    patched: HashMap<String, NodeId>,
    bound: HashMap<(String, String), NodeId>,
    single: HashMap<String, Option<NodeId>>,
}

impl Answers {
    fn of(lockfile: &Lockfile) -> Self {
        Self {
            patched: patched(lockfile),
            bound: bound(lockfile),
            single: single(lockfile),
        }
    }

    /// The entry that answers what the package of a resolution asks for.
    fn find(
        &self,
        lockfile: &Lockfile,
        (name, spec): (&str, &str),
        asker: &str,
        optional: bool,
    ) -> Option<NodeId> {
        let own = (format!("{name}@{spec}"), asker.to_owned());
        let single = || self.single.get(name).copied().flatten();
        self.bound
            .get(&own)
            .or_else(|| self.patched.get(&own.0))
            .or_else(|| self.patched.get(&format!("{name}@npm:{spec}")))
            .copied()
            .or_else(|| lockfile.answering(name, spec))
            .or_else(|| if optional { None } else { single() })
    }
}

impl Lockfile {
    /// Finds the entries for what projects ask for through catalogs, which yarn lists by what these stand for:
    /// `meant` gives that for a package and a request.
    pub fn answer_catalogs<'m>(&mut self, meant: impl Fn(&str, &str) -> Option<&'m str>) {
        if self.format != Format::YarnBerry {
            return;
        }
        let answers = Answers::of(self);
        let mut found = Vec::new();
        for (number, edge) in self.edges.iter().enumerate() {
            let Some(node) = self.node(edge.from) else {
                continue;
            };
            let Source::Project(folder) = &node.source else {
                continue;
            };
            if let Some(spec) = meant(&edge.name, &edge.spec) {
                let folder = if folder.is_empty() {
                    "."
                } else {
                    folder.as_str()
                };
                let asker = format!("{}@workspace:{folder}", node.name);
                let request = (edge.name.as_str(), spec);
                found.push((number, answers.find(self, request, &asker, edge.optional)));
            }
        }
        for (number, to) in found {
            if let Some(edge) = self.edges.get_mut(number) {
                edge.to = to;
            }
        }
    }
}

/// Requests answered by a patched package: `name@patch:name@npm%3Arange#…` under `name@npm:range`. With
/// several patches the first one in the file, so that every run says the same.
fn patched(lockfile: &Lockfile) -> HashMap<String, NodeId> {
    let of = |(request, id): (&String, &NodeId)| {
        let (_, reference) = split_name(request)?;
        let base = reference.strip_prefix("patch:")?.split('#').next()?;
        Some((decoded(base), *id))
    };
    let mut patched: HashMap<String, NodeId> = HashMap::new();
    for (base, id) in lockfile.requests.iter().filter_map(of) {
        let first = patched.entry(base).or_insert(id);
        *first = id.min(*first);
    }
    patched
}

/// Requests for a path, which mean another folder for everybody who asks: the key has the resolution of who
/// does, encoded, behind `::locator=`. Here they are under the request itself and that resolution.
fn bound(lockfile: &Lockfile) -> HashMap<(String, String), NodeId> {
    let of = |(request, id): (&String, &NodeId)| {
        let (plain, bound) = request.split_once("::")?;
        let asker = bound
            .split('&')
            .find_map(|pair| pair.strip_prefix("locator="))?;
        Some(((plain.to_owned(), decoded(asker)), *id))
    };
    lockfile.requests.iter().filter_map(of).collect()
}

/// Names with one entry only. The project's `resolutions` change what is asked for, and the file does not
/// repeat them: a request that nothing answers is then answered by the one entry of its name. Whether that
/// one is in the range is for whoever checks it.
fn single(lockfile: &Lockfile) -> HashMap<String, Option<NodeId>> {
    let mut single: HashMap<String, Option<NodeId>> = HashMap::new();
    for (id, node) in lockfile.nodes.iter().enumerate() {
        let first = single.entry(node.place.clone());
        first.and_modify(|it| *it = None).or_insert(Some(id));
    }
    single
}

fn dependencies(
    lockfile: &Lockfile,
    answers: &Answers,
    from: NodeId,
    entry: &Value<'_>,
    edges: &mut Vec<Edge>,
) -> Result<(), LockfileError> {
    let may_be_missing = entry.optional_in("dependenciesMeta")?;
    let resolution = entry.text("resolution")?.unwrap_or_default();
    for dependency in entry.members("dependencies")? {
        let name = dependency.key.as_ref();
        let spec = dependency.value.as_text(name)?;
        let optional = may_be_missing.contains(name);
        edges.push(Edge {
            from,
            name: name.to_owned(),
            spec: spec.to_owned(),
            kind: if optional {
                DependencyKind::Optional
            } else {
                DependencyKind::Normal
            },
            optional,
            to: answers.find(lockfile, (name, spec), resolution, optional),
            line: dependency.line,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    /// What yarn 4 writes for two workspaces that ask for the same paths, and for a package of a path that
    /// asks for one itself.
    const PATHS: &str = r#"__metadata:
  version: 8

"inner@file:../inner::locator=loc%40file%3A..%2Fvendor%2Floc%23..%2Fvendor%2Floc%3A%3Ahash%3D5c91fe%26locator%3Dw%2540workspace%253Aw":
  version: 0.0.1
  resolution: "inner@file:../inner#../inner::hash=c9&locator=loc%40file%3A..%2Fvendor%2Floc%23..%2Fvendor%2Floc%3A%3Ahash%3D5c91fe%26locator%3Dw%2540workspace%253Aw"

"inner@file:../inner::locator=prt%40portal%3Avendor%2Fprt%3A%3Alocator%3Droot%2540workspace%253A.":
  version: 0.0.1
  resolution: "inner@file:../inner#../inner::hash=c9&locator=prt%40portal%3Avendor%2Fprt%3A%3Alocator%3Droot%2540workspace%253A."

"lnk@link:vendor/lnk::locator=root%40workspace%3A.":
  version: 0.0.0-use.local
  resolution: "lnk@link:vendor/lnk::locator=root%40workspace%3A."

"lnk@link:vendor/lnk::locator=w%40workspace%3Aw":
  version: 0.0.0-use.local
  resolution: "lnk@link:vendor/lnk::locator=w%40workspace%3Aw"

"loc@file:../vendor/loc::locator=w%40workspace%3Aw":
  version: 0.0.1
  resolution: "loc@file:../vendor/loc#../vendor/loc::hash=5c91fe&locator=w%40workspace%3Aw"
  dependencies:
    inner: "file:../inner"

"loc@file:vendor/loc::locator=root%40workspace%3A.":
  version: 0.0.1
  resolution: "loc@file:vendor/loc#vendor/loc::hash=5c91fe&locator=root%40workspace%3A."

"ms@npm:2.1.3":
  version: 2.1.3
  resolution: "ms@npm:2.1.3"

"ms@patch:ms@npm%3A2.1.3#./ms.patch::locator=root%40workspace%3A.":
  version: 2.1.3
  resolution: "ms@patch:ms@npm%3A2.1.3#./ms.patch::version=2.1.3&hash=1c&locator=root%40workspace%3A."

"ms@patch:ms@npm%3A2.1.3#./ms.patch::locator=w%40workspace%3Aw":
  version: 2.1.3
  resolution: "ms@patch:ms@npm%3A2.1.3#./ms.patch::version=2.1.3&hash=21&locator=w%40workspace%3Aw"

"prt@portal:../vendor/prt::locator=w%40workspace%3Aw":
  version: 0.0.0-use.local
  resolution: "prt@portal:../vendor/prt::locator=w%40workspace%3Aw"

"prt@portal:vendor/prt::locator=root%40workspace%3A.":
  version: 0.0.0-use.local
  resolution: "prt@portal:vendor/prt::locator=root%40workspace%3A."
  dependencies:
    inner: "file:../inner"

"root@workspace:.":
  version: 0.0.0-use.local
  resolution: "root@workspace:."
  dependencies:
    lnk: "link:vendor/lnk"
    loc: "file:vendor/loc"
    ms: "patch:ms@npm%3A2.1.3#./ms.patch"
    prt: "portal:vendor/prt"

"w@workspace:w":
  version: 0.0.0-use.local
  resolution: "w@workspace:w"
  dependencies:
    lnk: "link:vendor/lnk"
    loc: "file:../vendor/loc"
    ms: "patch:ms@npm%3A2.1.3#./ms.patch"
    prt: "portal:../vendor/prt"
"#;

    #[test]
    fn the_version_is_that_of_the_resolution() {
        for (resolution, said, version, other) in [
            ("ms@npm:2.1.3", "2.1.3", "2.1.3", None),
            ("ms@npm:2.0.0", "2.1.3", "2.0.0", Some("2.1.3")),
            (
                "ms@npm:2.0.0::__archiveUrl=x",
                "2.1.3",
                "2.0.0",
                Some("2.1.3"),
            ),
            ("ms@npm:2.0.0", "v2.0.0+build", "2.0.0", None),
            ("ms@workspace:ms", "0.0.0-use.local", "", None),
            ("ms@link:./ms", "0.0.0-use.local", "", None),
            (
                "ms@patch:ms@npm%3A2.0.0#./p::version=2.0.0",
                "2.0.0",
                "2.0.0",
                None,
            ),
            (
                "ms@patch:ms@npm%3A2.0.0#./p::version=2.1.3",
                "2.1.3",
                "2.0.0",
                Some("2.1.3"),
            ),
        ] {
            let text = format!(
                "__metadata:\n  version: 8\n\n\"ms@npm:^2.0.0\":\n  version: {said}\n  resolution: \"{resolution}\"\n"
            );
            let lockfile = read(&yaml::parse(&text).unwrap()).unwrap();
            let node = lockfile.node(0).unwrap();
            let found = node.version.as_deref().unwrap_or_default();
            assert_eq!(found, version, "{resolution} {said}");
            assert_eq!(node.other_version.as_deref(), other, "{resolution} {said}");
        }
    }

    /// A catalog stands for a range, under which yarn lists the entry.
    #[test]
    fn what_a_catalog_stands_for_is_what_is_answered() {
        const TEXT: &str = r#"__metadata:
  version: 10

"a@npm:2.0.0":
  version: 2.0.0
  resolution: "a@npm:2.0.0"

"a@npm:^3.0.0":
  version: 3.0.1
  resolution: "a@npm:3.0.1"

"b@npm:a@^3.0.0":
  version: 3.0.1
  resolution: "a@npm:3.0.1"

"c@npm:^1.0.0":
  version: 1.0.0
  resolution: "c@npm:1.0.0"

"c@patch:c@npm%3A^1.0.0#optional!builtin<compat/c>":
  version: 1.0.0
  resolution: "c@patch:c@npm%3A1.0.0#optional!builtin<compat/c>::version=1.0.0&hash=df"

"d@file:./d::locator=r%40workspace%3A.":
  version: 1.0.0
  resolution: "d@file:./d#./d::hash=1c&locator=r%40workspace%3A."

"r@workspace:.":
  version: 0.0.0-use.local
  resolution: "r@workspace:."
  dependencies:
    a: "catalog:old"
    b: "catalog:"
    c: "catalog:"
    d: "catalog:"
    e: "catalog:"
"#;
        let mut lockfile = read(&yaml::parse(TEXT).unwrap()).unwrap();
        lockfile.answer_catalogs(|name, spec| match (name, spec) {
            ("a", "catalog:old") => Some("2.0.0"),
            ("b", "catalog:") => Some("npm:a@^3.0.0"),
            ("c", "catalog:") => Some("^1.0.0"),
            ("d", "catalog:") => Some("file:./d"),
            _ => None,
        });
        let root = lockfile.project("").unwrap();
        let got = |edge: &Edge| edge.to.map(|to| lockfile.node(to).unwrap().key.as_str());
        let got: Vec<_> = lockfile.edges_of(root).map(got).collect();
        assert_eq!(
            got,
            [
                Some("a@npm:2.0.0"),
                Some("b@npm:a@^3.0.0"),
                Some("c@patch:c@npm%3A^1.0.0#optional!builtin<compat/c>"),
                Some("d@file:./d::locator=r%40workspace%3A."),
                None,
            ]
        );
    }

    #[test]
    fn a_path_is_answered_by_the_entry_of_who_asks_for_it() {
        let lockfile = read(&yaml::parse(PATHS).unwrap()).unwrap();
        let answer = |asker: &str, name: &str| {
            let from = lockfile
                .nodes
                .iter()
                .position(|it| it.key.starts_with(asker));
            let mut edges = lockfile.edges_of(from.unwrap());
            let edge = edges.find(|edge| edge.name == name).unwrap();
            edge.to
                .map_or("", |to| lockfile.node(to).unwrap().key.as_str())
        };
        for (asker, place) in [("root@", "locator=root%40"), ("w@", "locator=w%40")] {
            for name in ["lnk", "loc", "ms", "prt"] {
                let key = answer(asker, name);
                assert!(
                    key.starts_with(name) && key.contains(place),
                    "{asker}: {key}"
                );
            }
        }
        for (asker, place) in [
            ("loc@file:../vendor/loc", "locator=loc%40"),
            ("prt@portal:vendor/prt", "locator=prt%40"),
        ] {
            let key = answer(asker, "inner");
            assert!(key.contains(place), "{asker}: {key}");
        }
    }
}
