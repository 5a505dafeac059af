//! `cargo dev histories`: the last releases of each package of real lockfiles, each looked at as if it
//! were new, on metadata alone: how often honest updates would be noticed, held, blocked.

mod board;
mod find;
mod order;
#[cfg(test)]
mod tests;
mod walk;

use std::path::PathBuf;

use anyhow::bail;

/// Where the table goes.
const BOARD: &str = "corpus/histories.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Lockfiles, of any of the five formats
    #[arg(required = true, value_name = "LOCKFILE")]
    lockfiles: Vec<PathBuf>,

    /// Take packuments from this folder of JSON files
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["data", "fetch"])]
    packuments: Option<PathBuf>,

    /// Take packuments from this data folder of weir, as a gateway left it
    #[arg(long, value_name = "FOLDER", required_unless_present = "packuments")]
    data: Option<PathBuf>,

    /// Ask the configured registry for packuments that the data folder does not have
    #[arg(long)]
    fetch: bool,

    /// Releases looked at of each package, the newest ones
    #[arg(long, default_value_t = 30)]
    releases: usize,

    /// Only packages of the first so many names, in the order of the alphabet
    #[arg(long, value_name = "COUNT")]
    first: Option<usize>,

    /// Print every finding that counts
    #[arg(long)]
    list: bool,

    /// Write the table to corpus/histories.md
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut names = find::names(&arguments.lockfiles)?;
    if let Some(first) = arguments.first {
        names.truncate(first);
    }
    let list = |order| arguments.list.then_some(order);
    let mut by_time = walk::Walk::new(arguments.releases, list("by time"))?;
    let mut by_number = walk::Walk::new(arguments.releases, list("by number"))?;
    let mut take = |found| {
        by_number.take(order::by_number(&found));
        by_time.take(found);
    };
    let all = names.len();
    match &arguments.packuments {
        Some(folder) => find::in_folder(folder, &names, take)?,
        None => {
            let data = arguments.data.as_deref();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let kept = find::Kept {
                data: data.unwrap_or(std::path::Path::new(".")),
                fetch: arguments.fetch,
            };
            runtime.block_on(kept.each(&names, &mut take))?;
        }
    }
    let (counts, numbered) = (by_time.counts(), by_number.counts());
    if counts.updates == 0 {
        bail!("of {all} packages in the lockfiles, none has a packument with an update to look at");
    }
    print!("by time: {}", board::summary(counts));
    print!("by number: {}", board::summary(numbered));
    if arguments.write {
        let path = crate::files::root().join(BOARD);
        std::fs::write(&path, board::render(counts, numbered))?;
        println!("wrote {BOARD}");
    }
    Ok(())
}
