//! What `weir baseline show --json` prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Baseline as Internal;
use crate::habits::{Habits as InternalHabits, Origin};

/// Name of the schema.
pub const BASELINE: &str = "weir.baseline/v1";

/// What is usual for a scope, an account or a package.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Baseline<'a> {
    /// Always [`BASELINE`].
    pub schema: &'static str,
    /// Whose it is: `@scope`, `~account`, or a package.
    pub owner: &'a str,
    /// The most packages and lines that came out within an hour.
    pub most_within_an_hour: usize,
    /// All packages together.
    pub all: Habits<'a>,
    /// Each package.
    pub packages: BTreeMap<&'a str, Habits<'a>>,
}

/// What releases were like.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Habits<'a> {
    /// How many there are.
    pub releases: u32,
    /// How many run something when they are installed.
    pub hooks: u32,
    /// How many had which evidence of where they were built.
    pub origins: BTreeMap<Origin, u32>,
    /// Who published how many: `~account`, `workflow host`.
    pub publishers: BTreeMap<&'a str, u32>,
    /// How many name no publisher.
    pub publisher_not_known: u32,
    /// Their licences.
    pub licences: BTreeMap<&'a str, u32>,
    /// Hosts and owners of the repositories they name.
    pub repositories: BTreeMap<&'a str, u32>,
    /// What they depend on.
    pub dependencies: BTreeMap<&'a str, u32>,
    /// How many came out in each hour of the day, UTC, from 0 to 23.
    pub hours: &'a [u32; 24],
    /// Days between two releases in the median; absent with fewer than two.
    pub median_days_between: Option<f64>,
}

impl<'a> Baseline<'a> {
    /// The public form.
    #[must_use]
    pub fn new(baseline: &'a Internal) -> Self {
        let packages = baseline.packages().iter();
        Self {
            schema: BASELINE,
            owner: baseline.owner(),
            most_within_an_hour: baseline.peak(),
            all: Habits::new(baseline.all()),
            packages: packages
                .map(|(name, habits)| (name.as_str(), Habits::new(habits)))
                .collect(),
        }
    }
}

impl<'a> Habits<'a> {
    fn new(habits: &'a InternalHabits) -> Self {
        Self {
            releases: habits.releases,
            hooks: habits.hooks,
            origins: Origin::ALL.into_iter().zip(habits.origins).collect(),
            publishers: habits.publishers.ranked().into_iter().collect(),
            publisher_not_known: habits.nobody,
            licences: habits.licences.ranked().into_iter().collect(),
            repositories: habits.repositories.ranked().into_iter().collect(),
            dependencies: habits.dependencies.ranked().into_iter().collect(),
            hours: &habits.hours,
            median_days_between: habits.median_days_between(),
        }
    }
}
