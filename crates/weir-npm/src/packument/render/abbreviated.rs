//! The abbreviated document, and the parts of it that the full one shares.

use super::super::index::Span;
use super::super::manifest::{has_install_hook, version_members};
use super::super::{Packument, VersionEntry};
use super::{Kept, Plan, Selection, Tarballs};
use crate::json;

/// The document that installing needs, written anew.
pub(super) fn abbreviated(
    packument: &Packument,
    plan: &Plan<'_>,
    selection: &Selection<'_>,
) -> Vec<u8> {
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
pub(super) fn push_times(
    out: &mut Vec<u8>,
    packument: &Packument,
    selection: &Selection<'_>,
    modified: Option<&str>,
) {
    let created = packument.index.created.map(crate::time::format);
    let named = [("created", created.as_deref()), ("modified", modified)];
    let named = named
        .into_iter()
        .filter_map(|(key, time)| Some((key, Time::Ours(time?))));
    let versions = selection
        .kept()
        .filter(|kept| kept.time.is_some())
        .map(|kept| {
            let time = match &kept.filled_time {
                Some(filled) => Time::Ours(filled),
                None => Time::Upstream(&kept.upstream_time),
            };
            (kept.entry.version.as_str(), time)
        });
    push_object(out, named.chain(versions), |out, (key, time)| {
        push_key(out, key);
        match time {
            Time::Ours(text) => json::push_string(out, text),
            Time::Upstream(span) => out.extend_from_slice(packument.bytes(span)),
        }
    });
}

/// Where the text of a time comes from.
enum Time<'a> {
    Ours(&'a str),
    Upstream(&'a Span),
}

pub(super) fn push_tags(out: &mut Vec<u8>, tags: &[(String, String)]) {
    push_object(out, tags.iter(), |out, (tag, version)| {
        push_key(out, tag);
        json::push_string(out, version);
    });
}

/// The policy message, if there is one and something is marked.
pub(super) fn policy_message<'a>(plan: &Plan<'a>, selection: &Selection<'_>) -> Option<&'a str> {
    plan.policy_message
        .filter(|_| selection.kept().any(|kept| kept.mark.is_some()))
}

/// `policyRestrictions`: why, and for which versions (PROTOCOL 3.4).
pub(super) fn push_policy(
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

pub(super) fn push_key(out: &mut Vec<u8>, key: &str) {
    json::push_string(out, key);
    out.push(b':');
}

fn push_next_key(out: &mut Vec<u8>, key: &str) {
    out.push(b',');
    push_key(out, key);
}
