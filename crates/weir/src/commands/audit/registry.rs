//! Which versions there are, and what they depend on: from the registry, or as it last said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;
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
                Some(Ok(Some((name, known)))) => {
                    self.known.insert(name, known);
                }
                Some(_) => {}
            }
        }
    }

    /// A package, if its packument is at hand.
    pub(super) fn package(&self, name: &str) -> Option<&Known> {
        self.known.get(name)
    }
}

impl Known {
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
) -> Option<(String, Known)> {
    let upstream = upstreams.upstream_for(&name);
    let kept = store
        .packument(name.as_str(), upstream.id())
        .await
        .ok()
        .flatten();
    let mut raw = kept.as_ref().map(|kept| kept.raw.clone());
    if !offline {
        let known = Conditional {
            etag: kept.as_ref().and_then(|kept| kept.etag.clone()),
            last_modified: kept.as_ref().and_then(|kept| kept.last_modified.clone()),
        };
        match upstream.packument(&name, &known).await {
            Ok(PackumentResponse::Fresh { raw: fresh, .. }) => raw = Some(fresh),
            Ok(PackumentResponse::NotModified) => {}
            Err(error) => {
                tracing::warn!(package.name = %name, %error, "which versions there are is not known for sure");
            }
        }
    }
    let packument = Packument::parse(&name, raw?).ok()?;
    let usable = packument
        .versions()
        .iter()
        .filter(|entry| entry.problem().is_none());
    let mut versions: Vec<Version> = usable
        .filter_map(|entry| Version::parse(&entry.version).ok())
        .collect();
    versions.sort();
    let name = name.as_str().to_owned();
    Some((
        name,
        Known {
            packument,
            versions,
        },
    ))
}
