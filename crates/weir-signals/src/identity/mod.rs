//! Signals over names, publishers and maintainers.

pub(crate) mod lookalike_name;
pub(crate) mod missing_source_marks;
pub(crate) mod new_publisher;
pub(crate) mod unlike_siblings;
