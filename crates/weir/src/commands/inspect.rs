//! `weir inspect`: the full assessment of releases, tarballs and folders.

use std::io::BufRead as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use weir_engine::{Assessed, Engine, EngineError, History};
use weir_model::json::v1;
use weir_model::ledger::LedgerEvent;
use weir_model::{Action, LedgerEntry};
use weir_npm::name::PackageName;
use weir_policy::Policy;

use super::wanted::{Wanted, split};
use crate::cli::{Global, Inspect};
use crate::{exit, print, progress, setup};

/// Assesses each release; the exit code tells the strictest decision.
pub(super) async fn run(global: &Global, options: Inspect) -> Result<ExitCode> {
    let wanted = wanted(&options)?;
    if options.svg.is_some() && wanted.len() != 1 {
        bail!(
            "--svg draws one release, and {} are asked for",
            wanted.len()
        );
    }
    let engine = setup::engine(global).await?;
    let bar = progress::bar(wanted.len() as u64, "assessing");
    let mut code = exit::FINE;
    let mut failed = false;
    for release in &wanted {
        bar.set_message(release.clone());
        match assess(&engine, release).await {
            Ok((assessed, local)) => {
                code = code.max(exit::for_action(assessed.decision.action));
                let assessed = if options.json {
                    assessed
                } else {
                    engine.with_profile(assessed).await
                };
                let history = if local {
                    Err(anyhow!("a folder or tarball has no history"))
                } else {
                    history(&engine, &assessed).await
                };
                let shown = history.as_ref().ok();
                bar.suspend(|| show(&assessed, shown, engine.policy(), options.json))?;
                if let Some(file) = &options.svg
                    && let Err(error) = draw(history, file)
                {
                    failed = true;
                    bar.suspend(|| anstream::eprintln!("weir: {release}: {error:#}"));
                }
                if local {
                    // The engine itself writes down what it decides on a registry's releases.
                    record(&engine, &assessed).await?;
                }
            }
            Err(error) => {
                failed = true;
                let told = told(&engine, global, release, &error);
                bar.suspend(|| anstream::eprintln!("weir: {told}"));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    engine.close().await;
    Ok(ExitCode::from(if failed { exit::FAILED } else { code }))
}

/// Why a release could not be looked at. Its name stands in front, once.
fn told(engine: &Engine, global: &Global, release: &str, error: &anyhow::Error) -> String {
    let text = match error.downcast_ref::<EngineError>() {
        Some(EngineError::NoSuchVersion { name, version }) => {
            let parsed = PackageName::parse(name);
            let registry =
                parsed.map(|name| engine.upstreams().upstream_for(&name).id().to_owned());
            let on = registry.map_or_else(|_| String::new(), |it| format!(" on {it}"));
            let by = global
                .now
                .map_or_else(String::new, |now| format!(" that was out by {now}"));
            format!("{name} has no version or tag {version}{on}{by}")
        }
        _ => format!("{error:#}"),
    };
    match text.starts_with(split(release).0) {
        true => text,
        false => format!("{release}: {text}"),
    }
}

fn wanted(options: &Inspect) -> Result<Vec<String>> {
    let mut wanted = options.releases.clone();
    if let Some(file) = &options.from {
        let lines: Vec<String> = if file.as_os_str() == "-" {
            std::io::stdin().lock().lines().collect::<Result<_, _>>()?
        } else {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("reading {}", file.display()))?;
            text.lines().map(str::to_owned).collect()
        };
        let lines = lines.iter().map(|line| line.trim());
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut named = lines.map(str::to_owned);
        let Some(first) = named.next() else {
            // What wrote the list may have failed, and nothing looked at is no pass.
            match file.as_os_str() == "-" {
                true => bail!("--from -: standard input names no release"),
                false => bail!("--from: {} names no release", file.display()),
            }
        };
        wanted.push(first);
        wanted.extend(named);
    }
    Ok(wanted)
}

/// The assessment, and whether it is of something on this machine.
async fn assess(engine: &Arc<Engine>, release: &str) -> Result<(Assessed, bool)> {
    match Wanted::find(engine, release)? {
        Wanted::Local(label, what) => Ok((engine.inspect_local(label, what).await, true)),
        Wanted::Release(name, version) => Ok((engine.inspect(&name, version).await?, false)),
    }
}

/// The release among its past. What cannot be had leaves a gap that the assessment names already.
async fn history(engine: &Arc<Engine>, assessed: &Assessed) -> Result<History> {
    let release = &assessed.assessment.release;
    let name = PackageName::parse(&release.name)?;
    Ok(engine.history(&name, Some(&release.version)).await?)
}

/// Draws the release among its past. A picture of one release alone would say nothing.
fn draw(history: Result<History>, file: &Path) -> Result<()> {
    let history = history.context("nothing to draw")?;
    if let Some(why) = history.why_none() {
        bail!("nothing to draw: {why}");
    }
    std::fs::write(file, print::timeline::svg(&history))
        .with_context(|| format!("writing {}", file.display()))
}

fn show(assessed: &Assessed, history: Option<&History>, policy: &Policy, json: bool) -> Result<()> {
    if json {
        let public = v1::Assessment::new(&assessed.assessment, &assessed.decision);
        crate::out::println!("{}", serde_json::to_string(&public)?);
    } else {
        let mut text = print::assessed(assessed, policy);
        if let Some(history) = history {
            print::timeline::text(&mut text, history);
        }
        crate::out::print!("{text}");
    }
    Ok(())
}

async fn record(engine: &Engine, assessed: &Assessed) -> Result<()> {
    let release = &assessed.assessment.release;
    let action = assessed.decision.action;
    let block_id = (action >= Action::Hold).then(|| {
        assessed
            .decision
            .block_id(&release.name, &release.version)
            .0
    });
    engine
        .append(LedgerEntry {
            time: engine.now(),
            event: LedgerEvent::Decided,
            name: release.name.clone(),
            version: release.version.clone(),
            integrity: release.integrity.clone(),
            client: "weir inspect".to_owned(),
            action,
            block_id,
            note: None,
        })
        .await?;
    // The ledger names an id: there has to be something to read about it.
    engine.keep_local_refusal(assessed).await?;
    Ok(())
}
