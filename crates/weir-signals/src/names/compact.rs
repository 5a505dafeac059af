//! Names in order of popularity, and their normal forms. Those that are part of the program are one
//! block of bytes with finite-state maps, looked up in place: nothing is built at start, and pages that
//! no query touches stay on disk. An operator's own are sorted when weir starts.
//!
//! Layout of the block: [`MAGIC`], then for each section its length (`u32`, little endian) and its
//! bytes, in the order of [`Compact`]'s fields.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use fst::{Map, MapBuilder};

use super::table::{self, Merge, Names, Table};
use super::{NamesError, forms, near};

/// First bytes of the block; the digit is the layout's version.
const MAGIC: &[u8] = b"weir-names-2\n";

/// Names longer than npm allows for any existing package are not worth indexing (weir-npm).
const LONGEST_NAME: usize = 214;

/// Siblings that are looked at one by one. The scopes in the list have up to a few hundred; in one with
/// more, names are numbered or generated, and nobody types them.
const MOST_SIBLINGS: usize = 2_000;

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
pub(super) struct ScopeEntry {
    /// Rank of its most popular package.
    pub(crate) rank: u32,
    /// How many of its packages are in the index.
    pub(crate) packages: u32,
}

impl ScopeEntry {
    pub(super) fn pack(self) -> u64 {
        (u64::from(self.packages) << 32) | u64::from(self.rank)
    }

    pub(super) fn unpack(value: u64) -> Self {
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
    names: Names,
    /// `n + 1` offsets into `text`, `u32` little endian, by rank.
    offsets: Bytes,
    text: Bytes,
    forms: [Table; FORMS],
    /// Unscoped names and their forms without one character, see [`near`].
    near_names: Bytes,
    /// What `near_names` may hold, made when it is first asked for.
    near_filter: OnceLock<near::Filter>,
    /// The same of scopes; ranks are those of their most popular packages.
    near_scopes: Bytes,
    scopes_filter: OnceLock<near::Filter>,
}

/// How many forms a name is filed under.
const FORMS: usize = 8;

/// A form that names are filed under; the order is that of the block.
#[derive(Debug, Clone, Copy)]
enum Form {
    Squashed,
    Skeleton,
    WordBag,
    Base,
    Scope,
    SquashedScope,
    ScopeSkeleton,
    Sound,
}

impl Form {
    const ALL: [Self; FORMS] = [
        Self::Squashed,
        Self::Skeleton,
        Self::WordBag,
        Self::Base,
        Self::Scope,
        Self::SquashedScope,
        Self::ScopeSkeleton,
        Self::Sound,
    ];

    /// This form of a name; nothing where it has none.
    fn of(self, name: &str) -> Option<String> {
        let scope = || forms::split(name).0;
        match self {
            Self::Squashed => Some(forms::squashed(name)),
            Self::Skeleton => Some(forms::skeleton(name)),
            Self::WordBag => forms::word_bag(name),
            Self::Base => forms::telling_base(name).map(str::to_owned),
            Self::Scope => scope().map(str::to_owned),
            Self::SquashedScope => scope().map(forms::squashed),
            Self::ScopeSkeleton => scope().map(forms::skeleton),
            Self::Sound if name.starts_with('@') => None,
            Self::Sound => forms::sounds(name),
        }
    }

    const fn merge(self) -> Merge {
        match self {
            // A second scope with the same base: not telling after all.
            Self::Base => Merge::MarkSecond,
            Self::Scope => Merge::CountPackages,
            _ => Merge::First,
        }
    }

