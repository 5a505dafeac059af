//! The digests that registries gave for releases, as far as verifying them has left them in the data folder.

use std::collections::{BTreeMap, HashMap};

use weir_npm::integrity::Integrity;
use weir_npm::name::PackageName;
use weir_store::Store;
use weir_upstream::Upstreams;

use super::Record;
use crate::EngineError;

/// What the registries of packages said of their releases' digests when they were last verified, by name and
/// version. A release that is not in the answer is not known.
///
/// # Errors
/// When the data folder cannot be read.
pub async fn kept_digests<'n>(
    store: &Store,
    upstreams: &Upstreams,
    names: impl Iterator<Item = &'n PackageName>,
) -> Result<HashMap<(String, String), Integrity>, EngineError> {
    let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let upstream = upstreams.upstream_for(name).id();
        of.entry(upstream).or_default().push(name.as_str());
    }
    let mut digests = HashMap::new();
    for (upstream, mut names) in of {
        names.sort_unstable();
        names.dedup();
        for (release, json) in store.trust(upstream, &names).await? {
            let record: Option<Record> = serde_json::from_str(&json).ok();
            let integrity = record.and_then(|record| record.facts.integrity);
            if let Some(integrity) = integrity.and_then(|text| Integrity::parse(&text).ok()) {
                digests.insert(release, integrity);
            }
        }
    }
    Ok(digests)
}
