//! The registry's signing key, and digests.

use aws_lc_rs::digest;

use crate::sigstore::SigningKey;

/// A fresh key, labelled as the public registry does it.
pub(super) fn registry_key() -> SigningKey {
    SigningKey::labelled_by_digest()
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

pub(super) fn sha512(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA512, bytes).as_ref().to_vec()
}

pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes)
        .as_ref()
        .to_vec()
}
