//! Differences as a reviewer would note them: what runs first, then what it can do, with whom it
//! talks, and only then which files that is in.

use std::fmt::Write as _;

use weir_engine::Side;
use weir_model::contents::{Binary, Capability, FileDigest, Host, Surface};
use weir_model::finding::printable;
use weir_model::{Decision, Difference, Evidence, Finding};

use super::words::{at, day, flow, short, size};
use super::{line, style};
use crate::counted::counted;

/// Lines of one kind before the rest is only counted; `--json` has all.
const LISTED: usize = 8;

/// Pieces of evidence under a finding.
const EVIDENCE: usize = 6;

/// Two releases, side by side.
pub(crate) fn difference(
    before: &Side,
    after: &Side,
    difference: &Difference<'_>,
    findings: &[Finding],
    decision: &Decision,
) -> String {
    let mut out = String::new();
    head(&mut out, before, after, decision);
    if difference.is_empty() {
        line(
            &mut out,
            format_args!("  nothing that weir looks at is different"),
        );
        return out;
    }
    for finding in findings {
        one_finding(&mut out, finding);
    }
    if findings.is_empty() && decision.action.serves() {
        line(
            &mut out,
            format_args!("  nothing new in it speaks against it by itself"),
        );
    }
    changes(&mut out, difference);
    out
}

fn head(out: &mut String, before: &Side, after: &Side, decision: &Decision) {
    let colour = style::of(decision.action);
    let (old, new) = (
        printable(&before.release.to_string(), 300),
        printable(&after.release.to_string(), 300),
    );
    line(
        out,
        format_args!(
            "{}{old} -> {new}{}  {colour}{}{colour:#}",
            style::BOLD,
            style::BOLD.render_reset(),
            decision.action
        ),
    );
    let published = |side: &Side| {
        let time = side.published.map(day)?;
        let publisher = side.publisher.as_ref();
        let by = publisher.map_or(String::new(), |it| format!(" by {}", short(&it.name)));
        Some(format!("{time}{by}"))
    };
    let known = |side: &Side| published(side).unwrap_or_else(|| "not known".to_owned());
    if published(before).is_some() || published(after).is_some() {
        line(
            out,
            format_args!("  published {} -> {}", known(before), known(after)),
        );
    }
    // A file or folder has no history to check; that is no news here.
    let told = |reason: &&String| {
        !reason.starts_with("could not check") && !weir_policy::is_not_known(reason)
    };
    for reason in decision.reasons.iter().filter(told) {
        line(out, format_args!("  {}", printable(reason, 500)));
    }
}

fn one_finding(out: &mut String, finding: &Finding) {
    line(
        out,
        format_args!(
            "  {}{}{} {}: {}",
            style::BOLD,
            finding.severity,
            style::BOLD.render_reset(),
            finding.signal,
            printable(&finding.message, 1000)
        ),
    );
    for evidence in finding.evidence.iter().take(EVIDENCE) {
        line(out, format_args!("    {}", Shown(evidence)));
    }
}

/// Evidence, made safe to print: it was when it was made, but it may come from a data folder.
struct Shown<'a>(&'a Evidence);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&printable(&self.0.to_string(), 600))
    }
}

/// A heading with what belongs under it; nothing if there is nothing.
fn section(out: &mut String, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    line(out, format_args!("  {heading}"));
    for text in lines.iter().take(LISTED) {
        line(out, format_args!("    {text}"));
    }
    if lines.len() > LISTED {
        line(
            out,
            format_args!("    ... and {} more", lines.len() - LISTED),
        );
    }
}

/// What came and what went, each with its sign.
fn signed<T>(added: &[T], removed: &[T], show: impl Fn(&T) -> String) -> Vec<String> {
    let plus = added.iter().map(|one| format!("+ {}", show(one)));
    let minus = removed.iter().map(|one| format!("- {}", show(one)));
    plus.chain(minus).collect()
}

