//! What happened during one run of a client.

use std::collections::BTreeMap;
use std::time::Duration;

use weir_gateway::Summary;
use weir_gateway::session::{Held, Release, Seen};
use weir_model::Action;
use weir_model::assessment::{PUBLISH_TIME, PUBLISHER};
use weir_model::finding::printable;
use weir_npm::version::Version;

use super::{line, style};
use crate::counted::counted;

/// How many lines of one kind a summary prints before it only counts.
const SUMMARY_LINES: usize = 20;

/// One run of a client, as far as it shapes what is said.
pub(crate) struct Ran<'a> {
    /// How long it took.
    pub(crate) took: Duration,
    /// Whether nothing is refused.
    pub(crate) observes: bool,
    /// Whether the client failed.
    pub(crate) failed: bool,
    /// How weir is called to look at what was kept.
    pub(crate) weir: &'a str,
}

/// How the policy says that a gap was the reason.
const NOT_EVERYTHING: &str = "not everything could be checked";

/// What happened during one run of a client, which may have failed.
pub(crate) fn summary(summary: &Summary, unread: &[String], run: &Ran<'_>) -> String {
    let Ran {
        took,
        observes,
        failed,
        weir,
    } = *run;
    let mut out = String::new();
    let kept_out = KeptOut::of(summary, failed);
    // What is counted is what is told below: what made no difference to this run is neither.
    let count = |action| {
        let told = kept_out.told.iter();
        let told = told.filter(|(_, _, held)| held.action == action);
        summary.with_action(action).count() + told.count()
    };
    let cached = summary.seen.values().filter(|seen| seen.cached).count();
    line(
        &mut out,
        format_args!(
            "{}weir{}: {} seen, {cached} from cache, {} noticed, {} held, {} blocked; {:.1} s, of which \
             {:.1} s waiting for analyses (longest {:.2} s, many run side by side)",
            style::BOLD,
            style::BOLD.render_reset(),
            counted(summary.seen.len(), "release", "releases"),
            count(Action::Notice),
            count(Action::Hold),
            count(Action::Block),
            took.as_secs_f64(),
            summary.analysis.as_secs_f64(),
            summary.longest_analysis.as_secs_f64(),
        ),
    );
    for action in [Action::Block, Action::Hold, Action::Notice] {
        requested(&mut out, summary, action, run);
    }
    kept_out.print(&mut out, summary, weir);
    gaps(&mut out, summary, unread);
    if observes {
        line(
            &mut out,
            format_args!("  observe mode: {} was refused", not_refused(summary)),
        );
    }
    out
}

/// What observe mode refused nothing of: a tarball without a digest is refused all the same.
fn not_refused(summary: &Summary) -> &'static str {
    let mut seen = summary.seen.values();
    match seen.any(|seen| !seen.served && !seen.action.serves()) {
        true => "nothing else",
        false => "nothing",
    }
}

fn requested(out: &mut String, summary: &Summary, action: Action, run: &Ran<'_>) {
    let colour = style::of(action);
    let told = || {
        let all = summary.with_action(action);
        all.filter(|(_, seen)| action != Action::Notice || !is_a_gap_only(seen))
    };
    for (index, ((name, version), seen)) in told().enumerate() {
        if index == SUMMARY_LINES {
            let more = told().count() - index;
            line(
                out,
                format_args!("  ... and {more} more with decision {action}"),
            );
            break;
        }
        let what = match (action, seen.served) {
            (Action::Notice, _) => "notice",
            (Action::Hold, false) => "held",
            (Action::Block, false) => "blocked",
            (Action::Hold, true) if run.observes => "would be held",
            (Action::Block, true) if run.observes => "would be blocked",
            // Its contents were read after it was served, because it was long established.
            _ => "SERVED, AND REFUSED SINCE",
        };
        line(
            out,
            format_args!(
                "  {colour}{what}{colour:#} {name}@{version}: {}",
                reasons(&seen.reasons, 600)
            ),
        );
        if let Some(id) = &seen.block_id {
            let instead = seen
                .instead
                .as_ref()
                .map_or(String::new(), |v| format!(", use {v} instead"));
            line(out, format_args!("    {} explain {id}{instead}", run.weir));
        }
    }
}

