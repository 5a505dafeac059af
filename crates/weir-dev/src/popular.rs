//! `cargo dev popular`: the names that people trust, from a list to the index that is searched.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use weir_npm::integrity::{Algorithm, Integrity};
use weir_npm::name::PackageName;

use crate::files::{self, Output};

/// The list: one name per line, most popular first, comments after `#`.
const LIST: &str = "crates/weir-signals/data/popular.txt";

/// The list, compiled.
const INDEX: &str = "crates/weir-signals/data/popular.idx";

/// Says where the list comes from and under which licence.
const NOTICE: &str = "NOTICE";

/// Measured data: names with a million downloads a week or 500 dependents, most downloaded first.
/// MIT; see NOTICE. Raise version and integrity together, and the version in NOTICE.
const SOURCE: &str = "npm-high-impact";
/// The version of [`SOURCE`] that was looked at.
const SOURCE_VERSION: &str = "1.13.0";
/// What that version's tarball must hash to.
const SOURCE_INTEGRITY: &str = "sha512-Dngjb2fyZfj4/7aZ+9kGGGK/IWnBhb45nzHX1ECxi26vXixkKzdixCB81XTwQzyAwc4d39VbcTL+rlS+d7VETA==";
/// The file in it that holds all names.
const SOURCE_FILE: &str = "lib/top.js";
/// The file in it that holds its licence.
const SOURCE_LICENCE: &str = "license";

/// Fewer names than this are not the data that was meant. The package's own documentation shows
/// twice as many.
const FEWEST: usize = 3_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Compare with what is committed instead of writing
    #[arg(long)]
    check: bool,

    /// First replace the list by measured data, fetched with your own npm configuration; or compare it with
    /// these, together with `--check`
    #[arg(long)]
    refresh: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = files::root();
    let mut outputs = Vec::new();
    let read = |file: &str| {
        std::fs::read_to_string(root.join(file)).with_context(|| format!("reading {file}"))
    };
    let notice = read(NOTICE)?;
    let list = if arguments.refresh {
        let data = fetch()?;
        let list = render(&data.names);
        licensed(&notice, &data.licence)?;
        outputs.push(Output::new(LIST, list.clone()));
        list
    } else {
        read(LIST)?
    };
    let names = names(&list)?;
    credited(&list, &names, &notice)?;
    outputs.push(Output::new(INDEX, weir_signals::names::build(&names)?));
    files::settle(&root, &outputs, &[], arguments.check, "cargo dev popular")
}

/// The names of a list.
fn names(list: &str) -> anyhow::Result<Vec<String>> {
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let name = PackageName::parse(line).with_context(|| format!("{LIST}: {line:?}"))?;
            Ok(name.as_str().to_owned())
        })
        .collect()
}

fn render(names: &[String]) -> String {
    let head = format!(
        "# Names that people trust, most popular first; one per line. `cargo dev popular` compiles this file\n\
         # into popular.idx. Written by `cargo dev popular --refresh` from {SOURCE} {SOURCE_VERSION}, see NOTICE.\n"
    );
    format!("{head}{}\n", names.join("\n"))
}

/// Whether list and notice say that the names are those of the data package, in the version that is looked at.
fn credited(list: &str, names: &[String], notice: &str) -> anyhow::Result<()> {
    let source = format!("{SOURCE} {SOURCE_VERSION}");
    if list != render(names) {
        bail!("{LIST} is not as `cargo dev popular --refresh` writes it from {source}");
    }
    if !notice.contains(&source) {
        bail!("{NOTICE} does not say that {LIST} is from {source}");
    }
    Ok(())
}

/// Whether the notice holds a licence, whatever its lines.
fn licensed(notice: &str, licence: &str) -> anyhow::Result<()> {
    let words = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ")
    };
    let licence = words(licence);
    if licence.is_empty() || !words(notice).contains(&licence) {
        bail!("{NOTICE} does not hold the licence of {SOURCE} {SOURCE_VERSION} word for word");
    }
    Ok(())
}

/// What is taken from the data package.
struct Data {
    names: Vec<String>,
    licence: String,
}

/// Fetches the data package with the user's own npm and reads what is in it.
fn fetch() -> anyhow::Result<Data> {
    let folder = tempfile::tempdir()?;
    let status = Command::new("npm")
        .args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
        .arg(folder.path())
        .arg(format!("{SOURCE}@{SOURCE_VERSION}"))
        .current_dir(folder.path())
        .status()
        .context("running npm pack")?;
    if !status.success() {
        bail!("npm pack failed");
    }
    let tarball = folder.path().join(format!("{SOURCE}-{SOURCE_VERSION}.tgz"));
    read_tarball(&tarball)
}

