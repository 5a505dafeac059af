//! One module per command.

mod advisories;
mod audit;
mod baseline;
mod check;
mod client;
mod decide;
mod diff;
mod explain;
mod inspect;
mod known_bad;
mod ledger;
mod locked;
mod lockless;
mod own;
mod policy;
mod sbom;
mod serve;
mod signals;
mod trust_root;
mod verify;
mod wanted;
mod why;
pub(crate) mod worker;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::clients::Client;

/// Runs a command.
pub(crate) async fn run(mut cli: Cli) -> Result<ExitCode> {
    cli.global.as_it_happens |= cli.command.is_gateway();
    let global = &cli.global;
    match cli.command {
        Command::Npm(arguments) => client::run(global, Client::Npm, arguments.arguments).await,
        Command::Npx(arguments) => client::run(global, Client::Npx, arguments.arguments).await,
        Command::Pnpm(arguments) => client::run(global, Client::Pnpm, arguments.arguments).await,
        Command::Yarn(arguments) => client::run(global, Client::Yarn, arguments.arguments).await,
        Command::Bun(arguments) => client::run(global, Client::Bun, arguments.arguments).await,
        Command::Serve(options) => serve::run(global, options).await,
        Command::Inspect(options) => inspect::run(global, options).await,
        Command::Check(mut options) => {
            options.folder = locked::project(options.folder, options.lockfile.as_ref());
            check::run(global, &options).await
        }
        Command::Audit(mut options) => {
            options.folder = locked::project(options.folder, options.lockfile.as_ref());
            audit::run(global, &options).await
        }
        Command::Verify(mut options) => {
            options.folder = locked::project(options.folder, options.lockfile.as_ref());
            verify::run(global, &options).await
        }
        Command::Sbom(mut options) => {
            options.folder = locked::project(options.folder, options.lockfile.as_ref());
            sbom::run(global, &options).await
        }
        Command::Diff(options) => diff::run(global, options).await,
        Command::Why(mut options) => {
            options.folder = locked::project(options.folder, options.lockfile.as_ref());
            why::run(global, &options).await
        }
        Command::Baseline { command } => baseline::run(global, command).await,
        Command::Explain(options) => explain::run(global, &options).await,
        Command::Decide(options) => decide::run(global, &options).await,
        Command::Ledger(options) => ledger::run(global, options).await,
        Command::Policy { command } => policy::run(global, command),
        Command::Advisories { command } => advisories::run(global, command).await,
        Command::TrustRoot { command } => trust_root::run(global, command).await,
        Command::KnownBad { command } => known_bad::run(global, command).await,
        Command::Signals { command } => signals::run(command),
        Command::Worker(options) => Ok(worker::run(&options)),
    }
}
