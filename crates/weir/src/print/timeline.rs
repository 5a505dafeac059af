//! A release among its past, as a table and as a picture: what differs is seen at a glance.

use std::fmt::Write as _;

use weir_engine::{History, PastRelease};
use weir_model::finding::printable;
use weir_npm::version::Version;

use super::line;
use super::words::list;

/// Marks a value that differs from that of the release before.
const CHANGED: char = '*';

/// The columns, in order.
const HEADS: [&str; 8] = [
    "version",
    "by",
    "evidence",
    "commit",
    "runs at install",
    "deps",
    "files",
    "bytes",
];

/// What says nothing, in a column where every release has it.
const NOTHING_KNOWN: &str = "not known";

/// What stands for a time that the registry does not say.
const NO_TIME: &str = "time not known";

/// The table, oldest release first. A column of which nothing is known is named below instead.
pub(crate) fn text(out: &mut String, history: &History) {
    if let Some(why) = history.why_none() {
        line(out, format_args!("  No history to show: {why}"));
        return;
    }
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut before: Option<[String; 8]> = None;
    for release in &history.releases {
        let values = values(release);
        let cells = values.iter().enumerate().map(|(column, value)| {
            let same = before
                .as_ref()
                .and_then(|before| before.get(column))
                .is_none_or(|old| old == value);
            let mark = if same || column == 0 { ' ' } else { CHANGED };
            format!("{mark}{value}")
        });
        let day = match release.published {
            Some(published) => {
                let day: String = format!("{published:.0}").chars().take(16).collect();
                day.replace('T', " ")
            }
            None => NO_TIME.to_owned(),
        };
        let lead = if release.asked { "> " } else { "  " };
        rows.push((format!("{lead}{day}"), cells.collect()));
        before = Some(values);
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| cells.get(column));
        let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        longest.max(HEADS.get(column).map_or(0, |head| head.len() + 1))
    };
    let is_unknown = |column: &usize| {
        let mut cells = rows.iter().filter_map(|(_, cells)| cells.get(*column));
        cells.all(|cell| cell.trim() == NOTHING_KNOWN)
    };
    let (unknown, known): (Vec<usize>, Vec<usize>) = (0..HEADS.len()).partition(is_unknown);
    let widths: Vec<(usize, usize)> = known.into_iter().map(|it| (it, width(it))).collect();
    line(
        out,
        format_args!("  History, oldest first; {CHANGED} differs from the release before it:"),
    );
    about_order(out, history);
    let mut head = format!("    {:18}", "published");
    for (column, width) in &widths {
        let name = HEADS.get(*column).unwrap_or(&"");
        let _ = write!(head, "  {:width$}", format!(" {name}"));
    }
    line(out, format_args!("{}", head.trim_end()));
    for (lead, cells) in &rows {
        let mut row = format!("  {lead:20}");
        for (column, width) in &widths {
            let cell = cells.get(*column).map_or("", String::as_str);
            let _ = write!(row, "  {cell:width$}");
        }
        line(out, format_args!("{}", row.trim_end()));
    }
    if !unknown.is_empty() {
        let names = unknown.iter().filter_map(|column| HEADS.get(*column));
        let names = list(names.map(|name| (*name).to_owned()));
        line(out, format_args!("    not known of any of them: {names}"));
    }
}

/// What is left out of the table, and whether its order is one to believe.
fn about_order(out: &mut String, history: &History) {
    if history.left_out > 0 {
        line(
            out,
            format_args!("    {} earlier releases", history.left_out),
        );
    }
    if is_out_of_order(history) {
        line(
            out,
            format_args!(
                "    by the registry's times, in which lower versions of a line come after higher ones: mirrors \
                 stamp old versions with the day they fetched them"
            ),
        );
    }
}

