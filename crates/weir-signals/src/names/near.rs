//! Names one slip apart, without looking at all of them: every name is filed under itself and under what
//! is left when one character is dropped. Two names that differ by one dropped, added, changed or swapped
//! character share such a form, so a question costs one look-up per character of the name asked for.

use super::search;

/// Names longer than this many bytes are copied, not typed: they are not compared by slips.
pub(super) const LONGEST_TYPED: usize = 60;

/// Bytes of one entry: the form's hash in the upper half, the rank in the lower, little endian.
const ENTRY: usize = 8;

/// The sorted table of forms of these texts, each with its rank.
pub(super) fn build<'n>(texts: impl Iterator<Item = (&'n str, u32)>) -> Vec<u8> {
    let mut entries: Vec<u64> = Vec::new();
    for (text, rank) in texts {
        entries.extend(forms(text).map(|hash| (u64::from(hash) << 32) | u64::from(rank)));
    }
    entries.sort_unstable();
    entries.dedup();
    entries.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// Bits of a filter for each entry of its table: about one look-up in eight for nothing is let through.
const BITS: usize = 8;

/// A filter has at most so many bits (2 MB), as it has to fit into a cache of the processor.
const MOST_BITS: u32 = 24;

/// Which hashes a table may hold. Nearly every form of a name is in no table, and a table of millions is far
/// from the processor: this says so from one place near by.
pub(super) struct Filter {
    bits: Vec<u64>,
    /// How far a hash is shifted to make a place of it.
    shift: u32,
}

impl Filter {
    pub(super) fn of(table: &[u8]) -> Self {
        let wanted = (table.len() / ENTRY).saturating_mul(BITS).max(64);
        let size = wanted.next_power_of_two().trailing_zeros().min(MOST_BITS);
        let mut filter = Self {
            bits: vec![0; 1_usize << (size - 6)],
            shift: 32 - size,
        };
        for at in 0..table.len() / ENTRY {
            let Some((hash, _)) = entry(table, at) else {
                break;
            };
            let (word, bit) = filter.place(hash);
            if let Some(word) = filter.bits.get_mut(word) {
                *word |= bit;
            }
        }
        filter
    }

    fn place(&self, hash: u32) -> (usize, u64) {
        let place = hash >> self.shift;
        let word = usize::try_from(place >> 6).unwrap_or(usize::MAX);
        (word, 1 << (place & 63))
    }

    fn may_hold(&self, hash: u32) -> bool {
        let (word, bit) = self.place(hash);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// The ranks of texts that share a form with this one: those one slip away, and some that are not. The filter
/// is the table's own.
pub(super) fn ranks(table: &[u8], filter: &Filter, text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for hash in forms(text).filter(|hash| filter.may_hold(*hash)) {
        let mut at = first_of(table, hash);
        while let Some((known, rank)) = entry(table, at) {
            if known != hash {
                break;
            }
            found.push(rank);
            at += 1;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The place of the first entry with that hash or a larger one.
fn first_of(table: &[u8], hash: u32) -> usize {
    let key = |at| entry(table, at).map_or(u64::MAX, |(known, _)| u64::from(known) << 32);
    search::first(table.len() / ENTRY, u64::from(hash) << 32, key)
}

fn entry(table: &[u8], at: usize) -> Option<(u32, u32)> {
    let start = at.checked_mul(ENTRY)?;
    let bytes = table.get(start..)?.first_chunk::<ENTRY>()?;
    let [a, b, c, d, e, f, g, h] = *bytes;
    Some((
        u32::from_le_bytes([e, f, g, h]),
        u32::from_le_bytes([a, b, c, d]),
    ))
}

/// Hashes of the text and of the text without each of its characters.
fn forms(text: &str) -> impl Iterator<Item = u32> + '_ {
    let typed = text.len() <= LONGEST_TYPED;
    // What comes before the dropped character is hashed once.
    let mut before = START;
    let dropped = text.char_indices().map(move |(at, character)| {
        let end = at + character.len_utf8();
        let form = extended(before, text.get(end..).unwrap_or_default());
        before = extended(before, text.get(at..end).unwrap_or_default());
        folded(form)
    });
    std::iter::once(folded(extended(START, text)))
        .chain(dropped)
        .take(if typed { usize::MAX } else { 0 })
}

/// Where FNV-1a of 64 bits begins: the same on every machine, as the table is a committed file.
pub(super) const START: u64 = 0xcbf2_9ce4_8422_2325;

pub(super) fn extended(hash: u64, text: &str) -> u64 {
    text.bytes().fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn folded(hash: u64) -> u32 {
    u32::try_from((hash >> 32) ^ (hash & u64::from(u32::MAX))).unwrap_or(u32::MAX)
}

/// Whether one dropped, added, changed or swapped character makes one text of the other.
pub(super) fn is_one_slip(one: &str, other: &str) -> bool {
    if one == other {
        return false;
    }
    let common: usize = one
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let (one, other) = (
        one.get(common..).unwrap_or_default(),
        other.get(common..).unwrap_or_default(),
    );
    let mut left: Vec<char> = one.chars().take(LONGEST_TYPED + 1).collect();
    let mut right: Vec<char> = other.chars().take(LONGEST_TYPED + 1).collect();
    while let (Some(a), Some(b)) = (left.last(), right.last())
        && a == b
    {
        left.pop();
        right.pop();
    }
    match (left.as_slice(), right.as_slice()) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

/// Whether two keys lie beside each other on the usual keyboard, or one above the other.
pub(super) fn are_neighbours(one: char, other: char) -> bool {
    const ROWS: [&str; 4] = ["1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let place = |key: char| {
        let key = key.to_ascii_lowercase();
        (0_i32..)
            .zip(ROWS)
            .find_map(|(row, keys)| Some((row, i32::try_from(keys.find(key)?).ok()?)))
    };
    let (Some((row, column)), Some((other_row, other_column))) = (place(one), place(other)) else {
        return false;
    };
    match other_row - row {
        0 => (other_column - column).abs() == 1,
        // Each row lies half a key to the right of the one above.
        1 => other_column == column || other_column + 1 == column,
        -1 => other_column == column || other_column == column + 1,
        _ => false,
    }
}
