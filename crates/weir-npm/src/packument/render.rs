//! Packuments as clients get them.

use std::ops::Range as ByteRange;

use jiff::Timestamp;

use super::index::Span;
use super::manifest::{has_install_hook, version_members};
use super::{Packument, PackumentError, VersionEntry};
use crate::json;

/// Which of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Everything upstream says (`application/json`).
    Full,
    /// What installing needs (`application/vnd.npm.install-v1+json`), always with `time`.
    Abbreviated,
}

/// What to do with one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treatment {
    /// List it.
    Keep,
    /// Leave it out of `versions` and `time`.
    Hide,
    /// List it as deprecated, and under `policyRestrictions` if the plan has a message.
    Mark {
        /// The text clients print.
        deprecated: String,
    },
}

/// How a packument is to be rendered.
pub struct Plan<'a> {
    /// Our own registry address, such as `http://127.0.0.1:4873/`. Every listed tarball becomes
    /// `{base}{name}/-/{basename}-{version}.tgz` (PROTOCOL 3.6).
    pub tarball_base: &'a str,
    /// What to do with each version.
    pub versions: &'a dyn Fn(&str) -> Treatment,
    /// The message of `policyRestrictions` (PROTOCOL 3.4); only written when a version is marked.
    pub policy_message: Option<&'a str>,
    /// Replaces `dist-tags` entirely; see [`super::retag`].
    pub tags: Vec<(String, String)>,
    /// The publish time of versions that have none upstream (first-seen clock, PROTOCOL 3.2), as RFC 3339.
    pub times: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a version is not in a rendered document though nobody asked to hide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// Its key is not a version.
    NotAVersion,
    /// Its value is not an object.
    NotAnObject,
    /// It has no `dist.tarball`.
    NoTarball,
    /// Its own `version` field says something else than its key.
    OtherVersion,
}

/// A version that was left out because it is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its key in `versions`.
    pub version: String,
    /// What is wrong with it.
    pub reason: SkipReason,
}

/// A rendered document, and what is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// JSON.
    pub body: Vec<u8>,
    /// Broken versions that were left out.
    pub skipped: Vec<Skipped>,
    /// Listed versions without a publish time: clients would take them at once (PROTOCOL 3.2).
    pub without_time: Vec<String>,
}

/// Renders a packument. [`Form::Full`] is upstream's document with edits: what is not edited is the same
/// byte for byte. [`Form::Abbreviated`] is written anew from upstream's values.
///
/// # Errors
/// None today; the signature leaves room.
pub fn render(
    packument: &Packument,
    plan: &Plan<'_>,
    form: Form,
) -> Result<Rendered, PackumentError> {
    let selection = Selection::new(packument, plan);
    let body = match form {
        Form::Full => full(packument, plan, &selection),
        Form::Abbreviated => abbreviated(packument, plan, &selection),
    };
    let without_time = selection.kept().filter(|kept| kept.time.is_none());
    let without_time = without_time
        .map(|kept| kept.entry.version.clone())
        .collect();
    Ok(Rendered {
        body,
        without_time,
        skipped: selection.skipped,
    })
}

/// Renders one version, for `GET /name/version`: upstream's value with our tarball address, and with a
/// deprecation if one is given. `None` when the packument does not have it, or has it broken (see
/// [`SkipReason`]).
#[must_use]
pub fn render_version(
    packument: &Packument,
    version: &str,
    tarball_base: &str,
    deprecated: Option<&str>,
) -> Option<String> {
    let entry = packument
        .entry(version)
        .filter(|entry| entry.problem.is_none())?;
    let mut edits = Edits::default();
    edit_version(
        &mut edits,
        entry,
        &Tarballs::new(packument, tarball_base),
        deprecated,
    );
    let mut out = Vec::with_capacity(entry.value.len() + 256);
    edits.apply(packument, &entry.value, &mut out);
    String::from_utf8(out).ok()
}

/// A version that is listed.
struct Kept<'p> {
    entry: &'p VersionEntry,
    /// The deprecation to show.
    mark: Option<String>,
    /// Its time member upstream, readable or not. Empty when there is none.
    upstream_time: Span,
    /// The time to fill in, when upstream has none that clients can read.
    filled_time: Option<String>,
    /// The time that clients will read.
    time: Option<Timestamp>,
}

/// What becomes of each version, in document order.
struct Selection<'p> {
    versions: Vec<Option<Kept<'p>>>,
    skipped: Vec<Skipped>,
}