/// Whether a release came out after a higher one of its own line by the times that the registry gives. Old lines are
/// patched later, but nobody publishes below what there is in one.
fn is_out_of_order(history: &History) -> bool {
    let timed = history.releases.iter().filter(|it| it.published.is_some());
    let parsed: Vec<Version> = timed
        .filter_map(|release| Version::parse(&release.version).ok())
        .filter(|version| !version.is_prerelease())
        .collect();
    let minor = |version: &Version| (version.major(), version.minor());
    parsed.iter().enumerate().any(|(place, version)| {
        let mut earlier = parsed.iter().take(place);
        earlier.any(|it| minor(it) == minor(version) && it.precedence(version).is_gt())
    })
}

fn values(release: &PastRelease) -> [String; 8] {
    let known = |number: Option<u64>| number.map_or(NOTHING_KNOWN.to_owned(), |it| it.to_string());
    let publisher = release.publisher.as_deref().unwrap_or(NOTHING_KNOWN);
    let dependencies = match (release.dependencies, release.remote) {
        (None, _) => NOTHING_KNOWN.to_owned(),
        (Some(count), 0) => count.to_string(),
        (Some(count), remote) => format!("{count} ({remote} from outside)"),
    };
    let commit = match release.commit {
        None => NOTHING_KNOWN,
        Some(true) => "yes",
        Some(false) => "no",
    };
    let hooks = match release.hooks.as_deref() {
        None => NOTHING_KNOWN.to_owned(),
        Some([]) => "nothing".to_owned(),
        Some(hooks) => hooks.join(", "),
    };
    [
        printable(&release.version, 40),
        printable(publisher, 40),
        release.trust.unwrap_or(NOTHING_KNOWN).to_owned(),
        commit.to_owned(),
        hooks,
        dependencies,
        known(release.files),
        known(release.bytes),
    ]
}

/// Size of the picture, and its margins.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 70.0;

/// Where the bars of sizes stand.
const FLOOR: f64 = 380.0;
const BARS: f64 = 90.0;

