//! What is known of a package, a release, or by an id.

use anyhow::{Result, bail};
use weir_model::{AdvisoryKind, FeedSays, Stance, Standing, Told};
use weir_store::{Advisories, Store};

use crate::exit;

pub(super) async fn show(store: &Store, advisories: &Advisories, what: Option<&str>) -> Result<u8> {
    let Some(what) = what else {
        anstream::println!(
            "{} advisories in force, of {} feeds, generation {}",
            advisories.len(),
            store.advisory_feeds().await?.len(),
            advisories.generation()
        );
        return Ok(exit::FINE);
    };
    let named = store.packages_of_advisory(what).await?;
    if !named.is_empty() {
        for name in &named {
            for told in advisories.about(name)?.all() {
                if told.ids().any(|id| id == what) {
                    print(name, &told);
                }
            }
        }
        return Ok(exit::FINE);
    }
    let at = what.rfind('@').filter(|at| *at > 0);
    let (name, version) = match at.and_then(|at| what.split_at_checked(at)) {
        Some((name, version)) => (name, Some(version.trim_start_matches('@'))),
        None => (what, None),
    };
    let about = advisories.about(name)?;
    let told = match version {
        Some(version) => about.told(version),
        None => about.all(),
    };
    if advisories.is_empty() {
        bail!("no advisories are imported: nothing is known of anything");
    }
    if told.is_empty() {
        let beyond = version.is_some_and(|it| about.standing(it) == Standing::Beyond);
        anstream::println!(
            "{what}: no advisory in force{}",
            if beyond {
                ", but it is past the last version known to be affected, and no fix is stated"
            } else {
                ""
            }
        );
    }
    for told in &told {
        print(name, told);
    }
    Ok(exit::FINE)
}

fn print(name: &str, told: &Told) {
    let kind = match told.kind {
        AdvisoryKind::Malware => "malware",
        AdvisoryKind::Vulnerability => "vulnerability",
    };
    let severity = told
        .severity
        .map_or("severity not stated", weir_model::FlawSeverity::as_str);
    let score = told.cvss.as_ref().map_or_else(String::new, |cvss| {
        format!(" (CVSS {:.1}, {})", cvss.score.value(), cvss.vector)
    });
    let shown = |text: &str| weir_model::finding::printable(text, 600);
    anstream::println!(
        "{} {kind} in {}: {}",
        told.id,
        shown(name),
        shown(&told.summary)
    );
    anstream::println!("  {severity}{score}, affected: {}", shown(&told.vulnerable));
    if !told.certain {
        anstream::println!("  its ranges cannot be read in full: any version may be affected");
    }
    if !told.fixes.is_empty() {
        anstream::println!("  fixed in: {}", told.fixes.join(", "));
    }
    if !told.aliases.is_empty() {
        anstream::println!("  also: {}", shown(&told.aliases.join(", ")));
    }
    anstream::println!("  {}", shown(&told.url));
    for says in &told.says {
        anstream::println!("  {}", sentence(says));
    }
}

/// Who says what.
pub(in crate::commands) fn sentence(says: &FeedSays) -> String {
    let FeedSays { feed, id, says } = says;
    let id = id.as_deref().unwrap_or_default();
    match says {
        Stance::Affected => format!("{feed}: {id} says affected"),
        Stance::Unclear => format!("{feed}: {id} cannot be read in full"),
        Stance::Beyond => format!("{feed}: {id} knows only older versions to be affected"),
        Stance::NotAffected => format!("{feed}: {id} says not affected"),
        Stance::Withdrawn => format!("{feed}: {id} is withdrawn"),
        Stance::Older => format!("{feed}: has an older copy of {id}"),
        Stance::Silent => format!("{feed}: says nothing of it"),
    }
}
