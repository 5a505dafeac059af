//! What copies of a hostile release are known by, byte for byte.
//!
//! Whoever publishes a hostile package chooses what lies in it, files of honest libraries among them. So what is known
//! is what is hostile by itself: a file that reads a secret and sends it away, or all files together that a secret goes
//! through. That the code is run first, or lies in some folder, says nothing: `index.js` of a library may be what a
//! hook names, and load a neighbour that is the attacker's.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::contents::{Contents, FileDigest, Flow, Surface};
use weir_signals::KnownBad;
use weir_store::BadContent;

use super::BAD_BYTES;

/// What the digest of all code of a release begins with, where a file's has nothing.
const WHOLE: &str = "whole:";

/// What the digest of several files begins with that a value goes through.
const PARTS: &str = "parts:";

/// What stands for the path of a file that is not listed by it.
const UNLISTED: &str = "one of its other files";

/// Digits of one digest.
const DIGITS: usize = 32;

/// Files of several that are named.
const NAMED: usize = 3;

/// Splits a digest as it is shown into its kind and its digits.
pub(crate) fn kind_of_digest(text: &str) -> (&'static str, &str) {
    for kind in [WHOLE, PARTS] {
        if let Some(digits) = text.strip_prefix(kind) {
            return (kind, digits);
        }
    }
    ("", text)
}

/// What is remembered of a release that was refused here: what sends something away at install time, and all of its
/// code. Whose it is and why is for the caller to add.
pub(super) fn learned(contents: &Contents) -> Vec<BadContent> {
    let marks = marks(contents).into_values();
    let learned = marks.filter(|mark| match mark.kind {
        MarkKind::Flow(surface) => surface == Surface::Install,
        MarkKind::Whole => true,
        MarkKind::File | MarkKind::Program { .. } => false,
    });
    learned.map(Mark::into_content).collect()
}

/// What copies of a package that somebody else found to be malicious are known by: what sends something away on
/// whichever surface, its programs outside of the usual places, and all of its code.
pub(crate) fn listed(contents: &Contents) -> Vec<BadContent> {
    let marks = marks(contents).into_values();
    let listed = marks.filter(|mark| match mark.kind {
        MarkKind::Flow(_) | MarkKind::Whole => true,
        MarkKind::Program { usual_place } => !usual_place,
        MarkKind::File => false,
    });
    listed.map(Mark::into_content).collect()
}

/// The digests under which content of a release may be known.
pub(super) fn digests(contents: &Contents) -> BTreeSet<String> {
    let listed = marks(contents).into_keys();
    listed.chain(others(contents)).collect()
}

/// The digests of files that are not listed by their paths: data, images, code in other languages.
fn others(contents: &Contents) -> impl Iterator<Item = String> {
    let digests = contents.other_digests.as_bytes().chunks(DIGITS);
    digests.map(|digits| String::from_utf8_lossy(digits).into_owned())
}

/// Content that was found, with where it is in this release.
pub(super) fn found_in(contents: &Contents, found: Vec<BadContent>) -> Vec<KnownBad> {
    let mut marks = marks(contents);
    let has_steps = !contents.install_steps.is_empty();
    let known = found.into_iter().map(|bad| {
        let mark = marks.remove(&bad.digest);
        let surface = mark.as_ref().map(|mark| mark.surface);
        let path = match mark {
            Some(mark) => mark.path,
            None => Some(UNLISTED.to_owned()),
        };
        KnownBad {
            path,
            listed_in: bad.path.filter(|_| bad.name.is_empty()),
            at_install: match surface {
                Some(Some(Surface::Install)) => true,
                // What nothing visible leads to may be what a hook loads by a name that it makes up.
                Some(None | Some(Surface::Worker | Surface::Unreferenced)) | None => has_steps,
                Some(Some(Surface::Import | Surface::Command)) => false,
            },
            digest: bad.digest,
            name: bad.name,
            version: bad.version,
            why: bad.why,
        }
    });
    known.collect()
}

/// Something in a release by which a copy of it may be known.
struct Mark {
    digest: String,
    /// The file, or several; nothing for all code.
    path: Option<String>,
    kind: MarkKind,
    /// From where it runs.
    surface: Option<Surface>,
}

#[derive(Clone, Copy)]
enum MarkKind {
    File,
    /// What a value goes through on its way out, wholly: from where it does so.
    Flow(Surface),
    Program {
        usual_place: bool,
    },
    Whole,
}

impl Mark {
    fn into_content(self) -> BadContent {
        BadContent {
            digest: self.digest,
            name: String::new(),
            version: String::new(),
            path: self.path,
            why: String::new(),
            since: None,
        }
    }
}

