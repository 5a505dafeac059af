//! Which versions there are, and what they depend on: from the registry, or as it last said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;
use weir_model::finding::printable;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_npm::version::Version;
use weir_policy::Policy;
use weir_store::Store;
use weir_upstream::{Conditional, PackumentResponse, Upstreams};

use super::super::own::is_withheld;
use super::fix::Asked;
use crate::cli::{Audit, Global};
use crate::counted::counted;
use crate::setup;

/// Questions under way at a time: as many as npm asks side by side.
const PARALLEL: usize = 15;

/// What is known of packages.
pub(super) struct Registry {
    store: Store,
    upstreams: Option<Arc<Upstreams>>,
    policy: Policy,
    offline: bool,
    known: BTreeMap<String, Known>,
    /// Packages about which it did not answer, and why.
    failed: BTreeMap<String, String>,
    /// How many names the default registry was not told.
    withheld: usize,
}

/// What came of looking a package up.
struct LookedUp {
    name: String,
    known: Option<Known>,
    failed: Option<String>,
}

/// A package.
pub(super) struct Known {
    packument: Packument,
    /// Its versions, lowest first.
    pub(super) versions: Vec<Version>,
}

impl Registry {
    pub(super) fn of(global: &Global, options: &Audit, policy: Policy, store: &Store) -> Self {
        let folder =
            std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
        let upstreams = setup::upstreams_of_project(global, &policy, &folder, None);
        if let Err(error) = upstreams.as_ref()
            && !options.offline
        {
            anstream::eprintln!(
                "weir: no registry can be asked: {}",
                printable(&format!("{error:#}"), 600)
            );
        }
        Self {
            store: store.clone(),
            // Without a registry nothing is known of versions, and that is what is said then.
            upstreams: upstreams.ok().map(Arc::new),
            policy,
            offline: options.offline,
            known: BTreeMap::new(),
            failed: BTreeMap::new(),
            withheld: 0,
        }
    }

    /// Looks packages up. What cannot be had stays unknown.
    pub(super) async fn learn(&mut self, names: BTreeSet<String>) {
        let Some(upstreams) = &self.upstreams else {
            return;
        };
        let names = names
            .iter()
            .filter_map(|name| PackageName::parse(name).ok());
        // What the default registry has under a name of yours may be anybody's: it is not told such names,
        // and what is kept of it says nothing of your packages.
        let (own, asked): (Vec<_>, Vec<_>) =
            names.partition(|name| is_withheld(&self.policy, upstreams, name));
        self.withheld += own.len();
        let mut waiting = asked.into_iter();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < PARALLEL
                && let Some(name) = waiting.next()
            {
                let (store, upstreams) = (self.store.clone(), Arc::clone(upstreams));
                let offline = self.offline;
                under_way.spawn(async move { look_up(&store, &upstreams, offline, name).await });
            }
            match under_way.join_next().await {
                None => return,
                Some(Ok(found)) => {
                    let name = || found.name.clone();
                    self.failed.extend(found.failed.map(|why| (name(), why)));
                    self.known.extend(found.known.map(|known| (name(), known)));
                }
                Some(Err(_)) => {}
            }
        }
    }

    /// Says on standard error what could not be learned: fixes are named from what is known.
    pub(super) fn complain(&self) {
        if self.withheld > 0 {
            anstream::eprintln!(
                "weir: the default registry was not asked about {} (names.own, names.internal): which versions there \
                 are is not known",
                counted(
                    self.withheld,
                    "package whose name is yours",
                    "packages whose names are yours"
                )
            );
        }
        if let Some((name, why)) = self.failed.first_key_value() {
            anstream::eprintln!(
                "weir: {} could not be asked about, {} first: {}; which versions there are is told \
                 as it was last seen here, or not known",
                counted(self.failed.len(), "package", "packages"),
                printable(name, 220),
                printable(why, 300)
            );
        }
    }

    /// How many names the default registry was not told.
    pub(super) const fn withheld(&self) -> usize {
        self.withheld
    }

    /// A package, if its packument is at hand.
    pub(super) fn package(&self, name: &str) -> Option<&Known> {
        self.known.get(name)
    }
}

impl Known {
    fn of(packument: Packument) -> Self {
        let usable = packument
            .versions()
            .iter()
            .filter(|entry| entry.problem().is_none());
        let mut versions: Vec<Version> = usable
            .filter_map(|entry| Version::parse(&entry.version).ok())
            .collect();
        versions.sort();
        Self {
            packument,
            versions,
        }
    }

    /// What clients may take for a dependency: of a range the newest it admits, or `latest` where it admits
    /// that; of a tag the version it leads to.
    pub(super) fn taken(&self, asked: &Asked) -> Vec<Version> {
        let led_to = |tag: &str| {
            let version = Version::parse(self.packument.tag(tag)?).ok();
            version.filter(|it| self.versions.contains(it))
        };
        match asked {
            Asked::Tag(tag) => led_to(tag).into_iter().collect(),
            Asked::Range(range) => {
                let newest = self.versions.iter().rev().find(|it| range.matches(it));
                let latest = led_to("latest").filter(|it| range.matches(it));
                newest.cloned().into_iter().chain(latest).collect()
            }
        }
    }

    /// What a version asks of a dependency: `Some(None)` where it does not depend on it at all, and
    /// `None` where that cannot be told.
    pub(super) fn asks(&self, version: &str, dependency: &str) -> Option<Option<String>> {
        let manifest = self.packument.manifest(version)?.ok()?.manifest;
        let lists = [
            &manifest.dependencies,
            &manifest.optional_dependencies,
            &manifest.peer_dependencies,
        ];
        Some(lists.iter().find_map(|list| list.get(dependency).cloned()))
    }
}

async fn look_up(
    store: &Store,
    upstreams: &Upstreams,
    offline: bool,
    name: PackageName,
) -> LookedUp {
    let upstream = upstreams.upstream_for(&name);
    let kept = store
        .packument(name.as_str(), upstream.id())
        .await
        .ok()
        .flatten();
    let mut raw = kept.as_ref().map(|kept| kept.raw.clone());
    let mut failed = None;
    if !offline {
        let known = Conditional {
            etag: kept.as_ref().and_then(|kept| kept.etag.clone()),
            last_modified: kept.as_ref().and_then(|kept| kept.last_modified.clone()),
        };
        match upstream.packument(&name, &known).await {
            Ok(PackumentResponse::Fresh { raw: fresh, .. }) => raw = Some(fresh),
            Ok(PackumentResponse::NotModified) => {}
            Err(error) => failed = Some(error.to_string()),
        }
    }
    let known = raw.and_then(|raw| match Packument::parse(&name, raw) {
        Ok(packument) => Some(Known::of(packument)),
        Err(error) => {
            failed = Some(error.to_string());
            None
        }
    });
    LookedUp {
        name: name.as_str().to_owned(),
        known,
        failed,
    }
}