    /// What is filed under it for the name at that place.
    fn value(self, rank: u32) -> u64 {
        match self {
            Self::Scope => ScopeEntry { rank, packages: 1 }.pack(),
            _ => u64::from(rank),
        }
    }
}

impl Compact {
    /// Reads a block that [`build`] made.
    pub(crate) fn embedded(block: &'static [u8]) -> Result<Self, NamesError> {
        let mut rest = block.strip_prefix(MAGIC).ok_or(NamesError::Damaged)?;
        let mut next = move || {
            let (length, tail) = rest.split_first_chunk::<4>().ok_or(NamesError::Damaged)?;
            let length = usize::try_from(u32::from_le_bytes(*length));
            let length = length.map_err(|_| NamesError::Damaged)?;
            let (section, tail) = tail.split_at_checked(length).ok_or(NamesError::Damaged)?;
            rest = tail;
            Ok::<_, NamesError>(Bytes::Embedded(section))
        };
        let names = Names::Map(Map::new(next()?)?);
        let (offsets, text) = (next()?, next()?);
        let mut tables = Vec::with_capacity(FORMS);
        for _ in Form::ALL {
            tables.push(Table::map(next()?)?);
        }
        Ok(Self {
            names,
            offsets,
            text,
            forms: tables.try_into().map_err(|_| NamesError::Damaged)?,
            near_names: next()?,
            near_filter: OnceLock::new(),
            scopes_filter: OnceLock::new(),
            near_scopes: next()?,
        })
    }

