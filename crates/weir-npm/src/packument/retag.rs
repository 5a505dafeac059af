//! Tags of a filtered packument.

use std::cmp::Ordering;

use super::Packument;
use crate::version::Version;

/// Candidates that are gone through for all tags together, `latest` left aside: a registry may send as many tags as
/// versions, and each moves by itself. Real packages have hundreds of tags at most.
const MOST_CANDIDATES: usize = 20_000_000;

/// A version that is served, with what the choice depends on.
struct Candidate<'p> {
    text: &'p str,
    version: Version,
    deprecated: bool,
}

/// The tags to serve when only some versions are served (PROTOCOL 3.3 and 3.11.2).
///
/// A tag whose version is served stays. Otherwise:
///
/// - `latest` moves to the best served version that is not above the old one by semver: a release before
///   a prerelease, one that is not deprecated before one that is, then the highest. If everything served
///   is above, the best of that. If nothing is served, it is dropped.
/// - any other tag moves to the best served version below it in the same major line, to a prerelease only
///   if it named one; or it is dropped. A tag such as `legacy-1` must not jump to another line.
///
/// A packument without `latest` gets one, because clients ask for it by default.
///
/// Versions that [`super::render`] leaves out as broken are never chosen. Of a great many tags that would have to move
/// only the first are; the rest are dropped.
#[must_use]
pub fn retag(packument: &Packument, is_served: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let served = |version: &str| {
        packument
            .entry(version)
            .is_some_and(|entry| entry.problem.is_none())
            && is_served(version)
    };
    let tags = packument.dist_tags();
    if packument.tag("latest").is_some_and(&served)
        && tags.iter().all(|(_, version)| served(version))
    {
        return tags.to_vec();
    }
    let candidates: Vec<Candidate<'_>> = packument
        .versions()
        .iter()
        .filter(|entry| served(&entry.version))
        .filter_map(|entry| {
            let version = Version::parse(&entry.version).ok()?;
            Some(Candidate {
                text: &entry.version,
                version,
                deprecated: packument.entry_is_deprecated(entry),
            })
        })
        .collect();
    let mut retagged = Vec::with_capacity(tags.len() + 1);
    let mut room = MOST_CANDIDATES;
    for (tag, old) in tags {
        let new = match tag.as_str() {
            _ if served(old) => Some(old.as_str()),
            "latest" => best_latest(&candidates, Version::parse(old).ok()),
            _ if room < candidates.len() => None,
            _ => {
                room = room.saturating_sub(candidates.len());
                let old = Version::parse(old).ok();
                old.and_then(|old| best_of_line(&candidates, &old))
            }
        };
        retagged.extend(new.map(|new| (tag.clone(), new.to_owned())));
    }
    if packument.tag("latest").is_none() {
        let latest = best_latest(&candidates, None);
        retagged.extend(latest.map(|latest| ("latest".to_owned(), latest.to_owned())));
    }
    retagged
}

fn best_latest<'p>(candidates: &[Candidate<'p>], old: Option<Version>) -> Option<&'p str> {
    let rank =
        |candidate: &Candidate<'_>| (!candidate.version.is_prerelease(), !candidate.deprecated);
    let below = candidates.iter().filter(|candidate| match &old {
        Some(old) => candidate.version.precedence(old) != Ordering::Greater,
        None => true,
    });
    best(below, rank).or_else(|| best(candidates.iter(), rank))
}

fn best_of_line<'p>(candidates: &[Candidate<'p>], old: &Version) -> Option<&'p str> {
    let line = candidates.iter().filter(|candidate| {
        candidate.version.major() == old.major()
            && candidate.version.precedence(old) != Ordering::Greater
            && (old.is_prerelease() || !candidate.version.is_prerelease())
    });
    best(line, |candidate| !candidate.deprecated)
}

/// The candidate of the highest rank, and of these the highest version.
fn best<'c, 'p: 'c, R: Ord>(
    candidates: impl Iterator<Item = &'c Candidate<'p>>,
    rank: impl Fn(&Candidate<'p>) -> R,
) -> Option<&'p str> {
    candidates
        .max_by(|a, b| {
            rank(a)
                .cmp(&rank(b))
                .then_with(|| a.version.cmp(&b.version))
        })
        .map(|candidate| candidate.text)
}
