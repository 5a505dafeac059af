//! `cargo dev score`: what is found of the corpus, and what is reported that should not be.

mod benign;
mod board;
mod judge;
mod list;
mod tally;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::Context;

use crate::corpus::{self, Kind, Sample, Style};
use crate::files::{self, Output};

pub(crate) use judge::{Judge, Seen};
#[cfg(test)]
pub(crate) use tally::BEHAVIOURS;

/// The scoreboard.
const BOARD: &str = "corpus/scoreboard.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Compare with the committed scoreboard instead of writing it
    #[arg(long)]
    check: bool,

    /// Also look at every .tgz in this folder, all of them taken to be benign
    #[arg(long, value_name = "DIR")]
    tarballs: Option<PathBuf>,

    /// Do not fetch the hard benign packages; their part of the scoreboard stays as it is
    #[arg(long)]
    offline: bool,

    /// Print what is seen in the samples whose id contains this, and stop
    #[arg(long, value_name = "TEXT")]
    show: Option<String>,

    /// Write every sample as a tarball into this folder, with a list of what weir makes of it, and stop
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
}

/// One package of the corpus, judged.
#[derive(Debug)]
pub(crate) struct Scored<'s> {
    pub(crate) sample: &'s Sample,
    pub(crate) style: Style,
    /// As the only release of its package.
    pub(crate) alone: Seen,
    /// As an update of a clean release.
    pub(crate) update: Seen,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = files::root();
    let samples = corpus::every(&root)?;
    let judge = Judge::new()?;
    if let Some(text) = &arguments.show {
        return list::show(&judge, &samples, text);
    }
    let scored = score(&judge, &samples)?;
    if let Some(folder) = &arguments.pack {
        return list::pack(folder, &scored);
    }
    let hard = if arguments.offline {
        println!("hard benign packages: left out (--offline)");
        None
    } else {
        benign::hard(&root, &judge)?
    };
    let tarballs = match &arguments.tarballs {
        Some(folder) => Some(benign::tarballs(&root, folder, &judge)?),
        None => None,
    };
    let present = std::fs::read_to_string(root.join(BOARD)).unwrap_or_default();
    let text = board::render(&scored, hard.as_ref(), tarballs.as_ref(), &present);
    print!(
        "{}",
        board::summary(&scored, hard.as_ref(), tarballs.as_ref())
    );
    let outputs = [Output::new(BOARD, text)];
    files::settle(&root, &outputs, &[], arguments.check, "cargo dev score")
}

/// Judges every sample in every style, on all processors.
fn score<'s>(judge: &Judge, samples: &'s [Sample]) -> anyhow::Result<Vec<Scored<'s>>> {
    let jobs: Vec<_> = samples
        .iter()
        .flat_map(|sample| sample.variants.iter().map(move |variant| (sample, variant)))
        .collect();
    judge::side_by_side(&jobs, |(sample, (style, files))| {
        let one = || {
            let package = corpus::package(sample, files)?;
            let before = corpus::clean_before(sample, files)?;
            anyhow::Ok(Scored {
                sample,
                style: *style,
                alone: judge.release(&package, None)?,
                update: judge.release(&package, Some(&before))?,
            })
        };
        one().with_context(|| format!("{} ({})", sample.id, style.as_str()))
    })
    .into_iter()
    .collect()
}

/// Whether a sample is one that has to be found.
pub(crate) fn has_to_be_found(scored: &Scored<'_>) -> bool {
    scored.sample.kind != Kind::Twin
}
