//! `weir explain`: the full explanation behind a refusal's id.

use std::process::ExitCode;

use anyhow::Result;
use weir_model::json::v1;

use crate::cli::{Explain, Global};
use crate::{exit, print, setup};

/// Prints the explanation.
pub(super) async fn run(global: &Global, options: &Explain) -> Result<ExitCode> {
    let store = setup::store(global).await?;
    let Some(refusal) = store.refusal(&options.id).await? else {
        if !options.id.starts_with("w-") {
            anyhow::bail!(
                "{:?} is no id of a refusal: they look like w-3k9x2m4q7c, and `weir ledger --event refused` lists \
                 those that are here",
                options.id
            );
        }
        anyhow::bail!(
            "there is no refusal {:?} in {} (the gateway that refused may use another --data); `weir ledger \
             --event refused` lists those that are here",
            options.id,
            store.folder().display()
        );
    };
    if options.json {
        let public = v1::Assessment::new(&refusal.assessment, &refusal.decision);
        crate::out::println!("{}", serde_json::to_string(&public)?);
    } else {
        let policy = setup::policy(global)?;
        let file = setup::policy_file(global)?;
        let observed = store.ledger().only_observed(&options.id).await?;
        crate::out::print!(
            "{}",
            print::refusal(&options.id, &refusal, &policy, file.as_deref(), observed)
        );
    }
    Ok(ExitCode::from(exit::FINE))
}
