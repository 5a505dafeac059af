//! A sketch of a package's code, to find near copies.
//!
//! A piece is a few names in a row that no minifier changes: members behind a dot, and the words in
//! strings. White space, comments, quotes, names of variables and the order of files make no
//! difference, so a copy is found after it was minified or bundled. Of the pieces, the least hash of
//! each of [`LANES`] classes is kept; the share of lanes in which two sketches agree estimates the
//! share of pieces they have in common, within about four percent.

use weir_model::contents::Sketch;

/// Least values kept. The estimate's standard error is `sqrt(share * (1 - share) / LANES)`: 2.7
/// percent for near copies.
pub const LANES: usize = 128;

/// Names per piece. Three in a row are seldom alike by chance; more would let every change spoil
/// more pieces.
const NAMES: usize = 3;

/// Fewest pieces that a sketch is made of: below, a few common phrases decide.
const LEAST_PIECES: u32 = 48;

/// Longest string that takes part. Longer ones are data, and are cut by bundlers.
const STRING: usize = 60;

/// Takes in a package's code, file by file.
#[derive(Debug)]
pub struct Sketcher {
    least: Vec<u32>,
    pieces: u32,
    filled: usize,
}

impl Default for Sketcher {
    fn default() -> Self {
        Self {
            least: vec![u32::MAX; LANES],
            pieces: 0,
            filled: 0,
        }
    }
}

impl Sketcher {
    /// Takes in one file.
    pub fn add(&mut self, text: &[u8]) {
        // What the piece would begin with, if its first or its first two names were the last ones.
        let (mut one, mut two) = (0, 0);
        let mut names = 0_usize;
        for_each_name(text, |name| {
            let piece = join(two, name);
            (two, one) = (join(one, name), join(0, name));
            names += 1;
            if names >= NAMES {
                self.piece(piece);
            }
        });
    }

    fn piece(&mut self, piece: u64) {
        self.pieces = self.pieces.saturating_add(1);
        let [a, b, c, d, lane, ..] = piece.to_le_bytes();
        let value = u32::from_le_bytes([a, b, c, d]);
        let lane = usize::from(lane) % LANES;
        if let Some(least) = self.least.get_mut(lane)
            && value < *least
        {
            self.filled += usize::from(*least == u32::MAX);
            *least = value;
        }
    }

    /// The sketch, where there is enough code for one.
    #[must_use]
    pub fn finish(self) -> Option<Sketch> {
        // With half of the lanes empty there are too few different pieces to say anything.
        if self.pieces < LEAST_PIECES || self.filled * 4 < LANES {
            return None;
        }
        let bytes: Vec<u8> = self
            .least
            .iter()
            // Sixteen bits tell lanes apart (one in 65,536 agrees by chance), and halve what is kept.
            .flat_map(|least| {
                u16::try_from(mix(u64::from(*least)) & 0xffff)
                    .unwrap_or(0)
                    .to_be_bytes()
            })
            .collect();
        Some(Sketch {
            pieces: self.pieces,
            least: hex::encode(bytes),
        })
    }
}

/// The share of pieces that two packages have in common, estimated, from 0 to 1. Nothing where one
/// of them is no sketch of this kind.
#[must_use]
pub fn similarity(a: &Sketch, b: &Sketch) -> Option<f64> {
    let (a, b) = (lanes(a)?, lanes(b)?);
    let empty = empty_lane();
    let mut taken = 0_u32;
    let mut alike = 0_u32;
    for (a, b) in a.iter().zip(&b) {
        if *a == empty && *b == empty {
            continue;
        }
        taken += 1;
        alike += u32::from(a == b);
    }
    (taken > 0).then(|| f64::from(alike) / f64::from(taken))
}

/// Lanes per band, see [`bands`].
const BAND: usize = 4;

/// Numbers of which two near copies have at least one in common: groups of four lanes each. With 32
/// groups, of two packages that share 70 % of their pieces 99.98 % have one in common, of two that
/// share 20 % one in twenty.
#[must_use]
pub fn bands(sketch: &Sketch) -> Vec<i64> {
    let Some(lanes) = lanes(sketch) else {
        return Vec::new();
    };
    let empty = empty_lane();
    lanes
        .chunks_exact(BAND)
        .enumerate()
        // Empty lanes are alike in all small packages.
        .filter(|(_, band)| !band.contains(&empty))
        .map(|(index, band)| {
            let seed = mix(u64::try_from(index).unwrap_or(0) + 1);
            let all =
                band.iter().fold(
                    seed,
                    |all, lane| mix(all.rotate_left(16) ^ u64::from(*lane)),
                );
            i64::from_le_bytes(all.to_le_bytes())
        })
        .collect()
}

fn lanes(sketch: &Sketch) -> Option<Vec<u16>> {
    let bytes = hex::decode(&sketch.least).ok()?;
    let lanes: Vec<u16> = bytes
        .chunks_exact(2)
        .filter_map(|pair| Some(u16::from_be_bytes(*pair.first_chunk()?)))
        .collect();
    (lanes.len() == LANES).then_some(lanes)
}

/// What an empty lane is kept as.
fn empty_lane() -> u16 {
    u16::try_from(mix(u64::from(u32::MAX)) & 0xffff).unwrap_or(0)
}

