//! The scoreboard: `corpus/scoreboard.md`. No times and no machine in it, so that it can be compared.

use std::fmt::Write;

use weir_model::Severity;
use weir_model::finding::printable;

use super::benign::{Benign, Judged};
use super::tally::{self, Share};
use super::{Scored, Seen, has_to_be_found};
use crate::corpus::{Kind, Style};

/// Releases of real packages listed by name at most.
const LISTED: usize = 60;

const HEAD: &str = "\
# Scoreboard

Written by `cargo dev score`; [docs/corpus.md](../docs/corpus.md) says how to read it. *Found* means a finding of \
severity high or more. *Written* counts stories in the style they were written in, *every style* those that are \
found in each style there is, and *packages* all packages of all styles. What is not found is listed below, \
openly: attackers can read this too, and they can run weir anyway.
";

/// The whole text. Parts that were not measured are taken over from what is there.
pub(super) fn render(
    scored: &[Scored<'_>],
    hard: Option<&Benign>,
    tarballs: Option<&Benign>,
    present: &str,
) -> String {
    let mut text = HEAD.to_owned();
    text += &behaviours(scored);
    text += &styles(scored);
    text += &incidents(scored);
    text += &ablation(scored);
    text += &twins(scored);
    let hard = hard.map(benign);
    text += &part(present, "hard benign packages", hard);
    let tarballs = tarballs.map(benign);
    text += &part(present, "real packages", tarballs);
    text += &misses(scored);
    text
}

/// A few lines for whoever runs it.
pub(super) fn summary(
    scored: &[Scored<'_>],
    hard: Option<&Benign>,
    tarballs: Option<&Benign>,
) -> String {
    let mut text = String::new();
    for (what, kind) in [("attacks", Kind::Attack), ("evasions", Kind::Evasion)] {
        let stories = tally::clusters(scored, |one| one.sample.kind == kind);
        let (written, every) = tally::recall(stories.values(), |one| one.alone.is_high());
        let packages = packages(scored, kind, Seen::is_high);
        let _ = writeln!(
            text,
            "{what}: found as written {written}, in every style {every}, packages {packages}"
        );
    }
    let false_alarms = packages(scored, Kind::Twin, Seen::is_high);
    let _ = writeln!(text, "benign twins reported as high: {false_alarms}");
    for (what, benign) in [("hard benign", hard), ("real", tarballs)] {
        if let Some(benign) = benign {
            for (when, of) in LOOKS {
                let share = |is: fn(&Seen) -> bool| {
                    Share::of(benign.packages.iter().map(|one| is(of(one))))
                };
                let (high, seen) = (share(Seen::is_high), share(Seen::is_seen));
                let _ = writeln!(
                    text,
                    "{what} packages, {when}: high {high}, anything above info {seen}"
                );
            }
        }
    }
    text
}

fn packages(scored: &[Scored<'_>], kind: Kind, is: impl Fn(&Seen) -> bool) -> Share {
    let of_kind = scored.iter().filter(|one| one.sample.kind == kind);
    Share::of(of_kind.map(|one| is(&one.alone)))
}

fn behaviours(scored: &[Scored<'_>]) -> String {
    let mut text = "\n## Recall by behaviour\n\n\
         | | behaviour | written | every style | packages | above info | refused | refused as update |\n\
         |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (code, words) in tally::BEHAVIOURS {
        row(&mut text, code, words, scored, |one| {
            one.sample.kind == Kind::Attack && one.sample.behaviour() == *code
        });
    }
    row(&mut text, "", "**all**", scored, |one| {
        one.sample.kind == Kind::Attack
    });
    row(&mut text, "", "evasions, not in the sum", scored, |one| {
        one.sample.kind == Kind::Evasion
    });
    text
}

fn row<'s>(
    text: &mut String,
    code: &str,
    words: &str,
    scored: &[Scored<'s>],
    keep: impl Fn(&Scored<'s>) -> bool,
) {
    let stories = tally::clusters(scored, &keep);
    let (written, every) = tally::recall(stories.values(), |one| one.alone.is_high());
    let kept = || scored.iter().filter(|one| keep(one));
    let of = |is: &dyn Fn(&Scored<'_>) -> bool| Share::of(kept().map(is));
    let _ = writeln!(
        text,
        "| {code} | {words} | {written} | {every} | {} | {} | {} | {} |",
        of(&|one| one.alone.is_high()),
        of(&|one| one.alone.is_seen()),
        of(&|one| one.alone.is_refused()),
        of(&|one| one.update.is_refused()),
    );
}

fn styles(scored: &[Scored<'_>]) -> String {
    let mut text = "\n## Recall by style\n\n\
         | style | found | above info | refused | found as update | refused as update |\n\
         |---|---|---|---|---|---|\n"
        .to_owned();
    for style in Style::ALL {
        let of =
            |is: &dyn Fn(&Scored<'_>) -> bool| Share::of(tally::in_style(scored, *style).map(is));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            style.as_str(),
            of(&|one| one.alone.is_high()),
            of(&|one| one.alone.is_seen()),
            of(&|one| one.alone.is_refused()),
            of(&|one| one.update.is_high()),
            of(&|one| one.update.is_refused()),
        );
    }
    text
}

/// Stories by the public incident that they follow.
fn incidents(scored: &[Scored<'_>]) -> String {
    let mut codes: Vec<&String> = scored
        .iter()
        .flat_map(|one| &one.sample.story.incidents)
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let rows = codes.into_iter().map(|code| {
        let stories = tally::clusters(scored, |one| {
            one.sample.kind == Kind::Attack && one.sample.story.incidents.contains(code)
        });
        let (written, _) = tally::recall(stories.values(), |one| one.alone.is_high());
        format!("{code} {}/{}", written.found, written.all)
    });
    let rows: Vec<String> = rows.collect();
    format!(
        "\n## Recall by incident\n\nStories that follow a public incident, found as written, of all: {}.\n",
        rows.join(", ")
    )
}

fn ablation(scored: &[Scored<'_>]) -> String {
    let mut text = "\n## What each signal is worth\n\n\
         Reports of severity high or more; *lost* is what would not be found without the signal.\n\n\
         | signal | packages | packages lost | stories lost | benign twins reported |\n\
         |---|---|---|---|---|\n"
        .to_owned();
    for (signal, worth) in tally::ablation(scored) {
        let _ = writeln!(
            text,
            "| {signal} | {} | {} | {} | {} |",
            worth.reports, worth.alone, worth.stories_alone, worth.twins
        );
    }
    text
}

fn twins(scored: &[Scored<'_>]) -> String {
    let stories = tally::clusters(scored, |one| !has_to_be_found(one));
    let of = |is: fn(&Seen) -> bool| {
        let share = stories.values().map(|cluster| {
            let mut packages = cluster.iter();
            packages.any(|one| is(&one.alone) || is(&one.update))
        });
        Share::of(share)
    };
    let mut text = format!(
        "\n## False findings on benign twins\n\nStories in which any style is reported: high {}, above info {}, \
         refused {}.\n\n",
        of(Seen::is_high),
        of(Seen::is_seen),
        of(Seen::is_refused),
    );
    for one in scored.iter().filter(|one| !has_to_be_found(one)) {
        for (label, seen) in [("", &one.alone), (", as an update", &one.update)] {
            if seen.is_high() || seen.is_refused() {
                let name = format!("{} ({}{label})", one.sample.id, one.style.as_str());
                text += &alarm(&name, seen);
            }
        }
    }
    text
}

/// A benign package that was reported: what was said, strongest first.
fn alarm(name: &str, seen: &Seen) -> String {
    let mut text = format!("- **{}**: {:?}\n", plain(name), seen.action).to_lowercase();
    let loud = seen
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::High || seen.is_refused())
        .filter(|finding| finding.severity > Severity::Info);
    for finding in loud.take(4) {
        let _ = writeln!(
            text,
            "  - {} {}: {}",
            finding.severity,
            finding.signal,
            plain(&finding.message)
        );
    }
    if seen.incomplete > 0 {
        let _ = writeln!(text, "  - not checked: {} things", seen.incomplete);
    }
    text
}

/// Text from a package is hostile to Markdown too.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in printable(text, 300).chars() {
        if "\\`*_<>[]|".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// One of the two looks at a benign package.
type Look = fn(&Judged) -> &Seen;

/// What the looks at a benign package are called.
const LOOKS: [(&str, Look); 2] = [
    ("two months old", |one| &one.seen),
    ("of this morning", |one| &one.fresh),
];

/// Whether something was seen of a package.
type Test = fn(&Seen) -> bool;

fn benign(benign: &Benign) -> String {
    let packages = &benign.packages;
    let count = |of: Look, is: Test| {
        let share = Share::of(packages.iter().map(|one| is(of(one))));
        let per_thousand = share.found as f64 * 1000.0 / packages.len().max(1) as f64;
        format!("{share}, {per_thousand:.1} per 1,000")
    };
    let mut text = format!("{} packages.\n\n| reported |", packages.len());
    for (when, _) in LOOKS {
        let _ = write!(text, " {when} |");
    }
    text += "\n|---|---|---|\n";
    let rows: [(&str, Test); 4] = [
        ("severity high or more", Seen::is_high),
        ("code or shape, medium or more", Seen::is_medium),
        ("code or shape, above info", Seen::is_seen),
        ("refused by the default policy", Seen::is_refused),
    ];
    for (words, is) in rows {
        let [old, fresh] = LOOKS.map(|(_, of)| count(of, is));
        let _ = writeln!(text, "| {words} | {old} | {fresh} |");
    }
    let [old, fresh] = LOOKS.map(|(_, of)| {
        let unexplained = packages.iter().map(|one| !one.label.explains(of(one)));
        Share::of(unexplained)
    });
    let _ = writeln!(
        text,
        "| severity high or more without a written reason | {old} | {fresh} |\n"
    );
    text += &by_signal(packages);
    for (when, of) in LOOKS {
        text += &listed(packages, when, of);
    }
    for broken in &benign.broken {
        let _ = writeln!(text, "- not judged: {}", plain(broken));
    }
    text
}

/// The packages that were reported loudly, by name.
fn listed(packages: &[Judged], when: &str, of: Look) -> String {
    let loud = |one: &&Judged| of(one).is_high() || of(one).is_refused();
    let listed: Vec<&Judged> = packages.iter().filter(loud).collect();
    let mut text = match listed.len() {
        0 => format!("None is high or refused, {when}.\n\n"),
        _ => format!("High or refused, {when}:\n\n"),
    };
    for one in listed.iter().take(LISTED) {
        text += &alarm(&one.label.spec, of(one));
        if let Some((kind, why)) = &one.label.hard {
            let _ = writeln!(text, "  - hard because: {why} ({kind})");
        }
        for (signal, why) in &one.label.reasons {
            let _ = writeln!(text, "  - {signal} is right: {why}");
        }
        if !one.label.explains(of(one)) {
            text += "  - **a false alarm**\n";
        }
    }
    if listed.len() > LISTED {
        let _ = writeln!(text, "- and {} more", listed.len() - LISTED);
    }
    if !listed.is_empty() {
        text.push('\n');
    }
    text
}

/// How many packages each signal speaks of, by severity, in both looks.
fn by_signal(packages: &[Judged]) -> String {
    let mut counts = std::collections::BTreeMap::<&str, [usize; 4]>::new();
    for one in packages {
        for ([high, lower], (_, of)) in [[0, 1], [2, 3]].into_iter().zip(LOOKS) {
            let mut highest = std::collections::BTreeMap::<&str, Severity>::new();
            for finding in &of(one).findings {
                let known = highest.entry(&finding.signal).or_insert(finding.severity);
                *known = (*known).max(finding.severity);
            }
            for (signal, severity) in highest {
                let at = match severity {
                    Severity::High | Severity::Critical => high,
                    Severity::Low | Severity::Medium => lower,
                    Severity::Info => continue,
                };
                if let Some(count) = counts.entry(signal).or_default().get_mut(at) {
                    *count += 1;
                }
            }
        }
    }
    let mut text = "| signal | packages with high | with low or medium | of this morning, high | low or medium |\n\
        |---|---|---|---|---|\n"
        .to_owned();
    for (signal, [high, lower, fresh_high, fresh_lower]) in counts {
        let _ = writeln!(
            text,
            "| {signal} | {high} | {lower} | {fresh_high} | {fresh_lower} |"
        );
    }
    text + "\n"
}

/// A part that needs more than the repository: as measured, else as it was.
fn part(present: &str, name: &str, measured: Option<String>) -> String {
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->\n"),
    );
    let kept = || {
        let (_, rest) = present.split_once(&begin)?;
        Some(rest.split_once(&end)?.0.to_owned())
    };
    let body = measured
        .or_else(kept)
        .unwrap_or_else(|| "Not measured yet.\n".to_owned());
    format!("\n## False findings on {name}\n\n{begin}{body}{end}")
}

fn misses(scored: &[Scored<'_>]) -> String {
    let mut text =
        "\n## Known misses\n\nStories that are not found in some style, with those styles.\n"
            .to_owned();
    for (title, kind) in [("attacks", Kind::Attack), ("evasions", Kind::Evasion)] {
        let stories = tally::clusters(scored, |one| one.sample.kind == kind);
        let _ = writeln!(text, "\n### Missed {title}\n");
        for (id, cluster) in stories {
            let missed: Vec<&str> = cluster
                .iter()
                .filter(|one| !one.alone.is_high())
                .map(|one| one.style.as_str())
                .collect();
            let Some(first) = cluster.first().filter(|_| !missed.is_empty()) else {
                continue;
            };
            let story = &first.sample.story;
            let which = if missed.len() == cluster.len() {
                "all styles".to_owned()
            } else {
                missed.join(", ")
            };
            let against = story.evades.as_ref();
            let against = against.map_or(String::new(), |signal| format!(" (against `{signal}`)"));
            let _ = writeln!(text, "- `{id}`{against}: {which}. {}", plain(&story.story));
        }
    }
    text
}
