//! Bytes together with what they hash to.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_lc_rs::digest::{self, Context, Digest};
use bytes::{Bytes, BytesMut};
use weir_npm::integrity::{Algorithm, Integrity};

/// Bytes that come in pieces and are hashed as they come.
pub struct Hashing {
    chunks: Vec<Bytes>,
    length: u64,
    sha512: Context,
}

impl Default for Hashing {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            length: 0,
            sha512: Context::new(&digest::SHA512),
        }
    }
}

impl Hashing {
    /// Takes the next piece.
    pub fn push(&mut self, chunk: Bytes) {
        self.sha512.update(&chunk);
        self.length = self.length.saturating_add(chunk.len() as u64);
        self.chunks.push(chunk);
    }

    /// The pieces so far.
    #[must_use]
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// Bytes so far.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// All of it. The pieces stay and share their memory with what is returned.
    #[must_use]
    pub fn finish(&self) -> Hashed {
        Hashed {
            chunks: self.chunks.clone(),
            length: self.length,
            sha512: self.sha512.clone().finish(),
            others: Mutex::default(),
        }
    }
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hashing")
            .field("chunks", &self.chunks.len())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Bytes and their SHA-512. There is no way to get one but to hash them.
#[derive(Debug)]
pub struct Hashed {
    chunks: Vec<Bytes>,
    length: u64,
    sha512: Digest,
    /// Digests of other algorithms, once somebody asked: few packages have no SHA-512.
    others: Mutex<HashMap<Algorithm, Digest>>,
}

impl Hashed {
    /// Hashes bytes that are here already.
    #[must_use]
    pub fn of(bytes: Bytes) -> Self {
        let mut hashing = Hashing::default();
        hashing.push(bytes);
        hashing.finish()
    }

    /// The bytes, in pieces as they came.
    #[must_use]
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// How many bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// The bytes, as one: a copy unless they came in one piece.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        if let [only] = self.chunks.as_slice() {
            return only.clone();
        }
        let mut all = BytesMut::with_capacity(usize::try_from(self.length).unwrap_or(0));
        for chunk in &self.chunks {
            all.extend_from_slice(chunk);
        }
        all.freeze()
    }

    /// The SHA-512, as 128 lower-case hexadecimal digits: the blob's name.
    #[must_use]
    pub fn sha512_hex(&self) -> String {
        hex::encode(self.sha512.as_ref())
    }

    /// The bytes' own integrity, in SRI form.
    #[must_use]
    pub fn integrity(&self) -> String {
        Integrity::from_digest(Algorithm::Sha512, self.sha512.as_ref())
            .map_or_else(|_| self.sha512_hex(), |integrity| integrity.to_string())
    }

    /// Whether the bytes are what the integrity says. Judged by its strongest algorithm, as npm does.
    #[must_use]
    pub fn matches(&self, expected: &Integrity) -> bool {
        let (algorithm, _) = expected.strongest();
        expected.holds(algorithm, self.digest(algorithm).as_ref())
    }

    /// The digest in an algorithm.
    pub(crate) fn digest(&self, algorithm: Algorithm) -> Digest {
        let function = match algorithm {
            Algorithm::Sha512 => return self.sha512,
            Algorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::Sha256 => &digest::SHA256,
            Algorithm::Sha384 => &digest::SHA384,
        };
        let mut others = self
            .others
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *others.entry(algorithm).or_insert_with(|| {
            let mut context = Context::new(function);
            for chunk in &self.chunks {
                context.update(chunk);
            }
            context.finish()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut hashing = Hashing::default();
        for piece in ["ab", "", "c", "d"] {
            hashing.push(Bytes::from_static(piece.as_bytes()));
        }
        let whole = Hashed::of(Bytes::from_static(b"abcd"));
        let pieces = hashing.finish();
        assert_eq!(hashing.length(), 4);
        assert_eq!(pieces.bytes(), whole.bytes());
        assert_eq!(pieces.sha512_hex(), whole.sha512_hex());
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384] {
            let digest = whole.digest(algorithm);
            let expected = Integrity::from_digest(algorithm, digest.as_ref()).unwrap();
            assert!(pieces.matches(&expected));
            assert!(!Hashed::of(Bytes::from_static(b"abcX")).matches(&expected));
        }
    }
}
