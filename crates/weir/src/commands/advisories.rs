//! `weir advisories`: what others have published about releases.

mod show;
mod source;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use weir_model::json::v1;
use weir_store::advisories::{Feed, Import, ImportReport};
use weir_store::{Advisories, Store};

pub(super) use self::show::sentence;
use self::source::Source;
use crate::cli::{AdvisoriesCommand, AdvisoriesImport, Global};
use crate::counted::counted;
use crate::{exit, progress, setup};

/// Imports advisories or says what is there.
pub(super) async fn run(global: &Global, command: AdvisoriesCommand) -> Result<ExitCode> {
    let store = setup::store(global).await?;
    let code = match command {
        AdvisoriesCommand::Import(options) => import(global, &store, &options).await?,
        AdvisoriesCommand::Update {
            feeds,
            allow_removals,
        } => update(global, &store, &feeds, allow_removals).await?,
        AdvisoriesCommand::List { json } => list(&store, json).await?,
        AdvisoriesCommand::Show { what } => {
            let advisories = Advisories::load(&store).await?;
            show::show(&store, &advisories, what.as_deref()).await?
        }
        AdvisoriesCommand::Remove { feed } => {
            if !store.remove_advisory_feed(&feed).await? {
                bail!("there is no feed {feed:?}; `weir advisories list` names them");
            }
            crate::out::println!("the feed {feed} is removed");
            exit::FINE
        }
    };
    store.close().await?;
    Ok(ExitCode::from(code))
}

async fn import(global: &Global, store: &Store, options: &AdvisoriesImport) -> Result<u8> {
    let source = Source::of(&options.source)?;
    let feed = match &options.feed {
        Some(name) => checked(name)?,
        None => source.name()?,
    };
    let found = source.open(global, None).await?;
    let Some(found) = found else {
        bail!(
            "{} says that nothing has changed, without having been asked",
            options.source
        );
    };
    let mut import = Import {
        source: source.remembered(),
        whole: !options.partial && !found.is_single,
        allow_removals: options.allow_removals,
        etag: found.etag.clone(),
        last_modified: found.last_modified.clone(),
        ..Import::new(&feed, found.path(), setup::clock(global).now())
    };
    // What is added to a feed does not become the place that the feed comes from.
    let feeds = store.advisory_feeds().await?;
    let own = feeds.into_iter().find(|known| known.name == feed);
    if let Some(own) = own.filter(|own| !import.whole && !own.source.is_empty()) {
        if own.source != import.source {
            (import.etag, import.last_modified) = (None, None);
        }
        import.source = own.source;
    }
    read(store, &import, &options.source).await
}

/// Names go into listings and JSON.
fn checked(name: &str) -> Result<String> {
    let usable = |c: char| c.is_alphanumeric() || "._-/:@ ".contains(c);
    if name.trim().is_empty() || name.chars().count() > 100 || !name.chars().all(usable) {
        bail!(
            "{name:?} is no name for a feed: letters, digits, blanks and any of . _ - / : @, at most 100"
        );
    }
    Ok(name.trim().to_owned())
}

async fn update(
    global: &Global,
    store: &Store,
    names: &[String],
    allow_removals: bool,
) -> Result<u8> {
    let feeds = store.advisory_feeds().await?;
    for name in names {
        if !feeds.iter().any(|feed| feed.name == *name) {
            bail!("there is no feed {name:?}; `weir advisories list` names them");
        }
    }
    let wanted = |feed: &&Feed| match names.is_empty() {
        true => !feed.source.is_empty(),
        false => names.contains(&feed.name),
    };
    let wanted: Vec<&Feed> = feeds.iter().filter(wanted).collect();
    if wanted.is_empty() {
        bail!("there is no feed to update; `weir advisories import` makes one");
    }
    let mut code = exit::FINE;
    for feed in wanted {
        let done = again(global, store, feed, allow_removals).await;
        match done.with_context(|| format!("updating the feed {}", feed.name)) {
            Ok(one) => code = code.max(one),
            // The others are updated all the same.
            Err(error) => {
                exit::failed(&error);
                code = exit::FAILED;
            }
        }
    }
    Ok(code)
}