/// All that is different, without judging it.
pub(super) fn changes(out: &mut String, difference: &Difference<'_>) {
    let of = difference;
    section(
        out,
        "runs at install time",
        &signed(&of.install_steps.added, &of.install_steps.removed, |step| {
            format!("{}: {}", short(&step.event), short(&step.command))
        }),
    );
    section(
        out,
        "its code",
        &signed(
            &by_surface(&of.capabilities.added, |it| it.surface),
            &by_surface(&of.capabilities.removed, |it| it.surface),
            |it| ability(it),
        ),
    );
    section(
        out,
        "talks to",
        &signed(&of.hosts.added, &of.hosts.removed, |it| host(it)),
    );
    section(
        out,
        "values travel",
        &signed(
            &by_surface(&of.flows.added, |it| it.surface),
            &by_surface(&of.flows.removed, |it| it.surface),
            |it| format!("{}, {}", flow(it), at(&it.sink_place)),
        ),
    );
    section(out, "depends on", &dependencies(of));
    unreadable(out, of);
    files(out, of);
    section(
        out,
        "could not be analysed",
        &signed(&of.unread.added, &of.unread.removed, |unread| {
            format!("{}: {}", short(&unread.path), short(&unread.why))
        }),
    );
}

fn by_surface<'a, T>(list: &[&'a T], surface: impl Fn(&T) -> Surface) -> Vec<&'a T> {
    let mut list = list.to_vec();
    list.sort_by_key(|one| surface(one));
    list
}

fn ability(it: &Capability) -> String {
    format!(
        "{} {} ({}, {})",
        it.kind.in_words(),
        it.surface.in_words(),
        short(&it.detail),
        at(&it.place)
    )
}

fn host(it: &Host) -> String {
    let class = it
        .class
        .in_words()
        .map_or(String::new(), |class| format!(", {class}"));
    format!(
        "{}{class} {} ({})",
        short(&it.host),
        it.surface.in_words(),
        at(&it.place)
    )
}

fn dependencies(difference: &Difference<'_>) -> Vec<String> {
    let mut lines: Vec<String> = difference
        .dependencies
        .iter()
        .map(|it| {
            let field = match it.field {
                "dependencies" => String::new(),
                other => format!(" ({other})"),
            };
            let name = short(it.name);
            match (it.before, it.after) {
                (None, Some(after)) => format!("+ {name} {}{field}", short(after)),
                (Some(before), None) => format!("- {name} {}{field}", short(before)),
                (before, after) => format!(
                    "~ {name} {} -> {}{field}",
                    short(before.unwrap_or_default()),
                    short(after.unwrap_or_default())
                ),
            }
        })
        .collect();
    // What is new first: `+` sorts before `-` and `~`.
    lines.sort();
    lines
}

fn unreadable(out: &mut String, difference: &Difference<'_>) {
    let binary = |it: &&Binary| {
        let disguise = it
            .disguise
            .as_ref()
            .map_or(String::new(), |name| format!(" named {}", short(name)));
        format!(
            "{}, {}{disguise}, {}",
            short(&it.path),
            it.format.in_words(),
            size(it.bytes)
        )
    };
    let mut binaries = signed(
        &difference.binaries.added,
        &difference.binaries.removed,
        binary,
    );
    binaries.extend(difference.rebuilt.iter().map(|(before, after)| {
        format!(
            "~ {}, {} -> {}",
            short(&after.path),
            size(before.bytes),
            size(after.bytes)
        )
    }));
    section(out, "binaries", &binaries);
    let mut unseen = signed(
        &difference.obfuscated.added,
        &difference.obfuscated.removed,
        |it| {
            format!(
                "{} is obfuscated {} ({})",
                short(&it.place.path),
                it.surface.in_words(),
                short(&it.criteria.join(", "))
            )
        },
    );
    unseen.extend(signed(
        &difference.hidden.added,
        &difference.hidden.removed,
        |it| format!("{} has {}", at(&it.place), it.kind.in_words()),
    ));
    section(out, "hard to read", &unseen);
}

