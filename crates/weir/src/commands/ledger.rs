//! `weir ledger`: what was decided and what was served to whom.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use weir_model::LedgerEntry;
use weir_store::Filter;

use crate::cli::{Global, Ledger};
use crate::{exit, print, setup};

/// One ledger entry as users parse it.
#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    #[serde(flatten)]
    entry: &'a LedgerEntry,
}

/// Lists entries, oldest of the newest first.
pub(super) async fn run(global: &Global, options: Ledger) -> Result<ExitCode> {
    let store = setup::store(global).await?;
    let filter = Filter {
        package: options.package,
        version: options.version,
        event: options.event,
        action: options.action,
        since: options.since,
        until: options.until,
        client: options.client,
        block_id: options.block,
        limit: Some(options.limit),
        ..Filter::default()
    };
    let entries = store.ledger().entries(&filter).await?;
    for entry in &entries {
        if options.json {
            let line = Line {
                schema: "weir.ledger/v1",
                entry,
            };
            crate::out::println!("{}", serde_json::to_string(&line)?);
        } else {
            crate::out::println!("{}", print::ledger_entry(entry));
        }
    }
    if entries.is_empty() && !options.json {
        anstream::eprintln!("no entries match in {}", store.folder().display());
    }
    Ok(ExitCode::from(exit::FINE))
}
