#![doc = include_str!("../README.md")]

mod files;
mod generate;
mod layering;
mod popular;
mod signal_page;

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
    /// Writes generated documentation and schemas
    Generate(generate::Arguments),
    /// Checks that imports between crates point one way
    Layering,
    /// Compiles the list of names that people trust
    Popular(popular::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Generate(arguments) => generate::run(arguments),
        Command::Layering => layering::run(),
        Command::Popular(arguments) => popular::run(&arguments),
    }
}
