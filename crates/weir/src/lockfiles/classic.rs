//! The `yarn.lock` of yarn 1. It says of each release where its tarball is, and yarn fetches it from there, whatever
//! registry it is pointed at. So the addresses are pointed at the gateway for as long as a run lasts: the gateway
//! asks the registry that is configured for the name, and yarn still insists on the digest that is locked.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use weir_npm::integrity::Integrity;
use weir_npm::lockfile::{Format, Lockfile, Node, NodeId, Source};

use crate::files;

/// What has the addresses of releases: the lockfile, and what yarn wrote down of it to see whether anything changed.
const FILES: &[&str] = &["yarn.lock", "node_modules/.yarn-integrity"];

/// The addresses in a `yarn.lock`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// What a gateway has as well: each address, and the path (`name/-/file.tgz`) that it has there.
    placed: HashMap<String, String>,
    /// Entries whose addresses stay as they are, and lead past any gateway.
    pub past: usize,
}

/// Addresses as they were before a run, by their path at the gateway.
pub(crate) type Recorded = HashMap<String, String>;

impl Addresses {
    /// Of a lockfile's text. What cannot be read as yarn writes it is taken to lead past.
    pub(crate) fn of(text: &str) -> Self {
        let Some(lockfile) = read(text) else {
            let past = text.matches("://").count();
            // An address may be spelled otherwise.
            let past = past.max(usize::from(text.contains(['\\', '"'])));
            return Self {
                past,
                ..Self::default()
            };
        };
        let by_address = lockfile
            .requests()
            .filter(|(_, spec, _)| spec.contains("://"));
        let by_address: HashSet<NodeId> = by_address.map(|(_, _, id)| id).collect();
        let mut found = Self::default();
        for (id, node) in lockfile.nodes.iter().enumerate() {
            match place(node).filter(|_| !by_address.contains(&id)) {
                Some((address, path)) => {
                    found.placed.insert(address, path);
                }
                None => found.past += usize::from(leads_elsewhere(&node.source)),
            }
        }
        found.leave_out_shared_paths();
        found.leave_out_what_stays(text);
        found
    }

    /// How many entries have an address of a server.
    pub(crate) fn all(&self) -> usize {
        self.placed.len() + self.past
    }

    /// A text of yarn's with these addresses pointed at a gateway.
    fn pointed(&self, text: &str, gateway: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let moved = line.rfind("\"http").and_then(|at| {
                let (before, quoted) = line.split_at_checked(at + 1)?;
                let end = quoted.find(['"', '#'])?;
                let (address, after) = quoted.split_at_checked(end)?;
                let path = self.placed.get(address)?;
                Some(format!("{before}{gateway}{path}{after}"))
            });
            out.push_str(moved.as_deref().unwrap_or(line));
        }
        out
    }

    /// Two addresses with one path at the gateway could not be put back.
    fn leave_out_shared_paths(&mut self) {
        let mut times: HashMap<String, usize> = HashMap::new();
        for path in self.placed.values() {
            *times.entry(path.clone()).or_default() += 1;
        }
        self.keep(|_, path| times.get(path) == Some(&1));
    }

    /// What would be where it was after all: it is spelled as yarn reads it, and not as yarn writes it.
    fn leave_out_what_stays(&mut self, text: &str) {
        const SOMEWHERE: &str = "http://127.0.0.1/";
        let pointed = read(&self.pointed(text, SOMEWHERE));
        let nodes = pointed.iter().flat_map(|lockfile| &lockfile.nodes);
        let stays: HashSet<&String> = nodes
            .filter_map(|node| match &node.source {
                Source::Registry(address) => address.as_ref(),
                _ => None,
            })
            .collect();
        self.keep(|address, _| pointed.is_some() && !stays.contains(address));
    }

    fn keep(&mut self, is_kept: impl Fn(&String, &String) -> bool) {
        let before = self.placed.len();
        self.placed.retain(|address, path| is_kept(address, path));
        self.past += before - self.placed.len();
    }
}

fn read(text: &str) -> Option<Lockfile> {
    Lockfile::parse_as(Format::YarnClassic, "yarn.lock", text.as_bytes()).ok()
}

/// The address of an entry, and the path that it has at a gateway: for a release of a registry, under the name and
/// the version that are locked, whose bytes are settled by a digest. Without one, another registry's release of the
/// same name would do.
fn place(node: &Node) -> Option<(String, String)> {
    let Source::Registry(Some(address)) = &node.source else {
        return None;
    };
    Integrity::parse(node.integrity.as_deref()?).ok()?;
    let base = node.name.rsplit('/').next()?;
    let file = format!("{base}-{}.tgz", node.version.as_deref()?);
    let before = address.strip_suffix(&file)?.strip_suffix("/-/")?;
    let encoded = node.name.replacen('/', "%2f", 1);
    let is_named = [node.name.as_str(), &encoded, &encoded.replace("%2f", "%2F")]
        .into_iter()
        .any(|name| {
            before
                .strip_suffix(name)
                .is_some_and(|it| it.ends_with('/'))
        });
    is_named.then(|| (address.clone(), format!("{}/-/{file}", node.name)))
}

/// Whether what has no place at a gateway comes from a server. Repositories are git's, unless git is not said.
fn leads_elsewhere(source: &Source) -> bool {
    match source {
        Source::Registry(address) => address.is_some(),
        Source::Git { url, .. } => url
            .get(..4)
            .is_some_and(|it| it.eq_ignore_ascii_case("http")),
        Source::File(path) | Source::Link(path) => path.contains("//"),
        Source::Project(_) => false,
        _ => true,
    }
}

/// Points a project's files at a gateway, and returns the addresses that were there.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn point(project: &Path, gateway: &str) -> Result<Recorded> {
    let text_of = |file: &str| {
        let bytes = files::read(&project.join(file), usize::MAX).ok()??;
        String::from_utf8(bytes).ok()
    };
    let Some(lockfile) = text_of("yarn.lock") else {
        return Ok(Recorded::default());
    };
    let addresses = Addresses::of(&lockfile);
    for file in FILES {
        let Some(text) = text_of(file) else {
            continue;
        };
        let pointed = addresses.pointed(&text, gateway);
        if pointed != text {
            super::replace(&project.join(file), &pointed)
                .with_context(|| format!("pointing {file} at the gateway of this run"))?;
        }
    }
    let turned = addresses.placed.into_iter();
    Ok(turned.map(|(address, path)| (path, address)).collect())
}

/// Puts the addresses back that were there before a run, wherever its gateway's are now. Those of a gateway that was
/// ended before it could do so are left: where their releases are public is asked for later.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn put_back(project: &Path, gateway: &str, recorded: &Recorded) -> Result<()> {
    let known = recorded
        .iter()
        .filter(|(path, address)| !is_at_a_gateway(address, path));
    let known: Recorded = known.map(|(path, it)| (path.clone(), it.clone())).collect();
    if known.is_empty() {
        return Ok(());
    }
    for (file, text) in super::mentioning(project, gateway) {
        // What cannot be read is told of when the rest is put right.
        let Ok(text) = text else { continue };
        let restored = super::restore(&text, gateway, &HashMap::new(), &known);
        if restored != text {
            super::replace(&file, &restored)?;
        }
    }
    Ok(())
}

/// Whether an address is as the gateway of a run has it.
fn is_at_a_gateway(address: &str, path: &str) -> bool {
    let port = address
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.strip_suffix(path)?.strip_suffix('/'));
    port.is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests;