    /// Sorts names in order of popularity.
    pub(crate) fn from_names(names: &[String]) -> Result<Self, NamesError> {
        let listed = Listed::new(names)?;
        let forms = Form::ALL.map(|form| {
            let entries = listed.ranked().filter_map(|(name, rank)| {
                let text = form.of(name)?;
                Some((table::hash(&text), form.value(rank)))
            });
            Table::hashed(entries.collect(), form.merge())
        });
        let mut places: Vec<u32> = listed.ranked().map(|(_, rank)| rank).collect();
        places.sort_unstable_by_key(|place| listed.at(*place));
        let [_, _, _, bases, scopes, ..] = &forms;
        let is_own_base = |base: &str| bases.get(base).is_some_and(|value| value >> 32 == 0);
        let by_slip = listed.ranked().filter_map(|(name, rank)| {
            if !name.starts_with('@') {
                return Some((name, rank));
            }
            forms::telling_base(name)
                .filter(|base| is_own_base(base))
                .map(|base| (base, rank))
        });
        let near_names = near::build(by_slip);
        let leads = |scope: &str, rank: u32| {
            scopes
                .get(scope)
                .is_some_and(|entry| ScopeEntry::unpack(entry).rank == rank)
        };
        let near_scopes = near::build(listed.ranked().filter_map(|(name, rank)| {
            let scope = forms::split(name).0?;
            leads(scope, rank).then_some((scope, rank))
        }));
        let (offsets, text) = listed.text()?;
        Ok(Self {
            names: Names::Sorted(places),
            offsets: Bytes::Built(offsets),
            text: Bytes::Built(text),
            forms,
            near_names: Bytes::Built(near_names),
            near_filter: OnceLock::new(),
            scopes_filter: OnceLock::new(),
            near_scopes: Bytes::Built(near_scopes),
        })
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The name's rank, 0 for the most popular.
    pub(crate) fn rank(&self, name: &str) -> Option<u32> {
        self.names.rank(name, |place| self.at(place))
    }

    /// The name of that rank.
    pub(crate) fn name(&self, rank: u32) -> Option<&str> {
        let place = self.place(rank)?;
        std::str::from_utf8(self.text.as_ref().get(place)?).ok()
    }

    /// Where the text of the name of that rank is.
    fn place(&self, rank: u32) -> Option<std::ops::Range<usize>> {
        let at = usize::try_from(rank).ok()?.checked_mul(4)?;
        let pair = self.offsets.as_ref().get(at..at.checked_add(8)?)?;
        let (start, end) = pair.split_first_chunk::<4>()?;
        let end = end.first_chunk::<4>()?;
        let start = usize::try_from(u32::from_le_bytes(*start)).ok()?;
        let end = usize::try_from(u32::from_le_bytes(*end)).ok()?;
        Some(start..end)
    }

    /// The same, for places that the index itself names.
    fn at(&self, place: u32) -> &str {
        self.name(place).unwrap_or_default()
    }

    /// What is filed under a form, and the name it was filed for.
    fn find(&self, form: Form, text: &str) -> Option<(u64, &str)> {
        let [
            squashed,
            skeletons,
            bags,
            bases,
            scopes,
            flat_scopes,
            scope_skeletons,
            sounds,
        ] = &self.forms;
        let table = match form {
            Form::Squashed => squashed,
            Form::Skeleton => skeletons,
            Form::WordBag => bags,
            Form::Base => bases,
            Form::Scope => scopes,
            Form::SquashedScope => flat_scopes,
            Form::ScopeSkeleton => scope_skeletons,
            Form::Sound => sounds,
        };
        let value = table.get(text)?;
        let name = self.name(low_half(value))?;
        // Two forms may share a hash.
        let is_it = matches!(table, Table::Map(_)) || form.of(name).as_deref() == Some(text);
        is_it.then_some((value, name))
    }

    fn find_name(&self, form: Form, text: &str) -> Option<&str> {
        Some(self.find(form, text)?.1)
    }

    pub(crate) fn by_squashed(&self, form: &str) -> Option<&str> {
        self.find_name(Form::Squashed, form)
    }

    pub(crate) fn by_skeleton(&self, form: &str) -> Option<&str> {
        self.find_name(Form::Skeleton, form)
    }

    pub(crate) fn by_word_bag(&self, form: &str) -> Option<&str> {
        self.find_name(Form::WordBag, form)
    }

    /// The one package with that base name in any scope; nothing if several scopes share it.
    pub(crate) fn by_base(&self, base: &str) -> Option<&str> {
        let (value, name) = self.find(Form::Base, base)?;
        (value >> 32 == 0).then_some(name)
    }

    pub(super) fn scope(&self, scope: &str) -> Option<ScopeEntry> {
        Some(ScopeEntry::unpack(self.find(Form::Scope, scope)?.0))
    }

    /// Scopes that read like this one: without delimiters, or to a hurried eye.
    pub(crate) fn scopes_like(&self, scope: &str) -> impl Iterator<Item = &str> {
        let squashed = self.find_name(Form::SquashedScope, &forms::squashed(scope));
        let skeleton = self.find_name(Form::ScopeSkeleton, &forms::skeleton(scope));
        [squashed, skeleton]
            .into_iter()
            .flatten()
            .filter_map(|name| forms::split(name).0)
    }

    pub(crate) fn by_sound(&self, form: &str) -> Option<&str> {
        self.find_name(Form::Sound, form)
    }

    /// Unscoped names that one slip leads to, and scoped ones whose base alone would be recognised and
    /// is one slip away.
    pub(crate) fn one_slip_from<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let table = self.near_names.as_ref();
        let filter = self.near_filter.get_or_init(|| near::Filter::of(table));
        near::ranks(table, filter, name)
            .into_iter()
            .filter_map(|rank| self.name(rank))
            .filter(move |known| near::is_one_slip(forms::split(known).1, name))
    }

    /// Scopes that one slip leads to.
    pub(crate) fn scopes_one_slip_from<'s>(
        &'s self,
        scope: &'s str,
    ) -> impl Iterator<Item = &'s str> {
        let table = self.near_scopes.as_ref();
        let filter = self.scopes_filter.get_or_init(|| near::Filter::of(table));
        near::ranks(table, filter, scope)
            .into_iter()
            .filter_map(|rank| forms::split(self.name(rank)?).0)
            .filter(move |known| near::is_one_slip(known, scope))
    }

    /// Names of the same scope whose bases are one slip apart. No table is kept for them: a scope is few
    /// names next to each other, and most of those are of another length. What is in another alphabet is
    /// found by its looks.
    pub(crate) fn siblings_one_slip_from<'s>(
        &'s self,
        name: &'s str,
    ) -> impl Iterator<Item = &'s str> {
        let (scope, base) = forms::split(name);
        let typed = scope.filter(|_| base.len() <= near::LONGEST_TYPED);
        let places = typed.map_or_else(Vec::new, |scope| {
            let prefix = format!("@{scope}/");
            self.names
                .family(&prefix, MOST_SIBLINGS, |place| self.at(place))
        });
        // Lengths first: they need no text.
        let is_as_long = |place: &std::ops::Range<usize>| place.len().abs_diff(name.len()) <= 1;
        places
            .into_iter()
            .filter(move |rank| self.place(*rank).as_ref().is_some_and(is_as_long))
            .filter_map(|rank| self.name(rank))
            .filter(move |known| near::is_one_slip(forms::split(known).1, base))
    }

    /// Whether at least `count` names start with `prefix`.
    pub(crate) fn has_family(&self, prefix: &str, count: usize) -> bool {
        self.names.has_family(prefix, count, |place| self.at(place))
    }
}

