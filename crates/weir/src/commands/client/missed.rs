//! What came into a project past weir: what a client fetches by an address of its own, and what it had already, in a
//! cache, a store or a mirror. No request tells of either; what the client writes down of the installed tree does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use weir_engine::{Engine, EngineError, Verdict};
use weir_gateway::Summary;
use weir_model::Action;
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Format, Lockfile, MAX_SIZE, Node, Source};
use weir_npm::name::PackageName;
use weir_npm::version::Version;
use weir_upstream::Url;

use super::hosts::listed;
use crate::clients::Client;
use crate::counted::counted;
use crate::files;

/// Where a client writes down what it installed.
struct Record {
    /// Written by every install that brings something, and by nothing else.
    mark: &'static str,
    /// What is in the tree, or locked for it.
    list: &'static str,
    /// The format of that; by its name and contents where nothing is said.
    format: Option<Format>,
}

const NPM: Record = Record {
    mark: "node_modules/.package-lock.json",
    list: "node_modules/.package-lock.json",
    format: None,
};
const PNPM: Record = Record {
    mark: "node_modules/.modules.yaml",
    list: "node_modules/.pnpm/lock.yaml",
    format: Some(Format::Pnpm),
};
const YARN: Record = Record {
    mark: "node_modules/.yarn-integrity",
    list: "yarn.lock",
    format: None,
};
const BERRY: Record = Record {
    mark: ".yarn/install-state.gz",
    list: "yarn.lock",
    format: None,
};
/// bun has no file of its own for it: its folder changes when something comes at the top of it.
const BUN: Record = Record {
    mark: "node_modules",
    list: "bun.lock",
    format: None,
};

const fn records(client: Client) -> &'static [Record] {
    match client {
        Client::Npm | Client::Npx => &[NPM],
        Client::Pnpm => &[PNPM],
        Client::Yarn => &[YARN, BERRY],
        Client::Bun => &[BUN],
    }
}

/// The records of a client as they were before it ran.
pub(super) struct Before {
    client: Client,
    project: PathBuf,
    marks: Vec<Option<SystemTime>>,
}

impl Before {
    pub(super) fn of(client: Client, project: &Path) -> Self {
        Self {
            client,
            project: project.to_owned(),
            marks: marks(client, project),
        }
    }

    /// What is in the tree that this run of the client wrote down, past weir.
    pub(super) async fn missed(&self, engine: &Engine, summary: &Summary) -> Missed {
        let mut missed = Missed::default();
        let now = marks(self.client, &self.project);
        let records = records(self.client).iter();
        let mut written = records.zip(self.marks.iter().zip(now));
        let is_new = |(before, now): &(&Option<SystemTime>, Option<SystemTime>)| {
            now.is_some() && *before != now
        };
        let Some((record, _)) = written.find(|(_, marks)| is_new(marks)) else {
            return missed;
        };
        let read = match self.installed(record) {
            Ok(nodes) => missed.sort(engine, summary, &nodes).await,
            Err(why) => Err(why),
        };
        missed.unread = read.err().map(|why| format!("{}: {why}", record.list));
        missed
    }

    fn installed(&self, record: &Record) -> Result<Vec<Node>, String> {
        let Some(text) = files::read(&self.project.join(record.list), MAX_SIZE)? else {
            return Ok(Vec::new());
        };
        let format = record.format.or_else(|| Format::of(record.list, &text));
        let format = format.ok_or("its format is not known")?;
        let lockfile = Lockfile::parse_installed(format, record.list, &text);
        let lockfile = lockfile.map_err(|error| error.to_string())?;
        let mut nodes = lockfile.nodes;
        nodes.retain(|node| self.is_there(format, node));
        Ok(nodes)
    }

    /// Whether an entry is surely installed. What other platforms need may be in any record, and yarn 1 and bun do
    /// not say what that is; where the record tells the folder, that has to be there.
    fn is_there(&self, format: Format, node: &Node) -> bool {
        let folder = || self.project.join("node_modules").join(&node.place);
        let may_be_left_out = node.flags.optional || node.flags.platform;
        match format {
            Format::Npm => !may_be_left_out || self.project.join(&node.key).exists(),
            Format::Pnpm | Format::YarnBerry => !may_be_left_out,
            Format::YarnClassic | Format::Bun => !may_be_left_out && folder().exists(),
        }
    }
}

fn marks(client: Client, project: &Path) -> Vec<Option<SystemTime>> {
    let changed = |record: &Record| {
        let found = std::fs::metadata(project.join(record.mark));
        found.and_then(|found| found.modified()).ok()
    };
    records(client).iter().map(changed).collect()
}

/// What came past weir.
#[derive(Debug, Default)]
pub(super) struct Missed {
    /// What came by git or by an address, and from where.
    by_address: BTreeMap<String, String>,
    /// Releases of a registry that were never looked at.
    unseen: Vec<String>,
    /// Releases that were looked at, of which it cannot be told what would be decided now.
    undecided: Vec<String>,
    /// Releases of a registry that are refused, with the id of the refusal.
    refused: Vec<(String, Action, String)>,
    /// Why it is not known.
    unread: Option<String>,
}

