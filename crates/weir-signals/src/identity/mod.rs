//! Signals over names, publishers and maintainers.

pub(crate) mod lookalike_name;
