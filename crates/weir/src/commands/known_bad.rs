//! `weir known-bad`: content that others found to be malicious.

use std::process::ExitCode;

use anyhow::{Result, anyhow};

use crate::cli::{Global, KnownBadCommand};
use crate::{exit, setup};

/// Takes in, lists or forgets. What could not be used is named, and then the exit code is 1.
pub(super) async fn run(global: &Global, command: KnownBadCommand) -> Result<ExitCode> {
    let mut failed = false;
    match command {
        KnownBadCommand::Import { paths, exact } => {
            let engine = setup::engine(global).await?;
            let (mut digests, mut sketches) = (0, 0);
            for path in &paths {
                let imported = engine.import_known_bad(path, exact).await;
                let imported = imported.map_err(|why| anyhow!("importing {why}"))?;
                digests += imported.digests;
                sketches += imported.sketches;
                failed |= !imported.refused.is_empty();
                for (place, why) in imported.refused {
                    anstream::eprintln!("weir: {place}: {why}");
                }
            }
            engine.close().await;
            anstream::println!(
                "{digests} digests taken in, and {sketches} packages to know near copies of"
            );
        }
        KnownBadCommand::Show => {
            let store = setup::store(global).await?;
            for bad in store.all_bad_content().await? {
                let place = bad.path.unwrap_or_else(|| "all code".to_owned());
                let place = match bad.name.is_empty() {
                    true => place,
                    false => format!("refused here: {}@{}, {place}", bad.name, bad.version),
                };
                let line = format!("{}  {place}  {}", bad.digest, bad.why);
                anstream::println!("{}", line.trim_end());
            }
            store.close().await?;
        }
        KnownBadCommand::Forget { what } => {
            let store = setup::store(global).await?;
            for one in &what {
                let digest = store.forget_bad_content(one).await?;
                if !digest && !store.forget_bad_sketch(one).await? {
                    failed = true;
                    anstream::eprintln!("weir: {one}: nothing is known by this digest or name");
                }
            }
            store.count_import().await?;
            store.close().await?;
        }
    }
    Ok(ExitCode::from(if failed {
        exit::FAILED
    } else {
        exit::FINE
    }))
}
