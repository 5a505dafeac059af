//! `weir baseline`: what is usual for scopes, accounts and packages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tokio::task::JoinSet;
use weir_engine::Backfilled;
use weir_model::Baseline;
use weir_model::finding::printable;
use weir_model::habits::Origin;
use weir_model::json::v1;
use weir_npm::lockfile::Source;
use weir_npm::name::PackageName;

use super::{check, lockless};
use crate::causes::{Cause, Causes};
use crate::cli::{Backfill, BaselineCommand, Global};
use crate::counted::counted;
use crate::{exit, progress, setup};

/// Packuments asked for at a time.
const AT_ONCE: usize = 8;

/// Causes of failures that are told.
const TOLD: usize = 10;

/// Values of one kind that are shown.
const SHOWN: usize = 8;

/// Learns or shows.
pub(super) async fn run(global: &Global, command: BaselineCommand) -> Result<ExitCode> {
    match command {
        BaselineCommand::Backfill(options) => backfill(global, &options).await,
        BaselineCommand::Show { owner, json } => show(global, &owner, json).await,
    }
}

async fn backfill(global: &Global, options: &Backfill) -> Result<ExitCode> {
    let mut names = BTreeSet::new();
    for file in files(options)? {
        let lockfile = check::read(&file)
            .map_err(|(line, what)| anyhow::anyhow!("{}:{line}: {what}", file.display()))?;
        let locked = lockfile.nodes.iter();
        let locked = locked.filter(|node| matches!(node.source, Source::Registry(_)));
        names.extend(locked.filter_map(|node| PackageName::parse(&node.name).ok()));
    }
    let engine = setup::engine_of_project(global, &first_folder(options), None).await?;
    let bar = progress::bar(names.len() as u64, "learning");
    let mut total = Backfilled::default();
    let mut failed: Vec<(PackageName, String)> = Vec::new();
    let count = names.len();
    let mut waiting = names.into_iter();
    let mut learning = JoinSet::new();
    loop {
        while learning.len() < AT_ONCE
            && let Some(name) = waiting.next()
        {
            let engine = Arc::clone(&engine);
            learning.spawn(async move { (engine.backfill(&name).await, name) });
        }
        let Some(learned) = learning.join_next().await else {
            break;
        };
        let (outcome, name) = learned.context("learning ended early")?;
        bar.set_message(name.to_string());
        bar.inc(1);
        match outcome {
            Ok(done) => {
                total.learned += done.learned;
                total.known += done.known;
                total.refused += done.refused;
                total.unreadable += done.unreadable;
            }
            Err(error) => failed.push((name, format!("{error:#}"))),
        }
    }
    bar.finish_and_clear();
    engine.close().await;
    let Backfilled {
        learned,
        known,
        refused,
        unreadable,
    } = total;
    crate::out::println!(
        "{}: {} learned, {known} known before, {}, {unreadable} without a publish time or a readable manifest, {} \
         not learned",
        counted(count, "package", "packages"),
        counted(learned, "release", "releases"),
        counted(
            refused,
            "that is or would be refused and does not teach",
            "that are or would be refused and do not teach"
        ),
        counted(failed.len(), "package", "packages")
    );
    tell(&mut failed);
    let code = if failed.is_empty() {
        exit::FINE
    } else {
        exit::FAILED
    };
    Ok(ExitCode::from(code))
}

/// Says once for each cause of how many packages nothing was learned.
fn tell(failed: &mut [(PackageName, String)]) {
    failed.sort_unstable();
    let mut causes = Causes::default();
    for (name, why) in failed.iter() {
        causes.add(name.as_str(), None, name, why);
    }
    let causes = causes.into_all();
    for Cause { first, why, count } in causes.iter().take(TOLD) {
        let text = match count {
            1 => format!("{first}: {why}"),
            _ => format!("{count} packages, {first} first: {why}"),
        };
        anstream::eprintln!("weir: not learned: {}", printable(&text, 400));
    }
    let more = causes.iter().skip(TOLD).map(|cause| cause.count);
    let more: usize = more.sum();
    if more > 0 {
        anstream::eprintln!("weir: and {more} more");
    }
}

fn files(options: &Backfill) -> Result<Vec<PathBuf>> {
    if !options.lockfile.is_empty() {
        options
            .lockfile
            .iter()
            .try_for_each(|file| lockless::has_a_name(file))?;
        return Ok(options.lockfile.clone());
    }
    let mut files = Vec::new();
    for folder in &options.folders {
        let found = lockless::find(folder, None)?;
        if found.is_empty() {
            return Err(lockless::error(folder));
        }
        files.extend(found);
    }
    Ok(files)
}

