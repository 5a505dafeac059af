//! Signals over names, publishers and maintainers.

pub(crate) mod internal_name;
pub(crate) mod invented_name;
pub(crate) mod lookalike_name;
pub(crate) mod maintainer_change;
pub(crate) mod missing_source_marks;
pub(crate) mod new_publisher;
pub(crate) mod throwaway_publisher;
pub(crate) mod unlike_siblings;

/// Packages of others that have to depend on one, and were served here, before its name counts as used:
/// two may be one person's.
pub const REAL_DEPENDENTS: u64 = 3;
