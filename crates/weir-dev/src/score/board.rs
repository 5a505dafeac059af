//! The scoreboard: `corpus/scoreboard.md`. No times and no machine in it, so that it can be compared.

use std::fmt::Write;

use weir_model::Severity;
use weir_model::finding::printable;

use super::benign::Benign;
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
            let high = Share::of(benign.packages.iter().map(|(_, seen)| seen.is_high()));
            let seen = Share::of(benign.packages.iter().map(|(_, seen)| seen.is_seen()));
            let _ = writeln!(
                text,
                "{what} packages: high {high}, anything above info {seen}"
            );
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

fn benign(benign: &Benign) -> String {
    let all = benign.packages.len();
    let count = |is: &dyn Fn(&Seen) -> bool| Share::of(benign.packages.iter().map(|(_, s)| is(s)));
    let per_thousand = |share: Share| share.found as f64 * 1000.0 / all.max(1) as f64;
    let unexplained = benign
        .packages
        .iter()
        .map(|(label, seen)| !label.explains(seen));
    let unexplained = Share::of(unexplained);
    let mut text =
        format!("{all} packages.\n\n| reported | packages | per 1,000 |\n|---|---|---|\n");
    for (words, share) in [
        ("severity high or more", count(&Seen::is_high)),
        ("the same without a written reason", unexplained),
        ("code or shape, medium or more", count(&Seen::is_medium)),
        ("code or shape, above info", count(&Seen::is_seen)),
        ("refused by the default policy", count(&Seen::is_refused)),
    ] {
        let _ = writeln!(text, "| {words} | {share} | {:.1} |", per_thousand(share));
    }
    text.push('\n');
    text += &by_signal(benign);
    let loud = |seen: &Seen| seen.is_high() || seen.is_refused();
    let listed = benign.packages.iter().filter(|(_, seen)| loud(seen));
    let beyond = listed.clone().count().saturating_sub(LISTED);
    for (label, seen) in listed.take(LISTED) {
        text += &alarm(&label.spec, seen);
        if let Some((kind, why)) = &label.hard {
            let _ = writeln!(text, "  - hard because: {why} ({kind})");
        }
        for (signal, why) in &label.reasons {
            let _ = writeln!(text, "  - {signal} is right: {why}");
        }
        if !label.explains(seen) {
            text += "  - **a false alarm**\n";
        }
    }
    if beyond > 0 {
        let _ = writeln!(text, "- and {beyond} more");
    }
    for broken in &benign.broken {
        let _ = writeln!(text, "- not judged: {}", plain(broken));
    }
    text
}

/// How many packages each signal speaks of, by severity.
fn by_signal(benign: &Benign) -> String {
    let mut counts = std::collections::BTreeMap::<&str, [usize; 2]>::new();
    for (_, seen) in &benign.packages {
        let mut highest = std::collections::BTreeMap::<&str, Severity>::new();
        for finding in &seen.findings {
            let known = highest.entry(&finding.signal).or_insert(finding.severity);
            *known = (*known).max(finding.severity);
        }
        for (signal, severity) in highest {
            let count = counts.entry(signal).or_default();
            if severity >= Severity::High {
                count[0] += 1;
            } else if severity > Severity::Info {
                count[1] += 1;
            }
        }
    }
    counts.retain(|_, count| *count != [0, 0]);
    let mut text =
        "| signal | packages with high | with low or medium |\n|---|---|---|\n".to_owned();
    for (signal, [high, lower]) in counts {
        let _ = writeln!(text, "| {signal} | {high} | {lower} |");
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
