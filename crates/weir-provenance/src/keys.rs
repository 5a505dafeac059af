//! The keys a registry signs with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

/// Most keys read from one document. Registries have two or three.
const MAX_KEYS: usize = 100;

/// Largest document of keys, in bytes. A key takes 300.
const MAX_SIZE: usize = 256 << 10;

/// Why a document is not a list of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Longer than 256 KiB, or more than 100 keys.
    #[error("too large for a list of registry keys")]
    TooLarge,
    /// Neither the form of `/-/npm/v1/keys` nor the one of Sigstore's root of trust.
    #[error("not a list of registry keys: {0}")]
    Malformed(String),
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Whatever the registry signs: `/-/npm/v1/keys` does not say.
    Any,
    /// Signatures of releases.
    Signatures,
    /// Attestations.
    Attestations,
}

/// One key: ECDSA on P-256 with SHA-256, the only kind npm has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryKey {
    /// Its label. Opaque: not computed from the key.
    pub id: String,
    /// The key as SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    /// From when on it counts.
    pub starts: Option<Timestamp>,
    /// Until when it counts, exclusive.
    pub expires: Option<Timestamp>,
    /// What it may be used for.
    pub usage: Usage,
}

/// The keys of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryKeys {
    keys: Vec<RegistryKey>,
    skipped: usize,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Endpoint(Endpoint),
    Root(RootItem),
    Other(serde::de::IgnoredAny),
}

/// As `/-/npm/v1/keys` writes it.
#[derive(Deserialize)]
struct Endpoint {
    keyid: String,
    keytype: String,
    scheme: String,
    key: String,
    expires: Option<Timestamp>,
}

/// As Sigstore's root of trust distributes npm's keys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RootItem {
    key_id: String,
    key_usage: String,
    public_key: RootKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RootKey {
    raw_bytes: String,
    key_details: String,
    valid_for: Option<Window>,
}

#[derive(Deserialize)]
struct Window {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl RegistryKeys {
    /// Reads a document in either form. A key of a kind that is not known is skipped and counted: what it
    /// signed then has no key.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn parse(document: &[u8]) -> Result<Self, KeysError> {
        if document.len() > MAX_SIZE {
            return Err(KeysError::TooLarge);
        }
        let document: Document = serde_json::from_slice(document)
            .map_err(|error| KeysError::Malformed(error.to_string()))?;
        if document.keys.len() > MAX_KEYS {
            return Err(KeysError::TooLarge);
        }
        let all = document.keys.len();
        let keys: Vec<_> = document.keys.into_iter().filter_map(key_of).collect();
        let skipped = all - keys.len();
        Ok(Self { keys, skipped })
    }

    /// Adds the keys of another document.
    pub fn add(&mut self, other: Self) {
        for key in other.keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        self.skipped += other.skipped;
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many were of a kind that is not known.
    #[must_use]
    pub const fn skipped(&self) -> usize {
        self.skipped
    }

    /// A label under which other keys are named there than here; `None` where both agree.
    #[must_use]
    pub fn contradicts<'other>(&self, other: &'other Self) -> Option<&'other str> {
        let known = |id: &str| self.keys.iter().any(|key| key.id == id);
        let same = |there: &RegistryKey| {
            let mut here = self.keys.iter();
            here.any(|key| key.id == there.id && key.spki == there.spki)
        };
        let odd = other.keys.iter().find(|key| known(&key.id) && !same(key));
        odd.map(|key| key.id.as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &RegistryKey> {
        self.keys.iter()
    }

    /// The keys with a label that may be used for this. One label can name several, with other times.
    pub(crate) fn labelled(&self, id: &str, usage: Usage) -> impl Iterator<Item = &RegistryKey> {
        self.keys
            .iter()
            .filter(move |key| key.id == id && (key.usage == usage || key.usage == Usage::Any))
    }
}

fn key_of(item: Item) -> Option<RegistryKey> {
    match item {
        Item::Endpoint(item) => {
            let known = item.keytype == P256 && item.scheme == P256;
            known.then_some(())?;
            Some(RegistryKey {
                id: item.keyid,
                spki: STANDARD.decode(item.key).ok()?,
                starts: None,
                expires: item.expires,
                usage: Usage::Any,
            })
        }
        Item::Root(item) => {
            let usage = match item.key_usage.as_str() {
                "npm:signatures" => Usage::Signatures,
                "npm:attestations" => Usage::Attestations,
                _ => return None,
            };
            (item.public_key.key_details == "PKIX_ECDSA_P256_SHA_256").then_some(())?;
            let window = item.public_key.valid_for;
            let (starts, expires) = window.map_or((None, None), |it| (it.start, it.end));
            Some(RegistryKey {
                id: item.key_id,
                spki: STANDARD.decode(item.public_key.raw_bytes).ok()?,
                starts,
                expires,
                usage,
            })
        }
        Item::Other(_) => None,
    }
}

const P256: &str = "ecdsa-sha2-nistp256";

impl RegistryKey {
    /// Whether it counts for something of this time.
    pub(crate) fn counts_at(&self, time: Timestamp) -> bool {
        self.starts.is_none_or(|start| start <= time) && self.expires.is_none_or(|end| time < end)
    }
}
