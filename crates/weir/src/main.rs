#![doc = include_str!("../README.md")]

mod addresses;
mod causes;
mod cli;
mod clients;
mod commands;
mod counted;
mod exit;
mod files;
mod lockfiles;
mod out;
mod print;
mod progress;
mod sbom;
mod setup;
mod trust_root;

fn main() -> std::process::ExitCode {
    let cli = cli::Cli::read();
    if let cli::Command::Worker(options) = &cli.command {
        // Before anything else: no logging, no configuration, no runtime, nothing to leak.
        return commands::worker::run(options);
    }
    setup::tame_allocator();
    // rustls panics at first use when it has to guess between providers (CRATES section 0).
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    setup::logging(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&anyhow::Error::new(error).context("starting up")),
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => out::ended(code),
        Err(error) => exit::failed(&error),
    }
}
