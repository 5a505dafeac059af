//! The full document: upstream's bytes with edits.

use super::super::index::Span;
use super::super::{Packument, VersionEntry};
use super::abbreviated::{policy_message, push_key, push_policy, push_tags, push_times};
use super::edits::Edits;
use super::{Plan, Selection, Tarballs};
use crate::json;

/// Upstream's document with edits.
pub(super) fn full(packument: &Packument, plan: &Plan<'_>, selection: &Selection<'_>) -> Vec<u8> {
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

    let mut out = Vec::with_capacity(packument.raw.len() + edits.written());
    // The length fits: the document was refused otherwise.
    let end = u32::try_from(packument.raw.len()).unwrap_or(u32::MAX);
    edits.apply(packument, &(0..end), &mut out);
    out
}

pub(super) fn edit_version(
    edits: &mut Edits,
    entry: &VersionEntry,
    tarballs: &Tarballs,
    mark: Option<&str>,
) {
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
