//! Subresource integrity strings, as npm writes them in `dist.integrity` and in lockfiles.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest integrity text we read, in bytes. One sha512 takes 95.
const MAX_LENGTH: usize = 4096;

/// A digest algorithm, from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-1: only good enough to compare with what a registry published long ago.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512, what npm writes.
    Sha512,
}

impl Algorithm {
    /// The name used in integrity strings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of its digest, in bytes.
    #[must_use]
    pub const fn digest_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|known| known.as_str() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not an integrity string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// Longer than 4096 bytes.
    #[error("too long to be an integrity string")]
    TooLong,
    /// No digest of a known algorithm in it.
    #[error("no digest of a known algorithm")]
    NoDigest,
    /// A known algorithm with a digest that is not base64, or not of its length.
    #[error("malformed {0} digest")]
    Malformed(Algorithm),
    /// A `shasum` that is not forty hexadecimal digits.
    #[error("not a sha1 in hexadecimal")]
    NotSha1Hex,
}

/// One or more digests of the same bytes. Never empty; strongest first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integrity(Vec<(Algorithm, Vec<u8>)>);

impl Integrity {
    /// Reads digests separated by white space. Options (`?...`) and unknown algorithms are ignored, as
    /// npm does.
    ///
    /// # Errors
    /// [`IntegrityError`]; a malformed digest of a known algorithm is an error and not skipped, so that a
    /// weaker neighbour cannot take its place.
    pub fn parse(text: &str) -> Result<Self, IntegrityError> {
        if text.len() > MAX_LENGTH {
            return Err(IntegrityError::TooLong);
        }
        let mut digests = Vec::with_capacity(1);
        for part in text.split_ascii_whitespace() {
            let part = part.split('?').next().unwrap_or(part);
            let Some((name, encoded)) = part.split_once('-') else {
                continue;
            };
            let Some(algorithm) = Algorithm::from_name(name) else {
                continue;
            };
            let malformed = IntegrityError::Malformed(algorithm);
            let digest = STANDARD.decode(encoded).map_err(|_| malformed)?;
            if digest.len() != algorithm.digest_length() {
                return Err(malformed);
            }
            digests.push((algorithm, digest));
        }
        Self::from_digests(digests)
    }

    /// Reads the forty hexadecimal digits of an old `dist.shasum`.
    ///
    /// # Errors
    /// [`IntegrityError::NotSha1Hex`].
    pub fn from_sha1_hex(shasum: &str) -> Result<Self, IntegrityError> {
        let digest = hex::decode(shasum).map_err(|_| IntegrityError::NotSha1Hex)?;
        if digest.len() != Algorithm::Sha1.digest_length() {
            return Err(IntegrityError::NotSha1Hex);
        }
        Ok(Self(vec![(Algorithm::Sha1, digest)]))
    }

    /// A single digest, as computed from bytes.
    ///
    /// # Errors
    /// [`IntegrityError::Malformed`] when the digest does not have the algorithm's length.
    pub fn from_digest(algorithm: Algorithm, digest: &[u8]) -> Result<Self, IntegrityError> {
        if digest.len() != algorithm.digest_length() {
            return Err(IntegrityError::Malformed(algorithm));
        }
        Ok(Self(vec![(algorithm, digest.to_vec())]))
    }

    fn from_digests(mut digests: Vec<(Algorithm, Vec<u8>)>) -> Result<Self, IntegrityError> {
        if digests.is_empty() {
            return Err(IntegrityError::NoDigest);
        }
        digests.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        digests.dedup();
        Ok(Self(digests))
    }

    /// The strongest algorithm present, and its digest (the first one, if there are several).
    #[must_use]
    pub fn strongest(&self) -> (Algorithm, &[u8]) {
        match self.0.first() {
            Some((algorithm, digest)) => (*algorithm, digest),
            // Never built empty; a digest of no bytes equals nothing.
            None => (Algorithm::Sha1, &[]),
        }
    }

    /// Every digest, strongest first.
    pub fn digests(&self) -> impl Iterator<Item = (Algorithm, &[u8])> {
        self.0
            .iter()
            .map(|(algorithm, digest)| (*algorithm, digest.as_slice()))
    }