/// Adds a name to the beginning of a piece.
const fn join(beginning: u64, name: u64) -> u64 {
    mix(beginning.rotate_left(17) ^ name)
}

/// FNV-1a with a better end: names are short. It takes bytes as they are read, because each waits for the
/// one before it, and finding the end of the name fits into that time.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }

    const fn finish(self) -> u64 {
        mix(self.0)
    }
}

/// The finaliser of SplitMix64.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Calls `take` with the hash of every name that survives a minifier.
fn for_each_name(text: &[u8], mut take: impl FnMut(u64)) {
    let mut at = 0;
    while let Some(here) = text.get(at..).filter(|here| !here.is_empty()) {
        // What is done with one stop can lead behind others, or out of the block.
        let mut left = stops(here);
        let mut done = 0;
        while left != 0 {
            let stop = left.trailing_zeros() as usize;
            let rest = here.get(stop..).unwrap_or_default();
            let (length, name) = match rest {
                [b'/', b'/', ..] => (memchr::memchr(b'\n', rest).unwrap_or(rest.len()), None),
                [b'/', b'*', ..] => (comment(rest), None),
                [b'.', behind @ ..] => member(behind),
                [quote @ (b'"' | b'\''), inside @ ..] => string(*quote, inside),
                _ => (1, None),
            };
            done = stop + length;
            let passed = u32::try_from(done).unwrap_or(u32::MAX);
            left &= u64::MAX.checked_shl(passed).unwrap_or(0);
            // In one place for all, so that it becomes part of this loop.
            if let Some(name) = name {
                take(name.finish());
            }
        }
        at += done.max(BLOCK);
    }
}

/// Length of the comment at the beginning.
fn comment(rest: &[u8]) -> usize {
    memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2)
}

/// Bytes that are searched for stops at once.
const BLOCK: usize = 64;

/// In which of the next [`BLOCK`] bytes something begins that matters here: one bit for each of `./"'`. They
/// come so close together that searches for one after the other take longer.
fn stops(rest: &[u8]) -> u64 {
    let mut padded = [0; BLOCK];
    let block = rest.first_chunk().unwrap_or_else(|| {
        for (to, from) in padded.iter_mut().zip(rest) {
            *to = *from;
        }
        &padded
    });
    let is_stop = block.map(|byte| {
        let sign = byte & 0xfe == b'.';
        u8::from(sign | (byte == b'"') | (byte == b'\''))
    });
    let (eights, _) = is_stop.as_chunks::<8>();
    eights.iter().rev().fold(0, |stops, eight| {
        // Moves the lowest bit of byte n to bit n of the highest byte.
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        stops << 8 | bits
    })
}

/// Length of a dot and the name behind it, and the name unless it is too short. A digit makes it a number.
fn member(rest: &[u8]) -> (usize, Option<Hash>) {
    if rest.first().is_none_or(u8::is_ascii_digit) {
        return (1, None);
    }
    let (mut hash, mut length) = (Hash::new(), 0_usize);
    for byte in rest {
        if !OF_NAMES.contains(*byte) {
            break;
        }
        hash.add(*byte);
        length += 1;
    }
    (1 + length, (length >= 3).then_some(hash))
}

/// Length of a string with its quotes, and what is in it unless that is too short or too long. One that does
/// not end on its line is none: it was an apostrophe in an expression or a text.
fn string(quote: u8, inside: &[u8]) -> (usize, Option<Hash>) {
    let (mut hash, mut at) = (Hash::new(), 0);
    let short = inside.get(..=STRING).unwrap_or(inside);
    while let Some(byte) = short.get(at) {
        if !ODD_IN_STRINGS.contains(*byte) {
            hash.add(*byte);
            at += 1;
            continue;
        }
        match byte {
            b'\n' => return (1, None),
            b'\\' => {
                hash.add(b'\\');
                hash.add(inside.get(at + 1).copied().unwrap_or_default());
                at += 2;
            }
            end if *end == quote => {
                // Names of modules lose their folder and extension in bundles.
                let takes_part = at >= 3 && !inside.starts_with(b".");
                return (at + 2, takes_part.then_some(hash));
            }
            // The other quote.
            _ => {
                hash.add(*byte);
                at += 1;
            }
        }
    }
    // Longer than what takes part: only its end matters.
    while let Some(found) = inside
        .get(at..)
        .and_then(|rest| memchr::memchr3(quote, b'\\', b'\n', rest))
    {
        at += found;
        match inside.get(at) {
            Some(b'\\') => at += 2,
            Some(byte) if *byte == quote => return (at + 2, None),
            _ => return (1, None),
        }
    }
    (1, None)
}

/// A set of bytes.
struct Bytes([bool; 256]);

impl Bytes {
    const fn of(bytes: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut at = 0;
        while at < bytes.len() {
            set[bytes[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or(false)
    }
}

/// Bytes that are not just a part of the string that they stand in.
static ODD_IN_STRINGS: Bytes = Bytes::of(b"\"'\\\n");

/// Bytes of names.
static OF_NAMES: Bytes =
    Bytes::of(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$");

#[cfg(test)]
mod tests;
