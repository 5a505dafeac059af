//! `cargo dev replay`: every scenario against the engine, at the minute each release came out, in one
//! table.

mod board;
pub(crate) mod play;
#[cfg(test)]
mod tests;

use anyhow::bail;
use weir_testing::scenarios;

use crate::files::{self, Output};

/// The table.
const BOARD: &str = "corpus/replays.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Compare with the committed table instead of writing it
    #[arg(long)]
    check: bool,

    /// Print what is seen in the scenarios whose name contains this, and stop
    #[arg(long, value_name = "TEXT")]
    show: Option<String>,
}

/// The hidden worker command: this program reads package contents as weir does.
#[derive(Debug, clap::Args)]
pub(crate) struct Worker {
    /// Bytes of memory it may hold
    #[arg(long)]
    memory: u64,
    /// Most bytes a tarball may unpack to
    #[arg(long)]
    unpacked: u64,
    /// Most files a tarball may hold
    #[arg(long)]
    files: u64,
    /// Step back behind other work
    #[arg(long)]
    background: bool,
}

/// Serves jobs until the engine hangs up.
pub(crate) fn work(options: &Worker) -> anyhow::Result<()> {
    use weir_engine::worker::{child, limits::WorkerLimits};
    child::run(child::WorkerOptions {
        limits: WorkerLimits {
            memory: options.memory,
            background: options.background,
        },
        unpacked_bytes: options.unpacked,
        files: options.files,
        may_misbehave: false,
    })?;
    Ok(())
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let wanted = arguments.show.as_deref();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut played = Vec::new();
    for make in scenarios::ALL {
        let scenario = make(scenarios::default_now());
        if wanted.is_none_or(|text| scenario.name.contains(text)) {
            played.push(runtime.block_on(play::play(&scenario))?);
        }
    }
    if wanted.is_some() {
        print!("{}", board::details(&played));
        return Ok(());
    }
    let summary = board::Summary::of(&played);
    println!("{}", summary.in_words());
    let outputs = [Output::new(BOARD, board::render(&played, &summary))];
    files::settle(
        &files::root(),
        &outputs,
        &[],
        arguments.check,
        "cargo dev replay",
    )?;
    if !summary.twins_refused.is_empty() {
        bail!(
            "benign twins are refused for what they are: {}",
            summary.twins_refused.join(", ")
        );
    }
    Ok(())
}
