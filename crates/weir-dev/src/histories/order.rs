//! The order of a history. A registry that is a cache may give the times at which it fetched each
//! version: then the order by time is the order in which people asked for old versions.

use jiff::{SignedDuration, Timestamp};
use weir_npm::packument::Packument;
use weir_npm::version::Version;

use super::find::Found;

/// How far apart releases are put whose times are not known.
const APART: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether releases of one minor line came out in another order than their numbers, by the times given.
/// A line has one branch, so its owners have no reason to do that.
pub(crate) fn is_shuffled(packument: &Packument) -> bool {
    let mut highest: Vec<Version> = Vec::new();
    for text in packument.by_publish_time() {
        let Ok(version) = Version::parse(text) else {
            continue;
        };
        if version.is_prerelease() || packument.published(text).is_none() {
            continue;
        }
        let line = |other: &Version| (other.major(), other.minor());
        match highest
            .iter_mut()
            .find(|known| line(known) == line(&version))
        {
            Some(known) if *known > version => return true,
            Some(known) => *known = version,
            None => highest.push(version),
        }
    }
    false
}

/// The same package with its releases in the order of their numbers, a week apart.
pub(crate) fn by_number((name, found): &Found) -> Found {
    let numbered = match found {
        Ok(packument) => renumber(packument).map_err(|error| error.to_string()),
        Err(why) => Err(why.clone()),
    };
    (name.clone(), numbered)
}

fn renumber(packument: &Packument) -> anyhow::Result<Packument> {
    let mut versions: Vec<Version> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for entry in packument.versions() {
        let (Some(published), Ok(version)) = (entry.published(), Version::parse(&entry.version))
        else {
            continue;
        };
        last = last.max(Some(published));
        versions.push(version);
    }
    versions.sort();
    let mut times = serde_json::Map::new();
    let mut at = last.unwrap_or_default();
    for version in versions.iter().rev() {
        times.insert(version.as_str().to_owned(), at.to_string().into());
        at = at.checked_sub(APART)?;
    }
    times.insert("created".to_owned(), at.to_string().into());
    let mut document: serde_json::Value = serde_json::from_slice(packument.raw())?;
    document["time"] = times.into();
    let raw = serde_json::to_vec(&document)?;
    Ok(Packument::parse(packument.name(), raw.into())?)
}
