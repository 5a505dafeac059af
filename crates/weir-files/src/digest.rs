//! Digests that name files.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// Bytes of a digest that are kept: enough that nobody finds two files with one.
pub(crate) const KEPT: usize = 16;

/// A digest that grows with a file that is not in memory as a whole.
pub struct Digest(Context);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest")
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Digest {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// SHA-256, the first 16 bytes in hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        shortened(self.0.finish().as_ref())
    }
}

/// SHA-256 of a file, the first 16 bytes in hexadecimal.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    shortened(digest(&SHA256, bytes).as_ref())
}

fn shortened(whole: &[u8]) -> String {
    hex::encode(whole.get(..KEPT).unwrap_or(whole))
}
