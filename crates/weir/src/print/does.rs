//! What an ordinary package does, calmly, and why that is fine.

use std::collections::BTreeMap;

use weir_engine::{PreviousRelease, Profile, Since};
use weir_model::contents::{Binary, Flow, InstallStep, SourceKind, Surface, Unread};
use weir_model::{Assessment, Contents, Difference};

use super::changes::new_behaviour;
use super::line;
use super::note::heading;
use super::words::{at, day, flow, list, sentence, short, size};
use crate::counted::counted;

/// Hosts, files and the like that are named per line.
const NAMED: usize = 6;

/// Binaries that are named one by one.
const FEW: usize = 3;

/// What the package does, whether or not anything was found.
pub(super) fn what_it_does(out: &mut String, profile: &Profile, assessment: &Assessment) {
    let contents = &profile.contents;
    heading(out, "What it does");
    let mut quiet = true;
    let mut row = |what: &str, text: String| {
        quiet = false;
        line(out, format_args!("    {what:16} {text}"));
    };
    let since = profile.steps_since.iter().map(Option::as_ref);
    for (step, since) in contents
        .install_steps
        .iter()
        .zip(since.chain(std::iter::repeat(None)))
    {
        let known = since.map_or(String::new(), |since| {
            in_releases(step, since, profile.previous.as_ref())
        });
        row(
            &short(&step.event),
            format!("{}{known}", short(&step.command)),
        );
    }
    for surface in [
        Surface::Install,
        Surface::Import,
        Surface::Command,
        Surface::Worker,
    ] {
        let labels = std::iter::once(surface_label(surface)).chain(std::iter::repeat(""));
        for (label, text) in labels.zip(abilities_beside(contents, surface)) {
            row(label, text);
        }
    }
    if let Some(text) = hosts(contents) {
        row("talks to", text);
    }
    if !contents.binaries.is_empty() {
        row("binaries", binaries(&contents.binaries));
    }
    if !contents.obfuscated.is_empty() {
        let paths = contents.obfuscated.iter().map(|it| short(&it.place.path));
        row("obfuscated", named(paths.collect()));
    }
    if !contents.hidden.is_empty() {
        let places = contents.hidden.iter().map(|it| at(&it.place));
        row("hidden text", named(places.collect()));
    }
    if contents.size.files == 0 {
        line(
            out,
            format_args!("    not known: no file of it could be read"),
        );
    } else if quiet {
        line(
            out,
            format_args!("    nothing that reaches beyond its callers was found in its code"),
        );
    }
    line(
        out,
        format_args!(
            "    {:16} {}, {}",
            "size",
            counted(contents.size.files, "file", "files"),
            size(contents.size.bytes)
        ),
    );
    if assessment.counted().next().is_none() {
        line(
            out,
            format_args!("    {}", why_that_is_fine(profile, quiet)),
        );
    }
}

/// Only what was looked at and is so.
fn why_that_is_fine(profile: &Profile, quiet: bool) -> String {
    let contents = &profile.contents;
    let mut reasons = Vec::new();
    if let Some(PreviousRelease {
        version,
        contents: Ok(before),
    }) = &profile.previous
        && !quiet
        && new_behaviour(&Difference::between(before, contents)).is_none()
    {
        reasons.push(format!("{} did the same", short(version)));
    }
    // Some entries are no files, but parts of the analysis that ended early.
    let (files, parts): (Vec<&Unread>, Vec<&Unread>) =
        contents.unread.iter().partition(|unread| unread.is_file());
    let (texts, parts): (Vec<&Unread>, Vec<&Unread>) =
        parts.into_iter().partition(|unread| unread.is_evaluated());
    let leaving = what_leaves(contents);
    let followed = match (leaving.is_empty(), parts.is_empty()) {
        (true, true) => Some("no way was found on which a secret leaves it"),
        // One sentence: the second half takes back what the first alone would promise.
        (true, false) => Some(
            "values were followed through a part of it only, and no secret was found to leave that part",
        ),
        (false, false) => Some("values were followed through a part of it only"),
        (false, true) => None,
    };
    reasons.extend(leaving);
    reasons.extend(followed.map(str::to_owned));
    if !files.is_empty() {
        reasons.push(format!(
            "{} could not be read",
            counted(files.len(), "file", "files")
        ));
    }
    if !texts.is_empty() {
        reasons.push(format!(
            "{} text that could not be read",
            match texts.len() {
                1 => "1 file evaluates".to_owned(),
                more => format!("{more} files evaluate"),
            }
        ));
    }
    if !contents.unscanned.is_empty() {
        reasons.push(format!(
            "your rules did not come to an end over {}",
            counted(contents.unscanned.len(), "file", "files")
        ));
    }
    if contents.rule_hits_left_out > 0 {
        reasons.push(format!(
            "{} of your rules hit and {} left out",
            contents.rule_hits_left_out,
            if contents.rule_hits_left_out == 1 {
                "was"
            } else {
                "were"
            }
        ));
    }
    format!("{}.", sentence(&reasons.join("; ")))
}

