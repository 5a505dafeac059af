//! What the index looks forms up in: finite-state maps where the names are part of the program, sorted
//! hashes where they are an operator's own and have to be there a moment after the start (a hundred
//! thousand names: DESIGN, "Flow", embedded by default).

use fst::{IntoStreamer, Map, Streamer};

use super::NamesError;
use super::compact::{Bytes, ScopeEntry};
use super::{near, search};

/// How two entries of one key become one. The first is that of the more popular name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// The first one stays.
    First,
    /// The first one stays and is marked in the upper half: the key names no single package.
    MarkSecond,
    /// Packages of a scope are counted.
    CountPackages,
}

impl Merge {
    /// What `first` becomes, given that `second` has the same key.
    pub(super) fn apply(self, first: u64, second: u64) -> u64 {
        match self {
            Self::First => first,
            Self::MarkSecond => first | (1 << 32),
            Self::CountPackages => {
                let mut entry = ScopeEntry::unpack(first);
                let more = ScopeEntry::unpack(second).packages;
                entry.packages = entry.packages.saturating_add(more);
                entry.pack()
            }
        }
    }
}

/// From the form of a name to its place. A hash may stand for another form: whoever looks one up
/// compares it with the form of the name that was found.
pub(super) enum Table {
    /// Part of the program.
    Map(Map<Bytes>),
    /// Hashes of forms with their values, by hash.
    Hashed(Vec<(u64, u64)>),
}

impl Table {
    pub(super) fn map(bytes: Bytes) -> Result<Self, NamesError> {
        Ok(Self::Map(Map::new(bytes)?))
    }

    /// From entries in order of popularity.
    pub(super) fn hashed(mut entries: Vec<(u64, u64)>, merge: Merge) -> Self {
        // Stable, so that the more popular name stays first.
        entries.sort_by_key(|(hash, _)| *hash);
        entries.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 = merge.apply(first.1, later.1);
            }
            same
        });
        entries.shrink_to_fit();
        Self::Hashed(entries)
    }

    pub(super) fn get(&self, form: &str) -> Option<u64> {
        match self {
            Self::Map(map) => map.get(form),
            Self::Hashed(entries) => {
                let wanted = hash(form);
                let key = |at: usize| entries.get(at).map_or(u64::MAX, |(hash, _)| *hash);
                let at = search::first(entries.len(), wanted, key);
                let found = entries.get(at).filter(|(hash, _)| *hash == wanted);
                found.map(|(_, value)| *value)
            }
        }
    }
}

/// FNV-1a, 64 bit. Not a seal: what is found is compared with what was asked for.
pub(super) fn hash(text: &str) -> u64 {
    near::extended(near::START, text)
}

/// The names themselves.
pub(super) enum Names {
    /// Part of the program: from the name to its place.
    Map(Map<Bytes>),
    /// Places of names in the order of their text.
    Sorted(Vec<u32>),
}

impl Names {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Map(map) => map.len(),
            Self::Sorted(places) => places.len(),
        }
    }

    /// The place of a name. `text` gives the name at a place.
    pub(super) fn rank<'t>(&self, name: &str, text: impl Fn(u32) -> &'t str) -> Option<u32> {
        match self {
            Self::Map(map) => map.get(name).and_then(|place| u32::try_from(place).ok()),
            Self::Sorted(places) => {
                let at = places.binary_search_by(|place| text(*place).cmp(name));
                places.get(at.ok()?).copied()
            }
        }
    }

    /// Whether at least `count` names start with `prefix`.
    pub(super) fn has_family<'t>(
        &self,
        prefix: &str,
        count: usize,
        text: impl Fn(u32) -> &'t str,
    ) -> bool {
        self.family(prefix, count, text).len() == count
    }

    /// The places of names that start with `prefix`, in the order of their text, at most `most`.
    pub(super) fn family<'t>(
        &self,
        prefix: &str,
        most: usize,
        text: impl Fn(u32) -> &'t str,
    ) -> Vec<u32> {
        match self {
            Self::Map(map) => {
                let mut found = Vec::new();
                let mut stream = map.range().ge(prefix).into_stream();
                while found.len() < most
                    && let Some((key, place)) = stream.next()
                    && key.starts_with(prefix.as_bytes())
                {
                    found.extend(u32::try_from(place));
                }
                found
            }
            Self::Sorted(places) => {
                let start = places.partition_point(|place| text(*place) < prefix);
                let from = places.get(start..).unwrap_or_default();
                let family = from.partition_point(|place| text(*place).starts_with(prefix));
                from.iter().take(family.min(most)).copied().collect()
            }
        }
    }
}
