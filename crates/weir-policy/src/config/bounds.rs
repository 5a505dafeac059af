//! Bounds that go beyond a value's type, and those between two values.

use super::{Period, Policy, Size};
use crate::error::PolicyError;

/// A bound: the key it is about, whether it is kept, and what to say if it is not.
type Bound = (&'static str, bool, &'static str);

/// Bounds of single values that their types do not know.
pub(super) fn of_values(policy: &Policy) -> Vec<PolicyError> {
    let Policy {
        age,
        decide,
        gate,
        limits,
        cache,
        ..
    } = policy;
    let groups = |count: u32| (1..=9).contains(&count);
    let positive = |period: Period| period > Period::from_secs(0);
    let mebibyte = |size: Size| size >= Size::from_mib(1);
    let year = Period::from_days(366);
    let bounds = [
        (
            "age.minimum",
            age.minimum <= year,
            "more than a year: nothing would ever be new enough",
        ),
        (
            "age.young_for_rules",
            age.young_for_rules <= year,
            "more than a year",
        ),
        (
            "decide.block_groups",
            groups(decide.block_groups),
            "has to be 1 to 9: there are nine groups",
        ),
        (
            "decide.hold_groups",
            groups(decide.hold_groups),
            "has to be 1 to 9: there are nine groups",
        ),
        (
            "gate.analysis_budget",
            positive(gate.analysis_budget),
            "has to be more than 0",
        ),
        (
            "gate.analysis_budget",
            gate.analysis_budget <= Period::from_secs(25),
            "more than 25s: some clients give up after 30, and then try again",
        ),
        ("limits.workers", limits.workers <= 256, "more than 256"),
        (
            "limits.worker_memory",
            limits.worker_memory >= Size::from_mib(64),
            "less than 64 MiB",
        ),
        (
            "limits.worker_time",
            positive(limits.worker_time),
            "has to be more than 0",
        ),
        (
            "limits.worker_time",
            limits.worker_time <= Period::from_secs(600),
            "more than 10 minutes",
        ),
        (
            "limits.packument_size",
            mebibyte(limits.packument_size),
            "less than 1 MiB",
        ),
        (
            "limits.tarball_size",
            mebibyte(limits.tarball_size),
            "less than 1 MiB",
        ),
        (
            "limits.unpacked_size",
            mebibyte(limits.unpacked_size),
            "less than 1 MiB",
        ),
        ("limits.files", limits.files > 0, "has to be at least 1"),
        (
            "cache.packument_ttl",
            cache.packument_ttl <= Period::from_days(1),
            "more than a day",
        ),
    ];
    broken(policy, &bounds)
}

/// Bounds between two values. They mean something only where both are as somebody meant them.
pub(super) fn between_values(policy: &Policy) -> Vec<PolicyError> {
    let decide = &policy.decide;
    let bounds = [
        (
            "decide.block_groups",
            decide.block_groups >= decide.hold_groups,
            "below decide.hold_groups: what holds would never be reached",
        ),
        (
            "decide.incomplete_unseen",
            decide.incomplete_unseen >= decide.incomplete_established,
            "milder than decide.incomplete_established: established releases deserve more trust, not less",
        ),
    ];
    broken(policy, &bounds)
}

fn broken(policy: &Policy, bounds: &[Bound]) -> Vec<PolicyError> {
    let broken = bounds.iter().filter(|(_, kept, _)| !kept);
    broken
        .map(|(key, _, why)| PolicyError::BadValue {
            at: policy.origin(key).clone(),
            key: (*key).to_owned(),
            why: (*why).to_owned(),
        })
        .collect()
}
