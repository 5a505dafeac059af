#![doc = include_str!("../README.md")]

mod corpus;
mod demo;
mod dependencies;
#[cfg(test)]
mod documents;
mod files;
mod fit;
mod generate;
mod histories;
mod layering;
mod licence;
mod popular;
mod programs;
mod release;
mod replay;
mod score;
mod signal_page;
mod suite;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Project tooling.
#[derive(Debug, Parser)]
#[command(name = "cargo dev")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Installs the example project through weir, then shows an imitated attack being refused
    Demo,
    /// Builds weir as it is handed out, optimised by a profile of its own work
    Release,
    /// Runs all tests
    Test,
    /// Writes generated documentation and schemas
    Generate(generate::Arguments),
    /// Checks that imports between crates point one way
    Layering,
    /// Checks licences, sources and versions of dependencies against deny.toml
    Dependencies,
    /// Compiles the list of names that people trust
    Popular(popular::Arguments),
    /// Generates the obfuscated and bundled styles of the corpus
    Corpus(corpus::generate::Arguments),
    /// Says what is found of the corpus, and what is reported that should not be
    Score(score::Arguments),
    /// Plays all incidents and their benign twins against the engine
    Replay(replay::Arguments),
    /// Fits weights of evidence on replays and twins, and says what they would add to the rules
    Fit(fit::Arguments),
    /// Looks at the last releases of each package of real lockfiles as if each were new
    Histories(histories::Arguments),
    /// Reads package contents (started by `replay`)
    #[command(hide = true)]
    Worker(replay::Worker),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo => demo::run(),
        Command::Release => release::run(),
        Command::Test => suite::run(),
        Command::Generate(arguments) => generate::run(arguments),
        Command::Layering => layering::run(),
        Command::Dependencies => dependencies::run(),
        Command::Popular(arguments) => popular::run(&arguments),
        Command::Corpus(arguments) => corpus::generate::run(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Fit(arguments) => fit::run(&arguments),
        Command::Histories(arguments) => histories::run(&arguments),
        Command::Worker(options) => replay::work(&options),
    }
}
