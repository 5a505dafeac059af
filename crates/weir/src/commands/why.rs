//! `weir why`: the ways by which a package comes into a project, and what is known of each step.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use jiff::Timestamp;
use weir_engine::{Asking, Engine};
use weir_model::finding::printable;
use weir_model::json::v1::{self, WhyKnown, WhyLockfile, WhyRelease, WhySince, WhyStep};
use weir_npm::lockfile::{
    DependencyKind, Edge, Format, Lockfile, Node, NodeId, Source, folder_from,
};
use weir_npm::name::PackageName;
use weir_npm::version::{Range, Version};

use super::{check, lockless, own, wanted};
use crate::addresses::without_secrets;
use crate::cli::{Global, Why};
use crate::{exit, print, setup};

/// What is asked for.
struct Asked {
    name: String,
    range: Option<Range>,
}

impl Asked {
    fn parse(text: &str) -> Result<Self> {
        let (name, range) = wanted::split(text);
        // What a lockfile calls a package need not be a name that a registry takes; a slip should be
        // told from a package that is not there all the same.
        PackageName::parse(name).with_context(|| format!("{name:?} is not a package name"))?;
        let range = range.map(Range::parse_from_npm).transpose();
        let range = range.with_context(|| format!("{text:?} names no version or range"))?;
        if range.as_ref().is_some_and(Range::is_tag) {
            bail!("{text:?} names a tag: a lockfile holds versions, give one, or a range");
        }
        Ok(Self {
            name: name.to_owned(),
            range,
        })
    }

    /// The entries that answer: by their own name, and by the one under which somebody asks for them, as only
    /// pnpm's lockfile has it for an alias. Of the projects those that another one asks for.
    fn answers(&self, lockfile: &Lockfile) -> Vec<NodeId> {
        let wanted: HashSet<NodeId> = lockfile.edges.iter().filter_map(|edge| edge.to).collect();
        let by_edge = lockfile.edges.iter().filter(|edge| edge.name == self.name);
        let by_edge: HashSet<NodeId> = by_edge.filter_map(|edge| edge.to).collect();
        let is_named = |id: NodeId, node: &Node| {
            node.name == self.name || node.place == self.name || by_edge.contains(&id)
        };
        let is_wanted = |id: &NodeId| wanted.contains(id);
        let nodes = lockfile.nodes.iter().enumerate();
        let found = nodes.filter(|(id, node)| match &node.source {
            Source::Project(_) => is_wanted(id),
            // Of a workspace there is the link and what it leads to, which is what is asked for.
            Source::Link(folder) => {
                let project = lockfile.project(&folder_from("", folder));
                !project.as_ref().is_some_and(is_wanted)
            }
            _ => true,
        });
        let found = found.filter(|(id, node)| is_named(*id, node) && self.is_version(node));
        found.map(|(id, _)| id).collect()
    }

    /// Whether an entry has the version that is asked for. One of unknown version has it only where none is.
    fn is_version(&self, node: &Node) -> bool {
        let Some(range) = &self.range else {
            return true;
        };
        let Some(version) = node.version.as_deref() else {
            return false;
        };
        version == range.as_str().trim()
            || Version::parse(version).is_ok_and(|version| range.matches(&version))
    }
}