/// The folder whose npm configuration says where packages come from.
fn first_folder(options: &Backfill) -> PathBuf {
    let lockfile = options.lockfile.first().and_then(|file| file.parent());
    let folder = lockfile.filter(|it| !it.as_os_str().is_empty());
    let folder = folder.or(options.folders.first().map(PathBuf::as_path));
    folder.unwrap_or(Path::new(".")).to_owned()
}

async fn show(global: &Global, owner: &str, json: bool) -> Result<ExitCode> {
    let wanted = owner.strip_prefix('@').unwrap_or(owner);
    let name = owner.strip_prefix('~').unwrap_or(wanted);
    if name.is_empty() {
        bail!("{owner:?} names nobody: give @scope, ~account or a package");
    }
    let store = setup::store(global).await?;
    let packages = store.habits(owner).await?;
    let waiting = match packages.is_empty() {
        true => store.lessons_waiting(owner).await?,
        false => 0,
    };
    store.close().await.context("closing the data folder")?;
    if waiting > 0 {
        bail!(
            "{owner} is not known yet: {waiting} of its releases were seen, and teach once they are seven days old \
             and a gateway or a command that decides starts"
        );
    }
    if packages.is_empty() {
        bail!(
            "nothing is known of {owner}: `weir baseline backfill` learns from a project's dependencies, \
             and a gateway from what passes through it"
        );
    }
    let baseline = Baseline::new(owner, packages);
    if json {
        let text = serde_json::to_string(&v1::Baseline::new(&baseline)).context("writing JSON")?;
        crate::out::println!("{text}");
    } else {
        crate::out::print!("{}", text(&baseline));
    }
    Ok(ExitCode::from(exit::FINE))
}

fn text(baseline: &Baseline) -> String {
    use std::fmt::Write as _;
    let all = baseline.all();
    let mut out = String::new();
    let mut line = |label: &str, text: String| {
        let _ = writeln!(out, "  {label:<16} {}", printable(&text, 400));
    };
    line(
        "packages",
        some(baseline.packages().keys().map(String::as_str)),
    );
    line("releases", all.releases.to_string());
    line("run at install", of(all.hooks, all.releases));
    let origins = Origin::ALL.into_iter().zip(all.origins);
    let origins: Vec<String> = origins
        .filter(|(_, count)| *count > 0)
        .map(|(origin, count)| format!("{} {count}", in_words(origin)))
        .collect();
    line("origin", origins.join(", "));
    let nobody = (all.nobody > 0).then(|| format!("not known {}", all.nobody));
    let publishers: Vec<String> = with_counts(&all.publishers.ranked())
        .into_iter()
        .chain(nobody)
        .collect();
    line("published by", publishers.join(", "));
    line("licence", with_counts(&all.licences.ranked()).join(", "));
    line(
        "repository",
        with_counts(&all.repositories.ranked()).join(", "),
    );
    line(
        "depend on",
        with_counts(&all.dependencies.ranked()).join(", "),
    );
    let hours = all
        .hours
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0);
    let hours: Vec<String> = hours
        .map(|(hour, count)| format!("{hour:02} h {count}"))
        .collect();
    line("hours (UTC)", hours.join(", "));
    if baseline.packages().len() == 1
        && let Some(days) = all.median_days_between()
    {
        line("days between", format!("{days} in the median"));
    }
    line(
        "at once",
        format!("at most {} within an hour", baseline.peak()),
    );
    format!("{}\n{out}", printable(baseline.owner(), 220))
}

fn of(count: u32, all: u32) -> String {
    match count {
        0 => "never".to_owned(),
        count if count == all => "always".to_owned(),
        count => format!("{count} of {all}"),
    }
}

fn in_words(origin: Origin) -> &'static str {
    match origin {
        Origin::None => "no evidence",
        Origin::Provenance => "provenance",
        Origin::TrustedPublisher => "a trusted workflow",
        Origin::Approved => "approved by a second person",
    }
}

/// The most frequent values with their counts.
fn with_counts(ranked: &[(&str, u32)]) -> Vec<String> {
    let shown = ranked.iter().take(SHOWN);
    let mut told: Vec<String> = shown
        .map(|(value, count)| format!("{value} {count}"))
        .collect();
    if ranked.len() > SHOWN {
        told.push(format!("{} more", ranked.len() - SHOWN));
    }
    told
}

fn some<'t>(names: impl ExactSizeIterator<Item = &'t str>) -> String {
    let count = names.len();
    let named: Vec<&str> = names.take(SHOWN).collect();
    let more = count.saturating_sub(SHOWN);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{count}: {}{rest}", named.join(", "))
}