async fn again(global: &Global, store: &Store, feed: &Feed, allow_removals: bool) -> Result<u8> {
    if feed.source.is_empty() {
        bail!("it was imported before feeds had sources: import it again, and remove this one");
    }
    let source = Source::of(&feed.source)?;
    let opened = source.open(global, Some(feed)).await;
    let Some(found) = opened? else {
        let now = setup::clock(global).now();
        store.touch_advisory_feed(&feed.name, now).await?;
        crate::out::println!("{}: has not changed", feed.name);
        if feed.skipped == 0 {
            return Ok(exit::FINE);
        }
        let parts = match feed.skipped {
            1 => "1 part".to_owned(),
            more => format!("{more} parts"),
        };
        anstream::eprintln!(
            "weir: {}: {parts} of it could not be used when it was read; `weir advisories import` names them",
            feed.name
        );
        return Ok(exit::FAILED);
    };
    let import = Import {
        source: feed.source.clone(),
        whole: feed.whole && !found.is_single,
        allow_removals,
        etag: found.etag.clone(),
        last_modified: found.last_modified.clone(),
        ..Import::new(&feed.name, found.path(), setup::clock(global).now())
    };
    read(store, &import, &feed.source).await
}

/// Reads what is at hand, and says what came of it. Where that is need not be where the feed comes from.
async fn read(store: &Store, import: &Import, at_hand: &str) -> Result<u8> {
    let spinner = progress::spinner("importing advisories");
    let report = store
        .import_osv(import, |progress| {
            spinner.set_message(format!(
                "importing advisories: {} of {} files",
                progress.done, progress.total
            ));
        })
        .await
        .with_context(|| format!("importing {at_hand}"));
    spinner.finish_and_clear();
    let report = report?;
    say(&import.feed, &report);
    // What could not be used is not passed over.
    Ok(if report.unusable() > 0 {
        exit::FAILED
    } else {
        exit::FINE
    })
}

fn say(feed: &str, report: &ImportReport) {
    let ImportReport {
        read,
        npm,
        malware,
        vulnerabilities,
        withdrawn,
        changed,
        removed,
        ..
    } = report;
    crate::out::println!(
        "{feed}: {} read, {npm} about npm: {malware} malware, {}, {withdrawn} withdrawn; {changed} new or changed, \
         {removed} removed",
        counted(*read, "record", "records"),
        counted(*vulnerabilities, "vulnerability", "vulnerabilities")
    );
    for (file, why) in &report.skipped {
        let (file, why) = [file, why]
            .map(|it| weir_model::finding::printable(it, 400))
            .into();
        anstream::eprintln!("weir: {file}: {why}");
    }
    if report.skipped_more > 0 {
        anstream::eprintln!(
            "weir: and {} more that could not be used",
            report.skipped_more
        );
    }
}

async fn list(store: &Store, json: bool) -> Result<u8> {
    let feeds = store.advisory_feeds().await?;
    if json {
        let listing = v1::Feeds {
            schema: v1::FEEDS,
            feeds: feeds.iter().map(public).collect(),
        };
        crate::out::println!(
            "{}",
            serde_json::to_string(&listing).context("writing JSON")?
        );
        return Ok(exit::FINE);
    }
    if feeds.is_empty() {
        crate::out::println!("no feed; `weir advisories import` makes one");
    }
    for feed in &feeds {
        let Feed {
            name,
            in_force,
            withdrawn,
            ..
        } = feed;
        let read = if feed.read == Timestamp::UNIX_EPOCH {
            "before feeds had names".to_owned()
        } else {
            format!("{:.0}", feed.read)
        };
        let skipped = match feed.skipped {
            0 => String::new(),
            count => format!(", {count} parts that could not be used"),
        };
        let source = weir_model::finding::printable(&feed.source, 300);
        crate::out::println!(
            "{name}: {in_force} in force, {withdrawn} withdrawn{skipped}, read {read} from {source}"
        );
    }
    Ok(exit::FINE)
}

/// The form in which users parse it.
pub(super) fn public(feed: &Feed) -> v1::AdvisoryFeed {
    v1::AdvisoryFeed {
        name: feed.name.clone(),
        source: feed.source.clone(),
        read: (feed.read != Timestamp::UNIX_EPOCH).then(|| feed.read.to_string()),
        in_force: feed.in_force,
        withdrawn: feed.withdrawn,
        skipped: feed.skipped,
    }
}

#[cfg(test)]
mod tests {

    #[test]
    fn an_error_that_names_its_cause_says_it_once() {
        let missing = std::env::temp_dir().join("weir-no-such-file-here");
        let cause = std::fs::metadata(&missing).unwrap_err().to_string();
        let error = weir_store::advisories::fingerprint(&missing).unwrap_err();
        let text = format!("{:#}", anyhow::Error::from(error).context("importing it"));
        assert_eq!(text.matches(&cause).count(), 1, "{text}");
        assert!(text.starts_with("importing it: cannot read "), "{text}");
    }
}
