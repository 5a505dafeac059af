//! The ways by which a package comes into a project, for people.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use weir_model::json::v1::{Why, WhyKnown, WhyRelease, WhyStep};

use super::words::day;
use crate::counted::counted;

/// A package that had its first release within this many days is pointed out, and so is a dependency that
/// came with a release as young.
const YOUNG_DAYS: i64 = 30;

/// The whole report.
pub(crate) fn text(report: &Why, now: Timestamp) -> String {
    let mut out = String::new();
    for lockfile in &report.lockfiles {
        for release in &lockfile.found {
            one(&mut out, release, &lockfile.file, now);
        }
    }
    out
}

fn one(out: &mut String, release: &WhyRelease, file: &str, now: Timestamp) {
    let ways = match (release.paths.len(), release.more) {
        (0, _) => "nothing in it leads there".to_owned(),
        (ways, true) => format!("{} and more", counted(ways, "way", "ways")),
        (ways, false) => counted(ways, "way", "ways"),
    };
    let _ = writeln!(
        out,
        "{}, in {file}: {ways}",
        label(&release.name, release.version.as_deref())
    );
    for path in &release.paths {
        let _ = writeln!(out);
        for (depth, step) in path.iter().enumerate() {
            line(out, step, depth, now);
        }
    }
    let _ = writeln!(out);
}

fn line(out: &mut String, step: &WhyStep, depth: usize, now: Timestamp) {
    let indent = "  ".repeat(depth + 1);
    let mut text = label(&step.name, step.version.as_deref());
    if let Some(spec) = &step.spec {
        let _ = write!(text, " ({spec}");
        match step.list {
            Some("dependencies") | None => text.push(')'),
            Some(list) => {
                let _ = write!(text, ", {list})");
            }
        }
    }
    let mut notes: Vec<String> = step
        .release
        .iter()
        .flat_map(|known| notes(known, now))
        .collect();
    if let Some(since) = &step.since
        && let Some(after) = &since.after
    {
        let patch = if since.patch { ", a patch" } else { "" };
        let young = is_young(since.published.as_deref(), now);
        let mark = if young { "! " } else { "" };
        notes.push(format!(
            "{mark}asked for since {} (not by {after}{patch})",
            since.version
        ));
    }
    let notes = notes.join("; ");
    let gap = if notes.is_empty() { "" } else { "  " };
    let _ = writeln!(out, "{indent}{text}{gap}{notes}");
}

fn notes(known: &WhyKnown, now: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    match known.published.as_deref().and_then(time) {
        Some(published) => notes.push(format!(
            "published {} ({})",
            day(published),
            age(published, now)
        )),
        None => notes.push("publish time not known".to_owned()),
    }
    if is_young(known.package_since.as_deref(), now)
        && let Some(since) = known.package_since.as_deref().and_then(time)
    {
        notes.push(format!(
            "! the package is {} old",
            span(now.duration_since(since))
        ));
    }
    if let Some(seen) = known.first_seen.as_deref().and_then(time) {
        notes.push(format!("first seen here {}", day(seen)));
    }
    notes.push(match &known.decision {
        Some(decision) => decision.action.to_string(),
        None => "no decision in force here".to_owned(),
    });
    if let Some(why) = &known.unknown {
        notes.push(format!("not known: {why}"));
    }
    notes
}

fn label(name: &str, version: Option<&str>) -> String {
    version.map_or_else(|| name.to_owned(), |version| format!("{name}@{version}"))
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn is_young(since: Option<&str>, now: Timestamp) -> bool {
    since
        .and_then(time)
        .is_some_and(|since| now.duration_since(since).as_hours() < YOUNG_DAYS * 24)
}

fn age(published: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(published);
    if age.is_negative() {
        "in the future".to_owned()
    } else {
        format!("{} ago", span(age))
    }
}

fn span(age: SignedDuration) -> String {
    match (age.as_hours(), age.as_hours() / 24) {
        (hours, _) if hours < 48 => format!("{hours} h"),
        (_, days) if days < 730 => format!("{days} days"),
        (_, days) => format!("{} years", days / 365),
    }
}
