//! Releases of the last months that nobody has looked at yet. A later one must not be measured by what would have been
//! refused, whichever of them is asked for first: a fresh weir that is asked for the second release of an attack alone
//! says what one says that resolved the package before.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;
use crate::past::Past;
use crate::resolution::{MOST_VERSIONS, RECENT, refuses_for_good};

impl Engine {
    /// What is known of the releases of a package, to judge one of them by.
    pub(crate) async fn past_of(&self, held: &Held, version: &str) -> Result<Past, EngineError> {
        let past = self.past(held).await?;
        let published = held.packument.published(version);
        self.refuse_unread(held, published, past).await
    }

    /// Counts as refused what came out before a moment, or at any time, and would be refused for what the packument
    /// says. Oldest first, as each may have excused the next. Contents are not read: they could only add to it.
    pub(crate) async fn refuse_unread(
        &self,
        held: &Held,
        before: Option<Timestamp>,
        past: Past,
    ) -> Result<Past, EngineError> {
        let unread = self.unread_before(held, before, &past);
        if unread.is_empty() {
            return Ok(past);
        }
        let mut past = Arc::new(past);
        let (times, generation) = (HashMap::new(), self.generation());
        for version in &unread {
            let verdict = self
                .metadata_verdict_after(held, version, &times, &generation, &past)
                .await?;
            if refuses_for_good(&verdict.decision) {
                Arc::make_mut(&mut past).refuse(std::iter::once(version));
            }
        }
        Ok(Arc::unwrap_or_clone(past))
    }

    /// Those that could excuse a later one, oldest first: out for longer than what is open, and not for so long that
    /// a resolution would pass over them, too.
    fn unread_before(&self, held: &Held, before: Option<Timestamp>, past: &Past) -> Vec<String> {
        let Ok(since) = self.now().saturating_sub(RECENT) else {
            return Vec::new();
        };
        if before.is_some_and(|before| before <= since) {
            return Vec::new();
        }
        let packument = &held.packument;
        let mut unread: Vec<(Timestamp, &str)> = packument
            .versions()
            .iter()
            .map(|entry| entry.version.as_str())
            .filter_map(|version| Some((packument.published(version)?, version)))
            .filter(|(published, _)| *published > since)
            .filter(|(published, _)| before.is_none_or(|before| *published < before))
            .filter(|(_, version)| {
                !past.knows(version) && !past.refuses(version) && !past.is_open(packument, version)
            })
            .collect();
        unread.sort_unstable();
        let surplus = unread.len().saturating_sub(MOST_VERSIONS);
        let newest = unread.into_iter().skip(surplus);
        newest.map(|(_, version)| version.to_owned()).collect()
    }
}