/// Shows the ways; fails where the project holds nothing of that name.
pub(super) async fn run(global: &Global, options: &Why) -> Result<ExitCode> {
    let asked = Asked::parse(&options.package)?;
    let files = lockless::find(&options.folder, options.lockfile.as_ref())?;
    if files.is_empty() {
        return Err(lockless::error(&options.folder));
    }
    let mut lockfiles = Vec::new();
    for file in &files {
        let mut lockfile = check::read_whole(&options.folder, file)
            .map_err(|(line, what)| anyhow!("{}:{line}: {what}", check::shown(file)))?;
        lead_to_workspaces(&mut lockfile);
        if let Ok(manifests) = check::Manifests::in_folder(&options.folder, &lockfile) {
            let named = options.lockfile.as_ref();
            for finding in check::apart(&options.folder, named, &manifests) {
                anstream::eprint!("{}", check::line(&finding));
            }
        }
        lockfiles.push((check::shown(file), lockfile));
    }
    let engine = setup::engine_of_project(global, &options.folder, None).await?;
    let mut facts = Facts {
        engine: &engine,
        ask: !options.offline,
        known: BTreeMap::new(),
        since: BTreeMap::new(),
    };
    let mut report = v1::Why {
        schema: v1::WHY,
        asked: printable(&options.package, 300),
        lockfiles: Vec::new(),
    };
    for (file, lockfile) in &lockfiles {
        report.lockfiles.push(WhyLockfile {
            file: file.clone(),
            client: lockfile.format.client(),
            found: facts.found(lockfile, &asked, options.limit).await?,
        });
    }
    let now = engine.now();
    engine.close().await;
    let nothing = report.lockfiles.iter().all(|it| it.found.is_empty());
    if options.json {
        let text = serde_json::to_string(&report).context("writing JSON")?;
        crate::out::println!("{text}");
    } else {
        crate::out::print!("{}", print::why::text(&report, now));
    }
    if nothing {
        let names: Vec<&str> = report.lockfiles.iter().map(|it| it.file.as_str()).collect();
        bail!("{} is not in {}", report.asked, names.join(", "));
    }
    Ok(ExitCode::from(exit::FINE))
}

/// Leads requests of yarn 1's workspaces for each other to them: its lockfile holds neither.
fn lead_to_workspaces(lockfile: &mut Lockfile) {
    if lockfile.format != Format::YarnClassic {
        return;
    }
    let projects = lockfile.projects().filter_map(|(id, _)| {
        let name = lockfile.node(id)?.name.clone();
        (!name.is_empty()).then_some((name, id))
    });
    let projects: HashMap<String, NodeId> = projects.collect();
    for edge in &mut lockfile.edges {
        if edge.to.is_none() {
            edge.to = projects.get(&edge.name).copied();
        }
    }
}

/// What is known of releases, each asked for once.
struct Facts<'e> {
    engine: &'e Arc<Engine>,
    ask: bool,
    known: BTreeMap<(String, String), WhyKnown>,
    since: BTreeMap<(String, String, String), Option<WhySince>>,
}

