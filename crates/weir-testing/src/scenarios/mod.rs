//! Replay scenarios (INCIDENTS section 5) with their benign twins (section 6): each starts a
//! registry with full histories and a sink, and says what must be noticed and what must not.
//!
//! All times are relative to the `now` given: attacks are minutes old, histories years. Use
//! [`default_now`] with a virtual clock and `Timestamp::now()` with the machine's.

mod claims;
mod code;
mod deviations;
mod first_hook;
mod habits;
mod honest;
mod installs;
mod names;
mod official_scope;
mod parts;
mod remote_dependency;
mod shapes;
#[cfg(test)]
mod tests;

use jiff::{Span, Timestamp};

pub use claims::other_claims;
pub use code::{
    hidden_text, obfuscated_patch, on_import, other_hands_on_import, other_host, own_author,
    prepended,
};
pub use deviations::{bait_dependency, lost_provenance, other_hands, winning_number, woken_lines};
pub use first_hook::first_hook;
pub use habits::{deep_bait, flood_of_names, unlike_siblings, whole_account};
pub use honest::honest_releases;
pub use installs::{assistant_settings, by_name_lookup, hooked_patches, sibling_patch, vanishing};
pub use names::{brand_scope, copied_library, first_releases, lookalike_campaign};
pub use official_scope::official_scope_lookalike;
pub use remote_dependency::remote_dependency;
pub use shapes::{
    bait_in_two_steps, implicit_build, not_text, swollen, two_manifests, whole_scope,
    woken_with_program,
};

use crate::package::timestamp;
use crate::{Registry, Release, Sink};

/// What at least must be noticed about an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The code of INCIDENTS section 1, `M7`.
    pub code: &'static str,
    /// The evidence group of DESIGN.md, in kebab case as reports spell it.
    pub group: &'static str,
    /// What there is to see, in words.
    pub seen: &'static str,
}

/// A release that must not reach anybody.
#[derive(Debug, Clone)]
pub struct Attack {
    /// The package.
    pub name: &'static str,
    /// The version.
    pub version: &'static str,
    /// The version a range or tag should come to instead; `None` when the package is bad as a whole.
    pub good: Option<&'static str>,
    /// The public incidents (INCIDENTS sections 2 to 4) whose shape it has.
    pub incidents: &'static [&'static str],
    /// Those of which it has one side alone, to see that this side is noticed without the others.
    pub parts_of: &'static [&'static str],
    /// Whether anything short of knowing the author's mind tells it from an honest release. Where
    /// nothing does, it is replayed to say so.
    pub separable: bool,
    /// The minimum to notice.
    pub expected: Vec<Expected>,
}

/// A release that resembles the attack and must not be held or blocked for what it is. Its age
/// alone may still hold it for new resolutions.
#[derive(Debug, Clone)]
pub struct Twin {
    /// The package.
    pub name: &'static str,
    /// The version.
    pub version: &'static str,
    /// Why it is fine.
    pub why: &'static str,
}

/// A registry in the state of an incident.
pub struct Scenario {
    /// The scenario's name, `R1` style names first where INCIDENTS section 5 has one.
    pub name: &'static str,
    /// What happened, in a sentence or two.
    pub description: &'static str,
    /// The upstream, its clock at `now`.
    pub registry: Registry,
    /// Where the attack would send what it finds.
    pub sink: Sink,
    /// The moment of the incident.
    pub now: Timestamp,
    /// Packages that an organisation depends on, whose past weir has learned before the incident.
    pub known: Vec<&'static str>,
    /// What must be stopped.
    pub attacks: Vec<Attack>,
    /// What must pass.
    pub twins: Vec<Twin>,
}

/// How a scenario is made.
pub type Make = fn(Timestamp) -> Scenario;

/// Every scenario, in the order of INCIDENTS section 5, then the rest.
pub const ALL: &[Make] = &[
    first_hook,
    woken_lines,
    lost_provenance,
    bait_dependency,
    bait_in_two_steps,
    remote_dependency,
    implicit_build,
    swollen,
    whole_scope,
    other_claims,
    obfuscated_patch,
    prepended,
    other_host,
    other_hands,
    winning_number,
    brand_scope,
    copied_library,
    lookalike_campaign,
    assistant_settings,
    sibling_patch,
    by_name_lookup,
    vanishing,
    not_text,
    hidden_text,
    two_manifests,
    official_scope_lookalike,
    hooked_patches,
    on_import,
    other_hands_on_import,
    woken_with_program,
    first_releases,
    unlike_siblings,
    whole_account,
    flood_of_names,
    deep_bait,
    own_author,
    honest_releases,
];

/// Every scenario, for tests that loop.
pub fn all(now: Timestamp) -> Vec<Scenario> {
    ALL.iter().map(|make| make(now)).collect()
}

/// A fixed moment for tests with a virtual clock: 2026-11-20T12:00:00Z.
pub fn default_now() -> Timestamp {
    timestamp("2026-11-20T12:00:00.000Z")
}

fn minutes_before(now: Timestamp, minutes: i64) -> Timestamp {
    now.checked_sub(Span::new().minutes(minutes))
        .expect("a date within range")
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(Span::new().hours(24 * days))
        .expect("a date within range")
}

/// Releases of `versions` spread evenly from `first` to `last` days before now, built by `make`.
fn history(
    now: Timestamp,
    versions: &[&str],
    (first, last): (i64, i64),
    make: impl Fn(&str) -> Release,
) -> Vec<Release> {
    let steps = i64::try_from(versions.len().saturating_sub(1)).unwrap_or(i64::MAX);
    (0..)
        .zip(versions)
        .map(|(position, version)| {
            let days = first - (first - last) * position / steps.max(1);
            make(version).published_at(days_before(now, days))
        })
        .collect()
}