/// Whether a release is noticed for nothing but that something of it could not be checked, which is told by itself.
fn is_a_gap_only(seen: &Seen) -> bool {
    let is_told = |gap: &String| !gap.starts_with(PUBLISHER) && !gap.starts_with(PUBLISH_TIME);
    let is_gap = |reason: &String| reason.contains(NOT_EVERYTHING);
    seen.incomplete.iter().any(is_told)
        && !seen.reasons.is_empty()
        && seen.reasons.iter().all(is_gap)
}

/// Reasons on one line. The first begins with the decision, which the line has said already.
fn reasons(reasons: &[String], limit: usize) -> String {
    let mut reasons = reasons.to_vec();
    if let Some(first) = reasons.first_mut()
        && let Some((_, rest)) = first.split_once(": ")
    {
        *first = rest.to_owned();
    }
    printable(&reasons.join("; "), limit)
}

/// Whether a version that was kept out is one that a resolution could have taken instead of those
/// in use: newer, in the same major line.
fn could_have_been(version: &str, used: &[&str]) -> bool {
    let Ok(version) = Version::parse(version) else {
        return true;
    };
    let used = used.iter().filter_map(|used| Version::parse(used).ok());
    used.into_iter()
        .any(|used| used.major() == version.major() && used < version)
}

/// Whether `latest` led to the kept out version, and leads to one in use now: whoever asked for no version in
/// particular got that in its place, an older major even.
fn stood_in(about: &str, used: &[&str]) -> bool {
    let tags = about.split(", ");
    let mut latest = tags.filter_map(|tag| tag.strip_prefix("tag latest leads to "));
    latest.any(|version| used.contains(&version))
}

/// What a version that was kept out has to do with the run, the clearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bearing {
    /// A tag led there, or its document was asked for.
    Asked,
    /// It is newer than what was used in its place.
    Newer,
    /// The client failed, and it is not known what it looked for.
    Perhaps,
}

/// Nothing where it made no difference: another line of the package was taken, or nobody asked.
fn bearing(version: &str, held: &Held, used: &[&str], failed: bool) -> Option<Bearing> {
    if !used.is_empty() && could_have_been(version, used) {
        return Some(Bearing::Newer);
    }
    let stood_in = |about: &str| stood_in(about, used);
    let about = held.about.as_deref();
    if about.is_some_and(|about| failed || used.is_empty() || stood_in(about)) {
        return Some(Bearing::Asked);
    }
    failed.then_some(Bearing::Perhaps)
}

/// Versions kept out of resolution of which no tarball was asked for: that one is told already.
fn unseen(summary: &Summary) -> impl Iterator<Item = (&Release, &Held)> {
    let held = summary.held.iter();
    held.filter(move |(release, _)| !summary.seen.contains_key(*release))
}

/// Versions kept out of resolution, as far as they have to do with the run.
struct KeptOut<'s> {
    /// Those that are told, the clearest first.
    told: Vec<(Bearing, &'s Release, &'s Held)>,
    /// How many more the client may have looked for.
    perhaps: usize,
}

impl<'s> KeptOut<'s> {
    /// A client that fails often prints no reason, and then all that was kept out is told: what it needed is among
    /// it. Where a release was refused, that is the reason, and what may have been looked for besides is only
    /// counted.
    fn of(summary: &'s Summary, failed: bool) -> Self {
        let told = unseen(summary).filter_map(|(release, held)| {
            let used = summary.used(&release.0);
            Some((bearing(&release.1, held, &used, failed)?, release, held))
        });
        let mut told: Vec<(Bearing, &Release, &Held)> = told.collect();
        told.sort_by_key(|(bearing, ..)| *bearing);
        let is_refused = |seen: &Seen| !seen.served && !seen.action.serves();
        let mut perhaps = 0;
        if summary.seen.values().any(is_refused) {
            let known = told.partition_point(|(bearing, ..)| *bearing != Bearing::Perhaps);
            perhaps = told.len() - known;
            told.truncate(known);
        }
        Self { told, perhaps }
    }