impl<'p> Selection<'p> {
    fn new(packument: &'p Packument, plan: &Plan<'_>) -> Self {
        let mut time_spans = vec![0..0; packument.versions().len()];
        for member in &packument.index.times {
            if let Some(span) = member.entry.and_then(|at| time_spans.get_mut(at as usize)) {
                *span = member.value.clone();
            }
        }
        let mut selection = Self {
            versions: Vec::with_capacity(time_spans.len()),
            skipped: Vec::new(),
        };
        for (entry, upstream_time) in packument.versions().iter().zip(time_spans) {
            if let Some(reason) = entry.problem {
                selection.skipped.push(Skipped {
                    version: entry.version.clone(),
                    reason,
                });
                selection.versions.push(None);
                continue;
            }
            let mark = match (plan.versions)(&entry.version) {
                Treatment::Keep => None,
                Treatment::Mark { deprecated } => Some(deprecated),
                Treatment::Hide => {
                    selection.versions.push(None);
                    continue;
                }
            };
            let (mut filled_time, mut time) = (None, entry.published);
            if time.is_none() {
                filled_time = (plan.times)(&entry.version);
                time = filled_time.as_deref().and_then(crate::time::parse);
                filled_time = filled_time.filter(|_| time.is_some());
            }
            selection.versions.push(Some(Kept {
                entry,
                mark,
                upstream_time,
                filled_time,
                time,
            }));
        }
        selection
    }

    fn kept(&self) -> impl Iterator<Item = &Kept<'p>> {
        self.versions.iter().flatten()
    }

    fn is_kept(&self, at: u32) -> bool {
        self.versions.get(at as usize).is_some_and(Option::is_some)
    }
}

/// Where clients are told to fetch tarballs (PROTOCOL 3.6).
struct Tarballs {
    prefix: String,
}

impl Tarballs {
    fn new(packument: &Packument, base: &str) -> Self {
        let name = packument.name();
        let slash = if base.ends_with('/') { "" } else { "/" };
        Self {
            prefix: format!("{base}{slash}{name}/-/{}-", name.base()),
        }
    }

    fn push(&self, out: &mut Vec<u8>, version: &str) {
        let mut url = String::with_capacity(self.prefix.len() + version.len() + 4);
        url.push_str(&self.prefix);
        url.push_str(version);
        url.push_str(".tgz");
        json::push_string(out, &url);
    }
}

/// Replacements in a document, each a span and its new bytes.
#[derive(Default)]
struct Edits {
    spans: Vec<(Span, ByteRange<usize>)>,
    texts: Vec<u8>,
}

impl Edits {
    fn replace(&mut self, span: Span, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.texts.len();
        write(&mut self.texts);
        self.spans.push((span, start..self.texts.len()));
    }

    fn cut(&mut self, span: Span) {
        self.replace(span, |_| ());
    }

    /// Cuts members of an object together with the comma that separated them. Members are given in
    /// document order, as key, value and whether to keep them.
    fn cut_members<'m>(&mut self, members: impl Iterator<Item = (&'m Span, &'m Span, bool)>) {
        let mut any_kept = false;
        // The end of the previous member, and the start of one that was dropped before any was kept.
        let (mut previous_end, mut dropped_from) = (0, None);
        for (key, value, keep) in members {
            if let Some(start) = dropped_from.take() {
                // Up to this key, and so with the comma in between.
                self.cut(start..key.start);
            }
            if keep {
                any_kept = true;
            } else if any_kept {
                self.cut(previous_end..value.end);
            } else {
                dropped_from = Some(key.start);
            }
            previous_end = value.end;
        }
        if let Some(start) = dropped_from {
            self.cut(start..previous_end);
        }
    }

    /// Writes a part of the document with the edits inside it.
    fn apply(mut self, packument: &Packument, within: &Span, out: &mut Vec<u8>) {
        self.spans.sort_by_key(|(span, _)| (span.start, span.end));
        let mut copied = within.start;
        for (span, text) in self.spans {
            out.extend_from_slice(packument.bytes(&(copied..span.start)));
            out.extend_from_slice(self.texts.get(text).unwrap_or_default());
            copied = span.end;
        }
        out.extend_from_slice(packument.bytes(&(copied..within.end)));
    }
}