impl Missed {
    async fn sort(
        &mut self,
        engine: &Engine,
        summary: &Summary,
        nodes: &[Node],
    ) -> Result<(), String> {
        for node in nodes {
            let version = node.version.clone().unwrap_or_default();
            let is_told = summary.seen.contains_key(&(node.name.clone(), version));
            match &node.source {
                Source::Git { url, .. } => self.came_by_address(node, url, "git"),
                // Some registries have addresses that look like anybody's.
                Source::Tarball(url) if !is_told => self.came_by_address(node, url, "an address"),
                _ if is_told || !node.is_served() => {}
                _ => {
                    let standing = standing(engine, node).await;
                    self.came_from_before(node, standing.map_err(|error| error.to_string())?);
                }
            }
        }
        Ok(())
    }

    fn came_by_address(&mut self, node: &Node, url: &str, kind: &str) {
        let url = Url::parse(url).ok();
        let host = url.as_ref().and_then(Url::host_str);
        let from = host.filter(|host| !host.is_empty()).unwrap_or(kind);
        self.by_address.insert(node.place.clone(), from.to_owned());
    }

    fn came_from_before(&mut self, node: &Node, standing: Standing) {
        match standing {
            Standing::LookedAt => {}
            Standing::Unseen => self.unseen.push(node.label()),
            Standing::NotDecided => self.undecided.push(node.label()),
            Standing::Refused(verdict) => {
                let action = verdict.decision.action;
                let id = verdict.block_id().0;
                self.refused.push((node.label(), action, id));
            }
        }
    }

    /// Says it, but for what was said before the client ran. `observes` where nothing is refused; `weir` is how weir is
    /// called to look at what was kept.
    pub(super) fn tell(
        &self,
        client: Client,
        said: &BTreeMap<String, String>,
        observes: bool,
        weir: &str,
    ) {
        let client = client.program();
        let new = self.by_address.iter();
        let by_address: Vec<String> = new
            .filter(|(name, _)| !said.contains_key(*name))
            .map(|(name, from)| format!("{name} (from {from})"))
            .collect();
        if !by_address.is_empty() {
            anstream::eprintln!(
                "weir: NOT CHECKED: {}: {client} fetches what comes by git or by an address itself, past weir",
                listed(&by_address)
            );
        }
        for (releases, which) in [
            (&self.unseen, "and that weir has never looked at"),
            (
                &self.undecided,
                "and that weir looked at under another policy, other advisories or another version of itself",
            ),
        ] {
            if releases.is_empty() {
                continue;
            }
            anstream::eprintln!(
                "weir: NOT CHECKED: {} that {client} had already, {which}: {}. Without its cache and what is \
                 installed, {client} asks weir for {}",
                counted(releases.len(), "release", "releases"),
                listed(releases),
                if releases.len() == 1 { "it" } else { "them" }
            );
        }
        for (label, action, id) in &self.refused {
            let what = match action {
                Action::Block => "blocked",
                Action::Allow | Action::Notice | Action::Hold => "held",
            };
            let how = match observes {
                true => "would be",
                false => "INSTALLED, AND",
            };
            anstream::eprintln!(
                "weir: {how} {what}: {}, which {client} had already; {weir} explain {id}",
                listed(std::slice::from_ref(label))
            );
        }
        if let Some(why) = &self.unread {
            anstream::eprintln!(
                "weir: NOT CHECKED: whether something came past weir, {}",
                listed(std::slice::from_ref(why))
            );
        }
    }

    /// The strictest decision on what is installed all the same.
    pub(super) fn worst(&self) -> Option<Action> {
        self.refused.iter().map(|(_, action, _)| *action).max()
    }
}

/// What weir knows of a release that nobody asked it for.
enum Standing {
    /// It was looked at, and would be let pass now.
    LookedAt,
    /// It was looked at, and what would be decided now cannot be told.
    NotDecided,
    Unseen,
    Refused(Box<Verdict>),
}

async fn standing(engine: &Engine, node: &Node) -> Result<Standing, EngineError> {
    let name = PackageName::parse(&node.name).ok();
    let version = node.version.as_deref();
    let version = version.filter(|version| Version::parse(version).is_ok());
    let Some((name, version)) = name.zip(version) else {
        return Ok(Standing::Unseen);
    };
    let integrity = node.integrity.as_deref();
    let locked = integrity.map(Integrity::parse).and_then(Result::ok);
    let is_locked = |known: &str| locked.as_ref().is_none_or(|locked| agree(locked, known));
    // What let it pass once may be another policy, or be from before the advisory.
    let refused = match engine.decide_again(&name, version, &is_locked).await? {
        Some(verdict) if verdict.decision.action.serves() => return Ok(Standing::LookedAt),
        Some(verdict) => Some(verdict),
        None => engine.refused_by_name(&name, version, integrity),
    };
    if let Some(verdict) = refused {
        // There has to be something to read behind the id.
        engine.keep_refusal(&verdict).await?;
        return Ok(Standing::Refused(Box::new(verdict)));
    }
    let known = engine.store().known_bytes(name.as_str(), version).await?;
    let mut known = known.iter();
    Ok(match known.any(|bytes| is_locked(&bytes.integrity)) {
        true => Standing::NotDecided,
        false => Standing::Unseen,
    })
}

/// Whether a locked digest can be one of the bytes that are known. Where the two are of different kinds it can.
fn agree(locked: &Integrity, known: &str) -> bool {
    let Ok(known) = Integrity::parse(known) else {
        return false;
    };
    let (algorithm, digest) = known.strongest();
    let is_comparable = locked.digests().any(|(other, _)| other == algorithm);
    !is_comparable || locked.holds(algorithm, digest)
}
