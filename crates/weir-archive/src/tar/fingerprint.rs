//! Tells whether two files with the same path hold the same bytes, without keeping them.

use std::hash::{BuildHasher, RandomState};

/// Secret keys, drawn anew for every archive: nobody can prepare two files that collide. Two for each lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys([[u64; 2]; LANES]);

/// Sums that are made at once. Each waits for its last multiplication, the others do not.
const LANES: usize = 4;

/// Bytes that a lane takes at once, and all of them.
const LANE_BYTES: usize = 16;
const CHUNK: usize = LANES * LANE_BYTES;

impl Keys {
    pub(crate) fn random() -> Self {
        let state = RandomState::new();
        // A zero key would let half of every word drop out.
        let key = |index: u64| state.hash_one(index) | 1;
        Self([[1, 2], [3, 4], [5, 6], [7, 8]].map(|two| two.map(key)))
    }
}

/// A keyed sum over a file's bytes. Every byte of every package passes through it, which is why it
/// is four multiplications per 64 bytes and no cryptographic hash. It decides no more than whether a
/// duplicate is refused or mentioned: both files are delivered in any case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fingerprint {
    keys: Keys,
    lanes: [u64; LANES],
    bytes: u64,
}

impl Fingerprint {
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            keys,
            lanes: [0; LANES],
            bytes: 0,
        }
    }

    /// Adds bytes. All calls but the last bring a multiple of 64 bytes.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        // Local copies stay in registers.
        let (mut lanes, keys) = (self.lanes, self.keys);
        let (chunks, rest) = data.as_chunks::<CHUNK>();
        for chunk in chunks {
            lanes = mix(lanes, keys, chunk);
        }
        if !rest.is_empty() {
            let mut last = [0; CHUNK];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            lanes = mix(lanes, keys, &last);
        }
        self.lanes = lanes;
    }

    /// The sum and the number of bytes.
    pub(crate) fn finish(self) -> (u64, u64) {
        let [a, b, c, d] = self.lanes;
        let Keys([[k, l], [m, n], [o, p], _]) = self.keys;
        let halves = [fold(a ^ k, b ^ l), fold(c ^ m, d ^ n)];
        let [first, second] = halves;
        (fold(first ^ o, second ^ self.bytes ^ p), self.bytes)
    }
}

fn mix(mut lanes: [u64; LANES], Keys(keys): Keys, chunk: &[u8; CHUNK]) -> [u64; LANES] {
    let (words, _) = chunk.as_chunks::<LANE_BYTES>();
    for ((lane, [k, l]), words) in lanes.iter_mut().zip(keys).zip(words) {
        let both = u128::from_le_bytes(*words);
        *lane = fold(*lane ^ (low(both) ^ k), low(both >> 64) ^ l).wrapping_add(*lane);
    }
    lanes
}

/// Both halves of the product, folded into one.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    low(product ^ (product >> 64))
}

/// The lower half. Masked to 64 bits, so the conversion cannot fail.
fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, Keys};

    #[test]
    fn a_change_anywhere_changes_it_and_pieces_do_not() {
        let keys = Keys::random();
        let whole = |data: &[u8]| {
            let mut fingerprint = Fingerprint::new(keys);
            fingerprint.update(data);
            fingerprint.finish()
        };
        let data: Vec<u8> = (0..5000_u32).map(|n| (n * 31 % 251) as u8).collect();
        let mut pieces = Fingerprint::new(keys);
        for piece in data.chunks(512) {
            pieces.update(piece);
        }
        assert_eq!(pieces.finish(), whole(&data));
        for at in [0, 7, 8, 31, 32, 4096, 4990, 4999] {
            let mut other = data.clone();
            other[at] ^= 1;
            assert_ne!(whole(&other), whole(&data), "byte {at}");
        }
        assert_ne!(whole(b"a"), whole(b"a\0"), "padding is told from data");
    }
}
