//! The bytes that a release had before, for telling whether its registry replaced them.

use weir_npm::integrity::Integrity;
use weir_signals::{EarlierBytes, Origin, same_bytes};
use weir_store::KnownBytes;

use crate::EngineError;
use crate::engine::Engine;
use crate::packuments::Held;
use crate::past::Past;

impl Engine {
    /// The bytes that a version had when it was decided on or served here, the first ones first. One question to the
    /// ledger: asked for a release that is decided on, not for each version of a packument.
    pub(crate) async fn earlier_bytes(
        &self,
        held: &Held,
        version: &str,
    ) -> Result<Vec<EarlierBytes>, EngineError> {
        let name = held.packument.name();
        let known = self.store.known_bytes(name.as_str(), version).await?;
        Ok(by_digest(known, &held.upstream))
    }

    /// Whether a version has other bytes now than those that were decided on, by their digest.
    pub(crate) fn has_other_bytes(&self, held: &Held, version: &str, judged: Option<&str>) -> bool {
        let judged = judged.and_then(|it| Integrity::parse(it).ok());
        judged.is_some_and(|judged| {
            let now = self.integrity_of(held, version);
            now.is_some_and(|now| same_bytes(&judged, &now) == Some(false))
        })
    }

    /// The versions that have other bytes now than those that the kept verdicts on them are about.
    pub(crate) fn replaced_versions(&self, held: &Held, past: &Past) -> Vec<String> {
        let versions = past.judged_versions();
        let replaced = versions.filter(|version| {
            held.packument.has(version) && self.has_other_bytes(held, version, past.judged(version))
        });
        replaced.cloned().collect()
    }
}

/// Each digest once, with what is known of its origin. One that this registry gave at any time is its own, whatever
/// the entries that name no registry were about.
fn by_digest(known: Vec<KnownBytes>, upstream: &str) -> Vec<EarlierBytes> {
    let mut found: Vec<EarlierBytes> = Vec::new();
    for bytes in known {
        let origin = match bytes.upstream.as_deref() {
            None => Origin::NotKnown,
            Some(theirs) if theirs == upstream => Origin::Here,
            Some(_) => Origin::Elsewhere,
        };
        let mut same = found.iter_mut();
        match same.find(|it| it.integrity == bytes.integrity) {
            Some(it) => {
                it.first = it.first.min(bytes.first);
                it.origin = it.origin.max(origin);
            }
            None => found.push(EarlierBytes {
                integrity: bytes.integrity,
                first: bytes.first,
                origin,
            }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const HERE: &str = "https://here.example.invalid/";
    const THERE: &str = "https://there.example.invalid/";

    fn known(integrity: &str, second: i64, upstream: Option<&str>) -> KnownBytes {
        KnownBytes {
            integrity: integrity.to_owned(),
            first: Timestamp::from_second(second).unwrap(),
            upstream: upstream.map(str::to_owned),
        }
    }

    fn earlier(integrity: &str, second: i64, origin: Origin) -> EarlierBytes {
        EarlierBytes {
            integrity: integrity.to_owned(),
            first: Timestamp::from_second(second).unwrap(),
            origin,
        }
    }

    #[test]
    fn bytes_belong_to_the_registry_that_gave_them() {
        let (here, there) = (Some(HERE), Some(THERE));
        for (entries, expected) in [
            (vec![], vec![]),
            (
                vec![known("a", 1, here), known("b", 2, here)],
                vec![earlier("a", 1, Origin::Here), earlier("b", 2, Origin::Here)],
            ),
            // Served before the decision was written down.
            (
                vec![known("a", 1, None), known("a", 2, here)],
                vec![earlier("a", 1, Origin::Here)],
            ),
            (
                vec![
                    known("a", 1, there),
                    known("a", 2, None),
                    known("b", 3, None),
                ],
                vec![
                    earlier("a", 1, Origin::Elsewhere),
                    earlier("b", 3, Origin::NotKnown),
                ],
            ),
            // Two registries with the same bytes.
            (
                vec![known("a", 1, here), known("a", 2, there)],
                vec![earlier("a", 1, Origin::Here)],
            ),
        ] {
            assert_eq!(by_digest(entries, HERE), expected);
        }
    }
}
