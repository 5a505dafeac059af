//! `weir known-bad`: content that others found to be malicious.

use std::process::ExitCode;

use anyhow::Result;
use weir_engine::known_bad::{Forgotten, forget};

use crate::cli::{Global, KnownBadCommand};
use crate::counted::counted;
use crate::{exit, setup};

/// Fewest digits by which a digest is found.
const FEWEST: usize = 8;

/// Takes in, lists or forgets. What could not be used is named, and then the exit code is 1.
pub(super) async fn run(global: &Global, command: KnownBadCommand) -> Result<ExitCode> {
    let mut failed = false;
    match command {
        KnownBadCommand::Import { paths, exact } => {
            let engine = setup::engine(global).await?;
            let (mut digests, mut sketches) = (0, 0);
            for path in &paths {
                let imported = match engine.import_known_bad(path, exact).await {
                    Ok(imported) => imported,
                    // The others are taken in all the same.
                    Err(why) => {
                        failed = true;
                        anstream::eprintln!("weir: importing {why}");
                        continue;
                    }
                };
                digests += imported.digests;
                sketches += imported.sketches;
                failed |= !imported.refused.is_empty();
                for (place, why) in imported.refused {
                    anstream::eprintln!("weir: {place}: {why}");
                }
                if let Some(first) = imported.left_out.first() {
                    anstream::eprintln!(
                        "weir: left out {}, {first} first: honest packages have the same",
                        counted(imported.left_out.len(), "file", "files")
                    );
                }
            }
            engine.close().await;
            crate::out::println!(
                "{} taken in, and {} to know near copies of",
                counted(digests, "digest", "digests"),
                counted(sketches, "package", "packages")
            );
        }
        KnownBadCommand::Show => {
            let store = setup::store(global).await?;
            let all = store.all_bad_content().await?;
            let sketches = store.all_bad_sketches().await?;
            if all.is_empty() && sketches.is_empty() {
                anstream::eprintln!(
                    "weir: no malicious content is known; `weir known-bad import` takes some in, and what is \
                     blocked for its code is remembered"
                );
            }
            for bad in all {
                let place = bad.path.unwrap_or_else(|| "all code".to_owned());
                let place = match bad.name.is_empty() {
                    true => place,
                    false => format!("refused here: {}@{}, {place}", bad.name, bad.version),
                };
                let line = format!("{}  {place}  {}", bad.digest, bad.why);
                crate::out::println!("{}", line.trim_end());
            }
            for near in sketches {
                crate::out::println!(
                    "{}@{}  near copies of it  {}",
                    near.name,
                    near.version,
                    near.why
                );
            }
            store.close().await?;
        }
        KnownBadCommand::Forget { what } => {
            let store = setup::store(global).await?;
            for one in &what {
                let why = match forget(&store, one).await? {
                    Forgotten::Yes => continue,
                    Forgotten::Source { digests, packages } => {
                        crate::out::println!(
                            "{one}: {} forgotten, and near copies of {}",
                            counted(digests, "digest", "digests"),
                            counted(packages, "package", "packages")
                        );
                        continue;
                    }
                    Forgotten::Unknown if is_too_short(one) => {
                        format!(
                            "no name that is known, and a digest is found by {FEWEST} digits at least"
                        )
                    }
                    Forgotten::Unknown => {
                        "nothing is known by this digest or name, or was taken in from such a path"
                            .to_owned()
                    }
                    Forgotten::Several(digests) => format!(
                        "{} digests begin like this, and none was forgotten: {}",
                        digests.len(),
                        listed(&digests)
                    ),
                };
                failed = true;
                anstream::eprintln!("weir: {one}: {why}");
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

/// Whether it may be the beginning of a digest, and is too short to be looked for.
fn is_too_short(what: &str) -> bool {
    let kinds = ["whole:", "sha256:", "sha256-"];
    let digits = kinds
        .iter()
        .fold(what, |rest, kind| rest.strip_prefix(kind).unwrap_or(rest));
    (1..FEWEST).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Enough digests to choose from.
fn listed(digests: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<&str> = digests.iter().take(SHOWN).map(String::as_str).collect();
    let more = if digests.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where too short begins is where no digest is looked for any more.
    #[test]
    fn what_is_too_short_to_be_found_is_told_from_what_is_unknown() {
        for (what, short) in [
            ("abcdef1", true),
            ("sha256:ABC", true),
            ("whole:abcdef1", true),
            ("abcdef12", false),
            ("whole:abcdef12", false),
            ("whole:", false),
            ("", false),
            ("right-l", false),
        ] {
            assert_eq!(is_too_short(what), short, "{what}");
        }
    }
}