    fn print(&self, out: &mut String, summary: &Summary, weir: &str) {
        let perhaps = self.perhaps;
        if perhaps > 0 {
            line(
                out,
                format_args!(
                    "  {perhaps} more kept out of what could be chosen: {weir} ledger --event decided"
                ),
            );
        }
        for (bearing, release, held) in self.told.iter().take(SUMMARY_LINES) {
            one_kept_out(out, (summary, weir), *bearing, release, held);
        }
        if self.told.len() > SUMMARY_LINES {
            line(
                out,
                format_args!(
                    "  ... and {} more versions kept out",
                    self.told.len() - SUMMARY_LINES
                ),
            );
        }
    }
}

fn one_kept_out(
    out: &mut String,
    (summary, weir): (&Summary, &str),
    bearing: Bearing,
    (name, version): &Release,
    held: &Held,
) {
    let what = match held.action {
        Action::Block => "blocked",
        Action::Allow | Action::Notice | Action::Hold => "held",
    };
    let until = held
        .until
        .map_or(String::new(), |until| format!(", until {until}"));
    let (why, instead) = match (bearing, &held.instead) {
        (Bearing::Newer, _) => {
            let used = summary.used(name).join(", ");
            (format!("used {used} instead"), String::new())
        }
        (Bearing::Asked | Bearing::Perhaps, instead) => {
            let why = held.about.as_deref().unwrap_or("kept out");
            let instead = instead
                .as_ref()
                .map_or(String::new(), |version| format!(", use {version} instead"));
            (why.to_owned(), instead)
        }
    };
    let colour = style::of(held.action);
    line(
        out,
        format_args!(
            "  {colour}{what}{colour:#} {}{until}: {} ({}; {weir} explain {}{})",
            printable(&format!("{name}@{version}"), 300),
            reasons(&held.reasons, 400),
            printable(&why, 300),
            held.block_id,
            printable(&instead, 100)
        ),
    );
}

/// The gaps that many have come first, each with the first release that has it.
fn not_checked(out: &mut String, alike: BTreeMap<&str, Vec<&Release>>) {
    let mut alike: Vec<(&str, Vec<&Release>)> = alike.into_iter().collect();
    alike.sort_by_key(|(_, releases)| std::cmp::Reverse(releases.len()));
    for (gap, releases) in alike.iter().take(SUMMARY_LINES) {
        let Some((name, version)) = releases.first() else {
            continue;
        };
        let which = match releases.len() {
            1 => format!("{name}@{version}"),
            count => format!("{count} releases (first {name}@{version})"),
        };
        line(
            out,
            format_args!("  not checked {which}: {}", printable(gap, 400)),
        );
    }
    let rest = alike.iter().skip(SUMMARY_LINES);
    let rest: usize = rest.map(|(_, releases)| releases.len()).sum();
    if rest > 0 {
        line(
            out,
            format_args!("  ... and {rest} more not checked for other reasons"),
        );
    }
}