/// Everything in a release that a copy may be known by, by digest.
fn marks(contents: &Contents) -> BTreeMap<String, Mark> {
    let mut marks = BTreeMap::new();
    let long = contents.files.iter().filter(|file| file.bytes >= BAD_BYTES);
    for file in long {
        add(
            &mut marks,
            Mark {
                digest: file.digest.clone(),
                path: Some(file.path.clone()),
                kind: MarkKind::File,
                surface: file.surface,
            },
        );
    }
    let long = contents
        .binaries
        .iter()
        .filter(|binary| binary.bytes >= BAD_BYTES);
    for binary in long {
        let usual_place = binary.usual_place;
        add(
            &mut marks,
            Mark {
                digest: binary.digest.clone(),
                path: Some(binary.path.clone()),
                kind: MarkKind::Program { usual_place },
                surface: None,
            },
        );
    }
    let files: BTreeMap<&str, &FileDigest> = contents
        .files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let flows = contents.flows.iter();
    for mark in flows.filter_map(|flow| flow_mark(&files, flow)) {
        add(&mut marks, mark);
    }
    if let Some(digest) = whole_digest(contents) {
        add(
            &mut marks,
            Mark {
                digest,
                path: None,
                kind: MarkKind::Whole,
                surface: Some(Surface::Install),
            },
        );
    }
    marks
}

/// Adds a mark; of two of the same bytes, what a value goes through says more, and what runs at install time most.
fn add(marks: &mut BTreeMap<String, Mark>, mark: Mark) {
    let weight = |mark: &Mark| {
        let flow = match mark.kind {
            MarkKind::Flow(Surface::Install) => 2,
            MarkKind::Flow(_) => 1,
            MarkKind::File | MarkKind::Program { .. } | MarkKind::Whole => 0,
        };
        (flow, mark.surface == Some(Surface::Install))
    };
    match marks.get_mut(&mark.digest) {
        Some(known) if weight(known) >= weight(&mark) => {}
        Some(known) => *known = mark,
        None => {
            marks.insert(mark.digest.clone(), mark);
        }
    }
}

/// What a value goes through: one file, known as any file is, or several, of which each may be anybody's.
fn flow_mark(files: &BTreeMap<&str, &FileDigest>, flow: &Flow) -> Option<Mark> {
    let ends = [&flow.source_place, &flow.sink_place].into_iter();
    let places = ends.chain(flow.steps.iter().map(|step| &step.place));
    let paths: BTreeSet<&str> = places.map(|place| place.path.as_str()).collect();
    let parts: Option<Vec<&FileDigest>> =
        paths.iter().map(|path| files.get(path).copied()).collect();
    let parts = parts?;
    let is_one = parts.len() == 1;
    let bytes = parts.iter().map(|file| file.bytes);
    if bytes.fold(0, u64::saturating_add) < BAD_BYTES {
        return None;
    }
    let digest = match parts.as_slice() {
        [] => return None,
        [only] => only.digest.clone(),
        several => {
            let digests: BTreeSet<&str> = several.iter().map(|file| file.digest.as_str()).collect();
            let mut digest = weir_files::Digest::default();
            for part in digests {
                digest.update(part.as_bytes());
            }
            format!("{PARTS}{}", digest.finish())
        }
    };
    let names: Vec<&str> = parts
        .iter()
        .take(NAMED)
        .map(|file| file.path.as_str())
        .collect();
    let more = if parts.len() > NAMED {
        " and others"
    } else {
        ""
    };
    // Where a file runs first is what counts for a file; several count where the value goes.
    let surface = match parts.first() {
        Some(only) if is_one && only.surface == Some(Surface::Install) => only.surface,
        _ => Some(flow.surface),
    };
    Some(Mark {
        digest,
        path: Some(format!("{}{more}", names.join(" with "))),
        kind: MarkKind::Flow(flow.surface),
        surface,
    })
}

/// A digest over all code and what runs at install time, whatever the names of files. Nothing where
/// nothing runs at install time: then the same code may be a library that somebody else abused.
fn whole_digest(contents: &Contents) -> Option<String> {
    if contents.install_steps.is_empty() || contents.files.is_empty() || contents.files_left_out > 0
    {
        return None;
    }
    let files: BTreeSet<&str> = contents
        .files
        .iter()
        .map(|file| file.digest.as_str())
        .collect();
    let mut digest = weir_files::Digest::default();
    for part in files {
        digest.update(part.as_bytes());
    }
    for step in &contents.install_steps {
        digest.update(b"\0");
        digest.update(step.event.as_bytes());
        digest.update(b"\0");
        digest.update(step.command.as_bytes());
    }
    Some(format!("{WHOLE}{}", digest.finish()))
}

#[cfg(test)]
mod tests;
