//! What names a component: its package URL, or where it is.

use std::collections::HashMap;

use weir_npm::lockfile::{Lockfile, Node, NodeId, Source};

use super::ROOT;
use super::origin::Origin;

/// A node that becomes a component.
pub(super) struct Entry<'l> {
    pub(super) node: &'l Node,
    /// Its name; of a link that has none what those who lead to it call it, of a project its folder.
    pub(super) name: &'l str,
    pub(super) origin: Origin,
}

/// What becomes of each node. Nothing of a link that nobody follows: what it leads to has a node of its own.
pub(super) fn entries(lockfile: &Lockfile) -> Vec<Option<Entry<'_>>> {
    let mut called: HashMap<NodeId, &str> = HashMap::new();
    for edge in &lockfile.edges {
        if let Some(to) = edge.to {
            called.entry(to).or_insert(&edge.name);
        }
    }
    let nodes = lockfile.nodes.iter().enumerate();
    nodes
        .map(|(id, node)| Entry::of(node, called.get(&id).copied()))
        .collect()
}

impl<'l> Entry<'l> {
    fn of(node: &'l Node, called: Option<&'l str>) -> Option<Self> {
        let is_link = matches!(node.source, Source::Link(_));
        if is_link && called.is_none() {
            return None;
        }
        let name = match (called, &node.source) {
            (Some(called), _) if is_link && node.name.is_empty() => called,
            // A workspace whose manifest is not there, or says no name.
            (_, Source::Project(folder)) if node.name.is_empty() => folder,
            _ => node.name.as_str(),
        };
        Some(Self {
            node,
            name,
            origin: Origin::of(&node.source),
        })
    }

    /// What names it. One that has no package URL is told apart by where it is; where that may not be handed
    /// around, by a digest of it.
    pub(super) fn reference(&self) -> String {
        if let Some(purl) = self.purl() {
            return purl;
        }
        match (&self.node.source, &self.origin) {
            (Source::Project(folder), _) if folder.is_empty() => ROOT.to_owned(),
            (Source::Project(folder), _) => format!("project:{folder}"),
            (_, Origin::Local(path)) => {
                let asker = self.asker().map(|it| format!("&from={}", encoded(it)));
                let asker = asker.unwrap_or_default();
                format!("local:{}?path={}{asker}", self.label(), encoded(path))
            }
            (source, _) => {
                let digest = weir_provenance::digest(format!("{source:?}").as_bytes());
                let digest = digest.get(..16).unwrap_or(&digest).to_owned();
                format!("elsewhere:{}?source={digest}", self.label())
            }
        }
    }

    /// Whose path it is: yarn 2 and later have an entry for each project that asks for a folder, as the same
    /// path is another folder in each.
    fn asker(&self) -> Option<&str> {
        // yarn splits it at every comma, whatever spaces are around it.
        let first = self.node.key.split(',').next()?.trim_matches(' ');
        first.split_once("::locator=").map(|(_, asker)| asker)
    }

    /// The package URL: `pkg:npm/%40scope/name@version`, with where it comes from if that is not a registry.
    pub(super) fn purl(&self) -> Option<String> {
        let from = match (&self.node.source, &self.origin) {
            (_, Origin::Local(_) | Origin::Unknown) => return None,
            (Source::Tarball(_), Origin::Tarball(url)) => {
                format!("?download_url={}", encoded(url))
            }
            (_, Origin::Git(url, commit)) => {
                let commit = commit.as_ref().map(|commit| format!("@{commit}"));
                let commit = commit.unwrap_or_default();
                format!("?vcs_url={}", encoded(&format!("git+{url}{commit}")))
            }
            _ => String::new(),
        };
        Some(format!("pkg:npm/{}{from}", self.label()))
    }

    /// Name and version, as a package URL has them.
    fn label(&self) -> String {
        let name: Vec<String> = self.name.split('/').map(encoded).collect();
        let version = self.node.version.as_deref();
        let version = version.map(|version| format!("@{}", encoded(version)));
        format!("{}{}", name.join("/"), version.unwrap_or_default())
    }
}

/// A part of a package URL: everything but letters, digits and `-._~:/` in percent form.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