impl Facts<'_> {
    async fn found(
        &mut self,
        lockfile: &Lockfile,
        asked: &Asked,
        limit: usize,
    ) -> Result<Vec<WhyRelease>> {
        let mut found = Vec::new();
        for id in asked.answers(lockfile) {
            let Some(node) = lockfile.node(id) else {
                continue;
            };
            let mut release = self.release(lockfile, (id, node), limit).await?;
            // A folder beside the project that pnpm links: its lockfile names none.
            if release.name.is_empty() {
                release.name = printable(&asked.name, 220);
            }
            found.push(release);
        }
        Ok(found)
    }

    async fn release(
        &mut self,
        lockfile: &Lockfile,
        (id, node): (NodeId, &Node),
        limit: usize,
    ) -> Result<WhyRelease> {
        let ways = lockfile.ways_to(id, limit);
        let mut paths = Vec::new();
        for way in &ways.ways {
            let mut steps = Vec::new();
            let first = way.first().and_then(|edge| lockfile.node(edge.from));
            steps.extend(first.map(project));
            for edge in way {
                steps.push(self.step(lockfile, edge).await?);
            }
            paths.push(steps);
        }
        Ok(WhyRelease {
            name: printable(&node.name, 220),
            version: node
                .version
                .as_deref()
                .map(|it| printable(&without_secrets(it), 100)),
            paths,
            more: ways.more,
        })
    }

    async fn step(&mut self, lockfile: &Lockfile, edge: &Edge) -> Result<WhyStep> {
        let node = edge.to.and_then(|to| lockfile.node(to));
        let from = lockfile.node(edge.from);
        let name = node.map_or("", |node| node.name.as_str());
        let name = if name.is_empty() { &edge.name } else { name };
        let release = match node.and_then(of_registry) {
            Some((name, version)) => Some(self.known(&name, version).await?),
            None => None,
        };
        let since = match from.and_then(of_registry) {
            Some((parent, version)) => self.depends_since(&parent, version, &edge.name).await,
            None => None,
        };
        Ok(WhyStep {
            name: printable(name, 220),
            version: node
                .and_then(|node| node.version.as_deref())
                .map(|it| printable(&without_secrets(it), 100)),
            spec: Some(printable(&without_secrets(&edge.spec), 200)),
            list: Some(list_of(edge.kind)),
            folder: None,
            release,
            since,
        })
    }

    /// Whether the default registry would be told a name that is yours.
    fn is_withheld(&self, name: &PackageName) -> bool {
        own::is_withheld(self.engine.policy(), self.engine.upstreams(), name)
    }

    /// Who is asked about a package. What is kept of a name that is yours says nothing of your package either.
    fn asking(&self, name: &PackageName) -> Asking {
        match (self.is_withheld(name), self.ask) {
            (true, _) => Asking::Nobody,
            (false, true) => Asking::Registry,
            (false, false) => Asking::Kept,
        }
    }

    async fn known(&mut self, name: &PackageName, version: &str) -> Result<WhyKnown> {
        let key = (name.to_string(), version.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let asking = self.asking(name);
        let mut standing = self.engine.standing(name, version, asking).await?;
        if self.ask && asking == Asking::Nobody {
            standing.unknown = Some(own::WITHHELD.to_owned());
        }
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let known = WhyKnown {
            published: text(standing.published),
            package_since: text(standing.package_since),
            first_seen: text(standing.first_seen),
            decision: standing.decision,
            unknown: standing.unknown.map(|why| printable(&why, 300)),
        };
        self.known.insert(key, known.clone());
        Ok(known)
    }

    async fn depends_since(
        &mut self,
        name: &PackageName,
        version: &str,
        dependency: &str,
    ) -> Option<WhySince> {
        let key = (name.to_string(), version.to_owned(), dependency.to_owned());
        if let Some(since) = self.since.get(&key) {
            return since.clone();
        }
        let asking = self.asking(name);
        let since = self.engine.depends_since(name, version, dependency, asking);
        let since = since.await;
        let since = since.map(|since| WhySince {
            version: since.version,
            published: since.published.map(|time| time.to_string()),
            after: since.after,
            patch: since.patch,
        });
        self.since.insert(key, since.clone());
        since
    }
}

/// The project a way begins at. pnpm's lockfile does not name workspaces: then its folder tells which one it is.
fn project(node: &Node) -> WhyStep {
    let folder = match &node.source {
        Source::Project(folder) => folder.as_str(),
        _ => "",
    };
    let name = match (node.name.as_str(), folder) {
        ("", "") => "this project",
        ("", folder) => folder,
        (name, _) => name,
    };
    WhyStep {
        name: printable(name, 220),
        version: node
            .version
            .as_deref()
            .map(|it| printable(&without_secrets(it), 100)),
        spec: None,
        list: None,
        folder: Some(printable(folder, 300)),
        release: None,
        since: None,
    }
}

/// Name and version of what comes from a registry.
fn of_registry(node: &Node) -> Option<(PackageName, &str)> {
    if !matches!(node.source, Source::Registry(_)) {
        return None;
    }
    Some((
        PackageName::parse(&node.name).ok()?,
        node.version.as_deref()?,
    ))
}

const fn list_of(kind: DependencyKind) -> &'static str {
    match kind {
        DependencyKind::Normal => "dependencies",
        DependencyKind::Dev => "devDependencies",
        DependencyKind::Optional => "optionalDependencies",
        DependencyKind::Peer => "peerDependencies",
        DependencyKind::Client => "what the client is set up with",
    }
}
