//! Tells whether two files with the same path hold the same bytes, without keeping them.

use std::hash::{BuildHasher, RandomState};

/// Secret keys, drawn anew for every archive: nobody can prepare two files that collide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys([u64; 4]);

impl Keys {
    pub(crate) fn random() -> Self {
        let state = RandomState::new();
        // A zero key would let half of every word drop out.
        Self([1_u64, 2, 3, 4].map(|index| state.hash_one(index) | 1))
    }
}

/// A keyed sum over a file's bytes. Every byte of every package passes through it, which is why it
/// is two multiplications per 32 bytes and no cryptographic hash. It decides no more than whether a
/// duplicate is refused or mentioned: both files are delivered in any case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fingerprint {
    keys: Keys,
    lanes: [u64; 2],
    bytes: u64,
}

impl Fingerprint {
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            keys,
            lanes: [0; 2],
            bytes: 0,
        }
    }

    /// Adds bytes. All calls but the last bring a multiple of 32 bytes.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        // A local copy stays in registers.
        let mut lanes = self.lanes;
        let (chunks, rest) = data.as_chunks::<32>();
        for chunk in chunks {
            lanes = mix(lanes, self.keys, chunk);
        }
        if !rest.is_empty() {
            let mut last = [0; 32];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            lanes = mix(lanes, self.keys, &last);
        }
        self.lanes = lanes;
    }

    /// The sum and the number of bytes.
    pub(crate) fn finish(self) -> (u64, u64) {
        let [a, b] = self.lanes;
        let Keys([key, other, ..]) = self.keys;
        (fold(a ^ key, b ^ self.bytes ^ other), self.bytes)
    }
}

fn mix([first, second]: [u64; 2], Keys([k, l, m, n]): Keys, chunk: &[u8; 32]) -> [u64; 2] {
    let (words, _) = chunk.as_chunks::<8>();
    let [a, b, c, d] = words else {
        // Thirty-two bytes are four words.
        return [first, second];
    };
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    [
        fold(first ^ word(a) ^ k, word(b) ^ l).wrapping_add(first),
        fold(second ^ word(c) ^ m, word(d) ^ n).wrapping_add(second),
    ]
}

/// Both halves of the product, folded into one.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    // Masked to 64 bits, so the conversion cannot fail.
    u64::try_from((product ^ (product >> 64)) & u128::from(u64::MAX)).unwrap_or_default()
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