    /// Whether the strongest algorithm has more than one digest: npm then accepts any of them, so the
    /// text does not name one tarball.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self.0.as_slice() {
            [first, second, ..] => first.0 == second.0,
            _ => false,
        }
    }

    /// Whether it holds something stronger than SHA-1.
    #[must_use]
    pub fn is_strong(&self) -> bool {
        self.strongest().0 > Algorithm::Sha1
    }

    /// Whether a computed digest is one of those that its algorithm has here.
    #[must_use]
    pub fn holds(&self, algorithm: Algorithm, digest: &[u8]) -> bool {
        self.digests().any(|known| known == (algorithm, digest))
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (algorithm, digest)) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{algorithm}-{}", STANDARD.encode(digest))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Integrity {
    type Err = IntegrityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Integrity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Integrity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sri(algorithm: Algorithm, fill: u8) -> String {
        Integrity::from_digest(algorithm, &vec![fill; algorithm.digest_length()])
            .unwrap()
            .to_string()
    }

    #[test]
    fn strongest_first_and_canonical() {
        let (weak, strong) = (sri(Algorithm::Sha1, 1), sri(Algorithm::Sha512, 2));
        let both =
            Integrity::parse(&format!("  {weak}\n{strong}?opt=1 md5-AAAA junk {weak}")).unwrap();
        assert_eq!(both.to_string(), format!("{strong} {weak}"));
        assert_eq!(both.strongest(), (Algorithm::Sha512, &[2; 64][..]));
        assert!(both.is_strong() && !both.is_ambiguous());
        assert_eq!(Integrity::parse(&both.to_string()).unwrap(), both);
    }

    #[test]
    fn several_digests_of_one_algorithm_are_ambiguous() {
        let text = format!(
            "{} {}",
            sri(Algorithm::Sha512, 3),
            sri(Algorithm::Sha512, 2)
        );
        let integrity = Integrity::parse(&text).unwrap();
        assert!(integrity.is_ambiguous());
        assert!(
            integrity.holds(Algorithm::Sha512, &[3; 64])
                && integrity.holds(Algorithm::Sha512, &[2; 64])
        );
        assert!(!integrity.holds(Algorithm::Sha512, &[4; 64]));
    }

    #[test]
    fn malformed_digests_are_errors() {
        for (text, error) in [
            ("", IntegrityError::NoDigest),
            ("md5-abcd", IntegrityError::NoDigest),
            ("SHA512-abcd", IntegrityError::NoDigest),
            ("sha512-", IntegrityError::Malformed(Algorithm::Sha512)),
            ("sha512-AAAA", IntegrityError::Malformed(Algorithm::Sha512)),
            ("sha1-????", IntegrityError::Malformed(Algorithm::Sha1)),
        ] {
            assert_eq!(Integrity::parse(text), Err(error), "{text}");
        }
        assert_eq!(
            Integrity::parse(&"x".repeat(5000)),
            Err(IntegrityError::TooLong)
        );
        // A weak neighbour does not stand in for a broken strong digest.
        let text = format!("{} sha512-AAAA", sri(Algorithm::Sha1, 1));
        assert_eq!(
            Integrity::parse(&text),
            Err(IntegrityError::Malformed(Algorithm::Sha512))
        );
    }

    #[test]
    fn shasum_of_old_packages() {
        let old = Integrity::from_sha1_hex("DA39a3ee5e6b4b0d3255bfef95601890afd80709").unwrap();
        assert_eq!(old.to_string(), "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        assert!(!old.is_strong());
        for text in ["", "da39", "zz39a3ee5e6b4b0d3255bfef95601890afd80709"] {
            assert_eq!(
                Integrity::from_sha1_hex(text),
                Err(IntegrityError::NotSha1Hex)
            );
        }
    }

    #[test]
    fn json_is_a_string() {
        let text = sri(Algorithm::Sha512, 9);
        let integrity: Integrity = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        assert_eq!(
            serde_json::to_string(&integrity).unwrap(),
            format!("\"{text}\"")
        );
    }
}
