//! The index as one block of bytes: finite-state maps of the names and of their normal forms,
//! looked up in place. Nothing is built at start, and pages that no query touches stay on disk.
//!
//! Layout: [`MAGIC`], then for each section its length (`u32`, little endian) and its bytes, in the
//! order of [`Section`].

use std::collections::BTreeMap;

use fst::{IntoStreamer, Map, MapBuilder, Streamer};

use super::{NamesError, forms, near};

/// First bytes of the block; the digit is the layout's version.
const MAGIC: &[u8] = b"weir-names-2\n";

/// Names longer than npm allows for any existing package are not worth indexing (weir-npm).
const LONGEST_NAME: usize = 214;

/// Bytes that live in the program, or that were built for an operator's own names.
#[derive(Clone)]
pub(crate) enum Bytes {
    /// Part of the program.
    Embedded(&'static [u8]),
    /// Built at start.
    Built(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Embedded(bytes) => bytes,
            Self::Built(bytes) => bytes,
        }
    }
}

/// A scope as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScopeEntry {
    /// Rank of its most popular package.
    pub(crate) rank: u32,
    /// How many of its packages are in the index.
    pub(crate) packages: u32,
}

impl ScopeEntry {
    fn pack(self) -> u64 {
        (u64::from(self.packages) << 32) | u64::from(self.rank)
    }

    fn unpack(value: u64) -> Self {
        Self {
            rank: low_half(value),
            packages: low_half(value >> 32),
        }
    }
}

/// The lower 32 bits.
fn low_half(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// Names in order of popularity, ready for queries.
pub(crate) struct Compact {
    names: Map<Bytes>,
    /// `n + 1` offsets into `text`, `u32` little endian, by rank.
    offsets: Bytes,
    text: Bytes,
    squashed: Map<Bytes>,
    skeletons: Map<Bytes>,
    word_bags: Map<Bytes>,
    bases: Map<Bytes>,
    scopes: Map<Bytes>,
    squashed_scopes: Map<Bytes>,
    scope_skeletons: Map<Bytes>,
    sounds: Map<Bytes>,
    /// Unscoped names and their forms without one character, see [`near`].
    near_names: Bytes,
    /// The same of scopes; ranks are those of their most popular packages.
    near_scopes: Bytes,
}

impl Compact {
    /// Reads a block that [`build`] made.
    pub(crate) fn embedded(block: &'static [u8]) -> Result<Self, NamesError> {
        let mut rest = block.strip_prefix(MAGIC).ok_or(NamesError::Damaged)?;
        let mut sections = std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (section, tail) = tail.split_at_checked(length)?;
            rest = tail;
            Some(Bytes::Embedded(section))
        });
        Self::from_sections(&mut sections)
    }

    /// Builds from names in order of popularity.
    pub(crate) fn from_names(names: &[String]) -> Result<Self, NamesError> {
        let mut sections = sections(names)?.into_iter().map(Bytes::Built);
        Self::from_sections(&mut sections)
    }

    fn from_sections(sections: &mut dyn Iterator<Item = Bytes>) -> Result<Self, NamesError> {
        let mut next = || sections.next().ok_or(NamesError::Damaged);
        let map = |bytes: Bytes| Map::new(bytes).map_err(NamesError::from);
        Ok(Self {
            names: map(next()?)?,
            offsets: next()?,
            text: next()?,
            squashed: map(next()?)?,
            skeletons: map(next()?)?,
            word_bags: map(next()?)?,
            bases: map(next()?)?,
            scopes: map(next()?)?,
            squashed_scopes: map(next()?)?,
            scope_skeletons: map(next()?)?,
            sounds: map(next()?)?,
            near_names: next()?,
            near_scopes: next()?,
        })
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The name's rank, 0 for the most popular.
    pub(crate) fn rank(&self, name: &str) -> Option<u32> {
        self.names.get(name).map(low_half)
    }

    /// The name of that rank.
    pub(crate) fn name(&self, rank: u32) -> Option<&str> {
        let at = usize::try_from(rank).ok()?.checked_mul(4)?;
        let pair = self.offsets.as_ref().get(at..at.checked_add(8)?)?;
        let (start, end) = pair.split_first_chunk::<4>()?;
        let end = end.first_chunk::<4>()?;
        let start = usize::try_from(u32::from_le_bytes(*start)).ok()?;
        let end = usize::try_from(u32::from_le_bytes(*end)).ok()?;
        std::str::from_utf8(self.text.as_ref().get(start..end)?).ok()
    }

    pub(crate) fn by_squashed(&self, form: &str) -> Option<&str> {
        self.name(low_half(self.squashed.get(form)?))
    }

    pub(crate) fn by_skeleton(&self, form: &str) -> Option<&str> {
        self.name(low_half(self.skeletons.get(form)?))
    }

    pub(crate) fn by_word_bag(&self, form: &str) -> Option<&str> {
        self.name(low_half(self.word_bags.get(form)?))
    }

    /// The one package with that base name in any scope; nothing if several scopes share it.
    pub(crate) fn by_base(&self, base: &str) -> Option<&str> {
        let value = self.bases.get(base)?;
        (value >> 32 == 0).then(|| self.name(low_half(value)))?
    }

    pub(crate) fn scope(&self, scope: &str) -> Option<ScopeEntry> {
        self.scopes.get(scope).map(ScopeEntry::unpack)
    }

    /// Scopes that read like this one: without delimiters, or to a hurried eye.
    pub(crate) fn scopes_like(&self, scope: &str) -> impl Iterator<Item = &str> {
        let squashed = self.squashed_scopes.get(forms::squashed(scope));
        let skeleton = self.scope_skeletons.get(forms::skeleton(scope));
        [squashed, skeleton]
            .into_iter()
            .flatten()
            .filter_map(|rank| forms::split(self.name(low_half(rank))?).0)
    }

    pub(crate) fn by_sound(&self, form: &str) -> Option<&str> {
        self.name(low_half(self.sounds.get(form)?))
    }

    /// Unscoped names that one slip leads to, and scoped ones whose base alone would be recognised and
    /// is one slip away.
    pub(crate) fn one_slip_from<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        near::ranks(self.near_names.as_ref(), name)
            .into_iter()
            .filter_map(|rank| self.name(rank))
            .filter(move |known| near::is_one_slip(forms::split(known).1, name))
    }

    /// Scopes that one slip leads to.
    pub(crate) fn scopes_one_slip_from<'s>(
        &'s self,
        scope: &'s str,
    ) -> impl Iterator<Item = &'s str> {
        near::ranks(self.near_scopes.as_ref(), scope)
            .into_iter()
            .filter_map(|rank| forms::split(self.name(rank)?).0)
            .filter(move |known| near::is_one_slip(known, scope))
    }

    /// Whether at least `count` names start with `prefix`.
    pub(crate) fn has_family(&self, prefix: &str, count: usize) -> bool {
        let mut stream = self.names.range().ge(prefix).into_stream();
        for _ in 0..count {
            match stream.next() {
                Some((key, _)) if key.starts_with(prefix.as_bytes()) => {}
                _ => return false,
            }
        }
        true
    }
}