/// Upstream's document with edits.
fn full(packument: &Packument, plan: &Plan<'_>, selection: &Selection<'_>) -> Vec<u8> {
    let index = &packument.index;
    let tarballs = Tarballs::new(packument, plan.tarball_base);
    let mut edits = Edits::default();
    let mut inserted = Vec::new();

    let fates = index.entries.iter().zip(&selection.versions);
    edits.cut_members(fates.map(|(entry, kept)| (&entry.key, &entry.value, kept.is_some())));
    for kept in selection.kept() {
        edit_version(&mut edits, kept.entry, &tarballs, kept.mark.as_deref());
    }
    let mut member = |span: &Span, key: &str, write: &dyn Fn(&mut Vec<u8>)| {
        if span.is_empty() {
            push_key(&mut inserted, key);
            write(&mut inserted);
            inserted.push(b',');
        } else {
            edits.replace(span.clone(), write);
        }
    };
    member(&index.dist_tags_span, "dist-tags", &|out| {
        push_tags(out, &plan.tags)
    });
    if !index.time_is_object {
        member(&index.time_span, "time", &|out| {
            push_times(out, packument, selection, None)
        });
    }
    if let Some(message) = policy_message(plan, selection) {
        let write = |out: &mut Vec<u8>| push_policy(out, message, packument, selection, &tarballs);
        member(&index.policy_span, "policyRestrictions", &write);
    }
    if index.time_is_object {
        edit_times(&mut edits, packument, selection);
    }
    if !index.has_members {
        inserted.pop();
    }
    edits.replace(index.open..index.open, |out| out.append(&mut inserted));

    let mut out = Vec::with_capacity(packument.raw.len() + edits.texts.len());
    // The length fits: the document was refused otherwise.
    let end = u32::try_from(packument.raw.len()).unwrap_or(u32::MAX);
    edits.apply(packument, &(0..end), &mut out);
    out
}

fn edit_version(edits: &mut Edits, entry: &VersionEntry, tarballs: &Tarballs, mark: Option<&str>) {
    edits.replace(entry.tarball.clone(), |out| {
        tarballs.push(out, &entry.version)
    });
    let Some(mark) = mark else { return };
    if entry.deprecated.is_empty() {
        // Right after the brace. The object has members, or it would have no tarball.
        let open = entry.value.start + 1;
        edits.replace(open..open, |out| {
            push_key(out, "deprecated");
            json::push_string(out, mark);
            out.push(b',');
        });
    } else {
        edits.replace(entry.deprecated.clone(), |out| json::push_string(out, mark));
    }
}

/// Cuts the times of versions that are not listed, and fills in those that are missing.
fn edit_times(edits: &mut Edits, packument: &Packument, selection: &Selection<'_>) {
    let times = &packument.index.times;
    let keep = |entry: Option<u32>| entry.is_none_or(|at| selection.is_kept(at));
    edits.cut_members(
        times
            .iter()
            .map(|member| (&member.key, &member.value, keep(member.entry))),
    );
    let mut missing = Vec::new();
    for kept in selection.kept() {
        let Some(time) = &kept.filled_time else {
            continue;
        };
        if kept.upstream_time.is_empty() {
            push_key(&mut missing, &kept.entry.version);
            json::push_string(&mut missing, time);
            missing.push(b',');
        } else {
            edits.replace(kept.upstream_time.clone(), |out| {
                json::push_string(out, time)
            });
        }
    }
    if !times.iter().any(|member| keep(member.entry)) {
        missing.pop();
    }
    let open = packument.index.time_span.start + 1;
    edits.replace(open..open, |out| out.append(&mut missing));
}

/// The document that installing needs, written anew.
fn abbreviated(packument: &Packument, plan: &Plan<'_>, selection: &Selection<'_>) -> Vec<u8> {
    let tarballs = Tarballs::new(packument, plan.tarball_base);
    let mut out = Vec::with_capacity(packument.raw.len() / 2 + 1024);
    out.push(b'{');
    push_key(&mut out, "name");
    json::push_string(&mut out, packument.name().as_str());
    push_next_key(&mut out, "dist-tags");
    push_tags(&mut out, &plan.tags);
    push_next_key(&mut out, "versions");
    push_object(&mut out, selection.kept(), |out, kept| {
        push_key(out, &kept.entry.version);
        push_abbreviated(out, packument, kept, &tarballs);
    });
    // Never before a listed version: clients take an old `modified` as proof that every version is old.
    let newest = selection.kept().filter_map(|kept| kept.time).max();
    let modified = packument.modified().max(newest).map(crate::time::format);
    if let Some(modified) = &modified {
        push_next_key(&mut out, "modified");
        json::push_string(&mut out, modified);
    }
    push_next_key(&mut out, "time");
    push_times(&mut out, packument, selection, modified.as_deref());
    if let Some(message) = policy_message(plan, selection) {
        push_next_key(&mut out, "policyRestrictions");
        push_policy(&mut out, message, packument, selection, &tarballs);
    } else if !packument.index.policy_span.is_empty() {
        push_next_key(&mut out, "policyRestrictions");
        out.extend_from_slice(packument.bytes(&packument.index.policy_span));
    }
    out.push(b'}');
    out
}

/// The fields of a version that installing needs; `deprecated`, `dist` and `hasInstallScript` are
/// written on their own.
const INSTALL_FIELDS: [&str; 18] = [
    "name",
    "version",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
    "bin",
    "directories",
    "engines",
    "cpu",
    "os",
    "libc",
    "funding",
    "_hasShrinkwrap",
];

