//! What a package had long before another one was refused for it: then it is the other one that copied.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_model::contents::Contents;
use weir_npm::name::PackageName;
use weir_npm::packument::Packument;
use weir_signals::KnownBad;
use weir_store::{BadContent, KeptSketch, StoreError};

use crate::engine::Engine;
use crate::packuments::Held;

use super::{content, share_of};

/// How much earlier. The packages of one campaign come out within days of one another, and are looked at in any order:
/// that one of them was a little earlier excuses nothing.
const LONG_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Releases that are looked for among the refused ones before none counts as honest.
const LOOKED_AT: usize = 10;

/// Share of code from which the earlier release is told to be a copy of the other one as well.
const COPY: f64 = 0.7;

impl Engine {
    /// Content of this release that is known to be malicious, as far as nothing is known of its past.
    pub(crate) async fn known_bad(&self, contents: &Contents) -> Vec<KnownBad> {
        content::found_in(contents, self.bad_in(contents).await)
    }

    /// Content of a release that is known to be malicious. What its package had long before it was learned elsewhere is
    /// left out, and an earlier release is read for that if need be.
    pub(super) async fn known_bad_of(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        contents: &Contents,
    ) -> Vec<KnownBad> {
        let found = self.bad_in(contents).await;
        let moments = found.iter().filter_map(|bad| self.learned_at(bad));
        let moments: BTreeSet<Timestamp> = moments.collect();
        for moment in moments {
            // Kept from then on. What cannot be read excuses nothing.
            if let Some(earlier) = self.honest_before(held, moment).await
                && earlier != version
                && let Err(why) = Box::pin(self.contents_of_version(held, &earlier)).await
            {
                tracing::info!(package.name = %held.packument.name(), package.version = earlier, why,
                    "an earlier release could not be compared");
            }
        }
        let found = self.not_its_own(held, version, found).await;
        content::found_in(contents, found)
    }

    /// The same of what is at hand, without asking anybody.
    pub(crate) async fn known_bad_again(
        &self,
        name: &PackageName,
        version: &str,
        contents: &Contents,
    ) -> Vec<KnownBad> {
        let mut found = self.bad_in(contents).await;
        if found.iter().any(|bad| self.learned_at(bad).is_some())
            && let Ok(Some(held)) = self.packuments.kept(name).await
        {
            found = self.not_its_own(&held, version, found).await;
        }
        content::found_in(contents, found)
    }

    async fn bad_in(&self, contents: &Contents) -> Vec<BadContent> {
        let look_up = async {
            // Mostly nothing is known, and then no digests have to be gathered.
            if !self.store.knows_bad_content().await? {
                return Ok(Vec::new());
            }
            let digests = content::digests(contents);
            let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
            self.store.bad_content(&digests).await
        };
        look_up.await.unwrap_or_else(|error: StoreError| {
            tracing::warn!(%error, "refused content could not be looked up");
            Vec::new()
        })
    }

    /// When that came out which content was learned from; nothing for what a person listed, which counts whatever was
    /// before. Where it was not noted, nobody knows better than now.
    fn learned_at(&self, bad: &BadContent) -> Option<Timestamp> {
        (!bad.name.is_empty()).then(|| bad.since.unwrap_or_else(|| self.now()))
    }

    /// Leaves out what the package had long before.
    async fn not_its_own(
        &self,
        held: &Held,
        version: &str,
        found: Vec<BadContent>,
    ) -> Vec<BadContent> {
        let mut last: Option<(String, BTreeSet<String>)> = None;
        let mut rest = Vec::new();
        for bad in found {
            let Some(moment) = self.learned_at(&bad) else {
                rest.push(bad);
                continue;
            };
            if came_out_before(&held.packument, version, moment) {
                continue;
            }
            let Some(earlier) = self.honest_before(held, moment).await else {
                rest.push(bad);
                continue;
            };
            if last.as_ref().is_none_or(|(known, _)| *known != earlier) {
                let contents = self.contents_kept(held, &earlier).await;
                let digests = contents.as_ref().map(content::digests).unwrap_or_default();
                last = Some((earlier, digests));
            }
            let had = last
                .as_ref()
                .is_some_and(|(_, digests)| digests.contains(&bad.digest));
            if !had {
                rest.push(bad);
            }
        }
        rest
    }

    /// Whether a package was there long before another one that was refused, with code that is as near to it.
    pub(super) async fn is_original(
        self: &Arc<Self>,
        held: &Arc<Held>,
        version: &str,
        other: &PackageName,
        refused: &KeptSketch,
    ) -> bool {
        let since = match refused.since {
            Some(since) => Some(since),
            None => {
                let theirs = self.packuments.get(other).await;
                theirs
                    .ok()
                    .and_then(|theirs| theirs.packument.published(&refused.version))
            }
        };
        let Some(since) = since else { return false };
        if came_out_before(&held.packument, version, since) {
            return true;
        }
        let Some(earlier) = self.honest_before(held, since).await else {
            return false;
        };
        let contents = Box::pin(self.contents_of_version(held, &earlier)).await;
        let sketch = contents.ok().and_then(|contents| contents.sketch);
        let share = sketch.and_then(|sketch| share_of(&sketch, refused));
        share.is_some_and(|share| share >= COPY)
    }

    /// The newest release that came out long before a moment and that nothing is known against.
    async fn honest_before(&self, held: &Held, moment: Timestamp) -> Option<String> {
        let name = held.packument.name();
        let is_malware = self.known_malware(name);
        let by_time = held.packument.by_publish_time();
        let earlier = by_time.into_iter().rev();
        let earlier = earlier
            .filter(|version| came_out_before(&held.packument, version, moment))
            .filter(|version| !is_malware(version));
        for version in earlier.take(LOOKED_AT) {
            match self.last_verdict(name, version).await {
                Ok(Some(verdict)) if !verdict.decision.action.serves() => {}
                Ok(_) => return Some(version.to_owned()),
                Err(error) => {
                    tracing::warn!(%error, "an earlier verdict could not be looked up");
                    return None;
                }
            }
        }
        None
    }

    async fn contents_kept(&self, held: &Held, version: &str) -> Option<Contents> {
        let integrity = self.integrity_of(held, version)?.to_string();
        self.store.contents(&integrity).await.ok().flatten()
    }
}

/// Whether a release came out long before a moment.
fn came_out_before(packument: &Packument, version: &str, moment: Timestamp) -> bool {
    let published = packument.published(version);
    published.is_some_and(|published| moment.duration_since(published) >= LONG_BEFORE)
}