/// The block that [`NameIndex::embedded`](super::NameIndex::embedded) reads, from names in order of
/// popularity. The same names give the same bytes. Names that occur twice keep their better place.
///
/// # Errors
/// [`NamesError::Damaged`] if the list is larger than four gigabytes, or the map builder fails.
pub fn build(names: &[String]) -> Result<Vec<u8>, NamesError> {
    let mut block = MAGIC.to_vec();
    for section in sections(names)? {
        let length = u32::try_from(section.len()).map_err(|_| NamesError::Damaged)?;
        block.extend(length.to_le_bytes());
        block.extend(section);
    }
    Ok(block)
}

/// One table under construction; the first entry for a key stays, as it is the most popular one.
type Table = BTreeMap<String, u64>;

fn sections(names: &[String]) -> Result<Vec<Vec<u8>>, NamesError> {
    let mut seen = std::collections::HashSet::new();
    let mut tables: [Table; 9] = Default::default();
    let (mut offsets, mut text) = (vec![0_u8; 4], Vec::new());
    let kept = names
        .iter()
        .filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
    let mut rank = 0_u32;
    for name in kept {
        if !seen.insert(name.as_str()) {
            continue;
        }
        text.extend_from_slice(name.as_bytes());
        let end = u32::try_from(text.len()).map_err(|_| NamesError::Damaged)?;
        offsets.extend(end.to_le_bytes());
        file(name, rank, &mut tables);
        rank = rank.checked_add(1).ok_or(NamesError::Damaged)?;
    }
    let [names, _, _, _, bases, scopes, ..] = &tables;
    let unscoped = names.iter().filter(|(name, _)| !name.starts_with('@'));
    let own_base = bases.iter().filter(|(_, place)| **place >> 32 == 0);
    let near_names = near::build(
        unscoped
            .chain(own_base)
            .map(|(name, place)| (name.as_str(), low_half(*place))),
    );
    let of_scopes = scopes.iter();
    let near_scopes = near::build(
        of_scopes.map(|(scope, entry)| (scope.as_str(), ScopeEntry::unpack(*entry).rank)),
    );
    let mut maps = tables.into_iter().map(|table| to_map(&table));
    let mut next = || maps.next().unwrap_or(Err(NamesError::Damaged));
    let names = next()?;
    let mut all = vec![names, offsets, text];
    for _ in 0..8 {
        all.push(next()?);
    }
    all.extend([near_names, near_scopes]);
    Ok(all)
}

/// Enters one name under all its forms.
fn file(name: &str, rank: u32, tables: &mut [Table; 9]) {
    let [
        names,
        squashed,
        skeletons,
        bags,
        bases,
        scopes,
        flat_scopes,
        scope_skeletons,
        sounds,
    ] = tables;
    let place = u64::from(rank);
    names.insert(name.to_owned(), place);
    squashed.entry(forms::squashed(name)).or_insert(place);
    skeletons.entry(forms::skeleton(name)).or_insert(place);
    if let Some(sound) = forms::sounds(name).filter(|_| !name.starts_with('@')) {
        sounds.entry(sound).or_insert(place);
    }
    if let Some(bag) = forms::word_bag(name) {
        bags.entry(bag).or_insert(place);
    }
    if let Some(base) = forms::telling_base(name) {
        // A second scope with the same base: not telling after all. Marked in the upper half.
        bases
            .entry(base.to_owned())
            .and_modify(|value| *value |= 1 << 32)
            .or_insert(place);
    }
    if let (Some(scope), _) = forms::split(name) {
        scopes
            .entry(scope.to_owned())
            .and_modify(|value| {
                let mut entry = ScopeEntry::unpack(*value);
                entry.packages = entry.packages.saturating_add(1);
                *value = entry.pack();
            })
            .or_insert_with(|| ScopeEntry { rank, packages: 1 }.pack());
        flat_scopes.entry(forms::squashed(scope)).or_insert(place);
        scope_skeletons
            .entry(forms::skeleton(scope))
            .or_insert(place);
    }
}

fn to_map(table: &Table) -> Result<Vec<u8>, NamesError> {
    let mut builder = MapBuilder::memory();
    for (key, value) in table {
        builder.insert(key, *value)?;
    }
    Ok(builder.into_inner()?)
}