fn push_abbreviated(
    out: &mut Vec<u8>,
    packument: &Packument,
    kept: &Kept<'_>,
    tarballs: &Tarballs,
) {
    let entry = kept.entry;
    let text = packument.text(&entry.value);
    let members = version_members(text);
    let mut said_install_script = None;
    out.push(b'{');
    push_key(out, "dist");
    if let Some((_, dist)) = members.iter().find(|(key, _)| key == "dist") {
        push_dist(out, packument, entry, dist, tarballs);
    }
    for (key, value) in &members {
        if INSTALL_FIELDS.contains(&&**key) {
            push_next_key(out, key);
            out.extend_from_slice(value.as_bytes());
        } else if key == "hasInstallScript" {
            said_install_script = Some(*value);
        }
    }
    if let Some(mark) = &kept.mark {
        push_next_key(out, "deprecated");
        json::push_string(out, mark);
    } else if !entry.deprecated.is_empty() {
        push_next_key(out, "deprecated");
        out.extend_from_slice(packument.bytes(&entry.deprecated));
    }
    if said_install_script == Some("true") || has_install_hook(&members) {
        push_next_key(out, "hasInstallScript");
        out.extend_from_slice(b"true");
    }
    out.push(b'}');
}

/// `dist` as it came, with our tarball address.
fn push_dist(
    out: &mut Vec<u8>,
    packument: &Packument,
    entry: &VersionEntry,
    dist: &str,
    tarballs: &Tarballs,
) {
    let (before, after) = dist_around_tarball(packument, entry, dist);
    out.extend_from_slice(before);
    tarballs.push(out, &entry.version);
    out.extend_from_slice(after);
}

fn dist_around_tarball<'p>(
    packument: &'p Packument,
    entry: &VersionEntry,
    dist: &str,
) -> (&'p [u8], &'p [u8]) {
    let version = packument.text(&entry.value);
    let offset = json::offset_in(version, dist).and_then(|offset| u32::try_from(offset).ok());
    let length = u32::try_from(dist.len()).ok();
    let (Some(offset), Some(length)) = (offset, length) else {
        return (b"{}", b"");
    };
    let start = entry.value.start + offset;
    (
        packument.bytes(&(start..entry.tarball.start)),
        packument.bytes(&(entry.tarball.end..start + length)),
    )
}

/// `time` for every listed version, with `created` and `modified` when they are known.
fn push_times(
    out: &mut Vec<u8>,
    packument: &Packument,
    selection: &Selection<'_>,
    modified: Option<&str>,
) {
    let created = packument.index.created.map(crate::time::format);
    let named = [("created", created.as_deref()), ("modified", modified)];
    let named = named
        .into_iter()
        .filter_map(|(key, time)| Some((key, Ok(time?))));
    let versions = selection.kept().filter_map(|kept| {
        kept.time?;
        let time = kept
            .filled_time
            .as_deref()
            .map_or(Err(&kept.upstream_time), Ok);
        Some((kept.entry.version.as_str(), time))
    });
    push_object(out, named.chain(versions), |out, (key, time)| {
        push_key(out, key);
        match time {
            Ok(text) => json::push_string(out, text),
            Err(span) => out.extend_from_slice(packument.bytes(span)),
        }
    });
}

fn push_tags(out: &mut Vec<u8>, tags: &[(String, String)]) {
    push_object(out, tags.iter(), |out, (tag, version)| {
        push_key(out, tag);
        json::push_string(out, version);
    });
}

/// The policy message, if there is one and something is marked.
fn policy_message<'a>(plan: &Plan<'a>, selection: &Selection<'_>) -> Option<&'a str> {
    plan.policy_message
        .filter(|_| selection.kept().any(|kept| kept.mark.is_some()))
}

/// `policyRestrictions`: why, and for which versions (PROTOCOL 3.4).
fn push_policy(
    out: &mut Vec<u8>,
    message: &str,
    packument: &Packument,
    selection: &Selection<'_>,
    tarballs: &Tarballs,
) {
    out.push(b'{');
    push_key(out, "message");
    json::push_string(out, message);
    push_next_key(out, "versions");
    let marked = selection.kept().filter(|kept| kept.mark.is_some());
    push_object(out, marked, |out, kept| {
        push_key(out, &kept.entry.version);
        push_abbreviated(out, packument, kept, tarballs);
    });
    out.push(b'}');
}

fn push_object<T>(
    out: &mut Vec<u8>,
    members: impl Iterator<Item = T>,
    mut push: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'{');
    for (position, member) in members.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        push(out, member);
    }
    out.push(b'}');
}

fn push_key(out: &mut Vec<u8>, key: &str) {
    json::push_string(out, key);
    out.push(b':');
}

fn push_next_key(out: &mut Vec<u8>, key: &str) {
    out.push(b',');
    push_key(out, key);
}