/// The picture: time to the right, one lane per publisher, a mark per release whose colour says what
/// evidence of its origin it has and whose shape says whether anything runs at install time, and
/// below it how large it is. Text in it is escaped; it holds no script and no address.
pub(crate) fn svg(history: &History) -> String {
    let releases = &history.releases;
    let mut lanes: Vec<&str> = Vec::new();
    for release in releases {
        let lane = release.publisher.as_deref().unwrap_or("not known");
        if !lanes.contains(&lane) {
            lanes.push(lane);
        }
    }
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let title = format!("{}: releases by publisher, size below", history.name);
    let _ = writeln!(
        out,
        "<text x=\"12\" y=\"22\" font-size=\"15\">{}</text>\n<text x=\"12\" y=\"42\" fill=\"#555\">{}</text>",
        escaped(&title),
        legend(releases)
    );
    let step = (FLOOR - BARS - TOP - 30.0) / lanes.len().max(1) as f64;
    for (place, lane) in lanes.iter().enumerate() {
        let y = TOP + step * (place as f64 + 0.5);
        let _ = writeln!(
            out,
            "<text x=\"12\" y=\"{:.0}\">{}</text><line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.0}\" y2=\"{y:.0}\" \
             stroke=\"#ddd\"/>",
            y + 4.0,
            escaped(&printable(lane, 22)),
            WIDTH - RIGHT
        );
    }
    let largest = releases
        .iter()
        .filter_map(|it| it.bytes)
        .max()
        .unwrap_or(1)
        .max(1);
    for (place, release) in releases.iter().enumerate() {
        let lane = release.publisher.as_deref().unwrap_or("not known");
        let lane = lanes.iter().position(|it| *it == lane).unwrap_or(0);
        // Evenly spaced: three releases within an hour have to be told apart.
        let room = (WIDTH - LEFT - RIGHT) / releases.len().max(1) as f64;
        let x = LEFT + room * (place as f64 + 0.5);
        let y = TOP + step * (lane as f64 + 0.5);
        mark(&mut out, release, x, y);
        let bar = release.bytes.map_or(0.0, |bytes| {
            BARS * (bytes.max(1) as f64).ln_1p() / (largest as f64).ln_1p()
        });
        let colour = if release.asked { "#c33" } else { "#bbb" };
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{bar:.1}\" fill=\"{colour}\"/>",
            x - room * 0.3,
            FLOOR - bar,
            room * 0.6
        );
        let day = match release.published {
            Some(published) => format!("{published:.0}").chars().take(10).collect(),
            None => NO_TIME.to_owned(),
        };
        for (text, down) in [(printable(&release.version, 14), 14.0), (day, 28.0)] {
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"9\">{}</text>",
                FLOOR + down,
                escaped(&text)
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

/// What colours and shapes mean. What is not known of any release is not said to be missing.
fn legend(releases: &[PastRelease]) -> String {
    let mut colours = vec!["blue: provenance", "green: workflow or approved"];
    if releases.iter().any(|it| it.trust == Some("none")) {
        colours.insert(0, "grey: no evidence of origin");
    }
    if releases.iter().any(|it| it.trust.is_none()) {
        colours.push("white: evidence not known");
    }
    let mut shapes = vec!["square: runs something at install"];
    if releases.iter().any(|it| it.hooks.is_none()) {
        shapes.push("dashed: what it runs is not known");
    }
    shapes.push("red ring: the release asked for");
    format!("{}; {}", colours.join(", "), shapes.join("; "))
}

fn mark(out: &mut String, release: &PastRelease, x: f64, y: f64) {
    let colour = match release.trust {
        None => "#fff",
        Some("none") => "#999",
        Some("provenance") => "#36c",
        Some(_) => "#393",
    };
    let outline = match (release.trust, &release.hooks) {
        (_, None) => " stroke=\"#333\" stroke-dasharray=\"3 2\"",
        (None, Some(_)) => " stroke=\"#333\"",
        _ => "",
    };
    let runs = release.hooks.as_ref().is_some_and(|it| !it.is_empty());
    let _ = if runs {
        write!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"14\" height=\"14\" fill=\"{colour}\"{outline}>",
            x - 7.0,
            y - 7.0
        )
    } else {
        write!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\" fill=\"{colour}\"{outline}>"
        )
    };
    let time = release.published.map(|time| time.to_string());
    let time = time.unwrap_or_else(|| NO_TIME.to_owned());
    let told = format!("{time} {}", values(release).join(", "));
    let end = if runs { "rect" } else { "circle" };
    let _ = writeln!(out, "<title>{}</title></{end}>", escaped(&told));
    if release.asked {
        let _ = writeln!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"13\" fill=\"none\" stroke=\"#c33\" stroke-width=\"2\"/>"
        );
    }
}

