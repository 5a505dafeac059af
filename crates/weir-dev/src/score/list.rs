//! Single samples: what is seen in them, for people and for other programs.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::{Judge, Scored};
use crate::corpus::{self, Kind, Sample};

/// Prints what is seen in the samples whose id contains a text.
pub(super) fn show(judge: &Judge, samples: &[Sample], text: &str) -> anyhow::Result<()> {
    let mut found = false;
    for sample in samples.iter().filter(|sample| sample.id.contains(text)) {
        found = true;
        println!("{}: {}", sample.id, sample.story.story);
        for (style, files) in &sample.variants {
            let package = corpus::package(sample, files)?;
            let before = corpus::clean_before(sample, files)?;
            for (label, before) in [("alone", None), ("as an update", Some(&before))] {
                let seen = judge.release(&package, before)?;
                println!("  {}, {label}: {:?}", style.as_str(), seen.action);
                for finding in &seen.findings {
                    println!(
                        "    {} {}: {}",
                        finding.severity, finding.signal, finding.message
                    );
                }
                if seen.incomplete > 0 {
                    println!("    {} things could not be checked", seen.incomplete);
                }
            }
        }
    }
    if !found {
        bail!("no sample has an id with {text:?} in it");
    }
    Ok(())
}

/// Writes every sample as a tarball, and `samples.json` with what weir makes of each. The folder is
/// for programs that read archives; it does not belong into the repository.
pub(super) fn pack(folder: &Path, scored: &[Scored<'_>]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut rows = Vec::new();
    for one in scored {
        let files = one.sample.variants.iter();
        let (_, files) = files
            .clone()
            .find(|(style, _)| *style == one.style)
            .context("a style that is there")?;
        let name = one.sample.archive(one.style);
        let package = corpus::package(one.sample, files)?;
        std::fs::write(folder.join(&name), &package.tarball)?;
        rows.push(json!({
            "file": name,
            "story": one.sample.id,
            "behaviour": one.sample.behaviour(),
            "kind": one.sample.kind,
            "style": one.style,
            "benign": one.sample.kind == Kind::Twin,
            "high": one.alone.is_high(),
            "seen": one.alone.is_seen(),
            "refused": one.alone.is_refused(),
        }));
    }
    let text = serde_json::to_string_pretty(&rows)?;
    std::fs::write(folder.join("samples.json"), text)?;
    println!("{} packages in {}", rows.len(), folder.display());
    Ok(())
}
