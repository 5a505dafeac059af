//! What is known of a package, a release, or by an id.

use anyhow::{Result, bail};
use weir_model::finding::printable;
use weir_model::{AdvisoryKind, FeedSays, Stance, Standing, Told};
use weir_npm::version::{Range, Version};
use weir_store::advisories::Feed;
use weir_store::{Advisories, PackageAdvisories, Store};

use crate::counted::counted;
use crate::exit;

/// Longest text of others that is printed in one piece, in characters.
const SHOWN: usize = 600;

pub(super) async fn show(store: &Store, advisories: &Advisories, what: Option<&str>) -> Result<u8> {
    let feeds = store.advisory_feeds().await?;
    let Some(what) = what else {
        crate::out::println!(
            "{} in force, of {}, generation {}",
            counted(advisories.len(), "advisory", "advisories"),
            counted(feeds.len(), "feed", "feeds"),
            advisories.generation()
        );
        return Ok(exit::FINE);
    };
    if feeds.is_empty() {
        bail!("no advisories are imported: nothing is known of anything");
    }
    let is_id = by_id(store, advisories, what).await?;
    let (name, version) = asked(what)?;
    let about = advisories.about(name)?;
    match version {
        _ if about.is_empty() && is_id => {}
        _ if about.is_empty() => say_unknown(what, &feeds),
        Some(version) => of_version(name, version, &about),
        None => of_package(name, &about),
    }
    Ok(exit::FINE)
}

/// What is asked about: a package's name, and the version if there is one.
fn asked(what: &str) -> Result<(&str, Option<&str>)> {
    let at = what.rfind('@').filter(|at| *at > 0);
    let Some((name, version)) = at.and_then(|at| what.split_at_checked(at)) else {
        return Ok((what, None));
    };
    let version = version.trim_start_matches('@');
    if Version::parse(version).is_err() {
        let is = match Range::parse_from_npm(version) {
            Ok(_) if !version.trim().is_empty() => "is a range",
            _ => "is no version",
        };
        let name = printable(name, SHOWN);
        bail!(
            "{:?} {is}, and one version is expected, as in {name}@1.2.3; `weir advisories show {name}` tells \
             of all versions",
            printable(version, SHOWN)
        );
    }
    Ok((name, Some(version)))
}

fn say_unknown(what: &str, feeds: &[Feed]) {
    let records: u64 = feeds
        .iter()
        .map(|feed| feed.in_force + feed.withdrawn)
        .sum();
    crate::out::println!(
        "no advisory here about {} ({}, {})",
        printable(what, SHOWN),
        counted(feeds.len(), "feed", "feeds"),
        counted(records, "record", "records")
    );
}

/// Prints what has this id, in every package it is about. `false` when nothing has.
async fn by_id(store: &Store, advisories: &Advisories, id: &str) -> Result<bool> {
    let named = store.packages_of_advisory(id).await?;
    let has_id = |told: &&Told| told.ids().any(|known| known.eq_ignore_ascii_case(id));
    for name in &named {
        let about = advisories.about(name)?;
        for told in about.all().iter().filter(has_id) {
            print(name, told);
        }
        for told in about.withdrawn().iter().filter(has_id) {
            print_withdrawn(name, told);
        }
    }
    Ok(!named.is_empty())
}

fn of_package(name: &str, about: &PackageAdvisories) {
    let told = about.all();
    if told.is_empty() {
        crate::out::println!("{}: no advisory in force", printable(name, SHOWN));
    }
    for told in &told {
        print(name, told);
    }
    for told in about.withdrawn() {
        print_withdrawn(name, &told);
    }
}

/// What concerns one version, what was taken back, and that there is more.
fn of_version(name: &str, version: &str, about: &PackageAdvisories) {
    let told = about.told(version);
    if told.is_empty() {
        let beyond = match about.standing(version) {
            Standing::Beyond => {
                ", but it is past the last version known to be affected, and no fix is stated"
            }
            _ => "",
        };
        crate::out::println!(
            "{}@{}: no advisory in force affects it{beyond}",
            printable(name, SHOWN),
            printable(version, SHOWN)
        );
    }
    for told in &told {
        print(name, told);
    }
    for told in about.withdrawn() {
        print_withdrawn(name, &told);
    }
    let mut others = about.all();
    others.retain(|other| told.iter().all(|it| it.id != other.id));
    if !others.is_empty() {
        let ids: Vec<String> = others.iter().map(|it| printable(&it.id, SHOWN)).collect();
        crate::out::println!("about other versions of it: {}", ids.join(", "));
    }
}

fn print(name: &str, told: &Told) {
    print_head(name, told);
    if !told.certain {
        crate::out::println!("  its ranges cannot be read in full: any version may be affected");
    }
    print_rest(told);
}

fn print_withdrawn(name: &str, told: &Told) {
    print_head(name, told);
    crate::out::println!("  withdrawn: it counts for nothing");
    print_rest(told);
}

fn print_head(name: &str, told: &Told) {
    let kind = match told.kind {
        AdvisoryKind::Malware => "malware",
        AdvisoryKind::Vulnerability => "vulnerability",
    };
    let severity = told
        .severity
        .map_or("severity not stated", weir_model::FlawSeverity::as_str);
    let score = told.cvss.as_ref().map_or_else(String::new, |cvss| {
        let vector = printable(&cvss.vector, SHOWN);
        format!(" (CVSS {:.1}, {vector})", cvss.score.value())
    });
    let [id, name, summary, vulnerable] = [
        told.id.as_str(),
        name,
        told.summary.as_str(),
        told.vulnerable.as_str(),
    ]
    .map(|it| printable(it, SHOWN));
    let summary = match summary.trim() {
        "" => String::new(),
        summary => format!(": {summary}"),
    };
    crate::out::println!("{id} {kind} in {name}{summary}");
    crate::out::println!("  {severity}{score}, affected: {vulnerable}");
}

fn print_rest(told: &Told) {
    let shown = |texts: &[String]| printable(&texts.join(", "), SHOWN);
    if !told.fixes.is_empty() {
        crate::out::println!("  fixed in: {}", shown(&told.fixes));
    }
    if !told.aliases.is_empty() {
        crate::out::println!("  also: {}", shown(&told.aliases));
    }
    crate::out::println!("  {}", printable(&told.url, SHOWN));
    for says in &told.says {
        crate::out::println!("  {}", sentence(says));
    }
}

/// Who says what.
pub(in crate::commands) fn sentence(says: &FeedSays) -> String {
    let feed = printable(&says.feed, SHOWN);
    let id = printable(says.id.as_deref().unwrap_or_default(), SHOWN);
    match says.says {
        Stance::Affected => format!("{feed}: {id} says affected"),
        Stance::Unclear => format!("{feed}: {id} cannot be read in full"),
        Stance::Beyond => format!("{feed}: {id} knows only older versions to be affected"),
        Stance::NotAffected => format!("{feed}: {id} says not affected"),
        Stance::Withdrawn => format!("{feed}: {id} is withdrawn"),
        Stance::Older => format!("{feed}: has an older copy of {id}"),
        Stance::Silent => format!("{feed}: says nothing of it"),
    }
}
