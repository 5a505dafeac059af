//! Which versions there are, and what they depend on: from the registry, or as it last said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;
use weir_model::finding::printable;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_npm::version::{Range, Version};
use weir_store::Store;
use weir_upstream::{Conditional, PackumentResponse, Upstreams};

use crate::cli::{Audit, Global};
use crate::setup;

/// Questions under way at a time: as many as npm asks side by side.
const PARALLEL: usize = 15;

/// What is known of packages.
pub(super) struct Registry {
    store: Store,
    upstreams: Option<Arc<Upstreams>>,
    offline: bool,
    known: BTreeMap<String, Known>,
    /// Packages about which it did not answer, and why.
    failed: BTreeMap<String, String>,
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
    pub(super) fn of(global: &Global, options: &Audit, store: &Store) -> Self {
        let folder =
            std::path::absolute(&options.folder).unwrap_or_else(|_| options.folder.clone());
        let upstreams = setup::upstreams_of(global, &weir_policy::Policy::default(), &folder);
        Self {
            store: store.clone(),
            // Without a registry nothing is known of versions, and that is what is said then.
            upstreams: upstreams.ok().map(Arc::new),
            offline: options.offline,
            known: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Looks packages up. What cannot be had stays unknown.
    pub(super) async fn learn(&mut self, names: BTreeSet<String>) {
        let Some(upstreams) = &self.upstreams else {
            return;
        };
        let mut waiting = names.into_iter();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < PARALLEL
                && let Some(name) = waiting.next()
            {
                let Ok(name) = PackageName::parse(&name) else {
                    continue;
                };
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
        if let Some((name, why)) = self.failed.first_key_value() {
            anstream::eprintln!(
                "weir: {} packages could not be asked about, {} first: {}; which versions there are is told \
                 as it was last seen here, or not known",
                self.failed.len(),
                printable(name, 220),
                printable(why, 300)
            );
        }
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

    /// What clients may take of a range: the newest it admits, or `latest` where it admits that.
    pub(super) fn taken(&self, range: &Range) -> Vec<Version> {
        let mut taken = Vec::new();
        let newest = self.versions.iter().rev().find(|it| range.matches(it));
        taken.extend(newest.cloned());
        let latest = self.packument.tag("latest");
        let latest = latest.and_then(|tag| Version::parse(tag).ok());
        taken.extend(latest.filter(|it| range.matches(it) && self.versions.contains(it)));
        taken
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