/// What of value was found to leave the package; nothing if nothing was.
fn what_leaves(contents: &Contents) -> Vec<String> {
    let mut leaving: Vec<&Flow> = contents
        .flows
        .iter()
        .filter(|flow| {
            flow.sink.leaves()
                && flow.surface != Surface::Unreferenced
                && !matches!(
                    flow.source,
                    SourceKind::Fetched | SourceKind::Decoded | SourceKind::HostFacts
                )
        })
        .collect();
    let mut variables: Vec<String> = leaving
        .iter()
        .filter(|flow| flow.source == SourceKind::SecretVariable)
        .map(|flow| short(&flow.source_detail))
        .collect();
    variables.sort();
    variables.dedup();
    leaving.retain(|flow| flow.source != SourceKind::SecretVariable);
    let mut parts: Vec<String> = leaving
        .iter()
        .take(NAMED)
        .map(|it| format!("{}, {}", flow(it), at(&it.sink_place)))
        .collect();
    if !variables.is_empty() {
        parts.push(format!(
            "it sends {}, as clients send their own key",
            named(variables)
        ));
    }
    parts
}

/// Since when a step has been there, and whether the release that this one is measured by has it. Others before this
/// one that have it are no past where they were refused, or where it is not known when they were published.
fn in_releases(step: &InstallStep, since: &Since, previous: Option<&PreviousRelease>) -> String {
    let has = |before: &Contents| before.install_steps.iter().any(|it| is_same(it, step));
    let alone = since.releases < 2;
    let measured = match previous {
        Some(PreviousRelease {
            version,
            contents: Ok(before),
        }) => match has(before) {
            false => format!(", not in {}", short(version)),
            true if alone => format!(", the same as in {}", short(version)),
            true => String::new(),
        },
        _ => String::new(),
    };
    if alone {
        return measured;
    }
    let published = since
        .published
        .map_or(String::new(), |time| format!(" of {}", day(time)));
    format!(
        "{measured}, the same since {}{published} ({} releases)",
        short(&since.version),
        since.releases
    )
}

/// Whether two releases run the same. Numbers may differ, as when the version is spelled out.
fn is_same(one: &InstallStep, other: &InstallStep) -> bool {
    let letters = |step: &InstallStep| -> String {
        let letters = step.command.trim().chars();
        letters.filter(|it| !it.is_ascii_digit()).collect()
    };
    one.event == other.event && letters(one) == letters(other)
}

const fn surface_label(surface: Surface) -> &'static str {
    match surface {
        Surface::Install => "at install time",
        Surface::Import => "on import",
        Surface::Command => "as a command",
        Surface::Worker => "in a worker",
        Surface::Unreferenced => "unused",
    }
}

/// What code that runs at install time is able to do.
pub(crate) fn able_at_install(contents: &Contents) -> Option<String> {
    let parts = abilities(contents, Surface::Install);
    (!parts.is_empty()).then(|| named(parts))
}

/// Fewest abilities that are counted instead of told twice.
const ALIKE: usize = 3;

/// The abilities on a surface. Those that were told of code that is imported are only counted, where there are
/// several: a command mostly calls that code.
fn abilities_beside(contents: &Contents, surface: Surface) -> Vec<String> {
    let all = abilities(contents, surface);
    if !matches!(surface, Surface::Command | Surface::Worker) {
        return all;
    }
    let imported = abilities(contents, Surface::Import);
    let (alike, mut own): (Vec<String>, Vec<String>) = all
        .iter()
        .cloned()
        .partition(|text| imported.contains(text));
    if alike.len() < ALIKE {
        return all;
    }
    own.push(match alike.len() == imported.len() {
        true => "what it does on import".to_owned(),
        false => format!("{} of what it does on import", alike.len()),
    });
    own
}

fn abilities(contents: &Contents, surface: Surface) -> Vec<String> {
    let all = contents.capabilities.iter();
    all.filter(|it| it.surface == surface)
        .map(|it| format!("{} ({})", it.kind.in_words(), at(&it.place)))
        .collect()
}

