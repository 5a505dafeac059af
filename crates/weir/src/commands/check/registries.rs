//! Where tarballs may come from: the registries in npm's configuration, under the addresses they give
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use weir_npm::lockfile::{Lockfile, Node, Source};
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_policy::Policy;
use weir_upstream::{Conditional, PackumentResponse, Upstream, Upstreams};

use super::super::own::is_withheld;
use crate::cli::{Check, Global};
use crate::setup;

/// Addresses that tarballs may start with, and how far they are known.
#[derive(Debug, Default)]
pub(super) struct Registries {
    /// With a final slash each.
    pub(super) allowed: BTreeSet<String>,
    /// Where nothing better was to be had: the address most entries have, which is allowed too.
    pub(super) assumed: Option<String>,
    /// Why the registries themselves were not asked or did not answer.
    pub(super) unasked: Option<String>,
    /// Whether the default registry was not asked because that would have told it a name that is yours.
    pub(super) withheld: bool,
}

impl Registries {
    /// The registries of a project. Asks one only if the lockfile has addresses it does not explain:
    /// lockfiles record the address a registry gives itself, which may be another than it is known by.
    /// A name that is yours is not asked about at the default one.
    ///
    /// # Errors
    /// When the policy, which says which names are yours, has mistakes.
    pub(super) async fn learn(
        global: &Global,
        options: &Check,
        lockfile: &Lockfile,
    ) -> Result<Self> {
        let mut found = Self::default();
        let recorded = recorded(lockfile);
        if recorded.is_empty() {
            return Ok(found);
        }
        let folder =
            std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
        let policy = setup::policy_of(global, &folder)?;
        match setup::upstreams_of(global, &policy, &folder) {
            Ok(upstreams) => found.ask(options, &policy, &upstreams, &recorded).await,
            Err(error) => found.unasked = Some(format!("{error:#}")),
        }
        // What could be somebody else's is not taken for the registry.
        if found.unasked.is_some() && !found.withheld {
            found.assumed = most(&recorded);
            found.allowed.extend(found.assumed.clone());
        }
        Ok(found)
    }

    async fn ask(
        &mut self,
        options: &Check,
        policy: &Policy,
        upstreams: &Upstreams,
        recorded: &[(&str, &str)],
    ) {
        let all = upstreams.scopes().map(|(_, upstream)| upstream);
        let all = all.chain([upstreams.default_upstream()]);
        self.allowed
            .extend(all.map(|upstream| upstream.id().to_owned()));
        // One package of each registry is enough to learn how it calls itself.
        let mut asked: BTreeSet<&str> = BTreeSet::new();
        let mut withheld = false;
        for (name, prefix) in recorded {
            let Ok(name) = PackageName::parse(name) else {
                continue;
            };
            let upstream = upstreams.upstream_for(&name);
            if self.allowed.contains(*prefix) || asked.contains(upstream.id()) {
                continue;
            }
            if is_withheld(policy, upstreams, &name) {
                withheld = true;
                continue;
            }
            asked.insert(upstream.id());
            if options.offline {
                self.unasked = Some("--offline".to_owned());
                return;
            }
            match public(upstream, &name).await {
                Ok(hosts) => self.allowed.extend(hosts),
                Err(why) => self.unasked = Some(why),
            }
        }
        // It would have had to be told a name that is yours, and there was no other to ask it by.
        self.withheld = withheld && !asked.contains(upstreams.default_upstream().id());
        if self.withheld && self.unasked.is_none() {
            let why = "all that it could be asked about has names that are yours";
            self.unasked = Some(why.to_owned());
        }
    }
}

async fn public(upstream: &Upstream, name: &PackageName) -> Result<Vec<String>, String> {
    match upstream.packument(name, &Conditional::default()).await {
        Ok(PackumentResponse::Fresh { raw, .. }) => Packument::parse(name, raw)
            .map(|packument| packument.public_hosts())
            .map_err(|error| error.to_string()),
        Ok(PackumentResponse::NotModified) => Err("no answer".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The names of what comes from registries, each with what stands before the name in its address.
fn recorded(lockfile: &Lockfile) -> Vec<(&str, &str)> {
    lockfile.nodes.iter().filter_map(with_prefix).collect()
}

fn with_prefix(node: &Node) -> Option<(&str, &str)> {
    let Source::Registry(Some(url)) = &node.source else {
        return None;
    };
    Some((&node.name, super::addresses::prefix(&node.name, url)?))
}

/// The address more than half of the entries have.
fn most(recorded: &[(&str, &str)]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, prefix) in recorded {
        *counts.entry(prefix).or_default() += 1;
    }
    let (prefix, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > recorded.len()).then(|| prefix.to_owned())
}
