//! What is usual around the releases of samples.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_model::habits::{By, Moment, minute};
use weir_model::{Baseline, Habits};
use weir_npm::packument::VersionManifest;

use crate::{Arrival, Known, lesson, line_number};

/// What is usual in a scope whose packages have had four releases each, a month apart, of that manifest.
///
/// # Panics
/// If the manifest is not a JSON object.
#[must_use]
pub fn siblings(scope: &str, bases: &[&str], manifest: &str) -> Baseline {
    let manifest = VersionManifest::from_json(manifest).expect("the sample is a manifest");
    let first: Timestamp = "2025-09-01T09:00:00Z".parse().expect("a constant time");
    let packages = bases.iter().map(|base| {
        let mut habits = Habits::default();
        for number in 0..4_i64 {
            let at = first + SignedDuration::from_hours(number * 30 * 24);
            habits.learn(&lesson(&format!("1.{number}.0"), at, &manifest));
        }
        (format!("{scope}/{base}"), habits)
    });
    Baseline::new(scope, packages.collect())
}

/// What is usual for an account that has published one package a hundred times, in these hours (UTC).
///
/// # Panics
/// Never: its times are constants.
#[must_use]
pub fn account_hours(name: &str, hours: Range<i64>) -> Baseline {
    let first: Timestamp = "2024-01-01T00:00:00Z".parse().expect("a constant time");
    let mut habits = Habits::default();
    for (day, hour) in (0..100_i64).zip(hours.cycle()) {
        let at = first + SignedDuration::from_hours(day * 5 * 24 + hour);
        let mut lesson = lesson(&format!("1.0.{day}"), at, &VersionManifest::default());
        lesson.by = Some(By::Account(name.to_owned()));
        habits.learn(&lesson);
    }
    let packages = BTreeMap::from([("tide-table".to_owned(), habits)]);
    Baseline::new(&By::Account(name.to_owned()).label(), packages)
}

/// Another package's release that came out lately, and when it had others before.
///
/// # Panics
/// If a time is none.
#[must_use]
pub fn arrival(name: &str, version: &str, published: &str, before: &[&str]) -> Arrival {
    let moment = |time: &str| {
        let time: Timestamp = time.parse().expect("the sample's time is RFC 3339");
        Moment {
            minute: minute(time),
            line: line_number(version),
        }
    };
    Arrival {
        name: name.to_owned(),
        version: version.to_owned(),
        published: published.parse().expect("the sample's time is RFC 3339"),
        moment: moment(published),
        first: before.is_empty(),
        before: before.iter().map(|time| moment(time)).collect(),
    }
}

/// What is known of an owner, for a page.
pub(super) fn describe(known: &Known) -> Value {
    let usual = known.baseline.as_ref().map(|baseline| {
        let all = baseline.all();
        json!({
            "owner": baseline.owner(),
            "packages": baseline.packages().keys().collect::<Vec<_>>(),
            "releases": all.releases,
            "with something that runs at install": all.hooks,
            "publishers": all.publishers.ranked(),
            "most within an hour": baseline.peak(),
        })
    });
    let arrivals = known.arrivals.iter().map(|arrival| {
        json!({
            "release": format!("{}@{}", arrival.name, arrival.version),
            "published": arrival.published.to_string(),
            "releases before": arrival.before.len(),
        })
    });
    json!({ "learned": usual, "came out as well": arrivals.collect::<Vec<_>>() })
}
