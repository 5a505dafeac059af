//! Maps keyed by what hostile code may choose: seeded anew in every process, and a good deal faster
//! than the standard library's hash on the short names that programs are made of.

use foldhash::fast::RandomState;

/// A map that is not flooded on purpose.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, RandomState>;
/// The same for a set.
pub(crate) type Set<K> = std::collections::HashSet<K, RandomState>;