fn read_tarball(path: &Path) -> anyhow::Result<Data> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    verify(&bytes, &Integrity::parse(SOURCE_INTEGRITY)?)?;
    let (mut text, mut licence) = (None, None);
    let mut keep = |entry: weir_archive::Entry<'_>| {
        let place = match entry.path() {
            SOURCE_FILE => &mut text,
            SOURCE_LICENCE => &mut licence,
            _ => return,
        };
        *place = entry.data().map(<[u8]>::to_vec);
    };
    let archive = weir_archive::read(
        bytes.as_slice(),
        &weir_archive::Limits::default(),
        &mut keep,
    );
    if archive.is_ambiguous() {
        bail!("the archive of {SOURCE} can be read in several ways");
    }
    let text = text.with_context(|| format!("{SOURCE} has no {SOURCE_FILE}"))?;
    let names = names_in_module(std::str::from_utf8(&text)?)?;
    if names.len() < FEWEST {
        bail!("{SOURCE_FILE} holds {} names only", names.len());
    }
    let licence = licence.with_context(|| format!("{SOURCE} has no {SOURCE_LICENCE}"))?;
    Ok(Data {
        names,
        licence: String::from_utf8(licence)?,
    })
}

fn verify(bytes: &[u8], integrity: &Integrity) -> anyhow::Result<()> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes);
    if !integrity.holds(Algorithm::Sha512, digest.as_ref()) {
        bail!("the tarball of {SOURCE}@{SOURCE_VERSION} does not have the recorded integrity");
    }
    Ok(())
}

/// The strings of a module that exports one array of names, each on a line of its own. Anything
/// else on a line is refused rather than guessed at.
fn names_in_module(text: &str) -> anyhow::Result<Vec<String>> {
    let mut lines = text.lines().map(str::trim);
    if !lines.any(|line| line.starts_with("export const ") && line.ends_with('[')) {
        bail!("no exported array");
    }
    let mut names = Vec::new();
    for line in lines {
        if line.starts_with(']') {
            return Ok(names);
        }
        let name = line
            .trim_end_matches(',')
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
            .with_context(|| format!("not a name: {line:?}"))?;
        names.push(PackageName::parse(name)?.as_str().to_owned());
    }
    bail!("the exported array does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_index_is_up_to_date() {
        run(&Arguments {
            check: true,
            refresh: false,
        })
        .unwrap();
    }

    #[test]
    fn a_module_of_names_is_read_line_by_line() {
        let names = names_in_module(
            "/** Names. */\nexport const names = [\n  'left-lib',\n  '@left/ui'\n]\n",
        );
        assert_eq!(names.unwrap(), ["left-lib", "@left/ui"]);
        for text in [
            "export const names = [\n  f('left-lib'),\n]\n",
            "export const names = [\n  'left-lib',\n",
            "module.exports = []\n",
        ] {
            assert!(names_in_module(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_survives_being_written() {
        let list = ["left-lib".to_owned(), "@left/ui".to_owned()];
        assert_eq!(names(&render(&list)).unwrap(), list);
        assert!(names("../x\n").is_err());
    }

    #[test]
    fn list_and_notice_name_the_version_that_was_looked_at() {
        let names = ["left-lib".to_owned()];
        let notice = format!("from {SOURCE} {SOURCE_VERSION}\n");
        let list = render(&names);
        credited(&list, &names, &notice).unwrap();
        let older = list.replace(SOURCE_VERSION, "1.0.0");
        assert!(credited(&older, &names, &notice).is_err());
        assert!(credited(&list, &names, "written by hand\n").is_err());
    }

    #[test]
    fn a_licence_is_held_word_for_word() {
        let notice = "Data\n----\n  Copyright (c) A\n\n  Do with it\n  as you like.\n";
        licensed(notice, "Copyright (c) A\n\nDo with it as you like.\n").unwrap();
        for other in ["", "Copyright (c) B\n\nDo with it as you like.\n"] {
            assert!(licensed(notice, other).is_err(), "{other}");
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        assert!(verify(b"other", &Integrity::parse(SOURCE_INTEGRITY).unwrap()).is_err());
    }
}
