//! The table of a walk through histories.

use std::fmt::Write as _;

use super::walk::Counts;

/// Most packages without a packument that are named; the rest is counted.
const NAMED: usize = 20;

fn per_thousand(count: usize, counts: &Counts) -> f64 {
    count as f64 * 1_000.0 / counts.updates.max(1) as f64
}

/// What it comes to, for the terminal.
pub(crate) fn summary(counts: &Counts) -> String {
    let of = |count: usize| format!("{count} ({:.2} per 1,000)", per_thousand(count, counts));
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} packages, {} updates: block {}, hold {}, notice {}; {:.0} µs each, the slowest {:.1} ms",
        counts.packages,
        counts.updates,
        of(counts.blocked),
        of(counts.held),
        of(counts.noticed),
        counts.seconds * 1e6 / counts.updates.max(1) as f64,
        counts.slowest * 1e3,
    );
    let _ = writeln!(
        text,
        "publisher not known: {}; other gaps: {}; packages without a packument: {}",
        of(counts.unknown_publisher),
        of(counts.other_gaps),
        counts.missing.len()
    );
    for (signal, count) in &counts.by_signal {
        let _ = writeln!(text, "{signal:24} {}", of(*count));
    }
    for stopped in &counts.stopped {
        let _ = writeln!(
            text,
            "{} {} {}",
            stopped.action, stopped.release, stopped.why
        );
    }
    text
}

/// The committed tables: in the order of publish times, and of version numbers where times cannot be
/// trusted.
pub(crate) fn render(by_time: &Counts, by_number: &Counts) -> String {
    let mut text = String::from(
        "# Real histories\n\n\
         Written by `cargo dev histories --write`; [docs/histories.md](../docs/histories.md) says how to read it.\n\n",
    );
    let _ = writeln!(
        text,
        "{} packages are looked at. {} more are in the lockfiles and have no packument here{}. In {} packages \
         releases of one line came out in another order than their numbers, by the times that the registry gives.\n",
        by_time.packages,
        by_time.missing.len(),
        named(by_time),
        by_time.shuffled,
    );
    text.push_str("## In the order of publish times\n\n");
    tables(&mut text, by_time);
    if by_time.shuffled > 0 {
        text.push_str(
            "\n## In the order of version numbers\n\n\
             Releases a week apart: what signals make of times and of the order of lines is not measured here.\n\n",
        );
        tables(&mut text, by_number);
    }
    text
}

fn tables(text: &mut String, counts: &Counts) {
    text.push_str("| updates | count | per 1,000 | budget per 1,000 |\n|---|---|---|---|\n");
    for (what, count, budget) in [
        ("all", counts.updates, ""),
        ("blocked", counts.blocked, "0.1"),
        ("held, age aside", counts.held, "3"),
        ("noticed", counts.noticed, "30"),
        ("allowed without a word", counts.allowed, ""),
        ("publisher not known", counts.unknown_publisher, ""),
        ("something else not known", counts.other_gaps, ""),
    ] {
        let _ = writeln!(
            text,
            "| {what} | {count} | {:.2} | {budget} |",
            per_thousand(count, counts)
        );
    }
    if !counts.by_signal.is_empty() {
        text.push_str("\n| signal | updates in which it counted | per 1,000 |\n|---|---|---|\n");
    }
    for (signal, count) in &counts.by_signal {
        let _ = writeln!(
            text,
            "| {signal} | {count} | {:.2} |",
            per_thousand(*count, counts)
        );
    }
    if counts.stopped.is_empty() {
        text.push_str("\nNone is blocked or held.\n");
        return;
    }
    text.push_str("\n| blocked or held | decision | kinds of evidence: signals |\n|---|---|---|\n");
    for stopped in &counts.stopped {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            stopped.release, stopped.action, stopped.why
        );
    }
}

fn named(counts: &Counts) -> String {
    if counts.missing.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = counts
        .missing
        .keys()
        .take(NAMED)
        .map(String::as_str)
        .collect();
    let more = counts.missing.len().saturating_sub(NAMED);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(": {}{more}", names.join(", "))
}