/// Text that is only text in XML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other if other.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(version: &str, publisher: Option<&str>, hooks: &[&str]) -> PastRelease {
        PastRelease {
            version: version.to_owned(),
            published: Some("2026-11-20T11:49:00Z".parse().unwrap()),
            publisher: publisher.map(str::to_owned),
            trust: Some("none"),
            commit: Some(hooks.is_empty()),
            hooks: Some(hooks.iter().map(|hook| (*hook).to_owned()).collect()),
            dependencies: Some(2),
            remote: hooks.len(),
            files: Some(3),
            bytes: None,
            asked: !hooks.is_empty(),
        }
    }

    fn history() -> History {
        History {
            name: "ledger<format>".to_owned(),
            left_out: 4,
            untimed: 0,
            releases: vec![
                release("1.4.1", Some("mara"), &[]),
                release("1.4.2", None, &["postinstall"]),
            ],
        }
    }

    #[test]
    fn what_differs_is_marked_and_what_is_not_known_says_so() {
        let mut out = String::new();
        text(&mut out, &history());
        let asked = out.lines().rev().nth(1).unwrap();
        assert!(asked.starts_with("  > 2026-11-20 11:49"), "{out}");
        for changed in ["*not known", "*postinstall", "*no", "*2 (1 from outside)"] {
            assert!(asked.contains(changed), "{changed}: {out}");
        }
        assert!(asked.ends_with(" 3"), "{out}");
        assert!(!asked.contains("*3"), "{out}");
        assert!(out.contains("4 earlier releases"), "{out}");
        // Nobody's size is known, and one publisher is.
        assert!(
            out.ends_with("    not known of any of them: bytes\n"),
            "{out}"
        );
        assert!(
            !out.contains(" bytes\n    20") && out.contains(" by "),
            "{out}"
        );
        let mut alone = history();
        alone.releases.truncate(1);
        let mut out = String::new();
        text(&mut out, &alone);
        assert_eq!(
            out,
            "  No history to show: no other release was out at that moment\n"
        );
    }

    #[test]
    fn times_that_go_against_the_numbers_are_the_registrys() {
        for (versions, told) in [
            (["1.4.1", "1.4.2"], false),
            (["1.4.2", "1.4.1"], true),
            // An older line is patched.
            (["2.0.0", "1.4.1"], false),
            (["1.5.0", "1.4.9"], false),
            (["1.4.2", "1.4.2-rc.1"], false),
        ] {
            let mut past = history();
            for (release, version) in past.releases.iter_mut().zip(versions) {
                release.version = version.to_owned();
            }
            let mut out = String::new();
            text(&mut out, &past);
            assert_eq!(
                out.contains("by the registry's times"),
                told,
                "{versions:?}: {out}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_not_said_to_be_none() {
        let mut unread = history();
        for release in &mut unread.releases {
            release.trust = None;
        }
        let last = unread.releases.last_mut().unwrap();
        (last.commit, last.hooks, last.dependencies) = (None, None, None);
        (last.remote, last.files) = (0, None);
        let mut out = String::new();
        text(&mut out, &unread);
        assert!(
            out.ends_with("    not known of any of them: evidence and bytes\n"),
            "{out}"
        );
        let asked = out.lines().rev().nth(1).unwrap();
        // Publisher, commit, what runs, dependencies, files.
        assert_eq!(asked.matches("*not known").count(), 5, "{out}");
        let picture = svg(&unread);
        assert!(!picture.contains("no evidence of origin"), "{picture}");
        for part in [
            "white: evidence not known",
            "dashed: what it runs is not known",
            "stroke-dasharray",
        ] {
            assert!(picture.contains(part), "{part}: {picture}");
        }
        // An outline each, and no attribute twice.
        assert_eq!(picture.matches("fill=\"#fff\" stroke=\"#333\"").count(), 2);
        let picture = svg(&history());
        assert!(picture.contains("grey: no evidence of origin"), "{picture}");
        for part in ["white:", "dashed:", "stroke-dasharray"] {
            assert!(!picture.contains(part), "{part}: {picture}");
        }
    }

    #[test]
    fn a_release_without_a_time_has_its_row_and_its_mark() {
        let mut history = history();
        history.releases[1].published = None;
        let mut out = String::new();
        text(&mut out, &history);
        assert!(out.contains("  > time not known "), "{out}");
        let picture = svg(&history);
        assert_eq!(picture.matches("r=\"13\"").count(), 1);
        assert!(picture.contains(">time not known</text>"), "{picture}");
        assert!(
            picture.contains("<title>time not known 1.4.2,"),
            "{picture}"
        );
    }

    #[test]
    fn the_picture_holds_every_release_and_no_markup_of_theirs() {
        let mut hostile = history();
        hostile.releases[0].publisher = Some("<script>x()</script>".to_owned());
        let picture = svg(&hostile);
        assert!(picture.contains("ledger&lt;format&gt;"));
        assert!(!picture.contains("<script"));
        assert_eq!(picture.matches("<title>").count(), 2);
        assert_eq!(picture.matches("r=\"13\"").count(), 1);
    }
}