fn hosts(contents: &Contents) -> Option<String> {
    let mut names: Vec<String> = contents
        .hosts
        .iter()
        .filter(|host| host.surface != Surface::Unreferenced)
        .map(|host| match host.class.in_words() {
            Some(class) => format!("{} ({class})", short(&host.host)),
            None => short(&host.host),
        })
        .collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| named(names))
}

/// Each by its name where there are few, else how many there are of each format, with an example.
fn binaries(binaries: &[Binary]) -> String {
    let bytes = size(binaries.iter().map(|it| it.bytes).sum());
    if binaries.len() <= FEW {
        let names = binaries
            .iter()
            .map(|it| format!("{} ({})", short(&it.path), it.format.in_words()));
        return format!("{bytes} in all: {}", named(names.collect()));
    }
    let mut formats: BTreeMap<&str, Vec<&Binary>> = BTreeMap::new();
    for binary in binaries {
        let of_format = formats.entry(binary.format.in_words());
        of_format.or_default().push(binary);
    }
    let told = |(format, all): (&str, Vec<&Binary>)| {
        let example = all.first().map_or(String::new(), |it| short(&it.path));
        match all.len() {
            1 => format!("{format} ({example})"),
            more => format!("{format}, {more} times (such as {example})"),
        }
    };
    let formats = formats.into_iter().map(told);
    format!(
        "{bytes} in {} files: {}",
        binaries.len(),
        named(formats.collect())
    )
}

/// The first few of a list, and how many more there are.
fn named(mut parts: Vec<String>) -> String {
    let more = parts.len().saturating_sub(NAMED);
    parts.truncate(NAMED);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    list(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(command: &str) -> InstallStep {
        InstallStep {
            event: "postinstall".to_owned(),
            command: command.to_owned(),
            reaches: Vec::new(),
        }
    }

    /// A release before, that runs these commands when it is installed.
    fn before(commands: &[&str]) -> PreviousRelease {
        let install_steps = commands.iter().map(|command| step(command)).collect();
        PreviousRelease {
            version: "1.0.10".to_owned(),
            contents: Ok(Contents {
                install_steps,
                ..Contents::default()
            }),
        }
    }

    #[test]
    fn what_was_not_followed_is_not_promised() {
        let unread = |path: &str| Unread {
            path: path.to_owned(),
            suspicious: false,
            why: "it stopped at its limit".to_owned(),
        };
        let profile = |unread: Vec<Unread>| Profile {
            contents: Contents {
                unread,
                ..Contents::default()
            },
            previous: None,
            steps_since: Vec::new(),
        };
        let text = Unread {
            why: format!("{} does not parse", Unread::EVALUATED),
            ..unread("template.js")
        };
        for (unread, expected) in [
            (
                vec![text],
                "No way was found on which a secret leaves it; 1 file evaluates text that could not be read.",
            ),
            (vec![], "No way was found on which a secret leaves it."),
            (
                vec![unread("value flow")],
                "Values were followed through a part of it only, and no secret was found to leave that part.",
            ),
            (
                vec![unread("lib/a.js")],
                "No way was found on which a secret leaves it; 1 file could not be read.",
            ),
        ] {
            assert_eq!(why_that_is_fine(&profile(unread), true), expected);
        }
    }

    #[test]
    fn a_step_is_said_to_be_missing_only_in_the_release_that_was_looked_at() {
        let unread = PreviousRelease {
            contents: Err("nobody could".to_owned()),
            ..before(&[])
        };
        let row = ", the same since 1.0.8 (3 releases)";
        for (previous, alone, in_a_row) in [
            (
                Some(before(&["node a.js 1.0.10"])),
                ", the same as in 1.0.10",
                row.to_owned(),
            ),
            (
                Some(before(&["node b.js"])),
                ", not in 1.0.10",
                format!(", not in 1.0.10{row}"),
            ),
            (
                Some(before(&[])),
                ", not in 1.0.10",
                format!(", not in 1.0.10{row}"),
            ),
            (Some(unread), "", row.to_owned()),
            (None, "", row.to_owned()),
        ] {
            for (version, releases, expected) in
                [("1.0.11", 1, alone), ("1.0.8", 3, in_a_row.as_str())]
            {
                let since = Since {
                    version: version.to_owned(),
                    published: None,
                    releases,
                };
                let told = in_releases(&step("node a.js 1.0.11"), &since, previous.as_ref());
                assert_eq!(told, expected, "{previous:?}");
            }
        }
    }
}