fn gaps(out: &mut String, summary: &Summary, unread: &[String]) {
    let (mut unknown_publishers, mut unknown_times) = (0_usize, 0_usize);
    // One registry may have the same to say of each: one line tells as much as a thousand.
    let mut alike: BTreeMap<&str, Vec<&Release>> = BTreeMap::new();
    for (release, seen) in &summary.seen {
        for gap in &seen.incomplete {
            if gap.starts_with(PUBLISHER) {
                unknown_publishers += 1;
            } else if gap.starts_with(PUBLISH_TIME) {
                unknown_times += 1;
            } else {
                alike.entry(gap).or_default().push(release);
            }
        }
    }
    not_checked(out, alike);
    for text in unread {
        line(out, format_args!("  not checked {}", printable(text, 400)));
    }
    if unknown_publishers > 0 {
        line(
            out,
            format_args!(
                "  not known of {}: who published them or the ones before; the registry does not say",
                counted(unknown_publishers, "release", "releases")
            ),
        );
    }
    if unknown_times > 0 {
        line(
            out,
            format_args!(
                "  not known of {}: when they were published; the registry does not say, and their age is counted \
                 from when weir first saw them",
                counted(unknown_times, "release", "releases")
            ),
        );
    }
    if summary.stale > 0 {
        line(
            out,
            format_args!(
                "  {} packuments were stale: the upstream failed",
                summary.stale
            ),
        );
    }
    for text in summary.failed.iter().take(SUMMARY_LINES) {
        line(out, format_args!("  failed: {}", printable(text, 400)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(version: &str) -> Release {
        ("reed".to_owned(), version.to_owned())
    }

    fn held(version: &str, about: Option<&str>) -> (Release, Held) {
        let held = Held {
            action: Action::Block,
            reasons: vec!["blocked: an advisory".to_owned()],
            until: None,
            block_id: format!("w-{version}"),
            instead: Some("1.9.0".to_owned()),
            about: about.map(str::to_owned),
        };
        (release(version), held)
    }

    fn seen(served: bool) -> Seen {
        Seen {
            served,
            action: if served { Action::Allow } else { Action::Block },
            reasons: Vec::new(),
            block_id: None,
            instead: None,
            cached: false,
            incomplete: Vec::new(),
        }
    }

    fn told(summary: &Summary, failed: bool) -> String {
        told_by(summary, false, failed)
    }

    fn told_by(summary: &Summary, observes: bool, failed: bool) -> String {
        let run = Ran {
            took: Duration::ZERO,
            observes,
            failed,
            weir: "weir",
        };
        super::summary(summary, &[], &run)
    }

    #[test]
    fn what_was_kept_out_is_told_where_it_may_have_been_wanted() {
        const TAG: Option<&str> = Some("tag next is withheld");
        const LATEST: Option<&str> = Some("tag latest leads to 1.9.0");
        let latest =
            ["(tag latest leads to 1.9.0; weir explain w-2.0.0-beta.1, use 1.9.0 instead)"];
        let all = ["(tag next is withheld; weir explain w-2.0.0-beta.1, use 1.9.0 instead)"];
        let why = ["(kept out; weir explain w-2.0.0-beta.1, use 1.9.0 instead)"];
        let newer = ["(used 1.9.0 instead; weir explain w-1.10.0)"];
        for (version, about, used, failed, wanted) in [
            ("2.0.0-beta.1", TAG, None, true, &all[..]),
            ("2.0.0-beta.1", TAG, None, false, &all[..]),
            // The client failed, whatever for: what it looked for may have been this.
            ("2.0.0-beta.1", None, None, true, &why[..]),
            ("2.0.0-beta.1", None, Some("1.9.0"), true, &why[..]),
            ("2.0.0-beta.1", TAG, Some("1.9.0"), true, &all[..]),
            ("1.10.0", None, Some("1.9.0"), false, &newer[..]),
            ("1.10.0", TAG, Some("1.9.0"), true, &newer[..]),
            // Whoever asked for no version got an older major.
            ("2.0.0-beta.1", LATEST, Some("1.9.0"), false, &latest[..]),
            // Nobody missed it.
            ("2.0.0-beta.1", None, None, false, &[]),
            ("2.0.0-beta.1", LATEST, Some("1.8.0"), false, &[]),
            ("2.0.0-beta.1", TAG, Some("1.9.0"), false, &[]),
            ("1.8.1", None, Some("1.9.0"), false, &[]),
        ] {
            let mut summary = Summary::default();
            summary.held.extend([held(version, about)]);
            if let Some(used) = used {
                summary.seen.insert(release(used), seen(true));
            }
            let text = told(&summary, failed);
            let lines: Vec<&str> = text.lines().skip(1).collect();
            assert_eq!(lines.len(), wanted.len(), "{version} {about:?}: {text}");
            // Nobody is told of so many without being told which.
            let count = format!(", 0 held, {} blocked;", wanted.len());
            assert!(text.contains(&count), "{version} {about:?}: {text}");
            for (line, wanted) in lines.iter().zip(wanted) {
                assert!(line.contains(&format!("reed@{version}")), "{line}");
                assert!(line.ends_with(wanted), "{line}");
            }
        }
    }

    /// Who looks before refusing anything is not told that something was refused.
    #[test]
    fn observe_mode_says_what_would_be() {
        for (action, word) in [(Action::Block, "blocked"), (Action::Hold, "held")] {
            let mut summary = Summary::default();
            let late = Seen {
                action,
                ..seen(true)
            };
            summary.seen.insert(release("1.0.0"), late);
            let told = |observes| told_by(&summary, observes, false);
            let observed = told(true);
            assert!(observed.contains(&format!("would be {word}")), "{observed}");
            assert!(!observed.contains("SERVED"), "{observed}");
            assert!(
                observed.ends_with("observe mode: nothing was refused\n"),
                "{observed}"
            );
            let enforced = told(false);
            assert!(enforced.contains("SERVED, AND REFUSED SINCE"), "{enforced}");
        }
        // A tarball without a digest is refused in any mode.
        let mut summary = Summary::default();
        summary.seen.insert(release("1.0.0"), seen(false));
        let text = told_by(&summary, true, true);
        assert!(!text.contains("would be"), "{text}");
        assert!(
            text.ends_with("observe mode: nothing else was refused\n"),
            "{text}"
        );
    }

    #[test]
    fn what_could_not_be_checked_of_many_is_one_line() {
        const GAP: &str = "registry signature: the registry sends no keys";
        let with_gaps = |gaps: &[&str]| Seen {
            action: Action::Notice,
            reasons: vec![format!(
                "notice: {NOT_EVERYTHING}; the release is long established"
            )],
            incomplete: gaps.iter().map(|&gap| gap.to_owned()).collect(),
            ..seen(true)
        };
        let mut summary = Summary::default();
        for patch in 0..SUMMARY_LINES * 2 {
            let release = release(&format!("1.0.{patch}"));
            summary.seen.insert(release, with_gaps(&[GAP]));
        }
        summary.seen.insert(
            release("2.0.0"),
            with_gaps(&["contents: a file is cut off"]),
        );
        // What nothing else tells of is told.
        summary.seen.insert(release("3.0.0"), with_gaps(&[]));
        let text = told(&summary, false);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        let count = SUMMARY_LINES * 2;
        let expected = [
            format!("  notice reed@3.0.0: {NOT_EVERYTHING}; the release is long established"),
            format!("  not checked {count} releases (first reed@1.0.0): {GAP}"),
            "  not checked reed@2.0.0: contents: a file is cut off".to_owned(),
        ];
        let plain: Vec<String> = lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect();
        assert_eq!(plain, expected, "{text}");
        // As many reasons as releases end somewhere.
        let mut summary = Summary::default();
        for patch in 0..SUMMARY_LINES + 5 {
            let gap = format!("contents: file {patch} is cut off");
            summary
                .seen
                .insert(release(&format!("1.0.{patch}")), with_gaps(&[&gap]));
        }
        let text = told(&summary, false);
        assert_eq!(
            text.matches("not checked reed@").count(),
            SUMMARY_LINES,
            "{text}"
        );
        assert!(text.contains("... and 5 more not checked"), "{text}");
    }

    #[test]
    fn what_was_asked_for_comes_before_what_may_have_been() {
        let mut summary = Summary::default();
        let many = (0..SUMMARY_LINES + 5).map(|patch| held(&format!("1.0.{patch}"), None));
        summary.held.extend(many);
        let asked = held("9.0.0", Some("its document was asked for"));
        summary.held.extend([asked]);
        let text = told(&summary, true);
        let first = text.lines().nth(1).unwrap_or_default();
        assert!(first.contains("reed@9.0.0"), "{text}");
        assert!(text.contains("... and 6 more versions kept out"), "{text}");
    }

    #[test]
    fn where_a_release_was_refused_what_may_have_been_looked_for_is_counted() {
        let mut summary = Summary::default();
        let asked = held("9.0.0", Some("its document was asked for"));
        summary
            .held
            .extend([held("1.0.0", None), held("1.0.1", None), asked]);
        let refused = ("sedge".to_owned(), "2.0.0".to_owned());
        summary.seen.insert(refused, seen(false));
        let text = told(&summary, true);
        assert!(text.contains("sedge@2.0.0"), "{text}");
        assert!(text.contains("reed@9.0.0"), "{text}");
        assert!(!text.contains("reed@1.0.0"), "{text}");
        // The one that was refused and the one that was asked for.
        assert!(text.contains(" 2 blocked;"), "{text}");
        assert!(
            text.contains("  2 more kept out of what could be chosen"),
            "{text}"
        );
    }

    #[test]
    fn a_release_that_is_kept_out_and_refused_at_its_tarball_counts_once() {
        let mut summary = Summary::default();
        summary.held.extend([held("1.10.0", None)]);
        summary.seen.insert(release("1.10.0"), seen(false));
        let text = told(&summary, true);
        assert!(text.contains(" 1 blocked;"), "{text}");
    }
}
