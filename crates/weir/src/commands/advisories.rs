//! `weir advisories`: what others have published about releases.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use weir_store::advisories::ImportLimits;

use crate::cli::{AdvisoriesCommand, Global};
use crate::{exit, progress, setup};

/// Imports advisories or says what is there.
pub(super) async fn run(global: &Global, command: AdvisoriesCommand) -> Result<ExitCode> {
    let store = setup::store(global).await?;
    match command {
        AdvisoriesCommand::Import { path } => {
            let spinner = progress::spinner("importing advisories");
            let report = store
                .import_osv(&path, &ImportLimits::default(), |progress| {
                    spinner.set_message(format!("importing advisories: {progress:?}"));
                })
                .await
                .with_context(|| format!("importing {}", path.display()))?;
            spinner.finish_and_clear();
            anstream::println!(
                "{} records read, {} about npm: {} malware, {} vulnerabilities, {} withdrawn",
                report.read,
                report.npm,
                report.malware,
                report.vulnerabilities,
                report.withdrawn
            );
            for (file, why) in &report.skipped {
                anstream::eprintln!("weir: skipped {file}: {why}");
            }
            store.close().await?;
            if !report.skipped.is_empty() {
                return Ok(ExitCode::from(exit::FAILED));
            }
        }
        AdvisoriesCommand::Show => {
            let advisories = weir_store::Advisories::load(&store).await?;
            anstream::println!(
                "{} advisories in force, generation {}",
                advisories.len(),
                advisories.generation()
            );
        }
    }
    Ok(ExitCode::from(exit::FINE))
}
