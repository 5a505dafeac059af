//! `weir diff`: what one release has that another has not.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use weir_engine::{Assessed, Engine, Side};
use weir_model::Difference;
use weir_model::json::v1;

use super::wanted::Wanted;
use crate::cli::{Diff, Global};
use crate::{exit, print, progress, setup};

/// Compares two releases; the exit code tells the decision on the later one.
pub(super) async fn run(global: &Global, options: Diff) -> Result<ExitCode> {
    let engine = setup::engine(global).await?;
    let spinner = progress::spinner("comparing");
    let compared = compare(&engine, &options).await;
    spinner.finish_and_clear();
    let compared = compared?;
    show(&engine, &compared, options.json)?;
    engine.close().await;
    let action = compared.assessed.decision.action;
    Ok(ExitCode::from(exit::for_action(action)))
}

struct Compared {
    before: Side,
    after: Side,
    assessed: Assessed,
}

async fn compare(engine: &Arc<Engine>, options: &Diff) -> Result<Compared> {
    let (before, after) = match &options.after {
        Some(after) => (Some(side(engine, &options.before).await?), after),
        None => (None, &options.before),
    };
    let (after, assessed) = assessed_side(engine, after).await?;
    let before = match before {
        Some(before) => before,
        None => engine
            .side_before(&after)
            .await?
            .ok_or_else(|| anyhow!("there is no release before {}: name two", after.release))?,
    };
    Ok(Compared {
        before,
        after,
        assessed,
    })
}

async fn side(engine: &Arc<Engine>, text: &str) -> Result<Side> {
    match Wanted::find(engine, text)? {
        Wanted::Release(name, version) => Ok(engine.side(&name, version).await?),
        Wanted::Local(label, what) => {
            let side = engine.side_local(label, what).await;
            let side = side.map_err(|why| anyhow!("{label} could not be read: {why}"))?;
            // Compared with nothing, all would be new, or nothing.
            if side.contents.size.files == 0 {
                bail!("{label} holds no file: there is nothing to compare with");
            }
            Ok(side)
        }
    }
}

/// A side with what a gateway would make of it. Nothing is read twice.
async fn assessed_side(engine: &Arc<Engine>, text: &str) -> Result<(Side, Assessed)> {
    match Wanted::find(engine, text)? {
        Wanted::Release(name, version) => {
            let assessed = engine.inspect(&name, version).await?;
            let exact = assessed.assessment.release.version.clone();
            let side = engine.side(&name, Some(&exact)).await?;
            Ok((side, assessed))
        }
        Wanted::Local(label, what) => {
            let mut assessed = engine.inspect_local(label, what).await;
            let Some(profile) = assessed.profile.take() else {
                let gaps = &assessed.assessment.incomplete;
                let why: Vec<&str> = gaps.iter().map(|gap| gap.why.as_str()).collect();
                bail!("{label} could not be read: {}", why.join("; "));
            };
            let side = Side {
                release: assessed.assessment.release.clone(),
                published: None,
                publisher: None,
                contents: profile.contents,
            };
            Ok((side, assessed))
        }
    }
}

fn show(engine: &Engine, compared: &Compared, json: bool) -> Result<()> {
    let Compared {
        before,
        after,
        assessed,
    } = compared;
    let difference = Difference::between(&before.contents, &after.contents);
    let findings = engine.compare(before, after);
    let decision = &assessed.decision;
    if json {
        let sides = (public(before), public(after));
        let object = v1::Difference::new(sides, &difference, &findings, decision);
        let text = serde_json::to_string(&object).context("writing JSON")?;
        crate::out::println!("{text}");
    } else {
        let text = print::difference(before, after, &difference, &findings, decision);
        crate::out::print!("{text}");
    }
    Ok(())
}

fn public(side: &Side) -> v1::Side<'_> {
    v1::Side {
        release: &side.release,
        published: side.published.map(|time| time.to_string()),
        publisher: side.publisher.as_ref().map(|it| it.name.as_str()),
        files: side.contents.size.files,
        bytes: side.contents.size.bytes,
    }
}
