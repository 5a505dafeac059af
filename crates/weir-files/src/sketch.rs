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
        let mut last = [0_u64; NAMES];
        let mut names = 0_usize;
        for_each_name(text, |name| {
            last.rotate_left(1);
            if let Some(newest) = last.last_mut() {
                *newest = hash(name);
            }
            names += 1;
            if names >= NAMES {
                let piece = last
                    .iter()
                    .fold(0_u64, |all, one| mix(all.rotate_left(17) ^ *one));
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

/// FNV-1a with a better end: names are short.
fn hash(name: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(hash)
}

/// The finaliser of SplitMix64.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Calls `take` with every name that survives a minifier.
fn for_each_name(text: &[u8], mut take: impl FnMut(&[u8])) {
    let mut at = 0;
    while let Some(skipped) = text
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| STOPS.contains(*byte)))
    {
        at += skipped;
        let rest = text.get(at..).unwrap_or_default();
        at += match rest {
            [b'/', b'/', ..] => memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
            [b'/', b'*', ..] => memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2),
            [b'.', ..] => {
                let name = identifier(rest.get(1..).unwrap_or_default());
                if name.len() >= 3 {
                    take(name);
                }
                1 + name.len()
            }
            [quote @ (b'"' | b'\''), ..] => string(*quote, rest, &mut take),
            _ => 1,
        };
    }
}

/// Length of the string at the beginning. One that does not end on its line is none: it was an
/// apostrophe in an expression or a text.
fn string(quote: u8, rest: &[u8], take: &mut impl FnMut(&[u8])) -> usize {
    let inside = rest.get(1..).unwrap_or_default();
    let mut at = 0;
    while let Some(found) = inside
        .get(at..)
        .and_then(|rest| memchr::memchr3(quote, b'\\', b'\n', rest))
    {
        at += found;
        match inside.get(at) {
            Some(b'\\') => at += 2,
            Some(byte) if *byte == quote => {
                let word = inside.get(..at).unwrap_or_default();
                // Names of modules lose their folder and extension in bundles.
                if (3..=STRING).contains(&word.len()) && !word.starts_with(b".") {
                    take(word);
                }
                return at + 2;
            }
            _ => return 1,
        }
    }
    1
}

fn identifier(rest: &[u8]) -> &[u8] {
    let end = rest
        .iter()
        .position(|byte| !OF_NAMES.contains(*byte))
        .unwrap_or(rest.len());
    match rest.first() {
        Some(first) if !first.is_ascii_digit() => rest.get(..end).unwrap_or_default(),
        _ => &[],
    }
}

/// A set of bytes.
struct Stops([bool; 256]);

impl Stops {
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

/// Bytes at which something begins that matters here.
static STOPS: Stops = Stops::of(b"./\"'");

/// Bytes of names.
static OF_NAMES: Stops =
    Stops::of(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$");

#[cfg(test)]
mod tests;