fn files(out: &mut String, difference: &Difference<'_>) {
    let files = &difference.files;
    let (before, after) = (difference.before.size, difference.after.size);
    let mut heading = format!(
        "files: {} -> {}, {} -> {} unpacked",
        before.files,
        after.files,
        size(before.bytes),
        size(after.bytes)
    );
    for (number, what) in [
        (files.added.len(), "new"),
        (files.changed.len(), "changed"),
        (files.moved.len(), "moved"),
        (files.removed.len(), "gone"),
    ] {
        if number > 0 {
            let _ = write!(heading, "; {} {what}", counted(number, "file", "files"));
        }
    }
    let runs = |file: &FileDigest| match file.surface {
        None | Some(Surface::Unreferenced) => String::new(),
        Some(surface) => format!(", runs {}", surface.in_words()),
    };
    let mut lines = Vec::new();
    let mut added = files.added.clone();
    added.sort_by_key(|file| {
        (
            file.surface.unwrap_or(Surface::Unreferenced),
            std::cmp::Reverse(file.bytes),
        )
    });
    lines.extend(added.iter().map(|file| {
        format!(
            "+ {}, {}{}",
            short(&file.path),
            size(file.bytes),
            runs(file)
        )
    }));
    lines.extend(files.reached.iter().map(|(before, after)| {
        let earlier = before
            .surface
            .map_or("not run at all".to_owned(), |it| it.in_words().to_owned());
        let now = match runs(after) {
            none if none.is_empty() => ", not run any more".to_owned(),
            runs => runs,
        };
        format!("~ {}{now}; before {earlier}", short(&after.path))
    }));
    let mut changed = files.changed.clone();
    changed.sort_by_key(|(before, after)| std::cmp::Reverse(before.bytes.abs_diff(after.bytes)));
    lines.extend(changed.iter().map(|(before, after)| {
        format!(
            "~ {}, {} -> {}",
            short(&after.path),
            size(before.bytes),
            size(after.bytes)
        )
    }));
    lines.extend(
        files
            .removed
            .iter()
            .map(|file| format!("- {}, {}", short(&file.path), size(file.bytes))),
    );
    if before == after && lines.is_empty() && files.moved.is_empty() {
        return;
    }
    line(out, format_args!("  {heading}"));
    for text in lines.iter().take(LISTED) {
        line(out, format_args!("    {text}"));
    }
    if lines.len() > LISTED {
        line(
            out,
            format_args!("    ... and {} more", lines.len() - LISTED),
        );
    }
}

/// What a release does that another did not, one sentence each and the strongest first: what signals say of
/// it, then what is new and no signal minds.
pub(crate) fn behaviour(difference: &Difference<'_>, findings: &[Finding]) -> Vec<String> {
    let said = findings
        .iter()
        .map(|finding| format!("{}: {}", finding.signal, finding.message));
    let steps = difference.install_steps.added.iter();
    let steps = steps.map(|step| format!("runs at install time: {}: {}", step.event, step.command));
    let new = new_behaviour(difference).map(|words| format!("new in it: {words}"));
    said.chain(steps)
        .chain(new)
        .map(|sentence| printable(&sentence, 400))
        .collect()
}

/// What is new in behaviour since another release, in a few words; nothing if nothing is.
pub(super) fn new_behaviour(difference: &Difference<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for (number, one, many) in [
        (
            difference.install_steps.added.len(),
            "install step",
            "install steps",
        ),
        (difference.capabilities.added.len(), "ability", "abilities"),
        (difference.hosts.added.len(), "host", "hosts"),
        (difference.flows.added.len(), "flow", "flows"),
        (difference.binaries.added.len(), "binary", "binaries"),
        (
            difference.obfuscated.added.len(),
            "obfuscated file",
            "obfuscated files",
        ),
        (difference.hidden.added.len(), "hidden text", "hidden texts"),
    ] {
        if number > 0 {
            parts.push(counted(number, one, many));
        }
    }
    (!parts.is_empty()).then(|| super::words::list(parts))
}
