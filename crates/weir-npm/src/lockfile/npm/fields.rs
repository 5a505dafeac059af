//! Fields that npm believes in an entry, though it never writes them there. It takes the whole entry for the
//! package's manifest, as far as it needs one before the package is there.

use super::super::error::LockfileError;
use super::super::tree::{Kind, Value};

/// What npm reads of an entry's manifest beyond what it writes: scripts that it runs, where the package comes
/// from and by which digest, what is inside it, and what its scripts find in their environment.
const UNWRITTEN: [&str; 9] = [
    "scripts",
    "_resolved",
    "_integrity",
    "_hasShrinkwrap",
    "_requested",
    "_where",
    "bundledDependencies",
    "gypfile",
    "config",
];

/// The scripts that an install runs.
const RUN: [&str; 4] = ["preinstall", "install", "postinstall", "prepare"];

/// The fields of an entry that npm never writes and believes.
pub(super) fn unwritten(entry: &Value<'_>) -> Vec<&'static str> {
    let there = |field: &&str| entry.get(field).is_some();
    UNWRITTEN.into_iter().filter(there).collect()
}

/// The text of a field, or of the one npm takes where that is missing or empty.
pub(super) fn believed<'v>(
    entry: &'v Value<'_>,
    field: &str,
    instead: &str,
) -> Result<Option<&'v str>, LockfileError> {
    let said = entry.text(field)?;
    if said.is_some_and(|text| !text.is_empty()) {
        return Ok(said);
    }
    Ok(entry.text(instead)?.or(said))
}

/// Whether npm runs scripts for an entry: those of the package, if anything but a no says that it has some, or
/// those in the entry itself, whatever else it says.
pub(super) fn runs(entry: &Value<'_>) -> bool {
    let said = entry.get("hasInstallScript");
    let own = entry.get("scripts");
    said.is_some_and(|it| !matches!(it.kind, Kind::Bool(false)))
        || own.is_some_and(|scripts| RUN.iter().any(|event| scripts.get(event).is_some()))
}