/// A list of names without those that occur twice, are empty or longer than any that npm allows.
struct Listed<'n>(Vec<&'n str>);

impl<'n> Listed<'n> {
    fn new(names: &'n [String]) -> Result<Self, NamesError> {
        let mut seen = std::collections::HashSet::with_capacity(names.len());
        let kept: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME && seen.insert(*name))
            .collect();
        // Places are 32 bits wide.
        u32::try_from(kept.len()).map_err(|_| NamesError::Damaged)?;
        Ok(Self(kept))
    }

    fn ranked(&self) -> impl Iterator<Item = (&'n str, u32)> + '_ {
        self.0.iter().copied().zip(0_u32..)
    }

    fn at(&self, place: u32) -> &'n str {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        self.0.get(place).copied().unwrap_or_default()
    }

    /// The names behind each other, and where each begins.
    fn text(&self) -> Result<(Vec<u8>, Vec<u8>), NamesError> {
        let (mut offsets, mut text) = (vec![0_u8; 4], Vec::new());
        for name in &self.0 {
            text.extend_from_slice(name.as_bytes());
            let end = u32::try_from(text.len()).map_err(|_| NamesError::Damaged)?;
            offsets.extend(end.to_le_bytes());
        }
        Ok((offsets, text))
    }
}

/// The block that [`NameIndex::embedded`](super::NameIndex::embedded) reads, from names in order of
/// popularity. The same names give the same bytes. Names that occur twice keep their better place.
///
/// # Errors
/// [`NamesError::Damaged`] if the list is larger than four gigabytes, or the map builder fails.
pub fn build(names: &[String]) -> Result<Vec<u8>, NamesError> {
    let mut block = MAGIC.to_vec();
    for section in sections(&Listed::new(names)?)? {
        let length = u32::try_from(section.len()).map_err(|_| NamesError::Damaged)?;
        block.extend(length.to_le_bytes());
        block.extend(section);
    }
    Ok(block)
}

/// One table under construction.
type Entries = BTreeMap<String, u64>;

fn sections(listed: &Listed<'_>) -> Result<Vec<Vec<u8>>, NamesError> {
    let names: Entries = listed
        .ranked()
        .map(|(name, rank)| (name.to_owned(), u64::from(rank)))
        .collect();
    let tables = Form::ALL.map(|form| {
        let mut table = Entries::new();
        for (name, rank) in listed.ranked() {
            let Some(text) = form.of(name) else { continue };
            let value = form.value(rank);
            table
                .entry(text)
                .and_modify(|first| *first = form.merge().apply(*first, value))
                .or_insert(value);
        }
        table
    });
    let [_, _, _, bases, scopes, ..] = &tables;
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
    let (offsets, text) = listed.text()?;
    let mut all = vec![to_map(&names)?, offsets, text];
    for table in &tables {
        all.push(to_map(table)?);
    }
    all.extend([near_names, near_scopes]);
    Ok(all)
}

fn to_map(table: &Entries) -> Result<Vec<u8>, NamesError> {
    let mut builder = MapBuilder::memory();
    for (key, value) in table {
        builder.insert(key, *value)?;
    }
    Ok(builder.into_inner()?)
}
